/* ExRegisterCallback and ExUnregisterCallback: who is on the list. */
#include "machine_internal.h"

static unsigned hash_of_handle(uint64_t handle) {
    return (unsigned)(handle * UINT64_C(0x9E3779B97F4A7C15) >> 32) % MACHINE_HANDLES;
}

void registrations_clear(Machine *machine) {
    for (unsigned i = 0; i < machine->live_count; i++)
        machine->alike[hash_of_handle(machine->registrations[machine->live[i]].handle)] = 0;
    machine->registration_count = machine->live_count = 0;
}

uint16_t registration_add(Machine *machine, const Call *call, uint64_t handle) {
    uint16_t number = machine->registration_count++;
    machine->live[machine->live_count++] = number;
    machine->alike[hash_of_handle(handle)]++;
    for (unsigned i = 0; i < machine->frame_count; i++)
        machine->frames[i].late |= machine->frames[i].object == call->object;
    machine->registrations[number] = (SpecRegistration){.handle = handle,
                                                        .context = call->context,
                                                        .object = call->object,
                                                        .routine = call->routine,
                                                        .alive = true,
                                                        .from_routine = machine->frame_count > 1,
                                                        .called = 0};
    return number;
}

void registration_remove(Machine *machine, uint16_t number) {
    SpecRegistration *registration = &machine->registrations[number];
    registration->alive = false;
    machine->alike[hash_of_handle(registration->handle)]--;
    /* Whether a call in progress has told it of a processor stays known (twin_called). */
    bool telling = false;
    for (unsigned i = 0; i < machine->frame_count; i++)
        telling |= machine->frames[i].call.kind == CALL_PROCESSOR_STAGE &&
                   (registration->called & machine->frames[i].bit);
    registration->told &= telling;
    registration->died = machine->clock;
    unsigned place = 0;
    while (machine->live[place] != number)
        place++;
    machine->live_count--;
    unsigned at = place;
    for (; at < machine->live_count; at++)
        machine->live[at] = machine->live[at + 1];
    for (unsigned i = 0; i < machine->frame_count; i++) {
        SpecFrame *frame = &machine->frames[i];
        frame->removed |= frame->object == registration->object;
        frame->cursor -= place < frame->cursor;
    }
}

bool registrations_fill_table(const Machine *machine) {
    unsigned count = machine->live_count;
    if (machine->frame_count == 1) return count >= MACHINE_ROOM_REGISTRATIONS;
    for (unsigned i = 0; i + 1 < machine->frame_count; i++)
        count += machine->frames[i].call.kind == CALL_REGISTER_CHANGE;
    for (unsigned i = 0; i < machine->registration_count; i++) {
        const SpecRegistration *registration = &machine->registrations[i];
        count += !registration->alive && registration->died > machine->frames[0].began;
    }
    return count >= MACHINE_ROOM_REGISTRATIONS;
}

/* NULL where an address is asked for: a mistake in one reading, tolerated in the other. */
static Permission permit_null(const Machine *machine, Question question) {
    uint8_t answers = machine->readings.answers[question];
    if (!(answers & 1)) return PERMIT_MISUSE;
    return answers & 2 ? PERMIT_EXCUSED : PERMIT_YES;
}

Permission register_call(Machine *machine, const Call *call) {
    at_stake(machine, CLAUSE_REGISTER_IRQL);
    at_stake(machine, CLAUSE_REGISTER_OBJECT);
    machine->clause = CLAUSE_REGISTER_IRQL;
    if (machine->irql > LEVEL_APC) return PERMIT_MISUSE;
    machine->clause = CLAUSE_REGISTER_OBJECT;
    if (call->object == NO_ID) return permit_null(machine, QUESTION_REGISTER_NULL);
    if (!registration_room(machine)) return PERMIT_FULL;
    return permit_in(machine, object_held(&machine->objects[call->object]), CLAUSE_REGISTER_OBJECT);
}

/* Which of the readings that are left would refuse this one as the same routine again? */
static uint8_t refusing_readings(const Machine *machine, const Call *call) {
    enum { PAIR = 2, ROUTINE = 4 };
    uint8_t left = machine->readings.answers[QUESTION_SAME_ROUTINE], refusing = 0;
    if (!(left & (PAIR | ROUTINE))) return 0;
    for (unsigned i = 0; i < machine->live_count; i++) {
        const SpecRegistration *other = &machine->registrations[machine->live[i]];
        if (other->object != call->object || other->routine != call->routine) continue;
        refusing |= ROUTINE;
        if (other->context == call->context) refusing |= PAIR;
    }
    return refusing & left;
}

static bool handle_is_taken(const Machine *machine, uint64_t handle) {
    if (!machine->alike[hash_of_handle(handle)]) return false;
    for (unsigned i = 0; i < machine->live_count; i++)
        if (machine->registrations[machine->live[i]].handle == handle) return true;
    return false;
}

bool register_is_refused(const Machine *machine, const Call *call) {
    const SpecObject *object = &machine->objects[call->object];
    uint8_t same = machine->readings.answers[QUESTION_SAME_ROUTINE];
    return (!object->multiple && object->registered) || !(same & ~refusing_readings(machine, call));
}

/* What is broken when the object allows more or fewer than it was created for. */
static ClauseId clause_of_room(const SpecObject *object, ClauseId otherwise) {
    if (object->created_differently) return CLAUSE_CREATE_IGNORES_MULTIPLE;
    return object->opened_differently ? CLAUSE_OPEN_IGNORES_MULTIPLE : otherwise;
}

/* What is broken when there is a second one on an object for one. */
static ClauseId clause_of_second(const Machine *machine, uint16_t number) {
    for (unsigned i = 0; i < machine->live_count; i++) {
        const SpecRegistration *first = &machine->registrations[machine->live[i]];
        if (first->object == number && first->without_memory) return CLAUSE_REGISTER_ERROR;
    }
    return clause_of_room(&machine->objects[number], CLAUSE_REGISTER_SINGLE);
}

/* It allows as many as it was created for, so no create or open so far has changed that. */
static void object_shows_room(SpecObject *object) {
    object->created_differently = object->opened_differently = false;
}

static Outcome refused(Machine *machine, const Call *call, SpecObject *object,
                       const Return *result) {
    if (!object->multiple && object->registered) {
        at_stake(machine, CLAUSE_REGISTER_SINGLE);
        if (!result->allocation_failed) object_shows_room(object);
        return OUTCOME_ALLOWED;
    }
    if (result->allocation_failed) {
        at_stake(machine, CLAUSE_REGISTER_ERROR);
        return OUTCOME_ALLOWED;
    }
    if (registrations_fill_table(machine)) return OUTCOME_ALLOWED;
    uint8_t *same = &machine->readings.answers[QUESTION_SAME_ROUTINE];
    uint8_t refusing = refusing_readings(machine, call);
    if (refusing) {
        *same = refusing;
        return OUTCOME_ALLOWED;
    }
    ClauseId clause = object->system       ? CLAUSE_SYSTEM_MULTIPLE
                      : object->registered ? clause_of_room(object, CLAUSE_CREATE_MULTIPLE)
                      : !object->multiple  ? CLAUSE_CREATE_SINGLE
                                           : CLAUSE_REGISTER_HANDLE;
    return worlds_keep(machine, 0, clause);
}

Outcome register_return(Machine *machine, const Return *result) {
    const Call *call = &top_frame(machine)->call;
    machine->result_registration = NO_ID;
    if (call->object == NO_ID) {
        if (result->pointer) { /* nobody says what that would be, unless NULL was refused before */
            bool refuses = !(machine->readings.answers[QUESTION_REGISTER_NULL] & 2);
            return refuses ? worlds_keep(machine, 0, CLAUSE_REGISTER_ERROR) : OUTCOME_MISUSE;
        }
        /* Without memory, NULL is for that: what it does otherwise is still open. */
        if (!result->allocation_failed) machine->readings.answers[QUESTION_REGISTER_NULL] = 1;
        return OUTCOME_ALLOWED;
    }
    SpecObject *object = &machine->objects[call->object];
    at_stake(machine, CLAUSE_REGISTER_HANDLE);
    at_stake(machine, CLAUSE_CREATE_THEN_REGISTER);
    at_stake(machine, CLAUSE_CREATE_POINTER_USABLE);
    if (object->system) at_stake(machine, CLAUSE_SYSTEM_MULTIPLE);
    else at_stake(machine, object->multiple ? CLAUSE_CREATE_MULTIPLE : CLAUSE_CREATE_SINGLE);
    if (!result->pointer) return refused(machine, call, object, result);

    if (!object->multiple && object->registered) {
        at_stake(machine, CLAUSE_REGISTER_SINGLE);
        return worlds_keep(machine, 0, clause_of_second(machine, call->object));
    }
    if (handle_is_taken(machine, result->pointer))
        return worlds_keep(machine, 0, CLAUSE_REGISTER_HANDLE);
    uint8_t refusing = refusing_readings(machine, call);
    if (refusing) {
        uint8_t *same = &machine->readings.answers[QUESTION_SAME_ROUTINE];
        if (!(*same & ~refusing)) return worlds_keep(machine, 0, CLAUSE_REGISTER_HANDLE);
        *same &= (uint8_t)~refusing;
    }
    if (object->registered) object_shows_room(object);
    machine->result_registration = registration_add(machine, call, result->pointer);
    machine->registrations[machine->result_registration].without_memory = result->allocation_failed;
    object_is_there(machine, object);
    object->registered++;
    machine->effective++;
    at_stake(machine, CLAUSE_REGISTER_ANY_TIME);
    at_stake(machine, CLAUSE_WINDOWS_REGISTRATION_REFERENCE);
    if (!call->context) at_stake(machine, CLAUSE_REGISTER_CONTEXT_OPTIONAL);
    return OUTCOME_ALLOWED;
}

Permission unregister_call(Machine *machine, const Call *call) {
    at_stake(machine, CLAUSE_REGISTER_IRQL);
    at_stake(machine, CLAUSE_REGISTER_KEEP_HANDLE);
    machine->clause = CLAUSE_REGISTER_IRQL;
    if (machine->irql > LEVEL_APC) return PERMIT_MISUSE;
    machine->clause = CLAUSE_REGISTER_KEEP_HANDLE;
    if (call->registration == NO_ID) return permit_null(machine, QUESTION_UNREGISTER_NULL);
    SpecRegistration *registration = &machine->registrations[call->registration];
    if (!registration->alive || registration->object == NO_ID) return PERMIT_MISUSE;
    SpecObject *object = &machine->objects[registration->object];
    bool excused = false;
    if (registration->running) {
        at_stake(machine, CLAUSE_WINDOWS_UNREGISTER_SELF);
        machine->clause = CLAUSE_WINDOWS_UNREGISTER_SELF;
        uint8_t answers = machine->readings.answers[QUESTION_UNREGISTER_SELF];
        if (!(answers & 1)) return PERMIT_MISUSE;
        excused = (answers & 2) != 0;
    }
    /* Where the caller's reference goes, there must be one, and the object must outlive
     * its own notification and other registrations. */
    uint16_t fine = object_alive(object);
    if (object->references <= (int32_t)object->unregistered)
        fine &= (uint16_t)~WORLDS_CALLERS_REFERENCE;
    object->registered--;
    object->unregistered++;
    uint16_t gone = worlds_gone_in_use(object);
    object->registered++;
    object->unregistered--;
    ClauseId clause =
        object->notifying && fine & gone ? CLAUSE_NOTIFY_OBJECT : CLAUSE_REGISTER_OBJECT;
    Permission permission = permit_in(machine, fine & (uint16_t)~gone, clause);
    if (permission == PERMIT_YES && excused) permission = PERMIT_EXCUSED;
    return permission;
}

Outcome unregister_return(Machine *machine) {
    const Call *call = &top_frame(machine)->call;
    if (call->registration == NO_ID) {
        machine->readings.answers[QUESTION_UNREGISTER_NULL] = 1;
        return OUTCOME_ALLOWED;
    }
    SpecRegistration *registration = &machine->registrations[call->registration];
    SpecObject *object = &machine->objects[registration->object];
    if (registration->running) machine->readings.answers[QUESTION_UNREGISTER_SELF] = 1;
    registration_remove(machine, call->registration);
    object->registered--;
    object->unregistered++;
    machine->effective++;
    at_stake(machine, CLAUSE_UNREGISTER_REFERENCE);
    at_stake(machine, CLAUSE_UNREGISTER_THE_ONE);
    return OUTCOME_ALLOWED;
}
