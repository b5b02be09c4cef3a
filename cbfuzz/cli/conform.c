/* cbfuzz conform: the cases of every clause, as a gate. */
#include <time.h>

#include "cli/cli.h"
#include "harness/interrupt.h"
#include "report/conform.h"

static const char help[] =
    "usage: cbfuzz conform [--impl I] [--profile P] [--clause ID]... [--list] [--json]\n"
    "                      [DIR|FILE|GLOB...]\n\n"
    "Runs the cases of every clause, each in a process of its own, and says which hold.\n"
    "Without a DIR, FILE or GLOB: all cases of conformance/cases; a place below that folder\n"
    "may be named without it, as in `cbfuzz conform notify`.\n\n"
    "  --impl I      a shared object (see scripts/build-impl); default: builtin\n"
    "  --profile P   documented: cases of profile windows are skipped (the default with\n"
    "                --impl); windows: all cases, judged in it. The built-in implementation\n"
    "                is by default held to both: each case in the profile that it states\n"
    "  --clause ID   only cases that name the clause; may be given again\n"
    "  --list        print the chosen cases and run none\n"
    "  --json        one JSON document on standard output\n\n"
    "examples:\n"
    "  cbfuzz conform\n"
    "  cbfuzz conform --impl build/impl/mine.so\n"
    "  cbfuzz conform --impl build/impl/mine.so --clause NOTIFY-ORDER '*order*'\n";

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static Ask what_is_asked(const Options *options, const Implementation *implementation) {
    if (options->windows) return ASK_WINDOWS;
    return options->profile_given || !implementation->builtin ? ASK_DOCUMENTED : ASK_BOTH;
}

static void tell_mistakes(const Suite *suite) {
    for (unsigned i = 0; i < suite->count; i++)
        if (suite->cases[i].status == CASE_WRONG)
            cli_fail(EXIT_REQUEST, "conform", "%s", suite->cases[i].reason);
}

/* Did anything happen that could have gone wrong? */
static bool is_empty(const Summary *summary) {
    if (interrupt_signal || summary->counts[CASE_WRONG] || summary->effective) return false;
    unsigned ran = summary->suite->count - summary->counts[CASE_SKIPPED];
    if (ran)
        cli_fail(EXIT_REQUEST, "conform", "nothing happened: none of %llu statements took effect",
                 (unsigned long long)summary->statements);
    else
        cli_fail(EXIT_REQUEST, "conform", "nothing was run: all %u cases are skipped: %s",
                 summary->suite->count, summary->suite->cases[0].reason);
    return true;
}

static int code_of(const Judge *judge, const Summary *summary) {
    if (judge->failed) return cli_fail(EXIT_TOOL, "conform", "%s", judge->runner.error);
    if (interrupt_signal) return interrupt_code(0);
    if (is_empty(summary) || summary->counts[CASE_WRONG]) return EXIT_REQUEST;
    return summary->counts[CASE_FAILS] || summary->counts[CASE_STALE] ? EXIT_FINDING : 0;
}

static int list(const Options *options, Suite *suite) {
    unsigned wrong = 0;
    for (unsigned i = 0; i < suite->count; i++)
        wrong += suite->cases[i].status == CASE_WRONG;
    FILE *out = cli_out(options);
    tell_mistakes(suite);
    conform_list(out, suite);
    fprintf(out, "cbfuzz conform: %u cases, %u wrong, none run\n", suite->count, wrong);
    int code = wrong ? EXIT_REQUEST : 0;
    json_t *document = report_json("conform");
    conform_json_cases(document, suite);
    suite_free(suite);
    if (options->json) return report_json_end(document, code);
    json_decref(document);
    return cli_end(code, "conform");
}

static int run(const Options *options, Suite *suite, Implementation *implementation) {
    Judge judge;
    if (!judge_open(&judge, implementation))
        return cli_reject(options, EXIT_TOOL, "conform", "%s", judge.runner.error);
    Ask ask = what_is_asked(options, implementation);
    FILE *out = cli_out(options);
    ReportCall call = cli_call(options);
    double begun = now();
    judge_suite(&judge, suite, ask);
    Summary summary = summary_of(suite, &judge, ask, now() - begun);
    tell_mistakes(suite);
    conform_text(out, &summary, &call);
    int code = code_of(&judge, &summary);
    conform_last_line(out, &summary);
    json_t *document = report_json("conform");
    conform_json(document, &summary);
    judge_close(&judge);
    if (options->json) return report_json_end(document, code);
    json_decref(document);
    return cli_end(code, "conform");
}

int cli_conform(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, "ipcl", help);
    if (code >= 0) return code;
    Selection selection = {.paths = options.files,
                           .path_count = options.file_count,
                           .clauses = {{options.clauses[0], options.clauses[1]}},
                           .by_clause = options.clauses[0] || options.clauses[1]};
    Suite suite;
    Implementation implementation;
    char error[1200];
    if (!suite_open(&suite, &selection, error, sizeof error))
        return cli_reject(&options, EXIT_REQUEST, "conform", "%s", error);
    if (options.list) return list(&options, &suite);
    if ((code = cli_load(&options, "conform", &implementation)) >= 0) return code;
    code = run(&options, &suite, &implementation);
    suite_free(&suite);
    return code;
}
