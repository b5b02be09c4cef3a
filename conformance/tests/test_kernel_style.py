"""Implementations in the idiom of kernels: they build unchanged, conform, and fail as findings."""
import pytest

from conftest import ROOT, build_impl

EXAMPLES = ROOT / "conformance/implementations/examples"
CORPUS = [ROOT / "corpus/seed", ROOT / "corpus/regression"]
KERNEL_STYLE = ["executive.c", "threads.c"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The shared object of an example, with some of its source replaced."""
    folder = tmp_path_factory.mktemp("kernel_style")

    def build(name, *changes, tag="as_is"):
        text = (EXAMPLES / name).read_text()
        for old, new in changes:
            assert text.count(old) == 1, f"{name}: {text.count(old)} times {old}"
            text = text.replace(old, new)
        source = folder / f"{tag}_{name}"
        source.write_text(text)
        return build_impl(source.with_suffix(".so"), source, flags=["-Wall", "-Wextra", "-Werror"])

    return build


@pytest.mark.parametrize("profile", ["documented", "windows"])
@pytest.mark.parametrize("name", KERNEL_STYLE)
def test_conforms(name, profile, built, cbfuzz, tmp_path):
    shared = built(name)
    cbfuzz("run", "--impl", shared, "--profile", profile, *CORPUS, code=0)
    cbfuzz("fuzz", "--impl", shared, "--profile", profile, "--seconds", 3, "--seed", 1, "--artifacts", tmp_path,
           code=0)


CALL = "        CallRoutines(Request.Object"
WAIT = "    KeWaitForSingleObject(&Request.Done, Executive, KernelMode, FALSE, NULL);\n"
DEEP = "static int Deep(int n) { volatile char b[99]; b[n] = 1; return b[n] ? Deep(n) + b[n] : 0; }\n"


def before_call(text):
    return CALL, text + CALL


# What its system thread does wrong, or who waits for it.
HOSTILE = {
    "does_not_wait": ("diverges", (WAIT, "")),
    "waits_too_shortly": ("bugchecks", (WAIT, "{LARGE_INTEGER t = {.QuadPart = -1};" + WAIT.replace("NULL", "&t") + "}")),
    "never_done": ("deadlocks", ("KeSetEvent(&Request.Done", "if (0) KeSetEvent(&Request.Done")),
    "ends": ("deadlocks", before_call("return;\n")),
    "spins": ("hangs", before_call("for (;;) YieldProcessor();\n")),
    "raises": ("diverges", before_call("KIRQL i; KeRaiseIrql(APC_LEVEL, &i);\n")),
    "writes_nowhere": ("crashes", before_call("*(volatile int *)16 = 1;\n")),
    "writes_past_its_array": ("crashes", before_call("volatile char b[8]; volatile int at = 9; b[at] = 1;\n")),
    "frees_twice": ("bugchecks", before_call("PVOID p = ExAllocatePool(0, 8); ExFreePool(p); ExFreePool(p);\n")),
    "recurses": ("crashes", before_call("Deep(9);\n"), ("static KSTART_ROUTINE Serve;", DEEP)),
    "leaks_its_timer": ("leaks", ("    KeSetTimer(&Registration->Timer", "    if (0) KeSetTimer(&Registration->Timer")),
    "frees_its_timer": ("bugchecks", ("    KeSetTimer(&Registration->Timer, DueTime, &Registration->Dpc);",
                                      "    KeSetTimer(&Registration->Timer, DueTime, &Registration->Dpc);\n"
                                      "    ExFreePool(Registration);")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_misbehaves(name, built, cbfuzz, script):
    verdict, *changes = HOSTILE[name]
    shared = built("threads.c", *changes, tag=name)
    bad = script('a = create "\\Callback\\Demo" multiple\nr = register a F1 0x10\nnotify a 0x1 0x2\nunregister r\n'
                 "routine F1 {\nq = register a F2 0x20\nunregister q\n}\n", "bad.cbs")
    good = script('a = create "\\Callback\\Demo" multiple\nr = register a F1 0x10\nirql APC_LEVEL\n'
                  "notify a 0x1 0x2\n", "good.cbs")
    done = cbfuzz("run", "--impl", shared, "--json", bad, good, code=1)
    programs = done.json["programs"]
    assert programs[0]["verdict"] == verdict, done
    assert len(programs) == 2, "the program that follows is run, too"
