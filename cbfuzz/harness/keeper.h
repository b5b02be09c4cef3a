/* A process that keeps the state it has, while copies of it do the work and die of it.
 *
 * What costs time to reach (an implementation that is loaded, a corpus that has
 * been read) is there again as soon as the next copy is forked.
 */
#ifndef CBFUZZ_HARNESS_KEEPER_H
#define CBFUZZ_HARNESS_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

enum { KEEPER_AGAIN = 78 /* with this code a process asks for another one in its place */ };

/* The pipes between it and whoever watches. */
typedef struct {
    int news, go;
    ino_t news_id, go_id; /* the keeper's: it can tell when they are no longer what they were */
} Keeper;

/* What it tells. */
typedef struct {
    pid_t process; /* of the copy */
    bool ended;    /* else it has begun */
    int status;    /* waitpid's; stopped counts as an end */
} KeeperNews;

/* Makes both pipes: `watcher` keeps one pair of ends, `keeper` the other. */
bool keeper_pipes(Keeper *watcher, Keeper *keeper);
void keeper_close(Keeper *keeper);

/* Makes this process, which was forked to be watched, one that ends with its parent,
 * alone in a group that can be killed as a whole. */
void keeper_settle(void);

/* Returns in a copy of this process. When that has ended, `after` says whether there
 * is to be another one, and it returns in that, as soon as the watcher says so; or
 * this process ends with a code. `after` returns -1 for another copy. */
void keeper_stay(const Keeper *keeper, int (*after)(int status));

/* In the watcher. The next news, if there is any; false: there is none. *gone: nor will there be.
 */
bool keeper_news(const Keeper *keeper, KeeperNews *news, bool *gone);

/* Ends a process and its group, if there is one (0: nothing is done). */
void keeper_end(pid_t process);

/* The next copy may start. */
void keeper_go(const Keeper *keeper);

#endif
