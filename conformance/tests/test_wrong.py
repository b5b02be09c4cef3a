"""Canaries: every wrong implementation is found by fuzzing alone, with the right clause and a short program."""
import pytest

from conftest import ROOT, read_bugs

BUGS = read_bugs()

# Their only place is between two threads, and threads of a program run one after the other.
NEEDS_SCHEDULES = {"single_check_races", "unregister_does_not_wait"}

# Where fuzzing alone rightly names another clause than the one of the shortest program.
ALSO = {}


def marked(bugs):
    late = pytest.mark.xfail(reason="threads do not interleave", strict=True)
    return [pytest.param(*bug, id=bug[0], marks=late if bug[0] in NEEDS_SCHEDULES else ()) for bug in bugs]


def test_there_are_enough():
    assert len(BUGS) >= 60 and len({bug[0] for bug in BUGS}) == len(BUGS)


def test_every_bug_has_its_program():
    programs = {path.stem for path in (ROOT / "corpus/regression").glob("*.cbs")}
    assert {bug[0] for bug in BUGS} <= programs


@pytest.mark.parametrize("name, clause, profile, statements", marked(BUGS))
def test_found_by_fuzzing(cbfuzz, wrong, tmp_path, name, clause, profile, statements):
    result = cbfuzz("fuzz", "--impl", wrong(name), "--seconds", "10", "--seed", "1", "--profile", profile, "--json",
                    "--artifacts", tmp_path)
    assert result.code == 1, result
    finding = result.json["findings"][0]
    assert finding["clause"] in {clause, *ALSO.get(name, ())}, finding
    assert finding["statements"] <= statements + 6, finding
    cbfuzz("run", "--impl", wrong(name), "--profile", profile, ROOT / finding["file"], code=1)


@pytest.mark.parametrize("name, clause, profile, statements", marked(BUGS))
def test_shown_by_its_program(cbfuzz, wrong, name, clause, profile, statements):
    path = ROOT / f"corpus/regression/{name}.cbs"
    result = cbfuzz("run", "--json", "--impl", wrong(name), path)
    assert result.code == 1, result
    program, = result.json["programs"]
    assert program["clause"] == clause, program


def test_programs_conform_on_the_right_ones(cbfuzz, wrong):
    paths = [ROOT / f"corpus/regression/{name}.cbs" for name, *_ in BUGS]
    cbfuzz("run", *paths, code=0)
    cbfuzz("run", "--impl", wrong("none"), *paths, code=0)
