/* Which readings an implementation takes, asked by a few programs before the first run. */
#ifndef CBFUZZ_HARNESS_CALIBRATE_H
#define CBFUZZ_HARNESS_CALIBRATE_H

#include "harness/runner.h"

/* Runs the questions. Returns the readings that their outcomes leave of those that the profile
 * allows. A mistake in one reading that ends in a crash is an answer as well. What contradicts
 * every reading is no finding here: the programs that follow will meet it under the reading that
 * most take. */
Readings calibrate(Runner *runner);

#endif
