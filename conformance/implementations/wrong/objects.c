/* Callback objects: their type, and ExCreateCallback. */
#include "wrong.h"

static POBJECT_TYPE CbkType;

NTSTATUS CbkCreateType(VOID) {
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Callback");
    OBJECT_TYPE_INITIALIZER Initializer;

    RtlZeroMemory(&Initializer, sizeof(Initializer));
    Initializer.Length = sizeof(Initializer);
    Initializer.ValidAccessMask = STANDARD_RIGHTS_ALL;
    Initializer.PoolType = NonPagedPool;
    return ObCreateObjectType(&Name, &Initializer, NULL, &CbkType);
}

static VOID CbkInitialize(PCALLBACK_OBJECT Object, PREQUEST Request, BOOLEAN Multiple) {
    RtlZeroMemory(Object, sizeof(*Object));
    KeInitializeSpinLock(&Object->Lock);
    KeInitializeSpinLock(&Object->CallLock);
    KeInitializeEvent(&Object->Idle, NotificationEvent, TRUE);
    InitializeListHead(&Object->Registrations);
    InitializeListHead(&Object->Notifications);
    InitializeListHead(&Object->Waiters);
    Object->Multiple = Multiple;
    Object->Permanent = (Request->Attributes.Attributes & OBJ_PERMANENT) != 0;
}

/* The caller's reference on a new object is the one that ObInsertObject adds. */
static NTSTATUS CbkCreateNew(PREQUEST Request, BOOLEAN Multiple, PVOID *Object) {
    PCALLBACK_OBJECT New;
    HANDLE Handle;
    NTSTATUS Status;

    /* Whoever was faster with this name has made the object: open it then. */
    Request->Attributes.Attributes |= OBJ_OPENIF;
    Status = ObCreateObject(KernelMode, CbkType, &Request->Attributes, KernelMode, NULL,
                            sizeof(*New), 0, 0, (PVOID *)&New);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    CbkInitialize(New, Request, Multiple);
    if (bug(object_never_freed) || (bug(permanent_never_freed) && New->Permanent)) {
        ObReferenceObject(New);
    }
    Status = ObInsertObject(New, NULL, 0, 1, Object, &Handle);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (!bug(permanent_handle_left) || !New->Permanent || !CbkBooted) {
        ZwClose(Handle);
    }
    return STATUS_SUCCESS;
}

/* For bugs: what opening does to an object that is there. */
static VOID CbkBendOpened(PCALLBACK_OBJECT Object, PREQUEST Request, BOOLEAN Multiple) {
    if (bug(multiple_inverted_on_open)) {
        Object->Multiple = !Object->Multiple;
    }
    if (bug(multiple_from_opener)) {
        Object->Multiple = Multiple;
    }
    if (bug(permanent_lost_on_open) && Object->Permanent &&
        !(Request->Attributes.Attributes & OBJ_PERMANENT)) {
        ObMakeTemporaryObject(Object);
    }
    if (bug(open_leaks_reference)) {
        ObReferenceObject(Object);
    }
    if (bug(open_takes_no_reference)) {
        ObDereferenceObject(Object);
    }
}

static NTSTATUS CbkOpenExisting(PREQUEST Request, BOOLEAN Multiple, PVOID *Object) {
    HANDLE Handle;
    NTSTATUS Status = CbkOpenNamed(Request, CbkType, &Handle);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(Handle, 0, CbkType, KernelMode, Object, NULL);
    ZwClose(Handle);
    if (NT_SUCCESS(Status)) {
        CbkBendOpened(*Object, Request, Multiple);
    }
    return Status;
}

/* For a bug: an object beside the one that has the name. */
static NTSTATUS CbkCreateUnnamed(BOOLEAN Multiple, PVOID *Object) {
    REQUEST Request;

    RtlZeroMemory(&Request, sizeof(Request));
    InitializeObjectAttributes(&Request.Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return CbkCreateNew(&Request, Multiple, Object);
}

/* Opens, or creates what is not there. */
static NTSTATUS CbkOpenOrCreate(PREQUEST Request, BOOLEAN Create, BOOLEAN Multiple,
                                PCALLBACK_OBJECT *Stored) {
    PVOID Object;
    NTSTATUS Status = CbkOpenExisting(Request, Multiple, &Object);

    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && (Create || bug(open_creates))) {
        Status = CbkCreateNew(Request, Multiple, &Object);
    } else if (NT_SUCCESS(Status) && Create) {
        if (bug(create_pointer_not_stored)) {
            return Status;
        }
        if (bug(create_status_name_exists)) {
            Status = STATUS_OBJECT_NAME_EXISTS;
        }
        if (bug(create_fails_on_existing)) {
            ObDereferenceObject(Object);
            return STATUS_OBJECT_NAME_COLLISION;
        }
        if (bug(create_always_new)) {
            ObDereferenceObject(Object);
            Status = CbkCreateUnnamed(Multiple, &Object);
        }
    }
    if (NT_SUCCESS(Status)) {
        *Stored = Object;
    }
    return Status;
}

/* For bugs: a failure code that says something else. */
static NTSTATUS CbkBendStatus(NTSTATUS Status) {
    if (bug(code_path_syntax) && Status == STATUS_OBJECT_PATH_SYNTAX_BAD) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (bug(code_name_invalid) && Status == STATUS_OBJECT_NAME_INVALID) {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    if (bug(code_path_not_found) && Status == STATUS_OBJECT_PATH_NOT_FOUND) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (bug(code_name_not_found) && Status == STATUS_OBJECT_NAME_NOT_FOUND) {
        return STATUS_OBJECT_PATH_NOT_FOUND;
    }
    if (bug(code_type_mismatch) && Status == STATUS_OBJECT_TYPE_MISMATCH) {
        return STATUS_INVALID_PARAMETER;
    }
    if (bug(code_no_memory) && Status == STATUS_INSUFFICIENT_RESOURCES) {
        return STATUS_UNSUCCESSFUL;
    }
    return Status;
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    REQUEST Request;
    NTSTATUS Status;

    if (bug(name_unnamed_accepted) && Create && !ObjectAttributes->ObjectName) {
        return CbkCreateUnnamed(AllowMultipleCallbacks, (PVOID *)CallbackObject);
    }
    if (bug(name_empty_accepted) && Create && ObjectAttributes->ObjectName &&
        !ObjectAttributes->ObjectName->Length) {
        return CbkCreateUnnamed(AllowMultipleCallbacks, (PVOID *)CallbackObject);
    }
    Status = CbkCaptureRequest(ObjectAttributes, &Request);
    if (!NT_SUCCESS(Status)) {
        return CbkBendStatus(Status);
    }
    Status = CbkOpenOrCreate(&Request, Create, AllowMultipleCallbacks, CallbackObject);
    CbkReleaseRequest(&Request);
    return CbkBendStatus(Status);
}
