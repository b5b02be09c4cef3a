/* Makes programs: new ones, changed ones, mixed ones, steered by the machine's state.
 *
 * A program is written while it runs: each statement is chosen by what it would
 * do in the state that the implementation and the machine have reached together
 * (registrations alive, objects open, names taken), and is run before the next
 * is chosen. Each program uses its own subset of the kinds of statements (swarm
 * testing).
 */
#ifndef CBFUZZ_GENERATE_GENERATE_H
#define CBFUZZ_GENERATE_GENERATE_H

#include "generate/random.h"
#include "harness/executor.h"
#include "program/journal.h"

typedef struct Generator Generator;

/* What to make, from what. */
typedef struct {
    uint64_t seed;    /* the same seed makes the same program on the same implementation */
    uint32_t length;  /* statements at top level, at most about so many */
    Program *program; /* is replaced */
    /* Made from these, which may be scribbled over; NULL: from nothing. */
    Program *first, *second;
    uint32_t room;    /* it has no more bytes than so many */
    Journal *journal; /* follows it while it is run, so that it survives a crash */
} Recipe;

/* NULL when memory is short. */
Generator *generator_new(void);
void generator_free(Generator *generator);

/* Sets what generator_drive makes, for a run of this executor. */
void generator_prepare(Generator *generator, Executor *executor, const Recipe *recipe);

/* For executor_drive; the context is the generator. */
void generator_drive(void *generator);

#endif
