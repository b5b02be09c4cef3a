"""Judging programs: the corpus, the design's example, findings to the letter, profiles and readings."""
import json
import re
import signal
import subprocess
import time

import pytest

from conftest import DEMO, LIMIT, ORDER, ROOT, build_impl

# Design, section 3; without its last line, which names files.
FINDING = """\
DIVERGES  NOTIFY-ORDER  routines run in the order of their registration        [documented]
  step 4    notify a 0x1 0x2
  expected  F1(0x10, 0x1, 0x2)  F2(0x20, 0x1, 0x2)
  observed  F2(0x20, 0x1, 0x2)  F1(0x10, 0x1, 0x2)
  source    ExNotifyCallback, remarks
"""
CREATE = 'a = create "\\Callback\\Demo" multiple\n'


# The corpus


def test_corpus_conforms(cbfuzz):
    programs = cbfuzz("run", "--json", "corpus/seed", "corpus/regression", code=0).json["programs"]
    assert len(programs) == len(list((ROOT / "corpus").rglob("*.cbs")))
    assert {program["verdict"] for program in programs} == {"conforms"}


def test_corpus_conforms_on_another_design(cbfuzz, wrong):
    programs = cbfuzz("run", "--json", "--impl", wrong("none"), "corpus/seed", "corpus/regression",
                      code=0).json["programs"]
    assert {program["verdict"] for program in programs} == {"conforms"}


def test_corpus_asks_nobody_to_do_as_windows(cbfuzz, tmp_path):
    """Scripts of a folder that state the profile count for it; one that is named counts always."""
    tables = build_impl(tmp_path / "tables.so", ROOT / "conformance/implementations/examples/tables.c")
    shown = cbfuzz("run", "--json", "--impl", tables, "corpus/seed", "corpus/regression", code=0)
    skipped = [row["file"] for row in shown.json["skipped"]]
    assert {row["verdict"] for row in shown.json["programs"]} == {"conforms"}
    assert skipped and f", {len(skipped)} skipped, 0 wrong, " in shown.err, shown
    assert all("\nprofile windows\n" in (ROOT / path).read_text() for path in skipped)
    cbfuzz("run", "--impl", tables, skipped[0], code=1)
    cbfuzz("run", "--impl", tables, "--profile", "windows", "corpus/regression", code=1)


def test_what_dies_anyway_is_not_skipped(cbfuzz, tmp_path):
    """Nor does it matter what the programs before it have shown of the implementation's readings."""
    source = tmp_path / "readings.c"
    text = (ROOT / "conformance/implementations/readings/readings.c").read_text()
    head = "VOID ExUnregisterCallback(PVOID CallbackRegistration) {"
    assert head in text
    source.write_text(text.replace(head, f"{head}\n    *(volatile LONG *)(ULONG_PTR)8 = 1;"))
    dies = build_impl(tmp_path / "dies.so", source, flags=["-DTEMPORARY_NAME=KEPT"])
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "1.cbs").write_text('a = create "\\Callback\\Demo"\nb = open "\\Callback\\Demo"\n')
    (folder / "2.cbs").write_text('profile windows\na = create "\\Callback\\Demo"\nr1 = register a F1 0x10\nunregister r1\n')
    for scripts in (folder, folder / "2.cbs"):
        shown = cbfuzz("run", "--json", "--impl", dies, scripts, code=1)
        assert shown.json["programs"][-1]["verdict"] == "crashes" and not shown.json["skipped"]


def test_order_of_programs_does_not_matter(cbfuzz):
    paths = sorted((ROOT / "corpus").rglob("*.cbs"))
    forwards = cbfuzz("run", "--json", *paths, code=0).json["programs"]
    backwards = cbfuzz("run", "--json", *reversed(paths), code=0).json["programs"]
    assert forwards == backwards[::-1]


# Findings as they read


def test_example_of_the_design(cbfuzz, script):
    cbfuzz("run", script(DEMO), code=0)


def test_finding_to_the_letter(cbfuzz, script, insert_head):
    path = script(ORDER)
    shown = cbfuzz("run", "--impl", insert_head, path, code=1)
    assert FINDING in shown.out, shown
    reproduce = re.search(r"^  reproduce (.*)$", shown.out, re.M)[1]
    assert reproduce == f"{cbfuzz.path} run --impl {insert_head} {path}"


def test_finding_of_the_design_example(cbfuzz, script, insert_head):
    """With an expectation on the line the clause is the same: both must hold."""
    shown = cbfuzz("run", "--impl", insert_head, script(DEMO), code=1)
    assert "DIVERGES  NOTIFY-ORDER" in shown.out and "  step 4    notify a 0x1 0x2\n" in shown.out


def test_expectation_alone(cbfuzz, script):
    """The machine allows what was seen, the script does not."""
    shown = cbfuzz("run", script("clause NOTIFY-ARGUMENT1\n" + CREATE + "notify a 0x1 0x2 -> F1(0x1, 0x2, 0x3)\n"), code=1)
    assert "DIVERGES  NOTIFY-ARGUMENT1" in shown.out and "F1(0x1, 0x2, 0x3)" in shown.out
    assert "nothing" in shown.out


def test_expectation_after_thousands_of_calls(cbfuzz, script):
    lines = ['a = create "\\Callback\\Demo" multiple', *(f"r{i} = register a F1 {i}" for i in range(50)),
             *(["notify a 0x1 0x2"] * 100), *(f"unregister r{i}" for i in range(49)), "notify a 0x1 0x2 -> "]
    for expected, code in (("F1(0x31, 0x1, 0x2)", 0), ("F1(0x32, 0x1, 0x2)", 1)):
        cbfuzz("run", script("\n".join(lines) + expected + "\n"), code=code)


@pytest.mark.parametrize("line, code", [
    ('b = open "\\Callback\\Nobody" -> error', 0),
    ('b = open "\\Callback\\Nobody" -> STATUS_SUCCESS', 1),
    ("b = create unnamed -> STATUS_UNSUCCESSFUL", 0),
    ("b = create unnamed -> STATUS_INVALID_PARAMETER", 1),
    ("b = create unnamed -> error", 0),
    ('b = open "\\Callback\\PowerState" -> error', 1),
    ("r = register a F1 0x10 -> handle", 0),
    ("r = register a F1 0x10 -> NULL", 1),
    ("notify a 0x1 0x2 -> nothing", 0),
    ("power_state 0x3 0x1 -> nothing", 0),
    ("p = register_processor_change F1 0x10 -> handle", 0),
    ("p = register_processor_change F1 0x10 add_existing -> nothing", 1),
])
def test_expectations(cbfuzz, script, line, code):
    cbfuzz("run", script(CREATE + line + "\n"), code=code)


@pytest.mark.parametrize("bug, verdict", [
    ("object_never_freed", "LEAKS"), ("registration_freed_twice", "CRASHES|BUGCHECKS"),
    ("rare_endless_loop", "HANGS"), ("rare_recursion", "CRASHES"), ("rare_exit", "CRASHES"),
    ("irql_waits_in_notify", "BUGCHECKS"), ("register_in_call_deadlocks", "DEADLOCKS"),
    ("no_memory_create_crashes", "CRASHES"), ("arguments_swapped", "DIVERGES")])
def test_every_kind_of_verdict(cbfuzz, wrong, bug, verdict):
    """... and the run goes on: the programs behind it are judged as well."""
    other = ROOT / "corpus/seed/power_hook.cbs"
    shown = cbfuzz("run", "--impl", wrong(bug), ROOT / f"corpus/regression/{bug}.cbs", other, code=1)
    assert re.search(rf"^({verdict}) +[A-Z]", shown.out, re.M), shown
    programs = cbfuzz("run", "--json", "--impl", wrong(bug), ROOT / f"corpus/regression/{bug}.cbs", other).json["programs"]
    assert len(programs) == 2 and programs[1]["verdict"] in ("conforms", programs[0]["verdict"])


# Misuse


@pytest.mark.parametrize("text, clause", [
    (CREATE + "dereference a\nnotify a 0x1 0x2\n", "NOTIFY-OBJECT"),
    (CREATE + "dereference a\ndereference a\n", "DELETE-WHEN-DONE"),
    (CREATE + "r = register a F1 0x10\nunregister r\nunregister r\n", "REGISTER-KEEP-HANDLE"),
    (CREATE + "irql DISPATCH_LEVEL\nr = register a F1 0x10\n", "REGISTER-IRQL"),
    ('irql DISPATCH_LEVEL\na = create "\\Callback\\Demo"\n', "CREATE-IRQL"),
    ('a = open "\\Callback\\PowerState"\nnotify a 0x3 0x1\n', "NOTIFY-SYSTEM-OBJECT"),
])
def test_misuse_is_shown_and_no_finding(cbfuzz, script, text, clause):
    path = script(text)
    shown = cbfuzz("run", path, code=0)
    assert "MISUSE" in shown.out and clause in shown.out
    program = cbfuzz("run", "--json", path, code=0).json["programs"][0]
    assert program["verdict"] == "misuse" and program["clause"] == clause


def test_unregister_from_own_call_is_a_reading(cbfuzz, script):
    text = CREATE + "routine F1 {\n    unregister r\n}\nr = register a F1 0x10\nnotify a 0x1 0x2\nnotify a 0x3 0x4\n"
    assert cbfuzz("run", "--json", script(text), code=0).json["programs"][0]["verdict"] == "conforms"
    windows = cbfuzz("run", "--json", "--profile", "windows", script(text), code=0).json["programs"][0]
    assert (windows["verdict"], windows["clause"]) == ("misuse", "WINDOWS-UNREGISTER-SELF")


# Profiles and readings


def test_profile_in_a_script(cbfuzz, wrong):
    """processor_deregister_ignored breaks a rule of Windows that the documents do not have."""
    bug = "processor_deregister_ignored"
    path = ROOT / f"corpus/regression/{bug}.cbs"
    assert path.read_text().count("profile windows") == 1
    shown = cbfuzz("run", "--impl", wrong(bug), path, code=1)
    assert "WINDOWS-CHANGE-REMOVED" in shown.out and "[windows]" in shown.out


def test_profile_on_the_command_line(cbfuzz, script, wrong):
    bug = "processor_deregister_ignored"
    text = (ROOT / f"corpus/regression/{bug}.cbs").read_text().replace("profile windows\n", "")
    cbfuzz("run", "--impl", wrong(bug), "--profile", "windows", script(text), code=1)
    cbfuzz("run", "--profile", "windows", script(text), code=0)


TEMPORARY = 'a = create "\\Callback\\Demo" multiple\nb = open "\\Callback\\Demo"\n'


def test_readings_contradict_each_other(cbfuzz, script):
    """An implementation takes one of them; with the other one as given, nothing is said of it."""
    rows = {}
    for reading in "GONE", "KEPT":
        rows[reading], = cbfuzz("run", "--json", script(f"reading TEMPORARY-NAME-{reading}\n\n{TEMPORARY}"),
                                code=0).json["programs"]
    assert rows["GONE"]["verdict"] == "conforms"
    assert rows["KEPT"]["verdict"] == "misuse" and rows["KEPT"]["kind"] == "another-reading"
    assert rows["KEPT"]["statement"] == "reading TEMPORARY-NAME-KEPT"


def test_silence_is_no_alarm(cbfuzz, script):
    cbfuzz("run", script(TEMPORARY), code=0)


# Repeatability


def test_trace_is_the_same_every_time(cbfuzz):
    first = cbfuzz("run", "--trace", "corpus", code=0)
    assert first.raw_out == cbfuzz("run", "--trace", "corpus", code=0).raw_out
    assert "0x7f" not in first.out, "an address in the trace"


def test_addresses_are_the_same_every_time(cbfuzz, script, tmp_path):
    """Also those that an implementation lets out by mistake: of its stack, its code, its globals."""
    if subprocess.run(["setarch", "-R", "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this host does not let programs keep their addresses")
    source = (ROOT / "conformance/implementations/examples/kernel.c").read_text()
    begin = re.search(r"ExNotifyCallback\([^{;]*{", source)
    (tmp_path / "lets_out.c").write_text(source[:begin.end()] + "    static ULONG Global;\n    if (Argument1) Argument2 = &Argument1;\n"
                                         "    else KeBugCheckEx(0xE2, (ULONG_PTR)&Global, (ULONG_PTR)&KeGetCurrentIrql, "
                                         "(ULONG_PTR)&Argument1, 0);\n" + source[begin.end():])
    impl = build_impl(tmp_path / "lets_out.so", tmp_path / "lets_out.c")
    for argument in 0, 1:
        path = script(f"{CREATE}r = register a F1 1\nnotify a {argument} 2\n")
        runs = {cbfuzz("run", "--trace", "--impl", impl, path, code=1).out.rpartition("\n  source ")[0] for _ in range(3)}
        assert len(runs) == 1 and "0x7ff" in runs.pop().lower()


def test_the_place_of_a_failure_has_any_name(cbfuzz, script, tmp_path):
    """A function's may be longer than a line, as templates' are, a file's may have spaces."""
    source = (ROOT / "conformance/implementations/examples/kernel.c").read_text()
    begin = re.search(r"ExNotifyCallback\([^{;]*{", source).end()
    name, path = "Fails" + "Long" * 300, tmp_path / "my folder/my callback (2).c"
    path.parent.mkdir()
    path.write_text(f"static __attribute__((noinline)) void {name}(volatile char *Where) {{ *Where = 1; }}\n"
                    f"{source[:begin]} {name}((char *)8);\n{source[begin:]}")
    impl = build_impl(tmp_path / "fails.so", path)
    shown = cbfuzz("run", "--impl", impl, script(f"{CREATE}r = register a F1 1\nnotify a 1 2\n"), code=1).out
    assert re.search(r"observed  SEGV.*, in FailsLong\w+ \(my callback \(2\)\.c:1\) < ExNotifyCallback\n", shown), shown


def test_trace_reads_like_the_script(cbfuzz, script):
    shown = cbfuzz("run", "--trace", script(DEMO), code=0).out
    assert "  F1(0x10, 0x1, 0x2) at PASSIVE_LEVEL\n  F2(0x20, 0x1, 0x2) at PASSIVE_LEVEL\n" in shown
    assert shown.index("notify a 0x1 0x2") < shown.index("F1(0x10") < shown.index("unregister r1")


def test_trace_in_the_document(cbfuzz, script):
    """With --json each program has the lines that --trace prints."""
    path = script('a = create "\\Callback\\Demo" permanent\nb = open "\\Callback\\Demo"\n'
                  "r1 = register a F1 0x10\nnotify b 0x1 0x2\nr2 = register b F2 0x20\n"
                  "fail_allocation 1\nunregister r1\nr3 = register b F2 0x20\nr4 = register b F2 0x20\n")
    demo = script(DEMO, "demo.cbs")
    first, second = cbfuzz("run", "--json", "--trace", path, demo, code=0).json["programs"]
    assert first["trace"] == [
        'a = create "\\Callback\\Demo" permanent', "  -> STATUS_SUCCESS, object 1",
        'b = open "\\Callback\\Demo"', "  -> STATUS_SUCCESS, object 1",
        "r1 = register a F1 0x10", "  -> handle, registration 1",
        "notify b 0x1 0x2", "  F1(0x10, 0x1, 0x2) at PASSIVE_LEVEL",
        "r2 = register b F2 0x20", "  -> NULL",
        "fail_allocation 1", "unregister r1",
        "r3 = register b F2 0x20", "  (an allocation failed)", "  -> NULL",
        "r4 = register b F2 0x20", "  -> handle, registration 2",
        "(giving back) unregister registration 2", "(giving back) dereference object 1",
        "(giving back) dereference object 1", "(giving back) make_temporary object 1",
        "  (nothing is left)"]
    shown = cbfuzz("run", "--trace", path, demo, code=0).out
    assert "\n".join(first["trace"]) in shown and "\n".join(second["trace"]) in shown
    assert "trace" not in cbfuzz("run", "--json", demo, code=0).json["programs"][0]


@pytest.mark.parametrize("name, end", [("register_in_call_deadlocks", "deadlocks"), ("irql_left_raised", "bugchecks"),
                                       ("no_memory_create_crashes", "crashes"), ("rare_endless_loop", "hangs")])
def test_trace_shows_how_a_call_ended(cbfuzz, wrong, name, end):
    for arguments in (["--trace"], ["--trace", "--json"]):
        shown = cbfuzz("run", *arguments, "--impl", wrong(name), f"corpus/regression/{name}.cbs", code=1)
        assert f"({end})" in shown.out, shown


def test_trace_names_the_system_defined_objects(cbfuzz, script):
    shown = cbfuzz("run", "--trace", script('a = create "\\Callback\\Demo"\nb = open "\\Callback\\PowerState"\n'), code=0)
    assert "STATUS_SUCCESS, object 1\n" in shown.out and "STATUS_SUCCESS, object PowerState\n" in shown.out, shown


def test_programs_do_not_see_each_other(cbfuzz, script, wrong):
    """A permanent object of one program is gone in the next, whatever the implementation does."""
    path = script('a = create "\\Callback\\Demo" permanent multiple\n', "first.cbs")
    other = script('a = open "\\Callback\\Demo" -> error\n', "second.cbs")
    cbfuzz("run", path, other, path, other, code=0)
    cbfuzz("run", "--impl", wrong("none"), path, other, code=0)


def test_processors_in_the_middle_of_things(cbfuzz, script):
    """Registering and adding nest and multiply until the machine has no room for more."""
    register = "register_processor_change F1"
    path = script(f"routine F1 {{\n    p1 = {register} 0 add_existing\n    p2 = {register} 0x30\n"
                  f"    add_processor\n}}\np3 = {register} 0x10 add_existing\nadd_processor\n")
    for profile in ("documented", "windows"):
        shown = cbfuzz("run", "--json", "--profile", profile, path, code=0)
        assert shown.json["programs"][0]["verdict"] == "conforms"


def test_bytes_by_chance_expect_nothing(cbfuzz, script, tmp_path):
    """Only bytes that were written for a script say what must be seen."""
    create = script('a = create "\\Callback\\Demo" -> error\n')
    written = tmp_path / "written"
    cbfuzz("assemble", create, "-o", written, code=0)
    assert "EXPECTATION" in cbfuzz("run", written, code=1).out
    changed = tmp_path / "changed"
    changed.write_bytes(written.read_bytes()[:-1])
    cbfuzz("run", changed, code=0)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    changed.rename(corpus / "changed")
    cbfuzz("fuzz", "--runs", "50", "--artifacts", tmp_path / "found", corpus, code=0)
    written.rename(corpus / "written")
    cbfuzz("fuzz", "--runs", "50", "--artifacts", tmp_path / "found", corpus, code=1)


def test_notification_that_starts_over(cbfuzz, script, tmp_path):
    """Routines are called without end: that is a finding, not a bound of ours."""
    text = (ROOT / "conformance/implementations/examples/kernel.c").read_text()
    called = "            Registration->Busy -= 1;\n"
    assert text.count(called) == 1
    source = tmp_path / "starts_over.c"
    source.write_text(text.replace(called, called + "            Link = &cbObject->RegisteredCallbacks;\n"))
    impl = build_impl(tmp_path / "starts_over.so", source)
    path = script(CREATE + "r = register a F1 0x10\nnotify a 0x1 0x2\n")
    finding, = cbfuzz("run", "--json", "--impl", impl, path, code=1).json["programs"]
    assert (finding["verdict"], finding["clause"], finding["step"]) == ("diverges", "NOTIFY-ONCE", 3)
    assert finding["observed"].startswith("F1(0x10, 0x1, 0x2)  F1(0x10, 0x1, 0x2)  ")
    cbfuzz("fuzz", "--impl", impl, "--seed", "1", "--runs", "200", "--artifacts", tmp_path / "found", code=1)


MANY = ["a = create \"\\Callback\\Demo\" multiple", *(f"register a F1 {i}" for i in range(26)), *["notify a 1 2"] * 4000]


def test_what_was_not_run_does_not_conform(cbfuzz, script, tmp_path):
    """Beyond the bounds of a program nothing is run: a script that asks for it is told so."""
    path = script("clause NOTIFY-ALL\n" + "\n".join([*MANY, "b = open \"\\Callback\\SetSystemTime\" -> error", ""]))
    line = 1 + len(MANY[:27]) + 100000 // 26 + 1
    for command in "run", "conform":
        assert f"{path}:{line}:1: from here on it is not run" in cbfuzz(command, path, code=2).err
    cbfuzz("assemble", path, "-o", tmp_path / "bytes", code=0)
    shown = cbfuzz("run", "--json", tmp_path / "bytes", code=0)
    assert shown.json["programs"][0]["verdict"] == "conforms" and shown.json["programs"][0]["cut"]
    nested = ["routine F1 {", *["notify a 1 1"] * 8, "}", "a = create \"\\Callback\\Demo\" multiple",
              *(f"register a F1 {i}" for i in range(5)), "notify a 0 0", "reference a", ""]
    path = script("\n".join(nested))
    assert f"conforms  {path}: as far as it was run" in cbfuzz("run", path, code=0).out, "expects nothing"
    for expected in "STATUS_SUCCESS", "error": # which of them is met says nothing any more
        nested[-1] = f"b = create \"\\Callback\\Other\" -> {expected}\n"
        assert ":17:1: from here on" in cbfuzz("run", script("\n".join(nested)), code=2).err


@pytest.mark.parametrize("expected, code", [("F1(1, 0, 0) F3(3, 0, 0)", 0), ("F1(1, 0, 0) F2(2, 7, 8) F3(3, 0, 0)", 0),
                                            ("F1(1, 0, 0) F3(3, 0, 0) F2(2, 7, 8)", 1), ("F1(1, 0, 0)", 1)])
def test_expected_calls_of_bodies(cbfuzz, script, expected, code):
    """The calls of the statement itself are expected, or all that happened."""
    cbfuzz("run", script(f"""routine F1 {{
    notify b 7 8
}}
a = create "\\Callback\\A" multiple
b = create "\\Callback\\B" multiple
register a F1 1
register a F3 3
register b F2 2
notify a 0 0 -> {expected}
"""), code=code)


def test_interrupted_output_is_whole(cbfuzz):
    """A reader that takes its time: a signal does not break the document off."""
    process = subprocess.Popen([cbfuzz.path, "run", "--json", "--trace", ROOT / "conformance/cases"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(3)
    process.send_signal(signal.SIGTERM)
    time.sleep(1)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode in (0, 143) and json.loads(out)["exit"] == process.returncode, err
