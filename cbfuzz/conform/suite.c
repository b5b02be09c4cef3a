/* The cases: which there are, which were chosen, and what became of each. */
#define _GNU_SOURCE
#include "conform/suite.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/load.h"
#include "program/note.h"
#include "program/utf8.h"

static const char folder_name[] = "conformance/cases";

const char *case_status_name(CaseStatus status) {
    static const char *const names[CASE_STATUSES] = {
        [CASE_NOT_RUN] = "not run", [CASE_HOLDS] = "holds", [CASE_FAILS] = "fails",
        [CASE_KNOWN] = "known",     [CASE_STALE] = "stale", [CASE_SKIPPED] = "skipped",
        [CASE_WRONG] = "wrong"};
    return names[status];
}

void case_set(Case *one, CaseStatus status, const char *format, ...) {
    va_list arguments;
    char *reason = NULL;
    va_start(arguments, format);
    if (vasprintf(&reason, format, arguments) < 0) reason = NULL;
    va_end(arguments);
    free(one->reason);
    one->reason = reason;
    one->status = status;
}

static void free_case(Case *one) {
    free(one->path);
    free(one->name);
    free(one->topic);
    free(one->intent);
    free(one->reason);
    free(one->note);
    free(one->where);
    free(one->finding);
    program_free(one->program);
}

Case *suite_add(Suite *suite, const char *path, const char *name) {
    if (suite->count == suite->capacity) {
        unsigned capacity = suite->capacity ? 2 * suite->capacity : 64;
        Case *larger = realloc(suite->cases, capacity * sizeof *larger);
        if (!larger) return NULL;
        suite->cases = larger;
        suite->capacity = capacity;
    }
    const char *slash = strrchr(name, '/');
    Case one = {.path = strdup(path),
                .name = strdup(name),
                .topic = strndup(name, slash ? (size_t)(slash - name) : 0),
                .intent = strdup(""),
                .line = 1};
    if (!one.path || !one.name || !one.topic || !one.intent) {
        free_case(&one);
        return NULL;
    }
    suite->cases[suite->count] = one;
    return &suite->cases[suite->count++];
}

void suite_remove(Suite *suite, unsigned index) {
    free_case(&suite->cases[index]);
    suite->count--;
    memmove(suite->cases + index, suite->cases + index + 1,
            (suite->count - index) * sizeof *suite->cases);
}

static int by_name(const void *a, const void *b) {
    const Case *first = a, *second = b;
    int topics = strcmp(first->topic, second->topic);
    return topics ? topics : strcmp(first->name, second->name);
}

void suite_sort(Suite *suite) {
    if (suite->count) qsort(suite->cases, suite->count, sizeof *suite->cases, by_name);
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

char *suite_root(void) {
    if (is_folder(folder_name)) return strdup(folder_name);
    char executable[4096], *beside = NULL;
    ssize_t length = readlink("/proc/self/exe", executable, sizeof executable - 1);
    if (length <= 0) return NULL;
    executable[length] = 0;
    *strrchr(executable, '/') = 0;
    if (asprintf(&beside, "%s/../%s", executable, folder_name) < 0) return NULL;
    char *root = is_folder(beside) ? realpath(beside, NULL) : NULL;
    free(beside);
    return root;
}

/* What stands behind `folder`/ in the path; NULL if it does not lie there. */
static const char *below(const char *folder, const char *path) {
    size_t length = strlen(folder);
    if (strncmp(folder, path, length) != 0) return NULL;
    if (length && folder[length - 1] == '/') return path + length;
    return path[length] == '/' ? path + length + 1 : NULL;
}

/* Odd characters as %XX, so that a name is one line of text wherever it is printed,
 * and different files have different names. */
static char *spell(const char *path) {
    char *name = malloc(3 * strlen(path) + 1), *to = name;
    for (const char *at = path; name && *at;) {
        uint32_t character;
        unsigned read = utf8_read(at, strlen(at), &character);
        bool shows = read && utf8_shows(character) && !strchr("%#", *at) &&
                     !(*at == ' ' && (at == path || !at[1]));
        for (unsigned i = 0; i < (read ? read : 1); i++, at++)
            if (shows) *to++ = *at;
            else to += sprintf(to, "%%%02X", (unsigned char)*at);
    }
    if (name) *to = 0;
    return name;
}

/* A case is called by its place in the suite, however it was reached. */
static char *name_of(const Suite *suite, const char *path) {
    char *name = NULL;
    char *real = realpath(path, NULL), *root = suite->root ? realpath(suite->root, NULL) : NULL;
    const char *inside = real && root ? below(root, real) : NULL;
    if (inside) name = spell(inside);
    else if (real && root && strcmp(real, root) == 0) name = strdup("");
    free(real);
    free(root);
    if (name) return name;
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    if (suite->root && (inside = below(suite->root, path))) path = inside; /* gone */
    char *trimmed = strdup(strcmp(path, ".") == 0 ? "" : path);
    for (size_t length = trimmed ? strlen(trimmed) : 0; length > 1 && trimmed[length - 1] == '/';
         length--)
        trimmed[length - 1] = 0;
    name = trimmed ? spell(trimmed) : NULL;
    free(trimmed);
    return name;
}

static bool is_chosen(const Case *one, const Selection *selection) {
    if (!selection->by_clause || !one->program) return true;
    for (unsigned i = 0; i < one->clause_count; i++)
        if (clause_set_has(&selection->clauses, one->clauses[i])) return true;
    return false;
}

static void take_clauses(Case *one, const Line *line) {
    char id[NOTE_WORD];
    for (uint32_t at = 0; note_next(one->program, line, &at, id);) {
        ClauseId clause = clause_find(id);
        bool known = clause == CLAUSE_NONE;
        for (unsigned i = 0; i < one->clause_count; i++)
            known |= one->clauses[i] == clause;
        if (!known && one->clause_count < CASE_CLAUSES) one->clauses[one->clause_count++] = clause;
    }
}

/* FILE:LINE: ... */
static uint32_t place_in(const char *path, const char *error) {
    char shown[512];
    unsigned line;
    load_printable(path, shown, sizeof shown);
    const char *behind = error + strnlen(error, strlen(shown));
    return sscanf(behind, ":%u:", &line) == 1 && line ? line : 1;
}

static void read_case(Case *one) {
    char error[1200];
    one->program = program_new();
    if (!one->program) {
        case_set(one, CASE_WRONG, "%s: out of memory", one->path);
        return;
    }
    if (load_program(one->program, one->path, error, sizeof error)) {
        bool script = !one->program->line_count;
        for (uint32_t i = 0; i < one->program->line_count; i++) {
            const Line *line = &one->program->lines[i];
            script |= line->line > 0;
            if (line->kind == LINE_CLAUSE) take_clauses(one, line);
            if (line->kind == LINE_COMMENT && !one->intent[0] && line->text_length) {
                free(one->intent);
                one->intent = strndup(one->program->text + line->text_at, line->text_length);
            }
        }
        one->windows = program_needs_windows(one->program);
        if (one->clause_count) return;
        char shown[512];
        snprintf(error, sizeof error, "%s%s: a case names the clauses that it shows: clause ID",
                 load_printable(one->path, shown, sizeof shown), script ? ":1:1" : "");
    }
    case_set(one, CASE_WRONG, "%s", error);
    one->line = place_in(one->path, error);
    program_free(one->program);
    one->program = NULL;
}

typedef struct {
    Suite *suite;
    const Selection *selection;
    bool folder, out_of_memory;
    unsigned met; /* cases, those that were chosen before included */
} Taking;

static bool take_case(void *context, const char *path) {
    Taking *taking = context;
    Suite *suite = taking->suite;
    size_t length = strlen(path);
    /* In a folder there may be other files; a file that is named is a case. */
    if (taking->folder && (length < 4 || strcmp(path + length - 4, ".cbs") != 0)) return true;
    taking->met++;
    char *name = name_of(suite, path);
    for (unsigned i = 0; name && i < suite->count; i++)
        if (strcmp(suite->cases[i].name, name) == 0) {
            free(name);
            return true; /* chosen twice, run once */
        }
    Case *one = name ? suite_add(suite, path, name) : NULL;
    free(name);
    if (!one) {
        taking->out_of_memory = true;
        return false;
    }
    read_case(one);
    suite->found++;
    if (!is_chosen(one, taking->selection)) suite_remove(suite, suite->count - 1);
    return true;
}

static bool take_path(Taking *taking, const char *path, char *error, size_t error_size) {
    taking->folder = is_folder(path);
    return load_walk(path, take_case, taking, error, error_size) || !error[0];
}

/* A pattern: of paths as a shell knows them, or of the names of the suite's cases. */
static bool take_pattern(Taking *taking, const char *pattern, char *error, size_t error_size) {
    Suite *suite = taking->suite;
    glob_t paths;
    bool good = true;
    unsigned before = taking->met;
    if (glob(pattern, 0, NULL, &paths) == 0) {
        for (size_t i = 0; i < paths.gl_pathc && good; i++)
            good = take_path(taking, paths.gl_pathv[i], error, error_size);
        globfree(&paths);
    }
    if (suite->root && good && taking->met == before) {
        Suite all = {.root = suite->root};
        Taking every = {.suite = &all, .selection = &(Selection){0}};
        good = take_path(&every, suite->root, error, error_size);
        for (unsigned i = 0; i < all.count && good; i++)
            if (fnmatch(pattern, all.cases[i].name, 0) == 0)
                good = take_path(taking, all.cases[i].path, error, error_size);
        all.root = NULL;
        suite_free(&all);
    }
    if (good && taking->met == before && !taking->out_of_memory) {
        snprintf(error, error_size, "%s: no case is called so", pattern);
        good = false;
    }
    return good;
}

static bool exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

/* A path as it is, else one below the suite's folder, else a pattern. */
static bool take_argument(Taking *taking, const char *argument, char *error, size_t error_size) {
    const char *root = taking->suite->root;
    if (strcmp(argument, "-") == 0) {
        snprintf(error, error_size, "-: cases are files; `cbfuzz run -` takes standard input");
        return false;
    }
    if (exists(argument)) return take_path(taking, argument, error, error_size);
    char *inside = NULL;
    if (root && *argument && argument[0] != '/' && asprintf(&inside, "%s/%s", root, argument) < 0)
        inside = NULL;
    bool there = inside && exists(inside), good = false;
    if (there) good = take_path(taking, inside, error, error_size);
    else if (strpbrk(argument, "*?[")) good = take_pattern(taking, argument, error, error_size);
    else snprintf(error, error_size, "%s: %s", *argument ? argument : "\"\"", strerror(ENOENT));
    free(inside);
    return good;
}

bool suite_open(Suite *suite, const Selection *selection, char *error, size_t error_size) {
    *suite = (Suite){.root = suite_root()};
    Taking taking = {.suite = suite, .selection = selection};
    bool good = true;
    error[0] = 0;
    if (!selection->path_count && !suite->root) {
        snprintf(error, error_size,
                 "no cases: there is no folder %s here, nor beside the folder of cbfuzz; name "
                 "files or folders",
                 folder_name);
        return false;
    }
    if (!selection->path_count) good = take_path(&taking, suite->root, error, error_size);
    for (int i = 0; i < selection->path_count && good; i++)
        good = take_argument(&taking, selection->paths[i], error, error_size);
    if (taking.out_of_memory) snprintf(error, error_size, "out of memory");
    if (!good || taking.out_of_memory) return false;
    if (!suite->found)
        snprintf(error, error_size, "%s: no case (*.cbs) in it",
                 selection->path_count ? selection->paths[0] : suite->root);
    else if (!suite->count)
        snprintf(error, error_size, "none of %u cases names a clause that --clause asks for",
                 suite->found);
    suite_sort(suite);
    return suite->count > 0;
}

void suite_free(Suite *suite) {
    for (unsigned i = 0; i < suite->count; i++)
        free_case(&suite->cases[i]);
    free(suite->cases);
    free(suite->root);
    *suite = (Suite){0};
}

/* The path that spell has made a name of. */
static char *unspell(const char *name) {
    char *path = strdup(name), *to = path;
    for (const char *at = name; path && *at; to++) {
        if (*at == '%' && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2])) {
            char digits[3] = {at[1], at[2], 0};
            *to = (char)strtoul(digits, NULL, 16);
            at += 3;
        } else {
            *to = *at++;
        }
    }
    if (path) *to = 0;
    return path;
}

char *suite_name(const Suite *suite, const char *text) {
    char *path = unspell(text), *name = path ? name_of(suite, path) : NULL;
    free(path);
    return name;
}

bool suite_has_file(const Suite *suite, const char *name) {
    char *path = unspell(name), *inside = NULL;
    if (path && suite->root && asprintf(&inside, "%s/%s", suite->root, path) < 0) inside = NULL;
    bool there = (path && exists(path)) || (inside && exists(inside));
    free(inside);
    free(path);
    return there;
}
