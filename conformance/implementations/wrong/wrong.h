/* What the files of the wrong implementation share: its structures and contracts.
 *
 * Without a bug it conforms. Its design is not the built-in one's: each
 * notification in progress is a record at its object with a cursor into the list
 * of registrations; who removes a registration moves the cursors that stand on
 * it. A registration is therefore unlinked and freed at once. A routine that is
 * registered during a notification is called by it, since it is at the list's end.
 */
#ifndef WRONG_WRONG_H
#define WRONG_WRONG_H

#include <ntifs.h>

#include "bugs.h"

#define CBK_TAG 'gnrW'

typedef struct _REGISTRATION {
    LIST_ENTRY Link; /* in CALLBACK_OBJECT.Registrations */
    struct _CALLBACK_OBJECT *Object;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
    BOOLEAN Off; /* for bugs: not to be called */
} REGISTRATION, *PREGISTRATION;

/* A notification in progress, on the stack of its thread. */
typedef struct _NOTIFICATION {
    LIST_ENTRY Link; /* in CALLBACK_OBJECT.Notifications */
    PKTHREAD Thread;
    PLIST_ENTRY Cursor;    /* the link of the last routine called, or the list's head */
    PREGISTRATION Running; /* whose routine runs; NULL once that is removed by this thread */
    BOOLEAN Ended;         /* for bugs: stop here */
    KIRQL Irql;            /* for bugs: of the caller */
    ULONG Calls;           /* for bugs: how many were made */
    PREGISTRATION Picked;  /* for bugs: the next one, picked before the call */
    PCALLBACK_FUNCTION PickedFunction;
    PVOID PickedContext;
} NOTIFICATION, *PNOTIFICATION;

/* An unregister that waits for other threads' calls, on the stack of its thread. */
typedef struct _WAITER {
    LIST_ENTRY Link; /* in CALLBACK_OBJECT.Waiters */
    PREGISTRATION Registration;
    KEVENT CallEnded;
} WAITER, *PWAITER;

typedef struct _CALLBACK_OBJECT {
    KSPIN_LOCK Lock; /* for all that follows */
    LIST_ENTRY Registrations;
    LIST_ENTRY Notifications;
    LIST_ENTRY Waiters;
    BOOLEAN Multiple;
    BOOLEAN Permanent;

    /* For bugs only. */
    KIRQL Irql;          /* of the last notification */
    BOOLEAN Swaps;       /* arguments of notifications */
    ULONG Registered;    /* how many routines were ever registered */
    ULONG Emptied;       /* how often the last routine was unregistered */
    KSPIN_LOCK CallLock; /* held while routines run */
    KEVENT Idle;         /* no notification in progress */
} CALLBACK_OBJECT;

/* A caller's attributes with a name in memory of our own. */
typedef struct _REQUEST {
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    USHORT FullLength; /* of Name, in case that a bug shortens it */
} REQUEST, *PREQUEST;

/* names.c: a request must be released after a success. */
NTSTATUS CbkCaptureRequest(POBJECT_ATTRIBUTES Attributes, PREQUEST Request);
VOID CbkReleaseRequest(PREQUEST Request);
/* Opens what the request names. */
NTSTATUS CbkOpenNamed(PREQUEST Request, POBJECT_TYPE Type, PHANDLE Handle);

/* objects.c */
NTSTATUS CbkCreateType(VOID);

/* registrations.c: how many are registered. Lock held. */
ULONG CbkCount(PCALLBACK_OBJECT Object);

/* system.c: FALSE while the system-defined objects are being made. */
extern BOOLEAN CbkBooted;

#endif
