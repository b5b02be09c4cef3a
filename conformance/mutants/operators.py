"""The ways in which a source is changed: one function each, its first line says what it does.

An operator is asked about every node of a source and gives the edits that it makes there. A mutant
is one such edit. Its id is made of the function around it, the operator, and a hash of the statement
around it before and after: it stays the same while that statement does.
"""
import collections
import hashlib
import re

OPERATORS = {}
Edit = collections.namedtuple("Edit", "begin end text")
Mutant = collections.namedtuple("Mutant", "id operator function path line column begin end before after")

OTHERS = {  # an operator and what may be mistaken for it; == and != are also conditions, see negate-condition
    "<": ["<=", ">"], "<=": ["<", ">="], ">": [">=", "<"], ">=": [">", "<="], "==": ["!="], "!=": ["=="],
    "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "&": ["|"], "|": ["&"], "&&": ["||"], "||": ["&&"],
    "++": ["--"], "--": ["++"], "+=": ["-=", "="], "-=": ["+=", "="], "|=": ["&=", "="], "&=": ["|=", "="],
}
INTEGERS = re.compile(r"(const )?(unsigned |signed )?(char|short|int|long|long long)|(const )?(unsigned|signed)")
VALUES = {"DeclRefExpr", "MemberExpr", "CallExpr", "BinaryOperator", "UnaryOperator", "ArraySubscriptExpr"}
TRUTHS = {"=", "!", "==", "!=", "<", ">", "<=", ">=", "&&", "||"}
REFERENCES = re.compile(r"Ob\w*(Reference|Dereference)\w*|ZwClose|Nt?Close")
LOCKS = re.compile(r"\w*(Lock|Mutex|Rundown|Irql|Interlocked|Region|Resource)\w*|"
                   r"Ke(Wait|Set|Reset|Clear|Pulse|InitializeEvent)\w*")


def operator(function):
    OPERATORS[function.__name__.replace("_", "-")] = function
    return function


@operator
def negate_condition(source, node):
    """a condition, or a part of one, is turned around"""
    if node.slot == "condition" and node.placed:
        yield Edit(node.begin, node.end, f"!({source.at(node)})")


@operator
def drop_operand(source, node):
    """one side of && or || goes"""
    if node.kind == "BinaryOperator" and node.raw["opcode"] in ("&&", "||") and node.placed:
        for side in node.children:
            if side.placed:
                yield Edit(node.begin, node.end, source.at(side))


@operator
def replace_operator(source, node):
    """an operator becomes a related one"""
    kinds = ("BinaryOperator", "CompoundAssignOperator", "UnaryOperator")
    if node.kind not in kinds or node.macro is not None or not node.placed:
        return
    word, inner = node.raw["opcode"], node.children
    if not all(each.placed for each in inner):
        return
    if node.kind != "UnaryOperator":
        begin, end = inner[0].end, inner[1].begin
    elif node.raw.get("isPostfix"):
        begin, end = inner[0].end, node.end
    else:
        begin, end = node.begin, inner[0].begin
        if word in ("*", "&", "-", "+"):
            return  # another meaning of the same sign
    at = source.code.find(word.encode(), begin, end)
    for other in OTHERS.get(word, ()) if at >= 0 else ():
        yield Edit(at, at + len(word), other)


@operator
def off_by_one(source, node):
    """a number is one too many or one too few"""
    if not node.placed or node.macro is not None or not INTEGERS.fullmatch(node.desugared()):
        return
    if node.kind == "UnaryExprOrTypeTraitExpr":
        yield Edit(node.begin, node.end, f"({source.at(node)} - 1)")
        return
    if node.kind not in VALUES or node.type() in ("BOOLEAN", "NTSTATUS") or node.raw.get("opcode") in TRUTHS:
        return
    if node.kind == "DeclRefExpr" and node.raw["referencedDecl"]["kind"] == "EnumConstantDecl":
        return  # see change-constant
    if _is_used(node):
        for change in ("+ 1", "- 1"):
            yield Edit(node.begin, node.end, f"({source.at(node)} {change})")


def _is_used(node):
    """Is the value of the node used as a number: its place is not written, and it is no condition?"""
    top = node.top()
    if node.raw.get("valueCategory") == "lvalue" and node.parent.raw.get("castKind") != "LValueToRValue":
        return False
    return top.slot not in ("statement", "condition") and top.parent.kind != "ForStmt" and top.parent.raw.get("opcode") != "!"


@operator
def change_constant(source, node):
    """a number becomes zero or one more, a named constant zero or one; a string loses its last character"""
    if node.slot == "top":
        yield from _named_constants(source, node)
    if not node.placed or node.macro is not None:
        return
    text = source.at(node)
    if node.kind == "IntegerLiteral" and text.isdigit():
        for other in {0, int(text) + 1} - {int(text)}:
            yield Edit(node.begin, node.end, str(other))
    elif node.kind == "DeclRefExpr" and node.raw["referencedDecl"]["kind"] == "EnumConstantDecl":
        yield from _other_name(node.begin, node.end, text)
    elif node.kind == "StringLiteral" and re.fullmatch(r'L?".*[^\\"]"', text):
        yield Edit(node.begin, node.end, text[:-2] + '"')


def _named_constants(source, top):
    """Macros leave no node of their own where they stand among a macro's arguments: so by their names."""
    for word in re.compile(rb"[A-Za-z_]\w*").finditer(source.code, top.begin, top.end):
        if word[0].decode() in source.constants:
            yield from _other_name(*word.span(), word[0].decode())


def _other_name(begin, end, name):
    """Zero becomes one, and everything else zero."""
    yield Edit(begin, end, {"TRUE": "FALSE", "FALSE": "TRUE"}.get(name, f"!{name}"))


def _called(source, node):
    """The name of what a statement calls; None if it does something else."""
    if node.macro is not None:
        return re.compile(rb"\w+").match(source.code, node.begin)[0].decode()
    node = node.value()
    if node.kind != "CallExpr":
        return None
    return source.at(node.children[0]) if node.children[0].placed else ""


def _removal(source, node):
    end = node.end + 1 if source.text[node.end:node.end + 1] == b";" else node.end
    return Edit(node.begin, end, ";")


def _calls(source, node):
    """(name, edit that removes it) if the node is a statement that calls something."""
    if node.slot == "statement" and node.placed and _called(source, node) is not None:
        yield _called(source, node), _removal(source, node)


@operator
def remove_reference_call(source, node):
    """a call that takes or drops a reference goes"""
    return (edit for name, edit in _calls(source, node) if REFERENCES.fullmatch(name))


@operator
def remove_lock_call(source, node):
    """a call that locks, waits or signals goes"""
    return (edit for name, edit in _calls(source, node) if LOCKS.fullmatch(name) and not REFERENCES.fullmatch(name))


@operator
def remove_call(source, node):
    """any other call goes"""
    return (edit for name, edit in _calls(source, node) if not LOCKS.fullmatch(name) and not REFERENCES.fullmatch(name))


@operator
def remove_statement(source, node):
    """a statement that is no call goes"""
    if node.slot != "statement" or not node.placed or node.kind in ("CompoundStmt", "DeclStmt", "NullStmt"):
        return
    body = node.parent
    last = body.kind == "CompoundStmt" and body.parent.slot == "top" and body.children[-1] is node
    if _called(source, node) is None and not (last and node.kind == "ReturnStmt"):
        yield _removal(source, node)


@operator
def swap_arguments(source, node):
    """two neighbouring arguments change places"""
    if not node.placed:
        return
    if node.macro is not None:
        inside = node.parent and node.parent.macro == node.macro
        at = source.code.find(b"(", node.begin, node.end)
        places = source.arguments(at) if at >= 0 and not inside else []
    elif node.kind == "CallExpr":
        places = [(each.begin, each.end) for each in node.children[1:] if each.placed]
    else:
        return
    for (begin, middle), (after, end) in zip(places, places[1:]):
        one, other = source.text[begin:middle], source.text[after:end]
        if one != other:
            yield Edit(begin, end, (other + source.text[middle:after] + one).decode())


@operator
def change_return(source, node):
    """another value is returned"""
    if node.kind != "ReturnStmt" or not node.children or not node.children[0].placed:
        return
    value = node.children[0]
    function = value.inside("FunctionDecl").raw["type"]["qualType"].split(" (")[0]
    if function == "NTSTATUS":
        others = ["STATUS_SUCCESS", "STATUS_UNSUCCESSFUL"]
    elif function == "BOOLEAN":
        others = ["TRUE", "FALSE"]
    elif value.desugared().endswith("*"):
        others = ["NULL"]
    elif INTEGERS.fullmatch(value.desugared()):
        others = ["0", "1"]
    else:
        others = []
    for other in others:
        if other != source.at(value):
            yield Edit(value.begin, value.end, other)


@operator
def replace_variable(source, node):
    """a local variable or parameter becomes another of the same type"""
    if node.kind != "DeclRefExpr" or not node.placed or node.macro is not None:
        return
    if node.raw["referencedDecl"]["kind"] not in ("VarDecl", "ParmVarDecl"):
        return
    function = node.inside("FunctionDecl")
    for each in function.walk() if function else ():
        if each.kind in ("VarDecl", "ParmVarDecl") and each.placed and each.begin < node.begin \
                and each.type() == node.type() and each.raw.get("name") != source.at(node):
            yield Edit(node.begin, node.end, each.raw["name"])


@operator
def replace_member(source, node):
    """a member becomes another one of the same type"""
    if node.kind != "MemberExpr" or not node.placed or node.macro is not None:
        return
    name = node.raw["name"]
    begin = source.code.rfind(name.encode(), node.begin, node.end)
    for each in source.records.get(node.raw["referencedMemberDecl"], ()):
        if each.get("name", name) != name and each["type"]["qualType"] == node.type():
            yield Edit(begin, begin + len(name), each["name"])


def mutants(source):
    """All mutants of a source, in the order of their places."""
    found = {}  # (edit, operator) -> the definition that it is in
    for top in source.tops:
        for node in top.walk():
            for name, make in OPERATORS.items():
                for edit in make(source, node):
                    if top.begin <= edit.begin and edit.end <= top.end:  # not where a macro is defined
                        found.setdefault((edit, name), top)
    taken = collections.Counter()
    made = []
    for (edit, name), top in sorted(found.items(), key=lambda each: each[0]):
        function = top.raw["name"]
        key = f"{function}.{name}.{_hash(source, top, edit)}"
        taken[key] += 1
        line, column = source.line_and_column(edit.begin)
        made.append(Mutant(key if taken[key] == 1 else f"{key}.{taken[key]}", name, function, source.path, line, column,
                           edit.begin, edit.end, source.text[edit.begin:edit.end].decode(), edit.text))
    return made


def apply(source, mutant):
    return source.text[:mutant.begin] + mutant.after.encode() + source.text[mutant.end:]


def _hash(source, top, edit):
    """Of the innermost statement around an edit, before and after; of a condition, without what it guards."""
    begin, end = top.begin, top.end
    for node in top.walk():
        if node.placed and node.slot in ("statement", "condition") and node.kind != "CompoundStmt" \
                and node.begin <= edit.begin and edit.end <= node.end + 1 and node.end - node.begin < end - begin \
                and node.inside("CompoundStmt") is not None:
            begin, end = node.begin, max(node.end, edit.end)
    words = [source.text[begin:edit.begin] + middle + source.text[edit.end:end]
             for middle in (source.text[edit.begin:edit.end], edit.text.encode())]
    return hashlib.sha256(b"\0".join(b"".join(each.split()) for each in words)).hexdigest()[:6]
