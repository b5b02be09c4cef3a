/* cbfuzz assemble: a script as bytes. */
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "fuzz/artifact.h"
#include "harness/load.h"
#include "program/bytes.h"

static const char help[] =
    "usage: cbfuzz assemble [--json] FILE -o OUT\n\n"
    "Writes a program, script or bytes, as bytes: what libFuzzer and AFL++ mutate.\n"
    "Nothing is lost: cbfuzz show OUT prints the same script, unless OUT ends in .cbs: what\n"
    "does is read as a script. FILE may be -.\n\n"
    "example:\n"
    "  cbfuzz assemble corpus/seed/mailbox.cbs -o mailbox.bin\n";

int cli_assemble(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, "o", help);
    if (code >= 0) return code;
    if (options.file_count != 1 || !options.output)
        return cli_reject(&options, EXIT_REQUEST, "assemble",
                          "one file and -o OUT are expected; see cbfuzz assemble --help");
    Program *program = program_new();
    char error[1200] = "";
    if (!program) return cli_reject(&options, EXIT_TOOL, "assemble", "out of memory");
    if (!load_program(program, options.files[0], error, sizeof error)) {
        program_free(program);
        return cli_reject(&options, EXIT_REQUEST, "assemble", "%s", error);
    }
    size_t size = bytes_encode(program, NULL, 0);
    uint8_t *bytes = malloc(size + 1);
    bool good = bytes && bytes_encode(program, bytes, size) == size &&
                file_replace(options.output, bytes, size, error, sizeof error);
    if (good && options.json) {
        json_t *document = report_json("assemble");
        json_object_set_new(document, "file", report_json_text(options.output));
        json_object_set_new(document, "statements", json_integer(program->statement_count));
        json_object_set_new(document, "bytes", json_integer((json_int_t)size));
        code = cli_json_end(document, 0);
    } else {
        code = good ? 0
                    : cli_reject(&options, file_exit_code(errno), "assemble", "%s",
                                 error[0] ? error : "out of memory");
    }
    free(bytes);
    program_free(program);
    return code;
}
