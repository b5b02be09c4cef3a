/* The reference machine's step: calls and returns, nested as routines nest them. */
#include "machine_internal.h"

#include <string.h>

static const uint16_t system_names[3][24] = {
    u"\\Callback\\SetSystemTime", u"\\Callback\\PowerState", u"\\Callback\\ProcessorAdd"};

void machine_start(Machine *machine, bool windows, Readings readings, const uint64_t system[3]) {
    static const uint16_t lengths[3] = {23, 20, 22};
    static uint32_t hashes[3];
    machine->windows = windows;
    machine->readings = readings;
    machine->misused = 0;
    machine->irql = LEVEL_PASSIVE;
    machine->frame_count = 0;
    registrations_clear(machine);
    machine->clock = 0;
    machine->stage_end = 0;
    machine->clause = CLAUSE_NONE;
    machine->result_object = machine->result_registration = NO_ID;
    machine->names_in_doubt = false;
    machine->object_count = 3;
    for (unsigned i = 0; i < 3; i++) {
        SpecName name = {system_names[i], lengths[i], true};
        if (!hashes[i]) hashes[i] = name_hash(&name);
        machine->objects[i] = (SpecObject){.name = name,
                                           .pointer = system ? system[i] : 0,
                                           .hash = hashes[i],
                                           .in_directory = true,
                                           .system = (uint8_t)(i + 1),
                                           .multiple = true,
                                           .permanent = true};
    }
}

static Permission irql_call(Machine *machine, const Call *call) {
    const SpecFrame *parent = parent_frame(machine);
    uint8_t base = parent ? parent->base : (uint8_t)LEVEL_PASSIVE;
    machine->clause = CLAUSE_NOTIFY_IRQL;
    return call->level < base || call->level > LEVEL_DISPATCH ? PERMIT_MISUSE : PERMIT_YES;
}

/* A routine writes an error only at a start, and only over success. */
static Permission set_status_call(Machine *machine, const Call *call) {
    const SpecFrame *parent = parent_frame(machine);
    at_stake(machine, CLAUSE_WINDOWS_PROCESSOR_STATUS);
    machine->clause = CLAUSE_WINDOWS_PROCESSOR_STATUS;
    if (!parent || (int32_t)call->status >= 0 || parent->status) return PERMIT_MISUSE;
    if (parent->call.kind == CALL_PROCESSOR_STAGE)
        return parent->call.stage == STAGE_START ? PERMIT_YES : PERMIT_MISUSE;
    bool starting = parent->call.kind == CALL_REGISTER_CHANGE && parent->starting &&
                    (!machine->windows || parent->failing == UINT32_MAX);
    return starting ? PERMIT_YES : PERMIT_MISUSE;
}

static Permission permit(Machine *machine, const Call *call) {
    switch (call->kind) {
    case CALL_CREATE: return create_call(machine, call);
    case CALL_REGISTER: return register_call(machine, call);
    case CALL_NOTIFY: return notify_call(machine, call);
    case CALL_UNREGISTER: return unregister_call(machine, call);
    case CALL_REFERENCE:
    case CALL_DEREFERENCE:
    case CALL_MAKE_TEMPORARY: return references_call(machine, call);
    case CALL_IRQL: return irql_call(machine, call);
    case CALL_SET_SYSTEM_TIME:
    case CALL_POWER_STATE: return PERMIT_YES;
    case CALL_PROCESSOR_STAGE:
        machine->clause = CLAUSE_WINDOWS_CHANGE_IRQL;
        return machine->irql == LEVEL_PASSIVE ? PERMIT_YES : PERMIT_MISUSE;
    case CALL_REGISTER_CHANGE:
    case CALL_DEREGISTER_CHANGE: return change_call(machine, call);
    case CALL_SET_STATUS: return set_status_call(machine, call);
    case CALL_KINDS: break;
    }
    return PERMIT_MISUSE;
}

/* Whose routines does this call run? */
static uint16_t notified_object(const Machine *machine, const Call *call) {
    switch (call->kind) {
    case CALL_NOTIFY: return call->object;
    case CALL_SET_SYSTEM_TIME: return 0;
    case CALL_POWER_STATE: return 1;
    case CALL_PROCESSOR_STAGE:
        return machine->readings.answers[QUESTION_PROCESSOR_ADD] & 1 ? 2 : NO_ID;
    default: return NO_ID;
    }
}

static bool notifies(CallKind kind) {
    enum {
        NOTIFIERS = 1 << CALL_NOTIFY | 1 << CALL_SET_SYSTEM_TIME | 1 << CALL_POWER_STATE |
                    1 << CALL_PROCESSOR_STAGE
    };
    return NOTIFIERS >> kind & 1;
}

/* Nothing is known yet of the processors that this call is about. */
static void change_begin(Machine *machine, SpecFrame *frame) {
    frame->status = 0;
    frame->started = frame->finished = 0;
    frame->unknown = 0;
    frame->failing = UINT32_MAX;
    frame->added = 0;
    frame->called = 0;
    if (frame->call.kind == CALL_PROCESSOR_STAGE) stage_begin(machine, frame);
}

Permission machine_call(Machine *machine, const Call *call) {
    if (machine->frame_count == MACHINE_FRAMES) return PERMIT_FULL;
    Permission permission = permit(machine, call);
    if (permission == PERMIT_MISUSE || permission == PERMIT_FULL) return permission;
    SpecFrame *parent = parent_frame(machine);
    if (parent) {
        parent->nested_calls = true;
        at_stake(machine, CLAUSE_ROUTINE_TASKS);
    }
    SpecFrame *frame = &machine->frames[machine->frame_count++];
    if (call != &frame->call) frame->call = *call;
    frame->irql = machine->irql;
    frame->base = machine->irql;
    frame->excused = permission == PERMIT_EXCUSED;
    frame->diverged = frame->unordered = frame->again = frame->starting = frame->nested_calls =
        frame->removed = frame->late = false;
    frame->began = ++machine->clock;
    if (call->kind == CALL_CREATE) {
        frame->path = (uint8_t)name_path(&call->name, call->case_insensitive);
        frame->hash = call->name.present ? name_hash(&call->name) : 0;
    }
    frame->object = NO_ID;
    frame->running = NO_ID;
    frame->clause = CLAUSE_NONE;
    frame->calls = 0;
    if (notifies(call->kind)) {
        frame->object = notified_object(machine, call);
        notify_begin(machine, frame);
    }
    if (call->kind == CALL_PROCESSOR_STAGE || call->kind == CALL_REGISTER_CHANGE)
        change_begin(machine, frame);
    return permission;
}

Outcome machine_enter(Machine *machine, const Entry *entry) {
    machine->calls++;
    if (!machine->frame_count) return diverge(machine, CLAUSE_NOTIFY_ONLY);
    SpecFrame *frame = top_frame(machine);
    frame->calls++;
    frame->base = entry->irql;
    frame->running = NO_ID;
    machine->irql = entry->irql;
    if (notifies(frame->call.kind)) return notify_enter(machine, frame, entry);
    if (frame->call.kind == CALL_REGISTER_CHANGE) {
        frame->starting =
            entry->argument[0].kind == SPEC_CONTEXT && entry->argument[0].stage == STAGE_START;
        return existing_enter(machine, frame, entry);
    }
    return misfit(frame, CLAUSE_NOTIFY_ONLY);
}

Outcome machine_leave(Machine *machine, uint8_t irql) {
    if (!machine->frame_count) return OUTCOME_DIVERGES;
    SpecFrame *frame = top_frame(machine);
    if (frame->running != NO_ID) machine->registrations[frame->running].running--;
    frame->running = NO_ID;
    bool changed = irql != frame->base;
    machine->irql = frame->irql;
    frame->base = frame->irql;
    machine->clause = CLAUSE_NOTIFY_IRQL;
    return changed ? OUTCOME_MISUSE : OUTCOME_ALLOWED;
}

static Outcome set_status_return(Machine *machine) {
    SpecFrame *parent = &machine->frames[machine->frame_count - 2];
    parent->status = top_frame(machine)->call.status;
    if (parent->call.kind == CALL_REGISTER_CHANGE) parent->failing = parent->announced;
    machine->effective++;
    return OUTCOME_ALLOWED;
}

static Outcome judge_return(Machine *machine, const Return *result) {
    SpecFrame *frame = top_frame(machine);
    bool entered = frame->diverged && !notifies(frame->call.kind);
    if (entered && frame->call.kind != CALL_REGISTER_CHANGE) return diverge(machine, frame->clause);
    switch (frame->call.kind) {
    case CALL_CREATE: return create_return(machine, result);
    case CALL_REGISTER: return register_return(machine, result);
    case CALL_UNREGISTER: return unregister_return(machine);
    case CALL_REFERENCE:
    case CALL_DEREFERENCE:
    case CALL_MAKE_TEMPORARY: return references_return(machine);
    case CALL_IRQL:
        machine->effective += frame->call.level != machine->irql;
        machine->irql = frame->call.level;
        return OUTCOME_ALLOWED;
    case CALL_NOTIFY:
    case CALL_SET_SYSTEM_TIME:
    case CALL_POWER_STATE:
    case CALL_PROCESSOR_STAGE: return notify_return(machine);
    case CALL_REGISTER_CHANGE:
    case CALL_DEREGISTER_CHANGE: return change_return(machine, result);
    case CALL_SET_STATUS: return set_status_return(machine);
    case CALL_KINDS: break;
    }
    return OUTCOME_DIVERGES;
}

static uint32_t bucket(uint32_t count) {
    return count < 3 ? count : 3;
}

/* The abstract state of what the call was about, and the call: one number. */
static uint32_t feature_of(const Machine *machine, const SpecFrame *frame, Outcome outcome) {
    const Call *call = &frame->call;
    uint16_t about;
    if (call->kind == CALL_CREATE) about = machine->result_object;
    else if (call->kind > CALL_MAKE_TEMPORARY) about = frame->object;
    else if (call->kind != CALL_UNREGISTER) about = call->object;
    else if (call->registration == NO_ID) about = NO_ID;
    else about = machine->registrations[call->registration].object;
    uint32_t feature = call->kind | bucket(machine->frame_count - 1u) << 4 |
                       (uint32_t)frame->irql << 6 | bucket(frame->calls) << 8 |
                       (uint32_t)outcome << 10;
    if (about != NO_ID) {
        const SpecObject *object = &machine->objects[about];
        feature |= (1u | (uint32_t)object->multiple << 1 | (uint32_t)object->permanent << 2 |
                    bucket(object->registered) << 3 |
                    bucket((uint32_t)(object->references < 0 ? 0 : object->references)) << 5 |
                    (uint32_t)object->system << 7 | (object->notifying != 0) << 9 |
                    (uint32_t)object->made_temporary << 10)
                   << 12;
    }
    return feature;
}

Outcome machine_return(Machine *machine, const Return *result) {
    Outcome outcome = judge_return(machine, result);
    /* Deeper calls are told by the calls around them. */
    machine->feature =
        machine->frame_count <= 2 ? feature_of(machine, top_frame(machine), outcome) : 0;
    machine->frame_count--;
    return outcome;
}

static ClauseId clause_of_abort(const Machine *machine, const SpecFrame *frame,
                                bool allocation_failed) {
    const SpecObject *object = frame->object != NO_ID ? &machine->objects[frame->object] : NULL;
    if (machine->frame_count > 1 || frame->nested_calls) return CLAUSE_ROUTINE_TASKS;
    switch (frame->call.kind) {
    case CALL_CREATE:
        if (!frame->call.name.present) return CLAUSE_CREATE_UNNAMED;
        return allocation_failed || !create_allowed(machine, frame).success ? CLAUSE_CREATE_ERROR
                                                                            : CLAUSE_CREATE_SUCCESS;
    case CALL_REGISTER: return allocation_failed ? CLAUSE_REGISTER_ERROR : CLAUSE_REGISTER_HANDLE;
    case CALL_UNREGISTER:
        if (frame->call.registration == NO_ID) return CLAUSE_UNREGISTER_REMOVES;
        return machine->objects[machine->registrations[frame->call.registration].object]
                           .references > 0
                   ? CLAUSE_UNREGISTER_REMOVES
                   : CLAUSE_UNREGISTER_REFERENCE;
    case CALL_REFERENCE: return CLAUSE_DELETE_NOT_BEFORE;
    case CALL_DEREFERENCE:
        return machine->objects[frame->call.object].references > 1 ? CLAUSE_DELETE_NOT_BEFORE
                                                                   : CLAUSE_DELETE_FREES;
    case CALL_MAKE_TEMPORARY: return CLAUSE_DELETE_PERMANENT;
    case CALL_NOTIFY:
    case CALL_SET_SYSTEM_TIME:
    case CALL_POWER_STATE:
        if (object && object->system == 1) return CLAUSE_SYSTEM_TIME;
        if (object && object->system == 2) return CLAUSE_SYSTEM_POWER;
        return frame->irql == LEVEL_DISPATCH ? CLAUSE_NOTIFY_AT_DISPATCH : CLAUSE_NOTIFY_ALL;
    case CALL_PROCESSOR_STAGE: return CLAUSE_SYSTEM_PROCESSOR_ADD;
    case CALL_REGISTER_CHANGE: return CLAUSE_PROCESSOR_CHANGE_EXISTING;
    case CALL_DEREGISTER_CHANGE:
        return machine->windows ? CLAUSE_WINDOWS_CHANGE_REMOVED : CLAUSE_PROCESSOR_CHANGE_SIMILAR;
    case CALL_IRQL:
    case CALL_SET_STATUS:
    case CALL_KINDS: break;
    }
    return CLAUSE_NONE;
}

/* The call was the caller's mistake in some reading: that reading is taken now. */
static void take_forbidding_reading(Machine *machine, const SpecFrame *frame, Abort how) {
    uint8_t *answers = machine->readings.answers;
    switch (frame->call.kind) {
    case CALL_CREATE:
        answers[QUESTION_CREATE_AT_APC] = 2;
        machine->clause = CLAUSE_CREATE_IRQL;
        break;
    case CALL_REGISTER:
        if (frame->call.object == NO_ID) answers[QUESTION_REGISTER_NULL] = 2;
        break;
    case CALL_UNREGISTER:
        if (frame->call.registration == NO_ID) answers[QUESTION_UNREGISTER_NULL] = 2;
        else if (machine->registrations[frame->call.registration].running &&
                 (how == ABORT_DEADLOCK || how == ABORT_HANG))
            answers[QUESTION_UNREGISTER_SELF] = 2;
        break;
    default: break;
    }
}

/* Does a reading allow this call to end so? */
static bool forbidden_by_reading(const Machine *machine, const SpecFrame *frame, Abort how) {
    const Call *call = &frame->call;
    const uint8_t *answers = machine->readings.answers;
    switch (call->kind) {
    case CALL_CREATE:
        return frame->irql == LEVEL_APC && (answers[QUESTION_CREATE_AT_APC] & 2) &&
               how == ABORT_BUGCHECK;
    case CALL_REGISTER: return call->object == NO_ID && (answers[QUESTION_REGISTER_NULL] & 2);
    case CALL_UNREGISTER:
        if (call->registration == NO_ID) return answers[QUESTION_UNREGISTER_NULL] & 2;
        return machine->registrations[call->registration].running &&
               (answers[QUESTION_UNREGISTER_SELF] & 2) &&
               (how == ABORT_DEADLOCK || how == ABORT_HANG);
    default: return false;
    }
}

Outcome machine_abort(Machine *machine, Abort how, bool allocation_failed) {
    if (!machine->frame_count) return diverge(machine, CLAUSE_NONE);
    SpecFrame *frame = top_frame(machine);
    if (frame->excused && forbidden_by_reading(machine, frame, how)) {
        take_forbidding_reading(machine, frame, how);
        return OUTCOME_MISUSE;
    }
    if (machine->readings.worlds & machine->misused) {
        machine->readings.worlds &= machine->misused;
        machine->clause = CLAUSE_REGISTER_OBJECT;
        return OUTCOME_MISUSE;
    }
    ClauseId clause = clause_of_abort(machine, frame, allocation_failed);
    if (how == ABORT_STATE && notifies(frame->call.kind)) clause = CLAUSE_NOTIFY_SAME_IRQL;
    if (how == ABORT_REFERENCE && !allocation_failed)
        clause = frame->call.kind == CALL_UNREGISTER ? CLAUSE_UNREGISTER_REFERENCE
                                                     : CLAUSE_DELETE_NOT_BEFORE;
    machine->frame_count--;
    return diverge(machine, clause);
}

Outcome machine_end(Machine *machine, bool leaked, uint16_t object) {
    at_stake(machine, CLAUSE_UNREGISTER_WHEN_DONE);
    if (machine->object_count > 3) at_stake(machine, CLAUSE_DELETE_FREES);
    if (!leaked) return OUTCOME_ALLOWED;
    if (machine->readings.worlds & machine->misused) return OUTCOME_MISUSE;
    /* Only its permanence was ever given back: that is what did not work. */
    const SpecObject *left = object == NO_ID ? NULL : &machine->objects[object];
    bool permanence = left && left->made_temporary && !left->opened && !left->unregistered;
    return diverge(machine, permanence ? CLAUSE_DELETE_PERMANENT : CLAUSE_DELETE_FREES);
}

bool machine_is_running(const Machine *machine, uint16_t registration) {
    return machine->registrations[registration].running != 0;
}

Allowed machine_allowed(const Machine *machine) {
    const SpecFrame *frame = &machine->frames[machine->frame_count];
    const Call *call = &frame->call;
    Allowed allowed = {0};
    switch (call->kind) {
    case CALL_CREATE: return create_allowed(machine, frame);
    case CALL_REGISTER:
        allowed.null = call->object == NO_ID || (!machine->objects[call->object].multiple &&
                                                 machine->objects[call->object].registered);
        allowed.handle = !allowed.null;
        break;
    case CALL_REGISTER_CHANGE: allowed.handle = true; break;
    default: break;
    }
    return allowed;
}

Return machine_predict(const Machine *machine) {
    const SpecFrame *frame = &machine->frames[machine->frame_count - 1];
    const Call *call = &frame->call;
    uint64_t handle = 0x9000000u + machine->registration_count * UINT64_C(64);
    switch (call->kind) {
    case CALL_CREATE: return create_predict(machine, frame);
    case CALL_REGISTER: {
        bool refused = call->object == NO_ID || register_is_refused(machine, call);
        return (Return){.pointer = refused ? 0 : handle};
    }
    case CALL_REGISTER_CHANGE: return (Return){.pointer = handle};
    case CALL_PROCESSOR_STAGE: return (Return){.status = frame->status};
    default: return (Return){0};
    }
}

bool machine_lacks_room(const Machine *machine) {
    const SpecFrame *frame = &machine->frames[machine->frame_count - 1];
    switch (frame->call.kind) {
    case CALL_CREATE: return create_lacks_room(machine, frame);
    case CALL_REGISTER:
    case CALL_REGISTER_CHANGE: return registrations_fill_table(machine);
    default: return false;
    }
}

bool machine_next(const Machine *machine, Entry *entry) {
    const SpecFrame *frame = &machine->frames[machine->frame_count - 1];
    if (notifies(frame->call.kind)) return notify_next(machine, frame, entry);
    if (frame->call.kind == CALL_REGISTER_CHANGE) return existing_next(frame, entry);
    return false;
}
