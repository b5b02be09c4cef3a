/* IRQL and regions: what the current thread may be interrupted by. */
#include "internal.h"

KIRQL KeGetCurrentIrql(VOID) {
    return nt_current_thread->irql;
}

KIRQL KfRaiseIrql(KIRQL NewIrql) {
    KIRQL old = nt_current_thread->irql;
    if (NT_UNLIKELY(NewIrql < old || NewIrql > HIGH_LEVEL))
        nt_stop(NtRuleIrqlKeRaiseLower, NT_SITE, old, NewIrql, "KeRaiseIrql", "found %u to %u", old,
                NewIrql);
    NT_SWITCH(NT_POINT_IRQL, NULL);
    nt_current_thread->irql = NewIrql;
    return old;
}

KIRQL KeRaiseIrqlToDpcLevel(VOID) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeRaiseLower);
    NT_SWITCH(NT_POINT_IRQL, NULL);
    KIRQL old = nt_current_thread->irql;
    nt_current_thread->irql = DISPATCH_LEVEL;
    return old;
}

VOID KeLowerIrql(KIRQL NewIrql) {
    struct _KTHREAD *thread = nt_current_thread;
    if (NT_UNLIKELY(NewIrql > thread->irql))
        nt_stop(NtRuleIrqlKeRaiseLower, NT_SITE, thread->irql, NewIrql, __func__, "found %u to %u",
                thread->irql, NewIrql);
    if (NT_UNLIKELY(NewIrql < DISPATCH_LEVEL && thread->spin_locks != 0))
        nt_stop(NtRuleIrqlLockHeld, NT_SITE, thread->irql, NewIrql, __func__, "%u held",
                thread->spin_locks);
    thread->irql = NewIrql;
    nt_dpc_deliver();
    NT_SWITCH(NT_POINT_IRQL, NULL); /* after it: lowering is what lets others run */
}

VOID KeEnterCriticalRegion(VOID) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    nt_current_thread->critical++;
}

VOID KeLeaveCriticalRegion(VOID) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    if (NT_UNLIKELY(nt_current_thread->critical == 0))
        nt_stop(NtRuleCriticalRegionUnbalanced, NT_SITE, 0, 0, __func__, "found none entered");
    nt_current_thread->critical--;
}

VOID KeEnterGuardedRegion(VOID) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    nt_current_thread->guarded++;
}

VOID KeLeaveGuardedRegion(VOID) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    if (NT_UNLIKELY(nt_current_thread->guarded == 0))
        nt_stop(NtRuleGuardedRegionUnbalanced, NT_SITE, 0, 0, __func__, "found none entered");
    nt_current_thread->guarded--;
}

BOOLEAN KeAreAllApcsDisabled(VOID) {
    return nt_current_thread->guarded != 0 || nt_current_thread->irql >= APC_LEVEL;
}

BOOLEAN KeAreApcsDisabled(VOID) {
    return nt_current_thread->critical != 0 || KeAreAllApcsDisabled();
}
