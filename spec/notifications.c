/* Which routines run for a call: all that are registered, in order, once, as they are. */
#include "machine_internal.h"

Permission notify_call(Machine *machine, const Call *call) {
    at_stake(machine, CLAUSE_NOTIFY_IRQL);
    at_stake(machine, CLAUSE_NOTIFY_OBJECT);
    machine->clause = CLAUSE_NOTIFY_OBJECT;
    if (call->object == NO_ID) return PERMIT_MISUSE;
    SpecObject *object = &machine->objects[call->object];
    at_stake(machine, CLAUSE_NOTIFY_SYSTEM_OBJECT);
    machine->clause = CLAUSE_NOTIFY_SYSTEM_OBJECT;
    if (object->system) return PERMIT_MISUSE;
    return permit_in(machine, object_held(object), CLAUSE_NOTIFY_OBJECT);
}

void notify_begin(Machine *machine, SpecFrame *frame) {
    uint64_t bit = frame->bit = UINT64_C(1) << (frame - machine->frames);
    frame->end = machine->registration_count;
    frame->cursor = 0;
    for (unsigned i = 0; i < machine->live_count; i++)
        machine->registrations[machine->live[i]].called &= ~bit;
    if (frame->object != NO_ID) machine->objects[frame->object].notifying++;
}

/* What the routines of this frame's object receive. */
static void expected_arguments(const Machine *machine, const SpecFrame *frame,
                               SpecValue argument[2]) {
    const Call *call = &frame->call;
    argument[0] = argument[1] = (SpecValue){.kind = SPEC_WILD};
    switch (call->kind) {
    case CALL_NOTIFY:
    case CALL_POWER_STATE:
        for (int i = 0; i < 2; i++)
            argument[i] = (SpecValue){.kind = SPEC_NUMBER, .number = call->argument[i]};
        break;
    case CALL_PROCESSOR_STAGE:
        if (!machine->windows) break; /* the five documents do not say what they are */
        argument[0] =
            (SpecValue){.kind = SPEC_CONTEXT, .stage = call->stage, .number = call->processor};
        if (call->stage == STAGE_START)
            argument[1] = (SpecValue){.kind = SPEC_STATUS, .number = frame->status};
        break;
    default: break;
    }
}

static bool value_fits(const SpecValue *expected, const SpecValue *seen) {
    if (expected->kind == SPEC_WILD) return true;
    return expected->kind == seen->kind && expected->number == seen->number &&
           (expected->kind != SPEC_CONTEXT || expected->stage == seen->stage);
}

/* The same as to compare with expected_arguments, at once for what passes numbers. */
static bool argument_fits(const Machine *machine, const SpecFrame *frame, const Entry *entry,
                          unsigned which) {
    const SpecValue *seen = &entry->argument[which];
    if (frame->call.kind != CALL_PROCESSOR_STAGE && frame->call.kind != CALL_SET_SYSTEM_TIME)
        return seen->kind == SPEC_NUMBER && seen->number == frame->call.argument[which];
    SpecValue argument[2];
    expected_arguments(machine, frame, argument);
    return value_fits(&argument[which], seen);
}

static bool same_routine(const SpecRegistration *registration, const Entry *entry) {
    return registration->routine == entry->routine && registration->context == entry->context;
}

/* The registration that is due next, if this routine call belongs to it. */
static SpecRegistration *match_due(Machine *machine, SpecFrame *frame, const Entry *entry) {
    unsigned i = frame->cursor;
    for (; i < machine->live_count && machine->live[i] < frame->end; i++) {
        SpecRegistration *registration = &machine->registrations[machine->live[i]];
        if (registration->object != frame->object) continue;
        if (!same_routine(registration, entry)) return NULL;
        frame->cursor = (uint16_t)(i + 1);
        return registration;
    }
    frame->cursor = (uint16_t)i;
    return NULL;
}

/* One that was made during the notification: it may be called, after the others,
 * in order. Where processor change routines are called as well, the same call can
 * be one's or the other's, so that order among these says nothing. */
SPEC_RARE static SpecRegistration *match_late(Machine *machine, SpecFrame *frame,
                                              const Entry *entry) {
    bool stage = frame->call.kind == CALL_PROCESSOR_STAGE;
    uint64_t bit = frame->bit;
    for (unsigned i = frame->cursor; i < machine->live_count; i++) {
        uint16_t number = machine->live[i];
        SpecRegistration *registration = &machine->registrations[number];
        if (number < frame->end) return NULL; /* another is due */
        if (registration->object != frame->object) continue;
        if (!same_routine(registration, entry)) continue;
        if (stage && (registration->called & bit)) continue;
        if (!stage) frame->cursor = (uint16_t)(i + 1);
        return registration;
    }
    return NULL;
}

/* A processor change registration that has not been called yet: their order is
 * open. First those that must be called. */
SPEC_RARE static SpecRegistration *match_change(Machine *machine, SpecFrame *frame,
                                                const Entry *entry) {
    uint64_t bit = frame->bit;
    for (unsigned i = 0; i < machine->live_count; i++) {
        SpecRegistration *registration = &machine->registrations[machine->live[i]];
        if (registration->object == NO_ID && same_routine(registration, entry) &&
            !(registration->called & bit))
            return registration;
    }
    return NULL;
}

static SpecRegistration *match(Machine *machine, SpecFrame *frame, const Entry *entry) {
    bool known = frame->object != NO_ID;
    SpecRegistration *registration = known ? match_due(machine, frame, entry) : NULL;
    if (!registration && frame->call.kind == CALL_PROCESSOR_STAGE)
        registration = match_change(machine, frame, entry);
    if (!registration && known) registration = match_late(machine, frame, entry);
    return registration;
}

/* Why does this routine call not fit? Marks what it may stand for, out of order. */
SPEC_RARE static ClauseId explain(Machine *machine, SpecFrame *frame, const Entry *entry) {
    uint64_t bit = frame->bit;
    SpecRegistration *called = NULL, *dead = NULL, *foreign = NULL, *due = NULL;
    bool same_alive = false, gone = false; /* before its turn came, by this notification */
    for (unsigned i = 0; i < machine->registration_count; i++) {
        SpecRegistration *registration = &machine->registrations[i];
        bool listed = registration->object == frame->object ||
                      (registration->object == NO_ID && frame->call.kind == CALL_PROCESSOR_STAGE);
        if (listed && registration->alive && registration->routine == entry->routine) {
            same_alive = true;
            if (!due && !(registration->called & bit)) due = registration;
        }
        if (!same_routine(registration, entry)) continue;
        if (!listed) foreign = registration->alive ? registration : foreign;
        else if (!registration->alive) {
            dead = registration;
            gone |= dead->object != NO_ID && dead->died > frame->began && !(dead->called & bit);
        } else if (registration->called & bit) called = registration;
        else if (gone) return CLAUSE_UNREGISTER_REMOVES;
        else {
            registration->called |= bit;
            if (!frame->diverged) frame->unordered = true;
            return CLAUSE_NOTIFY_ORDER;
        }
    }
    if (gone) return CLAUSE_UNREGISTER_REMOVES;
    if (called && due) { /* with the context of another registration, or a second time? */
        if (!frame->diverged || frame->unordered) frame->again = due->object == frame->object;
        return CLAUSE_REGISTER_CONTEXT;
    }
    if (called) return CLAUSE_NOTIFY_ONCE;
    if (dead) {
        if (dead->object == NO_ID)
            return machine->windows ? CLAUSE_WINDOWS_CHANGE_REMOVED
                                    : CLAUSE_PROCESSOR_CHANGE_SIMILAR;
        ClauseId clause = same_alive && due ? CLAUSE_UNREGISTER_THE_ONE : CLAUSE_UNREGISTER_REMOVES;
        if (frame->unordered) { /* it was not the order, then */
            frame->unordered = false;
            frame->clause = clause;
        }
        return clause;
    }
    if (foreign) return CLAUSE_NOTIFY_ONLY;
    if (due) return due->context ? CLAUSE_REGISTER_CONTEXT : CLAUSE_REGISTER_CONTEXT_OPTIONAL;
    return CLAUSE_NOTIFY_ONLY;
}

SPEC_RARE static ClauseId clause_of_argument(const Machine *machine, const SpecFrame *frame,
                                             bool change, unsigned which) {
    if (frame->call.kind == CALL_PROCESSOR_STAGE && machine->windows) {
        if (!change) return CLAUSE_WINDOWS_PROCESSOR_ARGUMENTS;
        switch ((Stage)frame->call.stage) {
        case STAGE_START: return CLAUSE_WINDOWS_CHANGE_START;
        case STAGE_COMPLETE: return CLAUSE_WINDOWS_CHANGE_COMPLETE;
        case STAGE_FAILURE: return CLAUSE_WINDOWS_CHANGE_FAILURE;
        }
    }
    if (frame->call.kind == CALL_POWER_STATE && machine->windows)
        return CLAUSE_WINDOWS_POWER_ARGUMENTS;
    return which ? CLAUSE_NOTIFY_ARGUMENT2 : CLAUSE_NOTIFY_ARGUMENT1;
}

static Outcome judge_entry(Machine *machine, SpecFrame *frame, const Entry *entry, bool change) {
    at_stake(machine, CLAUSE_ROUTINE_PROTOTYPE);
    at_stake(machine, CLAUSE_ROUTINE_ARGUMENTS);
    at_stake(machine, CLAUSE_REGISTER_CONTEXT);
    at_stake(machine, CLAUSE_NOTIFY_ARGUMENT1);
    at_stake(machine, CLAUSE_NOTIFY_ARGUMENT2);
    at_stake(machine, CLAUSE_ROUTINE_IRQL_LIMIT);
    at_stake(machine, CLAUSE_NOTIFY_SAME_IRQL);
    for (unsigned i = 0; i < 2; i++)
        if (!argument_fits(machine, frame, entry, i))
            return misfit(frame, clause_of_argument(machine, frame, change, i));
    if (entry->irql > LEVEL_DISPATCH) return misfit(frame, CLAUSE_ROUTINE_IRQL_LIMIT);
    if (entry->irql != frame->irql)
        return misfit(frame, change && machine->windows ? CLAUSE_WINDOWS_CHANGE_PASSIVE
                                                        : CLAUSE_NOTIFY_SAME_IRQL);
    return OUTCOME_ALLOWED;
}

Outcome notify_enter(Machine *machine, SpecFrame *frame, const Entry *entry) {
    uint64_t bit = frame->bit;
    SpecRegistration *registration = frame->diverged ? NULL : match(machine, frame, entry);
    if (!registration && !frame->diverged && change_pending(machine, frame, entry))
        return judge_entry(machine, frame, entry, true);
    if (!registration) return misfit(frame, explain(machine, frame, entry));
    bool change = registration->object == NO_ID;
    registration->called |= bit;
    registration->told = 1;
    Outcome outcome = judge_entry(machine, frame, entry, change);
    if (outcome != OUTCOME_ALLOWED) return outcome;
    uint16_t number = (uint16_t)(registration - machine->registrations);
    frame->running = number;
    registration->running++;
    return OUTCOME_ALLOWED;
}

/* A routine of this object, registered before and still, that was not called. */
static const SpecRegistration *missed(const Machine *machine, const SpecFrame *frame) {
    uint64_t bit = frame->bit;
    /* As long as all came in order, those below the cursor were called. */
    unsigned from = frame->diverged ? 0 : frame->cursor;
    for (unsigned i = from; i < machine->live_count && machine->live[i] < frame->end; i++) {
        const SpecRegistration *registration = &machine->registrations[machine->live[i]];
        if (registration->object == frame->object && !(registration->called & bit))
            return registration;
    }
    return NULL;
}

SPEC_RARE static ClauseId clause_of_missed(const Machine *machine, const SpecFrame *frame,
                                           const SpecRegistration *missing) {
    if (missing->without_memory) return CLAUSE_REGISTER_ERROR;
    if (missing->from_routine) return CLAUSE_REGISTER_ANY_TIME;
    if (frame->removed) return CLAUSE_UNREGISTER_OTHERS_STAY;
    if (frame->nested_calls) return CLAUSE_ROUTINE_TASKS;
    switch (machine->objects[frame->object].system) {
    case 1: return CLAUSE_SYSTEM_TIME;
    case 2: return CLAUSE_SYSTEM_POWER;
    case 3: return CLAUSE_SYSTEM_PROCESSOR_ADD;
    default: return CLAUSE_NOTIFY_ALL;
    }
}

static void note_stakes(Machine *machine, const SpecFrame *frame) {
    const SpecObject *object = &machine->objects[frame->object];
    at_stake(machine, CLAUSE_NOTIFY_ALL);
    at_stake(machine, CLAUSE_NOTIFY_ONLY);
    at_stake(machine, CLAUSE_NOTIFY_REACHES_ALL);
    if (object->unregistered) {
        at_stake(machine, CLAUSE_UNREGISTER_REMOVES);
        if (frame->calls) at_stake(machine, CLAUSE_UNREGISTER_OTHERS_STAY);
    }
    if (!frame->calls) return;
    at_stake(machine, CLAUSE_NOTIFY_ONCE);
    if (frame->calls > 1) at_stake(machine, CLAUSE_NOTIFY_ORDER);
    if (frame->irql == LEVEL_DISPATCH) at_stake(machine, CLAUSE_NOTIFY_AT_DISPATCH);
    if (object->system == 1) at_stake(machine, CLAUSE_SYSTEM_TIME);
    if (object->system == 2) {
        at_stake(machine, CLAUSE_SYSTEM_POWER);
        at_stake(machine, CLAUSE_WINDOWS_POWER_ARGUMENTS);
    }
    if (object->system == 3) {
        at_stake(machine, CLAUSE_SYSTEM_PROCESSOR_ADD);
        at_stake(machine, CLAUSE_WINDOWS_PROCESSOR_ARGUMENTS);
    }
}

/* Can a call have been this registration's that was taken for that of a registration with
 * ProcessorAdd, of the same routine and context, which was owed none as it was removed? */
static bool twin_called(const Machine *machine, const SpecFrame *frame,
                        const SpecRegistration *change) {
    uint64_t bit = frame->bit;
    for (unsigned i = 0; i < machine->registration_count; i++) {
        const SpecRegistration *twin = &machine->registrations[i];
        if (twin->alive || twin->object == NO_ID || twin->object != frame->object ||
            twin->routine != change->routine || twin->context != change->context)
            continue;
        bool now = twin->died >= frame->began && (twin->called & bit);
        if (machine->windows ? now : twin->told) return true;
    }
    return false;
}

/* Processor change routines at the end of a stage. */
static Outcome judge_change_stage(Machine *machine, const SpecFrame *frame) {
    static const ClauseId clauses[] = {CLAUSE_WINDOWS_CHANGE_START, CLAUSE_WINDOWS_CHANGE_COMPLETE,
                                       CLAUSE_WINDOWS_CHANGE_FAILURE};
    uint64_t bit = frame->bit;
    bool last = frame->call.stage == STAGE_COMPLETE;
    for (unsigned i = 0; i < machine->live_count; i++) {
        uint16_t number = machine->live[i];
        const SpecRegistration *registration = &machine->registrations[number];
        if (number >= machine->stage_end || number >= frame->end) break;
        if (registration->object != NO_ID) continue;
        if (machine->windows) {
            at_stake(machine, clauses[frame->call.stage]);
            at_stake(machine, CLAUSE_WINDOWS_CHANGE_PASSIVE);
            if (!(registration->called & bit) && !twin_called(machine, frame, registration))
                return diverge(machine, clauses[frame->call.stage]);
        }
        if (last) at_stake(machine, CLAUSE_PROCESSOR_CHANGE_SIMILAR);
        if (last && !registration->told && !twin_called(machine, frame, registration))
            return diverge(machine, CLAUSE_PROCESSOR_CHANGE_SIMILAR);
    }
    return OUTCOME_ALLOWED;
}

/* Those that were registered with its object during this: were they called? Only noted:
 * the documents are silent, and the place may decide. */
SPEC_RARE static void note_late(Machine *machine, const SpecFrame *frame) {
    for (unsigned i = machine->live_count; i-- > 0 && machine->live[i] >= frame->end;) {
        const SpecRegistration *registration = &machine->registrations[machine->live[i]];
        if (registration->object == frame->object)
            machine->readings.late |= registration->called & frame->bit ? 1 : 2;
    }
}

Outcome notify_return(Machine *machine) {
    SpecFrame *frame = top_frame(machine);
    bool known = frame->object != NO_ID;
    if (known) machine->objects[frame->object].notifying--;
    const SpecRegistration *missing = known ? missed(machine, frame) : NULL;
    if (frame->again && known)
        return worlds_keep(machine, 0, missing ? CLAUSE_REGISTER_CONTEXT : CLAUSE_NOTIFY_ONCE);
    if (missing && (!frame->diverged || frame->unordered))
        return worlds_keep(machine, 0, clause_of_missed(machine, frame, missing));
    if (frame->diverged) return worlds_keep(machine, 0, frame->clause);
    if (known) note_stakes(machine, frame);
    if (frame->calls) {
        machine->effective++;
        if (known) object_is_there(machine, &machine->objects[frame->object]);
    }
    if (frame->late && known) note_late(machine, frame);
    if (frame->call.kind == CALL_PROCESSOR_STAGE) return judge_change_stage(machine, frame);
    return OUTCOME_ALLOWED;
}

size_t machine_expected(const Machine *machine, ExpectedEntry *entries, size_t capacity) {
    const SpecFrame *frame = &machine->frames[machine->frame_count];
    size_t count = 0;
    uint64_t bit = frame->bit;
    for (unsigned i = 0; i < machine->registration_count && count < capacity; i++) {
        const SpecRegistration *registration = &machine->registrations[i];
        bool change = registration->object == NO_ID;
        if (change ? frame->call.kind != CALL_PROCESSOR_STAGE
                   : registration->object != frame->object)
            continue;
        bool was_called = (registration->called & bit) != 0;
        if (!registration->alive && !(was_called && registration->died >= frame->began)) continue;
        if (i >= frame->end && !was_called) continue;
        ExpectedEntry *entry = &entries[count++];
        entry->routine = registration->routine;
        entry->context = registration->context;
        entry->optional = i >= frame->end || (change && !machine->windows);
        expected_arguments(machine, frame, entry->argument);
    }
    return count;
}

bool notify_next(const Machine *machine, const SpecFrame *frame, Entry *entry) {
    uint64_t bit = frame->bit;
    bool stage = frame->call.kind == CALL_PROCESSOR_STAGE;
    unsigned from = stage ? 0 : frame->cursor;
    for (unsigned i = from; i < machine->live_count && machine->live[i] < frame->end; i++) {
        const SpecRegistration *registration = &machine->registrations[machine->live[i]];
        bool change = registration->object == NO_ID;
        if (registration->called & bit) continue;
        if (change ? !stage : registration->object != frame->object) continue;
        entry->routine = registration->routine;
        entry->context = registration->context;
        entry->irql = frame->irql;
        expected_arguments(machine, frame, entry->argument);
        return true;
    }
    return false;
}
