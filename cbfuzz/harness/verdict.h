/* The verdict on one run of one program: plain data, fit for shared memory. */
#ifndef CBFUZZ_HARNESS_VERDICT_H
#define CBFUZZ_HARNESS_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/frames.h"
#include "machine.h"

typedef enum {
    VERDICT_CONFORMS,
    VERDICT_DIVERGES,  /* an outcome that no reading allows */
    VERDICT_CRASHES,   /* signal, sanitizer report, exit */
    VERDICT_HANGS,     /* beyond the limit of time */
    VERDICT_DEADLOCKS, /* a wait that nothing can end */
    VERDICT_LEAKS,     /* something is left when all was given back */
    VERDICT_BUGCHECKS, /* a rule of the kernel environment was broken */
    VERDICT_MISUSE,    /* the program broke a caller's rule: nothing is said */
    VERDICTS
} Verdict;

enum { NO_LINE = UINT32_MAX };

typedef struct {
    Verdict verdict;
    ClauseId clause;  /* broken, or at stake; by the caller for misuse */
    bool expectation; /* it is the script's own expectation that was not met */
    bool whole;       /* the program ran to its end */
    uint32_t cut;     /* the program's line from which on a bound keeps something from being run or
                         judged (executor.h lists them); NO_LINE: none does */
    char kind[64];    /* crash, bugcheck or leak: which ("heap-use-after-free", a rule, a tag) */
    char detail[400]; /* a sentence or two about it; may be empty */
    Frames frames;    /* of the implementation: where it failed, or what it left was made */
    char where[FRAMES_TEXT]; /* the same in names, once the watcher has looked; else "" */
    uint32_t line;           /* index of the program's line, NO_LINE when giving back at the end */
    uint32_t step;           /* program_step of the line outside of bodies; 0 at the end */
    uint8_t routine;         /* the line stands in the body of this routine; 0: in none */
    uint32_t call; /* its number, in the order in which calls were made; UINT32_MAX: the end */
    uint32_t statements; /* calls made, those in bodies included */
    uint32_t effective;  /* of them: changed state or called a routine */
    Readings before;     /* readings possible before the run */
    Readings after;      /* and after it */
} Judgement;

/* "conforms", "diverges", ...; and "CONFORMS", ... */
const char *verdict_name(Verdict verdict);
const char *verdict_title(Verdict verdict);

/* Does it speak against the implementation? */
static inline bool verdict_is_finding(Verdict verdict) {
    return verdict != VERDICT_CONFORMS && verdict != VERDICT_MISUSE;
}

/* CLAUSE-OR-KIND of artifact names and signatures: the clause, else the kind,
 * else the verdict's name. Letters, digits and - only. Returns `buffer`. */
const char *verdict_subject(const Judgement *judgement, char buffer[80]);

/* What makes two findings one: the verdict, and the clause, "diverges NOTIFY-ORDER"; or,
 * where the implementation failed at a known place, the kind and that place: "crashes
 * SEGV Sweep (mine.c:52) < ExUnregisterCallback". Returns `buffer`. */
enum { SIGNATURE_TEXT = 320 };
const char *verdict_signature(const Judgement *judgement, char buffer[SIGNATURE_TEXT]);

/* A judgement that an implementation could have written over: texts get an end,
 * numbers are brought into their ranges. False: some number was not in its own. */
bool verdict_sanitize(Judgement *judgement);

#endif
