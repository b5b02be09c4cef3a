/* ExCreateCallback: names, permanence, creating and opening, what may fail and how. */
#include "machine_internal.h"

/* What bears the name that a call asks for. */
typedef struct {
    uint16_t some;    /* worlds in which something certainly does */
    uint16_t perhaps; /* worlds in which something may */
    bool exclusive;   /* one of them was made exclusive: anything goes */
    bool differs;     /* something bears it in another case, and the call minds the case */
    bool by_case;     /* something bears it only because the call does not mind the case */
    bool permanent, unheld;
    bool unseen; /* a system-defined object that has never shown itself */
    bool missed; /* the call failed, and nothing but the name's absence explains it */
    unsigned system;
} Bearers;

/* A path that is no path may be mended by who takes it: to the name of any object. */
static bool is_no_path(PathKind path) {
    return path == PATH_RELATIVE || path == PATH_EMPTY_COMPONENT;
}

/* Is it the same path? In \Callback the leaves decide: how the directory was
 * spelled is between the caller and the directory, unless names are flat. */
static NameMatch same_path(const SpecObject *object, const SpecFrame *frame,
                           bool case_insensitive) {
    enum { LEAF = 10 /* code units of \Callback\ */ };
    bool leaf = frame->path == PATH_LEAF;
    SpecName a = object->name, b = frame->call.name;
    if (a.units == b.units && a.length == b.length && leaf == object->in_directory)
        return MATCH_YES;             /* the very same */
    if (leaf != object->in_directory) /* only one that takes paths as they come knows */
        return name_match(&a, &b, case_insensitive) == MATCH_NO ? MATCH_NO : MATCH_PERHAPS;
    bool spelled = !leaf || !__builtin_memcmp(a.units, b.units, LEAF * sizeof *a.units);
    if (leaf) {
        a = (SpecName){a.units + LEAF, (uint16_t)(a.length - LEAF), true};
        b = (SpecName){b.units + LEAF, (uint16_t)(b.length - LEAF), true};
    }
    NameMatch match = name_match(&a, &b, case_insensitive);
    return match == MATCH_YES && !spelled && !case_insensitive ? MATCH_PERHAPS : match;
}

/* Is it the same path but for case? */
static bool alike(const SpecObject *object, const SpecFrame *frame) {
    return object->hash == frame->hash && same_path(object, frame, true) != MATCH_NO;
}

/* The worlds in which `object` answers to the call's name. */
static uint16_t answers_to(const Machine *machine, const SpecObject *object, const SpecFrame *frame,
                           NameMatch *match) {
    *match = MATCH_NO;
    if (object->hash != frame->hash) return 0;
    *match = same_path(object, frame, frame->call.case_insensitive);
    return *match == MATCH_NO ? 0 : object_named(machine, object);
}

static void find_bearers(const Machine *machine, const SpecFrame *frame, Bearers *found) {
    *found = (Bearers){0};
    for (unsigned i = 0; i < machine->object_count; i++) {
        const SpecObject *object = &machine->objects[i];
        if (object->mended && object_alive(object)) found->exclusive |= object->call_exclusive;
        if (object->hash != frame->hash) continue;
        NameMatch match;
        uint16_t worlds = answers_to(machine, object, frame, &match);
        if (match == MATCH_NO) {
            if (alike(object, frame))
                found->differs |= (object_named(machine, object) & judged_worlds(machine)) != 0;
            continue;
        }
        bool undecided =
            object->system == 3 && (machine->readings.answers[QUESTION_PROCESSOR_ADD] & 2) != 0;
        if (match == MATCH_PERHAPS || object->perhaps || undecided) found->perhaps |= worlds;
        else found->some |= worlds;
        if (!worlds) continue;
        if (object->system) {
            found->system = object->system;
            found->unseen |= !object->pointer || object->pointer == SPEC_MISSING;
        }
        found->permanent |= object->permanent && !object->system;
        found->unheld |= object->references <= 0;
        if (frame->call.case_insensitive) match = same_path(object, frame, false);
        found->by_case |= match != MATCH_YES;
        found->exclusive |= object->call_exclusive;
    }
}

/* The status codes that Windows gives for a path that leads nowhere; 0: any error. */
static uint32_t windows_code(PathKind path, bool create, ClauseId *clause) {
    switch (path) {
    case PATH_EMPTY:
    case PATH_RELATIVE: *clause = CLAUSE_WINDOWS_PATH_SYNTAX; return 0xC000003B;
    case PATH_EMPTY_COMPONENT: *clause = CLAUSE_WINDOWS_NAME_INVALID; return 0xC0000033;
    case PATH_DIRECTORY: *clause = CLAUSE_WINDOWS_TYPE_MISMATCH; return 0xC0000024;
    case PATH_MISSING_DIRECTORY: *clause = CLAUSE_WINDOWS_PATH_NOT_FOUND; return 0xC000003A;
    case PATH_LEAF:
    case PATH_IN_ROOT: *clause = CLAUSE_WINDOWS_NAME_NOT_FOUND; return create ? 0 : 0xC0000034;
    case PATH_ROOT:
    case PATH_BELOW:
    case PATH_ABSENT: break;
    }
    *clause = CLAUSE_CREATE_ERROR;
    return 0;
}

/* Must a path of this kind fail, whatever bears it? */
static bool must_fail(const Machine *machine, PathKind path) {
    switch (path) {
    case PATH_ABSENT:
    case PATH_EMPTY: return true;
    case PATH_LEAF:
    case PATH_IN_ROOT: return false;
    default: return machine->windows;
    }
}

/* May it fail although the documents promise nothing against it? */
static bool may_fail(const Machine *machine, PathKind path) {
    return path != PATH_LEAF && !(machine->windows && path == PATH_IN_ROOT);
}

Permission create_call(Machine *machine, const Call *call) {
    at_stake(machine, CLAUSE_CREATE_IRQL);
    at_stake(machine, CLAUSE_CREATE_ATTRIBUTES_INITIALIZED);
    if (!call->create) at_stake(machine, CLAUSE_OPEN_KNOWS_NAME);
    machine->clause = CLAUSE_CREATE_IRQL;
    uint8_t answers = machine->readings.answers[QUESTION_CREATE_AT_APC];
    if (machine->irql > LEVEL_APC || (machine->irql == LEVEL_APC && !(answers & 1)))
        return PERMIT_MISUSE;
    unsigned system = call->create ? name_system(&call->name, call->case_insensitive) : 0;
    if (system) {
        at_stake(machine, CLAUSE_SYSTEM_NAMES_RESERVED);
        machine->clause = CLAUSE_SYSTEM_NAMES_RESERVED;
        uint8_t present = machine->readings.answers[QUESTION_PROCESSOR_ADD];
        if (system == 3 && !(present & 1)) return PERMIT_MISUSE;
    }
    if (machine->object_count == MACHINE_OBJECTS) return PERMIT_FULL;
    return machine->irql == LEVEL_APC && (answers & 2) ? PERMIT_EXCUSED : PERMIT_YES;
}

/* Why is it wrong that the call found nothing? */
static ClauseId clause_of_unfound(const Machine *machine, const Call *call, const Bearers *found) {
    if (found->unseen)
        return found->system != 3 ? CLAUSE_SYSTEM_OBJECTS
               : machine->windows ? CLAUSE_WINDOWS_THREE_OBJECTS
                                  : CLAUSE_SYSTEM_PROCESSOR_ADD;
    if (found->by_case) return CLAUSE_CREATE_CASE_INSENSITIVE;
    if (found->permanent && found->unheld) return CLAUSE_CREATE_PERMANENT;
    return call->create ? CLAUSE_CREATE_OPENS : CLAUSE_OPEN_SUCCEEDS;
}

/* No document promises room for it. */
static bool may_be_refused(const Machine *machine, const Call *call) {
    return name_is_odd(&call->name) ||
           (call->create && machine->object_count >= MACHINE_ROOM_OBJECTS &&
            objects_alive(machine) >= MACHINE_ROOM_OBJECTS);
}

static Outcome failed(Machine *machine, const SpecFrame *frame, const Return *result,
                      Bearers *found) {
    PathKind path = (PathKind)frame->path;
    const Call *call = &frame->call;
    at_stake(machine, CLAUSE_CREATE_ERROR);
    if ((int32_t)result->status >= 0) return worlds_keep(machine, 0, CLAUSE_CREATE_SUCCESS);
    bool at_apc =
        frame->irql == LEVEL_APC && (machine->readings.answers[QUESTION_CREATE_AT_APC] & 2);
    if (path == PATH_ABSENT) {
        at_stake(machine, CLAUSE_CREATE_UNNAMED);
        /* One who has another reason to fail may have met that first. */
        return at_apc || result->allocation_failed ||
                       result->status == (uint32_t)STATUS_UNSUCCESSFUL_CODE
                   ? OUTCOME_ALLOWED
                   : worlds_keep(machine, 0, CLAUSE_CREATE_UNNAMED);
    }
    if (path == PATH_EMPTY) at_stake(machine, CLAUSE_CREATE_EMPTY_NAME);
    bool own_reason = call->exclusive || found->exclusive || may_be_refused(machine, call);
    bool excused = own_reason || result->allocation_failed;
    if (machine->windows && !excused && !at_apc) {
        ClauseId clause;
        uint32_t code = windows_code(path, call->create, &clause);
        if (code && !((found->some | found->perhaps) & judged_worlds(machine))) {
            at_stake(machine, clause);
            /* Whoever creates where a directory stands meets its name or its type first. */
            bool collides = path == PATH_DIRECTORY && call->create && !call->openif &&
                            result->status == 0xC0000035;
            if (result->status != code && !collides) return worlds_keep(machine, 0, clause);
        }
    }
    if (machine->windows && result->allocation_failed && !own_reason && !at_apc) {
        at_stake(machine, CLAUSE_WINDOWS_NO_MEMORY);
        if (result->status != 0xC000009A && path == PATH_LEAF &&
            !(!call->create && result->status == 0xC0000034))
            return worlds_keep(machine, 0, CLAUSE_WINDOWS_NO_MEMORY);
    }
    if (excused) return OUTCOME_ALLOWED;
    if (at_apc) {
        uint16_t expected = call->create ? 0 : (uint16_t)~found->some;
        if (!(judged_worlds(machine) & expected) && path == PATH_LEAF)
            machine->readings.answers[QUESTION_CREATE_AT_APC] = 2;
        return OUTCOME_ALLOWED;
    }
    if (found->system == 3) {
        if (machine->readings.answers[QUESTION_PROCESSOR_ADD] & 2) {
            machine->readings.answers[QUESTION_PROCESSOR_ADD] = 2;
            return OUTCOME_ALLOWED;
        }
    }
    found->missed = true;
    if (call->create) {
        if (may_fail(machine, path)) return OUTCOME_ALLOWED;
        ClauseId clause = found->some ? clause_of_unfound(machine, call, found) : CLAUSE_CREATE_NEW;
        at_stake(machine, clause);
        return worlds_keep(machine, 0, clause);
    }
    at_stake(machine, CLAUSE_OPEN_NEEDS_EXISTING);
    if (may_fail(machine, path)) return OUTCOME_ALLOWED;
    return worlds_keep(machine, (uint16_t)(WORLDS_ALL & ~found->some),
                       clause_of_unfound(machine, call, found));
}

/* The live object at an address, newest first. */
static SpecObject *object_at(Machine *machine, uint64_t pointer) {
    SpecObject *dead = NULL;
    for (unsigned i = machine->object_count; i-- > 0;) {
        SpecObject *object = &machine->objects[i];
        if (object->pointer != pointer) continue;
        if (object_alive(object) & judged_worlds(machine)) return object;
        if (!dead) dead = object;
    }
    return dead;
}

static void created(Machine *machine, const SpecFrame *frame, uint64_t pointer, uint32_t hash) {
    const Call *call = &frame->call;
    machine->result_object = machine->object_count;
    machine->objects[machine->object_count++] =
        (SpecObject){.name = call->name,
                     .pointer = pointer,
                     .hash = hash,
                     .in_directory = frame->path == PATH_LEAF,
                     .mended = is_no_path((PathKind)frame->path),
                     .references = 1,
                     .multiple = call->multiple,
                     .permanent = call->permanent,
                     .call_exclusive = call->exclusive};
    if (call->permanent) at_stake(machine, CLAUSE_CREATE_PERMANENT);
    else at_stake(machine, CLAUSE_WINDOWS_TEMPORARY_NAME);
    at_stake(machine, CLAUSE_CREATE_NEW);
}

static void opened(Machine *machine, SpecObject *object, const Call *call, uint64_t pointer) {
    bool known = object->pointer != 0;
    machine->result_object = (uint16_t)(object - machine->objects);
    object->pointer = pointer;
    object->references++;
    object->opened = true;
    object->perhaps = object->nameless = false;
    doubt_opened_name(machine, object);
    at_stake(machine, CLAUSE_OBJECT_SHARED);
    at_stake(machine, call->create ? CLAUSE_CREATE_OPENS : CLAUSE_OPEN_SUCCEEDS);
    at_stake(machine, CLAUSE_WINDOWS_OPENIF);
    if (call->multiple != object->multiple) {
        object->created_differently |= call->create;
        object->opened_differently |= !call->create;
        at_stake(machine,
                 call->create ? CLAUSE_CREATE_IGNORES_MULTIPLE : CLAUSE_OPEN_IGNORES_MULTIPLE);
    }
    if (call->permanent != object->permanent) at_stake(machine, CLAUSE_OBJECT_ATTRIBUTES);
    if (object->permanent && object->references == 1) at_stake(machine, CLAUSE_CREATE_PERMANENT);
    if (call->case_insensitive) at_stake(machine, CLAUSE_CREATE_CASE_INSENSITIVE);
    if (object->system) at_stake(machine, CLAUSE_SYSTEM_OBJECTS);
    if (object->system == 3) {
        at_stake(machine, CLAUSE_WINDOWS_THREE_OBJECTS);
        /* A create that finds none there makes one: it decides nothing. */
        if (!call->create || known) machine->readings.answers[QUESTION_PROCESSOR_ADD] = 1;
    }
}

/* The first object that answers to the name and whose address was never seen. */
static SpecObject *unseen_bearer(Machine *machine, const SpecFrame *frame) {
    for (unsigned i = 0; i < 3; i++) {
        SpecObject *object = &machine->objects[i];
        NameMatch match;
        if (!object->pointer && answers_to(machine, object, frame, &match)) return object;
    }
    return NULL;
}

static Outcome succeeded(Machine *machine, const SpecFrame *frame, const Return *result,
                         const Bearers *found) {
    PathKind path = (PathKind)frame->path;
    uint32_t hash = frame->hash;
    const Call *call = &frame->call;
    at_stake(machine, CLAUSE_CREATE_SUCCESS);
    at_stake(machine, CLAUSE_CREATE_STORES_POINTER);
    if (must_fail(machine, path)) {
        ClauseId clause;
        if (path == PATH_ABSENT) clause = CLAUSE_CREATE_UNNAMED;
        else if (path == PATH_EMPTY) clause = CLAUSE_CREATE_EMPTY_NAME;
        else windows_code(path, call->create, &clause);
        return worlds_keep(machine, 0, clause);
    }
    if (!result->pointer) return worlds_keep(machine, 0, CLAUSE_CREATE_STORES_POINTER);
    if (frame->irql == LEVEL_APC) machine->readings.answers[QUESTION_CREATE_AT_APC] = 1;

    SpecObject *object = object_at(machine, result->pointer);
    if (!object) object = unseen_bearer(machine, frame);
    if (object) {
        NameMatch match;
        uint16_t worlds = answers_to(machine, object, frame, &match);
        if (is_no_path(path) || object->mended) worlds |= object_alive(object);
        if (worlds & judged_worlds(machine)) {
            Outcome outcome = worlds_keep(machine, worlds, CLAUSE_OPEN_SUCCEEDS);
            if (outcome == OUTCOME_ALLOWED) opened(machine, object, call, result->pointer);
            return outcome;
        }
        /* Another object's address: right only where that one is gone. */
        if (object_alive(object) & judged_worlds(machine)) {
            uint16_t gone = (uint16_t)(WORLDS_ALL & ~object_alive(object));
            bool named_so = alike(object, frame);
            ClauseId clause = match == MATCH_NO && named_so ? CLAUSE_CREATE_CASE_SENSITIVE
                              : call->create || !named_so   ? CLAUSE_OBJECT_NAMED
                                                            : CLAUSE_OPEN_NEEDS_EXISTING;
            if (match != MATCH_NO && machine->windows)
                clause = object->made_temporary ? CLAUSE_WINDOWS_MAKE_TEMPORARY
                                                : CLAUSE_WINDOWS_TEMPORARY_NAME;
            Outcome outcome = worlds_keep(machine, gone, clause);
            if (outcome != OUTCOME_ALLOWED) return outcome;
        }
    }
    /* A new object. */
    if (!call->create) {
        ClauseId clause = CLAUSE_OPEN_NEEDS_EXISTING;
        at_stake(machine, CLAUSE_OPEN_NEEDS_EXISTING);
        /* Something bears the name, but this is not it. */
        if (found->some & judged_worlds(machine)) clause = CLAUSE_CREATE_STORES_POINTER;
        return worlds_keep(machine, 0, clause);
    }
    Outcome outcome = worlds_keep(machine, (uint16_t)(WORLDS_ALL & ~found->some),
                                  clause_of_unfound(machine, call, found));
    if (outcome != OUTCOME_ALLOWED) return outcome;
    if (found->differs) at_stake(machine, CLAUSE_CREATE_CASE_SENSITIVE);
    at_stake(machine, CLAUSE_OBJECT_NAMED);
    created(machine, frame, result->pointer, hash);
    return OUTCOME_ALLOWED;
}

/* What may bear the name and was not found, although nothing else was, has lost it. */
static void forget_missed(Machine *machine, const SpecFrame *frame) {
    for (unsigned i = 0; i < machine->object_count; i++) {
        SpecObject *object = &machine->objects[i];
        NameMatch match;
        if (!object->perhaps || object->system || object->hash != frame->hash) continue;
        if (machine->result_object == i) continue;
        if (answers_to(machine, object, frame, &match) && match == MATCH_YES) {
            object->nameless = true;
            object->perhaps = false;
        }
    }
}

Outcome create_return(Machine *machine, const Return *result) {
    SpecFrame *frame = top_frame(machine);
    Bearers found;
    find_bearers(machine, frame, &found);
    uint16_t before = machine->object_count;
    machine->result_object = NO_ID;
    at_stake(machine, CLAUSE_CREATE_ATTRIBUTES_KEPT);
    if (result->input_changed) return worlds_keep(machine, 0, CLAUSE_CREATE_ATTRIBUTES_KEPT);
    bool success = result->status == STATUS_SUCCESS_CODE;
    Outcome outcome = success ? succeeded(machine, frame, result, &found)
                              : failed(machine, frame, result, &found);
    if (outcome != OUTCOME_ALLOWED) return outcome;
    if (success) machine->effective++;
    bool missed = found.missed || machine->object_count != before;
    if (missed && machine->names_in_doubt) forget_missed(machine, frame);
    return outcome;
}

/* What the call was allowed to return (for the report). */
Allowed create_allowed(const Machine *machine, const SpecFrame *frame) {
    const Call *call = &frame->call;
    Allowed allowed = {.status = true};
    PathKind path = (PathKind)frame->path;
    Bearers found;
    find_bearers(machine, frame, &found);
    uint16_t judged = judged_worlds(machine);
    uint16_t some = (found.some | found.perhaps) & judged;
    allowed.success = !must_fail(machine, path) && (call->create || some);
    ClauseId clause;
    uint32_t code = machine->windows ? windows_code(path, call->create, &clause) : 0;
    if (path == PATH_ABSENT) code = (uint32_t)STATUS_UNSUCCESSFUL_CODE;
    bool fails = must_fail(machine, path) || may_fail(machine, path) ||
                 (!call->create && (judged & ~found.some));
    if (fails && code) allowed.codes[allowed.code_count++] = code;
    allowed.any_error = fails && !code;
    return allowed;
}

/* The object that create or open would find by the call's name, or NULL. */
static const SpecObject *likely_bearer(const Machine *machine, const SpecFrame *frame) {
    for (unsigned i = 0; i < machine->object_count; i++) {
        const SpecObject *object = &machine->objects[i];
        NameMatch match;
        if (answers_to(machine, object, frame, &match) & judged_worlds(machine)) return object;
    }
    return NULL;
}

bool create_lacks_room(const Machine *machine, const SpecFrame *frame) {
    return frame->call.create && may_be_refused(machine, &frame->call) &&
           !likely_bearer(machine, frame);
}

Return create_predict(const Machine *machine, const SpecFrame *frame) {
    const Call *call = &frame->call;
    PathKind path = (PathKind)frame->path;
    if (path == PATH_ABSENT) return (Return){.status = (uint32_t)STATUS_UNSUCCESSFUL_CODE};
    ClauseId clause;
    uint32_t code = windows_code(path, call->create, &clause);
    bool leads_somewhere = path == PATH_LEAF || (path == PATH_IN_ROOT && machine->windows);
    if (!leads_somewhere) return (Return){.status = code ? code : 0xC0000034};
    const SpecObject *object = likely_bearer(machine, frame);
    if (object)
        return (Return){.pointer = object->pointer ? object->pointer : 0x1000u + object->system};
    if (!call->create) return (Return){.status = 0xC0000034};
    return (Return){.pointer = 0x10000u + machine->object_count * UINT64_C(64)};
}
