/* Power-on, checkpoint and rewind: the life of the environment's state. */
#include "fiber.h"
#include "internal.h"

NtState nt_state;
static NtState checkpoint;
NtSwitchHook nt_switch_hook;

bool nt_boot(void) {
    nt_state = (NtState){.processors = NT_INITIAL_PROCESSORS, .next_due = NT_NEVER};
    nt_state.time = 133801632000000000; /* 1 January 2025 in 100 ns since 1601 */
    if (!nt_arena_boot() || !nt_handle_boot() || !nt_thread_boot() || !nt_directory_boot())
        return false;
    return nt_checkpoint();
}

bool nt_checkpoint(void) {
    nt_state.live = 0;
    nt_state.failed = 0;
    checkpoint = nt_state;
    nt_arena_checkpoint();
    return nt_fiber_checkpoint();
}

void nt_rewind(void) {
    const char *used_to = nt_state.arena_next;
    nt_state = checkpoint;
    nt_arena_rewind(used_to);
    nt_thread_rewind();
    nt_fiber_rewind();
}

void nt_fail_allocation(uint32_t nth) {
    nt_state.fail_in = nth;
}

NT_RAW uint32_t nt_failed_allocations(void) {
    return nt_state.failed;
}

uint32_t nt_live_allocations(void) {
    return nt_state.live;
}

/* Asked for twice for each call: no check of our own globals. */
NT_RAW NtThreadState nt_thread_state(void) {
    const struct _KTHREAD *thread = nt_current_thread;
    return (NtThreadState){.irql = thread->irql,
                           .spin_locks = thread->spin_locks,
                           .mutexes = thread->mutexes,
                           .critical = thread->critical,
                           .guarded = thread->guarded,
                           .handles = (uint16_t)nt_state.open_handles};
}

void nt_set_irql(uint8_t irql) {
    nt_current_thread->irql = irql;
    nt_dpc_deliver();
}
