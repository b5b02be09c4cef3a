/* Tests of the generator: what it makes is a program, in both notations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate/generate.h"
#include "program/bytes.h"
#include "program/script.h"

enum { PROGRAMS = 30000, LENGTH = 24, ROOM = 4096 /* bytes */ };

static unsigned failures;
static unsigned room; /* of the actor, for objects that are created or opened */

/* The actor: it does what the machine expects as long as it has room. */
static void call(Executor *executor, const Call *call, Return *result) {
    Entry entry;
    while (executor->state == RUN_GOES_ON && machine_next(&executor->machine, &entry))
        executor_enter(executor, &entry);
    *result = machine_predict(&executor->machine);
    if (call->kind != CALL_CREATE || result->status) return;
    if (room) room--;
    else *result = (Return){.status = 0xC000009A, .allocation_failed = true};
}

static const Actor actor = {.call = call};

/* Says which program it is, and what of it. */
static void fail(uint64_t seed, const char *what, const char *text) {
    printf("FAIL program %llu: %s\n%s\n", (unsigned long long)seed, what, text);
    failures++;
}

static void check(const Program *program, uint64_t seed) {
    static uint8_t bytes[ROOM];
    static Program *again;
    if (!again) again = program_new();
    for (uint32_t i = 0; i < program->line_count; i++) {
        uint16_t operand = program->lines[i].operand;
        if (operand == NO_VARIABLE || operand < program->variable_count) continue;
        fail(seed, "works on what there is not", "");
        return;
    }
    ScriptError error;
    size_t size, size_again, length = bytes_encode(program, bytes, sizeof bytes);
    char *text = script_text(program, &size), *text_again;
    if (length > ROOM) {
        fail(seed, "has more bytes than it may have", text);
        length = 0;
    }
    if (!script_parse(again, text, size, &error)) {
        printf("%u:%u: %s\n", error.line, error.column, error.message);
        fail(seed, "is no script", text);
    }
    bytes_decode(again, bytes, length);
    text_again = script_text(again, &size_again);
    if (size != size_again || memcmp(text, text_again, size) != 0)
        fail(seed, "is another one from bytes", text);
    free(text);
    free(text_again);
}

/* A seed of one of the few programs that are about numbers: that is what is drawn first. */
static uint64_t crowded(uint64_t seed) {
    Random random = {.state = seed};
    while (!random_chance(&random, 1))
        random.state = ++seed;
    return seed;
}

/* New ones, changed ones and mixed ones, each made from those before it. */
int main(void) {
    static Executor executor;
    static Journal journal;
    Generator *generator = generator_new();
    Program *program[3] = {program_new(), program_new(), program_new()};
    executor.actor = &actor;
    for (unsigned i = 0; i < PROGRAMS && !failures; i++) {
        Program *made = program[i % 3];
        Recipe recipe = {.seed = i % 2 ? crowded(1000 * i) : i,
                         .length = LENGTH,
                         .program = made,
                         .first = i % 8 > 3 ? program[(i + 1) % 3] : NULL,
                         .second = i % 8 > 5 ? program[(i + 2) % 3] : NULL,
                         .room = ROOM,
                         .journal = &journal};
        bool windows = i % 5 == 0;
        Start start = {windows, readings_all(windows), {0}, 2};
        Judgement judgement;
        if (i % 3) readings_assume(&start.readings, "UNREGISTER-REFERENCE-OWN");
        room = i % 4 ? 1 + i % 2 : UINT32_MAX;
        generator_prepare(generator, &executor, &recipe);
        executor_drive(&executor, made, &start, &judgement, generator_drive, generator);
        check(made, recipe.seed);
    }
    for (unsigned i = 0; i < 3; i++)
        program_free(program[i]);
    generator_free(generator);
    printf("%s\n", failures ? "failed" : "all good");
    return failures != 0;
}
