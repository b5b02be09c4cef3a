"""What the suites share: running cbfuzz with a limit of time, and building implementations."""
import json
import os
import pathlib
import re
import subprocess
import typing

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CBFUZZ = pathlib.Path(os.environ.get("CBFUZZ", ROOT / "build/cbfuzz")).absolute()
LIMIT = 60  # seconds; a command that takes longer is stuck
ESCAPE = b"\x1b"


class Result:
    """What a command did. Its output must be UTF-8; `text` is both streams."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.raw_out, self.raw_err = command, code, out, err
        self.out, self.err = out.decode("utf-8"), err.decode("utf-8")
        self.text = self.out + self.err

    def __repr__(self):
        shown = self.out if len(self.out) < 4000 else self.out[:2000] + "\n[...]\n" + self.out[-2000:]
        return f"{' '.join(map(str, self.command))}\nexit {self.code}\n--- out\n{shown}\n--- err\n{self.err[-3000:]}"

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def json(self):
        """The one document on standard output."""
        return json.loads(self.out)


def run_command(*command, input=None, timeout=LIMIT, env=None, cwd=ROOT, check_code=True, **more):
    if isinstance(input, str):
        input = input.encode("utf-8")
    if input is None and "stdin" not in more:
        more["stdin"] = subprocess.DEVNULL
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    done = subprocess.run([str(word) for word in command], input=input, timeout=timeout, cwd=cwd,
                          env={**clean, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    result = Result(command, done.returncode, done.stdout, done.stderr)
    assert not check_code or result.code in (0, 1, 2, 3, 130, 143), result
    return result


def pytest_sessionstart(session):
    if not CBFUZZ.exists():
        pytest.exit(f"{CBFUZZ} is missing: run make first, or set CBFUZZ", returncode=3)


@pytest.fixture(scope="session")
def cbfuzz():
    """Runs cbfuzz: cbfuzz("run", path, code=0) checks the exit code as well."""

    def call(*arguments, code=None, **more):
        result = run_command(CBFUZZ, *arguments, **more)
        if code is not None:
            assert result.code == code, result
        return result

    call.path = CBFUZZ
    return call


@pytest.fixture
def script(tmp_path):
    """Writes a script and returns its path."""

    def write(text, name="script.cbs"):
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture(scope="session")
def wrong():
    """The path of a wrong implementation, built if it is not there."""

    def path(name):
        shared = ROOT / f"build/impl/wrong/{name}.so"
        if not shared.exists():
            run_command("make", "-s", shared.relative_to(ROOT), timeout=300)
        assert shared.exists(), f"make {shared} built nothing"
        return shared

    return path


def build_impl(out, *sources, flags=()):
    built = run_command(ROOT / "scripts/build-impl", "-o", out, *sources, "--", *flags, timeout=300)
    assert built.code == 0, built
    return out


@pytest.fixture(scope="session")
def insert_head(tmp_path_factory):
    """The built-in implementation with the one change that reverses its lists."""
    folder = tmp_path_factory.mktemp("insert_head")
    changed = 0
    for source in (ROOT / "cbfuzz/callback").glob("*.[ch]"):
        text = source.read_text()
        changed += text.count("InsertTailList(")
        (folder / source.name).write_text(text.replace("InsertTailList(", "InsertHeadList("))
    assert changed
    return build_impl(folder / "insert_head.so", *sorted(folder.glob("*.c")))


DEMO = """\
# Two routines of one object run in the order of their registration.
clause NOTIFY-ORDER

a  = create "\\Callback\\Demo" multiple          -> STATUS_SUCCESS
r1 = register a F1 0x10
r2 = register a F2 0x20                        -> handle
notify a 0x1 0x2                               -> F1(0x10, 0x1, 0x2) F2(0x20, 0x1, 0x2)
unregister r1
notify a 0x3 0x4                               -> F2(0x20, 0x3, 0x4)
unregister r2
dereference a
"""
# Four statements that show the order, as a finding's program would.
ORDER = "\n".join(['a = create "\\Callback\\Demo" multiple', "r1 = register a F1 0x10",
                   "r2 = register a F2 0x20", "notify a 0x1 0x2", ""])


class Bug(typing.NamedTuple):
    """A row of bugs.def."""
    name: str
    clause: str
    profile: str
    statements: int
    also: frozenset

    @property
    def clauses(self):
        return {self.clause} | self.also


def read_bugs():
    text = (ROOT / "conformance/implementations/wrong/bugs.def").read_text()
    rows = re.findall(r'^WRONG\((\w+), ([A-Z0-9-]+), (\w+), (\d+), "([A-Z0-9 -]*)", "', text, re.M)
    assert len(rows) == len(re.findall(r"^WRONG\(", text, re.M)), "a row that this cannot read"
    return [Bug(name, clause, profile, int(statements), frozenset(also.split()))
            for name, clause, profile, statements, also in rows]
