/* Makes a finding's program smaller without changing what it shows. */
#include "fuzz/minimize.h"

#include <string.h>

#include "harness/clock.h"
#include "harness/interrupt.h"
#include "program/shrink.h"

enum {
    QUESTIONS_QUICK = 1500, /* runs of programs that end by themselves: a fraction of a second */
    QUESTIONS_DEADLY = 400, /* each costs a process */
    QUESTIONS_HANGING = 60, /* each costs the time-out */
    WORK = 2000000          /* calls in all these runs that go beyond one for each line: where
                               routines register routines, ten lines make thousands */
};
/* Seconds for a program of which it is known that it hangs: others take microseconds. */
static const double hanging_limit = 0.06, confirmed_limit = 0.25;

typedef struct {
    Runner *runner;
    Readings readings;
    const char *signature;
    uint64_t work; /* that may still be done; counted in calls, so that it is repeatable */
    double until;
    uint32_t budget; /* of questions */
} Trial;

static bool shows(Trial *trial, const Program *candidate) {
    char signature[SIGNATURE_TEXT];
    return runner_run(trial->runner, candidate, trial->readings) &&
           strcmp(verdict_signature(&trial->runner->session->judgement, signature),
                  trial->signature) == 0;
}

/* The same where it was seen before. */
static bool shows_again(Trial *trial, const Program *program) {
    Runner *runner = trial->runner;
    double limit = runner->limit;
    if (strncmp(trial->signature, "hangs ", 6) == 0) runner->limit = confirmed_limit;
    bool good = shows(trial, program);
    runner->limit = limit;
    return good;
}

/* For the shrinker: an interrupt, and the end of work or time, keep what has been reached. */
static bool still_shows(void *context, const Program *candidate) {
    Trial *trial = context;
    if (interrupt_signal || !trial->work || clock_now() > trial->until) {
        trial->budget = 0;
        return false;
    }
    bool good = shows(trial, candidate);
    uint64_t done = session_progress(trial->runner->session), lines = candidate->line_count;
    uint64_t beyond = done > lines ? done - lines : 0;
    trial->work -= beyond < trial->work ? beyond : trial->work;
    return good;
}

bool minimize(Runner *runner, Program *program, Readings readings, const char *signature,
              double seconds) {
    Trial trial = {runner, readings, signature, WORK, clock_now() + seconds, QUESTIONS_QUICK};
    if (!shows(&trial, program)) return false;
    double limit = runner->limit;
    switch (runner->session->judgement.verdict) {
    case VERDICT_HANGS:
        trial.budget = QUESTIONS_HANGING;
        runner->limit = hanging_limit;
        break;
    case VERDICT_CRASHES: trial.budget = QUESTIONS_DEADLY; break;
    default: break;
    }
    program_shrink(program, still_shows, &trial, &trial.budget);
    runner->limit = limit;
    return shows_again(&trial, program);
}

static void prepend_notes(Program *program, const Line *notes, unsigned count,
                          const char (*texts)[64]) {
    Program *copy = program_new();
    if (!copy) return;
    uint16_t map[EXECUTOR_BINDINGS];
    for (unsigned i = 0; i < count; i++) {
        Line line = notes[i];
        line.text_length = (uint32_t)strlen(texts[i]);
        line.text_at = program_add_text(copy, texts[i], line.text_length);
        program_append(copy, line, NULL);
    }
    /* Bodies may use names from below, so that all variables get their numbers first. */
    for (uint32_t i = 0; i < program->variable_count; i++)
        map[i] = (uint16_t)i;
    for (uint32_t i = 0; i < program->line_count; i++) {
        LineKind kind = program->lines[i].kind;
        if (kind == LINE_CLAUSE || kind == LINE_PROFILE || kind == LINE_READING) continue;
        program_append_copy(copy, program, i, map);
    }
    program_copy(program, copy);
    program_free(copy);
}

/* The readings that are narrower than usual. */
static unsigned narrower(Readings readings, Readings usual, const char *names[QUESTIONS]) {
    unsigned count = 0;
    for (unsigned q = 0; q < QUESTIONS; q++) {
        unsigned answer;
        if (readings.answers[q] != usual.answers[q] && readings_decided(&readings, q, &answer))
            names[count++] = reading_name(q, answer);
    }
    return count;
}

void annotate(Runner *runner, Program *program, Readings readings, Readings usual,
              const char *signature) {
    Line notes[QUESTIONS + 2];
    char texts[QUESTIONS + 2][64];
    unsigned count = 0;
    const Line empty = {.result = NO_VARIABLE, .operand = NO_VARIABLE};
    Trial trial = {.runner = runner, .readings = usual, .signature = signature};
    bool alone = shows_again(&trial, program);
    Judgement *judgement = &runner->session->judgement;
    trial.readings = readings;
    if (!alone) shows_again(&trial, program);
    if (judgement->clause != CLAUSE_NONE) {
        notes[count] = empty;
        notes[count].kind = LINE_CLAUSE;
        snprintf(texts[count++], sizeof texts[0], "%s", clause_get(judgement->clause)->id);
    }
    if (runner->session->windows || program_needs_windows(program)) {
        notes[count] = empty;
        notes[count].kind = LINE_PROFILE;
        snprintf(texts[count++], sizeof texts[0], "windows");
    }
    const char *names[QUESTIONS];
    unsigned assumed = alone ? 0 : narrower(readings, usual, names);
    for (unsigned i = 0; i < assumed; i++) {
        notes[count] = empty;
        notes[count].kind = LINE_READING;
        snprintf(texts[count++], sizeof texts[0], "%s", names[i]);
    }
    prepend_notes(program, notes, count, texts);
    shows_again(&trial, program);
}
