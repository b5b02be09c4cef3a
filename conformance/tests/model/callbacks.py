"""ExRegisterCallback, ExUnregisterCallback, ExNotifyCallback and the system's events: which routines run."""
from model.objects import POWER_STATE, SYSTEM_TIME, Registration
from model.seen import Diverges, Entry, Misuse

BODY_LEVELS = 5  # [script]: a body does not run from this level of nesting on


class Callbacks:
    def do_register(self, statement):
        o = self.bound.get(statement.operand)
        if self.irql > 1:
            raise Misuse("[register]: at IRQL <= APC_LEVEL")
        forbidden = o is None and self.forbids("register with NULL")
        self.referenced(statement, o)
        due = self.registration_due(o, statement.routine, statement.numbers[0])
        self.see.call(statement, self.level)
        if forbidden and self.see.aborted():
            raise Misuse("register with NULL")
        seen = self.returned(due)
        if forbidden and not seen.failed:
            self.misused("register with NULL", well=not seen.handle)
        self.bound[statement.result] = None
        if due == "NULL" and seen.handle:
            raise Diverges("a handle where NULL is due")
        if due == "handle" and not seen.handle and not seen.failed:
            raise Diverges("NULL where nothing is in the way")
        if not seen.handle:
            return
        if seen.number and any(r.number == seen.number for o in self.objects for r in o.registered):
            raise Diverges("two registrations have one handle, so it cannot tell which to remove")
        registration = Registration(o, statement.routine, statement.numbers[0], seen.number)
        o.registrations.append(registration)
        self.bound[statement.result] = registration

    def registration_due(self, o, routine, context):
        if o is None:
            return "NULL"
        if not o.multiple and o.registered:
            return "NULL"  # [register], remarks: one routine only, and it is there
        same = [r for r in o.registered if r.routine == routine]
        if not same:
            return "handle"
        answer = self.answer("the same routine again")
        if answer == "refused" or answer != "again" and any(r.context == context for r in same):
            return "NULL"
        return "handle"

    def do_unregister(self, statement):
        registration = self.bound.get(statement.operand)
        if self.irql > 1:
            raise Misuse("unregister above APC_LEVEL: [facts], and as [register] for its counterpart")
        if registration is None:
            forbidden = self.forbids("unregister of NULL")
            self.see.call(statement, self.level)
            if forbidden:
                self.misused("unregister of NULL", well=not self.see.aborted())
            self.returned()
            return
        self.unregister(registration, statement)

    def unregister(self, registration, statement):
        """[using], paragraph 8: removes the routine from the list, and its reference."""
        if not registration.alive:
            raise Misuse("[register], remarks: the handle is for one call of unregister")
        itself = any(running is registration for running, _ in self.running)
        waits = itself and self.forbids("unregister inside its own call", "waits")
        o = registration.object
        if self.answer("the reference of a registration") == "the caller's":
            if o.references == 0:
                raise Misuse("unregister drops a reference that the caller does not have")
            o.references -= 1
        self.may_go(o, registration)
        self.see.call(statement, self.level)
        if waits:
            self.misused("a routine waits for itself", well=not self.see.aborted("(deadlocks) (hangs)"))
        registration.alive = False
        self.released(o)

    def do_notify(self, statement):
        o = self.held(statement)
        if o.system:
            raise Misuse("[notify], remarks: not for the system-defined objects")
        self.see.call(statement, self.level)
        self.notification(o, tuple(f"{number:#x}" for number in statement.numbers))
        self.returned()

    def notification(self, o, arguments, stage=None):
        """[notify]: all registered routines, in order of registration, at the caller's IRQL.

        Whether one that is registered meanwhile is called by it is said nowhere, so it may be."""
        start, at = len(o.registrations), 0
        self.notifying.append(o)
        while True:
            due = [r for r in o.registrations[at:start] if r.alive]
            late = [r for r in o.registrations[max(at, start):] if r.alive]
            allowed = due[:1] or late
            entry = self.see.entry(self.level, Entry(
                due[0].routine, due[0].context, arguments, self.irql) if due else None)
            if entry is None:
                if due:
                    raise Diverges(f"F{due[0].routine} was not called")
                break
            registration = next((r for r in allowed if (r.routine, r.context) == entry[:2]), None)
            if not registration:
                raise Diverges(f"F{entry.routine} was called, which is not due")
            if arguments and entry.arguments != arguments:
                raise Diverges("[notify]: the routine gets the notifier's arguments")
            at = o.registrations.index(registration) + 1
            self.enter(entry, registration, stage)
        self.notifying.pop()

    def enter(self, entry, registration, stage=None):
        if entry.irql != self.irql:
            raise Diverges("[notify], [using]: at the caller's IRQL")
        self.running.append((registration, stage))
        self.bases.append(self.irql)
        if self.level < BODY_LEVELS:
            for statement in self.program.bodies.get(entry.routine, ()):
                self.statement(statement)
        if self.irql != self.bases.pop():
            raise Misuse("a routine returns at another IRQL than it was called at")
        self.running.pop()

    def event(self, statement, name, arguments):
        """[create], table: the system calls the routines of its objects when their time comes."""
        o = next(o for o in self.objects if o.system and o.name == name)
        self.see.call(statement, self.level)
        self.notification(o, arguments)
        self.returned()

    def do_set_system_time(self, statement):
        self.event(statement, SYSTEM_TIME, None)

    def do_power_state(self, statement):
        """[using]: the values are the component's that created the object, here the system's."""
        self.event(statement, POWER_STATE, tuple(f"{number:#x}" for number in statement.numbers))
