/* A program as a C program that stands alone: calls, what they have shown, and the failure. */
#ifndef CBFUZZ_REPORT_EMIT_H
#define CBFUZZ_REPORT_EMIT_H

#include <stdio.h>

#include "harness/finding.h"
#include "harness/implementation.h"

/* What is emitted, and where from. */
typedef struct {
    const Program *program;
    const char *file;  /* it was read from */
    const char *trace; /* of its run, as `run --trace` prints it */
    const Finding *finding;
    const Implementation *implementation;
    const char *root;     /* our own folder */
    const char *compiler; /* "clang" */
    const char *output;
} Emission;

/* Prints the C program; false: memory is short. */
bool emit_c(FILE *out, const Emission *emission);

#endif
