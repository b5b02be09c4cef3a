"""A C source as clang sees it: a tree of nodes, each with its place in the text.

clang's JSON names a file only where it differs from the last one named, and gives what a macro made
the place of the macro. Here every node has its bytes [begin, end) of the source, or no place at all.
"""
import json
import re
import subprocess

# What scripts/build-impl compiles an implementation with. A number as a pointer, or a pointer as a number,
# is no C: from clang 15 on it is an error without being asked for.
LANGUAGE = ["-std=gnu11", "-fshort-wchar", "-fms-extensions", "-Wno-everything", "-Werror=int-conversion"]


class Node:
    """One node. `macro` is where the macro stands that made all of it, `end` includes its arguments."""

    def __init__(self, raw, parent, slot):
        self.raw, self.parent, self.slot = raw, parent, slot
        self.kind = raw.get("kind", "")
        self.begin = self.end = self.macro = None
        self.children = []

    @property
    def placed(self):
        return self.begin is not None

    def value(self):
        """What stands inside of implicit casts."""
        node = self
        while node.kind == "ImplicitCastExpr":
            node = node.children[0]
        return node

    def top(self):
        """The outermost of the implicit casts around this."""
        node = self
        while node.parent and node.parent.kind == "ImplicitCastExpr":
            node = node.parent
        return node

    def type(self):
        return self.raw.get("type", {}).get("qualType", "")

    def desugared(self):
        return self.raw.get("type", {}).get("desugaredQualType", self.type())

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()

    def inside(self, kind):
        """The nearest node of that kind around this one."""
        node = self.parent
        while node and node.kind != kind:
            node = node.parent
        return node


class Source:
    """`tops` are the functions and variables that the file itself defines."""

    def __init__(self, path, compiler="clang", includes=()):
        self.path = path
        self.text = path.read_bytes()
        flags = [*LANGUAGE, *(f"-I{folder}" for folder in includes)]
        self.code = self._without_comments()
        tree = json.loads(_run(compiler, *flags, "-Xclang", "-ast-dump=json", "-fsyntax-only", path))
        self.constants = _constants(_run(compiler, *flags, "-dM", "-E", path).decode())
        self.records = {}  # id of a field -> its record's fields
        self._file = None
        self._own = {}  # id of a raw node -> whether it stands in this file
        self._resolve(tree)
        self.tops = [self._node(raw, None, "top") for raw in tree["inner"] if self._is_ours(raw)]

    def at(self, node):
        return self.text[node.begin:node.end].decode()

    def line_and_column(self, offset):
        before = self.text[:offset]
        return before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1

    def _without_comments(self):
        """The text with comments as blanks, so that places stay."""
        pattern = rb'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|/\*.*?\*/|//[^\n]*'
        blank = lambda found: found[0] if found[0][:1] in b"\"'" else re.sub(rb"[^\n]", b" ", found[0])
        return re.sub(pattern, blank, self.text, flags=re.S)

    def _resolve(self, raw):
        """Writes into each place of the JSON which file it is in: in the order in which it was printed."""
        if isinstance(raw, list):
            for each in raw:
                self._resolve(each)
        elif isinstance(raw, dict):
            if "offset" in raw:
                self._file = raw.get("file", self._file)
                raw["ours"] = self._file == str(self.path)
                return
            for each in raw.values():
                self._resolve(each)
            if raw.get("kind") == "RecordDecl":
                fields = [each for each in raw.get("inner", ()) if each["kind"] == "FieldDecl"]
                self.records.update((each["id"], fields) for each in fields)

    @staticmethod
    def _is_ours(raw):
        defines = raw.get("kind") == "VarDecl" and "init" in raw or \
            raw.get("kind") == "FunctionDecl" and any(each.get("kind") == "CompoundStmt" for each in raw.get("inner", ()))
        place = raw.get("loc", {})
        return defines and place.get("expansionLoc", place).get("ours", False)

    def _node(self, raw, parent, slot):
        node = Node(raw, parent, slot)
        self._place(node)
        inner = raw.get("inner", [])
        node.children = [self._node(each, node, name) for each, name in zip(inner, _slots(raw, len(inner)))]
        return node

    def _place(self, node):
        begin, end = (self._end_point(node.raw.get("range", {}).get(which, {})) for which in ("begin", "end"))
        if not begin or not end:
            return
        for one, other in ((begin, end), (end, begin)):
            # Half of it stands in a macro's arguments, half in its body: nowhere in this text.
            if one[2] is not None and other[2] != one[2] and one[0] <= other[0] < one[1]:
                return
        node.begin, node.end = begin[0], end[1]
        if begin[2] == end[2]:
            node.macro = begin[2]

    def _end_point(self, place):
        """(first byte, byte after it, where the macro stands that it came from) of one token."""
        if "expansionLoc" in place:
            spelled, expanded = place["spellingLoc"], place["expansionLoc"]
            if expanded.get("isMacroArgExpansion") and spelled["ours"]:
                place = spelled
            elif expanded["ours"]:
                at = expanded["offset"]
                return at, self.macro_end(at), at
        if not place.get("ours"):
            return None
        return place["offset"], place["offset"] + place["tokLen"], None

    def macro_end(self, at):
        """Where the macro that stands there ends, its arguments included."""
        name = re.compile(rb"\w+\s*").match(self.code, at)
        if self.code[name.end():name.end() + 1] != b"(" or name[0].strip().decode() in self.constants:
            return at + len(name[0].strip())
        return self.arguments(name.end())[-1][1] + 1

    def arguments(self, at):
        """[begin, end) of each argument of the list whose opening parenthesis stands there."""
        found, depth, begin = [], 0, at + 1
        for token in re.compile(rb'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[(){}\[\],]').finditer(self.code, at):
            depth += (token[0] in b"({[") - (token[0] in b")}]")
            if depth == 0 or depth == 1 and token[0] == b",":
                words = self.code[begin:token.start()]
                left = begin + len(words) - len(words.lstrip())
                found.append((left, max(left, begin + len(words.rstrip()))))
                begin = token.end()
            if depth == 0:
                return found
        raise ValueError(f"{self.path}: no end of the list at {at}")


def _slots(raw, count):
    """What each child is to its parent."""
    kind = raw.get("kind")
    if kind == "CompoundStmt":
        return ["statement"] * count
    if kind == "IfStmt":
        return ["condition", "statement", "statement"][:count]
    if kind == "WhileStmt":
        return ["condition", "statement"]
    if kind == "DoStmt":
        return ["statement", "condition"]
    if kind == "ForStmt":
        return ["", "", "condition", "", "statement"]
    if kind == "ConditionalOperator":
        return ["condition", "", ""]
    if kind == "BinaryOperator" and raw["opcode"] in ("&&", "||"):
        return ["condition", "condition"]
    return [""] * count


def _constants(defines):
    """The names of object-like macros that stand for a number, as far as their text shows it."""
    number = r"(?:[\s()|&~+*<>-]|0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*|'[^']+'|[A-Z][A-Z0-9_]*)+"
    return {name for name, text in re.findall(r"^#define (\w+) (.+)$", defines, re.M) if re.fullmatch(number, text)}


def _run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(f"{command[-1]}: clang refuses it:\n{done.stderr.decode(errors='replace')}")
    return done.stdout
