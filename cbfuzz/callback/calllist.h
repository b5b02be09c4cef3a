/* Lists of routines to be called: insert, walk in order, remove and wait.
 *
 * Both callback objects and processor changes keep their registrations in such
 * a list. A walk calls the entries that were registered before it began, in
 * order of registration. No lock is held between two steps of a walk, so the
 * routine that is called in between may do anything, to this list as well.
 */
#ifndef CALLBACK_CALLLIST_H
#define CALLBACK_CALLLIST_H

#include <ntddk.h>

struct _CALL_WALK;
struct _CALL_DRAIN;

/* One registration. It stays linked until it is removed and no walk stands on
 * it any more, so that a walk can always go on from where it stands. */
typedef struct _CALL_ENTRY {
    LIST_ENTRY Link;
    ULONG64 Sequence;          /* when it was registered, compared with CALL_WALK.Limit */
    BOOLEAN Removed;           /* no walk steps on it any more */
    struct _CALL_WALK *Walks;  /* the walks that stand on it: calls in progress */
    struct _CALL_DRAIN *Drain; /* the removal that waits for calls of other threads */
} CALL_ENTRY, *PCALL_ENTRY;

/* Frees a removed entry; called once, without a lock, at IRQL <= DISPATCH_LEVEL. */
typedef VOID CALL_ENTRY_RELEASE(PCALL_ENTRY Entry);

typedef struct _CALL_LIST {
    KSPIN_LOCK Lock;
    LIST_ENTRY Entries;
    ULONG64 NextSequence;
    ULONG Registered; /* entries that have not been removed */
    CALL_ENTRY_RELEASE *Release;
} CALL_LIST, *PCALL_LIST;

/* A walk over a list, on the stack of the thread that calls the routines. */
typedef struct _CALL_WALK {
    PCALL_LIST List;
    PKTHREAD Thread;
    ULONG64 Limit;           /* entries from this sequence number on came too late */
    PCALL_ENTRY Current;     /* the entry whose routine is being called */
    struct _CALL_WALK *Next; /* in Current->Walks */
} CALL_WALK, *PCALL_WALK;

VOID CallListInitialize(PCALL_LIST List, CALL_ENTRY_RELEASE *Release);

/* Appends an entry. FALSE, and nothing done: `Alone` and another one is there. */
BOOLEAN CallListInsert(PCALL_LIST List, PCALL_ENTRY Entry, BOOLEAN Alone);

/* Begins a walk. It must be followed to its end: CallListNext until NULL. The
 * caller keeps the list alive meanwhile. */
VOID CallListBeginWalk(PCALL_LIST List, PCALL_WALK Walk);

/* Ends the call of the previous entry and begins the next one's; NULL at the end. */
PCALL_ENTRY CallListNext(PCALL_WALK Walk);

/* Removes an entry: no call of it begins from now on, and calls that other
 * threads are in have ended when it returns. Calls on this thread's own stack
 * cannot be waited for: the entry is then released when the last of them ends.
 * The list may be gone when this returns. */
VOID CallListRemove(PCALL_LIST List, PCALL_ENTRY Entry);

#endif
