/* cbfuzz doctor: what is missing or wrong, and how to mend it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "harness/interrupt.h"
#include "harness/load.h"
#include "harness/runner.h"
#include "program/script.h"

static const char help[] =
    "usage: cbfuzz doctor [--impl I] [--profile P] [--json]\n\n"
    "Looks whether all is there that cbfuzz needs: compiler, runtimes, headers, debugger.\n"
    "Then at the implementation: what it exports, whether it is instrumented, boots, and\n"
    "conforms to a program of five statements. Says of everything that is missing or\n"
    "wrong how to mend it. Exit code 0: nothing that is needed is; 1: the implementation\n"
    "does not conform; 2: it cannot be used; 3: something is missing here.\n\n"
    "examples:\n"
    "  cbfuzz doctor\n"
    "  cbfuzz doctor --impl build/impl/mine.so\n";

typedef enum { OK, LACKS, WRONG } Health; /* LACKS: cbfuzz goes on without */

typedef struct {
    FILE *out;
    json_t *checks;
    unsigned counts[3];
    int code;      /* of the first check that is WRONG */
    json_t *error; /* and what it found; NULL: none is */
} Doctor;

static void tell(Doctor *doctor, Health health, const char *what, const char *detail,
                 const char *mend) {
    static const char *const names[] = {"ok", "missing", "wrong"};
    char shown[1400];
    if (interrupt_signal) return; /* it says nothing */
    fprintf(doctor->out, "%-8s %-12s %s\n", names[health], what,
            load_printable(detail, shown, sizeof shown));
    if (health != OK && *mend) fprintf(doctor->out, "%-21s to mend it: %s\n", "", mend);
    json_t *row = json_object();
    json_object_set_new(row, "name", json_string(what));
    json_object_set_new(row, "status", json_string(names[health]));
    json_object_set_new(row, "detail", report_json_text(detail));
    json_object_set_new(row, "mend", health == OK ? json_null() : json_string(mend));
    json_array_append_new(doctor->checks, row);
    doctor->counts[health]++;
}

static void fail(Doctor *doctor, int code, const char *what, const char *detail, const char *mend) {
    tell(doctor, WRONG, what, detail, mend);
    if (doctor->code) return;
    doctor->code = code;
    doctor->error = report_json_text(detail);
}

/* The first line that a command prints; false: it fails. Words without quotes only. */
static bool first_line(const char *command, char *line, size_t size) {
    FILE *pipe = popen(command, "re");
    line[0] = 0;
    if (!pipe) return false;
    bool got = fgets(line, (int)size, pipe) != NULL;
    char rest[256];
    while (fread(rest, 1, sizeof rest, pipe) > 0) {
    }
    line[strcspn(line, "\n")] = 0;
    return pclose(pipe) == 0 && got;
}

/* ---- what cbfuzz needs ---- */

static void check_compiler(Doctor *doctor) {
    char path[4200], command[4400], line[1024], folder[1024];
    if (!cli_find_clang("clang", path, sizeof path)) {
        fail(doctor, EXIT_TOOL, "compiler", "no clang here, so nothing can be built",
             "apt-get install clang libclang-rt-14-dev, or scripts/quickstart build");
        return;
    }
    snprintf(command, sizeof command, "'%.4100s' --version 2>/dev/null", path);
    bool runs = first_line(command, line, sizeof line);
    if (runs) tell(doctor, OK, "compiler", line, "");
    else fail(doctor, EXIT_TOOL, "compiler", path, "it does not run: apt-get install clang");
    if (!runs) return;
    static const char *const runtimes[] = {"libclang_rt.asan-x86_64.a",
                                           "libclang_rt.fuzzer_no_main-x86_64.a"};
    for (unsigned i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "'%.4100s' -print-file-name=%s 2>/dev/null", path,
                 runtimes[i]);
        bool there = first_line(command, line, sizeof line) && access(line, R_OK) == 0;
        snprintf(command, sizeof command, "'%.4100s' -print-runtime-dir 2>/dev/null", path);
        if (!there && first_line(command, folder, sizeof folder)) {
            snprintf(line, sizeof line, "%.900s/%s", folder, runtimes[i]);
            there = access(line, R_OK) == 0;
        }
        if (there) tell(doctor, OK, "runtime", runtimes[i], "");
        else
            fail(doctor, EXIT_TOOL, "runtime", runtimes[i],
                 "apt-get install libclang-rt-14-dev, in clang's version");
    }
    if (cli_find_clang("clang++", path, sizeof path)) tell(doctor, OK, "c++", path, "");
    else
        tell(doctor, LACKS, "c++", "no clang++ here, so C++ cannot be built",
             "apt-get install clang");
}

static void check_tools(Doctor *doctor) {
    static const struct {
        const char *what, *program, *without, *mend;
    } tools[] = {
        {"addr2line", "addr2line", "findings name no functions and lines",
         "apt-get install binutils"},
        {"debugger", "gdb", "run --gdb does not work", "apt-get install gdb"},
    };
    char path[4200];
    for (unsigned i = 0; i < sizeof tools / sizeof tools[0]; i++)
        if (cli_find_program(tools[i].program, path, sizeof path))
            tell(doctor, OK, tools[i].what, path, "");
        else tell(doctor, LACKS, tools[i].what, tools[i].without, tools[i].mend);
    if (cli_root(path, sizeof path)) tell(doctor, OK, "build-impl", path, "");
    else
        fail(doctor, EXIT_TOOL, "build-impl", "scripts/ and headers are not beside build/cbfuzz",
             "run cbfuzz where it was built, as build/cbfuzz");
}

/* ---- the implementation ---- */

static void check_exports(Doctor *doctor, const Implementation *implementation) {
    char text[600] = "the four routines";
    const char *name;
    bool required;
    size_t used = strlen(text);
    bool counts = false, makes = false; /* references; objects temporary */
    for (unsigned i = 0; (name = implementation_export(i, &required)) != NULL; i++) {
        if (required || !(implementation->exports >> i & 1)) continue;
        makes |= strcmp(name, "ObMakeTemporaryObject") == 0;
        counts |= strstr(name, "ReferenceObject") || strstr(name, "DereferenceObject");
        if (used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, ", %s", name);
    }
    tell(doctor, OK, "routines", text, "");
    if (counts != makes)
        tell(
            doctor, LACKS, "objects",
            "of ObReferenceObject, ObDereferenceObject and ObMakeTemporaryObject some are its own, "
            "the others are the environment's, which knows only objects of ObCreateObject",
            "export all three, or none");
}

static void check_instruments(Doctor *doctor, const Implementation *implementation) {
    static const char again[] = "build it with scripts/build-impl";
    if (implementation->instrumented) tell(doctor, OK, "coverage", "guides the fuzzer", "");
    else
        tell(doctor, LACKS, "coverage", "not instrumented, so it does not guide the fuzzer", again);
    if (implementation->sanitized) tell(doctor, OK, "memory", "its errors are seen", "");
    else tell(doctor, LACKS, "memory", "not instrumented, so only what crashes is seen", again);
}

/* Five statements; what is left is given back. */
static const char program_text[] = "a = create \"\\Callback\\Doctor\" multiple\n"
                                   "r = register a F1 0x10\n"
                                   "notify a 0x1 0x2\n"
                                   "unregister r\n"
                                   "b = open \"\\Callback\\PowerState\"\n";

static void check_program(Doctor *doctor, const Options *options, Implementation *implementation) {
    Program *program = program_new();
    Runner runner;
    ScriptError error;
    if (!program || !runner_open(&runner, implementation, options->windows)) {
        fail(doctor, EXIT_TOOL, "program", "out of memory", "");
        return;
    }
    runner_calibrate(&runner);
    bool ran = script_parse(program, program_text, strlen(program_text), &error) &&
               runner_run(&runner, program, runner.session->readings);
    const Finding *finding = &runner.session->finding;
    if (!ran) {
        fail(doctor, runner.code, "program", runner.error, "");
    } else if (!verdict_is_finding(runner.session->judgement.verdict)) {
        tell(doctor, OK, "program", "five statements, and what it does is allowed", "");
    } else {
        char detail[700], subject[80];
        snprintf(detail, sizeof detail, "%s %s: %.200s: expected %.150s, observed %.150s",
                 verdict_name(finding->judgement.verdict),
                 verdict_subject(&finding->judgement, subject), finding->statement,
                 finding->expected, finding->observed);
        fail(doctor, EXIT_FINDING, "program", detail,
             "that is what cbfuzz is for: cbfuzz conform says more");
    }
    runner_close(&runner);
    program_free(program);
}

static void check_implementation(Doctor *doctor, const Options *options) {
    Implementation implementation;
    char error[1200];
    const char *path = options->implementation ? options->implementation : "builtin";
    if (!implementation_open(&implementation, path, error, sizeof error)) {
        fail(doctor, EXIT_REQUEST, strstr(error, ": exports ") ? "routines" : "boots", error,
             "see README.md, Your own implementation");
        return;
    }
    if (!implementation.builtin) {
        check_exports(doctor, &implementation);
        check_instruments(doctor, &implementation);
    }
    tell(doctor, OK, "boots", path, "");
    check_program(doctor, options, &implementation);
}

int cli_doctor(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, "ip", help);
    if (code >= 0) return code;
    if (options.file_count)
        return cli_reject(&options, EXIT_REQUEST, "doctor",
                          "no file is expected, but %s; an implementation is given with --impl",
                          options.files[0]);
    Doctor doctor = {.out = cli_out(&options), .checks = json_array()};
    check_compiler(&doctor);
    if (!interrupt_signal) check_tools(&doctor);
    if (!interrupt_signal) check_implementation(&doctor, &options);
    fprintf(doctor.out, "cbfuzz doctor: %u ok, %u missing, %u wrong%s\n", doctor.counts[OK],
            doctor.counts[LACKS], doctor.counts[WRONG], interrupt_signal ? ", interrupted" : "");
    doctor.code = interrupt_code(doctor.code);
    if (options.json) {
        json_t *document = report_json("doctor");
        json_object_set_new(document, "checks", doctor.checks);
        if (doctor.code >= EXIT_REQUEST) json_object_set_new(document, "error", doctor.error);
        return cli_json_end(document, doctor.code);
    }
    json_decref(doctor.checks);
    json_decref(doctor.error);
    return cli_end(doctor.code, "doctor");
}
