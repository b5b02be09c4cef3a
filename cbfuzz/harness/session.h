/* What a process that runs an implementation shares with the one that watches it.
 *
 * Everything here is plain data in memory that both see, so that the watcher
 * can tell what a process was doing when it died: the executor with the
 * machine, the program in bytes, and the sanitizer's words. The implementation
 * could write over all of it: the watcher believes nothing that it has not checked.
 */
#ifndef CBFUZZ_HARNESS_SESSION_H
#define CBFUZZ_HARNESS_SESSION_H

#include <stdatomic.h>
#include <sys/types.h>

#include "harness/finding.h"
#include "harness/implementation.h"
#include "harness/load.h"

enum {
    /* The largest program in bytes that is run: what is no UTF-8 takes three bytes for one. */
    SESSION_BYTES = 3 * LOAD_BYTES,
    SESSION_EXIT = 77 /* how a process ends after a sanitizer's report */
};

typedef struct {
    uint64_t fence[4]; /* session_intact */
    Executor executor;
    uint64_t fence_behind[4];
    Judgement judgement;
    bool explain;    /* misuse is described as well */
    Finding finding; /* of the last run, if it is a finding (or misuse) */
    uint64_t fence_last[4];
    bool windows;
    bool builtin;              /* it runs the built-in implementation */
    Readings readings;         /* that the next run starts from */
    bool calibrated;           /* before, programs are not the user's and leave no trace */
    atomic_uint_fast64_t runs; /* begun */
    atomic_bool busy;          /* a program is being run */
    bool guarded;              /* system calls of the implementation are stopped */
    char crash_kind[64];       /* the sanitizer's, "" if it said nothing */
    char crash_detail[200];
    Frames crash_frames;
    atomic_bool sampled; /* it was interrupted, and crash_frames say where */
    bool crash_inside;   /* it was the implementation that was running */
    uint32_t size;       /* of the program */
    uint8_t bytes[SESSION_BYTES];
} Session;

/* Shared memory for a session; NULL when there is none. Freed by session_free. */
Session *session_new(bool windows);
void session_free(Session *session);

/* In the process that runs: from now on its crashes are described in the session, and
 * what it asks of the host is guarded. */
void session_watch(Session *session, Implementation *implementation);

/* Runs session->bytes as `program` (decoded from them) and judges it. */
void session_run(Session *session, const Program *program);

/* The same for a program that is written while it runs (executor_drive); who watches
 * must learn from elsewhere what has run. */
void session_drive(Session *session, const Program *program, void (*drive)(void *context),
                   void *context);

/* Makes the session as it was when it was new, after an implementation has written over it. */
void session_reset(Session *session, bool windows, bool builtin);

/* Does it still stand between fences that nobody has touched? */
bool session_intact(const Session *session);

/* Can what runs there not kill its own process? Then it was somebody else, perhaps for want of
 * memory. */
static inline bool session_harmless(const Session *session) {
    return session->builtin || session->guarded;
}

/* In the watcher, after a run that ended well: brings what it left in order. False: the
 * implementation has written over it, and nothing that it says counts. */
bool session_check(Session *session, const Program *program);

/* The same for a finding that the process has written elsewhere. */
bool session_check_finding(Finding *finding, const Program *program);

/* In the watcher, before the process is stopped for taking too long: has it note where it
 * is. It does not go on afterwards. */
void session_sample(Session *session, pid_t process);

/* In the watcher, before session_post_mortem: the same number for the same failure at the
 * same place. 0: the place is not known. */
uint64_t session_death(const Session *session, bool hung);

/* In the watcher, after the process that ran session->bytes has ended or was
 * stopped: judges the run that did not end. `status` is waitpid's; `hung`: it
 * was stopped for taking too long. False: it was not the implementation that
 * was running but our own code (the text says so). */
bool session_post_mortem(Session *session, const Program *program, int status, bool hung);

/* The word after "AddressSanitizer: " of a report: heap-use-after-free, SEGV, ... */
void session_report_kind(const char *report, char *kind, size_t size);

/* How far the run has got: calls made and routines called. A run that gets on does not
 * hang: its length is bounded by the executor, however slow the implementation. */
static inline uint64_t session_progress(const Session *session) {
    return (uint64_t)session->executor.calls + session->executor.event_count;
}
enum { SLOW_FACTOR = 10 }; /* but no run takes more than so many times the limit of a hang */

/* Seconds of processor time that a process has used; -1 if it cannot be told. */
double process_seconds(pid_t process);

#endif
