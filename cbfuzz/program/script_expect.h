/* Reads what stands behind "->". Private to the parser. */
#ifndef CBFUZZ_PROGRAM_SCRIPT_EXPECT_H
#define CBFUZZ_PROGRAM_SCRIPT_EXPECT_H

#include "program/script_lex.h"

/* The current token is the one behind the arrow. */
bool script_expectation(ScriptLine *line, Program *program, Line *out);

#endif
