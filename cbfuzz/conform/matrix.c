/* Traceability: what each clause has in the machine, the cases, the wrong implementations
 * and the fuzzer; read from the source tree.
 */
#define _GNU_SOURCE
#include "conform/matrix.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conform/predict.h"
#include "fuzz/fuzz.h"

enum {
    ENOUGH_CASES = 2, /* for a clause that binds the implementation: its plain form and an edge */
    SAME_PERCENT = 80 /* of their words two clauses share that say the same */
};

const char *column_name(Column column) {
    static const char *const names[COLUMNS] = {"machine", "cases", "wrong", "fuzz"};
    return names[column];
}

static void add_text(char ***list, unsigned *count, char *text) {
    char **larger = text ? realloc(*list, (*count + 1) * sizeof **list) : NULL;
    if (!larger) {
        free(text);
        return;
    }
    *list = larger;
    larger[(*count)++] = text;
}

static void problem(Matrix *matrix, bool mistake, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void problem(Matrix *matrix, bool mistake, const char *format, ...) {
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) text = NULL;
    va_end(arguments);
    add_text(&matrix->problems, &matrix->problem_count, text);
    matrix->mistake |= mistake;
}

static void add_item(Matrix *matrix, ClauseId clause, Column column, const char *text) {
    Cell *cell = &matrix->cells[clause][column];
    for (unsigned i = 0; i < cell->count; i++)
        if (strcmp(cell->items[i], text) == 0) return;
    add_text(&cell->items, &cell->count, strdup(text));
}

/* A file of the source tree, line by line. False: it cannot be read. */
typedef void (*TakeLine)(Matrix *matrix, const char *file, unsigned number, char *line);
static bool read_lines(Matrix *matrix, const char *path, TakeLine take, char *error,
                       size_t error_size) {
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    if (!in) {
        snprintf(error, error_size, "%s: %s; the matrix is read from the source tree", path,
                 strerror(errno));
        return false;
    }
    for (unsigned number = 1; getline(&line, &capacity, in) > 0; number++)
        take(matrix, path, number, line);
    free(line);
    fclose(in);
    return true;
}

static bool is_word(char c) {
    return isupper((unsigned char)c) || isdigit((unsigned char)c) || c == '_';
}

/* Each CLAUSE_ID of the machine's sources. */
static void take_source_line(Matrix *matrix, const char *file, unsigned number, char *line) {
    static const char mark[] = "CLAUSE_";
    const char *slash = strrchr(file, '/');
    for (char *at = line; (at = strstr(at, mark)); at += sizeof mark - 1) {
        char id[64], place[256];
        size_t length = 0;
        for (const char *from = at + sizeof mark - 1; is_word(from[length]) && length < 63;
             length++)
            id[length] = from[length] == '_' ? '-' : from[length];
        id[length] = 0;
        ClauseId clause = clause_find(id);
        snprintf(place, sizeof place, "%s:%u", slash ? slash + 1 : file, number);
        if (clause != CLAUSE_NONE) add_item(matrix, clause, COLUMN_MACHINE, place);
    }
}

static ClauseId known(Matrix *matrix, const char *file, unsigned number, const char *id) {
    ClauseId clause = clause_find(id);
    if (clause == CLAUSE_NONE) problem(matrix, true, "%s:%u: unknown clause %s", file, number, id);
    return clause;
}

/* WRONG(name, CLAUSE, profile, statements, "clauses that it breaks as well", ... */
static void take_bug_line(Matrix *matrix, const char *file, unsigned number, char *line) {
    char name[64], id[64], also[512] = "";
    if (strncmp(line, "WRONG(", 6) != 0) return;
    if (sscanf(line, "WRONG(%63[a-z0-9_], %63[A-Z0-9-], %*[a-z], %*u, \"%511[A-Z0-9 -]", name, id,
               also) < 2) {
        problem(matrix, true, "%s:%u: WRONG(name, CLAUSE, ...) is expected", file, number);
        return;
    }
    matrix->wrong++;
    ClauseId clause = known(matrix, file, number, id);
    add_item(matrix, clause, COLUMN_WRONG, name);
    char *rest;
    for (char *word = strtok_r(also, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        add_item(matrix, known(matrix, file, number, word), COLUMN_WRONG, name);
}

/* Rules of the caller's that can be broken need a case that does. */
static void read_cases(Matrix *matrix, const Suite *suite) {
    ClauseSet broken = {{0}};
    for (unsigned i = 0; i < suite->count; i++) {
        const Case *one = &suite->cases[i];
        matrix->cases++;
        if (one->status == CASE_WRONG) problem(matrix, true, "%s", one->reason);
        for (unsigned c = 0; c < one->clause_count; c++)
            add_item(matrix, one->clauses[c], COLUMN_CASES, one->name);
        if (!one->program) continue;
        Prediction prediction = predict(one->program, one->windows);
        ClauseId subject = one->clauses[0];
        if (clause_can_be_misused(subject) && !clause_set_has(&prediction.misused, subject))
            problem(matrix, false,
                    "%s: it is about %s, a rule of the caller's, and does not break it", one->name,
                    clause_get(subject)->id);
        if (prediction.partial)
            problem(matrix, false,
                    "%s:%u: it expects what not every implementation that conforms shows",
                    one->name,
                    prediction.partial_line == NO_LINE
                        ? one->line
                        : one->program->lines[prediction.partial_line].line);
        for (unsigned word = 0; word < 2; word++)
            broken.bits[word] |= prediction.misused.bits[word];
    }
    for (unsigned i = 1; i < CLAUSES; i++) {
        const Cell *cell = &matrix->cells[i][COLUMN_CASES];
        const char *id = clause_get((ClauseId)i)->id;
        if (clause_can_be_misused((ClauseId)i) && !clause_set_has(&broken, (ClauseId)i))
            problem(matrix, false, "%s: no case breaks this rule of the caller's", id);
        if (clause_get((ClauseId)i)->binds == BINDS_IMPLEMENTATION && cell->count &&
            cell->count < ENOUGH_CASES)
            problem(matrix, false, "%s: one case (%s); its plain form and an edge are expected", id,
                    cell->items[0]);
    }
}

/* WHO COLUMN # REASON, where WHO is a clause, "callers", or how a clause is judged. */
static bool is_meant(const char *who, ClauseId id) {
    const Clause *clause = clause_get(id);
    if (strcmp(who, "callers") == 0) return clause->binds == BINDS_CALLER;
    if (strcmp(who, "never") == 0) return clause->judged == JUDGED_NEVER;
    if (strcmp(who, "threads") == 0) return clause->judged == JUDGED_THREADS;
    return strcmp(who, clause->id) == 0;
}

static void take_explanation(Matrix *matrix, const char *file, unsigned number, char *line) {
    char who[64], column[16], why[512];
    char *text = line + strspn(line, " \t\n");
    unsigned meant = 0, used = 0, c = 0;
    if (!*text || *text == '#') return;
    if (sscanf(text, "%63s %15s # %511[^\n]", who, column, why) == 3)
        while (c < COLUMNS && strcmp(column, column_name((Column)c)) != 0)
            c++;
    else c = COLUMNS;
    if (c == COLUMNS) {
        problem(matrix, true, "%s:%u: CLAUSE COLUMN # REASON is expected", file, number);
        return;
    }
    for (unsigned i = 1; i < CLAUSES; i++) {
        Cell *cell = &matrix->cells[i][c];
        if (!is_meant(who, (ClauseId)i)) continue;
        meant++;
        if (cell->count || cell->why) continue;
        used++;
        cell->why = strdup(why);
    }
    if (!meant) problem(matrix, true, "%s:%u: unknown clause %s", file, number, who);
    else if (!used)
        problem(matrix, true, "%s:%u: nothing to explain: %s has %s", file, number, who, column);
}

/* The words of a requirement, without case and the little ones, in order. */
static unsigned words_of(const char *text, char words[64][32]) {
    static const char little[] = " a an and as at be by for in is it its no not of that the to who "
                                 "with what ";
    unsigned count = 0;
    while (*text && count < 64) {
        unsigned length = 0;
        char padded[40];
        while (*text && !isalnum((unsigned char)*text))
            text++;
        for (; isalnum((unsigned char)*text) || *text == '_'; text++)
            if (length < 31) words[count][length++] = (char)tolower((unsigned char)*text);
        words[count][length] = 0;
        snprintf(padded, sizeof padded, " %s ", words[count]);
        if (!length || strstr(little, padded)) continue;
        bool again = false;
        for (unsigned i = 0; i < count; i++)
            again |= strcmp(words[i], words[count]) == 0;
        count += !again;
    }
    return count;
}

static void find_twins(Matrix *matrix) {
    static char words[CLAUSES][64][32];
    unsigned counts[CLAUSES];
    for (unsigned i = 1; i < CLAUSES; i++) {
        counts[i] = words_of(clause_get((ClauseId)i)->text, words[i]);
        for (unsigned j = 1; j < i; j++) {
            unsigned shared = 0;
            for (unsigned a = 0; a < counts[i]; a++)
                for (unsigned b = 0; b < counts[j]; b++)
                    shared += strcmp(words[i][a], words[j][b]) == 0;
            if (shared * 100 >= SAME_PERCENT * (counts[i] + counts[j] - shared))
                problem(matrix, false, "%s and %s say the same", clause_get((ClauseId)j)->id,
                        clause_get((ClauseId)i)->id);
        }
    }
}

static void find_gaps(Matrix *matrix) {
    for (unsigned i = 1; i < CLAUSES; i++)
        for (unsigned c = 0; c < COLUMNS; c++)
            if (!matrix->cells[i][c].count && !matrix->cells[i][c].why)
                problem(matrix, false, "%s: nothing in column %s, and no explanation",
                        clause_get((ClauseId)i)->id, column_name((Column)c));
}

static bool read_sources(Matrix *matrix, const char *tree, char *error, size_t error_size) {
    char pattern[4200];
    glob_t paths;
    snprintf(pattern, sizeof pattern, "%sspec/*.c", tree);
    if (glob(pattern, 0, NULL, &paths) != 0) {
        snprintf(error, error_size, "%s: no such files; the matrix is read from the source tree",
                 pattern);
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < paths.gl_pathc && good; i++)
        good = read_lines(matrix, paths.gl_pathv[i], take_source_line, error, error_size);
    globfree(&paths);
    return good;
}

bool matrix_read(Matrix *matrix, char *error, size_t error_size) {
    static const Selection all;
    *matrix = (Matrix){0};
    Suite suite;
    char tree[4096], bugs[4200], explanations[4200];
    bool good = suite_open(&suite, &all, error, error_size);
    /* The root is TREE/conformance/cases. */
    size_t above = suite.root ? strlen(suite.root) - strlen("conformance/cases") : 0;
    snprintf(tree, sizeof tree, "%.*s", (int)above, suite.root ? suite.root : "");
    snprintf(bugs, sizeof bugs, "%sconformance/implementations/wrong/bugs.def", tree);
    snprintf(explanations, sizeof explanations, "%sconformance/matrix.txt", tree);
    if (good) {
        read_cases(matrix, &suite);
        good = read_sources(matrix, tree, error, error_size) &&
               read_lines(matrix, bugs, take_bug_line, error, error_size);
    }
    for (unsigned i = 1; i < CLAUSES; i++)
        if (fuzz_clause_counts((ClauseId)i, true))
            add_item(matrix, (ClauseId)i, COLUMN_FUZZ, "counted");
    good = good && read_lines(matrix, explanations, take_explanation, error, error_size);
    find_gaps(matrix);
    find_twins(matrix);
    suite_free(&suite);
    return good;
}

void matrix_free(Matrix *matrix) {
    for (unsigned i = 0; i < CLAUSES; i++)
        for (unsigned c = 0; c < COLUMNS; c++) {
            Cell *cell = &matrix->cells[i][c];
            for (unsigned k = 0; k < cell->count; k++)
                free(cell->items[k]);
            free(cell->items);
            free(cell->why);
        }
    for (unsigned i = 0; i < matrix->problem_count; i++)
        free(matrix->problems[i]);
    free(matrix->problems);
}
