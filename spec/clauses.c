/* The clause register as a table. */
#include "clauses.h"

#include <stddef.h>
#include <string.h>

static char names[CLAUSES][48];

static Clause rows[CLAUSES] = {
    [CLAUSE_NONE] = {"", BINDS_IMPLEMENTATION, PROFILE_DOCUMENTED, JUDGED_NEVER, "", "", "", ""},
#define CLAUSE(id, binds, profile, judged, document, section, text, how)                           \
    [CLAUSE_##id] = {                                                                              \
        #id, BINDS_##binds, PROFILE_##profile, JUDGED_##judged, document, section, text, how},
#include "clauses.def"
#undef CLAUSE
};

/* Spells A_B as A-B, once. */
static void spell(void) {
    if (names[1][0]) return;
    for (unsigned i = 1; i < CLAUSES; i++) {
        size_t length = strlen(rows[i].id);
        for (size_t at = 0; at < length; at++)
            names[i][at] = rows[i].id[at] == '_' ? '-' : rows[i].id[at];
        rows[i].id = names[i];
    }
}

const Clause *clause_get(ClauseId id) {
    spell();
    return &rows[id < CLAUSES ? id : CLAUSE_NONE];
}

ClauseId clause_find(const char *name) {
    spell();
    for (unsigned i = 1; i < CLAUSES; i++)
        if (strcmp(rows[i].id, name) == 0) return (ClauseId)i;
    return CLAUSE_NONE;
}

const char *profile_name(Profile profile) {
    return profile == PROFILE_WINDOWS ? "windows" : "documented";
}
