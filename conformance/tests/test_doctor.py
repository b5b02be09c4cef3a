"""Beginning: what is missing and how to mend it, and a skeleton of an implementation."""
import subprocess

import pytest

from conftest import CBFUZZ, LIMIT, ROOT, build_impl

FOUR = ["ExCreateCallback", "ExRegisterCallback", "ExUnregisterCallback", "ExNotifyCallback"]


def checks(result):
    return {check["name"]: check for check in result.json["checks"]}


# doctor


def test_all_is_well(cbfuzz, wrong):
    found = checks(cbfuzz("doctor", "--json", "--impl", wrong("none"), code=0))
    assert {"compiler", "runtime", "addr2line", "debugger", "routines", "coverage", "memory", "boots", "program"} <= set(found)
    assert found["program"]["status"] == found["boots"]["status"] == found["coverage"]["status"] == "ok"
    assert "CbfuzzInitialize" in found["routines"]["detail"]
    shown = cbfuzz("doctor", code=0)
    assert shown.lines[-1].startswith("cbfuzz doctor: ") and shown.lines[-1].endswith(" 0 wrong")


def test_what_is_missing_here(cbfuzz, tmp_path):
    """Without any program: the compiler is needed, the others are not."""
    found = checks(cbfuzz("doctor", "--json", env={"PATH": str(tmp_path), "CC": "", "CXX": ""}, code=3))
    assert found["compiler"]["status"] == "wrong" and "apt-get install clang" in found["compiler"]["mend"]
    assert found["debugger"]["status"] == found["addr2line"]["status"] == "missing"
    assert found["program"]["status"] == "ok"


def test_implementation_that_does_not_conform(cbfuzz, wrong):
    found = checks(cbfuzz("doctor", "--json", "--impl", wrong("arguments_swapped"), code=1))
    assert found["program"]["status"] == "wrong" and "NOTIFY-ARGUMENT1" in found["program"]["detail"]


def test_implementation_that_is_not_instrumented(cbfuzz, tmp_path):
    shared = tmp_path / "plain.so"
    subprocess.run(["clang", "-shared", "-fPIC", "-fshort-wchar", "-fms-extensions", "-Wno-microsoft", "-Wno-multichar",
                    "-I", ROOT / "cbfuzz/nt/include", "-o", shared, ROOT / "conformance/implementations/examples/kernel.c"],
                   check=True, timeout=LIMIT)
    found = checks(cbfuzz("doctor", "--json", "--impl", shared, code=0))
    assert found["coverage"]["status"] == found["memory"]["status"] == "missing"
    assert "scripts/build-impl" in found["coverage"]["mend"] and found["program"]["status"] == "ok"


@pytest.mark.parametrize("path", ["/nonexistent.so", "README.md", "scripts"])
def test_implementation_that_cannot_be_used(cbfuzz, path):
    found = checks(cbfuzz("doctor", "--json", "--impl", path, code=2))
    assert found["boots"]["status"] == "wrong" and path in found["boots"]["detail"]


def test_implementation_that_lacks_routines(cbfuzz, tmp_path):
    source = tmp_path / "two.c"
    source.write_text("#include <ntddk.h>\n"
                      "VOID ExUnregisterCallback(PVOID R) { (void)R; }\n"
                      "VOID ExNotifyCallback(PVOID O, PVOID A, PVOID B) { (void)O, (void)A, (void)B; }\n")
    found = checks(cbfuzz("doctor", "--json", "--impl", build_impl(tmp_path / "two.so", source), code=2))
    detail = found["routines"]["detail"]
    assert "ExCreateCallback" in detail and "ExRegisterCallback" in detail and "ExNotify" not in detail


def test_half_an_object_manager(cbfuzz, tmp_path):
    """Who counts references itself, and leaves the rest to the environment, is told so."""
    text = (ROOT / "conformance/implementations/examples/tables.c").read_text()
    for name, source, status in ("all", text, "ok"), ("some", text.replace("ObMakeTemporaryObject", "Unused"), "missing"):
        (tmp_path / f"{name}.c").write_text(source)
        found = checks(cbfuzz("doctor", "--json", "--impl", build_impl(tmp_path / f"{name}.so", tmp_path / f"{name}.c")))
        assert found.get("objects", {"status": "ok"})["status"] == status


# new-impl


@pytest.mark.parametrize("name", ["mine", "with a space", "deep"])
def test_skeleton_leads_to_a_finding(cbfuzz, tmp_path, name):
    """With a built clone: new-impl and make, and there is the first finding."""
    folder = tmp_path / name
    if name == "deep":
        folder.mkdir()
    made = cbfuzz("new-impl", folder, code=0)
    assert made.out.rstrip().endswith(" fuzz") and str(folder) in made.out
    assert {path.name for path in folder.iterdir()} == {"callback.c", "Makefile", "README.md"}
    assert all(routine in (folder / "callback.c").read_text() for routine in FOUR)
    done = subprocess.run(["make", "-C", folder, "fuzz"], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 2 and " 1 finding, " in done.stdout, done  # make's own code for a command's 1
    assert len(list((folder / "artifacts").glob("*.cbs"))) == 1


def test_skeleton_overwrites_nothing(cbfuzz, tmp_path):
    (tmp_path / "callback.c").write_text("mine")
    refused = cbfuzz("new-impl", tmp_path, code=2)
    assert "not empty" in refused.err and (tmp_path / "callback.c").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("arguments", [[], ["one", "two"], [""], ["/nonexistent/below"], ["README.md"]])
def test_folder_that_cannot_be(cbfuzz, arguments):
    assert cbfuzz("new-impl", *arguments, code=2).err.count("\n") == 1


def test_skeleton_where_nothing_can_be_written(cbfuzz):
    assert cbfuzz("new-impl", "/proc/mine").code in (2, 3)


def test_skeleton_of_a_cbfuzz_that_was_moved(tmp_path):
    moved = tmp_path / "cbfuzz"
    moved.write_bytes(CBFUZZ.read_bytes())
    moved.chmod(0o755)
    done = subprocess.run([moved, "new-impl", tmp_path / "mine"], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 3 and "build-impl" in done.stderr
