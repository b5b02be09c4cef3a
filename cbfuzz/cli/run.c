/* cbfuzz run: judges each program of files and folders. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "harness/clock.h"
#include "harness/interrupt.h"
#include "harness/load.h"
#include "harness/runner.h"

static const char help[] =
    "usage: cbfuzz run [--impl I] [--profile P] [--trace] [--json] FILE|DIR...\n"
    "       cbfuzz run --gdb [--impl I] [--profile P] FILE [-- gdb flags]\n\n"
    "Runs each program, script or bytes, on the implementation and on the reference\n"
    "machine, and says what the run says of the implementation. A folder stands for\n"
    "all programs in it; - is standard input. With --impl, a script of a folder that\n"
    "states profile windows is skipped, unless it is asked for, if it is a finding\n"
    "only as such.\n\n"
    "  --impl I      a shared object (see scripts/build-impl); default: builtin\n"
    "  --profile P   documented (default) or windows\n"
    "  --trace       print every call and routine as it happens\n"
    "  --json        one JSON document on standard output; with --trace the lines of\n"
    "                each program's trace are in it\n"
    "  --gdb         if the program is a finding, start gdb on it, stopped before the\n"
    "                call that fails; continue stops in the implementation's routine\n"
    "  --stop-before N  what --gdb runs: the program in this very process; it calls\n"
    "                failing_statement, for a breakpoint, before the Nth call\n\n"
    "examples:\n"
    "  cbfuzz run corpus/seed corpus/regression\n"
    "  cbfuzz run --impl build/impl/mine.so artifacts/NOTIFY-ORDER-1f2e3d4c.cbs\n";

typedef struct {
    const Options *options;
    Runner runner;
    Readings readings;
    Program *program;
    json_t *programs, *skipped;
    FILE *trace; /* of one program, for --json: written by the process that runs it */
    unsigned counts[VERDICTS], selected, wrong;
    int failed; /* exit code; 0: nothing has */
} Run;

/* What a program has shown holds for those that follow, unless it took something as given. */
static void learn(Run *run) {
    const Judgement *judgement = &run->runner.session->judgement;
    if (verdict_is_finding(judgement->verdict) || program_note(run->program, LINE_READING) ||
        program_needs_windows(run->program) != run->options->windows)
        return;
    run->readings = judgement->after;
    readings_settle(&run->readings);
}

/* A file without a name that each run of a program appends to. */
static FILE *open_trace(void) {
    FILE *file = tmpfile();
    if (file) fcntl(fileno(file), F_SETFL, O_APPEND);
    return file;
}

/* Takes the lines out of the file. NULL: they cannot be read. */
static json_t *take_trace(FILE *file) {
    struct stat stat;
    if (fstat(fileno(file), &stat) != 0) return NULL;
    size_t size = (size_t)stat.st_size;
    char *text = malloc(size + 1), *at = text, *line;
    if (!text || pread(fileno(file), text, size, 0) != (ssize_t)size ||
        ftruncate(fileno(file), 0) != 0) {
        free(text);
        return NULL;
    }
    text[size] = 0;
    json_t *lines = json_array();
    while ((line = strsep(&at, "\n")) && at)
        json_array_append_new(lines, report_json_text(line));
    free(text);
    return lines;
}

static void add_trace(Run *run, json_t *row) {
    json_t *lines = take_trace(run->trace);
    if (!lines) {
        run->failed = EXIT_TOOL;
        cli_fail(EXIT_TOOL, "run", "the trace cannot be read back: %s", strerror(errno));
    }
    json_object_set_new(row, "trace", lines ? lines : json_null());
}

static void tell(Run *run, const char *path, const Finding *finding) {
    const Options *options = run->options;
    FILE *out = cli_out(options);
    char shown[4200];
    ReportCall call = cli_call(options);
    load_printable(path, shown, sizeof shown);
    bool cut = finding->judgement.cut != NO_LINE && finding->judgement.verdict == VERDICT_CONFORMS;
    fprintf(out, "%-9s %s%s\n", verdict_name(finding->judgement.verdict), shown,
            cut ? ": as far as it was run, up to the bounds of a program" : "");
    if (finding->judgement.verdict != VERDICT_CONFORMS) report_finding(out, finding, &call, path);
    fflush(out);
    json_t *row = json_object();
    json_object_set_new(row, "file", report_json_text(path));
    report_json_finding(row, finding);
    json_object_set_new(row, "statements", json_integer(finding->judgement.statements));
    if (cut) json_object_set_new(row, "cut", json_true());
    if (run->trace) add_trace(run, row);
    json_array_append_new(run->programs, row);
}

/* Somebody's own implementation need not do as Windows does unless that is asked for, or a
 * script that states it is named: not because one lies in a folder. */
static bool is_asked_for(const Run *run, const char *path) {
    if (run->options->windows || run->runner.implementation->builtin ||
        !program_needs_windows(run->program))
        return true;
    for (int i = 0; i < run->options->file_count; i++)
        if (strcmp(run->options->files[i], path) == 0) return true;
    return false;
}

/* One that reads otherwise than Windows may even crash where Windows does not: does it, too,
 * when only the documents bind? Then that is the verdict. */
static bool dies_as_documented(Run *run) {
    for (uint32_t i = 0; i < run->program->line_count; i++)
        if (run->program->lines[i].kind == LINE_PROFILE) run->program->lines[i].kind = LINE_COMMENT;
    FILE *trace = run->runner.trace; /* it has been traced already */
    run->runner.trace = NULL;
    bool ran = runner_run(&run->runner, run->program, run->readings);
    run->runner.trace = trace;
    Verdict verdict = run->runner.session->judgement.verdict;
    return ran && verdict != VERDICT_DIVERGES && verdict_is_finding(verdict);
}

static void tell_skipped(Run *run, const char *path) {
    char shown[4200];
    load_printable(path, shown, sizeof shown);
    fprintf(
        cli_out(run->options),
        "skipped   %s: does not do as Windows, which is not asked for (--profile windows does)\n",
        shown);
    json_t *row = json_object();
    json_object_set_new(row, "file", report_json_text(path));
    if (run->trace) add_trace(run, row);
    json_array_append_new(run->skipped, row);
}

static void tell_wrong(Run *run, const char *path, const char *error) {
    run->wrong++;
    cli_fail(EXIT_REQUEST, "run", "%s", error);
    json_t *row = json_object();
    json_object_set_new(row, "file", report_json_text(path));
    json_object_set_new(row, "verdict", json_null());
    json_object_set_new(row, "clause", json_null());
    json_object_set_new(row, "step", json_null());
    json_object_set_new(row, "error", report_json_text(error));
    if (run->trace) add_trace(run, row);
    json_array_append_new(run->programs, row);
}

/* Does a line from the cut on, or in a body, say what must be seen? Nobody has looked. */
static bool says_more(const Program *program, uint32_t cut) {
    bool body = false;
    for (uint32_t i = 0; i < program->line_count; i++) {
        const Line *line = &program->lines[i];
        if (line->kind == LINE_ROUTINE || line->kind == LINE_END) body = line->kind == LINE_ROUTINE;
        if ((body || i >= cut) && line->expect != EXPECT_UNSAID) return true;
    }
    return false;
}

/* It conforms as far as it was run; but does all hold that a script says? */
static bool is_cut_short(const Run *run, const char *path, char *error, size_t size) {
    const Judgement *judgement = &run->runner.session->judgement;
    if (judgement->verdict != VERDICT_CONFORMS || judgement->cut == NO_LINE) return false;
    uint32_t line =
        run->program->lines[judgement->cut].line; /* 0: of bytes what is beyond is ignored */
    if (!line || !says_more(run->program, judgement->cut)) return false;
    char shown[4200];
    snprintf(error, size, "%s:%u:1: %s", load_printable(path, shown, sizeof shown), line,
             executor_bounds);
    return true;
}

static bool run_file(void *context, const char *path) {
    Run *run = context;
    char error[4600];
    if (interrupt_signal) return false;
    run->selected++;
    if (!load_program(run->program, path, error, sizeof error)) {
        if (!interrupt_signal) tell_wrong(run, path, error);
        return !interrupt_signal;
    }
    if (!runner_run(&run->runner, run->program, run->readings)) {
        if (interrupt_signal) return false;
        run->failed = cli_fail(run->runner.code, "run", "%s: %s", path, run->runner.error);
        return false;
    }
    const Judgement *judgement = &run->runner.session->judgement;
    if (verdict_is_finding(judgement->verdict) && !is_asked_for(run, path) &&
        (judgement->verdict == VERDICT_DIVERGES || !dies_as_documented(run))) {
        tell_skipped(run, path);
        return !run->failed;
    }
    if (is_cut_short(run, path, error, sizeof error)) {
        tell_wrong(run, path, error);
        return !run->failed;
    }
    run->counts[judgement->verdict]++;
    learn(run);
    if (judgement->verdict == VERDICT_CONFORMS) {
        Finding finding = {.judgement = *judgement};
        tell(run, path, &finding);
    } else {
        tell(run, path, &run->runner.session->finding);
    }
    return !run->failed;
}

static void sum_up(const Run *run, double seconds) {
    interrupt_defer();
    unsigned findings = 0;
    for (unsigned i = 0; i < VERDICTS; i++)
        if (verdict_is_finding((Verdict)i)) findings += run->counts[i];
    size_t count = json_array_size(run->skipped);
    char skipped[32] = "";
    if (count) snprintf(skipped, sizeof skipped, "%zu skipped, ", count);
    fprintf(cli_out(run->options),
            "cbfuzz run: %u programs, %u conform, %u findings, %u misuse, %s%u wrong, %.1f s%s\n",
            run->selected, run->counts[VERDICT_CONFORMS], findings, run->counts[VERDICT_MISUSE],
            skipped, run->wrong, seconds, interrupt_signal ? ", interrupted" : "");
}

static int code_of(const Run *run) {
    if (run->failed) return run->failed;
    if (interrupt_signal) return interrupt_code(0);
    if (run->wrong) return EXIT_REQUEST;
    for (unsigned i = 0; i < VERDICTS; i++)
        if (verdict_is_finding((Verdict)i) && run->counts[i]) return EXIT_FINDING;
    return 0;
}

/* What follows "--" is gdb's, if it is to be started; else files. */
static bool for_gdb(char **argv) {
    for (; *argv && strcmp(*argv, "--") != 0; argv++)
        if (strcmp(*argv, "--gdb") == 0) return true;
    return false;
}

/* Runs the program, to see where it fails. Returns the exit code if it does not. */
static int find_failure(Options *options, const Program *program, uint32_t *call) {
    Implementation implementation;
    Runner runner;
    int code = cli_load(options, "run", &implementation);
    if (code >= 0) return code;
    if (!runner_open(&runner, &implementation, options->windows))
        return cli_fail(EXIT_TOOL, "run", "%s", runner.error);
    runner_calibrate(&runner);
    bool ran = runner_run(&runner, program, runner.session->readings);
    const Judgement *judgement = &runner.session->judgement;
    ReportCall reproduce = cli_call(options);
    if (!ran) {
        code = cli_fail(runner.code, "run", "%s", runner.error);
    } else if (!verdict_is_finding(judgement->verdict)) {
        code = 0;
        char shown[4200];
        printf("cbfuzz run: %s: %s, so there is nothing to debug\n",
               load_printable(options->files[0], shown, sizeof shown),
               verdict_name(judgement->verdict));
    } else {
        report_finding(stdout, &runner.session->finding, &reproduce, options->files[0]);
        *call = judgement->call;
    }
    runner_close(&runner);
    return code;
}

static int debug_one(Options *options) {
    char error[1200];
    uint32_t call = 0;
    int code = -1;
    if (options->file_count != 1 || strcmp(options->files[0], "-") == 0)
        return cli_reject(options, EXIT_REQUEST, "run", "--gdb needs one file with a program");
    if (options->json || options->trace)
        return cli_reject(options, EXIT_REQUEST, "run", "--gdb goes without --json and --trace");
    Program *program = program_new();
    if (!program) return cli_fail(EXIT_TOOL, "run", "out of memory");
    if (!load_program(program, options->files[0], error, sizeof error))
        code = cli_fail(EXIT_REQUEST, "run", "%s", error);
    else if (options->stop_before) code = cli_debugged(options, program);
    else code = find_failure(options, program, &call);
    program_free(program);
    return code >= 0 ? code : cli_debug(options, call);
}

int cli_run(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, for_gdb(argv) ? "iptgB-" : "iptgB", help);
    if (code >= 0) return code;
    if (options.gdb || options.stop_before) return debug_one(&options);
    if (!options.file_count)
        return cli_reject(&options, EXIT_REQUEST, "run",
                          "a file or folder is expected; see cbfuzz run --help");
    Implementation implementation;
    if ((code = cli_load(&options, "run", &implementation)) >= 0) return code;
    Run run = {.options = &options,
               .program = program_new(),
               .programs = json_array(),
               .skipped = json_array()};
    if (!run.program || !runner_open(&run.runner, &implementation, options.windows))
        return cli_reject(&options, EXIT_TOOL, "run", "out of memory");
    if (options.trace && options.json && !(run.trace = open_trace()))
        return cli_reject(&options, EXIT_TOOL, "run", "no temporary file for the trace: %s",
                          strerror(errno));
    if (options.trace) run.runner.trace = options.json ? run.trace : stdout;
    runner_calibrate(&run.runner);
    run.readings = run.runner.session->readings;
    double from = clock_now();
    for (int i = 0; i < options.file_count && !interrupt_signal && !run.failed; i++) {
        char error[1200];
        if (!load_walk(options.files[i], run_file, &run, error, sizeof error) && error[0]) {
            run.wrong++;
            cli_fail(EXIT_REQUEST, "run", "%s", error);
        }
    }
    double seconds = clock_now() - from;
    if (!run.selected && !run.wrong && !interrupt_signal) {
        run.wrong++;
        cli_fail(EXIT_REQUEST, "run", "%s: no programs in it", options.files[0]);
    }
    sum_up(&run, seconds);
    code = code_of(&run);
    runner_close(&run.runner);
    if (run.trace) fclose(run.trace);
    program_free(run.program);
    if (!options.json) {
        json_decref(run.programs);
        json_decref(run.skipped);
        return cli_end(code, "run");
    }
    json_t *document = report_json("run");
    json_object_set_new(document, "programs", run.programs);
    json_object_set_new(document, "skipped", run.skipped);
    json_object_set_new(document, "readings", report_json_readings(&run.readings));
    return cli_json_end(document, code);
}
