/* The actor that needs no implementation: it does what the reference machine predicts.
 *
 * With it the executor runs a program that is still being written, so that the
 * generator sees the state that the next statement will meet.
 */
#ifndef CBFUZZ_GENERATE_PREDICT_H
#define CBFUZZ_GENERATE_PREDICT_H

#include "harness/executor.h"

/* Makes `executor` predict. */
void predict_attach(Executor *executor);

#endif
