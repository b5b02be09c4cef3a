"""Three parties judge random histories: an implementation makes them, and the reference machine and
the model (model.py), which share nothing, must say the same of them.

A disagreement is shown as short as Hypothesis can make it: the script, what each says, what was seen.
The histories are the same every time. By default they are few; EXAMPLES=10000 in the environment makes
them so many on the built-in implementation in each profile, a tenth of that on the other sound ones, a
hundredth on each of the wrong ones: half an hour.
"""
import collections
import contextlib
import copy
import itertools
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

import model
from conftest import CBFUZZ, ROOT, build_impl, run_command
from model import Statement
from test_wrong import each_bug

EXAMPLES = int(os.environ.get("EXAMPLES", 0))
BATCH = 500  # histories: Hypothesis remembers all of a search, and that is half a megabyte for each
# The harness looks for ProcessorAdd at the boot; here it is gone by the time that the model can look.
SEEN_AT_BOOT = {"permanent_lost_on_open"}


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
        self.knowledge = model.learn([{}], zip(model.PROBES, [row["trace"] for row in self.run()]), self.windows)

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
        same = says.kind == machine and (machine == "conforms" or says.step == row["step"])
        cut_short = machine == "conforms" and says.kind == "ended"  # the machine has run out of room
        if not same and not cut_short:
            self.disagreement = script
            raise AssertionError("\n".join([
                f"the judges differ on {self.of}", "", str(script),
                f"the model:    {says.kind} at step {says.step}: {says.reason}",
                f"the machine:  {row['verdict']} at step {row['step']}: {row['clause']}", "", "seen:", *row["trace"]]))
        self.agreed["cut short" if cut_short else machine] += 1
        self.agreed["statements"] += row["statements"]


# Histories


def forms(word, **choices):
    """The statements of this kind, simple ones first: these are the ones to end with."""
    return [Statement(word, **dict(zip(choices, values))) for values in itertools.product(*choices.values())]


NAMES = ["\\Callback\\Demo", "\\Callback\\DEMO", "\\Callback\\Other", model.SYSTEM_TIME, model.POWER_STATE,
         model.PROCESSOR_ADD, "\\callback\\powerstate", "\\callback\\Demo", "\\Callback\\", "Demo", "\\Nowhere\\Demo",
         "\\Demo", "\\Callback", "", None]
NAMES = NAMES[:1] * 12 + NAMES[1:3] * 4 + NAMES[3:6] * 3 + NAMES
FLAGS = [tuple(words.split()) for words in (
    "multiple", "multiple permanent", "multiple case_insensitive", "multiple permanent case_insensitive", "", "permanent",
    "case_insensitive", "multiple openif kernel_handle", "exclusive")]
FLAGS = FLAGS[:4] * 2 + FLAGS
ROUTINES = [1, 2, 3, 4]
CONTEXTS = [(0x10,), (0x20,), (0,), (0xFFFFFFFF00000001,)]
ARGUMENTS = list(itertools.product([1, 2, 0, 0x8000000100000000], repeat=2))
STATEMENTS = [  # how often, of a hundred
    (13, forms("create", name=NAMES, flags=FLAGS)),
    (5, forms("open", name=NAMES, flags=FLAGS)),
    (22, forms("register", routine=ROUTINES, numbers=CONTEXTS)),
    (17, forms("notify", numbers=ARGUMENTS)),
    (8, forms("unregister")),
    (2, forms("reference")),
    (6, forms("dereference")),
    (3, forms("make_temporary")),
    (5, forms("irql", level=["PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL"])),
    (3, forms("set_system_time")),
    (3, forms("power_state", numbers=ARGUMENTS)),
    (3, forms("add_processor", flags=[(), ("fails",)])),
    (4, forms("register_processor_change", routine=ROUTINES, numbers=CONTEXTS, flags=[(), ("add_existing",)])),
    (2, forms("deregister_processor_change")),
    (1, forms("fail_allocation", numbers=[(1,), (2,), (3,), (4,)])),
    (1, forms("set_status", level=["STATUS_UNSUCCESSFUL"], numbers=[(), (1,), (2,)]))]
NOTIFYING = {"notify", "set_system_time", "power_state", "add_processor", "register_processor_change"}
RESULTS = {"create": "o", "open": "o", "register": "r", "register_processor_change": "p"}
OPERANDS = {"register": "o", "notify": "o", "reference": "o", "dereference": "o", "make_temporary": "o",
            "unregister": "r", "deregister_processor_change": "p"}
BEFORE = {  # comes first where there is nothing yet to operate on
    "o": forms("create", name=NAMES, flags=FLAGS)[0], "r": forms("register", routine=ROUTINES, numbers=CONTEXTS)[0],
    "p": forms("register_processor_change", routine=ROUTINES, numbers=CONTEXTS)[0]}

Place = collections.namedtuple("Place", "dare inside back")
PLACES = [Place(*choices) for choices in itertools.product(
    range(24),               # whether it is made even if it is misuse: see History.caution
    [0] * 8 + [1, 1, 2, 3],  # the body of which routine it becomes part of; 0: of none
    range(4))]               # the name that it takes is so far back from the last
kinds = st.sampled_from([st.sampled_from(forms) for share, forms in STATEMENTS for _ in range(share)])
places = st.sampled_from(PLACES)


@st.composite
def steps(draw):
    """A statement and its place, in three choices: when a history is shortened a handful goes at once, not more.
    That this is a function keeps Hypothesis from printing the lists at every step."""
    return draw(draw(kinds)), draw(places)


class History(RuleBasedStateMachine):
    """Writes a script statement by statement, in step with a world of the model that imagines what
    they do, so that little of it is misuse. At its end the script runs and is judged twice."""

    judges = caution = None  # see search

    def __init__(self):
        super().__init__()
        self.script = model.Program([], {})
        answers = {question: answers[0] for question, answers in model.QUESTIONS.items()}
        self.world = model.World(self.script, model.Imagined(), {**answers, **self.judges.knowledge[0]}, self.judges.windows)
        self.names = {"o": [], "r": [], "p": []}  # objects, registrations, registrations of processor changes
        self.misused = False

    @rule(step=steps())
    def add(self, step):
        """Appends a statement to the script or a body."""
        statement, place = step
        statement = copy.copy(statement)
        while OPERANDS.get(statement.word) and not self.names[OPERANDS[statement.word]]:
            statement = copy.copy(BEFORE[OPERANDS[statement.word]])
        if statement.word in OPERANDS:
            statement.operand = self.recent(OPERANDS[statement.word], place.back, bound=not place.inside)
        result = RESULTS.get(statement.word)
        if result:
            statement.result = f"{result}{len(self.names[result]) + 1}"
        if self.misused:
            return
        added = self.add_inside(statement, place.inside) if place.inside else self.add_outside(statement, place.dare >= self.caution)
        if added and result:
            self.names[result].append(statement.result)

    def recent(self, operand, back, bound):
        """A name of this kind, so far back; if there is one that stands for something, such a one."""
        names = self.names[operand]
        names = bound and [name for name in names if self.world.bound.get(name)] or names
        return names[-1 - back % len(names)]

    def add_inside(self, statement, routine):
        """A body holds for the whole script: it does not change any more once it has run. It registers
        routines of higher numbers only: who calls those that are new would never come to an end."""
        body = self.script.bodies.get(routine, [])
        words = [other.word for other in [*body, statement]]
        if routine in self.world.see.called or 0 < statement.routine <= routine or len(words) > 4 or \
                words.count("set_status") > 1 or sum(word in NOTIFYING for word in words) > 1:
            return False
        self.script.bodies[routine] = [*body, statement]
        return True

    def add_outside(self, statement, dare):
        if statement.word == "set_status":
            return False
        world = copy.deepcopy(self.world, {id(self.script): self.script})
        world.see.limit = len(world.see.called) + 60
        try:
            world.statement(statement)
        except model.Misuse:
            self.misused = dare
            if not dare:
                return False
        except model.Stopped:
            return False
        self.world = world
        self.script.statements.append(statement)
        return True

    def teardown(self):
        if self.script.statements:
            self.judges.compare(self.script)


def search(judges, examples, length=30, caution=23):
    """Has so many histories judged. The first that the judges differ on fails, as short as it gets."""
    for start in range(0, examples, BATCH):
        machine = seed(f"{judges.of} {start}")(type("History", (History,), {"judges": judges, "caution": caution}))
        run_state_machine_as_test(machine, settings=settings(
            max_examples=min(BATCH, examples - start), stateful_step_count=length, deadline=None, database=None,
            phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False, verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck)))
    print(f"{judges.of}: agreed on {dict(judges.agreed)}")


@pytest.mark.parametrize("profile", ["documented", "windows"])
def test_builtin(tmp_path, profile):
    judges = Judges(tmp_path, profile=profile)
    search(judges, EXAMPLES or 100)
    assert judges.agreed["diverges"] == 0, "both say so of the built-in implementation"
    assert judges.agreed["conforms"] > judges.agreed["misuse"] > 0, judges.agreed
    assert judges.agreed["conforms"] > 20 * judges.agreed["cut short"], judges.agreed


@pytest.mark.parametrize("source", sorted((ROOT / "conformance/implementations/examples").glob("*.c*")), ids=lambda path: path.stem)
def test_other_readings(tmp_path, source):
    """Sound implementations that understand the documents in other ways."""
    judges = Judges(tmp_path, build_impl(tmp_path / f"{source.stem}.so", source))
    search(judges, EXAMPLES // 10 or 15)
    assert judges.agreed["diverges"] == 0, "both say so of a sound implementation"


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
    if EXAMPLES and bug.name not in SEEN_AT_BOOT:
        search(judges, EXAMPLES // 100)


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
