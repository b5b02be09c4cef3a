/* Runs programs on the implementation alone: no machine, no trace, no judging.
 *
 * What the benchmark compares with: the same calls, and nothing else.
 */
#ifndef CBFUZZ_HARNESS_BARE_H
#define CBFUZZ_HARNESS_BARE_H

#include "harness/implementation.h"
#include "program/program.h"

/* Rewinds and runs a program that is known to conform, and gives back what it holds. */
void bare_run(Implementation *implementation, const Program *program);

#endif
