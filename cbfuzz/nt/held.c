/* Which locks the current thread holds, youngest last. */
#include "internal.h"

static bool is_spin(NtHeldKind kind) {
    return kind == HELD_SPIN || kind == HELD_SPIN_RAISED;
}

void nt_hold(struct _KTHREAD *thread, const volatile void *lock, NtHeldKind kind, uint8_t irql,
             const void *site) {
    if (NT_UNLIKELY(thread->held_count == NT_HELD_LOCKS))
        nt_stop(NtRuleTooManyLocks, site, (uintptr_t)lock, 0, "lock", "found one more");
    thread->held[thread->held_count++] = (NtHeld){lock, (uint8_t)kind, irql};
    if (is_spin(kind)) thread->spin_locks++;
    else thread->mutexes++;
}

int nt_find_held(const volatile void *lock) {
    const struct _KTHREAD *thread = nt_current_thread;
    for (int i = thread->held_count - 1; i >= 0; i--)
        if (thread->held[i].lock == lock) return i;
    return -1;
}

void nt_drop_held(int index) {
    struct _KTHREAD *thread = nt_current_thread;
    if (is_spin(thread->held[index].kind)) thread->spin_locks--;
    else thread->mutexes--;
    thread->held_count--;
    for (int i = index; i < thread->held_count; i++)
        thread->held[i] = thread->held[i + 1];
}

void nt_check_no_lock_in(const void *memory, size_t size, const char *routine, const void *site) {
    const struct _KTHREAD *thread = nt_current_thread;
    for (int i = 0; i < thread->held_count; i++)
        if ((uintptr_t)thread->held[i].lock - (uintptr_t)memory < size)
            nt_stop(NtRuleLockHeldInFreedMemory, site, (uintptr_t)thread->held[i].lock,
                    (uintptr_t)memory, routine, "found one");
}
