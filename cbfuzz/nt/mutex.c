/* Fast and guarded mutexes: one structure, two ways to keep APCs away. */
#include "internal.h"

enum { INITIALIZED = 0xF5 };

/* Both have what is used here at the same places, and are used as the first of them. */
_Static_assert(sizeof(FAST_MUTEX) == sizeof(KGUARDED_MUTEX), "one structure for both");
_Static_assert(offsetof(FAST_MUTEX, Event) == offsetof(KGUARDED_MUTEX, Gate), "and its event");

static void initialize(PFAST_MUTEX mutex) {
    mutex->Count = 1;
    mutex->Owner = NULL;
    mutex->Contention = 0;
    mutex->OldIrql = 0;
    KeInitializeEvent(&mutex->Event, SynchronizationEvent, FALSE);
    mutex->Event.Header.Abandoned = INITIALIZED;
}

/* Takes the mutex, waiting for it if need be; false for one who only tries, when it is held. */
static bool acquire(PFAST_MUTEX mutex, NtHeldKind kind, bool try, const char *routine,
                    const void *site) {
    NT_SWITCH(NT_POINT_LOCK, mutex);
    if (NT_UNLIKELY(mutex->Event.Header.Abandoned != INITIALIZED))
        nt_stop(NtRuleLockNotInitialized, site, (uintptr_t)mutex, 0, routine, "found noise");
    while (mutex->Count != 1) {
        const char *name = kind == HELD_FAST_MUTEX ? "fast" : "guarded";
        if (try) {
            NT_POLL();
            return false;
        }
        if (NT_UNLIKELY(mutex->Owner == nt_current_thread))
            nt_stop(NtRuleFastMutexRecursive, site, (uintptr_t)mutex, 0, routine,
                    "the %s mutex is held by this thread", name);
        mutex->Contention++;
        if (NT_UNLIKELY(!nt_wait_for_lock(mutex)))
            nt_stop(NtRuleLockDeadlock, site, (uintptr_t)mutex, 0, routine,
                    "the %s mutex is held by a thread that waits, too", name);
    }
    mutex->Count = 0;
    mutex->Owner = nt_current_thread;
    nt_hold(nt_current_thread, mutex, kind, nt_current_thread->irql, site);
    return true;
}

static void release(PFAST_MUTEX mutex, const char *routine, const void *site) {
    int index = nt_find_held(mutex);
    if (NT_UNLIKELY(index < 0 || mutex->Owner != nt_current_thread))
        nt_stop(NtRuleLockRelease, site, (uintptr_t)mutex, 0, routine, "found it not held");
    nt_drop_held(index);
    mutex->Owner = NULL;
    mutex->Count = 1;
    nt_wake(mutex);
}

VOID ExInitializeFastMutex(PFAST_MUTEX Mutex) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    initialize(Mutex);
}

VOID ExAcquireFastMutex(PFAST_MUTEX Mutex) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    KIRQL old = nt_current_thread->irql;
    acquire(Mutex, HELD_FAST_MUTEX, false, __func__, NT_SITE);
    Mutex->OldIrql = old;
    nt_current_thread->irql = APC_LEVEL;
}

BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX Mutex) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    KIRQL old = nt_current_thread->irql;
    if (!acquire(Mutex, HELD_FAST_MUTEX, true, __func__, NT_SITE)) return FALSE;
    Mutex->OldIrql = old;
    nt_current_thread->irql = APC_LEVEL;
    return TRUE;
}

VOID ExReleaseFastMutex(PFAST_MUTEX Mutex) {
    if (NT_UNLIKELY(nt_current_thread->irql != APC_LEVEL))
        nt_stop_irql(NtRuleLockReleaseIrql, NT_SITE, __func__, APC_LEVEL);
    KIRQL old = (KIRQL)Mutex->OldIrql;
    release(Mutex, __func__, NT_SITE);
    nt_current_thread->irql = old;
    NT_SWITCH(NT_POINT_LOCK, Mutex);
}

/* The unsafe variants leave it to the caller to keep APCs away. */
static void check_apcs_disabled(const char *routine, const void *site) {
    if (NT_UNLIKELY(!KeAreApcsDisabled()))
        nt_stop(NtRuleLockUnsafe, site, 0, 0, routine, "found them enabled");
}

VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX Mutex) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    check_apcs_disabled(__func__, NT_SITE);
    acquire(Mutex, HELD_FAST_MUTEX, false, __func__, NT_SITE);
}

VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX Mutex) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    check_apcs_disabled(__func__, NT_SITE);
    release(Mutex, __func__, NT_SITE);
    NT_SWITCH(NT_POINT_LOCK, Mutex);
}

VOID KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    initialize((PFAST_MUTEX)Mutex);
}

VOID KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    acquire((PFAST_MUTEX)Mutex, HELD_GUARDED_MUTEX, false, __func__, NT_SITE);
    nt_current_thread->guarded++;
}

BOOLEAN KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    if (!acquire((PFAST_MUTEX)Mutex, HELD_GUARDED_MUTEX, true, __func__, NT_SITE)) return FALSE;
    nt_current_thread->guarded++;
    return TRUE;
}

VOID KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    release((PFAST_MUTEX)Mutex, __func__, NT_SITE);
    if (NT_UNLIKELY(nt_current_thread->guarded == 0))
        nt_stop(NtRuleGuardedRegionUnbalanced, NT_SITE, 0, 0, __func__, "found none entered");
    nt_current_thread->guarded--;
    NT_SWITCH(NT_POINT_LOCK, Mutex);
}

VOID KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    check_apcs_disabled(__func__, NT_SITE);
    acquire((PFAST_MUTEX)Mutex, HELD_GUARDED_MUTEX, false, __func__, NT_SITE);
}

VOID KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    check_apcs_disabled(__func__, NT_SITE);
    release((PFAST_MUTEX)Mutex, __func__, NT_SITE);
    NT_SWITCH(NT_POINT_LOCK, Mutex);
}
