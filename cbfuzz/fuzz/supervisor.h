/* What the parts of a fuzz run share: who works, what was found, when it is over. */
#ifndef CBFUZZ_FUZZ_SUPERVISOR_H
#define CBFUZZ_FUZZ_SUPERVISOR_H

#include "fuzz/fuzz.h"
#include "fuzz/workdir.h"
#include "fuzz/worker.h"
#include "harness/clock.h"

enum { LOST_SEEDS = 3 /* deadly ones that cannot be told: then it goes on without seeds */ };

/* A process that fuzzes, and its copies. */
typedef struct {
    Mailbox *mailbox;
    Session *session;
    pid_t process; /* 0: none */
    pid_t copy;    /* that works in its place; 0: none, or none yet */
    bool has_copies, hung;
    uint64_t killed_runs; /* programs when it was killed last */
    unsigned kills;
    Keeper pipes;
    uint64_t seen_runs, seen_progress;
    double seen_seconds, seen_at; /* processor time and clock then */
    double begun_seconds;         /* processor time when the program was first seen */
    unsigned barren;
} Worker;

/* A run. */
typedef struct {
    const FuzzOptions *options;
    const FuzzListener *listener;
    FuzzResult *result;
    FuzzShared *shared;
    Worker workers[FUZZ_JOBS];
    Workdir workdir;
    Runner runner;
    Readings usual; /* from which a finding's file will be run later */
    Program *program;
    uint64_t starts;
    bool over;                        /* no more programs are to be run */
    uint64_t deaths[FUZZ_SIGNATURES]; /* of processes, see session_death; and how many */
    unsigned death_count;
    unsigned hangs, lost_seeds;
    double begun;
    char *error;
    size_t error_size;
    int code;
} Fuzz;

/* Ends the run with this code; returns it. */
int supervisor_fail(Fuzz *fuzz, int code, const char *text);
/* No more programs are to be run. */
void supervisor_end(Fuzz *fuzz);

/* launch.c: starts a process that fuzzes, with all programs there are. */
void launch_worker(Fuzz *fuzz, Worker *worker);
/* Makes what it shares ready for a process or a copy that begins to work. */
void launch_reset(Fuzz *fuzz, Worker *worker);
/* Has a copy ended? Then the process waits for a word. */
bool launch_hear(Worker *worker, int *status);
/* Ends all processes: they have a second to do it themselves. */
void launch_stop_all(Fuzz *fuzz);

/* burial.c: takes the finding that a process has handed over, if there is one. */
void burial_take_mail(Fuzz *fuzz, Worker *worker);
/* A process, or its copy, has ended by itself or was stopped: what does that say? */
void burial_bury(Fuzz *fuzz, Worker *worker, int status, bool hung);

#endif
