/* The temporary folder of a fuzz run: seeds in bytes, and what each process keeps. */
#define _GNU_SOURCE
#include "fuzz/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/artifact.h"
#include "harness/load.h"
#include "harness/session.h"
#include "program/bytes.h"

bool workdir_open(Workdir *workdir) {
    const char *base = getenv("TMPDIR");
    *workdir = (Workdir){0};
    snprintf(workdir->path, sizeof workdir->path, "%.200s/cbfuzz-XXXXXX",
             base && *base ? base : "/tmp");
    char seeds[300];
    if (!mkdtemp(workdir->path) ||
        (snprintf(seeds, sizeof seeds, "%s/seeds", workdir->path), mkdir(seeds, 0700)) != 0) {
        snprintf(workdir->error, sizeof workdir->error, "%.300s: %s", workdir->path,
                 strerror(errno));
        workdir->path[0] = 0;
        return false;
    }
    return true;
}

typedef struct {
    Workdir *workdir;
    Program *program;
    uint8_t *bytes;
    unsigned count;
    bool windows;
    bool full; /* our own folder is */
} Seeding;

static bool take_seed(void *context, const char *path) {
    Seeding *seeding = context;
    Workdir *workdir = seeding->workdir;
    if (!load_program(seeding->program, path, workdir->error, sizeof workdir->error)) return false;
    if (program_needs_windows(seeding->program) && !seeding->windows) return true;
    size_t size = bytes_encode(seeding->program, seeding->bytes, SESSION_BYTES);
    if (size > SESSION_BYTES) size = SESSION_BYTES;
    if (size > workdir->largest) workdir->largest = size;
    char name[320];
    snprintf(name, sizeof name, "%s/seeds/%06u", workdir->path, seeding->count++);
    seeding->full =
        !file_replace(name, seeding->bytes, size, workdir->error, sizeof workdir->error);
    return !seeding->full;
}

bool workdir_seed(Workdir *workdir, char **folders, bool windows) {
    Seeding seeding = {workdir, program_new(), malloc(SESSION_BYTES), 0, windows, false};
    bool good = seeding.program && seeding.bytes;
    if (!good) snprintf(workdir->error, sizeof workdir->error, "out of memory");
    for (; good && folders && *folders; folders++) {
        struct stat status;
        char shown[300];
        load_printable(*folders, shown, sizeof shown);
        if (stat(*folders, &status) != 0 || !S_ISDIR(status.st_mode)) {
            snprintf(workdir->error, sizeof workdir->error, "%s: %s", shown,
                     stat(*folders, &status) ? strerror(errno) : "not a folder");
            workdir->request_wrong = true;
            good = false;
            break;
        }
        good = load_walk(*folders, take_seed, &seeding, workdir->error, sizeof workdir->error);
        workdir->request_wrong = !seeding.full;
    }
    program_free(seeding.program);
    free(seeding.bytes);
    return good;
}

bool workdir_out(Workdir *workdir, char *path, size_t size) {
    snprintf(path, size, "%s/out-%04u", workdir->path, workdir->outs);
    if (mkdir(path, 0700) != 0) {
        snprintf(workdir->error, sizeof workdir->error, "%.300s: %s", path, strerror(errno));
        return false;
    }
    workdir->outs++;
    return true;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_program(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* Each file of one of our folders, by name. */
static long for_each(const char *folder, bool (*take)(void *, const char *, const char *),
                     void *context) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_program, by_name);
    long taken = 0;
    for (int i = 0; i < count; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        taken += take(context, path, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    return taken;
}

static bool list_one(void *context, const char *path, const char *name) {
    FILE *out = context;
    (void)name;
    fprintf(out, "%s%s", ftell(out) ? "," : "", path);
    return true;
}

long workdir_list(Workdir *workdir, char *path, size_t size) {
    snprintf(path, size, "%s/list", workdir->path);
    FILE *out = fopen(path, "w");
    if (!out) {
        snprintf(workdir->error, sizeof workdir->error, "%.300s: %s", path, strerror(errno));
        return -1;
    }
    char folder[320];
    snprintf(folder, sizeof folder, "%s/seeds", workdir->path);
    long count = for_each(folder, list_one, out);
    for (unsigned i = 0; i < workdir->outs; i++) {
        snprintf(folder, sizeof folder, "%s/out-%04u", workdir->path, i);
        count += for_each(folder, list_one, out);
    }
    if (fclose(out) != 0) {
        snprintf(workdir->error, sizeof workdir->error, "%.300s: %s", path, strerror(errno));
        return -1;
    }
    return count;
}

typedef struct {
    const uint8_t *bytes;
    size_t size;
} Banned;

static bool ban_one(void *context, const char *path, const char *name) {
    const Banned *banned = context;
    (void)name;
    struct stat status;
    if (stat(path, &status) != 0 || (size_t)status.st_size != banned->size) return false;
    FILE *in = fopen(path, "r");
    char *data = malloc(banned->size + 1);
    bool same = in && data && fread(data, 1, banned->size + 1, in) == banned->size &&
                memcmp(data, banned->bytes, banned->size) == 0;
    if (in) fclose(in);
    free(data);
    if (same) unlink(path);
    return same;
}

bool workdir_ban(Workdir *workdir, const uint8_t *bytes, size_t size) {
    Banned banned = {bytes, size};
    char folder[320];
    snprintf(folder, sizeof folder, "%s/seeds", workdir->path);
    long count = for_each(folder, ban_one, &banned);
    for (unsigned i = 0; i < workdir->outs; i++) {
        snprintf(folder, sizeof folder, "%s/out-%04u", workdir->path, i);
        count += for_each(folder, ban_one, &banned);
    }
    return count > 0;
}

typedef struct {
    Workdir *workdir;
    const char *folder;
    bool good;
} Export;

static bool export_one(void *context, const char *path, const char *name) {
    Export *export = context;
    char to[4096];
    snprintf(to, sizeof to, "%s/%s", export->folder, name);
    if (!export->good || access(to, F_OK) == 0) return false;
    FILE *in = fopen(path, "r");
    struct stat status = {0};
    if (in) fstat(fileno(in), &status);
    char *data = malloc((size_t)status.st_size + 1);
    if (in && data) {
        size_t size = fread(data, 1, (size_t)status.st_size, in);
        export->good =
            file_replace(to, data, size, export->workdir->error, sizeof export->workdir->error);
    }
    if (in) fclose(in);
    free(data);
    return true;
}

bool workdir_export(Workdir *workdir, const char *folder) {
    Export export = {workdir, folder, true};
    char from[320];
    for (unsigned i = 0; i < workdir->outs; i++) {
        snprintf(from, sizeof from, "%s/out-%04u", workdir->path, i);
        for_each(from, export_one, &export);
    }
    return export.good;
}

static bool count_one(void *context, const char *path, const char *name) {
    (void)context, (void)path, (void)name;
    return true;
}

uint32_t workdir_count(const Workdir *workdir) {
    long count = 0;
    char folder[320];
    for (unsigned i = 0; i < workdir->outs; i++) {
        snprintf(folder, sizeof folder, "%s/out-%04u", workdir->path, i);
        count += for_each(folder, count_one, NULL);
    }
    return (uint32_t)count;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    return remove(path);
}

void workdir_close(Workdir *workdir) {
    if (workdir->path[0]) nftw(workdir->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    workdir->path[0] = 0;
}
