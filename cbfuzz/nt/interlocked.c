/* Interlocked operations and lists: one atomic step, one scheduling point each. */
#include "internal.h"

#define ORDER __ATOMIC_SEQ_CST

#define OPERATION(name, type, expression)                                                          \
    type name {                                                                                    \
        NT_SWITCH(NT_POINT_INTERLOCKED, Target);                                                   \
        NT_POLL();                                                                                 \
        return expression;                                                                         \
    }
#define COMPARE_EXCHANGE(name, type)                                                               \
    type name(type volatile *Target, type Value, type Comparand) {                                 \
        NT_SWITCH(NT_POINT_INTERLOCKED, Target);                                                   \
        NT_POLL();                                                                                 \
        __atomic_compare_exchange_n(Target, &Comparand, Value, false, ORDER, ORDER);               \
        return Comparand;                                                                          \
    }
#define WIDTH(type, suffix)                                                                        \
    OPERATION(InterlockedIncrement##suffix(type volatile *Target), type,                           \
              __atomic_add_fetch(Target, 1, ORDER))                                                \
    OPERATION(InterlockedDecrement##suffix(type volatile *Target), type,                           \
              __atomic_sub_fetch(Target, 1, ORDER))                                                \
    OPERATION(InterlockedExchange##suffix(type volatile *Target, type Value), type,                \
              __atomic_exchange_n(Target, Value, ORDER))                                           \
    OPERATION(InterlockedExchangeAdd##suffix(type volatile *Target, type Value), type,             \
              __atomic_fetch_add(Target, Value, ORDER))                                            \
    OPERATION(InterlockedAnd##suffix(type volatile *Target, type Value), type,                     \
              __atomic_fetch_and(Target, Value, ORDER))                                            \
    OPERATION(InterlockedOr##suffix(type volatile *Target, type Value), type,                      \
              __atomic_fetch_or(Target, Value, ORDER))                                             \
    OPERATION(InterlockedXor##suffix(type volatile *Target, type Value), type,                     \
              __atomic_fetch_xor(Target, Value, ORDER))                                            \
    COMPARE_EXCHANGE(InterlockedCompareExchange##suffix, type)

WIDTH(LONG, )
WIDTH(SHORT, 16)
WIDTH(LONG64, 64)
OPERATION(RtlpInterlockedExchangePointer(PVOID volatile *Target, PVOID Value), PVOID,
          __atomic_exchange_n(Target, Value, ORDER))
COMPARE_EXCHANGE(RtlpInterlockedCompareExchangePointer, PVOID)

BOOLEAN InterlockedBitTestAndSet(LONG volatile *Base, LONG Bit) {
    LONG mask = (LONG)(1u << (Bit & 31));
    return (InterlockedOr(Base + (Bit >> 5), mask) & mask) != 0;
}

BOOLEAN InterlockedBitTestAndReset(LONG volatile *Base, LONG Bit) {
    LONG mask = (LONG)(1u << (Bit & 31));
    return (InterlockedAnd(Base + (Bit >> 5), ~mask) & mask) != 0;
}

BOOLEAN InterlockedBitTestAndSet64(LONG64 volatile *Base, LONG64 Bit) {
    LONG64 mask = (LONG64)(1ull << (Bit & 63));
    return (InterlockedOr64(Base + (Bit >> 6), mask) & mask) != 0;
}

BOOLEAN InterlockedBitTestAndReset64(LONG64 volatile *Base, LONG64 Bit) {
    LONG64 mask = (LONG64)(1ull << (Bit & 63));
    return (InterlockedAnd64(Base + (Bit >> 6), ~mask) & mask) != 0;
}

static PSLIST_ENTRY first_of(const SLIST_HEADER *head) {
    return (PSLIST_ENTRY)(ULONG_PTR)(head->HeaderX64.NextEntry << 4);
}

static void set_first(PSLIST_HEADER head, PSLIST_ENTRY entry, ULONGLONG depth) {
    head->HeaderX64.NextEntry = (ULONG_PTR)entry >> 4;
    head->HeaderX64.Depth = depth;
    head->HeaderX64.Sequence++;
}

static void check_alignment(const void *entry, const char *routine, const void *site) {
    if (NT_UNLIKELY((ULONG_PTR)entry % MEMORY_ALLOCATION_ALIGNMENT != 0))
        nt_stop(NtRuleSListAlignment, site, (uintptr_t)entry, 0, routine, "found %p", entry);
}

VOID InitializeSListHead(PSLIST_HEADER Head) {
    check_alignment(Head, __func__, NT_SITE);
    *Head = (SLIST_HEADER){{0, 0}};
    Head->HeaderX64.HeaderType = 1;
}

PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER Head, PSLIST_ENTRY Entry) {
    NT_SWITCH(NT_POINT_INTERLOCKED, Head);
    check_alignment(Entry, __func__, NT_SITE);
    PSLIST_ENTRY old = first_of(Head);
    Entry->Next = old;
    set_first(Head, Entry, Head->HeaderX64.Depth + 1);
    return old;
}

PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER Head) {
    NT_SWITCH(NT_POINT_INTERLOCKED, Head);
    PSLIST_ENTRY entry = first_of(Head);
    if (entry != NULL) set_first(Head, entry->Next, Head->HeaderX64.Depth - 1);
    return entry;
}

PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER Head) {
    NT_SWITCH(NT_POINT_INTERLOCKED, Head);
    PSLIST_ENTRY entry = first_of(Head);
    set_first(Head, NULL, 0);
    return entry;
}

/* These take the caller's spin lock at any level. It is never seen held by another of them:
 * nothing switches threads in between. Somebody who took it with KeAcquireSpinLock, too, is not
 * prepared for the level at which these run. */
static void check_lock(PKSPIN_LOCK lock, const char *routine, const void *site) {
    NT_SWITCH(NT_POINT_SPIN_LOCK, lock);
    if (NT_UNLIKELY(*lock != 0)) nt_spin_wait(lock, routine, site);
}

PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY Head, PLIST_ENTRY Entry, PKSPIN_LOCK Lock) {
    check_lock(Lock, __func__, NT_SITE);
    PLIST_ENTRY old = IsListEmpty(Head) ? NULL : Head->Flink;
    InsertHeadList(Head, Entry);
    return old;
}

PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY Head, PLIST_ENTRY Entry, PKSPIN_LOCK Lock) {
    check_lock(Lock, __func__, NT_SITE);
    PLIST_ENTRY old = IsListEmpty(Head) ? NULL : Head->Blink;
    InsertTailList(Head, Entry);
    return old;
}

PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY Head, PKSPIN_LOCK Lock) {
    check_lock(Lock, __func__, NT_SITE);
    return IsListEmpty(Head) ? NULL : RemoveHeadList(Head);
}

PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY Head, PSINGLE_LIST_ENTRY Entry,
                                              PKSPIN_LOCK Lock) {
    check_lock(Lock, __func__, NT_SITE);
    PSINGLE_LIST_ENTRY old = Head->Next;
    PushEntryList(Head, Entry);
    return old;
}

PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY Head, PKSPIN_LOCK Lock) {
    check_lock(Lock, __func__, NT_SITE);
    return PopEntryList(Head);
}

ULONG ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock) {
    check_lock(Lock, __func__, NT_SITE);
    ULONG old = *Addend;
    *Addend += Increment;
    return old;
}

LARGE_INTEGER ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment,
                                           PKSPIN_LOCK Lock) {
    check_lock(Lock, __func__, NT_SITE);
    LARGE_INTEGER old = *Addend;
    Addend->QuadPart += Increment.QuadPart;
    return old;
}
