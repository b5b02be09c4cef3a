/* A sound implementation in the idiom of real kernels: what a callback.c of ntoskrnl looks like.
 *
 * Start-up makes the type, the directory and the system's objects. Notifications walk the live
 * list and take no reference: the caller has one. Unregistering waits until no call of the
 * registration runs, the caller's own included: from inside its own call it never returns.
 * NULL is nobody's object: a mistake of the caller, and so is unregistering NULL.
 */
#include <ntifs.h>

#define TAG_CALLBACK 'kblC'
#define CALLBACK_SIGNATURE 'llaC'

typedef struct _CALLBACK_OBJECT {
    ULONG Signature;
    KSPIN_LOCK Lock;
    LIST_ENTRY RegisteredCallbacks;
    BOOLEAN AllowMultipleCallbacks;
} CALLBACK_OBJECT;

typedef struct _CALLBACK_REGISTRATION {
    LIST_ENTRY Link;
    PCALLBACK_OBJECT CallbackObject;
    PCALLBACK_FUNCTION CallbackFunction;
    PVOID CallbackContext;
    ULONG Busy;                /* calls that run */
    BOOLEAN UnregisterWaiting; /* no further call begins */
    KEVENT Idle;
} CALLBACK_REGISTRATION, *PCALLBACK_REGISTRATION;

typedef struct _EXP_SYSTEM_CALLBACK {
    PCALLBACK_OBJECT *CallBackObject;
    PCWSTR CallbackName;
} EXP_SYSTEM_CALLBACK;

PCALLBACK_OBJECT ExCbSetSystemTime, ExCbPowerState, ExCbProcessorAdd;
static POBJECT_TYPE ExCallbackObjectType;

static const EXP_SYSTEM_CALLBACK ExpInitializeCallback[] = {
    {&ExCbSetSystemTime, L"\\Callback\\SetSystemTime"},
    {&ExCbPowerState, L"\\Callback\\PowerState"},
    {&ExCbProcessorAdd, L"\\Callback\\ProcessorAdd"},
};

static VOID ExpDeleteCallback(PVOID Object) {
    ASSERT(((PCALLBACK_OBJECT)Object)->Signature == CALLBACK_SIGNATURE);
    ASSERT(IsListEmpty(&((PCALLBACK_OBJECT)Object)->RegisteredCallbacks));
}

static NTSTATUS ExpCreateCallbackType(VOID) {
    static GENERIC_MAPPING Mapping = {STANDARD_RIGHTS_READ, STANDARD_RIGHTS_WRITE,
                                      STANDARD_RIGHTS_EXECUTE, CALLBACK_ALL_ACCESS};
    OBJECT_TYPE_INITIALIZER Initializer;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, L"Callback");
    RtlZeroMemory(&Initializer, sizeof(Initializer));
    Initializer.Length = sizeof(Initializer);
    Initializer.InvalidAttributes = OBJ_OPENLINK;
    Initializer.GenericMapping = Mapping;
    Initializer.PoolType = NonPagedPool;
    Initializer.ValidAccessMask = CALLBACK_ALL_ACCESS;
    Initializer.DeleteProcedure = ExpDeleteCallback;
    return ObCreateObjectType(&Name, &Initializer, NULL, &ExCallbackObjectType);
}

static BOOLEAN ExpInitializeCallbacks(VOID) {
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;
    HANDLE Handle;
    ULONG i;

    if (!NT_SUCCESS(ExpCreateCallbackType())) {
        return FALSE;
    }
    RtlInitUnicodeString(&Name, L"\\Callback");
    InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, NULL,
                               NULL);
    if (!NT_SUCCESS(ZwCreateDirectoryObject(&Handle, DIRECTORY_ALL_ACCESS, &ObjectAttributes))) {
        return FALSE;
    }
    ZwClose(Handle);

    for (i = 0; i < RTL_NUMBER_OF(ExpInitializeCallback); i++) {
        RtlInitUnicodeString(&Name, ExpInitializeCallback[i].CallbackName);
        InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE,
                                   NULL, NULL);
        if (!NT_SUCCESS(ExCreateCallback(ExpInitializeCallback[i].CallBackObject, &ObjectAttributes,
                                         TRUE, TRUE))) {
            return FALSE;
        }
    }
    return TRUE;
}

NTSTATUS CbfuzzInitialize(VOID) {
    return ExpInitializeCallbacks() ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT cbObject;
    HANDLE Handle;
    NTSTATUS Status;

    PAGED_CODE();
    if (!ObjectAttributes->ObjectName) {
        return STATUS_UNSUCCESSFUL;
    }
    if (!ObjectAttributes->ObjectName->Length) {
        return STATUS_OBJECT_PATH_SYNTAX_BAD; /* creating would take it for no name at all */
    }
    Attributes = *ObjectAttributes;
    Status =
        ObOpenObjectByName(&Attributes, ExCallbackObjectType, KernelMode, NULL, 0, NULL, &Handle);

    /* Not there, or not to be had: try to create it. */
    if (!NT_SUCCESS(Status) && Create) {
        Attributes.Attributes |= OBJ_OPENIF; /* somebody may have been faster */
        Status = ObCreateObject(KernelMode, ExCallbackObjectType, &Attributes, KernelMode, NULL,
                                sizeof(CALLBACK_OBJECT), 0, 0, (PVOID *)&cbObject);
        if (NT_SUCCESS(Status)) {
            cbObject->Signature = CALLBACK_SIGNATURE;
            KeInitializeSpinLock(&cbObject->Lock);
            InitializeListHead(&cbObject->RegisteredCallbacks);
            cbObject->AllowMultipleCallbacks = AllowMultipleCallbacks;
            Status = ObInsertObject(cbObject, NULL, CALLBACK_ALL_ACCESS, 0, NULL, &Handle);
        }
    }
    if (NT_SUCCESS(Status)) {
        Status = ObReferenceObjectByHandle(Handle, 0, ExCallbackObjectType, KernelMode,
                                           (PVOID *)&cbObject, NULL);
        ZwClose(Handle);
    }
    if (NT_SUCCESS(Status)) {
        *CallbackObject = cbObject;
        return STATUS_SUCCESS;
    }
    return Status;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    PCALLBACK_REGISTRATION Registration;
    BOOLEAN Inserted = FALSE;
    KIRQL OldIrql;

    ASSERT(CallbackFunction);
    ASSERT(KeGetCurrentIrql() < DISPATCH_LEVEL);
    ObReferenceObject(CallbackObject);

    Registration = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Registration), TAG_CALLBACK);
    if (!Registration) {
        ObDereferenceObject(CallbackObject);
        return NULL;
    }
    Registration->CallbackObject = CallbackObject;
    Registration->CallbackFunction = CallbackFunction;
    Registration->CallbackContext = CallbackContext;
    Registration->Busy = 0;
    Registration->UnregisterWaiting = FALSE;
    KeInitializeEvent(&Registration->Idle, NotificationEvent, FALSE);

    KeAcquireSpinLock(&CallbackObject->Lock, &OldIrql);
    if (CallbackObject->AllowMultipleCallbacks ||
        IsListEmpty(&CallbackObject->RegisteredCallbacks)) {
        InsertTailList(&CallbackObject->RegisteredCallbacks, &Registration->Link);
        Inserted = TRUE;
    }
    KeReleaseSpinLock(&CallbackObject->Lock, OldIrql);

    if (!Inserted) {
        ExFreePoolWithTag(Registration, TAG_CALLBACK);
        Registration = NULL;
        ObDereferenceObject(CallbackObject);
    }
    return Registration;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PCALLBACK_REGISTRATION Registration = CallbackRegistration;
    PCALLBACK_OBJECT CallbackObject = Registration->CallbackObject;
    KIRQL OldIrql;

    ASSERT(KeGetCurrentIrql() < DISPATCH_LEVEL);
    KeAcquireSpinLock(&CallbackObject->Lock, &OldIrql);
    Registration->UnregisterWaiting = TRUE;
    while (Registration->Busy) {
        KeReleaseSpinLock(&CallbackObject->Lock, OldIrql);
        KeWaitForSingleObject(&Registration->Idle, Executive, KernelMode, FALSE, NULL);
        KeAcquireSpinLock(&CallbackObject->Lock, &OldIrql);
    }
    RemoveEntryList(&Registration->Link);
    KeReleaseSpinLock(&CallbackObject->Lock, OldIrql);

    ExFreePoolWithTag(Registration, TAG_CALLBACK);
    ObDereferenceObject(CallbackObject);
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    PCALLBACK_OBJECT cbObject = CallbackObject;
    PCALLBACK_REGISTRATION Registration;
    PLIST_ENTRY Link;
    KIRQL OldIrql;

    if (cbObject == NULL || IsListEmpty(&cbObject->RegisteredCallbacks)) {
        return;
    }
    KeAcquireSpinLock(&cbObject->Lock, &OldIrql);
    for (Link = cbObject->RegisteredCallbacks.Flink; Link != &cbObject->RegisteredCallbacks;
         Link = Link->Flink) {
        Registration = CONTAINING_RECORD(Link, CALLBACK_REGISTRATION, Link);

        /* Who is going to be unregistered is not called, but stays on the list while busy. */
        if (!Registration->UnregisterWaiting) {
            Registration->Busy += 1;
            KeReleaseSpinLock(&cbObject->Lock, OldIrql);
            Registration->CallbackFunction(Registration->CallbackContext, Argument1, Argument2);
            KeAcquireSpinLock(&cbObject->Lock, &OldIrql);
            Registration->Busy -= 1;
            if (Registration->UnregisterWaiting && Registration->Busy == 0) {
                KeSetEvent(&Registration->Idle, 0, FALSE);
            }
        }
    }
    KeReleaseSpinLock(&cbObject->Lock, OldIrql);
}
