"""Objects, registrations, and how they live and go."""
import dataclasses
from typing import Optional

from model.seen import Diverges, Misuse

SYSTEM_TIME, POWER_STATE, PROCESSOR_ADD = (
    "\\Callback\\SetSystemTime", "\\Callback\\PowerState", "\\Callback\\ProcessorAdd")
DIRECTORY = len("\\Callback\\")


@dataclasses.dataclass(eq=False)
class Object:
    name: str
    multiple: bool
    permanent: bool
    exclusive: bool = False
    system: bool = False
    leaf: bool = True             # in the directory, as its name was understood when it was made
    mended: bool = False          # its name was no path, so it may be taken for a spelling of another
    number: Optional[str] = None  # what it is called in the trace
    references: int = 0           # that the program holds
    made_temporary: bool = False
    opened: bool = False          # by name
    doubtful: bool = False        # made temporary again, or opened: nobody says what that does to its name
    nameless: bool = False        # and then not found
    alive: bool = True
    registrations: list = dataclasses.field(default_factory=list)  # all there ever were, in order

    @property
    def registered(self):
        return [registration for registration in self.registrations if registration.alive]


@dataclasses.dataclass(eq=False)
class Registration:
    object: Optional[Object]  # None: of processor changes
    routine: int
    context: int
    number: Optional[str]     # of its handle in the trace
    alive: bool = True


@dataclasses.dataclass
class Stage:
    """What Argument2 of a processor's announcement points to."""
    start: bool  # an error may be set
    status: str = "STATUS_SUCCESS"
    number: int = 0  # the processor's


QUESTION = "the reference of a registration"


class Objects:

    def goes(self, o, leaving=None):
        """Does nothing hold the object any more? leaving: a registration that is being removed."""
        registered = any(registration is not leaving for registration in o.registered)
        return not (o.references or o.permanent or o.system or registered and self.answer(QUESTION) == "own")

    def may_go(self, o, leaving=None):
        """Before the call: [notify] needs the object until it has returned, and [create] all that is registered.

        The latter is the caller's mistake once it is known that a registration has no reference of its own."""
        if not self.goes(o, leaving):
            return
        if o in self.notifying:
            raise Misuse("the object goes while it is being notified")
        if QUESTION in self.known and any(registration is not leaving for registration in o.registered):
            raise Misuse("the object goes while a routine is registered")

    def released(self, o, shown=True):
        """The end of a call that has given something back of the object.

        [create]: an object is deleted when all is done with it, unless it is permanent."""
        if not self.goes(o):
            self.returned()
            return
        o.alive = False
        seen = self.returned(freed=o.number if self.answers.get("the memory of objects") != "not seen" else None)
        if seen.freed == o.number:
            if self.answer("the memory of objects") != "seen":
                raise Diverges("memory that nobody sees is seen to go")
        elif shown and self.answers.get(QUESTION, "own") != "own" and self.answer("the memory of objects") == "seen":
            raise Diverges("the object is still there: something held it besides the program")
        if o.registered:
            raise Misuse("the object goes while a routine is registered")

    def referenced(self, statement, o):
        """[facts]: create gives its caller a reference; with the last one the address is given up,
        whoever else may keep the object alive."""
        if o and not o.references:
            raise Misuse(f"{statement.word} with an object that the program has let go")

    def opening_may_count(self, o):
        """Where opening ends the name of a temporary object, it may end that of one made so, before or after."""
        return o.made_temporary and o.opened and self.answer("the name of a temporary object") == "until opened"

    def held(self, statement):
        o = self.bound.get(statement.operand)
        if o is None:
            raise Misuse(f"{statement.word} without an object")
        self.referenced(statement, o)
        return o

    def do_reference(self, statement):
        o = self.held(statement)
        self.see.call(statement, self.level)
        o.references += 1
        self.returned()

    def do_dereference(self, statement):
        self.dereference(self.held(statement), statement)

    def dereference(self, o, statement):
        o.references -= 1
        self.may_go(o)
        self.see.call(statement, self.level)
        self.released(o)

    def do_make_temporary(self, statement):
        self.make_temporary(self.held(statement), statement)

    def make_temporary(self, o, statement):
        if o.system:
            raise Misuse("the system-defined objects are not the program's")
        if self.irql:
            raise Misuse("make_temporary above PASSIVE_LEVEL, like all that is about names")
        if o.permanent:
            o.permanent, o.made_temporary = False, True
            o.doubtful = self.opening_may_count(o)
        else:
            o.doubtful = True
        self.may_go(o)
        self.see.call(statement, self.level)
        self.released(o, shown=False)
