/* The temporary folder of a fuzz run: seeds in bytes, and what each process keeps. */
#ifndef CBFUZZ_FUZZ_WORKDIR_H
#define CBFUZZ_FUZZ_WORKDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char path[256];
    unsigned outs;  /* folders that processes were given */
    size_t largest; /* seed, in bytes */
    char error[512];
    bool request_wrong; /* the error is the user's: exit code 2 */
} Workdir;

/* Makes it. Each function returns false and fills `error` when it fails. */
bool workdir_open(Workdir *workdir);

/* Adds all programs of the folders, scripts as bytes. NULL-terminated. Those that
 * need the profile windows only where that is the profile of the run. */
bool workdir_seed(Workdir *workdir, char **folders, bool windows);

/* A new folder for a process to keep programs in; its path goes to `path`. */
bool workdir_out(Workdir *workdir, char *path, size_t size);

/* Writes the list of all programs so far, in an order that depends on nothing
 * but themselves, for libFuzzer's -seed_inputs; its path goes to `path`. Leaves
 * out the program with these bytes, if any. Returns how many; -1: failed. */
long workdir_list(Workdir *workdir, char *path, size_t size);

/* A program that is not to be run again: it ended its process. */
bool workdir_ban(Workdir *workdir, const uint8_t *bytes, size_t size);

/* Copies what was found since the seeds to a folder; names are the contents' hashes. */
bool workdir_export(Workdir *workdir, const char *folder);

/* How many programs the processes have kept. */
uint32_t workdir_count(const Workdir *workdir);

/* Removes it. */
void workdir_close(Workdir *workdir);

#endif
