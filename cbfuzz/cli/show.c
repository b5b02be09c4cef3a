/* cbfuzz show: a program as a script on standard output. */
#include <stdlib.h>

#include "cli/cli.h"
#include "harness/interrupt.h"
#include "harness/load.h"
#include "program/script.h"

static const char help[] =
    "usage: cbfuzz show [--json] FILE\n\n"
    "Prints a program, bytes or script, as a script on standard output. FILE may be -\n"
    "for standard input. What has a name in .cbs, or reads like a script, is one.\n\n"
    "examples:\n"
    "  cbfuzz show build/corpus/0a1b2c\n"
    "  cbfuzz show corpus/seed/mailbox.cbs\n";

int cli_show(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, "", help);
    if (code >= 0) return code;
    if (options.file_count != 1)
        return cli_reject(&options, EXIT_REQUEST, "show",
                          "one file is expected; see cbfuzz show --help");
    Program *program = program_new();
    char error[1200];
    if (!program) return cli_reject(&options, EXIT_TOOL, "show", "out of memory");
    if (!load_program(program, options.files[0], error, sizeof error)) {
        program_free(program);
        return cli_reject(&options, EXIT_REQUEST, "show", "%s", error);
    }
    interrupt_defer();
    if (!options.json) {
        script_print(stdout, program);
        code = cli_end(0, "show");
    } else {
        size_t size;
        char *text = script_text(program, &size);
        json_t *document = report_json("show");
        json_object_set_new(document, "file", report_json_text(options.files[0]));
        json_object_set_new(document, "statements", json_integer(program->statement_count));
        json_object_set_new(document, "script", report_json_text(text ? text : ""));
        free(text);
        code = cli_json_end(document, 0);
    }
    program_free(program);
    return code;
}
