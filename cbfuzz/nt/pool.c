/* Pool: what ExAllocatePool and ExFreePool promise, on blocks of the arena. */
#include "internal.h"

/* The kind of a POOL_TYPE: its lowest bit says paged. */
static NtBlockKind kind_of(POOL_TYPE type) {
    return (type & PagedPool) ? BLOCK_PAGED : BLOCK_NONPAGED;
}

static void *allocate(NtBlockKind kind, size_t size, uint32_t tag, bool zero, bool raise,
                      const char *routine, const void *site) {
    uint8_t limit = kind == BLOCK_PAGED ? APC_LEVEL : DISPATCH_LEVEL;
    if (NT_UNLIKELY(nt_current_thread->irql > limit))
        nt_stop_irql(NtRuleIrqlExAllocatePool, site, routine, limit);
    if (NT_UNLIKELY(size == 0)) nt_stop(NtRulePoolZeroSize, site, 0, tag, routine, "found 0");
    if (NT_UNLIKELY(tag == 0)) nt_stop(NtRulePoolBadTag, site, 0, size, routine, "found 0");
    NT_SWITCH(NT_POINT_POOL, NULL);
    void *memory = nt_pool_allocate(kind, size, tag, site);
    if (NT_UNLIKELY(memory == NULL && raise))
        nt_stop(NtRulePoolRaise, site, size, tag, routine, "%zu bytes failed", size);
    if (memory != NULL && zero) RtlZeroMemory(memory, size);
    return memory;
}

PVOID ExAllocatePoolWithTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag) {
    return allocate(kind_of(Type), Size, Tag, Type & POOL_ZERO_ALLOCATION,
                    Type & POOL_RAISE_IF_ALLOCATION_FAILURE, __func__, NT_SITE);
}

PVOID ExAllocatePoolWithTagPriority(POOL_TYPE Type, SIZE_T Size, ULONG Tag,
                                    EX_POOL_PRIORITY Priority) {
    (void)Priority;
    return allocate(kind_of(Type), Size, Tag, Type & POOL_ZERO_ALLOCATION,
                    Type & POOL_RAISE_IF_ALLOCATION_FAILURE, __func__, NT_SITE);
}

PVOID ExAllocatePoolWithQuotaTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag) {
    return allocate(kind_of(Type), Size, Tag, Type & POOL_ZERO_ALLOCATION,
                    !(Type & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE), __func__, NT_SITE);
}

PVOID ExAllocatePool(POOL_TYPE Type, SIZE_T Size) {
    return allocate(kind_of(Type), Size, 'enoN', false, Type & POOL_RAISE_IF_ALLOCATION_FAILURE,
                    __func__, NT_SITE);
}

PVOID ExAllocatePoolZero(POOL_TYPE Type, SIZE_T Size, ULONG Tag) {
    return allocate(kind_of(Type), Size, Tag, true, Type & POOL_RAISE_IF_ALLOCATION_FAILURE,
                    __func__, NT_SITE);
}

PVOID ExAllocatePoolUninitialized(POOL_TYPE Type, SIZE_T Size, ULONG Tag) {
    return allocate(kind_of(Type), Size, Tag, false, Type & POOL_RAISE_IF_ALLOCATION_FAILURE,
                    __func__, NT_SITE);
}

PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T Size, ULONG Tag) {
    const POOL_FLAGS kinds = POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED;
    POOL_FLAGS kind = Flags & kinds;
    if (kind == 0 || (kind & (kind - 1)) != 0) /* exactly one */
        return NULL;
    return allocate(kind == POOL_FLAG_PAGED ? BLOCK_PAGED : BLOCK_NONPAGED, Size, Tag,
                    !(Flags & POOL_FLAG_UNINITIALIZED), Flags & POOL_FLAG_RAISE_ON_FAILURE,
                    __func__, NT_SITE);
}

VOID ExFreePool(PVOID Memory) {
    NT_SWITCH(NT_POINT_POOL, Memory);
    nt_pool_free(Memory, 0, __func__, NT_SITE);
}

VOID ExFreePoolWithTag(PVOID Memory, ULONG Tag) {
    NT_SWITCH(NT_POINT_POOL, Memory);
    nt_pool_free(Memory, Tag, __func__, NT_SITE);
}
