"""scripts/build-impl: one command from sources that were written for a kernel to a shared object."""
import subprocess

import pytest

from conftest import LIMIT, ROOT, run_command

BUILD = ROOT / "scripts/build-impl"
EXAMPLES = ROOT / "conformance/implementations/examples"
CREATE = ("NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *O, POBJECT_ATTRIBUTES A, BOOLEAN C, BOOLEAN M)\n"
          "{ (void)O; (void)A; (void)C; (void)M; return STATUS_UNSUCCESSFUL; }\n")


def build(*arguments, code=None, cwd=ROOT, **more):
    result = run_command(BUILD, *arguments, cwd=cwd, timeout=300, **more)
    if code is not None:
        assert result.code == code, result
    return result


@pytest.fixture
def source(tmp_path):
    def write(text, name="callback.c"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def exports(shared):
    listed = subprocess.run(["nm", "-D", "--defined-only", shared], capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in listed.stdout.splitlines()}


# What it builds


def test_says_what_to_do_next(cbfuzz, tmp_path):
    made = build("-o", tmp_path / "new/folder/mine.so", EXAMPLES / "kernel.c", code=0)
    assert made.err == "" and made.out == (f"built {tmp_path}/new/folder/mine.so; next: build/cbfuzz fuzz --impl "
                                           f"{tmp_path}/new/folder/mine.so --seconds 60\n")
    assert [path.name for path in (tmp_path / "new/folder").iterdir()] == ["mine.so"]
    cbfuzz("run", "--impl", tmp_path / "new/folder/mine.so", "corpus/seed", code=0)


def test_several_files_in_both_languages(cbfuzz, source, tmp_path):
    """The routines of one example, over three files and two languages."""
    text = (EXAMPLES / "kernel.c").read_text()
    renamed = text.replace("ExNotifyCallback(", "KernelNotifyCallback(").replace("ExUnregisterCallback(",
                                                                               "KernelUnregisterCallback(")
    first = source(renamed, "first.c")
    second = source("#include <ntifs.h>\n"
                    "VOID KernelUnregisterCallback(PVOID);\n"
                    "VOID ExUnregisterCallback(PVOID R) { KernelUnregisterCallback(R); }\n", "second.c")
    third = source("#include <ntifs.h>\n"
                   'extern "C" VOID KernelNotifyCallback(PVOID, PVOID, PVOID);\n'
                   'extern "C" VOID ExNotifyCallback(PVOID O, PVOID A, PVOID B) { KernelNotifyCallback(O, A, B); }\n',
                   "third.cpp")
    shared = tmp_path / "three.so"
    build("-o", shared, first, second, third, code=0)
    cbfuzz("run", "--impl", shared, "corpus/seed", code=0)


def test_flags_behind_two_dashes(source, tmp_path):
    path = source("#include <wdm.h>\n#if DBG != 1 || FLAVOUR != 7\n#error flags\n#endif\n" + CREATE)
    build("-o", tmp_path / "x.so", path, code=1)
    build("-o", tmp_path / "x.so", path, "--", "-DDBG=1", "-DFLAVOUR=7", code=0)
    assert "ExCreateCallback" in exports(tmp_path / "x.so")


def test_names_with_anything_in_them(cbfuzz, source, tmp_path):
    path = source((EXAMPLES / "kernel.c").read_text(), "a folder/it's $HOME; `x`.c")
    shared = tmp_path / "out put/mine (1).so"
    made = build("-o", shared, path, "--", '-DTEXT="a b"', code=0)
    command = made.out.split("next: ")[1].strip().replace("build/cbfuzz fuzz", "build/cbfuzz run").replace(
        "--seconds 60", "corpus/seed")
    assert subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, timeout=LIMIT).returncode == 0
    cbfuzz("run", "--impl", shared, "corpus/seed/mailbox.cbs", code=0)


def test_relative_paths_from_another_folder(cbfuzz, source, tmp_path):
    source((EXAMPLES / "kernel.c").read_text(), "callback.c")
    build("-o", "mine.so", "callback.c", cwd=tmp_path, code=0)
    cbfuzz("run", "--impl", "mine.so", ROOT / "corpus/seed/mailbox.cbs", cwd=tmp_path, code=0)


IDIOMS = r"""
#include <ntddk.h>

#define TAG_CALLBACK 'kblC'
#define ALIGN_UP(x, a) (((x) + (a) - 1) & ~((a) - 1))

#pragma warning(disable : 4201 4214)
#ifdef ALLOC_PRAGMA
#pragma alloc_text(PAGE, ExCreateCallback)
#pragma alloc_text(INIT, ExpInitialize)
#endif

typedef struct _HEADER {
    union {
        struct {
            ULONG Low;
            LONG High;
        };
        LARGE_INTEGER Whole;
    };
    UCHAR Bits : 3;
    UCHAR Rest : 5;
    __int64 Wide;
} HEADER, *PHEADER;

typedef _Function_class_(EXP_ROUTINE) _IRQL_requires_max_(DISPATCH_LEVEL) VOID NTAPI EXP_ROUTINE(_In_opt_ PVOID Context);
typedef EXP_ROUTINE *PEXP_ROUTINE;

static const WCHAR Name[] = L"\\Callback\\\x00e9";
static UNICODE_STRING Constant = RTL_CONSTANT_STRING(L"\\Callback");
C_ASSERT(sizeof(L'x') == 2 && sizeof(Name) == 2 * 12);
C_ASSERT(sizeof(HEADER) == 24 && FIELD_OFFSET(HEADER, Whole) == 0);
C_ASSERT(sizeof(ULONG) == 4 && sizeof(ULONG_PTR) == 8 && sizeof(BOOLEAN) == 1);

__declspec(noinline) static VOID NTAPI Helper(IN PVOID Context OPTIONAL) {
    UNREFERENCED_PARAMETER(Context);
}

static FORCEINLINE ULONG __stdcall Add(_In_ ULONG a, _In_range_(0, 9) ULONG b) {
    return a + b;
}

static __forceinline VOID __cdecl Nothing(void) {
}

__declspec(dllexport) __drv_maxIRQL(APC_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
ExCreateCallback(__deref_out PCALLBACK_OBJECT *CallbackObject, IN POBJECT_ATTRIBUTES ObjectAttributes,
                 IN BOOLEAN Create, IN BOOLEAN AllowMultipleCallbacks) {
    PEXP_ROUTINE Routine = Helper;
    HEADER Header = {0};
    PLIST_ENTRY Entry = NULL;

    PAGED_CODE();
    ASSERT(KeGetCurrentIrql() <= APC_LEVEL);
    NT_ASSERT(Header.Low == 0);
    Header.High = (LONG)Add(1, ALIGN_UP(3, 4));
    Routine(&Header);
    Nothing();
    if (Entry) {
        DbgPrint("%wZ %Iu %I64x %p\n", &Constant, sizeof(Name), Header.Wide, CONTAINING_RECORD(Entry, HEADER, Whole));
    }
    KdPrint(("%s: %x\n", __FUNCTION__, TAG_CALLBACK));
    UNREFERENCED_PARAMETER(CallbackObject);
    UNREFERENCED_PARAMETER(ObjectAttributes);
    UNREFERENCED_PARAMETER(Create);
    UNREFERENCED_PARAMETER(AllowMultipleCallbacks);
    return STATUS_UNSUCCESSFUL;
}

INIT_FUNCTION_WORD BOOLEAN ExpInitialize(VOID) {
    return TRUE;
}
"""


@pytest.mark.parametrize("header", ["ntddk.h", "wdm.h", "ntifs.h"])
@pytest.mark.parametrize("language", ["c", "cc"])
def test_idioms_of_windows_source(source, tmp_path, header, language):
    text = IDIOMS.replace("ntddk.h", header).replace("INIT_FUNCTION_WORD ", "")
    if language == "cc":
        text = text.replace("{0}", "{}").replace("__deref_out", "_Outptr_")  # libstdc++ has such names
    made = build("-o", tmp_path / "x.so", source(text, f"idioms.{language}"), code=0)
    assert made.err == "" and "ExCreateCallback" in exports(tmp_path / "x.so")


OWN = r"""
/* Brings its own spin locks, events, waits and atomics, under the names that kernels give them. */
#include <ntifs.h>

static volatile LONG Held, Waits;

#undef KeAcquireSpinLock
#undef KeInitializeSpinLock
#undef KeReleaseSpinLock
#undef KeInitializeEvent

VOID KeInitializeSpinLock(PKSPIN_LOCK Lock) {
    *Lock = 0;
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK Lock) {
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    while (__atomic_exchange_n(Lock, 1, __ATOMIC_ACQUIRE))
        ;
    __atomic_add_fetch(&Held, 1, __ATOMIC_RELAXED);
    return Old;
}

VOID KeAcquireSpinLock(PKSPIN_LOCK Lock, PKIRQL Old) {
    *Old = KeAcquireSpinLockRaiseToDpc(Lock);
}

VOID KeReleaseSpinLock(PKSPIN_LOCK Lock, KIRQL Old) {
    __atomic_sub_fetch(&Held, 1, __ATOMIC_RELAXED);
    __atomic_store_n(Lock, 0, __ATOMIC_RELEASE);
    KeLowerIrql(Old);
}

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State) {
    (void)Type;
    *(volatile LONG *)Event = State;
}

LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait) {
    (void)Increment, (void)Wait;
    return __atomic_exchange_n((volatile LONG *)Event, 1, __ATOMIC_RELEASE);
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason, KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                               PLARGE_INTEGER Timeout) {
    (void)Reason, (void)Mode, (void)Alertable, (void)Timeout;
    Waits++;
    while (!__atomic_load_n((volatile LONG *)Object, __ATOMIC_ACQUIRE))
        ;
    return STATUS_SUCCESS;
}
"""


def test_own_locks_events_and_waits_are_used(cbfuzz, source, script, tmp_path):
    """... by the implementation that brings them, and by nobody else."""
    shared = tmp_path / "own.so"
    made = run_command(BUILD, "-o", shared, source(OWN, "own.c"), EXAMPLES / "kernel.c")
    assert made.code == 0, made
    assert {"KeAcquireSpinLock", "KeAcquireSpinLockRaiseToDpc", "KeWaitForSingleObject"} <= exports(shared)
    cbfuzz("run", "--impl", shared, "corpus/seed", code=0)
    cbfuzz("fuzz", "--impl", shared, "--runs", "20000", "--seed", "1", "--artifacts", tmp_path, code=0)
    # A lock of the environment's would be reported by name; this one is only waited for.
    broken = OWN.replace("__atomic_store_n(Lock, 0", "__atomic_store_n(Lock, 1")
    build("-o", shared, source(broken, "own.c"), EXAMPLES / "kernel.c", code=0)
    program = script('a = create "\\Callback\\Demo" multiple\nr = register a F1 1\nnotify a 1 2\n')
    assert cbfuzz("run", "--json", "--impl", shared, program, code=1).json["programs"][0]["verdict"] == "hangs"


# What it refuses


def test_errors_of_the_compiler_come_through(source, tmp_path):
    """... as clang says them, with a caret and the name that was given."""
    path = source("#include <wdm.h>\nNTSTATUS ExCreateCallback( { return nothing; }\n")
    refused = build("-o", tmp_path / "x.so", path, code=1)
    assert f"{path}:2:" in refused.err and "error:" in refused.err and "^" in refused.err
    assert refused.out == "" and not (tmp_path / "x.so").exists()


def test_all_files_are_compiled_before_it_gives_up(source, tmp_path):
    first, second = source("int x = ;\n", "first.c"), source("int y = ;\n", "second.c")
    refused = build("-o", tmp_path / "x.so", first, second, code=1)
    assert "first.c:1:" in refused.err and "second.c:1:" in refused.err


def test_errors_of_the_linker_come_through(source, tmp_path):
    twice = "#include <wdm.h>\nint twice(void) { return 1; }\n"
    refused = build("-o", tmp_path / "x.so", source(twice, "a.c"), source(twice, "b.c"), code=1)
    assert "twice" in refused.err and not (tmp_path / "x.so").exists()


def test_warnings_do_not_stop_it(source, tmp_path):
    made = build("-o", tmp_path / "x.so", source("#include <wdm.h>\nint f(void) { int x; }\n" + CREATE), "--", "-Wall", code=0)
    assert "warning:" in made.err


@pytest.mark.parametrize("text, line", [
    ("#include <wdm.h>\nint f(void) {\n    __try { return 1; } __except (1) { return 2; }\n}\n", 3),
    ("int f(void) { /* __try */ return 0; }\nint g(void) { __try{ return 1; } __finally { } }\n", 2),
])
def test_structured_exceptions_are_refused(source, tmp_path, text, line):
    path = source(text)
    refused = build("-o", tmp_path / "x.so", path, code=2)
    assert refused.err.startswith(f"build-impl: {path}:{line}: __try: ") and refused.err.count("\n") == 1


@pytest.mark.parametrize("text", ['/* __try\n * is not here\n */\n', '// __try { }\n', '#define TEXT "__try { }"\n',
                                  'int __tryst, my__try;\n'])
def test_what_only_looks_like_them_is_not(source, tmp_path, text):
    build("-o", tmp_path / "x.so", source("#include <wdm.h>\n" + text + CREATE), code=0)


@pytest.mark.parametrize("arguments, word", [
    ([], "no output"),
    (["-o"], "-o"),
    (["-o", "x.so"], "no sources"),
    (["-o", "x.so", "missing.c"], "missing.c"),
    (["-o", "x.so", "README.md"], "README.md"),
    (["-o", "x.so", "scripts"], "scripts"),
    (["-o", "x.so", "-O2", "missing.c"], "-O2"),
    (["-o", "scripts", "cbfuzz/callback/callback.c"], "scripts"),
    (["-o", "/proc/x.so", "cbfuzz/callback/callback.c"], "/proc"),
    (["-o", "README.md/x.so", "cbfuzz/callback/callback.c"], "README.md"),
])
def test_wrong_requests(arguments, word):
    refused = build(*arguments, code=2)
    assert refused.err.startswith("build-impl: ") and word in refused.err and refused.err.count("\n") == 1


def test_no_compiler_here(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "dirname", "sed", "awk", "grep", "mktemp", "mkdir", "rm", "mv"):
        found = subprocess.run(["sh", "-c", f"command -v {tool}"], capture_output=True, text=True).stdout.strip()
        (tools / tool).symlink_to(found)
    refused = build("-o", tmp_path / "x.so", EXAMPLES / "kernel.c", code=2, env={"PATH": str(tools), "CC": "", "CXX": ""})
    assert "apt-get install clang" in refused.err


def test_help():
    shown = build("--help", code=0)
    assert shown.out.startswith("usage: build-impl -o OUT.so SOURCE...") and not shown.err
