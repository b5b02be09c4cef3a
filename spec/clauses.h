/* The clause register: every requirement with its place, whom it binds and how it is judged. */
#ifndef CBFUZZ_SPEC_CLAUSES_H
#define CBFUZZ_SPEC_CLAUSES_H

typedef enum {
    CLAUSE_NONE,
#define CLAUSE(id, ...) CLAUSE_##id,
#include "clauses.def"
#undef CLAUSE
    CLAUSES
} ClauseId;

typedef enum { BINDS_IMPLEMENTATION, BINDS_CALLER } ClauseBinds;
typedef enum { PROFILE_DOCUMENTED, PROFILE_WINDOWS } Profile;
typedef enum { JUDGED_STEP, JUDGED_END, JUDGED_THREADS, JUDGED_NEVER } ClauseJudged;

typedef struct {
    const char *id; /* "NOTIFY-ORDER" */
    ClauseBinds binds;
    Profile profile;
    ClauseJudged judged;
    const char *document, *section;
    const char *text; /* the requirement, one line */
    const char *how;  /* how it is judged, or why not */
} Clause;

/* The row of a clause; CLAUSE_NONE has empty strings. */
const Clause *clause_get(ClauseId id);

/* The clause of that name, CLAUSE_NONE if there is none. */
ClauseId clause_find(const char *name);

/* "documented", "windows" */
const char *profile_name(Profile profile);

#endif
