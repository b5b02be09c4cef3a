"""What the model reads of a script; it prints what it reads."""
import dataclasses
import re
from typing import Optional

LEVELS = {"PASSIVE_LEVEL": 0, "APC_LEVEL": 1, "DISPATCH_LEVEL": 2}
WITH_OPERAND = {"register", "notify", "unregister", "reference", "dereference", "make_temporary",
                "deregister_processor_change"}
OTHERS = {"create", "open", "irql", "set_system_time", "power_state", "add_processor", "register_processor_change",
          "set_status", "fail_allocation"}


class Unknown(Exception):
    """The script is about something that this model does not know."""


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
        words += [self.level] if self.level else []
        words += [str(n) if self.word in ("fail_allocation", "set_status") else f"{n:#x}" for n in self.numbers]
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
    if word not in WITH_OPERAND | OTHERS:
        raise Unknown(f"there is a statement {word} in it")
    statement = Statement(word, result, text=text)
    if word in ("create", "open"):
        statement.name = None if rest[0] == "unnamed" else _unquote(rest[0])
        statement.flags = tuple(rest[1:])
        return statement
    if word in WITH_OPERAND:
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
        if not line or word == "clause":
            continue
        if word == "reading":
            raise Unknown("it takes a reading of the machine as given")
        if word == "profile":
            program.windows = line.split()[1] == "windows"
        elif word == "thread":
            raise Unknown("it has threads")
        elif word == "routine":
            into = program.bodies.setdefault(int(re.search(r"F(\d+)", line)[1]), [])
        elif line == "}":
            into = program.statements
        else:
            into.append(parse_statement(line))
    return program
