"""The suite is sharp, and just: it fails every wrong implementation by its clause, and no sound one."""
import pytest

from conftest import ROOT, build_impl
from test_wrong import each_bug

SOUND = sorted((ROOT / "conformance/implementations/examples").glob("*.c*"))


@each_bug()
def test_wrong_implementations_fail(cbfuzz, wrong, bug):
    result = cbfuzz("conform", "--json", "--impl", wrong(bug.name), "--profile", bug.profile, timeout=300)
    assert result.code == 1, result
    found = {row["clause"] for row in result.json["cases"] if row["status"] == "fails"}
    assert found & bug.clauses, found


@pytest.mark.parametrize("source", SOUND, ids=lambda path: path.stem)
def test_sound_implementations_pass(cbfuzz, tmp_path, source):
    """Whatever readings they take."""
    built = build_impl(tmp_path / "sound.so", source)
    rows = cbfuzz("conform", "--json", "--impl", built, code=0).json["cases"]
    assert {row["status"] for row in rows} <= {"holds", "skipped"}


def test_the_one_without_a_bug_passes(cbfuzz, wrong):
    for profile in "documented", "windows":
        cbfuzz("conform", "--impl", wrong("none"), "--profile", profile, code=0)
