/* Watches the processes of a fuzz run: limits, findings, restarts, the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/artifact.h"
#include "fuzz/supervisor.h"
#include "harness/interrupt.h"

enum {
    LOOK_MS = 5,        /* between two looks at the processes */
    STATUS_MS = 250,    /* between two calls of the listener */
    EXPORT_SECONDS = 30 /* new programs reach the corpus folder at least so often */
};
static const double program_limit = 1.0;  /* seconds of processor time for one program */
static const double waiting_limit = 10.0; /* and by the clock, for one that waits */
static const double repeated_limit = 0.1; /* once one has hung: many may, and each is asked again */

int supervisor_fail(Fuzz *fuzz, int code, const char *text) {
    snprintf(fuzz->error, fuzz->error_size, "%s", text);
    return fuzz->code = code;
}

void supervisor_end(Fuzz *fuzz) {
    fuzz->over = true;
    fuzz->shared->stop = FUZZ_STOP;
}

bool fuzz_clause_counts(ClauseId clause, bool windows) {
    const Clause *row = clause_get(clause);
    return clause != CLAUSE_NONE && (row->judged == JUDGED_STEP || row->judged == JUDGED_END) &&
           (windows || row->profile == PROFILE_DOCUMENTED);
}

unsigned fuzz_clauses(bool windows, const uint64_t exercised[2]) {
    unsigned count = 0;
    for (unsigned i = 1; i < CLAUSES; i++)
        count += fuzz_clause_counts((ClauseId)i, windows) &&
                 (!exercised || (exercised[i >> 6] >> (i & 63) & 1));
    return count;
}

/* Brings the result up to date. */
static void count(Fuzz *fuzz) {
    FuzzResult *result = fuzz->result;
    result->programs = fuzz->shared->programs;
    result->statements = fuzz->shared->statements;
    result->effective = fuzz->shared->effective;
    result->kinds = fuzz->shared->kinds;
    result->states = fuzz->shared->state_count;
    result->seconds = clock_now() - fuzz->begun;
    result->clauses[0] = result->clauses[1] = 0;
    for (unsigned i = 0; i < fuzz->options->jobs; i++)
        for (unsigned word = 0; word < 2; word++)
            result->clauses[word] |= fuzz->workers[i].session->executor.machine.exercised[word];
    result->exercised = fuzz_clauses(fuzz->options->windows, result->clauses);
    result->exercisable = fuzz_clauses(fuzz->options->windows, NULL);
    result->readings = fuzz->workers[0].session->readings;
}

static bool is_over(const Fuzz *fuzz) {
    return fuzz->over || fuzz->code ||
           (fuzz->options->runs && fuzz->shared->programs >= fuzz->options->runs);
}

/* Is it at one program for too long? */
static bool is_stuck(Fuzz *fuzz, Worker *worker, pid_t process) {
    Session *session = worker->session;
    double seconds = process_seconds(process);
    double limit = fuzz->hangs ? repeated_limit : program_limit;
    bool another = session->runs != worker->seen_runs || !session->busy;
    if (another || session_progress(session) != worker->seen_progress) {
        if (another) worker->begun_seconds = seconds;
        if (session->runs != worker->seen_runs) worker->barren = 0;
        worker->seen_runs = session->runs;
        worker->seen_progress = session_progress(session);
        worker->seen_seconds = seconds;
        worker->seen_at = clock_now();
        return seconds - worker->begun_seconds > limit * SLOW_FACTOR;
    }
    return seconds - worker->seen_seconds > limit || clock_now() - worker->seen_at > waiting_limit;
}

static void look_after(Fuzz *fuzz, Worker *worker) {
    int status;
    if (!worker->process) {
        if (!is_over(fuzz)) launch_worker(fuzz, worker);
        return;
    }
    burial_take_mail(fuzz, worker);
    if (launch_hear(worker, &status)) { /* it waits, or ends */
        burial_bury(fuzz, worker, status, worker->hung);
        launch_reset(fuzz, worker);
        keeper_go(&worker->pipes);
        return;
    }
    if (waitpid(worker->process, &status, WNOHANG) == worker->process) {
        kill(-worker->process, SIGKILL); /* what it may have started itself */
        worker->process = 0;
        burial_bury(fuzz, worker, status, false);
        return;
    }
    pid_t process = worker->has_copies ? worker->copy : worker->process;
    if (!process || worker->hung || !is_stuck(fuzz, worker, process)) return;
    session_sample(worker->session, process);
    worker->hung = worker->has_copies; /* its end will be heard of */
    keeper_end(process);
    if (worker->has_copies) return;
    waitpid(process, &status, 0);
    worker->process = 0;
    burial_bury(fuzz, worker, status, true);
}

static bool all_done(const Fuzz *fuzz) {
    for (unsigned i = 0; i < fuzz->options->jobs; i++)
        if (fuzz->workers[i].process || fuzz->workers[i].mailbox->found) return false;
    return is_over(fuzz);
}

/* Until there is news, or for a moment. */
static void pause_until_news(const Fuzz *fuzz) {
    struct pollfd wait[FUZZ_JOBS];
    for (unsigned i = 0; i < fuzz->options->jobs; i++)
        wait[i] = (struct pollfd){.fd = fuzz->workers[i].process ? fuzz->workers[i].pipes.news : -1,
                                  .events = POLLIN};
    poll(wait, fuzz->options->jobs, LOOK_MS);
}

static void watch(Fuzz *fuzz) {
    double told = 0, exported = fuzz->begun;
    while (!all_done(fuzz)) {
        for (unsigned i = 0; i < fuzz->options->jobs; i++)
            look_after(fuzz, &fuzz->workers[i]);
        double time = clock_now();
        bool over = fuzz->options->seconds > 0 && time - fuzz->begun >= fuzz->options->seconds;
        if (over || interrupt_signal || fuzz->code) break;
        if (time - told >= STATUS_MS / 1000.0) {
            told = time;
            count(fuzz);
            fuzz->result->corpus = workdir_count(&fuzz->workdir);
            fuzz->listener->status(fuzz->listener->context, fuzz->result);
        }
        if (time - exported >= EXPORT_SECONDS && fuzz->options->corpus[0]) {
            exported = time;
            workdir_export(&fuzz->workdir, fuzz->options->corpus[0]);
        }
        pause_until_news(fuzz);
    }
    launch_stop_all(fuzz);
    for (unsigned i = 0; i < fuzz->options->jobs; i++)
        burial_take_mail(fuzz, &fuzz->workers[i]);
}

static void *share(size_t size) {
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static int prepare(Fuzz *fuzz) {
    const FuzzOptions *options = fuzz->options;
    fuzz->program = program_new();
    fuzz->shared = share(sizeof *fuzz->shared);
    if (!fuzz->program || !fuzz->shared) return supervisor_fail(fuzz, 3, "out of memory");
    if (!artifact_folder(options->artifacts, fuzz->error, fuzz->error_size))
        return fuzz->code = file_exit_code(errno);
    if (!runner_open(&fuzz->runner, options->implementation, options->windows))
        return supervisor_fail(fuzz, 3, fuzz->runner.error);
    runner_calibrate(&fuzz->runner);
    if (fuzz->runner.broken) return supervisor_fail(fuzz, fuzz->runner.code, fuzz->runner.error);
    fuzz->usual = fuzz->runner.session->readings;
    for (unsigned i = 0; i < options->jobs; i++) {
        Worker *worker = &fuzz->workers[i];
        worker->mailbox = share(sizeof *worker->mailbox);
        worker->session = session_new(options->windows);
        if (!worker->mailbox || !worker->session) return supervisor_fail(fuzz, 3, "out of memory");
        worker->session->readings = fuzz->usual;
    }
    if (!workdir_open(&fuzz->workdir)) return supervisor_fail(fuzz, 3, fuzz->workdir.error);
    if (!workdir_seed(&fuzz->workdir, options->corpus, options->windows))
        return supervisor_fail(fuzz, fuzz->workdir.request_wrong ? 2 : 3, fuzz->workdir.error);
    /* Better now than after hours. */
    if (options->corpus[0] &&
        !folder_probe(options->corpus[0], "new programs go to the first folder: name one for them",
                      fuzz->error, fuzz->error_size))
        return fuzz->code = file_exit_code(errno);
    return 0;
}

static void clean_up(Fuzz *fuzz) {
    for (unsigned i = 0; i < fuzz->options->jobs; i++) {
        Worker *worker = &fuzz->workers[i];
        session_free(worker->session);
        if (worker->mailbox) munmap(worker->mailbox, sizeof *worker->mailbox);
    }
    workdir_close(&fuzz->workdir);
    if (fuzz->runner.session) runner_close(&fuzz->runner);
    program_free(fuzz->program);
    if (fuzz->shared) munmap(fuzz->shared, sizeof *fuzz->shared);
}

int fuzz_run(const FuzzOptions *options, const FuzzListener *listener, FuzzResult *result,
             char *error, size_t error_size) {
    Fuzz *fuzz = calloc(1, sizeof *fuzz);
    memset(result, 0, sizeof *result);
    error[0] = 0;
    if (!fuzz) {
        snprintf(error, error_size, "out of memory");
        return 3;
    }
    fuzz->options = options;
    fuzz->listener = listener;
    fuzz->result = result;
    fuzz->error = error;
    fuzz->error_size = error_size;
    fuzz->begun = clock_now();
    if (prepare(fuzz) == 0) {
        fuzz->begun = clock_now();
        watch(fuzz);
        count(fuzz);
        result->corpus = workdir_count(&fuzz->workdir);
        if (options->corpus[0] && !workdir_export(&fuzz->workdir, options->corpus[0]))
            supervisor_fail(fuzz, 3, fuzz->workdir.error);
    }
    int code = fuzz->code;
    clean_up(fuzz);
    free(fuzz);
    return code;
}

void fuzz_result_free(FuzzResult *result) {
    free(result->findings);
    result->findings = NULL;
}
