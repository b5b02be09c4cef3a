"""The register of clauses, as `cbfuzz clauses` prints it."""
import re

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def clauses(cbfuzz):
    return cbfuzz("clauses", "--json", code=0).json["clauses"]


def test_keys(clauses):
    for clause in clauses:
        assert set(clause) >= {"id", "binds", "profile", "document", "section", "text"}
        assert all(isinstance(clause[key], str) and clause[key] for key in ("id", "document", "section", "text"))
        assert clause["binds"] in ("implementation", "caller")
        assert clause["profile"] in ("documented", "windows")


def test_ids_are_words_and_unique(clauses):
    ids = [clause["id"] for clause in clauses]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Z]+\d?(-[A-Z]+\d?)+", name) for name in ids)


def test_sentences_are_unique(clauses):
    assert len({clause["text"] for clause in clauses}) >= len(clauses) - 3


def test_the_documents_are_covered(clauses):
    documented = [clause for clause in clauses if clause["profile"] == "documented"]
    assert len(documented) > 45
    assert {clause["document"] for clause in documented} == {
        "Callback Objects", "Using a Driver-Defined Callback Object", "ExCreateCallback", "ExRegisterCallback",
        "ExNotifyCallback"}


def test_the_register_is_complete(clauses):
    rows = re.findall(r"^CLAUSE\((\w+),", (ROOT / "spec/clauses.def").read_text(), re.M)
    assert [clause["id"] for clause in clauses] == [row.replace("_", "-") for row in rows]


def test_text_has_every_clause(cbfuzz, clauses):
    shown = cbfuzz("clauses", code=0).out
    for clause in clauses:
        assert clause["id"] in shown and clause["text"] in shown


def test_scripts_speak_of_clauses_that_exist(clauses):
    ids = {clause["id"] for clause in clauses}
    for path in (ROOT / "corpus").rglob("*.cbs"):
        for line in re.findall(r"^clause (.*)$", path.read_text(), re.M):
            assert set(line.split()) <= ids, path


def test_bugs_break_clauses_that_exist(clauses):
    from conftest import read_bugs
    ids = {clause["id"] for clause in clauses}
    assert {bug.clause for bug in read_bugs()} <= ids
