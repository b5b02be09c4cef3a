/* Lookaside lists without a cache: each entry is pool of its own, so that a use
 * after free is seen. */
#include "internal.h"

#define SIGNATURE 0x4b4f4f4cu /* "LOOK" */

static void initialize(GENERAL_LOOKASIDE *list, POOL_TYPE type, PALLOCATE_FUNCTION allocate,
                       PFREE_FUNCTION release, ULONG flags, SIZE_T size, ULONG tag) {
    list->Allocate = allocate;
    list->Free = release;
    list->Size = (ULONG)size;
    list->Tag = tag;
    list->Type = (POOL_TYPE)(type | (flags & POOL_RAISE_IF_ALLOCATION_FAILURE));
    list->Future[1] = SIGNATURE;
}

static void check(const GENERAL_LOOKASIDE *list, const char *routine, const void *site) {
    if (NT_UNLIKELY(list->Future[1] != SIGNATURE))
        nt_stop(NtRuleLockNotInitialized, site, (uintptr_t)list, 0, routine, "found noise");
}

static PVOID allocate(GENERAL_LOOKASIDE *list, const char *routine, const void *site) {
    check(list, routine, site);
    if (list->Allocate != NULL) return list->Allocate(list->Type, list->Size, list->Tag);
    uint8_t limit = (list->Type & PagedPool) ? APC_LEVEL : DISPATCH_LEVEL;
    if (NT_UNLIKELY(nt_current_thread->irql > limit))
        nt_stop_irql(NtRuleIrqlExAllocatePool, site, routine, limit);
    NT_SWITCH(NT_POINT_POOL, list);
    return nt_pool_allocate((list->Type & PagedPool) ? BLOCK_PAGED : BLOCK_NONPAGED, list->Size,
                            list->Tag, site);
}

static void release(GENERAL_LOOKASIDE *list, PVOID entry, const char *routine, const void *site) {
    check(list, routine, site);
    NT_SWITCH(NT_POINT_POOL, list);
    if (list->Free != NULL) list->Free(entry);
    else nt_pool_free(entry, list->Tag, routine, site);
}

VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List, PALLOCATE_FUNCTION Allocate,
                                     PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
                                     USHORT Depth) {
    (void)Depth;
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    initialize(&List->L, NonPagedPool, Allocate, Free, Flags, Size, Tag);
}

VOID ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST List, PALLOCATE_FUNCTION Allocate,
                                    PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
                                    USHORT Depth) {
    (void)Depth;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    initialize(&List->L, PagedPool, Allocate, Free, Flags, Size, Tag);
}

VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List) {
    check(&List->L, __func__, NT_SITE);
    List->L.Future[1] = 0;
}

VOID ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST List) {
    check(&List->L, __func__, NT_SITE);
    List->L.Future[1] = 0;
}

PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List) {
    return allocate(&List->L, __func__, NT_SITE);
}

VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List, PVOID Entry) {
    release(&List->L, Entry, __func__, NT_SITE);
}

PVOID ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST List) {
    return allocate(&List->L, __func__, NT_SITE);
}

VOID ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST List, PVOID Entry) {
    release(&List->L, Entry, __func__, NT_SITE);
}
