/* Queues of pointers, and what must not be freed because it is in one. */
#include "internal.h"

enum { FIRST_CAPACITY = 16 };

static bool grow(NtQueue *queue) {
    uint32_t capacity = queue->capacity == 0 ? FIRST_CAPACITY : queue->capacity * 2;
    void **items = nt_arena_take(capacity * sizeof(void *));
    if (items == NULL) return false;
    if (queue->count != 0) RtlCopyMemory(items, queue->items, queue->count * sizeof(void *));
    queue->items = items;
    queue->capacity = capacity;
    return true;
}

bool nt_queue_add(NtQueue *queue, void *item) {
    if (queue->count == queue->capacity && !grow(queue)) return false;
    queue->items[queue->count++] = item;
    nt_state.queued++;
    return true;
}

void *nt_queue_take(NtQueue *queue, uint32_t index) {
    void *item = queue->items[index];
    queue->count--;
    nt_state.queued--;
    for (uint32_t i = index; i < queue->count; i++)
        queue->items[i] = queue->items[i + 1];
    return item;
}

bool nt_queue_remove(NtQueue *queue, const void *item) {
    for (uint32_t i = 0; i < queue->count; i++) {
        if (queue->items[i] != item) continue;
        nt_queue_take(queue, i);
        return true;
    }
    return false;
}

typedef struct {
    uintptr_t from;
    size_t size;
    const char *routine;
    const void *site;
} Freed;

static void check(const Freed *freed, const volatile void *used, NtRule rule, const char *what) {
    if ((uintptr_t)used - freed->from < freed->size)
        nt_stop(rule, freed->site, (uintptr_t)used, freed->from, freed->routine, "found %s", what);
}

static void check_thread(const Freed *freed, const struct _KTHREAD *thread) {
    check(freed, thread->item, NtRuleWorkItemFreed, "a queued work item");
    for (int i = 0; i < thread->held_count; i++)
        check(freed, thread->held[i].lock, NtRuleLockHeldInFreedMemory,
              "one that another thread holds");
    if (thread->waits == WAIT_LOCK)
        check(freed, thread->wait_lock, NtRuleWaitedForFreed, "a lock that a thread waits for");
    else
        for (uint32_t i = 0; i < thread->wait_count; i++)
            check(freed, thread->wait_objects[i], NtRuleWaitedForFreed,
                  "an object that a thread waits for");
}

void nt_check_nothing_in(const void *memory, size_t size, const char *routine, const void *site) {
    Freed freed = {(uintptr_t)memory, size, routine, site};
    for (uint32_t i = 0; i < nt_state.timers.count; i++) {
        const KTIMER *timer = nt_state.timers.items[i];
        check(&freed, timer, NtRuleTimerFreed, "a timer that is set");
        check(&freed, timer->Dpc, NtRuleDpcFreed, "the DPC of a timer that is set");
    }
    for (uint32_t i = 0; i < nt_state.calls.count; i++)
        check(&freed, nt_state.calls.items[i], NtRuleDpcFreed, "a DPC that is queued");
    for (uint32_t i = 0; i < nt_state.ready.count; i++)
        check_thread(&freed, nt_state.ready.items[i]);
    for (uint32_t i = 0; i < nt_state.waiting.count; i++)
        check_thread(&freed, nt_state.waiting.items[i]);
}
