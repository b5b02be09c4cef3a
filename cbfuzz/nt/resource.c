/* Resources: recursive locks for one writer or many readers. */
#include "internal.h"

#define SIGNATURE ((PVOID)(ULONG_PTR)0x52455352) /* "RSER" */

static void check(const ERESOURCE *resource, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > APC_LEVEL))
        nt_stop_irql(NtRuleIrqlExApcLte1, site, routine, APC_LEVEL);
    NT_SWITCH(NT_POINT_LOCK, resource);
    if (NT_UNLIKELY(resource->Reserved2 != SIGNATURE))
        nt_stop(NtRuleLockNotInitialized, site, (uintptr_t)resource, 0, routine, "found noise");
}

static bool is_exclusive(const ERESOURCE *resource) {
    return (resource->Flag & ResourceOwnedExclusive) != 0;
}

NTSTATUS ExInitializeResourceLite(PERESOURCE Resource) {
    *Resource = (ERESOURCE){.ActiveCount = 0};
    InitializeListHead(&Resource->SystemResourcesList);
    Resource->Reserved2 = SIGNATURE;
    return STATUS_SUCCESS;
}

NTSTATUS ExDeleteResourceLite(PERESOURCE Resource) {
    check(Resource, __func__, NT_SITE);
    if (NT_UNLIKELY(Resource->ActiveCount != 0))
        nt_stop(NtRuleLockHeldInFreedMemory, NT_SITE, (uintptr_t)Resource, 0, __func__,
                "found it held");
    Resource->Reserved2 = NULL;
    return STATUS_SUCCESS;
}

BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait) {
    check(Resource, __func__, NT_SITE);
    if (Resource->ActiveCount != 0 && !is_exclusive(Resource)) {
        if (!Wait) return FALSE;
        nt_stop(NtRuleResourceRecursive, NT_SITE, (uintptr_t)Resource, 0, __func__,
                "the resource is held shared");
    }
    Resource->OwnerEntry.OwnerThread = (ERESOURCE_THREAD)nt_current_thread;
    Resource->Flag |= ResourceOwnedExclusive;
    Resource->ActiveCount++;
    nt_hold(Resource, HELD_RESOURCE, nt_current_thread->irql, NT_SITE);
    return TRUE;
}

BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait) {
    (void)Wait; /* with one thread nobody else can be the writer */
    check(Resource, __func__, NT_SITE);
    Resource->ActiveCount++;
    nt_hold(Resource, HELD_RESOURCE, nt_current_thread->irql, NT_SITE);
    return TRUE;
}

VOID ExReleaseResourceLite(PERESOURCE Resource) {
    check(Resource, __func__, NT_SITE);
    int index = nt_find_held(Resource);
    if (NT_UNLIKELY(index < 0))
        nt_stop(NtRuleLockRelease, NT_SITE, (uintptr_t)Resource, 0, __func__, "found it not held");
    nt_drop_held(index);
    if (--Resource->ActiveCount == 0) {
        Resource->OwnerEntry.OwnerThread = 0;
        Resource->Flag = 0;
    }
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource) {
    return is_exclusive(Resource) && nt_find_held(Resource) >= 0;
}

ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource) {
    return nt_find_held(Resource) < 0 ? 0 : (ULONG)Resource->ActiveCount;
}
