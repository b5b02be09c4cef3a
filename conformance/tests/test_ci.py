"""The CI templates: their shell lines, run in a project that has an implementation."""
import os
import subprocess

import pytest

from conftest import ROOT

yaml = pytest.importorskip("yaml", reason="needs python3-yaml")
SOUND = ROOT / "conformance/implementations/examples/kernel.c"


def github():
    steps = yaml.safe_load((ROOT / "scripts/ci/github.yml").read_text())["jobs"]["cbfuzz"]["steps"]
    return [(step["run"], "failure()" in str(step.get("if"))) for step in steps if "run" in step]


def gitlab():
    job = yaml.safe_load((ROOT / "scripts/ci/gitlab.yml").read_text())["cbfuzz"]
    return [("\n".join(job["before_script"] + job["script"]), False)]  # in one shell, as GitLab does


def plain():
    return [("cbfuzz/scripts/ci/gate src/callback.c", False)]


@pytest.fixture
def project(tmp_path):
    """A project with cbfuzz, built, beside an implementation."""
    (tmp_path / "cbfuzz").symlink_to(ROOT)
    (tmp_path / "src").mkdir()

    def run(steps, source):
        (tmp_path / "src/callback.c").write_text(source)
        failed = None
        for line, also_after_failures in steps:
            if failed is not None and not also_after_failures:
                continue
            done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line], cwd=tmp_path,
                                  env={**os.environ, "CBFUZZ_SECONDS": "2"}, timeout=300, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode and failed is None:
                failed = done
        return failed

    run.folder = tmp_path
    return run


@pytest.mark.parametrize("template, reports", [
    (github, {"conform.xml", "conform.sarif"}), (gitlab, {"conform.xml"}), (plain, {"conform.xml", "conform.sarif"})])
def test_template(project, template, reports):
    sound = SOUND.read_text()
    failed = project(template(), sound)
    assert failed is None, failed.stdout
    made = {path.name for path in project.folder.iterdir()}
    assert reports <= made and "findings" in made
    broken = sound.replace("InsertTailList(", "InsertHeadList(")
    assert broken != sound
    failed = project(template(), broken)
    assert failed.returncode == 1 and "NOTIFY-ORDER" in failed.stdout
    assert template is github or "cbfuzz fuzz:" in failed.stdout, "what the cases found is no reason not to fuzz"
    assert "<failure" in (project.folder / "conform.xml").read_text()
    failed = project(template(), "this is no C\n")
    assert failed.returncode in (1, 2) and "cbfuzz conform" not in failed.stdout


def test_known_failures_of_the_plain_one(project):
    broken = SOUND.read_text().replace("InsertTailList(", "InsertHeadList(")
    assert project(plain(), broken).returncode == 1
    known = project.folder / "cbfuzz-known.txt"
    subprocess.run([ROOT / "build/cbfuzz", "conform", "--impl", "build/mine.so", "--baseline", known, "--update-baseline"],
                   cwd=project.folder, check=True, stdout=subprocess.DEVNULL)
    failed = project(plain(), broken)
    assert " 0 fail" in failed.stdout and failed.returncode == 1, "fuzzing still finds it"


def test_plain_one_without_a_source(project):
    assert project([("cbfuzz/scripts/ci/gate", False)], "").returncode == 2
    assert project([("cbfuzz/scripts/ci/gate --help", False)], "") is None


def test_templates_use_what_the_readme_names():
    for template in "github.yml", "gitlab.yml", "gate":
        assert f"scripts/ci/{template}" in (ROOT / "README.md").read_text()
