/* A sound implementation on two arrays: unregistering gives back the caller's reference.
 *
 * It has its own object routines, no pool and no locks, since one thread calls at a time. Handles
 * are numbers. A temporary object has no name once it is made, and what was made temporary has
 * none any more. A dead object's slot is swept when it is used again, not before. The same routine
 * is registered once with an object, whatever its context. A notification looks for the next
 * number each time, so what was registered meanwhile is called by it.
 */
#include <wdm.h>

enum { OBJECTS = 256, REGISTRATIONS = 256, NAME_UNITS = 300 };

struct _CALLBACK_OBJECT {
    BOOLEAN Used, Permanent, Multiple, Named;
    LONG References;
    USHORT Length; /* of the name, in bytes */
    WCHAR Name[NAME_UNITS];
};

static struct _CALLBACK_OBJECT Objects[OBJECTS];

/* In the order in which they were made. */
static struct {
    ULONG_PTR Number;
    PCALLBACK_OBJECT Object;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
} Registrations[REGISTRATIONS];

static ULONG Count;
static ULONG_PTR LastNumber = 0x1000;

static void FreeIfUnused(PCALLBACK_OBJECT Object) {
    if (!Object->References && !Object->Permanent) {
        Object->Used = FALSE;
    }
}

LONG_PTR ObReferenceObject(PVOID Object) {
    return ++((PCALLBACK_OBJECT)Object)->References;
}

LONG_PTR ObDereferenceObject(PVOID Body) {
    PCALLBACK_OBJECT Object = Body;
    LONG_PTR Left = --Object->References;

    FreeIfUnused(Object);
    return Left;
}

VOID ObMakeTemporaryObject(PVOID Body) {
    PCALLBACK_OBJECT Object = Body;

    Object->Permanent = Object->Named = FALSE;
    FreeIfUnused(Object);
}

static PCALLBACK_OBJECT Find(PUNICODE_STRING Name, BOOLEAN CaseInsensitive) {
    for (ULONG i = 0; i < OBJECTS; i++) {
        PCALLBACK_OBJECT Object = &Objects[i];
        UNICODE_STRING Known = {Object->Length, Object->Length, Object->Name};

        if (Object->Used && Object->Named && RtlEqualUnicodeString(&Known, Name, CaseInsensitive)) {
            return Object;
        }
    }
    return NULL;
}

/* A free slot, without what a dead object has left behind. */
static PCALLBACK_OBJECT FindSlot(void) {
    ULONG Slot = 0, Kept = 0;

    while (Slot < OBJECTS && Objects[Slot].Used) {
        Slot++;
    }
    if (Slot == OBJECTS) {
        return NULL;
    }
    for (ULONG i = 0; i < Count; i++) {
        if (Registrations[i].Object != &Objects[Slot]) {
            Registrations[Kept++] = Registrations[i];
        }
    }
    Count = Kept;
    return &Objects[Slot];
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    PUNICODE_STRING Name = ObjectAttributes->ObjectName;
    PCALLBACK_OBJECT Object;

    if (!Name) {
        return STATUS_UNSUCCESSFUL;
    }
    if (KeGetCurrentIrql() > PASSIVE_LEVEL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Name->Length < 2 || Name->Length > NAME_UNITS * sizeof(WCHAR) || Name->Buffer[0] != L'\\') {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    Object = Find(Name, (ObjectAttributes->Attributes & OBJ_CASE_INSENSITIVE) != 0);
    if (Object) {
        Object->References++;
        *CallbackObject = Object;
        return STATUS_SUCCESS;
    }
    if (!Create) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    Object = FindSlot();
    if (!Object) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Object->Used = TRUE;
    Object->References = 1;
    Object->Permanent = Object->Named = (ObjectAttributes->Attributes & OBJ_PERMANENT) != 0;
    Object->Multiple = AllowMultipleCallbacks;
    Object->Length = Name->Length;
    RtlCopyMemory(Object->Name, Name->Buffer, Name->Length);
    *CallbackObject = Object;
    return STATUS_SUCCESS;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    if (!CallbackObject || !CallbackFunction || Count == REGISTRATIONS) {
        return NULL;
    }
    for (ULONG i = 0; i < Count; i++) {
        if (Registrations[i].Object == CallbackObject &&
            (!CallbackObject->Multiple || Registrations[i].Function == CallbackFunction)) {
            return NULL;
        }
    }
    Registrations[Count].Number = ++LastNumber;
    Registrations[Count].Object = CallbackObject;
    Registrations[Count].Function = CallbackFunction;
    Registrations[Count].Context = CallbackContext;
    Count++;
    return (PVOID)LastNumber;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PCALLBACK_OBJECT Object;

    for (ULONG i = 0; i < Count; i++) {
        if (Registrations[i].Number != (ULONG_PTR)CallbackRegistration) {
            continue;
        }
        Object = Registrations[i].Object;
        for (Count--; i < Count; i++) {
            Registrations[i] = Registrations[i + 1];
        }
        Object->References--;
        FreeIfUnused(Object);
        return;
    }
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    ULONG_PTR Last = 0;
    ULONG i = 0;

    while (i < Count) {
        if (Registrations[i].Object != CallbackObject || Registrations[i].Number <= Last) {
            i++;
            continue;
        }
        Last = Registrations[i].Number;
        Registrations[i].Function(Registrations[i].Context, Argument1, Argument2);
        i = 0; /* the routine may have changed the list */
    }
}
