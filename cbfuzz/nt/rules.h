/* The rules of the environment, each with its bugcheck and what it demands.
 *
 * RULE(name, bugcheck code, first parameter, what is demanded). A rule of code 0
 * is a deadlock: the wait has no end. Names follow Driver Verifier's where it has
 * one for the same thing.
 */
#define NT_RULES(RULE)                                                                             \
    RULE(IrqlKeRaiseLower, 0xC4, 0x30, "a raise does not go down, a lower does not go up")         \
    RULE(IrqlLockHeld, 0xC4, 0x31, "nobody goes below DISPATCH_LEVEL with a spin lock held")       \
    RULE(IrqlKeApcLte1, 0xC4, 0x20001, "the kernel's routine is called at IRQL <= APC_LEVEL")      \
    RULE(IrqlKeDispatchLte, 0xC4, 0x20003, "the routine is called at IRQL <= DISPATCH_LEVEL")      \
    RULE(IrqlKeDispatchGte, 0xC4, 0x20004, "the routine is called at IRQL >= DISPATCH_LEVEL")      \
    RULE(IrqlKePassive, 0xC4, 0x20002, "the kernel's routine is called at PASSIVE_LEVEL")          \
    RULE(IrqlPsPassive, 0xC4, 0x2000E, "threads are made and end at PASSIVE_LEVEL")                \
    RULE(IrqlExDispatchLte, 0xC4, 0x20006,                                                         \
         "the executive's routine is called at IRQL <= DISPATCH_LEVEL")                            \
    RULE(IrqlExApcLte1, 0xC4, 0x20005, "the executive's routine is called at IRQL <= APC_LEVEL")   \
    RULE(IrqlExAllocatePool, 0xC4, 0x20007, "pool is allocated at a level that its kind allows")   \
    RULE(IrqlExFreePool, 0xC4, 0x2000A, "pool is freed at a level that its kind allows")           \
    RULE(IrqlObApcLte, 0xC4, 0x2000B, "objects are made and looked up at IRQL <= APC_LEVEL")       \
    RULE(IrqlObDispatchLte, 0xC4, 0x2000C, "references change at IRQL <= DISPATCH_LEVEL")          \
    RULE(IrqlZwApcLte, 0xC4, 0x2000D, "system services are called at IRQL <= APC_LEVEL")           \
    RULE(IrqlZwPassive, 0xC4, 0x2000F, "the system service is called at PASSIVE_LEVEL")            \
    RULE(PagedCodeAtRaisedIrql, 0x0A, 0, "paged code runs at IRQL <= APC_LEVEL")                   \
    RULE(WaitAtDispatch, 0xC4, 0x20015, "at DISPATCH_LEVEL a wait has a time-out of zero")         \
    RULE(SpinLockDoubleAcquire, 0x0F, 0, "a spin lock is acquired once")                           \
    RULE(SpinLockRelease, 0x10, 0, "a spin lock is released by the thread that holds it")          \
    RULE(SpinLockReleaseIrql, 0xC4, 0x32, "a release goes back to the level before acquiring")     \
    RULE(SpinLockNotInitialized, 0xC4, 0x1006, "a spin lock is initialized before its use")        \
    RULE(SpinLockOrder, 0xC4, 0x1001, "two spin locks are always acquired in one order")           \
    RULE(LockNotInitialized, 0xC4, 0x1007, "a lock is initialized before its use")                 \
    RULE(LockRelease, 0xC4, 0x1008, "a lock is released by the thread that holds it")              \
    RULE(LockReleaseIrql, 0xC4, 0x33, "a fast mutex is released at APC_LEVEL")                     \
    RULE(LockUnsafe, 0xC4, 0x34, "an unsafe variant is called with APCs disabled")                 \
    RULE(LockHeldInFreedMemory, 0xC4, 0xE4, "memory is freed without a held lock in it")           \
    RULE(TooManyLocks, 0xC4, 0x1009, "a thread holds at most NT_HELD_LOCKS locks")                 \
    RULE(MutexNotOwned, 0xC4, 0x100A, "a mutex is released by its owner")                          \
    RULE(SemaphoreLimit, 0xC4, 0x100B, "a semaphore stays within its limit")                       \
    RULE(DispatcherNotInitialized, 0xC4, 0x100C, "a dispatcher object is initialized before use")  \
    RULE(WaitTooMany, 0x0C, 0, "a wait has at most 64 objects, and blocks if more than 3")         \
    RULE(WaitedForFreed, 0xC4, 0x100E, "nobody waits for what is freed")                           \
    RULE(TimerFreed, 0xC7, 0x00, "a timer is cancelled before it is freed")                        \
    RULE(DpcFreed, 0xC7, 0x01, "a DPC is removed from its queue before it is freed")               \
    RULE(DpcNotInitialized, 0xC7, 0x02, "a DPC is initialized before its use")                     \
    RULE(DpcIrqlChanged, 0xC8, 0, "a deferred routine returns at DISPATCH_LEVEL")                  \
    RULE(DpcHoldsLock, 0xC4, 0x100F, "a deferred routine releases the locks that it acquired")     \
    RULE(WorkItemFreed, 0xE4, 0x00, "a work item is freed after it began to run")                  \
    RULE(WorkItemQueuedTwice, 0xE4, 0x01, "a work item is initialized, and queued once at a time") \
    RULE(WorkerIrqlChanged, 0xE1, 0, "a work item's routine returns at PASSIVE_LEVEL")             \
    RULE(NoMemoryForWork, 0x4D, 0, "there is memory for system threads")                           \
    RULE(ThreadEndsWithLock, 0x4000008A, 0, "a thread that ends holds no lock")                    \
    RULE(ThreadEndsInRegion, 0x20, 0, "a thread that ends has left its regions")                   \
    RULE(CriticalRegionUnbalanced, 0xC4, 0x20016, "a critical region is left after entering it")   \
    RULE(GuardedRegionUnbalanced, 0xC4, 0x20017, "a guarded region is left after entering it")     \
    RULE(RundownUnbalanced, 0xC4, 0x100D, "rundown protection is released after acquiring it")     \
    RULE(PoolZeroSize, 0xC4, 0x00, "an allocation has at least one byte")                          \
    RULE(PoolBadTag, 0xC2, 0x9B, "a tag is not zero, and the same when freeing")                   \
    RULE(PoolBadFree, 0xC2, 0x46, "what is freed is the start of an allocation")                   \
    RULE(PoolDoubleFree, 0xC2, 0x07, "an allocation is freed once")                                \
    RULE(PoolCorruption, 0x19, 0x20, "nobody writes past the end of an allocation")                \
    RULE(PoolRaise, 0x1E, 0xC000009A, "an allocation that raises when it fails does not fail")     \
    RULE(ObjectOverDereference, 0x18, 0, "a reference is given back once")                         \
    RULE(ObjectUseAfterDelete, 0x18, 1, "a deleted object is not used")                            \
    RULE(ObjectBadPointer, 0xC4, 0x3D, "what is passed as an object is one")                       \
    RULE(HandleBad, 0x93, 0, "what is closed is an open handle")                                   \
    RULE(ListEntryCorrupt, 0x139, 3, "the neighbours of a list entry point to it")                 \
    RULE(SListAlignment, 0xC4, 0x1009, "heads and entries of sequenced lists are aligned to 16")   \
    RULE(ExceptionRaised, 0x1E, 0, "no exception is raised, for nobody can handle it")             \
    RULE(AssertionFailed, 0xE2, 0, "the condition of an assertion holds")                          \
    RULE(Breakpoint, 0x7E, 0x80000003, "no breakpoint is reached")                                 \
    RULE(KeBugCheck, 0, 0, "the kernel does not stop itself")                                      \
    RULE(SpinLockDeadlock, 0, 0, "a spin lock is released by the thread that holds it")            \
    RULE(LockDeadlock, 0, 0, "a lock is released by the thread that holds it")                     \
    RULE(FastMutexRecursive, 0, 0, "a fast or guarded mutex is not acquired by its owner")         \
    RULE(PushLockRecursive, 0, 0, "a push lock is not acquired by a thread that blocks it")        \
    RULE(ResourceRecursive, 0, 0, "a shared resource is not acquired exclusively on top")          \
    RULE(RundownDeadlock, 0, 0, "a rundown ends when all holders can release")                     \
    RULE(WaitDeadlock, 0, 0, "a wait can end")

typedef enum {
#define RULE(name, code, parameter, text) NtRule##name,
    NT_RULES(RULE)
#undef RULE
} NtRule;
