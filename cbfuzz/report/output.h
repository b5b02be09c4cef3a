/* Report files: whether they can be written, known before a run; and how others call them. */
#ifndef CBFUZZ_REPORT_OUTPUT_H
#define CBFUZZ_REPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Can a report be written there? False: errno and `error` say why not. Leaves nothing behind. */
bool output_check(const char *path, char *error, size_t error_size);

/* Do both paths lead to one file, there or not? Never so for a device or pipe. */
bool output_same(const char *one, const char *other);

/* The path as a CI system knows it: below its checkout ($GITHUB_WORKSPACE,
 * $CI_PROJECT_DIR, else the current folder), or absolute. To be freed. */
char *output_place(const char *path);

#endif
