"""Handing a finding over: a debugger stopped before the statement that fails."""
import shutil

import pytest

from conftest import ROOT

needs_gdb = pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")


def debug(cbfuzz, wrong, bug, *commands, code=1):
    """Runs gdb on the program of a bug, with these commands after it has stopped."""
    flags = [flag for command in commands for flag in ("-ex", command)]
    return cbfuzz("run", "--gdb", "--impl", wrong(bug), ROOT / f"corpus/regression/{bug}.cbs", "--", "-batch", *flags,
                  code=code)


@needs_gdb
def test_stops_before_the_statement_that_fails(cbfuzz, wrong):
    shown = debug(cbfuzz, wrong, "order_last_first", "print statement", "continue", "backtrace 2").text
    assert "DIVERGES  NOTIFY-ORDER" in shown and "The next call fails: notify a 0x1 0x2\n" in shown
    assert '"notify a 0x1 0x2"' in shown
    assert "#0  ExNotifyCallback" in shown and "notify.c" in shown


@needs_gdb
def test_goes_on_into_the_crash(cbfuzz, wrong):
    shown = debug(cbfuzz, wrong, "no_memory_create_crashes", "continue", "continue", "backtrace 1").text
    assert "The next call fails: a = create" in shown and "SIGSEGV" in shown and "CbkCaptureRequest" in shown


@needs_gdb
def test_statement_in_a_routine(cbfuzz, wrong):
    """... stops at the time that fails, not at the first one."""
    bug = "register_in_call_deadlocks"
    assert "The next call fails: r2 = register a F2 0x20" in debug(cbfuzz, wrong, bug, "continue").text


@needs_gdb
def test_leak_stops_at_the_end(cbfuzz, wrong):
    assert "giving back what the program holds" in debug(cbfuzz, wrong, "object_never_freed", "backtrace 1").text


def test_nothing_to_debug(cbfuzz):
    shown = cbfuzz("run", "--gdb", "corpus/seed/mailbox.cbs", code=0)
    assert "nothing to debug" in shown.out


def test_no_debugger_here(cbfuzz, wrong, tmp_path):
    done = cbfuzz("run", "--gdb", "--impl", wrong("order_last_first"), ROOT / "corpus/regression/order_last_first.cbs",
                  env={"PATH": str(tmp_path)}, code=3)
    assert "apt-get install gdb" in done.err and done.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--gdb"], ["--gdb", "-"], ["--gdb", "corpus/seed"], ["--gdb", "/nonexistent"],
                                       ["--gdb", "--json", "corpus/seed/mailbox.cbs"],
                                       ["--gdb", "corpus/seed/mailbox.cbs", "corpus/seed/mailbox.cbs"]])
def test_wrong_requests(cbfuzz, arguments):
    assert cbfuzz("run", *arguments, code=2).err
