/* What is left when some lines go. */
#include <string.h>

#include "program/program.h"

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
