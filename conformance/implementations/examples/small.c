/* A sound implementation that is small: tables of sixteen objects, the system's included, and of
 * sixteen registrations, and paths of at most sixty-four units. More is an error.
 *
 * An object's name lasts as long as its users hold references, or it is permanent. A registration
 * keeps the object, too, but nameless: who creates or opens by that name then gets another object
 * or none. Pointers and handles are numbers of slots, not addresses; nothing is ever allocated.
 * Unregistering waits for an event of the registration's own.
 */
#include <wdm.h>

enum { OBJECTS = 16, REGISTRATIONS = 16, UNITS = 64, FIRST = 0x100 };

typedef struct {
    ULONG Users, Registered; /* references; no name without the first, free without both */
    BOOLEAN Permanent, Multiple;
    USHORT Length;
    WCHAR Name[UNITS];
} OBJECT;

typedef struct {
    OBJECT *Object; /* NULL: free */
    PCALLBACK_FUNCTION Function;
    PVOID Context;
    ULONG Number; /* since the boot: their order */
    ULONG Running;
    BOOLEAN Leaving;
    KEVENT Idle;
} REGISTRATION;

static OBJECT Objects[OBJECTS];
static REGISTRATION Registrations[REGISTRATIONS];
static ULONG LastNumber;
static KSPIN_LOCK Lock;

static PVOID PointerTo(ULONG Slot) {
    return (PVOID)(ULONG_PTR)(FIRST + Slot);
}

static OBJECT *ObjectAt(PVOID Pointer) {
    return &Objects[(ULONG_PTR)Pointer - FIRST];
}

static BOOLEAN IsFree(const OBJECT *Object) {
    return !Object->Users && !Object->Registered && !Object->Permanent;
}

static BOOLEAN Bears(OBJECT *Object, PCUNICODE_STRING Name, BOOLEAN AnyCase) {
    if ((!Object->Users && !Object->Permanent) || Object->Length != Name->Length) return FALSE;
    for (USHORT i = 0; i < Name->Length / sizeof(WCHAR); i++) {
        WCHAR Its = Object->Name[i], Wanted = Name->Buffer[i];
        if (AnyCase) Its = RtlUpcaseUnicodeChar(Its), Wanted = RtlUpcaseUnicodeChar(Wanted);
        if (Its != Wanted) return FALSE;
    }
    return TRUE;
}

NTSTATUS CbfuzzInitialize(VOID) {
    static const PCWSTR Names[] = {L"\\Callback\\SetSystemTime", L"\\Callback\\PowerState",
                                   L"\\Callback\\ProcessorAdd"};
    NTSTATUS Status = STATUS_SUCCESS;
    KeInitializeSpinLock(&Lock);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names) && NT_SUCCESS(Status); i++) {
        UNICODE_STRING Name;
        OBJECT_ATTRIBUTES Attributes;
        PCALLBACK_OBJECT Object;
        RtlInitUnicodeString(&Name, Names[i]);
        InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT, NULL, NULL);
        Status = ExCreateCallback(&Object, &Attributes, TRUE, TRUE);
    }
    return Status;
}

/* The lock is held. Names are compared under it, so they are not in pageable memory. */
static NTSTATUS CreateLocked(ULONG *Slot, POBJECT_ATTRIBUTES Attributes, BOOLEAN Create,
                             BOOLEAN Multiple) {
    PUNICODE_STRING Name = Attributes->ObjectName;
    BOOLEAN AnyCase = (Attributes->Attributes & OBJ_CASE_INSENSITIVE) != 0;
    for (*Slot = 0; *Slot < OBJECTS; ++*Slot)
        if (Bears(&Objects[*Slot], Name, AnyCase)) {
            Objects[*Slot].Users++;
            return STATUS_SUCCESS;
        }
    if (!Create) return STATUS_OBJECT_NAME_NOT_FOUND;
    for (*Slot = 0; *Slot < OBJECTS && !IsFree(&Objects[*Slot]);)
        ++*Slot;
    if (*Slot == OBJECTS) return STATUS_INSUFFICIENT_RESOURCES;
    OBJECT *Object = &Objects[*Slot];
    Object->Users = 1;
    Object->Permanent = (Attributes->Attributes & OBJ_PERMANENT) != 0;
    Object->Multiple = Multiple;
    Object->Length = Name->Length;
    RtlCopyMemory(Object->Name, Name->Buffer, Name->Length);
    return STATUS_SUCCESS;
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    PUNICODE_STRING Name = ObjectAttributes->ObjectName;
    KIRQL Irql;
    ULONG Slot;
    if (!Name || !Name->Length) return STATUS_UNSUCCESSFUL;
    if (Name->Length > sizeof(Objects->Name)) return STATUS_NAME_TOO_LONG;
    KeAcquireSpinLock(&Lock, &Irql);
    NTSTATUS Status = CreateLocked(&Slot, ObjectAttributes, Create, AllowMultipleCallbacks);
    KeReleaseSpinLock(&Lock, Irql);
    if (NT_SUCCESS(Status)) *CallbackObject = PointerTo(Slot);
    return Status;
}

LONG_PTR ObReferenceObject(PVOID Object) {
    KIRQL Irql;
    KeAcquireSpinLock(&Lock, &Irql);
    LONG_PTR Users = ++ObjectAt(Object)->Users;
    KeReleaseSpinLock(&Lock, Irql);
    return Users;
}

LONG_PTR ObDereferenceObject(PVOID Object) {
    KIRQL Irql;
    KeAcquireSpinLock(&Lock, &Irql);
    LONG_PTR Users = --ObjectAt(Object)->Users;
    KeReleaseSpinLock(&Lock, Irql);
    return Users;
}

VOID ObMakeTemporaryObject(PVOID Object) {
    ObjectAt(Object)->Permanent = FALSE;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    OBJECT *Object = ObjectAt(CallbackObject);
    KIRQL Irql;
    ULONG Slot = 0;
    if (!CallbackObject || !CallbackFunction) return NULL;
    KeAcquireSpinLock(&Lock, &Irql);
    while (Slot < REGISTRATIONS && Registrations[Slot].Object)
        Slot++;
    if (Object->Registered && !Object->Multiple) Slot = REGISTRATIONS;
    if (Slot < REGISTRATIONS) {
        REGISTRATION *Registration = &Registrations[Slot];
        Registration->Object = Object;
        Registration->Function = CallbackFunction;
        Registration->Context = CallbackContext;
        Registration->Number = ++LastNumber;
        Registration->Running = 0;
        Registration->Leaving = FALSE;
        Object->Registered++;
    }
    KeReleaseSpinLock(&Lock, Irql);
    return Slot < REGISTRATIONS ? PointerTo(Slot) : NULL;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    KIRQL Irql;
    if (!CallbackRegistration) return;
    REGISTRATION *Registration = &Registrations[(ULONG_PTR)CallbackRegistration - FIRST];
    KeInitializeEvent(&Registration->Idle, NotificationEvent, FALSE);
    KeAcquireSpinLock(&Lock, &Irql);
    Registration->Leaving = TRUE;
    BOOLEAN Wait = Registration->Running != 0;
    KeReleaseSpinLock(&Lock, Irql);
    if (Wait) KeWaitForSingleObject(&Registration->Idle, Executive, KernelMode, FALSE, NULL);
    KeAcquireSpinLock(&Lock, &Irql);
    Registration->Object->Registered--;
    Registration->Object = NULL;
    KeReleaseSpinLock(&Lock, Irql);
}

/* The first one of the object's beyond a number. NULL: there is none. */
static REGISTRATION *Next(const OBJECT *Object, ULONG Number) {
    REGISTRATION *First = NULL;
    for (REGISTRATION *One = Registrations; One < Registrations + REGISTRATIONS; One++)
        if (One->Object == Object && !One->Leaving && One->Number > Number &&
            (!First || One->Number < First->Number))
            First = One;
    return First;
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    OBJECT *Object = ObjectAt(CallbackObject);
    KIRQL Irql;
    KeAcquireSpinLock(&Lock, &Irql);
    ULONG Last = LastNumber, Number = 0; /* who comes later is not called */
    for (REGISTRATION *One; (One = Next(Object, Number)) && One->Number <= Last;) {
        Number = One->Number;
        One->Running++;
        KeReleaseSpinLock(&Lock, Irql);
        One->Function(One->Context, Argument1, Argument2);
        KeAcquireSpinLock(&Lock, &Irql);
        if (--One->Running == 0 && One->Leaving) KeSetEvent(&One->Idle, IO_NO_INCREMENT, FALSE);
    }
    KeReleaseSpinLock(&Lock, Irql);
}
