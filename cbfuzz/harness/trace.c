/* The trace: what was observed, line by line, in the words of scripts. */
#include "harness/trace.h"

#include "harness/expectation.h"
#include "program/script.h"

static void indent(const Executor *executor) {
    for (unsigned i = 0; i < executor->level; i++)
        fputs("    ", executor->trace);
}

void trace_call(const Executor *executor) {
    FILE *out = executor->trace;
    indent(executor);
    if (executor->line == NO_LINE) fputs("(giving back)", out);
    else script_print_line(out, executor->program, executor->line);
    fputc('\n', out);
    fflush(out);
}

void trace_print_event(FILE *out, const Event *event) {
    ExpectedCall call = {.routine = event->routine,
                         .context = {VALUE_NUMBER, event->context},
                         .argument1 = expectation_value(event->argument[0]),
                         .argument2 = expectation_value(event->argument[1])};
    script_print_call(out, &call);
}

void trace_enter(const Executor *executor, const Entry *entry) {
    FILE *out = executor->trace;
    Event event = {.routine = entry->routine,
                   .context = entry->context,
                   .argument = {entry->argument[0], entry->argument[1]}};
    indent(executor);
    fputs("  ", out);
    trace_print_event(out, &event);
    fputs(" at ", out);
    script_print_level(out, entry->irql);
    fputc('\n', out);
    fflush(out);
}

void trace_return(const Executor *executor, const Call *call) {
    FILE *out = executor->trace;
    if (call->kind != CALL_CREATE && call->kind != CALL_REGISTER &&
        call->kind != CALL_REGISTER_CHANGE)
        return;
    indent(executor);
    fputs("  -> ", out);
    if (call->kind == CALL_CREATE) script_print_status(out, executor->result.status);
    else fputs(executor->result.pointer ? "handle" : "NULL", out);
    fputc('\n', out);
    fflush(out);
}
