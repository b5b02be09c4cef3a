/* Runs cases one after the other and says what became of each. */
#define _GNU_SOURCE
#include "conform/judge.h"

#include <stdlib.h>
#include <string.h>

#include "conform/predict.h"
#include "harness/clock.h"
#include "harness/interrupt.h"

/* An implementation that hangs will do it again and again: from so many cases on it gets
 * less time, still a hundred times what a case needs. */
enum { PATIENCE = 8 };
static const double short_limit = 0.1;

bool judge_open(Judge *judge, Implementation *implementation) {
    *judge = (Judge){0};
    if (!runner_open(&judge->runner, implementation, false)) return false;
    runner_calibrate(&judge->runner);
    judge->readings[0] = judge->runner.session->readings;
    judge->readings[1] = readings_all(true);
    return true;
}

void judge_close(Judge *judge) {
    runner_close(&judge->runner);
}

static bool names(const Case *one, ClauseId clause) {
    for (unsigned i = 0; i < one->clause_count; i++)
        if (one->clauses[i] == clause) return true;
    return false;
}

static uint32_t script_line(const Case *one, uint32_t index) {
    const Program *program = one->program;
    uint32_t last = 1;
    if (index != NO_LINE && index < program->line_count) return program->lines[index].line;
    for (uint32_t i = 0; i < program->line_count; i++)
        if (line_info[program->lines[i].kind].class != CLASS_NOTE) last = program->lines[i].line;
    return last ? last : 1;
}

/* Does the script keep to the rules under some reading, but for those that it names? */
static bool is_sound(Case *one, bool windows) {
    Prediction prediction = predict(one->program, windows);
    if (prediction.legal) return true;
    for (unsigned i = 0; i < one->clause_count; i++)
        if (clause_set_has(&prediction.misused, one->clauses[i])) return true;
    one->line = script_line(one, prediction.line);
    case_set(one, CASE_WRONG, "%s:%u:1: misuse of %s, which the case does not name", one->path,
             one->line, clause_get(prediction.clause)->id);
    return false;
}

static bool same(const Readings *a, const Readings *b) {
    return a->worlds == b->worlds && memcmp(a->answers, b->answers, sizeof a->answers) == 0;
}

static const char *given(const Case *one) {
    const Line *note = program_note(one->program, LINE_READING);
    static char name[64];
    snprintf(name, sizeof name, "%.*s", note ? (int)note->text_length : 0,
             note ? one->program->text + note->text_at : "");
    return name;
}

/* What a case has shown rules out the other readings for those that follow. */
static void learn(Judge *judge, const Case *one, bool windows, const Readings *after) {
    Readings *shown = &judge->readings[windows], settled = *after;
    readings_settle(&settled);
    for (unsigned q = 0; q < QUESTIONS; q++)
        if (settled.answers[q] != shown->answers[q]) judge->shown_by[windows][q] = one;
    *shown = settled;
}

/* Would it have conformed, had no other case been run before? Then the implementation
 * takes two readings of one question. */
static void look_for_another_reading(Judge *judge, Case *one, bool windows) {
    Session *session = judge->runner.session;
    Readings all = readings_all(windows), before = judge->readings[windows];
    if (same(&all, &before)) return;
    runner_renew(&judge->runner);
    if (!runner_run(&judge->runner, one->program, all)) {
        judge->failed = true;
        return;
    }
    const Judgement *fresh = &session->judgement;
    if (verdict_is_finding(fresh->verdict)) return;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return;
    fputs("alone it conforms, but the readings contradict each other", out);
    for (unsigned q = 0; q < QUESTIONS; q++) {
        if (fresh->after.answers[q] & before.answers[q]) continue;
        const Case *by = judge->shown_by[windows][q];
        fprintf(
            out, ": here %s, but %s in %s",
            reading_name(q,
                         (unsigned)__builtin_ctz(fresh->after.answers[q] | 1u << QUESTION_ANSWERS)),
            reading_name(q, (unsigned)__builtin_ctz(before.answers[q] | 1u << QUESTION_ANSWERS)),
            by ? by->name : "calibration");
        if (by) one->before = by->path;
    }
    fclose(out);
    free(one->note);
    one->note = text;
}

static void conclude(Judge *judge, Case *one, bool windows, bool undecided) {
    const Judgement *judgement = &one->judgement;
    const char *clause = clause_get(judgement->clause)->id;
    one->line = script_line(one, judgement->line);
    if (verdict_is_finding(judgement->verdict)) {
        if (undecided) {
            case_set(one, CASE_SKIPPED, "nothing has shown whether the implementation takes %s",
                     given(one));
            return;
        }
        one->status = CASE_FAILS;
        if (judge->hangs < PATIENCE) look_for_another_reading(judge, one, windows);
        return;
    }
    if (judgement->cut != NO_LINE && judgement->verdict == VERDICT_CONFORMS) {
        one->line = script_line(one, judgement->cut);
        case_set(one, CASE_WRONG, "%s:%u:1: %s", one->path, one->line, executor_bounds);
        return;
    }
    /* That it is legal under some reading was checked before. */
    if (judgement->verdict == VERDICT_MISUSE && !names(one, judgement->clause))
        case_set(one, CASE_SKIPPED, "misuse of %s under the reading that the implementation takes",
                 clause);
    else one->status = CASE_HOLDS;
    if (!program_note(one->program, LINE_READING)) learn(judge, one, windows, &judgement->after);
}

static void run_case(Judge *judge, Case *one, bool windows, bool undecided) {
    Session *session = judge->runner.session;
    double begun = clock_now();
    judge->runner.windows = windows;
    runner_renew(&judge->runner);
    if (!runner_run(&judge->runner, one->program, judge->readings[windows])) {
        case_set(one, CASE_NOT_RUN, "%s", judge->runner.error);
        judge->failed = true;
        return;
    }
    one->seconds = clock_now() - begun;
    judge->hangs += session->judgement.verdict == VERDICT_HANGS;
    if (judge->hangs == PATIENCE) judge->runner.limit = short_limit;
    one->ran = true;
    one->judgement = session->judgement;
    judge->statements += one->judgement.statements;
    judge->effective += one->judgement.effective;
    judge->kinds |= session->executor.kinds;
    if (one->judgement.verdict != VERDICT_CONFORMS && (one->finding = malloc(sizeof *one->finding)))
        *one->finding = session->finding;
    conclude(judge, one, windows, undecided);
}

static void judge_case(Judge *judge, Case *one, Ask ask, bool last_pass) {
    bool windows = ask == ASK_WINDOWS || one->windows;
    if (windows && ask == ASK_DOCUMENTED) {
        case_set(one, CASE_SKIPPED, "profile windows is not asked for (--profile windows does)");
        return;
    }
    Readings taken = judge->readings[windows];
    if (program_take_as_given(one->program, &taken) != NO_LINE) {
        case_set(one, CASE_SKIPPED, "the implementation does not take %s", given(one));
        return;
    }
    bool undecided = !same(&taken, &judge->readings[windows]);
    if (undecided && !last_pass) return;
    if (is_sound(one, windows)) run_case(judge, one, windows, undecided);
}

void judge_suite(Judge *judge, Suite *suite, Ask ask) {
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < suite->count && !judge->failed && !interrupt_signal; i++)
            if (suite->cases[i].status == CASE_NOT_RUN)
                judge_case(judge, &suite->cases[i], ask, pass == 1);
}
