/* cbfuzz conform: the cases of every clause, as a gate. */
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "conform/baseline.h"
#include "fuzz/artifact.h"
#include "harness/clock.h"
#include "harness/interrupt.h"
#include "report/conform.h"
#include "report/output.h"

static const char help[] =
    "usage: cbfuzz conform [--impl I] [--profile P] [--clause ID]... [--list]\n"
    "                      [--junit F] [--sarif F] [--baseline F [--update-baseline]]\n"
    "                      [--json] [DIR|FILE|GLOB...]\n\n"
    "Runs the cases of every clause, each in a process of its own, and says which hold.\n"
    "Without a DIR, FILE or GLOB: all cases of conformance/cases; a place below that folder\n"
    "may be named without it, as in `cbfuzz conform notify`.\n\n"
    "  --impl I      a shared object (see scripts/build-impl); default: builtin\n"
    "  --profile P   documented: cases of profile windows are skipped (the default with\n"
    "                --impl); windows: all cases, judged in it. The built-in implementation\n"
    "                is by default held to both: each case in the profile that it states\n"
    "  --clause ID   only cases that name the clause; may be given again\n"
    "  --list        print the chosen cases and run none\n"
    "  --junit F     write a report in JUnit's XML\n"
    "  --sarif F     write a report in SARIF 2.1.0\n"
    "  --baseline F  known failures, one a line: CASE  # REASON. They do not count; a line\n"
    "                whose case holds or is gone is stale, and counts\n"
    "  --update-baseline  write what fails now into the baseline, take out what is stale\n"
    "  --json        one JSON document on standard output\n\n"
    "On GitHub Actions failures become annotations, and the job gets a summary.\n\n"
    "examples:\n"
    "  cbfuzz conform\n"
    "  cbfuzz conform --impl build/impl/mine.so --junit conform.xml --baseline known.txt\n"
    "  cbfuzz conform --impl build/impl/mine.so --clause NOTIFY-ORDER '*order*'\n";

/* One run of the command. */
typedef struct {
    const Options *options;
    Selection selection;
    Suite suite;
    Baseline baseline;
    Judge judge;
    Summary summary;
    ReportCall call;
} Conform;

static Ask what_is_asked(const Options *options, const Implementation *implementation) {
    if (options->windows) return ASK_WINDOWS;
    return options->profile_given || !implementation->builtin ? ASK_DOCUMENTED : ASK_BOTH;
}

static void tell_mistakes(const Suite *suite) {
    for (unsigned i = 0; i < suite->count; i++)
        if (suite->cases[i].status == CASE_WRONG)
            cli_fail(EXIT_REQUEST, "conform", "%s", suite->cases[i].reason);
}

/* Has it shown something, even if no statement took effect: a failure, misuse, or what
 * it expects to see? */
static bool shows(const Case *one) {
    if (!one->ran) return false;
    if (one->judgement.verdict != VERDICT_CONFORMS) return true;
    for (uint32_t i = 0; i < one->program->line_count; i++)
        if (one->program->lines[i].expect != EXPECT_UNSAID) return true;
    return false;
}

/* Did anything happen that could have gone wrong? */
static bool is_empty(const Summary *summary) {
    const unsigned *counts = summary->counts;
    const Suite *suite = summary->suite;
    if (interrupt_signal || counts[CASE_WRONG] || summary->effective) return false;
    for (unsigned i = 0; i < suite->count; i++)
        if (shows(&suite->cases[i])) return false;
    for (unsigned i = 0; i < suite->count; i++)
        if (suite->cases[i].ran) {
            cli_fail(EXIT_REQUEST, "conform",
                     "nothing happened: none of %llu statements took effect",
                     (unsigned long long)summary->statements);
            return true;
        }
    cli_fail(EXIT_REQUEST, "conform", "nothing was run: %s", suite->cases[0].reason);
    return true;
}

static int code_of(const Judge *judge, const Summary *summary) {
    if (judge->failed) return cli_fail(judge->runner.code, "conform", "%s", judge->runner.error);
    if (interrupt_signal) return interrupt_code(0);
    if (is_empty(summary) || summary->counts[CASE_WRONG]) return EXIT_REQUEST;
    return summary->counts[CASE_FAILS] || summary->counts[CASE_STALE] ? EXIT_FINDING : 0;
}

static int list(Conform *conform) {
    const Options *options = conform->options;
    unsigned wrong = 0;
    for (unsigned i = 0; i < conform->suite.count; i++)
        wrong += conform->suite.cases[i].status == CASE_WRONG;
    FILE *out = cli_out(options);
    tell_mistakes(&conform->suite);
    conform_list(out, &conform->suite);
    fprintf(out, "cbfuzz conform: %u cases, %u wrong, none run\n", conform->suite.count, wrong);
    int code = wrong ? EXIT_REQUEST : 0;
    if (!options->json) return cli_end(code, "conform");
    json_t *document = report_json("conform");
    conform_json_cases(document, &conform->suite);
    return cli_json_end(document, code);
}

/* What can be known to go wrong before anything is run. -1, or the exit code. */
static int prepare(Conform *conform) {
    const Options *options = conform->options;
    const char *files[] = {options->baseline, options->junit, options->sarif};
    char error[1200];
    if (options->update_baseline && !options->baseline)
        return cli_reject(options, EXIT_REQUEST, "conform",
                          "--update-baseline needs --baseline F, the file to write");
    for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (!files[i]) continue;
        for (unsigned j = 0; j < i; j++)
            if (files[j] && output_same(files[i], files[j]))
                return cli_reject(options, EXIT_REQUEST, "conform",
                                  "%s: reports and the baseline cannot be one file", files[i]);
        if (i == 0 && !options->update_baseline) continue;
        if (options->list)
            return cli_reject(options, EXIT_REQUEST, "conform",
                              "--list runs no case: there is nothing to write to %s", files[i]);
        if (!output_check(files[i], error, sizeof error))
            return cli_reject(options, file_exit_code(errno), "conform", "%s", error);
    }
    if (!options->list && !conform_github_check(error, sizeof error))
        return cli_reject(options, file_exit_code(errno), "conform", "%s", error);
    if (options->baseline && !baseline_read(&conform->baseline, options->baseline,
                                            options->update_baseline, error, sizeof error))
        return cli_reject(options, EXIT_REQUEST, "conform", "%s", error);
    if (!suite_open(&conform->suite, &conform->selection, error, sizeof error))
        return cli_reject(options, EXIT_REQUEST, "conform", "%s", error);
    return -1;
}

static int write_report(const char *path, char *text, size_t size, int code) {
    char error[1200] = "out of memory";
    if (!text || !file_replace(path, text, size, error, sizeof error))
        code = cli_fail(EXIT_TOOL, "conform", "%s", error);
    free(text);
    return code;
}

/* After a failure the other report is still written. Returns the code, or EXIT_TOOL. */
static int write_reports(const Conform *conform, int code) {
    const Options *options = conform->options;
    int written = code;
    size_t size = 0;
    if (options->junit) {
        char *text = conform_junit(&conform->summary, &conform->call, &size);
        written = write_report(options->junit, text, size, written);
    }
    if (options->sarif) {
        char *text = conform_sarif(&conform->summary, &conform->call, code, &size);
        written = write_report(options->sarif, text, size, written);
    }
    return written;
}

static int update_baseline(Conform *conform) {
    const char *path = conform->options->baseline;
    char error[1200] = "out of memory";
    size_t size;
    char *text = baseline_updated(&conform->baseline, &conform->suite, &size);
    bool good = text && file_replace(path, text, size, error, sizeof error);
    free(text);
    if (!good) return cli_fail(EXIT_TOOL, "conform", "%s", error);
    baseline_accept(&conform->suite);
    return 0;
}

/* Statuses are what the baseline makes of them, reports are written, the code is known. */
static int conclude(Conform *conform, Ask ask, double seconds) {
    interrupt_defer();
    const Options *options = conform->options;
    Suite *suite = &conform->suite;
    bool complete = !conform->judge.failed && !interrupt_signal;
    int code = 0;
    if (!baseline_apply(&conform->baseline, suite))
        code = cli_fail(EXIT_TOOL, "conform", "out of memory");
    if (options->update_baseline && complete && !code) code = update_baseline(conform);
    conform->summary = summary_of(suite, &conform->judge, ask, seconds);
    tell_mistakes(suite);
    conform_text(cli_out(options), &conform->summary, &conform->call);
    if (!code) code = code_of(&conform->judge, &conform->summary);
    int written = write_reports(conform, code);
    char error[1200];
    if (!conform_github(cli_out(options), &conform->summary, error, sizeof error))
        written = cli_fail(EXIT_TOOL, "conform", "%s", error);
    conform_last_line(cli_out(options), &conform->summary);
    return written;
}

static int run(Conform *conform, Implementation *implementation) {
    const Options *options = conform->options;
    if (!judge_open(&conform->judge, implementation))
        return cli_reject(options, EXIT_TOOL, "conform", "%s", conform->judge.runner.error);
    Ask ask = what_is_asked(options, implementation);
    double begun = clock_now();
    judge_suite(&conform->judge, &conform->suite, ask);
    int code = conclude(conform, ask, clock_now() - begun);
    judge_close(&conform->judge);
    if (!options->json) return cli_end(code, "conform");
    json_t *document = report_json("conform");
    conform_json(document, &conform->summary);
    return cli_json_end(document, code);
}

/* The implementation was being loaded when a signal came: the reports say that nothing was run. */
static int conclude_nothing(Conform *conform) {
    Implementation unknown = {.path = conform->options->implementation};
    conform->judge = (Judge){.runner.implementation = &unknown,
                             .readings = {readings_all(false), readings_all(true)}};
    return conclude(conform, what_is_asked(conform->options, &unknown), 0);
}

int cli_conform(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, "ipclJRbu", help);
    if (code >= 0) return code;
    Conform conform = {.options = &options,
                       .selection = {.paths = options.files,
                                     .path_count = options.file_count,
                                     .clauses = {{options.clauses[0], options.clauses[1]}},
                                     .by_clause = options.clauses[0] || options.clauses[1]},
                       .call = cli_call(&options)};
    Implementation implementation;
    if ((code = prepare(&conform)) < 0) {
        if (options.list) code = list(&conform);
        else if ((code = cli_load(&options, "conform", &implementation)) < 0)
            code = run(&conform, &implementation);
        else if (interrupt_signal) code = conclude_nothing(&conform);
    }
    baseline_free(&conform.baseline);
    suite_free(&conform.suite);
    return code;
}
