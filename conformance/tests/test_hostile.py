"""Hostile implementations: whatever they do ends as a finding, and the next program is run.

Each act is one of conformance/implementations/hostile/acts.c. It is done where a program asks for it, while the
implementation is loaded, or while it boots; and once more as on a host that cannot stop system calls.
"""
import re

import pytest

from conftest import ROOT, build_impl

HOSTILE = ROOT / "conformance/implementations/hostile"
ASKS = 'a = create "\\Callback\\Demo" multiple\nr = register a F1 0x666\nnotify a 0x1 0x2\n'
HARMLESS = 'a = create "\\Callback\\Demo" multiple\nr = register a F1 0x10\nnotify a 0x1 0x2 -> F1(0x10, 0x1, 0x2)\n'

# What it does: verdict and kind.
ACTS = {
    # writes outside of its memory
    "write_object": ("crashes", "heap-buffer-overflow"),
    "write_freed": ("crashes", "heap-use-after-free"),
    "write_arena": ("crashes", "heap-buffer-overflow"),
    "write_globals": ("crashes", "SEGV"),
    "write_null": ("crashes", "SEGV"),
    "write_code": ("crashes", "SEGV"),
    "write_harness": ("crashes|hangs", "memory-overwritten|SEGV|time-out"),  # it may hit a lock
    # frees what is not its own
    "free_foreign": ("crashes", "bad-free"),
    "free_stack": ("crashes", "bad-free"),
    "free_twice": ("crashes", "double-free"),
    "unmap": ("crashes", "munmap"),
    # allocates without bound; on a slow machine its time may end before its memory
    "allocate": ("crashes|leaks|hangs", "out-of-memory|heap|time-out"),
    "allocate_blindly": ("crashes|hangs", "out-of-memory|SEGV|time-out"),
    "allocate_small": ("crashes|leaks|hangs", "out-of-memory|heap|time-out"),
    # loops, recurses, waits
    "loop": ("hangs", "time-out"),
    "recurse": ("crashes", "stack-overflow"),
    "wait_for_ever": ("crashes", "pause"),
    # exits
    "exit_0": ("crashes", "exit"),
    "exit_at_once": ("crashes", "exit"),
    "abort": ("crashes", "ABRT"),
    "exit_by_system_call": ("crashes", "exit"),
    "execute": ("crashes", "exec.*"),
    # raises signals
    "divide": ("crashes", "FPE"),
    "trap": ("crashes", "TRAP"),
    "undefined": ("crashes", "ILL"),
    "jump_nowhere": ("crashes", "SEGV"),
    "kill_self": ("crashes", "KILL"),
    "stop_self": ("crashes", "STOP"),
    "terminate_self": ("crashes", "TERM"),
    "interrupt_self": ("crashes", "INT"),
    "kill_parent": ("crashes", "kill"),
    "kill_group": ("crashes", "kill"),
    # changes how signals are dealt with
    "block_signals": ("crashes", "sigprocmask"),
    "ignore_faults": ("crashes", "s?signal"),
    "set_alarm": ("crashes", "alarm"),
    # closes, fills and writes to descriptors
    "close_all": ("crashes", "close"),
    "fill_descriptors": ("crashes", "open.*"),
    "print": ("conforms", None),  # nobody sees it: the streams are not cbfuzz's own
    "write_output": ("conforms", None),
    # changes its process
    "change_folder": ("crashes", "chdir"),
    "change_umask": ("crashes", "umask"),
    "change_limits": ("crashes", "setrlimit.*"),
    # spawns
    "start_threads": ("crashes", "pthread_create"),
    "fork_once": ("crashes", "fork"),
    "fork_and_stay": ("crashes", "fork"),
    # jumps
    "jump_unset": ("crashes", "SEGV"),
    "jump_to_the_past": ("crashes", ".+"),
    # copies memory backwards from then on
    "go_backwards": ("crashes", "direction-flag"),
}
# Harmless to everybody but to the process itself, which is given up.
QUIET = {act for act, (verdict, _) in ACTS.items() if verdict == "conforms"}


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    return build_impl(tmp_path_factory.mktemp("hostile") / "hostile.so", HOSTILE / "hostile.c", HOSTILE / "acts.c")


@pytest.fixture
def run(cbfuzz, script, hostile):
    """Runs the program that asks for the act and a harmless one behind it; returns both results."""
    asks, harmless = script(ASKS, "asks.cbs"), script(HARMLESS, "harmless.cbs")

    def call(act):
        result = cbfuzz("run", "--json", "--impl", hostile, asks, harmless, env={"HOSTILE": act})
        first, second = result.json["programs"]
        assert second["verdict"] == "conforms", result
        return result, first

    return call


def test_every_act_is_in_the_table():
    names = set(re.findall(r'ACT\((\w+)\),|\{"(\w+)",', (HOSTILE / "acts.c").read_text()))
    assert {one or other for one, other in names} == set(ACTS) and len(ACTS) >= 40


@pytest.mark.parametrize("act", ACTS)
def test_ends_as_a_finding(run, act):
    verdict, kind = ACTS[act]
    result, first = run(act)
    assert re.fullmatch(verdict, first["verdict"]), first
    assert result.code == (0 if act in QUIET else 1), result
    if kind:
        assert re.fullmatch(kind, first["kind"]), first


@pytest.mark.parametrize("act", ACTS)
def test_where_system_calls_cannot_be_stopped(run, act):
    """What it does to its own process alone need not be seen; the tool and the next program go on."""
    result, first = run(f"unguarded {act}")
    if "fork" in act:  # two processes would go on with the program
        assert first["kind"] == "fork", first
    assert result.code == (0 if first["verdict"] == "conforms" else 1), result


@pytest.mark.parametrize("act", ACTS)
def test_while_it_is_loaded(cbfuzz, script, hostile, act):
    result = cbfuzz("run", "--impl", hostile, script(HARMLESS), env={"HOSTILE_LOAD": act})
    if act in QUIET:
        assert result.code == 0
    else:
        assert result.code == 2 and result.out == "" and result.err.count("\n") == 1, result
        assert re.match(rf"cbfuzz run: {hostile}: .* while it is loaded", result.err), result


@pytest.mark.parametrize("act", ["write_null", "write_harness", "loop", "exit_0", "abort", "close_all", "fork_once"])
def test_while_it_boots(cbfuzz, script, hostile, act):
    result = cbfuzz("run", "--impl", hostile, script(HARMLESS), env={"HOSTILE_BOOT": act})
    assert result.code == 2 and "while it is loaded" in result.err, result


@pytest.mark.parametrize("act", ["write_harness", "exit_0", "stop_self", "close_all", "allocate_blindly", "loop"])
def test_fuzzing_finds_it(cbfuzz, script, hostile, tmp_path, act):
    """... from a corpus that asks for it, and writes it down."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "asks.cbs").write_text(ASKS)
    result = cbfuzz("fuzz", "--json", "--impl", hostile, "--runs", "1000", "--artifacts", tmp_path / "artifacts", corpus,
                    env={"HOSTILE": act}, code=1)
    finding, = result.json["findings"]
    assert re.fullmatch(ACTS[act][0], finding["verdict"]), finding
    if act != "write_harness":  # it may have written over the program itself
        cbfuzz("run", "--impl", hostile, finding["file"], env={"HOSTILE": act}, code=1)


@pytest.mark.parametrize("act", ["write_harness", "exit_0", "unguarded kill_self", "unguarded close_all"])
def test_fuzzing_goes_on_behind_it(cbfuzz, hostile, tmp_path, act):
    """A program of the corpus that ends each process that reads it is not read again. Who closes everything
    where calls cannot be stopped may be seen or not: that depends on what is opened next."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "asks.cbs").write_text(ASKS)
    found = cbfuzz("fuzz", "--json", "--impl", hostile, "--runs", "2000", "--keep-going", "--artifacts",
                   tmp_path / "artifacts", corpus, env={"HOSTILE": act}, timeout=120,
                   code=None if act == "unguarded close_all" else 1).json
    assert found["exit"] in (0, 1) and found["programs"] >= 2000, found
    assert found["deaths"] < 50 and found["clauses_exercised"] > 50, found


def test_output_is_not_mixed_with_ours(cbfuzz, script, hostile):
    for act in ("print", "write_output"):
        for arguments in (["run", "--trace"], ["run", "--trace", "--json"]):
            shown = cbfuzz(*arguments, "--impl", hostile, script(ASKS), env={"HOSTILE": act}, code=0)
            assert "cbfuzz's output" not in shown.text


# An implementation that crashes often


def test_each_planted_bug_is_named_once(cbfuzz, tmp_path):
    """Thousands of crashes in a minute; here for some seconds, from two seeds: the same six, whoever looks."""
    source = HOSTILE / "crashes_often.c"
    shared = build_impl(tmp_path / "crashes_often.so", source)
    planted = {number for number, line in enumerate(source.read_text().splitlines(), 1) if "planted: " in line}
    seen = []
    for seed in ("1", "2"):
        found = cbfuzz("fuzz", "--json", "--impl", shared, "--seconds", "15", "--seed", seed, "--keep-going",
                       "--artifacts", tmp_path / seed, code=1).json
        assert found["deaths"] >= 50 and found["programs"] > found["deaths"], found
        seen.append(sorted(finding["signature"] for finding in found["findings"]))
        for finding in found["findings"]:
            again = cbfuzz("run", "--json", "--impl", shared, finding["file"], code=1).json["programs"][0]
            assert again["observed"] == finding["observed"]
    assert seen[0] == seen[1] and len(seen[0]) == len(planted) == 6, seen
    lines = {int(re.search(r"crashes_often\.c:(\d+)", signature)[1]) for signature in seen[0]}
    # One is told by the line that calls itself, not by the one that began it.
    assert len(lines & planted) == 5, lines
