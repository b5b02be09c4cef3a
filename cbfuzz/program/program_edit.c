/* Copies of lines from program to program, and what is left when some lines go. */
#include <string.h>

#include "program/dictionary.h"
#include "program/program.h"

bool program_append_copy(Program *to, const Program *from, uint32_t index, uint16_t *map) {
    const Line *source = &from->lines[index];
    uint16_t operand = source->operand;
    if (operand != NO_VARIABLE && (operand = map[operand]) == NO_VARIABLE) return false;
    Line *line = program_place(to, source->kind, source->routine, NULL);
    if (!line) return false;
    uint16_t made = line->result;
    *line = *source;
    line->result = made;
    line->operand = operand;
    if (line_info[source->kind].arguments == ARGUMENTS_NAME_AND_ATTRIBUTES &&
        !(source->flags & FLAG_UNNAMED) && source->name_at >= dictionary_unit_count)
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

/* Takes out of stays[] what cannot stand without what is out already; says whether there was any.
 */
static bool settle_lines(const Program *from, bool *stays) {
    bool changed = false, in_routine = false, block_stays = true;
    bool line_stays = false; /* the last line that a trailing comment can stand behind */
    uint32_t defined = 0;    /* variables numbered below this one stand above */
    for (uint32_t i = 0; i < from->line_count; i++) {
        const Line *line = &from->lines[i];
        bool stay = stays[i];
        switch (line_info[line->kind].class) {
        case CLASS_BLOCK:
            block_stays = stay;
            in_routine = stay && line->kind == LINE_ROUTINE;
            break;
        case CLASS_END:
            stay = block_stays;
            in_routine = false;
            break;
        case CLASS_CALL:
            if (line->operand != NO_VARIABLE &&
                (!stays[from->variables[line->operand].defined_by] ||
                 (line->operand >= defined && !in_routine)))
                stay = false;
            if (line->kind == LINE_SET_STATUS && !in_routine) stay = false;
            break;
        case CLASS_NOTE:
            if (line->kind == LINE_COMMENT && line->flags & FLAG_TRAILING)
                stay = stay && line_stays;
            break;
        }
        line_stays = stay;
        if (line->result != NO_VARIABLE) defined = (uint32_t)line->result + 1;
        changed |= stay != stays[i];
        stays[i] = stay;
    }
    return changed;
}

void program_rebuild(Program *to, const Program *from, const bool *keep) {
    bool stays[PROGRAM_LINES];
    uint16_t map[PROGRAM_STATEMENTS];
    memcpy(stays, keep, from->line_count * sizeof *stays);
    while (settle_lines(from, stays))
        ;
    uint16_t count = 0;
    for (uint32_t i = 0; i < from->line_count; i++)
        if (from->lines[i].result != NO_VARIABLE)
            map[from->lines[i].result] = stays[i] ? count++ : NO_VARIABLE;
    program_clear(to);
    for (uint32_t i = 0; i < from->line_count; i++)
        if (stays[i]) program_append_copy(to, from, i, map);
    program_settle_names(to);
}
