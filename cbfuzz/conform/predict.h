/* What the reference machine alone says of a case: is it within the caller's rules? */
#ifndef CBFUZZ_CONFORM_PREDICT_H
#define CBFUZZ_CONFORM_PREDICT_H

#include "conform/suite.h"

typedef struct {
    bool legal;        /* under some reading it breaks no rule */
    ClauseSet misused; /* rules that it breaks, each under some reading */
    ClauseId clause;   /* one of them, CLAUSE_NONE if there is none, and the line there */
    uint32_t line;     /* index, NO_LINE at the end */
    bool partial; /* it expects what another reading or less room does not show, in this line */
    uint32_t partial_line;
} Prediction;

/* Runs the program on what an implementation that conforms would do, under each reading. */
Prediction predict(const Program *program, bool windows);

/* Breaking this rule of the caller's ends a program; other rules leave no trace. */
bool clause_can_be_misused(ClauseId clause);

#endif
