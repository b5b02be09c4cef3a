"""The command line: flags, exit codes, streams, files that are not what they should be, signals."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import termios
import time

import pytest

from conftest import CBFUZZ, DEMO, ESCAPE, LIMIT, ORDER, ROOT

COMMANDS = ["fuzz", "run", "conform", "minimize", "emit-c", "show", "assemble", "doctor", "new-impl",
            "clauses"]
MISUSE = 'a = create "\\Callback\\Demo" multiple\ndereference a\ndereference a\n'
SUMMARY = re.compile(r"cbfuzz fuzz: [\d.]+( M)? programs, [\d.]+( M)? statements, \d+ of \d+ clauses exercised, "
                     r"\d+ findings?, [\d.]+ s(, interrupted)?")


def fuzz_arguments(tmp_path, *more):
    return ["fuzz", "--artifacts", tmp_path / "artifacts", *more]


# Help and versions


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(cbfuzz, command):
    shown = cbfuzz(command, "--help", code=0)
    assert f"cbfuzz {command}" in shown.out and not shown.err
    assert "--json" in shown.out


def test_help_names_all_commands(cbfuzz):
    shown = cbfuzz("--help", code=0)
    assert not shown.err
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", shown.out)


@pytest.mark.parametrize("command", [[], *[[c] for c in COMMANDS]])
def test_version(cbfuzz, command):
    shown = cbfuzz(*command, "--version", code=0)
    assert re.fullmatch(r"cbfuzz \S+\n", shown.out) and not shown.err


def test_help_of_every_flag_that_the_manual_names(cbfuzz):
    manual = (ROOT / "cbfuzz/cbfuzz.1").read_text().replace("\\-", "-")
    synopsis = re.sub(r"\\f.", "", manual[manual.index(".nf") : manual.index(".fi")])
    command = None
    for line in synopsis.splitlines():
        command = (re.findall(r"^cbfuzz ([\w-]+)", line) or [command])[0]
        if command:
            shown = cbfuzz(command, "--help", code=0).out
            for flag in re.findall(r"--[a-z-]+\w|-o\b", line):
                assert flag in shown, f"{command} has no {flag}"


# Wrong requests


def refused(result, *words):
    """The request is wrong: exit 2, standard error says so, standard output has a summary at most."""
    assert result.code == 2 and re.fullmatch(r"(cbfuzz (run|fuzz): .*\n)*", result.out), result
    assert result.err.strip() and ESCAPE not in result.raw_err, result
    for word in words:
        assert word in result.err, result
    return result


def test_no_command(cbfuzz):
    refused(cbfuzz())


def test_unknown_command(cbfuzz):
    refused(cbfuzz("frobnicate"), "frobnicate")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--frobnicate", "-z", "--help-me", "-runs=1"])
def test_unknown_flag(cbfuzz, command, flag):
    refused(cbfuzz(command, flag), flag)


@pytest.mark.parametrize("arguments", [
    ["fuzz", "--seconds", "1", "--runs", "5"],
    ["fuzz", "--seconds", "x"],
    ["fuzz", "--seconds", "-1"],
    ["fuzz", "--runs", "-1"],
    ["fuzz", "--runs", "1.5"],
    ["fuzz", "--runs", "99999999999999999999999"],
    ["fuzz", "--runs", ""],
    ["fuzz", "--jobs", "0"],
    ["fuzz", "--seed", "seven"],
    ["fuzz", "--profile", "linux", "--runs", "1"],
    ["fuzz", "--impl"],
    ["fuzz", "--artifacts"],
    ["fuzz", "--seconds"],
    ["run", "--profile", "linux", "corpus/seed"],
    ["run", "--runs", "3", "corpus/seed"],
    ["run"],
    ["minimize"],
    ["minimize", "corpus/seed/power_hook.cbs"],
    ["minimize", "-o", "/tmp/out"],
    ["show"],
    ["show", "corpus/seed/power_hook.cbs", "corpus/seed/mailbox.cbs"],
    ["assemble"],
    ["assemble", "corpus/seed/power_hook.cbs"],
    ["assemble", "corpus/seed/power_hook.cbs", "-o"],
    ["clauses", "extra"],
])
def test_wrong_request(cbfuzz, arguments):
    refused(cbfuzz(*arguments))


def with_file(command, path, tmp_path):
    return [command, path, "-o", tmp_path / "out"] if command in ("minimize", "assemble") else [command, path]


@pytest.mark.parametrize("command", ["run", "show", "minimize", "assemble"])
@pytest.mark.parametrize("name", ["missing.cbs", "/nonexistent/folder/x.cbs", "file/below", "x" * 300, ""])
def test_missing_file(cbfuzz, command, name, tmp_path):
    (tmp_path / "file").write_text(DEMO)
    path = tmp_path / name if name and not name.startswith("/") else name
    refused(cbfuzz(*with_file(command, path, tmp_path)))
    assert not (tmp_path / "out").exists()


def test_missing_corpus(cbfuzz, tmp_path):
    refused(cbfuzz(*fuzz_arguments(tmp_path, "--runs", "1", "/nonexistent/corpus")), "/nonexistent/corpus")


@pytest.mark.parametrize("command", ["show", "minimize", "assemble"])
def test_folder_for_a_file(cbfuzz, command, tmp_path):
    (tmp_path / "folder").mkdir()
    refused(cbfuzz(*with_file(command, tmp_path / "folder", tmp_path)), "folder")


def test_nothing_selected(cbfuzz, tmp_path):
    refused(cbfuzz("run", tmp_path))


def test_name_of_a_missing_file_is_shown_without_its_escapes(cbfuzz):
    refused(cbfuzz("run", "/nonexistent/\x1b[31m\x07red\n.cbs"))


def test_not_an_implementation(cbfuzz, tmp_path):
    (tmp_path / "text.so").write_text("no shared object")
    refused(cbfuzz("run", "--impl", tmp_path / "text.so", "corpus/seed"), "text.so")
    refused(cbfuzz("run", "--impl", tmp_path / "missing.so", "corpus/seed"), "missing.so")
    refused(cbfuzz("fuzz", "--runs", "1", "--impl", tmp_path / "missing.so"), "missing.so")


def test_implementation_that_lacks_a_routine(cbfuzz, tmp_path):
    from conftest import build_impl
    source = tmp_path / "part.c"
    source.write_text("#include <wdm.h>\n"
                      "NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *O, POBJECT_ATTRIBUTES A, BOOLEAN C, BOOLEAN M)\n"
                      "{ (void)O; (void)A; (void)C; (void)M; return STATUS_UNSUCCESSFUL; }\n")
    part = build_impl(tmp_path / "part.so", source)
    refused(cbfuzz("run", "--impl", part, "corpus/seed"), "ExRegisterCallback")


# Exit codes of what is done


def test_conforms_is_0(cbfuzz, script):
    assert cbfuzz("run", script(DEMO), code=0).lines[-1].startswith("cbfuzz run: ")


def test_misuse_is_0_and_shown(cbfuzz, script):
    shown = cbfuzz("run", script(MISUSE), code=0)
    assert "MISUSE" in shown.text and shown.lines[-1].startswith("cbfuzz run: ")


def test_finding_is_1(cbfuzz, script, insert_head):
    shown = cbfuzz("run", "--impl", insert_head, script(ORDER), code=1)
    assert shown.lines[-1].startswith("cbfuzz run: ")


def test_finding_and_conforming_is_1(cbfuzz, script, insert_head):
    cbfuzz("run", "--impl", insert_head, "corpus/seed/power_hook.cbs", script(ORDER), "corpus/seed/power_hook.cbs",
           code=1)


@pytest.mark.parametrize("arguments", [["clauses"], ["show", "corpus/seed/power_hook.cbs"],
                                       ["clauses", "--json"], ["run", "corpus/seed"], ["--help"]])
def test_full_disk_is_3(cbfuzz, arguments):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([CBFUZZ, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, timeout=LIMIT)
    assert done.returncode == 3 and done.stderr


def test_reader_that_goes_away_is_no_crash(cbfuzz):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([CBFUZZ, "clauses"], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE,
                          timeout=LIMIT, cwd=ROOT)
    os.close(writer)
    assert done.returncode in (0, 3), done


# Files


def test_empty_file_is_an_empty_program(cbfuzz, script):
    cbfuzz("run", script(b"", "empty"), code=0)
    assert cbfuzz("show", script(b"", "empty"), code=0).out == ""


@pytest.mark.parametrize("content", [b"\0", b"\xcb", bytes(range(256)), b"notify a 0x1 0x2\n"])
def test_hundred_megabytes(cbfuzz, tmp_path, content):
    """Bytes are a program, how ever many; a script has an end."""
    path = tmp_path / "large"
    with path.open("wb") as out:
        chunk = content * (1 << 20 >> len(content).bit_length())
        while out.tell() < 100 << 20:
            out.write(chunk)
    for command in ("run", "show"):
        done = cbfuzz(command, path)
        assert done.code == (2 if content.startswith(b"notify") else 0), done
        assert len(done.out) < 50 << 20
    path.unlink()


def test_standard_input(cbfuzz, tmp_path):
    assert cbfuzz("show", "-", input=DEMO, code=0).out.count("notify") == 2
    cbfuzz("run", "-", input=DEMO, code=0)
    cbfuzz("assemble", "-", "-o", tmp_path / "out", input=DEMO, code=0)
    assert cbfuzz("show", "-", input=(tmp_path / "out").read_bytes(), code=0).out == \
        cbfuzz("show", "-", input=DEMO).out
    assert "(standard input):1:8: " in refused(cbfuzz("run", "-", input="notify a 1\n# text\n")).err


def test_closed_standard_input(cbfuzz):
    done = subprocess.run(["sh", "-c", 'exec "$0" run - <&-', CBFUZZ], capture_output=True, timeout=LIMIT)
    assert done.returncode in (2, 3) and done.stderr


@pytest.mark.parametrize("command", ["run", "show", "minimize", "assemble"])
def test_pipe_with_a_name(cbfuzz, tmp_path, command):
    """Nobody writes to it: to open it would be to wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    refused(cbfuzz(*with_file(command, tmp_path / "pipe", tmp_path)), "pipe")


def test_pipe_in_a_folder_does_not_block(cbfuzz, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.cbs").write_text(DEMO)
    assert cbfuzz("run", tmp_path).code in (0, 2)
    assert cbfuzz(*fuzz_arguments(tmp_path, "--runs", "10", tmp_path)).code in (0, 2)


@pytest.mark.parametrize("command", ["run", "show", "minimize", "assemble"])
def test_devices(cbfuzz, tmp_path, command):
    for device in ("/dev/null", "/dev/zero"):
        refused(cbfuzz(*with_file(command, device, tmp_path)), device)


def test_folder_is_searched_to_the_bottom(cbfuzz, tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/demo.cbs").write_text(DEMO)
    (tmp_path / "a/loop").symlink_to(tmp_path)
    programs = cbfuzz("run", "--json", tmp_path, code=0).json["programs"]
    assert len(programs) == 1 and programs[0]["file"].endswith("demo.cbs")


# Output


def test_hostile_names_reach_no_terminal(cbfuzz, tmp_path, insert_head):
    """Folders, implementations, programs and outputs may be called by anybody; C takes no end of a comment from them."""
    folder = tmp_path / "x*" / "\x1b]0;title\x07"
    folder.mkdir(parents=True)
    impl, program = folder / "\x1b[2J.so", folder / "\u202e\n.cbs"
    shutil.copy(insert_head, impl)
    program.write_text(ORDER)
    with_impl = ["--impl", impl, "--artifacts", folder / "found"]
    for arguments in (["run", *with_impl[:2], program], ["fuzz", "--runs", "2000", *with_impl, folder],
                      ["minimize", *with_impl[:2], program, "-o", folder / "\x1b[1m.cbs"],
                      ["emit-c", *with_impl[:2], program, "-o", folder / "\x1b[1m.c"],
                      ["conform", *with_impl[:2], program], ["doctor", *with_impl[:2]]):
        shown = cbfuzz(*arguments)
        assert not set("\x1b\x07\u202e") & set(shown.text), shown
        assert shown.code == (2 if arguments[0] == "conform" else 0 if arguments[0] == "doctor" else 1), shown
    head = (folder / "\x1b[1m.c").read_text().split("*/")[0]
    assert head.rstrip().endswith("otherwise.") and "x*''/" in head


def test_no_escapes_where_there_is_no_terminal(cbfuzz, script, insert_head):
    shown = cbfuzz("run", "--impl", insert_head, script(ORDER), code=1)
    assert ESCAPE not in shown.raw_out + shown.raw_err


def on_terminal(*arguments, columns=0, **environment):
    """What a command prints there, and its exit code."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:  # a bare chroot
        pytest.skip(f"no terminal here: {error}")
    if columns:
        termios.tcsetwinsize(theirs, (24, columns))
    process = subprocess.Popen([CBFUZZ, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT,
                               env={**os.environ, "TERM": "xterm", **environment})
    os.close(theirs)
    seen = b""
    while select.select([ours], [], [], LIMIT)[0]:
        try:
            seen += os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
    os.close(ours)
    return seen, process.wait(LIMIT)


def test_no_color_on_a_terminal(script, insert_head):
    arguments = "run", "--impl", insert_head, script(ORDER)
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        seen, code = on_terminal(*arguments, **environment)
        assert code == 1 and b"NOTIFY-ORDER" in seen and (ESCAPE in seen) == coloured


def test_status_line_fits_the_terminal(tmp_path):
    """A longer one would not be written over, but fill the screen."""
    seen, code = on_terminal(*fuzz_arguments(tmp_path, "--seconds", "1"), columns=40)
    lines = [part for part in seen.split(b"\r" + ESCAPE + b"[K")[1:-1] if part]
    assert code == 0 and lines and all(len(line) < 40 and b"0 findings" in line for line in lines)
    seen, code = on_terminal(*fuzz_arguments(tmp_path, "--seconds", "1"), TERM="dumb")
    assert code == 0 and ESCAPE not in seen


def document(result, command):
    """--json: one document and nothing else; schema and command come first."""
    pairs = json.loads(result.out, object_pairs_hook=list)
    assert [key for key, _ in pairs][:2] == ["schema", "command"]
    found = result.json
    assert found["schema"] == "cbfuzz/1" and found["command"] == command
    assert found["exit"] == result.code
    return found


def test_json_of_run(cbfuzz, script, insert_head):
    found = document(cbfuzz("run", "--json", script(DEMO), script(MISUSE, "misuse.cbs"), code=0), "run")
    demo, misuse = found["programs"]
    assert set(demo) >= {"file", "verdict", "clause", "step"}
    assert demo["verdict"] == "conforms" and misuse["verdict"] == "misuse" and misuse["step"] == 3
    found = document(cbfuzz("run", "--json", "--impl", insert_head, script(ORDER), code=1), "run")
    program = found["programs"][0]
    assert (program["verdict"], program["clause"], program["step"]) == ("diverges", "NOTIFY-ORDER", 4)
    assert program["file"] == str(script(ORDER))


def test_json_of_fuzz(cbfuzz, insert_head, tmp_path):
    found = document(cbfuzz(*fuzz_arguments(tmp_path, "--json", "--runs", "200", "--seed", "1"), code=0), "fuzz")
    assert found["programs"] >= 200 and found["statements"] > 0 and found["seconds"] >= 0
    assert found["findings"] == []
    result = cbfuzz(*fuzz_arguments(tmp_path, "--json", "--runs", "100000", "--impl", insert_head), code=1)
    finding = document(result, "fuzz")["findings"][0]
    assert set(finding) >= {"signature", "verdict", "clause", "file", "statements"}
    assert os.path.exists(os.path.join(ROOT, finding["file"]))


def test_json_of_the_others(cbfuzz, script, tmp_path, insert_head):
    document(cbfuzz("clauses", "--json", code=0), "clauses")
    document(cbfuzz("show", "--json", script(DEMO), code=0), "show")
    document(cbfuzz("assemble", "--json", script(DEMO), "-o", tmp_path / "out", code=0), "assemble")
    document(cbfuzz("minimize", "--json", "--impl", insert_head, script(ORDER), "-o", tmp_path / "min"), "minimize")


def test_json_of_a_wrong_request_is_a_document_or_nothing(cbfuzz, script):
    bad = cbfuzz("run", "--json", script("notify\n"), code=2)
    if bad.out:
        document(bad, "run")
    assert "script.cbs:1:" in bad.err


def test_summary_is_the_last_line(cbfuzz, tmp_path, insert_head):
    shown = cbfuzz(*fuzz_arguments(tmp_path, "--runs", "200"), code=0)
    assert SUMMARY.fullmatch(shown.lines[-1]) and "0 findings" in shown.lines[-1]
    assert re.search(r"\bseed\b\D*\d+", shown.text)
    shown = cbfuzz(*fuzz_arguments(tmp_path, "--runs", "100000", "--impl", insert_head), code=1)
    assert SUMMARY.fullmatch(shown.lines[-1]) and "1 finding" in shown.lines[-1]
    assert cbfuzz("run", "corpus/seed", code=0).lines[-1].startswith("cbfuzz run: ")


# Signals


def busy_child(process):
    """Has a process that it has started, or one of theirs, worked for a tenth of a second?"""
    try:
        children = open(f"/proc/{process}/task/{process}/children").read().split()
        return any(int(open(f"/proc/{child}/stat").read().rsplit(")", 1)[1].split()[11]) * 10 >
                   os.sysconf("SC_CLK_TCK") or busy_child(child) for child in children)
    except OSError:
        return False


def interrupt(tmp_path, arguments, signals, group=False):
    """Starts cbfuzz, sends it signals in the middle of its work, and waits for its end. Nothing temporary is left."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen([CBFUZZ, *map(str, arguments)], cwd=ROOT, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                               env={**os.environ, "TMPDIR": str(scratch)})
    out, deadline = process.stdout.fileno(), time.monotonic() + LIMIT
    first = b""
    try:
        while not busy_child(process.pid) and process.poll() is None:
            assert time.monotonic() < deadline, "nothing works for it"
            if select.select([out], [], [], 0.02)[0]:
                first += os.read(out, 65536)
        for number in signals:
            if group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        rest = process.communicate(timeout=LIMIT)[0]
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    assert not list(scratch.iterdir())
    return process.returncode, (first + rest).decode().splitlines()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted(tmp_path, number, code, group, jobs):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    shutil.copy(ROOT / "corpus/seed/power_hook.cbs", corpus)
    arguments = fuzz_arguments(tmp_path, "--seconds", "40", "--jobs", jobs, corpus)
    ended, lines = interrupt(tmp_path, arguments, [number], group)
    assert ended == code, lines
    assert SUMMARY.fullmatch(lines[-1]), lines
    assert (corpus / "power_hook.cbs").read_bytes() == (ROOT / "corpus/seed/power_hook.cbs").read_bytes()


def test_interrupted_twice(tmp_path):
    arguments = fuzz_arguments(tmp_path, "--seconds", "40")
    ended, lines = interrupt(tmp_path, arguments, [signal.SIGINT, signal.SIGINT])
    assert ended == 130, lines


def catches(process, number):
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (number - 1) & 1


@pytest.mark.parametrize("command", [["run", "-"], ["run", "--json", "-"], ["show", "-"], ["assemble", "-", "-o", "out"],
                                     ["minimize", "-", "-o", "out"], ["emit-c", "-", "-o", "out.c"]])
def test_interrupted_while_it_waits_for_input(tmp_path, command):
    """Somebody has typed - without giving anything, and then Ctrl-C until it ends."""
    with subprocess.Popen([CBFUZZ, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=tmp_path) as waiting:
        deadline = time.monotonic() + LIMIT
        while waiting.poll() is None and time.monotonic() < deadline:
            if catches(waiting.pid, signal.SIGINT):
                waiting.send_signal(signal.SIGINT)
            time.sleep(0.05)
        out, err = waiting.communicate(timeout=LIMIT)
    assert waiting.returncode == 130 and "interrupted" in (out + err).decode() and not list(tmp_path.iterdir())
    if "--json" in command:
        assert json.loads(out)["exit"] == 130


def test_doctor_is_interrupted(tmp_path):
    """What it could not look at is neither missing nor wrong."""
    slow = tmp_path / "clang"
    slow.write_text("#!/bin/sh\ntouch started\nexec sleep 60\n")
    slow.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CC": str(slow)}
    with subprocess.Popen([CBFUZZ, "doctor"], stdout=subprocess.PIPE, env=environment, cwd=tmp_path,
                          start_new_session=True) as doctor:
        while not (tmp_path / "started").exists():
            time.sleep(0.01)
        os.killpg(doctor.pid, signal.SIGTERM)
        out = doctor.communicate(timeout=LIMIT)[0].decode()
    assert doctor.returncode == 143 and out.endswith("0 missing, 0 wrong, interrupted\n"), out


@pytest.mark.parametrize("jobs", [1, 2])
def test_processes_that_are_killed_are_started_again(tmp_path, jobs):
    """By whoever is short of memory: no fault of the implementation's, nor of ours."""
    process = subprocess.Popen([CBFUZZ, *map(str, fuzz_arguments(tmp_path, "--seconds", LIMIT, "--jobs", jobs))], cwd=ROOT,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    killed = 0
    while killed < 5:
        assert process.poll() is None
        for worker in open(f"/proc/{process.pid}/task/{process.pid}/children").read().split():
            if busy_child(process.pid):
                os.kill(int(worker), signal.SIGKILL)
                killed += 1
        time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=LIMIT)[0]
    assert process.returncode == 130 and SUMMARY.fullmatch(out.splitlines()[-1]), out


def test_interrupted_with_findings_keeps_them(tmp_path, insert_head, cbfuzz):
    """Whatever was written until then is whole."""
    arguments = fuzz_arguments(tmp_path, "--seconds", "40", "--keep-going", "--impl", insert_head)
    ended, lines = interrupt(tmp_path, arguments, [signal.SIGINT])
    assert ended == 130, lines
    for artifact in (tmp_path / "artifacts").glob("*.cbs"):
        cbfuzz("run", "--impl", insert_head, artifact, code=1)


# Artifacts folders that do not serve


@pytest.mark.parametrize("folder", ["/dev/null/artifacts", "/proc/artifacts"])
def test_artifacts_that_cannot_be_made(cbfuzz, folder, insert_head):
    done = cbfuzz("fuzz", "--runs", "100000", "--impl", insert_head, "--artifacts", folder)
    assert done.code in (2, 3) and folder in done.err, done


@pytest.mark.parametrize("bound, code", [("-f 0", 3), ("-S -s 128", 0)])
def test_limits_of_the_shell(tmp_path, wrong, bound, code):
    """A limit of file size is a full disk; a small stack is no fault of the implementation's."""
    call = ["sh", "-c", f'ulimit {bound}; TMPDIR="$1"; export TMPDIR; shift; exec "$@"', "sh", tmp_path, CBFUZZ]
    for impl in ("builtin", wrong("none")):
        done = subprocess.run([*call, "fuzz", "--runs", "1000", "--artifacts", tmp_path, "--impl", impl],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, text=True)
        assert done.returncode == code and not list(tmp_path.iterdir()), done


def as_nobody(*command):
    """What root may not do either is not to be had otherwise."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("cannot become somebody else")
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *map(str, command)],
                          cwd="/", stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, text=True)


def test_corpus_that_is_not_ours(script):
    """A corpus that cannot be read, or that programs cannot be added to, is found before the run."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "artifacts").mkdir()
        (folder / "artifacts").chmod(0o777)
        (folder / "corpus").mkdir()
        call = [CBFUZZ, "fuzz", "--runs", "100", "--artifacts", folder / "artifacts"]
        for mode, code in ((0o700, 2), (0o755, 3)):
            (folder / "corpus").chmod(mode)
            done = as_nobody(*call, folder / "corpus")
            assert done.returncode == code and f"{folder}/corpus" in done.stderr, done
            assert "programs" not in done.stdout
        done = as_nobody(*call, folder / "artifacts", folder / "corpus")
        assert done.returncode == 0, done


@pytest.mark.parametrize("filled", [True, False])
def test_artifacts_on_a_full_disk(tmp_path, wrong, filled):
    """No room at all, or for one finding of several: either way exit 3, and what was found is shown."""
    folder = tmp_path / "full"
    folder.mkdir()
    inside = ('mount -t tmpfs -o size=4k none "$1" || exit 99; '
              f'{"head -c 4096 /dev/zero" if filled else "true"} >"$1/filler"; shift; exec "$@"')
    done = subprocess.run(["unshare", "-m", "sh", "-c", inside, "sh", folder, CBFUZZ, "fuzz", "--runs", "20000",
                           "--seed", "7", "--keep-going", "--impl", wrong("single_ignored"), "--artifacts", folder],
                          cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
    if done.returncode == 99 or b"unshare" in done.stderr:
        pytest.skip("no mounts of one's own here")
    assert done.returncode == 3 and bytes(folder) in done.stderr, done
    out = done.stdout.decode()
    assert out.splitlines()[-1].startswith("cbfuzz fuzz: ")
    if not filled:
        assert "REGISTER-SINGLE" in out


def test_output_on_a_path_that_cannot_be(cbfuzz, script):
    for out in ("/dev/null/out", "/nonexistent/out", "/"):
        done = cbfuzz("assemble", script(DEMO), "-o", out)
        assert done.code in (2, 3) and done.err, done


@pytest.mark.parametrize("command", ["assemble", "minimize"])
def test_output_is_a_file(cbfuzz, tmp_path, command):
    """- is standard input, and no name for a file."""
    shown = cbfuzz(command, ROOT / "corpus/seed/mailbox.cbs", "-o", "-", code=2, cwd=tmp_path)
    assert "file is expected" in shown.err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["assemble", "minimize", "emit-c"])
def test_output_through_links_and_into_pipes(cbfuzz, tmp_path, command, insert_head, script):
    """What is no regular file is written to, not replaced: one may be root, and it the machine's /dev/null."""
    call = [command, script(ORDER), *(["--impl", insert_head] if command != "assemble" else [])]
    code = 0 if command == "assemble" else 1
    (tmp_path / "target").write_bytes(b"")
    (tmp_path / "link").symlink_to("target")
    cbfuzz(*call, "-o", tmp_path / "link", code=code)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").stat().st_size
    (tmp_path / "folder").mkdir()
    (tmp_path / "first").symlink_to("folder/second")
    (tmp_path / "folder/second").symlink_to("new")
    cbfuzz(*call, "-o", tmp_path / "first", code=code)
    assert (tmp_path / "folder/second").is_symlink() and (tmp_path / "folder/new").stat().st_size
    (tmp_path / "circle").symlink_to("circle")
    assert "circle: cannot be written" in cbfuzz(*call, "-o", tmp_path / "circle", code=2).err
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        cbfuzz(*call, "-o", tmp_path / "pipe", code=code)
        read = reader.communicate(timeout=LIMIT)[0]
    assert (tmp_path / "pipe").is_fifo()
    if command != "emit-c":  # names its file in its head
        assert read == (tmp_path / "target").read_bytes()
    shown = cbfuzz(*call, "-o", "/dev/full", code=3)
    assert "/dev/full: cannot be written" in shown.err and pathlib.Path("/dev/full").is_char_device()
    piped = subprocess.run([CBFUZZ, *call, "-o", "/dev/stdout"], stdout=subprocess.PIPE, timeout=LIMIT)
    assert piped.returncode == code and read[-100:] in piped.stdout
    assert "<testsuites" in cbfuzz("conform", "notify/*order*", "--junit", "/dev/stdout", code=0).out


def test_bytes_under_any_name(cbfuzz, script, tmp_path):
    """assemble writes them wherever it is told; what is called like a script is read as one."""
    for name in "bytes", "bytes.cbs":
        cbfuzz("assemble", script(ORDER), "-o", tmp_path / name, code=0)
    assert (tmp_path / "bytes").read_bytes() == (tmp_path / "bytes.cbs").read_bytes()
    assert cbfuzz("show", tmp_path / "bytes", code=0).out == cbfuzz("show", script(ORDER), code=0).out
    assert "bytes.cbs:1:1: " in cbfuzz("show", tmp_path / "bytes.cbs", code=2).err


@pytest.mark.parametrize("arguments, says", [
    (["fuzz", "--runs", "1", "no/corpus"], "no/corpus: No such file"),
    (["fuzz", "--artifacts", "/dev/null"], "/dev/null: not a folder"),
    (["run", "no/file"], "no/file: No such file"),
    (["doctor", "--impl", "no/file"], "no/file: No such file"),
    (["minimize", "--impl", "IMPL", "ORDER", "-o", "/no/folder/out"], "/no/folder/out: cannot be written"),
    (["emit-c", "ORDER", "-o", "/no/folder/out"], "/no/folder/out: cannot be written")])
def test_json_says_what_failed_in_the_middle(cbfuzz, script, insert_head, arguments, says):
    """As it does when the mistake is seen before anything is done."""
    named = {"IMPL": insert_head, "ORDER": script(ORDER)}
    shown = cbfuzz(arguments[0], "--json", *[named.get(word, word) for word in arguments[1:]], code=2)
    assert shown.json["error"].startswith(says) and shown.json["exit"] == 2


def test_json_of_a_wrong_option(cbfuzz):
    """The document is there wherever --json stands, for one mistake or another."""
    for arguments in (["fuzz", "--json", "--nope"], ["fuzz", "--runs", "0", "--json"], ["show", "-o", "--json"],
                      ["clauses", "--profile", "x", "--json"], ["run", "--json", "--impl"]):
        shown = cbfuzz(*arguments, code=2)
        assert list(shown.json)[:2] == ["schema", "command"]
        assert shown.json["exit"] == 2 and shown.json["error"] in shown.err


def test_numbers_are_decimal_or_hexadecimal(cbfuzz):
    for text, number in (("010", 10), ("0x10", 16), ("08", 8)):
        assert cbfuzz("fuzz", "--json", "--runs", text, "--seed", "1", code=0).json["programs"] == number
