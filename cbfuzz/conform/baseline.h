/* The known failures of an implementation: one line each, CASE  # REASON. */
#ifndef CBFUZZ_CONFORM_BASELINE_H
#define CBFUZZ_CONFORM_BASELINE_H

#include "conform/suite.h"

typedef struct {
    char *text;    /* the line as it stands in the file */
    char *name;    /* of the case; NULL for a comment or an empty line */
    char *reason;  /* "" only for a comment */
    unsigned line; /* 1-based */
    bool obsolete; /* the case holds, or there is none of that name any more */
} BaselineLine;

typedef struct {
    const char *path;
    BaselineLine *lines;
    unsigned count;
    bool crlf; /* its lines end as those of Windows' editors do */
} Baseline;

/* Reads a file. False: `error` is one line, FILE:LINE: what is wrong. A missing file
 * is empty if it `may_miss`. */
bool baseline_read(Baseline *baseline, const char *path, bool may_miss, char *error,
                   size_t error_size);
void baseline_free(Baseline *baseline);

/* Failing cases that it has become CASE_KNOWN, holding ones CASE_STALE. What is there
 * no more, selected or not, becomes a case, stale as well. False: no memory. */
bool baseline_apply(Baseline *baseline, Suite *suite);

/* The file as it should be: obsolete entries are gone, cases that fail newly are in
 * it with what they show as the reason, all else stays as it was. To be freed. */
char *baseline_updated(const Baseline *baseline, const Suite *suite, size_t *size);

/* And what that makes of the cases: nothing is new or stale any more. */
void baseline_accept(Suite *suite);

#endif
