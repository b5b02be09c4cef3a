/* The kernel-style example, which does something hostile besides: what the environment variable
 * HOSTILE says as soon as the context 0x666 is registered, HOSTILE_LOAD while it is loaded,
 * HOSTILE_BOOT while it boots.
 *
 *   scripts/build-impl -o hostile.so conformance/implementations/hostile/hostile.c .../acts.c
 *   HOSTILE=fork_once build/cbfuzz run --impl hostile.so PROGRAM
 */
#define ExRegisterCallback SoundRegisterCallback
#define CbfuzzInitialize SoundInitialize
#include "../examples/kernel.c"
#undef ExRegisterCallback
#undef CbfuzzInitialize

#include "acts.h"

__attribute__((constructor)) static void Load(void) {
    act("HOSTILE_LOAD");
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    if (CallbackContext == (PVOID)0x666) {
        act("HOSTILE");
    }
    return SoundRegisterCallback(CallbackObject, CallbackFunction, CallbackContext);
}

NTSTATUS CbfuzzInitialize(VOID) {
    act("HOSTILE_BOOT");
    return SoundInitialize();
}
