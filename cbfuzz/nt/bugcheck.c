/* Stops a program: fills in what happened, and leaves through the handler. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    uint32_t code;
    uint32_t parameter;
    const char *text;
} rules[] = {
#define RULE(name, code, parameter, text) {#name, code, parameter, text},
    NT_RULES(RULE)
#undef RULE
};

static NtStopHandler stop_handler;

void nt_set_stop_handler(NtStopHandler handler) {
    stop_handler = handler;
}

static void call_handler(void *context) {
    const NtStop *stop = context;
    if (stop_handler != NULL) stop_handler(stop);
    fprintf(stderr, "nt: %s 0x%X at %p: %s\n", stop->rule, stop->code, stop->site, stop->text);
    abort();
}

/* The handler runs on the first thread's stack: it longjmps to where the program began. */
_Noreturn static void leave(NtStop *stop) {
    nt_leave(call_handler, stop);
}

_Noreturn void nt_stop(NtRule rule, const void *site, uint64_t p2, uint64_t p3, const char *routine,
                       const char *format, ...) {
    NtStop stop = {.kind = rules[rule].code == 0 ? NT_STOP_DEADLOCK : NT_STOP_BUGCHECK,
                   .code = rules[rule].code,
                   .parameters = {rules[rule].parameter, p2, p3, (uintptr_t)site},
                   .rule = rules[rule].name,
                   .site = site};
    int used = snprintf(stop.text, sizeof(stop.text), "%s: %s; ", routine, rules[rule].text);
    if (used > 0 && (size_t)used < sizeof(stop.text)) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(stop.text + used, sizeof(stop.text) - (size_t)used, format, arguments);
        va_end(arguments);
    }
    leave(&stop);
}

_Noreturn void nt_stop_irql(NtRule rule, const void *site, const char *routine, uint8_t limit) {
    uint8_t irql = nt_current_thread->irql;
    nt_stop(rule, site, irql, limit, routine, "found IRQL %u", irql);
}

_Noreturn static void bugcheck(NtRule rule, const void *site, uint32_t code,
                               const uint64_t parameters[4], const char *text) {
    NtStop stop = {.kind = NT_STOP_BUGCHECK, .code = code, .rule = rules[rule].name, .site = site};
    for (int i = 0; i < 4; i++)
        stop.parameters[i] = parameters[i];
    snprintf(stop.text, sizeof(stop.text), "%s", text);
    leave(&stop);
}

VOID KeBugCheckEx(ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4) {
    char text[160];
    snprintf(text, sizeof(text), "KeBugCheckEx(0x%X, 0x%llX, 0x%llX, 0x%llX, 0x%llX)", Code, P1, P2,
             P3, P4);
    bugcheck(NtRuleKeBugCheck, NT_SITE, Code, (const uint64_t[4]){P1, P2, P3, P4}, text);
}

VOID KeBugCheck(ULONG Code) {
    char text[40];
    snprintf(text, sizeof(text), "KeBugCheck(0x%X)", Code);
    bugcheck(NtRuleKeBugCheck, NT_SITE, Code, (const uint64_t[4]){0}, text);
}

VOID RtlFailFast(ULONG Code) {
    if (Code == FAST_FAIL_CORRUPT_LIST_ENTRY)
        nt_stop(NtRuleListEntryCorrupt, NT_SITE, 0, 0, "list", "found another entry");
    char text[40];
    snprintf(text, sizeof(text), "RtlFailFast(%u)", Code);
    bugcheck(NtRuleKeBugCheck, NT_SITE, KERNEL_SECURITY_CHECK_FAILURE, (const uint64_t[4]){Code},
             text);
}

VOID ExRaiseStatus(NTSTATUS Status) {
    nt_stop(NtRuleExceptionRaised, NT_SITE, (ULONG)Status, 0, __func__, "found 0x%X",
            (ULONG)Status);
}

VOID RtlAssert(PVOID Condition, PVOID File, ULONG Line, PCHAR Message) {
    nt_stop(NtRuleAssertionFailed, NT_SITE, Line, 0, "ASSERT", "%s:%u: %s%s%s", (PCSTR)File, Line,
            (PCSTR)Condition, Message != NULL ? ": " : "", Message != NULL ? Message : "");
}

VOID DbgBreakPoint(VOID) {
    nt_stop(NtRuleBreakpoint, NT_SITE, 0, 0, __func__, "found one");
}

VOID RtlCheckPagedCode(PCSTR Function) {
    if (NT_UNLIKELY(nt_current_thread->irql > APC_LEVEL))
        nt_stop_irql(NtRulePagedCodeAtRaisedIrql, NT_SITE, Function, APC_LEVEL);
}
