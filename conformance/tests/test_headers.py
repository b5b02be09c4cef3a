"""Our headers against the DDK headers of Debian's mingw-w64: sizes, offsets, constants, prototypes.

The table is made from our headers alone, so no name is forgotten. Each entry is one line of C,
compiled against both: a line in which theirs does not know the name is not shared; any other error
there, or another value, is a difference. headers_differ.txt has those that are meant, with reasons.
"""
import collections
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import ROOT

DDK = pathlib.Path("/usr/x86_64-w64-mingw32/include/ddk")
MEANT = pathlib.Path(__file__).with_name("headers_differ.txt")
CLANG = next(filter(None, map(shutil.which, ["clang", *(f"clang-{n}" for n in range(14, 20))])), "clang")
COMMON = [CLANG, "-x", "c", "-std=gnu11", "-fms-extensions", "-w", "-ferror-limit=0"]
OURS = [*COMMON, "-fshort-wchar", f"-I{ROOT}/cbfuzz/nt/include"]
THEIRS = [*COMMON, "--target=x86_64-w64-mingw32", "-D_WIN32_WINNT=0x0A00", f"-isystem{DDK}"]
HEADERS = "#include <ntifs.h>\n"
BARE = "#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n"
ABSENT = re.compile(r"undeclared identifier|unknown type name|no member named|incomplete type|must use '\w+' tag")
ARITHMETIC = re.compile(r"(?:const )?((?:(?:unsigned|signed|char|short|int|long|wchar_t) ?)+)(\*?)")

Entry = collections.namedtuple("Entry", "name kind line value")


def clang(command, text, *more):
    return subprocess.run([*command, *more, "-"], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def syntax(text):
    """The tree of our declarations, without what the compiler's own headers bring."""

    def tree(source):
        done = clang(OURS, source, "-fsyntax-only", "-Xclang", "-ast-dump=json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["inner"]

    known = {node.get("name") for node in tree(BARE)}
    return [node for node in tree(text) if node.get("name") not in known and not node.get("isImplicit")]


def macros(text):
    """Object-like macros of ours: they may be constants."""

    def names(source):
        return dict(re.findall(r"^#define (\w+)(?: (.*))?$", clang(OURS, source, "-E", "-dM").stdout, re.M))

    known = names(BARE)
    return [name for name, body in names(text).items() if body and name not in known]


def declare(spelled, name):
    """The declaration of a name from its type as clang spells it."""
    if "(*" in spelled:
        return spelled.replace("(*", f"(*{name}", 1)
    function = re.fullmatch(r"(.*?)\s*\((.*)\)(?: __attribute__.*)?", spelled)
    if function:
        return f"{function[1]} ({name})({function[2]})"
    array = re.fullmatch(r"(.*?)\s*((?:\[\d+\])+)", spelled)
    return f"{array[1]} {name}{array[2]}" if array else f"{spelled} {name}"


def value(name, kind, expression):
    return Entry(name, kind, f"unsigned long long V = (unsigned long long)({expression});", True)


def fields(record, prefix=""):
    """(path, type) of each member; a record without a name is told by the member that follows it.
    Bit-fields have no offset: the size of what they are in must do."""
    inner = None
    for node in record.get("inner", []):
        if node["kind"] == "RecordDecl":
            inner = node
        elif node["kind"] == "FieldDecl":
            name = node.get("name")
            if name and not node.get("isBitfield"):
                yield prefix + name, node["type"]["qualType"]
            if inner:
                yield from fields(inner, f"{prefix}{name}." if name else prefix)
            inner = None


def record_entries(record):
    whole = f"{record['tagUsed']} {record['name']}"
    yield value(record["name"], "size", f"sizeof({whole})")
    for path, spelled in fields(record):
        name = f"{record['name']}.{path}"
        yield value(name, "offset", f"__builtin_offsetof({whole}, {path})")
        yield value(name, "size", f"sizeof((({whole} *)0)->{path})")
        if "unnamed" not in spelled and not ARITHMETIC.fullmatch(spelled):
            same = f"__builtin_types_compatible_p(__typeof__((({whole} *)0)->{path}), {declare(spelled, '')})"
            yield value(name, "type", same)


def typedef_entries(name, spelled):
    arithmetic = ARITHMETIC.fullmatch(spelled)
    if arithmetic:
        what = f"*({name})0" if arithmetic[2] else f"({name})0"
        yield value(name, "size", f"sizeof({what})")
        yield value(name, "sign", f"(__typeof__({what}))-1 < 0")
        return
    yield Entry(name, "exists", f"{name} *V;", False)
    if "unnamed" not in spelled:
        yield Entry(name, "type", f"typedef {declare(spelled, name)};", False)


def entries():
    for node in syntax(HEADERS):
        name, spelled = node.get("name"), node.get("type", {}).get("qualType")
        if node["kind"] == "RecordDecl" and node.get("completeDefinition") and name:
            yield from record_entries(node)
        elif node["kind"] == "EnumDecl":
            for constant in node["inner"]:
                yield value(constant["name"], "constant", constant["name"])
        elif node["kind"] == "TypedefDecl":
            yield from typedef_entries(name, spelled)
        elif node["kind"] in ("FunctionDecl", "VarDecl"):
            yield Entry(name, "exists", f"__typeof__(&({name})) V;", False)
            yield Entry(name, "prototype", f"extern {declare(spelled, name)};", False)
    for name in macros(HEADERS):
        yield value(name, "constant", f"({name}) | 0")  # a number, not another name of a function


def errors(command, table):
    """{index: first error} of the lines of a table that do not compile."""
    lines = "".join(re.sub(r"\bV\b", f"v_{i}", entry.line) + "\n" for i, entry in enumerate(table))
    done = clang(command, HEADERS + lines, "-fsyntax-only")
    found = {}
    for line, text in re.findall(r"^<stdin>:(\d+):\d+: error: (.*)$", done.stderr, re.M):
        found.setdefault(int(line) - 2, text)
    return found


def values(command, table):
    """{index: value} from the compiler's assembly."""
    lines = "".join(re.sub(r"\bV\b", f"v_{i}", entry.line) + "\n" for i, entry in enumerate(table) if entry.value)
    done = clang(command, HEADERS + lines, "-S", "-o", "-")
    assert done.returncode == 0, done.stderr
    return {int(index): int(number) & (1 << 64) - 1
            for index, number in re.findall(r"^v_(\d+):\n\s+\.quad\s+(-?\d+)", done.stdout, re.M)}


def compare(table):
    """Names that both have, and {name: what differs}."""
    ours = errors(OURS, table)
    table = [entry for i, entry in enumerate(table) if i not in ours or entry.kind != "constant"]
    assert not errors(OURS, table), errors(OURS, table)
    theirs = errors(THEIRS, table)
    missing = {table[i].name for i, text in theirs.items()
               if ABSENT.search(text) and "." not in table[i].name and table[i].kind not in ("type", "prototype")}
    kept = [(i, entry) for i, entry in enumerate(table)
            if entry.name not in missing and entry.name.split(".")[0] not in missing]
    shared, differ = {entry.name for _, entry in kept}, collections.defaultdict(list)
    for i, entry in kept:
        if i in theirs and not (entry.kind == "exists" and "builtin functions" in theirs[i]):
            differ[entry.name].append(f"{entry.kind}: {theirs[i]}")
    good = [entry for i, entry in kept if i not in theirs]
    left, right = values(OURS, good), values(THEIRS, good)
    for i, entry in enumerate(good):
        if entry.value and left.get(i, 0) != right.get(i, 0):
            differ[entry.name].append(f"{entry.kind}: {left.get(i, 0):#x}, theirs {right.get(i, 0):#x}")
    return shared, differ


def meant():
    """{name or NAME.*: reason} of headers_differ.txt."""
    rows = [line.split(None, 1) for line in MEANT.read_text().splitlines() if line and not line.startswith("#")]
    assert all(len(row) == 2 for row in rows), f"{MEANT}: each line is a name and a reason"
    return dict(rows)


def test_headers_agree(record_property):
    if not (DDK / "wdm.h").exists():
        pytest.skip("no DDK headers here: apt-get install mingw-w64-x86-64-dev")
    shared, differ = compare(list(entries()))
    reasons = meant()
    explained = {name for name in differ if name in reasons or name.split(".")[0] + ".*" in reasons}
    print(f"{len(shared)} names compared, {len(shared) - len(differ)} equal, {len(explained)} meant to differ")
    record_property("names_compared", len(shared))
    wrong = [f"{name}: {'; '.join(differ[name])}" for name in sorted(differ) if name not in explained]
    assert not wrong, "\n".join(wrong)
    assert len(shared) > 500
    stale = {row for row in reasons if not any(name == row or name.split(".")[0] + ".*" == row for name in differ)}
    assert not stale, f"{MEANT.name}: these do not differ: {sorted(stale)}"
