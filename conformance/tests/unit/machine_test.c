/* Checks the reference machine with histories written by hand from the documents: each says
 * what an implementation did, and what the documents say of it.
 *
 * A history reads like a script: calls that are made and come back at once (create, reg,
 * unregister, ...), calls that run routines (notify, stage, change, ... saw ... done), and
 * what must come of it: ok, wrong (the implementation diverges, by this clause), misuse (the
 * program breaks this caller's clause). Addresses are made up: objects 0xA0.., handles 0xE0.. */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what came of a step: FINE, FULL, or one of these and a clause ---- */

enum { FINE = 0, FULL = 500, DIVERGES = 1000, MISUSE = 2000 };
enum { DOCUMENTED, WINDOWS };
enum { MULTIPLE = 1, CASELESS = 2, PERMANENT = 4, EXCLUSIVE = 8, OPENIF = 16, KERNEL = 32 };

static Machine m;
static uint8_t level;                /* of the thread that makes the calls */
static bool excused;                 /* the last call was: it may end abnormally */
static bool short_of_memory;         /* an allocation fails during the next call */
static bool strange[MACHINE_FRAMES]; /* a routine call of this frame did not fit */
static bool named[CLAUSES];          /* seen as a divergence or as misuse */

static const char *verdict_text(int verdict, char text[80]) {
    const char *what = verdict >= MISUSE ? "misuse" : verdict >= DIVERGES ? "diverges" : "allowed";
    int clause = verdict >= MISUSE ? verdict - MISUSE : verdict - DIVERGES;
    if (verdict == FULL) return "full";
    snprintf(text, 80, "%s %s", what, clause > 0 ? clause_get((ClauseId)clause)->id : "");
    return text;
}

static void failed(int line, const char *step, const char *expected, const char *found) {
    printf("%s:%d: %s: expected %s, found %s\n", __FILE__, line, step, expected, found);
    exit(1);
}

/* One of the verdicts wanted (0: no further one; FINE only as the first). */
static void expect(int line, const char *step, int found, int want, int or, int or_else) {
    char a[80], b[80];
    bool fits = found == want || (or &&found == or) || (or_else && found == or_else);
    if (!fits) failed(line, step, verdict_text(want, a), verdict_text(found, b));
    if (found >= DIVERGES) named[found % 1000] = true;
}

static void expect_number(int line, const char *what, uint64_t found, uint64_t want) {
    char a[32], b[32];
    snprintf(a, sizeof a, "0x%llx", (unsigned long long)want);
    snprintf(b, sizeof b, "0x%llx", (unsigned long long)found);
    if (found != want) failed(line, what, a, b);
}

#define ok(step) expect(__LINE__, #step, step, FINE, 0, 0)
#define wrong(clause, step) expect(__LINE__, #step, step, DIVERGES + CLAUSE_##clause, 0, 0)
#define misuse(clause, step) expect(__LINE__, #step, step, MISUSE + CLAUSE_##clause, 0, 0)
/* Several clauses say the same of this history: either name is right. */
#define wrong2(a, b, step)                                                                         \
    expect(__LINE__, #step, step, DIVERGES + CLAUSE_##a, DIVERGES + CLAUSE_##b, 0)
#define wrong3(a, b, c, step)                                                                      \
    expect(__LINE__, #step, step, DIVERGES + CLAUSE_##a, DIVERGES + CLAUSE_##b,                    \
           DIVERGES + CLAUSE_##c)
#define misuse2(a, b, step)                                                                        \
    expect(__LINE__, #step, step, MISUSE + CLAUSE_##a, MISUSE + CLAUSE_##b, 0)
#define misuse3(a, b, c, step)                                                                     \
    expect(__LINE__, #step, step, MISUSE + CLAUSE_##a, MISUSE + CLAUSE_##b, MISUSE + CLAUSE_##c)
#define is(want, value) expect_number(__LINE__, #value, value, want)
#define yes(value) expect_number(__LINE__, #value, value, true)
#define no(value) expect_number(__LINE__, #value, value, false)

/* ---- the words of a history ---- */

static void start_with(int profile, Readings readings) {
    level = LEVEL_PASSIVE;
    short_of_memory = false;
    machine_start(&m, profile == WINDOWS, readings, NULL);
}
static void start(int profile) {
    start_with(profile, readings_all(profile == WINDOWS));
}
/* The same implementation runs another program. */
static void again(void) {
    start_with(m.windows ? WINDOWS : DOCUMENTED, m.readings);
}
#define assume(reading) yes(readings_assume(&m.readings, reading))

static int judged(Outcome outcome) {
    switch (outcome) {
    case OUTCOME_ALLOWED: return FINE;
    case OUTCOME_DIVERGES: return DIVERGES + (int)m.clause;
    case OUTCOME_MISUSE: return MISUSE + (int)m.clause;
    }
    return -1;
}

static int begins(Call call) {
    Permission permission = machine_call(&m, &call);
    excused = permission == PERMIT_EXCUSED;
    if (permission == PERMIT_MISUSE) return MISUSE + (int)m.clause;
    if (permission == PERMIT_FULL) return FULL;
    strange[m.frame_count - 1] = false;
    return FINE;
}

static int returns(uint32_t status, uint64_t pointer) {
    Return result = {status, pointer, short_of_memory, false};
    bool expected_wrong = strange[m.frame_count - 1];
    short_of_memory = false;
    int verdict = judged(machine_return(&m, &result));
    if (expected_wrong && verdict == FINE)
        failed(__LINE__, "a call whose routine call was wrong", "a divergence", "allowed");
    return verdict;
}
static int done(void) {
    return returns(0, 0);
}
static int gives(uint64_t handle) {
    return returns(0, handle);
}
static int whole(Call call, uint32_t status, uint64_t pointer) {
    int verdict = begins(call);
    return verdict == FINE ? returns(status, pointer) : verdict;
}

static uint16_t the_object(void) {
    return m.result_object;
}
static uint16_t the_registration(void) {
    return m.result_registration;
}

/* ExCreateCallback, with Create TRUE or FALSE */
static Call named_call(SpecName name, unsigned flags, bool create) {
    return (Call){.kind = CALL_CREATE,
                  .create = create,
                  .name = name,
                  .multiple = flags & MULTIPLE,
                  .case_insensitive = flags & CASELESS,
                  .permanent = flags & PERMANENT,
                  .exclusive = flags & EXCLUSIVE,
                  .openif = flags & OPENIF,
                  .kernel_handle = flags & KERNEL};
}
static int create(SpecName name, unsigned flags, uint64_t pointer) {
    return whole(named_call(name, flags, true), 0, pointer);
}
static int create_fails(SpecName name, unsigned flags, uint32_t status) {
    return whole(named_call(name, flags, true), status, 0);
}
static int open(SpecName name, unsigned flags, uint64_t pointer) {
    return whole(named_call(name, flags, false), 0, pointer);
}
static int open_fails(SpecName name, unsigned flags, uint32_t status) {
    return whole(named_call(name, flags, false), status, 0);
}
#define created(...) (ok(create(__VA_ARGS__)), the_object())
#define opened(...) (ok(open(__VA_ARGS__)), the_object())

/* ExRegisterCallback; a handle of 0 is NULL */
static int reg(uint16_t object, uint8_t routine, uint64_t context, uint64_t handle) {
    Call call = {.kind = CALL_REGISTER, .object = object, .routine = routine, .context = context};
    return whole(call, 0, handle);
}
#define registered(...) (ok(reg(__VA_ARGS__)), the_registration())
static int unregister_begins(uint16_t registration) {
    return begins((Call){.kind = CALL_UNREGISTER, .registration = registration});
}
static int unregister(uint16_t registration) {
    int verdict = unregister_begins(registration);
    return verdict == FINE ? done() : verdict;
}
static int reference(uint16_t object) {
    return whole((Call){.kind = CALL_REFERENCE, .object = object}, 0, 0);
}
static int dereference(uint16_t object) {
    return whole((Call){.kind = CALL_DEREFERENCE, .object = object}, 0, 0);
}
static int make_temporary(uint16_t object) {
    return whole((Call){.kind = CALL_MAKE_TEMPORARY, .object = object}, 0, 0);
}
static int irql(uint8_t wanted) {
    int verdict = whole((Call){.kind = CALL_IRQL, .level = wanted}, 0, 0);
    if (verdict == FINE) level = wanted;
    return verdict;
}

/* These begin; routines are seen to run; done() says that they are back. */
static int notify(uint16_t object, uint64_t first, uint64_t second) {
    return begins((Call){.kind = CALL_NOTIFY, .object = object, .argument = {first, second}});
}
static int set_system_time(void) {
    return begins((Call){.kind = CALL_SET_SYSTEM_TIME});
}
static int power_state(uint64_t first, uint64_t second) {
    return begins((Call){.kind = CALL_POWER_STATE, .argument = {first, second}});
}

static void enter_as(uint8_t routine, uint8_t at, uint64_t context, SpecValue a, SpecValue b) {
    Entry entry = {.routine = routine, .irql = at, .context = context, .argument = {a, b}};
    Outcome outcome = machine_enter(&m, &entry);
    if (m.frame_count && outcome != OUTCOME_ALLOWED) strange[m.frame_count - 1] = true;
}
static SpecValue number(uint64_t value) {
    return (SpecValue){.kind = SPEC_NUMBER, .number = value};
}
static void enter(uint8_t routine, uint64_t context, uint64_t first, uint64_t second) {
    enter_as(routine, level, context, number(first), number(second));
}
static int leave(void) {
    return judged(machine_leave(&m, level));
}
static void saw(uint8_t routine, uint64_t context, uint64_t first, uint64_t second) {
    enter(routine, context, first, second);
    leave();
}
static void saw_at(uint8_t at, uint8_t routine, uint64_t context, uint64_t first, uint64_t second) {
    enter_as(routine, at, context, number(first), number(second));
    machine_leave(&m, at);
}

/* Processors: the announcements of an added one, and KeRegisterProcessorChangeCallback. */
static int stage(Stage which, uint32_t processor) {
    return begins((Call){.kind = CALL_PROCESSOR_STAGE,
                         .stage = (uint8_t)which,
                         .processor = processor,
                         .status = which == STAGE_FAILURE ? 0xC000009A : 0});
}
static int change(uint8_t routine, uint64_t context, uint32_t existing) {
    return begins((Call){.kind = CALL_REGISTER_CHANGE,
                         .routine = routine,
                         .context = context,
                         .existing = existing != 0,
                         .processor = existing ? existing : 2});
}
static int drop(uint16_t registration) {
    return whole((Call){.kind = CALL_DEREGISTER_CHANGE, .registration = registration}, 0, 0);
}
static int set_status(uint32_t status) {
    return whole((Call){.kind = CALL_SET_STATUS, .status = status}, 0, 0);
}
static SpecValue about(Stage which, uint64_t processor) {
    return (SpecValue){.kind = SPEC_CONTEXT, .stage = (uint8_t)which, .number = processor};
}
static SpecValue place(uint64_t status) {
    return (SpecValue){.kind = SPEC_STATUS, .number = status};
}
static void enter_told(uint8_t routine, uint64_t context, Stage which, uint64_t processor) {
    enter_as(routine, level, context, about(which, processor), place(0));
}
static void told(uint8_t routine, uint64_t context, Stage which, uint64_t processor) {
    enter_told(routine, context, which, processor);
    leave();
}
#define changed(routine, context, handle)                                                          \
    (ok(change(routine, context, 0)), ok(gives(handle)), the_registration())

static int ends_with(Abort how) {
    return judged(machine_abort(&m, how, short_of_memory));
}
static int there(uint16_t object) {
    return judged(machine_observe_object(&m, object, true));
}
static int gone(uint16_t object) {
    return judged(machine_observe_object(&m, object, false));
}
static int ends(bool leaked) {
    return judged(machine_end(&m, leaked, NO_ID));
}
static int leaves(uint16_t object) {
    return judged(machine_end(&m, true, object));
}
static unsigned answers(Question question) {
    readings_settle(&m.readings); /* the first three are weighed as worlds */
    return m.readings.answers[question];
}

#define NAME(text) ((SpecName){u"" text, sizeof(u"" text) / 2 - 1, true})
#define DEMO NAME("\\Callback\\Demo")
#define DEMO_CAPITALS NAME("\\Callback\\DEMO")
#define OTHER NAME("\\Callback\\Other")
#define THIRD NAME("\\Callback\\Third")
#define SET_SYSTEM_TIME NAME("\\Callback\\SetSystemTime")
#define POWER_STATE NAME("\\Callback\\PowerState")
#define PROCESSOR_ADD NAME("\\Callback\\ProcessorAdd")
#define EMPTY NAME("")
#define ABSENT ((SpecName){NULL, 0, false})
#define BOTH_PROFILES(p) for (int p = DOCUMENTED; p <= WINDOWS; p++)

enum {
    UNSUCCESSFUL = (int)0xC0000001,
    ACCESS_DENIED = (int)0xC0000022,
    TYPE_MISMATCH = (int)0xC0000024,
    NAME_INVALID = (int)0xC0000033,
    NAME_NOT_FOUND = (int)0xC0000034,
    NAME_COLLISION = (int)0xC0000035,
    PATH_NOT_FOUND = (int)0xC000003A,
    PATH_SYNTAX_BAD = (int)0xC000003B,
    NO_MEMORY = (int)0xC000009A,
    NAME_EXISTS = 0x40000000
};

/* ---- Callback Objects ---- */

static void object_shared(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        uint16_t b = opened(DEMO, 0, 0xA0);
        is(a, b);
        registered(b, 1, 0x10, 0xE0);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), ok(done());
        ok(notify(a, 1, 2));
        wrong3(OBJECT_SHARED, NOTIFY_ALL, NOTIFY_REACHES_ALL, done());
    }
}

static void object_attributes(void) {
    start(DOCUMENTED);
    uint16_t a = created(DEMO, PERMANENT, 0xA0);
    opened(DEMO, MULTIPLE, 0xA0);
    ok(dereference(a)), ok(dereference(a));
    opened(DEMO, 0, 0xA0);
    ok(dereference(a));
    /* Opened as not permanent, it stays permanent. */
    wrong2(OBJECT_ATTRIBUTES, CREATE_PERMANENT, open_fails(DEMO, 0, NAME_NOT_FOUND));
    wrong2(OBJECT_ATTRIBUTES, CREATE_PERMANENT, gone(a));
    start(WINDOWS);
    a = created(DEMO, MULTIPLE, 0xA0); /* temporary: no name, nothing to open */
    ok(open_fails(DEMO, PERMANENT, NAME_NOT_FOUND));
    uint16_t b = created(DEMO, MULTIPLE | PERMANENT, 0xB0);
    opened(DEMO, 0, 0xB0);
    registered(b, 1, 1, 0xE0);
    wrong3(OBJECT_ATTRIBUTES, OPEN_IGNORES_MULTIPLE, CREATE_MULTIPLE, reg(b, 2, 2, 0));
}

static void object_named(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        uint16_t b = created(OTHER, MULTIPLE | PERMANENT, 0xB0);
        yes(a != b);
        registered(a, 1, 0x10, 0xE0);
        ok(notify(b, 1, 2)), ok(done());
        wrong(OBJECT_NAMED, create(THIRD, MULTIPLE, 0xA0));
        wrong2(OBJECT_NAMED, OPEN_NEEDS_EXISTING, open(THIRD, 0, 0xA0));
    }
    start(DOCUMENTED); /* a system-defined object is no other's either */
    opened(POWER_STATE, 0, 0xA0);
    wrong(OBJECT_NAMED, open(SET_SYSTEM_TIME, 0, 0xA0));
}

static void system_objects(void) {
    BOTH_PROFILES(p) {
        start(p);
        is(1, opened(POWER_STATE, 0, 0xA0));
        is(0, opened(SET_SYSTEM_TIME, 0, 0xB0));
        is(1, created(POWER_STATE, MULTIPLE | CASELESS, 0xA0));
        is(1, opened(NAME("\\Callback\\POWERSTATE"), CASELESS | PERMANENT, 0xA0));
        ok(dereference(1)), ok(dereference(1)), ok(dereference(1));
        is(1, opened(POWER_STATE, 0, 0xA0));
        start(p);
        wrong(SYSTEM_OBJECTS, open_fails(POWER_STATE, 0, NAME_NOT_FOUND));
        wrong(SYSTEM_OBJECTS, open_fails(SET_SYSTEM_TIME, 0, NAME_NOT_FOUND));
        wrong(SYSTEM_OBJECTS, create_fails(SET_SYSTEM_TIME, MULTIPLE, NO_MEMORY));
        ok(irql(LEVEL_APC)); /* "at any time"; create at APC_LEVEL may be forbidden */
        ok(open_fails(POWER_STATE, 0, UNSUCCESSFUL));
        is(2, answers(QUESTION_CREATE_AT_APC));
    }
}

static void system_objects_at_known_addresses(void) {
    static const uint64_t system[3] = {0x51, 0x52, 0x53};
    machine_start(&m, false, readings_all(false), system);
    level = LEVEL_PASSIVE;
    is(1, opened(POWER_STATE, 0, 0x52));
    wrong3(CREATE_STORES_POINTER, SYSTEM_OBJECTS, OPEN_SUCCEEDS, open(POWER_STATE, 0, 0x99));
    wrong(OBJECT_NAMED, create(DEMO, 0, 0x51));
}

static void notify_reaches_all(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        uint16_t b = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        registered(b, 2, 0x20, 0xE1);
        uint16_t c = opened(DEMO, 0, 0xA0);
        registered(c, 3, 0x30, 0xE2);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), saw(3, 0x30, 1, 2), ok(done());
        ok(notify(c, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), saw(3, 0x30, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2);
        wrong2(NOTIFY_REACHES_ALL, NOTIFY_ALL, done());
    }
}

/* ---- Using a Driver-Defined Callback Object ---- */

static void open_needs_existing(void) {
    BOTH_PROFILES(p) {
        start(p);
        ok(open_fails(DEMO, MULTIPLE | PERMANENT, NAME_NOT_FOUND));
        wrong(OPEN_NEEDS_EXISTING, open(DEMO, MULTIPLE | PERMANENT, 0xA0));
        created(DEMO, PERMANENT, 0xA0);
        opened(DEMO, 0, 0xA0);
        wrong(OPEN_NEEDS_EXISTING, open(NAME("\\Callback\\Dem"), 0, 0xB0));
        wrong(OPEN_NEEDS_EXISTING, open(NAME("\\Callback\\Demo2"), CASELESS, 0xB0));
    }
}

static void open_succeeds(void) {
    BOTH_PROFILES(p) {
        start(p);
        created(DEMO, PERMANENT, 0xA0);
        opened(DEMO, 0, 0xA0);
        opened(DEMO, MULTIPLE | CASELESS | OPENIF | KERNEL, 0xA0);
        wrong(OPEN_SUCCEEDS, open_fails(DEMO, 0, NAME_NOT_FOUND));
        wrong(OPEN_SUCCEEDS, open_fails(DEMO, KERNEL, ACCESS_DENIED));
    }
}

static void routine_prototype(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), ok(done());
        ok(notify(a, 1, 2));
        enter_as(1, level, 0x10, about(STAGE_START, 0), place(0));
        leave();
        wrong2(ROUTINE_PROTOTYPE, NOTIFY_ARGUMENT1, done());
        ok(notify(a, 1, 2)); /* the context where Argument1 belongs */
        saw(1, 1, 2, 0x10);
        wrong2(ROUTINE_PROTOTYPE, REGISTER_CONTEXT, done());
    }
}

static void routine_arguments(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        uint16_t b = created(OTHER, MULTIPLE, 0xB0);
        registered(a, 1, 0x10, 0xE0);
        registered(a, 2, 0x20, 0xE1);
        registered(b, 3, 0x30, 0xE2);
        for (int mixed = 0; mixed < 2; mixed++) {
            ok(notify(a, 1, 2));
            enter(1, 0x10, 1, 2);
            ok(notify(b, 3, 4)), saw(3, 0x30, 3, 4), ok(done());
            leave();
            if (mixed) saw(2, 0x20, 3, 4); /* what the inner notifier had said */
            else saw(2, 0x20, 1, 2);
            if (mixed) wrong2(ROUTINE_ARGUMENTS, NOTIFY_ARGUMENT1, done());
            else ok(done());
        }
    }
}

static void routine_irql_limit(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        ok(irql(LEVEL_DISPATCH));
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw_at(3, 1, 0x10, 1, 2), wrong(ROUTINE_IRQL_LIMIT, done());
    }
}

static void routine_tasks(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        ok(notify(a, 1, 2));
        enter(1, 0x10, 1, 2);
        uint16_t b = created(OTHER, MULTIPLE | PERMANENT, 0xB0);
        is(b, opened(OTHER, 0, 0xB0));
        uint16_t r = registered(b, 2, 0x20, 0xE1);
        ok(notify(b, 3, 4)), saw(2, 0x20, 3, 4), ok(done());
        ok(unregister(r));
        ok(reference(b)), ok(dereference(b)), ok(make_temporary(b));
        ok(leave()), ok(done());

        ok(notify(a, 1, 2));
        enter(1, 0x10, 1, 2);
        ok(begins((Call){.kind = CALL_REGISTER, .object = b, .routine = 2}));
        wrong(ROUTINE_TASKS, ends_with(ABORT_DEADLOCK));
    }
    /* A routine that is registered and did something, and the rest was forgotten. */
    start(DOCUMENTED);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    registered(a, 1, 0x10, 0xE0), registered(a, 2, 0x20, 0xE1);
    ok(notify(a, 1, 2)), enter(1, 0x10, 1, 2), created(OTHER, 0, 0xB0), ok(leave());
    wrong2(ROUTINE_TASKS, NOTIFY_ALL, done());
}

static void unregister_removes(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        uint16_t r1 = registered(a, 1, 0x10, 0xE0);
        registered(a, 2, 0x20, 0xE1);
        ok(unregister(r1));
        ok(notify(a, 1, 2)), saw(2, 0x20, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2);
        wrong(UNREGISTER_REMOVES, done());
    }
}

static void unregister_others_stay(void) {
    BOTH_PROFILES(p) {
        for (int forgotten = 0; forgotten < 2; forgotten++) {
            start(p);
            uint16_t a = created(DEMO, MULTIPLE, 0xA0);
            ok(reference(a));
            registered(a, 1, 0x10, 0xE0);
            uint16_t r2 = registered(a, 2, 0x20, 0xE1);
            registered(a, 3, 0x30, 0xE2);
            ok(notify(a, 1, 2));
            enter(1, 0x10, 1, 2), ok(unregister(r2)), ok(leave());
            if (forgotten) {
                wrong(UNREGISTER_OTHERS_STAY, done());
                continue;
            }
            saw(3, 0x30, 1, 2), ok(done());
            ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2);
            wrong2(UNREGISTER_OTHERS_STAY, NOTIFY_ALL, done());
        }
    }
}

static void unregister_reference(void) {
    start(DOCUMENTED);
    assume("UNREGISTER-REFERENCE-OWN");
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    uint16_t r = registered(a, 1, 0x10, 0xE0);
    ok(dereference(a));
    ok(there(a)); /* on the registration's reference */
    wrong(UNREGISTER_REFERENCE, gone(a));
    ok(unregister(r));
    ok(gone(a));
    start(DOCUMENTED);
    assume("UNREGISTER-REFERENCE-CALLERS");
    a = created(DEMO, MULTIPLE, 0xA0);
    ok(reference(a));
    r = registered(a, 1, 0x10, 0xE0);
    ok(unregister(r)); /* one of two is left */
    wrong2(UNREGISTER_REFERENCE, DELETE_NOT_BEFORE, gone(a));
    ok(dereference(a));
    ok(gone(a));
}

/* ---- ExCreateCallback ---- */

static void create_stores_pointer(void) {
    BOTH_PROFILES(p) {
        start(p);
        wrong(CREATE_STORES_POINTER, create(DEMO, PERMANENT, 0));
        created(DEMO, PERMANENT, 0xA0);
        opened(DEMO, 0, 0xA0);
        wrong(CREATE_STORES_POINTER, open(DEMO, 0, 0));
        wrong2(CREATE_STORES_POINTER, OPEN_SUCCEEDS, open(DEMO, 0, 0xB0));
    }
}

/* Nearly the same requirement: what create and open return serves register and notify. */
static void create_pointer_usable(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        opened(DEMO, 0, 0xA0);
        wrong3(CREATE_POINTER_USABLE, CREATE_THEN_REGISTER, REGISTER_HANDLE, reg(a, 1, 0x10, 0));
        registered(a, 1, 0x10, 0xE0);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), ok(done());
    }
}

/* The caller's attributes and name are input: also where the call fails. */
static void create_attributes_kept(void) {
    BOTH_PROFILES(p) {
        static const bool create[] = {true, false};
        for (unsigned i = 0; i < 2; i++) {
            start(p);
            ok(begins(named_call(DEMO, 0, create[i])));
            Return result = {.status = i ? 0xC0000034 : 0, .pointer = i ? 0 : 0xA0};
            result.input_changed = true;
            wrong(CREATE_ATTRIBUTES_KEPT, judged(machine_return(&m, &result)));
            start(p);
            ok(begins(named_call(DEMO, 0, create[i])));
            result.input_changed = false;
            ok(judged(machine_return(&m, &result)));
        }
    }
}

static void create_new(void) {
    BOTH_PROFILES(p) {
        start(p);
        wrong(CREATE_NEW, create_fails(DEMO, 0, UNSUCCESSFUL));
        wrong(CREATE_NEW, create_fails(DEMO, PERMANENT | CASELESS | KERNEL, NAME_COLLISION));
        uint16_t a = created(DEMO, 0, 0xA0);
        uint16_t b = created(OTHER, OPENIF | KERNEL, 0xB0);
        yes(a != b);
    }
}

static void create_opens(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, PERMANENT, 0xA0);
        is(a, created(DEMO, PERMANENT, 0xA0));
        wrong(CREATE_OPENS, create(DEMO, PERMANENT, 0xB0));
        wrong2(CREATE_OPENS, WINDOWS_OPENIF, create_fails(DEMO, PERMANENT, NAME_COLLISION));
    }
}

static void create_multiple(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0x20, 0xE1), registered(a, 3, 0x30, 0xE2);
        wrong(CREATE_MULTIPLE, reg(a, 4, 0x40, 0));
    }
}

static void create_single(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, 0, 0xA0);
        ok(reference(a)), ok(reference(a));
        wrong(CREATE_SINGLE, reg(a, 1, 0x10, 0));
        uint16_t r = registered(a, 1, 0x10, 0xE0);
        ok(reg(a, 2, 0x20, 0));
        ok(unregister(r));
        wrong(CREATE_SINGLE, reg(a, 2, 0x20, 0));
        r = registered(a, 2, 0x20, 0xE0); /* a handle given back may come again */
        ok(notify(a, 1, 2)), saw(2, 0x20, 1, 2), ok(done());
    }
}

static void multiple_is_ignored_when_opening(void) {
    BOTH_PROFILES(p) {
        for (int create_again = 0; create_again < 2; create_again++) {
            for (unsigned flags = 0; flags < 2; flags++) { /* MULTIPLE when created, or not */
                unsigned differs = (flags ^ MULTIPLE) | PERMANENT;
                start(p);
                uint16_t a = created(DEMO, flags | PERMANENT, 0xA0);
                if (create_again) is(a, created(DEMO, differs, 0xA0));
                else is(a, opened(DEMO, differs, 0xA0));
                registered(a, 1, 0x10, 0xE0);
                int verdict = reg(a, 2, 0x20, flags ? 0 : 0xE1);
                if (create_again) wrong(CREATE_IGNORES_MULTIPLE, verdict);
                else wrong(OPEN_IGNORES_MULTIPLE, verdict);
                ok(reg(a, 2, 0x20, flags ? 0xE1 : 0)); /* so it was not the opening */
                verdict = reg(a, 3, 0x30, flags ? 0 : 0xE2);
                if (flags) wrong(CREATE_MULTIPLE, verdict);
                else wrong(REGISTER_SINGLE, verdict);
            }
        }
    }
}

static void create_success(void) {
    BOTH_PROFILES(p) {
        start(p);
        created(DEMO, PERMANENT, 0xA0);
        Call call = named_call(DEMO, PERMANENT, true);
        wrong(CREATE_SUCCESS, whole(call, NAME_EXISTS, 0xA0));
        wrong(CREATE_SUCCESS, whole(named_call(OTHER, 0, true), 1, 0xB0));
        opened(DEMO, 0, 0xA0);
    }
}

/* Neither opened nor created: an error code. */
static void create_error(void) {
    BOTH_PROFILES(p) {
        start(p);
        ok(open_fails(DEMO, 0, NAME_NOT_FOUND));
        wrong2(CREATE_ERROR, CREATE_SUCCESS, whole(named_call(DEMO, 0, false), NAME_EXISTS, 0));
        short_of_memory = true;
        ok(begins(named_call(DEMO, 0, true)));
        wrong(CREATE_ERROR, ends_with(ABORT_CRASH));
    }
    start(WINDOWS); /* neither is a directory's leaf: some error, no object */
    ok(create_fails(NAME("\\"), 0, TYPE_MISMATCH));
    ok(create_fails(NAME("\\Callback\\Demo\\Below"), 0, PATH_NOT_FOUND));
    wrong(CREATE_ERROR, create(NAME("\\"), 0, 0xA0));
    wrong(CREATE_ERROR, create(NAME("\\Callback\\Demo\\Below"), 0, 0xA0));
}

static void create_unnamed(void) {
    BOTH_PROFILES(p) {
        start(p);
        ok(create_fails(ABSENT, PERMANENT, UNSUCCESSFUL));
        ok(open_fails(ABSENT, 0, UNSUCCESSFUL));
        wrong(CREATE_UNNAMED, create_fails(ABSENT, 0, PATH_SYNTAX_BAD));
        wrong(CREATE_UNNAMED, open_fails(ABSENT, 0, NAME_NOT_FOUND));
        wrong(CREATE_UNNAMED, create(ABSENT, 0, 0xA0));
        wrong(CREATE_UNNAMED, open(ABSENT, 0, 0xA0));
        ok(begins(named_call(ABSENT, 0, true)));
        wrong(CREATE_UNNAMED, ends_with(ABORT_CRASH));
        start(p); /* another reason to fail may come first */
        short_of_memory = true;
        ok(create_fails(ABSENT, 0, NO_MEMORY));
        wrong(CREATE_UNNAMED, create_fails(ABSENT, 0, NO_MEMORY));
        start(p);
        ok(irql(LEVEL_APC)), ok(create_fails(ABSENT, 0, PATH_SYNTAX_BAD));
        ok(create(DEMO, 0, 0xA0)); /* this one may create at APC_LEVEL */
        wrong(CREATE_UNNAMED, create_fails(ABSENT, 0, PATH_SYNTAX_BAD));
    }
}

static void create_empty_name(void) {
    BOTH_PROFILES(p) {
        start(p);
        ok(create_fails(EMPTY, PERMANENT, PATH_SYNTAX_BAD));
        ok(open_fails(EMPTY, 0, PATH_SYNTAX_BAD));
        wrong(CREATE_EMPTY_NAME, create(EMPTY, 0, 0xA0));
        wrong(CREATE_EMPTY_NAME, open(EMPTY, 0, 0xA0));
    }
    start(DOCUMENTED);
    ok(create_fails(EMPTY, 0, UNSUCCESSFUL));
    ok(open_fails(EMPTY, 0, NAME_INVALID));
    start(WINDOWS);
    wrong(WINDOWS_PATH_SYNTAX, create_fails(EMPTY, 0, UNSUCCESSFUL));
}

static void create_permanent(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, PERMANENT | MULTIPLE, 0xA0);
        ok(dereference(a));
        ok(there(a));
        is(a, opened(DEMO, 0, 0xA0));
        ok(dereference(a));
        is(a, created(DEMO, 0, 0xA0));
        ok(dereference(a));
        wrong(CREATE_PERMANENT, open_fails(DEMO, 0, NAME_NOT_FOUND));
        wrong(CREATE_PERMANENT, create(DEMO, 0, 0xB0));
        wrong(CREATE_PERMANENT, gone(a));
    }
}

static void create_case_insensitive(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, PERMANENT, 0xA0);
        is(a, opened(DEMO_CAPITALS, CASELESS, 0xA0));
        is(a, created(NAME("\\Callback\\dEmO"), CASELESS, 0xA0));
        wrong(CREATE_CASE_INSENSITIVE, open_fails(DEMO_CAPITALS, CASELESS, NAME_NOT_FOUND));
        wrong(CREATE_CASE_INSENSITIVE, create(DEMO_CAPITALS, CASELESS, 0xB0));
    }
}

static void create_case_sensitive(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, PERMANENT, 0xA0);
        ok(open_fails(DEMO_CAPITALS, 0, NAME_NOT_FOUND));
        wrong(CREATE_CASE_SENSITIVE, open(DEMO_CAPITALS, 0, 0xA0));
        wrong2(CREATE_CASE_SENSITIVE, OBJECT_NAMED, create(DEMO_CAPITALS, 0, 0xA0));
        uint16_t b = created(DEMO_CAPITALS, PERMANENT, 0xB0);
        yes(a != b);
        /* Without the case, either of them is right. */
        is(a, opened(NAME("\\Callback\\demo"), CASELESS, 0xA0));
        is(b, opened(NAME("\\Callback\\demo"), CASELESS, 0xB0));
        is(b, opened(DEMO_CAPITALS, 0, 0xB0));
    }
}

static void delete_not_before(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        ok(dereference(a));
        ok(there(a));
        wrong2(DELETE_NOT_BEFORE, WINDOWS_CREATE_REFERENCE, gone(a));
        ok(dereference(a));
        ok(gone(a));
    }
}

static void system_time(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = opened(SET_SYSTEM_TIME, 0, 0xA0);
        ok(set_system_time()), ok(done());
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0, 0xE1);
        ok(set_system_time()), saw(1, 0x10, 7, 8), saw(2, 0, 9, 0), ok(done());
        ok(power_state(1, 1)), ok(done());
        ok(set_system_time()), saw(1, 0x10, 0, 0), wrong(SYSTEM_TIME, done());
        ok(set_system_time()), wrong(SYSTEM_TIME, done());
    }
}

static void system_power(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = opened(POWER_STATE, 0, 0xA0);
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0, 0xE1);
        ok(irql(LEVEL_DISPATCH));
        ok(power_state(3, 0)), saw(1, 0x10, 3, 0), saw(2, 0, 3, 0), ok(done());
        ok(irql(LEVEL_PASSIVE));
        ok(set_system_time()), ok(done());
        ok(power_state(3, 0)), saw(1, 0x10, 3, 0), wrong(SYSTEM_POWER, done());
        ok(power_state(3, 1)), saw(1, 0x10, 3, 0), saw(2, 0, 3, 0);
        if (p == WINDOWS) wrong(WINDOWS_POWER_ARGUMENTS, done());
        else wrong2(SYSTEM_POWER, NOTIFY_ARGUMENT2, done());
        ok(power_state(3, 1)), saw(1, 0x10, 4, 1), saw(2, 0, 4, 1);
        if (p == WINDOWS) wrong(WINDOWS_POWER_ARGUMENTS, done());
        else wrong2(SYSTEM_POWER, NOTIFY_ARGUMENT1, done());
        ok(power_state(3, 0)), saw(2, 0, 3, 0), saw(1, 0x10, 3, 0), wrong(NOTIFY_ORDER, done());
    }
}

static void system_multiple(void) {
    BOTH_PROFILES(p) {
        start(p);
        opened(POWER_STATE, 0, 0xA0); /* with AllowMultipleCallbacks FALSE, which is ignored */
        for (unsigned i = 0; i < 40; i++)
            registered(1, (uint8_t)(i % 8 + 1), i, 0xE0 + i);
        start(p);
        opened(POWER_STATE, 0, 0xA0);
        wrong(SYSTEM_MULTIPLE, reg(1, 1, 0x10, 0));
        registered(1, 1, 0x10, 0xE0);
        wrong2(SYSTEM_MULTIPLE, OPEN_IGNORES_MULTIPLE, reg(1, 2, 0x20, 0));
    }
}

/* ---- ExRegisterCallback ---- */

static void register_context(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0x20, 0xE1);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x20, 1, 2), wrong2(REGISTER_CONTEXT, NOTIFY_ALL, done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0, 1, 2), wrong(REGISTER_CONTEXT, done());
        registered(a, 1, 0x11, 0xE2);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), saw(1, 0x10, 1, 2);
        wrong2(REGISTER_CONTEXT, NOTIFY_ONCE, done());
    }
}

static void register_context_optional(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, 0, 0xA0);
        registered(a, 1, 0, 0xE0);
        ok(notify(a, 1, 2)), saw(1, 0, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0xA0, 1, 2);
        wrong2(REGISTER_CONTEXT_OPTIONAL, REGISTER_CONTEXT, done());
    }
}

static void register_handle(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0), b = created(OTHER, MULTIPLE, 0xB0);
        wrong2(REGISTER_HANDLE, CREATE_THEN_REGISTER, reg(a, 1, 0x10, 0));
        ok(reference(a));
        uint16_t r = registered(a, 1, 0x10, 0xE0);
        wrong(REGISTER_HANDLE, reg(a, 2, 0x20, 0xE0));
        wrong(REGISTER_HANDLE, reg(b, 2, 0x20, 0xE0));
        registered(b, 2, 0x20, 0xE1);
        ok(unregister(r));
        registered(a, 2, 0x20, 0xE0);
    }
}

static void register_error(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        short_of_memory = true;
        ok(reg(a, 1, 0x10, 0));
        ok(notify(a, 1, 2)), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2); /* nothing was registered */
        wrong2(REGISTER_ERROR, NOTIFY_ONLY, done());
        short_of_memory = true;
        ok(begins((Call){.kind = CALL_REGISTER, .object = a, .routine = 1}));
        wrong(REGISTER_ERROR, ends_with(ABORT_CRASH));
    }
}

static void register_single(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, 0, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        ok(reg(a, 1, 0x10, 0)); /* also the very same one */
        ok(reg(a, 2, 0x20, 0));
        is(7, answers(QUESTION_SAME_ROUTINE)); /* says nothing about the same routine */
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), ok(done());
        wrong(REGISTER_SINGLE, reg(a, 2, 0x20, 0xE1));
        start(p);
        a = created(DEMO, 0, 0xA0);
        short_of_memory = true;
        ok(reg(a, 1, 0x10, 0xE0)); /* a handle that may stand for nothing */
        wrong(REGISTER_ERROR, reg(a, 2, 0x20, 0xE1));
    }
}

static void register_any_time(void) {
    BOTH_PROFILES(p) {
        for (int forgotten = 0; forgotten < 2; forgotten++) {
            start(p);
            uint16_t a = created(DEMO, MULTIPLE, 0xA0);
            registered(a, 1, 0x10, 0xE0);
            ok(notify(a, 1, 2));
            enter(1, 0x10, 1, 2), registered(a, 2, 0x20, 0xE1), ok(leave());
            ok(done());
            ok(notify(a, 3, 4)), saw(1, 0x10, 3, 4);
            if (!forgotten) saw(2, 0x20, 3, 4), ok(done());
            else wrong(REGISTER_ANY_TIME, done());
        }
    }
}

static void unregister_the_one(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        registered(a, 1, 0x10, 0xE0);
        uint16_t r2 = registered(a, 1, 0x20, 0xE1);
        ok(unregister(r2));
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x20, 1, 2), wrong(UNREGISTER_THE_ONE, done());
        registered(a, 1, 0x30, 0xE2);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(1, 0x30, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(1, 0x20, 1, 2);
        wrong(UNREGISTER_THE_ONE, done());
    }
}

/* ---- ExNotifyCallback ---- */

static void notify_all(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(notify(a, 1, 2)), ok(done());
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0x20, 0xE1), registered(a, 3, 0x30, 0xE2);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), saw(3, 0x30, 1, 2), ok(done());
        ok(notify(a, 1, 2)), wrong(NOTIFY_ALL, done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), wrong(NOTIFY_ALL, done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(3, 0x30, 1, 2), wrong(NOTIFY_ALL, done());
    }
}

static void notify_once(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0x20, 0xE1);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2);
        wrong(NOTIFY_ONCE, done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), saw(1, 0x10, 1, 2);
        wrong(NOTIFY_ONCE, done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), ok(done());
    }
}

static void notify_only(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0), b = created(OTHER, MULTIPLE, 0xB0);
        registered(a, 1, 0x10, 0xE0);
        registered(b, 2, 0x20, 0xE1);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), wrong(NOTIFY_ONLY, done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(3, 0x30, 1, 2), wrong(NOTIFY_ONLY, done());
        ok(set_system_time()), saw(1, 0x10, 1, 2), wrong(NOTIFY_ONLY, done());
        /* Nor outside of a notification. */
        ok(begins((Call){.kind = CALL_REGISTER, .object = a, .routine = 3, .context = 0x30}));
        saw(3, 0x30, 0, 0), wrong(NOTIFY_ONLY, gives(0xE2));
        ok(begins((Call){.kind = CALL_REFERENCE, .object = a}));
        saw(1, 0x10, 0, 0), wrong(NOTIFY_ONLY, done());
        Entry entry = {.routine = 1, .context = 0x10};
        wrong(NOTIFY_ONLY, judged(machine_enter(&m, &entry)));
    }
}

static void notify_arguments(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        ok(notify(a, 0, 0)), saw(1, 0x10, 0, 0), ok(done());
        ok(notify(a, UINT64_MAX, 5)), saw(1, 0x10, UINT64_MAX, 5), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 0, 2), wrong(NOTIFY_ARGUMENT1, done());
        ok(notify(a, UINT64_MAX, 2)), saw(1, 0x10, UINT32_MAX, 2), wrong(NOTIFY_ARGUMENT1, done());
        ok(notify(a, 0, 2)), saw(1, 0x10, 0xA0, 2), wrong(NOTIFY_ARGUMENT1, done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 1), wrong(NOTIFY_ARGUMENT2, done());
        ok(notify(a, 1, 0)), saw(1, 0x10, 1, 9), wrong(NOTIFY_ARGUMENT2, done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 2, 1), wrong2(NOTIFY_ARGUMENT1, NOTIFY_ARGUMENT2, done());
    }
}

static void notify_order(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        uint16_t r1 = registered(a, 1, 0x10, 0xE9);
        registered(a, 2, 0x20, 0xE5), registered(a, 3, 0x30, 0xE1);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), saw(3, 0x30, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(3, 0x30, 1, 2), saw(2, 0x20, 1, 2), saw(1, 0x10, 1, 2);
        wrong(NOTIFY_ORDER, done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(3, 0x30, 1, 2), saw(2, 0x20, 1, 2);
        wrong(NOTIFY_ORDER, done());
        ok(unregister(r1));
        registered(a, 1, 0x10, 0xE9); /* it is the last one now */
        ok(notify(a, 1, 2)), saw(2, 0x20, 1, 2), saw(3, 0x30, 1, 2), saw(1, 0x10, 1, 2), ok(done());
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), saw(3, 0x30, 1, 2);
        wrong(NOTIFY_ORDER, done());
    }
}

static void notify_same_irql(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        for (uint8_t at = LEVEL_PASSIVE; at <= LEVEL_DISPATCH; at++) {
            ok(irql(at));
            ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), ok(done());
            for (uint8_t other = LEVEL_PASSIVE; other <= LEVEL_DISPATCH; other++) {
                if (other == at) continue;
                ok(notify(a, 1, 2)), saw_at(other, 1, 0x10, 1, 2), wrong(NOTIFY_SAME_IRQL, done());
            }
        }
    }
}

static void notify_at_dispatch(void) {
    static const Abort how[] = {ABORT_BUGCHECK, ABORT_CRASH, ABORT_HANG, ABORT_DEADLOCK};
    for (unsigned i = 0; i < 4; i++) {
        start(DOCUMENTED);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(irql(LEVEL_DISPATCH));
        ok(notify(a, 1, 2)), ok(done());
        ok(notify(a, 1, 2)), wrong(NOTIFY_AT_DISPATCH, ends_with(how[i]));
    }
}

/* ---- Rules that bind callers ---- */

static void create_irql(void) {
    BOTH_PROFILES(p) {
        start(p);
        created(DEMO, PERMANENT, 0xA0);
        ok(irql(LEVEL_APC)), ok(begins(named_call(OTHER, 0, true))), yes(excused);
        ok(returns(0, 0xB0));
        ok(irql(LEVEL_DISPATCH));
        misuse(CREATE_IRQL, create(THIRD, 0, 0xC0));
        misuse(CREATE_IRQL, open(DEMO, 0, 0xA0));
    }
}

static void register_irql(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        ok(irql(LEVEL_APC));
        uint16_t r = registered(a, 1, 0x10, 0xE0);
        ok(irql(LEVEL_DISPATCH));
        misuse(REGISTER_IRQL, reg(a, 2, 0x20, 0xE1));
        misuse(REGISTER_IRQL, unregister(r));
        ok(irql(LEVEL_APC)), ok(unregister(r));
    }
}

static void register_object(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        ok(dereference(a));
        misuse(REGISTER_OBJECT, reg(a, 2, 0x20, 0xE1));
        misuse2(REGISTER_OBJECT, DELETE_WHEN_DONE, reference(a));
        start(p); /* a system-defined object, too, must have been opened */
        misuse(REGISTER_OBJECT, reg(1, 1, 0x10, 0xE0));
    }
}

static void register_keep_handle(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        uint16_t r = registered(a, 1, 0x10, 0xE0);
        ok(unregister(r));
        misuse(REGISTER_KEEP_HANDLE, unregister(r));
        uint16_t c = changed(1, 0x10, 0xE1);
        misuse(REGISTER_KEEP_HANDLE, unregister(c)); /* another kind of handle */
        ok(drop(c));
        misuse(REGISTER_KEEP_HANDLE, drop(c));
        misuse(REGISTER_KEEP_HANDLE, drop(NO_ID));
        uint16_t r2 = registered(a, 1, 0x10, 0xE0);
        misuse(REGISTER_KEEP_HANDLE, drop(r2));
    }
}

static void notify_object(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(notify(a, 1, 2)), ok(done());
        ok(dereference(a));
        misuse(NOTIFY_OBJECT, notify(a, 1, 2));
        misuse(NOTIFY_OBJECT, notify(NO_ID, 1, 2));
        a = created(DEMO, MULTIPLE | PERMANENT, 0xB0);
        ok(dereference(a)); /* it lives, but nobody holds it */
        misuse(NOTIFY_OBJECT, notify(a, 1, 2));
    }
}

static void notify_system_object(void) {
    BOTH_PROFILES(p) {
        start(p);
        opened(POWER_STATE, 0, 0xA0), opened(SET_SYSTEM_TIME, 0, 0xB0);
        misuse(NOTIFY_SYSTEM_OBJECT, notify(0, 1, 2));
        misuse(NOTIFY_SYSTEM_OBJECT, notify(1, 1, 2));
        /* In another case, with the case minded, it is a driver's object. */
        uint16_t a = created(NAME("\\Callback\\POWERSTATE"), 0, 0xC0);
        yes(a > 2);
        ok(notify(a, 1, 2)), ok(done());
    }
}

static void notify_irql(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        misuse(NOTIFY_IRQL, irql(3));
        ok(irql(LEVEL_APC));
        ok(notify(a, 1, 2));
        enter(1, 0x10, 1, 2);
        misuse(NOTIFY_IRQL, irql(LEVEL_PASSIVE)); /* below its notifier */
        ok(irql(LEVEL_DISPATCH)), ok(irql(LEVEL_APC));
        ok(leave()), ok(done());
        ok(notify(a, 1, 2));
        enter(1, 0x10, 1, 2), ok(irql(LEVEL_DISPATCH)), misuse(NOTIFY_IRQL, leave());
    }
}

static void system_names_reserved(void) {
    start(DOCUMENTED);
    created(POWER_STATE, MULTIPLE | CASELESS, 0xA0); /* opens the system's */
    assume("PROCESSOR-ADD-ABSENT");
    misuse(SYSTEM_NAMES_RESERVED, create(PROCESSOR_ADD, 0, 0xB0));
    misuse(SYSTEM_NAMES_RESERVED, create(NAME("\\callback\\processoradd"), CASELESS, 0xB0));
    created(NAME("\\Callback\\processoradd"), 0, 0xB0); /* another name */
    ok(open_fails(PROCESSOR_ADD, 0, NAME_NOT_FOUND));
    start(WINDOWS);
    is(2, created(PROCESSOR_ADD, MULTIPLE, 0xB0));
}

static void delete_when_done(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        ok(make_temporary(a));
        ok(dereference(a));
        misuse(DELETE_WHEN_DONE, dereference(a));
        misuse(DELETE_WHEN_DONE, make_temporary(a));
        misuse(DELETE_WHEN_DONE, dereference(NO_ID));
        opened(POWER_STATE, 0, 0xB0);
        misuse(DELETE_WHEN_DONE, make_temporary(1));
        uint16_t b = created(OTHER, PERMANENT, 0xC0);
        ok(irql(LEVEL_APC));
        misuse(DELETE_WHEN_DONE, make_temporary(b));
        ok(irql(LEVEL_PASSIVE)), ok(make_temporary(b));
    }
}

/* What the program does not give back is given back for it: nothing is misuse at the end. */
static void giving_back(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        uint16_t r = registered(a, 1, 0x10, 0xE0);
        ok(unregister(r));
        while (machine_perhaps_holds(&m, a))
            ok(dereference(a));
        Call call = {.kind = CALL_MAKE_TEMPORARY, .object = a, .giving_back = true};
        ok(whole(call, 0, 0));
        ok(ends(false));
    }
}

/* ---- The end ---- */

static void end_of_a_program(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(dereference(a));
        ok(ends(false));
        wrong(DELETE_FREES, ends(true));
        start(p);
        a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        ok(make_temporary(a)), ok(dereference(a));
        ok(ends(false));
        wrong(DELETE_PERMANENT, leaves(a));
        start(p); /* something else than permanence may be what keeps it */
        a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        is(a, opened(DEMO, 0, 0xA0));
        ok(make_temporary(a)), ok(dereference(a)), ok(dereference(a));
        wrong(DELETE_FREES, leaves(a));
        start(p); /* memory, but no object */
        a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
        ok(make_temporary(a)), ok(dereference(a));
        wrong(DELETE_FREES, ends(true));
        start(p);
        ok(ends(false));
    }
    /* Unregistered and dereferenced: a leak says nothing if that was one reference too many. */
    start(DOCUMENTED);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    ok(unregister(registered(a, 1, 0x10, 0xE0)));
    ok(dereference(a)), yes(excused);
    yes(ends(true) >= MISUSE);
}

/* A reference too many breaks what protects the object, whichever call stumbles over it. */
static void a_reference_too_many(void) {
    start(DOCUMENTED);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    uint16_t r = registered(a, 1, 0x10, 0xE0);
    ok(begins((Call){.kind = CALL_UNREGISTER, .registration = r}));
    wrong(UNREGISTER_REFERENCE, ends_with(ABORT_REFERENCE));
    start(DOCUMENTED);
    a = created(DEMO, MULTIPLE, 0xA0);
    ok(notify(a, 1, 2));
    wrong(DELETE_NOT_BEFORE, ends_with(ABORT_REFERENCE));
    start(DOCUMENTED);
    ok(begins((Call){.kind = CALL_CREATE, .name = DEMO, .create = true}));
    short_of_memory = true;
    wrong(CREATE_ERROR, ends_with(ABORT_REFERENCE));
}

/* ---- What else is publicly known ---- */

static void windows_references(void) {
    start(WINDOWS);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    uint16_t r = registered(a, 1, 0x10, 0xE0);
    ok(dereference(a)); /* legal and common: the object lives on the registration's */
    no(excused);
    wrong2(WINDOWS_REGISTRATION_REFERENCE, UNREGISTER_REFERENCE, gone(a));
    ok(there(a));
    ok(unregister(r));
    ok(gone(a));
    a = created(DEMO, MULTIPLE, 0xB0);
    wrong2(WINDOWS_CREATE_REFERENCE, DELETE_NOT_BEFORE, gone(a));
    ok(unregister(registered(a, 1, 0x10, 0xE0)));
    yes(machine_holds(&m, a)); /* exactly those references */
    wrong2(WINDOWS_CREATE_REFERENCE, DELETE_NOT_BEFORE, gone(a));
    ok(dereference(a));
    no(machine_perhaps_holds(&m, a));
}

static void windows_system_object_let_go(void) {
    start(WINDOWS); /* open, register, let go: unregister only */
    uint16_t a = opened(POWER_STATE, CASELESS, 0xA0);
    uint16_t r = registered(a, 1, 0x10, 0xE0);
    ok(dereference(a));
    ok(power_state(3, 0)), saw(1, 0x10, 3, 0), ok(done());
    ok(unregister(r));
    ok(power_state(3, 1)), ok(done());
    ok(ends(false));
}

static void windows_unregister_self(void) {
    start(WINDOWS);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    uint16_t r1 = registered(a, 1, 0x10, 0xE0), r2 = registered(a, 2, 0x20, 0xE1);
    ok(notify(a, 1, 2));
    enter(1, 0x10, 1, 2);
    yes(machine_is_running(&m, r1));
    no(machine_is_running(&m, r2));
    misuse(WINDOWS_UNREGISTER_SELF, unregister(r1));
    ok(unregister(r2)); /* another's */
    ok(leave()), ok(done());
    no(machine_is_running(&m, r1));
    ok(unregister(r1));
}

static void windows_three_objects(void) {
    start(WINDOWS);
    is(2, opened(PROCESSOR_ADD, 0, 0xA0));
    start(WINDOWS);
    wrong2(WINDOWS_THREE_OBJECTS, SYSTEM_PROCESSOR_ADD,
           open_fails(PROCESSOR_ADD, 0, NAME_NOT_FOUND));
}

static void windows_names_of_temporary_objects(void) {
    start(WINDOWS);
    created(DEMO, MULTIPLE, 0xA0);
    ok(open_fails(DEMO, 0, NAME_NOT_FOUND));
    wrong(WINDOWS_TEMPORARY_NAME, open(DEMO, 0, 0xA0));
    wrong(WINDOWS_TEMPORARY_NAME, create(DEMO, MULTIPLE, 0xA0));
    created(DEMO, MULTIPLE, 0xB0);
    uint16_t c = created(OTHER, PERMANENT, 0xC0);
    ok(make_temporary(c));
    ok(open_fails(OTHER, 0, NAME_NOT_FOUND));
    wrong(WINDOWS_MAKE_TEMPORARY, open(OTHER, 0, 0xC0));
    wrong(WINDOWS_MAKE_TEMPORARY, create(OTHER, PERMANENT, 0xC0));
    created(OTHER, PERMANENT, 0xD0);
}

static void windows_openif(void) {
    start(WINDOWS);
    uint16_t a = created(DEMO, PERMANENT, 0xA0);
    is(a, created(DEMO, PERMANENT, 0xA0));
    is(a, created(DEMO, PERMANENT | OPENIF, 0xA0));
    wrong2(WINDOWS_OPENIF, CREATE_OPENS, create_fails(DEMO, PERMANENT, NAME_COLLISION));
    wrong2(WINDOWS_OPENIF, CREATE_OPENS, create(DEMO, PERMANENT | OPENIF, 0xB0));
}

static void windows_failure_codes(void) {
    static const uint16_t double_backslash[] = u"\\\\Demo";
    start(WINDOWS);
    created(DEMO, PERMANENT, 0xA0);
    for (int create_it = 0; create_it < 2; create_it++) {
        int (*fails)(SpecName, unsigned, uint32_t) = create_it ? create_fails : open_fails;
        int (*works)(SpecName, unsigned, uint64_t) = create_it ? create : open;
        ok(fails(EMPTY, 0, PATH_SYNTAX_BAD));
        ok(fails(NAME("Demo"), 0, PATH_SYNTAX_BAD));
        ok(fails(NAME("Callback\\Demo"), CASELESS, PATH_SYNTAX_BAD));
        wrong(WINDOWS_PATH_SYNTAX, fails(NAME("Demo"), 0, NAME_INVALID));
        wrong(WINDOWS_PATH_SYNTAX, works(NAME("Demo"), 0, 0xB0));
        ok(fails((SpecName){double_backslash, 6, true}, 0, NAME_INVALID));
        ok(fails(NAME("\\Callback\\"), 0, NAME_INVALID));
        ok(fails(NAME("\\Callback\\\\Demo"), 0, NAME_INVALID));
        wrong(WINDOWS_NAME_INVALID, fails(NAME("\\Callback\\"), 0, NAME_NOT_FOUND));
        wrong(WINDOWS_NAME_INVALID, works(NAME("\\Callback\\\\Demo"), 0, 0xB0));
        ok(fails(NAME("\\Callbacks\\Demo"), 0, PATH_NOT_FOUND));
        ok(fails(NAME("\\CALLBACK\\Demo"), 0, PATH_NOT_FOUND));
        wrong(WINDOWS_PATH_NOT_FOUND, fails(NAME("\\X\\Y"), 0, NAME_NOT_FOUND));
        wrong(WINDOWS_PATH_NOT_FOUND, works(NAME("\\X\\Y"), 0, 0xB0));
        ok(fails(NAME("\\Callback"), 0, TYPE_MISMATCH));
        ok(fails(NAME("\\CALLBACK"), CASELESS, TYPE_MISMATCH));
        wrong(WINDOWS_TYPE_MISMATCH, fails(NAME("\\Callback"), 0, UNSUCCESSFUL));
        wrong(WINDOWS_TYPE_MISMATCH, works(NAME("\\Callback"), 0, 0xB0));
    }
    ok(open_fails(OTHER, 0, NAME_NOT_FOUND));
    ok(open_fails(NAME("\\X"), 0, NAME_NOT_FOUND));
    wrong(WINDOWS_NAME_NOT_FOUND, open_fails(OTHER, 0, UNSUCCESSFUL));
    wrong(WINDOWS_NAME_NOT_FOUND, open_fails(NAME("\\X"), 0, PATH_NOT_FOUND));
    uint16_t x = created(NAME("\\X"), PERMANENT, 0xC0);
    is(x, opened(NAME("\\x"), CASELESS, 0xC0));
    wrong(CREATE_NEW, create_fails(NAME("\\Z"), 0, ACCESS_DENIED));
}

/* ---- Names ---- */

static void directory_in_another_case(void) {
    start(DOCUMENTED);
    uint16_t a = created(DEMO, PERMANENT, 0xA0);
    is(a, opened(NAME("\\CALLBACK\\Demo"), CASELESS, 0xA0));
    is(a, opened(NAME("\\CallBack\\dEMO"), CASELESS, 0xA0));
    wrong(CREATE_CASE_INSENSITIVE, open_fails(NAME("\\CallBack\\dEMO"), CASELESS, NAME_NOT_FOUND));
    uint16_t b = created(NAME("\\CallBack\\Other"), PERMANENT | CASELESS, 0xB0);
    is(b, opened(OTHER, 0, 0xB0));            /* it is in \Callback all the same */
    ok(open_fails(OTHER, 0, NAME_NOT_FOUND)); /* unless names are compared as wholes */
    ok(open_fails(NAME("\\Callback\\OTHER"), 0, NAME_NOT_FOUND));
    /* Without the flag it is another directory, of which the documents know nothing. */
    ok(open_fails(NAME("\\CALLBACK\\Demo"), 0, PATH_NOT_FOUND));
    ok(create_fails(NAME("\\CALLBACK\\Demo"), 0, PATH_NOT_FOUND));
}

static void names_outside_of_the_directory(void) {
    start(DOCUMENTED); /* success and failure are both allowed */
    static const SpecName names[] = {NAME("\\"),     NAME("\\Callback"),          NAME("\\X"),
                                     NAME("\\X\\Y"), NAME("\\Callback\\X\\Y"),    NAME("Relative"),
                                     NAME("\\\\Z"),  NAME("\\Callback\\\\Double")};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        ok(create_fails(names[i], 0, i % 2 ? UNSUCCESSFUL : ACCESS_DENIED));
        created(names[i], PERMANENT, 0xA0 + i);
        ok(open_fails(names[i], 0, NAME_NOT_FOUND));
    }
}

static void names_that_share_a_beginning(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(NAME("\\Callback\\De"), PERMANENT, 0xA0);
        uint16_t b = created(DEMO, PERMANENT, 0xB0);
        uint16_t c = created(NAME("\\Callback\\Demo "), PERMANENT, 0xC0);
        is(a, opened(NAME("\\Callback\\De"), 0, 0xA0));
        is(b, opened(DEMO, 0, 0xB0));
        is(c, opened(NAME("\\Callback\\Demo "), CASELESS, 0xC0));
        wrong2(OBJECT_NAMED, CREATE_STORES_POINTER, open(NAME("\\Callback\\De"), 0, 0xB0));
        wrong2(OBJECT_NAMED, OPEN_NEEDS_EXISTING, open(NAME("\\Callback\\D"), 0, 0xA0));
        wrong(OBJECT_NAMED, create(NAME("\\Callback\\Demon"), 0, 0xB0));
    }
}

static void names_beyond_ascii(void) {
    BOTH_PROFILES(p) {
        SpecName small = NAME("\\Callback\\caf\u00e9"), capital = NAME("\\Callback\\caf\u00c9");
        start(p);
        uint16_t a = created(small, PERMANENT, 0xA0);
        is(a, opened(small, 0, 0xA0));
        is(a, opened(NAME("\\Callback\\CAF\u00e9"), CASELESS, 0xA0));
        is(a, opened(capital, CASELESS, 0xA0));            /* no table says it is not */
        ok(open_fails(capital, CASELESS, NAME_NOT_FOUND)); /* or that it is */
        ok(open_fails(capital, 0, NAME_NOT_FOUND));
        wrong(CREATE_CASE_SENSITIVE, open(capital, 0, 0xA0));
        wrong(CREATE_CASE_INSENSITIVE,
              open_fails(NAME("\\Callback\\CAF\u00e9"), CASELESS, NAME_NOT_FOUND));
        uint16_t b = created(capital, CASELESS | PERMANENT, 0xB0);
        is(b, opened(capital, 0, 0xB0));
        is(a, opened(capital, CASELESS, 0xA0));
    }
}

static void odd_names(void) {
    static uint16_t units[300] = u"\\Callback\\";
    for (unsigned i = 10; i < 300; i++)
        units[i] = 'n';
    SpecName most = {units, 60, true}, too_long = {units, 61, true};
    BOTH_PROFILES(p) {
        start(p);
        wrong(CREATE_NEW, create_fails(most, 0, NAME_INVALID));
        ok(create_fails(too_long, PERMANENT, NAME_INVALID));
        uint16_t a = created(too_long, PERMANENT, 0xA0);
        is(a, opened(too_long, 0, 0xA0));
        uint16_t b = created(most, PERMANENT, 0xB0);
        yes(a != b);
        SpecName control = NAME("\\Callback\\a\tb");
        static const uint16_t lone[] = {'\\', 'C', 'a', 'l', 'l', 'b', 'a', 'c', 'k', '\\', 0xD800};
        SpecName surrogate = {lone, 11, true};
        ok(create_fails(control, 0, NAME_INVALID));
        ok(create_fails(surrogate, 0, NAME_INVALID));
        uint16_t c = created(control, PERMANENT, 0xC0);
        is(c, opened(control, 0, 0xC0));
        created(surrogate, PERMANENT, 0xD0);
        wrong(OBJECT_NAMED, create(NAME("\\Callback\\ab"), 0, 0xC0)); /* a name like others */
        ok(create_fails(control, 0, NAME_INVALID));
        created(NAME("\\Callback\\with space.and*?"), 0, 0xF0);
        wrong(CREATE_NEW, create_fails(NAME("\\Callback\\a*"), 0, NAME_INVALID));
    }
}

static void exclusive_objects(void) {
    BOTH_PROFILES(p) {
        start(p);
        ok(create_fails(DEMO, EXCLUSIVE, ACCESS_DENIED));
        uint16_t a = created(DEMO, EXCLUSIVE | PERMANENT, 0xA0);
        ok(open_fails(DEMO, 0, ACCESS_DENIED));
        is(a, opened(DEMO, 0, 0xA0));
        created(OTHER, PERMANENT, 0xB0);
        ok(open_fails(OTHER, EXCLUSIVE, ACCESS_DENIED));
        wrong(OPEN_SUCCEEDS, open_fails(OTHER, 0, ACCESS_DENIED));
    }
}

/* ---- Readings ---- */

static void reading_temporary_name(void) {
    for (int answer = 0; answer < 3; answer++) {
        start(DOCUMENTED);
        created(DEMO, 0, 0xA0);
        if (answer == 0) created(DEMO, 0, 0xB0);
        else created(DEMO, 0, 0xA0), is(2 | 4 | 8, answers(QUESTION_TEMPORARY_NAME));
        if (answer == 1) opened(DEMO, 0, 0xA0);
        if (answer == 2) ok(open_fails(DEMO, 0, NAME_NOT_FOUND));
        is(answer == 1 ? 2 | 8 : 1u << answer, answers(QUESTION_TEMPORARY_NAME));
        again();
        uint16_t a = created(OTHER, 0, 0xA0);
        if (answer == 0) {
            wrong3(OBJECT_NAMED, CREATE_NEW, OPEN_NEEDS_EXISTING, create(OTHER, 0, 0xA0));
            wrong(OPEN_NEEDS_EXISTING, open(OTHER, 0, 0xA0));
            ok(open_fails(OTHER, 0, NAME_NOT_FOUND));
            continue;
        }
        wrong(CREATE_OPENS, create(OTHER, 0, 0xB0));
        wrong(OPEN_SUCCEEDS, open_fails(OTHER, 0, NAME_NOT_FOUND));
        opened(OTHER, 0, 0xA0);
        if (answer == 1) {
            wrong(CREATE_OPENS, create(OTHER, 0, 0xB0));
            wrong(OPEN_SUCCEEDS, open_fails(OTHER, 0, NAME_NOT_FOUND));
            ok(dereference(a)), ok(dereference(a)); /* as long as it lives */
            ok(open_fails(OTHER, 0, NAME_NOT_FOUND));
        } else {
            wrong(OPEN_NEEDS_EXISTING, open(OTHER, 0, 0xA0));
            created(OTHER, 0, 0xB0);
        }
    }
}

static void reading_make_temporary(void) {
    for (int answer = 0; answer < 2; answer++) {
        start(DOCUMENTED);
        uint16_t a = created(DEMO, PERMANENT, 0xA0);
        ok(make_temporary(a));
        if (answer) opened(DEMO, 0, 0xA0);
        else ok(open_fails(DEMO, 0, NAME_NOT_FOUND));
        is(1u << answer, answers(QUESTION_MAKE_TEMPORARY));
        is(15, answers(QUESTION_TEMPORARY_NAME)); /* another question */
        again();
        a = created(OTHER, PERMANENT, 0xA0);
        ok(make_temporary(a));
        if (answer) {
            wrong(OPEN_SUCCEEDS, open_fails(OTHER, 0, NAME_NOT_FOUND));
            wrong(CREATE_OPENS, create(OTHER, 0, 0xB0));
            ok(dereference(a)), ok(open_fails(OTHER, 0, NAME_NOT_FOUND));
        } else {
            wrong(OPEN_NEEDS_EXISTING, open(OTHER, 0, 0xA0));
            created(OTHER, PERMANENT, 0xB0);
        }
    }
}

/* Making temporary what is so already: both are allowed, until a call shows which. */
static void make_temporary_twice(void) {
    for (int lost = 0; lost < 2; lost++) {
        start(DOCUMENTED);
        assume("TEMPORARY-NAME-KEPT");
        uint16_t a = created(DEMO, 0, 0xA0);
        ok(make_temporary(a));
        if (lost) {
            ok(open_fails(DEMO, 0, NAME_NOT_FOUND));
            wrong2(OPEN_NEEDS_EXISTING, OBJECT_NAMED, open(DEMO, 0, 0xA0));
        } else {
            opened(DEMO, 0, 0xA0);
            wrong(OPEN_SUCCEEDS, open_fails(DEMO, 0, NAME_NOT_FOUND));
        }
    }
}

static void reading_unregister_reference(void) {
    for (int answer = 0; answer < 2; answer++) {
        start(DOCUMENTED);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(unregister(registered(a, 1, 0x10, 0xE0)));
        yes(machine_perhaps_holds(&m, a)), no(machine_holds(&m, a));
        if (answer) ok(gone(a));
        else ok(there(a));
        is(1u << answer, answers(QUESTION_UNREGISTER_REFERENCE));
        is(!answer, machine_holds(&m, a));
        again();
        a = created(DEMO, MULTIPLE, 0xA0);
        ok(unregister(registered(a, 1, 0x10, 0xE0)));
        if (answer) {
            misuse(DELETE_WHEN_DONE, dereference(a));
            misuse(NOTIFY_OBJECT, notify(a, 1, 2));
            ok(gone(a));
            created(DEMO, MULTIPLE, 0xA0); /* its address is free again */
        } else {
            wrong2(DELETE_NOT_BEFORE, UNREGISTER_REFERENCE, gone(a));
            wrong2(OBJECT_NAMED, DELETE_NOT_BEFORE, create(OTHER, MULTIPLE, 0xA0));
            ok(dereference(a));
            ok(gone(a));
        }
    }
}

static void reading_processor_add(void) {
    start(DOCUMENTED);
    is(3, answers(QUESTION_PROCESSOR_ADD));
    is(2, opened(PROCESSOR_ADD, 0, 0xA0));
    is(1, answers(QUESTION_PROCESSOR_ADD));
    again();
    wrong(SYSTEM_PROCESSOR_ADD, open_fails(PROCESSOR_ADD, 0, NAME_NOT_FOUND));
    start(DOCUMENTED);
    ok(open_fails(PROCESSOR_ADD, 0, NAME_NOT_FOUND));
    is(2, answers(QUESTION_PROCESSOR_ADD));
    again();
    ok(open_fails(PROCESSOR_ADD, 0, NAME_NOT_FOUND));
    wrong(OPEN_NEEDS_EXISTING, open(PROCESSOR_ADD, 0, 0xA0));
    misuse(SYSTEM_NAMES_RESERVED, create(PROCESSOR_ADD, 0, 0xA0));
    ok(stage(STAGE_START, 2)), ok(done());
    start(WINDOWS);
    is(1, answers(QUESTION_PROCESSOR_ADD));
}

static void reading_create_at_apc(void) {
    BOTH_PROFILES(p) {
        start(p);
        is(3, answers(QUESTION_CREATE_AT_APC));
        ok(irql(LEVEL_APC));
        created(DEMO, 0, 0xA0);
        is(1, answers(QUESTION_CREATE_AT_APC));
        again();
        ok(irql(LEVEL_APC));
        wrong(CREATE_NEW, create_fails(DEMO, 0, UNSUCCESSFUL));
        ok(begins(named_call(DEMO, 0, true))), no(excused);
        wrong(CREATE_SUCCESS, ends_with(ABORT_BUGCHECK));

        start(p);
        ok(irql(LEVEL_APC));
        ok(create_fails(DEMO, 0, UNSUCCESSFUL));
        is(2, answers(QUESTION_CREATE_AT_APC));
        again();
        ok(irql(LEVEL_APC));
        misuse(CREATE_IRQL, create(DEMO, 0, 0xA0));

        start(p);
        ok(irql(LEVEL_APC));
        ok(begins(named_call(DEMO, 0, true))), yes(excused);
        misuse(CREATE_IRQL, ends_with(ABORT_BUGCHECK));
        is(2, answers(QUESTION_CREATE_AT_APC));

        start(p); /* forbidden does not mean that it may crash, hang or deadlock */
        ok(irql(LEVEL_APC));
        ok(begins(named_call(DEMO, 0, true)));
        wrong(CREATE_SUCCESS, ends_with(ABORT_CRASH));
    }
}

static void reading_unregister_self(void) {
    for (int answer = 0; answer < 2; answer++) {
        start(DOCUMENTED);
        is(3, answers(QUESTION_UNREGISTER_SELF));
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        uint16_t r = registered(a, 1, 0x10, 0xE0);
        ok(notify(a, 1, 2));
        enter(1, 0x10, 1, 2);
        ok(unregister_begins(r)), yes(excused);
        if (answer) {
            yes(ends_with(ABORT_DEADLOCK) >= MISUSE);
            is(2, answers(QUESTION_UNREGISTER_SELF));
        } else {
            ok(done()), ok(leave()), ok(done());
            is(1, answers(QUESTION_UNREGISTER_SELF));
            ok(notify(a, 1, 2)), ok(done());
            ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), wrong(UNREGISTER_REMOVES, done());
        }
        again();
        a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        r = registered(a, 1, 0x10, 0xE0);
        ok(notify(a, 1, 2));
        enter(1, 0x10, 1, 2);
        if (answer) {
            /* No clause of the five documents says so: the reading does. */
            misuse2(WINDOWS_UNREGISTER_SELF, REGISTER_KEEP_HANDLE, unregister(r));
        } else {
            ok(unregister_begins(r)), no(excused);
            wrong(ROUTINE_TASKS, ends_with(ABORT_DEADLOCK));
        }
    }
    start(DOCUMENTED); /* to wait is one thing, to crash another */
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    uint16_t r = registered(a, 1, 0x10, 0xE0);
    ok(reference(a));
    ok(notify(a, 1, 2)), enter(1, 0x10, 1, 2);
    ok(unregister_begins(r));
    wrong(ROUTINE_TASKS, ends_with(ABORT_CRASH));
}

static void reading_register_null(void) {
    BOTH_PROFILES(p) {
        start(p);
        is(3, answers(QUESTION_REGISTER_NULL));
        ok(reg(NO_ID, 1, 0x10, 0));
        is(1, answers(QUESTION_REGISTER_NULL));
        again();
        ok(reg(NO_ID, 1, 0x10, 0));

        start(p);
        ok(begins((Call){.kind = CALL_REGISTER, .object = NO_ID, .routine = 1})), yes(excused);
        misuse(REGISTER_OBJECT, ends_with(ABORT_CRASH));
        is(2, answers(QUESTION_REGISTER_NULL));
        again();
        misuse(REGISTER_OBJECT, reg(NO_ID, 1, 0x10, 0));

        start(p);
        misuse(REGISTER_OBJECT, reg(NO_ID, 1, 0x10, 0xE0)); /* nobody says what that would be */

        start(p);
        short_of_memory = true; /* it may have come to nothing before it looked at the object */
        ok(reg(NO_ID, 1, 0x10, 0));
        is(3, answers(QUESTION_REGISTER_NULL));
        ok(begins((Call){.kind = CALL_REGISTER, .object = NO_ID, .routine = 1})), yes(excused);
        misuse(REGISTER_OBJECT, ends_with(ABORT_CRASH));
    }
}

static void reading_unregister_null(void) {
    BOTH_PROFILES(p) {
        start(p);
        is(3, answers(QUESTION_UNREGISTER_NULL));
        ok(unregister(NO_ID));
        is(1, answers(QUESTION_UNREGISTER_NULL));
        again();
        ok(unregister(NO_ID));

        start(p);
        ok(unregister_begins(NO_ID)), yes(excused);
        misuse(REGISTER_KEEP_HANDLE, ends_with(ABORT_BUGCHECK));
        is(2, answers(QUESTION_UNREGISTER_NULL));
        again();
        misuse(REGISTER_KEEP_HANDLE, unregister(NO_ID));
    }
}

/* Opening takes a temporary object's name, and may take that of one that was made so. */
static void made_temporary_until_opened(void) {
    for (int before = 0; before < 2; before++) {
        start(DOCUMENTED);
        assume("TEMPORARY-NAME-UNTIL-OPENED"), assume("MAKE-TEMPORARY-NAME-KEPT");
        uint16_t a = created(DEMO, PERMANENT, 0xA0);
        if (before) opened(DEMO, 0, 0xA0);
        ok(make_temporary(a));
        if (before) ok(open_fails(DEMO, 0, NAME_NOT_FOUND));
        else wrong(OPEN_SUCCEEDS, open_fails(DEMO, 0, NAME_NOT_FOUND));
    }
    for (int kept = 0; kept < 2; kept++) {
        start(DOCUMENTED);
        assume("TEMPORARY-NAME-UNTIL-OPENED"), assume("MAKE-TEMPORARY-NAME-KEPT");
        uint16_t a = created(DEMO, PERMANENT, 0xA0);
        ok(make_temporary(a));
        opened(DEMO, 0, 0xA0);
        if (kept) {
            opened(DEMO, 0, 0xA0);
            continue;
        }
        ok(open_fails(DEMO, 0, NAME_NOT_FOUND));
        wrong(OPEN_NEEDS_EXISTING, open(DEMO, 0, 0xA0));
        created(DEMO, 0, 0xB0);
    }
    start(DOCUMENTED);
    assume("TEMPORARY-NAME-KEPT"), assume("MAKE-TEMPORARY-NAME-KEPT");
    uint16_t a = created(DEMO, PERMANENT, 0xA0);
    ok(make_temporary(a)), opened(DEMO, 0, 0xA0);
    wrong(OPEN_SUCCEEDS, open_fails(DEMO, 0, NAME_NOT_FOUND));
}

/* Where references keep a temporary object's name, a registration keeps the object alone. */
static void named_while_referenced(void) {
    for (int permanent = 0; permanent < 2; permanent++) {
        start(DOCUMENTED);
        if (permanent) assume("MAKE-TEMPORARY-NAME-KEPT");
        assume("TEMPORARY-NAME-REFERENCED"), assume("UNREGISTER-REFERENCE-OWN");
        uint16_t a = created(DEMO, permanent ? PERMANENT : 0, 0xA0);
        if (permanent) ok(make_temporary(a));
        wrong(OPEN_SUCCEEDS, open_fails(DEMO, 0, NAME_NOT_FOUND));
        uint16_t r = registered(a, 1, 0x10, 0xE0);
        opened(DEMO, 0, 0xA0);
        ok(dereference(a));
        wrong(OPEN_SUCCEEDS, open_fails(DEMO, 0, NAME_NOT_FOUND));
        ok(dereference(a));
        wrong(OPEN_NEEDS_EXISTING, open(DEMO, 0, 0xA0));
        ok(open_fails(DEMO, 0, NAME_NOT_FOUND));
        created(DEMO, 0, 0xB0);
        ok(unregister(r));
    }
    start(DOCUMENTED); /* which one it is shows when nothing but a registration is left */
    assume("UNREGISTER-REFERENCE-OWN");
    uint16_t a = created(DEMO, 0, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    opened(DEMO, 0, 0xA0);
    opened(DEMO, 0, 0xA0);
    is(2 | 8, answers(QUESTION_TEMPORARY_NAME));
    ok(dereference(a)), ok(dereference(a)), ok(dereference(a));
    created(DEMO, 0, 0xB0);
    is(8, answers(QUESTION_TEMPORARY_NAME));
}

/* Three answers: again, the pair refused, the routine refused. */
static void reading_same_routine(void) {
    BOTH_PROFILES(p) {
        for (int answer = 0; answer < 3; answer++) {
            start(p);
            uint16_t a = created(DEMO, MULTIPLE, 0xA0);
            is(7, answers(QUESTION_SAME_ROUTINE));
            registered(a, 1, 0x10, 0xE0);
            registered(a, 2, 0x10, 0xE1); /* another routine: the context does not matter */
            ok(reg(a, 1, 0x10, answer == 0 ? 0xE2 : 0));
            if (answer) ok(reg(a, 1, 0x20, answer == 1 ? 0xE3 : 0));
            is(1u << answer, answers(QUESTION_SAME_ROUTINE));
            again();
            a = created(DEMO, MULTIPLE, 0xA0);
            uint16_t b = created(OTHER, MULTIPLE, 0xB0);
            registered(a, 1, 0x10, 0xE0);
            registered(b, 1, 0x10, 0xE1); /* with another object it is not the same */
            if (answer == 0) {
                wrong2(CREATE_MULTIPLE, REGISTER_HANDLE, reg(a, 1, 0x10, 0));
                wrong2(CREATE_MULTIPLE, REGISTER_HANDLE, reg(a, 1, 0x20, 0));
                registered(a, 1, 0x10, 0xE2);
                ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(1, 0x10, 1, 2), ok(done());
                ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), wrong(NOTIFY_ALL, done());
            } else {
                ok(reg(a, 1, 0x10, 0));
                wrong2(CREATE_MULTIPLE, REGISTER_HANDLE, reg(a, 1, 0x10, 0xE2));
                int verdict = reg(a, 1, 0x20, answer == 1 ? 0 : 0xE2);
                wrong2(CREATE_MULTIPLE, REGISTER_HANDLE, verdict);
            }
        }
        start(p); /* once unregistered, it is not registered any more */
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        ok(unregister(registered(a, 1, 0x10, 0xE0)));
        wrong(REGISTER_HANDLE, reg(a, 1, 0x10, 0));
    }
}

/* What is registered during a notification may be called by it or not, each time. */
static void reading_late_routine(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0x20, 0xE1);
        unsigned answer;
        no(readings_decided(&m.readings, QUESTION_LATE_ROUTINE, &answer));
        for (int round = 0; round < 4; round++) {
            ok(notify(a, 1, 2));
            enter(1, 0x10, 1, 2);
            uint16_t late = registered(a, 3, 0x30, 0xE2);
            ok(leave());
            saw(2, 0x20, 1, 2);
            if (round % 2) saw(3, 0x30, 1, 2);
            ok(done());
            ok(unregister(late));
            ok(reference(a));
            /* What is reported: not called, and once it was seen both ways: either. */
            yes(readings_decided(&m.readings, QUESTION_LATE_ROUTINE, &answer));
            is(round ? 2 : 1, answer);
        }
        is(7, answers(QUESTION_LATE_ROUTINE)); /* never ruled out as a whole */
        /* If it is called: in its place, once, as it was registered. */
        for (int fault = 0; fault < 4; fault++) {
            ok(notify(a, 1, 2));
            enter(1, 0x10, 1, 2);
            uint16_t late = registered(a, 3, 0x30, 0xE2);
            ok(leave());
            if (fault == 0) saw(3, 0x30, 1, 2);
            saw(2, 0x20, 1, 2);
            if (fault == 1) saw(3, 0x31, 1, 2);
            if (fault == 2) saw(3, 0x30, 1, 2), saw(3, 0x30, 1, 2);
            if (fault == 3) saw(3, 0x30, 2, 2);
            if (fault == 0) wrong(NOTIFY_ORDER, done());
            if (fault == 1) wrong(REGISTER_CONTEXT, done());
            if (fault == 2) wrong(NOTIFY_ONCE, done());
            if (fault == 3) wrong(NOTIFY_ARGUMENT1, done());
            ok(unregister(late));
            ok(reference(a));
        }
    }
}

static void readings_by_name(void) {
    unsigned count = 0;
    for (Question q = 0; q < QUESTIONS; q++)
        for (unsigned a = 0; a < QUESTION_ANSWERS; a++) {
            if (!reading_name(q, a)) continue;
            Readings readings = readings_all(false);
            unsigned answer = 99;
            no(readings_decided(&readings, q, &answer));
            yes(readings_assume(&readings, reading_name(q, a)));
            yes(readings_decided(&readings, q, &answer));
            is(a, answer);
            yes(reading_text(q, a) && *reading_text(q, a));
            for (Question other = 0; other < QUESTIONS; other++)
                if (other != q) no(readings_decided(&readings, other, &answer));
            count++;
        }
    is(24, count);
    Readings readings = readings_all(false);
    no(readings_assume(&readings, "NOTHING-LIKE-THIS"));
    is(WORLDS_ALL, readings.worlds);
    is(1, __builtin_popcount(readings_all(true).worlds)); /* windows answers the first three */
}

/* ---- Worlds ---- */

static void misuse_in_one_world_alone(void) {
    start(DOCUMENTED);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    ok(unregister(registered(a, 1, 0x10, 0xE0)));
    ok(dereference(a)); /* one too many where unregister had removed the caller's */
    yes(excused);
    /* Then the implementation falls over: a mistake of the program in that world. */
    ok(begins(named_call(OTHER, 0, true)));
    yes(ends_with(ABORT_CRASH) >= MISUSE);
    is(2, answers(QUESTION_UNREGISTER_REFERENCE));

    start(DOCUMENTED);
    assume("UNREGISTER-REFERENCE-OWN");
    a = created(DEMO, MULTIPLE, 0xA0);
    ok(unregister(registered(a, 1, 0x10, 0xE0)));
    ok(dereference(a));
    no(excused);
    ok(begins(named_call(OTHER, 0, true)));
    wrong(CREATE_SUCCESS, ends_with(ABORT_CRASH));

    start(DOCUMENTED); /* what a world without misuse does not allow is misuse now */
    a = created(DEMO, MULTIPLE, 0xA0);
    ok(unregister(registered(a, 1, 0x10, 0xE0)));
    ok(dereference(a));
    yes(create_fails(OTHER, 0, UNSUCCESSFUL) >= MISUSE);
    again(); /* the next program is judged again, in the worlds left */
    is(2, answers(QUESTION_UNREGISTER_REFERENCE));
    wrong(CREATE_NEW, create_fails(OTHER, 0, UNSUCCESSFUL));
}

static void observed_objects(void) {
    start(DOCUMENTED);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    ok(there(a));
    wrong(DELETE_NOT_BEFORE, gone(a));
    registered(a, 1, 0x10, 0xE0);
    ok(dereference(a));
    is(3, answers(QUESTION_UNREGISTER_REFERENCE));
    ok(there(a)); /* it lives on a reference that registering had added */
    is(1, answers(QUESTION_UNREGISTER_REFERENCE));
    wrong(UNREGISTER_REFERENCE, gone(a));
    start(DOCUMENTED);
    a = created(DEMO, MULTIPLE, 0xA0);
    ok(unregister(registered(a, 1, 0x10, 0xE0)));
    ok(there(a)); /* that one was removed */
    is(1, answers(QUESTION_UNREGISTER_REFERENCE));
    wrong(DELETE_NOT_BEFORE, gone(a));
    start(DOCUMENTED);
    a = created(DEMO, MULTIPLE, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    ok(dereference(a));
    yes(excused); /* where it had added none, that is the program's mistake */
    misuse(UNREGISTER_REFERENCE, gone(a));
    is(2, answers(QUESTION_UNREGISTER_REFERENCE));
    BOTH_PROFILES(p) {
        start(p);
        a = created(DEMO, 0, 0xA0);
        ok(dereference(a));
        ok(there(a)); /* deletion may be deferred */
        ok(gone(a));
        is(a + 1, created(OTHER, 0, 0xA0)); /* at the same address */
        wrong(DELETE_NOT_BEFORE, gone(a + 1));
        wrong2(DELETE_NOT_BEFORE, OBJECT_NAMED, create(THIRD, 0, 0xA0));
    }
}

/* ---- Nested ---- */

static void routine_registers(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, 0, 0xA0); /* one routine at a time, inside as well */
        registered(a, 1, 0x10, 0xE0);
        ok(notify(a, 1, 2));
        enter(1, 0x10, 1, 2);
        ok(reg(a, 2, 0x20, 0));
        wrong(REGISTER_SINGLE, reg(a, 2, 0x20, 0xE1));
        ok(leave()), ok(done());
    }
}

static void routine_unregisters(void) {
    enum { ITSELF, NEXT, EARLIER };
    for (int which = ITSELF; which <= EARLIER; which++)
        for (int called = 0; called < 2; called++) {
            start(DOCUMENTED);
            uint16_t a = created(DEMO, MULTIPLE, 0xA0);
            ok(reference(a));
            uint16_t r[3];
            for (uint8_t i = 0; i < 3; i++)
                ok(reg(a, i + 1, 0x10, 0xE0u + i)), r[i] = m.result_registration;
            ok(notify(a, 1, 2));
            saw(1, 0x10, 1, 2);
            enter(2, 0x10, 1, 2);
            ok(unregister(r[which == ITSELF ? 1 : which == NEXT ? 2 : 0]));
            ok(leave());
            if (which == NEXT && !called) {
                ok(done());
                continue;
            }
            saw(3, 0x10, 1, 2);
            if (which == NEXT) wrong(UNREGISTER_REMOVES, done());
            else if (!called) ok(done());
            else {
                saw(which == ITSELF ? 2 : 1, 0x10, 1, 2); /* what was removed, once more */
                wrong2(UNREGISTER_REMOVES, NOTIFY_ONCE, done());
            }
        }
}

static void routine_registers_again_what_it_unregistered(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(reference(a));
        registered(a, 1, 0x10, 0xE0);
        uint16_t r2 = registered(a, 2, 0x20, 0xE1);
        registered(a, 3, 0x30, 0xE2);
        ok(notify(a, 1, 2));
        enter(1, 0x10, 1, 2), ok(unregister(r2)), registered(a, 2, 0x20, 0xE1), ok(leave());
        saw(3, 0x30, 1, 2), saw(2, 0x20, 1, 2), ok(done()); /* as a late one, at its new place */
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(3, 0x30, 1, 2), saw(2, 0x20, 1, 2), ok(done());
    }
}

static void routine_notifies(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0), b = created(OTHER, MULTIPLE, 0xB0);
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0x20, 0xE1);
        registered(b, 3, 0x30, 0xE2);
        ok(notify(a, 1, 2)); /* the same object */
        enter(1, 0x10, 1, 2);
        ok(notify(a, 3, 4)), saw(1, 0x10, 3, 4), saw(2, 0x20, 3, 4), ok(done());
        ok(notify(b, 5, 6)), saw(3, 0x30, 5, 6), ok(done());
        ok(irql(LEVEL_DISPATCH)); /* at a level of its own */
        ok(notify(b, 5, 6)), saw(3, 0x30, 5, 6), ok(done());
        ok(irql(LEVEL_PASSIVE));
        ok(leave());
        saw(2, 0x20, 1, 2), ok(done());

        ok(notify(a, 1, 2)); /* what the inner one has called, the outer one still owes */
        enter(1, 0x10, 1, 2);
        ok(notify(a, 3, 4)), saw(1, 0x10, 3, 4), saw(2, 0x20, 3, 4), ok(done());
        ok(leave());
        wrong2(ROUTINE_TASKS, NOTIFY_ALL, done());

        ok(notify(a, 1, 2)); /* and the other way round */
        saw(1, 0x10, 1, 2), enter(2, 0x20, 1, 2);
        ok(notify(a, 3, 4)), saw(1, 0x10, 3, 4), wrong2(ROUTINE_TASKS, NOTIFY_ALL, done());
    }
}

static void late_for_the_outer_due_in_the_inner(void) {
    BOTH_PROFILES(p) {
        for (int forgotten = 0; forgotten < 2; forgotten++) {
            start(p);
            uint16_t a = created(DEMO, MULTIPLE, 0xA0);
            registered(a, 1, 0x10, 0xE0);
            ok(notify(a, 1, 2));
            enter(1, 0x10, 1, 2);
            registered(a, 2, 0x20, 0xE1);
            ok(notify(a, 3, 4)), saw(1, 0x10, 3, 4);
            if (forgotten) {
                wrong2(REGISTER_ANY_TIME, NOTIFY_ALL, done());
                continue;
            }
            saw(2, 0x20, 3, 4), ok(done());
            ok(leave()), ok(done());
        }
    }
}

static void five_levels(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0x20, 0xE1);
        for (unsigned depth = 0; depth < 5; depth++) {
            ok(notify(a, depth, 9));
            enter(1, 0x10, depth, 9);
        }
        uint16_t b = created(OTHER, PERMANENT, 0xB0);
        ok(dereference(b));
        uint16_t late = registered(a, 3, 0x30, 0xE2);
        for (unsigned depth = 5; depth-- > 0;) {
            ok(leave());
            saw(2, 0x20, depth, 9);
            if (depth % 2) saw(3, 0x30, depth, 9); /* late in every one of them */
            ok(done());
        }
        is(0, m.frame_count);
        no(machine_is_running(&m, 0));
        ok(unregister(late));
    }
}

static void last_reference_from_inside(void) {
    start(WINDOWS);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    uint16_t r2 = registered(a, 2, 0x20, 0xE1);
    ok(notify(a, 1, 2));
    saw(1, 0x10, 1, 2), enter(2, 0x20, 1, 2);
    ok(dereference(a)); /* the registrations hold it */
    ok(leave()), ok(done());
    start(DOCUMENTED);
    assume("UNREGISTER-REFERENCE-CALLERS");
    assume("UNREGISTER-SELF-RETURNS");
    a = created(DEMO, MULTIPLE, 0xA0);
    r2 = registered(a, 2, 0x20, 0xE1);
    ok(notify(a, 1, 2));
    enter(2, 0x20, 1, 2);
    misuse(NOTIFY_OBJECT, unregister(r2));
    ok(reference(a)), ok(unregister(r2));
    ok(leave()), ok(done());
}

/* ---- Memory, room ---- */

static void shortage_of_memory(void) {
    BOTH_PROFILES(p) {
        start(p);
        short_of_memory = true;
        ok(create_fails(DEMO, PERMANENT, NO_MEMORY));
        wrong2(OPEN_NEEDS_EXISTING, CREATE_ERROR, open(DEMO, 0, 0xA0)); /* nothing was made */
        ok(open_fails(DEMO, 0, NAME_NOT_FOUND));
        wrong(CREATE_NEW, create_fails(DEMO, PERMANENT, NO_MEMORY));
        short_of_memory = true;
        uint16_t a = created(DEMO, PERMANENT | MULTIPLE, 0xA0); /* it did without */
        short_of_memory = true;
        ok(open_fails(DEMO, 0, NO_MEMORY));
        wrong(OPEN_SUCCEEDS, open_fails(DEMO, 0, NO_MEMORY));
        short_of_memory = true;
        ok(create_fails(DEMO, 0, NO_MEMORY));
        is(a, opened(DEMO, 0, 0xA0)); /* it bears its name still */

        registered(a, 1, 0x10, 0xE0);
        short_of_memory = true;
        ok(reg(a, 2, 0x20, 0));
        is(7, answers(QUESTION_SAME_ROUTINE));
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), ok(done());
        /* Not CREATE-MULTIPLE alone: it was opened with AllowMultipleCallbacks FALSE. */
        wrong2(CREATE_MULTIPLE, OPEN_IGNORES_MULTIPLE, reg(a, 2, 0x20, 0));
        short_of_memory = true;
        registered(a, 2, 0x20, 0xE1);
        ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), saw(2, 0x20, 1, 2), ok(done());

        short_of_memory = true;
        ok(change(3, 0x30, 0)), ok(gives(0));
        ok(stage(STAGE_START, 2)), ok(done());
    }
    start(WINDOWS);
    short_of_memory = true;
    wrong(WINDOWS_NO_MEMORY, create_fails(DEMO, 0, UNSUCCESSFUL));
    short_of_memory = true;
    ok(open_fails(DEMO, 0, NAME_NOT_FOUND)); /* it had not got that far */
    start(DOCUMENTED);
    short_of_memory = true;
    ok(create_fails(DEMO, 0, UNSUCCESSFUL)); /* any error */
    short_of_memory = true;
    wrong(CREATE_SUCCESS, whole(named_call(DEMO, 0, true), NAME_EXISTS, 0xA0));
}

static SpecName numbered(unsigned i) {
    static uint16_t units[MACHINE_OBJECTS][16];
    char text[17];
    snprintf(text, sizeof text, "\\Callback\\N%05u", i);
    for (unsigned k = 0; k < 16; k++)
        units[i][k] = (uint16_t)text[k];
    return (SpecName){units[i], 16, true};
}

static void room(void) {
    BOTH_PROFILES(p) {
        start(p); /* no capacity is promised, from 16 on */
        for (unsigned i = 0; i < 12; i++)
            created(numbered(i), MULTIPLE, 0x1000 + i);
        wrong(CREATE_NEW, create_fails(DEMO, 0, NO_MEMORY));
        for (unsigned i = 12; i < 18; i++)
            created(numbered(i), MULTIPLE, 0x1000 + i);
        ok(create_fails(DEMO, 0, NO_MEMORY));
        created(DEMO, PERMANENT, 0xA0);
        wrong(OPEN_SUCCEEDS, open_fails(DEMO, 0, NO_MEMORY)); /* takes none */
        opened(DEMO, 0, 0xA0);
        start(p);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        for (unsigned i = 0; i < 12; i++)
            registered(a, (uint8_t)(i + 1), i, 0x1000 + i);
        wrong(CREATE_MULTIPLE, reg(a, 60, 1, 0));
        for (unsigned i = 12; i < 18; i++)
            registered(a, (uint8_t)(i + 1), i, 0x1000 + i);
        ok(reg(a, 60, 1, 0));
        registered(a, 60, 1, 0x2000);

        /* Those count, too, that went during a call, or whose own registering goes on. */
        for (int inside = 0; inside < 2; inside++) {
            start(p), assume("UNREGISTER-REFERENCE-OWN");
            a = created(DEMO, MULTIPLE, 0xA0);
            uint16_t gone = registered(a, 40, 0, 0xE0);
            for (unsigned i = 0; i < 15; i++)
                registered(a, (uint8_t)(i + 1), i, 0x1000 + i);
            if (inside) ok(notify(a, 1, 2)), enter(40, 0, 1, 2), ok(leave()), enter(1, 0, 1, 2);
            ok(unregister(gone));
            if (inside) ok(reg(a, 60, 1, 0));
            else wrong(CREATE_MULTIPLE, reg(a, 60, 1, 0));
        }
        ok(change(2, 0x20, 1)), enter_told(2, 0x20, STAGE_START, 0);
        ok(reg(a, 60, 1, 0));
    }
}

/* A path that is none may be the spelling of another: who makes an object by it may find that by
 * the other. One that was made by a name has it alone. */
static void mended_path(void) {
    for (int mended = 0; mended < 2; mended++) {
        start(DOCUMENTED);
        SpecName name = mended ? NAME("\\Callback\\\\Demo") : NAME("\\Callback\\Other");
        created(name, PERMANENT, 0xA0);
        if (mended) opened(DEMO, 0, 0xA0);
        else wrong(OBJECT_NAMED, open(DEMO, 0, 0xA0));
        opened(NAME("Other"), 0, 0xA0);
    }
    for (int gone = 0; gone < 2;
         gone++) { /* what was exclusive may refuse as long as it is there */
        start(DOCUMENTED);
        uint16_t a = created(NAME("Other"), EXCLUSIVE, 0xA0);
        if (gone) ok(dereference(a));
        created(DEMO, PERMANENT, 0xB0);
        if (gone) wrong(OPEN_SUCCEEDS, open_fails(DEMO, 0, ACCESS_DENIED));
        else ok(open_fails(DEMO, 0, ACCESS_DENIED));
    }
}

static void bounds_of_the_machine(void) {
    start(WINDOWS);
    uint16_t a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
    uint16_t r = registered(a, 1, 0x10, 0xE0);
    for (unsigned depth = 0; depth < MACHINE_FRAMES; depth++) {
        ok(notify(a, 1, 2));
        enter(1, 0x10, 1, 2);
    }
    is(FULL, notify(a, 1, 2));
    for (unsigned depth = 0; depth < MACHINE_FRAMES; depth++)
        ok(leave()), ok(done());
    ok(unregister(r));
    for (unsigned i = 1; i < MACHINE_REGISTRATIONS; i++)
        ok(unregister(registered(a, 1, 0x10, 0xE0)));
    is(FULL, reg(a, 1, 0x10, 0xE0));
    is(FULL, change(1, 0x10, 0));
    start(WINDOWS); /* calls in progress need room for what they will return */
    for (unsigned i = 0; i < MACHINE_REGISTRATIONS - 2; i++)
        ok(change(1, 0x10, 0)), ok(gives(0xE0)), ok(drop(the_registration()));
    ok(change(1, 0x10, 1)), enter_told(1, 0x10, STAGE_START, 0);
    changed(2, 0x20, 0xE1);
    is(FULL, change(2, 0x20, 0));
    ok(leave()), told(1, 0x10, STAGE_COMPLETE, 0), ok(gives(0xE0));
    start(WINDOWS);
    a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
    ok(notify(a, 1, 2)), ok(done());
    for (unsigned i = 4; i < MACHINE_OBJECTS; i++)
        created(numbered(i), PERMANENT, 0x10000 + i);
    is(FULL, create(OTHER, 0, 0xB0));
    is(FULL, open(DEMO, 0, 0xA0));
}

/* ---- Processors ---- */

static void processor_add(void) {
    BOTH_PROFILES(p) {
        start(p);
        uint16_t a = opened(PROCESSOR_ADD, 0, 0xA0);
        registered(a, 1, 0x10, 0xE0), registered(a, 2, 0x20, 0xE1);
        ok(stage(STAGE_START, 2));
        told(1, 0x10, STAGE_START, 2), told(2, 0x20, STAGE_START, 2), ok(done());
        ok(stage(STAGE_COMPLETE, 2));
        told(1, 0x10, STAGE_COMPLETE, 2), told(2, 0x20, STAGE_COMPLETE, 2), ok(done());
        ok(stage(STAGE_START, 3)), told(1, 0x10, STAGE_START, 3),
            wrong(SYSTEM_PROCESSOR_ADD, done());
        ok(stage(STAGE_START, 3));
        told(2, 0x20, STAGE_START, 3), told(1, 0x10, STAGE_START, 3), wrong(NOTIFY_ORDER, done());
        ok(power_state(1, 1)), ok(done());
    }
}

static void windows_processor_arguments(void) {
    start(WINDOWS);
    uint16_t a = opened(PROCESSOR_ADD, 0, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    ok(stage(STAGE_START, 2)), told(1, 0x10, STAGE_COMPLETE, 2);
    wrong(WINDOWS_PROCESSOR_ARGUMENTS, done());
    ok(stage(STAGE_START, 2)), told(1, 0x10, STAGE_START, 3);
    wrong(WINDOWS_PROCESSOR_ARGUMENTS, done());
    ok(stage(STAGE_START, 2)), saw(1, 0x10, 0, 2), wrong(WINDOWS_PROCESSOR_ARGUMENTS, done());
    ok(stage(STAGE_START, 2)); /* the status is still success */
    enter_as(1, level, 0x10, about(STAGE_START, 2), place(0xC0000001)), ok(leave());
    wrong(WINDOWS_PROCESSOR_ARGUMENTS, done());
    ok(stage(STAGE_FAILURE, 2)), told(1, 0x10, STAGE_FAILURE, 2), ok(done());
}

static void processor_change_similar(void) {
    start(DOCUMENTED); /* any arguments, at one of the stages */
    uint16_t c = changed(1, 0x10, 0xE0);
    changed(2, 0x20, 0xE1);
    ok(stage(STAGE_START, 2)), saw(2, 0x20, 8, 9), ok(done());
    ok(stage(STAGE_COMPLETE, 2)), saw(1, 0x10, 0, 0), ok(done());
    ok(stage(STAGE_START, 3)), told(1, 0x10, STAGE_START, 3), ok(done());
    ok(stage(STAGE_COMPLETE, 3)), wrong(PROCESSOR_CHANGE_SIMILAR, done());
    ok(stage(STAGE_START, 3)), told(1, 0x10, STAGE_START, 3), ok(done());
    ok(stage(STAGE_COMPLETE, 3)), told(1, 0x10, STAGE_COMPLETE, 3);
    wrong(PROCESSOR_CHANGE_SIMILAR, done());
    ok(stage(STAGE_START, 3)), told(1, 0x11, STAGE_START, 3), wrong(REGISTER_CONTEXT, done());
    ok(drop(c));
    ok(stage(STAGE_START, 3)), told(2, 0x20, STAGE_START, 3), ok(done());
    ok(stage(STAGE_COMPLETE, 3)), ok(done());
}

static void processor_change_stages(void) {
    static const struct {
        Stage stage;
        int clause;
    } rows[] = {{STAGE_START, CLAUSE_WINDOWS_CHANGE_START},
                {STAGE_COMPLETE, CLAUSE_WINDOWS_CHANGE_COMPLETE},
                {STAGE_FAILURE, CLAUSE_WINDOWS_CHANGE_FAILURE}};
    for (unsigned i = 0; i < 3; i++) {
        start(WINDOWS);
        Stage which = rows[i].stage, other = which == STAGE_START ? STAGE_COMPLETE : STAGE_START;
        changed(1, 0x10, 0xE0), changed(2, 0x20, 0xE1);
        for (int round = 0; round < 4; round++) {
            if (which != STAGE_START) {
                ok(stage(STAGE_START, 2));
                told(2, 0x20, STAGE_START, 2), told(1, 0x10, STAGE_START, 2); /* any order */
                ok(done());
            }
            ok(stage(which, 2));
            told(1, 0x10, which, 2);
            if (round == 0) told(2, 0x20, which, 2), ok(done());
            if (round == 2) told(2, 0x20, other, 2); /* another state */
            if (round == 3) told(2, 0x20, which, 1); /* another processor */
            if (round) expect(__LINE__, "stage", done(), DIVERGES + rows[i].clause, 0, 0);
        }
        ok(stage(which, 2));
        told(1, 0x10, which, 2), told(2, 0x20, which, 2), told(1, 0x10, which, 2);
        wrong(NOTIFY_ONCE, done());
    }
}

static void processor_change_status(void) {
    start(WINDOWS);
    uint16_t a = opened(PROCESSOR_ADD, 0, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    changed(2, 0x20, 0xE1);
    ok(stage(STAGE_START, 2));
    enter_told(1, 0x10, STAGE_START, 2);
    misuse(WINDOWS_PROCESSOR_STATUS, set_status(0)); /* an error, it says */
    misuse(WINDOWS_PROCESSOR_STATUS, set_status(NAME_EXISTS));
    ok(set_status(NO_MEMORY));
    misuse(WINDOWS_PROCESSOR_STATUS, set_status(UNSUCCESSFUL)); /* not over success */
    ok(leave());
    enter_as(2, level, 0x20, about(STAGE_START, 2), place((uint32_t)NO_MEMORY)); /* all hear */
    misuse(WINDOWS_PROCESSOR_STATUS, set_status(UNSUCCESSFUL));
    ok(leave()), ok(done());
    ok(stage(STAGE_FAILURE, 2));
    enter_told(1, 0x10, STAGE_FAILURE, 2), misuse(WINDOWS_PROCESSOR_STATUS, set_status(NO_MEMORY));
    ok(leave()), told(2, 0x20, STAGE_FAILURE, 2), ok(done());
    ok(stage(STAGE_START, 2)); /* a new processor starts with success */
    told(1, 0x10, STAGE_START, 2), told(2, 0x20, STAGE_START, 2), ok(done());
    ok(stage(STAGE_COMPLETE, 2));
    enter_told(1, 0x10, STAGE_COMPLETE, 2), misuse(WINDOWS_PROCESSOR_STATUS, set_status(NO_MEMORY));
    ok(leave()), told(2, 0x20, STAGE_COMPLETE, 2), ok(done());
    misuse(WINDOWS_PROCESSOR_STATUS, set_status(NO_MEMORY)); /* outside of any routine */
    uint16_t b = created(DEMO, 0, 0xB0);
    registered(b, 3, 0x30, 0xE2);
    ok(notify(b, 1, 2)), enter(3, 0x30, 1, 2);
    misuse(WINDOWS_PROCESSOR_STATUS, set_status(NO_MEMORY));
}

static void processor_change_during_a_stage(void) {
    start(WINDOWS); /* registered between the start and the completion */
    changed(1, 0x10, 0xE0);
    ok(stage(STAGE_START, 2));
    enter_told(1, 0x10, STAGE_START, 2);
    uint16_t late = changed(2, 0x20, 0xE1);
    ok(leave()), ok(done());
    ok(stage(STAGE_COMPLETE, 2)), told(1, 0x10, STAGE_COMPLETE, 2), ok(done());
    ok(drop(late));
    ok(stage(STAGE_START, 3)), told(1, 0x10, STAGE_START, 3), ok(done());
    ok(stage(STAGE_COMPLETE, 3)), wrong(WINDOWS_CHANGE_COMPLETE, done());
}

/* What an announcement inside of an announcement says of a routine holds for both. */
static void processor_added_inside_a_stage(void) {
    start(DOCUMENTED); /* an implementation that tells of processors when they are complete */
    changed(1, 0x10, 0xE0);
    ok(stage(STAGE_START, 2)), ok(done());
    ok(stage(STAGE_COMPLETE, 2));
    enter_told(1, 0x10, STAGE_COMPLETE, 2);
    ok(stage(STAGE_START, 3)), ok(done());
    ok(stage(STAGE_FAILURE, 3)), ok(done());
    ok(leave()), ok(done());

    start(WINDOWS); /* what is registered meanwhile is not owed the outer completion */
    changed(1, 0x10, 0xE0);
    ok(stage(STAGE_START, 2));
    enter_told(1, 0x10, STAGE_START, 2);
    changed(2, 0x20, 0xE1);
    ok(stage(STAGE_START, 2)), told(1, 0x10, STAGE_START, 2), told(2, 0x20, STAGE_START, 2);
    ok(done());
    ok(stage(STAGE_FAILURE, 2)), told(1, 0x10, STAGE_FAILURE, 2);
    told(2, 0x20, STAGE_FAILURE, 2), ok(done());
    ok(leave()), ok(done());
    ok(stage(STAGE_COMPLETE, 2)), told(1, 0x10, STAGE_COMPLETE, 2), ok(done());
}

/* Two of one routine and context, of which one is removed: the call can be the other's. */
static void processor_kinds_look_alike(void) {
    BOTH_PROFILES(p) for (int called = 0; called < 2; called++) {
        start(p);
        changed(1, 0x10, 0xE0), changed(2, 0x20, 0xE1);
        uint16_t r = registered(opened(PROCESSOR_ADD, 0, 0xA0), 1, 0x10, 0xE2);
        ok(stage(STAGE_START, 2));
        told(1, 0x10, STAGE_START, 2); /* in documented processor change may wait */
        if (p == WINDOWS) told(1, 0x10, STAGE_START, 2), told(2, 0x20, STAGE_START, 2);
        ok(done());
        ok(stage(STAGE_COMPLETE, 2));
        if (called) told(1, 0x10, STAGE_COMPLETE, 2);
        enter_told(2, 0x20, STAGE_COMPLETE, 2), ok(unregister(r)), ok(leave());
        if (called) ok(done());
        else if (p == WINDOWS) wrong(WINDOWS_CHANGE_COMPLETE, done());
        else wrong(PROCESSOR_CHANGE_SIMILAR, done());
    }
}

/* Whether a routine hears of a processor that is added while it is being registered is open. */
static void processor_added_while_registering(void) {
    BOTH_PROFILES(p) for (int hears = 0; hears < 3; hears++) {
        start(p);
        changed(1, 0x10, 0xE0);
        ok(change(2, 0x20, 1)), enter_told(2, 0x20, STAGE_START, 0);
        for (int which = STAGE_START; which <= STAGE_COMPLETE; which++) {
            ok(stage((Stage)which, 1)), told(1, 0x10, (Stage)which, 1);
            for (int times = 0; times < hears; times++)
                told(2, 0x20, (Stage)which, 1);
            if (hears < 2) ok(done());
            else break;
        }
        if (hears == 2) { /* once for each stage, as others */
            wrong(NOTIFY_ONLY, done());
            continue;
        }
        ok(leave());
        if (hears) told(2, 0x20, STAGE_START, 1); /* among the existing ones, too */
        told(2, 0x20, STAGE_COMPLETE, 0);
        if (hears) told(2, 0x20, STAGE_COMPLETE, 1);
        ok(gives(0xE1));
        ok(change(3, 0x30, 2)), told(3, 0x30, STAGE_START, 0), told(3, 0x30, STAGE_START, 1);
        told(3, 0x30, STAGE_COMPLETE, 0), told(3, 0x30, STAGE_COMPLETE, 1), ok(gives(0xE2));
    }
    start(WINDOWS);
    ok(change(2, 0x20, 1)), enter_told(2, 0x20, STAGE_START, 0);
    ok(stage(STAGE_START, 1)), told(2, 0x21, STAGE_START, 1), wrong(NOTIFY_ONLY, done());
}

static void processor_change_removed(void) {
    start(WINDOWS);
    uint16_t c = changed(1, 0x10, 0xE0);
    ok(stage(STAGE_START, 2)), told(1, 0x10, STAGE_START, 2), ok(done());
    ok(drop(c));
    ok(stage(STAGE_COMPLETE, 2)), ok(done());
    ok(stage(STAGE_START, 3)), told(1, 0x10, STAGE_START, 3), wrong(WINDOWS_CHANGE_REMOVED, done());
}

static void processor_change_irql(void) {
    start(WINDOWS);
    uint16_t c = changed(1, 0x10, 0xE0);
    ok(irql(LEVEL_APC));
    misuse(WINDOWS_CHANGE_IRQL, change(2, 0x20, 0));
    misuse(WINDOWS_CHANGE_IRQL, drop(c));
    misuse(WINDOWS_CHANGE_IRQL, stage(STAGE_START, 2));
    ok(irql(LEVEL_PASSIVE));
    ok(stage(STAGE_START, 2));
    enter_as(1, LEVEL_APC, 0x10, about(STAGE_START, 2), place(0)), machine_leave(&m, LEVEL_APC);
    wrong(WINDOWS_CHANGE_PASSIVE, done());
    ok(change(2, 0x20, 2));
    enter_as(2, LEVEL_DISPATCH, 0x20, about(STAGE_START, 0), place(0));
    machine_leave(&m, LEVEL_DISPATCH);
    wrong(WINDOWS_CHANGE_PASSIVE, gives(0xE1));
    ok(drop(c));
}

static void processor_change_handle(void) {
    start(WINDOWS);
    ok(change(1, 0x10, 0)), wrong(WINDOWS_CHANGE_HANDLE, gives(0));
    ok(change(1, 0x10, 0)), ok(gives(0xE0));
    ok(change(2, 0x20, 1)); /* the handle speaks of the registration only */
    enter_told(2, 0x20, STAGE_START, 0), ok(set_status(NO_MEMORY)), ok(leave());
    wrong(WINDOWS_CHANGE_HANDLE, gives(0));
    ok(change(2, 0x20, 1));
    enter_told(2, 0x20, STAGE_START, 0), ok(set_status(NO_MEMORY)), ok(leave());
    ok(gives(0xE1)); /* nothing had started before: no failures */
}

static void existing_processors(void) {
    start(WINDOWS);
    ok(change(1, 0x10, 3)); /* starts, then completions */
    for (unsigned i = 0; i < 3; i++)
        told(1, 0x10, STAGE_START, i);
    for (unsigned i = 0; i < 3; i++)
        told(1, 0x10, STAGE_COMPLETE, i);
    ok(gives(0xE0));
    ok(stage(STAGE_START, 3)), told(1, 0x10, STAGE_START, 3), ok(done());

    start(WINDOWS);
    ok(change(1, 0x10, 2)), wrong2(PROCESSOR_CHANGE_EXISTING, WINDOWS_EXISTING_START, gives(0xE0));
    ok(change(1, 0x10, 2)), told(1, 0x10, STAGE_START, 0);
    wrong(WINDOWS_EXISTING_START, gives(0xE0)); /* not all */
    ok(change(1, 0x10, 2)), told(1, 0x10, STAGE_START, 0), told(1, 0x10, STAGE_START, 0);
    wrong(WINDOWS_EXISTING_START, gives(0xE0)); /* twice */
    ok(change(1, 0x10, 2)), told(1, 0x10, STAGE_START, 2);
    wrong(WINDOWS_EXISTING_START, gives(0xE0)); /* not active */
    ok(change(1, 0x10, 2)), saw(1, 0x10, 0, 0), wrong(WINDOWS_EXISTING_START, gives(0xE0));
    ok(change(1, 0x10, 2)), told(1, 0x10, STAGE_START, 0), told(1, 0x10, STAGE_COMPLETE, 0);
    told(1, 0x10, STAGE_START, 1), told(1, 0x10, STAGE_COMPLETE, 1);
    wrong2(WINDOWS_EXISTING_COMPLETE, WINDOWS_EXISTING_START, gives(0xE0)); /* not one by one */
    ok(change(1, 0x10, 2)), told(1, 0x10, STAGE_START, 0), told(1, 0x10, STAGE_START, 1);
    told(1, 0x10, STAGE_COMPLETE, 0);
    wrong(WINDOWS_EXISTING_COMPLETE, gives(0xE0));
    ok(change(1, 0x10, 1)), told(1, 0x10, STAGE_START, 0), told(1, 0x10, STAGE_FAILURE, 0);
    wrong(WINDOWS_EXISTING_FAILURE, gives(0xE0));
    ok(change(1, 0x10, 1)), told(2, 0x10, STAGE_START, 0), wrong(NOTIFY_ONLY, gives(0xE0));
    ok(change(1, 0x10, 1)), told(1, 0x11, STAGE_START, 0), wrong(REGISTER_CONTEXT, gives(0xE0));
    ok(change(1, 0x10, 0)), told(1, 0x10, STAGE_START, 0); /* nobody asked for it */
    wrong2(PROCESSOR_CHANGE_EXISTING, NOTIFY_ONLY, gives(0xE0));
}

static void existing_processors_that_fail(void) {
    enum { RIGHT, THE_FAILING_ONE_TOO, ONE_LESS, A_COMPLETION, ANOTHER_START, TWICE, CASES };
    for (int fault = RIGHT; fault < CASES; fault++) {
        start(WINDOWS);
        ok(change(1, 0x10, 4));
        told(1, 0x10, STAGE_START, 0), told(1, 0x10, STAGE_START, 1);
        enter_told(1, 0x10, STAGE_START, 2), ok(set_status(NO_MEMORY)), ok(leave());
        if (fault == ANOTHER_START) told(1, 0x10, STAGE_START, 3);
        enter_told(1, 0x10, STAGE_FAILURE, 0);
        misuse(WINDOWS_PROCESSOR_STATUS, set_status(NO_MEMORY));
        leave();
        if (fault != ONE_LESS) told(1, 0x10, STAGE_FAILURE, 1);
        if (fault == THE_FAILING_ONE_TOO) told(1, 0x10, STAGE_FAILURE, 2);
        if (fault == A_COMPLETION) told(1, 0x10, STAGE_COMPLETE, 2);
        if (fault == TWICE) told(1, 0x10, STAGE_FAILURE, 1);
        if (fault == RIGHT) ok(gives(0xE0));
        else if (fault == ANOTHER_START) wrong(WINDOWS_EXISTING_START, gives(0xE0));
        else if (fault == A_COMPLETION) wrong(WINDOWS_EXISTING_COMPLETE, gives(0xE0));
        else wrong(WINDOWS_EXISTING_FAILURE, gives(0xE0));
    }
}

/* The five documents say that they are enumerated, not how. */
static void existing_processors_in_documented(void) {
    start(DOCUMENTED);
    ok(change(1, 0x10, 2)), told(1, 0x10, STAGE_START, 1), told(1, 0x10, STAGE_START, 0);
    ok(gives(0xE0));
    ok(change(2, 0x20, 2)), told(2, 0x20, STAGE_COMPLETE, 0), told(2, 0x20, STAGE_COMPLETE, 1);
    ok(gives(0xE1));
    ok(change(3, 0x30, 2)), told(3, 0x30, STAGE_START, 0), told(3, 0x30, STAGE_COMPLETE, 0);
    told(3, 0x30, STAGE_START, 1), told(3, 0x30, STAGE_COMPLETE, 1), ok(gives(0xE2));
    ok(change(4, 0x40, 2)), enter_told(4, 0x40, STAGE_START, 0), ok(set_status(NO_MEMORY));
    ok(leave()), ok(gives(0)); /* NULL, or a handle: they do not say */
    ok(change(4, 0x40, 2)), enter_told(4, 0x40, STAGE_START, 0), ok(set_status(NO_MEMORY));
    ok(leave()), ok(gives(0xE3));
    ok(change(6, 0x60, 2)), enter_told(6, 0x60, STAGE_START, 0), ok(set_status(NO_MEMORY));
    ok(leave()), enter_told(6, 0x60, STAGE_START, 1); /* which has a status of its own */
    ok(set_status(NO_MEMORY)), ok(leave()), ok(gives(0xE5));
    ok(change(5, 0x50, 2)), wrong(PROCESSOR_CHANGE_EXISTING, gives(0xE4));
    ok(change(5, 0x50, 2)), told(5, 0x50, STAGE_START, 0);
    wrong(PROCESSOR_CHANGE_EXISTING, gives(0xE4));
    ok(change(5, 0x50, 2)), told(5, 0x51, STAGE_START, 0), wrong(REGISTER_CONTEXT, gives(0xE4));
}

/* How ProcessorAdd's routines and processor change routines interleave is free. */
static void processor_kinds_interleave(void) {
    for (int order = 0; order < 4; order++) {
        start(WINDOWS);
        uint16_t a = opened(PROCESSOR_ADD, 0, 0xA0);
        registered(a, 1, 0x10, 0xE0);
        changed(3, 0x30, 0xE1);
        registered(a, 2, 0x20, 0xE2);
        ok(stage(STAGE_START, 2));
        if (order == 0) told(3, 0x30, STAGE_START, 2);
        told(1, 0x10, STAGE_START, 2);
        if (order == 1 || order == 3) told(3, 0x30, STAGE_START, 2);
        if (order != 3) told(2, 0x20, STAGE_START, 2);
        if (order == 2) told(3, 0x30, STAGE_START, 2);
        if (order == 3) wrong(SYSTEM_PROCESSOR_ADD, done());
        else ok(done());
    }
}

/* ---- A call that never came back ---- */

static void aborted_calls(void) {
    static const Abort how[] = {ABORT_CRASH, ABORT_HANG, ABORT_DEADLOCK, ABORT_BUGCHECK};
    BOTH_PROFILES(p)
    for (unsigned i = 0; i < 4; i++) {
        uint16_t a, r, c;
#define IN_A_PROGRAM                                                                               \
    start(p), a = created(DEMO, MULTIPLE | PERMANENT, 0xA0), ok(reference(a)),                     \
              r = registered(a, 1, 0x10, 0xE0), c = changed(2, 0x20, 0xE1), (void)r, (void)c
        IN_A_PROGRAM, ok(begins(named_call(OTHER, 0, true)));
        wrong2(CREATE_SUCCESS, CREATE_NEW, ends_with(how[i]));
        IN_A_PROGRAM, ok(begins(named_call(DEMO, 0, false)));
        wrong2(CREATE_SUCCESS, OPEN_SUCCEEDS, ends_with(how[i]));
        IN_A_PROGRAM, ok(begins((Call){.kind = CALL_REGISTER, .object = a, .routine = 2}));
        wrong2(REGISTER_HANDLE, CREATE_THEN_REGISTER, ends_with(how[i]));
        IN_A_PROGRAM, ok(unregister_begins(r));
        wrong2(UNREGISTER_REMOVES, UNREGISTER_REFERENCE, ends_with(how[i]));
        IN_A_PROGRAM, ok(notify(a, 1, 2)), wrong(NOTIFY_ALL, ends_with(how[i]));
        IN_A_PROGRAM, ok(notify(a, 1, 2)), saw(1, 0x10, 1, 2), wrong(NOTIFY_ALL, ends_with(how[i]));
        IN_A_PROGRAM, ok(irql(LEVEL_DISPATCH)), ok(notify(a, 1, 2));
        wrong(NOTIFY_AT_DISPATCH, ends_with(how[i]));
        IN_A_PROGRAM, ok(set_system_time()), wrong(SYSTEM_TIME, ends_with(how[i]));
        IN_A_PROGRAM, ok(power_state(1, 1)), wrong(SYSTEM_POWER, ends_with(how[i]));
        IN_A_PROGRAM, ok(begins((Call){.kind = CALL_REFERENCE, .object = a}));
        wrong(DELETE_NOT_BEFORE, ends_with(how[i]));
        IN_A_PROGRAM, ok(begins((Call){.kind = CALL_DEREFERENCE, .object = a}));
        wrong2(DELETE_NOT_BEFORE, DELETE_FREES, ends_with(how[i]));
        IN_A_PROGRAM, ok(begins((Call){.kind = CALL_MAKE_TEMPORARY, .object = a}));
        wrong(DELETE_PERMANENT, ends_with(how[i]));
        IN_A_PROGRAM, ok(stage(STAGE_START, 2));
        wrong3(SYSTEM_PROCESSOR_ADD, PROCESSOR_CHANGE_SIMILAR, WINDOWS_CHANGE_START,
               ends_with(how[i]));
        IN_A_PROGRAM, ok(change(3, 0x30, 2));
        wrong2(PROCESSOR_CHANGE_EXISTING, WINDOWS_EXISTING_START, ends_with(how[i]));
        if (p == WINDOWS) {
            IN_A_PROGRAM, ok(begins((Call){.kind = CALL_DEREGISTER_CHANGE, .registration = c}));
            wrong(WINDOWS_CHANGE_REMOVED, ends_with(how[i]));
        }
        IN_A_PROGRAM, ok(notify(a, 1, 2)), enter(1, 0x10, 1, 2), ok(notify(a, 3, 4));
        wrong(ROUTINE_TASKS, ends_with(how[i]));
#undef IN_A_PROGRAM
    }
}

/* ---- What it says that was expected ---- */

static void allowed_for_reports(void) {
    start(WINDOWS);
    wrong(WINDOWS_NAME_NOT_FOUND, open_fails(DEMO, 0, UNSUCCESSFUL));
    Allowed allowed = machine_allowed(&m);
    yes(allowed.status), no(allowed.success), no(allowed.any_error);
    is(1, allowed.code_count), is((uint32_t)NAME_NOT_FOUND, allowed.codes[0]);
    wrong(CREATE_NEW, create_fails(DEMO, 0, UNSUCCESSFUL));
    allowed = machine_allowed(&m);
    yes(allowed.success), no(allowed.any_error), is(0, allowed.code_count);
    start(DOCUMENTED);
    wrong(OPEN_NEEDS_EXISTING, open(DEMO, 0, 0xA0));
    allowed = machine_allowed(&m);
    no(allowed.success), yes(allowed.any_error);
    wrong(CREATE_UNNAMED, create(ABSENT, 0, 0xA0));
    allowed = machine_allowed(&m);
    no(allowed.success), no(allowed.any_error);
    is(1, allowed.code_count), is((uint32_t)UNSUCCESSFUL, allowed.codes[0]);
    uint16_t a = created(DEMO, 0, 0xA0);
    wrong(CREATE_SINGLE, reg(a, 1, 0x10, 0));
    allowed = machine_allowed(&m);
    yes(allowed.handle), no(allowed.null);
    registered(a, 1, 0x10, 0xE0);
    wrong(REGISTER_SINGLE, reg(a, 2, 0x20, 0xE1));
    allowed = machine_allowed(&m);
    no(allowed.handle), yes(allowed.null);
}

static void expected_for_reports(void) {
    ExpectedEntry entries[4];
    start(DOCUMENTED);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0), b = created(OTHER, MULTIPLE, 0xB0);
    registered(a, 1, 0x10, 0xE0), registered(b, 3, 0x30, 0xE1), registered(a, 2, 0, 0xE2);
    ok(notify(a, 7, 8)), saw(2, 0, 7, 8), saw(1, 0x10, 7, 8), wrong(NOTIFY_ORDER, done());
    is(2, machine_expected(&m, entries, 4));
    is(1, entries[0].routine), is(0x10, entries[0].context), no(entries[0].optional);
    is(2, entries[1].routine), is(0, entries[1].context), no(entries[1].optional);
    is(7, entries[1].argument[0].number), is(8, entries[1].argument[1].number);
    is(1, machine_expected(&m, entries, 1));
}

/* ---- Walks: what it predicts, it allows ---- */

static uint64_t seed;
static unsigned dice(unsigned faces) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)(seed >> 33) % faces;
}

typedef struct {
    unsigned steps, made, misuses, levels;
    unsigned kinds[CALL_KINDS];
} Walk;
static Walk walk;
static bool walk_open; /* also where predictions are known to be wrong */

static const SpecName walked_names[] = {
    DEMO,
    DEMO_CAPITALS,
    OTHER,
    THIRD,
    DEMO,
    OTHER,
    NAME("\\CALLBACK\\Demo"),
    NAME("\\Callback\\caf\u00e9"),
    NAME("\\Callback\\caf\u00c9"),
    SET_SYSTEM_TIME,
    POWER_STATE,
    PROCESSOR_ADD,
    NAME("\\callback\\powerstate"),
    EMPTY,
    ABSENT,
    NAME("\\"),
    NAME("\\Callback"),
    NAME("\\X\\Y"),
    NAME("\\Callback\\X\\Y"),
    NAME("Relative"),
    NAME("\\\\Z"),
    NAME("\\Callback\\a\tb"),
};

static Call random_call(void) {
    Call call = {.kind = (CallKind)dice(CALL_KINDS)};
    if (dice(3) == 0) call.kind = (CallKind)dice(CALL_UNREGISTER);
    call.name = walked_names[dice(sizeof walked_names / sizeof walked_names[0])];
    if (walk_open && dice(20) == 0) call.name = NAME("\\X");
    call.create = dice(3) != 0;
    call.multiple = dice(4) != 0;
    call.case_insensitive = dice(2);
    call.permanent = dice(2);
    call.exclusive = dice(16) == 0;
    call.openif = dice(2);
    call.object = dice(40) ? (uint16_t)dice(m.object_count) : (uint16_t)NO_ID;
    call.registration =
        dice(40) && m.registration_count ? (uint16_t)dice(m.registration_count) : (uint16_t)NO_ID;
    call.routine = (uint8_t)(1 + dice(4));
    call.context = dice(3) * 0x10;
    if (call.kind == CALL_REGISTER_CHANGE && !walk_open) call.context += 0x100;
    call.argument[0] = dice(3);
    call.argument[1] = dice(3);
    call.level = dice(3) ? LEVEL_PASSIVE : (uint8_t)dice(4);
    call.existing = dice(2);
    call.processor = 1 + dice(4);
    call.status = dice(4) ? 0xC0000001 : 0;
    if (call.kind == CALL_PROCESSOR_STAGE) call.stage = STAGE_START;
    return call;
}

static void must(const char *what, Outcome outcome) {
    char found[80], step[80];
    if (outcome == OUTCOME_ALLOWED) return;
    snprintf(step, sizeof step, "step %u of the walk, %s of a call of kind %d", walk.steps, what,
             m.frame_count ? (int)m.frames[m.frame_count - 1].call.kind : -1);
    failed(__LINE__, step, "allowed", verdict_text(judged(outcome), found));
}

static bool walk_step(unsigned depth, Call call, Return *result);

static void walk_inside(unsigned depth) {
    Return ignored;
    if (depth > walk.levels) walk.levels = depth;
    unsigned count = depth < 5 && dice(3) == 0 ? 1 + dice(2) : 0;
    uint8_t before = m.irql;
    while (count--)
        walk_step(depth, random_call(), &ignored);
    if (m.irql != before) walk_step(depth, (Call){.kind = CALL_IRQL, .level = before}, &ignored);
}

/* One call, with all that happens inside; false if it may not be made. */
static bool walk_step(unsigned depth, Call call, Return *result) {
    walk.steps++;
    Permission permission = machine_call(&m, &call);
    if (permission == PERMIT_MISUSE || permission == PERMIT_FULL) {
        walk.misuses++;
        return false;
    }
    walk.made++;
    walk.kinds[call.kind]++;
    Entry entry;
    while (machine_next(&m, &entry)) {
        must("routine", machine_enter(&m, &entry));
        walk_inside(depth + 1);
        must("end of a routine", machine_leave(&m, m.irql));
    }
    *result = machine_predict(&m);
    must("return", machine_return(&m, result));
    if (call.kind == CALL_PROCESSOR_STAGE && call.stage == STAGE_START) {
        Return ignored;
        call.stage = result->status ? STAGE_FAILURE : STAGE_COMPLETE;
        call.status = result->status;
        walk_step(depth, call, &ignored);
    }
    return true;
}

static Readings random_readings(bool windows) {
    Readings readings = readings_all(windows);
    for (unsigned n = dice(4); n > 0; n--) {
        Question q = (Question)dice(QUESTIONS);
        unsigned a = dice(QUESTION_ANSWERS);
        Readings taken = readings;
        if (q == QUESTION_SAME_ROUTINE && a && !walk_open) continue;
        if (!reading_name(q, a) || !(readings.answers[q] & 1u << a)) continue;
        if (readings_assume(&taken, reading_name(q, a)) && taken.worlds) readings = taken;
    }
    return readings;
}

static void walk_at_random(void) {
    BOTH_PROFILES(p) {
        seed = UINT64_C(0x9E3779B97F4A7C15) + (unsigned)p;
        walk = (Walk){0};
        while (walk.steps < 200000) {
            Return ignored;
            start_with(p, random_readings(p == WINDOWS));
            for (unsigned n = 10 + dice(60); n > 0; n--)
                walk_step(0, random_call(), &ignored);
            must("end", machine_end(&m, false, NO_ID));
        }
        /* It went everywhere. */
        yes(walk.made > 50000);
        is(5, walk.levels);
        for (unsigned i = 0; i < CALL_KINDS; i++)
            yes(walk.kinds[i] > 0);
    }
}

static void predictions_are_allowed(void) {
    walk_open = false;
    walk_at_random();
}

/* Whatever an implementation does: what breaks is a clause of its own, of the profile. */
static void faults_are_named(void) {
    static const uint32_t codes[] = {0,
                                     0,
                                     0,
                                     NAME_EXISTS,
                                     (uint32_t)UNSUCCESSFUL,
                                     (uint32_t)NAME_NOT_FOUND,
                                     (uint32_t)NO_MEMORY};
    unsigned faults = 0, bugchecks = 0;
    BOTH_PROFILES(p) {
        seed = UINT64_C(0xD1B54A32D192ED03) + (unsigned)p;
        start(p);
        for (unsigned n = 0; n < 100000; n++) {
            Call call = random_call();
            if (machine_call(&m, &call) > PERMIT_EXCUSED) continue;
            Outcome outcome;
            for (unsigned calls = dice(6); calls > 0; calls--) {
                Entry entry = {.routine = (uint8_t)(1 + dice(4)), .context = dice(3) * 0x10};
                if (!machine_next(&m, &entry) && dice(10)) break;
                if (dice(20) == 0) entry.context = dice(3) * 0x10;
                if (dice(20) == 0) entry.argument[dice(2)] = number(dice(3));
                if (dice(40) == 0) entry.irql = (uint8_t)dice(4);
                machine_enter(&m, &entry);
                machine_leave(&m, entry.irql);
            }
            Return result = machine_predict(&m);
            if (dice(8) == 0) result.status = codes[dice(sizeof codes / sizeof codes[0])];
            if (dice(8) == 0) result.pointer = dice(2) * (0x10000 + dice(m.object_count) * 64);
            result.allocation_failed = dice(10) == 0;
            if (dice(30) == 0)
                outcome = machine_abort(&m, (Abort)dice(4), result.allocation_failed), bugchecks++;
            else outcome = machine_return(&m, &result);
            if (outcome == OUTCOME_ALLOWED && dice(60)) continue;
            if (outcome == OUTCOME_DIVERGES) {
                faults++;
                const Clause *clause = clause_get(m.clause);
                if (call.kind != CALL_IRQL && call.kind != CALL_SET_STATUS) yes(m.clause > 0);
                is(BINDS_IMPLEMENTATION, clause->binds);
                if (p == DOCUMENTED) is(PROFILE_DOCUMENTED, clause->profile);
            }
            start_with(p, random_readings(p == WINDOWS));
        }
    }
    yes(faults > 1000), yes(bugchecks > 100);
}

/* The profile documented knows no clause of windows. */
static void documented_names_no_clause_of_windows(void) {
    for (int i = 0; i < 4; i++) {
        start(DOCUMENTED);
        uint16_t c = changed(1, 0x10, 0xE0);
        int found = 0;
        if (i == 0) ok(change(2, 0x20, 0)), found = gives(0);
        if (i == 1) {
            ok(change(2, 0x20, 1));
            enter_as(2, LEVEL_APC, 0x20, about(STAGE_START, 0), place(0));
            machine_leave(&m, LEVEL_APC);
            found = gives(0xE1);
        }
        if (i == 2) {
            ok(drop(c));
            ok(stage(STAGE_START, 2)), told(1, 0x10, STAGE_START, 2), found = done();
        }
        if (i == 3) {
            ok(begins((Call){.kind = CALL_DEREGISTER_CHANGE, .registration = c}));
            found = ends_with(ABORT_CRASH);
        }
        if (found) is(PROFILE_DOCUMENTED, clause_get((ClauseId)(found % 1000))->profile);
    }
}

/* ---- The register ---- */

/* Said by another clause of the same force in every history: never named itself. */
static bool named_by_others(ClauseId id) {
    switch (id) {
    case CLAUSE_OBJECT_SHARED:                  /* NOTIFY-ALL */
    case CLAUSE_OBJECT_ATTRIBUTES:              /* CREATE-PERMANENT, ...-IGNORES-MULTIPLE */
    case CLAUSE_NOTIFY_REACHES_ALL:             /* NOTIFY-ALL */
    case CLAUSE_CREATE_THEN_REGISTER:           /* REGISTER-HANDLE */
    case CLAUSE_CREATE_POINTER_USABLE:          /* REGISTER-HANDLE */
    case CLAUSE_ROUTINE_PROTOTYPE:              /* NOTIFY-ARGUMENT1, REGISTER-CONTEXT */
    case CLAUSE_ROUTINE_ARGUMENTS:              /* NOTIFY-ARGUMENT1 */
    case CLAUSE_WINDOWS_OPENIF:                 /* CREATE-OPENS */
    case CLAUSE_WINDOWS_CREATE_REFERENCE:       /* DELETE-NOT-BEFORE */
    case CLAUSE_WINDOWS_REGISTRATION_REFERENCE: /* UNREGISTER-REFERENCE */
    case CLAUSE_WINDOWS_THREE_OBJECTS:          /* SYSTEM-PROCESSOR-ADD */
    /* Callers cannot break these here: every name is stated, attributes are the
     * harness's, there is no level above DISPATCH_LEVEL, the rest is given back. */
    case CLAUSE_OPEN_KNOWS_NAME:
    case CLAUSE_CREATE_ATTRIBUTES_INITIALIZED:
    case CLAUSE_WINDOWS_DEREFERENCE_IRQL:
    case CLAUSE_UNREGISTER_WHEN_DONE: return true;
    default: return false;
    }
}

static void every_clause_was_judged(void) {
    for (ClauseId id = CLAUSE_NONE + 1; id < CLAUSES; id++) {
        const Clause *clause = clause_get(id);
        if (clause->judged != JUDGED_STEP && clause->judged != JUDGED_END) continue;
        if (!(m.exercised[id >> 6] >> (id & 63) & 1))
            failed(__LINE__, clause->id, "at stake in a step", "never at stake");
        if (!named[id] && !named_by_others(id))
            failed(__LINE__, clause->id, "a history that breaks it", "none");
    }
}

/* ---- Open: where the machine is wrong by the documents ---- */

#define CHECK(name)                                                                                \
    { #name, name }

/* NOTIFY-ORDER: only where a routine call first came out of order is the rest of them
 * looked at as an order; else the first thing that was wrong names the clause. */
static void open_first_fault_names_the_clause(void) {
    start(DOCUMENTED);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    ok(reference(a));
    registered(a, 1, 0x10, 0xE0);
    registered(a, 2, 0x20, 0xE1);
    ok(notify(a, 1, 2)), saw(1, 0x20, 1, 2), saw(2, 0x20, 1, 2), wrong(REGISTER_CONTEXT, done());
    start(DOCUMENTED);
    a = created(DEMO, MULTIPLE, 0xA0);
    ok(reference(a));
    registered(a, 1, 0x10, 0xE0);
    uint16_t r2 = registered(a, 1, 0x20, 0xE1);
    registered(a, 1, 0x30, 0xE2);
    ok(unregister(r2)); /* and the first registration was removed */
    ok(notify(a, 1, 2)), saw(1, 0x20, 1, 2), saw(1, 0x30, 1, 2);
    wrong(UNREGISTER_THE_ONE, done());
}
/* Once NULL came back, a crash for a NULL object is not another reading's any more. */
static void open_register_null_consistently(void) {
    start(DOCUMENTED);
    ok(reg(NO_ID, 1, 0x10, 0));
    again();
    ok(begins((Call){.kind = CALL_REGISTER, .object = NO_ID, .routine = 1})), no(excused);
    wrong(REGISTER_HANDLE, ends_with(ABORT_CRASH));
}
static void open_register_null_then_a_handle(void) {
    start(DOCUMENTED);
    ok(reg(NO_ID, 1, 0x10, 0));
    again();
    wrong2(REGISTER_ERROR, REGISTER_HANDLE, reg(NO_ID, 1, 0x10, 0xE0));
}
static void open_unregister_null_consistently(void) {
    start(DOCUMENTED);
    ok(unregister(NO_ID));
    again();
    ok(unregister_begins(NO_ID)), no(excused);
    is(DIVERGES / 1000, (unsigned)ends_with(ABORT_CRASH) / 1000);
}
/* CREATE-AT-APC-FORBIDDEN, open in windows, too: it fails there, with a code of its own. */
static void open_forbidden_at_apc_fails_with_any_code(void) {
    start(WINDOWS);
    ok(irql(LEVEL_APC));
    ok(open_fails(DEMO, 0, UNSUCCESSFUL));
}
/* Callback Objects, introduction: every object has a name of its own; \X is another one. */
static void open_names_outside_share_no_object(void) {
    start(WINDOWS);
    created(DEMO, PERMANENT, 0xA0);
    wrong(OBJECT_NAMED, create(NAME("\\X"), 0, 0xA0));
}
static void open_names_outside_share_no_object_documented(void) {
    start(DOCUMENTED);
    created(DEMO, PERMANENT, 0xA0);
    wrong(OBJECT_NAMED, create(NAME("\\Callback\\A\\B"), 0, 0xA0));
}
/* README, "Upper and lower case": the Kelvin sign and K may be the same or not. */
static void open_kelvin(void) {
    start(DOCUMENTED);
    uint16_t a = created(NAME("\\Callback\\Kelvin"), PERMANENT, 0xA0);
    ok(open_fails(NAME("\\Callback\\\u212Aelvin"), CASELESS, NAME_NOT_FOUND));
    is(a, opened(NAME("\\Callback\\\u212Aelvin"), CASELESS, 0xA0));
}
/* README, "The last reference from inside": NOTIFY-OBJECT. */
static void open_last_dereference_from_inside(void) {
    start(DOCUMENTED);
    assume("UNREGISTER-REFERENCE-CALLERS");
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    ok(notify(a, 1, 2));
    enter(1, 0x10, 1, 2);
    misuse(NOTIFY_OBJECT, dereference(a));
}
/* UNREGISTER-REFERENCE-CALLERS: each unregister removes a reference of the caller's; there
 * was but one, whether the object is permanent or not, and no notification is about. */
static void open_unregister_without_a_reference(void) {
    start(DOCUMENTED);
    assume("UNREGISTER-REFERENCE-CALLERS");
    uint16_t a = created(DEMO, MULTIPLE | PERMANENT, 0xA0);
    uint16_t r1 = registered(a, 1, 0x10, 0xE0), r2 = registered(a, 2, 0x20, 0xE1);
    ok(unregister(r1));
    misuse3(REGISTER_OBJECT, REGISTER_KEEP_HANDLE, DELETE_WHEN_DONE, unregister(r2));
}
static void open_unregister_without_a_reference_temporary(void) {
    start(DOCUMENTED);
    assume("UNREGISTER-REFERENCE-CALLERS");
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    uint16_t r1 = registered(a, 1, 0x10, 0xE0);
    registered(a, 2, 0x20, 0xE1); /* would be left with an object that is gone */
    misuse3(REGISTER_OBJECT, REGISTER_KEEP_HANDLE, DELETE_WHEN_DONE, unregister(r1));
}
/* A table of objects may give the place of the one that is gone, with its routine, to another. */
static void open_dereference_leaves_a_routine_without_object(void) {
    start(DOCUMENTED);
    assume("UNREGISTER-REFERENCE-CALLERS");
    uint16_t a = created(DEMO, 0, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    misuse(DELETE_WHEN_DONE, dereference(a));
    start(DOCUMENTED);
    a = created(DEMO, 0, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    ok(dereference(a));
    yes(excused);
    yes(reg(created(OTHER, 0, 0xB0), 1, 0x10, 0) >= MISUSE);
    start(DOCUMENTED);
    assume("UNREGISTER-REFERENCE-OWN");
    a = created(DEMO, 0, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    ok(dereference(a));
    no(excused);
    wrong(CREATE_SINGLE, reg(created(OTHER, 0, 0xB0), 1, 0x10, 0));
}
/* README, "How the machine works": when only worlds with misuse are left, it is misuse. */
static void open_misuse_excuses_every_divergence(void) {
    for (int i = 0; i < 4; i++) {
        start(DOCUMENTED);
        uint16_t a = created(DEMO, MULTIPLE, 0xA0);
        ok(unregister(registered(a, 1, 0x10, 0xE0)));
        ok(dereference(a)); /* misuse where unregister had removed the caller's reference */
        int found = i == 0   ? create_fails(ABSENT, 0, ACCESS_DENIED)
                    : i == 1 ? create(EMPTY, 0, 0xB0)
                    : i == 2 ? whole(named_call(OTHER, 0, true), NAME_EXISTS, 0xB0)
                             : create(OTHER, 0, 0);
        yes(found >= MISUSE);
    }
}
/* Where there is no ProcessorAdd, create makes a driver's object: nothing is decided. */
static void open_create_does_not_decide_processor_add(void) {
    start(DOCUMENTED);
    created(PROCESSOR_ADD, MULTIPLE, 0xA0);
    again();
    ok(open_fails(PROCESSOR_ADD, 0, NAME_NOT_FOUND));
}
/* 64 processors are within the bounds (MACHINE_PROCESSORS). */
static void open_existing_sixty_four(void) {
    start(WINDOWS);
    ok(change(1, 0x10, MACHINE_PROCESSORS));
    for (unsigned which = 0; which < 2; which++)
        for (unsigned i = 0; i < MACHINE_PROCESSORS; i++)
            told(1, 0x10, which ? STAGE_COMPLETE : STAGE_START, i);
    ok(gives(0xE0));
}
/* README: in documented any arguments are right; what counts is that it is called for each. */
static void open_existing_any_arguments(void) {
    start(DOCUMENTED);
    ok(change(1, 0x10, 2)), saw(1, 0x10, 0, 0), saw(1, 0x10, 1, 0), ok(gives(0xE0));
}
/* What ProcessorAdd's routines receive none of the five documents says (ExRegisterCallback
 * announces the parameters of system-defined objects, and then has none). */
static void open_processor_add_any_arguments(void) {
    start(DOCUMENTED);
    uint16_t a = opened(PROCESSOR_ADD, 0, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    ok(stage(STAGE_START, 2)), saw(1, 0x10, 8, 9), ok(done());
}
/* One routine and context, registered in both ways: either call may come first. */
static void open_processor_add_or_change(void) {
    start(DOCUMENTED);
    uint16_t a = opened(PROCESSOR_ADD, 0, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    changed(1, 0x10, 0xE1);
    ok(stage(STAGE_START, 2)), saw(1, 0x10, 8, 9), told(1, 0x10, STAGE_START, 2), ok(done());
}
/* DELETE-NOT-BEFORE holds for an object whose notification is in progress, too. */
static void open_gone_while_notifying(void) {
    start(DOCUMENTED);
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    ok(notify(a, 1, 2));
    enter(1, 0x10, 1, 2);
    ok(reference(a)), ok(dereference(a));
    wrong(DELETE_NOT_BEFORE, gone(a));
}
/* A create that is forbidden at APC_LEVEL breaks CREATE-IRQL, whatever its name. */
static void open_clause_of_a_bugcheck_at_apc(void) {
    start(DOCUMENTED);
    ok(irql(LEVEL_APC));
    ok(begins(named_call(POWER_STATE, 0, true)));
    misuse(CREATE_IRQL, ends_with(ABORT_BUGCHECK));
}
/* README, "Odd names", "OBJ_EXCLUSIVE": may fail at any time, also when memory is short. */
static void open_odd_names_when_memory_is_short(void) {
    start(WINDOWS);
    short_of_memory = true;
    ok(create_fails(NAME("\\Callback\\a\tb"), 0, NAME_INVALID));
    short_of_memory = true;
    ok(create_fails(DEMO, EXCLUSIVE, ACCESS_DENIED));
}
/* It predicts what is refused: the same routine where a reading refuses it, \X in windows. */
static void open_predicts_same_routine(void) {
    start(DOCUMENTED);
    assume("SAME-ROUTINE-REFUSED");
    uint16_t a = created(DEMO, MULTIPLE, 0xA0);
    registered(a, 1, 0x10, 0xE0);
    ok(begins((Call){.kind = CALL_REGISTER, .object = a, .routine = 1, .context = 0x20}));
    Return result = machine_predict(&m);
    ok(judged(machine_return(&m, &result)));
}
static void open_predicts_name_in_the_root(void) {
    start(WINDOWS);
    ok(begins(named_call(NAME("\\X"), 0, true)));
    Return result = machine_predict(&m);
    ok(judged(machine_return(&m, &result)));
}
static void open_predictions(void) {
    walk_open = true;
    walk_at_random();
}

#define MORE_CHECKS                                                                                \
    CHECK(open_first_fault_names_the_clause), CHECK(open_register_null_consistently),              \
        CHECK(open_register_null_then_a_handle), CHECK(open_unregister_null_consistently),         \
        CHECK(open_forbidden_at_apc_fails_with_any_code),                                          \
        CHECK(open_names_outside_share_no_object),                                                 \
        CHECK(open_names_outside_share_no_object_documented), CHECK(open_kelvin),                  \
        CHECK(open_last_dereference_from_inside), CHECK(open_unregister_without_a_reference),      \
        CHECK(open_unregister_without_a_reference_temporary),                                      \
        CHECK(open_dereference_leaves_a_routine_without_object),                                   \
        CHECK(open_misuse_excuses_every_divergence),                                               \
        CHECK(open_create_does_not_decide_processor_add), CHECK(open_existing_sixty_four),         \
        CHECK(open_existing_any_arguments), CHECK(open_processor_add_any_arguments),               \
        CHECK(open_processor_add_or_change), CHECK(open_gone_while_notifying),                     \
        CHECK(open_clause_of_a_bugcheck_at_apc), CHECK(open_odd_names_when_memory_is_short),       \
        CHECK(open_predicts_same_routine), CHECK(open_predicts_name_in_the_root),                  \
        CHECK(open_predictions),

int main(void) {
    static const struct {
        const char *name;
        void (*run)(void);
    } checks[] = {
        CHECK(object_shared),
        CHECK(object_attributes),
        CHECK(object_named),
        CHECK(system_objects),
        CHECK(system_objects_at_known_addresses),
        CHECK(notify_reaches_all),
        CHECK(open_needs_existing),
        CHECK(open_succeeds),
        CHECK(routine_prototype),
        CHECK(routine_arguments),
        CHECK(routine_irql_limit),
        CHECK(routine_tasks),
        CHECK(unregister_removes),
        CHECK(unregister_others_stay),
        CHECK(unregister_reference),
        CHECK(create_stores_pointer),
        CHECK(create_pointer_usable),
        CHECK(create_attributes_kept),
        CHECK(create_new),
        CHECK(create_opens),
        CHECK(create_multiple),
        CHECK(create_single),
        CHECK(multiple_is_ignored_when_opening),
        CHECK(create_success),
        CHECK(create_error),
        CHECK(create_unnamed),
        CHECK(create_empty_name),
        CHECK(create_permanent),
        CHECK(create_case_insensitive),
        CHECK(create_case_sensitive),
        CHECK(delete_not_before),
        CHECK(system_time),
        CHECK(system_power),
        CHECK(system_multiple),
        CHECK(register_context),
        CHECK(register_context_optional),
        CHECK(register_handle),
        CHECK(register_error),
        CHECK(register_single),
        CHECK(register_any_time),
        CHECK(unregister_the_one),
        CHECK(notify_all),
        CHECK(notify_once),
        CHECK(notify_only),
        CHECK(notify_arguments),
        CHECK(notify_order),
        CHECK(notify_same_irql),
        CHECK(notify_at_dispatch),
        CHECK(create_irql),
        CHECK(register_irql),
        CHECK(register_object),
        CHECK(register_keep_handle),
        CHECK(notify_object),
        CHECK(notify_system_object),
        CHECK(notify_irql),
        CHECK(system_names_reserved),
        CHECK(delete_when_done),
        CHECK(giving_back),
        CHECK(end_of_a_program),
        CHECK(a_reference_too_many),
        CHECK(windows_references),
        CHECK(windows_system_object_let_go),
        CHECK(windows_unregister_self),
        CHECK(windows_three_objects),
        CHECK(windows_names_of_temporary_objects),
        CHECK(windows_openif),
        CHECK(windows_failure_codes),
        CHECK(directory_in_another_case),
        CHECK(names_outside_of_the_directory),
        CHECK(names_that_share_a_beginning),
        CHECK(names_beyond_ascii),
        CHECK(odd_names),
        CHECK(exclusive_objects),
        CHECK(reading_temporary_name),
        CHECK(reading_make_temporary),
        CHECK(make_temporary_twice),
        CHECK(reading_unregister_reference),
        CHECK(reading_processor_add),
        CHECK(reading_create_at_apc),
        CHECK(reading_unregister_self),
        CHECK(reading_register_null),
        CHECK(reading_unregister_null),
        CHECK(made_temporary_until_opened),
        CHECK(named_while_referenced),
        CHECK(reading_same_routine),
        CHECK(reading_late_routine),
        CHECK(readings_by_name),
        CHECK(misuse_in_one_world_alone),
        CHECK(observed_objects),
        CHECK(routine_registers),
        CHECK(routine_unregisters),
        CHECK(routine_registers_again_what_it_unregistered),
        CHECK(routine_notifies),
        CHECK(late_for_the_outer_due_in_the_inner),
        CHECK(five_levels),
        CHECK(last_reference_from_inside),
        CHECK(shortage_of_memory),
        CHECK(room),
        CHECK(mended_path),
        CHECK(bounds_of_the_machine),
        CHECK(processor_add),
        CHECK(windows_processor_arguments),
        CHECK(processor_change_similar),
        CHECK(processor_change_stages),
        CHECK(processor_change_status),
        CHECK(processor_change_during_a_stage),
        CHECK(processor_added_inside_a_stage),
        CHECK(processor_added_while_registering),
        CHECK(processor_kinds_look_alike),
        CHECK(processor_change_removed),
        CHECK(processor_change_irql),
        CHECK(processor_change_handle),
        CHECK(existing_processors),
        CHECK(existing_processors_that_fail),
        CHECK(existing_processors_in_documented),
        CHECK(processor_kinds_interleave),
        CHECK(aborted_calls),
        CHECK(allowed_for_reports),
        CHECK(expected_for_reports),
        CHECK(predictions_are_allowed),
        CHECK(faults_are_named),
        CHECK(documented_names_no_clause_of_windows),
        MORE_CHECKS CHECK(every_clause_was_judged),
    };
    for (unsigned i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        checks[i].run();
        printf("ok %s\n", checks[i].name);
    }
    return 0;
}
