/* What lives, is held and has a name, in which worlds; references and permanence. */
#include "machine_internal.h"

uint16_t object_alive(const SpecObject *object) {
    if (object->system || object->permanent) return WORLDS_ALL;
    uint16_t worlds = 0;
    if (object->references > 0 || object->registered > 0) worlds |= WORLDS_OWN_REFERENCE;
    if (object->references > (int32_t)object->unregistered) worlds |= WORLDS_CALLERS_REFERENCE;
    return worlds;
}

/* Has the program a reference through which it may use the object? */
uint16_t object_held(const SpecObject *object) {
    uint16_t worlds = 0;
    if (object->references > 0) worlds |= WORLDS_OWN_REFERENCE;
    if (object->references > (int32_t)object->unregistered) worlds |= WORLDS_CALLERS_REFERENCE;
    return worlds;
}

uint16_t object_named(const Machine *machine, const SpecObject *object) {
    if (object->nameless) return 0;
    if (object->system == 3 && !(machine->readings.answers[QUESTION_PROCESSOR_ADD] & 1)) return 0;
    if (object->system || object->permanent) return WORLDS_ALL;
    uint16_t kept = WORLDS_NAME_KEPT | (object->opened ? 0 : WORLDS_NAME_UNTIL_OPENED);
    uint16_t referenced = WORLDS_NAME_REFERENCED;
    if (object->made_temporary) {
        kept = WORLDS_MADE_KEPT & ~WORLDS_NAME_REFERENCED;
        referenced &= WORLDS_MADE_KEPT;
    }
    return (object_alive(object) & kept) | (object_held(object) & referenced);
}

unsigned objects_alive(const Machine *machine) {
    unsigned count = 0;
    for (unsigned i = 0; i < machine->object_count; i++)
        count += (object_alive(&machine->objects[i]) & WORLDS_OWN_REFERENCE) != 0;
    return count;
}

Outcome worlds_keep(Machine *machine, uint16_t survive, ClauseId clause) {
    uint16_t left = machine->readings.worlds & (survive | machine->misused);
    if (left & ~machine->misused) {
        machine->readings.worlds = left;
        return OUTCOME_ALLOWED;
    }
    machine->clause = clause;
    if (!left) return OUTCOME_DIVERGES;
    machine->readings.worlds = left;
    return OUTCOME_MISUSE;
}

void object_is_there(Machine *machine, const SpecObject *object) {
    uint16_t left = machine->readings.worlds & object_alive(object);
    if (left & ~machine->misused) machine->readings.worlds = left;
}

Permission permit_in(Machine *machine, uint16_t fine, ClauseId clause) {
    uint16_t judged = judged_worlds(machine);
    if (!(judged & fine)) {
        machine->clause = clause;
        return PERMIT_MISUSE;
    }
    if (!(judged & ~fine)) return PERMIT_YES;
    machine->misused |= judged & (uint16_t)~fine;
    return PERMIT_EXCUSED;
}

uint16_t worlds_gone_in_use(const SpecObject *object) {
    bool in_use = object->notifying || object->registered;
    return in_use ? (uint16_t)(WORLDS_ALL & ~object_alive(object)) : 0;
}

Permission references_call(Machine *machine, const Call *call) {
    ClauseId clause = call->kind == CALL_DEREFERENCE || call->kind == CALL_MAKE_TEMPORARY
                          ? CLAUSE_DELETE_WHEN_DONE
                          : CLAUSE_REGISTER_OBJECT;
    machine->clause = clause;
    if (call->object == NO_ID) return PERMIT_MISUSE;
    SpecObject *object = &machine->objects[call->object];
    at_stake(machine, clause);
    if (call->kind == CALL_MAKE_TEMPORARY && (object->system || machine->irql > LEVEL_PASSIVE))
        return PERMIT_MISUSE;
    uint16_t fine = object_held(object);
    if (call->giving_back && object->permanent) fine = WORLDS_ALL;
    if (call->kind == CALL_DEREFERENCE) {
        at_stake(machine, CLAUSE_WINDOWS_DEREFERENCE_IRQL);
        object->references--;
        uint16_t gone = worlds_gone_in_use(object);
        object->references++;
        if (object->notifying && fine & gone & judged_worlds(machine))
            clause = CLAUSE_NOTIFY_OBJECT;
        fine &= (uint16_t)~gone;
    }
    return permit_in(machine, fine, clause);
}

void doubt_opened_name(Machine *machine, SpecObject *object) {
    if (!object->made_temporary || !object->opened) return;
    if (judged_worlds(machine) & WORLDS_NAME_UNTIL_OPENED)
        machine->names_in_doubt = object->perhaps = true;
}

Outcome references_return(Machine *machine) {
    const Call *call = &top_frame(machine)->call;
    SpecObject *object = &machine->objects[call->object];
    machine->effective++;
    at_stake(machine, CLAUSE_DELETE_NOT_BEFORE);
    at_stake(machine, CLAUSE_WINDOWS_CREATE_REFERENCE);
    switch (call->kind) {
    case CALL_REFERENCE: object->references++; break;
    case CALL_DEREFERENCE: object->references--; break;
    default:
        if (object->permanent) {
            object->permanent = false;
            object->made_temporary = true;
            doubt_opened_name(machine, object);
            at_stake(machine, CLAUSE_DELETE_PERMANENT);
            at_stake(machine, CLAUSE_WINDOWS_MAKE_TEMPORARY);
        } else {
            machine->names_in_doubt = true;
            object->perhaps = true; /* nobody says what a second time does to a name */
        }
    }
    return OUTCOME_ALLOWED;
}

Outcome machine_observe_object(Machine *machine, uint16_t number, bool there) {
    const SpecObject *object = &machine->objects[number];
    uint16_t alive = object_alive(object);
    if (there) {
        object_is_there(machine, object);
        return OUTCOME_ALLOWED;
    }
    ClauseId clause = object->permanent        ? CLAUSE_CREATE_PERMANENT
                      : object->references > 0 ? CLAUSE_DELETE_NOT_BEFORE
                                               : CLAUSE_UNREGISTER_REFERENCE;
    return worlds_keep(machine, (uint16_t)(WORLDS_ALL & ~alive), clause);
}

bool machine_holds(const Machine *machine, uint16_t object) {
    uint16_t judged = judged_worlds(machine);
    return judged && !(judged & ~object_held(&machine->objects[object]));
}

bool machine_perhaps_holds(const Machine *machine, uint16_t object) {
    return (judged_worlds(machine) & object_held(&machine->objects[object])) != 0;
}

bool machine_has_name(const Machine *machine, uint16_t object) {
    uint16_t judged = judged_worlds(machine);
    return judged && !(judged & ~object_named(machine, &machine->objects[object]));
}
