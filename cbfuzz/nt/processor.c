/* Processors, and what asks for the time: the same in every run. */
#include "internal.h"

/* A clock that does not move would let loops that wait for it hang. */
enum { TICK = 156250, FREQUENCY = 10000000 };

uint32_t nt_active_processors(void) {
    return nt_state.processors;
}

uint32_t nt_processor_started(void) {
    if (nt_state.processors == NT_MAXIMUM_PROCESSORS) return NT_MAXIMUM_PROCESSORS - 1;
    return nt_state.processors++;
}

KAFFINITY KeQueryActiveProcessors(VOID) {
    return ~(KAFFINITY)0 >> (64 - nt_state.processors);
}

ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors) {
    if (ActiveProcessors != NULL) *ActiveProcessors = KeQueryActiveProcessors();
    return nt_state.processors;
}

static bool is_group(USHORT group) {
    return group == 0 || group == ALL_PROCESSOR_GROUPS;
}

ULONG KeQueryActiveProcessorCountEx(USHORT Group) {
    return is_group(Group) ? nt_state.processors : 0;
}

ULONG KeQueryMaximumProcessorCount(VOID) {
    return NT_MAXIMUM_PROCESSORS;
}

ULONG KeQueryMaximumProcessorCountEx(USHORT Group) {
    return is_group(Group) ? NT_MAXIMUM_PROCESSORS : 0;
}

NTSTATUS KeGetProcessorNumberFromIndex(ULONG Index, PPROCESSOR_NUMBER Number) {
    if (Index >= NT_MAXIMUM_PROCESSORS) return STATUS_INVALID_PARAMETER;
    *Number = (PROCESSOR_NUMBER){0, (UCHAR)Index, 0};
    return STATUS_SUCCESS;
}

ULONG KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER Number) {
    if (Number->Group != 0 || Number->Number >= NT_MAXIMUM_PROCESSORS || Number->Reserved != 0)
        return INVALID_PROCESSOR_INDEX;
    return Number->Number;
}

USHORT KeQueryActiveGroupCount(VOID) {
    return 1;
}

USHORT KeQueryMaximumGroupCount(VOID) {
    return 1;
}

KAFFINITY KeQueryGroupAffinity(USHORT GroupNumber) {
    return GroupNumber == 0 ? KeQueryActiveProcessors() : 0;
}

static KAFFINITY choose(KAFFINITY affinity) {
    KAFFINITY old = nt_current_thread->affinity;
    nt_current_thread->affinity = affinity & KeQueryActiveProcessors();
    return old;
}

KAFFINITY KeSetSystemAffinityThreadEx(KAFFINITY Affinity) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    return choose(Affinity);
}

VOID KeRevertToUserAffinityThreadEx(KAFFINITY Affinity) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    choose(Affinity);
}

VOID KeSetSystemAffinityThread(KAFFINITY Affinity) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    choose(Affinity);
}

VOID KeRevertToUserAffinityThread(VOID) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlKeApcLte1);
    choose(0);
}

ULONG KeGetCurrentProcessorNumber(VOID) {
    KAFFINITY affinity = nt_current_thread->affinity;
    return affinity == 0 ? 0 : (ULONG)__builtin_ctzll(affinity);
}

ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER Number) {
    ULONG number = KeGetCurrentProcessorNumber();
    if (Number != NULL) *Number = (PROCESSOR_NUMBER){0, (UCHAR)number, 0};
    return number;
}

static int64_t ask(void) {
    nt_time_pass(nt_state.time + NT_STEP);
    NT_POLL();
    return nt_state.time;
}

VOID KeQuerySystemTime(PLARGE_INTEGER Time) {
    Time->QuadPart = ask();
}

VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime) {
    CurrentTime->QuadPart = ask();
}

ULONGLONG KeQueryInterruptTime(VOID) {
    return (ULONGLONG)ask();
}

VOID KeQueryTickCount(PLARGE_INTEGER Count) {
    Count->QuadPart = ask() / TICK;
}

ULONG KeQueryTimeIncrement(VOID) {
    return TICK;
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER Frequency) {
    if (Frequency != NULL) Frequency->QuadPart = FREQUENCY;
    return (LARGE_INTEGER){.QuadPart = nt_state.counter += NT_STEP};
}

VOID KeStallExecutionProcessor(ULONG Microseconds) {
    nt_time_pass(nt_state.time + (int64_t)Microseconds * 10);
    NT_SWITCH(NT_POINT_INTERLOCKED, NULL);
    nt_yield();
}

VOID KeYieldProcessor(VOID) {
    NT_SWITCH(NT_POINT_INTERLOCKED, NULL);
    if (NT_UNLIKELY(nt_state.queued != 0)) nt_yield();
}

NTSTATUS ZwYieldExecution(VOID) {
    NT_IRQL_MAX(PASSIVE_LEVEL, NtRuleIrqlZwPassive);
    if (nt_state.ready.count == 0) return STATUS_NO_YIELD_PERFORMED;
    nt_yield();
    return STATUS_SUCCESS;
}
