/* Processor change routines: register, deregister, and the calls they get.
 *
 * Stands beside the callback objects, not on them, so that it can serve an
 * implementation that has callback objects only.
 */
#include "callback.h"
#include "calllist.h"

#define TAG_CHANGE 'hCrP'

typedef struct _PROCESSOR_CHANGE {
    CALL_ENTRY Entry;
    PPROCESSOR_CALLBACK_FUNCTION Function;
    PVOID Context;
} PROCESSOR_CHANGE, *PPROCESSOR_CHANGE;

static VOID KipReleaseChange(PCALL_ENTRY Entry) {
    ExFreePoolWithTag(CONTAINING_RECORD(Entry, PROCESSOR_CHANGE, Entry), TAG_CHANGE);
}

/* Ready without an initialization: a spin lock that is free is zero. */
static CALL_LIST KipChanges = {
    .Entries = {&KipChanges.Entries, &KipChanges.Entries},
    .Release = KipReleaseChange,
};

/* Tells one routine of one processor. Returns what the routine made of Status. */
static NTSTATUS KipCallForProcessor(PPROCESSOR_CHANGE Change,
                                    KE_PROCESSOR_CHANGE_NOTIFY_STATE State, ULONG Number,
                                    NTSTATUS Status) {
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context = {
        .State = State,
        .NtNumber = Number,
        .Status = Status,
    };

    KeGetProcessorNumberFromIndex(Number, &Context.ProcNumber);
    Change->Function(Change->Context, &Context, &Status);
    return Status;
}

/* Tells a new routine of the processors that are there already. An error that
 * it sets is no business of the registration: the routine itself is told. */
static VOID KipCallForExisting(PPROCESSOR_CHANGE Change) {
    ULONG Active = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);
    KE_PROCESSOR_CHANGE_NOTIFY_STATE End = KeProcessorAddCompleteNotify;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Started, Number;

    for (Started = 0; Started < Active; Started++) {
        Status = KipCallForProcessor(Change, KeProcessorAddStartNotify, Started, STATUS_SUCCESS);
        if (!NT_SUCCESS(Status)) {
            End = KeProcessorAddFailureNotify;
            break;
        }
    }
    for (Number = 0; Number < Started; Number++) {
        KipCallForProcessor(Change, End, Number, Status);
    }
}

PVOID KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION CallbackFunction,
                                        PVOID CallbackContext, ULONG Flags) {
    PPROCESSOR_CHANGE Change;

    PAGED_CODE();
    Change = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Change), TAG_CHANGE);
    if (!Change) {
        return NULL;
    }
    Change->Function = CallbackFunction;
    Change->Context = CallbackContext;

    /* Nobody else knows the handle yet, so the entry stays while it is told. */
    CallListInsert(&KipChanges, &Change->Entry, FALSE);
    if (Flags & KE_PROCESSOR_CHANGE_ADD_EXISTING) {
        KipCallForExisting(Change);
    }
    return Change;
}

VOID KeDeregisterProcessorChangeCallback(PVOID CallbackHandle) {
    PPROCESSOR_CHANGE Change = CallbackHandle;

    PAGED_CODE();
    CallListRemove(&KipChanges, &Change->Entry);
}

VOID KiNotifyProcessorChange(PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context,
                             PNTSTATUS OperationStatus) {
    PCALL_ENTRY Entry;
    CALL_WALK Walk;

    CallListBeginWalk(&KipChanges, &Walk);
    while ((Entry = CallListNext(&Walk)) != NULL) {
        PPROCESSOR_CHANGE Change = CONTAINING_RECORD(Entry, PROCESSOR_CHANGE, Entry);

        Change->Function(Change->Context, Context, OperationStatus);
    }
}
