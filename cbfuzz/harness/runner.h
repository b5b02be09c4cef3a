/* Runs programs one at a time in a process of their own, and survives what they do.
 *
 * The process is forked from this one, in which the implementation is loaded,
 * and serves program after program until one kills it.
 */
#ifndef CBFUZZ_HARNESS_RUNNER_H
#define CBFUZZ_HARNESS_RUNNER_H

#include "harness/session.h"

typedef struct {
    Session *session;
    Implementation *implementation;
    FILE *trace;           /* the trace of each run goes there, or NULL */
    double limit;          /* seconds of processor time for one program */
    pid_t process;         /* 0: none */
    int request, response; /* pipes */
    bool broken;           /* our own code failed; `error` says how */
    char error[256];
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
