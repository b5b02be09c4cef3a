/* A script's own expectation: does what was seen meet what stands behind "->"? */
#ifndef CBFUZZ_HARNESS_EXPECTATION_H
#define CBFUZZ_HARNESS_EXPECTATION_H

#include "harness/executor.h"

/* Judges the call that was just made for this line. */
bool expectation_met(const Executor *executor, const Line *line);

/* Whose clause it is when the expectation is not met: the first one that the script is
 * about and that binds the implementation; CLAUSE_NONE without one. */
ClauseId expectation_clause(const Program *program);

/* The observed value in the words of a script. */
Value expectation_value(SpecValue seen);

#endif
