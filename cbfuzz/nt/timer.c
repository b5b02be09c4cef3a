/* Timers and virtual time. Time passes when somebody asks for it, lets it pass or when all wait:
 * then it goes to whatever is due next. So it is the same in every run. */
#include "internal.h"

void nt_time_due(int64_t when) {
    if (when < nt_state.next_due) nt_state.next_due = when;
}

static int64_t due_of(const KTIMER *timer) {
    return (int64_t)timer->DueTime.QuadPart;
}

static void find_next_due(void) {
    nt_state.next_due = NT_NEVER;
    for (uint32_t i = 0; i < nt_state.timers.count; i++)
        nt_time_due(due_of(nt_state.timers.items[i]));
    for (uint32_t i = 0; i < nt_state.waiting.count; i++)
        nt_time_due(((struct _KTHREAD *)nt_state.waiting.items[i])->wait_until);
}

static void set_off(KTIMER *timer) {
    nt_dispatcher_check(&timer->Header, "KeSetTimer", NULL);
    if (timer->Period == 0) {
        nt_queue_remove(&nt_state.timers, timer);
        timer->Header.DebugActive = FALSE;
    } else {
        timer->DueTime.QuadPart += (ULONGLONG)timer->Period * 10000;
    }
    timer->Header.SignalState = 1;
    nt_signal(&timer->Header);
    if (timer->Dpc != NULL)
        nt_dpc_queue(timer->Dpc, UlongToPtr((ULONG)nt_state.time),
                     UlongToPtr((ULONG)(nt_state.time >> 32)));
}

/* Everything that is due now, timers first, the one that was due first before the others. */
static void set_off_all(void) {
    for (;;) {
        KTIMER *first = NULL;
        for (uint32_t i = 0; i < nt_state.timers.count; i++) {
            KTIMER *timer = nt_state.timers.items[i];
            if (due_of(timer) <= nt_state.time && (first == NULL || due_of(timer) < due_of(first)))
                first = timer;
        }
        if (first == NULL) break;
        set_off(first);
    }
    for (uint32_t i = 0; i < nt_state.waiting.count;) {
        struct _KTHREAD *thread = nt_state.waiting.items[i];
        if (thread->wait_until <= nt_state.time) nt_make_ready(thread, STATUS_TIMEOUT);
        else i++;
    }
}

bool nt_time_advance(void) {
    find_next_due();
    if (nt_state.next_due == NT_NEVER) return false;
    if (nt_state.next_due > nt_state.time) nt_state.time = nt_state.next_due;
    set_off_all();
    find_next_due();
    return true;
}

void nt_time_pass(int64_t to) {
    while (nt_state.next_due <= to && nt_time_advance())
        nt_dpc_deliver();
    if (to > nt_state.time) nt_state.time = to;
}

int64_t nt_time_of(const LARGE_INTEGER *time) {
    int64_t when = time->QuadPart;
    if (when >= 0) return when;
    return when < nt_state.time - NT_NEVER ? NT_NEVER - 1 : nt_state.time - when;
}

static void check(const KTIMER *timer, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > DISPATCH_LEVEL))
        nt_stop_irql(NtRuleIrqlKeDispatchLte, site, routine, DISPATCH_LEVEL);
    NT_SWITCH(NT_POINT_TIMER, timer);
    nt_dispatcher_check(&timer->Header, routine, site);
    if (NT_UNLIKELY(timer->Header.Type < TYPE_TIMER))
        nt_stop(NtRuleDispatcherNotInitialized, site, (uintptr_t)timer, 0, routine,
                "found another object");
}

VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type) {
    *Timer = (KTIMER){.Period = 0};
    nt_dispatcher_initialize(&Timer->Header, (uint8_t)(TYPE_TIMER + Type), sizeof(*Timer), 0);
}

VOID KeInitializeTimer(PKTIMER Timer) {
    KeInitializeTimerEx(Timer, NotificationTimer);
}

static BOOLEAN set(PKTIMER timer, LARGE_INTEGER due, LONG period, PKDPC dpc) {
    bool was_set = nt_queue_remove(&nt_state.timers, timer);
    timer->Header.SignalState = 0;
    timer->DueTime.QuadPart = (ULONGLONG)nt_time_of(&due);
    timer->Period = period > 0 ? (ULONG)period : 0;
    timer->Dpc = dpc;
    if (nt_queue_add(&nt_state.timers, timer)) timer->Header.DebugActive = TRUE;
    nt_time_due(due_of(timer));
    nt_time_pass(nt_state.time); /* it may be due already */
    return was_set;
}

BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc) {
    check(Timer, __func__, NT_SITE);
    return set(Timer, DueTime, 0, Dpc);
}

BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc) {
    check(Timer, __func__, NT_SITE);
    return set(Timer, DueTime, Period, Dpc);
}

BOOLEAN KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period,
                              ULONG TolerableDelay, PKDPC Dpc) {
    (void)TolerableDelay; /* none is needed */
    check(Timer, __func__, NT_SITE);
    return set(Timer, DueTime, (LONG)Period, Dpc);
}

BOOLEAN KeCancelTimer(PKTIMER Timer) {
    check(Timer, __func__, NT_SITE);
    Timer->Header.DebugActive = FALSE;
    return nt_queue_remove(&nt_state.timers, Timer);
}

BOOLEAN KeReadStateTimer(PKTIMER Timer) {
    check(Timer, __func__, NT_SITE);
    NT_POLL();
    return Timer->Header.SignalState != 0;
}
