/* Push locks: one writer (1) or many readers (their number, shifted by one). */
#include "internal.h"

enum { EXCLUSIVE = 1, ONE_READER = 2, MOST_READERS = 0x10000 };

static void check_value(PEX_PUSH_LOCK lock, const char *routine, const void *site) {
    ULONG_PTR value = *lock;
    if (NT_UNLIKELY(value > MOST_READERS || (value & EXCLUSIVE && value != EXCLUSIVE)))
        nt_stop(NtRuleLockNotInitialized, site, (uintptr_t)lock, value, routine, "found 0x%llX",
                value);
}

static bool blocks(ULONG_PTR value, NtHeldKind kind) {
    return kind == HELD_PUSH_EXCLUSIVE ? value != 0 : value == EXCLUSIVE;
}

static bool acquire(PEX_PUSH_LOCK lock, NtHeldKind kind, bool try, const char *routine,
                    const void *site) {
    NT_SWITCH(NT_POINT_LOCK, lock);
    for (check_value(lock, routine, site); blocks(*lock, kind); check_value(lock, routine, site)) {
        const char *how = *lock == EXCLUSIVE ? "exclusively" : "shared";
        if (try) {
            NT_POLL();
            return false;
        }
        if (NT_UNLIKELY(nt_find_held(lock) >= 0))
            nt_stop(NtRulePushLockRecursive, site, (uintptr_t)lock, *lock, routine,
                    "the push lock is held by this thread %s", how);
        if (NT_UNLIKELY(!nt_wait_for_lock(lock)))
            nt_stop(NtRuleLockDeadlock, site, (uintptr_t)lock, *lock, routine,
                    "the push lock is held %s by a thread that waits, too", how);
    }
    *lock = kind == HELD_PUSH_EXCLUSIVE ? EXCLUSIVE : *lock + ONE_READER;
    nt_hold(nt_current_thread, lock, kind, nt_current_thread->irql, site);
    return true;
}

static void release(PEX_PUSH_LOCK lock, bool exclusive, const char *routine, const void *site) {
    int index = nt_find_held(lock);
    uint8_t kind = exclusive ? HELD_PUSH_EXCLUSIVE : HELD_PUSH_SHARED;
    if (NT_UNLIKELY(index < 0 || nt_current_thread->held[index].kind != kind))
        nt_stop(NtRuleLockRelease, site, (uintptr_t)lock, *lock, routine, "found it %s",
                index < 0 ? "not held" : "held the other way");
    nt_drop_held(index);
    *lock = exclusive ? 0 : *lock - ONE_READER;
    nt_wake(lock);
    NT_SWITCH(NT_POINT_LOCK, lock);
}

VOID ExInitializePushLock(PEX_PUSH_LOCK PushLock) {
    *PushLock = 0;
}

VOID ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags) {
    (void)Flags;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    acquire(PushLock, HELD_PUSH_EXCLUSIVE, false, "ExAcquirePushLockExclusive", NT_SITE);
}

VOID ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags) {
    (void)Flags;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    acquire(PushLock, HELD_PUSH_SHARED, false, "ExAcquirePushLockShared", NT_SITE);
}

BOOLEAN ExTryAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags) {
    (void)Flags;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    return acquire(PushLock, HELD_PUSH_EXCLUSIVE, true, __func__, NT_SITE);
}

BOOLEAN ExTryAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags) {
    (void)Flags;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    return acquire(PushLock, HELD_PUSH_SHARED, true, __func__, NT_SITE);
}

VOID ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags) {
    (void)Flags;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    release(PushLock, true, "ExReleasePushLockExclusive", NT_SITE);
}

VOID ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags) {
    (void)Flags;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    release(PushLock, false, "ExReleasePushLockShared", NT_SITE);
}

VOID ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags) {
    (void)Flags;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    release(PushLock, *PushLock == EXCLUSIVE, "ExReleasePushLock", NT_SITE);
}
