/* Checks the parts of the kernel environment in which several threads play: threads, deferred
 * calls, timers, work items; and the breadth of its routines, one by one. */
#include "environment.h"

/* ---- threads, deferred calls, timers, work items ---- */

static VOID no_call(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
    (void)Dpc, (void)Context, (void)Argument1, (void)Argument2;
}
static VOID no_thread(PVOID Context) {
    (void)Context;
}

static char story[64]; /* who did what, a letter each */
static void tell(char letter) {
    size_t length = strlen(story);
    CHECK(length + 1 < sizeof(story));
    story[length] = letter;
    story[length + 1] = 0;
}
static bool told(const char *expected) {
    bool same = strcmp(story, expected) == 0;
    if (!same) fprintf(stderr, "told %s, expected %s\n", story, expected);
    story[0] = 0;
    return same;
}

typedef struct {
    KEVENT go, done;
    FAST_MUTEX mutex;
    KSPIN_LOCK spin;
    EX_PUSH_LOCK push;
    ERESOURCE resource;
    EX_RUNDOWN_REF rundown;
    KMUTEX kernel_mutex;
    KSEMAPHORE semaphore;
    KTIMER timer;
    KDPC dpc;
    WORK_QUEUE_ITEM item;
    char letter;
} Shared;
static Shared shared;

static PETHREAD start(KSTART_ROUTINE *routine, PVOID context) {
    HANDLE handle;
    PVOID thread;
    CLIENT_ID id;
    CHECK(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, &id, routine, context) ==
          STATUS_SUCCESS);
    CHECK(ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread,
                                    NULL) == STATUS_SUCCESS);
    CHECK(PsGetThreadId(thread) == id.UniqueThread);
    ZwClose(handle);
    return thread;
}

static void join(PETHREAD thread) {
    CHECK(WAIT(thread, NULL) == STATUS_SUCCESS);
    ObDereferenceObject(thread);
}

static VOID says_letters(PVOID Context) {
    char buffer[100]; /* with red zones, so that the stack is a stack for the sanitizer, too */
    memset(buffer, *(const char *)Context, sizeof(buffer));
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL && PsGetCurrentThreadId() != 0);
    for (int i = 0; i < 3; i++) {
        tell(buffer[i * 10]);
        ZwYieldExecution();
    }
}

static VOID waits_for_go(PVOID Context) {
    Shared *with = Context;
    tell('w');
    CHECK(WAIT(&with->go, NULL) == STATUS_SUCCESS);
    tell('g');
    KeSetEvent(&with->done, 0, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
    tell('!');
}

static VOID counts_polls(PVOID Context) {
    while (InterlockedCompareExchange(Context, 2, 1) != 1)
        continue;
    tell('p');
}

static VOID sets_flag(PVOID Context) {
    *(LONG volatile *)Context = 1;
}

static void threads_take_turns(void) {
    PETHREAD a = start(says_letters, "a"), b = start(says_letters, "b");
    CHECK(a != PsGetCurrentThread() && told(""));
    join(a);
    join(b);
    CHECK(told("ababab"));
    CHECK(PsTerminateSystemThread(0) == STATUS_INVALID_PARAMETER);
    KeInitializeEvent(&shared.go, SynchronizationEvent, FALSE);
    KeInitializeEvent(&shared.done, NotificationEvent, FALSE);
    a = start(waits_for_go, &shared);
    b = start(waits_for_go, &shared);
    nt_settle(false);
    CHECK(told("ww"));
    KeSetEvent(&shared.go, 0, FALSE); /* each goes to one of them, at once */
    KeSetEvent(&shared.go, 0, FALSE);
    CHECK(KeReadStateEvent(&shared.go) == 0 && told(""));
    CHECK(WAIT(&shared.done, NULL) == STATUS_SUCCESS && told("gg"));
    join(a);
    join(b);
    /* The higher priority first. */
    a = start(says_letters, "a");
    b = start(says_letters, "b");
    CHECK(KeSetPriorityThread((PKTHREAD)b, LOW_REALTIME_PRIORITY) == 8);
    join(a);
    join(b);
    CHECK(told("bababa"));
    /* One that spins lets those of lower priority run, too. */
    static LONG flag;
    flag = 0;
    b = start(counts_polls, &flag);
    KeSetPriorityThread((PKTHREAD)b, HIGH_PRIORITY);
    a = start(sets_flag, &flag);
    join(b);
    join(a);
    CHECK(told("p"));
    for (int i = 0; i < 1000; i++)
        join(start(no_thread, NULL));
    CHECK(nt_live_allocations() == 0);
    nt_rewind();
}

static VOID pulses_back(PVOID Context) {
    Shared *with = Context;
    LARGE_INTEGER second = {.QuadPart = -10000000};
    CHECK(WAIT(&with->go, &second) == STATUS_TIMEOUT);
    tell('t');
    KePulseEvent(&with->done, 0, FALSE);
}

static VOID holds_locks(PVOID Context) {
    Shared *with = Context;
    ExAcquireFastMutex(&with->mutex);
    ExAcquirePushLockShared(&with->push);
    ExAcquireResourceSharedLite(&with->resource, TRUE);
    CHECK(ExAcquireRundownProtection(&with->rundown));
    CHECK(WAIT(&with->kernel_mutex, NULL) == STATUS_SUCCESS);
    tell('h');
    WAIT(&with->go, NULL);
    tell('r');
    KeReleaseMutex(&with->kernel_mutex, FALSE);
    ExReleaseRundownProtection(&with->rundown);
    ExReleaseResourceLite(&with->resource);
    ExReleasePushLockShared(&with->push);
    ExReleaseFastMutex(&with->mutex);
}

static void prepare(void) {
    KeInitializeEvent(&shared.go, NotificationEvent, FALSE);
    KeInitializeEvent(&shared.done, NotificationEvent, FALSE);
    ExInitializeFastMutex(&shared.mutex);
    KeInitializeSpinLock(&shared.spin);
    ExInitializePushLock(&shared.push);
    ExInitializeResourceLite(&shared.resource);
    ExInitializeRundownProtection(&shared.rundown);
    KeInitializeMutex(&shared.kernel_mutex, 0);
    KeInitializeSemaphore(&shared.semaphore, 0, 2);
    KeInitializeTimer(&shared.timer);
}

static void locks_make_others_wait(void) {
    LARGE_INTEGER zero = {.QuadPart = 0}, soon = {.QuadPart = -10000};
    prepare();
    PETHREAD thread = start(holds_locks, &shared);
    nt_settle(false);
    CHECK(!ExTryToAcquireFastMutex(&shared.mutex) && !ExTryAcquirePushLockExclusive(&shared.push));
    CHECK(ExAcquireResourceSharedLite(&shared.resource, TRUE));
    ExReleaseResourceLite(&shared.resource);
    CHECK(!ExAcquireResourceExclusiveLite(&shared.resource, FALSE));
    CHECK(WAIT(&shared.kernel_mutex, &zero) == STATUS_TIMEOUT);
    CHECK(WAIT(&shared.kernel_mutex, &soon) == STATUS_TIMEOUT);
    CHECK(ExIsResourceAcquiredSharedLite(&shared.resource) == 0 && told("h"));
    KeSetEvent(&shared.go, 0, FALSE);
    ExAcquirePushLockExclusive(&shared.push);
    CHECK(told("r"));
    ExReleasePushLockExclusive(&shared.push);
    ExAcquireFastMutex(&shared.mutex);
    ExReleaseFastMutex(&shared.mutex);
    CHECK(ExAcquireResourceExclusiveLite(&shared.resource, TRUE));
    ExConvertExclusiveToSharedLite(&shared.resource);
    ExReleaseResourceLite(&shared.resource);
    ExWaitForRundownProtectionRelease(&shared.rundown);
    CHECK(WAIT(&shared.kernel_mutex, NULL) == STATUS_SUCCESS);
    KeReleaseMutex(&shared.kernel_mutex, FALSE);
    join(thread);
    CHECK(nt_thread_state().mutexes == 0 && nt_thread_state().critical == 0);
    /* Held for ever. */
    prepare();
    start(holds_locks, &shared);
    BREAKS("LockDeadlock", ExAcquireFastMutex(&shared.mutex); nt_settle(false);
           ExReleaseFastMutex(&shared.mutex); nt_settle(false); ExAcquireFastMutex(&shared.mutex));
    CHECK(last.kind == NT_STOP_DEADLOCK && told("h"));
    prepare();
    start(holds_locks, &shared);
    nt_settle(false);
    BREAKS("RundownDeadlock", ExWaitForRundownProtectionRelease(&shared.rundown));
    prepare();
    start(holds_locks, &shared);
    nt_settle(false);
    BREAKS("LockDeadlock", ExAcquireResourceExclusiveLite(&shared.resource, TRUE));
    prepare();
    start(holds_locks, &shared);
    nt_settle(false);
    BREAKS("WaitDeadlock", WAIT(&shared.kernel_mutex, NULL));
    told("hhh");
    /* A pulse wakes who waits, and a time-out comes when all wait. */
    prepare();
    start(pulses_back, &shared);
    CHECK(WAIT(&shared.done, NULL) == STATUS_SUCCESS && told("t"));
    CHECK(KeReadStateEvent(&shared.done) == 0);
    nt_rewind();
}

static VOID spins_at_dispatch(PVOID Context) {
    Shared *with = Context;
    KIRQL irql;
    KeAcquireSpinLock(&with->spin, &irql);
    tell('s');
    for (int i = 0; i < 5; i++)
        KeYieldProcessor(); /* as one who waits for another processor */
    tell('e');
    KeReleaseSpinLock(&with->spin, irql);
}

static void spinning_lets_others_run(void) {
    static LONG flag;
    KIRQL irql;
    prepare();
    PETHREAD thread = start(spins_at_dispatch, &shared);
    ZwYieldExecution();
    KeAcquireSpinLock(&shared.spin, &irql);
    CHECK(told("se"));
    KeReleaseSpinLock(&shared.spin, irql);
    join(thread);
    flag = 0;
    thread = start(counts_polls, &flag);
    ZwYieldExecution();
    flag = 1;
    while (flag != 2)
        KeYieldProcessor();
    CHECK(told("p"));
    join(thread);
    nt_rewind();
}

static VOID called(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
    CHECK(KeGetCurrentIrql() == DISPATCH_LEVEL && Dpc->DpcData == NULL);
    Shared *with = Context;
    tell(with->letter != 0 ? with->letter : 'd');
    if (Argument1 == &with->go) KeSetEvent(&with->go, 0, FALSE);
    if (Argument2 == &with->dpc) CHECK(KeInsertQueueDpc(Dpc, NULL, NULL)); /* runs once more */
}

static void deferred_calls_run_below_dispatch(void) {
    KIRQL irql, second;
    prepare();
    shared.letter = 'd';
    KeInitializeDpc(&shared.dpc, called, &shared);
    CHECK(KeInsertQueueDpc(&shared.dpc, NULL, NULL) && told("d"));
    CHECK(KeInsertQueueDpc(&shared.dpc, NULL, &shared.dpc) && told("dd"));
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    CHECK(KeInsertQueueDpc(&shared.dpc, NULL, NULL));
    CHECK(!KeInsertQueueDpc(&shared.dpc, NULL, NULL));
    CHECK(KeRemoveQueueDpc(&shared.dpc) && !KeRemoveQueueDpc(&shared.dpc));
    CHECK(KeInsertQueueDpc(&shared.dpc, &shared.go, NULL) && told(""));
    KeAcquireSpinLock(&shared.spin, &second);
    KeReleaseSpinLock(&shared.spin, second);
    CHECK(told(""));
    KeLowerIrql(irql);
    CHECK(told("d") && KeReadStateEvent(&shared.go) == 1);
    KeAcquireSpinLock(&shared.spin, &irql);
    KeInsertQueueDpc(&shared.dpc, NULL, NULL);
    KeReleaseSpinLock(&shared.spin, irql);
    CHECK(told("d") && nt_thread_state().spin_locks == 0);
    nt_set_irql(DISPATCH_LEVEL); /* the program's own change of level */
    KeInsertQueueDpc(&shared.dpc, NULL, NULL);
    nt_set_irql(PASSIVE_LEVEL);
    CHECK(told("d"));
    KeFlushQueuedDpcs();
    nt_rewind();
}

static void timers_are_due_in_order(void) {
    static Shared other;
    LARGE_INTEGER due = {.QuadPart = -20000}, later = {.QuadPart = -30000}, now;
    prepare();
    shared.letter = 'a';
    KeInitializeDpc(&shared.dpc, called, &shared);
    other = shared;
    other.letter = 'b';
    KeInitializeTimerEx(&other.timer, SynchronizationTimer);
    KeInitializeDpc(&other.dpc, called, &other);
    CHECK(!KeSetTimer(&shared.timer, later, &shared.dpc) && !KeReadStateTimer(&shared.timer));
    CHECK(!KeSetTimer(&other.timer, due, &other.dpc) && told(""));
    CHECK(WAIT(&shared.timer, NULL) == STATUS_SUCCESS && told("ba"));
    CHECK(KeReadStateTimer(&shared.timer) && KeReadStateTimer(&other.timer));
    CHECK(WAIT(&shared.timer, NULL) == STATUS_SUCCESS && WAIT(&other.timer, NULL) == 0);
    CHECK(!KeReadStateTimer(&other.timer) && !KeCancelTimer(&other.timer));
    CHECK(!KeSetTimer(&shared.timer, due, NULL) && KeSetTimer(&shared.timer, due, NULL));
    CHECK(KeCancelTimer(&shared.timer) && !KeReadStateTimer(&shared.timer));
    /* In the past: at once. Absolute. Periodic. While somebody asks for the time. */
    KeQuerySystemTime(&now);
    CHECK(!KeSetTimer(&shared.timer, now, &shared.dpc) && told("a"));
    now.QuadPart += 100000;
    KeSetTimerEx(&other.timer, now, 1, &other.dpc);
    KeDelayExecutionThread(KernelMode, FALSE, &later);
    CHECK(told(""));
    KeStallExecutionProcessor(12500 - 3000);
    CHECK(told("bbb"));
    CHECK(KeCancelTimer(&other.timer));
    KeSetTimer(&shared.timer, due, &shared.dpc);
    for (int i = 0; !KeReadStateTimer(&shared.timer); i++) {
        KeQuerySystemTime(&now);
        CHECK(i < 3000);
    }
    CHECK(told("a"));
    /* Nothing but a time-out, or a timer that does not help. */
    KeSetTimer(&other.timer, due, &other.dpc);
    CHECK(WAIT(&other.go, &later) == STATUS_TIMEOUT && told("b"));
    BREAKS("WaitDeadlock", KeSetTimer(&other.timer, due, &other.dpc); WAIT(&other.go, NULL));
    CHECK(told("b"));
}

static VOID takes_spin_lock(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
    (void)Dpc, (void)Argument1, (void)Argument2;
    tell('(');
    KeAcquireSpinLockAtDpcLevel(&((Shared *)Context)->spin);
    KeReleaseSpinLockFromDpcLevel(&((Shared *)Context)->spin);
    tell(')');
}
static VOID times_out(PVOID Context) {
    LARGE_INTEGER due = {.QuadPart = -5};
    CHECK(WAIT(&((Shared *)Context)->go, &due) == STATUS_TIMEOUT);
    tell('t');
}

/* A call that runs on the stack of one whose wait has just ended, and has to wait itself. */
static void calls_may_wait_for_spin_locks(void) {
    LARGE_INTEGER due = {.QuadPart = -5};
    KIRQL irql;
    prepare();
    KeInitializeDpc(&shared.dpc, takes_spin_lock, &shared);
    PETHREAD thread = start(times_out, &shared);
    nt_settle(false);
    KeAcquireSpinLock(&shared.spin, &irql);
    KeSetTimer(&shared.timer, due, &shared.dpc);
    KeYieldProcessor();
    CHECK(told("("));
    KeReleaseSpinLock(&shared.spin, irql);
    join(thread);
    CHECK(told(")t"));
    nt_rewind();
}

static VOID works(PVOID Parameter) {
    Shared *with = Parameter;
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL && with->item.List.Flink == NULL);
    tell(with->letter);
    WAIT(&with->go, NULL);
    tell(with->letter);
    KeSetEvent(&with->done, 0, FALSE);
}

static VOID frees_itself(PVOID Parameter) {
    ExFreePool(Parameter);
}

static void work_items_run_in_order(void) {
    static Shared other;
    prepare();
    other = shared;
    prepare();
    ExInitializeWorkItem(&shared.item, works, &shared);
    ExInitializeWorkItem(&other.item, works, &other);
    shared.letter = 'x';
    other.letter = 'y';
    KeInitializeEvent(&other.go, NotificationEvent, FALSE);
    KeInitializeEvent(&other.done, NotificationEvent, FALSE);
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ExQueueWorkItem(&shared.item, DelayedWorkQueue);
    ExQueueWorkItem(&other.item, CriticalWorkQueue);
    KeLowerIrql(irql);
    CHECK(told(""));
    KeSetEvent(&other.go, 0, FALSE); /* the second one need not wait for the first */
    CHECK(WAIT(&other.done, NULL) == STATUS_SUCCESS && told("xyy"));
    KeSetEvent(&shared.go, 0, FALSE);
    CHECK(WAIT(&shared.done, NULL) == STATUS_SUCCESS && told("x"));
    PWORK_QUEUE_ITEM item = ExAllocatePoolWithTag(NonPagedPool, sizeof(*item), 'tseT');
    ExInitializeWorkItem(item, frees_itself, item);
    ExQueueWorkItem(item, DelayedWorkQueue);
    CHECK(nt_live_allocations() == 1);
    nt_settle(true);
    CHECK(nt_live_allocations() == 0);
    nt_rewind();
}

static VOID lowers(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
    (void)Dpc, (void)Context, (void)Argument1, (void)Argument2;
    KeLowerIrql(PASSIVE_LEVEL);
}
static VOID keeps_lock(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
    (void)Dpc, (void)Argument1, (void)Argument2;
    KeAcquireSpinLockAtDpcLevel(&((Shared *)Context)->spin);
}
static VOID waits_in_call(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
    (void)Dpc, (void)Argument1, (void)Argument2;
    WAIT(&((Shared *)Context)->go, NULL);
}
static VOID stays_raised(PVOID Context) {
    KIRQL irql;
    (void)Context;
    KeRaiseIrql(APC_LEVEL, &irql);
}
static VOID ends_with_lock(PVOID Context) {
    ExAcquirePushLockShared(&((Shared *)Context)->push);
}
static VOID ends_in_region(PVOID Context) {
    (void)Context;
    KeEnterCriticalRegion();
}

static void breaks_threads(void) {
    HANDLE handle;
    LARGE_INTEGER due = {.QuadPart = -20000};
    Shared *pool;
    PETHREAD thread;
    prepare();
#define IN_POOL                                                                                    \
    pool = ExAllocatePoolWithTag(NonPagedPool, sizeof(*pool), 'tseT');                             \
    prepare();                                                                                     \
    *pool = shared;                                                                                \
    KeInitializeEvent(&pool->go, NotificationEvent, FALSE)
    BREAKS("IrqlPsPassive", nt_set_irql(APC_LEVEL);
           PsCreateSystemThread(&handle, 0, NULL, NULL, NULL, no_thread, NULL));
    BREAKS("IrqlPsPassive", join(start(stays_raised, NULL)));
    BREAKS("ThreadEndsWithLock", join(start(ends_with_lock, &shared)));
    BREAKS("ThreadEndsInRegion", join(start(ends_in_region, &shared)));
    BREAKS("WaitedForFreed", IN_POOL; thread = start(waits_for_go, pool); nt_settle(false);
           ExFreePool(pool));
    BREAKS("TimerFreed", IN_POOL; KeSetTimer(&pool->timer, due, NULL); ExFreePool(pool));
    BREAKS("DpcFreed", IN_POOL; KeInitializeDpc(&pool->dpc, no_call, NULL);
           KeSetTimer(&shared.timer, due, &pool->dpc); ExFreePool(pool));
    BREAKS("DpcFreed", IN_POOL; KeInitializeDpc(&pool->dpc, no_call, NULL);
           nt_set_irql(DISPATCH_LEVEL); KeInsertQueueDpc(&pool->dpc, NULL, NULL); ExFreePool(pool));
    BREAKS("WorkItemFreed", IN_POOL; ExInitializeWorkItem(&pool->item, frees_itself, pool);
           ExQueueWorkItem(&pool->item, DelayedWorkQueue); ExFreePool(pool));
    BREAKS("WorkItemQueuedTwice", ExInitializeWorkItem(&shared.item, works, &shared);
           ExQueueWorkItem(&shared.item, DelayedWorkQueue);
           ExQueueWorkItem(&shared.item, DelayedWorkQueue));
    BREAKS("LockHeldInFreedMemory", IN_POOL; ExInitializeFastMutex(&pool->mutex);
           thread = start(holds_locks, pool); nt_settle(false); ExFreePool(pool));
    BREAKS("WorkerIrqlChanged", ExInitializeWorkItem(&shared.item, stays_raised, NULL);
           ExQueueWorkItem(&shared.item, DelayedWorkQueue); nt_settle(false));
    BREAKS("DpcNotInitialized", memset(&shared.dpc, 0xCD, sizeof(shared.dpc));
           KeInsertQueueDpc(&shared.dpc, NULL, NULL));
    BREAKS("DpcIrqlChanged", KeInitializeDpc(&shared.dpc, lowers, NULL);
           KeInsertQueueDpc(&shared.dpc, NULL, NULL));
    BREAKS("DpcHoldsLock", prepare(); KeInitializeDpc(&shared.dpc, keeps_lock, &shared);
           KeInsertQueueDpc(&shared.dpc, NULL, NULL));
    BREAKS("WaitAtDispatch", prepare(); KeInitializeDpc(&shared.dpc, waits_in_call, &shared);
           KeSetTimer(&shared.timer, due, &shared.dpc); WAIT(&shared.timer, NULL));
    BREAKS("DispatcherNotInitialized", KeSetTimer((PKTIMER)&shared.go, due, NULL));
    BREAKS("IrqlKePassive", nt_set_irql(APC_LEVEL); KeFlushQueuedDpcs());
    BREAKS("IrqlExDispatchLte", ExInitializeWorkItem(&shared.item, works, &shared);
           nt_set_irql(CLOCK_LEVEL); ExQueueWorkItem(&shared.item, DelayedWorkQueue));
    BREAKS("IrqlZwPassive", nt_set_irql(APC_LEVEL); ZwYieldExecution());
    PVOID many[4] = {&shared.go, &shared.go, &shared.go, &shared.go};
    BREAKS("WaitTooMany",
           KeWaitForMultipleObjects(4, many, WaitAny, Executive, KernelMode, FALSE, NULL, NULL));
    (void)thread;
    story[0] = 0;
}

/* More work than there are stacks: the rest begins when one is free. */
static LONG ran;
static VOID waits_and_counts(PVOID Context) {
    Shared *with = Context;
    WAIT(&with->go, NULL);
    ran++;
}

static void threads_are_many(void) {
    static WORK_QUEUE_ITEM items[1000];
    HANDLE handle;
    int made = 0;
    prepare();
    ran = 0;
    for (size_t i = 0; i < RTL_NUMBER_OF(items); i++) {
        ExInitializeWorkItem(&items[i], waits_and_counts, &shared);
        ExQueueWorkItem(&items[i], DelayedWorkQueue);
    }
    nt_settle(false);
    CHECK(ran == 0);
    KeSetEvent(&shared.go, 0, FALSE);
    nt_settle(false);
    CHECK(ran == 1000);
    nt_rewind();
    prepare();
    while (PsCreateSystemThread(&handle, 0, NULL, NULL, NULL, waits_and_counts, &shared) ==
           STATUS_SUCCESS)
        made++;
    CHECK(made >= 100 && handle == NULL);
    nt_rewind();
    for (int i = 0; i < 200; i++) { /* those that are left over are forgotten */
        prepare();
        start(waits_and_counts, &shared);
        start(says_letters, "a");
        nt_settle(false);
        CHECK(told("aaa"));
        nt_rewind();
    }
}

/* A thread that waits at the checkpoint waits again after each rewind. */
static VOID serves(PVOID Context) {
    Shared *with = Context;
    char here[64];
    for (int round = 0;; round++) {
        snprintf(here, sizeof(here), "%d", round);
        WAIT(&with->semaphore, NULL);
        tell(here[0]);
        KeSetEvent(&with->done, 0, FALSE);
    }
}

static void threads_survive_the_checkpoint(void) {
    prepare();
    KeInitializeEvent(&shared.done, SynchronizationEvent, FALSE);
    Shared at_checkpoint;
    start(serves, &shared);
    nt_settle(false);
    at_checkpoint = shared;
    CHECK(nt_checkpoint());
    for (int i = 0; i < 50; i++) {
        KeReleaseSemaphore(&shared.semaphore, 0, 1, FALSE);
        CHECK(WAIT(&shared.done, NULL) == STATUS_SUCCESS && told("0"));
        KeReleaseSemaphore(&shared.semaphore, 0, 2, FALSE);
        CHECK(WAIT(&shared.done, NULL) == STATUS_SUCCESS);
        nt_settle(false);
        CHECK(told("12"));
        if (i % 2) start(waits_for_go, &shared);
        nt_settle(false);
        story[0] = 0;
        nt_rewind();
        shared = at_checkpoint; /* a harness does that with globals */
    }
    BREAKS("WaitDeadlock", WAIT(&shared.done, NULL));
}

/* ---- locks ---- */

static void spin_locks_for_readers_work(void) {
    EX_SPIN_LOCK lock = 0;
    KIRQL irql = ExAcquireSpinLockShared(&lock);
    CHECK(irql == PASSIVE_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL);
    ExAcquireSpinLockSharedAtDpcLevel(&lock);
    CHECK(!ExTryConvertSharedSpinLockExclusive(&lock));
    ExReleaseSpinLockSharedFromDpcLevel(&lock);
    CHECK(ExTryConvertSharedSpinLockExclusive(&lock));
    ExReleaseSpinLockExclusive(&lock, irql);
    irql = ExAcquireSpinLockExclusive(&lock);
    CHECK(nt_thread_state().spin_locks == 1);
    ExReleaseSpinLockExclusive(&lock, irql);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL && nt_thread_state().spin_locks == 0);
    BREAKS("SpinLockDoubleAcquire", ExAcquireSpinLockShared(&lock);
           ExAcquireSpinLockExclusiveAtDpcLevel(&lock));
    lock = 0;
    BREAKS("SpinLockRelease", ExAcquireSpinLockShared(&lock);
           ExReleaseSpinLockExclusive(&lock, PASSIVE_LEVEL));
    lock = 0;
    BREAKS("SpinLockReleaseIrql", ExAcquireSpinLockShared(&lock);
           ExReleaseSpinLockShared(&lock, APC_LEVEL));
    BREAKS("IrqlKeDispatchGte", ExAcquireSpinLockSharedAtDpcLevel(&lock));
    lock = -3;
    BREAKS("SpinLockNotInitialized", ExAcquireSpinLockShared(&lock));
}

static void rundown_over_processors_works(void) {
    PEX_RUNDOWN_REF_CACHE_AWARE ref = ExAllocateCacheAwareRundownProtection(NonPagedPool, 'tseT');
    CHECK(ref != NULL && nt_live_allocations() == 1);
    CHECK(ExAcquireRundownProtectionCacheAware(ref));
    CHECK(ExAcquireRundownProtectionCacheAwareEx(ref, 2));
    ExReleaseRundownProtectionCacheAwareEx(ref, 3);
    ExWaitForRundownProtectionReleaseCacheAware(ref);
    CHECK(!ExAcquireRundownProtectionCacheAware(ref));
    ExReInitializeRundownProtectionCacheAware(ref);
    CHECK(ExAcquireRundownProtectionCacheAware(ref));
    ExReleaseRundownProtectionCacheAware(ref);
    ExFreeCacheAwareRundownProtection(ref);
    CHECK(nt_live_allocations() == 0 && ExSizeOfRundownProtectionCacheAware() != 0);
    nt_rewind();
}

/* What a kernel does with a word that has a routine's block and references to it. */
static void fast_references_count(void) {
    DECLSPEC_ALIGN(16) EX_CALLBACK_ROUTINE_BLOCK block, other;
    EX_CALLBACK callback;
    ExInitializeRundownProtection(&block.RundownProtect);
    ExInitializeFastReference(&callback.RoutineBlock, NULL);
    CHECK(ExGetObjectFastReference(ExAcquireFastReference(&callback.RoutineBlock)) == NULL);
    CHECK(ExAcquireRundownProtectionEx(&block.RundownProtect, MAX_FAST_REFS + 1));
    EX_FAST_REF old = ExCompareSwapFastReference(&callback.RoutineBlock, &block, NULL);
    CHECK(ExGetObjectFastReference(old) == NULL);
    for (ULONG i = MAX_FAST_REFS; i > 0; i--) {
        old = ExAcquireFastReference(&callback.RoutineBlock);
        CHECK(ExGetObjectFastReference(old) == &block && ExGetCountFastReference(old) == i);
    }
    old = ExFastReference(&callback.RoutineBlock);
    CHECK(ExGetCountFastReference(old) == 0 && ExFastRefGetObject(old) == &block);
    CHECK(ExReleaseFastReference(&callback.RoutineBlock, &block));
    CHECK(!ExInsertFastReference(&callback.RoutineBlock, &block)); /* one is there already */
    for (int i = 1; i < MAX_FAST_REFS; i++)
        CHECK(ExReleaseFastReference(&callback.RoutineBlock, &block));
    CHECK(!ExReleaseFastReference(&callback.RoutineBlock, &block));
    CHECK(!ExReleaseFastReference(&callback.RoutineBlock, &other));
    old = ExCompareSwapFastReference(&callback.RoutineBlock, &other, &other);
    CHECK(ExGetObjectFastReference(old) == &block);
    old = ExSwapFastReference(&callback.RoutineBlock, NULL);
    CHECK(ExGetObjectFastReference(old) == &block && old.RefCnt == MAX_FAST_REFS);
    ExReleaseRundownProtectionEx(&block.RundownProtect, MAX_FAST_REFS + 1);
    ExWaitForRundownProtectionRelease(&block.RundownProtect);
    nt_rewind();
}

/* ---- memory and lists ---- */

static VOID NTAPI free_entry(PVOID Memory, PLOOKASIDE_LIST_EX Lookaside) {
    CHECK(Lookaside != NULL);
    ExFreePool(Memory);
    tell('f');
}
static PVOID NTAPI allocate_entry(POOL_TYPE Type, SIZE_T Size, ULONG Tag,
                                  PLOOKASIDE_LIST_EX Lookaside) {
    CHECK(Type == PagedPool && Lookaside != NULL);
    tell('a');
    return ExAllocatePoolWithTag(Type, Size, Tag);
}

static void newer_lookaside_lists_work(void) {
    static LOOKASIDE_LIST_EX list;
    CHECK(ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPool, 0, 48, 'tseT', 1) ==
          STATUS_INVALID_PARAMETER_8);
    CHECK(ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPool, 3, 48, 'tseT', 0) ==
          STATUS_INVALID_PARAMETER_5);
    CHECK(ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPool, 0, 48, 'tseT', 0) == 0);
    PVOID a = ExAllocateFromLookasideListEx(&list), b = ExAllocateFromLookasideListEx(&list);
    CHECK(a != b && nt_live_allocations() == 2 && list.L.TotalAllocates == 2);
    ExFreeToLookasideListEx(&list, a);
    ExFreeToLookasideListEx(&list, b);
    ExFlushLookasideListEx(&list);
    ExDeleteLookasideListEx(&list);
    CHECK(ExInitializeLookasideListEx(&list, allocate_entry, free_entry, PagedPool, 0, 48, 'tseT',
                                      0) == STATUS_SUCCESS);
    ExFreeToLookasideListEx(&list, ExAllocateFromLookasideListEx(&list));
    CHECK(told("af") && nt_live_allocations() == 0);
    ExDeleteLookasideListEx(&list);
    BREAKS("LockNotInitialized", ExAllocateFromLookasideListEx(&list));
    ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPool,
                                EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL, 48, 'tseT', 0);
    BREAKS("PoolRaise", nt_fail_allocation(1); ExAllocateFromLookasideListEx(&list));
    ExInitializeLookasideListEx(&list, NULL, NULL, PagedPool, 0, 48, 'tseT', 0);
    BREAKS("IrqlExAllocatePool", nt_set_irql(DISPATCH_LEVEL); ExAllocateFromLookasideListEx(&list));
}

static void interlocked_operations_have_all_widths(void) {
    SHORT narrow = 1;
    LONG value = 1;
    LONG64 wide = 1;
    ULONG sum = 5;
    LARGE_INTEGER large = {.QuadPart = 1}, more = {.QuadPart = (LONG64)1 << 40};
    KSPIN_LOCK lock = 0;
    PVOID pointer = NULL;
    CHECK(InterlockedIncrement16(&narrow) == 2 && InterlockedExchangeAdd16(&narrow, 5) == 2);
    CHECK(InterlockedCompareExchange16(&narrow, 9, 7) == 7 && narrow == 9);
    CHECK(!InterlockedBitTestAndSet64(&wide, 40) && InterlockedBitTestAndReset64(&wide, 40));
    CHECK(wide == 1 && InterlockedAdd(&value, 4) == 5 && InterlockedIncrementNoFence(&value) == 6);
    CHECK(_InterlockedCompareExchange(&value, 1, 6) == 6 && RtlInterlockedSetBits(&value, 6) == 1);
    CHECK(RtlInterlockedClearBits(&value, 4) == 7 && value == 3);
    CHECK(ExInterlockedAddUlong(&sum, 7, &lock) == 5 && sum == 12);
    CHECK(ExInterlockedAddLargeInteger(&large, more, &lock).QuadPart == 1);
    CHECK(large.QuadPart == more.QuadPart + 1);
    CHECK(ExInterlockedCompareExchange64(&wide, &more.QuadPart, &wide, &lock) == 1);
    CHECK(wide == more.QuadPart);
    CHECK(InterlockedExchangePointerAcquire(&pointer, &wide) == NULL && pointer == &wide);
    SLIST_HEADER head;
    DECLSPEC_ALIGN(16) char entries[48];
    ExInitializeSListHead(&head);
    BREAKS("SListAlignment", InterlockedPushEntrySList(&head, (PSLIST_ENTRY)(entries + 8)));
}

/* ---- objects ---- */

static NTSTATUS refusal; /* of the procedures below */

static NTSTATUS NTAPI opened(OB_OPEN_REASON Reason, PEPROCESS Process, PVOID Object,
                             ACCESS_MASK Access, ULONG HandleCount) {
    CHECK(Process == PsGetCurrentProcess() && Object != NULL && HandleCount != 0);
    tell(Reason == ObCreateHandle ? 'c' : 'o');
    CHECK((Access & GENERIC_ALL) == 0);
    return refusal;
}
static BOOLEAN NTAPI may_close(PEPROCESS Process, PVOID Object, HANDLE Handle,
                               KPROCESSOR_MODE Mode) {
    CHECK(Process != NULL && Object != NULL && Handle != NULL && Mode == KernelMode);
    return NT_SUCCESS(refusal);
}
static PVOID behind;
static NTSTATUS NTAPI parsed(PVOID Object, PVOID Type, PACCESS_STATE State, KPROCESSOR_MODE Mode,
                             ULONG Attributes, PUNICODE_STRING CompleteName, PUNICODE_STRING Rest,
                             PVOID Context, PVOID Security, PVOID *Result) {
    UNICODE_STRING rest = text(L"\\rest\\of it");
    (void)State, (void)Mode, (void)Attributes, (void)Security;
    CHECK(Type == ObGetObjectType(Object) && CompleteName->Length > Rest->Length);
    if (Rest->Length == 0) {
        ObReferenceObject(Object);
        *Result = Object;
        return STATUS_SUCCESS;
    }
    if (!RtlEqualUnicodeString(Rest, &rest, FALSE)) return STATUS_OBJECT_NAME_NOT_FOUND;
    CHECK(Context == &behind);
    ObReferenceObject(behind);
    *Result = behind;
    return STATUS_SUCCESS;
}
static NTSTATUS NTAPI secured(PVOID Object, SECURITY_OPERATION_CODE Operation,
                              PSECURITY_INFORMATION Information, PSECURITY_DESCRIPTOR Descriptor,
                              PULONG Length, PSECURITY_DESCRIPTOR *Objects, POOL_TYPE PoolType,
                              PGENERIC_MAPPING Mapping) {
    (void)Information, (void)Length, (void)Objects, (void)PoolType;
    CHECK(Object != NULL && Operation == AssignSecurityDescriptor && Mapping->GenericAll != 0);
    tell(Descriptor == SePublicDefaultSd ? 'S' : 's');
    return refusal;
}
static NTSTATUS NTAPI named_so(PVOID Object, BOOLEAN HasName, POBJECT_NAME_INFORMATION Information,
                               ULONG Length, PULONG Returned, KPROCESSOR_MODE Mode) {
    CHECK(Object != NULL && Mode == KernelMode && Length >= sizeof(*Information));
    Information->Name = text(HasName ? L"named" : L"unnamed");
    *Returned = sizeof(*Information);
    return STATUS_SUCCESS;
}

static void types_do_what_their_procedures_say(void) {
    OBJECT_TYPE_INITIALIZER info = {.Length = sizeof(info),
                                    .ValidAccessMask = 0x1F0003,
                                    .GenericMapping = {1, 2, 0x20000, 0x1F0003},
                                    .PoolType = NonPagedPool,
                                    .OpenProcedure = opened,
                                    .OkayToCloseProcedure = may_close,
                                    .ParseProcedure = parsed,
                                    .SecurityProcedure = secured,
                                    .QueryNameProcedure = named_so};
    POBJECT_TYPE type;
    UNICODE_STRING name = text(L"Talkative"), path = text(L"\\Talk");
    OBJECT_ATTRIBUTES attributes = named(&path, OBJ_PERMANENT, NULL);
    OBJECT_HANDLE_INFORMATION granted;
    OBJECT_NAME_INFORMATION information;
    PVOID object, same;
    HANDLE handle, second, third;
    refusal = STATUS_SUCCESS;
    attributes.SecurityDescriptor = SePublicDefaultSd;
    CHECK(ObCreateObjectType(&name, &info, NULL, &type) == STATUS_SUCCESS);
    CHECK(ObCreateObject(KernelMode, type, &attributes, KernelMode, NULL, 8, 0, 0, &object) == 0);
    CHECK(ObInsertObject(object, NULL, GENERIC_READ, 0, NULL, &handle) == STATUS_SUCCESS);
    CHECK(told("Sc"));
    CHECK(ObReferenceObjectByHandle(handle, 0, type, KernelMode, &same, &granted) == 0);
    CHECK(same == object && granted.GrantedAccess == 1);
    CHECK(ObQueryNameString(object, &information, sizeof(information), NULL) == STATUS_SUCCESS);
    CHECK(information.Name.Length == 10);
    /* Opened by name: what lies behind it, and the access that is granted. */
    CHECK(ObCreateObject(KernelMode, *PsProcessType, NULL, KernelMode, NULL, 8, 0, 0, &behind) ==
          0);
    name = text(L"\\Talk\\rest\\of it");
    attributes = named(&name, 0, NULL);
    CHECK(ObReferenceObjectByName(&name, 0, NULL, 0, *PsProcessType, KernelMode, &behind, &same) ==
          STATUS_SUCCESS);
    CHECK(same == behind);
    CHECK(ObReferenceObjectByName(&name, 0, NULL, 0, type, KernelMode, &behind, &same) ==
          STATUS_OBJECT_TYPE_MISMATCH);
    name = text(L"\\Talk\\other");
    CHECK(ObOpenObjectByName(&attributes, NULL, KernelMode, NULL, 0, &behind, &second) ==
          STATUS_OBJECT_NAME_NOT_FOUND);
    attributes = named(&path, 0, NULL);
    CHECK(ObOpenObjectByName(&attributes, type, KernelMode, NULL, MAXIMUM_ALLOWED | 0x100, NULL,
                             &second) == STATUS_SUCCESS);
    CHECK(told("o"));
    CHECK(ObReferenceObjectByHandle(second, 0, type, KernelMode, &same, &granted) == 0);
    CHECK(granted.GrantedAccess == 0x1F0003);
    CHECK(ObReferenceObjectByHandle(second, 0x1F0003, type, UserMode, &same, NULL) == 0);
    CHECK(ObReferenceObjectByHandle(handle, 2, type, UserMode, &same, NULL) ==
          STATUS_ACCESS_DENIED);
    /* A user's attributes there are none, and a kernel's handle is none of a user. */
    CHECK(ObOpenObjectByName(&attributes, type, UserMode, NULL, 0, NULL, &third) ==
          STATUS_ACCESS_VIOLATION);
    CHECK(ObCreateObject(UserMode, type, &attributes, KernelMode, NULL, 8, 0, 0, &same) ==
          STATUS_ACCESS_VIOLATION);
    CHECK(ObOpenObjectByPointer(object, OBJ_KERNEL_HANDLE, NULL, 2, type, KernelMode, &third) == 0);
    CHECK(told("o"));
    CHECK(ObReferenceObjectByHandle(third, 2, type, UserMode, &same, NULL) ==
          STATUS_INVALID_HANDLE);
    CHECK(ObReferenceObjectByHandle(third, 2, type, KernelMode, &same, NULL) == 0);
    /* Refusals. */
    refusal = STATUS_ACCESS_DENIED;
    CHECK(NtClose(second) == STATUS_HANDLE_NOT_CLOSABLE);
    CHECK(ObOpenObjectByPointer(object, 0, NULL, 0, type, KernelMode, &same) ==
          STATUS_ACCESS_DENIED);
    path = text(L"\\Refused");
    CHECK(ObCreateObject(KernelMode, type, &attributes, KernelMode, NULL, 8, 0, 0, &object) == 0);
    CHECK(ObInsertObject(object, NULL, 0, 0, NULL, &second) == STATUS_ACCESS_DENIED);
    CHECK(nt_memory_at(object) == NT_MEMORY_FREED && told("os"));
    refusal = STATUS_SUCCESS;
    CHECK(ObOpenObjectByName(&attributes, type, KernelMode, NULL, 0, NULL, &second) ==
          STATUS_OBJECT_NAME_NOT_FOUND);
    story[0] = 0;
    nt_rewind();
}

static VOID NTAPI deletes_paged(PVOID Object) {
    PAGED_CODE();
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL && !ObReferenceObjectSafe(Object));
    tell('x');
    ExAcquireFastMutex(&shared.mutex); /* perhaps the caller has it */
    ExReleaseFastMutex(&shared.mutex);
    tell('d');
}

static void objects_are_deleted_at_passive_level(void) {
    OBJECT_TYPE_INITIALIZER info = {
        .Length = sizeof(info), .PoolType = PagedPool, .DeleteProcedure = deletes_paged};
    UNICODE_STRING name = text(L"Paged");
    POBJECT_TYPE type;
    PVOID object;
    KIRQL irql;
    CHECK(ObCreateObjectType(&name, &info, NULL, &type) == STATUS_SUCCESS);
#define MAKE ObCreateObject(KernelMode, type, NULL, KernelMode, NULL, 8, 0, 0, &object)
    prepare();
    CHECK(MAKE == STATUS_SUCCESS);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    CHECK(ObDereferenceObject(object) == 0 && told("xd"));
    CHECK(nt_memory_at(object) == NT_MEMORY_FREED && KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeLowerIrql(irql);
    CHECK(MAKE == STATUS_SUCCESS);
    ObDereferenceObject(object);
    CHECK(told("xd") && MAKE == STATUS_SUCCESS);
    ExAcquireFastMutex(&shared.mutex);
    ObDereferenceObjectDeferDelete(object);
    CHECK(told("x") && nt_memory_at(object) == NT_MEMORY_LIVE);
    BREAKS("ObjectUseAfterDelete", ObReferenceObject(object));
}

static void security_descriptors_are_accepted(void) {
    SECURITY_DESCRIPTOR descriptor;
    DECLSPEC_ALIGN(8) char space[64];
    UNICODE_STRING path = text(L"\\Secured");
    OBJECT_ATTRIBUTES attributes = named(&path, 0, NULL);
    HANDLE handle;
    CHECK(RtlCreateSecurityDescriptor(&descriptor, 2) == STATUS_UNKNOWN_REVISION);
    CHECK(RtlCreateSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) == 0);
    CHECK(RtlLengthSecurityDescriptor(&descriptor) == sizeof(descriptor));
    CHECK(RtlCreateAcl((PACL)space, 4, ACL_REVISION) == STATUS_BUFFER_TOO_SMALL);
    CHECK(RtlCreateAcl((PACL)space, sizeof(space), ACL_REVISION) == STATUS_SUCCESS);
    CHECK(RtlSetDaclSecurityDescriptor(&descriptor, TRUE, (PACL)space, FALSE) == STATUS_SUCCESS);
    CHECK(RtlLengthSecurityDescriptor(&descriptor) == sizeof(descriptor) + sizeof(space));
    CHECK(RtlValidSecurityDescriptor(&descriptor) && RtlValidSecurityDescriptor(SePublicDefaultSd));
    attributes.SecurityDescriptor = &descriptor;
    CHECK(NtCreateDirectoryObject(&handle, DIRECTORY_ALL_ACCESS, &attributes) == STATUS_SUCCESS);
    NtClose(handle);
    descriptor.Revision = 0;
    CHECK(NtCreateDirectoryObject(&handle, 0, &attributes) == STATUS_UNKNOWN_REVISION);
    CHECK(!RtlValidSecurityDescriptor(&descriptor));
    nt_rewind();
}

static void current_thread_and_process_are_objects(void) {
    PVOID thread, process;
    CHECK(ObReferenceObjectByHandle(NtCurrentThread(), 0, *PsThreadType, KernelMode, &thread,
                                    NULL) == STATUS_SUCCESS);
    CHECK(thread == PsGetCurrentThread() && thread == KeGetCurrentThread());
    ObDereferenceObject(thread);
    CHECK(ObReferenceObjectByHandle(NtCurrentProcess(), 0, NULL, KernelMode, &process, NULL) == 0);
    CHECK(process == PsGetCurrentProcess());
    CHECK(ObReferenceObjectByHandle(NtCurrentProcess(), 0, *PsThreadType, KernelMode, &process,
                                    NULL) == STATUS_OBJECT_TYPE_MISMATCH);
    ObReferenceObject(PsGetCurrentThread());
    ObDereferenceObject(PsGetCurrentThread());
    CHECK(KeSetSystemAffinityThreadEx(2) == 0 && KeGetCurrentProcessorNumber() == 1);
    CHECK(KeSetSystemAffinityThreadEx(1) == 2);
    KeRevertToUserAffinityThreadEx(0);
    CHECK(KeGetCurrentProcessorNumber() == 0 && KeQueryGroupAffinity(0) == 3);
    CHECK(KeQueryActiveGroupCount() == 1 && KeQueryGroupAffinity(1) == 0);
    nt_rewind();
}

/* ---- strings and words ---- */

static void more_strings_work(void) {
    WCHAR buffer[16], lower[8];
    UNICODE_STRING string = {0, sizeof(buffer), buffer}, from = text(L"\u00C4Bc\u0178"), to, odd;
    ANSI_STRING bytes;
    ULONG value;
    to = (UNICODE_STRING){0, sizeof(lower), lower};
    CHECK(RtlDowncaseUnicodeString(&to, &from, FALSE) == STATUS_SUCCESS);
    CHECK(to.Length == 8 && wcsncmp(lower, L"\u00E4bc\u00FF", 4) == 0);
    for (ULONG unit = 0; unit < 0x10000; unit++) {
        WCHAR low = RtlDowncaseUnicodeChar((WCHAR)unit);
        CHECK(low == unit || RtlUpcaseUnicodeChar(low) == unit);
    }
    CHECK(RtlCompareUnicodeStrings(L"ab", 2, L"AC", 2, TRUE) < 0);
    CHECK(RtlIntegerToUnicodeString(48879, 16, &string) == STATUS_SUCCESS);
    CHECK(wcscmp(buffer, L"BEEF") == 0);
    CHECK(RtlUnicodeStringToInteger(&string, 16, &value) == STATUS_SUCCESS && value == 48879);
    from = text(L"  -0x10 ");
    CHECK(RtlUnicodeStringToInteger(&from, 0, &value) == STATUS_SUCCESS && value == 0u - 16);
    CHECK(RtlUnicodeStringToInteger(&from, 7, &value) == STATUS_INVALID_PARAMETER);
    CHECK(RtlIntegerToUnicodeString(1, 0, &(UNICODE_STRING){0, 0, buffer}) ==
          STATUS_BUFFER_OVERFLOW);
    CHECK(RtlCreateUnicodeString(&to, L"made") && to.Length == 8 && nt_live_allocations() == 1);
    RtlFreeUnicodeString(&to);
    odd = (UNICODE_STRING){3, 4, buffer};
    CHECK(RtlValidateUnicodeString(0, &odd) == STATUS_INVALID_PARAMETER);
    RtlInitAnsiString(&bytes, "Byte");
    CHECK(RtlAnsiStringToUnicodeString(&to, &bytes, TRUE) == STATUS_SUCCESS);
    CHECK(_wcsicmp(to.Buffer, L"bYTE") == 0 && wcslen(to.Buffer) == 4);
    CHECK(RtlUnicodeStringToAnsiString(&bytes, &to, TRUE) == STATUS_SUCCESS);
    CHECK(strcmp(bytes.Buffer, "Byte") == 0 && nt_live_allocations() == 2);
    RtlFreeAnsiString(&bytes);
    RtlFreeUnicodeString(&to);
    CHECK(nt_live_allocations() == 0);
    wcscpy(buffer, L"one");
    wcscat(buffer, L"two");
    wcsncat(buffer, L"three", 2);
    CHECK(wcscmp(buffer, L"onetwoth") == 0 && wcsnlen(buffer, 3) == 3);
    CHECK(wcsstr(buffer, L"two") == buffer + 3 && wcschr(buffer, 't') == buffer + 3);
    CHECK(wcsrchr(buffer, 't') == buffer + 6 && wcschr(buffer, 'x') == NULL);
    wcsncpy(buffer, L"ab", 4);
    CHECK(buffer[2] == 0 && buffer[3] == 0 && buffer[4] == 'w');
    BREAKS("ExceptionRaised", ExRaiseStatus(STATUS_ACCESS_VIOLATION));
}

/* Words of the compiler that such source is written for. */
#pragma clang diagnostic ignored "-Wunknown-pragmas"
#pragma alloc_text(PAGE, words_are_understood)
typedef struct __declspec(align(16)) {
    union {
        struct {
            UCHAR low, high;
        };
        USHORT both;
    };
} WORDS;
static __forceinline ULONG __stdcall add_one(_In_ ULONG value) {
    return value + 1;
}
_IRQL_requires_max_(APC_LEVEL) _Must_inspect_result_ static NTSTATUS NTAPI
    answer(_Out_writes_bytes_to_(size, *size) PVOID out, __inout ULONG *size) {
    UNREFERENCED_PARAMETER(out);
    *size = 'abcd';
    return STATUS_SUCCESS;
}

static void words_are_understood(void) {
    WORDS words = {.both = 0x1234};
    ULONG tag = 0;
    unsigned __int64 wide = 1ui64 << 40;
    PAGED_CODE();
    CHECK(words.low == 0x34 && words.high == 0x12 && sizeof(words) == 16);
    CHECK(add_one(1) == 2 && NT_SUCCESS(answer(NULL, &tag)) && tag == 0x61626364);
    CHECK(wide == (ULONG64)1 << 40 && sizeof(L"x") == 4 && _countof(L"ab") == 3);
    C_ASSERT(RTL_SIZEOF_THROUGH_FIELD(WORDS, both) == 2);
}

int main(void) {
    static const Test tests[] = {
        TEST(threads_take_turns),
        TEST(locks_make_others_wait),
        TEST(spinning_lets_others_run),
        TEST(deferred_calls_run_below_dispatch),
        TEST(timers_are_due_in_order),
        TEST(calls_may_wait_for_spin_locks),
        TEST(work_items_run_in_order),
        TEST(breaks_threads),
        TEST(threads_are_many),
        TEST(spin_locks_for_readers_work),
        TEST(rundown_over_processors_works),
        TEST(fast_references_count),
        TEST(newer_lookaside_lists_work),
        TEST(interlocked_operations_have_all_widths),
        TEST(types_do_what_their_procedures_say),
        TEST(objects_are_deleted_at_passive_level),
        TEST(security_descriptors_are_accepted),
        TEST(current_thread_and_process_are_objects),
        TEST(more_strings_work),
        TEST(words_are_understood),
        TEST(threads_survive_the_checkpoint), /* the last one: it makes another */
    };
    nt_set_stop_handler(on_stop);
    CHECK(nt_boot());
    return run_tests(tests, RTL_NUMBER_OF(tests));
}
