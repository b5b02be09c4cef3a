/* Runs a program in lockstep on an actor and on the reference machine.
 *
 * The actor makes the calls: the implementation under test (real.h) or the
 * machine's own prediction (generate/predict.h). The executor holds what the
 * program's names stand for, runs bodies, and stops at the first step that the
 * machine does not allow.
 */
#ifndef CBFUZZ_HARNESS_EXECUTOR_H
#define CBFUZZ_HARNESS_EXECUTOR_H

#include <setjmp.h>
#include <stdio.h>

#include "harness/verdict.h"
#include "program/program.h"

/* Bounds, each with its reason. */
enum {
    EXECUTOR_LEVELS = 5,       /* design: from this level on a body does not run */
    EXECUTOR_CALLS = 65536,    /* bodies stop running then: nesting multiplies */
    EXECUTOR_ENTRIES = 100000, /* and the program ends with so many routine calls */
    EXECUTOR_EVENTS = 4096,    /* routine calls kept: the latest. Expectations need no others */
    EXECUTOR_TRACED = 4096,    /* objects, and registrations, that the trace tells apart */
    EXECUTOR_BINDINGS = 4200   /* variables: at most one per statement */
};

/* What to say of a script that goes beyond them. */
extern const char executor_bounds[];

typedef struct Executor Executor;

/* Who makes the calls. */
typedef struct {
    /* Makes a call and fills *result. For each routine that runs meanwhile it
     * calls executor_enter. */
    void (*call)(Executor *executor, const Call *call, Return *result);
    /* Gives up all calls in progress: longjmp to executor->leave. NULL when
     * calls always come back by themselves. */
    void (*abandon)(Executor *executor);
    void (*fail_allocation)(Executor *executor, uint32_t nth);
    /* Is the object's memory still there? -1: not known. */
    int (*object_there)(Executor *executor, uint64_t pointer);
    /* One more processor is active now. */
    void (*processor_started)(Executor *executor);
    /* Is anything left that was made since the start? Describes it. */
    bool (*leaked)(Executor *executor, char *kind, size_t kind_size, char *detail,
                   size_t detail_size);
} Actor;

/* A routine call as it was observed. */
typedef struct {
    uint8_t level; /* 1: for a call at top level */
    uint8_t routine, irql;
    uint64_t context;
    SpecValue argument[2];
} Event;

typedef enum {
    RUN_GOES_ON,
    RUN_DIVERGED,
    RUN_MISUSED,
    RUN_FULL,   /* a bound was reached: the rest of the program is not run */
    RUN_ABORTED /* a call ended otherwise than by returning */
} RunState;

struct Executor {
    const Actor *actor;
    void *context; /* the actor's */
    const Program *program;
    Judgement *judgement; /* being made */
    FILE *trace;          /* every call and routine is printed here, or NULL */
    RunState state;
    bool collecting;      /* a routine call did not fit: only observe until its call returns */
    bool short_of_memory; /* fail_allocation was asked for */
    uint32_t line;        /* being executed, NO_LINE when giving back */
    uint32_t top_line;    /* the same outside of bodies */
    uint8_t routine;      /* whose body it is in, 0: none */
    uint8_t level;        /* routines in progress */
    uint32_t calls;
    uint32_t called;      /* bit per routine: has run */
    uint32_t call;        /* number of the call in progress */
    uint32_t stop_before; /* `stop` is told before this call is made; UINT32_MAX: at the end */
    void (*stop)(Executor *executor, const Call *call);
    uint32_t kinds;       /* bit LINE_...: a line of this kind was run */
    uint32_t budget;      /* of calls; the run ends there. Set to the most by executor_drive */
    uint32_t processors;  /* active */
    Return result;        /* of the last call */
    uint32_t event_count; /* routine calls, also those that are kept no longer */
    uint32_t events_from; /* where those of the last or diverging call start */
    uint32_t feature_count;
    /* Addresses that the trace has numbered, of objects and of registrations. */
    uint32_t traced_count[2];
    uint64_t traced[2][EXECUTOR_TRACED];
    jmp_buf leave;
    uint16_t binding[EXECUTOR_BINDINGS]; /* variable -> number in the machine, NO_ID: NULL */
    /* The other way: the variable that was bound last to an object or registration.
     * NO_VARIABLE, or one whose binding is another by now: there is none. */
    uint16_t object_variable[MACHINE_OBJECTS], registration_variable[MACHINE_REGISTRATIONS];
    Event events[EXECUTOR_EVENTS];
    uint32_t features[64]; /* abstract transitions of this program, for coverage */
    Machine machine;
};

/* The i-th routine call of the program, below event_count. NULL: it is kept no longer. */
static inline const Event *executor_event(const Executor *executor, uint32_t i) {
    return executor->event_count - i > EXECUTOR_EVENTS ? NULL
                                                       : &executor->events[i % EXECUTOR_EVENTS];
}

/* Which readings and profile a run starts from. */
typedef struct {
    bool windows;
    Readings readings;
    uint64_t system[3];  /* addresses of the system-defined objects, 0: unknown */
    uint32_t processors; /* active at the start */
} Start;

/* Runs a whole program: lines, then giving back, then the count of what is left.
 * Fills *judgement. `executor` may be as it was left by an earlier run; actor,
 * context and trace must be set. */
void executor_run(Executor *executor, const Program *program, const Start *start,
                  Judgement *judgement);

/* The same for a program that is written while it runs: `drive` appends lines
 * and runs each by executor_line. It may be left by longjmp at any of them. */
void executor_drive(Executor *executor, const Program *program, const Start *start,
                    Judgement *judgement, void (*drive)(void *context), void *context);
void executor_line(Executor *executor, uint32_t line);
/* Takes back a stop at top level that no call was made for (misuse, a bound). */
bool executor_resume(Executor *executor);

/* A routine was called. Runs its body. For actors. */
void executor_enter(Executor *executor, const Entry *entry);

/* The call in progress did not return: judges it. `kind` and `detail` describe
 * how. For actors and for whoever watches the process. */
void executor_abort(Executor *executor, Abort how, bool allocation_failed, const char *kind,
                    const char *detail);

/* Does the program say that it needs the profile windows? */
bool program_needs_windows(const Program *program);
/* Narrows the readings to those that the program's `reading` lines name. Returns the
 * first of these lines that they rule out, so that the program says nothing; or NO_LINE. */
uint32_t program_take_as_given(const Program *program, Readings *readings);

#endif
