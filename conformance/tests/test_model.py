"""Three parties judge random histories: an implementation makes them, and the reference machine and
the model (model/), which share nothing, must say the same of them.

A disagreement is shown as short as Hypothesis can make it: the script, what each says, what was seen.
The histories are the same every time. By default they are few; EXAMPLES=10000 in the environment makes
them so many on the built-in implementation in each profile, a tenth of that on the other sound ones, a
hundredth on each of the wrong ones: half an hour.
"""
import collections
import contextlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest

import model
from conftest import CBFUZZ, ROOT, build_impl, run_command
from histories import search
from test_wrong import each_bug

EXAMPLES = int(os.environ.get("EXAMPLES", 0))


class Judges:
    """An implementation in a profile, and the two who judge it. Both have seen the model's probes first,
    and so know the same of its readings. Counts on what they agreed."""

    def __init__(self, folder, implementation="builtin", profile="documented", program=CBFUZZ):
        self.command = [program, "run", "--json", "--trace", "--impl", implementation, "--profile", profile]
        self.of = f"{pathlib.Path(implementation).stem} ({profile})"
        self.windows = profile == "windows"
        for number, probe in enumerate(model.PROBES):
            self.command.append(folder / f"probe{number}.cbs")
            self.command[-1].write_text(probe)
        self.folder = folder
        self.agreed = collections.Counter()
        self.disagreement = None
        rows = self.run()
        self.taught = all(row["verdict"] in ("conforms", "misuse") for row in rows)
        self.knowledge = model.learn([{}], zip(model.PROBES, [row["trace"] for row in rows]), self.windows)

    def __str__(self):
        return f"{self.of}: agreed on {dict(self.agreed)}"

    def run(self, *paths):
        """What the machine says of the probes and these scripts, and what was seen of each."""
        done = subprocess.run([*self.command, *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, timeout=60)
        assert done.returncode in (0, 1), done.stderr.decode()
        return json.loads(done.stdout)["programs"]

    def compare(self, *scripts):
        """Do they say the same of these scripts, one after the other, and of the same step?"""
        paths = [self.folder / f"script{number}.cbs" for number in range(len(scripts))]
        for path, script in zip(paths, scripts):
            path.write_text(str(script))
        for script, row in zip(scripts, self.run(*paths)[len(model.PROBES):]):
            self.compare_one(script, row)

    def compare_one(self, script, row):
        machine = row["verdict"] if row["verdict"] in ("conforms", "misuse") else "diverges"
        says = model.judge(script, row["trace"], self.knowledge, self.windows)
        # Nobody promises at which step a program's own mistake is noticed.
        same = says.kind == machine and (machine != "diverges" or says.step == row["step"])
        # The run was too long, or the machine has run out of room: then the trace has no end.
        cut_short = machine == "conforms" and says.kind in ("ended", "stopped") and not row["trace"][-1].endswith("is left)")
        if not same and not cut_short:
            self.disagreement = script
            raise AssertionError("\n".join([
                f"the judges differ on {self.of}", "", str(script),
                f"the model:    {says.kind} at step {says.step}: {says.reason}",
                f"the machine:  {row['verdict']} at step {row['step']}: {row['clause']}", "", "seen:", *row["trace"]]))
        self.agreed["cut short" if cut_short else machine] += 1
        self.agreed["statements"] += row["statements"]


@pytest.mark.parametrize("profile", ["documented", "windows"])
def test_builtin(tmp_path, profile):
    judges = Judges(tmp_path, profile=profile)
    search(judges, EXAMPLES or 100)
    print(judges)
    assert judges.agreed["diverges"] == 0
    assert judges.agreed["conforms"] > judges.agreed["misuse"] > 0
    assert judges.agreed["conforms"] > 20 * judges.agreed["cut short"]


@pytest.mark.parametrize("source", sorted((ROOT / "conformance/implementations/examples").glob("*.c*")), ids=lambda path: path.stem)
def test_other_readings(tmp_path, source):
    """Sound implementations that understand the documents in other ways."""
    judges = Judges(tmp_path, build_impl(tmp_path / f"{source.stem}.so", source))
    search(judges, EXAMPLES // 10 or 15)
    print(judges)
    assert judges.agreed["diverges"] == 0


@pytest.mark.parametrize("profile", ["documented", "windows"])
def test_cases(tmp_path, profile):
    """What people have written down: the corpus, and the conformance cases."""
    scripts = []
    for path in sorted([*(ROOT / "corpus").rglob("*.cbs"), *(ROOT / "conformance/cases").rglob("*.cbs")]):
        with contextlib.suppress(model.Unknown):
            scripts.append(model.parse(path.read_text()))
    judges = Judges(tmp_path, profile=profile)
    judges.compare(*(script for script in scripts if script.windows == judges.windows))
    assert judges.agreed["conforms"] > 50


@each_bug()
def test_wrong_implementations(tmp_path, wrong, bug):
    """Where one judge sees a bug the other sees it, at the same step: on the program that shows it."""
    try:
        script = model.parse((ROOT / f"corpus/regression/{bug.name}.cbs").read_text())
    except model.Unknown as reason:
        pytest.skip(str(reason))
    judges = Judges(tmp_path, wrong(bug.name), bug.profile)
    judges.compare(script)
    assert judges.agreed["diverges"] == 1
    # Where the bug shows in the probes already, the two have learned different things.
    if EXAMPLES and judges.taught:
        search(judges, EXAMPLES // 100)
        print(judges)


# Broken on purpose: (the file, what is in it once, what takes its place, on which implementation it shows).
BROKEN = {
    "CREATE-CASE-SENSITIVE": ("names.c", "if (!case_insensitive) return MATCH_NO;",
                              "if (!case_insensitive && fold(x) != fold(y)) return MATCH_NO;", "builtin"),
    "NOTIFY-SYSTEM-OBJECT": ("notifications.c", "if (object->system) return PERMIT_MISUSE;", "", "builtin"),
    "NOTIFY-ARGUMENT1": ("notifications.c", "return seen->kind == SPEC_NUMBER && seen->number == frame->call.argument[which];",
                         "return seen->kind == SPEC_NUMBER;", "arguments_swapped"),
}


@pytest.mark.parametrize("clause", BROKEN)
def test_broken_clause_is_found(tmp_path, wrong, clause):
    """A machine with a wrong clause: the judges differ, and the history that shows it is short."""
    file, text, instead, implementation = BROKEN[clause]
    tree = tmp_path / "tree"
    for folder in "cbfuzz", "spec", "build/obj":
        shutil.copytree(ROOT / folder, tree / folder)
    shutil.copy2(ROOT / "Makefile", tree)
    source = tree / "spec" / file
    assert source.read_text().count(text) == 1, f"{file} has changed: break {clause} in another way"
    source.write_text(source.read_text().replace(text, instead))
    made = run_command("make", "-C", tree, "build/cbfuzz", timeout=300)  # two seconds, where build/ is up to date
    assert made.code == 0, made
    judges = Judges(tmp_path, "builtin" if implementation == "builtin" else wrong(implementation), program=tree / "build/cbfuzz")
    with pytest.raises(AssertionError, match="^the judges differ ") as difference:
        search(judges, 3000, length=8, caution=12)  # short ones to begin with, for it takes its time to shorten them
    shown = judges.disagreement
    assert len(shown.statements) + sum(map(len, shown.bodies.values())) <= 4, str(shown)
    print(f"{clause} broken: {difference.value}")
