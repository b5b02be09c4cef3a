/* What a program is: its vectors, and how a line is appended. */
#include "program/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/dictionary.h"

const LineInfo line_info[LINE_KINDS] = {
#define LINE(kind, word, class, result, operand, arguments)                                        \
    [LINE_##kind] = {word, CLASS_##class, TYPE_##result, TYPE_##operand, ARGUMENTS_##arguments},
#include "program/statement.def"
#undef LINE
};

/* Makes room for `more` elements behind `count`; ends the process when memory is short. */
__attribute__((cold, noinline)) static void *grown(void *vector, uint32_t count, uint32_t more,
                                                   uint32_t *capacity, size_t element) {
    uint64_t needed = (uint64_t)count + more;
    uint64_t room = needed * 2 < 64 ? 64 : needed * 2;
    if (room > UINT32_MAX) room = UINT32_MAX;
    void *larger = needed <= room ? realloc(vector, room * element) : NULL;
    if (!larger) {
        fputs("cbfuzz: out of memory\n", stderr);
        _Exit(3);
    }
    *capacity = (uint32_t)room;
    return larger;
}

#define GROW(program, vector, count, capacity, more)                                               \
    do {                                                                                           \
        if ((program)->capacity - (program)->count < (more))                                       \
            (program)->vector = grown((program)->vector, (program)->count, more,                   \
                                      &(program)->capacity, sizeof *(program)->vector);            \
    } while (0)

Program *program_new(void) {
    Program *program = calloc(1, sizeof *program);
    if (!program) return NULL;
    GROW(program, units, unit_count, unit_capacity, dictionary_unit_count);
    memcpy(program->units, dictionary_units, dictionary_unit_count * sizeof *program->units);
    program->unit_count = dictionary_unit_count;
    GROW(program, lines, line_count, line_capacity, 1); /* no vector is ever NULL */
    GROW(program, variables, variable_count, variable_capacity, 1);
    GROW(program, calls, call_count, call_capacity, 1);
    GROW(program, text, text_count, text_capacity, 1);
    return program;
}

void program_free(Program *program) {
    if (!program) return;
    free(program->lines);
    free(program->variables);
    free(program->units);
    free(program->calls);
    free(program->text);
    free(program);
}

void program_clear(Program *program) {
    program->line_count = 0;
    program->statement_count = 0;
    program->note_count = 0;
    program->open_block = 0;
    program->threads = 0;
    program->has_profile = false;
    program->variable_count = 0;
    program->unit_count = dictionary_unit_count;
    program->call_count = 0;
    program->text_count = 0;
    memset(program->body_at, 0, sizeof program->body_at);
}

#define COPY(to, from, vector, count, capacity)                                                    \
    do {                                                                                           \
        (to)->count = 0;                                                                           \
        GROW(to, vector, count, capacity, (from)->count);                                          \
        if ((from)->count)                                                                         \
            memcpy((to)->vector, (from)->vector, (from)->count * sizeof *(from)->vector);          \
        (to)->count = (from)->count;                                                               \
    } while (0)

void program_copy(Program *to, const Program *from) {
    if (to == from) return;
    COPY(to, from, lines, line_count, line_capacity);
    COPY(to, from, variables, variable_count, variable_capacity);
    COPY(to, from, units, unit_count, unit_capacity);
    COPY(to, from, calls, call_count, call_capacity);
    COPY(to, from, text, text_count, text_capacity);
    to->statement_count = from->statement_count;
    to->note_count = from->note_count;
    to->open_block = from->open_block;
    to->threads = from->threads;
    to->has_profile = from->has_profile;
    memcpy(to->body_at, from->body_at, sizeof to->body_at);
}

/* Makes what a block or a note needs; false when it cannot stand here. */
static bool admit_other(Program *program, LineKind kind, uint8_t routine, bool *full) {
    uint32_t *count = NULL, most = 0;
    switch (line_info[kind].class) {
    case CLASS_CALL: return true;
    case CLASS_BLOCK:
        if (program->open_block) return false;
        if (kind == LINE_ROUTINE ? program->body_at[routine] != 0 : program->threads >> routine & 1)
            return false;
        count = &program->statement_count;
        most = PROGRAM_STATEMENTS;
        break;
    case CLASS_END:
        if (!program->open_block) return false;
        program->open_block = 0;
        return true;
    case CLASS_NOTE:
        if (kind == LINE_PROFILE && program->has_profile) return false;
        count = &program->note_count;
        most = PROGRAM_NOTES;
        break;
    }
    if (*count >= most) {
        if (full) *full = true;
        return false;
    }
    ++*count;
    if (kind == LINE_PROFILE) program->has_profile = true;
    if (line_info[kind].class == CLASS_NOTE) return true;
    program->open_block = program->line_count + 1;
    if (kind == LINE_ROUTINE) program->body_at[routine] = program->line_count + 2;
    else program->threads |= 1u << routine;
    return true;
}

static uint16_t new_variable(Program *program, Type type) {
    if (type == TYPE_NONE) return NO_VARIABLE;
    GROW(program, variables, variable_count, variable_capacity, 1);
    program->variables[program->variable_count] =
        (Variable){.type = (uint8_t)type, .defined_by = (uint16_t)program->line_count};
    return (uint16_t)program->variable_count++;
}

/* The place of a new line, with its result; the rest of it holds anything. */
__attribute__((always_inline)) static inline Line *new_line(Program *program, LineKind kind,
                                                            uint8_t routine, bool *full) {
    const LineInfo *info = &line_info[kind];
    uint16_t result = NO_VARIABLE;
    if (info->class == CLASS_CALL) {
        if (program->statement_count >= PROGRAM_STATEMENTS) {
            if (full) *full = true;
            return NULL;
        }
        program->statement_count++;
        result = new_variable(program, info->result);
    } else if (!admit_other(program, kind, routine, full)) {
        return NULL;
    }
    GROW(program, lines, line_count, line_capacity, 1);
    Line *line = &program->lines[program->line_count++];
    line->result = result;
    return line;
}

Line *program_place(Program *program, LineKind kind, uint8_t routine, bool *full) {
    Line *line = new_line(program, kind, routine, full);
    if (line) *line = (Line){.kind = (uint8_t)kind, .result = line->result, .operand = NO_VARIABLE};
    return line;
}

uint16_t program_append(Program *program, Line line, bool *full) {
    Line *place = new_line(program, line.kind, line.routine, full);
    if (!place) return NO_VARIABLE;
    line.result = place->result;
    if (line_info[line.kind].operand == TYPE_NONE) line.operand = NO_VARIABLE;
    *place = line;
    return line.result;
}

uint32_t program_add_name(Program *program, const uint16_t *units, uint16_t length) {
    for (unsigned i = 0; i < NAME_COUNT; i++)
        if (dictionary_names[i].length == length &&
            memcmp(dictionary_units + dictionary_names[i].at, units, length * sizeof *units) == 0)
            return dictionary_names[i].at;
    GROW(program, units, unit_count, unit_capacity, length);
    uint32_t at = program->unit_count;
    memcpy(program->units + at, units, length * sizeof *units);
    program->unit_count += length;
    return at;
}

void program_reserve_units(Program *program, uint32_t units) {
    GROW(program, units, unit_count, unit_capacity, units);
}

void program_cut(Program *program, uint32_t index) {
    while (program->line_count > index) {
        const Line *line = &program->lines[--program->line_count];
        LineClass class = line_info[line->kind].class;
        program->statement_count -= class == CLASS_CALL || class == CLASS_BLOCK;
        program->variable_count -= line->result != NO_VARIABLE;
        if (line->kind == LINE_ROUTINE) program->body_at[line->routine] = 0;
        if (line->kind == LINE_THREAD) program->threads &= ~(1u << line->routine);
    }
    program->open_block = 0;
}

uint32_t program_add_text(Program *program, const char *text, uint32_t length) {
    uint32_t at = program->text_count;
    GROW(program, text, text_count, text_capacity, length);
    if (length) memcpy(program->text + at, text, length);
    program->text_count += length;
    return at;
}

uint32_t program_add_calls(Program *program, const ExpectedCall *calls, uint16_t count) {
    uint32_t at = program->call_count;
    GROW(program, calls, call_count, call_capacity, count);
    if (count) memcpy(program->calls + at, calls, count * sizeof *calls);
    program->call_count += count;
    return at;
}

bool program_append_copy(Program *to, const Program *from, uint32_t index, uint16_t *map) {
    const Line *source = &from->lines[index];
    uint16_t operand = source->operand;
    if (operand != NO_VARIABLE && (operand = map[operand]) == NO_VARIABLE) return false;
    Line *line = new_line(to, source->kind, source->routine, NULL);
    if (!line) return false;
    uint16_t made = line->result;
    *line = *source;
    line->result = made;
    line->operand = operand;
    if (source->name_at >= dictionary_unit_count)
        line->name_at = program_add_name(to, from->units + source->name_at, source->name_length);
    if (source->text_length)
        line->text_at = program_add_text(to, from->text + source->text_at, source->text_length);
    if (source->expect == EXPECT_CALLS)
        line->expect_at =
            program_add_calls(to, from->calls + source->expect_at, source->expect_count);
    if (made != NO_VARIABLE) {
        map[source->result] = made;
        const Variable *old = &from->variables[source->result];
        if (old->name_length) {
            uint32_t at = program_add_text(to, from->text + old->name_at, old->name_length);
            to->variables[made].name_at = at;
            to->variables[made].name_length = old->name_length;
        }
    }
    return true;
}

bool program_expect_fits(LineKind kind, Expect expect) {
    switch (expect) {
    case EXPECT_UNSAID: return true;
    case EXPECT_STATUS:
    case EXPECT_ERROR: return kind == LINE_CREATE || kind == LINE_OPEN;
    case EXPECT_HANDLE:
    case EXPECT_NULL: return kind == LINE_REGISTER || kind == LINE_REGISTER_PROCESSOR_CHANGE;
    case EXPECT_NOTHING:
    case EXPECT_CALLS: return line_info[kind].class == CLASS_CALL;
    }
    return false;
}

uint32_t program_block_end(const Program *program, uint32_t index) {
    while (index < program->line_count && program->lines[index].kind != LINE_END)
        index++;
    return index < program->line_count ? index + 1 : index;
}

uint32_t program_step(const Program *program, uint32_t index) {
    uint32_t step = 0;
    bool body = false;
    for (uint32_t i = 0; i <= index && i < program->line_count; i++) {
        const Line *line = &program->lines[i];
        if (line->kind == LINE_ROUTINE || line->kind == LINE_END) body = line->kind == LINE_ROUTINE;
        bool counts = line_info[line->kind].class == CLASS_CALL && !body;
        step += counts;
        if (i == index && counts) return step;
    }
    return 0;
}

const Line *program_note(const Program *program, LineKind kind) {
    for (uint32_t i = 0; i < program->line_count; i++)
        if (program->lines[i].kind == kind) return &program->lines[i];
    return NULL;
}
