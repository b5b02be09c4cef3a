/* A sound implementation in the idiom of a kernel's executive, and on what such a kernel has.
 *
 * One event for all who wait for running calls, registrations from a lookaside list, the object
 * type with all its rights, start-up in the order of a boot. Unregistering waits for calls that
 * run, its own included. Processor change routines sit in slots with fast references and rundown
 * protection, as kernels keep their notification routines; a routine that takes itself out of
 * there is called no more, and its slot is cleared up when its call has ended.
 */
#include <ntifs.h>

#define TAG_REGISTRATION 'bcxE'
#define TAG_CHANGE 'hcxE'
#define CHANGE_SLOTS 64

NTSTATUS ExpInitializeCallbacks(VOID);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, ExpInitializeCallbacks)
#pragma alloc_text(PAGE, ExCreateCallback)
#endif

typedef struct _CALLBACK_OBJECT {
    ULONG Signature;
    KSPIN_LOCK Lock;
    LIST_ENTRY RegisteredCallbacks;
    BOOLEAN AllowMultipleCallbacks;
    UCHAR Reserved[3];
} CALLBACK_OBJECT;

typedef struct _CALLBACK_REGISTRATION {
    LIST_ENTRY Link;
    PCALLBACK_OBJECT CallbackObject;
    PCALLBACK_FUNCTION CallbackFunction;
    PVOID CallbackContext;
    ULONG Busy;
    BOOLEAN UnregisterWaiting;
} CALLBACK_REGISTRATION, *PCALLBACK_REGISTRATION;

/* Processor change: what a slot has beside the routine block. */
typedef struct _CHANGE_REGISTRATION {
    EX_CALLBACK_ROUTINE_BLOCK Block;
    PPROCESSOR_CALLBACK_FUNCTION Function;
    PVOID Context;
    ULONG Slot;
    WORK_QUEUE_ITEM ClearUp;
} CHANGE_REGISTRATION, *PCHANGE_REGISTRATION;

typedef struct _SYSTEM_CALLBACK {
    PCALLBACK_OBJECT *CallbackObject;
    PWSTR Name;
} SYSTEM_CALLBACK;

POBJECT_TYPE ExCallbackObjectType;
KEVENT ExpCallbackEvent;
NPAGED_LOOKASIDE_LIST ExpRegistrationLookasideList;
EX_CALLBACK ExpProcessorChange[CHANGE_SLOTS];
PCALLBACK_OBJECT ExCbSetSystemTime, ExCbPowerState, ExCbProcessorAdd;

static const GENERIC_MAPPING ExpCallbackMapping = {
    STANDARD_RIGHTS_READ | CALLBACK_MODIFY_STATE,
    STANDARD_RIGHTS_WRITE | CALLBACK_MODIFY_STATE,
    STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
    CALLBACK_ALL_ACCESS,
};

static const SYSTEM_CALLBACK ExpSystemCallbacks[] = {
    {&ExCbSetSystemTime, L"\\Callback\\SetSystemTime"},
    {&ExCbPowerState, L"\\Callback\\PowerState"},
    {&ExCbProcessorAdd, L"\\Callback\\ProcessorAdd"},
};

/* ---- callback objects ---- */

static VOID NTAPI ExpDeleteCallback(IN PVOID Object) {
    PCALLBACK_OBJECT CallbackObject = (PCALLBACK_OBJECT)Object;

    ASSERT(IsListEmpty(&CallbackObject->RegisteredCallbacks));
    CallbackObject->Signature = 0;
}

NTSTATUS
NTAPI
ExCreateCallback(OUT PCALLBACK_OBJECT *CallbackObject, IN POBJECT_ATTRIBUTES ObjectAttributes,
                 IN BOOLEAN Create, IN BOOLEAN AllowMultipleCallbacks) {
    PCALLBACK_OBJECT Callback = NULL;
    HANDLE Handle = NULL;
    NTSTATUS Status;

    PAGED_CODE();

    if (ObjectAttributes->ObjectName && ObjectAttributes->ObjectName->Length) {
        Status = ObOpenObjectByName(ObjectAttributes, ExCallbackObjectType, KernelMode, NULL,
                                    CALLBACK_MODIFY_STATE, NULL, &Handle);
    } else {
        return ObjectAttributes->ObjectName ? STATUS_OBJECT_PATH_SYNTAX_BAD : STATUS_UNSUCCESSFUL;
    }

    if (!NT_SUCCESS(Status) && Create) {
        OBJECT_ATTRIBUTES Attributes = *ObjectAttributes;

        SetFlag(Attributes.Attributes, OBJ_OPENIF);
        Status = ObCreateObject(KernelMode, ExCallbackObjectType, &Attributes, KernelMode, NULL,
                                sizeof(CALLBACK_OBJECT), 0, 0, (PVOID *)&Callback);
        if (NT_SUCCESS(Status)) {
            Callback->Signature = 'llaC';
            KeInitializeSpinLock(&Callback->Lock);
            InitializeListHead(&Callback->RegisteredCallbacks);
            Callback->AllowMultipleCallbacks = AllowMultipleCallbacks;
            Status = ObInsertObject(Callback, NULL, CALLBACK_MODIFY_STATE, 0, NULL, &Handle);
        }
    }

    if (NT_SUCCESS(Status)) {
        Status = ObReferenceObjectByHandle(Handle, CALLBACK_MODIFY_STATE, ExCallbackObjectType,
                                           KernelMode, (PVOID *)&Callback, NULL);
        NtClose(Handle);
        if (NT_SUCCESS(Status)) {
            *CallbackObject = Callback;
            Status = STATUS_SUCCESS;
        }
    }
    return Status;
}

PVOID
NTAPI
ExRegisterCallback(IN PCALLBACK_OBJECT CallbackObject, IN PCALLBACK_FUNCTION CallbackFunction,
                   IN PVOID CallbackContext) {
    PCALLBACK_REGISTRATION Registration;
    BOOLEAN Inserted = FALSE;
    KIRQL OldIrql;

    ASSERT(CallbackFunction);
    ASSERT(KeGetCurrentIrql() < DISPATCH_LEVEL);

    ObReferenceObject(CallbackObject);
    Registration =
        (PCALLBACK_REGISTRATION)ExAllocateFromNPagedLookasideList(&ExpRegistrationLookasideList);
    if (!Registration) {
        ObDereferenceObject(CallbackObject);
        return NULL;
    }
    Registration->CallbackObject = CallbackObject;
    Registration->CallbackFunction = CallbackFunction;
    Registration->CallbackContext = CallbackContext;
    Registration->Busy = 0;
    Registration->UnregisterWaiting = FALSE;

    KeAcquireSpinLock(&CallbackObject->Lock, &OldIrql);
    if (CallbackObject->AllowMultipleCallbacks ||
        IsListEmpty(&CallbackObject->RegisteredCallbacks)) {
        Inserted = TRUE;
        InsertTailList(&CallbackObject->RegisteredCallbacks, &Registration->Link);
    }
    KeReleaseSpinLock(&CallbackObject->Lock, OldIrql);

    if (!Inserted) {
        ExFreeToNPagedLookasideList(&ExpRegistrationLookasideList, Registration);
        ObDereferenceObject(CallbackObject);
        Registration = NULL;
    }
    return (PVOID)Registration;
}

VOID NTAPI ExUnregisterCallback(IN PVOID CallbackRegistrationHandle) {
    PCALLBACK_REGISTRATION Registration = (PCALLBACK_REGISTRATION)CallbackRegistrationHandle;
    PCALLBACK_OBJECT CallbackObject = Registration->CallbackObject;
    KIRQL OldIrql;

    ASSERT(KeGetCurrentIrql() < DISPATCH_LEVEL);

    KeAcquireSpinLock(&CallbackObject->Lock, &OldIrql);
    while (Registration->Busy) {
        Registration->UnregisterWaiting = TRUE;
        KeClearEvent(&ExpCallbackEvent);
        KeReleaseSpinLock(&CallbackObject->Lock, OldIrql);
        KeWaitForSingleObject(&ExpCallbackEvent, Executive, KernelMode, FALSE, NULL);
        KeAcquireSpinLock(&CallbackObject->Lock, &OldIrql);
    }
    RemoveEntryList(&Registration->Link);
    KeReleaseSpinLock(&CallbackObject->Lock, OldIrql);

    ExFreeToNPagedLookasideList(&ExpRegistrationLookasideList, Registration);
    ObDereferenceObject(CallbackObject);
}

VOID NTAPI ExNotifyCallback(IN PCALLBACK_OBJECT CallbackObject, IN PVOID Argument1,
                            IN PVOID Argument2) {
    PCALLBACK_REGISTRATION Registration;
    PLIST_ENTRY Link;
    KIRQL OldIrql;

    if (CallbackObject == NULL || IsListEmpty(&CallbackObject->RegisteredCallbacks)) {
        return;
    }
    KeAcquireSpinLock(&CallbackObject->Lock, &OldIrql);
    for (Link = CallbackObject->RegisteredCallbacks.Flink;
         Link != &CallbackObject->RegisteredCallbacks; Link = Link->Flink) {
        Registration = CONTAINING_RECORD(Link, CALLBACK_REGISTRATION, Link);
        if (Registration->UnregisterWaiting) {
            continue;
        }
        Registration->Busy += 1;
        KeReleaseSpinLock(&CallbackObject->Lock, OldIrql);

        Registration->CallbackFunction(Registration->CallbackContext, Argument1, Argument2);

        KeAcquireSpinLock(&CallbackObject->Lock, &OldIrql);
        Registration->Busy -= 1;
        if (Registration->UnregisterWaiting && Registration->Busy == 0) {
            KeSetEvent(&ExpCallbackEvent, EVENT_INCREMENT, FALSE);
        }
    }
    KeReleaseSpinLock(&CallbackObject->Lock, OldIrql);
}

/* ---- slots with fast references ---- */

static PEX_CALLBACK_ROUTINE_BLOCK ExpReferenceBlock(IN OUT PEX_CALLBACK Slot) {
    EX_FAST_REF Old = ExAcquireFastReference(&Slot->RoutineBlock);
    PEX_CALLBACK_ROUTINE_BLOCK Block = ExGetObjectFastReference(Old);

    if (Block == NULL) {
        return NULL;
    }
    if (ExGetCountFastReference(Old) == 0) {
        return ExAcquireRundownProtection(&Block->RundownProtect) ? Block : NULL;
    }
    if (ExGetCountFastReference(Old) == 1 &&
        ExAcquireRundownProtectionEx(&Block->RundownProtect, MAX_FAST_REFS) &&
        !ExInsertFastReference(&Slot->RoutineBlock, Block)) {
        ExReleaseRundownProtectionEx(&Block->RundownProtect, MAX_FAST_REFS);
    }
    return Block;
}

static VOID ExpDereferenceBlock(IN OUT PEX_CALLBACK Slot, IN PEX_CALLBACK_ROUTINE_BLOCK Block) {
    if (!ExReleaseFastReference(&Slot->RoutineBlock, Block)) {
        ExReleaseRundownProtection(&Block->RundownProtect);
    }
}

/* Puts a block, or nothing, into a slot that has Old or nothing. */
static BOOLEAN ExpExchangeBlock(IN OUT PEX_CALLBACK Slot, IN PEX_CALLBACK_ROUTINE_BLOCK New,
                                IN PEX_CALLBACK_ROUTINE_BLOCK Old) {
    EX_FAST_REF Before;
    BOOLEAN Done;

    if (New != NULL && !ExAcquireRundownProtectionEx(&New->RundownProtect, MAX_FAST_REFS)) {
        return FALSE;
    }
    KeEnterCriticalRegion();
    Before = ExCompareSwapFastReference(&Slot->RoutineBlock, New, Old);
    Done = ExGetObjectFastReference(Before) == (PVOID)Old;
    KeLeaveCriticalRegion();
    if (!Done && New != NULL) {
        ExReleaseRundownProtectionEx(&New->RundownProtect, MAX_FAST_REFS);
    } else if (Done && Old != NULL) {
        ExReleaseRundownProtectionEx(&Old->RundownProtect, ExGetCountFastReference(Before));
    }
    return Done;
}

/* ---- processor change ---- */

static NTSTATUS NTAPI KipCallChange(IN PVOID CallbackContext, IN PVOID Argument1,
                                    IN PVOID Argument2) {
    PCHANGE_REGISTRATION Change = (PCHANGE_REGISTRATION)CallbackContext;

    Change->Function(Change->Context, (PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT)Argument1,
                     (PNTSTATUS)Argument2);
    return STATUS_SUCCESS;
}

VOID NTAPI KiNotifyProcessorChange(IN PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context,
                                   IN OUT PNTSTATUS OperationStatus) {
    PEX_CALLBACK_ROUTINE_BLOCK Block;
    ULONG i;

    for (i = 0; i < CHANGE_SLOTS; i++) {
        Block = ExpReferenceBlock(&ExpProcessorChange[i]);
        if (Block != NULL) {
            Block->Function(Block->Context, Context, OperationStatus);
            ExpDereferenceBlock(&ExpProcessorChange[i], Block);
        }
    }
}

static VOID KipTellOfExisting(IN PCHANGE_REGISTRATION Change) {
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Active = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);
    ULONG Told, i;

    RtlZeroMemory(&Context, sizeof(Context));
    for (Told = 0; Told < Active && NT_SUCCESS(Status); Told++) {
        Context.State = KeProcessorAddStartNotify;
        Context.NtNumber = Told;
        KeGetProcessorNumberFromIndex(Told, &Context.ProcNumber);
        Change->Function(Change->Context, &Context, &Status);
        if (!NT_SUCCESS(Status)) {
            break;
        }
    }
    Context.State = NT_SUCCESS(Status) ? KeProcessorAddCompleteNotify : KeProcessorAddFailureNotify;
    Context.Status = Status;
    for (i = 0; i < Told; i++) {
        NTSTATUS Ignored = Status;

        Context.NtNumber = i;
        KeGetProcessorNumberFromIndex(i, &Context.ProcNumber);
        Change->Function(Change->Context, &Context, &Ignored);
    }
}

PVOID
NTAPI
KeRegisterProcessorChangeCallback(IN PPROCESSOR_CALLBACK_FUNCTION CallbackFunction,
                                  IN PVOID CallbackContext OPTIONAL, IN ULONG Flags) {
    PCHANGE_REGISTRATION Change;

    PAGED_CODE();
    Change = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Change), TAG_CHANGE);
    if (!Change) {
        return NULL;
    }
    ExInitializeRundownProtection(&Change->Block.RundownProtect);
    Change->Block.Function = KipCallChange;
    Change->Block.Context = Change;
    Change->Function = CallbackFunction;
    Change->Context = CallbackContext;

    for (Change->Slot = 0; Change->Slot < CHANGE_SLOTS; Change->Slot++) {
        if (ExpExchangeBlock(&ExpProcessorChange[Change->Slot], &Change->Block, NULL)) {
            if (Flags & KE_PROCESSOR_CHANGE_ADD_EXISTING) {
                KipTellOfExisting(Change);
            }
            return Change;
        }
    }
    ExFreePoolWithTag(Change, TAG_CHANGE);
    return NULL;
}

/* Waits for calls that run, then frees: on a thread of its own, as the caller may be in one. */
static VOID NTAPI KipClearUp(IN PVOID Parameter) {
    PCHANGE_REGISTRATION Change = (PCHANGE_REGISTRATION)Parameter;

    ExWaitForRundownProtectionRelease(&Change->Block.RundownProtect);
    ExRundownCompleted(&Change->Block.RundownProtect);
    ExFreePoolWithTag(Change, TAG_CHANGE);
}

VOID NTAPI KeDeregisterProcessorChangeCallback(IN PVOID CallbackHandle) {
    PCHANGE_REGISTRATION Change = (PCHANGE_REGISTRATION)CallbackHandle;

    PAGED_CODE();
    if (ExpExchangeBlock(&ExpProcessorChange[Change->Slot], NULL, &Change->Block)) {
        ExInitializeWorkItem(&Change->ClearUp, KipClearUp, Change);
        ExQueueWorkItem(&Change->ClearUp, CriticalWorkQueue);
    }
}

/* ---- start-up ---- */

NTSTATUS ExpInitializeCallbacks(VOID) {
    OBJECT_TYPE_INITIALIZER ObjectTypeInitializer;
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;
    HANDLE DirectoryHandle;
    NTSTATUS Status;
    ULONG i;

    RtlInitUnicodeString(&Name, L"Callback");
    RtlZeroMemory(&ObjectTypeInitializer, sizeof(ObjectTypeInitializer));
    ObjectTypeInitializer.Length = sizeof(ObjectTypeInitializer);
    ObjectTypeInitializer.DefaultNonPagedPoolCharge = sizeof(CALLBACK_OBJECT);
    ObjectTypeInitializer.GenericMapping = ExpCallbackMapping;
    ObjectTypeInitializer.InvalidAttributes = OBJ_OPENLINK;
    ObjectTypeInitializer.PoolType = NonPagedPool;
    ObjectTypeInitializer.DeleteProcedure = ExpDeleteCallback;
    ObjectTypeInitializer.ValidAccessMask = CALLBACK_ALL_ACCESS;
    Status = ObCreateObjectType(&Name, &ObjectTypeInitializer, NULL, &ExCallbackObjectType);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }

    RtlInitUnicodeString(&Name, L"\\Callback");
    InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                               SePublicDefaultUnrestrictedSd);
    Status = NtCreateDirectoryObject(&DirectoryHandle, DIRECTORY_ALL_ACCESS, &ObjectAttributes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    NtClose(DirectoryHandle);

    for (i = 0; i < RTL_NUMBER_OF(ExpSystemCallbacks); i++) {
        RtlInitUnicodeString(&Name, ExpSystemCallbacks[i].Name);
        InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE,
                                   NULL, NULL);
        Status =
            ExCreateCallback(ExpSystemCallbacks[i].CallbackObject, &ObjectAttributes, TRUE, TRUE);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
    }
    return STATUS_SUCCESS;
}

NTSTATUS CbfuzzInitialize(VOID) {
    KeInitializeEvent(&ExpCallbackEvent, NotificationEvent, FALSE);
    ExInitializeNPagedLookasideList(&ExpRegistrationLookasideList, NULL, NULL, 0,
                                    sizeof(CALLBACK_REGISTRATION), TAG_REGISTRATION, 0);
    return ExpInitializeCallbacks();
}
