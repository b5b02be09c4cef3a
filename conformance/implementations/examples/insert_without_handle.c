/* A sound implementation that inserts objects without a handle, so that temporary ones have names.
 *
 * The name of an object that never had a handle stays until the object is opened by it: closing
 * that handle takes the name along. With -DOPEN_BY_REFERENCE opening makes no handle, and the name
 * stays as long as the object. A name keeps a reference, so users are counted here, and the last
 * one takes the name away. Each registration has rundown protection: unregistering from inside the
 * own call never returns.
 */
#include <ntifs.h>

#define TAG 'hwnI'

typedef struct _REGISTRATION {
    LIST_ENTRY Link;
    PCALLBACK_OBJECT Object;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
    EX_RUNDOWN_REF Calls;
} REGISTRATION, *PREGISTRATION;

struct _CALLBACK_OBJECT {
    LONG Users; /* references of callers, registrations, notifications; one if permanent */
    BOOLEAN Permanent;
    BOOLEAN Multiple;
    KSPIN_LOCK Lock;
    LIST_ENTRY Registrations;
};

static POBJECT_TYPE CallbackType;

/* ---- users ---- */

/* The environment's ObMakeTemporaryObject, whose name is taken below: a handle does it as well. */
static VOID DropName(PVOID Object) {
    HANDLE Handle;

    if (NT_SUCCESS(ObOpenObjectByPointer(Object, OBJ_KERNEL_HANDLE, NULL, 0, CallbackType,
                                         KernelMode, &Handle))) {
        ZwMakeTemporaryObject(Handle);
        ZwClose(Handle);
    }
}

/* Nobody uses it any more: the name goes, and the last reference. Names need IRQL <= APC_LEVEL, and
 * there are no work items: as nobody who comes here holds a lock, the level is lowered for that
 * time. */
static VOID Delete(PCALLBACK_OBJECT Object) {
    KIRQL Irql = KeGetCurrentIrql(), Same;

    KeLowerIrql(min(Irql, APC_LEVEL));
    DropName(Object);
    ObDereferenceObjectDeferDelete(Object);
    KeRaiseIrql(Irql, &Same);
}

static VOID Use(PCALLBACK_OBJECT Object) {
    InterlockedIncrement(&Object->Users);
}

static VOID LetGo(PCALLBACK_OBJECT Object) {
    LONG Left = InterlockedDecrement(&Object->Users);

    if (Left < 0) {
        KeBugCheckEx(0x18, (ULONG_PTR)CallbackType, (ULONG_PTR)Object, 0, Left);
    }
    if (Left == 0) {
        Delete(Object);
    }
}

/* ---- objects ---- */

static NTSTATUS MakeType(VOID) {
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Callback");
    OBJECT_TYPE_INITIALIZER Initializer = {0};

    Initializer.Length = sizeof(Initializer);
    Initializer.PoolType = NonPagedPool;
    Initializer.ValidAccessMask = CALLBACK_ALL_ACCESS;
    return ObCreateObjectType(&Name, &Initializer, NULL, &CallbackType);
}

#ifdef OPEN_BY_REFERENCE
static NTSTATUS Open(POBJECT_ATTRIBUTES Attributes, PVOID *Object) {
    return ObReferenceObjectByName(Attributes->ObjectName, Attributes->Attributes, NULL, 0,
                                   CallbackType, KernelMode, NULL, Object);
}
#else
static NTSTATUS Open(POBJECT_ATTRIBUTES Attributes, PVOID *Object) {
    HANDLE Handle;
    NTSTATUS Status =
        ObOpenObjectByName(Attributes, CallbackType, KernelMode, NULL, 0, NULL, &Handle);

    if (NT_SUCCESS(Status)) {
        Status = ObReferenceObjectByHandle(Handle, 0, CallbackType, KernelMode, Object, NULL);
        ZwClose(Handle);
    }
    return Status;
}
#endif

static NTSTATUS Make(POBJECT_ATTRIBUTES Attributes, BOOLEAN Multiple, PVOID *Made) {
    PCALLBACK_OBJECT Object;
    NTSTATUS Status = ObCreateObject(KernelMode, CallbackType, Attributes, KernelMode, NULL,
                                     sizeof(*Object), 0, 0, (PVOID *)&Object);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlZeroMemory(Object, sizeof(*Object));
    Object->Permanent = BooleanFlagOn(Attributes->Attributes, OBJ_PERMANENT);
    Object->Multiple = Multiple;
    Object->Users = Object->Permanent ? 2 : 1;
    KeInitializeSpinLock(&Object->Lock);
    InitializeListHead(&Object->Registrations);
    *Made = Object;
    return ObInsertObject(Object, NULL, 0, 0, NULL, NULL);
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    NTSTATUS Status = CallbackType ? STATUS_SUCCESS : MakeType();
    PVOID Object;

    if (!ObjectAttributes->ObjectName || !ObjectAttributes->ObjectName->Length) {
        return STATUS_UNSUCCESSFUL;
    }
    if (NT_SUCCESS(Status)) {
        Status = Open(ObjectAttributes, &Object);
    }
    if (NT_SUCCESS(Status)) {
        Use(Object);
        ObDereferenceObjectDeferDelete(Object); /* users are what counts */
    } else if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Create) {
        Status = Make(ObjectAttributes, AllowMultipleCallbacks, &Object);
    }
    if (NT_SUCCESS(Status)) {
        *CallbackObject = Object;
    }
    return Status;
}

/* ---- registrations ---- */

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    PREGISTRATION Registration;
    BOOLEAN Room;
    KIRQL Irql;

    Registration = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Registration), TAG);
    if (!Registration) {
        return NULL;
    }
    Registration->Object = CallbackObject;
    Registration->Function = CallbackFunction;
    Registration->Context = CallbackContext;
    ExInitializeRundownProtection(&Registration->Calls);

    KeAcquireSpinLock(&CallbackObject->Lock, &Irql);
    Room = CallbackObject->Multiple || IsListEmpty(&CallbackObject->Registrations);
    if (Room) {
        Use(CallbackObject);
        InsertTailList(&CallbackObject->Registrations, &Registration->Link);
    }
    KeReleaseSpinLock(&CallbackObject->Lock, Irql);
    if (!Room) {
        ExFreePoolWithTag(Registration, TAG);
        return NULL;
    }
    return Registration;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PREGISTRATION Registration = CallbackRegistration;
    PCALLBACK_OBJECT Object;
    KIRQL Irql;

    if (!Registration) {
        return;
    }
    Object = Registration->Object;
    ExWaitForRundownProtectionRelease(&Registration->Calls);
    KeAcquireSpinLock(&Object->Lock, &Irql);
    RemoveEntryList(&Registration->Link);
    KeReleaseSpinLock(&Object->Lock, Irql);
    ExFreePoolWithTag(Registration, TAG);
    LetGo(Object);
}

/* The first one behind `Link` that still may be called: protected, so that it stays linked. */
static PREGISTRATION Protect(PCALLBACK_OBJECT Object, PLIST_ENTRY Link) {
    PREGISTRATION Found = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&Object->Lock, &Irql);
    for (Link = Link->Flink; Link != &Object->Registrations && !Found; Link = Link->Flink) {
        PREGISTRATION Registration = CONTAINING_RECORD(Link, REGISTRATION, Link);

        if (ExAcquireRundownProtection(&Registration->Calls)) {
            Found = Registration;
        }
    }
    KeReleaseSpinLock(&Object->Lock, Irql);
    return Found;
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    PCALLBACK_OBJECT Object = CallbackObject;
    PREGISTRATION Current, Next;

    Use(Object);
    for (Current = Protect(Object, &Object->Registrations); Current; Current = Next) {
        Current->Function(Current->Context, Argument1, Argument2);
        Next = Protect(Object, &Current->Link);
        ExReleaseRundownProtection(&Current->Calls);
    }
    LetGo(Object);
}

/* ---- what callers use of the object manager ---- */

LONG_PTR ObReferenceObject(PVOID Object) {
    Use(Object);
    return 1;
}

LONG_PTR ObDereferenceObject(PVOID Object) {
    LetGo(Object);
    return 0;
}

VOID ObMakeTemporaryObject(PVOID Object) {
    PCALLBACK_OBJECT Callback = Object;

    DropName(Callback);
    if (Callback->Permanent) {
        Callback->Permanent = FALSE;
        LetGo(Callback);
    }
}
