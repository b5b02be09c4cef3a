/* The kernel-style example with six planted bugs, each of which shows in one program of a few
 * dozen: what `fuzz --keep-going` has to survive thousands of times, and to name six times.
 *
 *   scripts/build-impl -o crashes_often.so conformance/implementations/hostile/crashes_often.c
 */
#define ExCreateCallback SoundCreateCallback
#define ExRegisterCallback SoundRegisterCallback
#define ExUnregisterCallback SoundUnregisterCallback
#define ExNotifyCallback SoundNotifyCallback
#include "../examples/kernel.c"
#undef ExCreateCallback
#undef ExRegisterCallback
#undef ExUnregisterCallback
#undef ExNotifyCallback

static volatile ULONG *Nowhere;
static ULONG Registered;
static volatile BOOLEAN Stop;

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    PUNICODE_STRING Name = ObjectAttributes->ObjectName;
    PWCHAR Copy;

    if (Name && Name->Length > 60) {
        Copy = ExAllocatePoolWithTag(NonPagedPool, Name->Length, 'nfoC');
        if (Copy) {
            RtlCopyMemory(Copy, Name->Buffer, Name->Length);
            Copy[Name->Length / sizeof(WCHAR)] = 0; /* planted: one character beyond the end */
            ExFreePoolWithTag(Copy, 'nfoC');
        }
    }
    return SoundCreateCallback(CallbackObject, ObjectAttributes, Create, AllowMultipleCallbacks);
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    if (!CallbackContext) {
        *Nowhere = 1; /* planted: nobody expects a context of NULL */
    }
    if (++Registered == 5) {
        *Nowhere = 2; /* planted: in the same function, and of the same kind */
    }
    return SoundRegisterCallback(CallbackObject, CallbackFunction, CallbackContext);
}

static VOID Forget(PVOID CallbackRegistration, ULONG Depth) {
    if (Depth != 3) {
        Forget(CallbackRegistration, Depth + 1);
        Stop = TRUE;
    }
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    PVOID Note;

    if (Registered == 3) {
        Forget(CallbackRegistration, 4); /* planted: it never reaches 3 */
    }
    if (Registered == 2) {
        Note = ExAllocatePoolWithTag(NonPagedPool, 16, 'nfoC');
        if (Note) {
            ExFreePoolWithTag(Note, 'nfoC');
            ExFreePoolWithTag(Note, 'nfoC'); /* planted: freed twice */
        }
    }
    SoundUnregisterCallback(CallbackRegistration);
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    if (Argument1 && Argument1 == Argument2) {
        KeBugCheckEx(0xDEAD, 0, 0, 0, 0); /* planted: it takes that for a mistake */
    }
    SoundNotifyCallback(CallbackObject, Argument1, Argument2);
}
