/* Dispatcher objects: events, semaphores, mutexes. What it means that one is signalled. */
#include "internal.h"

enum { INITIALIZED = 0xD1 };

void nt_dispatcher_initialize(DISPATCHER_HEADER *header, uint8_t type, size_t size, LONG state) {
    header->Type = type;
    header->Abandoned = INITIALIZED;
    header->Size = (UCHAR)(size / sizeof(ULONG));
    header->DebugActive = FALSE;
    header->SignalState = state;
    InitializeListHead(&header->WaitListHead);
}

void nt_dispatcher_check(const DISPATCHER_HEADER *header, const char *routine, const void *site) {
    if (NT_UNLIKELY(header->Abandoned != INITIALIZED || header->Type > TYPE_TIMER + 1))
        nt_stop(NtRuleDispatcherNotInitialized, site, (uintptr_t)header, 0, routine, "found noise");
}

static LONG set_event(PRKEVENT event, LONG state, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlKeDispatchLte, site, routine, DISPATCH_LEVEL);
    NT_SWITCH(NT_POINT_EVENT, event);
    nt_dispatcher_check(&event->Header, routine, site);
    LONG old = event->Header.SignalState;
    event->Header.SignalState = state;
    if (state != 0) nt_signal(&event->Header);
    return old;
}

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State) {
    nt_dispatcher_initialize(&Event->Header, (uint8_t)Type, sizeof(*Event), State != FALSE);
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
    LONG old = set_event(Event, 1, __func__, NT_SITE);
    Event->Header.SignalState = 0;
    return old;
}

LONG KeReadStateEvent(PRKEVENT Event) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    NT_SWITCH(NT_POINT_EVENT, Event);
    NT_POLL();
    nt_dispatcher_check(&Event->Header, __func__, NT_SITE);
    return Event->Header.SignalState;
}

VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit) {
    nt_dispatcher_initialize(&Semaphore->Header, TYPE_SEMAPHORE, sizeof(*Semaphore), Count);
    Semaphore->Limit = Limit;
}

LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment,
                        BOOLEAN Wait) {
    (void)Increment;
    if (Wait) NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    NT_SWITCH(NT_POINT_EVENT, Semaphore);
    nt_dispatcher_check(&Semaphore->Header, __func__, NT_SITE);
    LONG old = Semaphore->Header.SignalState;
    if (NT_UNLIKELY(Adjustment <= 0 || Adjustment > Semaphore->Limit - old))
        nt_stop(NtRuleSemaphoreLimit, NT_SITE, (uintptr_t)Semaphore, (ULONG)Adjustment, __func__,
                "found %d plus %d, limit %d", old, Adjustment, Semaphore->Limit);
    Semaphore->Header.SignalState = old + Adjustment;
    nt_signal(&Semaphore->Header);
    return old;
}

LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore) {
    NT_POLL();
    nt_dispatcher_check(&Semaphore->Header, __func__, NT_SITE);
    return Semaphore->Header.SignalState;
}

VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level) {
    (void)Level;
    nt_dispatcher_initialize(&Mutex->Header, TYPE_MUTANT, sizeof(*Mutex), 1);
    InitializeListHead(&Mutex->MutantListEntry);
    Mutex->OwnerThread = NULL;
    Mutex->Abandoned = FALSE;
    Mutex->ApcDisable = 1;
}

LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait) {
    if (Wait) NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    NT_SWITCH(NT_POINT_EVENT, Mutex);
    nt_dispatcher_check(&Mutex->Header, __func__, NT_SITE);
    int index = nt_find_held(Mutex);
    if (NT_UNLIKELY(Mutex->OwnerThread != nt_current_thread || index < 0))
        nt_stop(NtRuleMutexNotOwned, NT_SITE, (uintptr_t)Mutex, 0, __func__, "found it %s",
                Mutex->OwnerThread == NULL ? "free" : "owned by another thread");
    LONG old = Mutex->Header.SignalState++;
    if (old == 0) {
        Mutex->OwnerThread = NULL;
        nt_drop_held(index);
        nt_current_thread->critical--;
        nt_signal(&Mutex->Header);
    }
    return old;
}

LONG KeReadStateMutex(PRKMUTEX Mutex) {
    NT_POLL();
    nt_dispatcher_check(&Mutex->Header, __func__, NT_SITE);
    return Mutex->Header.SignalState;
}

bool nt_is_signalled(const DISPATCHER_HEADER *header, const struct _KTHREAD *thread) {
    if (header->Type == TYPE_MUTANT && ((const KMUTANT *)header)->OwnerThread == thread)
        return true; /* recursion is allowed */
    return header->SignalState > 0;
}

void nt_consume(DISPATCHER_HEADER *header, struct _KTHREAD *thread, const void *site) {
    if (header->Type == SynchronizationEvent || header->Type == TYPE_TIMER + SynchronizationTimer) {
        header->SignalState = 0;
    } else if (header->Type == TYPE_SEMAPHORE) {
        header->SignalState--;
    } else if (header->Type == TYPE_MUTANT && header->SignalState-- == 1) {
        KMUTANT *mutex = (KMUTANT *)header;
        mutex->OwnerThread = thread;
        thread->critical++; /* owning one disables normal kernel APCs */
        nt_hold(thread, mutex, HELD_RESOURCE, thread->irql, site);
    }
}
