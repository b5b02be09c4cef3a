/* Names of objects: captures the caller's attributes and looks names up. */
#include "wrong.h"

#define LONGEST_NAME 24 /* for a bug, in characters; the system's own are shorter */

static volatile ULONG CbkCharactersRead;

/* Copies a name into memory of our own, with a terminating zero. */
static NTSTATUS CbkCopyName(PUNICODE_STRING To, PUNICODE_STRING From) {
    /* Only short names: the system's own must not end the boot. */
    USHORT Extra = bug(name_copy_overrun) && From->Length < 40 ? 0 : sizeof(WCHAR);

    To->Length = From->Length;
    To->MaximumLength = From->Length;
    To->Buffer = ExAllocatePoolWithTag(NonPagedPool, From->Length + Extra, CBK_TAG);
    if (!To->Buffer && !bug(no_memory_create_crashes)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(To->Buffer, From->Buffer, From->Length);
    for (USHORT At = 0; bug(name_slash_separates) && At < From->Length / sizeof(WCHAR); At++) {
        To->Buffer[At] = To->Buffer[At] == L'/' ? L'\\' : To->Buffer[At];
    }
    To->Buffer[From->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

/* Takes liberties with what belongs to the caller. */
static VOID CbkBendInput(POBJECT_ATTRIBUTES Attributes) {
    if (bug(attributes_changed)) {
        Attributes->Attributes |= OBJ_KERNEL_HANDLE;
    }
    if (bug(name_upcased_in_place) && CbkBooted &&
        (Attributes->Attributes & OBJ_CASE_INSENSITIVE)) {
        RtlUpcaseUnicodeString(Attributes->ObjectName, Attributes->ObjectName, FALSE);
    }
    if (bug(name_read_past_end) && Attributes->ObjectName->Length) {
        CbkCharactersRead = 0;
        while (Attributes->ObjectName->Buffer[CbkCharactersRead]) {
            CbkCharactersRead++; /* up to a zero that nobody has promised */
        }
    }
}

/* Changes attributes and name as the bugs want them. */
static VOID CbkBendRequest(PREQUEST Request) {
    if (bug(case_flag_ignored)) {
        Request->Attributes.Attributes &= ~OBJ_CASE_INSENSITIVE;
    }
    if (bug(case_never_minded)) {
        Request->Attributes.Attributes |= OBJ_CASE_INSENSITIVE;
    }
    if (bug(permanent_ignored) && CbkBooted) {
        Request->Attributes.Attributes &= ~OBJ_PERMANENT;
    }
    if (bug(permanent_always)) {
        Request->Attributes.Attributes |= OBJ_PERMANENT;
    }
    if (bug(name_length_in_byte)) {
        Request->Name.Length &= MAXUCHAR * sizeof(WCHAR) + 1;
    }
    if (bug(name_leaf_truncated) && Request->Name.Length > LONGEST_NAME * sizeof(WCHAR)) {
        Request->Name.Length = LONGEST_NAME * sizeof(WCHAR);
    }
}

NTSTATUS CbkCaptureRequest(POBJECT_ATTRIBUTES Attributes, PREQUEST Request) {
    NTSTATUS Status;

    if (!Attributes || !Attributes->ObjectName) {
        return bug(name_unnamed_status) ? STATUS_OBJECT_NAME_INVALID : STATUS_UNSUCCESSFUL;
    }
    CbkBendInput(Attributes);
    Status = CbkCopyName(&Request->Name, Attributes->ObjectName);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Request->Attributes = *Attributes;
    Request->Attributes.ObjectName = &Request->Name;
    Request->Attributes.Attributes |= OBJ_KERNEL_HANDLE;
    CbkBendRequest(Request);
    return STATUS_SUCCESS;
}

VOID CbkReleaseRequest(PREQUEST Request) {
    ExFreePoolWithTag(Request->Name.Buffer, CBK_TAG);
}

static NTSTATUS CbkOpenOnce(PREQUEST Request, POBJECT_TYPE Type, PHANDLE Handle) {
    return ObOpenObjectByName(&Request->Attributes, Type, KernelMode, NULL, 0, NULL, Handle);
}

/* For a bug: looks for a name that is one character shorter. */
static NTSTATUS CbkOpenShorter(PREQUEST Request, POBJECT_TYPE Type, PHANDLE Handle) {
    NTSTATUS Status;

    Request->Name.Length -= sizeof(WCHAR);
    Status = CbkOpenOnce(Request, Type, Handle);
    Request->Name.Length += sizeof(WCHAR);
    return NT_SUCCESS(Status) ? Status : STATUS_OBJECT_NAME_NOT_FOUND;
}

/* For a bug: the first letter of the last component, in the other case. */
static VOID CbkTurnFirstLetter(PREQUEST Request) {
    PWCHAR Letter = Request->Name.Buffer + Request->Name.Length / sizeof(WCHAR);

    while (Letter > Request->Name.Buffer && Letter[-1] != L'\\') {
        Letter--;
    }
    if ((*Letter | 0x20) >= L'a' && (*Letter | 0x20) <= L'z') {
        *Letter ^= 0x20;
    }
}

/* For a bug: compares all but one letter with case. */
static NTSTATUS CbkOpenFirstLetter(PREQUEST Request, POBJECT_TYPE Type, PHANDLE Handle) {
    NTSTATUS Status;

    Request->Attributes.Attributes &= ~OBJ_CASE_INSENSITIVE;
    Status = CbkOpenOnce(Request, Type, Handle);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
        CbkTurnFirstLetter(Request);
        Status = CbkOpenOnce(Request, Type, Handle);
        CbkTurnFirstLetter(Request);
    }
    return Status;
}

NTSTATUS CbkOpenNamed(PREQUEST Request, POBJECT_TYPE Type, PHANDLE Handle) {
    NTSTATUS Status;

    if (bug(case_first_letter) && (Request->Attributes.Attributes & OBJ_CASE_INSENSITIVE)) {
        return CbkOpenFirstLetter(Request, Type, Handle);
    }
    Status = CbkOpenOnce(Request, Type, Handle);
    if (bug(name_prefix) && Status == STATUS_OBJECT_NAME_NOT_FOUND) {
        return CbkOpenShorter(Request, Type, Handle);
    }
    return Status;
}
