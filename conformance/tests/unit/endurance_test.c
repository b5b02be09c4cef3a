/* Threads, locks, waits, timers and deferred calls of the kernel environment in random mixtures:
 * nobody enters where somebody is, whatever is taken is given back, and rewinding forgets the rest.
 * `endurance_test ROUNDS` takes longer. */
#include "environment.h"

static ULONG64 seed;
static ULONG pick(ULONG count) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (ULONG)(seed >> 33) % count;
}

/* Who is inside: one writer or some readers. */
typedef struct {
    int writers, readers;
} Inside;

static struct {
    FAST_MUTEX fast;
    KSPIN_LOCK spin;
    EX_SPIN_LOCK readers;
    EX_PUSH_LOCK push;
    ERESOURCE resource;
    KMUTEX mutex;
    KSEMAPHORE semaphore;
    KEVENT manual, automatic;
    KTIMER timer;
    KDPC dpc;
    WORK_QUEUE_ITEM items[8];
    Inside in_fast, in_spin, in_readers, in_push, in_resource, in_mutex;
} all;
static ULONG64 calls, works;

static LARGE_INTEGER soon(void) {
    return (LARGE_INTEGER){.QuadPart = -(LONGLONG)(1 + pick(1000))};
}

/* Something that gives others a chance, or does not. */
static void dawdle(void) {
    LARGE_INTEGER time = soon();
    LONG counter = 0;
    switch (pick(5)) {
    case 0:
    case 1: KeYieldProcessor(); break;
    case 2:
        if (KeGetCurrentIrql() < DISPATCH_LEVEL) KeDelayExecutionThread(KernelMode, FALSE, &time);
        break;
    case 3:
        for (int i = 0; i < 100; i++)
            InterlockedIncrement(&counter);
        break;
    default: break;
    }
}

static void be_inside(Inside *inside, bool exclusive) {
    CHECK(inside->writers == 0 && (!exclusive || inside->readers == 0));
    *(exclusive ? &inside->writers : &inside->readers) += 1;
    dawdle();
    *(exclusive ? &inside->writers : &inside->readers) -= 1;
    CHECK(inside->writers == 0);
}

static void lock_something(bool exclusive) {
    LARGE_INTEGER time = soon();
    KIRQL irql;
    switch (pick(6)) {
    case 0:
        ExAcquireFastMutex(&all.fast);
        be_inside(&all.in_fast, true);
        ExReleaseFastMutex(&all.fast);
        break;
    case 1:
        KeAcquireSpinLock(&all.spin, &irql);
        be_inside(&all.in_spin, true);
        KeReleaseSpinLock(&all.spin, irql);
        break;
    case 2:
        irql = exclusive ? ExAcquireSpinLockExclusive(&all.readers)
                         : ExAcquireSpinLockShared(&all.readers);
        be_inside(&all.in_readers, exclusive);
        if (exclusive) ExReleaseSpinLockExclusive(&all.readers, irql);
        else ExReleaseSpinLockShared(&all.readers, irql);
        break;
    case 3:
        if (exclusive) ExAcquirePushLockExclusive(&all.push);
        else ExAcquirePushLockShared(&all.push);
        be_inside(&all.in_push, exclusive);
        ExReleasePushLock(&all.push);
        break;
    case 4:
        if (exclusive) ExAcquireResourceExclusiveLite(&all.resource, TRUE);
        else ExAcquireResourceSharedLite(&all.resource, TRUE);
        be_inside(&all.in_resource, exclusive);
        ExReleaseResourceLite(&all.resource);
        break;
    default:
        if (WAIT(&all.mutex, exclusive ? NULL : &time) != STATUS_SUCCESS) break;
        be_inside(&all.in_mutex, true);
        KeReleaseMutex(&all.mutex, FALSE);
    }
}

static void signal_something(void) {
    LARGE_INTEGER time = soon();
    switch (pick(6)) {
    case 0: KeReleaseSemaphore(&all.semaphore, 0, 1 + (LONG)pick(3), FALSE); break;
    case 1: KeSetEvent(&all.automatic, 0, FALSE); break;
    case 2: KePulseEvent(&all.manual, 0, FALSE); break;
    case 3: KeSetTimerEx(&all.timer, time, (LONG)pick(2), &all.dpc); break;
    case 4: KeCancelTimer(&all.timer); break;
    default: KeInsertQueueDpc(&all.dpc, NULL, NULL);
    }
}

static void wait_for_something(void) {
    PVOID objects[] = {&all.automatic, &all.semaphore, &all.manual};
    LARGE_INTEGER time = soon();
    ULONG count = 1 + pick(3);
    NTSTATUS status = KeWaitForMultipleObjects(count, objects, pick(2) ? WaitAny : WaitAll,
                                               Executive, KernelMode, FALSE, &time, NULL);
    CHECK(status == STATUS_TIMEOUT || (ULONG)status < count);
}

static void act(int depth) {
    char mine[64]; /* on the stack of whoever acts, while others do */
    memset(mine, depth, sizeof(mine));
    switch (pick(4)) {
    case 0:
    case 1: lock_something(pick(2)); break;
    case 2: signal_something(); break;
    default: wait_for_something();
    }
    if (depth < 3 && pick(4) == 0) act(depth + 1);
    for (size_t i = 0; i < sizeof(mine); i++)
        CHECK(mine[i] == depth);
}

static VOID called(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
    (void)Dpc, (void)Context, (void)Argument1, (void)Argument2;
    CHECK(KeGetCurrentIrql() == DISPATCH_LEVEL);
    calls++;
    KeAcquireSpinLockAtDpcLevel(&all.spin);
    CHECK(all.in_spin.writers == 0);
    KeReleaseSpinLockFromDpcLevel(&all.spin);
    KeReleaseSemaphore(&all.semaphore, 0, 1, FALSE);
}

static VOID work(PVOID Parameter) {
    (void)Parameter;
    works++;
    act(1);
}

static VOID live(PVOID StartContext) {
    for (ULONG_PTR i = 0; i < (ULONG_PTR)StartContext; i++)
        act(0);
}

static void prepare(void) {
    memset(&all, 0, sizeof(all));
    ExInitializeFastMutex(&all.fast);
    ExInitializeResourceLite(&all.resource);
    KeInitializeMutex(&all.mutex, 0);
    KeInitializeSemaphore(&all.semaphore, 0, MAXLONG);
    KeInitializeEvent(&all.manual, NotificationEvent, FALSE);
    KeInitializeEvent(&all.automatic, SynchronizationEvent, FALSE);
    KeInitializeTimer(&all.timer);
    KeInitializeDpc(&all.dpc, called, NULL);
    for (size_t i = 0; i < RTL_NUMBER_OF(all.items); i++)
        ExInitializeWorkItem(&all.items[i], work, NULL);
}

static PVOID start_thread(void) {
    HANDLE handle;
    PVOID thread;
    CHECK(PsCreateSystemThread(&handle, 0, NULL, NULL, NULL, live,
                               (PVOID)(ULONG_PTR)(5 + pick(60))) == STATUS_SUCCESS);
    CHECK(ObReferenceObjectByHandle(handle, 0, *PsThreadType, KernelMode, &thread, NULL) == 0);
    ZwClose(handle);
    if (pick(3) == 0) KeSetPriorityThread(thread, (KPRIORITY)(4 + pick(10)));
    return thread;
}

static void run_round(void) {
    PVOID threads[6];
    ULONG count = 1 + pick(RTL_NUMBER_OF(threads));
    prepare();
    for (ULONG i = 0; i < count; i++)
        threads[i] = start_thread();
    for (int i = 0; i < 30; i++) {
        PWORK_QUEUE_ITEM item = &all.items[pick(RTL_NUMBER_OF(all.items))];
        act(0);
        if (item->List.Flink == NULL) ExQueueWorkItem(item, DelayedWorkQueue);
    }
    if (pick(3) == 0) return; /* the rest is forgotten where it stands */
    for (ULONG i = 0; i < count; i++)
        CHECK(WAIT(threads[i], NULL) == STATUS_SUCCESS);
    KeCancelTimer(&all.timer);
    nt_settle(true);
    NtThreadState state = nt_thread_state();
    CHECK(state.irql == PASSIVE_LEVEL && state.spin_locks == 0 && state.mutexes == 0);
    CHECK(state.critical == 0 && all.resource.ActiveCount == 0 && all.push == 0);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 5000;
    nt_set_stop_handler(on_stop);
    CHECK(nt_boot());
    if (setjmp(stopped) != 0) {
        fprintf(stderr, "%s: %s\n", last.rule, last.text);
        return 1;
    }
    for (volatile int round = 0; round < rounds; round++) {
        seed = (ULONG64)round * 7919 + 1;
        run_round();
        nt_rewind();
    }
    printf("ok %d rounds, %llu deferred calls, %llu work items\n", rounds, calls, works);
    return calls == 0 || works == 0;
}
