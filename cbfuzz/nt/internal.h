/* What the files of the kernel environment share, and nobody else sees. */
#ifndef CBFUZZ_NT_INTERNAL_H
#define CBFUZZ_NT_INTERNAL_H

#include <wdm.h>
#include "nt.h"
#include "rules.h"

/* Reads or writes memory that is poisoned for everybody else. Such functions must
 * not call memcpy or memset: the sanitizer intercepts them. */
#define NT_RAW __attribute__((no_sanitize("address"), no_builtin("memset", "memcpy")))
#define NT_UNLIKELY(e) __builtin_expect(!!(e), 0)
#define NT_SITE __builtin_return_address(0)

enum {
    NT_HELD_LOCKS = 40, /* a routine nested five deep holds a handful each */
    NT_LOCK_EDGES = 24, /* pairs of nested spin locks that are remembered */
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

struct _KTHREAD {
    uint8_t irql;
    uint8_t spin_base; /* level before the first of the spin locks held now */
    uint16_t spin_locks, mutexes, critical, guarded;
    uint16_t held_count;
    NtHeld held[NT_HELD_LOCKS];
};
extern struct _KTHREAD *nt_current_thread;

void nt_hold(const volatile void *lock, NtHeldKind kind, uint8_t irql, const void *site);
/* Index of the youngest hold of a lock by the current thread, or -1. */
int nt_find_held(const volatile void *lock);
void nt_drop_held(int index);
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

/* Looks a name up; with `insert` puts that object there if nothing is. The result is not
 * referenced. */
NTSTATUS nt_name_look_up(const WCHAR *name, size_t bytes, HANDLE root, ULONG attributes,
                         NtObject *insert, NtObject **found);
NtObject *nt_directory_find(NtObject *directory, const WCHAR *name, size_t units, uint32_t hash,
                            bool insensitive);
void nt_directory_insert(NtObject *directory, NtObject *object, WCHAR *name, size_t units,
                         uint32_t hash);
void nt_directory_remove(NtObject *object);
bool nt_directory_boot(void);

NTSTATUS nt_handle_open(NtObject *object, ACCESS_MASK access, ULONG attributes, PHANDLE handle);
NtHandleEntry *nt_handle_entry(HANDLE handle);
bool nt_handle_boot(void);

uint32_t nt_hash_units(const WCHAR *units, size_t count);
bool nt_equal_units(const WCHAR *a, const WCHAR *b, size_t count, bool insensitive);
WCHAR nt_upcase(WCHAR unit);

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
    struct _KTHREAD thread;
    uint32_t edge_count;
    struct {
        const volatile void *first, *then;
    } edges[NT_LOCK_EDGES];
} NtState;
_Static_assert(sizeof(NtState) < 2048, "it is copied by every rewind");
extern NtState nt_state;

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
