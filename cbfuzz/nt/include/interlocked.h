/* Interlocked operations: each is one atomic, sequentially consistent step and a
 * point at which a scheduler may switch threads. Any IRQL. (wdm) */
#ifndef CBFUZZ_INTERLOCKED_H
#define CBFUZZ_INTERLOCKED_H

#include "ntdef.h"

EXTERN_C_START

/* Increment and Decrement return the new value, everything else the old one. */
NTKERNELAPI LONG NTAPI InterlockedIncrement(LONG volatile *Target);
NTKERNELAPI LONG NTAPI InterlockedDecrement(LONG volatile *Target);
NTKERNELAPI LONG NTAPI InterlockedExchange(LONG volatile *Target, LONG Value);
NTKERNELAPI LONG NTAPI InterlockedExchangeAdd(LONG volatile *Target, LONG Value);
NTKERNELAPI LONG NTAPI InterlockedCompareExchange(LONG volatile *Target, LONG Value,
                                                  LONG Comparand);
NTKERNELAPI LONG NTAPI InterlockedAnd(LONG volatile *Target, LONG Value);
NTKERNELAPI LONG NTAPI InterlockedOr(LONG volatile *Target, LONG Value);
NTKERNELAPI LONG NTAPI InterlockedXor(LONG volatile *Target, LONG Value);

NTKERNELAPI LONG64 NTAPI InterlockedIncrement64(LONG64 volatile *Target);
NTKERNELAPI LONG64 NTAPI InterlockedDecrement64(LONG64 volatile *Target);
NTKERNELAPI LONG64 NTAPI InterlockedExchange64(LONG64 volatile *Target, LONG64 Value);
NTKERNELAPI LONG64 NTAPI InterlockedExchangeAdd64(LONG64 volatile *Target, LONG64 Value);
NTKERNELAPI LONG64 NTAPI InterlockedCompareExchange64(LONG64 volatile *Target, LONG64 Value,
                                                      LONG64 Comparand);
NTKERNELAPI LONG64 NTAPI InterlockedAnd64(LONG64 volatile *Target, LONG64 Value);
NTKERNELAPI LONG64 NTAPI InterlockedOr64(LONG64 volatile *Target, LONG64 Value);
NTKERNELAPI LONG64 NTAPI InterlockedXor64(LONG64 volatile *Target, LONG64 Value);

NTKERNELAPI SHORT NTAPI InterlockedIncrement16(SHORT volatile *Target);
NTKERNELAPI SHORT NTAPI InterlockedDecrement16(SHORT volatile *Target);
NTKERNELAPI SHORT NTAPI InterlockedExchange16(SHORT volatile *Target, SHORT Value);
NTKERNELAPI SHORT NTAPI InterlockedExchangeAdd16(SHORT volatile *Target, SHORT Value);
NTKERNELAPI SHORT NTAPI InterlockedCompareExchange16(SHORT volatile *Target, SHORT Value,
                                                     SHORT Comparand);
NTKERNELAPI SHORT NTAPI InterlockedAnd16(SHORT volatile *Target, SHORT Value);
NTKERNELAPI SHORT NTAPI InterlockedOr16(SHORT volatile *Target, SHORT Value);
NTKERNELAPI SHORT NTAPI InterlockedXor16(SHORT volatile *Target, SHORT Value);

/* Sets or clears one bit, returns what it was. */
NTKERNELAPI BOOLEAN NTAPI InterlockedBitTestAndSet(LONG volatile *Base, LONG Bit);
NTKERNELAPI BOOLEAN NTAPI InterlockedBitTestAndReset(LONG volatile *Base, LONG Bit);
NTKERNELAPI BOOLEAN NTAPI InterlockedBitTestAndSet64(LONG64 volatile *Base, LONG64 Bit);
NTKERNELAPI BOOLEAN NTAPI InterlockedBitTestAndReset64(LONG64 volatile *Base, LONG64 Bit);

NTKERNELAPI PVOID NTAPI RtlpInterlockedExchangePointer(PVOID volatile *Target, PVOID Value);
NTKERNELAPI PVOID NTAPI RtlpInterlockedCompareExchangePointer(PVOID volatile *Target, PVOID Value,
                                                              PVOID Comparand);
#define InterlockedExchangePointer(t, v)                                                           \
    RtlpInterlockedExchangePointer((PVOID volatile *)(t), (PVOID)(v))
#define InterlockedCompareExchangePointer(t, v, c)                                                 \
    RtlpInterlockedCompareExchangePointer((PVOID volatile *)(t), (PVOID)(v), (PVOID)(c))
#define InterlockedAdd(t, v) (InterlockedExchangeAdd((t), (v)) + (v))
#define InterlockedAdd64(t, v) (InterlockedExchangeAdd64((t), (v)) + (v))
#define InterlockedExchangeAddSizeT(t, v)                                                          \
    ((SIZE_T)InterlockedExchangeAdd64((LONG64 volatile *)(t), (LONG64)(v)))
#define InterlockedIncrementSizeT(t) ((SIZE_T)InterlockedIncrement64((LONG64 volatile *)(t)))
#define InterlockedDecrementSizeT(t) ((SIZE_T)InterlockedDecrement64((LONG64 volatile *)(t)))
#define RtlInterlockedSetBits(f, b) InterlockedOr((PLONG)(f), (LONG)(b))
#define RtlInterlockedAndBits(f, b) InterlockedAnd((PLONG)(f), (LONG)(b))
#define RtlInterlockedClearBits(f, b) RtlInterlockedAndBits((f), ~(b))
#define RtlInterlockedXorBits(f, b) InterlockedXor((PLONG)(f), (LONG)(b))
#define RtlInterlockedSetBitsDiscardReturn(f, b) ((VOID)RtlInterlockedSetBits((f), (b)))
#define RtlInterlockedClearBitsDiscardReturn(f, b) ((VOID)RtlInterlockedClearBits((f), (b)))

/* With less order, which a processor may make nothing of; and as the compiler's own. */
#define InterlockedIncrementAcquire(t) InterlockedIncrement(t)
#define InterlockedIncrementRelease(t) InterlockedIncrement(t)
#define InterlockedIncrementNoFence(t) InterlockedIncrement(t)
#define InterlockedDecrementAcquire(t) InterlockedDecrement(t)
#define InterlockedDecrementRelease(t) InterlockedDecrement(t)
#define InterlockedDecrementNoFence(t) InterlockedDecrement(t)
#define InterlockedExchangeAcquire(t, v) InterlockedExchange((t), (v))
#define InterlockedExchangeNoFence(t, v) InterlockedExchange((t), (v))
#define InterlockedExchangeAddAcquire(t, v) InterlockedExchangeAdd((t), (v))
#define InterlockedExchangeAddRelease(t, v) InterlockedExchangeAdd((t), (v))
#define InterlockedExchangeAddNoFence(t, v) InterlockedExchangeAdd((t), (v))
#define InterlockedCompareExchangeAcquire(t, v, c) InterlockedCompareExchange((t), (v), (c))
#define InterlockedCompareExchangeRelease(t, v, c) InterlockedCompareExchange((t), (v), (c))
#define InterlockedCompareExchangeNoFence(t, v, c) InterlockedCompareExchange((t), (v), (c))
#define InterlockedCompareExchange64Acquire(t, v, c) InterlockedCompareExchange64((t), (v), (c))
#define InterlockedCompareExchange64Release(t, v, c) InterlockedCompareExchange64((t), (v), (c))
#define InterlockedCompareExchange64NoFence(t, v, c) InterlockedCompareExchange64((t), (v), (c))
#define InterlockedExchangePointerAcquire(t, v) InterlockedExchangePointer((t), (v))
#define InterlockedExchangePointerNoFence(t, v) InterlockedExchangePointer((t), (v))
#define InterlockedCompareExchangePointerAcquire(t, v, c)                                          \
    InterlockedCompareExchangePointer((t), (v), (c))
#define InterlockedCompareExchangePointerRelease(t, v, c)                                          \
    InterlockedCompareExchangePointer((t), (v), (c))
#define InterlockedCompareExchangePointerNoFence(t, v, c)                                          \
    InterlockedCompareExchangePointer((t), (v), (c))
#define _InterlockedIncrement(t) InterlockedIncrement(t)
#define _InterlockedDecrement(t) InterlockedDecrement(t)
#define _InterlockedExchange(t, v) InterlockedExchange((t), (v))
#define _InterlockedExchangeAdd(t, v) InterlockedExchangeAdd((t), (v))
#define _InterlockedCompareExchange(t, v, c) InterlockedCompareExchange((t), (v), (c))
#define _InterlockedCompareExchange64(t, v, c) InterlockedCompareExchange64((t), (v), (c))
#define _InterlockedExchangePointer(t, v) InterlockedExchangePointer((t), (v))
#define _InterlockedCompareExchangePointer(t, v, c) InterlockedCompareExchangePointer((t), (v), (c))
#define _InterlockedAnd(t, v) InterlockedAnd((t), (v))
#define _InterlockedOr(t, v) InterlockedOr((t), (v))
#define _InterlockedXor(t, v) InterlockedXor((t), (v))

/* Plain loads and stores that a compiler must not tear or move. */
#define ReadAcquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define ReadNoFence(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define ReadPointerAcquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define ReadPointerNoFence(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define WriteRelease(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define WriteNoFence(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define WritePointerRelease(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define WritePointerNoFence(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define ReadAcquire64(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define ReadNoFence64(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define ReadULongAcquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define ReadULongPtrAcquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define WriteRelease64(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* Sequenced singly linked lists. */
typedef struct DECLSPEC_ALIGN(16) _SLIST_ENTRY {
    struct _SLIST_ENTRY *Next;
} SLIST_ENTRY, *PSLIST_ENTRY;
typedef union DECLSPEC_ALIGN(16) _SLIST_HEADER {
    struct {
        ULONGLONG Alignment;
        ULONGLONG Region;
    };
    struct {
        ULONGLONG Depth : 16;
        ULONGLONG Sequence : 48;
        ULONGLONG HeaderType : 1;
        ULONGLONG Reserved : 3;
        ULONGLONG NextEntry : 60; /* the address of the first entry, which is aligned to 16 */
    } HeaderX64;
} SLIST_HEADER, *PSLIST_HEADER;

NTKERNELAPI VOID NTAPI InitializeSListHead(PSLIST_HEADER Head);
/* Pushes; the entry that was first before. */
NTKERNELAPI PSLIST_ENTRY NTAPI InterlockedPushEntrySList(PSLIST_HEADER Head, PSLIST_ENTRY Entry);
/* Pops the first one, or NULL. */
NTKERNELAPI PSLIST_ENTRY NTAPI InterlockedPopEntrySList(PSLIST_HEADER Head);
/* Takes all of them. */
NTKERNELAPI PSLIST_ENTRY NTAPI InterlockedFlushSList(PSLIST_HEADER Head);
#define ExInitializeSListHead(h) InitializeSListHead(h)
#define ExInterlockedPushEntrySList(h, e, l) InterlockedPushEntrySList((h), (e))
#define ExInterlockedPopEntrySList(h, l) InterlockedPopEntrySList(h)
#define ExInterlockedFlushSList(h) InterlockedFlushSList(h)
#define ExQueryDepthSList(h) ((USHORT)(h)->HeaderX64.Depth)

EXTERN_C_END

#endif
