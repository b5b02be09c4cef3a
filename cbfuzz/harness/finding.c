/* A finding as it reads: what was expected and observed at the step, in words. */
#define _GNU_SOURCE
#include "harness/finding.h"

#include <stdlib.h>
#include <string.h>

#include "harness/expectation.h"
#include "harness/trace.h"
#include "program/script.h"

enum { SHOWN = 12 /* calls in one list; more are counted */ };

/* A text that is being written; cut with an ellipsis where it would not fit. */
typedef struct {
    FILE *file;
    char *text;
    size_t size;
} Text;

static void text_open(Text *text) {
    text->file = open_memstream(&text->text, &text->size);
}

static void text_close(Text *text, char to[FINDING_TEXT]) {
    fclose(text->file);
    if (text->size < FINDING_TEXT) {
        memcpy(to, text->text, text->size + 1);
    } else {
        size_t keep = FINDING_TEXT - 4;
        while (keep && ((unsigned char)text->text[keep] & 0xC0) == 0x80)
            keep--; /* not in the middle of a character */
        memcpy(to, text->text, keep);
        memcpy(to + keep, "...", 4);
    }
    free(text->text);
}

static void describe_statement(Finding *finding, const Executor *executor) {
    const Judgement *judgement = &finding->judgement;
    finding->inside[0] = 0;
    Text text;
    text_open(&text);
    if (judgement->line == NO_LINE) fputs("(giving back what the program holds)", text.file);
    else script_print_line(text.file, executor->program, judgement->line);
    text_close(&text, finding->statement);
    if (!judgement->routine || executor->top_line == NO_LINE) return;
    text_open(&text);
    script_print_line(text.file, executor->program, executor->top_line);
    text_close(&text, finding->inside);
}

/* The calls that were observed for the statement itself. */
static unsigned describe_observed_calls(FILE *out, const Executor *executor) {
    unsigned count = 0;
    for (uint32_t i = executor->events_from; i < executor->event_count; i++) {
        const Event *event = executor_event(executor, i);
        if (!event || event->level != executor->level + 1) continue;
        if (count++ >= SHOWN) continue;
        if (count > 1) fputs("  ", out);
        trace_print_event(out, event);
    }
    if (count > SHOWN) fprintf(out, "  and %u more", count - SHOWN);
    return count;
}

static Value expected_value(SpecValue value) {
    return expectation_value(value);
}

static unsigned describe_expected_calls(FILE *out, const Machine *machine) {
    static ExpectedEntry entries[MACHINE_REGISTRATIONS];
    size_t count = machine_expected(machine, entries, MACHINE_REGISTRATIONS);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        ExpectedCall call = {.routine = entries[i].routine,
                             .context = {VALUE_NUMBER, entries[i].context},
                             .argument1 = expected_value(entries[i].argument[0]),
                             .argument2 = expected_value(entries[i].argument[1])};
        if (i) fputs("  ", out);
        if (entries[i].optional) fputc('[', out);
        script_print_call(out, &call);
        if (entries[i].optional) fputc(']', out);
    }
    if (count > SHOWN) fprintf(out, "  and %zu more", count - SHOWN);
    return (unsigned)count;
}

static void describe_allowed_status(FILE *out, const Machine *machine, bool names_known) {
    if (!names_known) return;
    Allowed allowed = machine_allowed(machine);
    const char *between = "";
    if (allowed.success) {
        fputs("STATUS_SUCCESS", out);
        between = " or ";
    }
    for (unsigned i = 0; i < allowed.code_count; i++) {
        fputs(between, out);
        script_print_status(out, allowed.codes[i]);
        between = " or ";
    }
    if (allowed.any_error) fprintf(out, "%sany error", between);
}

/* What the clause means for the status, the pointer or the handle of one call. */
static void describe_result(Finding *finding, const Executor *executor, const Call *call,
                            bool names_known) {
    const Machine *machine = &executor->machine;
    const Return *result = &executor->result;
    Text text;
    text_open(&text);
    if (call->kind == CALL_CREATE) {
        switch (finding->judgement.clause) {
        case CLAUSE_CREATE_STORES_POINTER:
            fputs("STATUS_SUCCESS and the object's address", text.file);
            break;
        case CLAUSE_OBJECT_NAMED:
        case CLAUSE_CREATE_CASE_SENSITIVE:
        case CLAUSE_WINDOWS_TEMPORARY_NAME:
        case CLAUSE_WINDOWS_MAKE_TEMPORARY:
            describe_allowed_status(text.file, machine, names_known);
            if (call->create) fputs(", a new object", text.file);
            break;
        case CLAUSE_CREATE_OPENS:
        case CLAUSE_CREATE_PERMANENT:
        case CLAUSE_CREATE_CASE_INSENSITIVE:
            fputs("STATUS_SUCCESS, the object that bears the name", text.file);
            break;
        default: describe_allowed_status(text.file, machine, names_known);
        }
    } else {
        Allowed allowed = machine_allowed(machine);
        fputs(allowed.handle ? finding->judgement.clause == CLAUSE_REGISTER_HANDLE
                                   ? "a handle of its own"
                                   : "handle"
                             : "NULL",
              text.file);
    }
    text_close(&text, finding->expected);
    text_open(&text);
    if (call->kind == CALL_CREATE) {
        script_print_status(text.file, result->status);
        if (!result->status && names_known) {
            const char *what = ", a new object";
            if (!result->pointer) what = ", no address";
            for (unsigned i = 0; i < machine->object_count; i++)
                if (result->pointer && machine->objects[i].pointer == result->pointer)
                    what = machine->objects[i].references > 0 ? ", an object that is in use"
                                                              : ", an object that existed before";
            fputs(what, text.file);
        }
    } else {
        bool in_use = false;
        for (unsigned i = 0; i < machine->registration_count; i++)
            in_use |= machine->registrations[i].alive &&
                      machine->registrations[i].handle == result->pointer;
        fputs(!result->pointer ? "NULL" : in_use ? "a handle that is in use" : "handle", text.file);
    }
    text_close(&text, finding->observed);
}

static void describe_calls(Finding *finding, const Executor *executor) {
    Text text;
    text_open(&text);
    unsigned expected = describe_expected_calls(text.file, &executor->machine);
    if (!expected) fputs("nothing", text.file);
    text_close(&text, finding->expected);
    text_open(&text);
    unsigned observed = describe_observed_calls(text.file, executor);
    if (!observed) fputs("nothing", text.file);
    bool irql = finding->judgement.clause == CLAUSE_NOTIFY_SAME_IRQL ||
                finding->judgement.clause == CLAUSE_ROUTINE_IRQL_LIMIT ||
                finding->judgement.clause == CLAUSE_WINDOWS_CHANGE_PASSIVE;
    if (irql && executor->event_count) {
        fputs(" at ", text.file);
        script_print_level(text.file, executor_event(executor, executor->event_count - 1)->irql);
    }
    text_close(&text, finding->observed);
    if (!irql) return;
    size_t length = strlen(finding->expected);
    const SpecFrame *frame = &executor->machine.frames[executor->machine.frame_count];
    FILE *out = fmemopen(finding->expected + length, FINDING_TEXT - length, "w");
    if (!out) return;
    fputs(" at ", out);
    script_print_level(out, frame->irql);
    fclose(out);
}

/* ADD_EXISTING in its order, in words. */
static void describe_existing(Finding *finding, const Executor *executor) {
    const SpecFrame *frame = &executor->machine.frames[executor->machine.frame_count];
    Text text;
    text_open(&text);
    if (frame->failing == UINT32_MAX)
        fprintf(text.file, "a start for each of %u processors, then a completion for each",
                frame->call.processor);
    else
        fprintf(text.file,
                "no further start, then a failure for each processor started before number %u",
                frame->failing);
    fputs("; then handle", text.file);
    text_close(&text, finding->expected);
    text_open(&text);
    if (!describe_observed_calls(text.file, executor)) fputs("nothing", text.file);
    fprintf(text.file, "; then %s", executor->result.pointer ? "handle" : "NULL");
    text_close(&text, finding->observed);
}

static void describe_expectation(Finding *finding, const Executor *executor, const Line *line) {
    const Program *program = executor->program;
    Text text;
    text_open(&text);
    switch ((Expect)line->expect) {
    case EXPECT_UNSAID: break;
    case EXPECT_STATUS: script_print_status(text.file, line->expect_status); break;
    case EXPECT_ERROR: fputs("error", text.file); break;
    case EXPECT_HANDLE: fputs("handle", text.file); break;
    case EXPECT_NULL: fputs("NULL", text.file); break;
    case EXPECT_NOTHING: fputs("nothing", text.file); break;
    case EXPECT_CALLS:
        for (unsigned i = 0; i < line->expect_count; i++) {
            if (i) fputs("  ", text.file);
            script_print_call(text.file, &program->calls[line->expect_at + i]);
        }
    }
    fputs("  (the script's own expectation)", text.file);
    text_close(&text, finding->expected);
    text_open(&text);
    if (line->expect == EXPECT_STATUS || line->expect == EXPECT_ERROR)
        script_print_status(text.file, executor->result.status);
    else if (line->expect == EXPECT_HANDLE || line->expect == EXPECT_NULL)
        fputs(executor->result.pointer ? "handle" : "NULL", text.file);
    else if (!describe_observed_calls(text.file, executor)) fputs("nothing", text.file);
    text_close(&text, finding->observed);
}

static void copy_text(char to[FINDING_TEXT], const char *from) {
    snprintf(to, FINDING_TEXT, "%s", from);
}

static void describe_divergence(Finding *finding, const Executor *executor, bool names_known) {
    const Judgement *judgement = &finding->judgement;
    const Call *call = &executor->machine.frames[executor->machine.frame_count].call;
    if (judgement->expectation) {
        describe_expectation(finding, executor, &executor->program->lines[judgement->line]);
        return;
    }
    if (judgement->detail[0]) { /* what was seen was no outcome of the call itself */
        copy_text(finding->expected, clause_get(judgement->clause)->text);
        copy_text(finding->observed, judgement->detail);
        return;
    }
    switch (call->kind) {
    case CALL_CREATE:
    case CALL_REGISTER:
        if (executor->machine.frames[executor->machine.frame_count].diverged)
            describe_calls(finding, executor);
        else describe_result(finding, executor, call, names_known);
        break;
    case CALL_REGISTER_CHANGE:
        if (call->existing) describe_existing(finding, executor);
        else describe_result(finding, executor, call, names_known);
        break;
    default: describe_calls(finding, executor);
    }
}

static void describe_outcome(Finding *finding) {
    const Judgement *judgement = &finding->judgement;
    switch (judgement->verdict) {
    case VERDICT_LEAKS:
        copy_text(finding->expected, "nothing is left when all has been given back");
        copy_text(finding->observed, judgement->detail);
        break;
    case VERDICT_BUGCHECKS:
        copy_text(finding->expected, "no rule of the kernel environment is broken");
        snprintf(finding->observed, FINDING_TEXT, "%s: %s", judgement->kind, judgement->detail);
        break;
    case VERDICT_DEADLOCKS:
    case VERDICT_CRASHES:
    case VERDICT_HANGS:
        copy_text(finding->expected, "the call returns");
        snprintf(finding->observed, FINDING_TEXT, "%s%s%s", judgement->kind,
                 judgement->kind[0] && judgement->detail[0] ? ": " : "", judgement->detail);
        break;
    case VERDICT_DIVERGES:
    case VERDICT_MISUSE: copy_text(finding->observed, judgement->detail); break;
    case VERDICT_CONFORMS:
    case VERDICTS: break;
    }
}

void finding_describe(Finding *finding, const Executor *executor, const Judgement *judgement,
                      bool names_known) {
    finding->judgement = *judgement;
    finding->expected[0] = finding->observed[0] = 0;
    describe_statement(finding, executor);
    if (judgement->verdict == VERDICT_DIVERGES) describe_divergence(finding, executor, names_known);
    else describe_outcome(finding);
}

void finding_describe_death(Finding *finding, const Judgement *judgement) {
    memset(finding, 0, sizeof *finding);
    finding->judgement = *judgement;
    copy_text(finding->statement, "(which one cannot be told)");
    describe_outcome(finding);
}

static void end_text(char text[FINDING_TEXT]) {
    text[FINDING_TEXT - 1] = 0;
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7F) *at = '?';
}

void finding_name_frames(Finding *finding) {
    Judgement *judgement = &finding->judgement;
    end_text(finding->statement);
    end_text(finding->inside);
    end_text(finding->expected);
    end_text(finding->observed);
    if (!verdict_is_finding(judgement->verdict)) return;
    frames_name(&judgement->frames, judgement->where);
    if (!judgement->where[0]) return;
    size_t used = strlen(finding->observed);
    snprintf(finding->observed + used, FINDING_TEXT - used, "%s %s",
             judgement->verdict == VERDICT_LEAKS ? " from" : ", in", judgement->where);
}
