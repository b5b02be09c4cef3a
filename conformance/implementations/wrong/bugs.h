/* Which bug this build has: -DBUG=BUG_NAME with a NAME of bugs.def; without it, none. */
#ifndef WRONG_BUGS_H
#define WRONG_BUGS_H

enum {
    BUG_none,
#define WRONG(name, clause, profile, statements, also, sentence) BUG_##name,
#include "bugs.def"
#undef WRONG
};

#ifndef BUG
#define BUG BUG_none
#endif

/* A misspelt name is an undeclared identifier here, not a build without a bug. */
#define bug(name) (BUG == BUG_##name)

#endif
