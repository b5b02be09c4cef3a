/* The actor that calls the implementation under test. */
#define _GNU_SOURCE
#include "harness/real.h"

#include <sanitizer/allocator_interface.h>
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness/guard.h"
#include "nt/nt.h"

#define UNMAPPED UINT64_C(0xDDDDDDDDDDDDDDDD)

enum {
    NAME_UNITS = 32768,
    RED_ZONE_UNITS = 32,
    STACK_MOST = 8 << 20,
    HEAP_KEPT = 64 << 20 /* by one program; programs take kilobytes */
};

static Executor *executor; /* whose calls are being made */
static Implementation *implementation;
static uint32_t failed_before; /* injected failures before the call */
static NtThreadState state;    /* of the thread, while we run and not the implementation */
static bool backwards;         /* it has returned with the direction flag set */

/* The caller's memory that holds a name during create, and not a byte more. */
static _Alignas(16) uint16_t name_memory[NAME_UNITS + RED_ZONE_UNITS];

/* Where set_status writes: Argument2 of the routine that runs. */
static PVOID status_place;

/* The stack below this address is the implementation's, while it runs: readable. A system thread
 * has another one, far away. */
static const char *stack_base;

bool real_read(void *to, const void *from, size_t size) {
    char here;
    if ((const char *)from > &here && (const char *)from + size <= stack_base &&
        stack_base - &here < STACK_MOST) {
        memcpy(to, from, size);
        return true;
    }
    struct iovec local = {to, size}, remote = {(void *)from, size};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static SpecValue read_context(const void *pointer) {
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT context;
    if (!real_read(&context, pointer, sizeof context) || (unsigned)context.State > 2)
        return (SpecValue){.kind = SPEC_WILD};
    return (SpecValue){
        .kind = SPEC_CONTEXT, .stage = (uint8_t)context.State, .number = context.NtNumber};
}

static SpecValue read_status(const void *pointer) {
    NTSTATUS status;
    if (!real_read(&status, pointer, sizeof status)) return (SpecValue){.kind = SPEC_WILD};
    return (SpecValue){.kind = SPEC_STATUS, .number = (uint32_t)status};
}

static void leave(void *the_executor) {
    longjmp(((Executor *)the_executor)->leave, 1);
}

static void give_up(Executor *the_executor) {
    nt_leave(leave, the_executor); /* from a system thread perhaps */
}

/* By the convention for calls it is clear: set, all that copies memory goes backwards. */
static void left_direction(const char *text) {
    executor_abort(executor, ABORT_CRASH, nt_failed_allocations() != failed_before,
                   "direction-flag", text);
    give_up(executor);
}

static void routine_called(uint8_t routine, PVOID context, PVOID argument1, PVOID argument2) {
    guard_inside = false;
    if (!guard_direction()) left_direction("a routine was called with the direction flag set");
    state = nt_thread_state();
    Entry entry = {.routine = routine,
                   .irql = state.irql,
                   .context = (uint64_t)(uintptr_t)context,
                   .argument = {{.kind = SPEC_NUMBER, .number = (uint64_t)(uintptr_t)argument1},
                                {.kind = SPEC_NUMBER, .number = (uint64_t)(uintptr_t)argument2}}};
    const Machine *machine = &executor->machine;
    CallKind kind =
        machine->frame_count ? machine->frames[machine->frame_count - 1].call.kind : CALL_KINDS;
    PVOID place = status_place;
    if (kind == CALL_PROCESSOR_STAGE || kind == CALL_REGISTER_CHANGE) {
        entry.argument[0] = read_context(argument1);
        entry.argument[1] = read_status(argument2);
        status_place = entry.argument[1].kind == SPEC_STATUS ? argument2 : NULL;
    }
    executor_enter(executor, &entry);
    status_place = place;
    guard_inside = true;
}

#define ROUTINE(n)                                                                                 \
    static VOID NTAPI routine_##n(PVOID context, PVOID argument1, PVOID argument2) {               \
        routine_called(n, context, argument1, argument2);                                          \
    }
ROUTINE(1)
ROUTINE(2)
ROUTINE(3)
ROUTINE(4)
ROUTINE(5)
ROUTINE(6)
ROUTINE(7)
ROUTINE(8)
ROUTINE(9)
ROUTINE(10)
ROUTINE(11)
ROUTINE(12)
ROUTINE(13)
ROUTINE(14)
ROUTINE(15)
ROUTINE(16)

static const PCALLBACK_FUNCTION routines[PROGRAM_ROUTINES + 1] = {
    NULL,       routine_1,  routine_2,  routine_3,  routine_4,  routine_5,
    routine_6,  routine_7,  routine_8,  routine_9,  routine_10, routine_11,
    routine_12, routine_13, routine_14, routine_15, routine_16};

static bool same_name(const UNICODE_STRING *a, const UNICODE_STRING *b) {
    return a->Buffer == b->Buffer && a->Length == b->Length && a->MaximumLength == b->MaximumLength;
}

static bool same_attributes(const OBJECT_ATTRIBUTES *a, const OBJECT_ATTRIBUTES *b) {
    return a->Length == b->Length && a->RootDirectory == b->RootDirectory &&
           a->ObjectName == b->ObjectName && a->Attributes == b->Attributes &&
           a->SecurityDescriptor == b->SecurityDescriptor &&
           a->SecurityQualityOfService == b->SecurityQualityOfService;
}

static void create(const Call *call, Return *result) {
    /* The caller's: nothing of it is worth anything after the call. */
    static UNICODE_STRING name;
    static OBJECT_ATTRIBUTES attributes;
    const uint16_t *given = call->name.units;
    unsigned length = call->name.length;
    /* It ends where the red zone begins, so that nothing is poisoned anew for each call. */
    uint16_t *units = name_memory + NAME_UNITS - length;
    ULONG flags = (call->case_insensitive ? OBJ_CASE_INSENSITIVE : 0) |
                  (call->permanent ? OBJ_PERMANENT : 0) | (call->openif ? OBJ_OPENIF : 0) |
                  (call->exclusive ? OBJ_EXCLUSIVE : 0) |
                  (call->kernel_handle ? OBJ_KERNEL_HANDLE : 0);
    if (call->name.present) {
        for (unsigned i = 0; i < length; i++)
            units[i] = given[i];
        name.Buffer = (PWCH)units;
        name.Length = name.MaximumLength = (USHORT)(length * sizeof *units);
    }
    InitializeObjectAttributes(&attributes, call->name.present ? &name : NULL, flags, NULL, NULL);
    UNICODE_STRING name_before = name;
    OBJECT_ATTRIBUTES before = attributes;
    PCALLBACK_OBJECT object = NULL;
    NTSTATUS status = implementation->create(&object, &attributes, call->create, call->multiple);
    backwards |= !guard_direction();
    result->input_changed = !same_attributes(&attributes, &before) ||
                            !same_name(&name, &name_before) ||
                            memcmp(units, given, length * sizeof *units) != 0;
    /* The caller's name ends with the call: whoever kept its address will see. */
    for (unsigned i = 0; i < length; i++)
        units[i] = 0xDDDD;
    name.Buffer = (PWCH)UNMAPPED;
    attributes.ObjectName = (PUNICODE_STRING)UNMAPPED;
    result->status = (uint32_t)status;
    result->pointer = status == STATUS_SUCCESS ? (uint64_t)(uintptr_t)object : 0;
}

static void announce(const Call *call, Return *result) {
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT context;
    memset(&context, 0, sizeof context);
    context.State = (KE_PROCESSOR_CHANGE_NOTIFY_STATE)call->stage;
    context.NtNumber = call->processor;
    context.Status = (NTSTATUS)call->status;
    context.ProcNumber.Number = (UCHAR)call->processor;
    NTSTATUS status = STATUS_SUCCESS;
    if (implementation->system[2])
        implementation->notify(implementation->system[2], &context, &status);
    if (implementation->notify_change) implementation->notify_change(&context, &status);
    result->status = (uint32_t)status;
}

static PVOID object_address(const Call *call) {
    return call->object == NO_ID
               ? NULL
               : (PVOID)(uintptr_t)executor->machine.objects[call->object].pointer;
}

static PVOID handle_address(const Call *call) {
    return call->registration == NO_ID
               ? NULL
               : (PVOID)(uintptr_t)executor->machine.registrations[call->registration].handle;
}

static PVOID number(uint64_t value) {
    return (PVOID)(uintptr_t)value;
}

static void call_implementation(const Call *call, Return *result) {
    switch (call->kind) {
    case CALL_CREATE: create(call, result); break;
    case CALL_REGISTER:
        result->pointer = (uint64_t)(uintptr_t)implementation->register_callback(
            object_address(call), routines[call->routine], number(call->context));
        break;
    case CALL_NOTIFY:
        implementation->notify(object_address(call), number(call->argument[0]),
                               number(call->argument[1]));
        break;
    case CALL_UNREGISTER: implementation->unregister(handle_address(call)); break;
    case CALL_REFERENCE: implementation->reference(object_address(call)); break;
    case CALL_DEREFERENCE: implementation->dereference(object_address(call)); break;
    case CALL_MAKE_TEMPORARY: implementation->make_temporary(object_address(call)); break;
    case CALL_SET_SYSTEM_TIME:
        if (implementation->system[0])
            implementation->notify(implementation->system[0], NULL, NULL);
        break;
    case CALL_POWER_STATE:
        if (implementation->system[1])
            implementation->notify(implementation->system[1], number(call->argument[0]),
                                   number(call->argument[1]));
        break;
    case CALL_PROCESSOR_STAGE: announce(call, result); break;
    case CALL_REGISTER_CHANGE:
        result->pointer = (uint64_t)(uintptr_t)implementation->register_change(
            (PPROCESSOR_CALLBACK_FUNCTION)(void *)routines[call->routine], number(call->context),
            call->existing ? KE_PROCESSOR_CHANGE_ADD_EXISTING : 0);
        break;
    case CALL_DEREGISTER_CHANGE: implementation->deregister_change(handle_address(call)); break;
    case CALL_IRQL:
    case CALL_SET_STATUS:
    case CALL_KINDS: break;
    }
}

static void state_changed(const char *rule, const char *text) {
    guard_inside = false;
    executor_abort(executor, ABORT_STATE, nt_failed_allocations() != failed_before, rule, text);
    give_up(executor);
}

/* A routine leaves the thread as it found it. */
static void compare_state(NtThreadState before, NtThreadState after) {
    if (before.irql != after.irql)
        state_changed("IrqlChanged", "the call returned at another IRQL");
    if (before.spin_locks != after.spin_locks || before.mutexes != after.mutexes)
        state_changed("LockHeld", "the call returned with a lock held that it took");
    if (before.critical != after.critical || before.guarded != after.guarded)
        state_changed("RegionEntered", "the call returned inside a critical or guarded region");
}

/* Do routines run for such a call? It has to wait for them itself, if others run them. */
static bool calls_routines(CallKind kind) {
    return kind != CALL_UNREGISTER && kind != CALL_DEREFERENCE && kind != CALL_MAKE_TEMPORARY &&
           kind != CALL_DEREGISTER_CHANGE;
}

static void real_call(Executor *the_executor, const Call *call, Return *result) {
    (void)the_executor;
    if (call->kind == CALL_IRQL) {
        nt_set_irql(call->level);
        state.irql = call->level;
        return;
    }
    if (call->kind == CALL_SET_STATUS) {
        if (status_place) *(NTSTATUS *)status_place = (NTSTATUS)call->status;
        return;
    }
    NtThreadState before = state;
    unsigned level = the_executor->level;
    const char *outer_base = stack_base;
    stack_base = __builtin_frame_address(0);
    failed_before = the_executor->short_of_memory ? nt_failed_allocations() : 0;
    uint32_t failed = failed_before;
    guard_inside = true;
    call_implementation(call, result);
    backwards |= !guard_direction();
    if (!calls_routines(call->kind)) nt_settle(false); /* what it left to system threads */
    guard_inside = false;
    stack_base = outer_base;
    if (backwards) left_direction("the call returned with the direction flag set");
    if (the_executor->level != level)
        state_changed("RoutineRuns", "the call returned while a routine ran on a system thread, "
                                     "or was left by a jump");
    result->allocation_failed = the_executor->short_of_memory && nt_failed_allocations() != failed;
    state = nt_thread_state();
    compare_state(before, state);
}

const void *const real_boundary = (const void *)real_call;

static void on_stop(const NtStop *stop) {
    guard_inside = false;
    guard_direction();
    bool deadlock = stop->kind == NT_STOP_DEADLOCK;
    bool reference =
        !strcmp(stop->rule, "ObjectOverDereference") || !strcmp(stop->rule, "ObjectUseAfterDelete");
    executor->judgement->frames.offsets[0] = frames_offset((const char *)stop->site - 1);
    executor_abort(executor,
                   deadlock    ? ABORT_DEADLOCK
                   : reference ? ABORT_REFERENCE
                               : ABORT_BUGCHECK,
                   nt_failed_allocations() != failed_before, deadlock ? "" : stop->rule,
                   stop->text);
    give_up(executor);
}

static void fail_allocation(Executor *the_executor, uint32_t nth) {
    (void)the_executor;
    nt_fail_allocation(nth);
}

static int object_there(Executor *the_executor, uint64_t pointer) {
    (void)the_executor;
    switch (nt_memory_at((const void *)(uintptr_t)pointer)) {
    case NT_MEMORY_LIVE: return 1;
    case NT_MEMORY_FREED: return 0;
    case NT_MEMORY_FOREIGN: break;
    }
    return -1;
}

static void processor_started(Executor *the_executor) {
    (void)the_executor;
    nt_processor_started();
}

/* What an implementation keeps of the host's heap is lost with the program, for its globals
 * are put back. Some is its own business; so much is memory that it cannot free any more. */
static size_t heap_before;

static bool heap_has_grown(void) {
    size_t before = heap_before;
    heap_before = __sanitizer_get_current_allocated_bytes();
    return heap_before > before + HEAP_KEPT;
}

static bool leaked(Executor *the_executor, char *kind, size_t kind_size, char *detail,
                   size_t detail_size) {
    if (heap_has_grown()) {
        snprintf(kind, kind_size, "heap");
        snprintf(detail, detail_size, "more than %d MiB of the host's heap", HEAP_KEPT >> 20);
        return true;
    }
    if (nt_live_allocations() == 0) return false;
    guard_inside = true;
    nt_settle(true); /* what was left to system threads and timers may still free it */
    guard_inside = false;
    uint32_t live = nt_live_allocations();
    if (!live) return false;
    NtLeak leaks[4];
    size_t count = nt_leaks(leaks, 4), used = 0;
    snprintf(kind, kind_size, "%s", count && leaks[0].is_object ? "object" : "pool");
    used += (size_t)snprintf(detail, detail_size, "%u left:", live);
    for (size_t i = 0; i < count && used < detail_size; i++) {
        char tag[5];
        for (unsigned c = 0; c < 5; c++)
            tag[c] = leaks[i].tag[c] >= 0x20 && leaks[i].tag[c] < 0x7F ? leaks[i].tag[c] : 0;
        used += (size_t)snprintf(detail + used, detail_size - used, "%s %s '%s' of %zu bytes",
                                 i ? "," : "", leaks[i].is_object ? "object" : "pool", tag,
                                 leaks[i].size);
    }
    if (count)
        the_executor->judgement->frames.offsets[0] = frames_offset((const char *)leaks[0].site - 1);
    return true;
}

static const Actor actor = {.call = real_call,
                            .abandon = give_up,
                            .fail_allocation = fail_allocation,
                            .object_there = object_there,
                            .processor_started = processor_started,
                            .leaked = leaked};

void real_attach(Executor *the_executor, Implementation *the_implementation) {
    executor = the_executor;
    implementation = the_implementation;
    the_executor->actor = &actor;
    nt_set_stop_handler(on_stop);
    heap_before = __sanitizer_get_current_allocated_bytes();
    __asan_poison_memory_region(name_memory + NAME_UNITS, RED_ZONE_UNITS * sizeof name_memory[0]);
}

static Start rewind_to_start(bool windows, Readings readings) {
    Start start = {.windows = windows, .readings = readings};
    implementation_rewind(implementation);
    state = nt_thread_state();
    status_place = NULL;
    stack_base = NULL;
    backwards = false;
    failed_before = 0;
    for (unsigned i = 0; i < 3; i++)
        start.system[i] = (uint64_t)(uintptr_t)implementation->system[i];
    start.processors = nt_active_processors();
    /* Whether there is a ProcessorAdd was seen at the boot: Windows has one. */
    for (unsigned i = 0; i < (windows ? 3 : 2); i++)
        if (!start.system[i]) start.system[i] = SPEC_MISSING;
    if (!windows)
        start.readings.answers[QUESTION_PROCESSOR_ADD] = implementation->system[2] ? 1 : 2;
    return start;
}

void real_run(Executor *the_executor, const Program *program, bool windows, Readings readings,
              Judgement *judgement) {
    heap_before = __sanitizer_get_current_allocated_bytes(); /* reading a program takes some, too */
    Start start = rewind_to_start(windows, readings);
    executor_run(the_executor, program, &start, judgement);
}

void real_drive(Executor *the_executor, const Program *program, bool windows, Readings readings,
                Judgement *judgement, void (*drive)(void *context), void *context) {
    Start start = rewind_to_start(windows, readings);
    executor_drive(the_executor, program, &start, judgement, drive, context);
}
