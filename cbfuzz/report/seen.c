/* What each call of a run has shown, taken out of its trace. */
#define _GNU_SOURCE
#include "report/seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The trace, line by line. Each level of nesting stands four columns further in, what
 * belongs to a call two. */
typedef struct {
    SeenList *list;
    const Program *program;
    const char *at; /* the next line */
    uint32_t calls; /* so far */
    bool short_of_memory;
} Reader;

static unsigned column(const char *line) {
    return (unsigned)strspn(line, " ");
}

static bool is_call(const char *line, unsigned level) {
    return *line && column(line) == 4 * level;
}

static char *take_line(Reader *reader) {
    size_t length = strcspn(reader->at, "\n");
    char *line = strndup(reader->at + column(reader->at), length - column(reader->at));
    reader->at += length + (reader->at[length] == '\n');
    if (!line) reader->short_of_memory = true;
    return line;
}

static uint32_t add_call(Reader *reader, uint32_t line, uint32_t parent) {
    SeenList *list = reader->list;
    if (list->count == list->capacity) {
        uint32_t capacity = 2 * list->capacity;
        Seen *more = realloc(list->calls, capacity * sizeof *more);
        if (!more) {
            reader->short_of_memory = true;
            return list->count - 1;
        }
        list->calls = more;
        list->capacity = capacity;
    }
    Seen *seen = &list->calls[list->count];
    *seen = (Seen){.line = line,
                   .number = ++reader->calls,
                   .parent = parent,
                   .call = take_line(reader),
                   .text = strdup("")};
    return list->count++;
}

static void append(Reader *reader, uint32_t call, const char *text) {
    char **to = &reader->list->calls[call].text, *longer = NULL;
    if (!*to || asprintf(&longer, "%s%s%s", *to, **to ? "  " : "", text) < 0) {
        reader->short_of_memory = true;
        return;
    }
    free(*to);
    *to = longer;
}

/* "F2(0x20, 0x1, 0x2) at PASSIVE_LEVEL": without the level, if it is the usual one. */
static void cut_usual_level(char *text) {
    char *at = strstr(text, " at PASSIVE_LEVEL");
    if (at) *at = 0;
}

static void read_call(Reader *reader, uint32_t line, uint32_t parent, unsigned level);

/* The body of the routine that was called, as far as it has run. */
static void read_body(Reader *reader, unsigned routine, uint32_t parent, unsigned level) {
    const Program *program = reader->program;
    uint32_t body = routine <= PROGRAM_ROUTINES ? program->body_at[routine] : 0;
    for (uint32_t i = body ? body - 1 : program->line_count;
         i < program->line_count && program->lines[i].kind != LINE_END; i++)
        if (line_info[program->lines[i].kind].class == CLASS_CALL && is_call(reader->at, level))
            read_call(reader, i, parent, level);
}

static void read_what_belongs(Reader *reader, uint32_t call, unsigned level) {
    while (*reader->at && column(reader->at) == 4 * level + 2 && !reader->short_of_memory) {
        char *text = take_line(reader);
        unsigned number;
        char object[16];
        if (!text) return;
        if (strncmp(text, "-> ", 3) == 0) append(reader, call, text + 3);
        else if (sscanf(text, "(object %15s is freed)", object) == 1)
            strcpy(reader->list->calls[call].freed, object);
        else if (sscanf(text, "F%u(", &number) == 1) {
            cut_usual_level(text);
            append(reader, call, text);
            read_body(reader, number, call, level + 1);
        }
        free(text);
    }
}

static void read_call(Reader *reader, uint32_t line, uint32_t parent, unsigned level) {
    const char *from = reader->at;
    uint32_t call = add_call(reader, line, parent);
    read_what_belongs(reader, call, level);
    /* A processor is announced twice, in one statement. */
    size_t length = strcspn(from, "\n");
    if (line < reader->program->line_count &&
        reader->program->lines[line].kind == LINE_ADD_PROCESSOR && is_call(reader->at, level) &&
        strncmp(reader->at, from, length + 1) == 0) {
        free(take_line(reader));
        reader->list->calls[call].number = ++reader->calls;
        read_what_belongs(reader, call, level);
    }
}

bool seen_read(SeenList *list, const Program *program, const char *trace) {
    Reader reader = {.list = list, .program = program, .at = trace};
    *list = (SeenList){.calls = malloc(64 * sizeof *list->calls), .capacity = 64};
    if (!list->calls) return false;
    for (uint32_t i = 0; i < program->line_count && is_call(reader.at, 0); i++) {
        if (program->lines[i].kind == LINE_ROUTINE) i = program_block_end(program, i) - 1;
        else if (line_info[program->lines[i].kind].class == CLASS_CALL &&
                 strncmp(reader.at, "(giving back)", 13) != 0)
            read_call(&reader, i, UINT32_MAX, 0);
    }
    while (is_call(reader.at, 0) && !reader.short_of_memory)
        read_call(&reader, UINT32_MAX, UINT32_MAX, 0);
    return !reader.short_of_memory;
}

void seen_free(SeenList *list) {
    for (uint32_t i = 0; i < list->count; i++) {
        free(list->calls[i].call);
        free(list->calls[i].text);
    }
    free(list->calls);
}
