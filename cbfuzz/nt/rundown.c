/* Rundown protection: holders come and go until somebody waits for the last one. */
#include "internal.h"

enum { ACTIVE = 1, ONE_HOLDER = 2, MOST_HOLDERS = 0x10000000 };

static void check_value(const EX_RUNDOWN_REF *ref, const char *routine, const void *site) {
    if (NT_UNLIKELY(ref->Count > MOST_HOLDERS))
        nt_stop(NtRuleLockNotInitialized, site, (uintptr_t)ref, ref->Count, routine, "found 0x%lX",
                ref->Count);
}

static bool acquire(PEX_RUNDOWN_REF ref, ULONG count, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlKeDispatchLte, site, routine, DISPATCH_LEVEL);
    NT_SWITCH(NT_POINT_RUNDOWN, ref);
    check_value(ref, routine, site);
    if (ref->Count & ACTIVE) return false;
    ref->Count += (ULONG_PTR)count * ONE_HOLDER;
    return true;
}

static void release(PEX_RUNDOWN_REF ref, ULONG count, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlKeDispatchLte, site, routine, DISPATCH_LEVEL);
    NT_SWITCH(NT_POINT_RUNDOWN, ref);
    check_value(ref, routine, site);
    if (NT_UNLIKELY(ref->Count < (ULONG_PTR)count * ONE_HOLDER))
        nt_stop(NtRuleRundownUnbalanced, site, (uintptr_t)ref, ref->Count, routine,
                "found %lu holders", ref->Count / ONE_HOLDER);
    ref->Count -= (ULONG_PTR)count * ONE_HOLDER;
    nt_wake(ref);
}

VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) {
    RunRef->Count = 0;
}

BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef) {
    return acquire(RunRef, 1, __func__, NT_SITE);
}

BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count) {
    return acquire(RunRef, Count, __func__, NT_SITE);
}

VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef) {
    release(RunRef, 1, __func__, NT_SITE);
}

VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count) {
    release(RunRef, Count, __func__, NT_SITE);
}

VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    NT_SWITCH(NT_POINT_WAIT, RunRef);
    check_value(RunRef, __func__, NT_SITE);
    for (RunRef->Count |= ACTIVE; RunRef->Count != ACTIVE;)
        if (NT_UNLIKELY(!nt_wait_for_lock(RunRef)))
            nt_stop(NtRuleRundownDeadlock, NT_SITE, (uintptr_t)RunRef, RunRef->Count, __func__,
                    "the rundown protection has %lu holders", RunRef->Count / ONE_HOLDER);
}

VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef) {
    RunRef->Count = ACTIVE;
}

VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) {
    RunRef->Count = 0;
}
