/* Makes a program smaller while it keeps a property: the passes that remove lines. */
#include "program/shrink.h"

#include <string.h>

#include "program/shrink_simplify.h"

bool shrink_ask(Shrinker *shrinker) {
    if (shrinker->asked >= *shrinker->budget) longjmp(shrinker->enough, 1);
    shrinker->asked++;
    if (!shrinker->keeps(shrinker->context, shrinker->candidate)) return false;
    Program held = *shrinker->program;
    *shrinker->program = *shrinker->candidate;
    *shrinker->candidate = held;
    shrinker->progress = true;
    return true;
}

/* Asks about the program with these lines only, if that is a smaller one. */
static bool ask_rebuilt(Shrinker *shrinker, const bool *keep) {
    program_rebuild(shrinker->candidate, shrinker->program, keep);
    return shrinker->candidate->line_count < shrinker->program->line_count && shrink_ask(shrinker);
}

static void keep_all(bool *keep) {
    memset(keep, true, PROGRAM_LINES * sizeof *keep);
}

/* Takes a line out, a block with all that is in it. */
static void take_out(const Program *program, bool *keep, uint32_t index) {
    uint32_t end = index + 1;
    if (line_info[program->lines[index].kind].class == CLASS_BLOCK)
        end = program_block_end(program, index);
    for (; index < end; index++)
        keep[index] = false;
}

/* Comments, clauses and the like: all at once, then one by one. */
static void remove_notes(Shrinker *shrinker) {
    bool keep[PROGRAM_LINES];
    const Program *program = shrinker->program;
    keep_all(keep);
    for (uint32_t i = 0; i < program->line_count; i++)
        keep[i] = line_info[program->lines[i].kind].class != CLASS_NOTE;
    if (ask_rebuilt(shrinker, keep)) return;
    for (uint32_t i = program->line_count; i-- > 0;) {
        if (i >= program->line_count || line_info[program->lines[i].kind].class != CLASS_NOTE)
            continue;
        keep_all(keep);
        keep[i] = false;
        ask_rebuilt(shrinker, keep);
    }
}

/* What stands in bodies, all of it, then body by body: calls from there call routines again,
 * so that every question after this one may be asked a thousand times as fast. */
static void empty_bodies(Shrinker *shrinker) {
    bool keep[PROGRAM_LINES];
    const Program *program = shrinker->program;
    keep_all(keep);
    for (uint32_t i = 0; i < program->line_count; i++)
        if (program->lines[i].kind == LINE_ROUTINE) take_out(program, keep, i);
    if (ask_rebuilt(shrinker, keep)) return;
    for (uint32_t i = program->line_count; i-- > 0;) {
        if (i >= program->line_count || program->lines[i].kind != LINE_ROUTINE) continue;
        keep_all(keep);
        take_out(program, keep, i);
        ask_rebuilt(shrinker, keep);
    }
}

/* Runs of lines, from the end: what is used stands before its uses. */
static void remove_runs(Shrinker *shrinker) {
    bool keep[PROGRAM_LINES];
    const Program *program = shrinker->program;
    for (uint32_t size = (program->line_count + 1) / 2; size > 0; size /= 2)
        for (uint32_t end = program->line_count; end > 0;) {
            uint32_t start = end > size ? end - size : 0;
            keep_all(keep);
            for (uint32_t i = start; i < end; i++)
                take_out(program, keep, i);
            ask_rebuilt(shrinker, keep);
            end = start < program->line_count ? start : program->line_count;
        }
}

/* Do two lines look as if one undoes or completes the other? */
static bool related(const Line *one, const Line *other) {
    if (line_info[one->kind].class != CLASS_CALL || line_info[other->kind].class != CLASS_CALL)
        return false;
    if (one->operand != NO_VARIABLE)
        return one->operand == other->operand || one->operand == other->result;
    return one->kind == other->kind;
}

/* Two lines that can only go together: reference and dereference, up and down. */
static void remove_pairs(Shrinker *shrinker) {
    enum { FEW = 9 /* lines: 36 pairs */ };
    bool keep[PROGRAM_LINES];
    const Program *program = shrinker->program;
    for (uint32_t i = program->line_count; i-- > 1;)
        for (uint32_t j = i; j-- > 0;) {
            if (i >= program->line_count) break;
            if (program->line_count > FEW && !related(&program->lines[i], &program->lines[j]))
                continue;
            keep_all(keep);
            take_out(program, keep, i);
            take_out(program, keep, j);
            ask_rebuilt(shrinker, keep);
        }
}

/* The lines of a thread or of a routine's body, without the block around them. */
static void unwrap_blocks(Shrinker *shrinker) {
    bool keep[PROGRAM_LINES];
    const Program *program = shrinker->program;
    for (uint32_t i = 0; i < program->line_count; i++) {
        if (line_info[program->lines[i].kind].class != CLASS_BLOCK) continue;
        keep_all(keep);
        keep[i] = false;
        ask_rebuilt(shrinker, keep);
    }
}

/* One variable for two: uses of the second go to an earlier one, its definition goes. */
static void merge_variables(Shrinker *shrinker) {
    bool keep[PROGRAM_LINES];
    const Program *program = shrinker->program;
    Program *edited = shrinker->edited;
    for (uint32_t second = program->variable_count; second-- > 1;) {
        if (second >= program->variable_count) continue;
        uint32_t first = 0;
        while (program->variables[first].type != program->variables[second].type)
            first++;
        if (first == second || program->variables[second].type == TYPE_REGISTRATION) continue;
        program_copy(edited, program);
        for (uint32_t i = 0; i < edited->line_count; i++)
            if (edited->lines[i].operand == second) edited->lines[i].operand = (uint16_t)first;
        keep_all(keep);
        keep[program->variables[second].defined_by] = false;
        program_rebuild(shrinker->candidate, edited, keep);
        shrink_ask(shrinker);
    }
}

static void shrink(Shrinker *shrinker) {
    if (setjmp(shrinker->enough)) return;
    empty_bodies(shrinker);
    do {
        shrinker->progress = false;
        remove_notes(shrinker);
        remove_runs(shrinker);
        unwrap_blocks(shrinker);
        merge_variables(shrinker);
        shrink_simplify(shrinker);
        if (!shrinker->progress) remove_pairs(shrinker);
    } while (shrinker->progress);
}

uint32_t program_shrink(Program *program, ShrinkPredicate keeps, void *context,
                        const uint32_t *budget) {
    Shrinker shrinker = {.program = program, .keeps = keeps, .context = context, .budget = budget};
    shrinker.candidate = program_new();
    shrinker.edited = program_new();
    if (shrinker.candidate && shrinker.edited) shrink(&shrinker);
    program_free(shrinker.candidate);
    program_free(shrinker.edited);
    return shrinker.asked;
}
