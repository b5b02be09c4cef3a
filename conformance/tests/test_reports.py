"""What CI systems read: JUnit against a strict schema, SARIF against what it requires, GitHub's annotations."""
import json
import re
import urllib.parse

import pytest

from conftest import DEMO, ROOT
from test_conform import CREATE, MISUSE, ORDER, SINGLE, WINDOWS, place  # noqa: F401 (a fixture)

etree = pytest.importorskip("lxml.etree", reason="needs python3-lxml")
jsonschema = pytest.importorskip("jsonschema", reason="needs python3-jsonschema")
SCHEMAS = ROOT / "conformance/tests/schemas"


@pytest.fixture(scope="module")
def junit_schema():
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "junit.xsd")))


@pytest.fixture
def reports(place, junit_schema):
    """Runs the suite and returns both reports, each checked against its schema."""

    def make(*arguments, **more):
        result = place.run("--junit", "report.xml", "--sarif", "report.sarif", *arguments, **more)
        junit = etree.parse(str(place.folder / "report.xml"))
        junit_schema.assertValid(junit)
        sarif = json.loads((place.folder / "report.sarif").read_text())
        jsonschema.validate(sarif, json.loads((SCHEMAS / "sarif.json").read_text()))
        return result, junit.getroot(), sarif["runs"][0]

    return make


def by_name(junit):
    return {f"{case.get('classname')}/{case.get('name')}": case for case in junit.iter("testcase")}


def outcome(case):
    return case[0].tag if len(case) else "passed"


@pytest.fixture
def everything(place, reports, insert_head):
    """One case of each status."""
    place.case("a/mistake.cbs", "clause CREATE-NEW\nfrobnicate\n")
    place.case("notify/known.cbs", DEMO)
    place.case("windows/name.cbs", WINDOWS)
    (place.folder / "known.txt").write_text(f"notify/known.cbs # ours\n{SINGLE} # stale\nnotify/gone.cbs # gone\n")
    return reports("--impl", insert_head, "--baseline", "known.txt", code=2)


def test_junit_outcomes(everything):
    _, junit, _ = everything
    found = {name: outcome(case) for name, case in by_name(junit).items()}
    assert found == {"cbfuzz.a/mistake.cbs": "error", "cbfuzz.notify/order.cbs": "failure",
                     "cbfuzz.notify/known.cbs": "skipped", "cbfuzz.notify/single.cbs": "failure",
                     "cbfuzz.notify/gone.cbs": "failure", "cbfuzz.windows/name.cbs": "skipped",
                     "cbfuzz.misuse/notify_power.cbs": "passed"}
    for suite in junit:
        cases = [outcome(case) for case in suite.iter("testcase")]
        for attribute, tag in ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"):
            assert int(suite.get(attribute)) == cases.count(tag)
        assert int(suite.get("tests")) == len(cases)


def test_junit_of_a_failure(everything):
    _, junit, _ = everything
    failure = by_name(junit)["cbfuzz.notify/order.cbs"][0]
    assert failure.get("type") == "diverges NOTIFY-ORDER" and "order of their registration" in failure.get("message")
    for line in ("Two routines of one object", "DIVERGES  NOTIFY-ORDER", "  step 4    notify a 0x1 0x2", "  expected  F1(",
                 "  observed  F2(", "  source    ExNotifyCallback, remarks", "  reproduce "):
        assert line in failure.text
    assert by_name(junit)["cbfuzz.notify/known.cbs"][0].get("message") == "ours"
    assert "known.txt:2" in by_name(junit)["cbfuzz.notify/single.cbs"][0].get("message")
    assert "mistake.cbs:2:1" in by_name(junit)["cbfuzz.a/mistake.cbs"][0].get("message")


def test_junitparser(place, everything):
    junitparser = pytest.importorskip("junitparser", reason="needs python3-junitparser")
    suites = junitparser.JUnitXml.fromfile(str(place.folder / "report.xml"))
    kinds = [type(result).__name__ for suite in suites for case in suite for result in case.result]
    assert sorted(kinds) == ["Error", "Failure", "Failure", "Failure", "Skipped", "Skipped"]
    assert sum(suite.tests for suite in suites) == 7 and sum(suite.failures for suite in suites) == 3


def test_junit_of_the_whole_suite(cbfuzz, junit_schema, tmp_path):
    cbfuzz("conform", "--junit", tmp_path / "report.xml", cwd=ROOT, code=0)
    junit = etree.parse(str(tmp_path / "report.xml"))
    junit_schema.assertValid(junit)
    rows = cbfuzz("conform", "--list", "--json", cwd=ROOT, code=0).json["cases"]
    assert set(by_name(junit.getroot())) == {f"cbfuzz.{row['name']}" for row in rows}


def test_sarif_outcomes(everything):
    result, _, run = everything
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    found = {(one["ruleId"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
              one["locations"][0]["physicalLocation"]["region"]["startLine"]) for one in run["results"]}
    assert found == {("NOTIFY-ORDER", "conformance/cases/notify/order.cbs", 7), ("stale-baseline", "known.txt", 2),
                     ("stale-baseline", "known.txt", 3)}
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])
    invocation, = run["invocations"]
    assert invocation["exitCode"] == result.code and not invocation["executionSuccessful"]
    notification, = invocation["toolExecutionNotifications"]
    assert "mistake.cbs:2:1" in notification["message"]["text"]


def test_sarif_rule_has_the_clause(everything):
    rule, = (rule for rule in everything[2]["tool"]["driver"]["rules"] if rule["id"] == "NOTIFY-ORDER")
    assert rule["shortDescription"]["text"] == "routines run in the order of their registration"
    assert "ExNotifyCallback, remarks" in rule["help"]["text"]


def fingerprints(run):
    return sorted((one["ruleId"], one["partialFingerprints"]["primaryLocationLineHash"]) for one in run["results"])


def test_fingerprints_are_stable(place, reports, wrong, insert_head):
    """Twice, with other cases around it, with lines before it, and of an implementation elsewhere."""
    _, _, run = reports("--impl", insert_head, code=1)
    first = fingerprints(run)
    assert len(first) == 1 and fingerprints(reports("--impl", insert_head, code=1)[2]) == first
    place.case("notify/another.cbs", DEMO)
    assert set(first) < set(fingerprints(reports("--impl", insert_head, code=1)[2]))
    (place.cases / "notify/another.cbs").unlink()
    place.case(ORDER, "# A line.\n\n" + DEMO)
    assert fingerprints(reports("--impl", wrong("order_last_first"), code=1)[2]) == first


def test_fingerprints_differ(place, reports, insert_head):
    for name in "notify/b.cbs", "other/order.cbs", "notify/c.cbs":
        place.case(name, DEMO)
    found = fingerprints(reports("--impl", insert_head, code=1)[2])
    assert len(set(found)) == 4


@pytest.mark.parametrize("bug", ["rare_exit", "object_freed_early", "irql_waits_in_notify", "rare_recursion"])
def test_a_crash_is_a_result(place, reports, wrong, bug):
    text = (ROOT / f"corpus/regression/{bug}.cbs").read_text()
    place.case("a/crash.cbs", text if "\nclause" in text else "clause ROUTINE-TASKS\n" + text)
    result, junit, run = reports("--impl", wrong(bug), "a", code=1)
    one, = run["results"]
    assert one["ruleId"] in result.out and outcome(by_name(junit)["cbfuzz.a/crash.cbs"]) == "failure"
    assert fingerprints(reports("--impl", wrong(bug), "a", code=1)[2]) == fingerprints(run)


def test_nothing_to_report(reports):
    _, junit, run = reports(code=0)
    assert run["results"] == [] and run["invocations"][0]["executionSuccessful"]
    assert {outcome(case) for case in junit.iter("testcase")} == {"passed"}


def test_hostile_texts(place, reports, insert_head):
    """Nothing that a name or a comment holds breaks a report; cases that differ have names that differ."""
    names = ["a\x01.cbs", "a\x02.cbs", "<&\"'>.cbs", "]]>.cbs", "a b%20.cbs", "\udcff.cbs", "\udcfe.cbs", "\ufffe.cbs",
             "\u202e.cbs", "x" * 200 + ".cbs"]
    for name in names:
        path = place.cases / "odd\x1f]]>" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("# ]]> <evil/> & \u202e\n" + DEMO.replace("\\Demo", "\\{U+0001}]]>&<"))
    _, junit, run = reports("--impl", insert_head, "odd*", code=1)
    assert len(by_name(junit)) == len(names) == len(run["results"])
    assert len({one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]}) == len(names)
    for one in run["results"]:
        uri = one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert (place.folder / urllib.parse.unquote(uri, errors="surrogateescape")).exists()


def test_paths_are_those_of_the_checkout(place, reports, insert_head):
    for name in "GITHUB_WORKSPACE", "CI_PROJECT_DIR":
        _, _, run = reports("--impl", insert_head, code=1, env={name: str(place.cases)})
        assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == ORDER


# GitHub Actions

COMMAND = re.compile(r"^::error file=([^,:]*),line=(\d+),title=([^,:]*)::(.*)$", re.M)


def on_github(place, *arguments, summary="summary.md", **more):
    return place.run(*arguments, env={"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(place.folder),
                                      "GITHUB_STEP_SUMMARY": str(place.folder / summary)}, **more)


def unescape(text):
    return text.replace("%3A", ":").replace("%2C", ",").replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")


def test_annotations(place, insert_head):
    place.case("a/mistake.cbs", "clause CREATE-NEW\nfrobnicate\n")
    (place.folder / "known,: 100%.txt").write_text(f"{SINGLE} # stale, 100 %: really\n")
    shown = on_github(place, "--impl", insert_head, "--baseline", "known,: 100%.txt", code=2)
    found = {tuple(map(unescape, words)) for words in COMMAND.findall(shown.out)}
    assert len(found) == shown.out.count("::error") == 3
    files = {(file, int(line), title): text for file, line, title, text in found}
    order = files["conformance/cases/" + ORDER, 7, ORDER]
    assert order.startswith("diverges NOTIFY-ORDER: ") and "\nnotify a 0x1 0x2\nexpected F1(" in order
    assert "stale, 100 %: really" in files["known,: 100%.txt", 1, SINGLE]
    assert "mistake.cbs:2:1" in files["conformance/cases/a/mistake.cbs", 2, "a/mistake.cbs"]
    assert shown.lines[-1].startswith("cbfuzz conform: ")


def test_annotations_of_hostile_names(place, insert_head):
    """Text that shows, on one line: what a name holds ends neither the command nor the log's encoding."""
    for name in "\udcff.cbs", "\x1b[31m\n::error::x.cbs", "\u202e.cbs":
        place.case(f"odd/{name}", DEMO)
    shown = on_github(place, "--impl", insert_head, "odd", code=1)
    assert len(COMMAND.findall(shown.out)) == len(re.findall("^::", shown.out, re.M)) == 3
    assert not re.search("[\x1b\u202e\ufffd]", shown.out)


def test_step_summary(place, insert_head):
    place.case("a/pipe|`x`.cbs", DEMO)
    path = place.folder / "summary.md"
    path.write_text("before\n")
    on_github(place, "--impl", insert_head, code=1)
    text = path.read_text()
    assert text.startswith("before\n### cbfuzz conform: ") and "\n| 4 | 2 | 2 | 0 |" in text
    rows = [re.split(r"(?<!\\)\|", line) for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == 2 and all(len(row) == 5 and row[2].strip() == "fails" for row in rows)
    on_github(place, code=1, *["--impl", insert_head])
    assert path.read_text().count("###") == 2, "appended"


def test_step_summary_that_cannot_be_written(place):
    """Found before the run, as with other reports; what stands there stays as it is."""
    for summary in "nowhere/summary.md", "conformance":
        shown = on_github(place, summary=summary, code=2)
        assert shown.out == "" and re.fullmatch(r"cbfuzz conform: \$GITHUB_STEP_SUMMARY: .*: cannot be written: .*\n",
                                                shown.err), shown
    on_github(place, "no/such/case", code=2)
    assert not (place.folder / "summary.md").exists()


def test_json_stays_one_document_on_github(place, insert_head):
    shown = on_github(place, "--json", "--impl", insert_head, code=1)
    assert shown.json["exit"] == 1 and COMMAND.search(shown.err)


def test_no_annotations_elsewhere(place, insert_head):
    assert "::error" not in place.run("--impl", insert_head, code=1, env={"GITHUB_ACTIONS": "false"}).text
