/* Threads: system threads beside the program's, work items.
 *
 * One thread runs at a time, until it waits, yields or ends; then the first one that can go on.
 * A thread that is left over when a program ends is forgotten with everything else.
 */
#ifndef CBFUZZ_NTPS_H
#define CBFUZZ_NTPS_H

#include "ntob.h"

EXTERN_C_START

typedef struct _CLIENT_ID {
    HANDLE UniqueProcess;
    HANDLE UniqueThread;
} CLIENT_ID, *PCLIENT_ID;

typedef VOID NTAPI KSTART_ROUTINE(PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;

#define THREAD_TERMINATE 0x0001
#define THREAD_SUSPEND_RESUME 0x0002
#define THREAD_QUERY_INFORMATION 0x0040
#define THREAD_SET_INFORMATION 0x0020
#define THREAD_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0xFFFF)
#define LOW_PRIORITY 0
#define LOW_REALTIME_PRIORITY 16
#define HIGH_PRIORITY 31

/* The types of thread and process objects: *PsThreadType. */
extern POBJECT_TYPE *PsThreadType;
extern POBJECT_TYPE *PsProcessType;

/* Makes a thread that begins with StartRoutine at PASSIVE_LEVEL, and a handle to it; it can be
 * waited for. STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER. PASSIVE_LEVEL. (wdm) */
NTKERNELAPI NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
                                                POBJECT_ATTRIBUTES ObjectAttributes,
                                                HANDLE ProcessHandle, PCLIENT_ID ClientId,
                                                PKSTART_ROUTINE StartRoutine, PVOID StartContext);
/* Ends the system thread that calls it, without locks and out of regions; STATUS_INVALID_PARAMETER
 * for the program's own thread. PASSIVE_LEVEL. (wdm) */
NTKERNELAPI NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus);
/* Ids, multiples of four. Any IRQL. (ntddk) */
NTKERNELAPI HANDLE NTAPI PsGetCurrentThreadId(VOID);
NTKERNELAPI HANDLE NTAPI PsGetCurrentProcessId(VOID);
NTKERNELAPI HANDLE NTAPI PsGetThreadId(PETHREAD Thread);
/* TRUE: there are no others. Any IRQL. (ntifs) */
NTKERNELAPI BOOLEAN NTAPI PsIsSystemThread(PETHREAD Thread);
/* Of those that could run, the one with the highest priority does. The old one. IRQL <=
 * DISPATCH_LEVEL. (wdm) */
NTKERNELAPI KPRIORITY NTAPI KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority);
NTKERNELAPI KPRIORITY NTAPI KeQueryPriorityThread(PKTHREAD Thread);
/* Lets another thread run; STATUS_NO_YIELD_PERFORMED when there is none. PASSIVE_LEVEL. */
NTSYSAPI NTSTATUS NTAPI ZwYieldExecution(VOID);

/* ---- work items: run by system threads, in order (wdm) ---- */

typedef enum _WORK_QUEUE_TYPE {
    CriticalWorkQueue,
    DelayedWorkQueue,
    HyperCriticalWorkQueue,
    NormalWorkQueue,
    BackgroundWorkQueue,
    RealTimeWorkQueue,
    SuperCriticalWorkQueue,
    MaximumWorkQueue,
    CustomPriorityWorkQueue = 32
} WORK_QUEUE_TYPE;

typedef VOID NTAPI WORKER_THREAD_ROUTINE(PVOID Parameter);
typedef WORKER_THREAD_ROUTINE *PWORKER_THREAD_ROUTINE;

typedef struct _WORK_QUEUE_ITEM {
    LIST_ENTRY List; /* Flink is NULL while it is not queued */
    PWORKER_THREAD_ROUTINE WorkerRoutine;
    volatile PVOID Parameter;
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;

#define ExInitializeWorkItem(Item, Routine, Context)                                               \
    ((Item)->WorkerRoutine = (Routine), (Item)->Parameter = (Context), (Item)->List.Flink = NULL,  \
     (void)0)
/* Queues an initialized item that is not queued; from the begin of its routine on it may be
 * queued again or freed. IRQL <= DISPATCH_LEVEL. */
NTKERNELAPI VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType);

EXTERN_C_END

#endif
