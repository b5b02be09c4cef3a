/* Which readings an implementation takes, asked by a few programs before the first run. */
#ifndef CBFUZZ_HARNESS_CALIBRATE_H
#define CBFUZZ_HARNESS_CALIBRATE_H

#include "harness/executor.h"

/* Runs the questions on what the executor is attached to (real_attach). Returns
 * the readings that their outcomes leave of those that the profile allows. What
 * contradicts every reading is no finding here: the programs that follow will
 * meet it under the reading that most take. */
Readings calibrate(Executor *executor, bool windows);

/* The readings to go on with when calibrate itself did not survive. */
Readings calibrate_fallback(bool windows);

#endif
