/* Makes a finding's program smaller without changing what it shows. */
#ifndef CBFUZZ_FUZZ_MINIMIZE_H
#define CBFUZZ_FUZZ_MINIMIZE_H

#include "harness/runner.h"

/* Shrinks `program`, which showed `signature` from `readings`. On return
 * runner->session->finding describes what the smaller program shows. Returns
 * false when the program does not show it again, and leaves it as it was. After
 * so many seconds (INFINITY: however long it takes), so many calls, or at an
 * interrupt it ends early, with what has been reached. */
bool minimize(Runner *runner, Program *program, Readings readings, const char *signature,
              double seconds);

/* Writes down in the program what it is about: its clause, the profile if it
 * needs windows, and the readings that it takes as given, where from `usual`
 * readings it would show something else. Then its finding is described anew. */
void annotate(Runner *runner, Program *program, Readings readings, Readings usual,
              const char *signature);

#endif
