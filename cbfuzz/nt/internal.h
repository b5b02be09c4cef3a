/* What the files of the kernel environment share, and nobody else sees. */
#ifndef CBFUZZ_NT_INTERNAL_H
#define CBFUZZ_NT_INTERNAL_H

#include <wdm.h>
#include "nt.h"
#include "rules.h"

/* Reads or writes memory that is poisoned for everybody else. Such functions must
 * not call memcpy or memset: the sanitizer intercepts them. */
#define NT_RAW __attribute__((no_sanitize("address"), no_builtin("memset", "memcpy")))
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NT_ASAN 1
#endif
#endif
#define NT_UNLIKELY(e) __builtin_expect(!!(e), 0)
#define NT_SITE __builtin_return_address(0)

/* Copies memory, poisoned or not, with what the sanitizer knows of it, which comes behind the
 * copy: an eighth of the size, which is a multiple of 8. */
void nt_save_raw(char *saved, const char *from, size_t size);
void nt_restore_raw(char *to, const char *saved, size_t size);

enum {
    NT_HELD_LOCKS = 40, /* a routine nested five deep holds a handful each */
    NT_LOCK_EDGES = 24, /* pairs of nested spin locks that are remembered */
    NT_STEP = 10,       /* of time, with each question for it */
    NT_POLLS = 64,      /* questions in a row after which others get their turn */
    NT_ARENA_SIZE = 64 << 20
};

/* ---- threads ---- */

typedef enum {
    HELD_SPIN,
    HELD_SPIN_RAISED, /* acquiring raised the level */
    HELD_FAST_MUTEX,
    HELD_GUARDED_MUTEX,
    HELD_PUSH_EXCLUSIVE,
    HELD_PUSH_SHARED,
    HELD_RESOURCE
} NtHeldKind;

typedef struct {
    const volatile void *lock;
    uint8_t kind; /* NtHeldKind */
    uint8_t irql; /* before acquiring */
} NtHeld;

typedef enum {
    WAIT_NOTHING, /* it runs or could */
    WAIT_ANY_OF,
    WAIT_ALL_OF, /* of dispatcher objects */
    WAIT_LOCK    /* until somebody wakes those who wait for that address */
} NtWaitKind;

struct _KTHREAD {
    DISPATCHER_HEADER header; /* signalled when it has ended */
    uint8_t irql;
    uint8_t spin_base; /* level before the first of the spin locks held now */
    uint16_t spin_locks, mutexes, critical, guarded;
    uint16_t held_count;
    bool in_dpc;
    bool never;    /* its wait cannot end; told to the first thread only */
    uint8_t waits; /* NtWaitKind */
    uint32_t wait_count;
    NTSTATUS wait_status;
    int64_t wait_until; /* NT_NEVER: no time-out */
    PVOID *wait_objects;
    PVOID wait_lock;
    struct NtFiber *fiber; /* NULL: it has not begun */
    PKSTART_ROUTINE start;
    PVOID context;
    const WORK_QUEUE_ITEM *item; /* that it is going to run */
    bool counted;                /* among the system threads */
    uint32_t id;
    KPRIORITY priority;
    KAFFINITY affinity; /* 0: none chosen */
    NtHeld held[NT_HELD_LOCKS];
};
extern struct _KTHREAD *nt_current_thread;

bool nt_thread_boot(void);
void nt_thread_rewind(void);
struct _KTHREAD *nt_thread_create(PKSTART_ROUTINE start, PVOID context, const void *site);

/* Waits until somebody wakes those who wait for that address; false when nobody ever will. */
bool nt_wait_for_lock(const volatile void *lock);
void nt_wake_slowly(const volatile void *lock);
/* Waits for dispatcher objects or, when there are none, for the time. False: it never ends. */
bool nt_wait_for_objects(uint32_t count, PVOID *objects, NtWaitKind kind, int64_t until,
                         NTSTATUS *status);
/* Lets others run if they can. */
void nt_yield(void);
/* Says that a dispatcher object is signalled: who waits for it may go on. */
void nt_signal_slowly(DISPATCHER_HEADER *header);
void nt_make_ready(struct _KTHREAD *thread, NTSTATUS status);

static inline bool nt_others_wait(void);
static inline void nt_wake(const volatile void *lock) {
    if (NT_UNLIKELY(nt_others_wait())) nt_wake_slowly(lock);
}
static inline void nt_signal(DISPATCHER_HEADER *header) {
    if (NT_UNLIKELY(nt_others_wait())) nt_signal_slowly(header);
}

/* ---- dispatcher objects ---- */

enum {
    TYPE_MUTANT = 2,
    TYPE_PROCESS = 3,
    TYPE_SEMAPHORE = 5,
    TYPE_THREAD = 6,
    TYPE_TIMER = 8, /* and 9: of the synchronization kind */
    TYPE_DPC = 19,
    TYPE_THREADED_DPC = 24
};
void nt_dispatcher_initialize(DISPATCHER_HEADER *header, uint8_t type, size_t size, LONG state);
void nt_dispatcher_check(const DISPATCHER_HEADER *header, const char *routine, const void *site);
bool nt_is_signalled(const DISPATCHER_HEADER *header, const struct _KTHREAD *thread);
/* Ends a wait of a thread on a signalled object. */
void nt_consume(DISPATCHER_HEADER *header, struct _KTHREAD *thread, const void *site);

/* ---- time and deferred procedure calls ---- */

#define NT_NEVER INT64_MAX
/* Lets virtual time pass: timers and time-outs that are due happen. */
void nt_time_pass(int64_t to);
/* Goes to the next time at which something is due; false when nothing ever will be. */
bool nt_time_advance(void);
/* The time that a time-out stands for: a negative one counts from now. */
int64_t nt_time_of(const LARGE_INTEGER *time);
/* Something will be due then. */
void nt_time_due(int64_t when);
/* False: it is queued already. */
bool nt_dpc_queue(PRKDPC dpc, PVOID argument1, PVOID argument2);
/* Runs what is queued, unless the current thread is at DISPATCH_LEVEL. */
void nt_dpc_deliver_slowly(void);
static inline void nt_dpc_deliver(void);
/* While all threads wait: has a thread of its own do it; false when nothing is queued. */
bool nt_dpc_delegate(void);

/* ---- queues of pointers, in order; their memory is the arena's ---- */

typedef struct {
    void **items;
    uint32_t count, capacity;
} NtQueue;
/* False when the arena is full. */
bool nt_queue_add(NtQueue *queue, void *item);
void *nt_queue_take(NtQueue *queue, uint32_t index);
/* True when it was there. */
bool nt_queue_remove(NtQueue *queue, const void *item);
/* Stops if something in that memory is in use by a timer, a call, a work item or a wait. */
void nt_check_nothing_in(const void *memory, size_t size, const char *routine, const void *site);

void nt_hold(struct _KTHREAD *thread, const volatile void *lock, NtHeldKind kind, uint8_t irql,
             const void *site);
/* Index of the youngest hold of a lock by the current thread, or -1. */
int nt_find_held(const volatile void *lock);
void nt_drop_held(int index);
/* Waits while another thread holds a spin lock; stops if nobody does, or the current one. */
void nt_spin_wait(PKSPIN_LOCK lock, const char *routine, const void *site);
/* Remembers the order of spin locks; stops when it was the other way round before. */
void nt_spin_order(const volatile void *lock, const char *routine, const void *site);
/* Lowers the level after a spin lock was released; stops when that is not the one before it. */
void nt_spin_lower(KIRQL irql, const char *routine, const void *site);
/* Stops if a lock in that memory is held by the current thread. */
void nt_check_no_lock_in(const void *memory, size_t size, const char *routine, const void *site);

/* ---- objects, handles, types: all in the arena ---- */

struct _OBJECT_TYPE {
    struct _OBJECT_TYPE *next;
    OBJECT_TYPE_INITIALIZER info;
    UNICODE_STRING name;
    uint32_t tag; /* first four characters of the name */
};

typedef enum { OBJECT_LIVE, OBJECT_DELETING, OBJECT_DELETED } NtObjectState;

typedef struct NtObject {
    struct _OBJECT_TYPE *type;
    void *body;
    int64_t pointers;
    uint32_t handles;
    uint32_t attributes; /* OBJ_PERMANENT and OBJ_EXCLUSIVE of its creation, and how to insert */
    uint8_t state;       /* NtObjectState */
    bool inserted;
    uint16_t name_length; /* in units; of the whole path until inserted */
    uint32_t hash;
    WCHAR *name;
    HANDLE root;                      /* RootDirectory of its creation */
    PSECURITY_DESCRIPTOR security;    /* of its creation, until inserted */
    struct NtObject *directory;       /* the one that it is named in, or NULL */
    struct NtObject *previous, *next; /* its neighbours there, in order of insertion */
    struct NtObject *first, *last;    /* of a directory: its entries */
} NtObject;

typedef struct {
    NtObject *object; /* NULL: closed */
    uint32_t access;
    uint32_t attributes;
} NtHandleEntry;

/* The object behind a body; stops when there is none or it is deleted. */
NtObject *nt_object_of(const void *body, NtRule deleted, const char *routine, const void *site);
NtObject *nt_object_create(struct _OBJECT_TYPE *type, size_t size, bool internal, const void *site);
void nt_object_reference(NtObject *object);
int64_t nt_object_dereference(NtObject *object);
/* Takes the name away if the object is temporary and has no handle. */
void nt_object_name_check(NtObject *object);
NTSTATUS nt_check_attributes(const OBJECT_ATTRIBUTES *attributes);
NTSTATUS nt_object_capture(NtObject *object, const OBJECT_ATTRIBUTES *attributes);
NTSTATUS nt_object_insert(NtObject *object, ACCESS_MASK access, uint32_t more, PVOID *result,
                          PHANDLE handle);

/* Looks a name up; with `insert` puts that object there if nothing is. The result is referenced;
 * `context` is what a ParseProcedure gets. */
NTSTATUS nt_name_look_up(const UNICODE_STRING *name, HANDLE root, ULONG attributes, PVOID context,
                         NtObject *insert, NtObject **found);
NtObject *nt_directory_find(NtObject *directory, const WCHAR *name, size_t units, uint32_t hash,
                            bool insensitive);
void nt_directory_insert(NtObject *directory, NtObject *object, WCHAR *name, size_t units,
                         uint32_t hash);
void nt_directory_remove(NtObject *object);
bool nt_directory_boot(void);

NTSTATUS nt_handle_open(NtObject *object, OB_OPEN_REASON reason, ACCESS_MASK access,
                        ULONG attributes, PHANDLE handle);
NtHandleEntry *nt_handle_entry(HANDLE handle);
bool nt_handle_boot(void);

uint32_t nt_hash_units(const WCHAR *units, size_t count);
bool nt_equal_units(const WCHAR *a, const WCHAR *b, size_t count, bool insensitive);
WCHAR nt_upcase(WCHAR unit);

void *nt_string_allocate(size_t bytes, const char *routine, const void *site);

/* ---- arena ---- */

/* Raw memory of the environment itself, never freed within a program; NULL when full. */
void *nt_arena_take(size_t size);
/* Pool memory, or an object's body. */
typedef enum { BLOCK_NONPAGED, BLOCK_PAGED, BLOCK_OBJECT, BLOCK_INTERNAL } NtBlockKind;
void *nt_pool_allocate(NtBlockKind kind, size_t size, uint32_t tag, const void *site);
typedef enum { BLOCK_UNKNOWN, BLOCK_LIVE, BLOCK_FREED } NtBlockState;
NtBlockState nt_pool_state(const void *memory, NtBlockKind *kind);
void nt_pool_attach(void *body, NtObject *object);
NtObject *nt_pool_attached(const void *body);
/* Frees an object's body. */
void nt_pool_release(void *body, const char *routine, const void *site);
void nt_pool_free(void *memory, uint32_t tag, const char *routine, const void *site);
bool nt_arena_boot(void);
void nt_arena_checkpoint(void);
void nt_arena_rewind(const char *used_to);

/* ---- all that changes ---- */

typedef struct {
    char *arena_next;
    uint32_t live; /* allocations since the checkpoint */
    uint32_t fail_in, failed;
    uint32_t open_handles;
    uint32_t handle_count, handle_capacity;
    NtHandleEntry *handles;
    NtObject *root;
    struct _OBJECT_TYPE *types, *directory_type;
    uint32_t processors;
    int64_t time;
    int64_t counter;
    int64_t next_due; /* nothing is due before */
    uint32_t queued;  /* items in all queues */
    uint32_t last_id, polls;
    uint32_t system_threads; /* that were created and have not ended */
    NtQueue ready, waiting;  /* threads other than the current one */
    NtQueue timers, calls;
    struct _KTHREAD *first_thread, *dpc_thread;
    PVOID process;
    struct _OBJECT_TYPE *thread_type, *process_type;
    uint32_t edge_count;
    struct {
        const volatile void *first, *then;
    } edges[NT_LOCK_EDGES];
} NtState;
_Static_assert(sizeof(NtState) < 2048, "it is copied by every rewind");
extern NtState nt_state;

static inline bool nt_others_wait(void) {
    return nt_state.waiting.count != 0;
}
static inline void nt_dpc_deliver(void) {
    if (NT_UNLIKELY(nt_state.calls.count != 0)) nt_dpc_deliver_slowly();
}

/* What a thread does that looks again and again whether something has changed. */
#define NT_POLL()                                                                                  \
    do {                                                                                           \
        if (NT_UNLIKELY(nt_state.queued != 0) && ++nt_state.polls % NT_POLLS == 0) nt_yield();     \
    } while (0)

/* ---- stopping ---- */

_Noreturn void nt_stop(NtRule rule, const void *site, uint64_t p2, uint64_t p3, const char *routine,
                       const char *format, ...) __attribute__((format(printf, 6, 7)));
_Noreturn void nt_stop_irql(NtRule rule, const void *site, const char *routine, uint8_t limit);

#define NT_IRQL_MAX(limit, rule)                                                                   \
    do {                                                                                           \
        if (NT_UNLIKELY(nt_current_thread->irql > (limit)))                                        \
            nt_stop_irql(rule, NT_SITE, __func__, (limit));                                        \
    } while (0)
#define NT_IRQL_MIN(limit, rule)                                                                   \
    do {                                                                                           \
        if (NT_UNLIKELY(nt_current_thread->irql < (limit)))                                        \
            nt_stop_irql(rule, NT_SITE, __func__, (limit));                                        \
    } while (0)
#define NT_SWITCH(point, object)                                                                   \
    do {                                                                                           \
        if (NT_UNLIKELY(nt_switch_hook != NULL)) nt_switch_hook((point), (const void *)(object));  \
    } while (0)

#endif
