/* What a run of the suite comes to, as all reports tell it. */
#ifndef CBFUZZ_CONFORM_SUMMARY_H
#define CBFUZZ_CONFORM_SUMMARY_H

#include "conform/judge.h"

typedef struct {
    const Suite *suite;
    const char *implementation; /* "builtin", or a path */
    Ask ask;
    unsigned counts[CASE_STATUSES];
    unsigned cases;              /* that there are */
    unsigned gone;               /* and those that only the baseline knows: stale as well */
    unsigned misuse;             /* of those that hold: they show a rule of the caller's */
    ClauseSet named;             /* by cases that ran */
    unsigned covered, coverable; /* clauses of the profiles asked for */
    Readings readings;           /* shown */
    uint64_t statements, effective;
    uint32_t kinds; /* bit LINE_...: such a statement was run */
    double seconds;
} Summary;

Summary summary_of(const Suite *suite, const Judge *judge, Ask ask, double seconds);

/* Does the clause belong to the profiles that were asked for? */
bool summary_asks(const Summary *summary, ClauseId clause);

#endif
