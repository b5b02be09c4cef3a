/* Runs programs one at a time in a process of their own, and survives what they do.
 *
 * The implementation is loaded in a process of its own, and never in this one.
 * A copy of that process serves program after program until one kills it; then
 * the next copy does.
 */
#ifndef CBFUZZ_HARNESS_RUNNER_H
#define CBFUZZ_HARNESS_RUNNER_H

#include "harness/keeper.h"
#include "harness/session.h"

typedef struct {
    Session *session;
    Implementation *implementation;
    FILE *trace;  /* the trace of each run goes there, or NULL */
    double limit; /* seconds of processor time for one program */
    bool windows;
    pid_t keeper;          /* the process that the implementation is loaded in; 0: none */
    Keeper pipes;          /* to it */
    pid_t process;         /* its copy that serves; 0: none */
    int request, response; /* pipes to that */
    int unread;            /* the request pipe's other end */
    bool spoiled;          /* the session needs a reset */
    bool calibrated;
    bool broken; /* it cannot go on; `error` says why */
    int code;    /* exit code for that: 2, the implementation cannot be loaded; 3 */
    char error[1200];
} Runner;

/* False: no memory; `runner->error` says so. */
bool runner_open(Runner *runner, Implementation *implementation, bool windows);
void runner_close(Runner *runner);

/* The readings that the implementation shows (see calibrate.h) become the
 * session's. Runs once; also when the process dies of it. */
void runner_calibrate(Runner *runner);

/* The next program gets a process of its own, whatever earlier ones left behind. */
void runner_renew(Runner *runner);

/* Runs a program from these readings; the verdict is in runner->session->judgement,
 * and ->finding describes it if it is not "conforms". False: our own failure. */
bool runner_run(Runner *runner, const Program *program, Readings readings);

#endif
