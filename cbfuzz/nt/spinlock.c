/* Spin locks, plain and queued: who holds them, at which level, in which order.
 *
 * A free lock is 0; a held one holds the address of its thread, its lowest bit set.
 */
#include "internal.h"

static ULONG_PTR mark_of(const struct _KTHREAD *thread) {
    return (ULONG_PTR)thread | 1;
}

/* Is that what another thread, which is not running, left in a lock? */
static bool is_mark(ULONG_PTR value) {
    const NtQueue *queues[] = {&nt_state.ready, &nt_state.waiting};
    for (unsigned q = 0; q < RTL_NUMBER_OF(queues); q++)
        for (uint32_t i = 0; i < queues[q]->count; i++)
            if (value == mark_of(queues[q]->items[i])) return true;
    return false;
}

/* Was `first` ever acquired while `then` was held? */
static bool seen_in_order(const volatile void *then, const volatile void *first) {
    for (uint32_t i = 0; i < nt_state.edge_count && i < NT_LOCK_EDGES; i++)
        if (nt_state.edges[i].first == then && nt_state.edges[i].then == first) return true;
    return false;
}

/* Remembers that `lock` is acquired inside each spin lock held now; the reverse order
 * in the same program is a deadlock that two processors will meet one day. */
void nt_spin_order(const volatile void *lock, const char *routine, const void *site) {
    const struct _KTHREAD *thread = nt_current_thread;
    for (int i = 0; i < thread->held_count; i++) {
        const NtHeld *held = &thread->held[i];
        if (held->kind > HELD_SPIN_RAISED || held->lock == lock) continue;
        if (seen_in_order(lock, held->lock))
            nt_stop(NtRuleSpinLockOrder, site, (uintptr_t)held->lock, (uintptr_t)lock, routine,
                    "found both orders");
        if (seen_in_order(held->lock, lock)) continue;
        uint32_t slot = nt_state.edge_count++ % NT_LOCK_EDGES;
        nt_state.edges[slot].first = held->lock;
        nt_state.edges[slot].then = lock;
    }
}

/* A lock that is made anew, perhaps on the stack where another one was, has no past. */
static void forget_order(const volatile void *lock) {
    uint32_t kept = 0;
    uint32_t count = nt_state.edge_count < NT_LOCK_EDGES ? nt_state.edge_count : NT_LOCK_EDGES;
    for (uint32_t i = 0; i < count; i++)
        if (nt_state.edges[i].first != lock && nt_state.edges[i].then != lock)
            nt_state.edges[kept++] = nt_state.edges[i];
    nt_state.edge_count = kept;
}

void nt_spin_wait(PKSPIN_LOCK lock, const char *routine, const void *site) {
    while (*lock != 0) {
        ULONG_PTR value = *lock;
        if (value == mark_of(nt_current_thread))
            nt_stop(NtRuleSpinLockDoubleAcquire, site, (uintptr_t)lock, 0, routine,
                    "found it held by this thread");
        if (!is_mark(value))
            nt_stop(NtRuleSpinLockNotInitialized, site, (uintptr_t)lock, value, routine,
                    "found 0x%llX", value);
        if (!nt_wait_for_lock(lock))
            nt_stop(NtRuleSpinLockDeadlock, site, (uintptr_t)lock, value, routine,
                    "the spin lock is held by a thread that waits, too");
    }
}

static void acquire(PKSPIN_LOCK lock, NtHeldKind kind, const char *routine, const void *site) {
    struct _KTHREAD *thread = nt_current_thread;
    NT_SWITCH(NT_POINT_SPIN_LOCK, lock);
    if (NT_UNLIKELY(*lock != 0)) nt_spin_wait(lock, routine, site);
    if (NT_UNLIKELY(thread->spin_locks != 0)) nt_spin_order(lock, routine, site);
    else thread->spin_base = kind == HELD_SPIN_RAISED ? thread->irql : UINT8_MAX;
    *lock = mark_of(thread);
    nt_hold(nt_current_thread, lock, kind, thread->irql, site);
    if (kind == HELD_SPIN_RAISED) thread->irql = DISPATCH_LEVEL;
}

static void release(PKSPIN_LOCK lock, const char *routine, const void *site) {
    int index = nt_find_held(lock);
    if (NT_UNLIKELY(*lock != mark_of(nt_current_thread) || index < 0))
        nt_stop(NtRuleSpinLockRelease, site, (uintptr_t)lock, *lock, routine, "found 0x%llX",
                *lock);
    nt_drop_held(index);
    *lock = 0;
    nt_wake(lock);
}

/* Locks may be released in any order, so what counts is the level before the first of those
 * held together, and that none stays behind. */
void nt_spin_lower(KIRQL irql, const char *routine, const void *site) {
    struct _KTHREAD *thread = nt_current_thread;
    if (NT_UNLIKELY(irql > DISPATCH_LEVEL ||
                    (thread->spin_locks == 0 && thread->spin_base != UINT8_MAX &&
                     irql != thread->spin_base)))
        nt_stop(NtRuleSpinLockReleaseIrql, site, thread->spin_base, irql, routine,
                "expected %u, found %u", thread->spin_base, irql);
    if (NT_UNLIKELY(irql < DISPATCH_LEVEL && thread->spin_locks != 0))
        nt_stop(NtRuleIrqlLockHeld, site, thread->irql, irql, routine, "%u held",
                thread->spin_locks);
    thread->irql = irql;
    nt_dpc_deliver();
}

static void release_to(PKSPIN_LOCK lock, KIRQL irql, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql != DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlKeDispatchGte, site, routine, DISPATCH_LEVEL);
    release(lock, routine, site);
    nt_spin_lower(irql, routine, site);
    NT_SWITCH(NT_POINT_SPIN_LOCK, lock);
}

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock) {
    *SpinLock = 0;
    if (NT_UNLIKELY(nt_state.edge_count != 0)) forget_order(SpinLock);
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    KIRQL old = nt_current_thread->irql;
    acquire(SpinLock, HELD_SPIN_RAISED, "KeAcquireSpinLock", NT_SITE);
    return old;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) {
    release_to(SpinLock, NewIrql, __func__, NT_SITE);
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
    NT_IRQL_MIN(DISPATCH_LEVEL, NtRuleIrqlKeDispatchGte);
    acquire(SpinLock, HELD_SPIN, __func__, NT_SITE);
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) {
    NT_IRQL_MIN(DISPATCH_LEVEL, NtRuleIrqlKeDispatchGte);
    release(SpinLock, __func__, NT_SITE);
    NT_SWITCH(NT_POINT_SPIN_LOCK, SpinLock);
}

BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
    NT_IRQL_MIN(DISPATCH_LEVEL, NtRuleIrqlKeDispatchGte);
    if (*SpinLock != 0) {
        NT_POLL();
        return FALSE;
    }
    acquire(SpinLock, HELD_SPIN, __func__, NT_SITE);
    return TRUE;
}

BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock) {
    NT_IRQL_MIN(DISPATCH_LEVEL, NtRuleIrqlKeDispatchGte);
    return *SpinLock == 0;
}

VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE Handle) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    Handle->LockQueue.Next = NULL;
    Handle->LockQueue.Lock = SpinLock;
    Handle->OldIrql = nt_current_thread->irql;
    acquire(SpinLock, HELD_SPIN_RAISED, __func__, NT_SITE);
}

VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE Handle) {
    release_to(Handle->LockQueue.Lock, Handle->OldIrql, __func__, NT_SITE);
}

VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE Handle) {
    NT_IRQL_MIN(DISPATCH_LEVEL, NtRuleIrqlKeDispatchGte);
    Handle->LockQueue.Next = NULL;
    Handle->LockQueue.Lock = SpinLock;
    Handle->OldIrql = nt_current_thread->irql;
    acquire(SpinLock, HELD_SPIN, __func__, NT_SITE);
}

VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE Handle) {
    NT_IRQL_MIN(DISPATCH_LEVEL, NtRuleIrqlKeDispatchGte);
    release(Handle->LockQueue.Lock, __func__, NT_SITE);
    NT_SWITCH(NT_POINT_SPIN_LOCK, Handle->LockQueue.Lock);
}
