/* Starts and ends the processes that fuzz. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/supervisor.h"
#include "harness/guard.h"

enum { LOOK_MS = 5 /* between two looks at those that end */ };

void launch_reset(Fuzz *fuzz, Worker *worker) {
    Session *session = worker->session;
    bool windows = fuzz->options->windows, builtin = fuzz->options->implementation->builtin;
    if (!session_intact(session)) {
        session_reset(session, windows, builtin);
        session->readings = fuzz->usual;
    }
    session->windows = windows;
    session->builtin = builtin;
    session->busy = worker->hung = false;
    session->crash_kind[0] = session->crash_detail[0] = 0;
    worker->mailbox->found = false;
    worker->copy = 0;
    worker->seen_runs = session->runs;
    worker->seen_seconds = worker->begun_seconds = 0;
    worker->seen_at = clock_now();
}

/* In the new process. */
_Noreturn static void work(const Fuzz *fuzz, Workplace *workplace, int argc, char **argv) {
    keeper_settle();
    guard_memory();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0), dup2(null, 1);
    if (!getenv("CBFUZZ_DEBUG")) dup2(null, 2);
    workplace->implementation = fuzz->options->implementation;
    if (!implementation_load(workplace->implementation, workplace->mailbox->error,
                             sizeof workplace->mailbox->error))
        _exit(WORKER_NOT_LOADED);
    worker_main(workplace, argc, argv);
}

static void launch(Fuzz *fuzz, Worker *worker, uint32_t corpus, int argc, char **argv) {
    Workplace workplace = {.session = worker->session,
                           .shared = fuzz->shared,
                           .mailbox = worker->mailbox,
                           .keep_going = fuzz->options->keep_going,
                           .runs = fuzz->options->runs,
                           .corpus = corpus};
    launch_reset(fuzz, worker);
    worker->has_copies = false;
    keeper_close(&worker->pipes);
    if (!keeper_pipes(&worker->pipes, &workplace.keeper)) {
        supervisor_fail(fuzz, 3, strerror(errno));
        return;
    }
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        keeper_close(&worker->pipes);
        work(fuzz, &workplace, argc, argv);
    }
    keeper_close(&workplace.keeper);
    if (process < 0) supervisor_fail(fuzz, 3, strerror(errno));
    else worker->process = process;
}

void launch_worker(Fuzz *fuzz, Worker *worker) {
    char out[320], list[320], seed[64], inputs[360], prefix[320], reload[32], length[32];
    long programs = workdir_list(&fuzz->workdir, list, sizeof list);
    if (programs < 0 || !workdir_out(&fuzz->workdir, out, sizeof out)) {
        supervisor_fail(fuzz, 3, fuzz->workdir.error);
        return;
    }
    uint32_t number = (uint32_t)(fuzz->options->seed * 2654435761u + fuzz->starts++ * 40503u);
    snprintf(seed, sizeof seed, "-seed=%u", number ? number : 1);
    snprintf(inputs, sizeof inputs, "-seed_inputs=@%s", list);
    snprintf(prefix, sizeof prefix, "-artifact_prefix=%s/libfuzzer-", fuzz->workdir.path);
    snprintf(reload, sizeof reload, "-reload=%d", fuzz->options->jobs > 1);
    /* What is generated is short; programs of the corpus are replayed in full. */
    size_t longest = fuzz->workdir.largest;
    snprintf(length, sizeof length, "-max_len=%zu",
             longest > FUZZ_PROGRAM_BYTES ? longest : FUZZ_PROGRAM_BYTES);
    const char *fixed[] = {"cbfuzz",
                           seed,
                           prefix,
                           reload,
                           length,
                           "-len_control=0",
                           "-detect_leaks=0",
                           "-handle_segv=0",
                           "-handle_bus=0",
                           "-handle_abrt=0",
                           "-handle_ill=0",
                           "-handle_fpe=0",
                           "-handle_int=0",
                           "-handle_term=0",
                           "-handle_xfsz=0",
                           "-handle_usr1=0",
                           "-handle_usr2=0",
                           "-timeout=0",
                           "-rss_limit_mb=0",
                           "-verbosity=0"};
    char *arguments[256];
    int used = 0;
    for (unsigned i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        arguments[used++] = (char *)fixed[i];
    if (programs && fuzz->lost_seeds < LOST_SEEDS) arguments[used++] = inputs;
    for (char **flag = fuzz->options->flags; flag && *flag && used < 250; flag++)
        arguments[used++] = *flag;
    arguments[used++] = out;
    arguments[used] = NULL;
    launch(fuzz, worker, (uint32_t)programs, used, arguments);
}

bool launch_hear(Worker *worker, int *status) {
    KeeperNews news;
    bool gone;
    while (worker->process && keeper_news(&worker->pipes, &news, &gone)) {
        worker->has_copies = true;
        worker->copy = news.ended ? 0 : news.process;
        if (news.ended) *status = news.status;
        if (news.ended) return true;
    }
    return false;
}

static void kill_worker(Worker *worker) {
    keeper_end(worker->copy);
    keeper_end(worker->process);
    if (worker->process) waitpid(worker->process, NULL, 0);
    worker->process = worker->copy = 0;
}

void launch_stop_all(Fuzz *fuzz) {
    supervisor_end(fuzz);
    double until = clock_now() + 1.0;
    struct timespec pause = {0, LOOK_MS * 1000000};
    for (unsigned i = 0; i < fuzz->options->jobs; i++) {
        Worker *worker = &fuzz->workers[i];
        int status;
        while (worker->process && waitpid(worker->process, &status, WNOHANG) == 0) {
            bool died =
                launch_hear(worker, &status) && !(WIFEXITED(status) && !WEXITSTATUS(status));
            if (died || clock_now() > until) kill_worker(worker);
            else nanosleep(&pause, NULL);
        }
        worker->process = 0;
        keeper_close(&worker->pipes);
    }
}
