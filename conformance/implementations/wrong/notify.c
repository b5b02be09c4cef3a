/* Notifications: ExNotifyCallback. */
#include "wrong.h"

/* What is needed for a call, copied while the lock is held. */
typedef struct _CALL {
    PCALLBACK_FUNCTION Function;
    PVOID Context;
} CALL, *PCALL;

/* For bugs: this thread's notifications of the object that are in progress; those
 * that the bug ends are ended. Lock held. */
static ULONG CbkNesting(PCALLBACK_OBJECT Object) {
    PLIST_ENTRY Link;
    ULONG Depth = 0;

    for (Link = Object->Notifications.Flink; Link != &Object->Notifications; Link = Link->Flink) {
        PNOTIFICATION Notification = CONTAINING_RECORD(Link, NOTIFICATION, Link);

        if (Notification->Thread == KeGetCurrentThread()) {
            Notification->Ended = bug(nested_notify_ends_outer);
            Depth++;
        }
    }
    return Depth;
}

static VOID CbkBegin(PCALLBACK_OBJECT Object, PNOTIFICATION Notification) {
    KIRQL Irql;

    Notification->Thread = KeGetCurrentThread();
    Notification->Cursor = &Object->Registrations;
    Notification->Running = NULL;
    Notification->Ended = FALSE;
    Notification->Picked = NULL;
    Notification->Calls = 0;

    KeAcquireSpinLock(&Object->Lock, &Irql);
    Notification->Irql = Object->Irql = Irql;
    if (bug(count_in_byte) && !(UCHAR)CbkCount(Object)) {
        Notification->Ended = TRUE;
    }
    if (CbkNesting(Object) >= 2 && bug(nesting_ignored)) {
        Notification->Ended = TRUE;
    }
    InsertHeadList(&Object->Notifications, &Notification->Link);
    if (bug(register_in_call_deadlocks)) {
        KeClearEvent(&Object->Idle);
    }
    KeReleaseSpinLock(&Object->Lock, Irql);
}

static VOID CbkEnd(PCALLBACK_OBJECT Object, PNOTIFICATION Notification) {
    KIRQL Irql;

    KeAcquireSpinLock(&Object->Lock, &Irql);
    RemoveEntryList(&Notification->Link);
    if (bug(register_in_call_deadlocks) && IsListEmpty(&Object->Notifications)) {
        KeSetEvent(&Object->Idle, IO_NO_INCREMENT, FALSE);
    }
    KeReleaseSpinLock(&Object->Lock, Irql);
}

/* Tells those who wait for the end of the call that has just ended. Lock held. */
static VOID CbkEndCall(PCALLBACK_OBJECT Object, PNOTIFICATION Notification) {
    PREGISTRATION Ended = Notification->Running;
    PLIST_ENTRY Link;

    Notification->Running = NULL;
    for (Link = Object->Waiters.Flink; Ended && Link != &Object->Waiters; Link = Link->Flink) {
        PWAITER Waiter = CONTAINING_RECORD(Link, WAITER, Link);

        if (Waiter->Registration == Ended) {
            KeSetEvent(&Waiter->CallEnded, IO_NO_INCREMENT, FALSE);
        }
    }
}

/* The context that a registration's routine gets. Lock held. */
static PVOID CbkContext(PREGISTRATION Registration) {
    if (bug(context_truncated)) {
        return (PVOID)(ULONG_PTR)(ULONG)(ULONG_PTR)Registration->Context;
    }
    if (bug(context_of_first)) {
        PLIST_ENTRY Link = Registration->Object->Registrations.Flink;

        while (CONTAINING_RECORD(Link, REGISTRATION, Link)->Function != Registration->Function) {
            Link = Link->Flink;
        }
        return CONTAINING_RECORD(Link, REGISTRATION, Link)->Context;
    }
    if (bug(context_null_replaced) && !Registration->Context) {
        return Registration->Object;
    }
    return Registration->Context;
}

/* For a bug: was the next one picked before the last call, and is it gone now? */
static BOOLEAN CbkTakePicked(PNOTIFICATION Notification, PCALL Call) {
    PREGISTRATION Picked = Notification->Picked;

    Notification->Picked = NULL;
    if (!Picked || Notification->Cursor->Flink == &Picked->Link) {
        return FALSE;
    }
    Call->Function = Notification->PickedFunction;
    Call->Context = Notification->PickedContext;
    return TRUE;
}

/* For a bug: picks the one that will be called after the coming call. Lock held. */
static VOID CbkPick(PCALLBACK_OBJECT Object, PNOTIFICATION Notification) {
    PLIST_ENTRY Link = Notification->Cursor->Flink;
    PREGISTRATION Next = CONTAINING_RECORD(Link, REGISTRATION, Link);

    if (Link != &Object->Registrations) {
        Notification->Picked = Next;
        Notification->PickedFunction = Next->Function;
        Notification->PickedContext = Next->Context;
    }
}

/* Steps to the next registration that is to be called. Lock held. */
static PREGISTRATION CbkStep(PCALLBACK_OBJECT Object, PNOTIFICATION Notification) {
    PREGISTRATION Registration;

    do {
        PLIST_ENTRY Link = Notification->Cursor->Flink;

        if (Link == &Object->Registrations || Notification->Ended) {
            return NULL;
        }
        if (bug(dispatch_calls_four) && Notification->Irql == DISPATCH_LEVEL &&
            Notification->Calls++ == 4) {
            return NULL;
        }
        Registration = CONTAINING_RECORD(Link, REGISTRATION, Link);
        Notification->Cursor = Link;
    } while (Registration->Off);
    return Registration;
}

/* Ends the last call and prepares the next one; FALSE if there is none. */
static BOOLEAN CbkNextCall(PCALLBACK_OBJECT Object, PNOTIFICATION Notification, PCALL Call) {
    BOOLEAN Found = FALSE;
    KIRQL Irql;

    KeAcquireSpinLock(&Object->Lock, &Irql);
    CbkEndCall(Object, Notification);
    if (bug(unregistered_next_called)) {
        Found = CbkTakePicked(Notification, Call);
    }
    if (!Found) {
        PREGISTRATION Registration = CbkStep(Object, Notification);

        if (Registration) {
            Notification->Running = Registration;
            Call->Function = Registration->Function;
            Call->Context = CbkContext(Registration);
            Found = TRUE;
        }
    }
    if (bug(unregistered_next_called) && Found) {
        CbkPick(Object, Notification);
    }
    KeReleaseSpinLock(&Object->Lock, Irql);
    return Found;
}

/* Changes the arguments as the bugs want them. */
static VOID CbkBendArguments(PCALLBACK_OBJECT Object, PVOID *Argument1, PVOID *Argument2) {
    if (bug(arguments_swapped) || Object->Swaps) {
        PVOID Saved = *Argument1;

        *Argument1 = *Argument2;
        *Argument2 = Saved;
    }
    if (bug(argument_null_replaced) && !*Argument1) {
        *Argument1 = *Argument2;
    }
    if (bug(argument_truncated)) {
        *Argument2 = (PVOID)(ULONG_PTR)(ULONG)(ULONG_PTR)*Argument2;
    }
}

/* For bugs: what a notification does before it calls anybody. */
static VOID CbkBendNotify(PCALLBACK_OBJECT Object) {
    if (bug(irql_waits_in_notify)) {
        KeWaitForSingleObject(&Object->Idle, Executive, KernelMode, FALSE, NULL);
    }
    if (bug(rare_endless_loop) && CbkCount(Object) == 5) {
        for (volatile ULONG Turns = 0;; Turns++) {
        }
    }
    if (bug(irql_left_raised) && IsListEmpty(&Object->Registrations) &&
        KeGetCurrentIrql() < APC_LEVEL) {
        KIRQL Irql;

        KeRaiseIrql(APC_LEVEL, &Irql);
    }
}

static VOID CbkCall(PCALLBACK_OBJECT Object, PCALL Call, PVOID Argument1, PVOID Argument2) {
    KIRQL Irql;

    if (bug(irql_raised_in_call)) {
        KeAcquireSpinLock(&Object->CallLock, &Irql);
    }
    if (bug(irql_above_dispatch)) {
        KeRaiseIrql(HIGH_LEVEL, &Irql);
    }
    if (bug(irql_of_nested_stays)) {
        Irql = KeGetCurrentIrql();
        KeRaiseIrql(max(Irql, Object->Irql), &Irql);
    }
    Call->Function(Call->Context, Argument1, Argument2);
    if (bug(irql_raised_in_call)) {
        KeReleaseSpinLock(&Object->CallLock, Irql);
    }
    if (bug(irql_above_dispatch) || bug(irql_of_nested_stays)) {
        KeLowerIrql(Irql);
    }
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    PCALLBACK_OBJECT Object = CallbackObject;
    NOTIFICATION Notification;
    CALL Call;

    /* A routine may drop the last reference that others have. */
    ObReferenceObject(Object);
    CbkBendArguments(Object, &Argument1, &Argument2);
    CbkBendNotify(Object);
    CbkBegin(Object, &Notification);
    while (CbkNextCall(Object, &Notification, &Call)) {
        CbkCall(Object, &Call, Argument1, Argument2);
    }
    CbkEnd(Object, &Notification);
    if (!bug(notify_leaks_reference)) {
        ObDereferenceObject(Object);
    }
}
