"""What the documents leave open, and the answers that can be read into them."""

QUESTIONS = {
    # [create] asks for OBJ_PERMANENT so that an object is not deleted before it can be registered
    # with the object manager, and does not say what is there without it. [facts]: no handle is
    # open when create returns, so the name has gone; or it goes when a first open closes its handle,
    # or with the last reference from create and open, as if that were a handle.
    "the name of a temporary object": ("gone", "until opened", "while referenced", "kept"),
    # [create] sends the reader elsewhere for how a permanent object ends.
    "the name after make_temporary": ("gone", "kept"),
    # [using], paragraph 8: unregistering removes "its reference". Whose: one that registering took,
    # or the one that the caller has from opening?
    "the reference of a registration": ("own", "the caller's"),
    # [objects] names three system-defined objects where it counts two; [create] lists two.
    "\\Callback\\ProcessorAdd": ("present", "absent"),
    # [create], metadata: req.irql says <= APC_LEVEL, the DDI compliance rule IrqlExPassive less.
    "create at APC_LEVEL": ("allowed", "forbidden"),
    # Silent: [using], paragraph 7, lets a routine do what it needs; [facts]: it waits for itself.
    "unregister inside its own call": ("returns", "waits"),
    # Silent: [register] takes what create returned, and returns NULL on an error.
    "register with NULL": ("refused", "forbidden"),
    # Silent.
    "unregister of NULL": ("ignored", "forbidden"),
    # [script]: what an implementation keeps in memory of its own nobody sees going.
    "the memory of objects": ("seen", "not seen"),
    # Silent everywhere, as [facts] says.
    "the same routine again": ("again", "refused", "refused with the same context"),
}
WINDOWS = {  # what [facts] answers
    "the name of a temporary object": "gone",
    "the name after make_temporary": "gone",
    "the reference of a registration": "own",
    "\\Callback\\ProcessorAdd": "present",
    "unregister inside its own call": "waits",
}


class Ask(Exception):
    """The world has no answer to this question yet."""
