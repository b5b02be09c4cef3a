/* The trace: what was observed, line by line, in the words of scripts. */
#include "harness/trace.h"

#include "harness/expectation.h"
#include "program/script.h"

static void indent(const Executor *executor) {
    for (unsigned i = 0; i < executor->level; i++)
        fputs("    ", executor->trace);
}

enum { OBJECT, REGISTRATION };

/* The number of what has this address; 0: there are more than fit. */
static unsigned number_of(Executor *executor, unsigned type, uint64_t pointer) {
    uint64_t *traced = executor->traced[type];
    uint32_t *count = &executor->traced_count[type];
    for (unsigned i = 0; i < *count; i++)
        if (traced[i] == pointer) return i + 1;
    if (*count == EXECUTOR_TRACED) return 0;
    traced[(*count)++] = pointer;
    return *count;
}

static void print_object(Executor *executor, uint64_t pointer) {
    static const char *const system[] = {"SetSystemTime", "PowerState", "ProcessorAdd"};
    fputs("object ", executor->trace);
    for (unsigned i = 0; i < 3; i++) {
        if (executor->machine.objects[i].pointer != pointer) continue;
        fputs(system[i], executor->trace);
        return;
    }
    fprintf(executor->trace, "%u", number_of(executor, OBJECT, pointer));
}

/* What the harness does by itself, where there is no line of the program. */
static void print_giving_back(Executor *executor, const Call *call) {
    FILE *out = executor->trace;
    fputs("(giving back)", out);
    if (call->kind == CALL_IRQL) {
        fputs(" irql ", out);
        script_print_level(out, call->level);
    } else if (call->kind == CALL_UNREGISTER || call->kind == CALL_DEREGISTER_CHANGE) {
        fprintf(out, " %s registration %u",
                call->kind == CALL_UNREGISTER ? "unregister" : "deregister_processor_change",
                number_of(executor, REGISTRATION,
                          executor->machine.registrations[call->registration].handle));
    } else {
        fputs(call->kind == CALL_DEREFERENCE ? " dereference " : " make_temporary ", out);
        print_object(executor, executor->machine.objects[call->object].pointer);
    }
}

void trace_call(Executor *executor, const Call *call) {
    FILE *out = executor->trace;
    indent(executor);
    if (executor->line == NO_LINE) print_giving_back(executor, call);
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

static void note(const Executor *executor, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    indent(executor);
    fputs("  (", executor->trace);
    vfprintf(executor->trace, format, arguments);
    fputs(")\n", executor->trace);
    fflush(executor->trace);
    va_end(arguments);
}

static void print_result(Executor *executor, const Call *call) {
    FILE *out = executor->trace;
    const Return *result = &executor->result;
    indent(executor);
    fputs("  -> ", out);
    if (call->kind == CALL_CREATE) script_print_status(out, result->status);
    else fputs(result->pointer ? "handle" : "NULL", out);
    if (result->pointer && call->kind == CALL_CREATE) {
        fputs(", ", out);
        print_object(executor, result->pointer);
    } else if (result->pointer) {
        fprintf(out, ", registration %u", number_of(executor, REGISTRATION, result->pointer));
    }
    fputc('\n', out);
    fflush(out);
}

void trace_return(Executor *executor, const Call *call) {
    if (executor->result.allocation_failed) note(executor, "an allocation failed");
    if (call->kind == CALL_CREATE || call->kind == CALL_REGISTER ||
        call->kind == CALL_REGISTER_CHANGE)
        print_result(executor, call);
    if (executor->result.input_changed) note(executor, "the attributes or the name were changed");
}

void trace_gone(Executor *executor, uint64_t pointer) {
    indent(executor);
    fputs("  (", executor->trace);
    print_object(executor, pointer);
    fputs(" is freed)\n", executor->trace);
    fflush(executor->trace);
}

void trace_abort(const Executor *executor, Verdict verdict) {
    note(executor, "%s", verdict_name(verdict));
}

void trace_died(FILE *trace, Verdict verdict) {
    fprintf(trace, "  (%s)\n", verdict_name(verdict));
    fflush(trace);
}

void trace_left(const Executor *executor, bool leaked) {
    note(executor, leaked ? "something is left" : "nothing is left");
}
