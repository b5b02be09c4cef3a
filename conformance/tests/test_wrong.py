"""Canaries: every wrong implementation is found by fuzzing alone, with the right clause and a short program."""
import pytest

from conftest import ROOT, read_bugs

BUGS = read_bugs()

# Their only place is between two threads, and threads of a program run one after the other.
NEEDS_SCHEDULES = {"single_check_races", "unregister_does_not_wait"}

# What else shows the same wrong: the clause of a system-defined object when it shows there, another
# clause on the way to the one that is broken, or what kind of failure it ends in.
ON_SYSTEM_OBJECT = {"SYSTEM-MULTIPLE", "SYSTEM-TIME", "SYSTEM-POWER", "SYSTEM-PROCESSOR-ADD"}
LEFT_BEHIND = {"DELETE-FREES", "DELETE-PERMANENT"}
GONE_TOO_SOON = {"ObjectOverDereference", "ObjectUseAfterDelete"}
ALSO = {
    "NOTIFY-ALL": {"ROUTINE-TASKS", "PROCESSOR-CHANGE-SIMILAR"},
    "REGISTER-ANY-TIME": {"NOTIFY-ALL"},
    "REGISTER-ERROR": {"NOTIFY-ALL", "REGISTER-SINGLE"} | LEFT_BEHIND,
    "UNREGISTER-OTHERS-STAY": {"NOTIFY-ALL"},
    "NOTIFY-SAME-IRQL": {"IrqlChanged"},
    "NOTIFY-AT-DISPATCH": {"WaitAtDispatch"},
    "NOTIFY-ORDER": {"NOTIFY-ONCE"},
    "CREATE-NEW": {"heap-buffer-overflow"},
    "CREATE-PERMANENT": {"OPEN-SUCCEEDS", "CREATE-OPENS"},
    "OBJECT-ATTRIBUTES": {"CREATE-PERMANENT", "OPEN-SUCCEEDS", "CREATE-OPENS"},
    "OPEN-NEEDS-EXISTING": {"OBJECT-NAMED"},
    "OBJECT-NAMED": {"OPEN-NEEDS-EXISTING", "CREATE-CASE-SENSITIVE"},
    "DELETE-FREES": LEFT_BEHIND,
    "UNREGISTER-REFERENCE": {"DELETE-NOT-BEFORE"} | LEFT_BEHIND | GONE_TOO_SOON,
    "DELETE-NOT-BEFORE": {"UNREGISTER-REFERENCE"} | GONE_TOO_SOON,
    "UNREGISTER-THE-ONE": {"heap-use-after-free"},
    "WINDOWS-REGISTRATION-REFERENCE": {"UNREGISTER-REFERENCE"},
    "WINDOWS-EXISTING-START": {"WINDOWS-EXISTING-COMPLETE"},
    "WINDOWS-CHANGE-REMOVED": LEFT_BEHIND,
}


def names_for(clause):
    system = set() if clause.startswith("WINDOWS-") else ON_SYSTEM_OBJECT
    return {clause} | ALSO.get(clause, set()) | system


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
    assert names_for(clause) & set(finding["signature"].split()), finding
    assert finding["statements"] <= statements + 6, finding
    cbfuzz("run", "--impl", wrong(name), "--profile", profile, ROOT / finding["file"], code=1)


@pytest.mark.parametrize("name, clause, profile, statements", marked(BUGS))
def test_shown_by_its_program(cbfuzz, wrong, name, clause, profile, statements):
    path = ROOT / f"corpus/regression/{name}.cbs"
    result = cbfuzz("run", "--json", "--impl", wrong(name), path)
    assert result.code == 1, result
    program, = result.json["programs"]
    assert names_for(clause) & {program["clause"], program.get("kind")}, program


def test_programs_conform_on_the_right_ones(cbfuzz, wrong):
    paths = [ROOT / f"corpus/regression/{name}.cbs" for name, *_ in BUGS]
    cbfuzz("run", *paths, code=0)
    cbfuzz("run", "--impl", wrong("none"), *paths, code=0)
