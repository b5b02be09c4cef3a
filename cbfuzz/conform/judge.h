/* Runs cases one after the other and says what became of each.
 *
 * What a case has shown of the readings holds for those that follow, so that an
 * implementation that takes one reading here and another there fails.
 */
#ifndef CBFUZZ_CONFORM_JUDGE_H
#define CBFUZZ_CONFORM_JUDGE_H

#include "conform/suite.h"
#include "harness/runner.h"

/* What is asked of the implementation. */
typedef enum {
    ASK_DOCUMENTED, /* cases of profile windows are skipped */
    ASK_WINDOWS,    /* all cases, in the profile windows */
    ASK_BOTH        /* each case in the profile that it is written for */
} Ask;

typedef struct {
    Runner runner;
    Readings readings[2];               /* shown so far: [1] in the profile windows */
    const Case *shown_by[2][QUESTIONS]; /* the case that ruled a reading out, or NULL */
    uint64_t statements, effective;
    uint32_t kinds; /* bit LINE_...: such a statement was run */
    unsigned hangs; /* cases so far */
    bool failed;    /* our own failure; runner.error says how */
} Judge;

/* False: no memory. */
bool judge_open(Judge *judge, Implementation *implementation);
void judge_close(Judge *judge);

/* Judges all cases that are CASE_NOT_RUN; those that take a reading as given come
 * last. Ends early, with cases not run, on interrupt_signal and on our own failure. */
void judge_suite(Judge *judge, Suite *suite, Ask ask);

#endif
