/* Makes programs: new ones, changed ones, mixed ones, steered by the machine's state.
 *
 * Each statement is chosen by what it would do in the state that the program
 * has reached: registrations alive, objects open, names taken. Each program
 * uses its own subset of the kinds of statements (swarm testing).
 */
#ifndef CBFUZZ_GENERATE_GENERATE_H
#define CBFUZZ_GENERATE_GENERATE_H

#include "generate/random.h"
#include "harness/executor.h"

typedef struct Generator Generator;

/* NULL when memory is short. */
Generator *generator_new(void);
void generator_free(Generator *generator);

/* What programs are made for from now on: profile and readings steer what would
 * be misuse. `system`, `processors` as in Start. */
void generator_aim(Generator *generator, const Start *start);

/* Each replaces what `to` holds; the same seed gives the same program. At most
 * about `length` statements at top level. What a program is made from may be
 * scribbled over. */
void generate_new(Generator *generator, uint64_t seed, Program *to, uint32_t length);
void generate_mutant(Generator *generator, uint64_t seed, Program *to, Program *from,
                     uint32_t length);
void generate_cross(Generator *generator, uint64_t seed, Program *to, Program *first,
                    Program *second, uint32_t length);

#endif
