/* The trace: what was observed, line by line, in the words of scripts. No addresses. */
#ifndef CBFUZZ_HARNESS_TRACE_H
#define CBFUZZ_HARNESS_TRACE_H

#include "harness/executor.h"

void trace_call(const Executor *executor);
void trace_enter(const Executor *executor, const Entry *entry);
void trace_return(const Executor *executor, const Call *call);

/* F1(0x10, 0x1, 0x2) */
void trace_print_event(FILE *out, const Event *event);

#endif
