"""The cases as items of pytest: selected by -k, judged on any implementation."""
import re
import shutil
import sys

from conftest import CBFUZZ, ROOT, run_command


def run_cases(*arguments, **more):
    return run_command(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "conformance/cases", *arguments,
                       env={"CBFUZZ": str(CBFUZZ), "PYTHONDONTWRITEBYTECODE": "1"}, check_code=False, **more)


def counts(result):
    return {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|deselected)", result.out)}


def test_every_case_is_an_item():
    result = run_cases()
    cases = len(list((ROOT / "conformance/cases").rglob("*.cbs")))
    found = counts(result)
    assert result.code == 0 and found["passed"] + found.get("skipped", 0) == cases and found["passed"] > 400, result


def test_selected_by_name():
    result = run_cases("-k", "notify and order")
    assert result.code == 0 and 0 < counts(result)["passed"] < 20, result


def test_a_failure_is_shown_as_finding(wrong):
    result = run_cases("-k", "runs_in_order_of_registration", "--impl", wrong("order_last_first"))
    assert result.code == 1 and "DIVERGES  NOTIFY-ORDER  " in result.out, result
    assert "expected  F" in result.out and "source    ExNotifyCallback, remarks" in result.out, result


def test_what_does_not_bind_is_skipped(wrong):
    windows = counts(run_cases("-k", "windows_processors", "--impl", wrong("none")))
    assert windows.get("skipped", 0) > 10 and "passed" not in windows, windows
    windows = counts(run_cases("-k", "windows_processors", "--impl", wrong("none"), "--profile", "windows"))
    assert windows["passed"] > 10 and "failed" not in windows, windows


def test_an_implementation_that_is_not_there(tmp_path):
    result = run_cases("--impl", tmp_path / "none.so")
    assert result.code == 3 and "none.so" in result.text and "failed" not in counts(result), result


def test_any_name_is_an_item(tmp_path):
    """A file system's names need not be text."""
    (tmp_path / "conformance/cases/odd").mkdir(parents=True)
    shutil.copy(ROOT / "conformance/conftest.py", tmp_path / "conformance")
    for name in "\udcff.cbs", "a\x01 100%41.cbs", "it's [a].cbs":
        shutil.copy(ROOT / "conformance/cases/notify/calls_every_routine.cbs", tmp_path / "conformance/cases/odd" / name)
    result = run_cases(cwd=tmp_path)
    assert result.code == 0 and counts(result)["passed"] == 3, result
