/* An implementation's globals: saved once, put back for each program. */
#ifndef CBFUZZ_HARNESS_GLOBALS_H
#define CBFUZZ_HARNESS_GLOBALS_H

#include <stdbool.h>
#include <stddef.h>

/* Remembers the writable memory of the shared object at `path`, loaded with this
 * handle, or of the built-in implementation (handle NULL), as it is now. What
 * coverage counts in is left out. *instrumented: it has such counters. False
 * when memory is short or the file cannot be read. */
bool globals_save(void *handle, const char *path, bool *instrumented);

/* Where its coverage counts, after globals_save; size 0 if it is not instrumented. */
unsigned char *globals_counters(size_t *size);

/* Puts back what was saved. */
void globals_restore(void);

#endif
