/* cbfuzz run --gdb: a debugger that has stopped before the statement that fails. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "harness/load.h"
#include "harness/real.h"
#include "harness/runner.h"
#include "program/script.h"

/* ---- the process that is debugged: cbfuzz run --stop-before N ---- */

static const Implementation *debugged;

/* Called before the statement that fails; the debugger has a breakpoint here. `routine` is
 * what is called next, NULL at the end of the program. */
__attribute__((noinline, used)) static void failing_statement(const char *statement,
                                                              const void *routine) {
    __asm__ volatile("" : : "r"(statement), "r"(routine) : "memory");
}

static const void *routine_of(CallKind kind) {
    switch (kind) {
    case CALL_CREATE: return debugged->create;
    case CALL_REGISTER: return debugged->register_callback;
    case CALL_NOTIFY:
    case CALL_SET_SYSTEM_TIME:
    case CALL_POWER_STATE:
    case CALL_PROCESSOR_STAGE: return debugged->notify;
    case CALL_UNREGISTER: return debugged->unregister;
    case CALL_REFERENCE: return debugged->reference;
    case CALL_DEREFERENCE: return debugged->dereference;
    case CALL_MAKE_TEMPORARY: return debugged->make_temporary;
    case CALL_REGISTER_CHANGE: return debugged->register_change;
    case CALL_DEREGISTER_CHANGE: return debugged->deregister_change;
    case CALL_IRQL:
    case CALL_SET_STATUS:
    case CALL_KINDS: break;
    }
    return NULL;
}

static void stop(Executor *executor, const Call *call) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return;
    if (executor->line == NO_LINE) fputs("(giving back what the program holds)", out);
    else script_print_line(out, executor->program, executor->line);
    fclose(out);
    failing_statement(text, call ? routine_of(call->kind) : NULL);
    free(text);
}

int cli_debugged(const Options *options, const Program *program) {
    static Implementation implementation;
    char error[1200];
    const char *path = options->implementation ? options->implementation : "builtin";
    Session *session = session_new(options->windows);
    if (!session) return cli_fail(EXIT_TOOL, "run", "out of memory");
    implementation_direct(&implementation, path);
    if (!implementation_load(&implementation, error, sizeof error))
        return cli_fail(EXIT_REQUEST, "run", "%s", error);
    debugged = &implementation;
    real_attach(&session->executor, &implementation);
    session->executor.stop_before = options->stop_before;
    session->executor.stop = stop;
    real_run(&session->executor, program, options->windows, readings_all(options->windows),
             &session->judgement);
    fprintf(stderr, "cbfuzz run: %s\n", verdict_name(session->judgement.verdict));
    fflush(NULL);
    _exit(0); /* nothing of the implementation runs any more */
}

/* ---- the process that starts the debugger ---- */

enum { ARGUMENTS = 64 };

typedef struct {
    char *words[ARGUMENTS];
    int count;
} Words;

static void add(Words *line, const char *word) {
    if (line->count < ARGUMENTS - 1) line->words[line->count++] = (char *)word;
}

static void add_command(Words *line, const char *command) {
    add(line, "-ex");
    add(line, command);
}

_Noreturn static void start_gdb(const char *gdb, const Options *options, uint32_t call) {
    Words line = {.count = 0};
    char number[32], self[4200];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    snprintf(number, sizeof number, "%u", call);
    add(&line, gdb);
    add(&line, "-q");
    add_command(&line, "set confirm off");
    add_command(&line, "set pagination off");
    add_command(&line, "set print thread-events off");
    add_command(&line, "set breakpoint pending on");
    add_command(&line, "tbreak failing_statement");
    add_command(&line, "run");
    add_command(&line, "printf \"\\nThe next call fails: %s\\n\", statement");
    if (call != UINT32_MAX) add_command(&line, "tbreak *routine");
    for (char **flag = options->flags; flag && *flag; flag++)
        add(&line, *flag);
    add(&line, "--args");
    add(&line, self);
    add(&line, "run");
    add(&line, "--stop-before");
    add(&line, number);
    if (options->implementation) {
        add(&line, "--impl");
        add(&line, options->implementation);
    }
    if (options->windows) {
        add(&line, "--profile");
        add(&line, "windows");
    }
    add(&line, options->files[0]);
    execv(gdb, line.words);
    _exit(127);
}

int cli_debug(const Options *options, uint32_t call) {
    char gdb[4200];
    if (!cli_find_program("gdb", gdb, sizeof gdb))
        return cli_fail(EXIT_TOOL, "run", "gdb: not found; install it: apt-get install gdb");
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        start_gdb(gdb, options, call);
    }
    int status = 0;
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    if (process < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
        return cli_fail(EXIT_TOOL, "run", "%s: cannot be started", gdb);
    return EXIT_FINDING; /* it was found before */
}
