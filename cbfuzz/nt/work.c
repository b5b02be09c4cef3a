/* Work items: each runs on a system thread of its own, so one may wait for another. */
#include "internal.h"

static VOID run(PVOID parameter) {
    PWORK_QUEUE_ITEM item = parameter;
    struct _KTHREAD *thread = nt_current_thread;
    PWORKER_THREAD_ROUTINE routine = item->WorkerRoutine;
    thread->item = NULL;
    item->List.Flink = NULL; /* from here on it may be queued again, or be freed */
    routine(item->Parameter);
    if (NT_UNLIKELY(thread->irql != PASSIVE_LEVEL))
        nt_stop_irql(NtRuleWorkerIrqlChanged, (const void *)routine, "ExQueueWorkItem",
                     PASSIVE_LEVEL);
}

VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType) {
    (void)QueueType; /* all queues are served at once */
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlExDispatchLte);
    NT_SWITCH(NT_POINT_THREAD, WorkItem);
    if (NT_UNLIKELY(WorkItem->List.Flink != NULL))
        nt_stop(NtRuleWorkItemQueuedTwice, NT_SITE, (uintptr_t)WorkItem, 0, __func__,
                "found it queued, or not initialized");
    struct _KTHREAD *thread = nt_thread_create(run, WorkItem, NT_SITE);
    if (NT_UNLIKELY(thread == NULL))
        nt_stop(NtRuleNoMemoryForWork, NT_SITE, (uintptr_t)WorkItem, 0, __func__, "found none");
    thread->item = WorkItem;
    WorkItem->List.Flink = WorkItem->List.Blink = &WorkItem->List;
}
