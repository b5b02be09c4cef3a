/* What a process that runs an implementation shares with the one that watches it. */
#define _GNU_SOURCE
#include "harness/session.h"

#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "harness/real.h"
#include "nt/nt.h"

static Session *watched;
static Implementation *watched_implementation;

/* Sanitizer reports end the process with a code of their own (SESSION_EXIT), without
 * symbols and without a search for leaks: the harness counts for itself. What an
 * implementation frees by free() is kept from use for a thousand programs, not for
 * hundreds of thousands: the cache would be full of it. Nobody reads who allocated it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_leaks=0:exitcode=77:handle_abort=1:handle_segv=1:handle_sigbus=1:handle_sigill="
           "1:"
           "handle_sigfpe=1:symbolize=0:allocator_may_return_null=1:detect_stack_use_after_return="
           "0:"
           "abort_on_error=0:color=never:quarantine_size_mb=1:malloc_context_size=0";
}

Session *session_new(bool windows) {
    Session *session = mmap(NULL, sizeof *session, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (session == MAP_FAILED) return NULL;
    session->windows = windows;
    session->readings = readings_all(windows);
    return session;
}

void session_free(Session *session) {
    if (session) munmap(session, sizeof *session);
}

/* The word after "AddressSanitizer: " of a report: heap-use-after-free, SEGV, ... */
static void take_kind(const char *report, char *kind, size_t size) {
    static const char mark[] = "AddressSanitizer: ";
    const char *at = strstr(report, mark);
    size_t length = 0;
    if (at) {
        at += sizeof mark - 1;
        while (at[length] && at[length] != ' ' && at[length] != '\n' && length + 1 < size)
            length++;
        memcpy(kind, at, length);
    }
    kind[length] = 0;
}

/* Called by the sanitizer with its report, before it ends the process. */
static void on_report(const char *report) {
    if (watched->crash_kind[0]) return;
    take_kind(report, watched->crash_kind, sizeof watched->crash_kind);
    char symbol[80] = "";
    void *pc = __asan_report_present() ? __asan_get_report_pc() : NULL;
    implementation_symbol(watched_implementation, pc, symbol, sizeof symbol);
    size_t bytes = __asan_report_present() ? __asan_get_report_access_size() : 0;
    bool writes = __asan_report_present() && __asan_get_report_access_type();
    char *detail = watched->crash_detail;
    size_t used = 0, size = sizeof watched->crash_detail;
    if (bytes)
        used = (size_t)snprintf(detail, size, "%s of %zu byte%s", writes ? "write" : "read", bytes,
                                bytes == 1 ? "" : "s");
    if (symbol[0]) snprintf(detail + used, size - used, "%sin %s", used ? " " : "", symbol);
}

void session_watch(Session *session, Implementation *implementation) {
    watched = session;
    watched_implementation = implementation;
    session->crash_kind[0] = session->crash_detail[0] = 0;
    __asan_set_error_report_callback(on_report);
    session->builtin = implementation->builtin;
    real_attach(&session->executor, implementation);
}

static void begin_run(Session *session) {
    session->busy = true;
    session->runs++;
}

static void end_run(Session *session) {
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

bool session_post_mortem(Session *session, const Program *program, int status, bool hung) {
    Executor *executor = &session->executor;
    executor->program = program;
    executor->judgement = &session->judgement;
    session->busy = false;
    char kind[64], detail[400];
    snprintf(kind, sizeof kind, "%s", session->crash_kind);
    snprintf(detail, sizeof detail, "%s", session->crash_detail);
    session->crash_kind[0] = session->crash_detail[0] = 0;
    if (hung) {
        snprintf(kind, sizeof kind, "time-out");
        detail[0] = 0;
    } else if (!kind[0] && WIFSIGNALED(status)) {
        snprintf(kind, sizeof kind, "%s", sigabbrev_np(WTERMSIG(status)));
        snprintf(detail, sizeof detail, "%s", strsignal(WTERMSIG(status)));
    } else if (!kind[0]) {
        snprintf(kind, sizeof kind, "exit");
        snprintf(detail, sizeof detail, "the process was ended by exit(%d)", WEXITSTATUS(status));
    }
    /* A shared object may have spoiled our memory long before. */
    bool theirs = executor->inside || hung || !session->builtin;
    uint32_t calls = executor->calls, effective = executor->machine.effective;
    executor->state = RUN_GOES_ON;
    executor_abort(executor, hung ? ABORT_HANG : ABORT_CRASH, executor->short_of_memory, kind,
                   detail);
    session->judgement.statements = calls;
    session->judgement.effective = effective;
    finding_describe(&session->finding, executor, &session->judgement, false);
    return theirs;
}

double process_seconds(pid_t process) {
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) return -1;
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
