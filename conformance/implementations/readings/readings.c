/* A sound implementation for each way to understand the documents: what spec/README.md leaves open
 * is a switch here, with a value for each answer. conformance/tests/test_readings.py lists them.
 *
 *   scripts/build-impl -o build/impl/mine.so conformance/implementations/readings/readings.c \
 *       -- -DTEMPORARY_NAME=KEPT -DUNREGISTER_REFERENCE=CALLERS
 *
 * The last line of some switches has answers that no document allows, for those who must find them.
 */
#include <ntifs.h>

/* clang-format off */
enum {
    /* TEMPORARY_NAME: how long has an object a name that is not permanent? */
    GONE, KEPT, UNTIL_OPENED, REFERENCED,
    FOR_EVER, /* it keeps the object */
    /* MADE_TEMPORARY: and one that was? GONE, KEPT, until it is opened from then on, or ever */
    ENDED_BY_OPENING, OPENED_EVER,
    STAYS_PERMANENT,
    /* MADE_AGAIN: and one that is made temporary when it is so already? SAME, GONE */
    SAME,
    /* UNREGISTER_REFERENCE: whose does it remove? */
    OWN, CALLERS,
    NOBODYS, BOTH,
    /* PROCESSOR_ADD */
    PRESENT, ABSENT,
    SYSTEM_TIME_ABSENT,
    /* CREATE_AT_APC, REGISTER_NULL, UNREGISTER_NULL: STOPS is a bugcheck */
    ALLOWED, REFUSED, IGNORED, STOPS, CRASHES, SPINS, HANDLE_OF_NOTHING,
    /* UNREGISTER_SELF: RETURNS, WAITS, SPINS */
    RETURNS, WAITS,
    IGNORED_INSIDE,
    /* UNREGISTER_RUNNING: does it wait for calls of other threads? WAITS, RETURNS */
    /* SAME_ROUTINE, and CHANGE_AGAIN for processor changes: AGAIN, REFUSED */
    AGAIN, PAIR_REFUSED, /* REFUSED */
    SAME_HANDLE, REFUSED_ANYWHERE,
    /* LATE_ROUTINE: is it called by the notification during which it was registered? */
    NOT_CALLED, CALLED, EITHER,
    CALLED_LATER, /* not by this notification, nor by the next one */
    /* CHANGE_STAGES: which stages a processor change routine hears of */
    ALL, START, COMPLETE, ENDS,
    FAILURES,
    /* CHANGE_ARGUMENTS */
    GIVEN, NONE,
    /* CHANGE_ORDER, to ProcessorAdd's routines */
    AFTER, REVERSED, BEFORE, MIXED,
    /* CHANGE_DURING: does it hear of processors while it is told of the existing ones? */
    HEARS, HEARS_NOT,
    /* EXISTING: how processors are enumerated. START, COMPLETE */
    PHASES, EACH, UNNAMED,
    FIRST_ONLY, NOT_AT_ALL,
    /* NAMES: \X and \Callback\X, that alone, all with a backslash in front, all, or what can be made one */
    IN_ROOT, IN_CALLBACK, FLAT, ANY, MENDED,
    EMPTY_TOO,
    /* ODD_NAMES, LONG_NAMES: ALLOWED, REFUSED, SOMETIMES */
    SOMETIMES,
    /* CASES: of which letters are they the same? */
    ASCII, UNICODE, LATIN,
    NO_CASES, ALWAYS,
    /* EXCLUSIVE: IGNORED, REFUSED, HELD (who has it has it alone) */
    HELD,
    /* ROOM: for objects and registrations */
    POOL, SIXTEEN,
    FIFTEEN,
    /* CODES: of failures */
    WINDOWS, ONE, MANY,
    SUCCESSES,
    /* FAILED_POINTER: what a failed create leaves. SAME, CLEARED */
    CLEARED,
    /* HANDLES */
    ADDRESSES, NUMBERS,
    /* NOTIFY_REFERENCE: does a notification hold its object? NONE, TAKEN */
    TAKEN
};
/* clang-format on */

#ifndef TEMPORARY_NAME
#define TEMPORARY_NAME GONE
#endif
#ifndef MADE_TEMPORARY
#define MADE_TEMPORARY GONE
#endif
#ifndef MADE_AGAIN
#define MADE_AGAIN SAME
#endif
#ifndef UNREGISTER_REFERENCE
#define UNREGISTER_REFERENCE OWN
#endif
#ifndef PROCESSOR_ADD
#define PROCESSOR_ADD PRESENT
#endif
#ifndef CREATE_AT_APC
#define CREATE_AT_APC ALLOWED
#endif
#ifndef REGISTER_NULL
#define REGISTER_NULL REFUSED
#endif
#ifndef UNREGISTER_NULL
#define UNREGISTER_NULL IGNORED
#endif
#ifndef UNREGISTER_SELF
#define UNREGISTER_SELF RETURNS
#endif
#ifndef UNREGISTER_RUNNING
#define UNREGISTER_RUNNING WAITS
#endif
#ifndef SAME_ROUTINE
#define SAME_ROUTINE AGAIN
#endif
#ifndef CHANGE_AGAIN
#define CHANGE_AGAIN AGAIN
#endif
#ifndef LATE_ROUTINE
#define LATE_ROUTINE NOT_CALLED
#endif
#ifndef CHANGE_STAGES
#define CHANGE_STAGES ALL
#endif
#ifndef CHANGE_ARGUMENTS
#define CHANGE_ARGUMENTS GIVEN
#endif
#ifndef CHANGE_ORDER
#define CHANGE_ORDER AFTER
#endif
#ifndef CHANGE_DURING
#define CHANGE_DURING HEARS
#endif
#ifndef EXISTING
#define EXISTING PHASES
#endif
#ifndef NAMES
#define NAMES IN_ROOT
#endif
#ifndef ODD_NAMES
#define ODD_NAMES ALLOWED
#endif
#ifndef LONG_NAMES
#define LONG_NAMES ALLOWED
#endif
#ifndef CASES
#define CASES ASCII
#endif
#ifndef EXCLUSIVE
#define EXCLUSIVE IGNORED
#endif
#ifndef ROOM
#define ROOM POOL
#endif
#ifndef CODES
#define CODES WINDOWS
#endif
#ifndef FAILED_POINTER
#define FAILED_POINTER SAME
#endif
#ifndef HANDLES
#define HANDLES ADDRESSES
#endif
#ifndef NOTIFY_REFERENCE
#define NOTIFY_REFERENCE NONE
#endif

#define TOGETHER(first, then, why) _Static_assert(!(first) || (then), why)
TOGETHER(MADE_TEMPORARY == ENDED_BY_OPENING || MADE_TEMPORARY == OPENED_EVER,
         TEMPORARY_NAME == UNTIL_OPENED, "opening ends no name, so it does not end that one");
TOGETHER(CHANGE_ORDER == BEFORE || CHANGE_ORDER == MIXED, PROCESSOR_ADD == PRESENT,
         "there is no ProcessorAdd to come before or among");
TOGETHER(ROOM == SIXTEEN || ROOM == FIFTEEN, LONG_NAMES == REFUSED,
         "a table has no room for a long name");

enum { TABLE = ROOM == FIFTEEN ? 15 : 16, TABLE_UNITS = 64, PREFIX = 10, TAG = 'daeR' };

typedef struct _CALLBACK_OBJECT {
    struct _CALLBACK_OBJECT *Next;
    LONG References, Registered, Notified;
    BOOLEAN Used, Permanent, Multiple, Exclusive;
    BOOLEAN Made, Opened, Nameless;
    USHORT Units;
    WCHAR *Name;
} OBJECT;

typedef struct _REGISTRATION {
    struct _REGISTRATION *Next;
    OBJECT *Object;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
    ULONG64 Serial; /* their order; never 0 */
    BOOLEAN Used, Change, Late;
} REGISTRATION;

/* A call that runs, on the stack of its thread. */
typedef struct _RUN {
    struct _RUN *Next;
    PKTHREAD Thread;
    ULONG64 Serial;
} RUN;

static OBJECT *FirstObject, *ProcessorAdd;
static OBJECT
    Changes; /* the processor change routines, where they are no routines of ProcessorAdd */
static REGISTRATION *FirstRegistration;
static RUN *FirstRun;
static ULONG64 LastSerial;
static LONG volatile Locked;

static OBJECT ObjectTable[TABLE];
static WCHAR NameTable[TABLE][TABLE_UNITS];
static REGISTRATION RegistrationTable[TABLE];

/* A word is a lock at any IRQL. */
static VOID Lock(VOID) {
    while (InterlockedExchange(&Locked, 1)) {
        YieldProcessor();
    }
}

static VOID Unlock(VOID) {
    InterlockedExchange(&Locked, 0);
}

/* ---- memory: the pool's, or tables ---- */

static OBJECT *NewObject(USHORT Units) {
    OBJECT *Object = NULL;

    if (ROOM == POOL) {
        Object = ExAllocatePoolZero(NonPagedPool, sizeof(*Object) + Units * sizeof(WCHAR), TAG);
        if (Object) {
            Object->Name = (WCHAR *)(Object + 1);
        }
        return Object;
    }
    for (ULONG i = 0; i < TABLE && !Object; i++) {
        if (!ObjectTable[i].Used) {
            Object = &ObjectTable[i];
            RtlZeroMemory(Object, sizeof(*Object));
            Object->Used = TRUE;
            Object->Name = NameTable[i];
        }
    }
    return Object;
}

static REGISTRATION *NewRegistration(VOID) {
    if (ROOM == POOL) {
        return ExAllocatePoolZero(NonPagedPool, sizeof(REGISTRATION), TAG);
    }
    for (ULONG i = 0; i < TABLE; i++) {
        if (!RegistrationTable[i].Used) {
            RtlZeroMemory(&RegistrationTable[i], sizeof(REGISTRATION));
            RegistrationTable[i].Used = TRUE;
            return &RegistrationTable[i];
        }
    }
    return NULL;
}

static VOID FreeRegistration(REGISTRATION *Registration) {
    if (ROOM == POOL) {
        ExFreePoolWithTag(Registration, TAG);
    } else {
        Registration->Used = FALSE;
    }
}

static VOID Unlink(REGISTRATION *Registration) {
    REGISTRATION **Link = &FirstRegistration;

    while (*Link != Registration) {
        Link = &(*Link)->Next;
    }
    *Link = Registration->Next;
    Registration->Object->Registered--;
}

/* Who lets go of an object that has registrations will not unregister them any more. */
static VOID FreeObject(OBJECT *Object) {
    OBJECT **Link = &FirstObject;

    while (*Link != Object) {
        Link = &(*Link)->Next;
    }
    *Link = Object->Next;
    for (REGISTRATION *Next, *One = FirstRegistration; One; One = Next) {
        Next = One->Next;
        if (One->Object == Object) {
            Unlink(One);
            FreeRegistration(One);
        }
    }
    if (ROOM == POOL) {
        ExFreePoolWithTag(Object, TAG);
    } else {
        Object->Used = FALSE;
    }
}

/* ---- what callers hold ---- */

/* Frees it when nothing keeps it. Lock held, here and below unless it says otherwise. */
static VOID Settle(OBJECT *Object) {
    BOOLEAN Holds = UNREGISTER_REFERENCE == OWN || UNREGISTER_REFERENCE == BOTH;
    LONG Held = Object->References + Object->Notified + (Holds ? Object->Registered : 0);

    if (Object != &Changes && Held <= 0 && !Object->Permanent && TEMPORARY_NAME != FOR_EVER) {
        FreeObject(Object);
    }
}

static PVOID HandleOf(REGISTRATION *Registration) {
    if (!Registration) {
        return NULL;
    }
    return HANDLES == NUMBERS ? (PVOID)(ULONG_PTR)(2 * Registration->Serial + 1) : Registration;
}

static REGISTRATION *RegistrationOf(PVOID Handle) {
    REGISTRATION *One = Handle;

    if (HANDLES == NUMBERS) {
        for (One = FirstRegistration; One && HandleOf(One) != Handle;) {
            One = One->Next;
        }
    }
    return One;
}

LONG_PTR ObReferenceObject(PVOID Object) {
    LONG References;

    Lock();
    References = ++((OBJECT *)Object)->References;
    Unlock();
    return References;
}

LONG_PTR ObDereferenceObject(PVOID Object) {
    Lock();
    ((OBJECT *)Object)->References--;
    Settle(Object);
    Unlock();
    return 0;
}

VOID ObMakeTemporaryObject(PVOID Body) {
    OBJECT *Object = Body;

    Lock();
    if (MADE_TEMPORARY == STAYS_PERMANENT) {
        ;
    } else if (Object->Permanent) {
        Object->Permanent = FALSE;
        Object->Made = TRUE;
    } else if (MADE_AGAIN == GONE) {
        Object->Nameless = TRUE;
    }
    Settle(Object);
    Unlock();
}

/* ---- names ---- */

static WCHAR Fold(WCHAR Unit) {
    if (CASES == UNICODE) {
        return RtlUpcaseUnicodeChar(Unit);
    }
    if (CASES == LATIN && Unit >= 0xE0 && Unit <= 0xFE && Unit != 0xF7) {
        return (WCHAR)(Unit - 32);
    }
    return Unit >= L'a' && Unit <= L'z' && CASES != NO_CASES ? (WCHAR)(Unit - 32) : Unit;
}

static BOOLEAN SameUnits(const WCHAR *A, const WCHAR *B, ULONG Units, BOOLEAN IgnoreCase) {
    for (ULONG i = 0; i < Units; i++) {
        if (A[i] != B[i] && !(IgnoreCase && Fold(A[i]) == Fold(B[i]))) {
            return FALSE;
        }
    }
    return TRUE;
}

static BOOLEAN HasName(const OBJECT *Object) {
    if (Object->Nameless) {
        return FALSE;
    }
    if (Object->Permanent) {
        return TRUE;
    }
    if (Object->Made) {
        switch (MADE_TEMPORARY) {
        case GONE: return FALSE;
        case OPENED_EVER: return !Object->Opened;
        default: return TEMPORARY_NAME != REFERENCED || Object->References > 0;
        }
    }
    switch (TEMPORARY_NAME) {
    case GONE: return FALSE;
    case UNTIL_OPENED: return !Object->Opened;
    case REFERENCED: return Object->References > 0;
    default: return TRUE;
    }
}

static BOOLEAN InCallback(const WCHAR *Name, ULONG Units, BOOLEAN IgnoreCase) {
    return Units > PREFIX && Name[PREFIX - 1] == L'\\' &&
           SameUnits(Name, L"\\Callback", PREFIX - 1, IgnoreCase);
}

/* Where the directory is one, how it was spelled does not matter behind it. */
static OBJECT *FindObject(const WCHAR *Name, ULONG Units, BOOLEAN IgnoreCase) {
    BOOLEAN Tree = NAMES == IN_ROOT || NAMES == IN_CALLBACK;
    BOOLEAN Inside = Tree && InCallback(Name, Units, IgnoreCase);

    for (OBJECT *Object = FirstObject; Object; Object = Object->Next) {
        ULONG From = Inside && InCallback(Object->Name, Object->Units, TRUE) ? PREFIX : 0;

        if (HasName(Object) && Object->Units == Units &&
            SameUnits(Object->Name + From, Name + From, Units - From, IgnoreCase)) {
            return Object;
        }
    }
    return NULL;
}

static NTSTATUS CheckPath(const WCHAR *Name, ULONG Units, BOOLEAN IgnoreCase) {
    ULONG Slashes = 0;

    if (NAMES == ANY || NAMES == EMPTY_TOO) {
        return STATUS_SUCCESS;
    }
    if (Name[0] != L'\\') {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    if (NAMES == FLAT) {
        return STATUS_SUCCESS;
    }
    for (ULONG i = 0; i < Units; i++) {
        Slashes += Name[i] == L'\\';
        if (Name[i] == L'\\' && Units > 1 && (i + 1 == Units || Name[i + 1] == L'\\')) {
            return STATUS_OBJECT_NAME_INVALID;
        }
    }
    if (Slashes == 1) {
        if (Units == 1) {
            return STATUS_OBJECT_TYPE_MISMATCH;
        }
        if (Units == PREFIX - 1 && SameUnits(Name, L"\\Callback", PREFIX - 1, IgnoreCase)) {
            return STATUS_OBJECT_TYPE_MISMATCH;
        }
        return NAMES == IN_CALLBACK ? STATUS_OBJECT_PATH_NOT_FOUND : STATUS_SUCCESS;
    }
    return Slashes == 2 && InCallback(Name, Units, IgnoreCase) ? STATUS_SUCCESS
                                                               : STATUS_OBJECT_PATH_NOT_FOUND;
}

/* Does this answer refuse, this time? */
static BOOLEAN Refuses(ULONG Answer) {
    static ULONG Times;

    return Answer == REFUSED || (Answer == SOMETIMES && ++Times % 2);
}

static NTSTATUS CheckName(const WCHAR *Name, ULONG Units, BOOLEAN IgnoreCase) {
    BOOLEAN Odd = FALSE;

    if (!Units && NAMES != EMPTY_TOO) {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    for (ULONG i = 0; i < Units; i++) {
        Odd |= Name[i] < 0x20 || (Name[i] & 0xF800) == 0xD800;
    }
    if (Odd && Refuses(ODD_NAMES)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (Units > 60 && Refuses(LONG_NAMES)) {
        return STATUS_NAME_TOO_LONG;
    }
    return CheckPath(Name, Units, IgnoreCase);
}

/* Puts before a relative name what it lacks, and takes out backslashes that are too many.
 * Returns the units of the name in Buffer, which has room for so many and the prefix. */
static USHORT Mend(WCHAR *Buffer, const WCHAR *Name, USHORT Units) {
    USHORT Used = 0;

    if (Units && Name[0] != L'\\') {
        RtlCopyMemory(Buffer, L"\\Callback\\", PREFIX * sizeof(WCHAR));
        Used = PREFIX;
    }
    for (USHORT i = 0; i < Units; i++) {
        if (Name[i] != L'\\' || !Used || Buffer[Used - 1] != L'\\') {
            Buffer[Used++] = Name[i];
        }
    }
    while (Used > 1 && Buffer[Used - 1] == L'\\') {
        Used--;
    }
    return Used;
}

/* ---- ExCreateCallback ---- */

static NTSTATUS CreateNamed(OBJECT **Result, const WCHAR *Name, USHORT Units, ULONG Attributes,
                            BOOLEAN Create, BOOLEAN Multiple) {
    BOOLEAN IgnoreCase = (Attributes & OBJ_CASE_INSENSITIVE) != 0 || CASES == ALWAYS;
    NTSTATUS Status = CheckName(Name, Units, IgnoreCase);
    OBJECT *Object;

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Object = FindObject(Name, Units, IgnoreCase);
    if (Object) {
        if (EXCLUSIVE == HELD && Object->Exclusive) {
            return STATUS_ACCESS_DENIED;
        }
        Object->Opened = TRUE;
        if (MADE_TEMPORARY == ENDED_BY_OPENING && Object->Made) {
            Object->Nameless = TRUE;
        }
    } else {
        if (!Create) {
            return STATUS_OBJECT_NAME_NOT_FOUND;
        }
        Object = NewObject(Units);
        if (!Object) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        RtlCopyMemory(Object->Name, Name, Units * sizeof(WCHAR));
        Object->Units = Units;
        Object->Permanent = (Attributes & OBJ_PERMANENT) != 0;
        Object->Exclusive = (Attributes & OBJ_EXCLUSIVE) != 0;
        Object->Multiple = Multiple;
        Object->Next = FirstObject;
        FirstObject = Object;
    }
    Object->References++;
    *Result = Object;
    return STATUS_SUCCESS;
}

/* CreateNamed by the mended name. Lock not held. */
static NTSTATUS CreateMended(OBJECT **Result, PCUNICODE_STRING Name, ULONG Attributes,
                             BOOLEAN Create, BOOLEAN Multiple) {
    WCHAR *Buffer = ExAllocatePoolWithTag(NonPagedPool, Name->Length + 64, TAG);
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (Buffer) {
        USHORT Units = Mend(Buffer, Name->Buffer, Name->Length / sizeof(WCHAR));

        Lock();
        Status = CreateNamed(Result, Buffer, Units, Attributes, Create, Multiple);
        Unlock();
        ExFreePoolWithTag(Buffer, TAG);
    }
    return Status;
}

static NTSTATUS TryCreate(OBJECT **Result, POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN Create,
                          BOOLEAN Multiple) {
    PCUNICODE_STRING Name = ObjectAttributes->ObjectName;
    ULONG Attributes = ObjectAttributes->Attributes;
    NTSTATUS Status;

    if (KeGetCurrentIrql() > PASSIVE_LEVEL) {
        if (CREATE_AT_APC == STOPS) {
            KeBugCheckEx(0xC4, 0x00020008, KeGetCurrentIrql(), 0, 0);
        }
        if (CREATE_AT_APC == REFUSED) {
            return STATUS_NOT_SUPPORTED;
        }
        while (CREATE_AT_APC == SPINS) {
            YieldProcessor();
        }
    }
    if (!Name) {
        return STATUS_UNSUCCESSFUL;
    }
    if (EXCLUSIVE == REFUSED && (Attributes & OBJ_EXCLUSIVE)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (NAMES == MENDED) {
        return CreateMended(Result, Name, Attributes, Create, Multiple);
    }
    Lock();
    Status = CreateNamed(Result, Name->Buffer, Name->Length / sizeof(WCHAR), Attributes, Create,
                         Multiple);
    Unlock();
    return Status;
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    static ULONG Failures;
    OBJECT *Object;
    NTSTATUS Status = TryCreate(&Object, ObjectAttributes, Create, AllowMultipleCallbacks);

    if (NT_SUCCESS(Status)) {
        *CallbackObject = Object;
        return STATUS_SUCCESS;
    }
    if (FAILED_POINTER == CLEARED) {
        *CallbackObject = NULL;
    }
    if (CODES == WINDOWS || Status == STATUS_UNSUCCESSFUL) {
        return Status;
    }
    switch (CODES) {
    case ONE: return STATUS_UNSUCCESSFUL;
    case MANY: return (NTSTATUS)(0xC0000000 + ++Failures % 64);
    default: return STATUS_OBJECT_NAME_EXISTS;
    }
}

/* ---- registrations ---- */

static BOOLEAN Alike(const REGISTRATION *A, const REGISTRATION *B, ULONG Answer) {
    return A->Function == B->Function && A->Change == B->Change &&
           (A->Object == B->Object || Answer == REFUSED_ANYWHERE) &&
           (A->Context == B->Context || Answer != PAIR_REFUSED);
}

/* NULL: it may be registered. Else what is in its way. */
static REGISTRATION *InTheWay(const REGISTRATION *New) {
    ULONG Answer = New->Change ? CHANGE_AGAIN : SAME_ROUTINE;

    for (REGISTRATION *One = FirstRegistration; One; One = One->Next) {
        if (One->Object == New->Object && !New->Object->Multiple) {
            return One;
        }
        if (Answer != AGAIN && Alike(One, New, Answer)) {
            return One;
        }
    }
    return NULL;
}

static VOID Append(REGISTRATION *New) {
    REGISTRATION **Link = &FirstRegistration;

    while (*Link) {
        Link = &(*Link)->Next;
    }
    *Link = New;
    New->Serial = ++LastSerial;
    New->Late = FirstRun != NULL;
    New->Object->Registered++;
}

static REGISTRATION *Prepare(OBJECT *Object, PCALLBACK_FUNCTION Function, PVOID Context,
                             BOOLEAN Change) {
    REGISTRATION *New = NewRegistration();

    if (New) {
        New->Object = Object;
        New->Function = Function;
        New->Context = Context;
        New->Change = Change;
    }
    return New;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    REGISTRATION *New, *Other;

    if (!CallbackObject) {
        switch (REGISTER_NULL) {
        case STOPS: KeBugCheckEx(0x0A, 0, 0, 0, 0); break;
        case CRASHES: *(volatile LONG *)(ULONG_PTR)8 = 1; break;
        case HANDLE_OF_NOTHING: return (PVOID)(ULONG_PTR)0x1001;
        case SPINS:
            for (;;) {
                YieldProcessor();
            }
        default: return NULL;
        }
    }
    Lock();
    New = Prepare(CallbackObject, CallbackFunction, CallbackContext, FALSE);
    if (New) {
        Other = InTheWay(New);
        if (Other) {
            FreeRegistration(New);
            New = SAME_ROUTINE == SAME_HANDLE && CallbackObject->Multiple ? Other : NULL;
        } else {
            Append(New);
        }
    }
    Unlock();
    return HandleOf(New);
}

static BOOLEAN RunsHere(ULONG64 Serial, BOOLEAN Here) {
    for (RUN *Run = FirstRun; Run; Run = Run->Next) {
        if (Run->Serial == Serial && (Run->Thread == KeGetCurrentThread()) == Here) {
            return TRUE;
        }
    }
    return FALSE;
}

static VOID WaitForEver(VOID) {
    KEVENT Never;

    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    if (UNREGISTER_SELF == WAITS) {
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
    }
    for (;;) {
        YieldProcessor();
    }
}

/* From here on it is not called any more; it is freed, also inside of its own call. */
static VOID Remove(REGISTRATION *Registration) {
    OBJECT *Object = Registration->Object;
    ULONG64 Serial = Registration->Serial;

    if (RunsHere(Serial, TRUE)) {
        if (UNREGISTER_SELF == IGNORED_INSIDE) {
            return;
        }
        if (UNREGISTER_SELF != RETURNS) {
            Unlock();
            WaitForEver();
        }
    }
    Unlink(Registration);
    Object->Registered++; /* as long as it is waited for, it keeps the object */
    FreeRegistration(Registration);
    while (UNREGISTER_RUNNING == WAITS && RunsHere(Serial, FALSE)) {
        Unlock();
        YieldProcessor();
        Lock();
    }
    Object->Registered--;
    if ((UNREGISTER_REFERENCE == CALLERS || UNREGISTER_REFERENCE == BOTH) &&
        Object->References > 0) {
        Object->References--;
    }
    Settle(Object);
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    if (!CallbackRegistration) {
        switch (UNREGISTER_NULL) {
        case STOPS: KeBugCheckEx(0x0A, 0, 0, 0, 0); break;
        case CRASHES: *(volatile LONG *)(ULONG_PTR)8 = 1; break;
        case SPINS:
            for (;;) {
                YieldProcessor();
            }
        default: return;
        }
    }
    Lock();
    Remove(RegistrationOf(CallbackRegistration));
    Unlock();
}

/* ---- notifications ---- */

static REGISTRATION *NextOf(const OBJECT *Object, const RUN *Run, ULONG64 Last) {
    REGISTRATION *Found = NULL;

    for (REGISTRATION *One = FirstRegistration; One; One = One->Next) {
        BOOLEAN Late = One->Serial > Last;
        BOOLEAN Due =
            !Late || LATE_ROUTINE == CALLED || (LATE_ROUTINE == EITHER && One->Serial % 2);

        if (One->Object != Object || !Due) {
            continue;
        }
        if (CHANGE_ORDER == REVERSED && Object == &Changes) {
            Found = !Late && (!Run->Serial || One->Serial < Run->Serial) ? One : Found;
        } else if (One->Serial > Run->Serial) {
            return One;
        }
    }
    return Found;
}

static BOOLEAN HearsOf(KE_PROCESSOR_CHANGE_NOTIFY_STATE State) {
    switch (CHANGE_STAGES) {
    case START: return State == KeProcessorAddStartNotify;
    case COMPLETE: return State == KeProcessorAddCompleteNotify;
    case ENDS: return State != KeProcessorAddStartNotify;
    case FAILURES: return State == KeProcessorAddFailureNotify;
    default: return TRUE;
    }
}

/* Calls the routines of an object one after the other, without the lock. */
static VOID CallAll(OBJECT *Object, PVOID Argument1, PVOID Argument2) {
    RUN Run = {.Thread = KeGetCurrentThread()};
    REGISTRATION *Registration;
    ULONG64 Last = LastSerial;

    while ((Registration = NextOf(Object, &Run, Last)) != NULL) {
        REGISTRATION One = *Registration;
        RUN **Link = &FirstRun;

        Run.Serial = One.Serial;
        if (LATE_ROUTINE == CALLED_LATER && One.Late) {
            Registration->Late = FALSE;
            continue;
        }
        if (One.Change && !HearsOf(((PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT)Argument1)->State)) {
            continue;
        }
        Run.Next = FirstRun;
        FirstRun = &Run;
        Unlock();
        if (One.Change && CHANGE_ARGUMENTS == NONE) {
            One.Function(One.Context, NULL, NULL);
        } else {
            One.Function(One.Context, Argument1, Argument2);
        }
        Lock();
        while (*Link != &Run) {
            Link = &(*Link)->Next;
        }
        *Link = Run.Next;
    }
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    OBJECT *Object = CallbackObject;

    Lock();
    Object->Notified += NOTIFY_REFERENCE == TAKEN;
    if (CHANGE_ORDER == BEFORE && Object == ProcessorAdd) {
        CallAll(&Changes, Argument1, Argument2);
    }
    CallAll(Object, Argument1, Argument2);
    if (NOTIFY_REFERENCE == TAKEN) {
        Object->Notified--;
        Settle(Object);
    }
    Unlock();
}

/* ---- processors ---- */

VOID KiNotifyProcessorChange(PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context, PNTSTATUS Status) {
    Lock();
    if (CHANGE_ORDER != BEFORE) {
        CallAll(&Changes, Context, Status);
    }
    Unlock();
}

/* FALSE: the routine has set an error. */
static BOOLEAN Tell(const REGISTRATION *One, ULONG Number, KE_PROCESSOR_CHANGE_NOTIFY_STATE State) {
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context = {State, Number, 0, {0, 0, 0}};
    NTSTATUS Status = STATUS_SUCCESS;

    KeGetProcessorNumberFromIndex(Number, &Context.ProcNumber);
    if (EXISTING == UNNAMED) {
        One->Function(One->Context, NULL, NULL);
    } else {
        One->Function(One->Context, &Context, &Status);
    }
    return NT_SUCCESS(Status);
}

/* Of the processors that are there already. Lock not held. */
static VOID TellExisting(const REGISTRATION *One) {
    ULONG Active = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS), i;
    KE_PROCESSOR_CHANGE_NOTIFY_STATE End = KeProcessorAddCompleteNotify;

    if (EXISTING == NOT_AT_ALL) {
        return;
    }
    if (EXISTING == FIRST_ONLY) {
        Active = 1;
    }
    if (EXISTING != PHASES) {
        for (i = 0; i < Active; i++) {
            if (EXISTING != COMPLETE) {
                Tell(One, i, KeProcessorAddStartNotify);
            }
            if (EXISTING == COMPLETE || EXISTING == EACH) {
                Tell(One, i, KeProcessorAddCompleteNotify);
            }
        }
        return;
    }
    for (i = 0; i < Active; i++) {
        if (!Tell(One, i, KeProcessorAddStartNotify)) {
            End = KeProcessorAddFailureNotify;
            break;
        }
    }
    Active = i;
    for (i = 0; i < Active; i++) {
        Tell(One, i, End);
    }
}

PVOID KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION CallbackFunction,
                                        PVOID CallbackContext, ULONG Flags) {
    OBJECT *Object = CHANGE_ORDER == MIXED ? ProcessorAdd : &Changes;
    REGISTRATION *New, Copy;

    Changes.Multiple = TRUE;
    Lock();
    New = Prepare(Object, (PCALLBACK_FUNCTION)CallbackFunction, CallbackContext, TRUE);
    if (New && InTheWay(New)) {
        FreeRegistration(New);
        New = NULL;
    }
    if (New && CHANGE_DURING == HEARS) {
        Append(New);
    }
    Unlock();
    if (!New) {
        return NULL;
    }
    Copy = *New;
    if (Flags & KE_PROCESSOR_CHANGE_ADD_EXISTING) {
        TellExisting(&Copy);
    }
    if (CHANGE_DURING != HEARS) {
        Lock();
        Append(New);
        Unlock();
    }
    return HandleOf(New);
}

VOID KeDeregisterProcessorChangeCallback(PVOID CallbackHandle) {
    ExUnregisterCallback(CallbackHandle);
}

NTSTATUS CbfuzzInitialize(VOID) {
    static PCWSTR const Names[] = {L"\\Callback\\PowerState", L"\\Callback\\SetSystemTime",
                                   L"\\Callback\\ProcessorAdd"};
    ULONG Count = PROCESSOR_ADD == PRESENT ? 3 : PROCESSOR_ADD == ABSENT ? 2 : 1;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    NTSTATUS Status = STATUS_SUCCESS;

    for (ULONG i = 0; NT_SUCCESS(Status) && i < Count; i++) {
        RtlInitUnicodeString(&Name, Names[i]);
        InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT, NULL, NULL);
        Status = ExCreateCallback(&ProcessorAdd, &Attributes, TRUE, TRUE); /* the last one */
    }
    return Status;
}
