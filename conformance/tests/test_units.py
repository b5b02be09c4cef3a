"""The programs that test one module alone, and a few seconds of each parser's fuzz target."""
import json
import re

import pytest

from conftest import ROOT, run_command

BUILD = ROOT / "build/test"


def run_unit(*command, **more):
    if not (BUILD / command[0]).exists():
        pytest.fail(f"build/test/{command[0]} is missing: run make unit")
    return run_command(BUILD / command[0], *command[1:], **more)


@pytest.mark.parametrize("name", ["environment_test", "executive_test", "endurance_test", "callback_test",
                                  "program_test", "machine_test", "generate_test"])
def test_unit(name):
    done = run_unit(name, timeout=120)
    assert done.code == 0, done


@pytest.mark.parametrize("name", ["fuzz_script", "fuzz_bytes"])
def test_fuzz_target(name, tmp_path):
    corpus = [ROOT / "corpus/seed", ROOT / "corpus/regression"] if name == "fuzz_script" else []
    (tmp_path / "new").mkdir()
    done = run_unit(name, "-max_total_time=5", "-seed=1", f"-artifact_prefix={tmp_path}/", tmp_path / "new", *corpus,
                    timeout=120)
    assert done.code == 0, done
    assert int(re.search(r"Done (\d+) runs", done.text)[1]) > 1000


def test_what_the_benchmark_measures():
    """Its ratio is of programs that ran: checked, and the same ones on the implementation alone."""
    built = run_command("make", "-s", "build/bench/bare", timeout=300)
    assert built.code == 0, built
    measured = json.loads(run_command(ROOT / "build/bench/bare", "1").lines[-1])
    assert measured["sampled_programs"] > 0 and measured["programs_per_s"] > 0
    assert 0 < measured["ratio_to_bare"] < 1, measured
