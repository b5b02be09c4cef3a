"""A second opinion: what the documents allow, as a model in Python that shares nothing with spec/.

A `World` is one way to understand the documents, and the state of everything in it. It goes through
a script and what was seen of it, event by event, and ends in one of three ways: all was allowed,
something was not (`Diverges`), or the script itself broke a rule of callers (`Misuse`). Where the
documents leave a question open a world asks for the answer (`Ask`), and `judge` makes one world for
each. The verdict: a world in which all was allowed is enough for `conforms`; else one with misuse
for `misuse`; else `diverges`.

Places are given as  [objects] Callback Objects,  [using] Using a Driver-Defined Callback Object,
[create] [register] [notify] the routines' pages,  [facts] what else is known of Windows, which binds
in the profile windows only.  What is said of neither is a rule of the script language ([script]).
"""
import collections
import dataclasses
import re
from typing import Optional

# Questions that the documents leave open, and the answers that can be read into them.
QUESTIONS = {
    # [create] asks for OBJ_PERMANENT so that an object is not deleted before it can be registered
    # with the object manager, and does not say what is there without it. [facts]: no handle is
    # open when create returns, so the name has gone; or it goes when a first open closes its handle.
    "the name of a temporary object": ("gone", "until opened", "kept"),
    # [create] sends the reader elsewhere for how a permanent object ends.
    "the name after make_temporary": ("gone", "kept"),
    # [using], paragraph 8: unregistering removes "its reference". Whose: one that registering took,
    # or the one that the caller has from opening? Or is none meant but the entry in the list?
    "the reference of a registration": ("own", "the caller's", "none"),
    # [objects] names three system-defined objects where it counts two; [create] lists two.
    "\\Callback\\ProcessorAdd": ("present", "absent"),
    # [create], metadata: req.irql says <= APC_LEVEL, the DDI compliance rule IrqlExPassive less.
    "create at APC_LEVEL": ("allowed", "forbidden"),
    # Silent: [using], paragraph 7, lets a routine do what it needs; [facts]: it waits for itself.
    "unregister inside its own call": ("returns", "waits"),
    # Silent: [register] takes what create returned, and returns NULL on an error.
    "register with NULL": ("refused", "forbidden"),
    # Silent.
    "unregister of NULL": ("ignored", "forbidden"),
    # Silent everywhere, as [facts] says.
    "the same routine again": ("again", "refused", "refused with the same context"),
}
WINDOWS = {
    "the name of a temporary object": "gone",
    "the name after make_temporary": "gone",
    "the reference of a registration": "own",
    "\\Callback\\ProcessorAdd": "present",
    "unregister inside its own call": "waits",
}
LEVELS = {"PASSIVE_LEVEL": 0, "APC_LEVEL": 1, "DISPATCH_LEVEL": 2}
SYSTEM_TIME, POWER_STATE, PROCESSOR_ADD = (
    "\\Callback\\SetSystemTime", "\\Callback\\PowerState", "\\Callback\\ProcessorAdd")
BODY_LEVELS = 5  # [script]: a body does not run from this level of nesting on
PROCESSORS = 2   # of the machine that the environment plays


class Ask(Exception):
    """The world has no answer to this question yet."""


class Diverges(Exception):
    """The documents, as this world understands them, do not allow what was seen."""


class Misuse(Exception):
    """The script breaks a rule that binds callers: nothing is said of the implementation."""


class Stopped(Exception):
    """What was seen ends, or does not follow the script, where this world would go on."""


# Scripts


@dataclasses.dataclass
class Statement:
    word: str
    result: Optional[str] = None   # the name on its left
    operand: Optional[str] = None  # the name of its object or registration
    name: Optional[str] = None     # of create and open; None: unnamed
    flags: tuple = ()
    routine: int = 0
    numbers: tuple = ()
    level: str = ""
    text: str = ""

    def __str__(self):
        left = f"{self.result} = " if self.result else ""
        if self.text:
            return left + self.text
        words = [self.word]
        if self.word in ("create", "open"):
            words.append("unnamed" if self.name is None else '"%s"' % self.name.replace('"', '""'))
        words += [self.operand] if self.operand else []
        words += [f"F{self.routine}"] if self.routine else []
        words += [str(n) if self.word == "fail_allocation" else f"{n:#x}" for n in self.numbers]
        words += [self.level] if self.level else []
        return left + " ".join([*words, *self.flags])


@dataclasses.dataclass
class Program:
    statements: list
    bodies: dict  # of the routine's number
    windows: bool = False

    def __str__(self):
        lines = ["profile windows"] if self.windows else []
        for routine, body in sorted(self.bodies.items()):
            lines += [f"routine F{routine} {{", *(f"    {statement}" for statement in body), "}"]
        return "\n".join([*lines, *map(str, self.statements), ""])


def _unquote(quoted):
    plain = quoted[1:-1].replace('""', '"')
    return re.sub(r"\{U\+([0-9A-Fa-f]{4})\}", lambda match: chr(int(match[1], 16)), plain)


def parse_statement(line):
    words = re.findall(r'"(?:[^"]|"")*"|->|[^\s"]+', line)
    words = words[:words.index("->")] if "->" in words else words
    text = " ".join(words)
    result = None
    if len(words) > 1 and words[1] == "=":
        result, words, text = words[0], words[2:], " ".join(words[2:])
    word, *rest = words
    statement = Statement(word, result, text=text)
    if word in ("create", "open"):
        statement.name = None if rest[0] == "unnamed" else _unquote(rest[0])
        statement.flags = tuple(rest[1:])
        return statement
    if word in ("register", "notify", "unregister", "reference", "dereference", "make_temporary",
                "deregister_processor_change"):
        statement.operand = rest.pop(0)
    for argument in rest:
        if re.fullmatch(r"F\d+", argument):
            statement.routine = int(argument[1:])
        elif argument[0].isdigit():
            statement.numbers += (int(argument, 0),)
        elif argument in LEVELS or argument.startswith("STATUS_"):
            statement.level = argument
        else:
            statement.flags += (argument,)
    return statement


def parse(text):
    """A script without threads. Expectations are left out: the model judges, not the script."""
    program = Program([], {})
    into = program.statements
    for line in text.splitlines():
        line = re.sub(r'^((?:[^"#]|"(?:[^"]|"")*")*)#.*', r"\1", line).strip()
        word = line.split(" ")[0]
        if not line or word in ("clause", "reading"):
            continue
        if word == "profile":
            program.windows = line.split()[1] == "windows"
        elif word == "thread":
            raise ValueError("this model knows one thread only")
        elif word == "routine":
            into = program.bodies.setdefault(int(re.search(r"F(\d+)", line)[1]), [])
        elif line == "}":
            into = program.statements
        else:
            into.append(parse_statement(line))
    return program


# What was seen


Entry = collections.namedtuple("Entry", "routine context arguments irql")
Return = collections.namedtuple("Return", "status handle number failed freed")
ABORTS = {"(crashes)", "(hangs)", "(deadlocks)", "(bugchecks)"}


class Trace:
    """What a run has shown: the lines of `cbfuzz run --json --trace`."""

    def __init__(self, lines):
        self.lines = [(len(line) - len(line.lstrip(" ")), line.strip()) for line in lines]
        self.at = 0

    def _peek(self):
        return self.lines[self.at] if self.at < len(self.lines) else (0, None)

    def _next_inner(self, level, pattern):
        """The next line if it belongs to the call in progress on this level and looks like that."""
        indent, text = self._peek()
        if text in ABORTS:
            raise Diverges(f"the call ends otherwise than by returning: {text}")
        match = re.fullmatch(pattern, text) if text and indent == 4 * level + 2 else None
        self.at += match is not None
        return match

    def call(self, statement, level):
        indent, text = self._peek()
        if text is None or indent != 4 * level or not re.search(rf"(^|= ){statement.word}\b", text):
            raise Stopped(f"a call was expected, {statement}; seen: {text}")
        self.at += 1

    def deadlocks(self):
        return self._peek()[1] == "(deadlocks)"

    def giving_back(self):
        text = self._peek()[1]
        if text is None or not text.startswith("(giving back)"):
            return None
        self.at += 1
        return text.split()[2:]

    def entry(self, level, _expected):
        match = self._next_inner(level, r"F(\d+)\((\w+), (.+), (.+)\) at (\w+)")
        if not match:
            return None
        return Entry(int(match[1]), int(match[2], 0), (match[3], match[4]), LEVELS.get(match[5]))

    def returned(self, level, _expected=None):
        failed = self._next_inner(level, r"\(an allocation failed\)")
        result = self._next_inner(level, r"-> (\w+)(?:, \w+ (\d+))?")
        freed = self._next_inner(level, r"\(object (\d+) is freed\)")
        number = int(result[2]) if result and result[2] else None
        status = result[1] if result else None
        return Return(status, status == "handle", number, bool(failed), int(freed[1]) if freed else None)

    def left(self):
        text = self._peek()[1]
        if text not in ("(nothing is left)", "(something is left)"):
            raise Stopped(f"the end of the program was expected; seen: {text}")
        self.at += 1
        return text == "(something is left)"


class Imagined:
    """Stands for a run that has not been made: it shows the first thing that the world allows."""

    def __init__(self):
        self.numbers = 0

    def call(self, statement, level):
        pass

    def entry(self, level, expected):
        return expected

    def returned(self, level, expected=None):
        if expected in ("STATUS_SUCCESS", "handle"):
            self.numbers += 1
            return Return(expected, expected == "handle", self.numbers, False, None)
        if isinstance(expected, int):
            return Return("STATUS_SUCCESS", False, expected, False, None)
        return Return(expected, False, None, False, None)


# State


@dataclasses.dataclass(eq=False)
class Object:
    name: str
    multiple: bool
    permanent: bool
    exclusive: bool = False
    system: bool = False
    number: Optional[int] = None  # what it is called in the trace; None: not seen yet
    references: int = 0           # that the program holds
    made_temporary: bool = False
    opened: bool = False          # by name since it is temporary
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
    number: Optional[int]     # of its handle in the trace
    alive: bool = True


@dataclasses.dataclass
class Stage:
    """What Argument2 of a processor's announcement points to."""
    start: bool  # an error may be set
    status: str = "STATUS_SUCCESS"
    number: int = 0  # the processor's


class World:
    def __init__(self, program, see, answers, windows=False):
        self.program, self.see, self.answers = program, see, answers
        self.windows = windows or program.windows
        self.bound = {}
        self.irql = 0
        self.step = 0
        self.running = []    # (registration, where a status can be set), outermost first
        self.notifying = []  # objects whose notification is in progress
        self.changes = []    # registrations of processor changes
        self.processors = PROCESSORS
        self.objects = [Object(name, True, True, system=True) for name in (SYSTEM_TIME, POWER_STATE, PROCESSOR_ADD)]

    def answer(self, question):
        if self.windows and question in WINDOWS:
            return WINDOWS[question]
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

    def returned(self, expected=None):
        """How the call ended. No object may be gone that must still be there.

        [create]: a driver deletes an object when all is done with it; nobody else does."""
        seen = self.see.returned(self.level, expected)
        if seen.freed is not None and any(o.number == seen.freed and o.alive for o in self.objects):
            raise Diverges("the memory of an object was freed that must still exist")
        return seen

    # Names

    def plain(self, name):
        """A name of which nobody doubts that an object can have it: in \\Callback, not empty.

        [objects]: every callback object has a name; all that are shown are in this directory."""
        return name.startswith("\\Callback\\") and len(name) > 10 and "\\" not in name[10:]

    def exists(self, o):
        return not (o.name == PROCESSOR_ADD and o.system and self.answer(PROCESSOR_ADD) == "absent")

    def has_name(self, o):
        """Can the object still be opened by its name?"""
        if not o.alive:
            return False
        if o.permanent:
            return True  # [create]: permanent, so it is not deleted
        if o.made_temporary and self.answer("the name after make_temporary") == "gone":
            return False
        name = self.answer("the name of a temporary object")
        if o.made_temporary:
            return not (name == "until opened" and o.opened)
        return name == "kept" or name == "until opened" and not o.opened

    def found(self, name, insensitive):
        """[create]: OBJ_CASE_INSENSITIVE where it "might be needed", so without it case counts."""
        fold = str.upper if insensitive else str
        return [o for o in self.objects if fold(o.name) == fold(name) and self.exists(o) and self.has_name(o)]

    # The four routines

    def do_create(self, statement, create=True):
        """[create]: opens what is there; with Create = TRUE it makes what is not."""
        if self.irql > 1:
            raise Misuse("create above APC_LEVEL")
        if self.irql == 1 and self.answer("create at APC_LEVEL") == "forbidden":
            raise Misuse("create at APC_LEVEL")
        name, flags = statement.name, statement.flags
        found = [] if name is None else self.found(name, "case_insensitive" in flags)
        if create and name in (SYSTEM_TIME, POWER_STATE, PROCESSOR_ADD) and not found:
            raise Misuse("[objects]: a driver must not take the name of a system-defined object")
        self.see.call(statement, self.level)
        succeeds = bool(found) or create and name is not None
        seen = self.returned("STATUS_UNSUCCESSFUL" if name is None else found[0].number or "STATUS_SUCCESS" if found
                             else "STATUS_SUCCESS" if create else "STATUS_OBJECT_NAME_NOT_FOUND")
        self.bound[statement.result] = None
        if seen.status is None:
            raise Stopped("create ends without a status")
        if seen.status != "STATUS_SUCCESS":
            self.create_failed(seen, name, succeeds)
            return
        if not succeeds:
            raise Diverges("success where there is nothing to open or no name")
        if seen.number is None:
            raise Diverges("[create]: on success the address is written")
        known = next((o for o in self.objects if o.alive and o.number == seen.number), None)
        if found:
            o = known or next((o for o in found if o.number is None), None)
            if o not in found:
                raise Diverges("another object than the one of this name was opened")
            o.number = seen.number
            o.opened |= not o.permanent
        else:
            if known:
                raise Diverges("an existing object where a new one was due")
            o = Object(name, "multiple" in flags, "permanent" in flags, number=seen.number)
            self.objects.append(o)
        o.references += 1
        self.bound[statement.result] = o

    def create_failed(self, seen, name, succeeds):
        if not is_error(seen.status):
            raise Diverges("[create]: STATUS_SUCCESS or an error code, nothing else")
        if seen.failed:
            return
        if name is None and seen.status != "STATUS_UNSUCCESSFUL":
            raise Diverges("[create], remarks: without a name it fails with STATUS_UNSUCCESSFUL")
        if succeeds and (self.plain(name) or any(o.name == name for o in self.objects)):
            raise Diverges("an error where nothing is in the way")
        if self.windows and name is not None and not succeeds:
            due = failure_code(name)
            if due and seen.status != due:
                raise Diverges(f"[facts]: {due}")

    def do_open(self, statement):
        self.do_create(statement, create=False)

    def do_register(self, statement):
        o = self.bound.get(statement.operand)
        if self.irql > 1:
            raise Misuse("[register]: at IRQL <= APC_LEVEL")
        if o is None and self.answer("register with NULL") == "forbidden":
            raise Misuse("register with NULL")
        self.referenced(statement, o)
        due = self.registration_due(o, statement.routine, statement.numbers[0])
        self.see.call(statement, self.level)
        seen = self.returned(due)
        self.bound[statement.result] = None
        if due == "NULL" and seen.handle:
            raise Diverges("a handle where NULL is due")
        if due == "handle" and not seen.handle and not seen.failed:
            raise Diverges("NULL where nothing is in the way")
        if not seen.handle:
            return
        if any(r.number == seen.number for o in self.objects for r in o.registered):
            raise Diverges("two registrations have one handle, so it cannot tell which to remove")
        registration = Registration(o, statement.routine, statement.numbers[0], seen.number)
        o.registrations.append(registration)
        self.bound[statement.result] = registration

    def registration_due(self, o, routine, context):
        if o is None:
            return "NULL"
        if not o.multiple and o.registered:
            return "NULL"  # [register], remarks: one routine only, and it is there
        same = [r for r in o.registered if r.routine == routine]
        if not same:
            return "handle"
        answer = self.answer("the same routine again")
        if answer == "refused" or answer != "again" and any(r.context == context for r in same):
            return "NULL"
        return "handle"

    def do_unregister(self, statement):
        registration = self.bound.get(statement.operand)
        if self.irql > 1:
            raise Misuse("unregister above APC_LEVEL: [facts], and as [register] for its counterpart")
        if registration is None:
            if self.answer("unregister of NULL") == "forbidden":
                raise Misuse("unregister of NULL")
            self.see.call(statement, self.level)
            self.returned()
            return
        self.unregister(registration, statement)

    def unregister(self, registration, statement):
        """[using], paragraph 8: removes the routine from the list, and its reference."""
        if not registration.alive:
            raise Misuse("[register], remarks: the handle is for one call of unregister")
        itself = any(running is registration for running, _ in self.running)
        waits = itself and self.answer("unregister inside its own call") == "waits"
        if waits and self.windows:
            raise Misuse("[facts]: a routine that unregisters itself waits for itself")
        o = registration.object
        if self.answer("the reference of a registration") == "the caller's":
            if o.references == 0:
                raise Misuse("unregister drops a reference that the caller does not have")
            o.references -= 1
        self.see.call(statement, self.level)
        if waits and self.see.deadlocks():
            raise Misuse("a routine waits for itself")
        if waits:
            raise Diverges("a routine that should wait for itself does not")
        registration.alive = False
        self.released(o)

    def do_notify(self, statement):
        o = self.held(statement)
        if o.system:
            raise Misuse("[notify], remarks: not for the system-defined objects")
        self.see.call(statement, self.level)
        self.notification(o, tuple(f"{number:#x}" for number in statement.numbers))
        self.returned()

    def notification(self, o, arguments, stage=None):
        """[notify]: all registered routines, in order of registration, at the caller's IRQL.

        Whether one that is registered meanwhile is called by it is said nowhere, so it may be."""
        start, at = len(o.registrations), 0
        self.notifying.append(o)
        while True:
            due = [r for r in o.registrations[at:start] if r.alive]
            late = [r for r in o.registrations[max(at, start):] if r.alive]
            allowed = due[:1] or late
            entry = self.see.entry(self.level, Entry(
                due[0].routine, due[0].context, arguments, self.irql) if due else None)
            if entry is None:
                if due:
                    raise Diverges(f"F{due[0].routine} was not called")
                break
            registration = next((r for r in allowed if (r.routine, r.context) == entry[:2]), None)
            if not registration:
                raise Diverges(f"F{entry.routine} was called, which is not due")
            if arguments and entry.arguments != arguments:
                raise Diverges("[notify]: the routine gets the notifier's arguments")
            at = o.registrations.index(registration) + 1
            self.enter(entry, registration, stage)
        self.notifying.pop()

    def enter(self, entry, registration, stage=None):
        if entry.irql != self.irql:
            raise Diverges("[notify], [using]: at the caller's IRQL")
        self.running.append((registration, stage))
        irql = self.irql
        if self.level < BODY_LEVELS:
            for statement in self.program.bodies.get(entry.routine, ()):
                self.statement(statement)
        if self.irql != irql:
            raise Misuse("a routine returns at another IRQL than it was called at")
        self.running.pop()

    # Objects' lives

    def released(self, o):
        """The end of a call that has given something back of the object.

        [create]: an object is deleted when all is done with it, unless it is permanent."""
        question = "the reference of a registration"
        if o.references or o.permanent or o.system or o.registered and self.answer(question) == "own":
            self.returned()
            return
        if o in self.notifying:
            raise Misuse("the object goes while it is being notified")
        o.alive = False
        seen = self.returned()
        if seen.freed != o.number and self.answers.get(question, "own") != "own":
            raise Diverges("the object is still there: something held it besides the program")
        if o.registered:
            raise Misuse("the object goes while a routine is registered")

    def referenced(self, statement, o):
        """[facts]: create gives its caller a reference; with the last one the address is given up,
        whoever else may keep the object alive."""
        if o and not o.references:
            raise Misuse(f"{statement.word} with an object that the program has let go")

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
        self.see.call(statement, self.level)
        self.released(o)

    def do_make_temporary(self, statement):
        self.make_temporary(self.held(statement), statement)

    def make_temporary(self, o, statement):
        if o.system:
            raise Misuse("the system-defined objects are not the program's")
        if self.irql > 1:
            raise Misuse("make_temporary above APC_LEVEL: it is for names")
        if o.permanent:
            o.permanent, o.made_temporary = False, True
        self.see.call(statement, self.level)
        self.released(o)

    # The environment

    def do_irql(self, statement):
        level = LEVELS[statement.level]
        self.see.call(statement, self.level)
        self.irql = level

    def do_fail_allocation(self, statement):
        self.see.call(statement, self.level)

    def event(self, statement, name, arguments):
        """[create], table: the system calls the routines of its objects when their time comes."""
        o = next(o for o in self.objects if o.system and o.name == name)
        self.see.call(statement, self.level)
        self.notification(o, arguments)
        self.returned()

    def do_set_system_time(self, statement):
        self.event(statement, SYSTEM_TIME, None)

    def do_power_state(self, statement):
        """[facts]: what the arguments are. The documents do not say."""
        arguments = tuple(f"{number:#x}" for number in statement.numbers)
        self.event(statement, POWER_STATE, arguments if self.windows else None)

    # Processors. [register], remarks, says that there are such routines, and that a flag enumerates
    # the processors that are there already. When, how often and with what: [facts].

    def do_register_processor_change(self, statement):
        if self.irql:
            raise Misuse("[facts]: at PASSIVE_LEVEL")
        self.see.call(statement, self.level)
        registration = Registration(None, statement.routine, statement.numbers[0], None)
        untold = "add_existing" in statement.flags and not self.existing(registration)
        seen = self.returned("handle")
        self.bound[statement.result] = None
        if not seen.handle and seen.failed:
            return
        if untold:
            raise Diverges("the existing processors were not told of")
        if not seen.handle:
            raise Diverges("NULL where nothing is in the way")
        registration.number = seen.number
        self.changes.append(registration)
        self.bound[statement.result] = registration

    def existing(self, registration):
        """[facts]: Start for each processor, then Complete for each; when a routine sets an error at
        one, no further Start, and Failure for each that was started before. Was all of it seen?"""
        phase, due, started = "start", set(range(self.processors)), []
        calls = 0
        while True:
            if phase == "start" and not due:
                phase, due = "complete", set(started)
            entry = self.see.entry(self.level, Entry(registration.routine, registration.context, (
                f"{phase} {min(due)}", "STATUS_SUCCESS"), self.irql) if due else None)
            if entry is None:
                return not due if self.windows else calls > 0
            calls += 1
            told = re.fullmatch(r"(\w+) (\d+)", entry.arguments[0])
            if entry[:2] != (registration.routine, registration.context) or not told:
                raise Diverges("a call that is not due")
            stage = Stage(told[1] == "start", entry.arguments[1], int(told[2]))
            if not self.windows:
                self.enter(entry, registration, stage)
                continue
            if told[1] != phase or int(told[2]) not in due:
                raise Diverges(f"{entry.arguments[0]} is not due")
            if phase == "start" and stage.status != "STATUS_SUCCESS":
                raise Diverges("an error that no routine has set")
            due.remove(int(told[2]))
            self.enter(entry, registration, stage)
            if phase == "start" and stage.status == "STATUS_SUCCESS":
                started.append(int(told[2]))
            elif phase == "start":
                phase, due = "failure", set(started)

    def do_add_processor(self, statement):
        """[facts]: Start to every routine, then Complete, or Failure if one of them set an error."""
        if self.irql:
            raise Misuse("[facts]: the routines run at PASSIVE_LEVEL")
        stage = Stage(True, number=self.processors)
        hearers = [r for o in self.objects if o.name == PROCESSOR_ADD and o.system for r in o.registered]
        hearers += [r for r in self.changes if r.alive]
        told = self.announce(statement, "start", stage)
        fails = stage.status != "STATUS_SUCCESS" or "fails" in statement.flags
        number = self.processors
        self.processors += not fails
        told |= self.announce(statement, "failure" if fails else "complete", Stage(False, stage.status), number)
        if not all(id(r) in told for r in hearers if r.alive):
            raise Diverges("a routine has not heard of the processor")

    def announce(self, statement, phase, stage, number=None):
        """One stage of a new processor, to each routine once; to those of the object in their order."""
        number = self.processors if number is None else number
        o = next(o for o in self.objects if o.system and o.name == PROCESSOR_ADD)
        self.see.call(statement, self.level)
        first = list(o.registered), [r for r in self.changes if r.alive]
        told = set()
        while True:
            of_object, changes = ([r for r in group if r.alive and id(r) not in told] for group in first)
            late = [r for r in o.registered + self.changes if r.alive and r not in first[0] + first[1]]
            due = of_object[:1] + changes
            entry = self.see.entry(self.level, Entry(due[0].routine, due[0].context, (
                f"{phase} {number}", stage.status), self.irql) if due else None)
            if entry is None:
                break
            may = due + late if self.windows else of_object + changes + o.registered + self.changes
            registration = next((r for r in may if r.alive and (r.routine, r.context) == entry[:2]), None)
            if not registration:
                raise Diverges(f"F{entry.routine} was called, which is not due")
            if self.windows and entry.arguments[0] != f"{phase} {number}":
                raise Diverges(f"{entry.arguments[0]} is not due")
            if self.windows and phase == "start" and entry.arguments[1] != stage.status:
                raise Diverges("the status is not what the routines before have set")
            told.add(id(registration))
            self.enter(entry, registration, stage)
        if self.windows and due:
            raise Diverges(f"F{due[0].routine} was not called")
        self.returned()
        return told

    def do_set_status(self, statement):
        """[facts]: only at a start, and only while no error is set. [script]: of all processors, or one."""
        stage = self.running[-1][1] if self.running else None
        if statement.numbers and not (stage and stage.start and (stage.number,) == statement.numbers):
            return
        if not stage or not stage.start or stage.status != "STATUS_SUCCESS":
            raise Misuse("an error is set where none may be")
        self.see.call(statement, self.level)
        stage.status = statement.level

    def do_deregister_processor_change(self, statement):
        registration = self.bound.get(statement.operand)
        if registration is None:
            raise Misuse("deregister of NULL")
        self.deregister(registration, statement)

    def deregister(self, registration, statement):
        if self.irql:
            raise Misuse("[facts]: at PASSIVE_LEVEL")
        if not registration.alive:
            raise Misuse("a handle is given back once")
        self.see.call(statement, self.level)
        registration.alive = False
        self.returned()

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
                registration = next((r for r in held if r.alive and r.number == int(rest[1])), None)
                if not registration:
                    raise Stopped(f"registration {rest[1]} is given back, which nobody holds")
                (self.unregister if word == "unregister" else self.deregister)(registration, statement)
            else:
                o = next((o for o in self.objects if o.alive and o.number == int(rest[1])), None)
                if o is None or word == "dereference" and not o.references:
                    raise Stopped(f"object {rest[1]} is given back, which nobody holds")
                (self.dereference if word == "dereference" else self.make_temporary)(o, statement)
            self.see = see
        left = self.see.left()
        held = [o for o in self.objects if o.alive and (not o.system or o.references or o.registered)]
        if held or any(r.alive for r in self.changes):
            raise Stopped("something has not been given back")
        if left:
            raise Diverges("[create], remarks: what is deleted leaves nothing behind")


class Quiet:
    """What is given back has been seen as a call already."""

    def __init__(self, see):
        self.see = see

    def call(self, statement, level):
        pass

    def __getattr__(self, name):
        return getattr(self.see, name)


def is_error(status):
    """[create]: an error code. Successes with a word of their own are none."""
    if status is None:
        return False
    if status.startswith("0x"):
        return int(status, 16) >= 0xC0000000
    return status not in ("STATUS_SUCCESS", "STATUS_OBJECT_NAME_EXISTS", "STATUS_PENDING", "STATUS_TIMEOUT")


def failure_code(name):
    """[facts], object manager: the codes seen. None: nothing certain is known of such a name."""
    if not name.startswith("\\"):
        return "STATUS_OBJECT_PATH_SYNTAX_BAD"
    parts = name[1:].split("\\")
    if len(parts) == 2 and parts[0] == "Callback" and parts[1]:
        return "STATUS_OBJECT_NAME_NOT_FOUND"
    return None


# The verdict


Verdict = collections.namedtuple("Verdict", "kind step reason knowledge")


def judge(program, lines, knowledge=({},), windows=False):
    """The verdict on what was seen, from what was known of the implementation's answers before.

    knowledge: the answers that are possible, each a dictionary by question; what is not in it is open."""
    worlds, endings = list(reversed(knowledge)), []
    while worlds:
        answers = worlds.pop()
        trace = Trace(lines)
        world = World(program, trace, answers, windows)
        try:
            world.run()
            endings.append(("conforms", 0, "", trace.at, answers))
        except Ask as question:
            worlds += [{**answers, question.args[0]: answer} for answer in reversed(QUESTIONS[question.args[0]])]
        except (Diverges, Misuse, Stopped) as ending:
            kind = type(ending).__name__.lower()
            endings.append((kind, world.step, str(ending), trace.at, answers))
    for kind in ("conforms", "stopped", "misuse", "diverges"):
        if any(ending[0] == kind for ending in endings):
            break
    last = max((ending for ending in endings if kind != "conforms" or ending[0] == kind), key=lambda e: (e[3], e[0] == kind))
    learned = [ending[4] for ending in endings
               if ending[0] != "diverges" or kind == "diverges" and ending[3] == last[3]]
    return Verdict(kind, last[1], last[2], collapse(learned))


def collapse(knowledge):
    """The same, said shorter: where every answer to a question is possible it is open."""
    known = [dict(items) for items in dict.fromkeys(tuple(sorted(answers.items())) for answers in knowledge)]
    for question, answers in QUESTIONS.items():
        groups = collections.defaultdict(dict)
        for one in known:
            rest = tuple(sorted((q, a) for q, a in one.items() if q != question))
            groups[rest][one.get(question)] = one
        known = []
        for rest, by_answer in groups.items():
            open_ = None in by_answer or len(by_answer) == len(answers)
            known += [dict(rest)] if open_ else list(by_answer.values())
    return known


# Asked of an implementation before it is judged: what these show says which answers it gives.
PROBES = """
a = create "\\Callback\\Probe"
b = open "\\Callback\\Probe"
c = open "\\Callback\\Probe"
---
a = create "\\Callback\\Probe" permanent
make_temporary a
b = open "\\Callback\\Probe"
---
a = create "\\Callback\\Probe"
r = register a F1 0x10
dereference a
---
a = create "\\Callback\\Probe"
r = register a F1 0x10
unregister r
---
a = open "\\Callback\\ProcessorAdd"
---
a = create "\\Callback\\Probe" multiple
r = register a F1 0x10
s = register a F1 0x20
t = register a F1 0x10
""".split("---")


def learn(knowledge, seen, windows=False):
    """What is known after probes (script, trace) were seen. Where one contradicts everything, the answers
    are believed that went well for longest."""
    for script, lines in seen:
        knowledge = judge(parse(script), lines, knowledge, windows).knowledge
    return knowledge
