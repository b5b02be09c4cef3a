/* Lists of routines to be called: the one place with the iteration logic. */
#include "calllist.h"

/* A removal that waits, on the stack of the thread that removes. */
typedef struct _CALL_DRAIN {
    KEVENT Ended;
    ULONG Awaited; /* calls in progress on other threads */
} CALL_DRAIN, *PCALL_DRAIN;

VOID CallListInitialize(PCALL_LIST List, CALL_ENTRY_RELEASE *Release) {
    KeInitializeSpinLock(&List->Lock);
    InitializeListHead(&List->Entries);
    List->NextSequence = 0;
    List->Registered = 0;
    List->Release = Release;
}

BOOLEAN CallListInsert(PCALL_LIST List, PCALL_ENTRY Entry, BOOLEAN Alone) {
    BOOLEAN Insert;
    KIRQL OldIrql;

    Entry->Removed = FALSE;
    Entry->Walks = NULL;
    Entry->Drain = NULL;

    KeAcquireSpinLock(&List->Lock, &OldIrql);
    Insert = !Alone || List->Registered == 0;
    if (Insert) {
        Entry->Sequence = List->NextSequence++;
        List->Registered++;
        InsertTailList(&List->Entries, &Entry->Link);
    }
    KeReleaseSpinLock(&List->Lock, OldIrql);
    return Insert;
}

VOID CallListBeginWalk(PCALL_LIST List, PCALL_WALK Walk) {
    KIRQL OldIrql;

    Walk->List = List;
    Walk->Thread = KeGetCurrentThread();
    Walk->Current = NULL;

    KeAcquireSpinLock(&List->Lock, &OldIrql);
    Walk->Limit = List->NextSequence;
    KeReleaseSpinLock(&List->Lock, OldIrql);
}

/* The entry to be called after the one that the walk stands on. Lock held. */
static PCALL_ENTRY CallpFindNext(PCALL_WALK Walk) {
    PLIST_ENTRY Head = &Walk->List->Entries;
    PLIST_ENTRY Link = Walk->Current ? Walk->Current->Link.Flink : Head->Flink;

    for (; Link != Head; Link = Link->Flink) {
        PCALL_ENTRY Entry = CONTAINING_RECORD(Link, CALL_ENTRY, Link);

        if (!Entry->Removed && Entry->Sequence < Walk->Limit) {
            return Entry;
        }
    }
    return NULL;
}

/* Makes the walk stand on an entry. Lock held. */
static VOID CallpEnter(PCALL_WALK Walk, PCALL_ENTRY Entry) {
    Walk->Current = Entry;
    Walk->Next = Entry->Walks;
    Entry->Walks = Walk;
}

/* Takes the walk off its entry. Lock held. */
static VOID CallpLeave(PCALL_WALK Walk) {
    struct _CALL_WALK **Link = &Walk->Current->Walks;

    while (*Link != Walk) {
        Link = &(*Link)->Next;
    }
    *Link = Walk->Next;
}

/* What is to be done, once the lock is free, for an entry that was left. */
typedef struct _CALL_LEFT {
    PCALL_ENTRY Release; /* nobody needs it any more */
    PKEVENT Signal;      /* a removal has waited for this call */
} CALL_LEFT;

/* Ends the call of the entry that the walk stands on. Lock held. */
static CALL_LEFT CallpEndCall(PCALL_WALK Walk) {
    PCALL_ENTRY Entry = Walk->Current;
    CALL_LEFT Left = {NULL, NULL};

    CallpLeave(Walk);
    if (Entry->Removed && !Entry->Walks) {
        RemoveEntryList(&Entry->Link);
        /* A removal that waits releases the entry itself. */
        Left.Release = Entry->Drain ? NULL : Entry;
    }
    if (Entry->Drain && --Entry->Drain->Awaited == 0) {
        Left.Signal = &Entry->Drain->Ended;
    }
    return Left;
}

PCALL_ENTRY CallListNext(PCALL_WALK Walk) {
    PCALL_LIST List = Walk->List;
    CALL_LEFT Left = {NULL, NULL};
    PCALL_ENTRY Next;
    KIRQL OldIrql;

    KeAcquireSpinLock(&List->Lock, &OldIrql);
    Next = CallpFindNext(Walk);
    if (Walk->Current) {
        Left = CallpEndCall(Walk);
    }
    if (Next) {
        CallpEnter(Walk, Next);
    }
    KeReleaseSpinLock(&List->Lock, OldIrql);

    if (Left.Signal) {
        KeSetEvent(Left.Signal, IO_NO_INCREMENT, FALSE);
    }
    if (Left.Release) {
        List->Release(Left.Release);
    }
    return Next;
}

/* Counts the calls of an entry: this thread's own, and those of others. Lock held. */
static VOID CallpCountCalls(PCALL_ENTRY Entry, PULONG Own, PULONG Others) {
    PKTHREAD Thread = KeGetCurrentThread();
    PCALL_WALK Walk;

    *Own = 0;
    *Others = 0;
    for (Walk = Entry->Walks; Walk; Walk = Walk->Next) {
        ++*(Walk->Thread == Thread ? Own : Others);
    }
}

VOID CallListRemove(PCALL_LIST List, PCALL_ENTRY Entry) {
    CALL_DRAIN Drain;
    KIRQL OldIrql;
    ULONG Own;

    KeInitializeEvent(&Drain.Ended, NotificationEvent, FALSE);

    KeAcquireSpinLock(&List->Lock, &OldIrql);
    Entry->Removed = TRUE;
    List->Registered--;
    CallpCountCalls(Entry, &Own, &Drain.Awaited);
    if (Drain.Awaited) {
        Entry->Drain = &Drain;
    } else if (!Own) {
        RemoveEntryList(&Entry->Link);
    }
    KeReleaseSpinLock(&List->Lock, OldIrql);

    /* Awaited is others' to change as soon as the lock is free; Drain is not. */
    if (Entry->Drain) {
        KeWaitForSingleObject(&Drain.Ended, Executive, KernelMode, FALSE, NULL);
        Entry->Drain = NULL;
    }
    if (!Own) {
        List->Release(Entry);
    }
}
