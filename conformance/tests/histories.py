"""Random histories for two judges: scripts that Hypothesis makes statement by statement, and shortens."""
import collections
import copy
import itertools

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

import model
from model import Statement

BATCH = 500  # histories of one search: what Hypothesis remembers grows with them


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
BEFORE = {"o": "create", "r": "register", "p": "register_processor_change"}  # where there is none to operate on
SIMPLEST = {forms[0].word: forms[0] for share, forms in STATEMENTS}

Place = collections.namedtuple("Place", "dare inside back")
PLACES = [Place(*choices) for choices in itertools.product(
    range(24),               # whether it is made even if it is misuse: see History.caution
    [0] * 8 + [1, 1, 2, 3],  # the body of which routine it becomes part of; 0: of none
    range(4))]               # the name that it takes is so far back from the last
kinds = st.sampled_from([st.sampled_from(forms) for share, forms in STATEMENTS for _ in range(share)])
places = st.sampled_from(PLACES)


@st.composite
def steps(draw):
    """A statement and its place, in three choices: a handful can go at once when a history gets shorter.
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
        answers.update(self.judges.knowledge[0])
        self.world = model.World(self.script, model.Imagined(), answers, self.judges.windows)
        self.names = {"o": [], "r": [], "p": []}  # objects, registrations, registrations of processor changes
        self.misused = False

    @rule(step=steps())
    def add(self, step):
        """Appends a statement to the script or a body."""
        statement, place = step
        statement = copy.copy(statement)
        while OPERANDS.get(statement.word) and not self.names[OPERANDS[statement.word]]:
            statement = copy.copy(SIMPLEST[BEFORE[OPERANDS[statement.word]]])
        if statement.word in OPERANDS:
            statement.operand = self.recent(OPERANDS[statement.word], place.back, bound=not place.inside)
        result = RESULTS.get(statement.word)
        if result:
            statement.result = f"{result}{len(self.names[result]) + 1}"
        if self.misused:
            return
        if place.inside:
            added = self.add_inside(statement, place.inside)
        else:
            added = self.add_outside(statement, dare=place.dare >= self.caution)
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
    """Has so many histories judged, the same every time. Where the judges differ the search ends with what
    `judges.compare` raises on the shortest history."""
    for start in range(0, examples, BATCH):
        machine = type("History", (History,), {"judges": judges, "caution": caution})
        seed(f"{judges.of} {start}")(machine)
        run_state_machine_as_test(machine, settings=settings(
            max_examples=min(BATCH, examples - start), stateful_step_count=length, deadline=None, database=None,
            phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False, verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck)))
