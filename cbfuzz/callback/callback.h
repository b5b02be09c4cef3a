/* What the files of the built-in implementation share with each other. */
#ifndef CALLBACK_CALLBACK_H

/* ntifs.h has the object manager's routines that make types and objects. */
#include <ntifs.h>

typedef struct _CALLBACK_OBJECT CALLBACK_OBJECT;

/* Makes the object type of callback objects; once, before the first of them. */
NTSTATUS ExpCreateCallbackType(VOID);

/* Once per boot: the object type, \Callback and the system-defined objects. */
NTSTATUS CbfuzzInitialize(VOID);

/* Calls every registered processor change routine, in order of registration.
 * A routine may set an error in *OperationStatus while the state is Start. */
VOID KiNotifyProcessorChange(PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Context,
                             PNTSTATUS OperationStatus);

#endif
