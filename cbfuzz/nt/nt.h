/* The kernel environment's face to the harness: boot, rewind, stop and watch.
 *
 * Implementations never see this header; they stand on nt/include alone. The
 * environment is one set of globals for the process: one program runs at a
 * time. Nothing here allocates from malloc after nt_checkpoint.
 */
#ifndef CBFUZZ_NT_NT_H
#define CBFUZZ_NT_NT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why the environment stopped a program. */
typedef enum {
    NT_STOP_BUGCHECK, /* a rule of the environment was broken, or KeBugCheckEx was called */
    NT_STOP_DEADLOCK  /* a wait without time-out that nothing can end */
} NtStopKind;

/* What stopped a program: which rule, what happened, where. */
typedef struct {
    NtStopKind kind;
    uint32_t code;          /* bugcheck code (0xC4, 0x0A, ...); 0 for a deadlock */
    uint64_t parameters[4]; /* of the bugcheck */
    const char *rule; /* name of the rule, a static string: "IrqlKeApcLte1", "PoolDoubleFree" */
    char text[192];   /* one line: routine, what was expected, what was found */
    const void *site; /* return address of the environment's routine into its caller */
} NtStop;

/* Called when a program must stop, on the stack that called nt_boot. It must not return: it
 * leaves by longjmp. */
typedef void (*NtStopHandler)(const NtStop *stop);
void nt_set_stop_handler(NtStopHandler handler);

/* Calls leave(context), which must not return, on the stack that called nt_boot: for who wants
 * to leave a routine by longjmp, which perhaps runs on a system thread. */
_Noreturn void nt_leave(void (*leave)(void *context), void *context);

/* Places at which a scheduler may switch threads. Each primitive passes through
 * nt_switch_hook (NULL: nobody listens, one thread) before it takes effect. */
typedef enum {
    NT_POINT_IRQL,
    NT_POINT_SPIN_LOCK,
    NT_POINT_LOCK, /* fast mutex, guarded mutex, push lock */
    NT_POINT_RUNDOWN,
    NT_POINT_EVENT,
    NT_POINT_WAIT,
    NT_POINT_INTERLOCKED,
    NT_POINT_OBJECT,
    NT_POINT_POOL,
    NT_POINT_TIMER,  /* timers and deferred procedure calls */
    NT_POINT_THREAD, /* threads and work items */
    NT_POINTS
} NtPoint;
typedef void (*NtSwitchHook)(NtPoint point, const void *object);
extern NtSwitchHook nt_switch_hook;

/* Reserves the arena and brings the environment to the state after power-on:
 * PASSIVE_LEVEL, empty object directory "\", one thread, the initial processors. Call once per
 * process; false when the machine has no memory for it. */
bool nt_boot(void);

/* Remembers the state now as the one that each program starts from (after the
 * implementation has been initialized), threads that wait included. Call once, after nt_boot;
 * false when there is no memory for it. */
bool nt_checkpoint(void);

/* Lets system threads go on that can: those that are ready, each up to its next wait; with
 * `let_time_pass` also what is due within the next minute of virtual time. Ends after a few
 * thousand turns at the latest. */
void nt_settle(bool let_time_pass);

/* Puts everything back to the checkpoint: arena, objects, IRQL, locks, injected
 * failures, processors. Cost: proportional to what was used since, not to the
 * arena (the part beyond the checkpoint is only poisoned again). */
void nt_rewind(void);

/* The Nth pool allocation from here on fails (1: the next one; 0: none). */
void nt_fail_allocation(uint32_t nth);
/* How many allocations were made to fail since the last rewind. */
uint32_t nt_failed_allocations(void);

/* Is the memory at a pointer live pool memory? */
typedef enum {
    NT_MEMORY_FOREIGN, /* not in the arena: nothing is known */
    NT_MEMORY_LIVE,    /* inside an allocation or object that has not been freed */
    NT_MEMORY_FREED    /* inside one that was, or never handed out */
} NtMemory;
NtMemory nt_memory_at(const void *pointer);

/* Allocations and objects that were made since the checkpoint and still live. */
uint32_t nt_live_allocations(void);
typedef struct {
    char tag[5];      /* pool tag, or the first four characters of the object type's name */
    bool is_object;   /* an object of the object manager, not plain pool */
    size_t size;      /* bytes asked for */
    const void *site; /* return address into the implementation */
} NtLeak;
/* Fills at most `capacity` of them, oldest first; returns how many it filled. */
size_t nt_leaks(NtLeak *leaks, size_t capacity);

/* State that a routine must leave as it found it. Compared by the harness
 * around each call: equal before and after, or the call broke a rule. */
typedef struct {
    uint8_t irql;
    uint16_t spin_locks; /* held by the current thread */
    uint16_t mutexes;    /* fast and guarded mutexes, push locks, resources held */
    uint16_t critical;   /* depth of KeEnterCriticalRegion */
    uint16_t guarded;    /* depth of KeEnterGuardedRegion */
    uint16_t handles;    /* open handles: compared as well; a handle left open is a leak */
} NtThreadState;
NtThreadState nt_thread_state(void);

/* The level that a program asks for by its `irql` statement; no check. */
void nt_set_irql(uint8_t irql);

/* Text that DbgPrint produced goes to this sink (NULL: thrown away). */
extern void (*nt_debug_sink)(const char *text, size_t length);

/* Processors. The initial system has NT_INITIAL_PROCESSORS active ones; a
 * processor's NtNumber is its index. nt_processor_started makes one more of
 * them active and returns its number; nt_active_processors counts them. */
enum { NT_INITIAL_PROCESSORS = 2, NT_MAXIMUM_PROCESSORS = 64 };
uint32_t nt_active_processors(void);
uint32_t nt_processor_started(void);

#endif
