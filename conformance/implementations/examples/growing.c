/* A sound implementation that gives no memory back before it must: the kernel's objects, each with
 * an array of registrations that doubles and goes with its object. That of a system-defined
 * object stays for ever, and so do registrations that nobody uses, on a list for the next ones.
 * What is left of a program is kept for later, and no more of it the next time.
 *
 * Unregistering looks every millisecond whether the registration's calls have ended. A routine
 * that is registered during a notification is called by it, for the array is walked by number.
 */
#include <ntddk.h>

enum { FIRST_ROOM = 4 };

typedef struct _REGISTRATION {
    struct _REGISTRATION *NextUnused;
    PCALLBACK_OBJECT Object;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
    ULONG Running;
    BOOLEAN Leaving;
} REGISTRATION, *PREGISTRATION;

struct _CALLBACK_OBJECT {
    PREGISTRATION *Registrations; /* in order */
    ULONG Count, Room;
    BOOLEAN Multiple;
};

static POBJECT_TYPE CallbackType;
static KSPIN_LOCK Lock; /* of all that follows, and of the objects' arrays */
static PREGISTRATION Unused;

static VOID DeleteCallback(PVOID Body) {
    PCALLBACK_OBJECT Object = Body;
    if (Object->Registrations) ExFreePoolWithTag(Object->Registrations, 'yrrA');
}

NTSTATUS CbfuzzInitialize(VOID) {
    static const PCWSTR Names[] = {L"\\Callback\\SetSystemTime", L"\\Callback\\PowerState",
                                   L"\\Callback\\ProcessorAdd"};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Callback");
    OBJECT_TYPE_INITIALIZER Type;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Directory;
    KeInitializeSpinLock(&Lock);
    RtlZeroMemory(&Type, sizeof(Type));
    Type.Length = sizeof(Type);
    Type.PoolType = NonPagedPool;
    Type.DeleteProcedure = DeleteCallback;
    NTSTATUS Status = ObCreateObjectType(&Name, &Type, NULL, &CallbackType);
    if (!NT_SUCCESS(Status)) return Status;
    RtlInitUnicodeString(&Name, L"\\Callback");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    Status = ZwCreateDirectoryObject(&Directory, DIRECTORY_ALL_ACCESS, &Attributes);
    if (!NT_SUCCESS(Status)) return Status;
    ZwClose(Directory);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names) && NT_SUCCESS(Status); i++) {
        PCALLBACK_OBJECT Object;
        RtlInitUnicodeString(&Name, Names[i]);
        InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                                   NULL);
        Status = ExCreateCallback(&Object, &Attributes, TRUE, TRUE);
    }
    return Status;
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    PCALLBACK_OBJECT Object;
    HANDLE Handle;
    PAGED_CODE();
    if (!ObjectAttributes->ObjectName || !ObjectAttributes->ObjectName->Length)
        return STATUS_UNSUCCESSFUL;
    NTSTATUS Status =
        ObOpenObjectByName(ObjectAttributes, CallbackType, KernelMode, NULL, 0, NULL, &Handle);
    if (!NT_SUCCESS(Status) && Create) {
        Status = ObCreateObject(KernelMode, CallbackType, ObjectAttributes, KernelMode, NULL,
                                sizeof(*Object), 0, 0, (PVOID *)&Object);
        if (!NT_SUCCESS(Status)) return Status;
        RtlZeroMemory(Object, sizeof(*Object));
        Object->Multiple = AllowMultipleCallbacks;
        Status = ObInsertObject(Object, NULL, 0, 0, NULL, &Handle);
        if (Status == STATUS_OBJECT_NAME_COLLISION) /* somebody was faster */
            Status = ObOpenObjectByName(ObjectAttributes, CallbackType, KernelMode, NULL, 0, NULL,
                                        &Handle);
    }
    if (!NT_SUCCESS(Status)) return Status;
    Status = ObReferenceObjectByHandle(Handle, 0, CallbackType, KernelMode, (PVOID *)CallbackObject,
                                       NULL);
    ZwClose(Handle);
    return Status;
}

/* Makes the array larger that the lock guards. FALSE: there is no memory. */
static BOOLEAN MakeRoom(PCALLBACK_OBJECT Object) {
    ULONG Room = Object->Room ? 2 * Object->Room : FIRST_ROOM;
    PREGISTRATION *Larger = ExAllocatePoolWithTag(NonPagedPool, Room * sizeof(*Larger), 'yrrA');
    if (!Larger) return FALSE;
    if (Object->Registrations) {
        RtlCopyMemory(Larger, Object->Registrations, Object->Count * sizeof(*Larger));
        ExFreePoolWithTag(Object->Registrations, 'yrrA');
    }
    Object->Registrations = Larger;
    Object->Room = Room;
    return TRUE;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    KIRQL Irql;
    PREGISTRATION Registration = NULL;
    KeAcquireSpinLock(&Lock, &Irql);
    BOOLEAN Room = CallbackObject->Multiple || CallbackObject->Count == 0;
    if (Room && CallbackObject->Count == CallbackObject->Room) Room = MakeRoom(CallbackObject);
    if (Room) {
        Registration = Unused;
        if (Registration) Unused = Registration->NextUnused;
        else Registration = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Registration), 'tsgR');
    }
    if (Registration) {
        RtlZeroMemory(Registration, sizeof(*Registration));
        Registration->Object = CallbackObject;
        Registration->Function = CallbackFunction;
        Registration->Context = CallbackContext;
        CallbackObject->Registrations[CallbackObject->Count++] = Registration;
        ObReferenceObject(CallbackObject);
    }
    KeReleaseSpinLock(&Lock, Irql);
    return Registration;
}

static ULONG PlaceOf(PREGISTRATION Registration) {
    ULONG i = 0;
    while (Registration->Object->Registrations[i] != Registration)
        i++;
    return i;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PREGISTRATION Registration = CallbackRegistration;
    LARGE_INTEGER Millisecond = {.QuadPart = -10000};
    KIRQL Irql;
    if (!Registration) return;
    PCALLBACK_OBJECT Object = Registration->Object;
    KeAcquireSpinLock(&Lock, &Irql);
    Registration->Leaving = TRUE;
    while (Registration->Running) {
        KeReleaseSpinLock(&Lock, Irql);
        KeDelayExecutionThread(KernelMode, FALSE, &Millisecond);
        KeAcquireSpinLock(&Lock, &Irql);
    }
    ULONG Place = PlaceOf(Registration);
    RtlMoveMemory(Object->Registrations + Place, Object->Registrations + Place + 1,
                  (--Object->Count - Place) * sizeof(Registration));
    Registration->NextUnused = Unused;
    Unused = Registration;
    KeReleaseSpinLock(&Lock, Irql);
    ObDereferenceObject(Object);
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    PCALLBACK_OBJECT Object = CallbackObject;
    KIRQL Irql;
    KeAcquireSpinLock(&Lock, &Irql);
    for (ULONG i = 0; i < Object->Count; i++) {
        PREGISTRATION Registration = Object->Registrations[i];
        if (Registration->Leaving) continue;
        Registration->Running++;
        KeReleaseSpinLock(&Lock, Irql);
        Registration->Function(Registration->Context, Argument1, Argument2);
        KeAcquireSpinLock(&Lock, &Irql);
        i = PlaceOf(Registration); /* others before it may have left */
        Registration->Running--;
    }
    KeReleaseSpinLock(&Lock, Irql);
}
