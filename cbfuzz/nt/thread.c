/* Threads: who runs, who waits, whose turn it is. One runs at a time, until it waits, ends or
 * yields; the next one is the first in the queue, so every run of a program is the same.
 *
 * The first thread is the program's. When nobody can go on, and no time-out or timer is
 * due, its wait never ends: it is told so. Others wait quietly for ever.
 */
#include <stdlib.h>

#include "fiber.h"
#include "internal.h"

/* Half of the stacks are for work items: those that have none wait for one. */
enum { MOST_THREADS = NT_FIBERS / 2 };

struct _KTHREAD *nt_current_thread;
static struct _KTHREAD *ended; /* who ran before, and is to be cleared away */

/* What the first thread does as soon as it runs again. */
static void (*leave)(void *context);
static void *leave_context;

static bool is_first(void) {
    return nt_current_thread == nt_state.first_thread;
}

/* After each switch, on the stack that goes on. */
static void arrive(void) {
    if (leave != NULL && is_first()) {
        void (*now)(void *) = leave;
        leave = NULL;
        now(leave_context);
    }
    if (ended != NULL) {
        struct _KTHREAD *thread = ended;
        ended = NULL;
        nt_fiber_give(thread->fiber);
        nt_object_dereference(nt_pool_attached(thread));
    }
}

void nt_leave(void (*the_leave)(void *context), void *context) {
    struct _KTHREAD *first = nt_state.first_thread, *self = nt_current_thread;
    nt_queue_remove(&nt_state.waiting, first);
    nt_queue_remove(&nt_state.ready, first);
    first->waits = WAIT_NOTHING;
    first->in_dpc = false;
    nt_current_thread = first;
    leave = the_leave;
    leave_context = context;
    if (self != first) nt_fiber_switch(self->fiber, first->fiber);
    arrive();
    abort(); /* it left */
}

/* Never returns. The compiler is not told: the sanitizer would ask the system about each end. */
static void end_thread(const char *routine, const void *site);

static void run(void) {
    arrive();
    nt_dpc_deliver();
    struct _KTHREAD *thread = nt_current_thread;
    thread->start(thread->context);
    end_thread("PsCreateSystemThread", (const void *)thread->start);
}

static bool has_stack(struct _KTHREAD *thread) {
    if (thread->fiber == NULL) thread->fiber = nt_fiber_take(run);
    return thread->fiber != NULL;
}

/* The first of those with the highest priority; NULL when nobody can go on. */
static struct _KTHREAD *take_ready(void) {
    int best = -1;
    for (uint32_t i = 0; i < nt_state.ready.count; i++) {
        struct _KTHREAD *thread = nt_state.ready.items[i];
        if (best >= 0 &&
            thread->priority <= ((struct _KTHREAD *)nt_state.ready.items[best])->priority)
            continue;
        if (has_stack(thread)) best = (int)i;
    }
    return best < 0 ? NULL : nt_queue_take(&nt_state.ready, (uint32_t)best);
}

static void switch_to(struct _KTHREAD *next) {
    struct _KTHREAD *self = nt_current_thread;
    nt_current_thread = next;
    if (next != self) nt_fiber_switch(self->fiber, next->fiber);
    arrive();
}

/* Ends the turn of the current thread, which waits or has ended. */
static void schedule(void) {
    struct _KTHREAD *next;
    while ((next = take_ready()) == NULL) {
        if (nt_dpc_delegate() || nt_time_advance()) continue;
        nt_state.first_thread->never = true;
        nt_make_ready(nt_state.first_thread, STATUS_SUCCESS);
    }
    switch_to(next);
}

void nt_make_ready(struct _KTHREAD *thread, NTSTATUS status) {
    nt_queue_remove(&nt_state.waiting, thread);
    thread->waits = WAIT_NOTHING;
    thread->wait_count = 0;
    thread->wait_status = status;
    nt_queue_add(&nt_state.ready, thread);
}

/* False: the wait never ends. What has been deferred comes last: it may wait as well. */
static bool wait(NtWaitKind kind, int64_t until, NTSTATUS *status) {
    struct _KTHREAD *self = nt_current_thread;
    self->waits = (uint8_t)kind;
    self->wait_until = until;
    if (until != NT_NEVER) nt_time_due(until);
    if (!nt_queue_add(&nt_state.waiting, self)) return false;
    schedule();
    bool never = self->never;
    self->never = false;
    *status = self->wait_status;
    nt_dpc_deliver();
    return !never;
}

bool nt_wait_for_lock(const volatile void *lock) {
    nt_current_thread->wait_lock = (PVOID)lock;
    NTSTATUS status;
    return wait(WAIT_LOCK, NT_NEVER, &status);
}

void nt_wake_slowly(const volatile void *lock) {
    for (uint32_t i = 0; i < nt_state.waiting.count;) {
        struct _KTHREAD *thread = nt_state.waiting.items[i];
        if (thread->waits == WAIT_LOCK && thread->wait_lock == lock)
            nt_make_ready(thread, STATUS_SUCCESS);
        else i++;
    }
}

bool nt_wait_for_objects(uint32_t count, PVOID *objects, NtWaitKind kind, int64_t until,
                         NTSTATUS *status) {
    nt_current_thread->wait_count = count;
    nt_current_thread->wait_objects = objects;
    return wait(kind, until, status);
}

/* Ends the wait of a thread if the object that has just been signalled allows it. */
static bool satisfy(struct _KTHREAD *thread, const DISPATCHER_HEADER *header) {
    uint32_t at = 0, signalled = 0;
    if (thread->waits != WAIT_ANY_OF && thread->waits != WAIT_ALL_OF) return false;
    for (at = 0; at < thread->wait_count && thread->wait_objects[at] != header; at++)
        continue;
    if (at == thread->wait_count) return false;
    if (thread->waits == WAIT_ANY_OF) {
        nt_consume(thread->wait_objects[at], thread, NULL);
        nt_make_ready(thread, STATUS_WAIT_0 + (NTSTATUS)at);
        return true;
    }
    for (uint32_t i = 0; i < thread->wait_count; i++)
        signalled += nt_is_signalled(thread->wait_objects[i], thread);
    if (signalled != thread->wait_count) return false;
    for (uint32_t i = 0; i < thread->wait_count; i++)
        nt_consume(thread->wait_objects[i], thread, NULL);
    nt_make_ready(thread, STATUS_SUCCESS);
    return true;
}

void nt_signal_slowly(DISPATCHER_HEADER *header) {
    for (uint32_t i = 0; i < nt_state.waiting.count && header->SignalState > 0;)
        if (!satisfy(nt_state.waiting.items[i], header)) i++;
}

/* Also to threads of lower priority, as if each had a processor: the current one may spin until
 * they have done something. */
void nt_yield(void) {
    nt_time_pass(nt_state.time + NT_STEP);
    struct _KTHREAD *next = take_ready();
    if (next == NULL) return;
    nt_queue_add(&nt_state.ready, nt_current_thread);
    switch_to(next);
    nt_dpc_deliver();
}

void nt_settle(bool let_time_pass) {
    enum { TURNS = 4096, SECONDS = 60 };
    int64_t end = nt_state.time + SECONDS * INT64_C(10000000);
    for (int turn = 0; turn < TURNS && nt_state.queued != 0; turn++) {
        if (nt_state.ready.count != 0) nt_yield();
        else if (!let_time_pass || nt_state.next_due > end || !nt_time_advance()) break;
        else nt_dpc_deliver();
    }
}

/* ---- system threads ---- */

static struct _KTHREAD *make(PKSTART_ROUTINE start, PVOID context, const void *site) {
    NtObject *object = nt_object_create(nt_state.thread_type, sizeof(struct _KTHREAD), true, site);
    if (object == NULL) return NULL;
    struct _KTHREAD *thread = object->body;
    *thread = (struct _KTHREAD){.start = start, .context = context, .priority = 8};
    nt_dispatcher_initialize(&thread->header, TYPE_THREAD, sizeof(*thread), 0);
    thread->id = nt_state.last_id += 4;
    return thread;
}

struct _KTHREAD *nt_thread_create(PKSTART_ROUTINE start, PVOID context, const void *site) {
    struct _KTHREAD *thread = make(start, context, site);
    if (thread != NULL && !nt_queue_add(&nt_state.ready, thread)) return NULL;
    return thread;
}

bool nt_thread_boot(void) {
    OBJECT_TYPE_INITIALIZER info = {.Length = sizeof(info), .PoolType = NonPagedPool};
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"Thread");
    static struct _KTHREAD nobody; /* makes the first thread */
    nt_current_thread = &nobody;
    if (!NT_SUCCESS(ObCreateObjectType(&name, &info, NULL, &nt_state.thread_type))) return false;
    RtlInitUnicodeString(&name, L"Process");
    if (!NT_SUCCESS(ObCreateObjectType(&name, &info, NULL, &nt_state.process_type))) return false;
    NtObject *process =
        nt_object_create(nt_state.process_type, sizeof(DISPATCHER_HEADER), true, NULL);
    struct _KTHREAD *first = make(NULL, NULL, NULL);
    if (process == NULL || first == NULL) return false;
    nt_dispatcher_initialize(process->body, TYPE_PROCESS, sizeof(DISPATCHER_HEADER), 0);
    first->fiber = nt_fiber_first();
    nt_state.process = process->body;
    nt_state.first_thread = nt_current_thread = first;
    return true;
}

void nt_thread_rewind(void) {
    nt_current_thread = nt_state.first_thread;
    ended = NULL;
    leave = NULL;
}

POBJECT_TYPE *PsThreadType = &nt_state.thread_type;
POBJECT_TYPE *PsProcessType = &nt_state.process_type;

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
                              POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
                              PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                              PVOID StartContext) {
    NT_IRQL_MAX(PASSIVE_LEVEL, NtRuleIrqlPsPassive);
    NT_SWITCH(NT_POINT_THREAD, NULL);
    (void)ProcessHandle;
    ULONG attributes = ObjectAttributes == NULL ? 0 : ObjectAttributes->Attributes;
    *ThreadHandle = NULL;
    if (ObjectAttributes != NULL) {
        NTSTATUS status = nt_check_attributes(ObjectAttributes);
        if (!NT_SUCCESS(status)) return status;
    }
    if (nt_state.system_threads == MOST_THREADS) return STATUS_INSUFFICIENT_RESOURCES;
    struct _KTHREAD *thread = nt_thread_create(StartRoutine, StartContext, NT_SITE);
    if (thread == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    thread->counted = true;
    nt_state.system_threads++;
    if (ClientId != NULL)
        *ClientId = (CLIENT_ID){PsGetCurrentProcessId(), PsGetThreadId((PETHREAD)thread)};
    return nt_handle_open(nt_pool_attached(thread), ObCreateHandle, DesiredAccess, attributes,
                          ThreadHandle);
}

static void end_thread(const char *routine, const void *site) {
    struct _KTHREAD *thread = nt_current_thread;
    if (NT_UNLIKELY(thread->irql != PASSIVE_LEVEL))
        nt_stop_irql(NtRuleIrqlPsPassive, site, routine, PASSIVE_LEVEL);
    if (NT_UNLIKELY(thread->held_count != 0))
        nt_stop(NtRuleThreadEndsWithLock, site, (uintptr_t)thread->held[0].lock, 0, routine,
                "found %u held", thread->held_count);
    if (NT_UNLIKELY(thread->critical != 0 || thread->guarded != 0))
        nt_stop(NtRuleThreadEndsInRegion, site, thread->critical, thread->guarded, routine,
                "found a depth of %u", thread->critical + thread->guarded);
    nt_state.system_threads -= thread->counted;
    thread->header.SignalState = 1;
    nt_signal(&thread->header);
    ended = thread;
    schedule(); /* nobody goes on with it */
}

NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus) {
    (void)ExitStatus;
    if (is_first()) return STATUS_INVALID_PARAMETER;
    end_thread(__func__, NT_SITE);
    return STATUS_SUCCESS;
}

PKTHREAD KeGetCurrentThread(VOID) {
    return nt_current_thread;
}

HANDLE PsGetThreadId(PETHREAD Thread) {
    return (HANDLE)(ULONG_PTR)((PKTHREAD)Thread)->id;
}

HANDLE PsGetCurrentThreadId(VOID) {
    return (HANDLE)(ULONG_PTR)nt_current_thread->id;
}

HANDLE PsGetCurrentProcessId(VOID) {
    return (HANDLE)(ULONG_PTR)4;
}

BOOLEAN PsIsSystemThread(PETHREAD Thread) {
    (void)Thread; /* a kernel has no others here */
    return TRUE;
}

PEPROCESS PsGetCurrentProcess(VOID) {
    return nt_state.process;
}

KPROCESSOR_MODE ExGetPreviousMode(VOID) {
    return KernelMode;
}

KPRIORITY KeQueryPriorityThread(PKTHREAD Thread) {
    return Thread->priority;
}

KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    KPRIORITY old = Thread->priority;
    Thread->priority = Priority;
    return old;
}
