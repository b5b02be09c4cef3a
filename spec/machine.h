/* The reference machine: which outcomes the documents allow for a history of calls.
 *
 * Written from the documents alone. It is told of each call before it is made
 * (machine_call), of each routine that runs meanwhile (machine_enter,
 * machine_leave) and of its outcome (machine_return), and says what is allowed.
 * Calls nest: a routine may call again. It sees values, never memory; it
 * allocates nothing and does no input or output.
 *
 * The state is raw history (who made, opened, referenced what); whether an
 * object lives or a name is taken is a function of the history and a reading.
 */
#ifndef CBFUZZ_SPEC_MACHINE_H
#define CBFUZZ_SPEC_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clauses.h"
#include "readings.h"

/* Bounds, each with its reason. */
enum {
    MACHINE_OBJECTS = 4100,       /* a program's statements, and the system's three */
    MACHINE_REGISTRATIONS = 4100, /* a program's statements */
    MACHINE_HANDLES = 512,        /* hashes of handles */
    MACHINE_FRAMES = 64,          /* calls in progress: five levels of routines, stages between */
    MACHINE_PROCESSORS = 64,
    /* From so many live ones on an implementation may say that it has no room. */
    MACHINE_ROOM_OBJECTS = 16,
    MACHINE_ROOM_REGISTRATIONS = 16,
    MACHINE_ROOM_NAME = 60 /* code units of a name */
};

enum { NO_ID = 0xFFFF };

enum { LEVEL_PASSIVE = 0, LEVEL_APC = 1, LEVEL_DISPATCH = 2 };

/* A name as the caller holds it; it must live as long as the program runs. */
typedef struct {
    const uint16_t *units;
    uint16_t length; /* code units */
    bool present;    /* false: no name at all */
} SpecName;

typedef enum {
    CALL_CREATE, /* ExCreateCallback, Create TRUE or FALSE */
    CALL_REGISTER,
    CALL_NOTIFY,
    CALL_UNREGISTER,
    CALL_REFERENCE,
    CALL_DEREFERENCE,
    CALL_MAKE_TEMPORARY,
    CALL_IRQL,
    CALL_SET_SYSTEM_TIME,
    CALL_POWER_STATE,
    CALL_PROCESSOR_STAGE, /* one announcement of an added processor */
    CALL_REGISTER_CHANGE,
    CALL_DEREGISTER_CHANGE,
    CALL_SET_STATUS,
    CALL_KINDS
} CallKind;

typedef enum { STAGE_START, STAGE_COMPLETE, STAGE_FAILURE } Stage;

/* A value that a routine receives. */
typedef enum {
    SPEC_NUMBER,
    SPEC_CONTEXT, /* a processor context: stage and number */
    SPEC_STATUS,  /* a place that holds this NTSTATUS */
    SPEC_WILD     /* neither: an address that leads nowhere; expected: anything */
} SpecValueKind;
typedef struct {
    uint8_t kind;
    uint8_t stage;   /* SPEC_CONTEXT */
    uint64_t number; /* value, NtNumber or NTSTATUS */
} SpecValue;

/* A call that is about to be made. Fields that its kind does not use are not read. */
typedef struct {
    CallKind kind;
    bool create, multiple, case_insensitive, permanent, exclusive; /* create */
    bool openif, kernel_handle;                                    /* without effect here */
    bool giving_back; /* make_temporary: by the harness at the end, which needs no reference */
    SpecName name;
    uint16_t object; /* register, notify, reference, dereference, make_temporary; NO_ID: NULL */
    uint16_t registration; /* unregister, deregister_change; NO_ID: NULL */
    uint8_t routine;       /* register*: 1.. */
    uint8_t level;         /* irql: the level wanted */
    uint8_t stage;         /* processor_stage */
    bool existing;         /* register_change */
    uint64_t context;      /* register* */
    uint64_t argument[2];  /* notify, power_state */
    uint32_t processor;    /* processor_stage: its number; register_change: how many are active */
    uint32_t status;       /* set_status; processor_stage FAILURE */
} Call;

typedef enum {
    PERMIT_YES,
    PERMIT_EXCUSED, /* make it; if it ends abnormally, that is misuse or a reading, not a finding */
    PERMIT_MISUSE,  /* the program breaks machine->clause; nothing is said of the implementation */
    PERMIT_FULL     /* a bound of the machine is reached: the program ends here */
} Permission;

/* A routine began to run. */
typedef struct {
    uint8_t routine;
    uint8_t irql;
    uint64_t context;
    SpecValue argument[2];
} Entry;

/* A call returned. */
typedef struct {
    uint32_t status;        /* create: NTSTATUS */
    uint64_t pointer;       /* create: the object's address; register*: the handle */
    bool allocation_failed; /* an allocation was made to fail during the call */
    bool input_changed;     /* create: the caller's attributes or name are not what they were */
} Return;

/* How a step came out. */
typedef enum { OUTCOME_ALLOWED, OUTCOME_DIVERGES, OUTCOME_MISUSE } Outcome;

/* How a call ended that did not return. */
typedef enum {
    ABORT_CRASH,
    ABORT_HANG,
    ABORT_DEADLOCK,
    ABORT_BUGCHECK,
    ABORT_REFERENCE, /* a bugcheck: a reference too many was given back, or a deleted object used */
    ABORT_STATE      /* it returned, but not at the caller's IRQL, or with locks held */
} Abort;

typedef struct {
    SpecName name;
    uint64_t pointer;      /* 0: not yet seen (a system-defined object) */
    uint32_t hash;         /* of the name without case */
    int32_t references;    /* create and open and reference, less dereference */
    uint32_t unregistered; /* unregister calls */
    uint16_t registered;   /* live registrations */
    uint8_t system;        /* 1 SetSystemTime, 2 PowerState, 3 ProcessorAdd, else 0 */
    bool multiple, permanent, made_temporary, opened;
    bool opened_differently, created_differently; /* AllowMultipleCallbacks of an opener differed */
    bool in_directory;                            /* its name is a leaf of \Callback */
    bool mended;         /* its path was none: the name that it bears is its implementation's */
    bool call_exclusive; /* created with OBJ_EXCLUSIVE: a second open may fail */
    bool nameless;       /* seen to have lost its name */
    bool perhaps;        /* may have lost its name */
    uint8_t notifying;   /* notifications in progress */
} SpecObject;

typedef struct {
    uint64_t handle;
    uint64_t context;
    uint16_t object; /* NO_ID: a processor change registration */
    uint8_t routine;
    bool alive;
    uint8_t running;     /* calls of it in progress */
    uint32_t died;       /* clock when it was removed */
    bool from_routine;   /* made inside of a routine */
    bool without_memory; /* ... while an allocation was made to fail */
    uint8_t told;        /* processor change: heard of the processor being added */
    uint64_t called;     /* bit f: called by frame f */
} SpecRegistration;

typedef struct {
    Call call;
    uint8_t irql;      /* when it was made */
    bool excused;      /* may end abnormally */
    bool diverged;     /* a routine call did not fit; the rest is only collected */
    bool unordered;    /* ... but may fit in another order */
    bool again;        /* ... or is one that was called, of the same routine as one that is due */
    bool starting;     /* register_change: the routine runs for a start */
    bool late;         /* a registration was made for its object meanwhile */
    bool removed;      /* a registration of its object went meanwhile */
    bool nested_calls; /* its routines made calls */
    uint8_t base;      /* level at which the routine runs that it is calling now */
    uint8_t path;      /* create: kind of path (names.c) and hash of the name */
    uint32_t hash;
    uint32_t began;   /* clock */
    uint16_t object;  /* whose routines it calls, or NO_ID */
    uint16_t end;     /* registrations made before it: those below */
    uint16_t cursor;  /* next registration in order: its place in live[] */
    uint16_t running; /* registration whose routine runs for it, or NO_ID */
    uint64_t bit;     /* its own in SpecRegistration.called */
    ClauseId clause;  /* of a divergence seen inside */
    uint32_t calls;
    /* processor change */
    uint32_t status;            /* what the status place holds */
    uint64_t started, finished; /* processors announced: bits */
    uint32_t unknown;           /* announcements that name no processor */
    uint32_t announced;         /* ADD_EXISTING: the processor whose start ran last */
    uint32_t failing;           /* the one at which an error was set, or UINT32_MAX */
    uint32_t added;             /* register_change: processors added meanwhile */
    uint64_t called;            /* ... bit f: its routine was called by frame f, inside of it */
} SpecFrame;

typedef struct Machine {
    bool windows;
    Readings readings; /* still possible, for the implementation */
    uint16_t misused;  /* worlds in which this program has broken a caller's rule */
    uint8_t irql;
    uint16_t frame_count;
    uint32_t clock; /* calls made */
    uint16_t object_count, registration_count;
    uint16_t live_count;    /* registrations alive: live[], in order */
    uint16_t stage_end;     /* registrations made before the processor's start was announced */
    ClauseId clause;        /* of the last divergence or misuse */
    uint16_t result_object; /* of the last create that succeeded */
    uint16_t result_registration;
    bool names_in_doubt;   /* an object may have lost its name: SpecObject.perhaps */
    uint64_t exercised[2]; /* bit CLAUSE_...: was at stake in a step */
    uint32_t calls;        /* routine calls judged */
    uint32_t effective;    /* calls that changed state or called a routine */
    uint32_t feature;      /* abstract state and transition of the last step, for coverage */
    SpecFrame frames[MACHINE_FRAMES + 1]; /* and the place for one that is refused */
    SpecObject objects[MACHINE_OBJECTS];
    uint16_t live[MACHINE_REGISTRATIONS];
    uint16_t alike[MACHINE_HANDLES]; /* of those: how many have a handle with this hash */
    SpecRegistration registrations[MACHINE_REGISTRATIONS];
} Machine;

/* The state after the system has started: three system-defined objects, no
 * registration, PASSIVE_LEVEL. Costs no more than what is used. `system` are
 * the addresses of the three objects: 0 if not known, SPEC_MISSING for one that
 * is known not to be there. The machine is all zeros before it starts first. */
#define SPEC_MISSING UINT64_MAX
void machine_start(Machine *machine, bool windows, Readings readings, const uint64_t system[3]);

/* Where the next call may be written down before machine_call is asked about it:
 * one that stands there already need not be copied. What the machine knows of the
 * call that has just returned ends here. */
static inline Call *machine_place(Machine *machine) {
    return &machine->frames[machine->frame_count].call;
}

/* Before a call. PERMIT_MISUSE and PERMIT_FULL leave the machine as it was. */
Permission machine_call(Machine *machine, const Call *call);

/* A routine begins to run, or ends at some IRQL. After OUTCOME_DIVERGES the
 * frame goes on collecting, so that machine_return can name the clause. */
Outcome machine_enter(Machine *machine, const Entry *entry);
Outcome machine_leave(Machine *machine, uint8_t irql);

/* The call returned. On OUTCOME_DIVERGES machine->clause says what is broken. */
Outcome machine_return(Machine *machine, const Return *result);

/* The innermost call never returned. OUTCOME_MISUSE when a reading allows that.
 * On OUTCOME_DIVERGES it counts as the one just returned (machine_allowed). */
Outcome machine_abort(Machine *machine, Abort how, bool allocation_failed);

/* What was seen of an object's memory after a call: is it still there? */
Outcome machine_observe_object(Machine *machine, uint16_t object, bool there);

/* The program has given everything back; was anything left behind? `object`: one that
 * is still there, NO_ID if it is none or cannot be told. */
Outcome machine_end(Machine *machine, bool leaked, uint16_t object);

/* Does the program hold a reference on the object, in every world, in some? */
bool machine_holds(const Machine *machine, uint16_t object);
bool machine_perhaps_holds(const Machine *machine, uint16_t object);
/* Would create with Create FALSE find it by its name? (for steering, not judging) */
bool machine_has_name(const Machine *machine, uint16_t object);
/* Is a call of this registration in progress? */
bool machine_is_running(const Machine *machine, uint16_t registration);

/* What the innermost call, or the one just returned, was allowed to show. */
typedef struct {
    bool status, success, any_error; /* create: which of them */
    uint32_t codes[4];               /* the only errors allowed, if not any */
    unsigned code_count;
    bool handle, null; /* register */
} Allowed;
Allowed machine_allowed(const Machine *machine);

/* One outcome that is allowed for the call in progress: what an implementation
 * that conforms and has memory would return. For steering generators. Addresses
 * are made up, and differ from all in use. */
Return machine_predict(const Machine *machine);

/* Would the call in progress make something that no document promises room for: a
 * further object or registration, an odd or long name? It may fail then. */
bool machine_lacks_room(const Machine *machine);

/* The routine call that is due next for the call in progress; false: none. */
bool machine_next(const Machine *machine, Entry *entry);

/* The routine calls that it owes, in order: fills at most `capacity`, returns how many. */
typedef struct {
    uint8_t routine;
    bool optional;
    uint64_t context;
    SpecValue argument[2];
} ExpectedEntry;
size_t machine_expected(const Machine *machine, ExpectedEntry *entries, size_t capacity);

#endif
