"""What routines hear of processors.

[register], remarks, says that there are such routines, and that a flag enumerates the processors that
are there already. When, how often and with what: [facts].
"""
import re

from model.create import is_error
from model.objects import PROCESSOR_ADD, Registration, Stage
from model.seen import Diverges, Entry, Misuse


class Processors:
    def do_register_processor_change(self, statement):
        if self.irql:
            raise Misuse("[facts]: at PASSIVE_LEVEL")
        self.see.call(statement, self.level)
        registration = Registration(None, statement.routine, statement.numbers[0], None)
        self.changing.append(registration)
        untold = "add_existing" in statement.flags and not self.existing(registration)
        self.changing.remove(registration)
        seen = self.returned("handle")
        self.bound[statement.result] = None
        if not seen.handle and (seen.failed or not self.windows):
            return  # [register] does not say what it returns
        if untold:
            raise Diverges("the existing processors were not told of")
        if not seen.handle:
            raise Diverges("NULL where nothing is in the way")
        registration.number = seen.number
        self.changes.append(registration)
        self.bound[statement.result] = registration

    def existing(self, registration):
        """[facts]: Start for each processor, then Complete for each; when a routine sets an error at
        one, no further Start, and Failure for each that was started before. Was all of it seen?"""
        phase, due, started = "start", set(range(self.processors)), []
        before, failed, numbers = self.processors, False, set()
        while True:
            if phase == "start" and not due:
                phase, due = "complete", set(started)
            entry = self.see.entry(self.level, Entry(registration.routine, registration.context, (
                f"{phase} {min(due)}", "STATUS_SUCCESS"), self.irql) if due else None)
            if entry is None:
                return not due if self.windows else failed or len(numbers) >= before
            told = re.fullmatch(r"(\w+) (\d+)", entry.arguments[0])
            if entry[:2] != (registration.routine, registration.context) or self.windows and not told:
                raise Diverges("a call that is not due")
            if not told:
                numbers.add(len(numbers) + 1000)
                self.enter(entry, registration, Stage(False))
                continue
            stage = Stage(told[1] == "start", entry.arguments[1], int(told[2]))
            new = before <= int(told[2]) < self.processors  # added by the routine itself, meanwhile
            if self.windows and (told[1] != phase or int(told[2]) not in due and not new):
                raise Diverges(f"{entry.arguments[0]} is not due")
            if self.windows and phase == "start" and stage.status != "STATUS_SUCCESS":
                raise Diverges("an error that no routine has set")
            due.discard(int(told[2]))
            numbers.add(told[2])
            self.enter(entry, registration, stage)
            if phase == "start" and stage.status == "STATUS_SUCCESS":
                started.append(int(told[2]))
            elif phase == "start":
                phase, due = "failure", set(started)
            failed |= stage.status != "STATUS_SUCCESS"

    def do_add_processor(self, statement):
        """[facts]: Start to every routine, then Complete, or Failure if one of them set an error."""
        if self.irql:
            raise Misuse("[facts]: the routines run at PASSIVE_LEVEL")
        stage = Stage(True, number=self.processors)
        hearers, number = [r for r in self.changes if r.alive], self.processors
        told = self.announce(statement, "start", stage, number, hearers)
        fails = stage.status != "STATUS_SUCCESS" or "fails" in statement.flags
        self.processors += not fails
        told |= self.announce(statement, "failure" if fails else "complete", Stage(False, stage.status), number, hearers)
        if not fails and not all(id(r) in told for r in hearers if r.alive):
            raise Diverges("a routine has not heard of the processor")

    def announce(self, statement, phase, stage, number, hearers):
        """One stage of a new processor: to each routine of the object once, in their order, and once to
        those of processor changes that were there when it began."""
        o = next(o for o in self.objects if o.system and o.name == PROCESSOR_ADD)
        self.see.call(statement, self.level)
        first = list(o.registered), hearers
        told = set()
        while True:
            of_object, changes = ([r for r in group if r.alive and id(r) not in told] for group in first)
            late = [r for r in o.registered + self.changes + self.changing
                    if r.alive and id(r) not in told and r not in first[0] + first[1]]
            due = of_object[:1] + changes
            entry = self.see.entry(self.level, Entry(due[0].routine, due[0].context, (
                f"{phase} {number}", stage.status), self.irql) if due else None)
            if entry is None:
                break
            registration = next((r for r in due + late if (r.routine, r.context) == entry[:2]), None)
            if not registration:
                raise Diverges(f"F{entry.routine} was called, which is not due")
            if self.windows and entry.arguments[0] != f"{phase} {number}":
                raise Diverges(f"{entry.arguments[0]} is not due")
            if self.windows and phase == "start" and entry.arguments[1] != stage.status:
                raise Diverges("the status is not what the routines before have set")
            told.add(id(registration))
            self.enter(entry, registration, stage)
        for r in due if self.windows else of_object:
            raise Diverges(f"F{r.routine} was not called")
        self.returned()
        return told

    def do_set_status(self, statement):
        """[facts]: only at a start, and only while no error is set. [script]: for all processors, or one."""
        stage = self.running[-1][1] if self.running else None
        if statement.numbers and not (stage and stage.start and (stage.number,) == statement.numbers):
            return
        if not stage or not stage.start or stage.status != "STATUS_SUCCESS" or not is_error(statement.level):
            raise Misuse("an error is set where none may be")
        self.see.call(statement, self.level)
        stage.status = statement.level

    def do_deregister_processor_change(self, statement):
        registration = self.bound.get(statement.operand)
        if registration is None:
            raise Misuse("deregister of NULL")
        self.deregister(registration, statement)

    def deregister(self, registration, statement):
        if self.irql:
            raise Misuse("[facts]: at PASSIVE_LEVEL")
        if not registration.alive:
            raise Misuse("a handle is given back once")
        if any(running is registration for running, _ in self.running):
            raise Misuse("a routine that deregisters itself waits for itself, perhaps")
        self.see.call(statement, self.level)
        registration.alive = False
        self.returned()
