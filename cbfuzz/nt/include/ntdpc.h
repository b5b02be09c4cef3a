/* Deferred procedure calls and timers.
 *
 * A call runs at DISPATCH_LEVEL as soon as a thread is below it: at once, or when that thread
 * lowers its level. Virtual time passes when somebody asks for it, lets it pass, or when all wait.
 */
#ifndef CBFUZZ_NTDPC_H
#define CBFUZZ_NTDPC_H

#include "ntke.h"

EXTERN_C_START

struct _KDPC;
typedef VOID NTAPI KDEFERRED_ROUTINE(struct _KDPC *Dpc, PVOID DeferredContext,
                                     PVOID SystemArgument1, PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;

typedef enum _KDPC_IMPORTANCE {
    LowImportance,
    MediumImportance,
    HighImportance,
    MediumHighImportance
} KDPC_IMPORTANCE;

typedef struct _KDPC {
    UCHAR Type;
    UCHAR Importance;
    volatile USHORT Number;
    LIST_ENTRY DpcListEntry;
    PKDEFERRED_ROUTINE DeferredRoutine;
    PVOID DeferredContext;
    PVOID SystemArgument1;
    PVOID SystemArgument2;
    volatile PVOID DpcData; /* NULL while it is not queued */
} KDPC, *PKDPC, *PRKDPC;

#define MAXIMUM_PROCESSORS 64

/* Makes a call that is not queued. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
                                       PVOID DeferredContext);
/* The same: here a threaded call runs at DISPATCH_LEVEL as well. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
                                               PVOID DeferredContext);
/* Queues it; FALSE when it is queued already. Any IRQL. (wdm) */
NTKERNELAPI BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1,
                                           PVOID SystemArgument2);
/* Takes it out of the queue; FALSE when it was not there. Any IRQL. (wdm) */
NTKERNELAPI BOOLEAN NTAPI KeRemoveQueueDpc(PRKDPC Dpc);
/* Written down, no more: there is one queue for all. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance);
NTKERNELAPI VOID NTAPI KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number);
/* STATUS_INVALID_PARAMETER for a processor that is not there. Any IRQL. (wdm) */
NTKERNELAPI NTSTATUS NTAPI KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber);
/* Returns when all calls that were queued have run. PASSIVE_LEVEL. (wdm) */
NTKERNELAPI VOID NTAPI KeFlushQueuedDpcs(VOID);

typedef enum _TIMER_TYPE { NotificationTimer, SynchronizationTimer } TIMER_TYPE;

typedef struct _KTIMER {
    DISPATCHER_HEADER Header;
    ULARGE_INTEGER DueTime;
    LIST_ENTRY TimerListEntry;
    struct _KDPC *Dpc;
    ULONG Processor;
    ULONG Period;
} KTIMER, *PKTIMER, *PRKTIMER;

/* Makes a timer that is neither set nor signalled. Any IRQL. (wdm) */
NTKERNELAPI VOID NTAPI KeInitializeTimer(PKTIMER Timer);
NTKERNELAPI VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type);
/* Sets it, no longer signalled; negative: from now on, in 100 ns. When due it is signalled and
 * queues Dpc unless NULL. TRUE when it was set before. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc);
/* The same, and then every Period milliseconds unless 0. */
NTKERNELAPI BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period,
                                       PKDPC Dpc);
NTKERNELAPI BOOLEAN NTAPI KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period,
                                                ULONG TolerableDelay, PKDPC Dpc);
/* It will not be due; TRUE when it was set. A call that it queued stays. IRQL <= DISPATCH_LEVEL. */
NTKERNELAPI BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer);
/* TRUE when signalled. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer);

EXTERN_C_END

#endif
