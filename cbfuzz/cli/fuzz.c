/* cbfuzz fuzz: generates programs until a limit or a finding. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "fuzz/fuzz.h"
#include "harness/interrupt.h"
#include "harness/load.h"

static const char help[] =
    "usage: cbfuzz fuzz [--impl I] [--profile P] [--seconds N | --runs N] [--seed N]\n"
    "                   [--jobs N] [--keep-going] [--artifacts DIR] [--json]\n"
    "                   [CORPUS_DIR...] [-- libFuzzer flags]\n\n"
    "Replays the corpus, then generates and changes programs, and checks every step\n"
    "against the reference machine. Ends at its limit, on the first finding or on Ctrl-C.\n"
    "New programs are kept in the first CORPUS_DIR.\n\n"
    "  --impl I        a shared object (see scripts/build-impl); default: builtin\n"
    "  --profile P     documented (default) or windows\n"
    "  --seconds N     end after N seconds\n"
    "  --runs N        end after N programs\n"
    "  --seed N        repeat a run: with --runs and one job the same findings, in order\n"
    "  --jobs N        N processes on one corpus\n"
    "  --keep-going    go on after a finding; one for each signature\n"
    "  --artifacts DIR where findings are written; default: artifacts\n"
    "  --json          one JSON document on standard output\n\n"
    "examples:\n"
    "  cbfuzz fuzz --seconds 60\n"
    "  mkdir -p build/corpus\n"
    "  cbfuzz fuzz --impl build/impl/mine.so --seconds 60 build/corpus corpus/seed\n";

enum {
    QUIET_SECONDS = 10, /* between status lines when nobody watches */
    FEW = 10            /* programs: fewer may all be without effect by chance */
};

typedef struct {
    const Options *options;
    bool terminal;
    double told;
    json_t *findings;
} Listener;

/* On a terminal one line that is written over, so not longer than a line is there; what matters
 * most comes first. */
static void print_status(Listener *listener, const FuzzResult *so_far) {
    FILE *out = cli_out(listener->options);
    char line[256], programs[32], statements[32];
    struct winsize window = {0};
    double seconds = so_far->seconds > 0 ? so_far->seconds : 1;
    snprintf(line, sizeof line,
             "%6.1f s  %u findings  %u of %u clauses  %s programs  %.0f/s  %s statements/s  "
             "%u corpus  %u states",
             so_far->seconds, so_far->finding_count, so_far->exercised, so_far->exercisable,
             report_number(so_far->programs, programs), (double)so_far->programs / seconds,
             report_number((uint64_t)((double)so_far->statements / seconds), statements),
             so_far->corpus, so_far->states);
    if (listener->terminal && ioctl(fileno(out), TIOCGWINSZ, &window) == 0 && window.ws_col &&
        window.ws_col <= strlen(line))
        line[window.ws_col - 1] = 0;
    fprintf(out, listener->terminal ? "\r\033[K%s" : "%s\n", line);
    fflush(out);
}

static void on_status(void *context, const FuzzResult *so_far) {
    Listener *listener = context;
    if (!listener->terminal && so_far->seconds - listener->told < QUIET_SECONDS) return;
    listener->told = so_far->seconds;
    print_status(listener, so_far);
}

static void on_finding(void *context, const FuzzFinding *finding) {
    Listener *listener = context;
    FILE *out = cli_out(listener->options);
    ReportCall call = cli_call(listener->options);
    if (listener->terminal) fputs("\r\033[K", out);
    report_finding(out, &finding->finding, &call, finding->file[0] ? finding->file : NULL);
    if (!finding->repeats)
        fputs("  note      it did not show again in a process of its own: the implementation "
              "keeps state that a new program does not reset\n",
              out);
    fflush(out);
    json_t *row = json_object();
    json_object_set_new(row, "signature", report_json_text(finding->signature));
    report_json_finding(row, &finding->finding);
    json_object_set_new(row, "file", report_json_text(finding->file));
    json_object_set_new(row, "statements", json_integer(finding->statements));
    json_array_append_new(listener->findings, row);
}

static json_t *clause_list(const FuzzResult *result, bool windows, bool exercised) {
    json_t *list = json_array();
    for (unsigned i = 1; i < CLAUSES; i++)
        if (fuzz_clause_counts((ClauseId)i, windows) &&
            (result->clauses[i >> 6] >> (i & 63) & 1) == exercised)
            json_array_append_new(list, json_string(clause_get((ClauseId)i)->id));
    return list;
}

static json_t *as_json(const FuzzResult *result, const Options *options, json_t *findings) {
    json_t *document = report_json("fuzz");
    json_object_set_new(document, "programs", json_integer((json_int_t)result->programs));
    json_object_set_new(document, "statements", json_integer((json_int_t)result->statements));
    json_object_set_new(document, "effective_statements",
                        json_integer((json_int_t)result->effective));
    json_object_set_new(document, "statements_never_run", report_json_never_run(result->kinds));
    json_object_set_new(document, "deaths", json_integer((json_int_t)result->deaths));
    json_object_set_new(document, "seconds", json_real(result->seconds));
    json_object_set_new(document, "seed", json_integer((json_int_t)options->seed));
    json_object_set_new(document, "states", json_integer(result->states));
    json_object_set_new(document, "corpus", json_integer(result->corpus));
    json_object_set_new(document, "clauses_exercised", json_integer(result->exercised));
    json_object_set_new(document, "clauses_exercisable", json_integer(result->exercisable));
    json_object_set_new(document, "exercised", clause_list(result, options->windows, true));
    json_object_set_new(document, "not_exercised", clause_list(result, options->windows, false));
    json_object_set_new(document, "readings", report_json_readings(&result->readings));
    json_object_set_new(document, "findings", findings);
    return document;
}

static uint64_t fresh_seed(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)(time.tv_sec ^ time.tv_nsec ^ getpid()) & 0x7FFFFFFF;
}

/* A flag with which libFuzzer does something else than fuzz in one process; NULL: none. */
static const char *other_mode(char **flags) {
    static const char *const modes[] = {
        "-help=", "-merge=",          "-set_cover_merge=", "-fork=",
        "-jobs=", "-minimize_crash=", "-cleanse_crash=",   "-analyze_dict="};
    for (; flags && *flags; flags++)
        for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; i++) {
            size_t length = strlen(modes[i]);
            if (strncmp(*flags, modes[i], length) == 0 && strcmp(*flags + length, "0") != 0)
                return *flags;
        }
    return NULL;
}

/* A dictionary that libFuzzer could not read, after it has been started; NULL: none. */
static const char *unreadable_dictionary(char **flags) {
    static const char dictionary[] = "-dict=";
    for (; flags && *flags; flags++)
        if (strncmp(*flags, dictionary, sizeof dictionary - 1) == 0 &&
            access(*flags + sizeof dictionary - 1, R_OK) != 0)
            return *flags;
    return NULL;
}

int cli_fuzz(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, "ipTsrSjka-", help);
    if (code >= 0) return code;
    if (options.seconds > 0 && options.runs)
        return cli_reject(&options, EXIT_REQUEST, "fuzz",
                          "--seconds and --runs exclude each other");
    if (options.threads)
        return cli_reject(&options, EXIT_REQUEST, "fuzz",
                          "--threads is not available in this version");
    const char *mode = other_mode(options.flags);
    if (mode)
        return cli_reject(&options, EXIT_REQUEST, "fuzz",
                          "%s: libFuzzer would not fuzz; cbfuzz has --jobs, minimize and --help",
                          mode);
    const char *dictionary = unreadable_dictionary(options.flags);
    if (dictionary)
        return cli_reject(&options, EXIT_REQUEST, "fuzz", "%s: %s", dictionary, strerror(errno));
    Implementation implementation;
    if ((code = cli_load(&options, "fuzz", &implementation)) >= 0) return code;
    if (!options.seed_given) options.seed = fresh_seed();
    FuzzOptions fuzz = {.implementation = &implementation,
                        .windows = options.windows,
                        .keep_going = options.keep_going,
                        .seconds = options.seconds,
                        .runs = options.runs,
                        .seed = options.seed,
                        .jobs = options.jobs,
                        .artifacts = options.artifacts,
                        .corpus = options.files,
                        .flags = options.flags};
    FILE *out = cli_out(&options);
    Listener listener = {
        .options = &options, .terminal = report_terminal(out), .findings = json_array()};
    FuzzListener told = {&listener, on_status, on_finding};
    FuzzResult result;
    char error[1200], programs[32], statements[32], deaths[32];
    char shown[4200];
    fprintf(out, "cbfuzz fuzz: %s, profile %s, seed %llu\n",
            load_printable(implementation.path, shown, sizeof shown),
            profile_name(options.windows ? PROFILE_WINDOWS : PROFILE_DOCUMENTED),
            (unsigned long long)options.seed);
    fflush(out);
    code = fuzz_run(&fuzz, &told, &result, error, sizeof error);
    if (listener.terminal) fputs("\r\033[K", out);
    if (code) cli_fail(code, "fuzz", "%s", error);
    else if (interrupt_signal) code = interrupt_code(0);
    else if (result.finding_count) code = EXIT_FINDING;
    else if (!result.statements || (!result.effective && result.programs >= FEW))
        code = cli_fail(EXIT_REQUEST, "fuzz",
                        "nothing happened: %llu programs were run, and no statement took effect",
                        (unsigned long long)result.programs);
    interrupt_defer();
    if (result.statements) report_guard(out, result.statements, result.effective, result.kinds);
    if (result.deaths > 1)
        fprintf(out, "cbfuzz fuzz: survived %s crashes and hangs, %.0f programs/s\n",
                report_number(result.deaths, deaths),
                (double)result.programs / (result.seconds > 0 ? result.seconds : 1));
    if (result.exercisable) /* it has begun */
        fprintf(
            out,
            "cbfuzz fuzz: %s programs, %s statements, %u of %u clauses exercised, %u finding%s, "
            "%.1f s%s\n",
            report_number(result.programs, programs), report_number(result.statements, statements),
            result.exercised, result.exercisable, result.finding_count,
            result.finding_count == 1 ? "" : "s", result.seconds,
            interrupt_signal ? ", interrupted" : "");
    if (options.json) code = cli_json_end(as_json(&result, &options, listener.findings), code);
    else {
        json_decref(listener.findings);
        code = cli_end(code, "fuzz");
    }
    fuzz_result_free(&result);
    return code;
}
