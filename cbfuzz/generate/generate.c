/* Makes programs: new ones, changed ones, mixed ones, steered by the machine's state. */
#include "generate/generate.h"

#include <stdlib.h>
#include <string.h>

#include "generate/choose.h"
#include "program/bytes.h"
#include "program/dictionary.h"

enum {
    UNITS_RESERVED = 1 << 17, /* names of a program: they must not move while it is run */
    CALLS = 300,              /* of a program, nested ones included: longer ones show no more */
    CROWDED = 1,              /* percent of the programs that are about numbers, with CROWD calls */
    CROWD = 2000,
    SWARM_KEEPS = 70 /* percent of the kinds that a program uses */
};

Generator *generator_new(void) {
    return calloc(1, sizeof(Generator));
}

void generator_free(Generator *generator) {
    free(generator);
}

void generator_prepare(Generator *generator, Executor *executor, const Recipe *recipe) {
    uint32_t units = UNITS_RESERVED + (recipe->first ? recipe->first->unit_count : 0) +
                     (recipe->second ? recipe->second->unit_count : 0);
    generator->executor = executor;
    generator->recipe = *recipe;
    generator->program = recipe->program;
    generator->random.state = recipe->seed;
    program_clear(recipe->program);
    program_reserve_units(recipe->program, units);
    journal_begin(recipe->journal);
    generator->less = 0;
    generator->broken = false;
    generator->crowded = random_chance(&generator->random, CROWDED);
    generator->long_length = 4 + random_below(&generator->random, 240);
    generator->kinds = 0;
    for (unsigned kind = 0; kind < LINE_KINDS; kind++)
        if (random_chance(&generator->random, SWARM_KEEPS)) generator->kinds |= 1u << kind;
    /* Without these nothing else has anything to work on. */
    generator->kinds |= 1u << (random_chance(&generator->random, 85) ? LINE_CREATE : LINE_OPEN) |
                        1u << LINE_REGISTER | 1u << LINE_NOTIFY;
}

/* So many bytes can the program have at most. */
static size_t most_bytes(const Program *program) {
    enum { LINE = 32 /* of one at most, but for names: opcode, operand, two numbers, ... */ };
    return 1 + LINE * (size_t)program->line_count + program->text_count +
           2 * (size_t)(program->unit_count - dictionary_unit_count);
}

/* Has the program room in bytes? They are counted only where the estimate does not tell. */
static bool fits(Generator *generator) {
    size_t most = most_bytes(generator->program), room = generator->recipe.room;
    if (most - generator->less <= room) return true;
    generator->less = most - bytes_encode(generator->program, NULL, 0);
    return most - generator->less <= room;
}

/* Notes the lines from `from` on. False: there is no room, they are gone. */
static bool follow(Generator *generator, uint32_t from) {
    if (fits(generator)) {
        journal_follow(generator->recipe.journal, generator->program, from);
        return true;
    }
    program_cut(generator->program, from);
    generator->broken = true;
    return false;
}

/* Runs the line that was appended last. What would be misuse is taken back. */
static void take(Generator *generator) {
    Executor *executor = generator->executor;
    Program *program = generator->program;
    uint32_t index = program->line_count - 1;
    uint16_t result = program->lines[index].result;
    if (result != NO_VARIABLE) executor->binding[result] = NO_ID;
    generator->broken |= executor->calls >= executor->budget;
    if (generator->broken) {
        program_cut(program, index);
        return;
    }
    if (!follow(generator, index)) return;
    executor_line(executor, index);
    if (executor->state == RUN_GOES_ON) return;
    if (!executor_resume(executor)) {
        generator->broken = true;
        return;
    }
    program_cut(program, index);
    generator->less = 0;
    journal_follow(generator->recipe.journal, program, index);
}

/* Variables of bodies are unbound until the body runs. */
static void unbind_new(Generator *generator, uint32_t from) {
    for (uint32_t i = from; i < generator->program->variable_count; i++)
        generator->executor->binding[i] = NO_ID;
}

static void grow(Generator *generator, uint32_t statements) {
    Program *program = generator->program;
    bool bodies = generator->kinds >> LINE_ROUTINE & 1;
    for (uint32_t i = 0; i < statements && !generator->broken; i++) {
        if (bodies && random_chance(&generator->random, 14)) {
            uint32_t variables = program->variable_count, from = program->line_count;
            if (choose_body(generator)) {
                unbind_new(generator, variables);
                if (!follow(generator, from)) return;
            }
        }
        if (!choose_statement(generator)) return;
        take(generator);
    }
}

/* Copies lines [from, to) of another program, running them; map[] as in
 * program_append_copy. */
static void replay(Generator *generator, Program *source, uint32_t from, uint32_t to,
                   uint16_t *map) {
    Program *program = generator->program;
    for (uint32_t i = from; i < to && i < source->line_count && !generator->broken; i++) {
        const Line *line = &source->lines[i];
        LineClass class = line_info[line->kind].class;
        if (class == CLASS_NOTE || line->kind == LINE_END) continue;
        if (line->kind == LINE_SET_STATUS) continue; /* it began inside of a body */
        if (line->kind == LINE_THREAD) continue;     /* its lines run here: one of its schedules */
        if (class == CLASS_BLOCK) {
            uint32_t end = program_block_end(source, i), variables = program->variable_count;
            uint32_t before = program->line_count;
            /* A body holds for the whole program: too late once its routine has run. */
            if (!(generator->executor->called >> line->routine & 1))
                program_append_copy(program, source, i, map);
            for (i++; i < end && program->line_count != before; i++)
                if (program_append_copy(program, source, i, map))
                    program->lines[program->line_count - 1].expect = EXPECT_UNSAID;
            unbind_new(generator, variables);
            if (!follow(generator, before)) return;
            i = end - 1;
            continue;
        }
        if (!program_append_copy(program, source, i, map)) continue;
        program->lines[program->line_count - 1].expect = EXPECT_UNSAID;
        uint16_t result = source->lines[i].result;
        uint32_t before = program->line_count;
        take(generator);
        if (program->line_count < before && result != NO_VARIABLE) map[result] = NO_VARIABLE;
    }
}

static void clear_map(uint16_t *map, const Program *source) {
    memset(map, 0xFF, source->variable_count * sizeof *map);
}

static void make_new(Generator *generator) {
    uint32_t length = generator->recipe.length;
    grow(generator, 4 + random_below(&generator->random, length > 4 ? length - 3 : 1));
}

static void make_mutant(Generator *generator) {
    uint16_t map[EXECUTOR_BINDINGS];
    Random *random = &generator->random;
    Program *from = generator->recipe.first;
    clear_map(map, from);
    uint32_t count = from->line_count, length = generator->recipe.length;
    uint32_t room = length > count ? length - count : 2;
    uint32_t at = count ? random_below(random, count + 1) : 0;
    uint32_t run = 1 + random_below(random, 4);
    uint32_t pick = random_below(random, 100);
    if (pick < 40) { /* grow again from somewhere */
        replay(generator, from, 0, at, map);
        grow(generator, 1 + random_below(random, room + 4));
    } else if (pick < 65) { /* put something in */
        replay(generator, from, 0, at, map);
        grow(generator, run);
        replay(generator, from, at, count, map);
    } else if (pick < 80) { /* take something out */
        replay(generator, from, 0, at, map);
        replay(generator, from, at + run, count, map);
    } else if (pick < 92) { /* change something */
        if (at < count) choose_tweak(generator, &from->lines[at]);
        replay(generator, from, 0, count, map);
    } else { /* do something twice */
        replay(generator, from, 0, at, map);
        replay(generator, from, at > run ? at - run : 0, count, map);
    }
    if (!generator->program->line_count) grow(generator, 8);
}

static void make_cross(Generator *generator) {
    uint16_t map[EXECUTOR_BINDINGS];
    Random *random = &generator->random;
    Program *first = generator->recipe.first, *second = generator->recipe.second;
    clear_map(map, first);
    replay(generator, first, 0, random_below(random, first->line_count + 1), map);
    clear_map(map, second);
    replay(generator, second, 0, second->line_count, map);
    grow(generator, random_below(random, 3));
}

void generator_drive(void *context) {
    Generator *generator = context;
    generator->executor->budget = generator->crowded ? CROWD : CALLS;
    if (generator->recipe.second) make_cross(generator);
    else if (generator->recipe.first) make_mutant(generator);
    else make_new(generator);
}
