/* Judges a run that did not end, and checks what a run has left in the session. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/session.h"

enum { EXAMINATION_MS = 2000 /* takes less than one; what was written over may go round */ };
static const char overwritten[] = "memory-overwritten";

/* How it ended, in a word and a few. */
typedef struct {
    char kind[64], detail[200];
    Frames frames;
    bool hung;
} Death;

static Death read_death(Session *session, int status, bool hung) {
    Death death = {.hung = hung, .frames = session->crash_frames};
    memcpy(death.kind, session->crash_kind, sizeof death.kind - 1);
    memcpy(death.detail, session->crash_detail, sizeof death.detail - 1);
    memset(&session->crash_frames, 0, sizeof session->crash_frames);
    session->crash_kind[0] = session->crash_detail[0] = 0;
    if (hung) {
        snprintf(death.kind, sizeof death.kind, "time-out");
        death.detail[0] = 0;
        if (!session->sampled) death.frames = (Frames){{0}};
    } else if (!session_intact(session)) {
        snprintf(death.kind, sizeof death.kind, "%s", overwritten);
        snprintf(death.detail, sizeof death.detail, "the harness's own memory was written over");
        death.frames = (Frames){{0}};
    } else if (death.kind[0]) {
        return death;
    } else if (WIFSIGNALED(status) || WIFSTOPPED(status)) {
        int number = WIFSIGNALED(status) ? WTERMSIG(status) : WSTOPSIG(status);
        const char *name = sigabbrev_np(number);
        snprintf(death.kind, sizeof death.kind, "%s", name ? name : "signal");
        snprintf(death.detail, sizeof death.detail, "%s", strsignal(number));
    } else if (WEXITSTATUS(status) == SESSION_EXIT) { /* the sanitizer's, without a report */
        snprintf(death.kind, sizeof death.kind, "out-of-memory");
        snprintf(death.detail, sizeof death.detail, "no more memory for the process");
    } else {
        snprintf(death.kind, sizeof death.kind, "exit");
        snprintf(death.detail, sizeof death.detail, "ended its process by exit(%d)",
                 WEXITSTATUS(status));
    }
    return death;
}

/* Puts verdict and description into the session, from the state that the run has left. */
static void examine(Session *session, const Program *program, const Death *death) {
    Executor *executor = &session->executor;
    executor->program = program;
    executor->judgement = &session->judgement;
    executor->state = RUN_GOES_ON;
    executor->trace = NULL;
    uint32_t calls = executor->calls, effective = executor->machine.effective;
    executor_abort(executor, death->hung ? ABORT_HANG : ABORT_CRASH, executor->short_of_memory,
                   death->kind, death->detail);
    session->judgement.statements = calls;
    session->judgement.effective = effective;
    finding_describe(&session->finding, executor, &session->judgement, false);
}

/* The same in a process of its own: that state may lead anywhere. */
static bool examine_apart(Session *session, const Program *program, const Death *death) {
    int status = 1;
    struct timespec pause = {0, 200000};
    pid_t process = fork();
    if (process < 0) return false;
    if (process == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(null, 1), dup2(null, 2);
        examine(session, program, death);
        _exit(0);
    }
    for (unsigned waited = 0;; waited++) {
        pid_t ended = waitpid(process, &status, WNOHANG);
        if (ended == process) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (ended < 0 && errno != EINTR) return false;
        if (waited > EXAMINATION_MS * 5) kill(process, SIGKILL);
        nanosleep(&pause, NULL);
    }
}

static bool readings_possible(const Readings *readings) {
    Readings all = readings_all(false), windows = readings_all(true);
    bool good = readings->worlds && !(readings->worlds & ~WORLDS_ALL) && readings->late < 4;
    for (unsigned q = 0; q < QUESTIONS; q++)
        good &= !(readings->answers[q] & ~(all.answers[q] | windows.answers[q]));
    return good;
}

static bool judgement_possible(Judgement *judgement, const Program *program) {
    bool line = judgement->line == NO_LINE || judgement->line < program->line_count;
    bool good = verdict_sanitize(judgement); /* in any case: it ends the texts */
    return good && line && readings_possible(&judgement->after) &&
           readings_possible(&judgement->before);
}

/* All that can be said of a run that has written over the session. */
static void describe_overwritten(Session *session, const Death *death) {
    Readings readings = readings_all(session->windows);
    session->judgement = (Judgement){.verdict = death->hung ? VERDICT_HANGS : VERDICT_CRASHES,
                                     .line = NO_LINE,
                                     .frames = death->frames,
                                     .before = readings,
                                     .after = readings};
    snprintf(session->judgement.kind, sizeof session->judgement.kind, "%s", death->kind);
    snprintf(session->judgement.detail, sizeof session->judgement.detail, "%s", death->detail);
    finding_describe_death(&session->finding, &session->judgement);
}

static void name_frames(Session *session) {
    session->finding.judgement = session->judgement;
    finding_name_frames(&session->finding);
    session->judgement = session->finding.judgement;
}

bool session_check_finding(Finding *finding, const Program *program) {
    bool good = judgement_possible(&finding->judgement, program) &&
                verdict_is_finding(finding->judgement.verdict);
    finding_name_frames(finding);
    return good;
}

uint64_t session_death(const Session *session, bool hung) {
    uint64_t hash = 14695981039346656037u;
    if ((hung && !session->sampled) || !session->crash_frames.offsets[0]) return 0;
    for (unsigned i = 0; i < FRAMES_KEPT; i++)
        hash = (hash ^ session->crash_frames.offsets[i]) * 1099511628211u;
    for (unsigned i = 0; i < sizeof session->crash_kind && session->crash_kind[i]; i++)
        hash = (hash ^ (unsigned char)session->crash_kind[i]) * 1099511628211u;
    return (hash ^ hung) | 2;
}

bool session_check(Session *session, const Program *program) {
    bool good = session_intact(session) && judgement_possible(&session->judgement, program);
    if (!good) {
        session->fence[0] = 0;
        Death death = read_death(session, 0, false);
        describe_overwritten(session, &death);
    }
    name_frames(session);
    return good;
}

bool session_post_mortem(Session *session, const Program *program, int status, bool hung) {
    bool theirs = session->crash_inside || hung || !session->builtin;
    bool intact = session_intact(session);
    session->busy = false;
    Death death = read_death(session, status, hung);
    if (intact && examine_apart(session, program, &death) &&
        judgement_possible(&session->judgement, program))
        session->judgement.frames = death.frames;
    else describe_overwritten(session, &death);
    name_frames(session);
    return theirs;
}
