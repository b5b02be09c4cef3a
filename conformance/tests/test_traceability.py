"""Traceability: the matrix of clauses, and that each kind of gap in it is found."""
import re
import shutil

import pytest

from conftest import ROOT, read_bugs, run_command

COLUMNS = ["machine", "cases", "wrong", "fuzz"]


@pytest.fixture(scope="module")
def rows(cbfuzz):
    return {row["id"]: row for row in cbfuzz("clauses", "--matrix", "--json", cwd=ROOT).json["clauses"]}


@pytest.fixture
def tree(cbfuzz, tmp_path):
    """A copy of what the matrix is read from; `run` returns its problems."""
    for folder in "spec", "conformance/cases", "conformance/implementations/wrong":
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "conformance/matrix.txt", tmp_path / "conformance")

    def run():
        return cbfuzz("clauses", "--matrix", "--json", cwd=tmp_path)

    run.folder = tmp_path
    run.before = set(run().json["problems"])
    run.new = lambda: set(run().json["problems"]) - run.before
    return run


def change(path, pattern, replacement, count=0):
    text, changed = re.subn(pattern, replacement, path.read_text(), count=count, flags=re.M)
    assert changed, f"{pattern} is not in {path}"
    path.write_text(text)


def test_no_gap(cbfuzz):
    cbfuzz("clauses", "--matrix", cwd=ROOT, code=0)


def test_cells(rows):
    """What the matrix says is what is in the tree, counted in another way."""
    cases = {path.relative_to(ROOT / "conformance/cases").as_posix(): path.read_text()
             for path in (ROOT / "conformance/cases").rglob("*.cbs")}
    machine = {path.name: path.read_text().splitlines() for path in (ROOT / "spec").glob("*.c")}
    for clause, row in rows.items():
        named = {name for name, text in cases.items() if re.search(rf"^clause .*{clause}(?![\w-])", text, re.M)}
        assert set(row["cases"]) == named, clause
        places = {f"{name}:{number}" for name, lines in machine.items() for number, line in enumerate(lines, 1)
                  if re.search(rf"CLAUSE_{clause.replace('-', '_')}\b", line)}
        assert set(row["machine"]) == places, clause
        assert row["fuzz"] == (row["judged"] in ("step", "end"))
        assert {column for column in COLUMNS if row["explained"].get(column)} <= {
            column for column in COLUMNS if not row[column]}


def test_wrong_implementations(rows):
    for bug in read_bugs():
        assert bug[0] in rows[bug[1]]["wrong"]
    assert all(not row["wrong"] for row in rows.values() if row["binds"] == "caller")


def test_text_has_a_row_for_each(cbfuzz, rows):
    shown = cbfuzz("clauses", "--matrix", cwd=ROOT)
    for clause in rows:
        assert re.search(rf"^{clause} +(impl|calls)( +(\d+|\(\d+\)|EMPTY)){{3}} +(yes|\(\d+\)|EMPTY)$", shown.out, re.M), clause
    assert re.fullmatch(rf"cbfuzz clauses: {len(rows)} clauses, \d+ documented, \d+ windows, \d+ cases, "
                        rf"{len(read_bugs())} wrong implementations, \d+ problems", shown.lines[-1])


def test_markdown_is_a_table(cbfuzz, rows):
    shown = cbfuzz("clauses", "--matrix", "--markdown", cwd=ROOT).out
    table = [line for line in shown.splitlines() if line.startswith("|")]
    assert len(table) == len(rows) + 2 and {line.count("|") for line in table} == {6}
    for number in re.findall(r"\[(\d+)\] \|", shown):
        assert re.search(rf"^\[{number}\] .+\.(<br>)?$", shown, re.M)


def test_readme_has_the_matrix(cbfuzz):
    """`make matrix` writes it."""
    shown = cbfuzz("clauses", "--matrix", "--markdown", cwd=ROOT).out
    assert f"<!-- matrix -->\n{shown}<!-- end of matrix -->\n" in (ROOT / "spec/README.md").read_text()


def test_profile_documented(cbfuzz):
    shown = cbfuzz("clauses", "--matrix", "--profile", "documented", cwd=ROOT)
    assert "NOTIFY-ORDER" in shown.out and "WINDOWS-" not in shown.out


def test_a_clause_without_cases(tree):
    for path in (tree.folder / "conformance/cases").rglob("*.cbs"):
        if "CREATE-UNNAMED" in path.read_text():
            path.unlink()
    assert any(problem.startswith("CREATE-UNNAMED: nothing in column cases") for problem in tree.new())
    assert tree().code == 1


def test_a_clause_with_one_case(tree):
    first, *others = [path for path in (tree.folder / "conformance/cases").rglob("*.cbs")
                      if "CREATE-UNNAMED" in path.read_text()]
    for path in others:
        path.unlink()
    assert f"CREATE-UNNAMED: one case ({first.relative_to(tree.folder / 'conformance/cases')}); its plain form and an " \
           "edge are expected" in tree.new()


def test_a_rule_that_no_case_breaks(tree):
    for path in (tree.folder / "conformance/cases").rglob("*.cbs"):
        if "NOTIFY-SYSTEM-OBJECT" in path.read_text():
            path.write_text(re.sub(r"^(clause).*", r"\1 SYSTEM-OBJECTS NOTIFY-SYSTEM-OBJECT",
                                   re.sub(r"^notify.*\n", "", path.read_text(), flags=re.M), flags=re.M))
    assert "NOTIFY-SYSTEM-OBJECT: no case breaks this rule of the caller's" in tree.new()


def test_a_case_that_does_not_break_its_rule(tree):
    path = tree.folder / "conformance/cases/notify/mistake.cbs"
    path.write_text('clause NOTIFY-SYSTEM-OBJECT\na = create "\\Callback\\Demo"\nnotify a 1 2\n')
    assert tree.new() == {"notify/mistake.cbs: it is about NOTIFY-SYSTEM-OBJECT, a rule of the caller's, and does not "
                          "break it"}


@pytest.mark.parametrize("reading, text, line", [
    ("TEMPORARY-NAME-GONE", 'a = create "\\Callback\\Demo"\nb = open "\\Callback\\Demo" -> error\n', 2),
    ("MAKE-TEMPORARY-NAME-KEPT", 'a = create "\\Callback\\Demo" permanent\nmake_temporary a\n'
                                 'b = open "\\Callback\\Demo" -> STATUS_SUCCESS\n', 3),
    ("SAME-ROUTINE-AGAIN", 'a = create "\\Callback\\Demo" multiple\nreference a\nr1 = register a F1 0x10\n'
                           'r2 = register a F1 0x20 -> handle\n', 4)])
def test_a_case_that_is_just_to_one_reading_only(tree, reading, text, line):
    path = tree.folder / "conformance/cases/create/mistake.cbs"
    path.write_text(f"clause CREATE-NEW\n{text}")
    problem, = tree.new()
    assert problem == f"create/mistake.cbs:{line + 1}: it expects what not every implementation that conforms shows"
    path.write_text(f"clause CREATE-NEW\nreading {reading}\n{text}")
    assert not tree.new()


@pytest.mark.parametrize("text", [
    "".join(f'o{i} = create "\\Callback\\Demo{i}" permanent -> STATUS_SUCCESS\n' for i in range(14)),
    f'a = create "\\Callback\\{"x" * 51}" -> STATUS_SUCCESS\n',
    'a = create "\\Callback\\Demo" multiple\n' + 16 * "reference a\n"
    + "".join(f"r{i} = register a F{i % 16 + 1} {i} -> handle\n" for i in range(17))])
def test_a_case_that_needs_more_room_than_is_promised(tree, text):
    path = tree.folder / "conformance/cases/create/mistake.cbs"
    path.write_text(f"clause CREATE-NEW\nreading SAME-ROUTINE-AGAIN\n{text}")
    problem, = tree.new()
    assert problem == (f"create/mistake.cbs:{len(path.read_text().splitlines())}: it expects what not every implementation "
                       "that conforms shows")


def test_a_clause_that_the_machine_has_forgotten(tree):
    for path in (tree.folder / "spec").glob("*.c"):
        path.write_text(path.read_text().replace("CLAUSE_NOTIFY_ORDER", "CLAUSE_NOTIFY_ALL"))
    assert tree.new() == {"NOTIFY-ORDER: nothing in column machine, and no explanation"}


def test_a_clause_that_nothing_breaks(tree):
    bugs = tree.folder / "conformance/implementations/wrong/bugs.def"
    change(bugs, r"\bCREATE-UNNAMED\b", "CREATE-ERROR")
    assert tree.new() == {"CREATE-UNNAMED: nothing in column wrong, and no explanation"}


def test_unknown_ids(tree):
    bugs = tree.folder / "conformance/implementations/wrong/bugs.def"
    change(bugs, r"^WRONG\((\w+), [A-Z0-9-]+", r"WRONG(\1, NO-SUCH-CLAUSE", count=1)
    path = tree.folder / "conformance/cases/create/mistake.cbs"
    path.write_text('clause NO-SUCH-THING\na = create "\\Callback\\Demo"\n')
    found = tree.new()
    assert any(re.fullmatch(r"conformance/implementations/wrong/bugs.def:\d+: unknown clause NO-SUCH-CLAUSE", line)
               for line in found)
    assert any("create/mistake.cbs:1:8: unknown clause" in line for line in found)
    assert tree().code == 2


@pytest.mark.parametrize("line, words", [
    ("NO-SUCH-CLAUSE cases # x", "unknown clause NO-SUCH-CLAUSE"), ("NOTIFY-ORDER cases # x", "nothing to explain"),
    ("NOTIFY-ORDER corners # x", "is expected"), ("NOTIFY-ORDER cases", "is expected"), ("callers cases #", "is expected")])
def test_bad_explanations(tree, line, words):
    path = tree.folder / "conformance/matrix.txt"
    path.write_text(path.read_text() + line + "\n")
    problem, = tree.new()
    assert re.match(r"conformance/matrix.txt:\d+: ", problem) and words in problem
    assert tree().code == 2


def test_explained(tree):
    change(tree.folder / "conformance/implementations/wrong/bugs.def", r"\bCREATE-UNNAMED\b", "CREATE-ERROR")
    path = tree.folder / "conformance/matrix.txt"
    path.write_text(path.read_text() + "CREATE-UNNAMED wrong # for a test\n")
    row, = (row for row in tree().json["clauses"] if row["id"] == "CREATE-UNNAMED")
    assert row["explained"] == {"wrong": "for a test"} and tree.new() == set()


def test_two_clauses_that_say_the_same(tmp_path):
    """The register is compiled in, so a copy of it is built with a twin."""
    for name in "spec", "cbfuzz":
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in "conformance/cases", "conformance/implementations":
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "conformance/matrix.txt", tmp_path / "conformance")
    change(tmp_path / "spec/clauses.def", r'"routines run in the order of their registration"',
           '"Argument2 is passed as it is to each routine."')
    built = run_command("make", "-s", "-C", tmp_path, "all", timeout=600)
    assert built.code == 0, built
    shown = run_command(tmp_path / "build/cbfuzz", "clauses", "--matrix", cwd=tmp_path)
    assert shown.code == 1 and "NOTIFY-ARGUMENT2 and NOTIFY-ORDER say the same" in shown.err


def test_outside_of_a_source_tree(cbfuzz, tmp_path):
    (tmp_path / "conformance/cases").mkdir(parents=True)
    shutil.copy(next((ROOT / "conformance/cases").rglob("*.cbs")), tmp_path / "conformance/cases")
    assert "source tree" in cbfuzz("clauses", "--matrix", cwd=tmp_path, code=2).err


def test_wrong_requests(cbfuzz):
    cbfuzz("clauses", "--markdown", code=2)
