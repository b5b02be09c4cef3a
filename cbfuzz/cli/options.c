/* The options of all subcommands, and what they share. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "harness/interrupt.h"
#include "harness/load.h"
#include "report/version.h"

const char *cli_program = "cbfuzz";

static const struct {
    char letter;
    struct option option;
} table[] = {
    {'i', {"impl", required_argument, NULL, 'i'}},
    {'p', {"profile", required_argument, NULL, 'p'}},
    {'t', {"trace", no_argument, NULL, 't'}},
    {'k', {"keep-going", no_argument, NULL, 'k'}},
    {'T', {"threads", no_argument, NULL, 'T'}},
    {'s', {"seconds", required_argument, NULL, 's'}},
    {'r', {"runs", required_argument, NULL, 'r'}},
    {'S', {"seed", required_argument, NULL, 'S'}},
    {'j', {"jobs", required_argument, NULL, 'j'}},
    {'a', {"artifacts", required_argument, NULL, 'a'}},
    {'o', {"output", required_argument, NULL, 'o'}},
    {'c', {"clause", required_argument, NULL, 'c'}},
    {'l', {"list", no_argument, NULL, 'l'}},
    {'J', {"junit", required_argument, NULL, 'J'}},
    {'R', {"sarif", required_argument, NULL, 'R'}},
    {'b', {"baseline", required_argument, NULL, 'b'}},
    {'u', {"update-baseline", no_argument, NULL, 'u'}},
    {'m', {"matrix", no_argument, NULL, 'm'}},
    {'M', {"markdown", no_argument, NULL, 'M'}},
    {'g', {"gdb", no_argument, NULL, 'g'}},
    {'B', {"stop-before", required_argument, NULL, 'B'}},
};
enum { ROWS = sizeof table / sizeof table[0] };

static char first_failure[1024]; /* "": none */

int cli_fail(int code, const char *command, const char *format, ...) {
    va_list arguments;
    char text[1024];
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!first_failure[0]) snprintf(first_failure, sizeof first_failure, "%s", text);
    fflush(stdout);
    char shown[4096];
    load_printable(text, shown, sizeof shown);
    fprintf(stderr, "cbfuzz%s%s: %s\n", *command ? " " : "", command, shown);
    return interrupt_code(code);
}

int cli_reject(const Options *options, int code, const char *command, const char *format, ...) {
    va_list arguments;
    char text[1024];
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    code = cli_fail(code, command, "%s", text);
    if (!options->json) return code;
    return cli_json_end(report_json(command), code);
}

int cli_json_end(json_t *document, int code) {
    interrupt_defer();
    if (code >= EXIT_REQUEST && first_failure[0])
        json_object_set_new(document, "error", report_json_text(first_failure));
    return report_json_end(document, code);
}

FILE *cli_out(const Options *options) {
    return options->json ? stderr : stdout;
}

int cli_end(int code, const char *command) {
    interrupt_defer();
    if (fflush(stdout) != 0 || ferror(stdout))
        return cli_fail(EXIT_TOOL, command, "standard output cannot be written");
    return code;
}

/* A whole number in a range, as in scripts. */
static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number) {
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9') return false;
    *number = strtoull(text, &end, text[1] == 'x' || text[1] == 'X' ? 16 : 10);
    return !errno && !*end && *number >= least && *number <= most;
}

static int bad_value(const Options *options, const char *command, const char *option,
                     const char *value, const char *expected) {
    return cli_reject(options, EXIT_REQUEST, command, "--%s %s: %s is expected", option, value,
                      expected);
}

/* A file of its own, given once. */
static int take_file(const Options *options, const char *command, const char *option,
                     const char *value, const char **file) {
    if (*file)
        return cli_reject(options, EXIT_REQUEST, command,
                          "%s was given twice; one file is expected", option);
    if (strcmp(value, "-") == 0)
        return cli_reject(options, EXIT_REQUEST, command, "%s -: a file is expected", option);
    *file = value;
    return -1;
}

static int take_option(Options *options, const char *command, char letter, const char *value) {
    uint64_t number = 0;
    switch (letter) {
    case 'i':
        if (options->implementation)
            return cli_reject(options, EXIT_REQUEST, command,
                              "--impl was given twice; one implementation is run");
        options->implementation = value;
        return -1;
    case 'p':
        options->windows = strcmp(value, "windows") == 0;
        if (!options->windows && strcmp(value, "documented") != 0)
            return bad_value(options, command, "profile", value, "documented or windows");
        options->profile_given = true;
        return -1;
    case 't': options->trace = true; return -1;
    case 'k': options->keep_going = true; return -1;
    case 'T': options->threads = true; return -1;
    case 's': {
        char *end;
        options->seconds = strtod(value, &end);
        if (!(*value >= '0' && *value <= '9') || *end || !(options->seconds > 0) ||
            options->seconds > 1e9)
            return bad_value(options, command, "seconds", value, "a number above 0");
        return -1;
    }
    case 'r':
        if (!read_number(value, 1, UINT64_MAX, &options->runs))
            return bad_value(options, command, "runs", value, "a whole number from 1");
        return -1;
    case 'S':
        if (!read_number(value, 0, UINT64_MAX, &options->seed))
            return bad_value(options, command, "seed", value, "a whole number");
        options->seed_given = true;
        return -1;
    case 'j':
        if (!read_number(value, 1, 64, &number))
            return bad_value(options, command, "jobs", value, "a whole number from 1 to 64");
        options->jobs = (unsigned)number;
        return -1;
    case 'a': options->artifacts = value; return -1;
    case 'o': return take_file(options, command, "-o", value, &options->output);
    case 'c':
        number = clause_find(value);
        if (number == CLAUSE_NONE)
            return bad_value(options, command, "clause", value,
                             "a clause that `cbfuzz clauses` lists");
        options->clauses[number >> 6] |= UINT64_C(1) << (number & 63);
        return -1;
    case 'l': options->list = true; return -1;
    case 'g': options->gdb = true; return -1;
    case 'B':
        if (!read_number(value, 1, UINT32_MAX, &number))
            return bad_value(options, command, "stop-before", value, "the number of a call");
        options->stop_before = (uint32_t)number;
        return -1;
    case 'J': return take_file(options, command, "--junit", value, &options->junit);
    case 'R': return take_file(options, command, "--sarif", value, &options->sarif);
    case 'b': return take_file(options, command, "--baseline", value, &options->baseline);
    case 'u': options->update_baseline = true; return -1;
    case 'm': options->matrix = true; return -1;
    case 'M': options->markdown = true; return -1;
    default: return -1;
    }
}

int cli_options(Options *options, int argc, char **argv, const char *letters, const char *help) {
    struct option known[ROWS + 4];
    unsigned count = 0;
    *options = (Options){.jobs = 1, .artifacts = "artifacts"};
    for (unsigned i = 0; i < ROWS; i++)
        if (strchr(letters, table[i].letter)) known[count++] = table[i].option;
    known[count++] = (struct option){"json", no_argument, NULL, 1};
    known[count++] = (struct option){"help", no_argument, NULL, 2};
    known[count++] = (struct option){"version", no_argument, NULL, 3};
    known[count] = (struct option){0};
    /* What follows "--" is libFuzzer's where a subcommand says so. */
    int own = argc;
    for (int i = 1; i < argc && strchr(letters, '-'); i++)
        if (strcmp(argv[i], "--") == 0) {
            own = i;
            options->flags = argv + i + 1;
            break;
        }
    argv[own] = NULL;
    /* Known from the start: what is wrong before it is told in a document as well. */
    for (int i = 1; i < own && strcmp(argv[i], "--") != 0; i++)
        options->json |= strcmp(argv[i], "--json") == 0;
    opterr = 0;
    optind = 0;
    const char *shorts = strchr(letters, 'o') ? ":o:h" : ":h";
    int letter, where = 1;
    while ((letter = getopt_long(own, argv, shorts, known, NULL)) != -1) {
        /* Within a cluster of letters getopt stays where it is. */
        const char *seen = argv[optind > where ? optind - 1 : where];
        if (letter == 'h' || letter == 2) {
            fputs(help, stdout);
            return cli_end(0, argv[0]);
        }
        if (letter == 3) {
            puts("cbfuzz " CBFUZZ_VERSION);
            return cli_end(0, argv[0]);
        }
        if (letter == ':')
            return cli_reject(options, EXIT_REQUEST, argv[0],
                              "%s needs a value; see cbfuzz %s --help", seen, argv[0]);
        if (letter == '?')
            return cli_reject(options, EXIT_REQUEST, argv[0],
                              "unknown option %s; see cbfuzz %s --help", seen, argv[0]);
        if (letter == 1) options->json = true;
        else {
            int code = take_option(options, argv[0], (char)letter, optarg);
            if (code >= 0) return code;
        }
        where = optind;
    }
    options->files = argv + optind;
    options->file_count = own - optind;
    return -1;
}

int cli_load(const Options *options, const char *command, Implementation *implementation) {
    char error[1200];
    const char *path = options->implementation ? options->implementation : "builtin";
    if (!implementation_open(implementation, path, error, sizeof error))
        return cli_reject(options, EXIT_REQUEST, command, "%s", error);
    char shown[4200];
    if (!implementation->instrumented)
        fprintf(stderr,
                "cbfuzz %s: %s is not instrumented, so coverage does not guide; build it with "
                "scripts/build-impl\n",
                command, load_printable(path, shown, sizeof shown));
    return -1;
}

ReportCall cli_call(const Options *options) {
    bool builtin = !options->implementation || strcmp(options->implementation, "builtin") == 0;
    return (ReportCall){.program = cli_program,
                        .implementation = builtin ? NULL : options->implementation,
                        .windows = options->windows};
}
