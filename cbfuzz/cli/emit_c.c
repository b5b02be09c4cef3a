/* cbfuzz emit-c: a program as a C program that stands alone. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "fuzz/artifact.h"
#include "harness/load.h"
#include "harness/runner.h"
#include "report/emit.h"

static const char help[] =
    "usage: cbfuzz emit-c [--impl I] [--profile P] [--json] FILE -o OUT.c\n\n"
    "Runs the program, and writes it as a C program that makes the same calls on the same\n"
    "implementation, checks what they show, and fails in the same way. Its head has the\n"
    "command that builds it: no cbfuzz is needed to run it, to debug it or to read it.\n"
    "Exit code 1: the program is a finding; 0: it conforms, and OUT.c says so.\n\n"
    "example:\n"
    "  cbfuzz emit-c --impl build/impl/mine.so artifacts/NOTIFY-ORDER-1f2e3d4c.cbs -o order.c\n";

/* The whole file; NULL: it cannot be read. */
static char *read_back(FILE *file) {
    struct stat status;
    if (fstat(fileno(file), &status) != 0) return NULL;
    char *text = malloc((size_t)status.st_size + 1);
    if (text && pread(fileno(file), text, (size_t)status.st_size, 0) != status.st_size) {
        free(text);
        return NULL;
    }
    if (text) text[status.st_size] = 0;
    return text;
}

static int write_c(const Options *options, const Emission *emission) {
    char error[1200] = "out of memory", *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool good = out && emit_c(out, emission);
    if (out) fclose(out);
    errno = ENOMEM;
    good = good && file_replace(options->output, text, size, error, sizeof error);
    int why = errno;
    free(text);
    return good ? -1 : cli_fail(file_exit_code(why), "emit-c", "%s", error);
}

/* Runs, writes and reports. Returns the exit code. */
static int emit(const Options *options, Runner *runner, const Program *program, json_t *document) {
    char root[4200], clang[4200];
    const char *slash = cli_find_clang("clang", clang, sizeof clang) ? strrchr(clang, '/') : NULL;
    FILE *trace = tmpfile();
    if (!trace) return cli_fail(EXIT_TOOL, "emit-c", "no temporary file: %s", strerror(errno));
    if (!cli_root(root, sizeof root))
        return cli_fail(EXIT_TOOL, "emit-c",
                        "headers are not beside build/cbfuzz; run it where it was built");
    runner->trace = trace;
    runner_calibrate(runner);
    if (!runner_run(runner, program, runner->session->readings))
        return cli_fail(runner->code, "emit-c", "%s", runner->error);
    char *text = read_back(trace);
    fclose(trace);
    if (!text) return cli_fail(EXIT_TOOL, "emit-c", "the trace cannot be read back");
    Finding conforms = {.judgement = runner->session->judgement};
    Verdict verdict = conforms.judgement.verdict;
    Emission emission = {.program = program,
                         .file = options->files[0],
                         .trace = text,
                         .finding =
                             verdict == VERDICT_CONFORMS ? &conforms : &runner->session->finding,
                         .implementation = runner->implementation,
                         .root = root,
                         .compiler = slash ? slash + 1 : "clang",
                         .output = options->output};
    int code = write_c(options, &emission);
    free(text);
    if (code >= 0) return code;
    ReportCall call = cli_call(options);
    FILE *out = cli_out(options);
    if (verdict != VERDICT_CONFORMS)
        report_finding(out, emission.finding, &call, options->files[0]);
    report_json_finding(document, emission.finding);
    json_object_set_new(document, "file", report_json_text(options->output));
    char shown[4200];
    fprintf(out, "cbfuzz emit-c: %s: %s; its head says how to build it\n",
            load_printable(options->output, shown, sizeof shown), verdict_name(verdict));
    return verdict_is_finding(verdict) ? EXIT_FINDING : 0;
}

int cli_emit_c(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, "ipo", help);
    if (code >= 0) return code;
    if (options.file_count != 1 || !options.output)
        return cli_reject(&options, EXIT_REQUEST, "emit-c",
                          "one file and -o OUT.c are expected; see cbfuzz emit-c --help");
    Program *program = program_new();
    char error[1200];
    if (!program) return cli_reject(&options, EXIT_TOOL, "emit-c", "out of memory");
    if (!load_program(program, options.files[0], error, sizeof error)) {
        program_free(program);
        return cli_reject(&options, EXIT_REQUEST, "emit-c", "%s", error);
    }
    Implementation implementation;
    Runner runner;
    if ((code = cli_load(&options, "emit-c", &implementation)) >= 0) return code;
    if (!runner_open(&runner, &implementation, options.windows || program_needs_windows(program)))
        return cli_reject(&options, EXIT_TOOL, "emit-c", "%s", runner.error);
    json_t *document = report_json("emit-c");
    code = emit(&options, &runner, program, document);
    runner_close(&runner);
    program_free(program);
    if (options.json) return cli_json_end(document, code);
    json_decref(document);
    return cli_end(code, "emit-c");
}
