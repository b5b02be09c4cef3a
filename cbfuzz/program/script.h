/* The notation of people: a script, one line a call, the expected outcome on its line.
 *
 * Reference: the language section of the man page. One parser, one printer.
 */
#ifndef CBFUZZ_PROGRAM_SCRIPT_H
#define CBFUZZ_PROGRAM_SCRIPT_H

#include <stdio.h>

#include "program/program.h"

/* Where a script is wrong, and how. Line and column count from 1; columns count
 * characters (code points), not bytes. */
typedef struct {
    uint32_t line, column;
    char message[240]; /* says what was found and what was expected; no control characters */
} ScriptError;

/* Reads a whole script; `text` need not be terminated and may contain anything.
 * On an error returns false, fills *error, and leaves the program empty. */
bool script_parse(Program *program, const char *text, size_t length, ScriptError *error);

/* Does this look like a script rather than bytes? (Valid UTF-8 text with at least one
 * line that starts with a word of the language, assigns a word or is a comment of some
 * length, or with nothing but comments.) */
bool script_recognize(const char *text, size_t length);

/* Prints the whole program; parsing the output gives an equal program. Never
 * prints a control character: names and comments escape them. */
void script_print(FILE *out, const Program *program);

/* The same as a string, to be freed by the caller; NULL when memory is short. */
char *script_text(const Program *program, size_t *size);

/* Prints one line without indentation, trailing comment, expectation or newline:
 * `notify a 0x1 0x2`. */
void script_print_line(FILE *out, const Program *program, uint32_t index);

/* Prints what is expected of a line as it stands behind "->": `STATUS_SUCCESS`,
 * `nothing`, `F1(0x10, 0x1, 0x2)`; nothing for EXPECT_UNSAID. */
void script_print_expectation(FILE *out, const Program *program, uint32_t index);

/* Prints a value, a routine call, a status (by its name if it has one, else
 * 0xXXXXXXXX), the name of a variable, as scripts spell them. */
void script_print_value(FILE *out, Value value);
void script_print_call(FILE *out, const ExpectedCall *call);
void script_print_status(FILE *out, uint32_t status);
void script_print_variable(FILE *out, const Program *program, uint16_t variable);
/* The names IRQLs have: PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL, else a number. */
void script_print_level(FILE *out, unsigned level);

#endif
