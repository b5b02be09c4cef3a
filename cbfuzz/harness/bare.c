/* Runs programs on the implementation alone: no machine, no trace, no judging. */
#include "harness/bare.h"

#include <string.h>

#include "harness/executor.h"
#include "nt/nt.h"
#include "program/dictionary.h"

enum { HELD = 8192 /* registrations and references of one program */ };

static Implementation *implementation;
static const Program *program;
static PVOID binding[EXECUTOR_BINDINGS];
static PVOID registered[HELD], references[HELD];
static uint8_t is_change[HELD];
static unsigned registered_count, reference_count;
static unsigned level, calls;
static const KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT *announced;
static bool announces; /* the call in progress, if any: what routines get is a processor's event */
static PVOID status_place;

static void run_line(const Line *line);

static void routine_called(uint8_t routine, PVOID argument1, PVOID argument2) {
    uint32_t body = program->body_at[routine];
    PVOID place = status_place, context = (PVOID)announced;
    status_place = argument2;
    announced = argument1;
    if (body && ++level < EXECUTOR_LEVELS && calls < EXECUTOR_CALLS)
        for (const Line *line = &program->lines[body - 1]; line->kind != LINE_END; line++)
            run_line(line);
    if (body) level--;
    status_place = place;
    announced = context;
}

#define ROUTINE(n)                                                                                 \
    static VOID NTAPI routine_##n(PVOID context, PVOID argument1, PVOID argument2) {               \
        (void)context;                                                                             \
        routine_called(n, argument1, argument2);                                                   \
    }
ROUTINE(1)
ROUTINE(2)
ROUTINE(3)
ROUTINE(4)
ROUTINE(5)
ROUTINE(6)
ROUTINE(7)
ROUTINE(8)

static const PCALLBACK_FUNCTION routines[] = {NULL,      routine_1, routine_2, routine_3, routine_4,
                                              routine_5, routine_6, routine_7, routine_8};

static void keep(PVOID *list, unsigned *count, PVOID what) {
    if (*count < HELD) list[(*count)++] = what;
}

static void forget(PVOID *list, unsigned *count, PVOID what) {
    for (unsigned i = *count; i-- > 0;)
        if (list[i] == what) {
            list[i] = list[--*count];
            if (list == registered) is_change[i] = is_change[*count];
            return;
        }
}

static void create(const Line *line) {
    UNICODE_STRING name = {line->name_length * 2, line->name_length * 2,
                           (PWCH)(line->name_at < dictionary_unit_count
                                      ? dictionary_units + line->name_at
                                      : program->units + line->name_at)};
    OBJECT_ATTRIBUTES attributes;
    ULONG flags = (line->flags & FLAG_CASE_INSENSITIVE ? OBJ_CASE_INSENSITIVE : 0) |
                  (line->flags & FLAG_PERMANENT ? OBJ_PERMANENT : 0) |
                  (line->flags & FLAG_OPENIF ? OBJ_OPENIF : 0) |
                  (line->flags & FLAG_EXCLUSIVE ? OBJ_EXCLUSIVE : 0) |
                  (line->flags & FLAG_KERNEL_HANDLE ? OBJ_KERNEL_HANDLE : 0);
    InitializeObjectAttributes(&attributes, line->flags & FLAG_UNNAMED ? NULL : &name, flags, NULL,
                               NULL);
    PCALLBACK_OBJECT object = NULL;
    NTSTATUS status = implementation->create(&object, &attributes, line->kind == LINE_CREATE,
                                             (line->flags & FLAG_MULTIPLE) != 0);
    binding[line->result] = status == STATUS_SUCCESS ? object : NULL;
    if (status != STATUS_SUCCESS) return;
    keep(references, &reference_count, object);
}

static void announce(KE_PROCESSOR_CHANGE_NOTIFY_STATE state, NTSTATUS *status) {
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT context;
    memset(&context, 0, sizeof context);
    context.State = state;
    context.NtNumber = nt_active_processors();
    context.Status = *status;
    if (implementation->system[2])
        implementation->notify(implementation->system[2], &context, status);
    if (implementation->notify_change) implementation->notify_change(&context, status);
}

static void add_processor(bool fails) {
    NTSTATUS status = STATUS_SUCCESS;
    announce(KeProcessorAddStartNotify, &status);
    if (fails && !status) status = STATUS_UNSUCCESSFUL;
    if (!status) nt_processor_started();
    announce(status ? KeProcessorAddFailureNotify : KeProcessorAddCompleteNotify, &status);
}

static void enlist(const Line *line, PVOID handle, bool change) {
    binding[line->result] = handle;
    if (!handle || registered_count == HELD) return;
    is_change[registered_count] = change;
    registered[registered_count++] = handle;
}

static PVOID number(uint64_t value) {
    return (PVOID)(uintptr_t)value;
}

static void run_line(const Line *line) {
    PVOID operand = line->operand == NO_VARIABLE ? NULL : binding[line->operand];
    bool starting = announces && announced->State == KeProcessorAddStartNotify;
    bool before = announces;
    announces = line->kind == LINE_ADD_PROCESSOR || line->kind == LINE_REGISTER_PROCESSOR_CHANGE;
    calls++;
    switch ((LineKind)line->kind) {
    case LINE_CREATE:
    case LINE_OPEN: create(line); break;
    case LINE_REGISTER:
        enlist(line,
               implementation->register_callback(operand, routines[line->routine],
                                                 number(line->number[0])),
               false);
        break;
    case LINE_REGISTER_PROCESSOR_CHANGE:
        enlist(line,
               implementation->register_change(
                   (PPROCESSOR_CALLBACK_FUNCTION)(void *)routines[line->routine],
                   number(line->number[0]), line->flags & FLAG_ADD_EXISTING ? 1 : 0),
               true);
        break;
    case LINE_NOTIFY:
        implementation->notify(operand, number(line->number[0]), number(line->number[1]));
        break;
    case LINE_UNREGISTER:
        implementation->unregister(operand);
        forget(registered, &registered_count, operand);
        break;
    case LINE_DEREGISTER_PROCESSOR_CHANGE:
        implementation->deregister_change(operand);
        forget(registered, &registered_count, operand);
        break;
    case LINE_REFERENCE:
        implementation->reference(operand);
        keep(references, &reference_count, operand);
        break;
    case LINE_DEREFERENCE:
        implementation->dereference(operand);
        forget(references, &reference_count, operand);
        break;
    case LINE_MAKE_TEMPORARY: implementation->make_temporary(operand); break;
    case LINE_IRQL: nt_set_irql((uint8_t)line->number[0]); break;
    case LINE_SET_SYSTEM_TIME: implementation->notify(implementation->system[0], NULL, NULL); break;
    case LINE_POWER_STATE:
        implementation->notify(implementation->system[1], number(line->number[0]),
                               number(line->number[1]));
        break;
    case LINE_ADD_PROCESSOR: add_processor(line->flags & FLAG_FAILS); break;
    case LINE_FAIL_ALLOCATION: nt_fail_allocation((uint32_t)line->number[0]); break;
    case LINE_SET_STATUS:
        if (starting && (!line->number[1] || announced->NtNumber + 1 == line->number[1]))
            *(NTSTATUS *)status_place = (NTSTATUS)line->number[0];
        break;
    default: calls--; break;
    }
    announces = before;
}

static void give_back(void) {
    nt_fail_allocation(0);
    nt_set_irql(PASSIVE_LEVEL);
    for (unsigned i = 0; i < registered_count; i++)
        if (is_change[i]) implementation->deregister_change(registered[i]);
        else implementation->unregister(registered[i]);
    for (unsigned i = 0; i < reference_count; i++)
        implementation->dereference(references[i]);
}

void bare_run(Implementation *the_implementation, const Program *the_program) {
    implementation = the_implementation;
    program = the_program;
    registered_count = reference_count = 0;
    level = calls = 0;
    status_place = NULL;
    announces = false;
    memset(binding, 0, program->variable_count * sizeof binding[0]);
    implementation_rewind(implementation);
    for (uint32_t i = 0; i < program->line_count; i++) {
        const Line *line = &program->lines[i];
        if (line->kind == LINE_ROUTINE) i = program_block_end(program, i) - 1;
        else if (line_info[line->kind].class == CLASS_CALL) run_line(line);
    }
    give_back();
}
