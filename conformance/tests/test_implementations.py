"""--impl: files that are no implementation, implementations that do not start, and files that change during a run."""
import os
import re
import shutil
import struct
import subprocess
import time

import pytest

from conftest import CBFUZZ, LIMIT, ROOT, build_impl

KERNEL = ROOT / "conformance/implementations/examples/kernel.c"
PROGRAM = "corpus/seed/mailbox.cbs"
EM_386, EM_AARCH64 = 3, 183


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    return build_impl(tmp_path_factory.mktemp("kernel") / "kernel.so", KERNEL)


@pytest.fixture
def copy(kernel, tmp_path):
    """A copy of a good implementation with some bytes of its file changed."""

    def make(*changes, name="mine.so", size=None):
        data = bytearray(kernel.read_bytes()[:size])
        for at, new in changes:
            data[at : at + len(new)] = new
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    return make


@pytest.fixture
def variant(tmp_path):
    """The kernel-style example with more source behind it."""

    def make(more, *flags, start="CbfuzzInitialize"):
        source = tmp_path / "variant.c"
        source.write_text(KERNEL.read_text().replace("NTSTATUS CbfuzzInitialize(VOID) {", f"NTSTATUS {start}(VOID) {{")
                          + more)
        return build_impl(tmp_path / "variant.so", source, flags=flags)

    return make


def refused(cbfuzz, path, *words, command=("run",)):
    """Exit 2, one line that names the file and says these words; each command alike."""
    result = cbfuzz(*command, "--impl", path, *([PROGRAM] if command == ("run",) else []), code=2)
    assert result.out == "" and result.err.count("\n") == 1, result
    assert str(path) in result.err, result
    for word in words:
        assert word in result.err, result
    return result


# Files that are none


@pytest.mark.parametrize("path, words", [
    ("/nonexistent/mine.so", ["No such file"]),
    ("README.md", ["not a shared object", "scripts/build-impl"]),
    ("scripts", ["is a folder"]),
    ("/dev/null", ["not a regular file"]),
    ("README.md/mine.so", ["Not a directory"]),
    ("x" * 300, ["too long"]),
])
@pytest.mark.parametrize("command", [("run",), ("fuzz", "--runs", "1"), ("conform",)])
def test_no_shared_object(cbfuzz, path, words, command, tmp_path):
    refused(cbfuzz, path, *words, command=(*command, *(["--artifacts", tmp_path] if command[0] == "fuzz" else [])))


def test_empty_name(cbfuzz):
    assert cbfuzz("run", "--impl", "", PROGRAM, code=2).err.count("\n") == 1


def test_empty_file(cbfuzz, copy):
    refused(cbfuzz, copy(size=0), "not a shared object")


def test_fifo_is_not_waited_for(cbfuzz, tmp_path):
    os.mkfifo(tmp_path / "fifo.so")
    refused(cbfuzz, tmp_path / "fifo.so", "not a regular file")


def test_object_file(cbfuzz, tmp_path):
    source = tmp_path / "one.c"
    source.write_text("int one;\n")
    subprocess.run(["clang", "-c", source, "-o", tmp_path / "one.so"], check=True, timeout=LIMIT)
    refused(cbfuzz, tmp_path / "one.so", "an object file", "scripts/build-impl")


def test_program(cbfuzz):
    refused(cbfuzz, "/bin/true")


@pytest.mark.parametrize("size", [10, 40, 1000, 20000])
def test_cut_short(cbfuzz, copy, size):
    refused(cbfuzz, copy(size=size), "cut short")


def test_cut_in_its_last_segment(cbfuzz, copy, kernel):
    """One byte of what is loaded is missing; of what is not, section headers and names, all may be."""
    with open(kernel, "rb") as file:
        data = file.read()
    first, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    rows = [struct.unpack_from("<IIQQQQQQ", data, first + i * size) for i in range(count)]
    end = max(offset + length for kind, _, offset, _, _, length, _, _ in rows if kind == 1)
    refused(cbfuzz, copy(size=end - 1), "cut short")
    cbfuzz("run", "--impl", copy(size=end), PROGRAM, code=0)


@pytest.mark.parametrize("machine, bits, name", [(EM_AARCH64, 2, "aarch64"), (EM_386, 1, "i386"), (12345, 2, "12345")])
def test_other_machines(cbfuzz, copy, machine, bits, name):
    path = copy((18, struct.pack("<H", machine)), (4, bytes([bits])))
    refused(cbfuzz, path, f"built for {'machine ' if name == '12345' else ''}{name}", "x86-64 is expected")


@pytest.mark.parametrize("at", [24, 32, 40, 54, 64, 200, 700])
def test_broken_inside(cbfuzz, copy, at):
    """The dynamic linker may crash over it: in a process of its own."""
    result = cbfuzz("run", "--impl", copy((at, b"\xff\xfe\x7f\x01\xff\xff\x55\x55")), PROGRAM)
    assert result.code in (0, 2) and (result.code == 0 or result.err.count("\n") == 1), result


# Implementations that do not start


def test_missing_routine_is_named(cbfuzz, tmp_path):
    for missing in ("ExCreateCallback", "ExRegisterCallback", "ExUnregisterCallback", "ExNotifyCallback"):
        built = build_impl(tmp_path / "part.so", KERNEL, flags=[f"-D{missing}=Other"])
        refused(cbfuzz, built, f"exports no {missing};")


def test_routines_go_in_pairs(cbfuzz, variant):
    built = variant("PVOID KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION F, PVOID C, ULONG U)\n"
                    "{ (void)F; (void)C; (void)U; return NULL; }\n")
    refused(cbfuzz, built, "KeRegisterProcessorChangeCallback", "no KeDeregisterProcessorChangeCallback")


def test_more_memory_than_there_is(cbfuzz, variant):
    """... taken by a constructor that does not look whether there is any."""
    built = variant("void *malloc(SIZE_T);\n__attribute__((constructor)) static VOID Load(VOID) {\n"
                    "for (;;) { volatile CHAR *Block = malloc(1 << 20);\n"
                    "for (ULONG i = 0; i < 1 << 20; i += 4096) Block[i] = 1; } }\n")
    refused(cbfuzz, built, "more than the 512 MiB of memory")


def test_routine_that_the_environment_does_not_have(cbfuzz, variant):
    built = variant("NTSTATUS IoNoSuchRoutine(VOID);\nNTSTATUS Use(VOID) { return IoNoSuchRoutine(); }\n")
    refused(cbfuzz, built, "needs IoNoSuchRoutine")


def test_initialization_that_fails(cbfuzz, variant):
    built = variant("NTSTATUS CbfuzzInitialize(VOID) { return STATUS_INSUFFICIENT_RESOURCES; }\n", start="Started")
    refused(cbfuzz, built, "CbfuzzInitialize failed", "STATUS_INSUFFICIENT_RESOURCES")


def test_initialization_that_breaks_a_rule(cbfuzz, variant):
    built = variant("NTSTATUS CbfuzzInitialize(VOID) { ExFreePool((PVOID)16); return 0; }\n", start="Started")
    refused(cbfuzz, built, "PoolBadFree")


@pytest.mark.parametrize("body, word", [
    ("*(volatile int *)8 = 1;", "SEGV, in Constructor (variant.c:"), ("for (;;) ;", "hangs"), ("exit(5);", "exit(5)"),
    ("abort();", "abort"), ("fork();", "fork")])
def test_constructors(cbfuzz, variant, body, word):
    built = variant("#include <stdlib.h>\n#include <unistd.h>\n"
                    f"__attribute__((constructor)) static void Constructor(void) {{ {body} }}\n")
    refused(cbfuzz, built, word, "while it is loaded")


def test_destructors_do_no_harm(cbfuzz, variant):
    """They never run: its processes end without them, and ours has none of it."""
    built = variant("#include <stdlib.h>\n__attribute__((destructor)) static void Last(void) { abort(); }\n")
    cbfuzz("run", "--impl", built, PROGRAM, code=0)


def test_not_instrumented(cbfuzz, tmp_path):
    """Says so, and goes on without guidance."""
    shared = tmp_path / "plain.so"
    subprocess.run(["clang", "-shared", "-fPIC", "-fshort-wchar", "-fms-extensions", "-Wno-microsoft", "-Wno-multichar",
                    "-I", ROOT / "cbfuzz/nt/include", "-o", shared, KERNEL], check=True, timeout=LIMIT)
    result = cbfuzz("fuzz", "--impl", shared, "--runs", "3000", "--seed", "1", "--artifacts", tmp_path, code=0)
    assert "not instrumented" in result.err and "scripts/build-impl" in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize("compiler, sanitizer, word", [("clang", "thread", "__tsan_"), ("clang", "memory", "__msan_"),
                                                       ("gcc", "address", "libasan.so")])
def test_another_sanitizer(cbfuzz, tmp_path, compiler, sanitizer, word):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler} here")
    shared = tmp_path / "other.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-fshort-wchar", "-fms-extensions", f"-fsanitize={sanitizer}",
                    "-I", ROOT / "cbfuzz/nt/include", "-o", shared, KERNEL], check=True, timeout=LIMIT)
    refused(cbfuzz, shared, f"needs {word}", "sanitizer", "scripts/build-impl")


def test_library_that_is_not_there(cbfuzz, tmp_path):
    """The one that is missing is named, not what needs it."""
    (tmp_path / "empty.c").write_text("int Empty;\n")
    subprocess.run(["clang", "-shared", "-fPIC", "-o", tmp_path / "libcompanion.so", tmp_path / "empty.c"], check=True)
    built = build_impl(tmp_path / "needs.so", KERNEL,
                       flags=["-Wl,--no-as-needed", f"-L{tmp_path}", "-lcompanion"])
    refused(cbfuzz, built, "libcompanion.so: cannot open shared object file")


def test_one_implementation_at_a_time(cbfuzz, kernel):
    for command in (["run", PROGRAM], ["fuzz", "--runs", "1"], ["conform"], ["doctor"]):
        done = cbfuzz(command[0], "--impl", kernel, "--impl", kernel, *command[1:], code=2)
        assert "--impl" in done.err and "twice" in done.err


# Where it is, and what becomes of the file


@pytest.mark.parametrize("name", ["with a space.so", "it's.so", "-dash.so", "ünïcode.so", "no_suffix", "a;b&c.so"])
def test_names(cbfuzz, copy, name):
    path = copy(name=name)
    cbfuzz("run", "--impl", path, PROGRAM, code=0)
    cbfuzz("run", "--impl", name if name[0] != "-" else f"./{name}", ROOT / PROGRAM, cwd=path.parent, code=0)


def test_link_to_it(cbfuzz, copy, tmp_path):
    (tmp_path / "link.so").symlink_to(copy())
    cbfuzz("run", "--impl", tmp_path / "link.so", PROGRAM, code=0)


@pytest.mark.parametrize("change", ["remove", "truncate", "garbage", "replace"])
def test_file_changes_during_the_run(copy, wrong, tmp_path, change):
    """What was there at the start is what is run, to the end and by every process."""
    path = copy()
    process = subprocess.Popen([CBFUZZ, "fuzz", "--impl", path, "--seconds", "4", "--jobs", "2", "--artifacts",
                                tmp_path / "artifacts"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert b"seed" in process.stdout.readline()
    time.sleep(1)
    if change == "remove":
        path.unlink()
    elif change == "truncate":
        os.truncate(path, 100)
    elif change == "garbage":
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
    else:
        shutil.copyfile(wrong("order_last_first"), path)  # in place
    out = process.communicate(timeout=LIMIT)[0].decode()
    assert process.returncode == 0 and " 0 findings" in out, out


def test_globals_are_put_back(cbfuzz, tmp_path, script):
    """Static, exported, thread-local, large, or behind a pointer that is relocated."""
    source = tmp_path / "globals.c"
    source.write_text(KERNEL.read_text().replace("ExNotifyCallback(", "KernelNotify(").replace(
        "NTSTATUS CbfuzzInitialize(", "NTSTATUS Started(") + """
int Count, Exported = 5;
static __thread int Local = 7;
static char Large[100000];
static int *const Behind = &Exported;
NTSTATUS CbfuzzInitialize(VOID) { Local = 8; Large[99999] = 1; return Started(); }
VOID ExNotifyCallback(PVOID O, PVOID A, PVOID B) {
    if (Count++ != 0 || *Behind != 5 || Local != 8 || Large[99999] != 1 || Large[4] != 0) {
        KeBugCheckEx(0xBAD, 0, 0, 0, 0);
    }
    *Behind = 6; Local = 9; Large[99999] = 2; Large[4] = 1;
    KernelNotify(O, A, B);
}
""")
    shared = build_impl(tmp_path / "globals.so", source)
    once = script('a = create "\\Callback\\Demo" multiple\nnotify a 1 2\n', "once.cbs")
    twice = script('a = create "\\Callback\\Demo" multiple\nnotify a 1 2\nnotify a 1 2\n', "twice.cbs")
    cbfuzz("run", "--impl", shared, once, once, once, code=0)
    programs = cbfuzz("run", "--json", "--impl", shared, once, twice, once, code=1).json["programs"]
    assert [program["verdict"] for program in programs] == ["conforms", "bugchecks", "conforms"]


def test_what_is_left_is_a_leak(cbfuzz, tmp_path, script):
    """Once is enough, and a global that still points to it is no excuse."""
    source = tmp_path / "keeps.c"
    source.write_text(KERNEL.read_text().replace("ExNotifyCallback(", "KernelNotify(") + """
PVOID Kept;
VOID ExNotifyCallback(PVOID O, PVOID A, PVOID B) {
    if (Kept == NULL) Kept = ExAllocatePoolWithTag(NonPagedPoolNx, 40, 'tpeK');
    KernelNotify(O, A, B);
}
""")
    shared = build_impl(tmp_path / "keeps.so", source)
    made = 'a = create "\\Callback\\Demo" multiple\n'
    programs = cbfuzz("run", "--json", "--impl", shared, script(made, "made.cbs"), script(made + "notify a 1 2\n", "told.cbs"),
                      code=1).json["programs"]
    assert [program["verdict"] for program in programs] == ["conforms", "leaks"]


def test_examples_use_every_optional_export(tmp_path):
    """They are tests of the interface: what may be exported is, by one of them at least."""
    table = (ROOT / "cbfuzz/harness/implementation.c").read_text()
    names = set(re.findall(r'^    \{"(\w+)", offsetof', table, re.M)) - {"ObfReferenceObject", "ObfDereferenceObject"}
    assert len(names) == 11
    used = set()
    for source in (ROOT / "conformance/implementations/examples").glob("*.c*"):
        shared = build_impl(tmp_path / f"{source.stem}.so", source)
        listed = subprocess.run(["nm", "-D", "--defined-only", shared], capture_output=True, text=True, check=True).stdout
        used |= {line.split()[-1] for line in listed.splitlines()}
    assert names <= used, names - used
