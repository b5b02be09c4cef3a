/* The parser's state, and its two halves: lines, and arguments of a statement. Private to it. */
#ifndef CBFUZZ_PROGRAM_SCRIPT_PARSER_H
#define CBFUZZ_PROGRAM_SCRIPT_PARSER_H

#include "program/names.h"
#include "program/script_lex.h"

/* A name that a routine body uses before the script has defined it. */
typedef struct {
    ScriptLine line; /* for the error */
    Token token;
    uint32_t index;
} Forward;

typedef struct {
    ScriptLine line;
    Program *program;
    Names *names;
    Forward *forward;
    uint32_t forward_count, forward_capacity;
    uint32_t block_line, block_column;
    uint16_t units[PROGRAM_NAME_UNITS];
} Parser;

/* Reads operand and arguments of a statement into *out; the current token is the
 * one behind the statement's word. */
bool script_operand(Parser *parser, Line *out);
bool script_arguments(Parser *parser, Line *out);

/* Finds the names that bodies use and that were defined below. */
bool script_resolve_forward(Parser *parser);

#endif
