/* Rundown protection: holders come and go until somebody waits for the last one. */
#include "internal.h"

enum { ACTIVE = 1, ONE_HOLDER = 2, MOST_HOLDERS = 0x10000000 };

static void check_value(const EX_RUNDOWN_REF *ref, const char *routine, const void *site) {
    if (NT_UNLIKELY(ref->Count > MOST_HOLDERS))
        nt_stop(NtRuleLockNotInitialized, site, (uintptr_t)ref, ref->Count, routine, "found 0x%llX",
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
                "found %llu holders", ref->Count / ONE_HOLDER);
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

static void wait_for_release(PEX_RUNDOWN_REF ref, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > APC_LEVEL))
        nt_stop_irql(NtRuleIrqlExApcLte1, site, routine, APC_LEVEL);
    NT_SWITCH(NT_POINT_WAIT, ref);
    check_value(ref, routine, site);
    for (ref->Count |= ACTIVE; ref->Count != ACTIVE;)
        if (NT_UNLIKELY(!nt_wait_for_lock(ref)))
            nt_stop(NtRuleRundownDeadlock, site, (uintptr_t)ref, ref->Count, routine,
                    "the rundown protection has %llu holders", ref->Count / ONE_HOLDER);
}

VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef) {
    wait_for_release(RunRef, __func__, NT_SITE);
}

VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef) {
    RunRef->Count = ACTIVE;
}

VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) {
    RunRef->Count = 0;
}

/* ---- spread over processors, in name ---- */

struct _EX_RUNDOWN_REF_CACHE_AWARE {
    EX_RUNDOWN_REF ref;
};

SIZE_T ExSizeOfRundownProtectionCacheAware(VOID) {
    return sizeof(struct _EX_RUNDOWN_REF_CACHE_AWARE);
}

VOID ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware,
                                             SIZE_T RunRefSize) {
    if (NT_UNLIKELY(RunRefSize < sizeof(*RunRefCacheAware)))
        nt_stop(NtRuleLockNotInitialized, NT_SITE, (uintptr_t)RunRefCacheAware, RunRefSize,
                __func__, "found %lu bytes for it", RunRefSize);
    RunRefCacheAware->ref.Count = 0;
}

PEX_RUNDOWN_REF_CACHE_AWARE ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType,
                                                                  ULONG PoolTag) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    PEX_RUNDOWN_REF_CACHE_AWARE ref = nt_pool_allocate(
        (PoolType & PagedPool) ? BLOCK_PAGED : BLOCK_NONPAGED, sizeof(*ref), PoolTag, NT_SITE);
    if (ref != NULL) ref->ref.Count = 0;
    return ref;
}

VOID ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    nt_pool_free(RunRefCacheAware, 0, __func__, NT_SITE);
}

BOOLEAN ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
    return acquire(&RunRefCacheAware->ref, 1, __func__, NT_SITE);
}

BOOLEAN ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware,
                                               ULONG Count) {
    return acquire(&RunRefCacheAware->ref, Count, __func__, NT_SITE);
}

VOID ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
    release(&RunRefCacheAware->ref, 1, __func__, NT_SITE);
}

VOID ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, ULONG Count) {
    release(&RunRef->ref, Count, __func__, NT_SITE);
}

VOID ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef) {
    wait_for_release(&RunRef->ref, __func__, NT_SITE);
}

VOID ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
    RunRefCacheAware->ref.Count = ACTIVE;
}

VOID ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
    RunRefCacheAware->ref.Count = 0;
}
