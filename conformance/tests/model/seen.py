"""What was seen of a script, event by event, and how a world that looks at it ends."""
import collections
import re

from model.script import LEVELS


class Diverges(Exception):
    """The documents, as this world understands them, do not allow what was seen."""


class Misuse(Exception):
    """The script breaks a rule that binds callers: nothing is said of the implementation."""


class Ended(Exception):
    """The run ends where this world would go on: somebody else objected, or it was too long."""


class Stopped(Exception):
    """What was seen does not follow the script."""


Entry = collections.namedtuple("Entry", "routine context arguments irql")
Return = collections.namedtuple("Return", "status handle number failed freed changed")
ABORTS = {"(crashes)", "(hangs)", "(deadlocks)", "(bugchecks)"}


class Trace:
    """What a run has shown: the lines of `cbfuzz run --json --trace`."""

    def __init__(self, lines):
        self.lines = [(len(line) - len(line.lstrip(" ")), line.strip()) for line in lines]
        self.at = 0

    def _peek(self):
        return self.lines[self.at] if self.at < len(self.lines) else (0, None)

    @staticmethod
    def _expect_more(text):
        if text is None or text.startswith("(giving back)"):
            raise Ended("nothing to object to until the run ends")

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
        self._expect_more(text)
        if indent != 4 * level or not re.search(rf"(^|= ){statement.word}\b", text):
            raise Stopped(f"a call was expected, {statement}; seen: {text}")
        self.at += 1

    def aborted(self, how=""):
        text = self._peek()[1]
        return text in ABORTS and (not how or text in how)

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

    def returned(self, level, _expected=None, _freed=None):
        failed = self._next_inner(level, r"\(an allocation failed\)")
        result = self._next_inner(level, r"-> (\w+)(?:, \w+ (\w+))?")
        changed = self._next_inner(level, r"\(the attributes or the name were changed\)")
        freed = self._next_inner(level, r"\(object (\w+) is freed\)")
        number = result[2] if result and result[2] != "0" else None  # 0: more than the trace counts
        status = result[1] if result else None
        return Return(status, status == "handle", number, bool(failed), freed[1] if freed else None, bool(changed))

    def left(self):
        text = self._peek()[1]
        self._expect_more(text)
        if text not in ("(nothing is left)", "(something is left)"):
            raise Stopped(f"the end of the program was expected; seen: {text}")
        self.at += 1
        return text == "(something is left)"


class Imagined:
    """Stands for a run that has not been made: it shows the first thing that the world allows."""

    def __init__(self):
        self.numbers = 0
        self.called = []  # routines
        self.limit = None  # of them: nested notifications multiply

    def call(self, statement, level):
        pass

    def aborted(self, how=""):
        return True

    def entry(self, level, expected):
        if expected:
            self.called.append(expected.routine)
        if self.limit is not None and len(self.called) > self.limit:
            raise Stopped("enough")
        return expected

    def returned(self, level, expected=None, freed=None):
        if expected in ("STATUS_SUCCESS", "handle"):
            self.numbers += 1
            return Return(expected, expected == "handle", str(self.numbers), False, None, False)
        if expected and expected != "NULL" and not expected.startswith("STATUS_"):
            return Return("STATUS_SUCCESS", False, expected, False, None, False)  # this object
        return Return(expected, False, None, False, freed, False)


class Quiet:
    """What is given back has been seen as a call already."""

    def __init__(self, see):
        self.see = see

    def call(self, statement, level):
        pass

    def __getattr__(self, name):
        return getattr(self.see, name)
