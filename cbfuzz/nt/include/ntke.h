/* The kernel's core: IRQL, spin locks, dispatcher objects and waits, regions,
 * guarded mutexes, processors, time. */
#ifndef CBFUZZ_NTKE_H
#define CBFUZZ_NTKE_H

#include "ntrtl.h"

EXTERN_C_START

/* ---- threads and processes: opaque ---- */

typedef struct _KTHREAD *PKTHREAD, *PRKTHREAD;
typedef struct _ETHREAD *PETHREAD;
typedef struct _KPROCESS *PKPROCESS, *PRKPROCESS;
typedef struct _EPROCESS *PEPROCESS;

/* The running thread: the program's own, or a system thread. Any IRQL. (wdm) */
NTKERNELAPI PKTHREAD NTAPI KeGetCurrentThread(VOID);
#define PsGetCurrentThread() ((PETHREAD)KeGetCurrentThread())
/* The system process, always. Any IRQL. (wdm) */
NTKERNELAPI PEPROCESS NTAPI PsGetCurrentProcess(VOID);
#define IoGetCurrentProcess() PsGetCurrentProcess()
/* What the routines of \Callback\PowerState get as their first argument. */
#define PO_CB_SYSTEM_POWER_POLICY 0
#define PO_CB_AC_STATUS 1
#define PO_CB_BUTTON_COLLISION 2
#define PO_CB_SYSTEM_STATE_LOCK 3
#define PO_CB_LID_SWITCH_STATE 4
#define PO_CB_PROCESSOR_POWER_POLICY 5

/* KernelMode, always. Any IRQL. (wdm) */
NTKERNELAPI KPROCESSOR_MODE NTAPI ExGetPreviousMode(VOID);
#define KeGetPreviousMode() ExGetPreviousMode()

/* ---- IRQL ---- */

#define PASSIVE_LEVEL 0
#define LOW_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2
#define CLOCK_LEVEL 13
#define IPI_LEVEL 14
#define HIGH_LEVEL 15

/* The level of the running thread. Any IRQL. (wdm) */
NTKERNELAPI KIRQL NTAPI KeGetCurrentIrql(VOID);
/* Raises to a level not below the current one, returns the old one. (wdm) */
NTKERNELAPI KIRQL NTAPI KfRaiseIrql(KIRQL NewIrql);
/* Raises to DISPATCH_LEVEL; IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI KIRQL NTAPI KeRaiseIrqlToDpcLevel(VOID);
/* Lowers to a level not above the current one, with no spin lock left behind. (wdm) */
NTKERNELAPI VOID NTAPI KeLowerIrql(KIRQL NewIrql);
#define KeRaiseIrql(NewIrql, OldIrql) ((void)(*(OldIrql) = KfRaiseIrql(NewIrql)))
#define KfLowerIrql(NewIrql) KeLowerIrql(NewIrql)

/* ---- spin locks ---- */

typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;

typedef struct _KSPIN_LOCK_QUEUE {
    struct _KSPIN_LOCK_QUEUE *volatile Next;
    PKSPIN_LOCK volatile Lock;
} KSPIN_LOCK_QUEUE, *PKSPIN_LOCK_QUEUE;

typedef struct _KLOCK_QUEUE_HANDLE {
    KSPIN_LOCK_QUEUE LockQueue;
    KIRQL OldIrql;
} KLOCK_QUEUE_HANDLE, *PKLOCK_QUEUE_HANDLE;

#define ExAcquireSpinLock(SpinLock, OldIrql) KeAcquireSpinLock(SpinLock, OldIrql)
#define ExReleaseSpinLock(SpinLock, OldIrql) KeReleaseSpinLock(SpinLock, OldIrql)
#define ExAcquireSpinLockAtDpcLevel(SpinLock) KeAcquireSpinLockAtDpcLevel(SpinLock)
#define ExReleaseSpinLockFromDpcLevel(SpinLock) KeReleaseSpinLockFromDpcLevel(SpinLock)

/* Makes a free lock. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeInitializeSpinLock(PKSPIN_LOCK SpinLock);
/* Raises to DISPATCH_LEVEL and acquires; returns the old level. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock);
#define KeAcquireSpinLock(SpinLock, OldIrql)                                                       \
    ((void)(*(OldIrql) = KeAcquireSpinLockRaiseToDpc(SpinLock)))
#define KfAcquireSpinLock(SpinLock) KeAcquireSpinLockRaiseToDpc(SpinLock)
/* Releases and lowers to NewIrql, which is what acquiring returned. IRQL DISPATCH_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql);
#define KfReleaseSpinLock(SpinLock, NewIrql) KeReleaseSpinLock(SpinLock, NewIrql)
/* Acquires without a change of level. IRQL >= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock);
/* Releases without a change of level. IRQL >= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock);
/* FALSE when somebody holds it. IRQL >= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI BOOLEAN NTAPI KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock);
/* TRUE when nobody holds it. IRQL >= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI BOOLEAN NTAPI KeTestSpinLock(PKSPIN_LOCK SpinLock);
/* Raises and acquires, the old level kept in the handle. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock,
                                                      PKLOCK_QUEUE_HANDLE Handle);
/* Releases and restores the level. IRQL DISPATCH_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE Handle);
/* The same pair without a change of level. IRQL >= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock,
                                                                PKLOCK_QUEUE_HANDLE Handle);
NTKERNELAPI VOID NTAPI KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE Handle);

/* ---- dispatcher objects ---- */

typedef enum _EVENT_TYPE { NotificationEvent, SynchronizationEvent } EVENT_TYPE;
typedef enum _WAIT_TYPE { WaitAll, WaitAny } WAIT_TYPE;
typedef enum _KWAIT_REASON {
    Executive,
    FreePage,
    PageIn,
    PoolAllocation,
    DelayExecution,
    Suspended,
    UserRequest,
    WrExecutive
} KWAIT_REASON;
#define IO_NO_INCREMENT 0
#define EVENT_INCREMENT 1
#define SEMAPHORE_INCREMENT 1
#define MAXIMUM_WAIT_OBJECTS 64
#define THREAD_WAIT_OBJECTS 3

typedef struct _KWAIT_BLOCK {
    LIST_ENTRY WaitListEntry;
    struct _KTHREAD *Thread;
    PVOID Object;
    struct _KWAIT_BLOCK *NextWaitBlock;
    USHORT WaitKey;
    UCHAR WaitType;
    volatile UCHAR BlockState;
    LONG SpareLong;
} KWAIT_BLOCK, *PKWAIT_BLOCK, *PRKWAIT_BLOCK;

typedef struct _DISPATCHER_HEADER {
    union {
        struct {
            UCHAR Type;
            union {
                UCHAR Abandoned; /* here: tells an object from noise */
                BOOLEAN Signalling;
            };
            union {
                UCHAR Size;
                UCHAR Hand;
            };
            union {
                BOOLEAN DebugActive;
                BOOLEAN DpcActive;
            };
        };
        volatile LONG Lock;
    };
    LONG SignalState;
    LIST_ENTRY WaitListHead; /* empty: who waits is known elsewhere */
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

typedef struct _KEVENT {
    DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef struct _KSEMAPHORE {
    DISPATCHER_HEADER Header;
    LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE, *PRKSEMAPHORE;

typedef struct _KMUTANT {
    DISPATCHER_HEADER Header;
    LIST_ENTRY MutantListEntry;
    struct _KTHREAD *OwnerThread;
    BOOLEAN Abandoned;
    UCHAR ApcDisable;
} KMUTANT, *PKMUTANT, *PRKMUTANT, KMUTEX, *PKMUTEX, *PRKMUTEX;

/* Makes an event, signalled when State is TRUE. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State);
/* Signals, returns the state before. IRQL <= DISPATCH_LEVEL, <= APC_LEVEL with Wait. (wdm) */
NTKERNELAPI LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
/* Makes it unsignalled, returns the state before. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI LONG NTAPI KeResetEvent(PRKEVENT Event);
/* Makes it unsignalled. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI KeClearEvent(PRKEVENT Event);
/* The state, nonzero when signalled. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI LONG NTAPI KeReadStateEvent(PRKEVENT Event);
/* Wakes who waits now, leaves it unsignalled. IRQL <= DISPATCH_LEVEL. (ntifs) */
NTKERNELAPI LONG NTAPI KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
/* Makes a counting semaphore. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit);
/* Adds to the count; over the limit stops. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI LONG NTAPI KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment,
                                          LONG Adjustment, BOOLEAN Wait);
/* The count. Any IRQL. (wdm) */
NTKERNELAPI LONG NTAPI KeReadStateSemaphore(PRKSEMAPHORE Semaphore);
/* Makes a free mutex; Level is ignored. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeInitializeMutex(PRKMUTEX Mutex, ULONG Level);
/* Releases a mutex that this thread owns. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI LONG NTAPI KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait);
/* One when free. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI LONG NTAPI KeReadStateMutex(PRKMUTEX Mutex);
/* Waits until signalled: STATUS_SUCCESS, or STATUS_TIMEOUT. Timeout NULL: for ever; negative:
 * relative, in 100 ns. IRQL <= APC_LEVEL, <= DISPATCH_LEVEL with a time-out of zero. (wdm) */
NTKERNELAPI NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason,
                                                 KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                                                 PLARGE_INTEGER Timeout);
#define KeWaitForMutexObject KeWaitForSingleObject
/* The same for several: STATUS_WAIT_0 plus the index with WaitAny. (wdm) */
NTKERNELAPI NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Objects[], WAIT_TYPE Type,
                                                    KWAIT_REASON Reason, KPROCESSOR_MODE Mode,
                                                    BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                                    PKWAIT_BLOCK WaitBlocks);
/* Lets virtual time pass. IRQL <= APC_LEVEL. (wdm) */
NTKERNELAPI NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                                                  PLARGE_INTEGER Interval);

/* ---- regions ---- */

/* Enters or leaves a region without normal kernel APCs; they nest. IRQL <= APC_LEVEL. (ntddk) */
NTKERNELAPI VOID NTAPI KeEnterCriticalRegion(VOID);
NTKERNELAPI VOID NTAPI KeLeaveCriticalRegion(VOID);
#define KeEnterCriticalRegionThread(t) KeEnterCriticalRegion()
#define KeLeaveCriticalRegionThread(t) KeLeaveCriticalRegion()
#define KeEnterGuardedRegionThread(t) KeEnterGuardedRegion()
#define KeLeaveGuardedRegionThread(t) KeLeaveGuardedRegion()
#define FsRtlEnterFileSystem() KeEnterCriticalRegion()
#define FsRtlExitFileSystem() KeLeaveCriticalRegion()
/* The same without any APCs. IRQL <= APC_LEVEL. (ntddk) */
NTKERNELAPI VOID NTAPI KeEnterGuardedRegion(VOID);
NTKERNELAPI VOID NTAPI KeLeaveGuardedRegion(VOID);
/* TRUE inside a region or at APC_LEVEL and above. Any IRQL. (ntddk) */
NTKERNELAPI BOOLEAN NTAPI KeAreApcsDisabled(VOID);
/* TRUE inside a guarded region or at APC_LEVEL and above. Any IRQL. (ntddk) */
NTKERNELAPI BOOLEAN NTAPI KeAreAllApcsDisabled(VOID);

/* ---- guarded mutexes; a second acquisition by the owner is a deadlock (wdm) ---- */

typedef struct _KGATE {
    DISPATCHER_HEADER Header;
} KGATE, *PKGATE, *PRKGATE;

typedef struct _KGUARDED_MUTEX {
    volatile LONG Count;
    PKTHREAD Owner;
    ULONG Contention;
    KGATE Gate;
    union {
        struct {
            SHORT KernelApcDisable;
            SHORT SpecialApcDisable;
        };
        ULONG CombinedApcDisable;
    };
} KGUARDED_MUTEX, *PKGUARDED_MUTEX;

/* Makes a free mutex. IRQL <= DISPATCH_LEVEL. */
NTKERNELAPI VOID NTAPI KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex);
/* Acquires, in a guarded region. IRQL <= APC_LEVEL. */
NTKERNELAPI VOID NTAPI KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex);
/* Releases what this thread holds. IRQL <= APC_LEVEL. */
NTKERNELAPI VOID NTAPI KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex);
/* FALSE when somebody holds it. IRQL <= APC_LEVEL. */
NTKERNELAPI BOOLEAN NTAPI KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex);
/* The same pair for a caller that is in a guarded region or at APC_LEVEL already. */
NTKERNELAPI VOID NTAPI KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex);
NTKERNELAPI VOID NTAPI KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex);

/* ---- processors and time ---- */

typedef struct _PROCESSOR_NUMBER {
    USHORT Group;
    UCHAR Number;
    UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;
#define ALL_PROCESSOR_GROUPS 0xffff

typedef enum _KE_PROCESSOR_CHANGE_NOTIFY_STATE {
    KeProcessorAddStartNotify = 0,
    KeProcessorAddCompleteNotify,
    KeProcessorAddFailureNotify
} KE_PROCESSOR_CHANGE_NOTIFY_STATE;

typedef struct _KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT {
    KE_PROCESSOR_CHANGE_NOTIFY_STATE State;
    ULONG NtNumber;
    NTSTATUS Status;
    PROCESSOR_NUMBER ProcNumber;
} KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, *PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT;

typedef VOID NTAPI PROCESSOR_CALLBACK_FUNCTION(PVOID CallbackContext,
                                               PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT ChangeContext,
                                               PNTSTATUS OperationStatus);
typedef PROCESSOR_CALLBACK_FUNCTION *PPROCESSOR_CALLBACK_FUNCTION;
#define KE_PROCESSOR_CHANGE_ADD_EXISTING 1

/* Not defined by the environment: an implementation brings them, or nobody does.
 * Registers for added processors; a handle, or NULL. PASSIVE_LEVEL. (wdm) */
NTKERNELAPI PVOID NTAPI KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION Function,
                                                          PVOID CallbackContext, ULONG Flags);
/* Takes such a handle back. PASSIVE_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI KeDeregisterProcessorChangeCallback(PVOID CallbackHandle);

/* Active processors, and a mask of them. Any IRQL. (ntddk) */
NTKERNELAPI ULONG NTAPI KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors);
/* Active or possible processors of group 0, or of all groups; 0 for a group there is not.
 * Any IRQL. (wdm) */
NTKERNELAPI ULONG NTAPI KeQueryActiveProcessorCountEx(USHORT Group);
NTKERNELAPI ULONG NTAPI KeQueryMaximumProcessorCount(VOID);
NTKERNELAPI ULONG NTAPI KeQueryMaximumProcessorCountEx(USHORT Group);
/* The mask of active processors. Any IRQL. (ntddk) */
NTKERNELAPI KAFFINITY NTAPI KeQueryActiveProcessors(VOID);
/* Group and number of an index; STATUS_INVALID_PARAMETER beyond the last. Any IRQL. (wdm) */
NTKERNELAPI NTSTATUS NTAPI KeGetProcessorNumberFromIndex(ULONG Index, PPROCESSOR_NUMBER Number);
/* The index of a number; INVALID_PROCESSOR_INDEX when there is none. Any IRQL. (wdm) */
NTKERNELAPI ULONG NTAPI KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER Number);
/* One group has them all. Any IRQL. (wdm) */
NTKERNELAPI USHORT NTAPI KeQueryActiveGroupCount(VOID);
NTKERNELAPI USHORT NTAPI KeQueryMaximumGroupCount(VOID);
NTKERNELAPI KAFFINITY NTAPI KeQueryGroupAffinity(USHORT GroupNumber);
/* Chooses the processors for this thread, of which it says that it runs on the first one; the
 * choice before, 0 when there was none, and back to it. IRQL <= APC_LEVEL. (wdm) */
NTKERNELAPI KAFFINITY NTAPI KeSetSystemAffinityThreadEx(KAFFINITY Affinity);
NTKERNELAPI VOID NTAPI KeRevertToUserAffinityThreadEx(KAFFINITY Affinity);
NTKERNELAPI VOID NTAPI KeSetSystemAffinityThread(KAFFINITY Affinity);
NTKERNELAPI VOID NTAPI KeRevertToUserAffinityThread(VOID);
/* The first one that this thread has chosen, or 0. Any IRQL. (wdm) */
NTKERNELAPI ULONG NTAPI KeGetCurrentProcessorNumber(VOID);
NTKERNELAPI ULONG NTAPI KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER Number);
#define INVALID_PROCESSOR_INDEX 0xffffffffu

/* Virtual time in 100 ns, the same in every run of a program. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeQuerySystemTime(PLARGE_INTEGER Time);
NTKERNELAPI VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);
NTKERNELAPI ULONGLONG NTAPI KeQueryInterruptTime(VOID);
NTKERNELAPI VOID NTAPI KeQueryTickCount(PLARGE_INTEGER Count);
/* How much of it a tick is. Any IRQL. (wdm) */
NTKERNELAPI ULONG NTAPI KeQueryTimeIncrement(VOID);
/* A counter that moves with each question. Any IRQL. (wdm) */
NTKERNELAPI LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER Frequency);
/* Lets virtual time pass, busily. Any IRQL. (wdm) */
NTHALAPI VOID NTAPI KeStallExecutionProcessor(ULONG Microseconds);

#define KeMemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define MemoryBarrier() KeMemoryBarrier()
#define _ReadWriteBarrier() KeMemoryBarrierWithoutFence()
#define _ReadBarrier() KeMemoryBarrierWithoutFence()
#define _WriteBarrier() KeMemoryBarrierWithoutFence()
#define KeMemoryBarrierWithoutFence() __atomic_signal_fence(__ATOMIC_SEQ_CST)
/* What a spinning loop does on each turn: others may run. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeYieldProcessor(VOID);
#define YieldProcessor() KeYieldProcessor()
#define _mm_pause KeYieldProcessor

EXTERN_C_END

#endif
