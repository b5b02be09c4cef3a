/* What an implementation may ask of the host: memory within a limit, the time, and little else.
 *
 * Routines of a kernel make no system calls. What does (exit, fork, close, a
 * signal's handler) would harm the harness, so it ends the process there and
 * then, with a word about it. Where the host's kernel cannot tell whose system
 * call it is (Linux before 5.11), they go through, and only what they do to the
 * process is seen.
 */
#ifndef CBFUZZ_HARNESS_GUARD_H
#define CBFUZZ_HARNESS_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Told of a system call, in a signal handler on top of it. Returns if it is to be made after
 * all; else ends the process: guard_end. */
typedef void (*GuardStop)(long number, const long argument[6]);

/* The implementation is running, or what it has called; else we are. */
extern volatile bool guard_inside;

/* While guard_inside, system calls from libraries and from the implementation itself are
 * stopped. Not inherited by fork. False: this host cannot. */
bool guard_calls(GuardStop stop);

/* Says what such a call is: in a word ("exit", "fork", "KILL") and in a few ("calls fork of
 * the host"). `called`: the host's function that it was made through, "" if not known. */
void guard_describe(long number, const long argument[6], const char *called, char *kind,
                    size_t kind_size, char *detail, size_t detail_size);

/* While true, the dynamic linker's own calls are let through. */
extern bool guard_loading;

/* Puts the direction flag back, which the implementation must leave clear: all that copies memory
 * relies on it. False: it was set. */
static inline bool guard_direction(void) {
    enum { DIRECTION = 0x400 };
    if (__builtin_expect(!(__builtin_ia32_readeflags_u64() & DIRECTION), true)) return true;
    __asm__ volatile("cld" : : : "cc", "memory");
    return false;
}

/* From now on the stack is as large as it is by default, whatever it was: what overflows is not to
 * depend on that. False: this is not allowed, and it is too small for our own work. */
bool guard_stack(void);

/* Limits memory and core files of this process. */
void guard_memory(void);

enum {
    GUARD_MEMORY = 512 << 20, /* for one process beyond what the sanitizer has reserved: programs
                                 take kilobytes, libFuzzer's corpus some megabytes */
    GUARD_SWOLLEN = GUARD_MEMORY / 4
};

/* Has the heap grown so far that this process should make room for another one? What an
 * implementation keeps in its globals is lost with each program. */
bool guard_swollen(void);

/* Ends the process, even from within a stopped call. */
_Noreturn void guard_end(int code);

/* Memory that is only read from now on. NULL when there is none. */
void *guard_sealed_copy(const void *what, size_t size);

#endif
