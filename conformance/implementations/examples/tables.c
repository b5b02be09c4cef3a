/* A sound implementation on static tables: its own object manager, no pool, no environment objects.
 *
 * Nothing exclusive is made or opened, and nothing at all above PASSIVE_LEVEL: both are errors.
 * 64 objects and 128 registrations, each slot used again at once. A name is one flat string, not a
 * path: anything with a leading backslash is one, and it stays as long as its object lives, also
 * when that is temporary or made so. Processor change routines hear of a processor once, when it
 * has been added. A lock is a word that is spun on, at any IRQL.
 */
#include <wdm.h>

enum { OBJECTS = 64, REGISTRATIONS = 128, NAME_UNITS = 220, CHANGES = 64 };

struct _CALLBACK_OBJECT {
    LONG References; /* callers', and one for each registration */
    BOOLEAN Used, Permanent, Multiple;
    USHORT Units;
    WCHAR Name[NAME_UNITS];
};

typedef struct {
    PCALLBACK_OBJECT Object; /* NULL: a free slot */
    PCALLBACK_FUNCTION Function;
    PVOID Context;
    ULONG64 Serial; /* of the registration: their order */
} SLOT;

/* A call that runs, on the stack of its thread. */
typedef struct _RUN {
    struct _RUN *Next;
    PKTHREAD Thread;
    ULONG64 Serial;
} RUN;

typedef struct {
    PPROCESSOR_CALLBACK_FUNCTION Function;
    PVOID Context;
    SLOT *Slot; /* of \Callback\ProcessorAdd; NULL: free */
} CHANGE;

static struct _CALLBACK_OBJECT Objects[OBJECTS];
static SLOT Slots[REGISTRATIONS];
static CHANGE Changes[CHANGES];
static RUN *Runs;
static ULONG64 LastSerial;
static LONG volatile Locked;

static void Lock(void) {
    while (InterlockedExchange(&Locked, 1)) {
        YieldProcessor();
    }
}

static void Unlock(void) {
    InterlockedExchange(&Locked, 0);
}

/* A to Z only: the documents have no other letters. */
static WCHAR Fold(WCHAR Unit) {
    return Unit >= L'a' && Unit <= L'z' ? (WCHAR)(Unit - 32) : Unit;
}

static BOOLEAN SameName(const struct _CALLBACK_OBJECT *Object, PCUNICODE_STRING Name,
                        BOOLEAN IgnoreCase) {
    if (Object->Units != Name->Length / sizeof(WCHAR)) {
        return FALSE;
    }
    for (ULONG i = 0; i < Object->Units; i++) {
        WCHAR a = Object->Name[i], b = Name->Buffer[i];

        if (a != b && !(IgnoreCase && Fold(a) == Fold(b))) {
            return FALSE;
        }
    }
    return TRUE;
}

static PCALLBACK_OBJECT FindObject(PCUNICODE_STRING Name, BOOLEAN IgnoreCase) {
    for (ULONG i = 0; i < OBJECTS; i++) {
        if (Objects[i].Used && SameName(&Objects[i], Name, IgnoreCase)) {
            return &Objects[i];
        }
    }
    return NULL;
}

static PCALLBACK_OBJECT MakeObject(PCUNICODE_STRING Name, BOOLEAN Permanent, BOOLEAN Multiple) {
    for (ULONG i = 0; i < OBJECTS; i++) {
        PCALLBACK_OBJECT Object = &Objects[i];

        if (!Object->Used) {
            Object->Used = TRUE;
            Object->References = 0;
            Object->Permanent = Permanent;
            Object->Multiple = Multiple;
            Object->Units = Name->Length / sizeof(WCHAR);
            RtlCopyMemory(Object->Name, Name->Buffer, Name->Length);
            return Object;
        }
    }
    return NULL;
}

/* Lock held. */
static void Release(PCALLBACK_OBJECT Object, LONG References) {
    Object->References -= References;
    if (Object->References == 0 && !Object->Permanent) {
        Object->Used = FALSE;
    }
}

LONG_PTR ObReferenceObject(PVOID Object) {
    return InterlockedIncrement(&((PCALLBACK_OBJECT)Object)->References);
}

LONG_PTR ObDereferenceObject(PVOID Object) {
    Lock();
    if (((PCALLBACK_OBJECT)Object)->References == 0) {
        KeBugCheckEx(0x18, 0, (ULONG_PTR)Object, 0, 0);
    }
    Release(Object, 1);
    Unlock();
    return 0;
}

VOID ObMakeTemporaryObject(PVOID Object) {
    Lock();
    ((PCALLBACK_OBJECT)Object)->Permanent = FALSE;
    Release(Object, 0);
    Unlock();
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    PCUNICODE_STRING Name = ObjectAttributes->ObjectName;
    ULONG Attributes = ObjectAttributes->Attributes;
    NTSTATUS Status = STATUS_SUCCESS;
    PCALLBACK_OBJECT Object;

    if (!Name) {
        return STATUS_UNSUCCESSFUL;
    }
    if ((Attributes & OBJ_EXCLUSIVE) || KeGetCurrentIrql() > PASSIVE_LEVEL) {
        return STATUS_NOT_SUPPORTED;
    }
    if (Name->Length < sizeof(WCHAR) || Name->Length % sizeof(WCHAR) || Name->Buffer[0] != L'\\') {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (Name->Length > NAME_UNITS * sizeof(WCHAR)) {
        return STATUS_NAME_TOO_LONG;
    }
    Lock();
    Object = FindObject(Name, BooleanFlagOn(Attributes, OBJ_CASE_INSENSITIVE));
    if (!Object && !Create) {
        Status = STATUS_NOT_FOUND;
    } else if (!Object) {
        Object = MakeObject(Name, BooleanFlagOn(Attributes, OBJ_PERMANENT), AllowMultipleCallbacks);
        Status = Object ? STATUS_SUCCESS : STATUS_NO_MEMORY;
    }
    if (Object) {
        Object->References++;
        *CallbackObject = Object;
    }
    Unlock();
    return Status;
}

static SLOT *FillSlot(PCALLBACK_OBJECT Object, PCALLBACK_FUNCTION Function, PVOID Context) {
    SLOT *Free = NULL;

    for (ULONG i = 0; i < REGISTRATIONS; i++) {
        if (!Slots[i].Object) {
            Free = &Slots[i];
        } else if (Slots[i].Object == Object && !Object->Multiple) {
            return NULL;
        }
    }
    if (Free) {
        *Free = (SLOT){Object, Function, Context, ++LastSerial};
        Object->References++;
    }
    return Free;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    SLOT *Slot;

    if (!CallbackObject) {
        return NULL;
    }
    Lock();
    Slot = FillSlot(CallbackObject, CallbackFunction, CallbackContext);
    Unlock();
    return Slot;
}

static BOOLEAN RunsElsewhere(ULONG64 Serial) {
    for (RUN *Run = Runs; Run; Run = Run->Next) {
        if (Run->Serial == Serial && Run->Thread != KeGetCurrentThread()) {
            return TRUE;
        }
    }
    return FALSE;
}

/* The slot is free, and may be another's, as soon as no other thread is in its call. */
VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    SLOT *Slot = CallbackRegistration;
    PCALLBACK_OBJECT Object;
    ULONG64 Serial;

    if (!Slot) {
        return;
    }
    Lock();
    Object = Slot->Object;
    Serial = Slot->Serial;
    Slot->Object = NULL;
    while (RunsElsewhere(Serial)) {
        Unlock();
        YieldProcessor();
        Lock();
    }
    Release(Object, 1);
    Unlock();
}

/* The oldest registration that is newer than `After`, but not newer than `Last`. Lock held. */
static SLOT *NextSlot(PCALLBACK_OBJECT Object, ULONG64 After, ULONG64 Last) {
    SLOT *Next = NULL;

    for (ULONG i = 0; i < REGISTRATIONS; i++) {
        SLOT *Slot = &Slots[i];

        if (Slot->Object == Object && Slot->Serial > After && Slot->Serial <= Last &&
            (!Next || Slot->Serial < Next->Serial)) {
            Next = Slot;
        }
    }
    return Next;
}

static void EndRun(RUN *Run) {
    RUN **Link = &Runs;

    while (*Link != Run) {
        Link = &(*Link)->Next;
    }
    *Link = Run->Next;
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    PCALLBACK_OBJECT Object = CallbackObject;
    RUN Run = {.Thread = KeGetCurrentThread()};
    ULONG64 Last;
    SLOT *Slot;

    Lock();
    Object->References++;
    Last = LastSerial;
    while ((Slot = NextSlot(Object, Run.Serial, Last)) != NULL) {
        SLOT Copy = *Slot;

        Run.Serial = Copy.Serial;
        Run.Next = Runs;
        Runs = &Run;
        Unlock();
        Copy.Function(Copy.Context, Argument1, Argument2);
        Lock();
        EndRun(&Run);
    }
    Release(Object, 1);
    Unlock();
}

static VOID OnProcessor(PVOID Context, PVOID Argument1, PVOID Argument2) {
    PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Change = Argument1;
    CHANGE *Who = Context;

    if (Change->State == KeProcessorAddCompleteNotify) {
        Who->Function(Who->Context, Change, Argument2);
    }
}

static void TellExisting(PPROCESSOR_CALLBACK_FUNCTION Function, PVOID Context) {
    for (ULONG i = 0; i < KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS); i++) {
        KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Change = {KeProcessorAddCompleteNotify, i, 0, {0, 0, 0}};
        NTSTATUS Status = STATUS_SUCCESS;

        Change.ProcNumber.Number = (UCHAR)i;
        Function(Context, &Change, &Status);
    }
}

PVOID KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION CallbackFunction,
                                        PVOID CallbackContext, ULONG Flags) {
    static const UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Callback\\ProcessorAdd");
    CHANGE *Change = NULL;

    Lock();
    for (ULONG i = 0; i < CHANGES && !Change; i++) {
        if (!Changes[i].Slot) {
            Change = &Changes[i];
            Change->Function = CallbackFunction;
            Change->Context = CallbackContext;
            Change->Slot = FillSlot(FindObject(&Name, FALSE), OnProcessor, Change);
        }
    }
    Unlock();
    if (!Change || !Change->Slot) {
        return NULL;
    }
    if (Flags & KE_PROCESSOR_CHANGE_ADD_EXISTING) {
        TellExisting(CallbackFunction, CallbackContext);
    }
    return Change;
}

VOID KeDeregisterProcessorChangeCallback(PVOID CallbackHandle) {
    CHANGE *Change = CallbackHandle;

    ExUnregisterCallback(Change->Slot);
    Change->Slot = NULL;
}
