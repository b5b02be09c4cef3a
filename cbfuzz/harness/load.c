/* Reads programs from files, whichever notation they are in. */
#define _GNU_SOURCE
#include "harness/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/interrupt.h"
#include "machine.h"
#include "program/bytes.h"
#include "program/note.h"
#include "program/script.h"
#include "program/utf8.h"

const char *load_printable(const char *path, char *buffer, size_t size) {
    size_t length = 0;
    while (*path && length + 4 * 4 + 1 < size) {
        uint32_t character;
        unsigned read = utf8_read(path, strlen(path), &character);
        bool shows = read && utf8_shows(character);
        for (unsigned i = 0; i < (read ? read : 1); i++, path++)
            if (shows) buffer[length++] = *path;
            else
                length += (size_t)snprintf(buffer + length, size - length, "\\x%02X",
                                           (unsigned char)*path);
    }
    buffer[length] = 0;
    return buffer;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* At most LOAD_BYTES of the file. */
static char *read_file(const char *path, size_t *size, char *error, size_t error_size) {
    char shown[512];
    load_printable(path, shown, sizeof shown);
    bool standard = strcmp(path, "-") == 0;
    struct stat status;
    if (!standard && stat(path, &status) != 0) {
        snprintf(error, error_size, "%s: %s", shown, strerror(errno));
        return NULL;
    }
    if (!standard && !S_ISREG(status.st_mode)) {
        snprintf(error, error_size, "%s: %s; a file with a program is expected", shown,
                 S_ISDIR(status.st_mode) ? "is a folder" : "not a regular file");
        return NULL;
    }
    int file = standard ? 0 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        snprintf(error, error_size, "%s: %s", shown, strerror(errno));
        return NULL;
    }
    size_t capacity = standard ? 65536 : (size_t)status.st_size + 1;
    if (capacity > LOAD_BYTES) capacity = LOAD_BYTES;
    char *data = malloc(capacity);
    *size = 0;
    while (data) {
        ssize_t got = read(file, data + *size, capacity - *size);
        if (got < 0 && errno == EINTR && !interrupt_signal) continue;
        if (got < 0) {
            snprintf(error, error_size, "%s: %s", shown,
                     errno == EINTR ? "interrupted" : strerror(errno));
            free(data);
            data = NULL;
            break;
        }
        if (!got) break;
        *size += (size_t)got;
        if (*size < capacity) continue;
        if (capacity == LOAD_BYTES) break;
        capacity = capacity * 2 > LOAD_BYTES ? LOAD_BYTES : capacity * 2;
        char *larger = realloc(data, capacity);
        if (!larger) free(data);
        data = larger;
    }
    if (!data && !error[0]) snprintf(error, error_size, "%s: out of memory", shown);
    if (!standard) close(file);
    return data;
}

/* The first id of a clause or reading line that does not exist, "" if all do; returns
 * where it stands in the text. */
static uint32_t unknown_id(const Program *program, const Line *line, char word[NOTE_WORD]) {
    bool notes = line->kind == LINE_CLAUSE || line->kind == LINE_READING;
    for (uint32_t at = 0, from = 0; notes && note_next(program, line, &at, word); from = at) {
        Readings readings = readings_all(false);
        bool known = line->kind == LINE_CLAUSE ? clause_find(word) != CLAUSE_NONE
                                               : readings_assume(&readings, word);
        if (!known) return from;
    }
    word[0] = 0;
    return 0;
}

/* The ids that a script names must exist: the place of the first that does not. */
static bool check_notes(const Program *program, const char *shown, char *error, size_t error_size) {
    for (uint32_t i = 0; i < program->line_count; i++) {
        const Line *line = &program->lines[i];
        char word[NOTE_WORD];
        uint32_t at = unknown_id(program, line, word);
        if (!word[0]) continue;
        snprintf(error, error_size, "%s:%u:%u: unknown %s \"%s\"%s", shown, line->line,
                 line->column + at, line->kind == LINE_CLAUSE ? "clause" : "reading", word,
                 line->kind == LINE_CLAUSE ? "; `cbfuzz clauses` lists them" : "");
        return false;
    }
    return true;
}

/* In bytes, where all is a program, an id that does not exist says nothing. */
static void drop_unknown_notes(Program *program) {
    static bool keep[PROGRAM_LINES];
    bool all = true;
    for (uint32_t i = 0; i < program->line_count; i++) {
        char word[NOTE_WORD];
        unknown_id(program, &program->lines[i], word);
        keep[i] = !word[0];
        all &= keep[i];
    }
    if (all) return;
    Program *known = program_new();
    if (!known) return;
    program_rebuild(known, program, keep);
    program_copy(program, known);
    program_free(known);
}

bool load_program(Program *program, const char *path, char *error, size_t error_size) {
    char shown[512];
    load_printable(path, shown, sizeof shown);
    if (strcmp(path, "-") == 0) snprintf(shown, sizeof shown, "(standard input)");
    size_t size;
    error[0] = 0;
    char *data = read_file(path, &size, error, error_size);
    if (!data) return false;
    bool good = true;
    if (ends_with(path, ".cbs") || script_recognize(data, size)) {
        ScriptError wrong;
        if (size > LOAD_SCRIPT) {
            snprintf(error, error_size,
                     "%s: larger than 16 MiB; a script has at most %d statements", shown,
                     PROGRAM_STATEMENTS);
            good = false;
        } else if (!script_parse(program, data, size, &wrong)) {
            snprintf(error, error_size, "%s:%u:%u: %s", shown, wrong.line, wrong.column,
                     wrong.message);
            good = false;
        } else {
            good = check_notes(program, shown, error, error_size);
        }
    } else {
        bytes_decode(program, (const uint8_t *)data, size);
        drop_unknown_notes(program);
    }
    free(data);
    return good;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_listed(const struct dirent *entry) {
    return entry->d_name[0] != '.' && !ends_with(entry->d_name, ".md");
}

static bool walk_folder(const char *path, LoadTake take, void *context, char *error,
                        size_t error_size, unsigned depth) {
    enum { DEEPEST = 32 /* folders in folders; links could go on for ever */ };
    struct dirent **entries;
    int count = scandir(path, &entries, is_listed, by_name);
    if (count < 0) {
        char shown[512];
        snprintf(error, error_size, "%s: %s", load_printable(path, shown, sizeof shown),
                 strerror(errno));
        return false;
    }
    bool good = true;
    for (int i = 0; i < count; i++) {
        char *name = NULL;
        struct stat status;
        if (good && asprintf(&name, "%s/%s", path, entries[i]->d_name) >= 0 &&
            lstat(name, &status) == 0) {
            /* Links to files are followed, links to folders are not: they may go round. */
            if (S_ISLNK(status.st_mode) && (stat(name, &status) != 0 || S_ISDIR(status.st_mode)))
                status.st_mode = 0;
            if (S_ISDIR(status.st_mode) && depth < DEEPEST)
                good = walk_folder(name, take, context, error, error_size, depth + 1);
            else if (S_ISREG(status.st_mode)) good = take(context, name);
        }
        free(name);
        free(entries[i]);
    }
    free(entries);
    return good;
}

bool load_walk(const char *path, LoadTake take, void *context, char *error, size_t error_size) {
    struct stat status;
    error[0] = 0;
    if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        char trimmed[4096];
        size_t length = strlen(path);
        while (length > 1 && path[length - 1] == '/')
            length--;
        snprintf(trimmed, sizeof trimmed, "%.*s", (int)length, path);
        return walk_folder(trimmed, take, context, error, error_size, 0);
    }
    return take(context, path);
}
