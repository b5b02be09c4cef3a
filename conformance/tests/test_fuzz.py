"""Fuzzing: repeatable, ends as it should, findings that reproduce, a corpus that grows."""
import re
import shutil

import pytest

from conftest import ROOT, build_impl


def fuzz(cbfuzz, tmp_path, *more, code=None, name="artifacts", timeout=120):
    return cbfuzz("fuzz", "--artifacts", tmp_path / name, "--json", *more, code=code, timeout=timeout)


@pytest.fixture
def corpus(tmp_path):
    """An empty folder for what is found; the project's own corpus is only read."""
    (tmp_path / "corpus").mkdir()
    return tmp_path / "corpus"


def without_seconds(found):
    return {key: value for key, value in found.items() if key != "seconds"}


def test_builtin_conforms(cbfuzz, tmp_path, corpus):
    found = fuzz(cbfuzz, tmp_path, "--runs", "100000", "--seed", "1", corpus, "corpus/seed", "corpus/regression",
                 code=0).json
    assert found["findings"] == [] and found["programs"] >= 100000


def test_builtin_conforms_to_windows(cbfuzz, tmp_path, corpus):
    fuzz(cbfuzz, tmp_path, "--runs", "50000", "--seed", "2", "--profile", "windows", corpus, "corpus/seed", code=0)


@pytest.mark.parametrize("profile", ["documented", "windows"])
def test_another_design_conforms(cbfuzz, tmp_path, wrong, profile, corpus):
    fuzz(cbfuzz, tmp_path, "--runs", "25000", "--seed", "3", "--profile", profile, "--impl", wrong("none"), corpus,
         "corpus/seed", code=0)


def test_runs_are_counted(cbfuzz, tmp_path):
    for runs in (1, 2, 1000):
        found = fuzz(cbfuzz, tmp_path, "--runs", runs, code=0).json
        assert found["programs"] == runs


def test_same_seed_same_run(cbfuzz, tmp_path):
    first, second = (without_seconds(fuzz(cbfuzz, tmp_path, "--runs", "50000", "--seed", "7", code=0).json)
                     for _ in range(2))
    assert first == second


def test_same_seed_same_findings(cbfuzz, tmp_path, wrong):
    def run(name):
        result = fuzz(cbfuzz, tmp_path, "--runs", "4000", "--seed", "7", "--keep-going", "--impl",
                      wrong("object_freed_early"), code=1, name=name)
        found = without_seconds(result.json)
        for finding in found["findings"]:
            finding["file"] = finding["file"].replace(f"/{name}/", "/")
        return found, {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    assert run("first") == run("second")


def test_other_seed_other_run(cbfuzz, tmp_path):
    counts = {fuzz(cbfuzz, tmp_path, "--runs", "3000", "--seed", seed, code=0).json["statements"] for seed in (1, 2, 3)}
    assert len(counts) > 1


def test_seconds_are_kept(cbfuzz, tmp_path):
    assert 1.5 <= fuzz(cbfuzz, tmp_path, "--seconds", "2", code=0).json["seconds"] < 20


def test_artifact_reproduces_as_printed(cbfuzz, tmp_path, insert_head):
    shown = cbfuzz("fuzz", "--runs", "100000", "--seed", "7", "--impl", insert_head, "--artifacts", tmp_path / "found",
                   code=1)
    artifacts = list((tmp_path / "found").iterdir())
    assert len(artifacts) == 1 and re.fullmatch(r"[A-Za-z0-9-]+-[0-9a-f]{8}\.cbs", artifacts[0].name)
    command = re.search(r"^  reproduce (.*)$", shown.out, re.M)[1].split()
    assert command[:2] == [str(cbfuzz.path), "run"] and str(artifacts[0]) in command[-1]
    again = cbfuzz(*command[1:], code=1)
    # The finding reads the same, word for word.
    block = re.search(r"^DIVERGES.*?(?=^  reproduce)", shown.out, re.M | re.S)[0]
    assert block in again.out


def test_artifact_is_minimal(cbfuzz, tmp_path, insert_head):
    finding, = fuzz(cbfuzz, tmp_path, "--runs", "100000", "--seed", "7", "--impl", insert_head, code=1).json["findings"]
    assert finding["clause"] == "NOTIFY-ORDER" and finding["statements"] == 4


def test_keep_going_reports_each_signature_once(cbfuzz, tmp_path, wrong):
    found = fuzz(cbfuzz, tmp_path, "--runs", "20000", "--seed", "7", "--keep-going", "--impl",
                 wrong("single_ignored"), code=1).json
    signatures = [finding["signature"] for finding in found["findings"]]
    assert signatures and len(set(signatures)) == len(signatures)
    assert len(signatures) > 1 and found["programs"] >= 20000
    assert len(list((tmp_path / "artifacts").iterdir())) == len(signatures)


def test_existing_artifacts_stay(cbfuzz, tmp_path, insert_head):
    folder = tmp_path / "artifacts"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    fuzz(cbfuzz, tmp_path, "--runs", "100000", "--impl", insert_head, code=1)
    assert (folder / "mine.txt").read_text() == "mine"


def test_jobs(cbfuzz, tmp_path, insert_head):
    found = fuzz(cbfuzz, tmp_path, "--jobs", "2", "--runs", "20000", code=0).json
    assert found["programs"] >= 20000
    found = fuzz(cbfuzz, tmp_path, "--jobs", "2", "--seconds", "30", "--impl", insert_head, code=1).json
    assert [finding["clause"] for finding in found["findings"]] == ["NOTIFY-ORDER"]


def test_corpus_grows_and_is_replayed(cbfuzz, tmp_path, corpus):
    fuzz(cbfuzz, tmp_path, "--runs", "5000", "--seed", "1", corpus, code=0)
    entries = list(corpus.iterdir())
    assert entries
    cbfuzz("run", corpus, code=0)
    again = fuzz(cbfuzz, tmp_path, "--runs", len(entries) + 1, corpus, code=0).json
    assert again["clauses_exercised"] > 30


def test_corpus_shows_the_finding_at_once(cbfuzz, tmp_path, wrong, corpus):
    """Replay comes before mutation: what the corpus shows needs no luck."""
    shutil.copy(ROOT / "corpus/regression/rare_exit.cbs", corpus)
    finding, = fuzz(cbfuzz, tmp_path, "--runs", "3", "--impl", wrong("rare_exit"), corpus, code=1).json["findings"]
    assert finding["clause"] == "REGISTER-HANDLE"


def test_long_programs_are_replayed_in_full(cbfuzz, tmp_path, wrong, corpus):
    """Longer than what is generated, and longer than any memory that our own code may take."""
    name = "A" * 32000
    text = (ROOT / "corpus/regression/order_last_first.cbs").read_text()
    (corpus / "long.cbs").write_text(text.replace("Callback\\Demo", "Callback\\" + name))
    (corpus / "longer.cbs").write_text("".join(f'a{i} = create "\\Callback\\{name}{i}"\n' for i in range(400)))
    cbfuzz("run", corpus / "longer.cbs", code=0)
    for impl, code, statements in (("builtin", 0, 404), (wrong("order_last_first"), 1, 4)):
        found = fuzz(cbfuzz, tmp_path, "--runs", "2", "--impl", impl, corpus, code=code).json
        assert found["statements"] >= statements
        assert [finding["clause"] for finding in found["findings"]] == ["NOTIFY-ORDER"] * code


def test_only_the_first_folder_is_written_to(cbfuzz, tmp_path, corpus):
    other = tmp_path / "other"
    shutil.copytree(ROOT / "corpus/seed", other)
    before = sorted(path.name for path in other.iterdir())
    fuzz(cbfuzz, tmp_path, "--runs", "5000", "--seed", "1", corpus, other, code=0)
    assert list(corpus.iterdir()) and sorted(path.name for path in other.iterdir()) == before


def test_expectations_of_scripts_are_not_for_their_mutants(cbfuzz, tmp_path, corpus):
    """A script's own expectation holds for the script as it stands."""
    fuzz(cbfuzz, tmp_path, "--runs", "20000", "--seed", "1", corpus, "corpus/seed", code=0)


def test_scripts_and_bytes_serve_as_corpus(cbfuzz, tmp_path, corpus):
    shutil.copy(ROOT / "corpus/seed/mailbox.cbs", corpus)
    cbfuzz("assemble", ROOT / "corpus/seed/power_hook.cbs", "-o", corpus / "entry", code=0)
    (corpus / "junk").write_bytes(bytes(range(256)))
    fuzz(cbfuzz, tmp_path, "--runs", "100", corpus, code=0)
    assert (corpus / "mailbox.cbs").read_bytes() == (ROOT / "corpus/seed/mailbox.cbs").read_bytes()


def test_flags_for_libfuzzer(cbfuzz, tmp_path):
    fuzz(cbfuzz, tmp_path, "--runs", "100", "--", "-max_len=64", code=0)
    assert fuzz(cbfuzz, tmp_path, "--runs", "100", "--", "-no_such_flag_at_all=1").code in (0, 2)


def test_implementation_that_never_comes_back(cbfuzz, tmp_path, wrong, corpus):
    shutil.copy(ROOT / "corpus/regression/rare_endless_loop.cbs", corpus)
    finding, = fuzz(cbfuzz, tmp_path, "--runs", "3", "--impl", wrong("rare_endless_loop"), corpus,
                    code=1).json["findings"]
    assert finding["verdict"] == "hangs"


def test_most_clauses_are_exercised(cbfuzz, tmp_path):
    shown = cbfuzz("fuzz", "--runs", "50000", "--seed", "1", "--profile", "windows", "--artifacts", tmp_path, code=0)
    some, all_of_them = map(int, re.search(r"(\d+) of (\d+) clauses exercised", shown.lines[-1]).groups())
    assert all_of_them > 45 and some >= 0.9 * all_of_them


@pytest.mark.parametrize("flag", ["-merge=1", "-fork=2", "-jobs=4", "-minimize_crash=1", "-help=1"])
def test_other_modes_of_libfuzzer(cbfuzz, flag):
    """They would run no program of ours, and never end."""
    shown = cbfuzz("fuzz", "--json", "--runs", "10", "--", "-max_len=64", flag, code=2, timeout=20)
    assert flag in shown.json["error"]


@pytest.mark.parametrize("flag", ["-artifact_prefix=/no/folder/", "-features_dir=/no/folder", "no_flag"])
def test_flags_with_which_libfuzzer_does_not_begin(cbfuzz, tmp_path, flag):
    """It ends at once, each time that it is started: without an end of ours that would go on for ever."""
    shown = cbfuzz("fuzz", "--runs", "10", "--artifacts", tmp_path, "--", flag, code=2)
    assert "look at the flags after --" in shown.err


SLOW = """\
#define ExNotifyCallback SoundNotifyCallback
#include "%s/conformance/implementations/examples/kernel.c"
#undef ExNotifyCallback

static ULONG Notifications;

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    for (volatile ULONG i = 0; i < 10000000; i++) {
    }
    SoundNotifyCallback(CallbackObject, ++Notifications < 10 ? Argument1 : Argument2, Argument2);
}
"""


def test_minimizing_ends_with_the_run(cbfuzz, tmp_path):
    """Each of its programs takes part of a second, and there are a hundred to be tried."""
    corpus, source = tmp_path / "corpus", tmp_path / "slow.c"
    corpus.mkdir()
    source.write_text(SLOW % ROOT)
    notifications = "".join(f"notify a {i} {i + 20}\n" for i in range(1, 13))
    (corpus / "long.cbs").write_text(f'a = create "\\Callback\\Long" multiple\nr = register a F7 7\n{notifications}')
    found = fuzz(cbfuzz, tmp_path, "--impl", build_impl(tmp_path / "slow.so", source), "--seconds", "2", corpus,
                 code=1).json
    assert found["findings"][0]["clause"] == "NOTIFY-ARGUMENT1" and found["seconds"] < 10, found


@pytest.mark.parametrize("arguments", [["--", "-dict=/nonexistent"], ["/nonexistent/corpus"]])
def test_start_that_fails_says_so_alone(cbfuzz, tmp_path, arguments):
    shown = cbfuzz("fuzz", "--seconds", "60", "--artifacts", tmp_path / "artifacts", *arguments, code=2)
    assert "/nonexistent" in shown.err and shown.err.count("\n") == 1 and "clauses" not in shown.out, shown
