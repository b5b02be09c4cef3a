/* What a process that runs an implementation shares with the one that watches it. */
#define _GNU_SOURCE
#include "harness/session.h"

#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness/guard.h"
#include "harness/real.h"

enum { SAMPLE_MS = 500 /* it answers at once, but the machine may be busy */ };

static Session *watched;

/* Sanitizer reports end the process with a code of their own (SESSION_EXIT), without
 * symbols and without a search for leaks: the harness counts for itself. What an
 * implementation frees by free() is kept from use for a thousand programs, not for
 * hundreds of thousands: the cache would be full of it. Nobody reads who allocated it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_leaks=0:exitcode=77:abort_on_error=0:color=never:symbolize=0"
           ":handle_abort=1:handle_segv=1:handle_sigbus=1:handle_sigill=1:handle_sigfpe=1"
           ":handle_sigtrap=1:fast_unwind_on_fatal=1:detect_stack_use_after_return=0"
           ":allocator_may_return_null=1:quarantine_size_mb=1:malloc_context_size=0";
}

/* What no implementation would write there by chance. */
static uint64_t fence_word(const Session *session, unsigned place) {
    return ((uint64_t)(uintptr_t)session ^ 0x9E3779B97F4A7C15u) * (2 * place + 1);
}

static void set_fence(const Session *session, uint64_t fence[4], unsigned place) {
    for (unsigned i = 0; i < 4; i++)
        fence[i] = fence_word(session, place + i);
}

static bool fence_stands(const Session *session, const uint64_t fence[4], unsigned place) {
    uint64_t differ = 0;
    for (unsigned i = 0; i < 4; i++)
        differ |= fence[i] ^ fence_word(session, place + i);
    return !differ;
}

bool session_intact(const Session *session) {
    return fence_stands(session, session->fence, 0) &&
           fence_stands(session, session->fence_behind, 4) &&
           fence_stands(session, session->fence_last, 8);
}

void session_reset(Session *session, bool windows, bool builtin) {
    memset(session, 0, offsetof(Session, bytes));
    session->windows = windows;
    session->builtin = builtin;
    session->readings = readings_all(windows);
    set_fence(session, session->fence, 0);
    set_fence(session, session->fence_behind, 4);
    set_fence(session, session->fence_last, 8);
}

Session *session_new(bool windows) {
    Session *session = mmap(NULL, sizeof *session, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (session == MAP_FAILED) return NULL;
    session_reset(session, windows, false);
    return session;
}

void session_free(Session *session) {
    if (session) munmap(session, sizeof *session);
}

void session_report_kind(const char *report, char *kind, size_t size) {
    static const char mark[] = "AddressSanitizer: ", attempt[] = "attempting ";
    const char *at = strstr(report, mark);
    size_t length = 0;
    if (at) {
        at += sizeof mark - 1;
        if (strncmp(at, attempt, sizeof attempt - 1) == 0) at += sizeof attempt - 1;
        if (strncmp(at, "free ", 5) == 0) at = "bad-free";
        while (at[length] && at[length] != ' ' && at[length] != '\n' && length + 1 < size)
            length++;
        memcpy(kind, at, length);
    }
    kind[length] = 0;
}

/* Called by the sanitizer with its report, before it ends the process. */
static void on_report(const char *report) {
    if (watched->crash_kind[0]) return;
    watched->crash_inside = guard_inside;
    guard_inside = false;
    guard_direction();
    session_report_kind(report, watched->crash_kind, sizeof watched->crash_kind);
    frames_take_report(&watched->crash_frames, real_boundary, report);
    size_t bytes = __asan_report_present() ? __asan_get_report_access_size() : 0;
    if (bytes)
        snprintf(watched->crash_detail, sizeof watched->crash_detail, "%s of %zu byte%s",
                 __asan_get_report_access_type() ? "write" : "read", bytes, bytes == 1 ? "" : "s");
}

_Noreturn static void end_at(long number, const long argument[6], const char *called) {
    guard_describe(number, argument, called, watched->crash_kind, sizeof watched->crash_kind,
                   watched->crash_detail, sizeof watched->crash_detail);
    guard_end(SESSION_EXIT);
}

/* Called with a system call that the implementation made. */
static void on_call(long number, const long argument[6]) {
    char called[64];
    Frames frames;
    watched->crash_inside = true;
    if (!frames_take(&frames, real_boundary, called, sizeof called)) return;
    watched->crash_frames = frames;
    end_at(number, argument, called);
}

/* Called before a fork. Where its system call is not stopped, two processes would go on with the
 * program, and both would write into the session. */
static void on_fork(void) {
    static const long argument[6];
    char called[64];
    if (!watched->busy || (watched->guarded && guard_inside)) return;
    guard_inside = false;
    watched->crash_inside = true;
    frames_take(&watched->crash_frames, real_boundary, called, sizeof called);
    end_at(SYS_fork, argument, "fork");
}

/* Called when it has taken too long; what follows is the end. */
static void on_sample(int signal_number) {
    (void)signal_number;
    watched->crash_inside = guard_inside;
    guard_inside = false;
    frames_take_entry(&watched->crash_frames, real_boundary);
    watched->sampled = true;
    for (;;)
        pause();
}

void session_sample(Session *session, pid_t process) {
    struct timespec pause = {0, 1000000};
    session->sampled = false;
    if (kill(process, SIGPROF) != 0) return;
    for (unsigned waited = 0; waited < SAMPLE_MS && !session->sampled; waited++)
        nanosleep(&pause, NULL);
}

void session_watch(Session *session, Implementation *implementation) {
    watched = session;
    memset(&session->crash_frames, 0, sizeof session->crash_frames);
    session->crash_kind[0] = session->crash_detail[0] = 0;
    session->builtin = implementation->builtin;
    session->sampled = false;
    signal(SIGPROF, on_sample);
    __asan_set_error_report_callback(on_report);
    Implementation *sealed = guard_sealed_copy(implementation, sizeof *implementation);
    real_attach(&session->executor, sealed ? sealed : implementation);
    session->guarded = !session->builtin && guard_calls(on_call);
    static bool forks_seen;
    if (!forks_seen && !session->builtin) forks_seen = pthread_atfork(on_fork, NULL, NULL) == 0;
}

static void begin_run(Session *session) {
    session->busy = true;
    session->runs++;
}

static void end_run(Session *session) {
    if (!session_intact(session)) guard_end(SESSION_EXIT); /* while it is this program's doing */
    Verdict verdict = session->judgement.verdict;
    if (verdict_is_finding(verdict) || (session->explain && verdict == VERDICT_MISUSE))
        finding_describe(&session->finding, &session->executor, &session->judgement, true);
    session->busy = false;
}

void session_run(Session *session, const Program *program) {
    begin_run(session);
    real_run(&session->executor, program, session->windows, session->readings, &session->judgement);
    end_run(session);
}

void session_drive(Session *session, const Program *program, void (*drive)(void *context),
                   void *context) {
    begin_run(session);
    real_drive(&session->executor, program, session->windows, session->readings,
               &session->judgement, drive, context);
    end_run(session);
}

double process_seconds(pid_t process) {
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) return -1;
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
