/* Boot of the wrong implementation: directory and system-defined objects. */
#include "wrong.h"

BOOLEAN CbkBooted;

static NTSTATUS CbkCreateDirectory(VOID) {
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Callback");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Directory;
    NTSTATUS Status;

    InitializeObjectAttributes(
        &Attributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwCreateDirectoryObject(&Directory, DIRECTORY_ALL_ACCESS, &Attributes);
    return NT_SUCCESS(Status) ? ZwClose(Directory) : Status;
}

static NTSTATUS CbkCreateSystemObject(PCWSTR Name, BOOLEAN Multiple, BOOLEAN Swaps) {
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;
    UNICODE_STRING String;
    NTSTATUS Status;

    RtlInitUnicodeString(&String, Name);
    InitializeObjectAttributes(&Attributes, &String, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    Status = ExCreateCallback(&Object, &Attributes, TRUE, Multiple);
    if (NT_SUCCESS(Status)) {
        Object->Swaps = Swaps;
        ObDereferenceObject(Object);
    }
    return Status;
}

NTSTATUS CbfuzzInitialize(VOID) {
    NTSTATUS Status = CbkCreateType();

    if (NT_SUCCESS(Status)) {
        Status = CbkCreateDirectory();
    }
    if (NT_SUCCESS(Status)) {
        Status =
            CbkCreateSystemObject(L"\\Callback\\SetSystemTime", !bug(system_time_single), FALSE);
    }
    if (NT_SUCCESS(Status) && !bug(system_power_state_missing)) {
        Status = CbkCreateSystemObject(L"\\Callback\\PowerState", TRUE,
                                       bug(system_power_arguments_swapped));
    }
    if (NT_SUCCESS(Status) && !bug(system_processor_add_missing)) {
        Status = CbkCreateSystemObject(L"\\Callback\\ProcessorAdd", TRUE,
                                       bug(system_processor_arguments_swapped));
    }
    CbkBooted = TRUE;
    return Status;
}
