/* Waits: for one object, for several, for the time. A wait that cannot end is a deadlock. */
#include "internal.h"

static const char *const kind_names[] = {[NotificationEvent] = "notification event",
                                         [SynchronizationEvent] = "synchronization event",
                                         [TYPE_MUTANT] = "mutex",
                                         [TYPE_PROCESS] = "process",
                                         [4] = "object",
                                         [TYPE_SEMAPHORE] = "semaphore",
                                         [TYPE_THREAD] = "thread",
                                         [7] = "object",
                                         [TYPE_TIMER] = "notification timer",
                                         [TYPE_TIMER + 1] = "synchronization timer"};

static void check(const LARGE_INTEGER *timeout, const char *routine, const void *site) {
    uint8_t irql = nt_current_thread->irql;
    if (NT_UNLIKELY(irql > DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlKeDispatchLte, site, routine, DISPATCH_LEVEL);
    if (NT_UNLIKELY(irql == DISPATCH_LEVEL && (timeout == NULL || timeout->QuadPart != 0)))
        nt_stop(NtRuleWaitAtDispatch, site, irql, 0, routine, "found %s one",
                timeout == NULL ? "an infinite" : "a nonzero");
}

/* Waits for what is not signalled yet; false: for ever. */
static bool wait(uint32_t count, PVOID *objects, NtWaitKind kind, const LARGE_INTEGER *timeout,
                 NTSTATUS *status) {
    *status = STATUS_TIMEOUT;
    if (timeout != NULL && timeout->QuadPart == 0) {
        NT_POLL();
        return true;
    }
    return nt_wait_for_objects(count, objects, kind,
                               timeout == NULL ? NT_NEVER : nt_time_of(timeout), status);
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason, KPROCESSOR_MODE Mode,
                               BOOLEAN Alertable, PLARGE_INTEGER Timeout) {
    (void)Reason, (void)Mode, (void)Alertable;
    DISPATCHER_HEADER *header = Object;
    NTSTATUS status;
    check(Timeout, __func__, NT_SITE);
    NT_SWITCH(NT_POINT_WAIT, Object);
    nt_dispatcher_check(header, __func__, NT_SITE);
    if (nt_is_signalled(header, nt_current_thread)) {
        nt_consume(header, nt_current_thread, NT_SITE);
        return STATUS_SUCCESS;
    }
    if (NT_UNLIKELY(!wait(1, &Object, WAIT_ANY_OF, Timeout, &status)))
        nt_stop(NtRuleWaitDeadlock, NT_SITE, (uintptr_t)Object, 0, __func__,
                "nobody can signal the %s", kind_names[header->Type]);
    return status;
}

/* The index of the first signalled one, or their number. */
static ULONG find_signalled(ULONG count, PVOID objects[]) {
    for (ULONG i = 0; i < count; i++)
        if (nt_is_signalled(objects[i], nt_current_thread)) return i;
    return count;
}

static ULONG count_signalled(ULONG count, PVOID objects[]) {
    ULONG signalled = 0;
    for (ULONG i = 0; i < count; i++)
        signalled += nt_is_signalled(objects[i], nt_current_thread);
    return signalled;
}

NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Objects[], WAIT_TYPE Type, KWAIT_REASON Reason,
                                  KPROCESSOR_MODE Mode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                  PKWAIT_BLOCK WaitBlocks) {
    (void)Reason, (void)Mode, (void)Alertable;
    NTSTATUS status;
    check(Timeout, __func__, NT_SITE);
    NT_SWITCH(NT_POINT_WAIT, Objects);
    if (NT_UNLIKELY(Count > (WaitBlocks == NULL ? THREAD_WAIT_OBJECTS : MAXIMUM_WAIT_OBJECTS)))
        nt_stop(NtRuleWaitTooMany, NT_SITE, Count, 0, __func__, "found %u", Count);
    for (ULONG i = 0; i < Count; i++)
        nt_dispatcher_check(Objects[i], __func__, NT_SITE);
    if (Type == WaitAny) {
        ULONG index = find_signalled(Count, Objects);
        if (index != Count) {
            nt_consume(Objects[index], nt_current_thread, NT_SITE);
            return STATUS_WAIT_0 + (NTSTATUS)index;
        }
    } else if (count_signalled(Count, Objects) == Count) {
        for (ULONG i = 0; i < Count; i++)
            nt_consume(Objects[i], nt_current_thread, NT_SITE);
        return STATUS_SUCCESS;
    }
    NtWaitKind kind = Type == WaitAny ? WAIT_ANY_OF : WAIT_ALL_OF;
    if (NT_UNLIKELY(!wait(Count, Objects, kind, Timeout, &status)))
        nt_stop(NtRuleWaitDeadlock, NT_SITE, (uintptr_t)Objects, Count, __func__,
                "nobody can signal %u of %u objects", Count - count_signalled(Count, Objects),
                Count);
    return status;
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE Mode, BOOLEAN Alertable, PLARGE_INTEGER Interval) {
    (void)Mode, (void)Alertable;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    NT_SWITCH(NT_POINT_WAIT, NULL);
    NTSTATUS status;
    if (Interval->QuadPart == 0) nt_yield();
    else nt_wait_for_objects(0, NULL, WAIT_ANY_OF, nt_time_of(Interval), &status);
    return STATUS_SUCCESS;
}
