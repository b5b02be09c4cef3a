/* Report files: known to be writable before a run, complete or not there after it. */
#ifndef CBFUZZ_REPORT_OUTPUT_H
#define CBFUZZ_REPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Can a report be written there? False: `error` says why not. Leaves nothing behind. */
bool output_check(const char *path, char *error, size_t error_size);

/* Do both paths lead to one file, there or not? Never so for a device or pipe. */
bool output_same(const char *one, const char *other);

/* Writes it beside its place and renames it; to a device or pipe directly. False:
 * `error` says why not. */
bool output_write(const char *path, const char *data, size_t size, char *error, size_t error_size);

/* The path as a CI system knows it: below its checkout ($GITHUB_WORKSPACE,
 * $CI_PROJECT_DIR, else the current folder), or absolute. To be freed. */
char *output_place(const char *path);

#endif
