"""ExCreateCallback: what bears a name, what is opened and what is made."""
from model.objects import DIRECTORY, PROCESSOR_ADD, Object
from model.seen import Diverges, Misuse, Stopped


class Create:
    def has_name(self, o):
        """Can the object be opened by its name?"""
        if o.system:
            return o.name != PROCESSOR_ADD or self.answer(PROCESSOR_ADD) == "present"
        if not o.alive or o.nameless:
            return False
        if o.permanent:
            return True  # [create]: permanent, so it is not deleted
        if o.made_temporary and self.answer("the name after make_temporary") == "gone":
            return False
        answer = self.answer("the name of a temporary object")
        if answer == "while referenced":
            return o.references > 0
        return o.made_temporary or answer == "kept" or answer == "until opened" and not o.opened

    def bearers(self, name, insensitive):
        """The objects that have this name, and those that may have it.

        [create]: OBJ_CASE_INSENSITIVE where it "might be needed", so without it case counts. Nothing is
        said of how the directory is spelled, nor of what becomes of a path that is none."""
        fold = str.upper if insensitive else str
        leaf = kind(name, insensitive) == "leaf"
        certain, perhaps = [], []
        for o in self.objects:
            same = fold(o.name) == fold(name)
            alike = leaf and o.leaf and fold(o.name[DIRECTORY:]) == fold(name[DIRECTORY:])
            mended = not self.windows and o.alive and (o.mended or kind(name, insensitive) in ("relative", "hollow"))
            named = (same or alike) and self.has_name(o)
            if mended or named:
                (certain if named and same and leaf == o.leaf and not o.doubtful else perhaps).append(o)
        return certain, perhaps

    def do_create(self, statement, create=True):
        """[create]: opens what is there; with Create = TRUE it makes what is not."""
        if self.irql > 1:
            raise Misuse("create above APC_LEVEL")
        forbidden = self.irql == 1 and self.forbids("create at APC_LEVEL")
        name, insensitive = statement.name, "case_insensitive" in statement.flags
        certain, perhaps = self.bearers(name, insensitive) if name else ([], [])
        if create and name and name.upper() == PROCESSOR_ADD.upper() and (insensitive or name == PROCESSOR_ADD) \
                and not certain:
            raise Misuse("[objects]: a driver must not take the name of a system-defined object")
        self.see.call(statement, self.level)
        if forbidden and self.see.aborted("(bugchecks)"):
            raise Misuse("create at APC_LEVEL")
        seen = self.returned(certain[0].number if certain else failure_code(name, insensitive) or (
            "STATUS_SUCCESS" if create else "STATUS_OBJECT_NAME_NOT_FOUND"))
        self.bound[statement.result] = None
        if seen.changed:
            raise Diverges("[create]: ObjectAttributes is input")
        if seen.status is None:
            raise Stopped("create ends without a status")
        if seen.status == "STATUS_SUCCESS":
            if forbidden:
                raise Diverges("create at APC_LEVEL goes well where it should not")
            self.bound[statement.result] = self.create_succeeded(seen, statement, create, certain, perhaps)
        else:
            self.create_failed(seen, statement, create, certain, perhaps, forbidden)

    def create_succeeded(self, seen, statement, create, certain, perhaps):
        name, insensitive = statement.name, "case_insensitive" in statement.flags
        if not name:
            raise Diverges("[create], remarks: the caller must specify a name")
        if self.windows and kind(name, insensitive) not in ("leaf", "in root", "below", "root"):
            raise Diverges(f"[facts]: {failure_code(name, insensitive)}")
        if seen.number is None:
            raise Diverges("[create]: on success the address is written")
        o = next((o for o in self.objects if o.alive and o.number == seen.number), None)
        if o in certain or o in perhaps:
            o.opened = True
            o.doubtful = self.opening_may_count(o)
        elif o:
            raise Diverges("an object of another name, or without one, was opened")
        elif not create:
            raise Diverges("success where there is nothing to open")
        elif certain:
            raise Diverges("a new object where there is one to be opened")
        else:
            self.forget(perhaps, name, insensitive)
            o = Object(name, "multiple" in statement.flags, "permanent" in statement.flags, "exclusive" in statement.flags,
                       leaf=kind(name, insensitive) == "leaf", mended=kind(name, insensitive) in ("relative", "hollow"),
                       number=seen.number)
            self.objects.append(o)
        o.references += 1
        return o

    def create_failed(self, seen, statement, create, certain, perhaps, forbidden):
        name, insensitive = statement.name, "case_insensitive" in statement.flags
        if not is_error(seen.status):
            raise Diverges("[create]: STATUS_SUCCESS or an error code, nothing else")
        exclusive = "exclusive" in statement.flags or any(o.exclusive for o in certain + perhaps)
        if forbidden:
            if not seen.failed and not exclusive and name and kind(name, insensitive) == "leaf" and (create or certain):
                self.known.add("create at APC_LEVEL")  # nothing else explains it
            return
        if name is None and seen.status != "STATUS_UNSUCCESSFUL" and not seen.failed:
            raise Diverges("[create], remarks: without a name it fails with STATUS_UNSUCCESSFUL")
        if exclusive:
            return  # nothing is said of what it excludes
        if seen.failed:
            codes = "STATUS_INSUFFICIENT_RESOURCES", "" if create else "STATUS_OBJECT_NAME_NOT_FOUND"
            if self.windows and name and kind(name, insensitive) == "leaf" and seen.status not in codes:
                raise Diverges("[facts]: no memory is STATUS_INSUFFICIENT_RESOURCES")
            return
        promised = ("leaf", "in root") if self.windows else ("leaf",)
        if name and kind(name, insensitive) in promised and (certain or create):
            raise Diverges("an error where " + ("there is an object to be opened" if certain else "nothing is in the way"))
        if self.windows and name is not None and not perhaps:
            due = failure_code(name, insensitive) or (
                "STATUS_OBJECT_NAME_NOT_FOUND" if kind(name, insensitive) in ("leaf", "in root") else None)
            collides = create and kind(name, insensitive) == "directory" and seen.status == "STATUS_OBJECT_NAME_COLLISION"
            if due and seen.status != due and not collides:
                raise Diverges(f"[facts]: {due}")
        self.forget(perhaps, name, insensitive)

    def forget(self, perhaps, name, insensitive):
        """What may have a name and was not found by it has none. A path that is none says nothing."""
        if name and kind(name, insensitive) not in ("relative", "hollow"):
            for o in perhaps:
                o.nameless |= o.doubtful

    def do_open(self, statement):
        self.do_create(statement, create=False)


def is_error(status):
    """[create]: an error code. Successes with a word of their own are none."""
    if status is None:
        return False
    if status.startswith("0x"):
        return int(status, 16) >= 0xC0000000
    return status not in ("STATUS_SUCCESS", "STATUS_OBJECT_NAME_EXISTS", "STATUS_PENDING", "STATUS_TIMEOUT")


def kind(name, insensitive):
    """What kind of path. [objects]: every callback object has a name; all that are shown are "leaf"."""
    if not name.startswith("\\"):
        return "relative" if name else "empty"
    parts = name[1:].split("\\")
    if parts == [""]:
        return "root"
    if "" in parts:
        return "hollow"
    callback = (parts[0].upper() if insensitive else parts[0]) == ("CALLBACK" if insensitive else "Callback")
    if len(parts) == 1:
        return "directory" if callback else "in root"
    return "elsewhere" if not callback else "leaf" if len(parts) == 2 else "below"


def failure_code(name, insensitive):
    """[facts], object manager: the codes seen. None: nothing certain is known."""
    return "STATUS_UNSUCCESSFUL" if name is None else {
        "empty": "STATUS_OBJECT_PATH_SYNTAX_BAD", "relative": "STATUS_OBJECT_PATH_SYNTAX_BAD",
        "hollow": "STATUS_OBJECT_NAME_INVALID", "directory": "STATUS_OBJECT_TYPE_MISMATCH",
        "elsewhere": "STATUS_OBJECT_PATH_NOT_FOUND"}.get(kind(name, insensitive))
