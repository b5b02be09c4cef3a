/* Registrations: ExRegisterCallback and ExUnregisterCallback. */
#include "wrong.h"

void exit(int);

ULONG CbkCount(PCALLBACK_OBJECT Object) {
    PLIST_ENTRY Link;
    ULONG Count = 0;

    for (Link = Object->Registrations.Flink; Link != &Object->Registrations; Link = Link->Flink) {
        Count++;
    }
    return Count;
}

/* May one more routine be registered? Lock held. */
static BOOLEAN CbkHasPlace(PCALLBACK_OBJECT Object) {
    if (Object->Multiple || bug(single_ignored) || bug(single_replaced)) {
        return TRUE;
    }
    if (bug(single_never_free_again)) {
        return Object->Registered == 0;
    }
    return IsListEmpty(&Object->Registrations);
}

/* For a bug: the link before which contexts of that size stand. */
static PLIST_ENTRY CbkFindByContext(PCALLBACK_OBJECT Object, PVOID Context) {
    PLIST_ENTRY Link = Object->Registrations.Flink;

    while (Link != &Object->Registrations &&
           CONTAINING_RECORD(Link, REGISTRATION, Link)->Context <= Context) {
        Link = Link->Flink;
    }
    return Link;
}

/* For bugs: registrations that get a handle but no place in the list. */
static BOOLEAN CbkIsLost(PCALLBACK_OBJECT Object) {
    return (bug(third_registration_lost) && Object->Registered == 2) ||
           (bug(register_in_call_lost) && !IsListEmpty(&Object->Notifications)) ||
           (bug(register_nested_lost) &&
            Object->Notifications.Flink->Flink != &Object->Notifications);
}

/* Puts a registration into the list. Lock held. */
static VOID CbkLink(PCALLBACK_OBJECT Object, PREGISTRATION Registration) {
    if (bug(rare_exit) && Object->Emptied == 2) {
        exit(0);
    }
    if (bug(single_replaced) && !Object->Multiple && !IsListEmpty(&Object->Registrations)) {
        CONTAINING_RECORD(Object->Registrations.Blink, REGISTRATION, Link)->Off = TRUE;
    }
    if (CbkIsLost(Object)) {
        InitializeListHead(&Registration->Link);
    } else if (bug(order_last_first) || (bug(order_from_seventeenth) && CbkCount(Object) >= 16)) {
        InsertHeadList(&Object->Registrations, &Registration->Link);
    } else if (bug(order_by_context)) {
        InsertTailList(CbkFindByContext(Object, Registration->Context), &Registration->Link);
    } else {
        InsertTailList(&Object->Registrations, &Registration->Link);
    }
    Object->Registered++;
}

/* FALSE: the object takes one routine only and has it. */
static BOOLEAN CbkInsert(PCALLBACK_OBJECT Object, PREGISTRATION Registration) {
    BOOLEAN HasPlace;
    KIRQL Irql;

    KeAcquireSpinLock(&Object->Lock, &Irql);
    HasPlace = CbkHasPlace(Object);
    if (bug(single_check_races)) {
        KeReleaseSpinLock(&Object->Lock, Irql);
        KeAcquireSpinLock(&Object->Lock, &Irql);
    }
    if (HasPlace) {
        CbkLink(Object, Registration);
    }
    KeReleaseSpinLock(&Object->Lock, Irql);
    return HasPlace;
}

/* What stands for a registration when there was no memory for one. */
static PVOID CbkFailWithoutMemory(PCALLBACK_OBJECT Object) {
    static REGISTRATION Nothing;

    if (!bug(no_memory_register_leaks)) {
        ObDereferenceObject(Object);
    }
    return bug(no_memory_register_succeeds) ? &Nothing : NULL;
}

static PVOID CbkRefuse(PCALLBACK_OBJECT Object, PREGISTRATION Registration) {
    ExFreePoolWithTag(Registration, CBK_TAG);
    if (!bug(refusal_leaks_reference)) {
        ObDereferenceObject(Object);
    }
    if (bug(object_freed_early)) {
        ObDereferenceObject(Object);
    }
    return NULL;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    PREGISTRATION Registration;

    if (bug(register_in_call_deadlocks)) {
        KeWaitForSingleObject(&CallbackObject->Idle, Executive, KernelMode, FALSE, NULL);
    }
    ObReferenceObject(CallbackObject);
    Registration = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Registration), CBK_TAG);
    if (!Registration) {
        return CbkFailWithoutMemory(CallbackObject);
    }
    Registration->Object = CallbackObject;
    Registration->Function = CallbackFunction;
    Registration->Context = CallbackContext;
    if (!bug(registration_uninitialized)) {
        Registration->Off = FALSE;
    }
    if (!CbkInsert(CallbackObject, Registration)) {
        return CbkRefuse(CallbackObject, Registration);
    }
    if (bug(register_takes_no_reference)) {
        ObDereferenceObject(CallbackObject);
    }
    if (bug(register_calls_routine)) {
        CallbackFunction(CallbackContext, NULL, NULL);
    }
    return Registration;
}

/* Moves the cursors off a registration that is about to go. Lock held. */
static VOID CbkMoveCursors(PREGISTRATION Registration) {
    PLIST_ENTRY Head = &Registration->Object->Notifications;
    PLIST_ENTRY Link;

    for (Link = Head->Flink; Link != Head; Link = Link->Flink) {
        PNOTIFICATION Notification = CONTAINING_RECORD(Link, NOTIFICATION, Link);

        if (Notification->Cursor != &Registration->Link || bug(registration_used_after_free)) {
            continue;
        }
        Notification->Cursor = Registration->Link.Blink;
        if (bug(self_unregister_skips_next) &&
            Registration->Link.Flink != &Registration->Object->Registrations) {
            Notification->Cursor = Registration->Link.Flink;
        }
    }
}

/* Is another thread in a call of this registration? Forgets this thread's own
 * calls of it: they go on without the registration. Lock held. */
static BOOLEAN CbkRunsElsewhere(PREGISTRATION Registration) {
    PLIST_ENTRY Head = &Registration->Object->Notifications;
    BOOLEAN Elsewhere = FALSE;
    PLIST_ENTRY Link;

    for (Link = Head->Flink; Link != Head; Link = Link->Flink) {
        PNOTIFICATION Notification = CONTAINING_RECORD(Link, NOTIFICATION, Link);

        if (Notification->Running != Registration) {
            continue;
        }
        if (Notification->Thread == KeGetCurrentThread()) {
            Notification->Running = NULL;
        } else {
            Elsewhere = TRUE;
        }
    }
    return Elsewhere;
}

/* Waits until no other thread is in a call of the registration. Lock held, and
 * released for the time of the wait. */
static VOID CbkWaitForCalls(PREGISTRATION Registration, PKIRQL Irql) {
    PCALLBACK_OBJECT Object = Registration->Object;
    WAITER Waiter;

    if (!CbkRunsElsewhere(Registration) || bug(unregister_does_not_wait)) {
        return;
    }
    Waiter.Registration = Registration;
    KeInitializeEvent(&Waiter.CallEnded, SynchronizationEvent, FALSE);
    InsertTailList(&Object->Waiters, &Waiter.Link);
    do {
        KeReleaseSpinLock(&Object->Lock, *Irql);
        KeWaitForSingleObject(&Waiter.CallEnded, Executive, KernelMode, FALSE, NULL);
        KeAcquireSpinLock(&Object->Lock, Irql);
    } while (CbkRunsElsewhere(Registration));
    RemoveEntryList(&Waiter.Link);
}

/* For a bug: the registration before the removed one goes to the end. Lock held. */
static VOID CbkSwapOrder(PREGISTRATION Registration) {
    PLIST_ENTRY Head = &Registration->Object->Registrations;
    PLIST_ENTRY Before = Registration->Link.Blink;

    if (Before != Head && Registration->Link.Flink != Head) {
        RemoveEntryList(Before);
        InsertTailList(Head, Before);
    }
}

/* For a bug: the first registration with the same routine. Lock held. */
static PREGISTRATION CbkFindFirst(PREGISTRATION Registration) {
    PLIST_ENTRY Link = Registration->Object->Registrations.Flink;

    while (CONTAINING_RECORD(Link, REGISTRATION, Link)->Function != Registration->Function) {
        Link = Link->Flink;
    }
    return CONTAINING_RECORD(Link, REGISTRATION, Link);
}

/* For a bug: no end in sight, which the compiler shall neither see nor make a loop of. */
static ULONG CbkRecurse(volatile ULONG Depth) {
    return Depth == MAXULONG ? 0 : CbkRecurse(Depth + 1) + Depth;
}

/* Takes a registration out of the list. Returns whether it was the last. Lock held. */
static BOOLEAN CbkUnlink(PREGISTRATION Registration) {
    PCALLBACK_OBJECT Object = Registration->Object;

    if (bug(rare_recursion) && CbkCount(Object) == 4) {
        CbkRecurse(0);
    }
    if (bug(order_swapped_by_removal)) {
        CbkSwapOrder(Registration);
    }
    CbkMoveCursors(Registration);
    RemoveEntryList(&Registration->Link);
    if (!IsListEmpty(&Object->Registrations)) {
        return FALSE;
    }
    Object->Emptied++;
    return TRUE;
}

static VOID CbkFree(PREGISTRATION Registration, BOOLEAN Last) {
    if (!bug(registration_never_freed)) {
        ExFreePoolWithTag(Registration, CBK_TAG);
    }
    if (bug(registration_freed_twice) && Last) {
        ExFreePoolWithTag(Registration, CBK_TAG);
    }
}

/* Drops the reference that the registration had. */
static VOID CbkDropReference(PCALLBACK_OBJECT Object, BOOLEAN Last) {
    if (bug(permanent_lost_on_unregister) && Last && Object->Permanent) {
        ObMakeTemporaryObject(Object);
    }
    if (bug(unregister_drops_twice)) {
        ObDereferenceObject(Object);
    }
    if (!bug(unregister_leaks_reference) && !bug(register_takes_no_reference)) {
        ObDereferenceObject(Object);
    }
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PREGISTRATION Registration = CallbackRegistration;
    PCALLBACK_OBJECT Object = Registration->Object;
    BOOLEAN Last;
    KIRQL Irql;

    if (bug(no_memory_register_succeeds) && !Object) {
        return;
    }
    KeAcquireSpinLock(&Object->Lock, &Irql);
    if (bug(unregister_by_routine)) {
        Registration = CbkFindFirst(Registration);
    }
    Last = CbkUnlink(Registration);
    CbkWaitForCalls(Registration, &Irql);
    KeReleaseSpinLock(&Object->Lock, Irql);

    CbkFree(Registration, Last);
    CbkDropReference(Object, Last);
}
