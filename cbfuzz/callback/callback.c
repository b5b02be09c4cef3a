/* Callback objects: create or open, register, unregister, notify.
 *
 * A registration holds a reference on its object, so that its owner need not.
 * A routine that is registered during a notification is not called by it. One
 * that unregisters itself from inside its own call goes on running; its
 * registration is freed when that call ends.
 */
#include "callback.h"
#include "calllist.h"

#define TAG_REGISTRATION 'gRbC'

struct _CALLBACK_OBJECT {
    CALL_LIST Registrations;
    BOOLEAN AllowMultiple;
};

typedef struct _CALLBACK_REGISTRATION {
    CALL_ENTRY Entry;
    PCALLBACK_OBJECT Object;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
} CALLBACK_REGISTRATION, *PCALLBACK_REGISTRATION;

static POBJECT_TYPE ExpCallbackType;

NTSTATUS ExpCreateCallbackType(VOID) {
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Callback");
    OBJECT_TYPE_INITIALIZER Type;

    PAGED_CODE();
    RtlZeroMemory(&Type, sizeof(Type));
    Type.Length = sizeof(Type);
    Type.PoolType = NonPagedPool;
    Type.ValidAccessMask = CALLBACK_ALL_ACCESS;
    return ObCreateObjectType(&Name, &Type, NULL, &ExpCallbackType);
}

static VOID ExpReleaseRegistration(PCALL_ENTRY Entry) {
    PCALLBACK_REGISTRATION Registration = CONTAINING_RECORD(Entry, CALLBACK_REGISTRATION, Entry);
    PCALLBACK_OBJECT Object = Registration->Object;

    ExFreePoolWithTag(Registration, TAG_REGISTRATION);
    ObDereferenceObject(Object);
}

/* Opens a handle to the named object, if there is one. */
static NTSTATUS ExpOpenCallback(POBJECT_ATTRIBUTES Attributes, PHANDLE Handle) {
    return ObOpenObjectByName(Attributes, ExpCallbackType, KernelMode, NULL, CALLBACK_ALL_ACCESS,
                              NULL, Handle);
}

/* Makes a new object and opens a handle to it. Somebody may have made one of
 * that name meanwhile; OBJ_OPENIF then gives a handle to theirs. */
static NTSTATUS ExpMakeCallback(POBJECT_ATTRIBUTES Attributes, BOOLEAN AllowMultiple,
                                PHANDLE Handle) {
    PCALLBACK_OBJECT Object;
    NTSTATUS Status;

    Attributes->Attributes |= OBJ_OPENIF;
    Status = ObCreateObject(KernelMode, ExpCallbackType, Attributes, KernelMode, NULL,
                            sizeof(CALLBACK_OBJECT), 0, 0, (PVOID *)&Object);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    CallListInitialize(&Object->Registrations, ExpReleaseRegistration);
    Object->AllowMultiple = AllowMultiple;
    return ObInsertObject(Object, NULL, CALLBACK_ALL_ACCESS, 0, NULL, Handle);
}

/* Turns a handle into a pointer with a reference of its own. The handle is
 * closed; a temporary object without others loses its name by that. */
static NTSTATUS ExpHandleToPointer(HANDLE Handle, PCALLBACK_OBJECT *CallbackObject) {
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, CALLBACK_ALL_ACCESS, ExpCallbackType,
                                                KernelMode, (PVOID *)CallbackObject, NULL);

    ZwClose(Handle);
    return Status;
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;
    NTSTATUS Status;

    PAGED_CODE();
    if (!ObjectAttributes->ObjectName) {
        return STATUS_UNSUCCESSFUL;
    }

    /* The handle is ours alone, and nobody else's business. */
    Attributes = *ObjectAttributes;
    Attributes.Attributes |= OBJ_KERNEL_HANDLE;

    Status = ExpOpenCallback(&Attributes, &Handle);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Create) {
        Status = ExpMakeCallback(&Attributes, AllowMultipleCallbacks, &Handle);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    return ExpHandleToPointer(Handle, CallbackObject);
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    PCALLBACK_REGISTRATION Registration;

    PAGED_CODE();
    if (!CallbackObject) {
        return NULL; /* where creating it failed unnoticed */
    }
    Registration = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Registration), TAG_REGISTRATION);
    if (!Registration) {
        return NULL;
    }
    Registration->Object = CallbackObject;
    Registration->Function = CallbackFunction;
    Registration->Context = CallbackContext;

    ObReferenceObject(CallbackObject);
    if (!CallListInsert(&CallbackObject->Registrations, &Registration->Entry,
                        !CallbackObject->AllowMultiple)) {
        ExpReleaseRegistration(&Registration->Entry);
        return NULL;
    }
    return Registration;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PCALLBACK_REGISTRATION Registration = CallbackRegistration;

    PAGED_CODE();
    if (!Registration) {
        return; /* drivers do not always look at what registering returned */
    }
    CallListRemove(&Registration->Object->Registrations, &Registration->Entry);
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    PCALLBACK_OBJECT Object = CallbackObject;
    PCALL_ENTRY Entry;
    CALL_WALK Walk;

    /* A routine may drop the last reference that others have. */
    ObReferenceObject(Object);
    CallListBeginWalk(&Object->Registrations, &Walk);
    while ((Entry = CallListNext(&Walk)) != NULL) {
        PCALLBACK_REGISTRATION Registration =
            CONTAINING_RECORD(Entry, CALLBACK_REGISTRATION, Entry);

        Registration->Function(Registration->Context, Argument1, Argument2);
    }
    ObDereferenceObject(Object);
}
