/* What a process that runs an implementation shares with the one that watches it.
 *
 * Everything here is plain data in memory that both see, so that the watcher
 * can tell what a process was doing when it died: the executor with the
 * machine, the program in bytes, and the sanitizer's words.
 */
#ifndef CBFUZZ_HARNESS_SESSION_H
#define CBFUZZ_HARNESS_SESSION_H

#include <stdatomic.h>
#include <sys/types.h>

#include "harness/finding.h"
#include "harness/implementation.h"

enum {
    SESSION_BYTES = 1 << 20, /* the largest program in bytes that is run */
    SESSION_EXIT = 77        /* how a process ends after a sanitizer's report */
};

typedef struct {
    Executor executor;
    Judgement judgement;
    bool explain;    /* misuse is described as well */
    Finding finding; /* of the last run, if it is a finding (or misuse) */
    bool windows;
    bool builtin;      /* it runs the built-in implementation */
    Readings readings; /* that the next run starts from */
    bool calibrated;
    atomic_uint_fast64_t runs; /* begun */
    atomic_bool busy;          /* a program is being run */
    char crash_kind[64];       /* the sanitizer's, "" if it said nothing */
    char crash_detail[400];
    uint32_t size; /* of the program */
    uint8_t bytes[SESSION_BYTES];
} Session;

/* Shared memory for a session; NULL when there is none. Freed by session_free. */
Session *session_new(bool windows);
void session_free(Session *session);

/* In the process that runs: from now on its crashes are described in the session. */
void session_watch(Session *session, Implementation *implementation);

/* Runs session->bytes as `program` (decoded from them) and judges it. */
void session_run(Session *session, const Program *program);

/* The same for a program that is written while it runs (executor_drive); who watches
 * must learn from elsewhere what has run. */
void session_drive(Session *session, const Program *program, void (*drive)(void *context),
                   void *context);

/* In the watcher, after the process that ran session->bytes has ended or was
 * stopped: judges the run that did not end. `status` is waitpid's; `hung`: it
 * was stopped for taking too long. False: it was not the implementation that
 * was running but our own code (the text says so). */
bool session_post_mortem(Session *session, const Program *program, int status, bool hung);

/* Seconds of processor time that a process has used; -1 if it cannot be told. */
double process_seconds(pid_t process);

#endif
