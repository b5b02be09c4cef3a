/* A sound implementation that leaves work to others, and waits for it only where it must.
 *
 * Start-up makes a system thread. At PASSIVE_LEVEL notifying hands the object to it and waits until
 * all routines have run; above it, and from inside a routine that runs there, they are called
 * directly. Who unregisters leaves the rest to a work item, and that to a timer a little later.
 * A routine that is registered during a notification is called by it; unregistering from inside
 * the own call returns.
 */
#include <ntifs.h>

#define TAG 'drhT'

typedef struct _CALLBACK_OBJECT {
    KSPIN_LOCK Lock;
    LIST_ENTRY Registrations;
    ULONG Registered;
    BOOLEAN Multiple;
} CALLBACK_OBJECT;

typedef struct _REGISTRATION {
    LIST_ENTRY Link;
    PCALLBACK_OBJECT Object;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
    LONG Users; /* one for being registered, one for each notification that stands on it */
    BOOLEAN Gone;
    WORK_QUEUE_ITEM Work;
    KTIMER Timer;
    KDPC Dpc;
} REGISTRATION, *PREGISTRATION;

/* What is handed to the thread, one at a time. */
typedef struct _REQUEST {
    KSEMAPHORE Free;
    KEVENT Wanted, Done;
    PCALLBACK_OBJECT Object;
    PVOID Argument1, Argument2;
} REQUEST;

static POBJECT_TYPE CallbackType;
static REQUEST Request;
static PETHREAD Worker;

/* ---- the end of a registration ---- */

static KDEFERRED_ROUTINE FreeRegistration;
static VOID NTAPI FreeRegistration(PKDPC Dpc, PVOID DeferredContext, PVOID SystemArgument1,
                                   PVOID SystemArgument2) {
    PREGISTRATION Registration = DeferredContext;
    PCALLBACK_OBJECT Object = Registration->Object;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(SystemArgument1);
    UNREFERENCED_PARAMETER(SystemArgument2);
    ExFreePoolWithTag(Registration, TAG);
    ObDereferenceObjectDeferDelete(Object);
}

static WORKER_THREAD_ROUTINE EndRegistration;
static VOID NTAPI EndRegistration(PVOID Parameter) {
    PREGISTRATION Registration = Parameter;
    LARGE_INTEGER DueTime;

    PAGED_CODE();
    DueTime.QuadPart = -10 * 1000; /* a millisecond */
    KeInitializeDpc(&Registration->Dpc, FreeRegistration, Registration);
    KeInitializeTimer(&Registration->Timer);
    KeSetTimer(&Registration->Timer, DueTime, &Registration->Dpc);
}

/* Takes one user away; the last one unlinks it. Lock held. */
static VOID DropUser(PREGISTRATION Registration) {
    if (--Registration->Users == 0) {
        RemoveEntryList(&Registration->Link);
        ExInitializeWorkItem(&Registration->Work, EndRegistration, Registration);
        ExQueueWorkItem(&Registration->Work, DelayedWorkQueue);
    }
}

/* ---- calling ---- */

static VOID CallRoutines(PCALLBACK_OBJECT Object, PVOID Argument1, PVOID Argument2) {
    PREGISTRATION Registration, Last = NULL;
    PLIST_ENTRY Link;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Object->Lock, &OldIrql);
    for (Link = Object->Registrations.Flink; Link != &Object->Registrations; Link = Link->Flink) {
        Registration = CONTAINING_RECORD(Link, REGISTRATION, Link);
        if (Registration->Gone) {
            continue;
        }
        Registration->Users++;
        KeReleaseSpinLock(&Object->Lock, OldIrql);
        Registration->Function(Registration->Context, Argument1, Argument2);
        KeAcquireSpinLock(&Object->Lock, &OldIrql);
        if (Last) {
            DropUser(Last);
        }
        Last = Registration; /* it stays linked until the walk has gone on from it */
    }
    if (Last) {
        DropUser(Last);
    }
    KeReleaseSpinLock(&Object->Lock, OldIrql);
}

static KSTART_ROUTINE Serve;
static VOID NTAPI Serve(PVOID StartContext) {
    UNREFERENCED_PARAMETER(StartContext);
    for (;;) {
        KeWaitForSingleObject(&Request.Wanted, Executive, KernelMode, FALSE, NULL);
        CallRoutines(Request.Object, Request.Argument1, Request.Argument2);
        KeSetEvent(&Request.Done, IO_NO_INCREMENT, FALSE);
    }
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    if (KeGetCurrentIrql() != PASSIVE_LEVEL || PsGetCurrentThread() == Worker) {
        CallRoutines(CallbackObject, Argument1, Argument2);
        return;
    }
    KeWaitForSingleObject(&Request.Free, Executive, KernelMode, FALSE, NULL);
    Request.Object = CallbackObject;
    Request.Argument1 = Argument1;
    Request.Argument2 = Argument2;
    KeSetEvent(&Request.Wanted, IO_NO_INCREMENT, TRUE);
    KeWaitForSingleObject(&Request.Done, Executive, KernelMode, FALSE, NULL);
    KeReleaseSemaphore(&Request.Free, IO_NO_INCREMENT, 1, FALSE);
}

/* ---- objects and registrations ---- */

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;
    PVOID Opened;
    HANDLE Handle;
    NTSTATUS Status;

    PAGED_CODE();
    if (ObjectAttributes->ObjectName == NULL) {
        return STATUS_UNSUCCESSFUL;
    }
    if (ObjectAttributes->ObjectName->Length == 0) {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    Attributes = *ObjectAttributes;
    Attributes.Attributes |= OBJ_OPENIF;
    Status = ObOpenObjectByName(&Attributes, CallbackType, KernelMode, NULL, CALLBACK_ALL_ACCESS,
                                NULL, &Handle);
    if (!NT_SUCCESS(Status) && Create) {
        Status = ObCreateObject(KernelMode, CallbackType, &Attributes, KernelMode, NULL,
                                sizeof(*Object), 0, 0, (PVOID *)&Object);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        KeInitializeSpinLock(&Object->Lock);
        InitializeListHead(&Object->Registrations);
        Object->Registered = 0;
        Object->Multiple = AllowMultipleCallbacks;
        Status = ObInsertObject(Object, NULL, CALLBACK_ALL_ACCESS, 0, NULL, &Handle);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(Handle, 0, CallbackType, KernelMode, &Opened, NULL);
    ZwClose(Handle);
    if (NT_SUCCESS(Status)) {
        *CallbackObject = Opened;
        Status = STATUS_SUCCESS;
    }
    return Status;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    PREGISTRATION Registration;
    KIRQL OldIrql;

    if (CallbackObject == NULL) {
        return NULL;
    }
    Registration = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Registration), TAG);
    if (Registration == NULL) {
        return NULL;
    }
    Registration->Object = CallbackObject;
    Registration->Function = CallbackFunction;
    Registration->Context = CallbackContext;
    Registration->Users = 1;

    KeAcquireSpinLock(&CallbackObject->Lock, &OldIrql);
    if (CallbackObject->Multiple || CallbackObject->Registered == 0) {
        CallbackObject->Registered++;
        InsertTailList(&CallbackObject->Registrations, &Registration->Link);
        ObReferenceObject(CallbackObject);
    } else {
        ExFreePoolWithTag(Registration, TAG);
        Registration = NULL;
    }
    KeReleaseSpinLock(&CallbackObject->Lock, OldIrql);
    return Registration;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PREGISTRATION Registration = CallbackRegistration;
    PCALLBACK_OBJECT Object;
    KIRQL OldIrql;

    if (Registration == NULL) {
        return;
    }
    Object = Registration->Object;
    KeAcquireSpinLock(&Object->Lock, &OldIrql);
    Registration->Gone = TRUE;
    Object->Registered--;
    DropUser(Registration);
    KeReleaseSpinLock(&Object->Lock, OldIrql);
}

/* ---- start-up ---- */

static NTSTATUS StartWorker(VOID) {
    OBJECT_ATTRIBUTES Attributes;
    PVOID Thread;
    HANDLE Handle;
    NTSTATUS Status;

    KeInitializeSemaphore(&Request.Free, 1, 1);
    KeInitializeEvent(&Request.Wanted, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Request.Done, SynchronizationEvent, FALSE);
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, Serve, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode,
                                       &Thread, NULL);
    ZwClose(Handle);
    Worker = Thread;
    return Status;
}

NTSTATUS CbfuzzInitialize(VOID) {
    static PCWSTR const Names[] = {L"\\Callback\\SetSystemTime", L"\\Callback\\PowerState",
                                   L"\\Callback\\ProcessorAdd"};
    OBJECT_TYPE_INITIALIZER Initializer;
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;
    UNICODE_STRING Name;
    HANDLE Handle;
    NTSTATUS Status;
    ULONG i;

    RtlInitUnicodeString(&Name, L"Callback");
    RtlZeroMemory(&Initializer, sizeof(Initializer));
    Initializer.Length = sizeof(Initializer);
    Initializer.PoolType = NonPagedPool;
    Initializer.ValidAccessMask = CALLBACK_ALL_ACCESS;
    Status = ObCreateObjectType(&Name, &Initializer, NULL, &CallbackType);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlInitUnicodeString(&Name, L"\\Callback");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, NULL,
                               NULL);
    Status = NtCreateDirectoryObject(&Handle, DIRECTORY_ALL_ACCESS, &Attributes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    NtClose(Handle);
    for (i = 0; i < RTL_NUMBER_OF(Names); i++) {
        RtlInitUnicodeString(&Name, Names[i]);
        InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, NULL,
                                   NULL);
        Status = ExCreateCallback(&Object, &Attributes, TRUE, TRUE);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
    }
    return StartWorker();
}
