/* A sound implementation that takes the page on driver-defined objects by its word: unregistering
 * removes the reference to the object that creating or opening it gave. Registering adds none.
 *
 * Registrations are a singly linked list, appended to, with one lock for all objects. Removed ones
 * stay linked until no notification walks over the object. Unregistering polls until no call of the
 * registration runs; from inside its own call that is for ever.
 */
#include <ntddk.h>
#include <ntifs.h>

#define TAG 'lrlC'

typedef struct _ITEM {
    struct _ITEM *Next;
    PCALLBACK_OBJECT Object;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
    LONG Running;
    BOOLEAN Removed;
} ITEM, *PITEM;

struct _CALLBACK_OBJECT {
    PITEM First;
    LONG Walkers;
    BOOLEAN Multiple;
};

static POBJECT_TYPE CallbackType;
static KSPIN_LOCK ListLock; /* zero is a free one */

static PITEM TakeOut(PITEM *Link) {
    PITEM Item = *Link;

    *Link = Item->Next;
    return Item;
}

/* Frees what was removed and is not needed by a walk. */
static VOID Sweep(PCALLBACK_OBJECT Object) {
    PITEM Garbage = NULL, *Link = &Object->First;
    KIRQL Irql;

    KeAcquireSpinLock(&ListLock, &Irql);
    while (!Object->Walkers && *Link) {
        if ((*Link)->Removed && !(*Link)->Running) {
            PITEM Item = TakeOut(Link);

            Item->Next = Garbage;
            Garbage = Item;
        } else {
            Link = &(*Link)->Next;
        }
    }
    KeReleaseSpinLock(&ListLock, Irql);
    while (Garbage) {
        ExFreePoolWithTag(TakeOut(&Garbage), TAG);
    }
}

/* Who lets go of an object that has registrations will not unregister them any more. */
static VOID DeleteCallback(PVOID Body) {
    PCALLBACK_OBJECT Object = Body;

    while (Object->First) {
        ExFreePoolWithTag(TakeOut(&Object->First), TAG);
    }
}

static NTSTATUS MakeType(VOID) {
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Callback");
    OBJECT_TYPE_INITIALIZER Initializer = {0};

    Initializer.Length = sizeof(Initializer);
    Initializer.ValidAccessMask = CALLBACK_ALL_ACCESS;
    Initializer.PoolType = NonPagedPool;
    Initializer.DeleteProcedure = DeleteCallback;
    return ObCreateObjectType(&Name, &Initializer, NULL, &CallbackType);
}

static NTSTATUS MakeObject(POBJECT_ATTRIBUTES Attributes, BOOLEAN Multiple, PHANDLE Handle) {
    PCALLBACK_OBJECT Object;
    NTSTATUS Status = ObCreateObject(KernelMode, CallbackType, Attributes, KernelMode, NULL,
                                     sizeof(*Object), 0, 0, (PVOID *)&Object);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlZeroMemory(Object, sizeof(*Object));
    Object->Multiple = Multiple;
    return ObInsertObject(Object, NULL, 0, 0, NULL, Handle);
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    NTSTATUS Status = CallbackType ? STATUS_SUCCESS : MakeType();
    HANDLE Handle;

    PAGED_CODE();
    if (!ObjectAttributes->ObjectName || !ObjectAttributes->ObjectName->Length) {
        return STATUS_UNSUCCESSFUL;
    }
    if (NT_SUCCESS(Status)) {
        Status =
            ObOpenObjectByName(ObjectAttributes, CallbackType, KernelMode, NULL, 0, NULL, &Handle);
    }
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Create) {
        Status = MakeObject(ObjectAttributes, AllowMultipleCallbacks, &Handle);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(Handle, 0, CallbackType, KernelMode, (PVOID *)CallbackObject,
                                       NULL);
    ZwClose(Handle);
    return Status;
}

/* FALSE: there is one already, and it is to be the only one. Lock held. */
static BOOLEAN Append(PITEM Item) {
    PITEM *Link = &Item->Object->First;

    for (; *Link; Link = &(*Link)->Next) {
        if (!(*Link)->Removed && !Item->Object->Multiple) {
            return FALSE;
        }
    }
    *Link = Item;
    return TRUE;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    BOOLEAN Appended;
    PITEM Item;
    KIRQL Irql;

    if (!CallbackObject) {
        return NULL;
    }
    Item = ExAllocatePoolZero(NonPagedPool, sizeof(*Item), TAG);
    if (!Item) {
        return NULL;
    }
    Item->Object = CallbackObject;
    Item->Function = CallbackFunction;
    Item->Context = CallbackContext;
    KeAcquireSpinLock(&ListLock, &Irql);
    Appended = Append(Item);
    KeReleaseSpinLock(&ListLock, Irql);
    if (!Appended) {
        ExFreePoolWithTag(Item, TAG);
        return NULL;
    }
    return Item;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PITEM Item = CallbackRegistration;
    PCALLBACK_OBJECT Object;
    LARGE_INTEGER Pause;

    if (!Item) {
        return;
    }
    Object = Item->Object;
    Pause.QuadPart = -1;
    InterlockedIncrement(&Object->Walkers); /* nobody sweeps the item away */
    WriteRelease(&Item->Removed, TRUE);
    while (ReadAcquire(&Item->Running)) {
        KeDelayExecutionThread(KernelMode, FALSE, &Pause);
    }
    InterlockedDecrement(&Object->Walkers);
    Sweep(Object);
    ObDereferenceObject(Object); /* the caller's */
}

/* The item that is to be called after `Item`, with a call begun. */
static PITEM BeginNext(PITEM *Link) {
    PITEM Item;
    KIRQL Irql;

    KeAcquireSpinLock(&ListLock, &Irql);
    for (Item = *Link; Item && Item->Removed; Item = Item->Next) {
    }
    if (Item) {
        InterlockedIncrement(&Item->Running);
    }
    KeReleaseSpinLock(&ListLock, Irql);
    return Item;
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    PCALLBACK_OBJECT Object = CallbackObject;
    PITEM Item;

    ObReferenceObject(Object);
    InterlockedIncrement(&Object->Walkers);
    for (Item = BeginNext(&Object->First); Item; Item = BeginNext(&Item->Next)) {
        Item->Function(Item->Context, Argument1, Argument2);
        InterlockedDecrement(&Item->Running);
    }
    InterlockedDecrement(&Object->Walkers);
    Sweep(Object);
    ObDereferenceObject(Object);
}
