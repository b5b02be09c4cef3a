"""Canaries: every wrong implementation is found by fuzzing alone, with the right clause and a short program."""
import pytest

from conftest import ROOT, read_bugs

BUGS = read_bugs()

# Their only place is between two threads, and threads of a program run one after the other.
NEEDS_SCHEDULES = {"single_check_races", "unregister_does_not_wait"}


def each_bug():
    late = pytest.mark.xfail(reason="threads do not interleave", strict=True)
    return pytest.mark.parametrize(
        "bug", [pytest.param(bug, id=bug.name, marks=late if bug.name in NEEDS_SCHEDULES else ()) for bug in BUGS])


def test_there_are_enough():
    assert len(BUGS) >= 60 and len({bug.name for bug in BUGS}) == len(BUGS)


def test_clauses_are_of_the_register(cbfuzz):
    register = {clause["id"] for clause in cbfuzz("clauses", "--json").json["clauses"]}
    for bug in BUGS:
        assert bug.clauses <= register and bug.clause not in bug.also, bug


def test_every_bug_has_its_program():
    programs = {path.stem for path in (ROOT / "corpus/regression").glob("*.cbs")}
    assert {bug.name for bug in BUGS} <= programs


@each_bug()
def test_found_by_fuzzing(cbfuzz, wrong, tmp_path, bug):
    result = cbfuzz("fuzz", "--impl", wrong(bug.name), "--seconds", "10", "--seed", "1", "--profile", bug.profile,
                    "--json", "--artifacts", tmp_path)
    assert result.code == 1, result
    finding = result.json["findings"][0]
    assert finding["clause"] in bug.clauses, finding
    assert finding["statements"] <= bug.statements + 6, finding
    cbfuzz("run", "--impl", wrong(bug.name), "--profile", bug.profile, ROOT / finding["file"], code=1)


@each_bug()
def test_shown_by_its_program(cbfuzz, wrong, bug):
    path = ROOT / f"corpus/regression/{bug.name}.cbs"
    result = cbfuzz("run", "--json", "--impl", wrong(bug.name), path)
    assert result.code == 1, result
    program, = result.json["programs"]
    assert program["clause"] in bug.clauses, program


def test_programs_conform_on_the_right_ones(cbfuzz, wrong):
    paths = [ROOT / f"corpus/regression/{bug.name}.cbs" for bug in BUGS]
    cbfuzz("run", *paths, code=0)
    cbfuzz("run", "--impl", wrong("none"), *paths, code=0)
