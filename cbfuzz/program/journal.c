/* The lines of a program that is being written, in memory that another process sees. */
#include "program/journal.h"

#include "program/dictionary.h"

/* Field by field: the line was written a moment ago, in such pieces. */
static void keep_line(JournalLine *kept, const Line *line) {
    kept->kind = line->kind;
    kept->routine = line->routine;
    kept->flags = line->flags;
    kept->operand = line->operand;
    kept->name_length = line->name_length;
    kept->name_at = line->name_at;
    kept->number[0] = line->number[0];
    kept->number[1] = line->number[1];
}

__attribute__((noinline)) static void keep_names(Journal *journal, const Program *program) {
    uint32_t units = program->unit_count - dictionary_unit_count;
    if (units > JOURNAL_UNITS) units = JOURNAL_UNITS;
    for (uint32_t i = journal->unit_count; i < units; i++)
        journal->units[i] = program->units[dictionary_unit_count + i];
    journal->unit_count = units;
}

void journal_follow(Journal *journal, const Program *program, uint32_t from) {
    for (uint32_t i = from; i < program->line_count; i++)
        keep_line(&journal->lines[i], &program->lines[i]);
    if (program->unit_count - dictionary_unit_count != journal->unit_count)
        keep_names(journal, program);
    journal->line_count = program->line_count;
}

/* Takes over the name of create and open. */
static bool read_name(const Journal *journal, Program *program, Line *line) {
    if (line->flags & FLAG_UNNAMED) return true;
    uint64_t end = (uint64_t)line->name_at + line->name_length;
    if (line->name_at < dictionary_unit_count) return end <= dictionary_unit_count;
    if (journal->unit_count > JOURNAL_UNITS || end > dictionary_unit_count + journal->unit_count ||
        line->name_length > PROGRAM_NAME_UNITS)
        return false;
    line->name_at = program_add_name(
        program, journal->units + (line->name_at - dictionary_unit_count), line->name_length);
    return true;
}

static bool read_line(const Journal *journal, Program *program, const JournalLine *written) {
    Line line = {.kind = written->kind,
                 .routine = written->routine,
                 .flags = written->flags,
                 .operand = written->operand,
                 .name_at = written->name_at,
                 .name_length = written->name_length,
                 .number = {written->number[0], written->number[1]}};
    if (line.kind >= LINE_KINDS) return false;
    const LineInfo *info = &line_info[line.kind];
    if (info->class == CLASS_NOTE || line.routine > PROGRAM_ROUTINES) return false;
    if (info->class == CLASS_BLOCK && (line.kind != LINE_ROUTINE || !line.routine)) return false;
    if (info->operand != TYPE_NONE && (line.operand >= program->variable_count ||
                                       program->variables[line.operand].type != info->operand))
        return false;
    if (info->arguments == ARGUMENTS_NAME_AND_ATTRIBUTES && !read_name(journal, program, &line))
        return false;
    uint32_t before = program->line_count;
    program_append(program, line, NULL);
    return program->line_count != before;
}

void journal_read(const Journal *journal, Program *program) {
    program_clear(program);
    for (uint32_t i = 0; i < journal->line_count && i < PROGRAM_LINES; i++)
        if (!read_line(journal, program, &journal->lines[i])) break;
}
