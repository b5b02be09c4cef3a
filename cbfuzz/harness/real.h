/* The actor that calls the implementation under test. */
#ifndef CBFUZZ_HARNESS_REAL_H
#define CBFUZZ_HARNESS_REAL_H

#include "harness/executor.h"
#include "harness/implementation.h"

/* Makes `executor` call this implementation; one executor per process does. */
void real_attach(Executor *executor, Implementation *implementation);

/* Rewinds, runs the program and judges it. What the implementation does to the
 * process (signals, exits) is for the caller to watch: see session.h. */
void real_run(Executor *executor, const Program *program, bool windows, Readings readings,
              Judgement *judgement);

/* The same for a program that is written while it runs, see executor_drive. */
void real_drive(Executor *executor, const Program *program, bool windows, Readings readings,
                Judgement *judgement, void (*drive)(void *context), void *context);

/* Reads memory that an implementation says is there, without trusting it. */
bool real_read(void *to, const void *from, size_t size);

/* The function above all frames of a call into the implementation; see frames.h. */
extern const void *const real_boundary;

#endif
