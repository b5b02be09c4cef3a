/* Any text is a script or an error with its place; what is printed of it parses to the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/bytes.h"
#include "program/script.h"

static void check(bool holds, const char *what, const char *script) {
    if (holds) return;
    fprintf(stderr, "fuzz_script: %s\n%s\n", what, script);
    abort();
}

static char *print(const Program *program, size_t *length) {
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    script_print(out, program);
    fclose(out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static Program *first, *second;
    if (!first) {
        first = program_new();
        second = program_new();
    }
    ScriptError error;
    script_recognize((const char *)bytes, length);
    if (!script_parse(first, (const char *)bytes, length, &error)) {
        check(error.line > 0 && error.column > 0 && error.message[0],
              "an error without place or message", "");
        for (const char *c = error.message; *c; c++)
            check((unsigned char)*c >= 0x20 && *c != 0x7F, "a control character in a message",
                  error.message);
        check(first->line_count == 0, "an error leaves lines", error.message);
        return 0;
    }
    size_t script_length = 0, again_length = 0;
    char *script = print(first, &script_length);
    if (!script_parse(second, script, script_length, &error)) check(false, error.message, script);
    char *again = print(second, &again_length);
    check(again_length == script_length && memcmp(script, again, script_length) == 0,
          "script differs", script);
    check(script_length == 0 || script_recognize(script, script_length),
          "a script is not recognized", script);

    size_t needs = bytes_encode(first, NULL, 0);
    uint8_t *encoded = malloc(needs);
    bytes_encode(first, encoded, needs);
    bytes_decode(second, encoded, needs);
    free(again);
    again = print(second, &again_length);
    check(again_length == script_length && memcmp(script, again, script_length) == 0,
          "bytes lose something", script);
    free(encoded);
    free(script);
    free(again);
    return 0;
}
