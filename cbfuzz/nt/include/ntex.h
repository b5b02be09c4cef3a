/* The executive: pool, lookaside lists, fast mutexes, push locks, resources,
 * rundown protection, interlocked lists, callback objects. */
#ifndef CBFUZZ_NTEX_H
#define CBFUZZ_NTEX_H

#include "ntke.h"
#include "interlocked.h"

EXTERN_C_START

/* ---- pool. Paged: IRQL <= APC_LEVEL; nonpaged: IRQL <= DISPATCH_LEVEL ---- */

typedef enum _POOL_TYPE {
    NonPagedPool = 0,
    NonPagedPoolExecute = 0,
    PagedPool = 1,
    NonPagedPoolMustSucceed = 2,
    DontUseThisType = 3,
    NonPagedPoolCacheAligned = 4,
    PagedPoolCacheAligned = 5,
    NonPagedPoolCacheAlignedMustS = 6,
    MaxPoolType = 7,
    NonPagedPoolNx = 512,
    NonPagedPoolNxCacheAligned = 516
} POOL_TYPE;
#define POOL_QUOTA_FAIL_INSTEAD_OF_RAISE 8
#define POOL_RAISE_IF_ALLOCATION_FAILURE 16
#define POOL_COLD_ALLOCATION 256
#define POOL_NX_ALLOCATION 512
#define POOL_ZERO_ALLOCATION 1024

typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_REQUIRED_START 0x1ULL
#define POOL_FLAG_USE_QUOTA 0x1ULL
#define POOL_FLAG_UNINITIALIZED 0x2ULL
#define POOL_FLAG_SESSION 0x4ULL
#define POOL_FLAG_CACHE_ALIGNED 0x8ULL
#define POOL_FLAG_RESERVED1 0x10ULL
#define POOL_FLAG_RAISE_ON_FAILURE 0x20ULL
#define POOL_FLAG_NON_PAGED 0x40ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x80ULL
#define POOL_FLAG_PAGED 0x100ULL

/* Memory, or NULL when there is none; not initialized, and from PAGE_SIZE bytes on aligned to a
 * page. A tag of 0 is a mistake. (wdm) */
NTKERNELAPI PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag);
/* The same with the tag "None". (wdm) */
NTKERNELAPI PVOID NTAPI ExAllocatePool(POOL_TYPE Type, SIZE_T Size);
/* Zeroed memory unless POOL_FLAG_UNINITIALIZED; NULL also for wrong flags. (wdm) */
NTKERNELAPI PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T Size, ULONG Tag);
/* Zeroed memory. (wdm) */
NTKERNELAPI PVOID NTAPI ExAllocatePoolZero(POOL_TYPE Type, SIZE_T Size, ULONG Tag);
/* Memory as it is. (wdm) */
NTKERNELAPI PVOID NTAPI ExAllocatePoolUninitialized(POOL_TYPE Type, SIZE_T Size, ULONG Tag);
/* The priority says nothing here. (wdm) */
typedef enum _EX_POOL_PRIORITY {
    LowPoolPriority,
    LowPoolPrioritySpecialPoolOverrun = 8,
    LowPoolPrioritySpecialPoolUnderrun = 9,
    NormalPoolPriority = 16,
    NormalPoolPrioritySpecialPoolOverrun = 24,
    NormalPoolPrioritySpecialPoolUnderrun = 25,
    HighPoolPriority = 32,
    HighPoolPrioritySpecialPoolOverrun = 40,
    HighPoolPrioritySpecialPoolUnderrun = 41
} EX_POOL_PRIORITY;
NTKERNELAPI PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE Type, SIZE_T Size, ULONG Tag,
                                                      EX_POOL_PRIORITY Priority);
/* Stops: there is no structured exception handling that could take it. (wdm) */
NTKERNELAPI DECLSPEC_NORETURN VOID NTAPI ExRaiseStatus(NTSTATUS Status);
/* No quota here: as ExAllocatePoolWithTag. (ntddk) */
NTKERNELAPI PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag);
/* Gives memory back; once. (wdm) */
NTKERNELAPI VOID NTAPI ExFreePool(PVOID Memory);
/* The same; Tag is the allocation's, or 0. (wdm) */
NTKERNELAPI VOID NTAPI ExFreePoolWithTag(PVOID Memory, ULONG Tag);

/* ---- lookaside lists: no cache, each entry is pool of its own (wdm) ---- */

typedef struct _LOOKASIDE_LIST_EX *PLOOKASIDE_LIST_EX;
typedef PVOID NTAPI ALLOCATE_FUNCTION(POOL_TYPE Type, SIZE_T Size, ULONG Tag);
typedef ALLOCATE_FUNCTION *PALLOCATE_FUNCTION;
typedef VOID NTAPI FREE_FUNCTION(PVOID Memory);
typedef FREE_FUNCTION *PFREE_FUNCTION;
typedef PVOID NTAPI ALLOCATE_FUNCTION_EX(POOL_TYPE Type, SIZE_T Size, ULONG Tag,
                                         PLOOKASIDE_LIST_EX Lookaside);
typedef ALLOCATE_FUNCTION_EX *PALLOCATE_FUNCTION_EX;
typedef VOID NTAPI FREE_FUNCTION_EX(PVOID Memory, PLOOKASIDE_LIST_EX Lookaside);
typedef FREE_FUNCTION_EX *PFREE_FUNCTION_EX;

/* Depth and the counters are for show: they count, but nothing is kept. */
#define GENERAL_LOOKASIDE_LAYOUT                                                                   \
    union {                                                                                        \
        SLIST_HEADER ListHead;                                                                     \
        SINGLE_LIST_ENTRY SingleListHead;                                                          \
    };                                                                                             \
    USHORT Depth;                                                                                  \
    USHORT MaximumDepth;                                                                           \
    ULONG TotalAllocates;                                                                          \
    union {                                                                                        \
        ULONG AllocateMisses;                                                                      \
        ULONG AllocateHits;                                                                        \
    };                                                                                             \
    ULONG TotalFrees;                                                                              \
    union {                                                                                        \
        ULONG FreeMisses;                                                                          \
        ULONG FreeHits;                                                                            \
    };                                                                                             \
    POOL_TYPE Type;                                                                                \
    ULONG Tag;                                                                                     \
    ULONG Size;                                                                                    \
    union {                                                                                        \
        PALLOCATE_FUNCTION_EX AllocateEx;                                                          \
        PALLOCATE_FUNCTION Allocate;                                                               \
    };                                                                                             \
    union {                                                                                        \
        PFREE_FUNCTION_EX FreeEx;                                                                  \
        PFREE_FUNCTION Free;                                                                       \
    };                                                                                             \
    LIST_ENTRY ListEntry;                                                                          \
    ULONG LastTotalAllocates;                                                                      \
    union {                                                                                        \
        ULONG LastAllocateMisses;                                                                  \
        ULONG LastAllocateHits;                                                                    \
    };                                                                                             \
    ULONG Future[2];

typedef struct DECLSPEC_CACHEALIGN _GENERAL_LOOKASIDE {
    GENERAL_LOOKASIDE_LAYOUT
} GENERAL_LOOKASIDE, *PGENERAL_LOOKASIDE;
typedef struct _GENERAL_LOOKASIDE_POOL {
    GENERAL_LOOKASIDE_LAYOUT
} GENERAL_LOOKASIDE_POOL, *PGENERAL_LOOKASIDE_POOL;
typedef struct DECLSPEC_CACHEALIGN _NPAGED_LOOKASIDE_LIST {
    GENERAL_LOOKASIDE L;
} NPAGED_LOOKASIDE_LIST, *PNPAGED_LOOKASIDE_LIST;
typedef struct _PAGED_LOOKASIDE_LIST {
    GENERAL_LOOKASIDE L;
} PAGED_LOOKASIDE_LIST, *PPAGED_LOOKASIDE_LIST;

/* Makes a list; its entries have Size bytes. IRQL <= DISPATCH_LEVEL, <= APC_LEVEL if paged. */
NTKERNELAPI VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List,
                                                       PALLOCATE_FUNCTION Allocate,
                                                       PFREE_FUNCTION Free, ULONG Flags,
                                                       SIZE_T Size, ULONG Tag, USHORT Depth);
NTKERNELAPI VOID NTAPI ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST List,
                                                      PALLOCATE_FUNCTION Allocate,
                                                      PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size,
                                                      ULONG Tag, USHORT Depth);
/* Ends a list. */
NTKERNELAPI VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List);
NTKERNELAPI VOID NTAPI ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST List);
/* An entry, or NULL; and back. */
NTKERNELAPI PVOID NTAPI ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List);
NTKERNELAPI VOID NTAPI ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List, PVOID Entry);
NTKERNELAPI PVOID NTAPI ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST List);
NTKERNELAPI VOID NTAPI ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST List, PVOID Entry);

typedef struct _LOOKASIDE_LIST_EX {
    GENERAL_LOOKASIDE_POOL L;
} LOOKASIDE_LIST_EX;
#define EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL 0x00000001UL
#define EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE 0x00000002UL
#define EX_MAXIMUM_LOOKASIDE_DEPTH_BASE 256

/* The newer kind, of either pool; Depth is 0. STATUS_INVALID_PARAMETER_5, _8. IRQL <=
 * DISPATCH_LEVEL. */
NTKERNELAPI NTSTATUS NTAPI ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
                                                       PALLOCATE_FUNCTION_EX Allocate,
                                                       PFREE_FUNCTION_EX Free, POOL_TYPE PoolType,
                                                       ULONG Flags, SIZE_T Size, ULONG Tag,
                                                       USHORT Depth);
NTKERNELAPI VOID NTAPI ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside);
NTKERNELAPI VOID NTAPI ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside);
NTKERNELAPI PVOID NTAPI ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside);
NTKERNELAPI VOID NTAPI ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry);

/* ---- fast mutexes; a second acquisition by the owner is a deadlock (wdm) ---- */

typedef struct _FAST_MUTEX {
    volatile LONG Count;
    PKTHREAD Owner;
    ULONG Contention;
    KEVENT Event;
    ULONG OldIrql;
} FAST_MUTEX, *PFAST_MUTEX;

/* Makes a free mutex. IRQL <= DISPATCH_LEVEL. */
NTKERNELAPI VOID NTAPI ExInitializeFastMutex(PFAST_MUTEX Mutex);
/* Acquires and raises to APC_LEVEL. IRQL <= APC_LEVEL. */
NTKERNELAPI VOID NTAPI ExAcquireFastMutex(PFAST_MUTEX Mutex);
/* Releases and restores the level. IRQL APC_LEVEL. */
NTKERNELAPI VOID NTAPI ExReleaseFastMutex(PFAST_MUTEX Mutex);
/* FALSE when somebody holds it. IRQL <= APC_LEVEL. */
NTKERNELAPI BOOLEAN NTAPI ExTryToAcquireFastMutex(PFAST_MUTEX Mutex);
/* The same pair without a change of level: at APC_LEVEL or in a critical region. */
NTKERNELAPI VOID NTAPI ExAcquireFastMutexUnsafe(PFAST_MUTEX Mutex);
NTKERNELAPI VOID NTAPI ExReleaseFastMutexUnsafe(PFAST_MUTEX Mutex);

/* ---- push locks: one writer or many readers. IRQL <= APC_LEVEL (ntifs) ---- */

typedef ULONG_PTR EX_PUSH_LOCK, *PEX_PUSH_LOCK;

NTKERNELAPI VOID NTAPI ExInitializePushLock(PEX_PUSH_LOCK PushLock);
NTKERNELAPI VOID NTAPI ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
NTKERNELAPI VOID NTAPI ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
/* FALSE when it cannot be had now. */
NTKERNELAPI BOOLEAN NTAPI ExTryAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
NTKERNELAPI BOOLEAN NTAPI ExTryAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
NTKERNELAPI VOID NTAPI ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
NTKERNELAPI VOID NTAPI ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
/* Either kind. */
NTKERNELAPI VOID NTAPI ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
#define ExAcquirePushLockExclusive(l) ExAcquirePushLockExclusiveEx((l), 0)
#define ExAcquirePushLockShared(l) ExAcquirePushLockSharedEx((l), 0)
#define ExTryAcquirePushLockExclusive(l) ExTryAcquirePushLockExclusiveEx((l), 0)
#define ExTryAcquirePushLockShared(l) ExTryAcquirePushLockSharedEx((l), 0)
#define ExReleasePushLockExclusive(l) ExReleasePushLockExclusiveEx((l), 0)
#define ExReleasePushLockShared(l) ExReleasePushLockSharedEx((l), 0)
#define ExReleasePushLock(l) ExReleasePushLockEx((l), 0)
#define EX_DEFAULT_PUSH_LOCK_FLAGS 0
/* The same under the names of kernels' own headers. */
#define ExfAcquirePushLockExclusive(l) ExAcquirePushLockExclusive(l)
#define ExfAcquirePushLockShared(l) ExAcquirePushLockShared(l)
#define ExfReleasePushLock(l) ExReleasePushLock(l)
#define ExfReleasePushLockExclusive(l) ExReleasePushLockExclusive(l)
#define ExfReleasePushLockShared(l) ExReleasePushLockShared(l)
/* Waits until all have gone who have it now. */
#define ExAcquireReleasePushLockExclusive(l)                                                       \
    (ExAcquirePushLockExclusive(l), ExReleasePushLockExclusive(l))
#define ExTryToAcquirePushLockExclusive(l) ExTryAcquirePushLockExclusive(l)
#define ExTryToAcquirePushLockShared(l) ExTryAcquirePushLockShared(l)

/* ---- resources: recursive reader-writer locks. IRQL <= APC_LEVEL (wdm) ---- */

typedef ULONG_PTR ERESOURCE_THREAD, *PERESOURCE_THREAD;

typedef struct _OWNER_ENTRY {
    ERESOURCE_THREAD OwnerThread;
    union {
        struct {
            ULONG IoPriorityBoosted : 1;
            ULONG OwnerReferenced : 1;
            ULONG OwnerCount : 30;
        };
        ULONG TableSize;
    };
} OWNER_ENTRY, *POWNER_ENTRY;

typedef struct _ERESOURCE {
    LIST_ENTRY SystemResourcesList;
    POWNER_ENTRY OwnerTable;
    SHORT ActiveCount; /* how often it is held, by all threads together */
    USHORT Flag;
    volatile PKSEMAPHORE SharedWaiters;
    volatile PKEVENT ExclusiveWaiters;
    OWNER_ENTRY OwnerEntry; /* who holds it exclusively */
    ULONG ActiveEntries;
    ULONG ContentionCount;
    ULONG NumberOfSharedWaiters;
    ULONG NumberOfExclusiveWaiters;
    PVOID Reserved2; /* here: tells a resource from noise */
    union {
        PVOID Address;
        ULONG_PTR CreatorBackTraceIndex;
    };
    KSPIN_LOCK SpinLock;
} ERESOURCE, *PERESOURCE;
#define ResourceNeverExclusive 0x0010
#define ResourceReleaseByOtherThread 0x0020
#define ResourceOwnedExclusive 0x0080

NTKERNELAPI NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource);
/* STATUS_SUCCESS; held ones must be released before. */
NTKERNELAPI NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource);
/* FALSE only without Wait, when it cannot be had now. */
NTKERNELAPI BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait);
NTKERNELAPI BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait);
NTKERNELAPI VOID NTAPI ExReleaseResourceLite(PERESOURCE Resource);
NTKERNELAPI BOOLEAN NTAPI ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource);
/* How often this thread has it, either way. */
NTKERNELAPI ULONG NTAPI ExIsResourceAcquiredSharedLite(PERESOURCE Resource);
/* Also before, or also behind, those who wait for it exclusively. */
NTKERNELAPI BOOLEAN NTAPI ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait);
NTKERNELAPI BOOLEAN NTAPI ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait);
/* What this thread has exclusively becomes shared. IRQL <= DISPATCH_LEVEL. */
NTKERNELAPI VOID NTAPI ExConvertExclusiveToSharedLite(PERESOURCE Resource);
/* As after initializing; held ones must be released before. IRQL <= DISPATCH_LEVEL. */
NTKERNELAPI NTSTATUS NTAPI ExReinitializeResourceLite(PERESOURCE Resource);
/* How many threads wait for it. IRQL <= DISPATCH_LEVEL. */
NTKERNELAPI ULONG NTAPI ExGetExclusiveWaiterCount(PERESOURCE Resource);
NTKERNELAPI ULONG NTAPI ExGetSharedWaiterCount(PERESOURCE Resource);
/* With KeEnterCriticalRegion before, or KeLeaveCriticalRegion after it. NULL. */
NTKERNELAPI PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource);
NTKERNELAPI PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource);
NTKERNELAPI PVOID NTAPI ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(PERESOURCE Resource);
NTKERNELAPI VOID NTAPI ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource);
#define ExIsResourceAcquiredLite(r) ExIsResourceAcquiredSharedLite(r)

/* ---- rundown protection. Acquire and release: IRQL <= DISPATCH_LEVEL (wdm) ---- */

typedef struct _EX_RUNDOWN_REF {
    union {
        volatile ULONG_PTR Count; /* twice the number of holders; 1: run down */
        volatile PVOID Ptr;
    };
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;

NTKERNELAPI VOID NTAPI ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef);
/* FALSE once rundown has begun. */
NTKERNELAPI BOOLEAN NTAPI ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef);
NTKERNELAPI BOOLEAN NTAPI ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count);
NTKERNELAPI VOID NTAPI ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef);
NTKERNELAPI VOID NTAPI ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count);
/* Returns when all holders have released; nobody can acquire from now on. IRQL <= APC_LEVEL. */
NTKERNELAPI VOID NTAPI ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef);
/* Says that the wait is over for good; any IRQL. */
NTKERNELAPI VOID NTAPI ExRundownCompleted(PEX_RUNDOWN_REF RunRef);
/* Makes it usable again after a rundown; any IRQL. */
NTKERNELAPI VOID NTAPI ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef);

/* The same, spread over processors on a real machine: here one count in pool of its own. */
typedef struct _EX_RUNDOWN_REF_CACHE_AWARE *PEX_RUNDOWN_REF_CACHE_AWARE;
NTKERNELAPI PEX_RUNDOWN_REF_CACHE_AWARE NTAPI
ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType, ULONG PoolTag);
NTKERNELAPI VOID NTAPI
ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware);
NTKERNELAPI SIZE_T NTAPI ExSizeOfRundownProtectionCacheAware(VOID);
NTKERNELAPI VOID NTAPI ExInitializeRundownProtectionCacheAware(
    PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, SIZE_T RunRefSize);
NTKERNELAPI BOOLEAN NTAPI
ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware);
NTKERNELAPI BOOLEAN NTAPI
ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count);
NTKERNELAPI VOID NTAPI
ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware);
NTKERNELAPI VOID NTAPI ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef,
                                                              ULONG Count);
NTKERNELAPI VOID NTAPI
ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef);
NTKERNELAPI VOID NTAPI ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware);
NTKERNELAPI VOID NTAPI
ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware);

/* ---- spin locks for one writer or many readers. IRQL <= DISPATCH_LEVEL (wdm) ---- */

typedef volatile LONG EX_SPIN_LOCK, *PEX_SPIN_LOCK; /* 0: free */

/* Raise to DISPATCH_LEVEL and acquire; the old level, to which releasing goes back. */
NTKERNELAPI KIRQL NTAPI ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock);
NTKERNELAPI KIRQL NTAPI ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock);
NTKERNELAPI VOID NTAPI ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql);
NTKERNELAPI VOID NTAPI ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql);
/* Without a change of level. IRQL >= DISPATCH_LEVEL. */
NTKERNELAPI VOID NTAPI ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock);
NTKERNELAPI VOID NTAPI ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock);
NTKERNELAPI VOID NTAPI ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock);
NTKERNELAPI VOID NTAPI ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock);
/* A reader becomes the writer; zero when there are other readers. */
NTKERNELAPI LOGICAL NTAPI ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock);

/* ---- lists under a spin lock of the caller. Any IRQL (wdm) ---- */

/* Inserts; the entry that was first (last) before, or NULL. */
NTKERNELAPI PLIST_ENTRY NTAPI ExInterlockedInsertHeadList(PLIST_ENTRY Head, PLIST_ENTRY Entry,
                                                          PKSPIN_LOCK Lock);
NTKERNELAPI PLIST_ENTRY NTAPI ExInterlockedInsertTailList(PLIST_ENTRY Head, PLIST_ENTRY Entry,
                                                          PKSPIN_LOCK Lock);
/* Removes the first one; NULL when empty. */
NTKERNELAPI PLIST_ENTRY NTAPI ExInterlockedRemoveHeadList(PLIST_ENTRY Head, PKSPIN_LOCK Lock);
NTKERNELAPI PSINGLE_LIST_ENTRY NTAPI ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY Head,
                                                                PSINGLE_LIST_ENTRY Entry,
                                                                PKSPIN_LOCK Lock);
NTKERNELAPI PSINGLE_LIST_ENTRY NTAPI ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY Head,
                                                               PKSPIN_LOCK Lock);

/* The old value. */
NTKERNELAPI ULONG NTAPI ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock);
NTKERNELAPI LARGE_INTEGER NTAPI ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend,
                                                             LARGE_INTEGER Increment,
                                                             PKSPIN_LOCK Lock);
#define ExInterlockedCompareExchange64(d, e, c, l)                                                 \
    InterlockedCompareExchange64((LONG64 volatile *)(d), *(LONG64 *)(e), *(LONG64 *)(c))
#define ExInterlockedIncrementLong(a, l) InterlockedIncrement(a)
#define ExInterlockedDecrementLong(a, l) InterlockedDecrement(a)

/* ---- callback objects: what an implementation brings; not defined here ---- */

typedef struct _CALLBACK_OBJECT *PCALLBACK_OBJECT;
typedef VOID NTAPI CALLBACK_FUNCTION(PVOID CallbackContext, PVOID Argument1, PVOID Argument2);
typedef CALLBACK_FUNCTION *PCALLBACK_FUNCTION;

/* Creates or opens a callback object, with a reference for the caller. (wdm) */
NTKERNELAPI NTSTATUS NTAPI ExCreateCallback(PCALLBACK_OBJECT *CallbackObject,
                                            POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN Create,
                                            BOOLEAN AllowMultipleCallbacks);
/* Registers a routine; a handle, or NULL. IRQL <= APC_LEVEL. (wdm) */
NTKERNELAPI PVOID NTAPI ExRegisterCallback(PCALLBACK_OBJECT CallbackObject,
                                           PCALLBACK_FUNCTION CallbackFunction,
                                           PVOID CallbackContext);
/* Takes back what registering returned. IRQL <= APC_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI ExUnregisterCallback(PVOID CallbackRegistration);
/* Calls the registered routines. IRQL <= DISPATCH_LEVEL. (wdm) Its page has a PVOID first, some
 * kernels' headers a PCALLBACK_OBJECT: in C it may be defined either way. */
#ifdef __cplusplus
typedef PVOID CALLBACK_OBJECT_OR_VOID;
#else
typedef union _CALLBACK_OBJECT_OR_VOID {
    PVOID Pointer;
    PCALLBACK_OBJECT CallbackObject;
} CALLBACK_OBJECT_OR_VOID __attribute__((transparent_union));
#endif
NTKERNELAPI VOID NTAPI ExNotifyCallback(CALLBACK_OBJECT_OR_VOID CallbackObject, PVOID Argument1,
                                        PVOID Argument2);

EXTERN_C_END

#endif
