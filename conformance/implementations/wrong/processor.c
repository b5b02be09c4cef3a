/* Processor change routines, as registrations of \Callback\ProcessorAdd. */
#include "wrong.h"

typedef struct _PROCESSOR_CHANGE {
    PPROCESSOR_CALLBACK_FUNCTION Function;
    PVOID Context;
    PVOID Registration; /* of CbkOnProcessorAdd with \Callback\ProcessorAdd */
} PROCESSOR_CHANGE, *PPROCESSOR_CHANGE;

/* Called by a notification of \Callback\ProcessorAdd. The routine may deregister
 * itself: nothing is read from the change after the call. */
static VOID CbkOnProcessorAdd(PVOID CallbackContext, PVOID Argument1, PVOID Argument2) {
    PPROCESSOR_CHANGE Change = CallbackContext;
    PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context = Argument1;

    if (bug(processor_complete_not_sent) && Context->State == KeProcessorAddCompleteNotify) {
        return;
    }
    if (bug(processor_failure_not_sent) && Context->State == KeProcessorAddFailureNotify) {
        return;
    }
    if (bug(processor_called_raised)) {
        KIRQL Irql;

        KeRaiseIrql(APC_LEVEL, &Irql);
        Change->Function(Change->Context, Context, Argument2);
        KeLowerIrql(Irql);
        return;
    }
    Change->Function(Change->Context, Context, Argument2);
}

static NTSTATUS CbkTellOne(PPROCESSOR_CHANGE Change, ULONG Number,
                           KE_PROCESSOR_CHANGE_NOTIFY_STATE State, NTSTATUS Status) {
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context;

    RtlZeroMemory(&Context, sizeof(Context));
    Context.State = State;
    Context.NtNumber = Number;
    Context.Status = Status;
    KeGetProcessorNumberFromIndex(Number, &Context.ProcNumber);
    Change->Function(Change->Context, &Context, &Status);
    return Status;
}

/* Tells the routine of the processors that are there; returns what it made of it. */
static NTSTATUS CbkTellExisting(PPROCESSOR_CHANGE Change) {
    ULONG Active = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Started = 0, Number;

    while (Started < Active && NT_SUCCESS(Status)) {
        Status = CbkTellOne(Change, Started, KeProcessorAddStartNotify, STATUS_SUCCESS);
        if (NT_SUCCESS(Status) || bug(processor_failure_too_far)) {
            Started++;
        }
        if (bug(processor_completes_early) && NT_SUCCESS(Status)) {
            CbkTellOne(Change, Started - 1, KeProcessorAddCompleteNotify, Status);
        }
    }
    if (bug(processor_completes_early) && NT_SUCCESS(Status)) {
        return Status;
    }
    for (Number = 0; Number < Started; Number++) {
        CbkTellOne(Change, Number,
                   NT_SUCCESS(Status) ? KeProcessorAddCompleteNotify : KeProcessorAddFailureNotify,
                   Status);
    }
    return Status;
}

/* Registers with the system-defined object. The registration keeps it alive. */
static PVOID CbkRegisterChange(PPROCESSOR_CHANGE Change) {
    static WCHAR Path[] = L"\\Callback\\ProcessorAdd"; /* a bug writes to it */
    UNICODE_STRING Name = RTL_CONSTANT_STRING(Path);
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;
    PVOID Registration;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!NT_SUCCESS(ExCreateCallback(&Object, &Attributes, FALSE, FALSE))) {
        return NULL;
    }
    Registration = ExRegisterCallback(Object, CbkOnProcessorAdd, Change);
    ObDereferenceObject(Object);
    return Registration;
}

PVOID KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION CallbackFunction,
                                        PVOID CallbackContext, ULONG Flags) {
    PPROCESSOR_CHANGE Change = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Change), CBK_TAG);

    if (!Change) {
        return NULL;
    }
    Change->Function = CallbackFunction;
    Change->Context = CallbackContext;
    Change->Registration = CbkRegisterChange(Change);
    if (!Change->Registration) {
        ExFreePoolWithTag(Change, CBK_TAG);
        return NULL;
    }
    if ((Flags & KE_PROCESSOR_CHANGE_ADD_EXISTING) && !bug(processor_existing_ignored) &&
        !NT_SUCCESS(CbkTellExisting(Change)) && bug(processor_handle_null)) {
        KeDeregisterProcessorChangeCallback(Change);
        return NULL;
    }
    return Change;
}

VOID KeDeregisterProcessorChangeCallback(PVOID CallbackHandle) {
    PPROCESSOR_CHANGE Change = CallbackHandle;

    if (bug(processor_deregister_ignored)) {
        return;
    }
    ExUnregisterCallback(Change->Registration);
    ExFreePoolWithTag(Change, CBK_TAG);
}
