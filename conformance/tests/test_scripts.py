"""The script language: errors with their place, names of all kinds, sizes, and the round trip to bytes."""
import os
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conftest import DEMO, ESCAPE, ROOT, run_command, CBFUZZ

CREATE = 'a = create "\\Callback\\Demo" multiple\n'


# Errors


@pytest.mark.parametrize("text, place, words", [
    ("notify a 0x1 0x2", "1:8", "not defined"),
    ("nitify a 0x1 0x2", "1:1", 'did you mean "notify"'),
    ("frobnicate", "1:1", "unknown statement"),
    ("= create", "1:1", "expected a statement"),
    ("a = create", "1:11", "expected a name"),
    ("a = create Demo", "1:12", "expected a name"),
    ('a = create "\\Callback\\Demo', "1:12", "not closed"),
    ('a = create "\\Demo" multiple multiple', "1:29", "twice"),
    ('a = create "\\Demo" multple', "1:20", 'did you mean "multiple"'),
    ('a = create "\\{U+12}"', "1:14", "four hexadecimal digits"),
    ('a = create "\\{"', "1:14", "{U+007B}"),
    ('a = create "\\Demo" -> handle', "1:23", "cannot be expected"),
    ('a = create "\\Demo" -> STATUS_SUCCES', "1:23", 'did you mean "STATUS_SUCCESS"'),
    ('a = create "\\Demo" ->', "1:22", "expected"),
    (CREATE + CREATE, "2:1", "already defined in line 1"),
    (CREATE + "b = notify a 0x1 0x2", "2:1", "returns nothing"),
    (CREATE + "unregister a", "2:12", "is an object"),
    (CREATE + "r = register a F17 0x10", "2:16", "F1 to F16"),
    (CREATE + "r = register a F0 0x10", "2:16", "F1 to F16"),
    (CREATE + "r = register a F1", "2:18", "the context"),
    (CREATE + "r = register a F1 ten", "2:19", "the context"),
    (CREATE + "notify a 0x1 0x2 0x3", "2:18", "end of the line"),
    (CREATE + "notify a 0x1 0x2 -> F1(0x10, 0x1)", "2:33", "behind the first argument"),
    (CREATE + "notify a 0x1 12ab", "2:14", "not a number"),
    (CREATE + "notify a 0x1 -1", "2:14", "a number"),
    ("create = open \"\\Demo\"", "1:1", "word of the language"),
    ("F1 = open \"\\Demo\"", "1:1", "word of the language"),
    ("power_state 0x10000000000000000 0x0", "1:13", "64 bits"),
    ("power_state 18446744073709551616 0x0", "1:13", "64 bits"),
    ("irql PASIVE_LEVEL", "1:6", 'did you mean "PASSIVE_LEVEL"'),
    ("irql 3", "1:6", "PASSIVE_LEVEL, APC_LEVEL or DISPATCH_LEVEL"),
    ("fail_allocation 0", "1:17", "counted from 1"),
    ("fail_allocation 65536", "1:17", "65535"),
    ("routine F1 {", "1:1", "not closed"),
    ("# x\n\n  thread T1 {\nset_system_time\n", "3:3", "not closed"),
    ("routine F1", "1:11", 'expected "{"'),
    ("routine F1 {\nroutine F2 {\n}\n}\n", "2:1", "line 1 opened"),
    ("routine F1 {\n}\nroutine F1 {\n}\n", "3:9", "already has a block"),
    ("thread T9 {\n}\n", "1:8", "T1 to T8"),
    ("}", "1:1", "closes nothing"),
    ("routine F1 { }\n", "1:14", "end of the line"),
    ("set_status STATUS_UNSUCCESSFUL", "1:1", "only in the body of a routine"),
    ("routine F1 {\nnotify nobody 0x1 0x2\n}\n", "2:8", "not defined in this script"),
    ("profile linux", "1:9", "documented or windows"),
    ("profile windows\nprofile windows\n", "2:1", "already given in line 1"),
    ("clause", "1:7", "id of a clause"),
    ("# \u00e9\u4e2d\U0001f600\n\u00e9", "2:1", "expected a statement"),
    ('a = create "\u00e9\u4e2d" multple', "1:17", "multple"),
    ("set_system_time\x00", "1:16", "0x00"),
    ('a = create "\x1b[31m"', "1:13", "{U+001B}"),
    ('a = create "\x7f"', "1:13", "0x7F"),
    ('a = create "\u0085"', "1:13", "U+0085"),
])
def test_error_has_its_place(cbfuzz, script, text, place, words, tmp_path):
    path = script(text)
    failed = cbfuzz("assemble", path, "-o", tmp_path / "out", code=2)
    assert failed.out == "" and f"{path}:{place}: " in failed.err and words in failed.err, failed
    assert ESCAPE not in failed.raw_err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["notify a 0x1 0x2\n", CREATE + "notify b 1 2\n"])
def test_error_is_the_same_in_all_commands(cbfuzz, script, text, tmp_path):
    path = script(text)
    errors = {re.search(rf"{re.escape(str(path))}:\d+:\d+: .*", cbfuzz(*command, code=2).err)[0] for command in
              (["run", path], ["show", path], ["assemble", path, "-o", tmp_path / "out"],
               ["minimize", path, "-o", tmp_path / "out"])}
    assert len(errors) == 1


def test_bad_script_among_good_ones(cbfuzz, script):
    failed = cbfuzz("run", script(DEMO, "good.cbs"), script("notify\n", "bad.cbs"), code=2)
    assert "bad.cbs:1:" in failed.err


def test_not_utf8_is_an_error_with_its_place(cbfuzz, script, tmp_path):
    path = script(CREATE.encode() + b"# caf\xe9\n")
    failed = cbfuzz("assemble", path, "-o", tmp_path / "out", code=2)
    assert f"{path}:2:6: " in failed.err and "0xE9" in failed.err


def test_surrogates_in_utf8_are_no_text(cbfuzz, script, tmp_path):
    path = script(b'a = create "\\\xed\xa0\x80"\n')
    assert f"{path}:1:14: " in cbfuzz("assemble", path, "-o", tmp_path / "out", code=2).err


# What is allowed


@pytest.mark.parametrize("text", [
    DEMO,
    DEMO.replace("\n", "\r\n"),
    "\ufeff" + DEMO,
    DEMO.rstrip("\n"),
    DEMO.replace("0x1 0x2", "1 2"),
    DEMO.replace("0x", "0X"),
    DEMO.replace(" ", "\t"),
    "    " + DEMO.replace("\n", "   \n    "),
], ids=["plain", "cr", "mark", "unended", "decimal", "capital", "tabs", "indented"])
def test_spellings_of_one_script(cbfuzz, script, text):
    plain = cbfuzz("show", script(DEMO, "plain.cbs"), code=0).out
    path = script(text)
    if "\t" not in text:
        assert cbfuzz("show", path, code=0).out == plain
    cbfuzz("run", path, code=0)


def test_star_matches_any_argument(cbfuzz, script):
    cbfuzz("run", script(CREATE + "r = register a F1 0x10\nnotify a 0x1 0x2 -> F1(0x10, *, *)\n"), code=0)
    cbfuzz("run", script(CREATE + "r = register a F1 0x10\nnotify a 0x1 0x2 -> F1(0x11, *, *)\n"), code=1)


def test_processor_events_are_spelled_by_content(cbfuzz, script):
    text = ("profile windows\n\np = register_processor_change F1 0x10\n"
            "add_processor -> F1(0x10, start PROCESSOR, STATUS_SUCCESS) F1(0x10, complete PROCESSOR, *)\n"
            "add_processor fails -> F1(0x10, start NEXT, STATUS_SUCCESS) F1(0x10, failure NEXT, *)\n")
    trace = cbfuzz("run", "--trace", script("profile windows\n\np = register_processor_change F1 0x10\n"
                                            "add_processor\n"), code=0).text
    number = int(re.search(r"start (\d+)", trace)[1])
    cbfuzz("run", script(text.replace("PROCESSOR", str(number)).replace("NEXT", str(number + 1))), code=0)
    cbfuzz("run", script(text.replace("PROCESSOR", str(number + 1)).replace("NEXT", str(number + 1))), code=1)


def test_status_set_by_a_routine(cbfuzz, script):
    text = ("profile windows\n\nroutine F1 {\n    set_status STATUS_UNSUCCESSFUL\n}\n"
            "p = register_processor_change F1 0x10 add_existing -> handle\n")
    shown = cbfuzz("run", "--trace", script(text))
    assert "STATUS_UNSUCCESSFUL" in shown.text, shown


def test_status_set_for_one_processor(cbfuzz, script):
    """Of those that are there (0 and 1) and of a new one; elsewhere the statement does nothing, so it is no misuse."""
    body = "profile windows\n\nroutine F1 {{\n    set_status STATUS_UNSUCCESSFUL {}\n}}\n"
    existing = "p = register_processor_change F1 0x10 add_existing -> "
    called = "F1(0x10, {}, *) "
    cbfuzz("run", script(body.format(1) + existing + "".join(map(called.format, ("start 0", "start 1", "failure 0")))), code=0)
    cbfuzz("run", script(body.format(7) + existing + "".join(map(called.format, ("start 0", "start 1", "complete 0", "complete 1")))
                         + "\na = create \"\\Callback\\Demo\"\nr = register a F1 1\nnotify a 1 2 -> F1(1, 1, 2)\n"), code=0)
    added = body + "p = register_processor_change F1 0x10\nadd_processor -> "
    cbfuzz("run", script(added.format(2) + "".join(map(called.format, ("start 2", "failure 2")))), code=0)
    cbfuzz("run", script(added.format(1) + "".join(map(called.format, ("start 2", "complete 2")))), code=0)


def test_bodies_are_declarations(cbfuzz, script):
    """A body stands below the call that runs it, and uses a name defined below itself."""
    below = CREATE + "r1 = register a F1 0x10\nnotify a 0x1 0x2\nroutine F1 {\n    notify b 0x3 0x4\n}\n" \
        'b = create "\\Callback\\Other" multiple\nr2 = register b F2 0x20\n'
    assert "MISUSE" in cbfuzz("run", script(below), code=0).text  # b is NULL at that time
    forward = CREATE + "routine F1 {\n    notify b 0x3 0x4\n}\n" \
        'b = create "\\Callback\\Other" multiple\nr1 = register a F1 0x10\nr2 = register b F2 0x20\n' \
        "notify a 0x1 0x2\n"
    shown = cbfuzz("run", "--trace", script(forward), code=0)
    assert "F2(0x20, 0x3, 0x4)" in shown.text


def test_name_that_was_not_defined_is_null(cbfuzz, script):
    """Opening fails, so the object is NULL: what notify does with it is the caller's mistake."""
    text = 'a = open "\\Callback\\Nobody" -> error\nnotify a 0x1 0x2\n'
    assert "MISUSE" in cbfuzz("run", script(text), code=0).text


# Names


@pytest.mark.parametrize("name", ["{U+001B}[31m", "{U+0007}", "{U+009B}31m", "{U+202E}", "{U+D800}", "{U+DC00}{U+D800}",
                                  "{U+FFFE}", "{U+0000}", "{U+007B}{U+007D}", '""""', "\U0001f600"])
def test_name_never_reaches_the_output_raw(cbfuzz, script, insert_head, name):
    path = script(f'a = create "\\Callback\\{name}" multiple permanent\nr1 = register a F1 0x10\n'
                  "r2 = register a F2 0x20\nnotify a 0x1 0x2\n")
    shown = [cbfuzz("show", path, code=0), cbfuzz("run", "--trace", path), cbfuzz("show", "--json", path, code=0),
             cbfuzz("run", "--impl", insert_head, "--trace", path)]
    for result in shown:
        for character in result.text:
            assert character == "\n" or (character.isprintable() and not "\x7f" <= character < "\xa0"), result
    assert f"\\{name}\"" in shown[0].out.replace("{U+D83D}{U+DE00}", "\U0001f600")


@pytest.mark.parametrize("units, code", [(32757, 0), (32758, 2), (1000000, 2)])
def test_length_of_a_name(cbfuzz, script, units, code, tmp_path):
    """32,767 units fit a UNICODE_STRING; the folder's ten are part of them."""
    path = script('a = create "\\Callback\\' + "x" * units + '"\n')
    done = cbfuzz("run", path, code=code)
    if code:
        assert f"{path}:1:12: " in done.err and "32767" in done.err
    assert len(done.text) < 100000


def test_longest_name_of_pairs(cbfuzz, script):
    """A character beyond the basic plane is two units."""
    cbfuzz("run", script('a = create "\\' + "\U0001f600" * 16383 + '"\n'), code=0)
    cbfuzz("run", script('a = create "\\' + "\U0001f600" * 16384 + '"\n'), code=2)


def test_every_status_has_its_name(cbfuzz, script):
    """What an implementation may return is a word of the language; codes that are an index are none."""
    header = (ROOT / "cbfuzz/nt/include/ntstatus.h").read_text()
    named = {int(value, 16): name for name, value in re.findall(r"#define (STATUS_\w+) \(\(NTSTATUS\)0x(\w+)\)", header)
             if not re.search("_WAIT_[0-9]+$", name)}
    assert len(named) > 100
    shown = cbfuzz("show", script("".join(f'create "\\Demo" -> {status}\n' for status in named)), code=0).out
    assert re.findall(r" -> (\w+)", shown) == list(named.values())
    for name in named.values():
        assert f'did you mean "{name}"' in cbfuzz("show", script(f'create "\\Demo" -> {name}_\n'), code=2).err


# Sizes


def test_most_statements(cbfuzz, script):
    cbfuzz("run", script("set_system_time\n" * 4096), code=0)
    failed = cbfuzz("run", script("set_system_time\n" * 4097), code=2)
    assert ":4097:1: " in failed.err and "4096" in failed.err


def test_most_of_what_a_script_may_hold_is_run(cbfuzz, script):
    """What can be read can be run: some 12 MB of names, and of comments."""
    names = "".join(f'a{i} = create "\\Callback\\{"n" * 32000}{i}"\n' for i in range(380))
    cbfuzz("run", script(names), code=0)
    cbfuzz("run", script(f"# {'c' * (12 << 20)}\nset_system_time\n"), code=0)


def test_a_million_statements(cbfuzz, script):
    failed = cbfuzz("run", script("set_system_time\n" * 1000000), code=2)
    assert ":4097:1: " in failed.err
    failed = cbfuzz("run", script("power_state 0x1 0x2\n" * 1000000), code=2)
    assert "script.cbs: " in failed.err  # larger than any script: not even read


def test_a_million_lines_of_comments(cbfuzz, script):
    assert ":4097:1: " in cbfuzz("run", script("# text\n" * 1000000), code=2).err


def test_one_endless_line(cbfuzz, script):
    failed = cbfuzz("run", script(CREATE + "notify a 0x1 0x2 -> " + "F1(0x1, 0x2, 0x3) " * 100000), code=2)
    assert "script.cbs:2:" in failed.err and len(failed.err) < 10000


def test_blocks_do_not_nest(cbfuzz, script):
    assert ":2:1: " in cbfuzz("run", script("routine F1 {\n" * 100000), code=2).err
    assert ":1:" in cbfuzz("run", script("{" * 1000000), code=2).err
    assert ":1:" in cbfuzz("run", script("(" * 1000000), code=2).err


def test_endless_recursion_ends(cbfuzz, script):
    """From the fifth level on a body does not run."""
    body = "    notify a 0x1 0x2\n" * 3
    shown = cbfuzz("run", "--trace", script(CREATE + f"r = register a F1 0x10\nroutine F1 {{\n{body}}}\n"
                                            "notify a 0x0 0x0\n"), code=0)
    assert shown.out.count("F1(0x10") == 1 + 3 + 9 + 27 + 81


def test_recursion_over_sixteen_routines_ends(cbfuzz, script):
    text = CREATE + "".join(f"r{i} = register a F{i} 0x10\n" for i in range(1, 17))
    text += "".join(f"routine F{i} {{\n    notify a 0x1 0x2\n    notify a 0x1 0x2\n}}\n" for i in range(1, 17))
    path = script(text + "notify a 0x0 0x0\n")
    assert f"conforms  {path}: as far as it was run" in cbfuzz("run", path, code=0).out


# The round trip


def round_trip(folder, content):
    """Bytes or script -> script -> bytes -> script -> bytes: from the first script on nothing changes."""
    first, encoded, again = folder / "first.cbs", folder / "bytes", folder / "bytes2"
    shown = run_command(CBFUZZ, "show", "-", input=content)
    assert shown.code == 0, shown
    assert not re.search(r"[^\n -~\u00a0-\U0010ffff]", shown.out)
    first.write_bytes(shown.raw_out)
    assembled = run_command(CBFUZZ, "assemble", first, "-o", encoded)
    assert assembled.code == 0, (assembled, shown)
    assert run_command(CBFUZZ, "show", encoded).raw_out == shown.raw_out
    assert run_command(CBFUZZ, "show", first).raw_out == shown.raw_out
    assert run_command(CBFUZZ, "assemble", "-", "-o", again, input=shown.raw_out).code == 0
    assert again.read_bytes() == encoded.read_bytes()


OPCODES = st.binary(min_size=1, max_size=60).map(lambda tail: b"\xcb" + tail)
# Opcodes and small numbers, so that most lines have their operands.
DENSE = st.lists(st.integers(0, 24) | st.integers(0xF0, 0xF6) | st.integers(0, 255), max_size=80).map(
    lambda values: b"\xcb" + bytes(values))

# No text starts with a control character, so this is never taken for a script.
JUNK = st.binary(max_size=60).map(lambda tail: b"\x01" + tail)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(OPCODES | DENSE | JUNK)
@example(b"\xcb")
@example(b"\xcb\x00\x00\xff\x03\x00\xd8\x00\xdc\x1b\x00")
def test_any_bytes_make_the_round_trip(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "round_trip"
    folder.mkdir(exist_ok=True)
    round_trip(folder, content)


@pytest.mark.parametrize("folder", ["seed", "regression"])
def test_corpus_makes_the_round_trip(tmp_path, folder):
    paths = sorted((ROOT / "corpus" / folder).glob("*.cbs"))
    assert paths
    for path in paths[::4]:
        round_trip(tmp_path, path.read_bytes())


def test_show_keeps_everything(cbfuzz, script):
    text = ('# A comment with "quotes" and {braces}.\nprofile windows\nclause NOTIFY-ORDER REGISTER-CONTEXT\n'
            'reading TEMPORARY-NAME-GONE\n\nobject_1 = create "\\Callback\\De""mo{U+0001}" multiple '
            'case_insensitive permanent openif exclusive kernel_handle -> STATUS_SUCCESS  # why\n'
            "x = create unnamed -> 0xC0000123\n"
            "r1 = register object_1 F16 0xffffffffffffffff -> handle\nroutine F16 {\n    irql APC_LEVEL\n"
            "    set_status STATUS_UNSUCCESSFUL\n}\nthread T8 {\n    add_processor fails -> nothing\n}\n"
            "fail_allocation 65535\nnotify object_1 0x0 0x1 -> F16(*, 0x0, start 3) F1(0x1, STATUS_SUCCESS, failure 7)\n")
    assert cbfuzz("show", script(text), code=0).out == text


# Writing


def test_assemble_replaces_by_renaming(cbfuzz, script, tmp_path):
    """Who has the old file open, or another name for it, keeps the old content."""
    folder = tmp_path / "out"
    folder.mkdir()
    out = folder / "entry"
    out.write_text("old")
    os.link(out, folder / "other_name")
    cbfuzz("assemble", script(DEMO), "-o", out, code=0)
    assert (folder / "other_name").read_text() == "old"
    assert out.read_bytes()[:1] == b"\xcb"
    assert sorted(path.name for path in folder.iterdir()) == ["entry", "other_name"]


def test_failed_assemble_leaves_no_trace(cbfuzz, script, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "entry").write_text("old")
    cbfuzz("assemble", script("notify\n"), "-o", folder / "entry", code=2)
    assert [path.name for path in folder.iterdir()] == ["entry"] and (folder / "entry").read_text() == "old"


@pytest.mark.parametrize("text, place", [("frobnicate a\n", "1:1"), ("Notify a 1 2\n", "1:1"), ("# c\nzzz\n", "2:1"),
                                         ("a = b zzz\r\n", "1:5"), ("this is no script at all", "1:1")])
def test_text_without_a_right_line(cbfuzz, tmp_path, text, place):
    """Whatever the file is called it is a script, and wrong; a few characters are bytes."""
    (tmp_path / "file").write_text(text, newline="")
    assert f"file:{place}: unknown statement" in cbfuzz("run", tmp_path / "file", code=2).err
    assert f"{place}: unknown statement" in cbfuzz("show", "-", input=text, code=2).err
    for few in "a b\n", "frobnicate\n", "a\0b zzz zzz zzz\n", "\n":
        cbfuzz("show", "-", input=few, code=0)


def test_words_that_are_names(cbfuzz, script):
    """What the language says in another place only, a program may call its own."""
    path = script('start = create "\\Callback\\Demo"\nhandle = register start F1 0x10 -> handle\n'
                  "error = register_processor_change F2 0x20\nunregister handle\nderegister_processor_change error\n")
    cbfuzz("run", path, code=0)
    assert "handle = register start F1 0x10 -> handle" in cbfuzz("show", path, code=0).out
