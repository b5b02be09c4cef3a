/* Dispatcher objects and waits. With one thread a wait either ends at once, at its
 * time-out, or never. */
#include "internal.h"

enum { SIGNATURE = 0xD1, TYPE_MUTANT = 2, TYPE_SEMAPHORE = 5 };

static const char *const kind_names[] = {[NotificationEvent] = "notification event",
                                         [SynchronizationEvent] = "synchronization event",
                                         [TYPE_MUTANT] = "mutex",
                                         [3] = "object",
                                         [4] = "object",
                                         [TYPE_SEMAPHORE] = "semaphore"};

static void initialize(DISPATCHER_HEADER *header, uint8_t type, size_t size, LONG state) {
    header->Type = type;
    header->Abandoned = SIGNATURE;
    header->Size = (UCHAR)size;
    header->DebugActive = 0;
    header->SignalState = state;
    InitializeListHead(&header->WaitListHead);
}

static void check(const DISPATCHER_HEADER *header, const char *routine, const void *site) {
    if (NT_UNLIKELY(header->Abandoned != SIGNATURE || header->Type > TYPE_SEMAPHORE))
        nt_stop(NtRuleDispatcherNotInitialized, site, (uintptr_t)header, 0, routine, "found noise");
}

static LONG set_event(PRKEVENT event, LONG state, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlKeDispatchLte, site, routine, DISPATCH_LEVEL);
    NT_SWITCH(NT_POINT_EVENT, event);
    check(&event->Header, routine, site);
    LONG old = event->Header.SignalState;
    event->Header.SignalState = state;
    return old;
}

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State) {
    initialize(&Event->Header, (uint8_t)Type, sizeof(*Event), State != FALSE);
}

LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait) {
    (void)Increment;
    if (Wait) NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    return set_event(Event, 1, __func__, NT_SITE);
}

LONG KeResetEvent(PRKEVENT Event) {
    return set_event(Event, 0, __func__, NT_SITE);
}

VOID KeClearEvent(PRKEVENT Event) {
    set_event(Event, 0, __func__, NT_SITE);
}

LONG KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait) {
    (void)Increment;
    if (Wait) NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    return set_event(Event, 0, __func__, NT_SITE);
}

LONG KeReadStateEvent(PRKEVENT Event) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    NT_SWITCH(NT_POINT_EVENT, Event);
    check(&Event->Header, __func__, NT_SITE);
    return Event->Header.SignalState;
}

VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit) {
    initialize(&Semaphore->Header, TYPE_SEMAPHORE, sizeof(*Semaphore), Count);
    Semaphore->Limit = Limit;
}

LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment,
                        BOOLEAN Wait) {
    (void)Increment, (void)Wait;
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    NT_SWITCH(NT_POINT_EVENT, Semaphore);
    check(&Semaphore->Header, __func__, NT_SITE);
    LONG old = Semaphore->Header.SignalState;
    if (NT_UNLIKELY(Adjustment <= 0 || Adjustment > Semaphore->Limit - old))
        nt_stop(NtRuleSemaphoreLimit, NT_SITE, (uintptr_t)Semaphore, (ULONG)Adjustment, __func__,
                "found %d plus %d, limit %d", old, Adjustment, Semaphore->Limit);
    Semaphore->Header.SignalState = old + Adjustment;
    return old;
}

LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore) {
    check(&Semaphore->Header, __func__, NT_SITE);
    return Semaphore->Header.SignalState;
}

VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level) {
    (void)Level;
    initialize(&Mutex->Header, TYPE_MUTANT, sizeof(*Mutex), 1);
    Mutex->OwnerThread = NULL;
    Mutex->Abandoned = FALSE;
    Mutex->ApcDisable = 1;
}

LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait) {
    (void)Wait;
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    NT_SWITCH(NT_POINT_EVENT, Mutex);
    check(&Mutex->Header, __func__, NT_SITE);
    int index = nt_find_held(Mutex);
    if (NT_UNLIKELY(Mutex->OwnerThread != nt_current_thread || index < 0))
        nt_stop(NtRuleMutexNotOwned, NT_SITE, (uintptr_t)Mutex, 0, __func__, "found it free");
    LONG old = Mutex->Header.SignalState++;
    if (old == 0) {
        Mutex->OwnerThread = NULL;
        nt_drop_held(index);
        nt_current_thread->critical--;
    }
    return old;
}

LONG KeReadStateMutex(PRKMUTEX Mutex) {
    check(&Mutex->Header, __func__, NT_SITE);
    return Mutex->Header.SignalState;
}

static bool is_signalled(const DISPATCHER_HEADER *header) {
    if (header->Type == TYPE_MUTANT && ((const KMUTANT *)header)->OwnerThread == nt_current_thread)
        return true;
    return header->SignalState > 0;
}

/* What a wait that ends does to the object it waited for. */
static void consume(DISPATCHER_HEADER *header, const void *site) {
    if (header->Type == SynchronizationEvent) {
        header->SignalState = 0;
    } else if (header->Type == TYPE_SEMAPHORE) {
        header->SignalState--;
    } else if (header->Type == TYPE_MUTANT && header->SignalState-- == 1) {
        KMUTANT *mutex = (KMUTANT *)header;
        mutex->OwnerThread = nt_current_thread;
        nt_current_thread->critical++; /* owning one disables normal kernel APCs */
        nt_hold(mutex, HELD_RESOURCE, nt_current_thread->irql, site);
    }
}

static void check_wait(const LARGE_INTEGER *timeout, const char *routine, const void *site) {
    uint8_t irql = nt_current_thread->irql;
    if (NT_UNLIKELY(irql > DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlKeDispatchLte, site, routine, DISPATCH_LEVEL);
    if (NT_UNLIKELY(irql == DISPATCH_LEVEL && (timeout == NULL || timeout->QuadPart != 0)))
        nt_stop(NtRuleWaitAtDispatch, site, irql, 0, routine, "found %s one",
                timeout == NULL ? "an infinite" : "a nonzero");
}

/* Lets virtual time pass until the time-out: negative is relative. */
static void pass(const LARGE_INTEGER *timeout) {
    int64_t due = timeout->QuadPart;
    if (due < 0) due = nt_state.time - due;
    if (due > nt_state.time) nt_state.time = due;
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason, KPROCESSOR_MODE Mode,
                               BOOLEAN Alertable, PLARGE_INTEGER Timeout) {
    (void)Reason, (void)Mode, (void)Alertable;
    DISPATCHER_HEADER *header = Object;
    check_wait(Timeout, __func__, NT_SITE);
    NT_SWITCH(NT_POINT_WAIT, Object);
    check(header, __func__, NT_SITE);
    if (is_signalled(header)) {
        consume(header, NT_SITE);
        return STATUS_SUCCESS;
    }
    if (NT_UNLIKELY(Timeout == NULL))
        nt_stop(NtRuleWaitDeadlock, NT_SITE, (uintptr_t)Object, 0, __func__,
                "nobody can signal the %s", kind_names[header->Type]);
    pass(Timeout);
    return STATUS_TIMEOUT;
}

NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Objects[], WAIT_TYPE Type, KWAIT_REASON Reason,
                                  KPROCESSOR_MODE Mode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                  PKWAIT_BLOCK WaitBlocks) {
    (void)Reason, (void)Mode, (void)Alertable, (void)WaitBlocks;
    check_wait(Timeout, __func__, NT_SITE);
    NT_SWITCH(NT_POINT_WAIT, Objects);
    ULONG signalled = 0;
    for (ULONG i = 0; i < Count; i++) {
        DISPATCHER_HEADER *header = Objects[i];
        check(header, __func__, NT_SITE);
        if (!is_signalled(header)) continue;
        signalled++;
        if (Type == WaitAny) {
            consume(header, NT_SITE);
            return STATUS_WAIT_0 + (NTSTATUS)i;
        }
    }
    if (signalled == Count) {
        for (ULONG i = 0; i < Count; i++)
            consume(Objects[i], NT_SITE);
        return STATUS_SUCCESS;
    }
    if (NT_UNLIKELY(Timeout == NULL))
        nt_stop(NtRuleWaitDeadlock, NT_SITE, (uintptr_t)Objects, Count, __func__,
                "nobody can signal %u of %u objects", Count - signalled, Count);
    pass(Timeout);
    return STATUS_TIMEOUT;
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE Mode, BOOLEAN Alertable, PLARGE_INTEGER Interval) {
    (void)Mode, (void)Alertable;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    NT_SWITCH(NT_POINT_WAIT, NULL);
    pass(Interval);
    return STATUS_SUCCESS;
}
