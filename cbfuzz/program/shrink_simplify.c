/* The half of the shrinker that keeps the lines and makes them simpler. */
#include "program/shrink_simplify.h"

#include <string.h>

#include "program/dictionary.h"

/* What a number of a line should be in a small program. */
static uint64_t wanted_number(const Program *program, uint32_t index, unsigned which) {
    uint64_t registers = 0;
    switch ((LineKind)program->lines[index].kind) {
    case LINE_REGISTER:
    case LINE_REGISTER_PROCESSOR_CHANGE:
        if (which == 1) return 0;
        for (uint32_t i = 0; i <= index; i++)
            registers += line_info[program->lines[i].kind].result != TYPE_NONE &&
                         line_info[program->lines[i].kind].result != TYPE_OBJECT;
        return 0x10 * registers;
    case LINE_NOTIFY:
    case LINE_POWER_STATE: return which + 1;
    case LINE_FAIL_ALLOCATION: return which == 0 ? 1 : 0;
    case LINE_SET_STATUS: return which == 0 ? 0xC0000001 : 0;
    default: return 0;
    }
}

static bool try_number(Shrinker *shrinker, uint32_t index, unsigned which, uint64_t number) {
    program_copy(shrinker->candidate, shrinker->program);
    shrinker->candidate->lines[index].number[which] = number;
    return shrink_ask(shrinker);
}

/* The least N that does, by halves. */
static void simplify_count(Shrinker *shrinker, uint32_t index) {
    uint64_t now = shrinker->program->lines[index].number[0];
    for (uint64_t step = now / 2; step > 0;) {
        if (step < now && try_number(shrinker, index, 0, now - step)) now -= step;
        else step /= 2;
    }
}

/* The wanted one, else a smaller one: parts of it. */
static void simplify_number(Shrinker *shrinker, uint32_t index, unsigned which) {
    uint64_t wanted = wanted_number(shrinker->program, index, which);
    uint64_t now = shrinker->program->lines[index].number[which];
    LineKind kind = shrinker->program->lines[index].kind;
    if (now == wanted || try_number(shrinker, index, which, wanted) || kind == LINE_SET_STATUS)
        return;
    if (kind == LINE_FAIL_ALLOCATION) {
        simplify_count(shrinker, index);
        return;
    }
    for (bool smaller = true; smaller;) {
        now = shrinker->program->lines[index].number[which];
        uint64_t tries[] = {0, 1, now & 0xFF, now & 0xFFFF, now & 0xFFFFFFFF, now >> 32};
        smaller = false;
        for (unsigned i = 0; i < sizeof tries / sizeof *tries && !smaller; i++) {
            bool before = tries[i] >= now || tries[i] == wanted;
            for (unsigned j = 0; j < i; j++)
                before |= tries[j] == tries[i];
            smaller = !before && try_number(shrinker, index, which, tries[i]);
        }
    }
}

static void simplify_numbers(Shrinker *shrinker) {
    Program *candidate = shrinker->candidate;
    bool changed = false;
    program_copy(candidate, shrinker->program);
    for (uint32_t i = 0; i < candidate->line_count; i++)
        for (unsigned which = 0; which < 2; which++) {
            uint64_t wanted = wanted_number(candidate, i, which);
            changed |= candidate->lines[i].number[which] != wanted;
            candidate->lines[i].number[which] = wanted;
        }
    if (!changed || shrink_ask(shrinker)) return;
    for (uint32_t i = 0; i < shrinker->program->line_count; i++)
        for (unsigned which = 0; which < 2; which++)
            simplify_number(shrinker, i, which);
}

/* Flags that are simpler when off. */
static uint8_t removable(const Line *line) {
    if (line->kind == LINE_COMMENT) return 0;
    return line->kind == LINE_CREATE || line->kind == LINE_OPEN ? line->flags & ~FLAG_UNNAMED
                                                                : line->flags;
}

static void simplify_flags(Shrinker *shrinker) {
    unsigned lines = 0, bits = 0;
    program_copy(shrinker->candidate, shrinker->program);
    for (uint32_t i = 0; i < shrinker->candidate->line_count; i++) {
        Line *line = &shrinker->candidate->lines[i];
        lines += removable(line) != 0;
        bits += (unsigned)__builtin_popcount(removable(line));
        line->flags &= (uint8_t)~removable(line);
    }
    if (lines == 0 || shrink_ask(shrinker) || bits == 1) return;
    for (uint32_t i = 0; i < shrinker->program->line_count; i++) {
        uint8_t flags = removable(&shrinker->program->lines[i]);
        if (flags == 0) continue;
        bool several = (flags & (flags - 1)) != 0;
        if (several && lines > 1) {
            program_copy(shrinker->candidate, shrinker->program);
            shrinker->candidate->lines[i].flags &= (uint8_t)~flags;
            if (shrink_ask(shrinker)) continue;
        }
        for (uint8_t flag = 1; flag != 0; flag = (uint8_t)(flag << 1)) {
            if (!(flags & flag)) continue;
            program_copy(shrinker->candidate, shrinker->program);
            shrinker->candidate->lines[i].flags &= (uint8_t)~flag;
            shrink_ask(shrinker);
        }
    }
}

static bool named(const Line *line) {
    return line_info[line->kind].arguments == ARGUMENTS_NAME_AND_ATTRIBUTES &&
           !(line->flags & FLAG_UNNAMED);
}

/* Place in the dictionary; NAME_COUNT for others. */
static unsigned place_of(const Line *line) {
    unsigned place = 0;
    while (place < NAME_COUNT && (dictionary_names[place].at != line->name_at ||
                                  dictionary_names[place].length != line->name_length))
        place++;
    return place;
}

static bool same_name(const Program *program, const Line *one, const Line *other) {
    return one->name_length == other->name_length &&
           memcmp(program->units + one->name_at, program->units + other->name_at,
                  one->name_length * sizeof(uint16_t)) == 0;
}

/* Gives all lines with the name of line `index` another one, and asks. */
static bool try_name(Shrinker *shrinker, uint32_t index, const uint16_t *units, uint16_t length) {
    const Program *program = shrinker->program;
    program_copy(shrinker->candidate, program);
    uint32_t at = program_add_name(shrinker->candidate, units, length);
    for (uint32_t i = 0; i < program->line_count; i++)
        if (named(&program->lines[i]) &&
            same_name(program, &program->lines[i], &program->lines[index])) {
            shrinker->candidate->lines[i].name_at = at;
            shrinker->candidate->lines[i].name_length = length;
        }
    return shrink_ask(shrinker);
}

/* Cuts runs of units out of a name that no name of the dictionary can replace. */
static void shorten_name(Shrinker *shrinker, uint32_t index) {
    uint16_t units[PROGRAM_NAME_UNITS];
    for (uint32_t size = shrinker->program->lines[index].name_length; size > 0; size /= 2)
        for (uint32_t end = shrinker->program->lines[index].name_length; end > 0;) {
            const Line *line = &shrinker->program->lines[index];
            const uint16_t *name = shrinker->program->units + line->name_at;
            uint32_t start = end > size ? end - size : 0;
            memcpy(units, name, start * sizeof *units);
            memcpy(units + start, name + end, (line->name_length - end) * sizeof *units);
            try_name(shrinker, index, units, (uint16_t)(line->name_length - (end - start)));
            if (place_of(&shrinker->program->lines[index]) < NAME_COUNT) return;
            end = start;
        }
}

static void simplify_names(Shrinker *shrinker) {
    enum { FIRST_ONES = 4 };
    for (uint32_t i = 0; i < shrinker->program->line_count; i++) {
        const Program *program = shrinker->program;
        uint32_t first = 0;
        while (first < i && !(named(&program->lines[first]) && named(&program->lines[i]) &&
                              same_name(program, &program->lines[first], &program->lines[i])))
            first++;
        if (first < i || !named(&program->lines[i])) continue;
        unsigned place = place_of(&program->lines[i]);
        bool replaced = false;
        for (unsigned to = 0; to < FIRST_ONES && to < place && !replaced; to++)
            if (to != NAME_DEMO_LOWER && to != NAME_DEMO_UPPER)
                replaced = try_name(shrinker, i, dictionary_units + dictionary_names[to].at,
                                    dictionary_names[to].length);
        if (!replaced && place == NAME_COUNT) shorten_name(shrinker, i);
    }
}

static bool has_routine(const Line *line) {
    return line->routine != 0 && line->kind != LINE_THREAD;
}

/* Numbers routines and threads as they appear; bodies and expectations follow. */
static void renumber(Shrinker *shrinker) {
    uint8_t routines[PROGRAM_ROUTINES + 1] = {0}, threads[PROGRAM_THREADS + 1] = {0};
    uint8_t routine = 0, thread = 0;
    const Program *program = shrinker->program;
    bool changed = false;
    for (uint32_t i = 0; i < program->line_count; i++) {
        const Line *line = &program->lines[i];
        if (has_routine(line) && !routines[line->routine]) routines[line->routine] = ++routine;
        if (line->kind == LINE_THREAD && !threads[line->routine]) threads[line->routine] = ++thread;
        changed |= line->routine &&
                   line->routine != (has_routine(line) ? routines : threads)[line->routine];
    }
    if (!changed) return;
    for (unsigned i = 1; i <= PROGRAM_ROUTINES; i++)
        if (!routines[i]) routines[i] = ++routine;
    Program *candidate = shrinker->candidate, *edited = shrinker->edited;
    program_copy(edited, program);
    for (uint32_t i = 0; i < edited->line_count; i++) {
        Line *line = &edited->lines[i];
        if (line->routine) line->routine = (has_routine(line) ? routines : threads)[line->routine];
        if (line->expect == EXPECT_CALLS)
            for (uint32_t call = 0; call < line->expect_count; call++)
                edited->calls[line->expect_at + call].routine =
                    routines[program->calls[line->expect_at + call].routine];
    }
    bool keep[PROGRAM_LINES]; /* rebuilt, so that the program knows its bodies */
    memset(keep, true, sizeof keep);
    program_rebuild(candidate, edited, keep);
    shrink_ask(shrinker);
}

static void simplify_routines(Shrinker *shrinker) {
    renumber(shrinker);
    for (uint32_t i = 0; i < shrinker->program->line_count; i++) {
        const Line *line = &shrinker->program->lines[i];
        if (line->routine <= 1 || line_info[line->kind].class != CLASS_CALL) continue;
        program_copy(shrinker->candidate, shrinker->program);
        shrinker->candidate->lines[i].routine = 1;
        shrink_ask(shrinker);
    }
}

static void unsay(Line *line) {
    line->expect = EXPECT_UNSAID;
    line->expect_status = line->expect_at = line->expect_count = 0;
}

static void simplify_expectations(Shrinker *shrinker) {
    unsigned said = 0;
    program_copy(shrinker->candidate, shrinker->program);
    for (uint32_t i = 0; i < shrinker->candidate->line_count; i++) {
        said += shrinker->candidate->lines[i].expect != EXPECT_UNSAID;
        unsay(&shrinker->candidate->lines[i]);
    }
    if (said == 0 || shrink_ask(shrinker) || said == 1) return;
    for (uint32_t i = 0; i < shrinker->program->line_count; i++) {
        if (shrinker->program->lines[i].expect == EXPECT_UNSAID) continue;
        program_copy(shrinker->candidate, shrinker->program);
        unsay(&shrinker->candidate->lines[i]);
        shrink_ask(shrinker);
    }
}

static void forget_spellings(Shrinker *shrinker) {
    bool any = false;
    program_copy(shrinker->candidate, shrinker->program);
    for (uint32_t i = 0; i < shrinker->candidate->variable_count; i++) {
        any |= shrinker->candidate->variables[i].name_length != 0;
        shrinker->candidate->variables[i].name_length = 0;
    }
    if (any) shrink_ask(shrinker);
}

void shrink_simplify(Shrinker *shrinker) {
    simplify_expectations(shrinker);
    forget_spellings(shrinker);
    simplify_routines(shrinker);
    simplify_flags(shrinker);
    simplify_names(shrinker);
    simplify_numbers(shrinker);
}
