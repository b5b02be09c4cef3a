/* Deferred procedure calls: they run as soon as a thread is below DISPATCH_LEVEL, in order, on
 * that thread's stack; while all wait, on one of their own. */
#include "internal.h"

static void check(const KDPC *dpc, const char *routine, const void *site) {
    if (NT_UNLIKELY(dpc->Type != TYPE_DPC && dpc->Type != TYPE_THREADED_DPC))
        nt_stop(NtRuleDpcNotInitialized, site, (uintptr_t)dpc, 0, routine, "found noise");
}

static void initialize(PRKDPC dpc, uint8_t type, PKDEFERRED_ROUTINE routine, PVOID context) {
    *dpc = (KDPC){.Type = type,
                  .Importance = MediumImportance,
                  .DeferredRoutine = routine,
                  .DeferredContext = context};
}

VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) {
    initialize(Dpc, TYPE_DPC, DeferredRoutine, DeferredContext);
}

VOID KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
                             PVOID DeferredContext) {
    initialize(Dpc, TYPE_THREADED_DPC, DeferredRoutine, DeferredContext);
}

bool nt_dpc_queue(PRKDPC dpc, PVOID argument1, PVOID argument2) {
    if (dpc->DpcData != NULL) return false;
    if (!nt_queue_add(&nt_state.calls, dpc)) return false;
    dpc->DpcData = &nt_state.calls;
    dpc->SystemArgument1 = argument1;
    dpc->SystemArgument2 = argument2;
    return true;
}

BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2) {
    NT_SWITCH(NT_POINT_TIMER, Dpc);
    check(Dpc, __func__, NT_SITE);
    bool queued = nt_dpc_queue(Dpc, SystemArgument1, SystemArgument2);
    nt_dpc_deliver();
    return queued;
}

BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc) {
    NT_SWITCH(NT_POINT_TIMER, Dpc);
    check(Dpc, __func__, NT_SITE);
    if (!nt_queue_remove(&nt_state.calls, Dpc)) return FALSE;
    Dpc->DpcData = NULL;
    return TRUE;
}

VOID KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance) {
    check(Dpc, __func__, NT_SITE);
    Dpc->Importance = (UCHAR)Importance;
}

VOID KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number) {
    check(Dpc, __func__, NT_SITE);
    Dpc->Number = (USHORT)(MAXIMUM_PROCESSORS + Number);
}

NTSTATUS KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber) {
    check(Dpc, __func__, NT_SITE);
    ULONG index = KeGetProcessorIndexFromNumber(ProcNumber);
    if (index >= nt_state.processors) return STATUS_INVALID_PARAMETER;
    Dpc->Number = (USHORT)(MAXIMUM_PROCESSORS + index);
    return STATUS_SUCCESS;
}

VOID KeFlushQueuedDpcs(VOID) {
    NT_IRQL_MAX(PASSIVE_LEVEL, NtRuleIrqlKePassive);
    nt_dpc_deliver(); /* below DISPATCH_LEVEL none is left after it */
}

static void call(PRKDPC dpc) {
    struct _KTHREAD *thread = nt_current_thread;
    PKDEFERRED_ROUTINE routine = dpc->DeferredRoutine;
    uint16_t held = thread->held_count;
    dpc->DpcData = NULL; /* from here on it may be queued again, or be gone */
    routine(dpc, dpc->DeferredContext, dpc->SystemArgument1, dpc->SystemArgument2);
    if (NT_UNLIKELY(thread->irql != DISPATCH_LEVEL))
        nt_stop_irql(NtRuleDpcIrqlChanged, (const void *)routine, "DPC", DISPATCH_LEVEL);
    if (NT_UNLIKELY(thread->held_count != held))
        nt_stop(NtRuleDpcHoldsLock, (const void *)routine, thread->held_count, held, "DPC",
                "found %d more", thread->held_count - held);
}

static void deliver(void) {
    struct _KTHREAD *thread = nt_current_thread;
    uint8_t irql = thread->irql;
    thread->irql = DISPATCH_LEVEL;
    thread->in_dpc = true;
    while (nt_state.calls.count != 0)
        call(nt_queue_take(&nt_state.calls, 0));
    thread->in_dpc = false;
    thread->irql = irql;
}

void nt_dpc_deliver_slowly(void) {
    if (nt_current_thread->irql < DISPATCH_LEVEL && !nt_current_thread->in_dpc) deliver();
}

static VOID deliver_for_ever(PVOID context) {
    for (;;) {
        deliver();
        nt_wait_for_lock(context);
    }
}

bool nt_dpc_delegate(void) {
    if (nt_state.calls.count == 0) return false;
    struct _KTHREAD *thread = nt_state.dpc_thread;
    if (thread == NULL) {
        nt_state.dpc_thread = nt_thread_create(deliver_for_ever, &nt_state.dpc_thread, NULL);
        return nt_state.dpc_thread != NULL;
    }
    if (thread->waits != WAIT_LOCK || thread->wait_lock != &nt_state.dpc_thread) return false;
    nt_wake(&nt_state.dpc_thread);
    return true;
}
