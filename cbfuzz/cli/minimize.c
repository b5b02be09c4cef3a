/* cbfuzz minimize: a finding's program made smaller. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "fuzz/artifact.h"
#include "fuzz/minimize.h"
#include "harness/interrupt.h"
#include "harness/load.h"
#include "program/script.h"

static const char help[] =
    "usage: cbfuzz minimize [--impl I] [--profile P] [--json] FILE -o OUT\n\n"
    "Makes the program smaller as long as the finding stays the same, and writes it\n"
    "as a script. Exit code 1: it still is a finding (that is what was asked for); 0:\n"
    "the program conforms, and OUT is not written.\n\n"
    "example:\n"
    "  cbfuzz minimize --impl build/impl/mine.so big.cbs -o small.cbs\n";

static bool write_script(const char *path, const Program *program, char *error, size_t size) {
    size_t length;
    char *text = script_text(program, &length);
    bool good = text && file_replace(path, text, length, error, size);
    int why = errno;
    free(text);
    errno = why;
    return good;
}

static unsigned statements(const Program *program) {
    unsigned count = 0;
    for (uint32_t i = 0; i < program->line_count; i++)
        count += line_info[program->lines[i].kind].class == CLASS_CALL;
    return count;
}

/* Shrinks, writes and reports. Returns the exit code. */
static int minimize_file(const Options *options, Runner *runner, Program *program,
                         json_t *document) {
    char error[1200] = "", signature[SIGNATURE_TEXT];
    FILE *out = cli_out(options);
    runner_calibrate(runner);
    Readings usual = runner->session->readings;
    unsigned before = statements(program);
    if (!runner_run(runner, program, usual))
        return cli_fail(runner->code, "minimize", "%s", runner->error);
    Judgement judgement = runner->session->judgement;
    if (!verdict_is_finding(judgement.verdict)) {
        Finding none = {.judgement = judgement};
        report_json_finding(document, &none);
        fprintf(out, "cbfuzz minimize: %s: nothing to keep, no file written\n",
                verdict_name(judgement.verdict));
        return 0;
    }
    verdict_signature(&judgement, signature);
    if (!minimize(runner, program, usual, signature, INFINITY))
        return cli_fail(runner->broken ? runner->code : EXIT_TOOL, "minimize", "%s",
                        runner->broken ? runner->error : "the program does not show it again");
    if (!interrupt_signal) annotate(runner, program, judgement.before, usual, signature);
    if (!write_script(options->output, program, error, sizeof error))
        return cli_fail(file_exit_code(errno), "minimize", "%s", error);
    ReportCall call = cli_call(options);
    report_finding(out, &runner->session->finding, &call, options->output);
    report_json_finding(document, &runner->session->finding);
    json_object_set_new(document, "signature", report_json_text(signature));
    json_object_set_new(document, "statements", json_integer(statements(program)));
    json_object_set_new(document, "file", report_json_text(options->output));
    fprintf(out, "cbfuzz minimize: %u statements, before %u\n", statements(program), before);
    return interrupt_code(EXIT_FINDING);
}

int cli_minimize(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, "ipo", help);
    if (code >= 0) return code;
    if (options.file_count != 1 || !options.output)
        return cli_reject(&options, EXIT_REQUEST, "minimize",
                          "one file and -o OUT are expected; see cbfuzz minimize --help");
    Program *program = program_new();
    char error[1200];
    if (!program) return cli_reject(&options, EXIT_TOOL, "minimize", "out of memory");
    if (!load_program(program, options.files[0], error, sizeof error)) {
        program_free(program);
        return cli_reject(&options, EXIT_REQUEST, "minimize", "%s", error);
    }
    Implementation implementation;
    Runner runner;
    if ((code = cli_load(&options, "minimize", &implementation)) >= 0) return code;
    if (!runner_open(&runner, &implementation, options.windows || program_needs_windows(program)))
        return cli_reject(&options, EXIT_TOOL, "minimize", "%s", runner.error);
    json_t *document = report_json("minimize");
    code = minimize_file(&options, &runner, program, document);
    runner_close(&runner);
    program_free(program);
    if (options.json) return cli_json_end(document, code);
    json_decref(document);
    return cli_end(code, "minimize");
}
