/* The traceability matrix as text, Markdown and JSON. */
#include "report/matrix.h"

#include <string.h>

enum { ID_WIDTH = 31, REASONS = CLAUSES * COLUMNS };

static bool is_shown(ClauseId id, bool windows) {
    return windows || clause_get(id)->profile == PROFILE_DOCUMENTED;
}

/* Reasons are few: each is said once, and cells refer to it. */
typedef struct {
    const char *texts[REASONS];
    unsigned count;
} Reasons;

static unsigned reason_number(Reasons *reasons, const char *text) {
    for (unsigned i = 0; i < reasons->count; i++)
        if (strcmp(reasons->texts[i], text) == 0) return i + 1;
    reasons->texts[reasons->count++] = text;
    return reasons->count;
}

void matrix_text(FILE *out, const Matrix *matrix, bool windows) {
    static Reasons reasons;
    reasons.count = 0;
    fprintf(out, "%-*s binds", ID_WIDTH, "clause");
    for (unsigned c = 0; c < COLUMNS; c++)
        fprintf(out, "  %7s", column_name((Column)c));
    fputc('\n', out);
    for (unsigned i = 1; i < CLAUSES; i++) {
        const Clause *clause = clause_get((ClauseId)i);
        if (!is_shown((ClauseId)i, windows)) continue;
        fprintf(out, "%-*s %-5s", ID_WIDTH, clause->id,
                clause->binds == BINDS_CALLER ? "calls" : "impl");
        for (unsigned c = 0; c < COLUMNS; c++) {
            const Cell *cell = &matrix->cells[i][c];
            char text[16] = "EMPTY";
            if (cell->count && c == COLUMN_FUZZ) snprintf(text, sizeof text, "yes");
            else if (cell->count) snprintf(text, sizeof text, "%u", cell->count);
            else if (cell->why)
                snprintf(text, sizeof text, "(%u)", reason_number(&reasons, cell->why));
            fprintf(out, "  %7s", text);
        }
        fputc('\n', out);
    }
    for (unsigned i = 0; i < reasons.count; i++)
        fprintf(out, "(%u) %s\n", i + 1, reasons.texts[i]);
}

/* The part of an item that a reader looks for: the file, the topic, all of it. */
static int length_in(const char *item, Column column) {
    const char *end = column == COLUMN_MACHINE ? strchr(item, ':')
                      : column == COLUMN_CASES ? strrchr(item, '/')
                                               : NULL;
    return end ? (int)(end - item) : (int)strlen(item);
}

static void print_cell(FILE *out, const Cell *cell, Column column, Reasons *reasons) {
    const char *before = "";
    if (!cell->count && cell->why) fprintf(out, "[%u]", reason_number(reasons, cell->why));
    for (unsigned i = 0; i < cell->count; i++) {
        int length = length_in(cell->items[i], column);
        bool again = false;
        for (unsigned j = 0; j < i; j++)
            again |= length_in(cell->items[j], column) == length &&
                     strncmp(cell->items[i], cell->items[j], (size_t)length) == 0;
        if (again) continue;
        fprintf(out, "%s%.*s", before, length, column == COLUMN_FUZZ ? "yes" : cell->items[i]);
        before = ", ";
    }
}

void matrix_markdown(FILE *out, const Matrix *matrix, bool windows) {
    static Reasons reasons;
    reasons.count = 0;
    fputs("| clause | machine | cases | wrong implementations | fuzz |\n"
          "| --- | --- | --- | --- | --- |\n",
          out);
    for (unsigned i = 1; i < CLAUSES; i++) {
        if (!is_shown((ClauseId)i, windows)) continue;
        fprintf(out, "| `%s` |", clause_get((ClauseId)i)->id);
        for (unsigned c = 0; c < COLUMNS; c++) {
            fputc(' ', out);
            print_cell(out, &matrix->cells[i][c], (Column)c, &reasons);
            fputs(" |", out);
        }
        fputc('\n', out);
    }
    fputc('\n', out);
    for (unsigned i = 0; i < reasons.count; i++)
        fprintf(out, "%s[%u] %s.", i ? "<br>\n" : "", i + 1, reasons.texts[i]);
    fputc('\n', out);
}

void matrix_json(json_t *row, const Matrix *matrix, ClauseId clause) {
    json_t *explained = json_object();
    for (unsigned c = 0; c < COLUMNS; c++) {
        const Cell *cell = &matrix->cells[clause][c];
        const char *name = column_name((Column)c);
        json_t *items = json_array();
        for (unsigned i = 0; i < cell->count; i++)
            json_array_append_new(items, json_string(cell->items[i]));
        if (c == COLUMN_FUZZ) {
            json_decref(items);
            items = json_boolean(cell->count);
        }
        json_object_set_new(row, name, items);
        if (cell->why) json_object_set_new(explained, name, json_string(cell->why));
    }
    json_object_set_new(row, "explained", explained);
}
