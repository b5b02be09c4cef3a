"""Each conformance case is a pytest item: pytest conformance -k notify --impl build/impl/mine.so

The cases that are selected are judged by one run of cbfuzz conform, as a gate would, so that what one
shows of a reading holds for the others.
"""
import json
import os
import pathlib
import subprocess
from urllib.parse import unquote_to_bytes

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
CBFUZZ = pathlib.Path(os.environ.get("CBFUZZ", ROOT / "build/cbfuzz")).absolute()
CASES = ROOT / "conformance/cases"


def pytest_addoption(parser):
    group = parser.getgroup("cbfuzz")
    group.addoption("--impl", metavar="PATH", help="the implementation that the cases judge; default: the built-in one")
    group.addoption("--profile", choices=["documented", "windows"], help="as of cbfuzz conform")


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".cbs" and CASES in file_path.parents:
        return CaseFile.from_parent(parent, path=file_path)


class CaseFile(pytest.File):
    def collect(self):
        yield Case.from_parent(self, name=self.path.stem)


class Failed(Exception):
    """A case that does not hold; its text is the finding."""


class Case(pytest.Item):
    def runtest(self):
        row = judge(self.session)[self.path]
        if row["status"] in ("skipped", "not run"):
            pytest.skip(row["reason"] or row["status"])
        if row["status"] != "holds":
            raise Failed(describe(row))

    def repr_failure(self, excinfo):
        return str(excinfo.value) if isinstance(excinfo.value, Failed) else super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, 0, self.name


def judge(session):
    """Each selected case's row in cbfuzz conform's document. The first case to run asks for all."""
    if not hasattr(session, "cbfuzz_rows"):
        files = [str(item.path) for item in session.items if isinstance(item, Case)]
        command = [str(CBFUZZ), "conform", "--json", *files]
        for option in "impl", "profile":
            if session.config.getoption(option):
                command[2:2] = [f"--{option}", session.config.getoption(option)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8")
        rows = json.loads(done.stdout).get("cases") if done.stdout else None
        if not rows:
            pytest.exit(done.stderr.strip() or f"cbfuzz conform ended with {done.returncode}", returncode=3)
        session.cbfuzz_rows = {CASES / os.fsdecode(unquote_to_bytes(row["name"])): row for row in rows}
    return session.cbfuzz_rows


def describe(row):
    if row["verdict"] is None:
        return f"{row['status']}: {row['reason']}"
    text = [f"{row['verdict'].upper()}  {row['clause'] or row['kind']}  {row['text']}",
            f"  case      {row['name']}: {row['intent']}"]
    text += [f"  {key:<9} {row[key]}" for key in ("statement", "expected", "observed", "reason", "note") if row.get(key)]
    if row["clause"]:
        text.append(f"  source    {row['document']}, {row['section']}")
    return "\n".join(text)
