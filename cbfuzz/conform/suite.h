/* The cases: which there are, which were chosen, and what became of each. */
#ifndef CBFUZZ_CONFORM_SUITE_H
#define CBFUZZ_CONFORM_SUITE_H

#include "harness/finding.h"

typedef enum {
    CASE_NOT_RUN, /* yet, or because the run was interrupted */
    CASE_HOLDS,
    CASE_FAILS,
    CASE_KNOWN,   /* fails, and the baseline knows it */
    CASE_STALE,   /* holds, and the baseline says that it fails */
    CASE_SKIPPED, /* does not concern what was asked for; `reason` says why */
    CASE_WRONG,   /* has a mistake; `reason` says where and which */
    CASE_STATUSES
} CaseStatus;

/* "holds", "fails", ... */
const char *case_status_name(CaseStatus status);

/* Clauses as bits, CLAUSE_... */
typedef struct {
    uint64_t bits[2];
} ClauseSet;
static inline bool clause_set_has(const ClauseSet *set, ClauseId clause) {
    return set->bits[clause >> 6] >> (clause & 63) & 1;
}
static inline void clause_set_add(ClauseSet *set, ClauseId clause) {
    set->bits[clause >> 6] |= UINT64_C(1) << (clause & 63);
}

enum { CASE_CLAUSES = 64 /* more than a case of one point has; the rest is not looked at */ };

typedef struct {
    char *path;       /* opens the file */
    char *name;       /* below the suite's folder, "notify/order.cbs"; else the path */
    char *topic;      /* the name's folder, "" if it has none */
    char *intent;     /* its first comment, "" if it has none */
    Program *program; /* NULL when it could not be read */
    bool windows;     /* it says that it needs that profile */
    ClauseId clauses[CASE_CLAUSES]; /* in the order of the script: the first is its subject */
    unsigned clause_count;
    CaseStatus status;
    char *reason;        /* of CASE_SKIPPED, _WRONG, _KNOWN and _STALE; else NULL */
    bool ran;            /* what follows says something */
    Judgement judgement; /* of the run */
    Finding *finding;    /* if it is a finding or misuse; else NULL */
    char *note;          /* something to be said of the finding, or NULL */
    const char *before;  /* a case to be run before it, lest the finding does not show; or NULL */
    uint32_t line;       /* in the script, of the statement where it ended; 1 at least */
    char *where;         /* CASE_STALE: the baseline, and `line` is in it; else NULL */
    double seconds;
} Case;

/* Is it there no more, and only known from the baseline? */
static inline bool case_gone(const Case *one) {
    return one->status == CASE_STALE && !one->ran;
}

typedef struct {
    char *root; /* the suite's own folder, NULL if there is none */
    Case *cases;
    unsigned count, capacity;
    unsigned found; /* before --clause chose among them */
} Suite;

/* Which cases: files, folders, patterns; none: all of the suite's own folder. */
typedef struct {
    char **paths;
    int path_count;
    ClauseSet clauses; /* cases that name one of them; none: all */
    bool by_clause;
} Selection;

/* Finds and reads the cases. A case that cannot be read is CASE_WRONG; all others
 * are CASE_NOT_RUN. False: the selection is wrong or empty, `error` says how. */
bool suite_open(Suite *suite, const Selection *selection, char *error, size_t error_size);
void suite_free(Suite *suite);

/* The suite's own folder, conformance/cases below the current folder or beside the
 * folder of the executable; NULL if there is none. To be freed. */
char *suite_root(void);

/* What the case is called that `text` means: its name, or a path to its file. To be
 * freed; NULL: no memory. */
char *suite_name(const Suite *suite, const char *text);

/* Is there a file for a case of this name? */
bool suite_has_file(const Suite *suite, const char *name);

/* Appends a case without a program, of this name; NULL: no memory. Its place
 * in the order comes with suite_sort. */
Case *suite_add(Suite *suite, const char *path, const char *name);
void suite_sort(Suite *suite);

/* Takes the case out of the suite. */
void suite_remove(Suite *suite, unsigned index);

/* Sets status and reason (printf). */
void case_set(Case *one, CaseStatus status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
