/* KeRegisterProcessorChangeCallback: its registration, and ADD_EXISTING in its order. */
#include "machine_internal.h"

Permission change_call(Machine *machine, const Call *call) {
    at_stake(machine, CLAUSE_WINDOWS_CHANGE_IRQL);
    machine->clause = CLAUSE_WINDOWS_CHANGE_IRQL;
    if (machine->irql != LEVEL_PASSIVE) return PERMIT_MISUSE;
    if (call->kind == CALL_REGISTER_CHANGE)
        return registration_room(machine) ? PERMIT_YES : PERMIT_FULL;
    machine->clause = CLAUSE_REGISTER_KEEP_HANDLE;
    if (call->registration == NO_ID) return PERMIT_MISUSE;
    const SpecRegistration *registration = &machine->registrations[call->registration];
    bool stale = !registration->alive || registration->object != NO_ID || registration->running;
    return stale ? PERMIT_MISUSE : PERMIT_YES;
}

static uint32_t call_processors(const SpecFrame *frame) {
    return frame->call.processor;
}

static uint64_t active_processors(const SpecFrame *frame) {
    return call_processors(frame) >= 64 ? UINT64_MAX : (UINT64_C(1) << call_processors(frame)) - 1;
}

void stage_begin(Machine *machine, const SpecFrame *frame) {
    uint64_t bit = frame->bit;
    bool inside = false; /* of the announcement of another processor, which goes on counting */
    for (SpecFrame *outer = machine->frames; outer < frame; outer++) {
        outer->called &= ~bit;
        if (frame->call.stage == STAGE_COMPLETE) outer->added++;
        inside |= outer->call.kind == CALL_PROCESSOR_STAGE;
    }
    if (frame->call.stage != STAGE_START || inside) return;
    machine->stage_end = machine->registration_count;
    for (unsigned i = 0; i < machine->live_count; i++)
        machine->registrations[machine->live[i]].told = 0;
}

bool change_pending(Machine *machine, const SpecFrame *frame, const Entry *entry) {
    uint64_t bit = frame->bit;
    if (frame->call.kind != CALL_PROCESSOR_STAGE) return false;
    for (SpecFrame *outer = machine->frames; outer < frame; outer++) {
        const Call *call = &outer->call;
        if (call->kind != CALL_REGISTER_CHANGE || call->routine != entry->routine ||
            call->context != entry->context || (outer->called & bit))
            continue;
        outer->called |= bit;
        return true;
    }
    return false;
}

Outcome existing_enter(Machine *machine, SpecFrame *frame, const Entry *entry) {
    const Call *call = &frame->call;
    if (entry->routine != call->routine) return misfit(frame, CLAUSE_NOTIFY_ONLY);
    if (!call->existing) return misfit(frame, CLAUSE_PROCESSOR_CHANGE_EXISTING);
    if (entry->context != call->context) return misfit(frame, CLAUSE_REGISTER_CONTEXT);
    if (machine->windows && entry->irql != LEVEL_PASSIVE)
        return misfit(frame, CLAUSE_WINDOWS_CHANGE_PASSIVE);
    SpecValue what = entry->argument[0];
    bool known = what.kind == SPEC_CONTEXT && what.number < call->processor;
    uint64_t bit = known ? UINT64_C(1) << what.number : 0;
    if (!machine->windows) { /* the five documents say that it enumerates, not how */
        if (known) frame->started |= bit;
        else frame->unknown++;
        if (known && what.stage != STAGE_START) frame->finished |= bit;
        if (known && what.stage == STAGE_START) frame->announced = (uint32_t)what.number;
        frame->status = 0;
        return OUTCOME_ALLOWED;
    }
    bool failing = frame->failing != UINT32_MAX;
    if (!known) {
        /* One that was added meanwhile: it may be enumerated as well. */
        if (what.kind != SPEC_CONTEXT || what.number >= call->processor + frame->added)
            return misfit(frame, CLAUSE_WINDOWS_EXISTING_START);
        if (what.stage == STAGE_START) frame->announced = (uint32_t)what.number;
        frame->status = 0;
        return OUTCOME_ALLOWED;
    }
    switch ((Stage)what.stage) {
    case STAGE_START:
        if (failing || frame->finished || (frame->started & bit) ||
            entry->argument[1].kind != SPEC_STATUS || entry->argument[1].number != 0)
            return misfit(frame, CLAUSE_WINDOWS_EXISTING_START);
        frame->started |= bit;
        frame->announced = (uint32_t)what.number;
        frame->status = 0;
        return OUTCOME_ALLOWED;
    case STAGE_COMPLETE:
        if (failing || frame->started != active_processors(frame) || (frame->finished & bit))
            return misfit(frame, CLAUSE_WINDOWS_EXISTING_COMPLETE);
        break;
    case STAGE_FAILURE:
        if (!failing || !(frame->started & bit) || what.number == frame->failing ||
            (frame->finished & bit))
            return misfit(frame, CLAUSE_WINDOWS_EXISTING_FAILURE);
        break;
    }
    frame->finished |= bit;
    return OUTCOME_ALLOWED;
}

/* Were all processors enumerated, as the profile wants it? */
static Outcome judge_existing(Machine *machine, const SpecFrame *frame) {
    uint64_t active = active_processors(frame);
    bool failing = frame->failing != UINT32_MAX;
    at_stake(machine, CLAUSE_PROCESSOR_CHANGE_EXISTING);
    if (!machine->windows) {
        uint32_t told = (uint32_t)__builtin_popcountll(frame->started) + frame->unknown;
        if (failing || told >= call_processors(frame)) return OUTCOME_ALLOWED;
        return diverge(machine, CLAUSE_PROCESSOR_CHANGE_EXISTING);
    }
    at_stake(machine, CLAUSE_WINDOWS_EXISTING_START);
    if (failing) {
        at_stake(machine, CLAUSE_WINDOWS_EXISTING_FAILURE);
        uint64_t due = frame->started & ~(UINT64_C(1) << frame->failing);
        if (frame->finished != due) return diverge(machine, CLAUSE_WINDOWS_EXISTING_FAILURE);
        return OUTCOME_ALLOWED;
    }
    at_stake(machine, CLAUSE_WINDOWS_EXISTING_COMPLETE);
    if (!frame->calls) return diverge(machine, CLAUSE_PROCESSOR_CHANGE_EXISTING);
    if (frame->started != active) return diverge(machine, CLAUSE_WINDOWS_EXISTING_START);
    if (frame->finished != active) return diverge(machine, CLAUSE_WINDOWS_EXISTING_COMPLETE);
    return OUTCOME_ALLOWED;
}

Outcome change_return(Machine *machine, const Return *result) {
    SpecFrame *frame = top_frame(machine);
    const Call *call = &frame->call;
    machine->result_registration = NO_ID;
    if (call->kind == CALL_DEREGISTER_CHANGE) {
        registration_remove(machine, call->registration);
        machine->effective++;
        at_stake(machine, CLAUSE_WINDOWS_CHANGE_REMOVED);
        return OUTCOME_ALLOWED;
    }
    if (frame->diverged) return diverge(machine, frame->clause);
    at_stake(machine, CLAUSE_WINDOWS_CHANGE_HANDLE);
    if (!result->pointer) {
        /* The five documents do not say what it returns. */
        bool excused =
            result->allocation_failed || !machine->windows || registrations_fill_table(machine);
        return excused ? OUTCOME_ALLOWED : diverge(machine, CLAUSE_WINDOWS_CHANGE_HANDLE);
    }
    if (call->existing) {
        Outcome outcome = judge_existing(machine, frame);
        if (outcome != OUTCOME_ALLOWED) return outcome;
    }
    machine->result_registration = registration_add(machine, call, result->pointer);
    machine->registrations[machine->result_registration].object = NO_ID;
    machine->effective++;
    return OUTCOME_ALLOWED;
}

bool existing_next(const SpecFrame *frame, Entry *entry) {
    const Call *call = &frame->call;
    if (!call->existing) return false;
    *entry = (Entry){.routine = call->routine, .context = call->context, .irql = LEVEL_PASSIVE};
    bool failing = frame->failing != UINT32_MAX;
    bool starts = !failing && frame->started != active_processors(frame);
    for (unsigned i = 0; i < call->processor; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if (starts ? frame->started & bit : frame->finished & bit) continue;
        if (failing && (i == frame->failing || !(frame->started & bit))) continue;
        Stage stage = starts ? STAGE_START : failing ? STAGE_FAILURE : STAGE_COMPLETE;
        entry->argument[0] =
            (SpecValue){.kind = SPEC_CONTEXT, .stage = (uint8_t)stage, .number = i};
        entry->argument[1] = (SpecValue){.kind = SPEC_STATUS, .number = frame->status};
        return true;
    }
    return false;
}
