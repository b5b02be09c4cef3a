/* Any bytes are a program; its script gives the same program, and that the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/bytes.h"
#include "program/script.h"

static void check(bool holds, const char *what, const char *script) {
    if (holds) return;
    fprintf(stderr, "fuzz_bytes: %s\n%s\n", what, script);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static Program *first, *second;
    if (!first) {
        first = program_new();
        second = program_new();
    }
    bytes_decode(first, bytes, length);
    char *script = NULL, *again = NULL;
    size_t script_length = 0, again_length = 0;
    FILE *out = open_memstream(&script, &script_length);
    script_print(out, first);
    fclose(out);
    for (size_t i = 0; i < script_length; i++)
        check((unsigned char)script[i] >= 0x20 || script[i] == '\n',
              "a control character is printed", script);

    ScriptError error;
    if (!script_parse(second, script, script_length, &error)) check(false, error.message, script);
    out = open_memstream(&again, &again_length);
    script_print(out, second);
    fclose(out);
    check(again_length == script_length && memcmp(script, again, script_length) == 0,
          "script differs", script);

    size_t needs = bytes_encode(first, NULL, 0);
    uint8_t *encoded = malloc(needs), *encoded_again = malloc(needs);
    check(bytes_encode(first, encoded, needs) == needs, "the count of bytes differs", script);
    check(bytes_encode(second, encoded_again, needs) == needs &&
              memcmp(encoded, encoded_again, needs) == 0,
          "bytes of the script differ", script);
    bytes_decode(second, encoded, needs);
    check(bytes_encode(second, encoded_again, needs) == needs &&
              memcmp(encoded, encoded_again, needs) == 0,
          "bytes are no fixed point", script);
    free(encoded);
    free(encoded_again);
    free(script);
    free(again);
    return 0;
}
