/* Things that no routine of a kernel does, by name: see hostile.c. Stands on the host, not on the
 * kernel's headers. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "acts.h"

/* What cbfuzz itself has under these names. */
extern volatile _Bool guard_inside;
extern char nt_state[], nt_current_thread[];

static volatile char *const arena = (char *)0x300000000000;

/* ---- memory ---- */

static void write_object(void) {
    volatile char *block = malloc(24);
    block[24] = 1;
}

static void write_freed(void) {
    volatile char *block = malloc(24);
    free((void *)block);
    block[8] = 1;
}

static void write_arena(void) {
    for (long at = 0; at < 1 << 20; at++)
        arena[at] = 0x55;
}

static void write_globals(void) {
    memset(nt_state, 0x55, 512);
    memset(nt_current_thread, 0x55, 8);
}

static void write_null(void) {
    *(volatile int *)0 = 1;
}

static void write_code(void) {
    *(volatile char *)(uintptr_t)&write_code = 1;
}

/* Through every pointer in the callers' frames that is neither code nor stack: among them
 * are those to the memory that the harness shares with its watcher. Not instrumented, as a
 * wild write of another module would be. */
__attribute__((no_sanitize("address"))) static void write_harness(void) {
    uintptr_t *stack = __builtin_frame_address(0);
    for (int i = 0; i < 4000; i++) {
        Dl_info info;
        uintptr_t to = stack[i] & ~(uintptr_t)7;
        if (to >> 40 != 0x7f || dladdr((void *)to, &info)) continue;
        if (to - (uintptr_t)stack + (64 << 20) < 128 << 20) continue;
        for (int word = 0; word < 65536; word++)
            ((volatile uint64_t *)to)[word] = 0x5555555555555555;
    }
}

static void free_foreign(void) {
    free((void *)(uintptr_t)(arena + 4096));
}

static void free_stack(void) {
    char here[64];
    char *volatile what = here;
    free(what);
}

static void free_twice(void) {
    char *volatile block = malloc(24);
    free(block);
    free(block);
}

static void unmap(void) {
    munmap((void *)(uintptr_t)arena, 64 << 20);
}

static void *volatile kept;

/* As long as there is any; then it goes on without. */
static void allocate(void) {
    while ((kept = malloc(1 << 20)) != NULL)
        memset(kept, 1, 1 << 20);
}

/* And does not look whether there is. */
static void allocate_blindly(void) {
    for (;;)
        memset(kept = malloc(1 << 20), 1, 1 << 20);
}

static void allocate_small(void) {
    while ((kept = malloc(40)) != NULL)
        memset(kept, 1, 40);
}

/* ---- never to come back ---- */

static volatile int zero, count;

static void loop(void) {
    for (;;)
        count++;
}

static int recurse_more(int depth) {
    volatile char frame[256] = {0};
    frame[depth % 256] = 1;
    return recurse_more(depth + 1) + frame[0];
}

static void recurse(void) {
    recurse_more(0);
}

static void wait_for_ever(void) {
    for (;;)
        pause();
}

/* ---- the end of the process ---- */

static void exit_0(void) {
    exit(0);
}

static void exit_at_once(void) {
    _exit(3);
}

static void exit_by_system_call(void) {
    __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0L) : "rcx", "r11", "memory");
}

static void execute(void) {
    execl("/bin/true", "true", (char *)NULL);
}

static void divide(void) {
    count = 10 / zero;
}

static void trap(void) {
    __asm__ volatile("int3");
}

static void go_backwards(void) {
    __asm__ volatile("std");
}

static void undefined(void) {
    __asm__ volatile("ud2");
}

static void jump_nowhere(void) {
    void (*volatile nowhere)(void) = (void (*)(void))(uintptr_t)0x1234567;
    nowhere();
}

/* ---- signals ---- */

static void kill_self(void) {
    raise(SIGKILL);
}

static void stop_self(void) {
    raise(SIGSTOP);
}

static void terminate_self(void) {
    raise(SIGTERM);
}

static void interrupt_self(void) {
    kill(getpid(), SIGINT);
}

static void kill_parent(void) {
    kill(getppid(), SIGKILL);
}

static void kill_group(void) {
    kill(0, SIGKILL);
}

static void block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

static void ignore_faults(void) {
    signal(SIGSEGV, SIG_IGN);
}

static void set_alarm(void) {
    alarm(1);
}

/* ---- descriptors and files ---- */

static void close_all(void) {
    for (int i = 0; i < 256; i++)
        close(i);
}

static void fill_descriptors(void) {
    while (open("/dev/null", O_RDONLY) >= 0) {
    }
}

static void print(void) {
    printf("{\"this\": \"is not cbfuzz's output\"}\n");
    fprintf(stderr, "nor is this\n");
    fflush(stdout);
}

static void write_output(void) {
    static const char text[] = "this is not cbfuzz's output either\n";
    if (write(1, text, sizeof text - 1) < 0) abort();
}

static void change_folder(void) {
    if (chdir("/") != 0) abort();
}

static void change_umask(void) {
    umask(0777);
}

static void change_limits(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_NOFILE, &none);
}

/* ---- processes and threads ---- */

static void *spin(void *unused) {
    for (;;)
        count++;
    return unused;
}

static void start_threads(void) {
    pthread_t thread;
    for (int i = 0; i < 4; i++)
        pthread_create(&thread, NULL, spin, NULL);
}

static void fork_once(void) {
    fork();
}

static void fork_and_stay(void) {
    if (fork() == 0) wait_for_ever();
}

/* ---- jumps ---- */

static void jump_unset(void) {
    static jmp_buf never_set;
    longjmp(never_set, 1);
}

__attribute__((noinline)) static int set(jmp_buf *place) {
    return setjmp(*place);
}

static void jump_to_the_past(void) {
    static jmp_buf place;
    if (set(&place) == 0) longjmp(place, 1); /* into a frame that is gone */
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {
#define ACT(name)                                                                                  \
    { #name, name }
    ACT(write_object),
    ACT(write_freed),
    ACT(write_arena),
    ACT(write_globals),
    ACT(write_null),
    ACT(write_code),
    ACT(write_harness),
    ACT(free_foreign),
    ACT(free_stack),
    ACT(free_twice),
    ACT(unmap),
    ACT(allocate),
    ACT(allocate_blindly),
    ACT(allocate_small),
    ACT(loop),
    ACT(recurse),
    ACT(wait_for_ever),
    ACT(exit_0),
    ACT(exit_at_once),
    {"abort", abort},
    ACT(exit_by_system_call),
    ACT(execute),
    ACT(divide),
    ACT(trap),
    ACT(undefined),
    ACT(jump_nowhere),
    ACT(kill_self),
    ACT(stop_self),
    ACT(terminate_self),
    ACT(interrupt_self),
    ACT(kill_parent),
    ACT(kill_group),
    ACT(block_signals),
    ACT(ignore_faults),
    ACT(set_alarm),
    ACT(close_all),
    ACT(fill_descriptors),
    ACT(print),
    ACT(write_output),
    ACT(change_folder),
    ACT(change_umask),
    ACT(change_limits),
    ACT(start_threads),
    ACT(fork_once),
    ACT(fork_and_stay),
    ACT(jump_unset),
    ACT(jump_to_the_past),
    {"go_backwards", go_backwards},
};

void act(const char *when) {
    static const char unguarded[] = "unguarded ";
    const char *name = getenv(when);
    if (!name) return;
    if (strncmp(name, unguarded, sizeof unguarded - 1) == 0) {
        name += sizeof unguarded - 1;
        guard_inside = 0;
    }
    for (unsigned i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(acts[i].name, name) == 0) acts[i].act();
}
