/* Reads programs from files, whichever notation they are in. */
#ifndef CBFUZZ_HARNESS_LOAD_H
#define CBFUZZ_HARNESS_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "program/program.h"

enum {
    LOAD_SCRIPT = 16 << 20, /* bytes of the largest script */
    LOAD_BYTES = 34 << 20   /* and of the largest program in bytes, where a character may take two:
                               what is behind is not read */
};

/* Reads a program from `path` ("-": standard input). False: `error` is one line,
 * FILE:LINE:COLUMN: what is wrong, for scripts; the file's fault, unless a signal came. */
bool load_program(Program *program, const char *path, char *error, size_t error_size);

/* All programs of a file or folder (recursively, hidden ones and *.md left out),
 * sorted by name, each given to `take`. False: `error` says why the path is no good. */
typedef bool (*LoadTake)(void *context, const char *path);
bool load_walk(const char *path, LoadTake take, void *context, char *error, size_t error_size);

/* Replaces what must not reach a terminal; returns `buffer`. */
const char *load_printable(const char *path, char *buffer, size_t size);

#endif
