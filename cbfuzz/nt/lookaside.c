/* Lookaside lists without a cache: each entry is pool of its own, so that a use after free is
 * seen. All three kinds have one structure. */
#include "internal.h"

#define SIGNATURE 0x4b4f4f4cu /* "LOOK" */
#define RAISE POOL_RAISE_IF_ALLOCATION_FAILURE

static void initialize(GENERAL_LOOKASIDE_POOL *list, POOL_TYPE type, SIZE_T size, ULONG tag) {
    *list = (GENERAL_LOOKASIDE_POOL){.Type = type,
                                     .Size = (ULONG)size,
                                     .Tag = tag,
                                     .MaximumDepth = 256,
                                     .Future = {0, SIGNATURE}};
    InitializeListHead(&list->ListEntry);
}

static void check(const GENERAL_LOOKASIDE_POOL *list, const char *routine, const void *site) {
    if (NT_UNLIKELY(list->Future[1] != SIGNATURE))
        nt_stop(NtRuleLockNotInitialized, site, (uintptr_t)list, 0, routine, "found noise");
}

static PVOID take(GENERAL_LOOKASIDE_POOL *list, const char *routine, const void *site) {
    bool paged = (list->Type & PagedPool) != 0;
    uint8_t limit = paged ? APC_LEVEL : DISPATCH_LEVEL;
    if (NT_UNLIKELY(nt_current_thread->irql > limit))
        nt_stop_irql(NtRuleIrqlExAllocatePool, site, routine, limit);
    NT_SWITCH(NT_POINT_POOL, list);
    PVOID entry =
        nt_pool_allocate(paged ? BLOCK_PAGED : BLOCK_NONPAGED, list->Size, list->Tag, site);
    if (NT_UNLIKELY(entry == NULL && (list->Type & RAISE)))
        nt_stop(NtRulePoolRaise, site, list->Size, list->Tag, routine, "%u bytes failed",
                list->Size);
    return entry;
}

static PVOID allocate(GENERAL_LOOKASIDE_POOL *list, const char *routine, const void *site) {
    check(list, routine, site);
    list->TotalAllocates++;
    list->AllocateMisses++;
    if (list->Allocate != NULL) return list->Allocate(list->Type, list->Size, list->Tag);
    return take(list, routine, site);
}

static void release(GENERAL_LOOKASIDE_POOL *list, PVOID entry, const char *routine,
                    const void *site) {
    check(list, routine, site);
    NT_SWITCH(NT_POINT_POOL, list);
    list->TotalFrees++;
    list->FreeMisses++;
    if (list->Free != NULL) list->Free(entry);
    else nt_pool_free(entry, list->Tag, routine, site);
}

static void end(GENERAL_LOOKASIDE_POOL *list, const char *routine, const void *site) {
    check(list, routine, site);
    list->Future[1] = 0;
}

#define POOL_OF(list) ((GENERAL_LOOKASIDE_POOL *)&(list)->L)

VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List, PALLOCATE_FUNCTION Allocate,
                                     PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
                                     USHORT Depth) {
    (void)Depth;
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    initialize(POOL_OF(List), (POOL_TYPE)(NonPagedPool | (Flags & RAISE)), Size, Tag);
    List->L.Allocate = Allocate;
    List->L.Free = Free;
}

VOID ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST List, PALLOCATE_FUNCTION Allocate,
                                    PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
                                    USHORT Depth) {
    (void)Depth;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    initialize(POOL_OF(List), (POOL_TYPE)(PagedPool | (Flags & RAISE)), Size, Tag);
    List->L.Allocate = Allocate;
    List->L.Free = Free;
}

VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    end(POOL_OF(List), __func__, NT_SITE);
}

VOID ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST List) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlExApcLte1);
    end(POOL_OF(List), __func__, NT_SITE);
}

PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List) {
    return allocate(POOL_OF(List), __func__, NT_SITE);
}

VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List, PVOID Entry) {
    release(POOL_OF(List), Entry, __func__, NT_SITE);
}

PVOID ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST List) {
    return allocate(POOL_OF(List), __func__, NT_SITE);
}

VOID ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST List, PVOID Entry) {
    release(POOL_OF(List), Entry, __func__, NT_SITE);
}

/* ---- of the newer kind: the allocating routine gets the list as well ---- */

NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate,
                                     PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG Flags,
                                     SIZE_T Size, ULONG Tag, USHORT Depth) {
    const ULONG both =
        EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL | EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE;
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    if (Depth != 0) return STATUS_INVALID_PARAMETER_8;
    if ((Flags & ~both) != 0 || Flags == both) return STATUS_INVALID_PARAMETER_5;
    ULONG raise = (Flags & EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL) ? RAISE : 0;
    initialize(&Lookaside->L, (POOL_TYPE)(PoolType | raise), Size, Tag);
    Lookaside->L.AllocateEx = Allocate;
    Lookaside->L.FreeEx = Free;
    return STATUS_SUCCESS;
}

VOID ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    end(&Lookaside->L, __func__, NT_SITE);
}

VOID ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlKeDispatchLte);
    check(&Lookaside->L, __func__, NT_SITE); /* it has nothing */
}

PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
    GENERAL_LOOKASIDE_POOL *list = &Lookaside->L;
    check(list, __func__, NT_SITE);
    list->TotalAllocates++;
    list->AllocateMisses++;
    if (list->AllocateEx != NULL)
        return list->AllocateEx(list->Type, list->Size, list->Tag, Lookaside);
    return take(list, __func__, NT_SITE);
}

VOID ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry) {
    GENERAL_LOOKASIDE_POOL *list = &Lookaside->L;
    check(list, __func__, NT_SITE);
    NT_SWITCH(NT_POINT_POOL, list);
    list->TotalFrees++;
    list->FreeMisses++;
    if (list->FreeEx != NULL) list->FreeEx(Entry, Lookaside);
    else nt_pool_free(Entry, list->Tag, __func__, NT_SITE);
}
