"""Whatever the documents leave open, no answer is a finding: one implementation with a switch for each
question is built with each answer alone and with several together. Answers that are not allowed are found."""
import concurrent.futures
import pathlib
import random
import tempfile

import pytest

from conftest import CBFUZZ, ROOT, build_impl, run_command

SOURCE = ROOT / "conformance/implementations/readings/readings.c"
# Answers, the default first, and what conform calls them where the machine has a name for it.
QUESTIONS = {
    "TEMPORARY_NAME": {"GONE": "TEMPORARY-NAME-GONE", "KEPT": "TEMPORARY-NAME-KEPT",
                       "UNTIL_OPENED": "TEMPORARY-NAME-UNTIL-OPENED", "REFERENCED": "TEMPORARY-NAME-REFERENCED"},
    "MADE_TEMPORARY": {"GONE": "MAKE-TEMPORARY-NAME-GONE", "KEPT": "MAKE-TEMPORARY-NAME-KEPT",
                       "ENDED_BY_OPENING": "MAKE-TEMPORARY-NAME-KEPT", "OPENED_EVER": "MAKE-TEMPORARY-NAME-KEPT"},
    "MADE_AGAIN": ["SAME", "GONE"],
    "UNREGISTER_REFERENCE": {"OWN": "UNREGISTER-REFERENCE-OWN", "CALLERS": "UNREGISTER-REFERENCE-CALLERS"},
    "PROCESSOR_ADD": {"PRESENT": "PROCESSOR-ADD-PRESENT", "ABSENT": "PROCESSOR-ADD-ABSENT"},
    "CREATE_AT_APC": {"ALLOWED": "CREATE-AT-APC-ALLOWED", "REFUSED": "CREATE-AT-APC-FORBIDDEN",
                      "STOPS": "CREATE-AT-APC-FORBIDDEN"},
    "REGISTER_NULL": {"REFUSED": "REGISTER-NULL-REFUSED", "STOPS": "REGISTER-NULL-FORBIDDEN",
                      "CRASHES": "REGISTER-NULL-FORBIDDEN", "SPINS": "REGISTER-NULL-FORBIDDEN",
                      "HANDLE_OF_NOTHING": "REGISTER-NULL-FORBIDDEN"},
    "UNREGISTER_NULL": {"IGNORED": "UNREGISTER-NULL-IGNORED", "STOPS": "UNREGISTER-NULL-FORBIDDEN",
                        "CRASHES": "UNREGISTER-NULL-FORBIDDEN", "SPINS": "UNREGISTER-NULL-FORBIDDEN"},
    "UNREGISTER_SELF": {"RETURNS": "UNREGISTER-SELF-RETURNS", "WAITS": "UNREGISTER-SELF-WAITS",
                        "SPINS": "UNREGISTER-SELF-WAITS"},
    "UNREGISTER_RUNNING": ["WAITS", "RETURNS"],
    "SAME_ROUTINE": {"AGAIN": "SAME-ROUTINE-AGAIN", "PAIR_REFUSED": "SAME-ROUTINE-PAIR-REFUSED",
                     "REFUSED": "SAME-ROUTINE-REFUSED"},
    "LATE_ROUTINE": {"NOT_CALLED": "LATE-ROUTINE-NOT-CALLED", "CALLED": "LATE-ROUTINE-CALLED",
                     "EITHER": "LATE-ROUTINE-EITHER"},
    "CHANGE_AGAIN": ["AGAIN", "PAIR_REFUSED", "REFUSED"],
    "CHANGE_STAGES": ["ALL", "START", "COMPLETE", "ENDS"],
    "CHANGE_ARGUMENTS": ["GIVEN", "NONE"],
    "CHANGE_ORDER": ["AFTER", "REVERSED", "BEFORE", "MIXED"],
    "CHANGE_DURING": ["HEARS", "HEARS_NOT"],
    "EXISTING": ["PHASES", "EACH", "START", "COMPLETE", "UNNAMED"],
    "NAMES": ["IN_ROOT", "IN_CALLBACK", "FLAT", "ANY", "MENDED"],
    "ODD_NAMES": ["ALLOWED", "REFUSED", "SOMETIMES"],
    "LONG_NAMES": ["ALLOWED", "REFUSED", "SOMETIMES"],
    "CASES": ["ASCII", "UNICODE", "LATIN"],
    "EXCLUSIVE": ["IGNORED", "REFUSED", "HELD"],
    "ROOM": ["POOL", "SIXTEEN"],
    "CODES": ["WINDOWS", "ONE", "MANY"],
    "FAILED_POINTER": ["SAME", "CLEARED"],
    "HANDLES": ["ADDRESSES", "NUMBERS"],
    "NOTIFY_REFERENCE": ["NONE", "TAKEN"],
}
WRONG = {
    "TEMPORARY_NAME": ["FOR_EVER"], "MADE_TEMPORARY": ["STAYS_PERMANENT"], "UNREGISTER_REFERENCE": ["NOBODYS", "BOTH"],
    "PROCESSOR_ADD": ["SYSTEM_TIME_ABSENT"], "UNREGISTER_SELF": ["IGNORED_INSIDE"],
    "SAME_ROUTINE": ["SAME_HANDLE", "REFUSED_ANYWHERE"], "LATE_ROUTINE": ["CALLED_LATER"],
    "CHANGE_STAGES": ["FAILURES"], "EXISTING": ["FIRST_ONLY", "NOT_AT_ALL"], "NAMES": ["EMPTY_TOO"],
    "CASES": ["NO_CASES", "ALWAYS"], "ROOM": ["FIFTEEN"], "CODES": ["SUCCESSES"],
}
# What the implementation that is otherwise the default needs besides.
NEEDS = {
    ("MADE_TEMPORARY", "ENDED_BY_OPENING"): ("TEMPORARY_NAME", "UNTIL_OPENED"),
    ("MADE_TEMPORARY", "OPENED_EVER"): ("TEMPORARY_NAME", "UNTIL_OPENED"),
    ("CHANGE_ORDER", "BEFORE"): ("PROCESSOR_ADD", "PRESENT"),
    ("CHANGE_ORDER", "MIXED"): ("PROCESSOR_ADD", "PRESENT"),
    ("ROOM", "SIXTEEN"): ("LONG_NAMES", "REFUSED"),
    ("ROOM", "FIFTEEN"): ("LONG_NAMES", "REFUSED"),
}
# Who gives a handle for NULL makes the program misuse, which says nothing of another time.
UNDECIDED = {("REGISTER_NULL", "HANDLE_OF_NOTHING")}


def built(folder, answers):
    """The shared object with these answers, and what they need; all other questions have their defaults."""
    answers = {**answers, **dict(NEEDS[each] for each in answers.items() if each in NEEDS)}
    flags = [f"-D{question}={answer}" for question, answer in answers.items()]
    folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
    return answers, build_impl(folder / "readings.so", SOURCE, flags=["-Wall", "-Wextra", "-Werror", *flags])


def fuzz(shared, runs=20000):
    return run_command(CBFUZZ, "fuzz", "--impl", shared, "--runs", runs, "--seed", 1, "--artifacts", f"{shared}.artifacts")


def complaint(folder, answers, alone):
    """None when it conforms, and takes the readings that were chosen."""
    answers, shared = built(folder, answers)
    conform = run_command(CBFUZZ, "conform", "--json", "--impl", shared)
    fuzzed = fuzz(shared, 2000 if alone else 20000)
    if conform.code or fuzzed.code:
        return f"{answers}\n{conform.err}{fuzzed.out}"
    shown = [row["possible"] for row in conform.json["readings"]]
    for question, names in QUESTIONS.items():
        answer = answers.get(question, next(iter(names)))
        if not isinstance(names, dict):
            continue
        possible = next(each for each in shown if set(each) & set(names.values()))
        if names[answer] not in possible or (alone and len(possible) > 1 and (question, answer) not in UNDECIDED):
            return f"{answers}: {question}={answer}, but conform says {possible}"
    return None


def complaints(folder, many, alone):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return [each for each in pool.map(lambda answers: complaint(folder, answers, alone), many) if each]


def test_each_answer(tmp_path):
    """The implementation with one answer changed; and as it is."""
    alone = [{question: answer} for question, names in QUESTIONS.items() for answer in list(names)[1:]]
    assert len(alone) > 50
    assert not complaints(tmp_path, [{}, *alone], True)


def test_together(tmp_path):
    """Some combinations, the same every time."""
    choose = random.Random(1).choice
    many = [{question: choose(list(names)) for question, names in QUESTIONS.items()} for _ in range(5)]
    assert not complaints(tmp_path, many, False)


def test_windows(tmp_path, cbfuzz):
    """The default is as Windows is."""
    _, shared = built(tmp_path, {})
    cbfuzz("conform", "--impl", shared, "--profile", "windows", code=0)


@pytest.mark.parametrize("question, answer", [(question, answer) for question in WRONG for answer in WRONG[question]])
def test_not_allowed(tmp_path, question, answer):
    _, shared = built(tmp_path, {question: answer})
    assert fuzz(shared).code == 1


@pytest.mark.parametrize("answer, need", NEEDS.items())
def test_what_goes_not_together(tmp_path, answer, need):
    other = next(each for each in QUESTIONS[need[0]] if each != need[1])
    done = run_command(ROOT / "scripts/build-impl", "-o", tmp_path / "x.so", SOURCE, "--", f"-D{answer[0]}={answer[1]}",
                       f"-D{need[0]}={other}")
    assert done.code == 1 and "static assertion failed" in done.err.replace("static_assert failed", "static assertion failed")
