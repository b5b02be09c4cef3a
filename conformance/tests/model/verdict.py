"""What the worlds say of a run together, and what is known then of the implementation."""
import collections

from model.questions import QUESTIONS, Ask
from model.script import parse
from model.seen import Diverges, Ended, Misuse, Stopped, Trace
from model.world import World

Verdict = collections.namedtuple("Verdict", "kind step reason knowledge")


def judge(program, lines, knowledge=({},), windows=False):
    """The verdict on what was seen, from what was known of the implementation's answers before.

    knowledge: the answers that are possible, each a dictionary by question; what is not in it is open."""
    worlds, endings = [(answers, answers) for answers in reversed(knowledge)], []
    while worlds:
        answers, known = worlds.pop()
        trace = Trace(lines)
        world = World(program, trace, answers, windows, known)
        try:
            world.run()
            endings.append(("conforms", 0, "", trace.at, answers))
        except Ask as question:
            question = question.args[0]
            worlds += [({**answers, question: answer}, known) for answer in reversed(QUESTIONS[question])]
        except (Diverges, Ended, Misuse, Stopped) as ending:
            kind = type(ending).__name__.lower()
            endings.append((kind, world.step, str(ending), trace.at, answers))
    for kind in ("conforms", "ended", "stopped", "misuse", "diverges"):
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
dereference a
---
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
a = create "\\Callback\\Probe" multiple
r = register a F1 0x10
unregister r
b = create "\\Callback\\Another" multiple
---
a = open "\\Callback\\ProcessorAdd"
---
a = create "\\Callback\\Probe" multiple
r = register a F1 0x10
s = register a F1 0x20
t = register a F1 0x10
---
a = open "\\Callback\\Nobody"
r = register a F1 0x10
---
a = open "\\Callback\\Nobody"
routine F1 {
    r = register a F1 0x10
}
unregister r
---
irql APC_LEVEL
a = create "\\Callback\\Probe"
---
a = create "\\Callback\\Probe"
r = register a F1 0x10
routine F1 {
    unregister r
}
notify a 0x1 0x2
""".split("---")


def learn(knowledge, seen, windows=False):
    """What is known after probes (script, trace) were seen. Where one contradicts everything, the answers
    are believed that went well for longest."""
    for script, lines in seen:
        knowledge = judge(parse(script), lines, knowledge, windows).knowledge
    return knowledge
