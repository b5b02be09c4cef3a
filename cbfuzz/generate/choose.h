/* Chooses statements by what they would do now. Private to generate/. */
#ifndef CBFUZZ_GENERATE_CHOOSE_H
#define CBFUZZ_GENERATE_CHOOSE_H

#include "generate/generate.h"

enum { CHOICES = 48 /* variables of one kind looked at: programs are short */ };

/* What the state offers: variables by what can be done with them. */
typedef struct {
    uint16_t object[CHOICES], registration[CHOICES], change[CHOICES];
    unsigned objects, registrations, changes;
    bool driver_defined, has_routines; /* one of the objects is, one such has */
} Offer;

struct Generator {
    Executor *executor;
    Recipe recipe;
    Random random;
    Program *program;     /* being written */
    uint32_t kinds;       /* bit per LineKind: this program's subset */
    uint32_t long_length; /* code units of this program's long names */
    size_t less;          /* bytes of the program, than estimated */
    bool crowded;         /* of many things rather than of many kinds of things */
    bool broken;          /* the program has ended inside of a call */
};

/* A variable for each thing that the program may use now. */
void choose_offer(const Generator *generator, Offer *offer);

/* Appends a statement that would do something now; false: there is none in this
 * program's subset (the state offers nothing), or no room. */
bool choose_statement(Generator *generator);

/* Appends a body for a routine that is registered and has not run; false: none. */
bool choose_body(Generator *generator);

/* Changes one argument of a line. */
void choose_tweak(Generator *generator, Line *line);

#endif
