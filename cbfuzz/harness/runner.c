/* Runs programs one at a time in a process of their own, and survives what they do. */
#define _GNU_SOURCE
#include "harness/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/calibrate.h"
#include "harness/clock.h"
#include "harness/guard.h"
#include "harness/trace.h"
#include "program/bytes.h"

enum {
    REQUEST_RUN = 'r',
    ANSWER_LAST = 'l',
    WALL_FACTOR = 8, /* a process that waits instead of running gets so many limits */
    LOAD_SECONDS = 20
};
static const double SLICE = 0.02; /* seconds: how often a silent process is looked at */

bool runner_open(Runner *runner, Implementation *implementation, bool windows) {
    *runner = (Runner){.implementation = implementation, .limit = 1.0, .windows = windows};
    runner->session = session_new(windows);
    if (!runner->session) snprintf(runner->error, sizeof runner->error, "no memory for a session");
    return runner->session != NULL;
}

/* ---- in the processes that it starts ---- */

/* The implementation's own output goes nowhere; the trace goes where it is to. */
static FILE *silence(FILE *trace) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    FILE *kept = trace ? fdopen(fcntl(fileno(trace), F_DUPFD_CLOEXEC, 3), "a") : NULL;
    dup2(null, 0), dup2(null, 1);
    if (!getenv("CBFUZZ_DEBUG")) dup2(null, 2);
    return kept;
}

_Noreturn static void serve(Runner *runner, int request, int response) {
    Session *session = runner->session;
    session_watch(session, runner->implementation);
    Program *program = program_new();
    char what;
    while (program && read(request, &what, 1) == 1) {
        session->executor.trace = session->calibrated ? runner->trace : NULL;
        bytes_decode(program, session->bytes, session->size);
        session_run(session, program);
        bool last = guard_swollen(); /* another copy has more room */
        if (last) what = ANSWER_LAST;
        if (write(response, &what, 1) != 1 || last) break;
    }
    _exit(0);
}

/* Another copy is to serve, whatever the last one has died of. */
static int after(int status) {
    (void)status;
    return -1;
}

_Noreturn static void keep(Runner *runner, const Keeper *keeper, int request, int response) {
    char error[1000] = "";
    keeper_settle();
    guard_memory();
    runner->trace = silence(runner->trace);
    bool good = implementation_load(runner->implementation, error, sizeof error);
    if (!good) {
        ssize_t ignored = write(response, error, strlen(error));
        (void)ignored;
        _exit(0);
    }
    keeper_stay(keeper, after);
    serve(runner, request, response);
}

/* ---- in the watcher ---- */

static void end_keeper(Runner *runner) {
    if (!runner->keeper) return;
    keeper_end(runner->process);
    keeper_end(runner->keeper);
    waitpid(runner->keeper, NULL, 0);
    keeper_close(&runner->pipes);
    close(runner->request);
    close(runner->response);
    close(runner->unread);
    runner->keeper = runner->process = 0;
}

void runner_close(Runner *runner) {
    end_keeper(runner);
    session_free(runner->session);
    runner->session = NULL;
}

static bool start_keeper(Runner *runner) {
    int request[2] = {-1, -1}, response[2] = {-1, -1};
    Keeper theirs;
    if (pipe2(request, O_CLOEXEC) != 0 || pipe2(response, O_CLOEXEC) != 0 ||
        !keeper_pipes(&runner->pipes, &theirs))
        return false;
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        close(request[1]), close(response[0]);
        keeper_close(&runner->pipes);
        keep(runner, &theirs, request[0], response[1]);
    }
    close(response[1]);
    keeper_close(&theirs);
    runner->unread = request[0];
    runner->request = request[1];
    runner->response = response[0];
    runner->keeper = process < 0 ? 0 : process;
    return process > 0;
}

/* Waits for an answer or for news; false: neither came within `seconds`. */
static bool await(Runner *runner, double seconds, bool *answered) {
    struct pollfd wait[2] = {{.fd = runner->response, .events = POLLIN},
                             {.fd = runner->pipes.news, .events = POLLIN}};
    double until = clock_now() + seconds, left = seconds;
    for (; left > 0; left = until - clock_now()) {
        int ready = poll(wait, 2, (int)(left * 1000) + 1);
        *answered = ready > 0 && wait[0].revents;
        if (ready > 0) return true;
    }
    return false;
}

/* Has the copy ended? Then *status says how. */
static bool has_ended(Runner *runner, int *status) {
    KeeperNews news;
    bool gone;
    if (keeper_news(&runner->pipes, &news, &gone)) {
        runner->process = news.ended ? 0 : news.process;
        *status = news.status;
        return news.ended;
    }
    if (!gone) return false;
    *status = SIGKILL; /* it has ended the keeper as well */
    end_keeper(runner);
    return true;
}

static bool fail(Runner *runner, const char *text) {
    runner->broken = true;
    runner->code = 3;
    snprintf(runner->error, sizeof runner->error, "%s", text);
    return false;
}

/* Instead of a first copy: why the implementation could not be loaded this time. */
static bool fail_to_load(Runner *runner) {
    char text[1000];
    ssize_t got = read(runner->response, text, sizeof text - 1);
    text[got > 0 ? got : 0] = 0;
    fail(runner, text);
    if (!text[0])
        snprintf(runner->error, sizeof runner->error,
                 "%s: crashes or exits while it is loaded once more", runner->implementation->path);
    runner->code = 2;
    return false;
}

/* What a copy that has died did not read or say itself: the next one must not. */
static void drain(int pipe) {
    struct pollfd wait = {.fd = pipe, .events = POLLIN};
    char unused[64];
    while (poll(&wait, 1, 0) > 0 && wait.revents & POLLIN &&
           read(pipe, unused, sizeof unused) > 0) {
    }
}

/* Is there a copy to serve? */
static bool have_copy(Runner *runner) {
    int status;
    bool answered = false;
    if (runner->process && !has_ended(runner, &status)) return true;
    if (runner->keeper) {
        drain(runner->unread);
        drain(runner->response);
        keeper_go(&runner->pipes);
    } else if (!start_keeper(runner)) return fail(runner, strerror(errno));
    while (!runner->process) {
        if (!await(runner, LOAD_SECONDS, &answered))
            return fail(runner, "no process is there to run programs in time");
        if (answered || (has_ended(runner, &status) && !runner->keeper))
            return fail_to_load(runner);
    }
    return true;
}

typedef enum { ANSWERED, DIED, HUNG } Ending;

/* Ends the copy, and waits until it has ended. */
static void end_copy(Runner *runner, int *status) {
    bool answered = false;
    keeper_end(runner->process);
    while (runner->process && await(runner, LOAD_SECONDS, &answered)) {
        char what;
        if (answered && read(runner->response, &what, 1) != 1) break;
        has_ended(runner, status);
    }
    if (runner->process) end_keeper(runner);
}

void runner_renew(Runner *runner) {
    int status;
    if (runner->process) end_copy(runner, &status);
}

static Ending await_ending(Runner *runner, int *status) {
    const double begun = clock_now(), used = process_seconds(runner->process);
    double moved_at = begun, moved_used = used;
    uint64_t progress = session_progress(runner->session);
    bool answered = false;
    for (;;) {
        char what;
        if (await(runner, SLICE, &answered)) {
            if (answered && read(runner->response, &what, 1) == 1) {
                if (what == ANSWER_LAST) end_copy(runner, status);
                return ANSWERED;
            }
            if (has_ended(runner, status)) return DIED;
        }
        double spent = process_seconds(runner->process), limit = runner->limit;
        if (session_progress(runner->session) != progress) {
            progress = session_progress(runner->session);
            moved_at = clock_now();
            moved_used = spent;
        }
        if (spent - moved_used > limit || clock_now() - moved_at > limit * WALL_FACTOR ||
            spent - used > limit * SLOW_FACTOR) {
            session_sample(runner->session, runner->process);
            end_copy(runner, status);
            return HUNG;
        }
    }
}

/* Sends a request; on anything but an answer the copy is gone afterwards. */
static bool request(Runner *runner, char what, Ending *ending, int *status) {
    if (runner->broken || !have_copy(runner)) return false;
    if (write(runner->request, &what, 1) != 1) return fail(runner, strerror(errno));
    *ending = await_ending(runner, status);
    return true;
}

/* What holds for every run, whatever an implementation has done to the session. */
static void prepare(Runner *runner) {
    Session *session = runner->session;
    if (runner->spoiled || !session_intact(session))
        session_reset(session, runner->windows, runner->implementation->builtin);
    runner->spoiled = false;
    session->windows = runner->windows;
    session->builtin = runner->implementation->builtin;
    session->calibrated = runner->calibrated;
    session->explain = true;
}

void runner_calibrate(Runner *runner) {
    Session *session = runner->session;
    if (runner->calibrated) return;
    Readings readings = calibrate(runner);
    runner->calibrated = true;
    prepare(runner);
    session->readings = readings;
}

static bool try(Runner *runner, const Program *program, Readings readings, Ending *ending,
                int *status) {
    Session *session = runner->session;
    prepare(runner);
    session->readings = readings;
    session->judgement = (Judgement){.line = NO_LINE, .before = readings, .after = readings};
    session->size = (uint32_t)bytes_encode(program, session->bytes, SESSION_BYTES);
    if (session->size > SESSION_BYTES) return fail(runner, "the program has too many bytes");
    return request(runner, REQUEST_RUN, ending, status);
}

bool runner_run(Runner *runner, const Program *program, Readings readings) {
    Session *session = runner->session;
    Ending ending;
    int status = 0;
    if (!try(runner, program, readings, &ending, &status)) return false;
    if (ending == DIED && session_harmless(session) && WIFSIGNALED(status) &&
        WTERMSIG(status) == SIGKILL && !try(runner, program, readings, &ending, &status))
        return false;
    if (ending == ANSWERED) {
        runner->spoiled = !session_check(session, program);
        if (runner->spoiled) runner_renew(runner);
        return true;
    }
    runner->spoiled = !session_intact(session);
    if (session_post_mortem(session, program, status, ending == HUNG)) {
        if (runner->trace && runner->calibrated)
            trace_died(runner->trace, ending == HUNG ? VERDICT_HANGS : VERDICT_CRASHES);
        return true;
    }
    char text[200];
    snprintf(text, sizeof text,
             "cbfuzz itself failed while it ran a program (%s); please report it",
             session->judgement.kind);
    return fail(runner, text);
}
