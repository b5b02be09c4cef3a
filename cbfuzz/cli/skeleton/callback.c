/* The four routines of callback objects. Each is yours to write; what it owes is above it.
 *
 * `make fuzz` shows what is still wrong, with the shortest program that shows it. The kernel
 * environment that this stands on (pool, locks, events, objects) is declared by <ntifs.h>;
 * cbfuzz/callback/ and conformance/implementations/examples/ show three ways to do it.
 */
#include <ntifs.h>

/* Yours: what an object is. */
struct _CALLBACK_OBJECT {
    BOOLEAN AllowMultipleCallbacks;
};

/* Called once, before anything else: a place for the object type, the directory \Callback and
 * the system's objects SetSystemTime and PowerState. Without it cbfuzz makes the directory and
 * creates the objects by your ExCreateCallback.
 *
 * NTSTATUS CbfuzzInitialize(VOID) {
 *     return STATUS_SUCCESS;
 * }
 */

/* Opens the object of that name; if there is none and Create is TRUE, creates it. */
NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    UNREFERENCED_PARAMETER(CallbackObject);
    UNREFERENCED_PARAMETER(ObjectAttributes);
    UNREFERENCED_PARAMETER(Create);
    UNREFERENCED_PARAMETER(AllowMultipleCallbacks);
    return STATUS_NOT_IMPLEMENTED;
}

/* Returns a handle of its own; NULL if the object takes one routine only and has it. */
PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    UNREFERENCED_PARAMETER(CallbackObject);
    UNREFERENCED_PARAMETER(CallbackFunction);
    UNREFERENCED_PARAMETER(CallbackContext);
    return NULL;
}

/* Afterwards the routine is not called through this registration any more. */
VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    UNREFERENCED_PARAMETER(CallbackRegistration);
}

/* Calls all routines, in the order of their registration, at the caller's IRQL. */
VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    UNREFERENCED_PARAMETER(CallbackObject);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}
