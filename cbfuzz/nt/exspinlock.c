/* Spin locks for one writer or many readers: the number of readers, or a bit for the writer. */
#include "internal.h"

#define WRITER ((LONG)0x80000000)
enum { MOST_READERS = 0x10000 };

static bool blocks(LONG value, bool exclusive) {
    return exclusive ? value != 0 : value == WRITER;
}

static void check_value(PEX_SPIN_LOCK lock, const char *routine, const void *site) {
    LONG value = *lock;
    if (NT_UNLIKELY(value != WRITER && (value < 0 || value > MOST_READERS)))
        nt_stop(NtRuleSpinLockNotInitialized, site, (uintptr_t)lock, (ULONG)value, routine,
                "found 0x%X", (ULONG)value);
}

static void acquire(PEX_SPIN_LOCK lock, bool exclusive, NtHeldKind kind, const char *routine,
                    const void *site) {
    NT_SWITCH(NT_POINT_SPIN_LOCK, lock);
    for (check_value(lock, routine, site); blocks(*lock, exclusive);
         check_value(lock, routine, site)) {
        if (NT_UNLIKELY(nt_find_held(lock) >= 0))
            nt_stop(NtRuleSpinLockDoubleAcquire, site, (uintptr_t)lock, 0, routine,
                    "found it held by this thread");
        if (NT_UNLIKELY(!nt_wait_for_lock(lock)))
            nt_stop(NtRuleSpinLockDeadlock, site, (uintptr_t)lock, (ULONG)*lock, routine,
                    "the spin lock is held by a thread that waits, too");
    }
    if (NT_UNLIKELY(nt_current_thread->spin_locks != 0)) nt_spin_order(lock, routine, site);
    else
        nt_current_thread->spin_base =
            kind == HELD_SPIN_RAISED ? nt_current_thread->irql : UINT8_MAX;
    *lock = exclusive ? WRITER : *lock + 1;
    nt_hold(nt_current_thread, lock, kind, nt_current_thread->irql, site);
    if (kind == HELD_SPIN_RAISED) nt_current_thread->irql = DISPATCH_LEVEL;
}

static void release(PEX_SPIN_LOCK lock, bool exclusive, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql < DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlKeDispatchGte, site, routine, DISPATCH_LEVEL);
    int index = nt_find_held(lock);
    if (NT_UNLIKELY(index < 0 || (*lock == WRITER) != exclusive))
        nt_stop(NtRuleSpinLockRelease, site, (uintptr_t)lock, (ULONG)*lock, routine, "found it %s",
                index < 0 ? "not held" : "held the other way");
    nt_drop_held(index);
    *lock = exclusive ? 0 : *lock - 1;
    nt_wake(lock);
    NT_SWITCH(NT_POINT_SPIN_LOCK, lock);
}

KIRQL ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    KIRQL old = nt_current_thread->irql;
    acquire(SpinLock, true, HELD_SPIN_RAISED, __func__, NT_SITE);
    return old;
}

KIRQL ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    KIRQL old = nt_current_thread->irql;
    acquire(SpinLock, false, HELD_SPIN_RAISED, __func__, NT_SITE);
    return old;
}

VOID ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql) {
    release(SpinLock, true, __func__, NT_SITE);
    nt_spin_lower(OldIrql, __func__, NT_SITE);
}

VOID ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql) {
    release(SpinLock, false, __func__, NT_SITE);
    nt_spin_lower(OldIrql, __func__, NT_SITE);
}

VOID ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock) {
    NT_IRQL_MIN(DISPATCH_LEVEL, NtRuleIrqlKeDispatchGte);
    acquire(SpinLock, true, HELD_SPIN, __func__, NT_SITE);
}

VOID ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock) {
    NT_IRQL_MIN(DISPATCH_LEVEL, NtRuleIrqlKeDispatchGte);
    acquire(SpinLock, false, HELD_SPIN, __func__, NT_SITE);
}

VOID ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock) {
    release(SpinLock, true, __func__, NT_SITE);
}

VOID ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock) {
    release(SpinLock, false, __func__, NT_SITE);
}

LOGICAL ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock) {
    NT_IRQL_MIN(DISPATCH_LEVEL, NtRuleIrqlKeDispatchGte);
    if (NT_UNLIKELY(nt_find_held(SpinLock) < 0))
        nt_stop(NtRuleSpinLockRelease, NT_SITE, (uintptr_t)SpinLock, (ULONG)*SpinLock, __func__,
                "found it not held");
    if (*SpinLock != 1) return FALSE;
    *SpinLock = WRITER;
    return TRUE;
}
