/* What the test programs of the kernel environment share: statements that must hold, statements
 * that must break a rule, and the loop over the tests. Each program includes it once. */
#ifndef CBFUZZ_TESTS_ENVIRONMENT_H
#define CBFUZZ_TESTS_ENVIRONMENT_H

#include <ntifs.h>
#include "nt/nt.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Locals stay on the stacks that are saved at the checkpoint. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_stack_use_after_return=0";
}

static jmp_buf stopped;
static NtStop last;

static inline void on_stop(const NtStop *stop) {
    last = *stop;
    longjmp(stopped, 1);
}

#define CHECK(e)                                                                                   \
    do {                                                                                           \
        if (!(e)) {                                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #e);                                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
/* Runs statements that must break a rule, and starts afresh. */
#define BREAKS(name, ...)                                                                          \
    do {                                                                                           \
        memset(&last, 0, sizeof(last));                                                            \
        if (setjmp(stopped) == 0) {                                                                \
            __VA_ARGS__;                                                                           \
            fprintf(stderr, "%s:%d: %s was not seen\n", __FILE__, __LINE__, name);                 \
            exit(1);                                                                               \
        }                                                                                          \
        if (strcmp(last.rule, name) != 0) {                                                        \
            fprintf(stderr, "%s:%d: %s: %s (%s)\n", __FILE__, __LINE__, name, last.rule,           \
                    last.text);                                                                    \
            exit(1);                                                                               \
        }                                                                                          \
        CHECK(last.site != NULL && last.text[0] != 0);                                             \
        CHECK((last.kind == NT_STOP_DEADLOCK) == (last.code == 0));                                \
        nt_rewind();                                                                               \
    } while (0)

#define WAIT(object, timeout) KeWaitForSingleObject((object), Executive, KernelMode, FALSE, timeout)

static inline UNICODE_STRING text(PCWSTR units) {
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, units);
    return string;
}

static inline OBJECT_ATTRIBUTES named(PUNICODE_STRING name, ULONG flags, HANDLE root) {
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, name, flags, root, NULL);
    return attributes;
}

typedef struct {
    const char *name;
    void (*run)(void);
} Test;
#define TEST(name)                                                                                 \
    { #name, name }

static inline int run_tests(const Test *tests, size_t count) {
    for (size_t i = 0; i < count; i++) {
        tests[i].run();
        printf("ok %s\n", tests[i].name);
    }
    return 0;
}

#endif
