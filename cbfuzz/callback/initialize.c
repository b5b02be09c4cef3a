/* Brings up the built-in implementation: type, directory, system-defined objects. */
#include "callback.h"

static NTSTATUS ExpCreateCallbackDirectory(VOID) {
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Callback");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwCreateDirectoryObject(&Handle, DIRECTORY_ALL_ACCESS, &Attributes);
    if (NT_SUCCESS(Status)) {
        ZwClose(Handle);
    }
    return Status;
}

/* The object is permanent: it needs no reference to stay. */
static NTSTATUS ExpCreateSystemCallback(PUNICODE_STRING Name) {
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, Name, OBJ_PERMANENT, NULL, NULL);
    Status = ExCreateCallback(&Object, &Attributes, TRUE, TRUE);
    if (NT_SUCCESS(Status)) {
        ObDereferenceObject(Object);
    }
    return Status;
}

NTSTATUS CbfuzzInitialize(VOID) {
    UNICODE_STRING Names[] = {
        RTL_CONSTANT_STRING(L"\\Callback\\SetSystemTime"),
        RTL_CONSTANT_STRING(L"\\Callback\\PowerState"),
        RTL_CONSTANT_STRING(L"\\Callback\\ProcessorAdd"),
    };
    NTSTATUS Status;
    ULONG i;

    PAGED_CODE();
    Status = ExpCreateCallbackType();
    if (NT_SUCCESS(Status)) {
        Status = ExpCreateCallbackDirectory();
    }
    for (i = 0; NT_SUCCESS(Status) && i < RTL_NUMBER_OF(Names); i++) {
        Status = ExpCreateSystemCallback(&Names[i]);
    }
    return Status;
}
