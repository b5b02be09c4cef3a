/* One fuzzing process: libFuzzer's loop around the harness. */
#ifndef CBFUZZ_FUZZ_WORKER_H
#define CBFUZZ_FUZZ_WORKER_H

#include "fuzz/fuzz.h"
#include "program/journal.h"

enum { STATE_BITS = 1 << 16 };

/* What all workers of a run share. */
typedef struct {
    atomic_bool stop;
    bool keep_going;
    uint64_t runs; /* limit, 0: none */
    atomic_uint_fast64_t programs, statements, effective;
    atomic_uint kinds; /* bit LINE_...: a line of this kind was run */
    atomic_uint signature_count;
    char signatures[FUZZ_SIGNATURES][160];
    uint8_t states[STATE_BITS / 8]; /* abstract transitions seen */
    atomic_uint state_count;
} FuzzShared;

/* One worker and its watcher: where a finding waits to be taken. */
typedef struct {
    Session *session;
    FuzzShared *shared;
    bool written;      /* the program that runs stands in session->bytes; else in the journal */
    atomic_bool found; /* set by the worker; cleared when it was taken */
    Finding finding;
    uint32_t size;
    uint8_t bytes[SESSION_BYTES];
    Journal journal;
} Mailbox;

/* Runs libFuzzer with these arguments until shared->stop, a limit or a finding;
 * does not return. */
_Noreturn void worker_main(Mailbox *mailbox, Implementation *implementation, int argc, char **argv);

/* For the benchmark: told of each program after it was run. */
extern void (*worker_observer)(const Session *session, const Program *program);

/* Is this signature new? Then it counts as known from now on. */
bool worker_new_signature(FuzzShared *shared, const char *signature);

#endif
