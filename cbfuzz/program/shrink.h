/* Makes a program smaller while it keeps a property; knows nothing else.
 *
 * Passes: empty bodies, whose calls multiply; remove runs of lines (halves first,
 * then single ones, bodies whole and from inside); then simplify: numbers towards
 * 0x1/0x10.., flags off, names towards the first ones of the dictionary, routines
 * towards F1, expectations and notes away, custom names of variables away. All but
 * the first repeat until a whole round makes no progress; a pass that made none
 * makes none when run again.
 */
#ifndef CBFUZZ_PROGRAM_SHRINK_H
#define CBFUZZ_PROGRAM_SHRINK_H

#include "program/program.h"

/* Does this candidate still have the property? */
typedef bool (*ShrinkPredicate)(void *context, const Program *candidate);

/* `program` has the property (the predicate is not asked about it first). At
 * most `*budget` questions are asked, and none any more once `keeps` has made that 0;
 * returns how many were. Deterministic. */
uint32_t program_shrink(Program *program, ShrinkPredicate keeps, void *context,
                        const uint32_t *budget);

#endif
