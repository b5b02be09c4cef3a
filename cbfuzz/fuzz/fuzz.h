/* A fuzz run: processes that run libFuzzer on one implementation, and the one that watches them. */
#ifndef CBFUZZ_FUZZ_FUZZ_H
#define CBFUZZ_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/runner.h"

enum {
    FUZZ_JOBS = 64,
    FUZZ_SIGNATURES = 512,    /* distinct findings of one run; more are not told apart */
    FUZZ_PROGRAM_BYTES = 4096 /* largest program that is generated */
};

typedef struct {
    Implementation *implementation;
    bool windows, keep_going;
    double seconds; /* 0: no limit */
    uint64_t runs;  /* 0: no limit */
    uint64_t seed;
    unsigned jobs; /* processes */
    const char *artifacts;
    char **corpus; /* folders, the first takes new programs; NULL-terminated */
    char **flags;  /* for libFuzzer; NULL-terminated */
} FuzzOptions;

/* A finding as it was written. */
typedef struct {
    char signature[SIGNATURE_TEXT];
    char file[4096];     /* "" if it could not be written */
    uint32_t statements; /* of the minimized program */
    bool repeats;        /* it showed again in a process of its own */
    Finding finding;
} FuzzFinding;

typedef struct {
    uint64_t programs, statements, effective;
    uint32_t kinds;  /* bit LINE_...: a statement of this kind was run */
    uint64_t deaths; /* of processes, by a program: crashes and hangs that were survived */
    double seconds;
    uint32_t corpus;                 /* programs kept */
    uint32_t states;                 /* abstract transitions seen */
    uint32_t exercised, exercisable; /* clauses */
    uint64_t clauses[2];             /* bits of those exercised */
    Readings readings;               /* left at the end */
    FuzzFinding *findings;
    uint32_t finding_count;
} FuzzResult;

/* Who is told what happens. */
typedef struct {
    void *context;
    void (*status)(void *context, const FuzzResult *so_far);
    void (*finding)(void *context, const FuzzFinding *finding);
} FuzzListener;

/* Runs until a limit, the first finding (unless keep_going), or interrupt_signal.
 * 0: done; 2: the request is wrong; 3: the tool or the machine failed; `error`
 * says how. The result is filled in any case; freed by fuzz_result_free. */
int fuzz_run(const FuzzOptions *options, const FuzzListener *listener, FuzzResult *result,
             char *error, size_t error_size);
void fuzz_result_free(FuzzResult *result);

/* Of the clauses of a profile that a sequential run can exercise: how many
 * there are; with `exercised`, how many of them are in it. */
unsigned fuzz_clauses(bool windows, const uint64_t exercised[2]);
bool fuzz_clause_counts(ClauseId clause, bool windows);

#endif
