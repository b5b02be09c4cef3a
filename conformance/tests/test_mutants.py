"""The engine of `make mutants`: places and ids, what each operator does, explanations, a few mutants from end to end."""
import fnmatch
import json
import re
import shutil
import sys

import pytest

from conftest import ROOT, run_command

sys.path.insert(0, str(ROOT / "conformance"))
from mutants import explained, operators, trial  # noqa: E402
from mutants.source import Source  # noqa: E402

SAMPLE = r"""
#define FLAG 4
#define LAST 'abcd'
#define TWICE(a, b) ((a) + (a) + (b))
#define Lock(p) (*(p) = 1)
typedef int NTSTATUS;
typedef unsigned char BOOLEAN;
#define STATUS_SUCCESS ((NTSTATUS)0)
#define NULL ((void *)0)
#define TRUE 1
enum { Red, Green };
struct pair { int one, two; char name; };
int ReleaseLock(int *p), ObDereference(int *p), paint(int colour, int flags);

static int table[] = {7, 8};

BOOLEAN check(struct pair *p, int limit) { /* if (limit) in a comment */
    const char *text = "if (limit)";
    int spare = sizeof(struct pair);

    if (p->one < limit && !spare) {
        return TRUE;
    }
    for (int i = 0; i < limit; i++) {
        p->one = table[i];
        break;
    }
    return text[0] == 'x';
}

NTSTATUS work(int *p, int *q) {
    Lock(p);
    ReleaseLock(q);
    ObDereference(p);
    paint(Green, FLAG | 2);
    *q = TWICE(*p, FLAG);
    return STATUS_SUCCESS;
}

int *find(int *p) {
    return p;
}
"""

# Operator: what it must make of the sample, as (text before, text after), all of it.
EDITS = {
    "negate-condition": {("p->one < limit && !spare", "!(p->one < limit && !spare)"), ("p->one < limit", "!(p->one < limit)"),
                         ("!spare", "!(!spare)"), ("i < limit", "!(i < limit)")},
    "drop-operand": {("p->one < limit && !spare", "p->one < limit"), ("p->one < limit && !spare", "!spare")},
    "replace-operator": {("<", "<="), ("<", ">"), ("&&", "||"), ("==", "!="), ("++", "--"), ("|", "&")},
    "off-by-one": {("sizeof(struct pair)", "(sizeof(struct pair) - 1)"),
                   *((value, f"({value} {change} 1)") for change in "+-"
                     for value in ("p->one", "limit", "i", "table[i]", "text[0]", "FLAG | 2"))},
    "change-constant": {("7", "0"), ("7", "8"), ("8", "0"), ("8", "9"), ("0", "1"), ('"if (limit)"', '"if (limit"'),
                        ("TRUE", "FALSE"), ("Green", "!Green"), ("FLAG", "!FLAG"),
                        ("2", "0"), ("2", "3"), ("STATUS_SUCCESS", "!STATUS_SUCCESS")},
    "remove-reference-call": {("ObDereference(p);", ";")},
    "remove-lock-call": {("Lock(p);", ";"), ("ReleaseLock(q);", ";")},
    "remove-call": {("paint(Green, FLAG | 2);", ";")},
    "remove-statement": {("if (p->one < limit && !spare) { return TRUE; }", ";"), ("return TRUE;", ";"),
                         ("for (int i = 0; i < limit; i++) { p->one = table[i]; break; }", ";"),
                         ("p->one = table[i];", ";"), ("break;", ";"), ("*q = TWICE(*p, FLAG);", ";")},
    "swap-arguments": {("Green, FLAG | 2", "FLAG | 2, Green"), ("*p, FLAG", "FLAG, *p")},
    "change-return": {("TRUE", "FALSE"), ("text[0] == 'x'", "TRUE"), ("text[0] == 'x'", "FALSE"),
                      ("STATUS_SUCCESS", "STATUS_UNSUCCESSFUL"), ("p", "NULL")},
    "replace-variable": {("limit", "spare"), ("limit", "i"), ("spare", "limit"), ("i", "limit"), ("i", "spare"), ("p", "q"), ("q", "p")},
    "replace-member": {("one", "two")},
}


@pytest.fixture
def mutate(tmp_path):
    """All mutants of a text, and its source."""

    def call(text):
        path = tmp_path / "sample.c"
        path.write_text(text)
        source = Source(path)
        return source, operators.mutants(source)

    return call


@pytest.fixture(scope="module")
def builtin():
    sources = [Source(path, includes=[ROOT / "cbfuzz/nt/include"]) for path in sorted((ROOT / "cbfuzz/callback").glob("*.c"))]
    return [(source, mutant) for source in sources for mutant in operators.mutants(source)]


def short(text):
    return " ".join(text.split())


def mutants(*arguments, **more):
    return run_command(ROOT / "scripts/mutants", *arguments, timeout=300, **more)


def test_every_operator_is_in_the_sample():
    assert EDITS.keys() == operators.OPERATORS.keys()


@pytest.mark.parametrize("name", EDITS)
def test_an_operator_makes_the_edits_that_it_says(mutate, name):
    _, made = mutate(SAMPLE)
    assert {(short(each.before), short(each.after)) for each in made if each.operator == name} == EDITS[name]


def test_a_mutant_is_one_edit_at_its_place(mutate):
    source, made = mutate(SAMPLE)
    lines = SAMPLE.splitlines()
    for each in made:
        changed = operators.apply(source, each).decode()
        assert changed == SAMPLE[:each.begin] + each.after + SAMPLE[each.end:] != SAMPLE
        assert lines[each.line - 1][each.column - 1:].startswith(each.before.splitlines()[0])
    assert not any("comment" in lines[each.line - 1][:each.column] for each in made)


def test_ids_are_unique(builtin):
    ids = [mutant.id for _, mutant in builtin]
    assert len(ids) == len(set(ids)) > 400
    assert len({mutant.operator for _, mutant in builtin}) == len(operators.OPERATORS)


def test_ids_stay_when_something_else_changes(mutate):
    _, made = mutate(SAMPLE)
    later = SAMPLE.replace("    ReleaseLock(q);\n", "    paint(Red, 9);\n\n    ReleaseLock(q); /* now */\n").replace(
        "struct pair { int one, two;", "struct pair { int zero; int one, two;").replace("    if (p->one", "    if  (p->one")
    _, then = mutate(later)
    here, there = {each.id for each in made}, {each.id for each in then}
    assert here < there
    assert all("paint" in short(each.before) or "9" in each.before or "zero" in each.after or "Red" in each.before
               for each in then if each.id in there - here)


def test_an_id_goes_with_its_statement(mutate):
    _, made = mutate(SAMPLE)
    _, then = mutate(SAMPLE.replace("p->one < limit", "p->two < limit"))
    conditions = {each.id for each in made if each.operator == "drop-operand"}
    assert conditions and not conditions & {each.id for each in then}


@pytest.mark.parametrize("text, complaint", [
    ("[equivalent]\nreason\n  gone.remove-call.123456\n", ":3: stale: there is no mutant gone.remove-call.123456"),
    ("[equivalent]\nreason\n  A\n\nother\n  A\n", ":6: A stands in .*:3 already"),
    ("[equivalent]\n  A\n", ":2: A has no reason"),
    ("reason\n  A\n", ":1: a section must come first"),
    ("[no matter]\n", r":1: no section \[no matter\]"),
])
def test_a_wrong_line_of_the_explanations_is_located(tmp_path, text, complaint):
    path = tmp_path / "explained.txt"
    path.write_text(text)
    with pytest.raises(explained.Wrong, match=complaint):
        explained.read(path, {"A", "B"})


def test_a_reason_holds_for_all_below_it(tmp_path):
    path = tmp_path / "explained.txt"
    path.write_text("# note\n[equivalent]\nlong\nreason\n  A  x -> y\n  B\nother\n  C\n")
    found = {each.id: (each.kind, each.reason) for each in explained.read(path, {"A", "B", "C"})}
    assert found == {"A": ("equivalent", "long reason"), "B": ("equivalent", "long reason"), "C": ("equivalent", "other")}


@pytest.fixture(scope="module")
def laboratory(builtin, tmp_path_factory):
    sources = list({source.path: source for source, _ in builtin}.values())
    return trial.Laboratory(ROOT, sources, shutil.which("clang"), ROOT / "build/cbfuzz", tmp_path_factory.mktemp("mutants"))


PROGRAMS = trial.Programs(ROOT)
# (what is changed, as operator, before, after; what becomes of it)
FATES = [
    ("remove-call", "CallpEnter(Walk, Next);", ";", "cases"),  # the notification never ends
    ("remove-call", "ExFreePoolWithTag(Registration, TAG_REGISTRATION);", ";", "cases"),
    ("swap-arguments", "Argument1, Argument2", "Argument2, Argument1", "cases"),
    ("replace-operator", "--", "++", "threads"),
    ("change-constant", "IO_NO_INCREMENT", "!IO_NO_INCREMENT", "survived"),
    ("swap-arguments", "KernelMode, FALSE", "FALSE, KernelMode", "same code"),
    ("swap-arguments", "0, NULL", "NULL, 0", "does not compile"),
    ("swap-arguments", "Entry, CALLBACK_REGISTRATION", "CALLBACK_REGISTRATION, Entry", "does not compile"),
]


@pytest.mark.parametrize("name, before, after, status", FATES)
def test_what_becomes_of_a_mutant(builtin, laboratory, name, before, after, status):
    chosen = [(source, each) for source, each in builtin
              if (each.operator, short(each.before), each.after) == (name, before, after)]
    assert chosen
    source = chosen[0][0]
    code = laboratory.code(*chosen[0])
    assert (status == "does not compile") == (code is None)
    assert (status == "same code") == (code == laboratory.codes[source.path])
    if status in ("cases", "threads", "survived"):
        result = trial.try_one(laboratory, *chosen[0], PROGRAMS, 1)
        assert result["status"] == status, result
        assert (status == "cases") == bool(result.get("caught_by"))


def test_the_source_as_it_is_survives(laboratory):
    plugin = laboratory.unchanged()
    assert laboratory.run(plugin, ["corpus/seed", "corpus/regression"]) == {}
    assert laboratory.threads(plugin) is None
    assert all(laboratory.conform(plugin, profile) == {} for profile in trial.PROFILES)
    assert all(laboratory.fuzz(plugin, profile, 1) is None for profile in trial.PROFILES)


def test_flags_are_those_of_build_impl():
    text = (ROOT / "scripts/build-impl").read_text()
    for flag in trial.INSTRUMENTED:
        assert flag in text or flag.startswith("-W") or flag == "-g0", flag


def test_list(builtin):
    listed = mutants("--list", "--only", "CallListRemove.*")
    assert listed.code == 0
    ids = [line.split()[0] for line in listed.lines]
    assert ids == fnmatch.filter([mutant.id for _, mutant in builtin], "CallListRemove.*")
    assert all(re.search(r"  calllist\.c:\d+:\d+  .* -> ", line) for line in listed.lines)


def test_operators_are_listed():
    assert [line.split()[0] for line in mutants("--operators").lines] == list(operators.OPERATORS)


@pytest.mark.parametrize("arguments, complaint", [
    (["--only", "nobody.*"], "nobody"), (["--jobs", "0"], "--jobs"), (["--seconds", "none"], "--seconds"), (["--none"], "--none"),
])
def test_wrong_requests(arguments, complaint):
    result = mutants(*arguments)
    assert result.code == 2 and complaint in result.err, result


@pytest.fixture
def results():
    """Where the results of a run are; those of the last full one are put back."""
    path = ROOT / "build/mutants.json"
    before = path.read_bytes() if path.exists() else None
    yield path
    if before is not None:
        path.write_bytes(before)


def test_one_function_from_end_to_end(builtin, results):
    result = mutants("--only", "CallpEndCall.remove-*", "--seconds", "1")
    document = json.loads(results.read_text())
    assert result.code == 0, result
    assert [each["id"] for each in document["mutants"]] == [
        mutant.id for _, mutant in builtin if fnmatch.fnmatchcase(mutant.id, "CallpEndCall.remove-*")]
    counted = [each["counted_as"] for each in document["mutants"]]
    assert set(counted) == {"cases", "threads"}
    assert result.lines[-1].startswith(
        f"mutants: {len(counted)} made, {len(counted)} killed ({counted.count('cases')} by cases, 0 by corpus, "
        f"{counted.count('threads')} by threads, 0 by fuzz), 0 equivalent, 0 survived: 100.0 % killed")


def test_what_is_caught_needs_no_explanation(builtin, results, tmp_path):
    caught = next(mutant.id for _, mutant in builtin if mutant.id.startswith("CallpEnter.remove-statement"))
    path = tmp_path / "explained.txt"
    path.write_text(f"[equivalent]\n\nNobody sees it.\n  {caught}\n")
    result = mutants("--only", caught, "--explained", path)
    assert result.code == 2 and f"{path}:4: stale: {caught}: cases" in result.err, result


def test_a_survivor_is_listed(builtin, results, tmp_path):
    survivor = next(mutant.id for _, mutant in builtin if mutant.before == "IO_NO_INCREMENT")
    path = tmp_path / "explained.txt"
    path.write_text("")
    result = mutants("--only", survivor, "--explained", path, "--seconds", "1")
    assert result.code == 1 and any(line.startswith(f"SURVIVED  {survivor}") for line in result.lines), result
    assert "1 survived: 0.0 % killed" in result.lines[-1]
