/* Resources: recursive locks for one writer or many readers. How often a thread has one is
 * written down with the thread. */
#include "internal.h"

#define SIGNATURE ((PVOID)(ULONG_PTR)0x52455352) /* "RSER" */

static void check(const ERESOURCE *resource, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlExDispatchLte, site, routine, DISPATCH_LEVEL);
    if (NT_UNLIKELY(resource->Reserved2 != SIGNATURE))
        nt_stop(NtRuleLockNotInitialized, site, (uintptr_t)resource, 0, routine, "found noise");
}

static bool is_exclusive(const ERESOURCE *resource) {
    return (resource->Flag & ResourceOwnedExclusive) != 0;
}

/* How often a thread has it. */
static ULONG count_of(const ERESOURCE *resource, const struct _KTHREAD *thread) {
    ULONG count = 0;
    for (int i = 0; i < thread->held_count; i++)
        count += thread->held[i].lock == resource;
    return count;
}

NTSTATUS ExInitializeResourceLite(PERESOURCE Resource) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlExDispatchLte);
    *Resource = (ERESOURCE){.Reserved2 = SIGNATURE};
    InitializeListHead(&Resource->SystemResourcesList);
    return STATUS_SUCCESS;
}

static void check_free(const ERESOURCE *resource, const char *routine, const void *site) {
    check(resource, routine, site);
    if (NT_UNLIKELY(resource->ActiveCount != 0))
        nt_stop(NtRuleLockHeldInFreedMemory, site, (uintptr_t)resource, 0, routine,
                "found it held");
}

NTSTATUS ExDeleteResourceLite(PERESOURCE Resource) {
    check_free(Resource, __func__, NT_SITE);
    Resource->Reserved2 = NULL;
    return STATUS_SUCCESS;
}

NTSTATUS ExReinitializeResourceLite(PERESOURCE Resource) {
    check_free(Resource, __func__, NT_SITE);
    return ExInitializeResourceLite(Resource);
}

typedef enum { EXCLUSIVE, SHARED, SHARED_FIRST, SHARED_LAST } Mode;

/* Somebody else has it, or waits for it and comes before. */
static bool is_blocked(const ERESOURCE *resource, Mode mode) {
    if (resource->ActiveCount == 0) return false;
    bool own = count_of(resource, nt_current_thread) != 0;
    if (is_exclusive(resource)) return !own;
    if (mode == EXCLUSIVE) return true;
    if (resource->NumberOfExclusiveWaiters == 0 || mode == SHARED_FIRST) return false;
    return mode == SHARED_LAST || !own;
}

static BOOLEAN acquire(PERESOURCE resource, Mode mode, BOOLEAN wait, const char *routine,
                       const void *site) {
    check(resource, routine, site);
    if (NT_UNLIKELY(nt_current_thread->irql > APC_LEVEL))
        nt_stop_irql(NtRuleIrqlExApcLte1, site, routine, APC_LEVEL);
    NT_SWITCH(NT_POINT_LOCK, resource);
    ULONG *waiters =
        mode == EXCLUSIVE ? &resource->NumberOfExclusiveWaiters : &resource->NumberOfSharedWaiters;
    while (is_blocked(resource, mode)) {
        if (!wait) {
            NT_POLL();
            return FALSE;
        }
        if (NT_UNLIKELY(mode == EXCLUSIVE && count_of(resource, nt_current_thread) != 0))
            nt_stop(NtRuleResourceRecursive, site, (uintptr_t)resource, 0, routine,
                    "the resource is held shared by this thread");
        resource->ContentionCount++;
        ++*waiters;
        if (NT_UNLIKELY(!nt_wait_for_lock(resource)))
            nt_stop(NtRuleLockDeadlock, site, (uintptr_t)resource, 0, routine,
                    "the resource is held by a thread that waits, too");
        --*waiters;
    }
    if (mode == EXCLUSIVE) {
        resource->Flag |= ResourceOwnedExclusive;
        resource->OwnerEntry.OwnerThread = (ERESOURCE_THREAD)nt_current_thread;
    }
    resource->ActiveCount++;
    nt_hold(nt_current_thread, resource, HELD_RESOURCE, nt_current_thread->irql, site);
    return TRUE;
}

BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait) {
    return acquire(Resource, EXCLUSIVE, Wait, __func__, NT_SITE);
}

BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait) {
    return acquire(Resource, SHARED, Wait, __func__, NT_SITE);
}

BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait) {
    return acquire(Resource, SHARED_FIRST, Wait, __func__, NT_SITE);
}

BOOLEAN ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait) {
    return acquire(Resource, SHARED_LAST, Wait, __func__, NT_SITE);
}

static void release(PERESOURCE resource, const char *routine, const void *site) {
    check(resource, routine, site);
    int index = nt_find_held(resource);
    if (NT_UNLIKELY(index < 0))
        nt_stop(NtRuleLockRelease, site, (uintptr_t)resource, 0, routine, "found it not held");
    nt_drop_held(index);
    if (--resource->ActiveCount == 0) {
        resource->OwnerEntry.OwnerThread = 0;
        resource->Flag = 0;
    }
    nt_wake(resource);
    NT_SWITCH(NT_POINT_LOCK, resource);
}

VOID ExReleaseResourceLite(PERESOURCE Resource) {
    release(Resource, __func__, NT_SITE);
}

VOID ExConvertExclusiveToSharedLite(PERESOURCE Resource) {
    check(Resource, __func__, NT_SITE);
    if (NT_UNLIKELY(!ExIsResourceAcquiredExclusiveLite(Resource)))
        nt_stop(NtRuleLockRelease, NT_SITE, (uintptr_t)Resource, 0, __func__,
                "found it not held exclusively");
    Resource->OwnerEntry.OwnerThread = 0;
    Resource->Flag = 0;
    nt_wake(Resource);
}

PVOID ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource) {
    KeEnterCriticalRegion();
    acquire(Resource, EXCLUSIVE, TRUE, __func__, NT_SITE);
    return NULL;
}

PVOID ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource) {
    KeEnterCriticalRegion();
    acquire(Resource, SHARED, TRUE, __func__, NT_SITE);
    return NULL;
}

PVOID ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(PERESOURCE Resource) {
    KeEnterCriticalRegion();
    acquire(Resource, SHARED_LAST, TRUE, __func__, NT_SITE);
    return NULL;
}

VOID ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource) {
    release(Resource, __func__, NT_SITE);
    KeLeaveCriticalRegion();
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource) {
    NT_POLL();
    return is_exclusive(Resource) && count_of(Resource, nt_current_thread) != 0;
}

ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource) {
    NT_POLL();
    return count_of(Resource, nt_current_thread);
}

ULONG ExGetExclusiveWaiterCount(PERESOURCE Resource) {
    return Resource->NumberOfExclusiveWaiters;
}

ULONG ExGetSharedWaiterCount(PERESOURCE Resource) {
    return Resource->NumberOfSharedWaiters;
}
