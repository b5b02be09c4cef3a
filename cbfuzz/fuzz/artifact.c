/* Files that a run leaves: written beside their place and renamed, so never half. */
#define _GNU_SOURCE
#include "fuzz/artifact.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/script.h"

static bool write_all(int file, const char *data, size_t size) {
    while (size) {
        ssize_t written = write(file, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            if (!written) errno = ENOSPC;
            return false;
        }
        data += written;
        size -= (size_t)written;
    }
    return true;
}

/* Writes to the open file and closes it; a fresh one gets its mode. 0, or errno. */
static int fill(int file, const void *data, size_t size, mode_t mode) {
    int why = write_all(file, data, size) && (!mode || fchmod(file, mode) == 0) ? 0 : errno;
    return close(file) != 0 && !why ? errno : why;
}

/* Of the file that stands there, or what a new one gets. */
static mode_t mode_of(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0) return status.st_mode & 0777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* 0, or errno. */
static int replace(const char *path, const void *data, size_t size) {
    char *beside = NULL;
    if (asprintf(&beside, "%s.XXXXXX", path) < 0) return ENOMEM;
    int file = mkostemp(beside, O_CLOEXEC);
    int why = file < 0 ? errno : fill(file, data, size, mode_of(path));
    if (!why && rename(beside, path) != 0) why = errno;
    if (why && file >= 0) unlink(beside);
    free(beside);
    return why;
}

char *file_place(const char *path) {
    char link[PATH_MAX], *next = NULL, *place = realpath(path, NULL);
    if (place || errno != ENOENT) return place;
    ssize_t length = readlink(path, link, sizeof link - 1);
    if (length < 0) return strdup(path);
    link[length] = 0;
    const char *slash = *link == '/' ? NULL : strrchr(path, '/');
    if (asprintf(&next, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, link) < 0) return NULL;
    place = file_place(next);
    free(next);
    return place;
}

/* 0, or errno. */
static int write_file(const char *path, const void *data, size_t size) {
    struct stat status;
    bool there = stat(path, &status) == 0;
    if (!*path) return ENOENT;
    if (there && S_ISDIR(status.st_mode)) return EISDIR;
    if (there && !S_ISREG(status.st_mode)) {
        int file = open(path, O_WRONLY | O_CLOEXEC);
        return file < 0 ? errno : fill(file, data, size, 0);
    }
    char *target = file_place(path);
    int why = target ? replace(target, data, size) : errno;
    free(target);
    return why;
}

bool file_replace(const char *path, const void *data, size_t size, char *error, size_t error_size) {
    int why = write_file(path, data, size);
    if (why)
        snprintf(error, error_size, "%s: cannot be written: %s", *path ? path : "\"\"",
                 strerror(why));
    errno = why;
    return !why;
}

int file_exit_code(int why) {
    bool request = why == ENOENT || why == ENOTDIR || why == EISDIR || why == EEXIST ||
                   why == ENAMETOOLONG || why == ELOOP;
    return request ? 2 : 3;
}

static bool make_folder(const char *folder) {
    char *path = strdup(folder);
    if (!path) return false;
    bool good = true;
    for (char *at = path + 1; good && *at; at++) {
        if (*at != '/') continue;
        *at = 0;
        good = mkdir(path, 0777) == 0 || errno == EEXIST;
        *at = '/';
    }
    good = good && (mkdir(path, 0777) == 0 || errno == EEXIST);
    int why = errno;
    free(path);
    errno = why;
    return good;
}

bool artifact_folder(const char *folder, char *error, size_t error_size) {
    struct stat status;
    if (!make_folder(folder) || stat(folder, &status) != 0) {
        snprintf(error, error_size, "%s: cannot be made: %s", folder, strerror(errno));
        return false;
    }
    if (!S_ISDIR(status.st_mode)) {
        snprintf(error, error_size, "%s: not a folder", folder);
        errno = ENOTDIR;
        return false;
    }
    return folder_probe(folder, "--artifacts names another folder", error, error_size);
}

bool folder_probe(const char *folder, const char *otherwise, char *error, size_t error_size) {
    char *probe = NULL;
    bool named = asprintf(&probe, "%s/.cbfuzz-probe", folder) >= 0;
    bool good = named && file_replace(probe, "cbfuzz\n", 7, error, error_size);
    int why = named ? errno : ENOMEM;
    if (good) unlink(probe);
    else
        snprintf(error, error_size, "%s: no file can be written there: %s; %s", folder,
                 strerror(why), otherwise);
    if (named) free(probe);
    errno = why;
    return good;
}

static uint32_t hash_of(const char *text, size_t size) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

bool artifact_write(const char *folder, const char *subject, const Program *program, char *path,
                    size_t path_size, char *error, size_t error_size) {
    size_t size;
    char *text = script_text(program, &size);
    if (!text) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    snprintf(path, path_size, "%s/%s-%08x.cbs", folder, subject, hash_of(text, size));
    bool good = file_replace(path, text, size, error, error_size);
    free(text);
    return good;
}
