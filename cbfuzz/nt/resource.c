/* Resources: recursive locks for one writer or many readers. */
#include "internal.h"

#define SIGNATURE 0x52455352u /* "RSER" */

static void check(const ERESOURCE *resource, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > APC_LEVEL))
        nt_stop_irql(NtRuleIrqlExApcLte1, site, routine, APC_LEVEL);
    NT_SWITCH(NT_POINT_LOCK, resource);
    if (NT_UNLIKELY(resource->Signature != SIGNATURE))
        nt_stop(NtRuleLockNotInitialized, site, (uintptr_t)resource, 0, routine, "found noise");
}

NTSTATUS ExInitializeResourceLite(PERESOURCE Resource) {
    InitializeListHead(&Resource->SystemResourcesList);
    Resource->Owner = NULL;
    Resource->ExclusiveDepth = Resource->SharedCount = 0;
    Resource->Signature = SIGNATURE;
    return STATUS_SUCCESS;
}

NTSTATUS ExDeleteResourceLite(PERESOURCE Resource) {
    check(Resource, __func__, NT_SITE);
    if (NT_UNLIKELY(Resource->ExclusiveDepth != 0 || Resource->SharedCount != 0))
        nt_stop(NtRuleLockHeldInFreedMemory, NT_SITE, (uintptr_t)Resource, 0, __func__,
                "found it held");
    Resource->Signature = 0;
    return STATUS_SUCCESS;
}

BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait) {
    check(Resource, __func__, NT_SITE);
    if (Resource->SharedCount != 0 ||
        (Resource->ExclusiveDepth != 0 && Resource->Owner != nt_current_thread)) {
        if (!Wait) return FALSE;
        nt_stop(NtRuleResourceRecursive, NT_SITE, (uintptr_t)Resource, 0, __func__,
                "the resource is held shared");
    }
    Resource->Owner = nt_current_thread;
    Resource->ExclusiveDepth++;
    nt_hold(Resource, HELD_RESOURCE, nt_current_thread->irql, NT_SITE);
    return TRUE;
}

BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait) {
    (void)Wait; /* with one thread nobody else can be the writer */
    check(Resource, __func__, NT_SITE);
    if (Resource->ExclusiveDepth != 0)
        Resource->ExclusiveDepth++; /* the owner's: counts as one more of its own */
    else Resource->SharedCount++;
    nt_hold(Resource, HELD_RESOURCE, nt_current_thread->irql, NT_SITE);
    return TRUE;
}

VOID ExReleaseResourceLite(PERESOURCE Resource) {
    check(Resource, __func__, NT_SITE);
    int index = nt_find_held(Resource);
    if (NT_UNLIKELY(index < 0))
        nt_stop(NtRuleLockRelease, NT_SITE, (uintptr_t)Resource, 0, __func__, "found it not held");
    nt_drop_held(index);
    if (Resource->ExclusiveDepth == 0) Resource->SharedCount--;
    else if (--Resource->ExclusiveDepth == 0) Resource->Owner = NULL;
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource) {
    return Resource->ExclusiveDepth != 0 && Resource->Owner == nt_current_thread;
}

ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource) {
    return nt_find_held(Resource) < 0 ? 0
                                      : (ULONG)(Resource->ExclusiveDepth + Resource->SharedCount);
}
