"""The gate: which cases run, what becomes of them, exit codes, baselines, interrupts."""
import json
import re
import shutil
import signal
import subprocess
import time

import pytest

from conftest import CBFUZZ, DEMO, LIMIT, ROOT, build_impl

LAST = re.compile(r"cbfuzz conform: \d+ cases, \d+ hold, \d+ fail, \d+ known, \d+ skipped, \d+ wrong, "
                  r"\d+ of \d+ clauses, \d+\.\d s(, \d+ stale(?: \(\d+ gone\))?)?"
                  r"(?:, (\d+) not run)?(, interrupted)?")
CREATE = 'a = create "\\Callback\\Demo" multiple\n'
ALONE = f"# One routine is called.\nclause NOTIFY-ALL\n{CREATE}r = register a F1 0x10\nnotify a 1 2 -> F1(0x10, 0x1, 0x2)\n"
MISUSED = '# A driver does not notify PowerState.\nclause NOTIFY-SYSTEM-OBJECT\np = open "\\Callback\\PowerState"\nnotify p 1 2\n'
WINDOWS = ('# A temporary object has no name.\nclause WINDOWS-TEMPORARY-NAME\nprofile windows\n' + CREATE
           + 'b = open "\\Callback\\Demo" -> STATUS_OBJECT_NAME_NOT_FOUND\n')
ORDER, SINGLE, MISUSE = "notify/order.cbs", "notify/single.cbs", "misuse/notify_power.cbs"


class Place:
    """A folder with cases of its own in conformance/cases, where cbfuzz is run."""

    def __init__(self, cbfuzz, folder):
        self.cbfuzz, self.folder = cbfuzz, folder
        self.cases = folder / "conformance/cases"

    def case(self, name, text):
        path = self.cases / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def run(self, *arguments, **more):
        result = self.cbfuzz("conform", *arguments, cwd=self.folder, **more)
        if result.code in (0, 1, 130) and "--json" not in arguments and "--list" not in arguments:
            assert LAST.fullmatch(result.lines[-1]), result
        return result

    def statuses(self, *arguments, **more):
        rows = self.run("--json", *arguments, **more).json["cases"]
        return {row["name"]: row["status"] for row in rows}


@pytest.fixture
def place(cbfuzz, tmp_path):
    made = Place(cbfuzz, tmp_path)
    made.case(ORDER, DEMO)
    made.case(SINGLE, ALONE)
    made.case(MISUSE, MISUSED)
    return made


# The suite of the project


def test_the_suite_holds(cbfuzz):
    result = cbfuzz("conform", cwd=ROOT, code=0)
    assert LAST.fullmatch(result.lines[-1]) and result.out.startswith("topic "), result


@pytest.mark.parametrize("profile", ["documented", "windows"])
def test_the_suite_holds_in_each_profile(cbfuzz, profile):
    cbfuzz("conform", "--profile", profile, cwd=ROOT, code=0)


def test_the_suite_is_found_from_elsewhere(cbfuzz, tmp_path):
    here, there = (cbfuzz("conform", "--list", cwd=cwd, code=0).out for cwd in (ROOT, tmp_path))
    assert here == there


def test_no_suite(tmp_path):
    lonely = tmp_path / "bin/cbfuzz"
    lonely.parent.mkdir()
    shutil.copy(CBFUZZ, lonely)
    done = subprocess.run([lonely, "conform"], cwd=tmp_path, capture_output=True, timeout=LIMIT)
    assert done.returncode == 2 and b"conformance/cases" in done.stderr and not done.stdout


def test_every_case_is_fast_and_says_what_it_is_about(cbfuzz):
    rows = cbfuzz("conform", "--json", cwd=ROOT, code=0).json["cases"]
    assert rows and all(row["clauses"] and row["intent"] for row in rows)
    assert {row["status"] for row in rows} <= {"holds", "skipped"}
    assert all("does not take" in row["reason"] for row in rows if row["status"] == "skipped")
    assert sum(row["seconds"] for row in rows) < 10


# What becomes of a case


def test_all_hold(place):
    assert set(place.statuses(code=0).values()) == {"holds"}


def test_a_failure(place, insert_head):
    shown = place.run("--impl", insert_head, code=1)
    assert f"fails     {ORDER}  Two routines" in shown.out
    assert "DIVERGES  NOTIFY-ORDER" in shown.out and "step 4    notify a 0x1 0x2" in shown.out
    reproduce = re.search(r"reproduce (.*)", shown.out)[1].split()
    assert subprocess.run(reproduce, cwd=place.folder, capture_output=True, timeout=LIMIT).returncode == 1
    assert place.statuses("--impl", insert_head) == {ORDER: "fails", SINGLE: "holds", MISUSE: "holds"}


def test_json_of_a_failure(place, insert_head):
    found = place.run("--json", "--impl", insert_head, code=1)
    document = found.json
    assert list(document)[:2] == ["schema", "command"] and document["schema"] == "cbfuzz/1"
    assert document["command"] == "conform" and document["exit"] == 1
    row, = (row for row in document["cases"] if row["name"] == ORDER)
    assert {"file": "conformance/cases/" + ORDER, "clauses": ["NOTIFY-ORDER"], "status": "fails", "verdict": "diverges",
            "clause": "NOTIFY-ORDER", "step": 4, "line": 7}.items() <= row.items()
    assert len(document["readings"]) >= 10 and document["statements"] >= document["effective_statements"] > 0
    assert "add_processor" in document["statements_never_run"] and "notify" not in document["statements_never_run"]
    assert "NOTIFY-ORDER" in document["covered"] and "CREATE-NEW" in document["not_covered"]


@pytest.mark.parametrize("bug, status", [("object_never_freed", "leaks"), ("rare_exit", "crashes"),
                                         ("rare_endless_loop", "hangs"), ("register_in_call_deadlocks", "deadlocks")])
def test_no_failure_keeps_others_from_running(place, wrong, bug, status):
    text = (ROOT / f"corpus/regression/{bug}.cbs").read_text()
    place.case("a/first.cbs", text if "clause" in text else "clause ROUTINE-TASKS\n" + text)
    rows = place.run("--json", "--impl", wrong(bug), code=1).json["cases"]
    assert [row["verdict"] for row in rows if row["name"] == "a/first.cbs"] == [status]
    assert all(row["status"] != "not run" for row in rows)


def test_misuse_of_the_subject_holds(place):
    row, = place.run("--json", MISUSE, code=0).json["cases"]
    assert row["verdict"] == "misuse" and row["clause"] == "NOTIFY-SYSTEM-OBJECT"
    assert re.search(r"^misuse +1 +1 +1 ", place.run(code=0).out, re.M)


def test_a_rule_of_the_callers_that_is_kept_holds(place):
    path = place.case("a/kept.cbs", "# At the edge.\nclause CREATE-IRQL\nirql APC_LEVEL\n" + CREATE)
    row, = place.run("--json", path, code=0).json["cases"]
    assert row["verdict"] == "conforms" and row["status"] == "holds"


@pytest.mark.parametrize("text, line, words", [
    (CREATE, 1, "clause ID"),
    ("clause NOTIFY-ALL\nfrobnicate a\n", 2, "frobnicate"),
    ("clause NO-SUCH-CLAUSE\n" + CREATE, 1, "NO-SUCH-CLAUSE"),
    ("clause CREATE-NEW\n" + CREATE + "dereference a\ndereference a\n", 4, "DELETE-WHEN-DONE"),
    ("clause CREATE-NEW\n\x00", 2, ""), ("", 1, "clause ID"),
])
def test_a_case_with_a_mistake(place, text, line, words, insert_head):
    path = place.case("a/mistake.cbs", text)
    for more, others in ((), "holds"), (("--impl", insert_head), "fails"):
        result = place.run("--json", *more, code=2)
        place_named = f"cbfuzz conform: {path.relative_to(place.folder)}:{line}:"
        assert place_named in result.err and words in result.err, result
        found = {row["name"]: row for row in result.json["cases"]}
        assert found["a/mistake.cbs"]["status"] == "wrong" and found["a/mistake.cbs"]["line"] == line
        assert found[ORDER]["status"] == others, "the others still run"


def test_bytes_are_no_case(place):
    place.run(place.case("a/bytes", b"\x01\x02\x03\xff"), code=2)


def test_more_files_in_a_folder(place):
    place.case("notify/README.md", "text")
    place.case("notify/notes.txt", "text")
    place.case("notify/.hidden.cbs", "text")
    assert set(place.statuses(code=0)) == {ORDER, SINGLE, MISUSE}


# Profiles and readings


def test_profiles(place, wrong):
    """The built-in implementation is held to both; another one to what it is asked for."""
    name = "windows/name.cbs"
    place.case(name, WINDOWS)
    assert place.statuses(code=0)[name] == "holds"
    assert place.statuses("--profile", "documented", code=0)[name] == "skipped"
    assert place.statuses("--impl", wrong("none"), code=0)[name] == "skipped"
    assert place.statuses("--impl", wrong("none"), "--profile", "windows", code=0)[name] == "holds"


def test_only_cases_of_the_other_profile(place):
    place.case("windows/name.cbs", WINDOWS)
    assert "profile windows" in place.run("--profile", "documented", "windows", code=2).err


@pytest.mark.parametrize("profile", ["documented", "windows"])
def test_readings_are_reported(place, profile):
    place.case("a/null.cbs", "clause REGISTER-ERROR REGISTER-OBJECT\n"
               'a = open "\\Callback\\Nobody"\nr = register a F1 1\n')
    place.case("windows/name.cbs", WINDOWS)
    before = {row["reading"] for row in place.run("--json", "--profile", profile, ORDER, code=0).json["readings"]}
    after = place.run("--json", "--profile", profile, code=0).json["readings"]
    assert "REGISTER-NULL-REFUSED" not in before
    assert "REGISTER-NULL-REFUSED" in {row["reading"] for row in after}
    assert all(row["reading"] in row["possible"] if row["reading"] else len(row["possible"]) > 1 for row in after)


@pytest.mark.parametrize("profile", ["documented", "windows"])
def test_the_suite_shows_every_reading(cbfuzz, profile):
    rows = cbfuzz("conform", "--profile", profile, "--json", cwd=ROOT, code=0).json["readings"]
    assert all(row["reading"] for row in rows), rows


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """Picks the next routine before each call: what the last one registers comes too late."""
    source = ROOT / "conformance/implementations/examples/refusing.c"
    return build_impl(tmp_path_factory.mktemp("refusing") / "refusing.so", source)


@pytest.mark.parametrize("who, reading", [("F1", "CALLED"), ("F2", "NOT-CALLED"), ("F1 F2", "EITHER")])
def test_a_late_routine_is_noted(place, refusing, who, reading):
    """Where the place decides whether one is called that is registered meanwhile, that is no contradiction."""
    for routine in who.split():
        place.case(f"late/{routine}.cbs", f"clause REGISTER-ANY-TIME\nroutine {routine} {{\nr3 = register a F3 3\n}}\n"
                   f"{CREATE}reference a\nreference a\nr1 = register a F1 1\nr2 = register a F2 2\nnotify a 1 2\n")
    shown = place.run("--impl", refusing, "late", code=0)
    assert re.search(rf"^  LATE-ROUTINE-{reading} ", shown.out, re.M), shown


def test_a_case_for_another_reading(place):
    kept = 'clause OPEN-SUCCEEDS\nreading TEMPORARY-NAME-{}\n' + CREATE + 'b = open "\\Callback\\Demo" -> {}\n'
    place.case("a/kept.cbs", kept.format("KEPT", "STATUS_SUCCESS"))
    place.case("a/gone.cbs", kept.format("GONE", "error"))
    found = place.statuses(code=0)
    assert found["a/kept.cbs"] == "skipped" and found["a/gone.cbs"] == "holds"


def test_a_case_for_a_reading_that_nothing_has_shown(place):
    """It says nothing unless another case shows that the implementation takes the reading."""
    twice = CREATE + "r1 = register a F1 1\nr2 = register a F1 2"
    place.case("a/refused.cbs", f"clause REGISTER-ERROR\nreading SAME-ROUTINE-REFUSED\n{twice} -> NULL\n")
    find = lambda: [row["reason"] for row in place.run("--json", code=0).json["cases"] if row["status"] == "skipped"]
    assert find() == ["nothing has shown whether the implementation takes SAME-ROUTINE-REFUSED"]
    place.case("b/twice.cbs", f"clause CREATE-MULTIPLE\n{twice}\n")
    assert find() == ["the implementation does not take SAME-ROUTINE-REFUSED"]


FICKLE = """
#include <ntddk.h>
#define ExCreateCallback SteadyCreate
#include "callback.c"
#undef ExCreateCallback
NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *Object, POBJECT_ATTRIBUTES Attributes, BOOLEAN Create, BOOLEAN Multiple)
{
    if (KeGetCurrentIrql() == APC_LEVEL && Attributes->ObjectName && Attributes->ObjectName->Length > 40)
        return STATUS_UNSUCCESSFUL;
    return SteadyCreate(Object, Attributes, Create, Multiple);
}
"""


@pytest.fixture(scope="module")
def fickle(tmp_path_factory):
    """Takes two readings of one question: at APC_LEVEL create fails or not, as the name is long or short."""
    folder = tmp_path_factory.mktemp("fickle")
    for source in (ROOT / "cbfuzz/callback").glob("*.[ch]"):
        shutil.copy(source, folder)
    (folder / "fickle.c").write_text(FICKLE)
    return build_impl(folder / "fickle.so", *(path for path in folder.glob("*.c") if path.name != "callback.c"))


def test_readings_that_contradict_each_other(place, fickle):
    """Each case conforms alone; together they do not, and the second says which was the first."""
    text = 'clause CREATE-NEW\nirql APC_LEVEL\na = create "\\Callback\\{}"\n'
    place.case("a/long.cbs", text.format("ALongNameOfAnObject"))
    place.case("a/brief.cbs", text.format("Demo"))
    for one in "a/long.cbs", "a/brief.cbs":
        place.run("--impl", fickle, one, code=0)
    shown = place.run("--impl", fickle, "a", code=1)
    assert "fails     a/long.cbs" in shown.out and "a/brief.cbs" in re.search(r"  note .*", shown.out)[0], shown
    assert "CREATE-AT-APC-ALLOWED" in shown.out and "CREATE-AT-APC-FORBIDDEN" in shown.out


# Choosing


def test_choosing_by_path_and_pattern(place):
    for chosen, expected in [(["notify"], {ORDER, SINGLE}), (["conformance/cases/notify"], {ORDER, SINGLE}),
                             ([ORDER], {ORDER}), (["*order*"], {ORDER}), (["notify/*", MISUSE], {ORDER, SINGLE, MISUSE}),
                             (["conformance/cases/*/*order.cbs"], {ORDER}), ([ORDER, ORDER, "notify/order*"], {ORDER}),
                             ([place.cases / ORDER], {ORDER})]:
        assert set(place.statuses(*chosen, code=0)) == expected, chosen


def test_choosing_by_clause(place):
    assert set(place.statuses("--clause", "NOTIFY-ORDER", code=0)) == {ORDER}
    assert set(place.statuses("--clause", "NOTIFY-ORDER", "--clause", "NOTIFY-ALL", code=0)) == {ORDER, SINGLE}
    assert set(place.statuses("--clause", "NOTIFY-ORDER", "notify", code=0)) == {ORDER}


@pytest.mark.parametrize("chosen, word", [
    (["--clause", "NOTIFY-ORDER", SINGLE], "clause"), (["--clause", "NO-SUCH"], "NO-SUCH"), (["empty"], "empty"),
    (["nobody"], "nobody"), (["*nobody*"], "*nobody*"), (["notify/nobody.cbs"], "nobody"), ([""], '""'), (["-"], "-"),
    (["--clause"], "--clause"), (["--clause", "CREATE-NEW"], "clause")])
def test_choosing_nothing(place, chosen, word):
    (place.cases / "empty").mkdir()
    result = place.run(*chosen, code=2)
    assert word in result.err and len(result.err.splitlines()) == 1 and not result.out, result


def test_nothing_happened(place):
    path = place.case("a/nothing.cbs", "clause SYSTEM-TIME\nset_system_time\n")
    assert "nothing happened" in place.run(path, code=2).err


@pytest.mark.parametrize("text", ["clause CREATE-UNNAMED\na = create unnamed -> STATUS_UNSUCCESSFUL\n",
                                  "clause CREATE-UNNAMED\na = open unnamed -> error\n",
                                  'clause NOTIFY-OBJECT\na = open "\\Callback\\Nobody"\nnotify a 1 2\n'])
def test_what_has_to_fail_is_something_that_happens(place, text):
    place.run(place.case("a/fails.cbs", text), code=0)


def test_a_failure_without_effect_is_a_failure(place, tmp_path):
    """An implementation that does nothing fails each case, also one alone."""
    (tmp_path / "refuses.c").write_text("""#include <ntddk.h>
NTSTATUS CbfuzzInitialize(VOID) { return STATUS_SUCCESS; }
NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *Object, POBJECT_ATTRIBUTES Attributes, BOOLEAN Create, BOOLEAN Multiple)
{ return STATUS_NOT_IMPLEMENTED; }
PVOID ExRegisterCallback(PCALLBACK_OBJECT Object, PCALLBACK_FUNCTION Function, PVOID Context) { return NULL; }
VOID ExUnregisterCallback(PVOID Registration) { }
VOID ExNotifyCallback(PVOID Object, PVOID Argument1, PVOID Argument2) { }
""")
    impl = build_impl(tmp_path / "refuses.so", tmp_path / "refuses.c")
    assert "DIVERGES  CREATE-NEW" in place.run("--impl", impl, ORDER, code=1).out
    place.run("--impl", impl, "--baseline", "known.txt", "--update-baseline", ORDER, code=0)
    place.run("--impl", impl, "--baseline", "known.txt", ORDER, code=0)


def test_list_runs_nothing(place, insert_head):
    shown = place.run("--list", "--impl", insert_head, code=0)
    assert ORDER in shown.out and "NOTIFY-ORDER" in shown.out and "Two routines" in shown.out
    rows = place.run("--list", "--json", "notify", code=0).json["cases"]
    assert [row["name"] for row in rows] == [ORDER, SINGLE]
    assert {row["status"] for row in rows} == {"not run"}


def test_hostile_names(place, insert_head):
    names = ["a\x1b[31m\n.cbs", "it's \"<&>\".cbs", "100%# x.cbs", "\udcff\udcfe.cbs", " .cbs", "\u202e.cbs", "-x.cbs"]
    for name in names:
        path = place.cases / "odd" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(DEMO)
    result = place.run("--impl", insert_head, "odd", code=1)
    assert b"\x1b" not in result.raw_out + result.raw_err and "\u202e" not in result.text
    found = place.statuses("--impl", insert_head, "odd")
    assert len(found) == len(names) and set(found.values()) == {"fails"}
    place.run("--impl", insert_head, "--baseline", "known", "--update-baseline", "odd", code=0)
    place.run("--impl", insert_head, "--baseline", "known", "odd", code=0)
    shutil.rmtree(place.cases / "odd")
    assert place.run("--impl", insert_head, "--baseline", "known", code=1).out.count("there is no such case") == len(names)


# Baselines


@pytest.fixture
def known(place):
    def write(*lines):
        path = place.folder / "known.txt"
        path.write_text("".join(line + "\n" for line in lines))
        return path

    return write


REASON = "our lists are walked from the end"


def test_truth_table(place, known, insert_head):
    """Known: 0; new: 1; stale: 1; vanished: 1; after --update-baseline: 0."""
    def run(*more, code):
        return place.run("--impl", insert_head, "--baseline", "known.txt", *more, code=code)

    known(f"{ORDER}  # {REASON}")
    shown = run(code=0)
    assert "DIVERGES" not in shown.out and f"known     {ORDER}  {REASON}" in shown.out and " 0 fail, 1 known" in shown.out
    known("# nothing known")
    assert "DIVERGES  NOTIFY-ORDER" in run(code=1).out
    known(f"{ORDER}  # {REASON}", f"{SINGLE}  # was wrong once")
    assert re.search(rf"^stale +{SINGLE}  it holds, but known.txt:2 .*was wrong once", run(code=1).out, re.M)
    known(f"{ORDER}  # {REASON}", "notify/gone.cbs  # was wrong once")
    shown = run(code=1)
    assert re.search(r"^stale +notify/gone.cbs  there is no such case, but known.txt:2 ", shown.out, re.M)
    assert " conform: 3 cases, 2 hold, 0 fail, 1 known," in shown.lines[-1] and ", 1 stale (1 gone)" in shown.lines[-1]
    assert re.search(r"^all +3 +2 ", shown.out, re.M) and run("--json", code=1).json["gone"] == 1
    for lines in [[], [f"{ORDER}  # {REASON}"], [f"{SINGLE} # x"], ["notify/gone.cbs # x", f"{SINGLE} # y"]]:
        known(*lines)
        place.run("--impl", insert_head, "--baseline", "known.txt", "--update-baseline", code=0)
        run(code=0)


def test_update_keeps_what_stays(place, known, insert_head):
    path = known("# Ours.", "", f"{SINGLE}   # holds by now", f"\t{ORDER} \t#  {REASON} # really ", "# The end.")
    place.run("--impl", insert_head, "--baseline", path, "--update-baseline", code=0)
    assert path.read_text() == f"# Ours.\n\n\t{ORDER} \t#  {REASON} # really\n# The end.\n"
    place.run("--baseline", path, "--update-baseline", code=0)
    assert path.read_text() == "# Ours.\n\n# The end.\n"
    place.run("--impl", insert_head, "--baseline", path, "--update-baseline", code=0)
    assert path.read_text() == f"# Ours.\n\n# The end.\n{ORDER}  # diverges NOTIFY-ORDER\n"


def test_paths_in_a_baseline(place, known, insert_head):
    """A case may stand there by its path, too, as reports and --json give it."""
    path = place.folder / "known.txt"
    run = lambda *more, **code: place.run("--impl", insert_head, "--baseline", path, *more, **code)
    for spelled in f"conformance/cases/{ORDER}", f"./conformance/cases/{ORDER}", place.cases / ORDER, f"./{ORDER}":
        known(f"{spelled}  # {REASON}")
        assert f"known     {ORDER}  {REASON}" in run(code=0).out
    known(f"conformance/cases/{SINGLE}  # x", f"{SINGLE}  # y", "conformance/cases/notify/gone.cbs  # z")
    assert run("notify", code=1).out.count("\nstale ") == 2
    run("--update-baseline", code=0)
    assert path.read_text() == f"{ORDER}  # diverges NOTIFY-ORDER\n"


def test_update_makes_the_file(place, insert_head):
    place.run("--impl", insert_head, "--baseline", "new.txt", "--update-baseline", code=0)
    assert (place.folder / "new.txt").read_text() == f"{ORDER}  # diverges NOTIFY-ORDER\n"
    assert sorted(path.name for path in place.folder.iterdir()) == ["conformance", "new.txt"]


def test_entries_of_unselected_cases(place, known, insert_head):
    path = known(f"{ORDER}  # {REASON}", f"{MISUSE}  # x")
    run = lambda *chosen, **more: place.run("--impl", insert_head, "--baseline", path, *chosen, **more)
    run(ORDER, code=0)
    run("--clause", "NOTIFY-ORDER", code=0)
    run("notify", code=0)
    assert run(code=1).out.count("\nstale ") == 1
    known(f"{ORDER}  # {REASON}", f"{MISUSE}  # x", "notify/gone.cbs  # y", "other/gone.cbs  # z")
    for chosen in [ORDER], ["--clause", "NOTIFY-ORDER"], ["notify"]:
        assert run(*chosen, code=1).out.count("\nstale ") == 2, "what has gone is gone for every choice"
    run("notify", "--update-baseline", code=0)
    assert path.read_text() == f"{ORDER}  # {REASON}\n{MISUSE}  # x\n"


def test_files_in_a_baseline(place, known, insert_head):
    """Cases of one's own, spelled otherwise in the file than in the command."""
    mine = place.folder / "mine"
    mine.mkdir()
    (mine / "order.cbs").write_text((place.cases / ORDER).read_text())
    run = lambda *more, **code: place.run("--impl", insert_head, "--baseline", "known.txt", *more, **code)
    for spelled in "mine/order.cbs", mine / "order.cbs", "./mine/../mine/order.cbs":
        known(f"{spelled}  # {REASON}")
        for chosen in "mine", mine, "mine/order.cbs", "./mine//order.cbs":
            run(chosen, code=0)
    known(f"mine/order.cbs  # {REASON}", "nowhere.cbs # y")
    assert "there is no such case" in run("mine", code=1).out


def test_entries_of_skipped_cases(place, known, wrong):
    place.case("windows/name.cbs", WINDOWS)
    path = known("windows/name.cbs  # not ours")
    place.run("--impl", wrong("none"), "--baseline", path, code=0)
    place.run("--impl", wrong("none"), "--profile", "windows", "--baseline", path, code=1)


@pytest.mark.parametrize("text, line", [
    (b"notify/order.cbs\n", 1), (b"# ok\nnotify/order.cbs #\n", 2), (b"\n\n  # ok\nnotify/order.cbs#no blank\n", 4),
    (b"a.cbs # x\nb.cbs # y\na.cbs # z\n", 3), (b"a.cbs # \xff\xfe\n", 1), ("a.cbs # x\n".encode("utf-16"), 1),
    (b"a.cbs # x\nb\x01.cbs # y\n", 2), (b"a.cbs # x\x00\n", 1), (b"\x7fELF\x02\x01\x01\x00", 1)])
def test_bad_baseline(place, text, line):
    (place.folder / "bad.txt").write_bytes(text)
    for update in [], ["--update-baseline"]:
        result = place.run("--baseline", "bad.txt", *update, code=2)
        assert result.err.startswith(f"cbfuzz conform: bad.txt:{line}: ") and len(result.err.splitlines()) == 1, result
    assert (place.folder / "bad.txt").read_bytes() == text


def test_baselines_of_other_editors(place, insert_head):
    (place.folder / "known.txt").write_bytes(b"\xef\xbb\xbf# ours\r\n\r\n" + ORDER.encode() + b"  # " + REASON.encode())
    place.run("--impl", insert_head, "--baseline", "known.txt", code=0)
    (place.folder / "known.txt").write_bytes(b"# ours\r\n" + SINGLE.encode() + b" # holds\r\n")
    place.run("--impl", insert_head, "--baseline", "known.txt", "--update-baseline", code=0)
    assert (place.folder / "known.txt").read_bytes() == b"# ours\r\n" + ORDER.encode() + b"  # diverges NOTIFY-ORDER\r\n"


def test_no_baseline(place):
    for path in "missing.txt", ".", "", "conformance/cases/notify/order.cbs/below":
        assert len(place.run("--baseline", path, code=2).err.splitlines()) == 1
    assert "--baseline" in place.run("--update-baseline", code=2).err


# Report files, and the end of a run


@pytest.mark.parametrize("flag", ["--junit", "--sarif", "--baseline"])
@pytest.mark.parametrize("path", ["nowhere/report", ".", "", "conformance/cases/notify/order.cbs/below", "x" * 300])
def test_unwritable_places_are_found_before_the_run(place, flag, path):
    more = ["--update-baseline"] if flag == "--baseline" else []
    result = place.run(flag, path, *more, code=2)
    assert "cannot be written" in result.err and len(result.err.splitlines()) == 1 and not result.out, result
    assert [entry.name for entry in place.folder.iterdir()] == ["conformance"]


@pytest.mark.parametrize("files", [
    ["--junit", "one", "--sarif", "./one"], ["--junit", "link", "--sarif", "known.txt"], ["--junit", "one", "--junit", "two"],
    ["--junit", "known.txt", "--baseline", "known.txt"], ["--sarif", "link", "--baseline", "conformance/../known.txt"],
    ["--baseline", "new", "--update-baseline", "--junit", "conformance/../new"], ["--junit", "leads", "--sarif", "one"],
    ["--junit", "-"], ["--baseline", "-"]])
def test_two_reports_in_one_file(place, known, files):
    """However it is spelled. A baseline is not written over by a report."""
    path = known(f"{ORDER}  # {REASON}")
    (place.folder / "link").symlink_to("known.txt")
    (place.folder / "leads").symlink_to("one")
    result = place.run(*files, code=2)
    assert len(result.err.splitlines()) == 1 and not result.out, result
    assert path.read_text() == f"{ORDER}  # {REASON}\n"
    assert sorted(entry.name for entry in place.folder.iterdir()) == ["conformance", "known.txt", "leads", "link"]


def test_devices_take_any_report(place):
    place.run("--junit", "/dev/null", "--sarif", "/dev/null", code=0)


def test_nothing_to_report_for_a_list(place):
    place.run("--list", "--junit", "report.xml", code=2)


def test_reports_replace_what_was_there(place):
    target = place.folder / "target"
    target.write_text("old")
    (place.folder / "link").symlink_to("target")
    (place.folder / "leads").symlink_to("new")
    place.run("--junit", "link", "--sarif", "leads", code=0)
    assert (place.folder / "link").is_symlink() and target.read_text().startswith("<?xml")
    assert (place.folder / "leads").is_symlink() and (place.folder / "new").read_text().startswith("{")
    assert sorted(path.name for path in place.folder.iterdir()) == ["conformance", "leads", "link", "new", "target"]


def test_reports_have_the_mode_that_files_have(place):
    (place.folder / "there").touch(mode=0o600)
    place.run("--junit", "there", "--sarif", "new", umask=0o027, code=0)
    assert [(place.folder / name).stat().st_mode & 0o777 for name in ("there", "new")] == [0o600, 0o640]


def test_no_report_after_a_wrong_request(place):
    place.run("--junit", "report.xml", "--impl", "/nonexistent.so", code=2)
    place.run("--junit", "report.xml", "nobody", code=2)
    assert [entry.name for entry in place.folder.iterdir()] == ["conformance"]


def test_interrupted(place, wrong):
    """Ctrl-C: exit 130, the reports are complete, the baseline is as it was."""
    hang = "clause ROUTINE-TASKS\n" + (ROOT / "corpus/regression/rare_endless_loop.cbs").read_text()
    place.case("a/fails_at_once.cbs", f"clause CREATE-NEW\n{CREATE.rstrip()} -> error\n")
    for number in range(20):
        place.case(f"hang/{number:02}.cbs", hang)
    process = subprocess.Popen([CBFUZZ, "conform", "--json", "--impl", wrong("rare_endless_loop"), "--junit", "report.xml",
                                "--sarif", "report.sarif", "--baseline", "known.txt", "--update-baseline"],
                               cwd=place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130, err
    last = LAST.fullmatch(err.decode().splitlines()[-1])
    document = json.loads(out)
    statuses = [row["status"] for row in document["cases"]]
    assert last[3] and int(last[2]) == statuses.count("not run"), err
    assert document["exit"] == 130 and len(statuses) == 24
    assert statuses.count("fails") >= 1 and statuses.count("not run") >= 5
    assert (place.folder / "report.xml").read_text().count("not run: interrupted") == statuses.count("not run")
    assert json.loads((place.folder / "report.sarif").read_text())["runs"][0]["invocations"][0]["exitCode"] == 130
    assert not (place.folder / "known.txt").exists()


def test_interrupted_while_loading(place, tmp_path):
    """No case has been run yet, and all reports say so."""
    (tmp_path / "slow.c").write_text((ROOT / "conformance/implementations/examples/small.c").read_text() +
                                     "\n#include <unistd.h>\n__attribute__((constructor)) static void slow(void) { sleep(8); }\n")
    slow = build_impl(tmp_path / "slow.so", tmp_path / "slow.c")
    process = subprocess.Popen([CBFUZZ, "conform", "--impl", slow, "--junit", "report.xml", "--sarif", "report.sarif"],
                               cwd=place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    last = LAST.fullmatch(out.decode().splitlines()[-1])
    assert process.returncode == 130 and last[2] and last[3], err
    assert (place.folder / "report.xml").read_text().count("not run: interrupted") == int(last[2])
    assert json.loads((place.folder / "report.sarif").read_text())["runs"][0]["invocations"][0]["exitCode"] == 130


@pytest.mark.parametrize("option", ["size=4k", "ro"])
def test_full_disk(place, option):
    """The report cannot be written, after all or as is known before: exit 3, and no half of one."""
    inside = f"""mount -t tmpfs -o {option} none "$1" || exit 77
                 folder=$1; shift; "$@"; code=$?
                 [ -z "$(ls -A "$folder")" ] || exit 78; exit $code"""
    small = place.folder / "small"
    small.mkdir()
    done = subprocess.run(["unshare", "-m", "sh", "-c", inside, "sh", small, CBFUZZ, "conform", "--junit",
                           small / "report.xml", ROOT / "conformance/cases"], capture_output=True, timeout=LIMIT)
    if done.returncode in (1, 77):
        pytest.skip("no mount of its own here")
    assert done.returncode == 3 and b"cannot be written" in done.stderr, done
    assert bool(done.stdout) == (option != "ro"), "a folder that nobody may write to is found before the run"
