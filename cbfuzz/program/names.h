/* The names on the left: which are allowed, and how each variable is spelled.
 *
 * A variable has its own spelling if it has one that is still free at its place,
 * else the canonical one: a, b, ... z, o27 for objects, r1 for registrations, p1
 * for processor registrations, with "_" behind it until it is free. Parser,
 * printer and decoder go by this one rule.
 */
#ifndef CBFUZZ_PROGRAM_NAMES_H
#define CBFUZZ_PROGRAM_NAMES_H

#include "program/program.h"

enum {
    NAMES_SLOTS = 4 * PROGRAM_STATEMENTS, /* a power of two, so that chains stay short */
    NAMES_SPELLED =
        PROGRAM_IDENTIFIER + 16 /* canonical names gain at most one "_" per length of a spelling */
};

/* The spellings of the variables 0..count-1. */
typedef struct {
    uint16_t slot[NAMES_SLOTS]; /* variable + 1 at the hash of its spelling */
    uint32_t at[PROGRAM_STATEMENTS];
    uint8_t length[PROGRAM_STATEMENTS];
    uint32_t count;
    uint32_t of_type[TYPE_PROCESSOR + 1];
    char *text;
    uint32_t text_count, text_capacity;
} Names;

Names *names_new(void);
void names_free(Names *names);
void names_clear(Names *names);

/* The variable with this spelling, or NO_VARIABLE. */
uint16_t names_find(const Names *names, const char *text, size_t length);
/* What the next variable is called if it has no spelling of its own; returns the length. */
unsigned names_default(const Names *names, Type type, char spelled[NAMES_SPELLED]);
/* Adds the next variable with a spelling that is free. */
void names_add(Names *names, Type type, const char *spelled, unsigned length);
/* All variables of the program. */
void names_build(Names *names, const Program *program);

/* The canonical name of a variable when no other has a spelling of its own. */
unsigned names_canonical(Type type, uint32_t number, char spelled[NAMES_SPELLED]);

/* Letters, digits and "_", no digit first, at most PROGRAM_IDENTIFIER. */
bool names_well_formed(const char *text, size_t length);
/* A word of the language, F1, T1, STATUS_...: never a name. */
bool names_reserved(const char *text, size_t length);

#endif
