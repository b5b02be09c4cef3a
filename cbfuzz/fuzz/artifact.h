/* Files that a run leaves: written beside their place and renamed, so never half. */
#ifndef CBFUZZ_FUZZ_ARTIFACT_H
#define CBFUZZ_FUZZ_ARTIFACT_H

#include <stdbool.h>
#include <stddef.h>

#include "program/program.h"

/* Makes the folder if needed and tries to write in it. False: errno and `error` say why not. */
bool artifact_folder(const char *folder, char *error, size_t error_size);

/* Can files be written in the folder? False: errno and `error` say why not; `otherwise`, what
 * to do then, stands at its end. */
bool folder_probe(const char *folder, const char *otherwise, char *error, size_t error_size);

/* Writes FOLDER/SUBJECT-xxxxxxxx.cbs; the path goes to `path`. */
bool artifact_write(const char *folder, const char *subject, const Program *program, char *path,
                    size_t path_size, char *error, size_t error_size);

/* Where a regular file is or will be, behind links, whose ends need not be there. To be freed;
 * NULL: errno says why. */
char *file_place(const char *path);

/* Writes a file as a whole, where a link leads to; a device or pipe is written to and stays.
 * False: errno and `error`, a line that names the file, say why not. */
bool file_replace(const char *path, const void *data, size_t size, char *error, size_t error_size);

/* 2 or 3: is it the request that is wrong, with this errno, or the machine? */
int file_exit_code(int why);

#endif
