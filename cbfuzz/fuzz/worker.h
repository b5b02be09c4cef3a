/* One fuzzing process: libFuzzer's loop around the harness. */
#ifndef CBFUZZ_FUZZ_WORKER_H
#define CBFUZZ_FUZZ_WORKER_H

#include "fuzz/fuzz.h"
#include "harness/keeper.h"
#include "program/journal.h"

enum { STATE_BITS = 1 << 16, FUZZ_STOP = 0x53746F70 };

/* What all workers of a run share. */
typedef struct {
    atomic_uint stop; /* FUZZ_STOP, and no other value: the implementation could write here, too */
    atomic_uint_fast64_t programs, statements, effective;
    atomic_uint kinds; /* bit LINE_...: a line of this kind was run */
    atomic_uint known_count;
    uint64_t known[FUZZ_SIGNATURES]; /* findings that were told, see worker_is_new */
    uint8_t states[STATE_BITS / 8];  /* abstract transitions seen */
    atomic_uint state_count;
} FuzzShared;

/* One worker and its watcher: where a finding waits to be taken. */
typedef struct {
    bool written;      /* the program that runs stands in session->bytes; else in the journal */
    atomic_bool found; /* set by the worker; cleared when it was taken */
    Finding finding;
    atomic_uint novel; /* programs that showed something new since the worker's process began */
    char error[1000];  /* why the implementation could not be loaded */
    uint32_t size;
    uint8_t bytes[SESSION_BYTES];
    Journal journal;
} Mailbox;

/* What one worker works with. */
typedef struct {
    Implementation *implementation;
    Session *session;
    FuzzShared *shared;
    Mailbox *mailbox;
    bool keep_going;
    uint64_t runs;   /* limit, 0: none */
    Keeper keeper;   /* none (0): the process itself goes on for ever */
    uint32_t corpus; /* programs that it reads first */
} Workplace;

enum {
    WORKER_NOT_LOADED = 79 /* exit code: the implementation was not loaded, see mailbox->error */
};

/* Runs libFuzzer with these arguments until shared->stop, a limit or a finding;
 * does not return. As soon as the corpus has been read, copies of the process go on
 * with it: see keeper.h. Exit code KEEPER_AGAIN: it should be started again. */
_Noreturn void worker_main(const Workplace *workplace, int argc, char **argv);

/* For the benchmark: told of each program after it was run. */
extern void (*worker_observer)(const Session *session, const Program *program);

/* Is a finding with this judgement new, as far as a worker can tell? Then it counts as
 * known from now on. */
bool worker_is_new(FuzzShared *shared, const Judgement *judgement);

#endif
