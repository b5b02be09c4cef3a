"""Minimizing: shorter, still the same finding, never half a file."""
import signal
import subprocess
import time

import pytest

from conftest import CBFUZZ, ORDER, ROOT

NOISE = """\
# A long way to the point.
x = create "\\Callback\\Other" multiple permanent
rx = register x F5 0x50
notify x 0x7 0x8
routine F3 {
    notify x 0x9 0x9
}
a = create "\\Callback\\Demo" multiple permanent case_insensitive
irql APC_LEVEL
irql PASSIVE_LEVEL
r1 = register a F1 0x1000
r3 = register a F3 0x3000
r2 = register a F2 0x2000
set_system_time
unregister r3
power_state 0x3 0x1
reference a
notify a 0xffff 0x2
notify x 0x7 0x8
dereference a
unregister r1
"""


def signature(cbfuzz, impl, path):
    program, = cbfuzz("run", "--json", "--impl", impl, path).json["programs"]
    return program["verdict"], program["clause"]


def statements(text):
    return [line for line in text.splitlines() if line.strip() and not line.startswith(("#", "clause", "profile"))]


def test_minimal_and_the_same(cbfuzz, script, insert_head, tmp_path):
    path, out = script(NOISE), tmp_path / "out.cbs"
    cbfuzz("minimize", "--impl", insert_head, path, "-o", out)
    assert signature(cbfuzz, insert_head, path) == signature(cbfuzz, insert_head, out) == ("diverges", "NOTIFY-ORDER")
    assert len(statements(out.read_text())) == 4, out.read_text()
    assert path.read_text() == NOISE


def test_minimal_stays_as_it_is(cbfuzz, script, insert_head, tmp_path):
    first, second = tmp_path / "first.cbs", tmp_path / "second.cbs"
    cbfuzz("minimize", "--impl", insert_head, script(NOISE), "-o", first)
    cbfuzz("minimize", "--impl", insert_head, first, "-o", second)
    assert first.read_bytes() == second.read_bytes()


def test_bytes_are_minimized_to_a_script(cbfuzz, script, insert_head, tmp_path):
    cbfuzz("assemble", script(NOISE), "-o", tmp_path / "bytes", code=0)
    cbfuzz("minimize", "--impl", insert_head, tmp_path / "bytes", "-o", tmp_path / "out.cbs")
    assert "notify" in (tmp_path / "out.cbs").read_text()


@pytest.mark.parametrize("bug", ["rare_exit", "rare_recursion", "object_never_freed", "name_copy_overrun",
                                 "register_in_call_deadlocks"])
def test_crashes_are_minimized_too(cbfuzz, wrong, bug, tmp_path, script):
    path = script((ROOT / f"corpus/regression/{bug}.cbs").read_text() + "set_system_time\nset_system_time\n")
    out = tmp_path / "out.cbs"
    cbfuzz("minimize", "--impl", wrong(bug), path, "-o", out)
    assert signature(cbfuzz, wrong(bug), path) == signature(cbfuzz, wrong(bug), out)
    assert "set_system_time" not in out.read_text()


def test_nothing_to_minimize(cbfuzz, script, tmp_path):
    """A program that conforms, or is misuse, shows no finding: said, and no file written."""
    shown = cbfuzz("minimize", script(ORDER), "-o", tmp_path / "out.cbs", code=0)
    assert "conforms" in shown.text and not (tmp_path / "out.cbs").exists()
    misuse = script('a = create "\\Callback\\Demo"\ndereference a\ndereference a\n')
    shown = cbfuzz("minimize", misuse, "-o", tmp_path / "out.cbs", code=0)
    assert "misuse" in shown.text and not (tmp_path / "out.cbs").exists()


def test_output_may_be_the_input(cbfuzz, script, insert_head):
    path = script(NOISE)
    cbfuzz("minimize", "--impl", insert_head, path, "-o", path)
    assert len(statements(path.read_text())) == 4


def test_interrupted_at_any_moment(script, insert_head, tmp_path):
    """What has been reached is written, or it was too late or too early for a signal to matter."""
    more = "".join(f'x{i} = create "\\Callback\\Long{i}" multiple\nnotify x{i} {i} 2\ndereference x{i}\n'
                   for i in range(60))
    path = script(more + NOISE, "noise.cbs")
    codes = set()
    for milliseconds in (*range(5, 85, 5), *range(90, 2000, 90)):
        out = tmp_path / f"{milliseconds}.cbs"
        process = subprocess.Popen([CBFUZZ, "minimize", "--impl", insert_head, path, "-o", out], cwd=ROOT,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGINT)
        shown, told = process.communicate(timeout=30)
        codes.add(process.returncode)
        assert process.returncode in (1, 130, -signal.SIGINT), told
        if process.returncode >= 0 and told != b"cbfuzz minimize: interrupted\n":
            assert b"DIVERGES  NOTIFY-ORDER" in shown and out.exists(), (process.returncode, told)
        if milliseconds > 80 and 130 in codes:
            break
    assert 130 in codes
