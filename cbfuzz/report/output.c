/* Report files: whether they can be written, known before a run; and how others call them. */
#define _GNU_SOURCE
#include "report/output.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/artifact.h"

static bool refuse(const char *path, int why, char *error, size_t error_size) {
    snprintf(error, error_size, "%s: cannot be written: %s", *path ? path : "\"\"",
             why == EISDIR ? "it is a folder" : strerror(why));
    errno = why;
    return false;
}

/* Where the file is, behind links; a device or pipe is not replaced. */
static char *target_of(const char *path, bool *regular) {
    struct stat status;
    bool there = stat(path, &status) == 0;
    *regular = !there || S_ISREG(status.st_mode);
    return *regular ? file_place(path) : strdup(path);
}

bool output_check(const char *path, char *error, size_t error_size) {
    struct stat status;
    bool there = stat(path, &status) == 0, regular;
    if (there && S_ISDIR(status.st_mode)) return refuse(path, EISDIR, error, error_size);
    if (there && access(path, W_OK) != 0) return refuse(path, errno, error, error_size);
    char *target = target_of(path, &regular), *beside = NULL;
    if (!target) return refuse(path, errno, error, error_size);
    int why = 0;
    if (regular) {
        int file = asprintf(&beside, "%s.XXXXXX", target) < 0 ? -1 : mkstemp(beside);
        why = !*path ? ENOENT : file < 0 ? errno : 0;
        if (file >= 0) {
            close(file);
            unlink(beside);
        }
    }
    free(beside);
    free(target);
    return !why || refuse(path, why, error, error_size);
}

/* Where the file is or will be, however that is spelled; NULL for a device or pipe. */
static char *final_place(const char *path) {
    bool regular;
    char *target = target_of(path, &regular), *place = NULL;
    if (target && regular && !(place = realpath(target, NULL))) {
        char *copy = strdup(target), *folder = copy ? realpath(dirname(copy), NULL) : NULL;
        const char *slash = strrchr(target, '/');
        if (folder && asprintf(&place, "%s/%s", folder, slash ? slash + 1 : target) < 0)
            place = NULL;
        free(folder);
        free(copy);
    }
    free(target);
    return place;
}

bool output_same(const char *one, const char *other) {
    char *first = final_place(one), *second = final_place(other);
    bool same = first && second && strcmp(first, second) == 0;
    free(first);
    free(second);
    return same;
}

char *output_place(const char *path) {
    const char *names[] = {"GITHUB_WORKSPACE", "CI_PROJECT_DIR", NULL};
    char *real = realpath(path, NULL), *place = NULL;
    for (unsigned i = 0; real && !place && i < sizeof names / sizeof names[0]; i++) {
        const char *folder = names[i] ? getenv(names[i]) : ".";
        char *base = folder && *folder ? realpath(folder, NULL) : NULL;
        size_t length = base ? strlen(base) : 0;
        if (length && strncmp(real, base, length) == 0 && real[length] == '/')
            place = strdup(real + length + 1);
        free(base);
    }
    if (!place) return real ? real : strdup(path);
    free(real);
    return place;
}
