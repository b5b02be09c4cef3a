/* Runs programs one at a time in a process of their own, and survives what they do. */
#define _GNU_SOURCE
#include "harness/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/calibrate.h"
#include "program/bytes.h"

enum {
    REQUEST_RUN = 'r',
    REQUEST_CALIBRATE = 'c',
    SLICE_MS = 20,  /* how often a silent process is looked at */
    WALL_FACTOR = 8 /* a process that waits instead of running gets so many limits */
};

bool runner_open(Runner *runner, Implementation *implementation, bool windows) {
    *runner = (Runner){.implementation = implementation, .limit = 1.0};
    runner->session = session_new(windows);
    if (!runner->session) snprintf(runner->error, sizeof runner->error, "no memory for a session");
    else runner->session->explain = true;
    return runner->session != NULL;
}

static void stop_process(Runner *runner, int *status) {
    if (!runner->process) return;
    kill(runner->process, SIGKILL);
    waitpid(runner->process, status, 0);
    close(runner->request);
    close(runner->response);
    runner->process = 0;
}

void runner_renew(Runner *runner) {
    int status;
    stop_process(runner, &status);
}

void runner_close(Runner *runner) {
    runner_renew(runner);
    session_free(runner->session);
    runner->session = NULL;
}

/* The implementation's own output goes nowhere. */
static void silence(const FILE *keep) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    if (!keep || fileno((FILE *)keep) != 1) dup2(null, 1);
    if (!getenv("CBFUZZ_DEBUG")) dup2(null, 2);
}

static void serve(Runner *runner, int request, int response) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); /* the watcher decides when to stop */
    signal(SIGTERM, SIG_IGN);
    Session *session = runner->session;
    silence(runner->trace);
    session_watch(session, runner->implementation);
    session->executor.trace = runner->trace;
    Program *program = program_new();
    char what;
    while (program && read(request, &what, 1) == 1) {
        if (what == REQUEST_CALIBRATE) {
            session->executor.trace = NULL;
            session->busy = true;
            session->readings = calibrate(&session->executor, session->windows);
            session->calibrated = true;
            session->busy = false;
            session->executor.trace = runner->trace;
        } else {
            bytes_decode(program, session->bytes, session->size);
            session_run(session, program);
        }
        if (write(response, &what, 1) != 1) break;
    }
    _exit(0);
}

static bool start_process(Runner *runner) {
    int request[2], response[2];
    if (pipe2(request, O_CLOEXEC) != 0) return false;
    if (pipe2(response, O_CLOEXEC) != 0) {
        close(request[0]), close(request[1]);
        return false;
    }
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        close(request[1]), close(response[0]);
        serve(runner, request[0], response[1]);
    }
    close(request[0]), close(response[1]);
    runner->request = request[1];
    runner->response = response[0];
    runner->process = process < 0 ? 0 : process;
    return process > 0;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

typedef enum { ANSWERED, DIED, HUNG } Ending;

static Ending await(Runner *runner) {
    double begun = now(), used = process_seconds(runner->process);
    struct pollfd wait = {.fd = runner->response, .events = POLLIN};
    for (;;) {
        int ready = poll(&wait, 1, SLICE_MS);
        if (ready < 0 && errno == EINTR) continue;
        if (ready > 0) {
            char what;
            return read(runner->response, &what, 1) == 1 ? ANSWERED : DIED;
        }
        double spent = process_seconds(runner->process) - used;
        if (spent > runner->limit || now() - begun > runner->limit * WALL_FACTOR) return HUNG;
    }
}

/* Sends a request; on anything but an answer the process is gone afterwards. */
static bool request(Runner *runner, char what, Ending *ending, int *status) {
    if (!runner->process && !start_process(runner)) {
        runner->broken = true;
        snprintf(runner->error, sizeof runner->error, "no process: %s", strerror(errno));
        return false;
    }
    *ending = write(runner->request, &what, 1) == 1 ? await(runner) : DIED;
    if (*ending != ANSWERED) stop_process(runner, status);
    return true;
}

void runner_calibrate(Runner *runner) {
    Session *session = runner->session;
    if (session->calibrated) return;
    Ending ending;
    int status;
    if (!request(runner, REQUEST_CALIBRATE, &ending, &status)) return;
    if (!session->calibrated) session->readings = calibrate_fallback(session->windows);
    session->calibrated = true;
    session->crash_kind[0] = session->crash_detail[0] = 0;
}

bool runner_run(Runner *runner, const Program *program, Readings readings) {
    Session *session = runner->session;
    session->readings = readings;
    session->size = (uint32_t)bytes_encode(program, session->bytes, SESSION_BYTES);
    if (session->size > SESSION_BYTES) {
        runner->broken = true;
        snprintf(runner->error, sizeof runner->error, "the program has more than %d bytes",
                 SESSION_BYTES);
        return false;
    }
    session->judgement = (Judgement){.line = NO_LINE};
    Ending ending;
    int status = 0;
    if (!request(runner, REQUEST_RUN, &ending, &status)) return false;
    if (ending == ANSWERED) return true;
    if (!session_post_mortem(session, program, status, ending == HUNG)) {
        runner->broken = true;
        snprintf(runner->error, sizeof runner->error,
                 "cbfuzz itself failed while it ran a program (%s); please report it",
                 session->judgement.kind);
        return false;
    }
    return true;
}
