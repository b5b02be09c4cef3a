/* Tokens of a script line, and errors with their place. Private to the parser. */
#ifndef CBFUZZ_PROGRAM_SCRIPT_LEX_H
#define CBFUZZ_PROGRAM_SCRIPT_LEX_H

#include "program/script.h"

typedef enum {
    TOKEN_END, /* of the line */
    TOKEN_WORD,
    TOKEN_NUMBER,   /* starts with a digit; script_number says whether it is one */
    TOKEN_STRING,   /* with its quotes */
    TOKEN_UNCLOSED, /* a quote without its partner */
    TOKEN_ARROW,
    TOKEN_COMMENT, /* from # to the end of the line */
    TOKEN_SIGN     /* any other character */
} TokenKind;

typedef struct {
    TokenKind kind;
    const char *at;
    size_t length;
} Token;

/* One line of a script while it is read. */
typedef struct {
    ScriptError *error;
    const char *start, *end; /* of the line */
    const char *next;        /* behind `token` */
    uint32_t number;         /* of the line, from 1 */
    Token token;             /* the one that is looked at */
} ScriptLine;

/* Finds the end of the line at `text` and checks its characters. Sets *after to
 * where the next line starts. */
bool script_line_open(ScriptLine *line, const char *text, const char *end, const char **after);
void script_advance(ScriptLine *line);

bool script_token_is(const Token *token, const char *word);
bool script_token_sign(const Token *token, char sign);

/* Column of a place in the line, in characters, from 1. */
uint32_t script_column(const ScriptLine *line, const char *at);

/* Fills the error with its place; returns false. */
bool script_fail(ScriptLine *line, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a token is called in a message: "word" in quotes, cut and cleaned, or
 * `the end of the line`. */
enum { SCRIPT_SHOWN = 128 };
const char *script_shown(const Token *token, char shown[SCRIPT_SHOWN]);

/* `; did you mean "notify"?` for the nearest of the words (NULL-terminated), or "". */
enum { SCRIPT_HINT = 80 };
const char *script_hint(const Token *token, const char *const *words, char hint[SCRIPT_HINT]);

/* Reads the current token as a number up to `most`, and advances. `what` is what
 * the message expects. */
bool script_number(ScriptLine *line, const char *what, uint64_t most, uint64_t *number);

/* Reads the current token as a name in quotes, and advances. */
bool script_name(ScriptLine *line, uint16_t *units, uint16_t *length);

/* F1..F16 and T1..T8: the number behind the letter, and advances. */
bool script_routine(ScriptLine *line, char letter, unsigned most, uint8_t *routine);

/* STATUS_..., or a number of 32 bits, and advances. */
bool script_status(ScriptLine *line, const char *what, uint32_t *status);

#endif
