/* A sound implementation that refuses what the documents do not promise.
 *
 * The same routine with the same context is registered once with an object, and once as a processor
 * change routine. NULL is not looked at, so it crashes. Creating asserts PASSIVE_LEVEL. There are
 * two system-defined objects and no ProcessorAdd. Registrations are an array with holes, which is
 * compacted when nobody walks over it. A walk picks the next one before each call, so that one
 * which is registered by the last routine comes too late, but by another one does not.
 */
#include <ntifs.h>

#define TAG 'sfeR'
#define IRQL_NOT_LESS_OR_EQUAL 0x0A

typedef struct _ENTRY {
    struct _LIST *List;
    PVOID Function;
    PVOID Context;
    LONG Calls;      /* that run or are about to */
    BOOLEAN Removed; /* freed when the last walk over the list ends */
} ENTRY, *PENTRY;

typedef struct _LIST {
    KSPIN_LOCK Lock;
    PENTRY *Entries; /* with holes */
    ULONG Used, Room;
    ULONG Walks;
} LIST, *PLIST;

/* One call of an entry, on the stack of its thread. */
typedef struct _CALLED {
    struct _CALLED *Next;
    PENTRY Entry;
    PKTHREAD Thread;
} CALLED, *PCALLED;

struct _CALLBACK_OBJECT {
    LIST List;
    BOOLEAN Multiple;
};

static POBJECT_TYPE CallbackType;
static LIST ProcessorChanges;
static PCALLED AllCalls;
static KSPIN_LOCK CallsLock;

/* ---- the array ---- */

/* Room for one more; the old array goes into *Garbage. Lock held. */
static BOOLEAN Grow(PLIST List, PVOID *Garbage) {
    ULONG Room = List->Room ? List->Room * 2 : 4;
    PENTRY *Larger = ExAllocatePoolWithTag(NonPagedPool, Room * sizeof(PENTRY), TAG);

    if (!Larger) {
        return FALSE;
    }
    RtlCopyMemory(Larger, List->Entries, List->Used * sizeof(PENTRY));
    *Garbage = List->Entries;
    List->Entries = Larger;
    List->Room = Room;
    return TRUE;
}

/* Is it refused? By an only one that is there, or by its like. Lock held. */
static BOOLEAN Refused(PLIST List, PENTRY New, BOOLEAN Multiple) {
    for (ULONG i = 0; i < List->Used; i++) {
        PENTRY Entry = List->Entries[i];

        if (Entry && !Entry->Removed &&
            (!Multiple || (Entry->Function == New->Function && Entry->Context == New->Context))) {
            return TRUE;
        }
    }
    return FALSE;
}

static VOID Compact(PLIST List) {
    ULONG Kept = 0;

    for (ULONG i = 0; i < List->Used; i++) {
        if (List->Entries[i]) {
            List->Entries[Kept++] = List->Entries[i];
        }
    }
    List->Used = Kept;
}

/* Frees what is removed, and the array when nothing else is in it. Lock held, no walks; freeing
 * is allowed at DISPATCH_LEVEL. */
static VOID Purge(PLIST List) {
    ULONG Left = 0;

    for (ULONG i = 0; i < List->Used; i++) {
        if (List->Entries[i] && List->Entries[i]->Removed) {
            ExFreePoolWithTag(List->Entries[i], TAG);
            List->Entries[i] = NULL;
        }
        Left += List->Entries[i] != NULL;
    }
    if (!Left && List->Entries) {
        ExFreePoolWithTag(List->Entries, TAG);
        List->Entries = NULL;
        List->Used = List->Room = 0;
    }
}

static PENTRY ListAdd(PLIST List, PVOID Function, PVOID Context, BOOLEAN Multiple) {
    PENTRY Entry = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Entry), TAG);
    PVOID Garbage = NULL;
    BOOLEAN Added;
    KIRQL Irql;

    if (!Entry) {
        return NULL;
    }
    *Entry = (ENTRY){List, Function, Context, 0, FALSE};
    KeAcquireSpinLock(&List->Lock, &Irql);
    if (List->Used == List->Room && !List->Walks) {
        Compact(List);
    }
    Added = !Refused(List, Entry, Multiple) && (List->Used < List->Room || Grow(List, &Garbage));
    if (Added) {
        List->Entries[List->Used++] = Entry;
    }
    KeReleaseSpinLock(&List->Lock, Irql);
    if (Garbage) {
        ExFreePoolWithTag(Garbage, TAG);
    }
    if (!Added) {
        ExFreePoolWithTag(Entry, TAG);
        return NULL;
    }
    return Entry;
}

static BOOLEAN RunsElsewhere(PENTRY Entry) {
    BOOLEAN Found = FALSE;
    PCALLED Call;
    KIRQL Irql;

    KeAcquireSpinLock(&CallsLock, &Irql);
    for (Call = AllCalls; Call; Call = Call->Next) {
        Found |= Call->Entry == Entry && Call->Thread != KeGetCurrentThread();
    }
    KeReleaseSpinLock(&CallsLock, Irql);
    return Found;
}

static VOID ListRemove(PENTRY Entry) {
    PLIST List = Entry->List;
    KIRQL Irql;

    KeAcquireSpinLock(&List->Lock, &Irql);
    Entry->Removed = TRUE;
    List->Walks++;
    while (RunsElsewhere(Entry)) {
        KeReleaseSpinLock(&List->Lock, Irql);
        YieldProcessor();
        KeAcquireSpinLock(&List->Lock, &Irql);
    }
    if (--List->Walks == 0) {
        Purge(List);
    }
    KeReleaseSpinLock(&List->Lock, Irql);
}

/* The first one from *Place on that is not removed. Lock held. */
static PENTRY Pick(PLIST List, PULONG Place) {
    for (; *Place < List->Used; ++*Place) {
        PENTRY Entry = List->Entries[*Place];

        if (Entry && !Entry->Removed) {
            ++*Place;
            return Entry;
        }
    }
    return NULL;
}

static VOID BeginCall(PCALLED Call, PENTRY Entry) {
    Call->Entry = Entry;
    Call->Thread = KeGetCurrentThread();
    KeAcquireSpinLockAtDpcLevel(&CallsLock);
    Call->Next = AllCalls;
    AllCalls = Call;
    KeReleaseSpinLockFromDpcLevel(&CallsLock);
}

static VOID EndCall(PCALLED Call) {
    PCALLED *Link = &AllCalls;

    KeAcquireSpinLockAtDpcLevel(&CallsLock);
    while (*Link != Call) {
        Link = &(*Link)->Next;
    }
    *Link = Call->Next;
    KeReleaseSpinLockFromDpcLevel(&CallsLock);
}

static VOID ListCall(PLIST List, PVOID Argument1, PVOID Argument2) {
    PENTRY Entry, Next;
    ULONG Place = 0;
    CALLED Call;
    KIRQL Irql;

    KeAcquireSpinLock(&List->Lock, &Irql);
    List->Walks++;
    for (Entry = Pick(List, &Place); Entry; Entry = Next) {
        Next = Pick(List, &Place);
        BeginCall(&Call, Entry);
        KeReleaseSpinLock(&List->Lock, Irql);
        ((PCALLBACK_FUNCTION)Entry->Function)(Entry->Context, Argument1, Argument2);
        KeAcquireSpinLock(&List->Lock, &Irql);
        EndCall(&Call);
        if (Next && Next->Removed) {
            Next = Pick(List, &Place);
        }
    }
    if (--List->Walks == 0) {
        Purge(List);
    }
    KeReleaseSpinLock(&List->Lock, Irql);
}

/* ---- objects ---- */

static VOID DeleteCallback(PVOID Object) {
    if (((PCALLBACK_OBJECT)Object)->List.Entries) {
        ExFreePoolWithTag(((PCALLBACK_OBJECT)Object)->List.Entries, TAG);
    }
}

static NTSTATUS MakeObject(POBJECT_ATTRIBUTES Attributes, BOOLEAN Multiple, PVOID *Object) {
    HANDLE Handle;
    NTSTATUS Status = ObCreateObject(KernelMode, CallbackType, Attributes, KernelMode, NULL,
                                     sizeof(struct _CALLBACK_OBJECT), 0, 0, Object);

    if (NT_SUCCESS(Status)) {
        RtlZeroMemory(*Object, sizeof(struct _CALLBACK_OBJECT));
        ((PCALLBACK_OBJECT)*Object)->Multiple = Multiple;
        Status = ObInsertObject(*Object, NULL, 0, 1, NULL, &Handle);
    }
    if (NT_SUCCESS(Status)) {
        ZwClose(Handle);
    }
    return Status;
}

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    PUNICODE_STRING Name = ObjectAttributes->ObjectName;
    PVOID Object;
    NTSTATUS Status;

    if (KeGetCurrentIrql() > PASSIVE_LEVEL) {
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, 0, KeGetCurrentIrql(), 0, 0);
    }
    if (!Name || !Name->Length) {
        return STATUS_UNSUCCESSFUL;
    }
    Status = ObReferenceObjectByName(Name, ObjectAttributes->Attributes, NULL, 0, CallbackType,
                                     KernelMode, NULL, &Object);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Create) {
        Status = MakeObject(ObjectAttributes, AllowMultipleCallbacks, &Object);
    }
    if (NT_SUCCESS(Status)) {
        *CallbackObject = Object;
    }
    return Status;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    PVOID Registration = ListAdd(&CallbackObject->List, (PVOID)CallbackFunction, CallbackContext,
                                 CallbackObject->Multiple);

    if (Registration) {
        ObReferenceObject(CallbackObject);
    }
    return Registration;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PLIST List = ((PENTRY)CallbackRegistration)->List;

    ListRemove(CallbackRegistration);
    ObDereferenceObject(CONTAINING_RECORD(List, struct _CALLBACK_OBJECT, List));
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    ObReferenceObject(CallbackObject);
    ListCall(&((PCALLBACK_OBJECT)CallbackObject)->List, Argument1, Argument2);
    ObDereferenceObject(CallbackObject);
}

/* ---- processors: beside the callback objects ---- */

VOID KiNotifyProcessorChange(PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context, PNTSTATUS Status) {
    ListCall(&ProcessorChanges, Context, Status);
}

PVOID KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION CallbackFunction,
                                        PVOID CallbackContext, ULONG Flags) {
    ULONG Active = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);
    PENTRY Entry = ListAdd(&ProcessorChanges, (PVOID)CallbackFunction, CallbackContext, TRUE);

    for (ULONG i = 0; Entry && (Flags & KE_PROCESSOR_CHANGE_ADD_EXISTING) && i < Active; i++) {
        KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context = {KeProcessorAddStartNotify, i, 0, {0, 0, 0}};
        NTSTATUS Status = STATUS_SUCCESS;

        KeGetProcessorNumberFromIndex(i, &Context.ProcNumber);
        CallbackFunction(CallbackContext, &Context, &Status);
    }
    return Entry;
}

VOID KeDeregisterProcessorChangeCallback(PVOID CallbackHandle) {
    ListRemove(CallbackHandle);
}

/* ---- start ---- */

NTSTATUS CbfuzzInitialize(VOID) {
    static PCWSTR const Names[] = {L"\\Callback\\SetSystemTime", L"\\Callback\\PowerState"};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Callback");
    OBJECT_TYPE_INITIALIZER Initializer = {0};
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;
    HANDLE Directory;
    NTSTATUS Status;

    Initializer.Length = sizeof(Initializer);
    Initializer.PoolType = NonPagedPool;
    Initializer.DeleteProcedure = DeleteCallback;
    Status = ObCreateObjectType(&Name, &Initializer, NULL, &CallbackType);
    RtlInitUnicodeString(&Name, L"\\Callback");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT, NULL, NULL);
    if (NT_SUCCESS(Status)) {
        Status = ZwCreateDirectoryObject(&Directory, DIRECTORY_ALL_ACCESS, &Attributes);
    }
    for (ULONG i = 0; NT_SUCCESS(Status) && i < RTL_NUMBER_OF(Names); i++) {
        RtlInitUnicodeString(&Name, Names[i]);
        Status = ExCreateCallback(&Object, &Attributes, TRUE, TRUE);
    }
    return Status;
}
