/* Names of NTSTATUS values, as scripts spell them. */
#ifndef CBFUZZ_PROGRAM_STATUS_H
#define CBFUZZ_PROGRAM_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL for a value without a name. */
const char *status_name(uint32_t status);
bool status_by_name(const char *name, size_t length, uint32_t *status);
/* The names in the order of the table; NULL behind the last. */
const char *status_listed(unsigned place);

#endif
