"""Reads explained.txt: the mutants that nothing can catch, each with the reason.

[kind] begins a section. A reason stands at the left margin, on as many lines as it takes; the mutants
that it speaks of follow, indented: an id, and what it changes for those who read.
"""
import collections
import re

KINDS = ("equivalent",)
Explanation = collections.namedtuple("Explanation", "id kind reason place")


class Wrong(Exception):
    """A line of the file is wrong."""


def read(path, made):
    """All explanations; `made` are the ids of the mutants that there are."""
    found, kind, reason, open_ = {}, None, "", False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path}:{number}"
        heading = re.fullmatch(r"\[(.+)\]", line.strip())
        if not line.strip() or line.startswith("#"):
            continue
        if heading:
            kind, reason, open_ = heading[1], "", False
            if kind not in KINDS:
                raise Wrong(f"{place}: no section [{kind}]; there are [{'] ['.join(KINDS)}]")
        elif kind is None:
            raise Wrong(f"{place}: a section must come first: [{'] or ['.join(KINDS)}]")
        elif not line[0].isspace():
            reason, open_ = (f"{reason} {line}" if open_ else line), True
        else:
            name, open_ = line.split()[0], False
            if not reason:
                raise Wrong(f"{place}: {name} has no reason above it")
            if name in found:
                raise Wrong(f"{place}: {name} stands in {found[name].place} already")
            if name not in made:
                raise Wrong(f"{place}: stale: there is no mutant {name} (any more); see scripts/mutants --list")
            found[name] = Explanation(name, kind, reason, place)
    return list(found.values())
