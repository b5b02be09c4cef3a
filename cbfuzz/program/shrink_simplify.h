/* The half of the shrinker that keeps the lines and makes them simpler. Private to it. */
#ifndef CBFUZZ_PROGRAM_SHRINK_SIMPLIFY_H
#define CBFUZZ_PROGRAM_SHRINK_SIMPLIFY_H

#include <setjmp.h>

#include "program/shrink.h"

typedef struct {
    Program *program;   /* the best so far */
    Program *candidate; /* what the next question is about */
    Program *edited;    /* room for a step between */
    ShrinkPredicate keeps;
    void *context;
    uint32_t asked;
    const uint32_t *budget;
    jmp_buf enough; /* where to when that many have been asked */
    bool progress;  /* in this round */
} Shrinker;

/* Asks about the candidate; if it keeps the property it becomes the program. */
bool shrink_ask(Shrinker *shrinker);

/* Each step goes towards one fixed end (0x10, 0x20, ... for contexts, 0x1 and 0x2
 * for arguments, F1 first, ...), so that a program at the end stays as it is. */
void shrink_simplify(Shrinker *shrinker);

#endif
