/* The trace: what was observed, line by line, in the words of scripts. No addresses. */
#ifndef CBFUZZ_HARNESS_TRACE_H
#define CBFUZZ_HARNESS_TRACE_H

#include "harness/executor.h"

/* A call begins; a routine is called; a call has returned. Objects (but the
 * system-defined ones, which have names) and registrations are numbered in the
 * order in which their addresses were first seen. */
void trace_call(Executor *executor, const Call *call);
void trace_enter(const Executor *executor, const Entry *entry);
void trace_return(Executor *executor, const Call *call);

/* The memory of an object that the last call was about has been freed. */
void trace_gone(Executor *executor, uint64_t pointer);
/* The call in progress will not return. */
void trace_abort(const Executor *executor, Verdict verdict);
/* The same where the process that ran it is gone. */
void trace_died(FILE *trace, Verdict verdict);
/* All was given back: is something left? */
void trace_left(const Executor *executor, bool leaked);

/* F1(0x10, 0x1, 0x2) */
void trace_print_event(FILE *out, const Event *event);

#endif
