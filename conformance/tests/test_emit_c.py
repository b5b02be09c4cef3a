"""emit-c: a program as a C program that stands alone, builds by the command in its head, and fails in the same way."""
import re
import shlex
import subprocess

import pytest

from conftest import LIMIT, ROOT, build_impl, read_bugs

# Programs of threads, which run one after the other here.
NEEDS_SCHEDULES = {"single_check_races", "unregister_does_not_wait"}
BUGS = [bug.name for bug in read_bugs() if bug.name not in NEEDS_SCHEDULES]
EXAMPLES = ROOT / "conformance/implementations/examples"


def build_and_run(source):
    """By the command in its head. Returns exit code, last line, and all that it says."""
    command = re.search(r"^ \*   (clang .*)$", source.read_text(), re.M)[1]
    built = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=LIMIT)
    assert built.returncode == 0 and not built.stderr, built
    done = subprocess.run([shlex.split(command)[-1]], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT)
    return done.returncode, (done.stdout.splitlines() or [""])[-1], done.stdout + done.stderr


@pytest.mark.parametrize("name", BUGS)
def test_fails_in_the_same_way(cbfuzz, wrong, tmp_path, name):
    out = tmp_path / "emitted.c"
    found = cbfuzz("emit-c", "--json", "--impl", wrong(name), ROOT / f"corpus/regression/{name}.cbs", "-o", out, code=1)
    finding = found.json
    code, last, text = build_and_run(out)
    assert code == 1, text
    verdict, kind = finding["verdict"], finding["kind"]
    if verdict == "diverges":
        assert last.startswith(f"fails: diverges {finding['clause']}"), text
    elif verdict == "crashes" and kind != "exit":
        assert f"AddressSanitizer: {kind}" in text, text
    else:
        assert last.startswith(f"fails: {verdict}") and (kind in last or verdict not in ("bugchecks", "crashes")), text


@pytest.mark.parametrize("name", ["order_last_first", "create_always_new", "object_never_freed", "nested_notify_ends_outer",
                                  "processor_completes_early", "irql_left_raised"])
def test_does_not_fail_where_nothing_is_wrong(cbfuzz, wrong, tmp_path, name):
    """The same C program, built against the implementation without the bug."""
    out = tmp_path / "emitted.c"
    cbfuzz("emit-c", "--impl", wrong(name), ROOT / f"corpus/regression/{name}.cbs", "-o", out, code=1)
    text = out.read_text()
    assert str(wrong(name)) in text
    out.write_text(text.replace(str(wrong(name)), str(wrong("none"))))
    assert build_and_run(out)[:2] == (0, "does not fail")


@pytest.mark.parametrize("example", ["builtin", *sorted(path.name for path in EXAMPLES.glob("*.c*"))])
def test_conforming_programs_do_not_fail(cbfuzz, tmp_path, example):
    """Own object routines, own processor change, C++: whatever the implementation brings along is used."""
    arguments = []
    if example != "builtin":
        arguments = ["--impl", build_impl(tmp_path / "example.so", EXAMPLES / example)]
    for name in ("two_drivers_either_first", "power_hook", "two_system_objects"):
        out = tmp_path / f"{name}.c"
        cbfuzz("emit-c", *arguments, ROOT / f"corpus/seed/{name}.cbs", "-o", out, code=0)
        assert build_and_run(out)[:2] == (0, "does not fail")


def test_reads_well(cbfuzz, wrong, tmp_path):
    """A call a line with its statement and what it must show; constants have names."""
    out = tmp_path / "order.c"
    cbfuzz("emit-c", "--impl", wrong("order_last_first"), ROOT / "corpus/regression/order_last_first.cbs", "-o", out, code=1)
    text = out.read_text()
    assert text.startswith("/* DIVERGES NOTIFY-ORDER: routines run in the order of their registration\n")
    assert "/* 4. notify a 0x1 0x2 -> F1(0x10, 0x1, 0x2)  F2(0x20, 0x1, 0x2) */" in text
    assert "ExNotifyCallback(object_a, ARGUMENT_1, ARGUMENT_2)" in text
    assert "#define CONTEXT_10 ((PVOID)0x10)" in text and '#define NAME_1 L"\\\\Callback\\\\Demo"' in text


def test_names_with_anything_in_them(cbfuzz, script, tmp_path):
    path = script('a = create "\\Callback\\{U+0001}A??/{U+D800}é""*/" case_insensitive multiple\n'
                  'b = create ""\nc = create unnamed\nd = open "\\Callback\\none" permanent\n')
    out = tmp_path / "a folder" / "names x.c"
    out.parent.mkdir()
    cbfuzz("emit-c", path, "-o", out, code=0)
    assert build_and_run(out)[:2] == (0, "does not fail")


@pytest.mark.parametrize("arguments", [["corpus/seed/mailbox.cbs"], ["-o", "/tmp/x.c"],
                                       ["corpus/seed", "-o", "/tmp/x.c"], ["/nonexistent", "-o", "/tmp/x.c"],
                                       ["corpus/seed/mailbox.cbs", "-o", "/nonexistent/x.c"]])
def test_wrong_requests(cbfuzz, arguments):
    assert cbfuzz("emit-c", *arguments, code=2).err.count("\n") == 1


def test_json(cbfuzz, wrong, tmp_path):
    found = cbfuzz("emit-c", "--json", "--impl", wrong("arguments_swapped"),
                   ROOT / "corpus/regression/arguments_swapped.cbs", "-o", tmp_path / "x.c", code=1).json
    assert found["command"] == "emit-c" and found["clause"] == "NOTIFY-ARGUMENT1" and found["exit"] == 1
