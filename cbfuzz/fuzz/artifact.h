/* Files that a run leaves: written beside their place and renamed, so never half. */
#ifndef CBFUZZ_FUZZ_ARTIFACT_H
#define CBFUZZ_FUZZ_ARTIFACT_H

#include <stdbool.h>
#include <stddef.h>

#include "program/program.h"

/* Makes the folder if needed and tries to write in it. False: `error` says why not. */
bool artifact_folder(const char *folder, char *error, size_t error_size);

/* Writes FOLDER/SUBJECT-xxxxxxxx.cbs; the path goes to `path`. */
bool artifact_write(const char *folder, const char *subject, const Program *program, char *path,
                    size_t path_size, char *error, size_t error_size);

/* Writes a file as a whole. */
bool file_replace(const char *path, const void *data, size_t size, char *error,
                  size_t error_size);

#endif
