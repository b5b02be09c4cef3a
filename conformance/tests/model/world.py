"""One way to understand the documents, and the state of everything in it."""
from model.callbacks import Callbacks
from model.create import Create
from model.objects import DIRECTORY, POWER_STATE, PROCESSOR_ADD, SYSTEM_TIME, Object, Objects
from model.processors import Processors
from model.questions import WINDOWS, Ask
from model.script import LEVELS, Statement
from model.seen import Diverges, Misuse, Quiet, Stopped

PROCESSORS = 2  # of the machine that the environment plays


class World(Create, Callbacks, Objects, Processors):
    def __init__(self, program, see, answers, windows=False, known=()):
        self.program, self.see = program, see
        self.windows = windows or program.windows
        settled = WINDOWS if self.windows else {}
        self.answers = {**answers, **settled}
        self.known = {*known, *settled}  # questions that have been answered before
        self.bound = {}
        self.irql = 0
        self.step = 0
        self.bases = []      # IRQLs at which the routines in progress were called
        self.running = []    # (registration, where a status can be set), outermost first
        self.notifying = []  # objects whose notification is in progress
        self.changes = []    # registrations of processor changes
        self.changing = []   # the same, being made: they may be told of processors, or not yet
        self.processors = PROCESSORS
        self.objects = [Object(name, True, True, system=True, number=name[DIRECTORY:])
                        for name in (SYSTEM_TIME, POWER_STATE, PROCESSOR_ADD)]

    def answer(self, question):
        if question not in self.answers:
            raise Ask(question)
        return self.answers[question]

    def run(self):
        for self.step, statement in enumerate(self.program.statements, 1):
            self.statement(statement)
        self.step = 0
        self.give_back()

    @property
    def level(self):
        return len(self.running)

    def statement(self, statement):
        getattr(self, "do_" + statement.word)(statement)

    def forbids(self, question, answer="forbidden"):
        """Is the call the caller's mistake in this world? Once an implementation has shown that it is, it
        is not made any more."""
        forbidden = self.answer(question) == answer
        if forbidden and question in self.known:
            raise Misuse(question)
        return forbidden

    def misused(self, rule, well):
        """A call that this world does not allow its caller. If it goes well the implementation is not of
        this world: it takes one answer, always."""
        if well:
            raise Diverges(f"{rule} goes well where it should not be allowed")
        raise Misuse(rule)

    def returned(self, expected=None, freed=None):
        """How the call ended. No object may be gone that must still be there.

        [create]: a driver deletes an object when all is done with it; nobody else does."""
        seen = self.see.returned(self.level, expected, freed)
        if seen.freed is not None and any(o.number == seen.freed and o.alive for o in self.objects):
            raise Diverges("the memory of an object was freed that must still exist")
        return seen

    def do_irql(self, statement):
        level = LEVELS[statement.level]
        if self.running and level < self.bases[-1]:
            raise Misuse("a routine goes below the level that it was called at")
        self.see.call(statement, self.level)
        self.irql = level

    def do_fail_allocation(self, statement):
        self.see.call(statement, self.level)

    # The end of a program [script]: registrations, references, permanence, and then nothing is left

    def give_back(self):
        while True:
            words = self.see.giving_back()
            if not words:
                break
            word, *rest = words
            statement = Statement(word)
            quiet = Quiet(self.see)
            self.see, see = quiet, self.see
            if word == "irql":
                self.irql = LEVELS[rest[0]]
            elif rest[0] == "registration":
                held = self.changes if word != "unregister" else [r for o in self.objects for r in o.registrations]
                registration = next((r for r in held if r.alive and r.number == rest[1]), None)
                if not registration:
                    raise Stopped(f"registration {rest[1]} is given back, which nobody holds")
                (self.unregister if word == "unregister" else self.deregister)(registration, statement)
            else:
                o = next((o for o in self.objects if o.alive and o.number == rest[1]), None)
                if o is None or word == "dereference" and not o.references:
                    raise Stopped(f"object {rest[1]} is given back, which nobody holds")
                (self.dereference if word == "dereference" else self.make_temporary)(o, statement)
            self.see = see
        for o in self.objects:
            if len(o.registered) > o.references and self.answer("the reference of a registration") != "own":
                raise Misuse("there are fewer references than registrations that need one")
        left = self.see.left()
        held = [o for o in self.objects if o.alive and (not o.system or o.references or o.registered)]
        if held or any(r.alive for r in self.changes):
            raise Stopped("something has not been given back")
        if left:
            raise Diverges("[create], remarks: what is deleted leaves nothing behind")
