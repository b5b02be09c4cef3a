/* Checks the kernel environment: each rule broken once on purpose, each documented
 * behaviour of objects, pool, waits and rewinding looked at one by one.
 * With --bench it measures instead. */
#include "environment.h"

#include <sanitizer/asan_interface.h>
#include <time.h>

static POBJECT_TYPE widget, gadget;
static int deleted;

/* Creates and inserts; the caller gets a reference, and a handle unless NULL. */
static NTSTATUS make(PCWSTR path, ULONG flags, HANDLE root, PVOID *object, HANDLE *handle) {
    UNICODE_STRING name = text(path);
    OBJECT_ATTRIBUTES attributes = named(&name, flags, root);
    NTSTATUS status = ObCreateObject(KernelMode, widget, path == NULL ? NULL : &attributes,
                                     KernelMode, NULL, 48, 0, 0, object);
    if (!NT_SUCCESS(status)) return status;
    return ObInsertObject(*object, NULL, DELETE, handle == NULL ? 0 : 1, object, handle);
}

static NTSTATUS find(PCWSTR path, ULONG flags, HANDLE root, POBJECT_TYPE type, HANDLE *handle) {
    UNICODE_STRING name = text(path);
    OBJECT_ATTRIBUTES attributes = named(&name, flags, root);
    return ObOpenObjectByName(&attributes, type, KernelMode, NULL, DELETE, NULL, handle);
}

static NTSTATUS make_directory(PCWSTR path, ULONG flags, HANDLE root, HANDLE *handle) {
    UNICODE_STRING name = text(path);
    OBJECT_ATTRIBUTES attributes = named(&name, flags, root);
    return ZwCreateDirectoryObject(handle, DIRECTORY_ALL_ACCESS, &attributes);
}

static VOID count_deletion(PVOID Object) {
    CHECK(nt_memory_at(Object) == NT_MEMORY_LIVE);
    CHECK(!ObReferenceObjectSafe(Object));
    deleted++;
}

/* ---- rules ---- */

static void breaks_irql(void) {
    KIRQL old;
    PVOID object;
    BREAKS("IrqlKeRaiseLower", KeRaiseIrql(DISPATCH_LEVEL, &old); KeRaiseIrql(APC_LEVEL, &old));
    BREAKS("IrqlKeRaiseLower", KeLowerIrql(DISPATCH_LEVEL));
    BREAKS("IrqlKeApcLte1", nt_set_irql(DISPATCH_LEVEL); KeEnterCriticalRegion());
    BREAKS("IrqlExAllocatePool", nt_set_irql(DISPATCH_LEVEL);
           ExAllocatePoolWithTag(PagedPool, 8, 'tseT'));
    BREAKS("IrqlExAllocatePool", nt_set_irql(DISPATCH_LEVEL + 1);
           ExAllocatePool2(POOL_FLAG_NON_PAGED, 8, 'tseT'));
    BREAKS("IrqlExFreePool", object = ExAllocatePoolWithTag(PagedPool, 8, 'tseT');
           nt_set_irql(DISPATCH_LEVEL); ExFreePool(object));
    BREAKS("IrqlObApcLte", nt_set_irql(DISPATCH_LEVEL); make(NULL, 0, NULL, &object, NULL));
    BREAKS("IrqlObDispatchLte", make(NULL, 0, NULL, &object, NULL); nt_set_irql(CLOCK_LEVEL);
           ObReferenceObject(object));
    BREAKS("IrqlZwApcLte", nt_set_irql(DISPATCH_LEVEL); ZwClose((HANDLE)4));
    BREAKS("PagedCodeAtRaisedIrql", nt_set_irql(DISPATCH_LEVEL); PAGED_CODE());
    CHECK(last.code == 0x0A && strstr(last.text, "breaks_irql") != NULL);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static void breaks_spin_locks(void) {
    KSPIN_LOCK a, b;
    KIRQL irql, second;
    KLOCK_QUEUE_HANDLE queue;
    KeInitializeSpinLock(&a);
    KeInitializeSpinLock(&b);
    BREAKS("SpinLockDoubleAcquire", KeAcquireSpinLock(&a, &irql); KeAcquireSpinLock(&a, &irql));
    KeInitializeSpinLock(&a);
    BREAKS("SpinLockRelease", nt_set_irql(DISPATCH_LEVEL); KeReleaseSpinLockFromDpcLevel(&a));
    BREAKS("SpinLockReleaseIrql", KeAcquireSpinLock(&a, &irql);
           KeReleaseSpinLock(&a, DISPATCH_LEVEL));
    KeInitializeSpinLock(&a);
    BREAKS("IrqlLockHeld", KeAcquireSpinLock(&a, &irql); KeLowerIrql(irql));
    KeInitializeSpinLock(&a);
    BREAKS("IrqlLockHeld", KeAcquireSpinLock(&a, &irql); KeAcquireSpinLock(&b, &second);
           KeReleaseSpinLock(&b, irql));
    KeInitializeSpinLock(&a);
    KeInitializeSpinLock(&b);
    BREAKS("IrqlKeDispatchGte", KeAcquireSpinLockAtDpcLevel(&a));
    BREAKS("IrqlKeDispatchLte", nt_set_irql(CLOCK_LEVEL); KeAcquireSpinLock(&a, &irql));
    a = 0xCDCDCDCDCDCDCDCD;
    BREAKS("SpinLockNotInitialized", KeAcquireSpinLock(&a, &irql));
    KeInitializeSpinLock(&a);
    BREAKS("SpinLockOrder", KeAcquireSpinLock(&a, &irql); KeAcquireSpinLockAtDpcLevel(&b);
           KeReleaseSpinLockFromDpcLevel(&b); KeReleaseSpinLock(&a, irql);
           KeAcquireInStackQueuedSpinLock(&b, &queue); KeAcquireSpinLockAtDpcLevel(&a));
    KeInitializeSpinLock(&a);
    KeInitializeSpinLock(&b);
    /* A lock that is initialized again has no order. */
    KeAcquireSpinLock(&a, &irql);
    KeAcquireSpinLockAtDpcLevel(&b);
    KeReleaseSpinLockFromDpcLevel(&b);
    KeReleaseSpinLock(&a, irql);
    KeInitializeSpinLock(&a);
    KeAcquireSpinLock(&b, &irql);
    KeAcquireSpinLockAtDpcLevel(&a);
    KeReleaseSpinLockFromDpcLevel(&a);
    KeReleaseSpinLock(&b, irql);
    KeInitializeSpinLock(&a);
    /* Hand over hand, and the other ways that are right. */
    KeAcquireSpinLock(&a, &irql);
    CHECK(nt_thread_state().spin_locks == 1 && !KeTestSpinLock(&a));
    KeAcquireSpinLock(&b, &second);
    CHECK(!KeTryToAcquireSpinLockAtDpcLevel(&b));
    KeReleaseSpinLock(&a, second);
    KeReleaseSpinLock(&b, irql);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL && nt_thread_state().spin_locks == 0);
    KeAcquireInStackQueuedSpinLock(&a, &queue);
    CHECK(KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeReleaseInStackQueuedSpinLock(&queue);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    nt_rewind();
}

static void breaks_locks(void) {
    FAST_MUTEX fast;
    KGUARDED_MUTEX guarded;
    EX_PUSH_LOCK push;
    ERESOURCE resource;
    EX_RUNDOWN_REF rundown;
    PFAST_MUTEX pool;
    KSPIN_LOCK spin[64];
    KIRQL irql;
    ExInitializeFastMutex(&fast);
    KeInitializeGuardedMutex(&guarded);
    ExInitializePushLock(&push);
    ExInitializeResourceLite(&resource);
    ExInitializeRundownProtection(&rundown);
    BREAKS("FastMutexRecursive", ExAcquireFastMutex(&fast); ExAcquireFastMutex(&fast));
    CHECK(last.kind == NT_STOP_DEADLOCK && strstr(last.text, "fast mutex") != NULL);
    ExInitializeFastMutex(&fast);
    BREAKS("FastMutexRecursive", KeAcquireGuardedMutex(&guarded); KeAcquireGuardedMutex(&guarded));
    KeInitializeGuardedMutex(&guarded);
    BREAKS("LockReleaseIrql", ExAcquireFastMutex(&fast); KeLowerIrql(PASSIVE_LEVEL);
           ExReleaseFastMutex(&fast));
    ExInitializeFastMutex(&fast);
    BREAKS("LockRelease", nt_set_irql(APC_LEVEL); ExReleaseFastMutex(&fast));
    BREAKS("LockUnsafe", ExAcquireFastMutexUnsafe(&fast));
    BREAKS("IrqlExApcLte1", nt_set_irql(DISPATCH_LEVEL); ExAcquireFastMutex(&fast));
    memset(&fast, 0xCD, sizeof(fast));
    BREAKS("LockNotInitialized", ExAcquireFastMutex(&fast));
    BREAKS("LockHeldInFreedMemory", pool = ExAllocatePoolWithTag(NonPagedPool, 256, 'tseT');
           ExInitializeFastMutex(pool); ExAcquireFastMutex(pool); ExFreePool(pool));
    BREAKS("PushLockRecursive", ExAcquirePushLockShared(&push); ExAcquirePushLockExclusive(&push));
    push = 0;
    BREAKS("LockRelease", ExAcquirePushLockShared(&push); ExReleasePushLockExclusive(&push));
    push = 0;
    BREAKS("ResourceRecursive", ExAcquireResourceSharedLite(&resource, TRUE);
           ExAcquireResourceExclusiveLite(&resource, TRUE));
    BREAKS("RundownUnbalanced", ExReleaseRundownProtection(&rundown));
    BREAKS("RundownDeadlock", ExAcquireRundownProtection(&rundown);
           ExWaitForRundownProtectionRelease(&rundown));
    BREAKS("CriticalRegionUnbalanced", KeLeaveCriticalRegion());
    BREAKS("GuardedRegionUnbalanced", KeLeaveGuardedRegion());
    memset(spin, 0, sizeof(spin));
    BREAKS("TooManyLocks", KeRaiseIrql(DISPATCH_LEVEL, &irql);
           for (int i = 0; i < 64; i++) KeAcquireSpinLockAtDpcLevel(&spin[i]));
}

static void locks_work(void) {
    FAST_MUTEX fast;
    EX_PUSH_LOCK push;
    EX_RUNDOWN_REF rundown;
    ExInitializeFastMutex(&fast);
    ExInitializePushLock(&push);
    ExInitializeRundownProtection(&rundown);
    ExAcquireFastMutex(&fast);
    CHECK(KeGetCurrentIrql() == APC_LEVEL && nt_thread_state().mutexes == 1);
    CHECK(!ExTryToAcquireFastMutex(&fast));
    ExReleaseFastMutex(&fast);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL && nt_thread_state().mutexes == 0);
    ExAcquirePushLockShared(&push);
    ExAcquirePushLockShared(&push);
    CHECK(!ExTryAcquirePushLockExclusive(&push));
    ExReleasePushLock(&push);
    ExReleasePushLockShared(&push);
    CHECK(ExTryAcquirePushLockExclusive(&push) && !ExTryAcquirePushLockShared(&push));
    ExReleasePushLock(&push);
    CHECK(ExAcquireRundownProtection(&rundown));
    ExReleaseRundownProtection(&rundown);
    ExWaitForRundownProtectionRelease(&rundown);
    CHECK(!ExAcquireRundownProtection(&rundown));
    ExReInitializeRundownProtection(&rundown);
    CHECK(ExAcquireRundownProtectionEx(&rundown, 3));
    ExReleaseRundownProtectionEx(&rundown, 3);
    KeEnterCriticalRegion();
    CHECK(nt_thread_state().critical == 1 && KeAreApcsDisabled() && !KeAreAllApcsDisabled());
    KeLeaveCriticalRegion();
    CHECK(nt_thread_state().critical == 0);
    nt_rewind();
}

static void breaks_waits(void) {
    KEVENT event;
    KMUTEX mutex;
    KSEMAPHORE semaphore;
    LARGE_INTEGER later = {.QuadPart = -10000};
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeInitializeMutex(&mutex, 0);
    KeInitializeSemaphore(&semaphore, 0, 1);
    BREAKS("WaitDeadlock", WAIT(&event, NULL));
    CHECK(strstr(last.text, "notification event") != NULL);
    BREAKS("WaitAtDispatch", nt_set_irql(DISPATCH_LEVEL); WAIT(&event, NULL));
    BREAKS("WaitAtDispatch", nt_set_irql(DISPATCH_LEVEL); WAIT(&event, &later));
    BREAKS("MutexNotOwned", KeReleaseMutex(&mutex, FALSE));
    BREAKS("SemaphoreLimit", KeReleaseSemaphore(&semaphore, 0, 2, FALSE));
    memset(&event, 0xCD, sizeof(event));
    BREAKS("DispatcherNotInitialized", KeSetEvent(&event, 0, FALSE));
}

static void waits_work(void) {
    KEVENT manual, automatic;
    KMUTEX mutex;
    LARGE_INTEGER zero = {.QuadPart = 0}, later = {.QuadPart = -10000}, before, after;
    KeInitializeEvent(&manual, NotificationEvent, TRUE);
    KeInitializeEvent(&automatic, SynchronizationEvent, FALSE);
    KeInitializeMutex(&mutex, 0);
    CHECK(WAIT(&manual, NULL) == STATUS_SUCCESS && WAIT(&manual, NULL) == STATUS_SUCCESS);
    CHECK(KeSetEvent(&automatic, 0, FALSE) == 0);
    CHECK(WAIT(&automatic, NULL) == STATUS_SUCCESS);
    CHECK(WAIT(&automatic, &zero) == STATUS_TIMEOUT);
    KeQuerySystemTime(&before);
    CHECK(WAIT(&automatic, &later) == STATUS_TIMEOUT);
    KeQuerySystemTime(&after);
    CHECK(after.QuadPart - before.QuadPart >= 10000);
    nt_set_irql(DISPATCH_LEVEL);
    CHECK(WAIT(&automatic, &zero) == STATUS_TIMEOUT);
    nt_set_irql(PASSIVE_LEVEL);
    CHECK(KeResetEvent(&manual) == 1 && KeReadStateEvent(&manual) == 0);
    CHECK(WAIT(&mutex, NULL) == STATUS_SUCCESS && WAIT(&mutex, NULL) == STATUS_SUCCESS);
    CHECK(nt_thread_state().mutexes == 1);
    KeReleaseMutex(&mutex, FALSE);
    KeReleaseMutex(&mutex, FALSE);
    CHECK(nt_thread_state().mutexes == 0 && nt_thread_state().critical == 0);
    KeSetEvent(&automatic, 0, FALSE);
    PVOID both[] = {&manual, &automatic};
    CHECK(KeWaitForMultipleObjects(2, both, WaitAny, Executive, KernelMode, FALSE, NULL, NULL) ==
          STATUS_WAIT_1);
    CHECK(KeWaitForMultipleObjects(2, both, WaitAll, Executive, KernelMode, FALSE, &zero, NULL) ==
          STATUS_TIMEOUT);
    nt_rewind();
}

/* Writes that the sanitizer does not see, as a device or foreign code would. */
__attribute__((no_sanitize("address"))) static void scribble(volatile char *at) {
    *at = 1;
}

static void breaks_pool(void) {
    char *p, local[16];
    BREAKS("PoolDoubleFree", p = ExAllocatePoolWithTag(NonPagedPool, 20, 'tseT'); ExFreePool(p);
           ExFreePool(p));
    BREAKS("PoolBadFree", p = ExAllocatePoolWithTag(NonPagedPool, 64, 'tseT'); ExFreePool(p + 16));
    BREAKS("PoolBadFree", ExFreePool(local));
    BREAKS("PoolBadFree", ExFreePool(NULL));
    BREAKS("PoolBadTag", p = ExAllocatePoolWithTag(NonPagedPool, 20, 'tseT');
           ExFreePoolWithTag(p, 'rhtO'));
    BREAKS("PoolBadTag", ExAllocatePoolWithTag(NonPagedPool, 20, 0));
    BREAKS("PoolZeroSize", ExAllocatePoolWithTag(NonPagedPool, 0, 'tseT'));
    BREAKS("PoolCorruption", p = ExAllocatePoolWithTag(NonPagedPool, 20, 'tseT'); scribble(p + 20);
           ExFreePool(p));
    BREAKS("PoolRaise", nt_fail_allocation(1);
           ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, 8, 'tseT'));
}

static void breaks_objects(void) {
    PVOID object;
    HANDLE handle;
    BREAKS("ObjectOverDereference", make(NULL, 0, NULL, &object, NULL); ObDereferenceObject(object);
           ObDereferenceObject(object));
    CHECK(last.code == 0x18);
    BREAKS("ObjectOverDereference", make(L"\\P", OBJ_PERMANENT, NULL, &object, NULL);
           ObDereferenceObject(object); ObDereferenceObject(object));
    BREAKS("ObjectUseAfterDelete", make(NULL, 0, NULL, &object, NULL); ObDereferenceObject(object);
           ObReferenceObject(object));
    BREAKS("ObjectBadPointer", ObReferenceObject(&object));
    BREAKS("ObjectBadPointer", ObDereferenceObject(NULL));
    BREAKS("ObjectBadPointer", ObReferenceObject(ExAllocatePoolWithTag(PagedPool, 8, 'tseT')));
    BREAKS("PoolBadFree", make(NULL, 0, NULL, &object, NULL); ExFreePool(object));
    BREAKS("HandleBad", make(NULL, 0, NULL, &object, &handle); ZwClose(handle); ZwClose(handle));
    BREAKS("HandleBad", ZwClose(NULL));
    deleted = 0;
}

static void breaks_rest(void) {
    LIST_ENTRY head, entry;
    InitializeListHead(&head);
    BREAKS("ListEntryCorrupt", InsertHeadList(&head, &entry); entry.Blink = &entry;
           RemoveEntryList(&entry));
    CHECK(last.code == 0x139 && last.parameters[0] == 3);
    BREAKS("AssertionFailed", ASSERT(head.Flink == NULL));
    BREAKS("Breakpoint", DbgBreakPoint());
    BREAKS("KeBugCheck", KeBugCheckEx(0x1234, 1, 2, 3, 4));
    CHECK(last.code == 0x1234 && last.parameters[3] == 4);
    BREAKS("KeBugCheck", KeBugCheck(0xE3));
}

/* ---- pool ---- */

static void whole_pages_begin_at_a_page(void) {
    char *small = ExAllocatePoolWithTag(NonPagedPool, 24, 'tseT');
    for (int i = 0; i < 3; i++) {
        char *large = ExAllocatePoolWithTag(PagedPool, PAGE_SIZE + (SIZE_T)i * 100, 'tseT');
        CHECK((ULONG_PTR)large % PAGE_SIZE == 0 &&
              nt_memory_at(large + PAGE_SIZE - 1) == NT_MEMORY_LIVE);
        memset(large, 1, PAGE_SIZE + (SIZE_T)i * 100);
        ExFreePoolWithTag(large, 'tseT');
        CHECK(nt_memory_at(large) == NT_MEMORY_FREED);
    }
    CHECK(nt_memory_at(small) == NT_MEMORY_LIVE && nt_live_allocations() == 1);
    nt_rewind();
}

static void pool_never_reuses(void) {
    char *before = NULL;
    for (int i = 0; i < 1000; i++) {
        char *p = ExAllocatePoolWithTag(NonPagedPool, 24, 'tseT');
        CHECK(p > before && (uintptr_t)p % 16 == 0 && (uint8_t)p[23] == 0xCD);
        CHECK(nt_memory_at(p + 23) == NT_MEMORY_LIVE && nt_memory_at(p + 24) == NT_MEMORY_FREED);
        ExFreePoolWithTag(p, 'tseT');
        CHECK(nt_memory_at(p) == NT_MEMORY_FREED);
        before = p;
    }
    CHECK(nt_memory_at(before + (1 << 20)) == NT_MEMORY_FREED);
    CHECK(nt_memory_at(&before) == NT_MEMORY_FOREIGN);
    char *zeroed = ExAllocatePool2(POOL_FLAG_PAGED, 100, 'tseT');
    CHECK(zeroed[0] == 0 && zeroed[99] == 0);
    CHECK(ExAllocatePool2(0, 100, 'tseT') == NULL);
    nt_rewind();
    while (ExAllocatePoolWithTag(NonPagedPool, 1 << 20, 'tseT') != NULL) /* until it is full */
        ;
    uint32_t live = nt_live_allocations();
    CHECK(live >= 60 && ExAllocatePoolWithTag(NonPagedPool, 1 << 20, 'tseT') == NULL);
    CHECK(nt_live_allocations() == live);
    nt_rewind();
    CHECK(nt_live_allocations() == 0);
}

static void what_is_not_live_is_poisoned(void) {
#if __has_feature(address_sanitizer)
    char *p = ExAllocatePoolWithTag(NonPagedPool, 20, 'tseT');
    CHECK(!__asan_address_is_poisoned(p) && !__asan_address_is_poisoned(p + 19));
    CHECK(__asan_address_is_poisoned(p - 1) && __asan_address_is_poisoned(p + 20));
    char *q = ExAllocatePoolWithTag(NonPagedPool, 3 << 20, 'tseT');
    CHECK(!__asan_address_is_poisoned(q + (3 << 20) - 1));
    CHECK(__asan_address_is_poisoned(q + (3 << 20)));
    CHECK(__asan_address_is_poisoned(q + (4 << 20)));
    ExFreePool(p);
    CHECK(__asan_address_is_poisoned(p));
    nt_rewind();
    CHECK(__asan_address_is_poisoned(q) && __asan_address_is_poisoned(q + (1 << 20)));
#endif
}

static void leaks_are_listed(void) {
    NtLeak leaks[4];
    PVOID object;
    PVOID a = ExAllocatePoolWithTag(NonPagedPool, 20, 'tseT');
    PVOID b = ExAllocatePoolWithTag(NonPagedPool, 30, 'rhtO');
    HANDLE directory;
    CHECK(make(NULL, 0, NULL, &object, NULL) == STATUS_SUCCESS);
    CHECK(make_directory(L"\\Own", 0, NULL, &directory) == STATUS_SUCCESS);
    CHECK(nt_live_allocations() == 3 && nt_leaks(leaks, 4) == 3 && nt_thread_state().handles == 1);
    CHECK(strcmp(leaks[0].tag, "Test") == 0 && leaks[0].size == 20 && !leaks[0].is_object);
    CHECK(strcmp(leaks[1].tag, "Othr") == 0 && leaks[1].size == 30);
    CHECK(strcmp(leaks[2].tag, "Widg") == 0 && leaks[2].size == 48 && leaks[2].is_object);
    uintptr_t here = (uintptr_t)leaks_are_listed;
    CHECK((uintptr_t)leaks[0].site - here < 4096 && leaks[0].site < leaks[1].site);
    CHECK(nt_leaks(leaks, 1) == 1);
    ExFreePool(a);
    ExFreePool(b);
    ObDereferenceObject(object);
    CHECK(nt_live_allocations() == 0 && nt_leaks(leaks, 4) == 0);
    nt_rewind();
}

static void allocations_fail_on_request(void) {
    PVOID object;
    nt_fail_allocation(2);
    CHECK(ExAllocatePoolWithTag(NonPagedPool, 8, 'tseT') != NULL);
    CHECK(ExAllocatePoolWithTag(NonPagedPool, 8, 'tseT') == NULL);
    CHECK(ExAllocatePoolWithTag(NonPagedPool, 8, 'tseT') != NULL);
    CHECK(nt_failed_allocations() == 1 && nt_live_allocations() == 2);
    nt_fail_allocation(1);
    CHECK(make(NULL, 0, NULL, &object, NULL) == STATUS_INSUFFICIENT_RESOURCES && object == NULL);
    CHECK(nt_failed_allocations() == 2);
    nt_fail_allocation(1);
    nt_rewind();
    CHECK(nt_failed_allocations() == 0);
    CHECK(ExAllocatePoolWithTag(NonPagedPool, 8, 'tseT') != NULL);
    nt_rewind();
}

static void lookaside_lists_work(void) {
    NPAGED_LOOKASIDE_LIST list;
    ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 40, 'kooL', 0);
    PVOID a = ExAllocateFromNPagedLookasideList(&list);
    ExFreeToNPagedLookasideList(&list, a);
    PVOID b = ExAllocateFromNPagedLookasideList(&list);
    CHECK(a != NULL && b != a && nt_live_allocations() == 1);
    ExFreeToNPagedLookasideList(&list, b);
    ExDeleteNPagedLookasideList(&list);
    nt_rewind();
}

/* ---- objects ---- */

static void names_fail_as_documented(void) {
    PVOID object;
    HANDLE handle, directory;
    CHECK(make(L"\\Callback\\A", OBJ_PERMANENT, NULL, &object, NULL) == STATUS_SUCCESS);
    static const struct {
        PCWSTR path;
        NTSTATUS status;
    } cases[] = {
        {L"", STATUS_OBJECT_PATH_SYNTAX_BAD},
        {L"Callback\\A", STATUS_OBJECT_PATH_SYNTAX_BAD},
        {L"\\\\A", STATUS_OBJECT_NAME_INVALID},
        {L"\\Callback\\\\A", STATUS_OBJECT_NAME_INVALID},
        {L"\\Callback\\", STATUS_OBJECT_NAME_INVALID},
        {L"\\Missing\\A", STATUS_OBJECT_PATH_NOT_FOUND},
        {L"\\Callback\\B", STATUS_OBJECT_NAME_NOT_FOUND},
        {L"\\Callback\\a", STATUS_OBJECT_NAME_NOT_FOUND},
        {L"\\callback\\A", STATUS_OBJECT_PATH_NOT_FOUND},
        {L"\\Callback", STATUS_OBJECT_TYPE_MISMATCH},
        {L"\\", STATUS_OBJECT_TYPE_MISMATCH},
        {L"\\Callback\\A\\B", STATUS_OBJECT_TYPE_MISMATCH},
    };
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++)
        CHECK(find(cases[i].path, 0, NULL, widget, &handle) == cases[i].status && handle == NULL);
    CHECK(find(L"\\Callback\\A", 0, NULL, gadget, &handle) == STATUS_OBJECT_TYPE_MISMATCH);
    CHECK(find(L"\\Callback\\A", 1, NULL, widget, &handle) == STATUS_INVALID_PARAMETER);
    CHECK(find(L"\\Callback\\A", 0x2000, NULL, widget, &handle) == STATUS_INVALID_PARAMETER);
    CHECK(make(L"\\X", 0x2000, NULL, &object, NULL) == STATUS_INVALID_PARAMETER);
    UNICODE_STRING name = text(L"\\Callback\\A");
    OBJECT_ATTRIBUTES attributes = named(&name, 0, NULL);
    attributes.Length--;
    CHECK(ObOpenObjectByName(&attributes, widget, KernelMode, NULL, 0, NULL, &handle) ==
          STATUS_INVALID_PARAMETER);
    CHECK(ObOpenObjectByName(NULL, widget, KernelMode, NULL, 0, NULL, &handle) ==
          STATUS_INVALID_PARAMETER);
    attributes.Length++;
    name.Length--;
    CHECK(ObOpenObjectByName(&attributes, widget, KernelMode, NULL, 0, NULL, &handle) ==
          STATUS_OBJECT_NAME_INVALID);
    CHECK(ObCreateObject(KernelMode, widget, &attributes, KernelMode, NULL, 8, 0, 0, &object) ==
          STATUS_OBJECT_NAME_INVALID);
    CHECK(make(L"\\Callback\\A", 0, NULL, &object, &handle) == STATUS_OBJECT_NAME_COLLISION);
    CHECK(make(L"\\Missing\\A", 0, NULL, &object, &handle) == STATUS_OBJECT_PATH_NOT_FOUND);
    CHECK(make(L"\\Callback", OBJ_OPENIF, NULL, &object, &handle) == STATUS_OBJECT_TYPE_MISMATCH);
    CHECK(find(L"A", 0, (HANDLE)0x444, widget, &handle) == STATUS_INVALID_HANDLE);
    CHECK(find(L"\\Callback", 0, NULL, NULL, &directory) == STATUS_SUCCESS);
    CHECK(find(L"\\A", 0, directory, widget, &handle) == STATUS_OBJECT_PATH_SYNTAX_BAD);
    CHECK(find(L"A", 0, directory, widget, &handle) == STATUS_SUCCESS);
    CHECK(find(L"B", 0, handle, widget, &directory) == STATUS_OBJECT_TYPE_MISMATCH);
    nt_rewind();
    deleted = 0;
}

static void case_counts_or_not(void) {
    PVOID upper, lower, found;
    HANDLE handle;
    CHECK(make(L"\\Callback\\NAME", OBJ_PERMANENT, NULL, &upper, NULL) == STATUS_SUCCESS);
    CHECK(make(L"\\callback\\name", OBJ_CASE_INSENSITIVE, NULL, &lower, &handle) ==
          STATUS_OBJECT_NAME_COLLISION);
    CHECK(make(L"\\Callback\\name", 0, NULL, &lower, &handle) == STATUS_SUCCESS);
    UNICODE_STRING name = text(L"\\CALLBACK\\name");
    CHECK(ObReferenceObjectByName(&name, OBJ_CASE_INSENSITIVE, NULL, 0, widget, KernelMode, NULL,
                                  &found) == STATUS_SUCCESS);
    CHECK(found == lower); /* exact */
    name = text(L"\\CALLBACK\\Name");
    CHECK(ObReferenceObjectByName(&name, OBJ_CASE_INSENSITIVE, NULL, 0, widget, KernelMode, NULL,
                                  &found) == STATUS_SUCCESS);
    CHECK(found == upper); /* the older one */
    CHECK(make(L"\\Callback\\\x0444\x03B1\x00E9", 0, NULL, &lower, &handle) == STATUS_SUCCESS);
    CHECK(find(L"\\Callback\\\x0424\x0391\x00C9", OBJ_CASE_INSENSITIVE, NULL, widget, &handle) ==
          STATUS_SUCCESS);
    nt_rewind();
}

static void temporary_loses_its_name(void) {
    PVOID object, again;
    HANDLE first, second;
    deleted = 0;
    CHECK(make(L"\\Callback\\T", 0, NULL, &object, &first) == STATUS_SUCCESS);
    CHECK(find(L"\\Callback\\T", 0, NULL, widget, &second) == STATUS_SUCCESS && second != first);
    CHECK(nt_thread_state().handles == 2);
    ZwClose(first);
    CHECK(find(L"\\Callback\\T", 0, NULL, widget, &first) == STATUS_SUCCESS);
    ZwClose(first);
    ZwClose(second);
    CHECK(find(L"\\Callback\\T", 0, NULL, widget, &first) == STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(make(L"\\Callback\\T", 0, NULL, &again, &first) == STATUS_SUCCESS && again != object);
    CHECK(deleted == 0);
    ObDereferenceObject(object);
    CHECK(deleted == 1 && nt_memory_at(object) == NT_MEMORY_FREED);
    ObDereferenceObject(again);
    ZwClose(first);
    CHECK(deleted == 2 && nt_live_allocations() == 0 && nt_thread_state().handles == 0);
    nt_rewind();
}

static void permanent_stays(void) {
    PVOID object;
    HANDLE handle;
    deleted = 0;
    CHECK(make(L"\\Callback\\P", OBJ_PERMANENT, NULL, &object, &handle) == STATUS_SUCCESS);
    ZwClose(handle);
    ObDereferenceObject(object);
    CHECK(deleted == 0 && find(L"\\Callback\\P", 0, NULL, widget, &handle) == STATUS_SUCCESS);
    CHECK(ZwMakeTemporaryObject(handle) == STATUS_SUCCESS);
    CHECK(ZwMakeTemporaryObject((HANDLE)0x4444) == STATUS_INVALID_HANDLE);
    CHECK(deleted == 0);
    ZwClose(handle);
    CHECK(deleted == 1 &&
          find(L"\\Callback\\P", 0, NULL, widget, &handle) == STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(make(L"\\Callback\\P", OBJ_PERMANENT, NULL, &object, &handle) == STATUS_SUCCESS);
    ZwClose(handle);
    ObMakeTemporaryObject(object); /* no handle is open: at once */
    CHECK(find(L"\\Callback\\P", 0, NULL, widget, &handle) == STATUS_OBJECT_NAME_NOT_FOUND);
    nt_set_irql(DISPATCH_LEVEL);
    ObDereferenceObject(object);
    CHECK(deleted == 2);
    nt_rewind();
}

static void open_if_opens(void) {
    PVOID first, second;
    HANDLE a, b;
    deleted = 0;
    CHECK(make(L"\\Callback\\O", OBJ_OPENIF, NULL, &first, &a) == STATUS_SUCCESS);
    CHECK(make(L"\\Callback\\O", OBJ_OPENIF, NULL, &second, &b) == STATUS_OBJECT_NAME_EXISTS);
    CHECK(second == first && deleted == 1 && a != b);
    ObDereferenceObject(first);
    ObDereferenceObject(second);
    ZwClose(a);
    ZwClose(b);
    CHECK(deleted == 2 && nt_live_allocations() == 0);
    nt_rewind();
}

static void exclusive_opens_once(void) {
    PVOID object;
    HANDLE handle, other;
    CHECK(make(L"\\Callback\\E", OBJ_EXCLUSIVE | OBJ_PERMANENT, NULL, &object, &handle) ==
          STATUS_SUCCESS);
    CHECK(find(L"\\Callback\\E", 0, NULL, widget, &other) == STATUS_ACCESS_DENIED);
    ZwClose(handle);
    CHECK(find(L"\\Callback\\E", OBJ_EXCLUSIVE, NULL, widget, &other) == STATUS_SUCCESS);
    nt_rewind();
}

static void handles_and_types_work(void) {
    PVOID object, same;
    HANDLE handle, second;
    OBJECT_HANDLE_INFORMATION information;
    CHECK(make(NULL, 0, NULL, &object, &handle) == STATUS_SUCCESS && (uintptr_t)handle % 4 == 0);
    CHECK(ObReferenceObjectByHandle(handle, 0, widget, KernelMode, &same, &information) ==
          STATUS_SUCCESS);
    CHECK(same == object && information.GrantedAccess == DELETE);
    CHECK(ObReferenceObjectByHandle(handle, 0, gadget, KernelMode, &same, NULL) ==
          STATUS_OBJECT_TYPE_MISMATCH);
    CHECK(ObReferenceObjectByHandle((HANDLE)3, 0, NULL, KernelMode, &same, NULL) ==
          STATUS_INVALID_HANDLE);
    CHECK(ObReferenceObjectByPointer(object, 0, gadget, KernelMode) == STATUS_OBJECT_TYPE_MISMATCH);
    CHECK(ObReferenceObjectByPointer(object, 0, widget, KernelMode) == STATUS_SUCCESS);
    CHECK(ObOpenObjectByPointer(object, 0, NULL, 0, widget, KernelMode, &second) == STATUS_SUCCESS);
    CHECK(ObGetObjectType(object) == widget && ObReferenceObjectSafe(object));
    for (int i = 0; i < 200; i++)
        CHECK(ObOpenObjectByPointer(object, 0, NULL, 0, NULL, KernelMode, &second) == 0);
    CHECK(nt_thread_state().handles == 202 && ZwClose(handle) == STATUS_SUCCESS);
    POBJECT_TYPE type;
    OBJECT_TYPE_INITIALIZER info = {.Length = sizeof(info)};
    UNICODE_STRING name = text(L"Late");
    CHECK(ObCreateObjectType(&name, &info, NULL, &type) == STATUS_SUCCESS);
    CHECK(ObCreateObjectType(&name, &info, NULL, &type) == STATUS_OBJECT_NAME_COLLISION);
    info.Length = 1;
    CHECK(ObCreateObjectType(&name, &info, NULL, &type) == STATUS_INVALID_PARAMETER);
    info.Length = sizeof(info);
    nt_rewind();
    CHECK(ObCreateObjectType(&name, &info, NULL, &type) == STATUS_SUCCESS);
    nt_rewind();
}

static void directories_nest(void) {
    PVOID object;
    HANDLE a, b, handle;
    struct {
        OBJECT_NAME_INFORMATION information;
        WCHAR units[64];
    } full;
    CHECK(make_directory(L"\\Dir", 0, NULL, &a) == STATUS_SUCCESS);
    CHECK(make_directory(L"\\Dir", 0, NULL, &b) == STATUS_OBJECT_NAME_COLLISION && b == NULL);
    CHECK(make_directory(L"\\Dir", OBJ_OPENIF, NULL, &b) == STATUS_OBJECT_NAME_EXISTS);
    ZwClose(b);
    CHECK(make_directory(L"Sub", 0, a, &b) == STATUS_SUCCESS);
    CHECK(make(L"Leaf", 0, b, &object, &handle) == STATUS_SUCCESS);
    CHECK(ObQueryNameString(object, &full.information, sizeof(full), NULL) == STATUS_SUCCESS);
    UNICODE_STRING expected = text(L"\\Dir\\Sub\\Leaf");
    CHECK(RtlEqualUnicodeString(&full.information.Name, &expected, FALSE));
    CHECK(find(L"\\Dir\\Sub\\Leaf", 0, NULL, widget, &handle) == STATUS_SUCCESS);
    ZwClose(a); /* its name goes, what is in it lives on */
    CHECK(find(L"\\Dir\\Sub\\Leaf", 0, NULL, widget, &handle) == STATUS_OBJECT_PATH_NOT_FOUND);
    CHECK(find(L"Leaf", 0, b, widget, &handle) == STATUS_SUCCESS);
    UNICODE_STRING name = text(L"\\Callback");
    OBJECT_ATTRIBUTES attributes = named(&name, 0, NULL);
    CHECK(ZwOpenDirectoryObject(&a, 0, &attributes) == STATUS_SUCCESS);
    nt_rewind();
}

static void names_may_be_long_and_odd(void) {
    static WCHAR units[32767];
    UNICODE_STRING name = {65534, 65534, units};
    OBJECT_ATTRIBUTES attributes = named(&name, OBJ_CASE_INSENSITIVE, NULL);
    PVOID object, found;
    HANDLE handle;
    for (int i = 0; i < 32767; i++)
        units[i] = (WCHAR)(i == 5 ? 0 : i % 2 ? 0xD800 + i % 1024 : 'a' + i % 26);
    units[0] = '\\';
    CHECK(ObCreateObject(KernelMode, widget, &attributes, KernelMode, NULL, 8, 0, 0, &object) ==
          STATUS_SUCCESS);
    CHECK(ObInsertObject(object, NULL, 0, 0, NULL, &handle) == STATUS_SUCCESS);
    CHECK(ObReferenceObjectByName(&name, 0, NULL, 0, widget, KernelMode, NULL, &found) ==
          STATUS_SUCCESS);
    CHECK(found == object);
    units[2] = 'A' + (units[2] - 'a');
    CHECK(ObReferenceObjectByName(&name, 0, NULL, 0, widget, KernelMode, NULL, &found) ==
          STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(ObReferenceObjectByName(&name, OBJ_CASE_INSENSITIVE, NULL, 0, widget, KernelMode, NULL,
                                  &found) == STATUS_SUCCESS);
    nt_rewind();
}

/* ---- run-time library ---- */

static char printed[512];
static void keep(const char *output, size_t length) {
    memcpy(printed, output, length);
    printed[length] = 0;
}

static void strings_work(void) {
    WCHAR buffer[8];
    UNICODE_STRING a = text(L"Abc"), b = text(L"aBCd"), c = {0, sizeof(buffer), buffer}, d;
    ULONG hash, same;
    CHECK(!RtlEqualUnicodeString(&a, &b, TRUE) && RtlPrefixUnicodeString(&a, &b, TRUE));
    CHECK(!RtlPrefixUnicodeString(&a, &b, FALSE) && RtlCompareUnicodeString(&a, &b, TRUE) < 0);
    RtlCopyUnicodeString(&c, &a);
    CHECK(RtlAppendUnicodeStringToString(&c, &b) == STATUS_SUCCESS && c.Length == 14);
    CHECK(RtlAppendUnicodeToString(&c, L"xy") == STATUS_BUFFER_TOO_SMALL && c.Length == 14);
    b.Length = a.Length;
    CHECK(RtlHashUnicodeString(&a, TRUE, 0, &hash) == STATUS_SUCCESS);
    CHECK(RtlHashUnicodeString(&b, TRUE, 0, &same) == STATUS_SUCCESS && hash == same);
    CHECK(RtlDuplicateUnicodeString(1, &a, &d) == STATUS_SUCCESS && nt_live_allocations() == 1);
    CHECK(d.Length == 6 && d.Buffer[3] == 0 && RtlEqualUnicodeString(&a, &d, FALSE));
    RtlFreeUnicodeString(&d);
    CHECK(nt_live_allocations() == 0 && d.Buffer == NULL);
    CHECK(RtlUpcaseUnicodeChar(0xFF) == 0x178 && RtlUpcaseUnicodeChar(0xDF) == 0xDF);
    nt_debug_sink = keep;
    DbgPrint("%wZ|%ws|%ld|%08lx|%I64x|%s|%5u|%p|%c%%", &a, L"wide", -5, 0xABCDu, (LONG64)1 << 40,
             "narrow", 7u, (PVOID)0x1234, 'x');
    nt_debug_sink = NULL;
    CHECK(strcmp(printed, "Abc|wide|-5|0000abcd|10000000000|narrow|    7|0000000000001234|x%") ==
          0);
    nt_rewind();
}

static void interlocked_works(void) {
    LONG value = 5;
    LONG64 wide = 1;
    PVOID pointer = NULL;
    SLIST_HEADER head;
    SLIST_ENTRY entries[2];
    CHECK(InterlockedIncrement(&value) == 6 && InterlockedExchangeAdd(&value, 4) == 6);
    CHECK(InterlockedCompareExchange(&value, 1, 9) == 10 && value == 10);
    CHECK(InterlockedCompareExchange(&value, 1, 10) == 10 && value == 1);
    CHECK(InterlockedDecrement64(&wide) == 0 && InterlockedOr64(&wide, 8) == 0 && wide == 8);
    CHECK(InterlockedCompareExchangePointer(&pointer, &head, NULL) == NULL && pointer == &head);
    CHECK(!InterlockedBitTestAndSet(&value, 4) && value == 17);
    InitializeSListHead(&head);
    InterlockedPushEntrySList(&head, &entries[0]);
    CHECK(InterlockedPushEntrySList(&head, &entries[1]) == &entries[0]);
    CHECK(ExQueryDepthSList(&head) == 2 && InterlockedPopEntrySList(&head) == &entries[1]);
}

static void processors_are_counted(void) {
    KAFFINITY mask;
    PROCESSOR_NUMBER number;
    CHECK(KeQueryActiveProcessorCount(&mask) == NT_INITIAL_PROCESSORS && mask == 3);
    CHECK(nt_processor_started() == 2 && nt_active_processors() == 3);
    CHECK(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS) == 3);
    CHECK(KeGetProcessorNumberFromIndex(2, &number) == STATUS_SUCCESS && number.Number == 2);
    CHECK(KeGetProcessorIndexFromNumber(&number) == 2);
    CHECK(KeGetProcessorNumberFromIndex(64, &number) == STATUS_INVALID_PARAMETER);
    nt_rewind();
    CHECK(nt_active_processors() == NT_INITIAL_PROCESSORS);
}

/* ---- rewinding ---- */

/* Uses a bit of everything; what it saw, so that two runs can be compared. */
static void act(uint64_t seen[10]) {
    PVOID object;
    HANDLE handle;
    LARGE_INTEGER now;
    KIRQL irql;
    seen[0] = (uintptr_t)ExAllocatePoolWithTag(NonPagedPool, 20, 'tseT');
    seen[1] = (ULONG)make(L"\\Callback\\R", OBJ_PERMANENT, NULL, &object, &handle);
    seen[2] = (uintptr_t)object;
    seen[3] = (uintptr_t)handle;
    KeQuerySystemTime(&now);
    seen[4] = (uint64_t)now.QuadPart;
    seen[5] = KeGetCurrentIrql();
    seen[6] = (uint64_t)KeQueryPerformanceCounter(NULL).QuadPart;
    seen[7] = (ULONG)find(L"\\Callback\\Kept", 0, NULL, widget, &handle);
    seen[8] = nt_live_allocations();
    ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &object, NULL);
    seen[9] = *(PULONG)object;
    *(PULONG)object = 0; /* written below the checkpoint */
    ZwMakeTemporaryObject(handle);
    ZwClose(handle);
    nt_processor_started();
    KeEnterCriticalRegion();
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
}

static void rewind_restores_all(void) {
    uint64_t first[10], second[10];
    PVOID kept;
    HANDLE handle;
    act(first);
    nt_rewind();
    act(second);
    CHECK(memcmp(first, second, sizeof(first)) == 0);
    CHECK(first[7] == STATUS_SUCCESS && first[8] == 2);
    nt_rewind();
    NtThreadState state = nt_thread_state();
    CHECK(state.irql == 0 && state.critical == 0 && state.handles == 0 && state.spin_locks == 0);
    /* Freed below the checkpoint, and back. */
    CHECK(find(L"\\Callback\\Kept", 0, NULL, widget, &handle) == STATUS_SUCCESS);
    ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &kept, NULL);
    ZwMakeTemporaryObject(handle);
    ZwClose(handle);
    ObDereferenceObject(kept);
    CHECK(nt_memory_at(kept) == NT_MEMORY_FREED && nt_live_allocations() == 0);
    nt_rewind();
    CHECK(nt_memory_at(kept) == NT_MEMORY_LIVE);
    CHECK(*(PULONG)kept == 0x12345678);
    deleted = 0;
}

static int points[NT_POINTS];
static void count_point(NtPoint point, const void *object) {
    (void)object;
    points[point]++;
}

static VOID no_call(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
    (void)Dpc, (void)Context, (void)Argument1, (void)Argument2;
}
static VOID no_thread(PVOID Context) {
    (void)Context;
}

static void primitives_are_scheduling_points(void) {
    nt_switch_hook = count_point;
    uint64_t seen[10];
    KSPIN_LOCK lock = 0;
    FAST_MUTEX mutex;
    KEVENT event;
    EX_RUNDOWN_REF rundown = {{0}};
    LONG value = 0;
    KIRQL irql;
    KeAcquireSpinLock(&lock, &irql);
    KeReleaseSpinLock(&lock, irql);
    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    ExReleaseFastMutex(&mutex);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeSetEvent(&event, 0, FALSE);
    WAIT(&event, NULL);
    ExAcquireRundownProtection(&rundown);
    InterlockedIncrement(&value);
    KDPC dpc;
    KeInitializeDpc(&dpc, no_call, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    HANDLE thread;
    PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, no_thread, NULL);
    act(seen);
    nt_switch_hook = NULL;
    for (int i = 0; i < NT_POINTS; i++)
        CHECK(points[i] != 0);
    nt_rewind();
}

/* ---- measuring ---- */

static double nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#define MEASURE(what, count, ...)                                                                  \
    do {                                                                                           \
        double best = 1e18;                                                                        \
        for (int round = 0; round < 5; round++) {                                                  \
            double start = nanoseconds();                                                          \
            for (int i = 0; i < (count); i++) {                                                    \
                __VA_ARGS__;                                                                       \
            }                                                                                      \
            double each = (nanoseconds() - start) / (count);                                       \
            best = each < best ? each : best;                                                      \
            nt_rewind();                                                                           \
        }                                                                                          \
        printf("%-48s %8.1f ns\n", what, best);                                                    \
    } while (0)

static void bench(void) {
    PVOID object;
    HANDLE handle;
    KIRQL irql;
    KSPIN_LOCK lock = 0;
    PVOID filler = ExAllocatePoolWithTag(NonPagedPool, 1024, 'tseT');
    CHECK(filler != NULL);
    nt_checkpoint();
    MEASURE("rewind, nothing used", 100000, nt_rewind());
    MEASURE("20 allocations and rewind", 100000,
            for (int j = 0; j < 20; j++) ExAllocatePoolWithTag(NonPagedPool, 64, 'tseT');
            nt_rewind());
    MEASURE("allocate and free", 100000,
            ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPool, 64, 'tseT'), 'tseT'));
    MEASURE("create, insert, close, reference, dereference x2", 50000,
            make(L"\\Callback\\Bench", 0, NULL, &object, &handle);
            ZwClose(handle); ObReferenceObject(object); ObDereferenceObject(object);
            ObDereferenceObject(object));
    make(L"\\Callback\\Kept", 0, NULL, &object, &handle);
    MEASURE(
        "create, 100 references and back, rewind", 20000, make(NULL, 0, NULL, &object, NULL);
        for (int j = 0; j < 100; j++) {
            ObReferenceObject(object);
            ObDereferenceObject(object);
        } nt_rewind());
    MEASURE("open by name and close", 100000,
            find(L"\\Callback\\Kept", OBJ_CASE_INSENSITIVE, NULL, widget, &handle);
            ZwClose(handle));
    MEASURE("spin lock", 100000, KeAcquireSpinLock(&lock, &irql); KeReleaseSpinLock(&lock, irql));
}

static void boot(void) {
    OBJECT_TYPE_INITIALIZER info = {.Length = sizeof(info), .DeleteProcedure = count_deletion};
    UNICODE_STRING name = text(L"Widget");
    PVOID object;
    HANDLE handle;
    nt_set_stop_handler(on_stop);
    CHECK(nt_boot());
    CHECK(ObCreateObjectType(&name, &info, NULL, &widget) == STATUS_SUCCESS);
    name = text(L"Gadget");
    CHECK(ObCreateObjectType(&name, &info, NULL, &gadget) == STATUS_SUCCESS);
    CHECK(make_directory(L"\\Callback", OBJ_PERMANENT, NULL, &handle) == STATUS_SUCCESS);
    ZwClose(handle);
    CHECK(make(L"\\Callback\\Kept", OBJ_PERMANENT, NULL, &object, &handle) == STATUS_SUCCESS);
    *(PULONG)object = 0x12345678;
    ObDereferenceObject(object);
    ZwClose(handle);
    nt_checkpoint();
}

static const Test tests[] = {
    TEST(breaks_irql),
    TEST(breaks_spin_locks),
    TEST(breaks_locks),
    TEST(locks_work),
    TEST(breaks_waits),
    TEST(waits_work),
    TEST(breaks_pool),
    TEST(breaks_objects),
    TEST(breaks_rest),
    TEST(whole_pages_begin_at_a_page),
    TEST(pool_never_reuses),
    TEST(what_is_not_live_is_poisoned),
    TEST(leaks_are_listed),
    TEST(allocations_fail_on_request),
    TEST(lookaside_lists_work),
    TEST(names_fail_as_documented),
    TEST(case_counts_or_not),
    TEST(temporary_loses_its_name),
    TEST(permanent_stays),
    TEST(open_if_opens),
    TEST(exclusive_opens_once),
    TEST(handles_and_types_work),
    TEST(directories_nest),
    TEST(names_may_be_long_and_odd),
    TEST(strings_work),
    TEST(interlocked_works),
    TEST(processors_are_counted),
    TEST(rewind_restores_all),
    TEST(primitives_are_scheduling_points),
};

int main(int argc, char **argv) {
    double start = nanoseconds();
    boot();
    double booted = nanoseconds();
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
        printf("%-48s %8.1f ns\n", "boot, with types and objects", booted - start);
        bench();
        return 0;
    }
    return run_tests(tests, RTL_NUMBER_OF(tests));
}
