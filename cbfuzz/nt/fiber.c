/* Fibers: the compiler's own setjmp and longjmp switch between stacks.
 *
 * The C library's contexts would ask the system at each switch, which a harness may forbid while
 * an implementation runs, and the sanitizer's longjmp takes the red zones off the stack that is
 * left. The sanitizer is told of each switch, so that it knows where the current stack begins and
 * ends.
 */
#include "fiber.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "internal.h"

#ifdef NT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum {
    RED_ZONE = 128, /* below the stack pointer, by the ABI */
    GUARD = 0x1000  /* a page that is not there, below each stack */
};
#define NOT_SANITIZED __attribute__((no_sanitize("address"), noinline))

struct NtFiber {
    void *resume[5]; /* frame, place, stack pointer, ... */
    char *bottom;    /* of the stack, above its guard page */
    size_t size;
    void (*entry)(void); /* NULL: it has begun */
    bool used;
    bool touched; /* ran or was taken since the checkpoint */
    void *fake;   /* the sanitizer's */
};

/* What a fiber was at the checkpoint. */
typedef struct {
    NtFiber fiber;
    char *from;
    size_t size; /* of what is saved: [from, top of the stack) */
    char *stack; /* and then, for the sanitizer, its shadow */
} Image;

static NtFiber first, fibers[NT_FIBERS];
static Image images[NT_FIBERS];
static unsigned fiber_count; /* those that have a stack */
static bool any_touched;
static NtFiber *left_from; /* who switched last */

NtFiber *nt_fiber_first(void) {
    return &first;
}

static void unpoison(const NtFiber *fiber) {
#ifdef NT_ASAN
    __asan_unpoison_memory_region(fiber->bottom, fiber->size);
#else
    (void)fiber;
#endif
}

/* A system call of our own, not of a library that an implementation might have called. */
static long ask_host(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return number;
}

static bool make_stack(NtFiber *fiber) {
    const long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    long memory =
        ask_host(SYS_mmap, 0, GUARD + NT_FIBER_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory < 0) return false;
    ask_host(SYS_mprotect, memory, GUARD, PROT_NONE, 0, 0, 0);
    fiber->bottom = (char *)memory + GUARD;
    fiber->size = NT_FIBER_SIZE;
    return true;
}

NtFiber *nt_fiber_take(void (*entry)(void)) {
    NtFiber *fiber = NULL;
    for (unsigned i = 0; i < fiber_count && fiber == NULL; i++)
        if (!fibers[i].used) fiber = &fibers[i];
    if (fiber == NULL) {
        if (fiber_count == NT_FIBERS || !make_stack(&fibers[fiber_count])) return NULL;
        fiber = &fibers[fiber_count++];
    }
    unpoison(fiber);
    fiber->entry = entry;
    fiber->used = fiber->touched = any_touched = true;
    return fiber;
}

void nt_fiber_give(NtFiber *fiber) {
    fiber->used = false;
}

/* Tells the sanitizer that the switch is done, and learns where the first stack is. */
static void arrive(NtFiber *fiber) {
#ifdef NT_ASAN
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(fiber->fake, &bottom, &size);
    if (left_from == &first) {
        first.bottom = (char *)bottom;
        first.size = size;
    }
#else
    (void)fiber;
#endif
}

/* The first function on a new stack. */
__attribute__((used)) static void begin(NtFiber *fiber) {
    void (*entry)(void) = fiber->entry;
    fiber->entry = NULL;
    arrive(fiber);
    entry();
    abort(); /* it does not return */
}

NOT_SANITIZED static void jump(NtFiber *to) {
    if (to->entry == NULL) __builtin_longjmp(to->resume, 1);
    /* No frame above it: a zero where its return address and its caller's frame would be. */
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "push $0\n\t"
                     "jmp *%1"
                     :
                     : "r"(to->bottom + to->size), "r"(begin), "D"(to));
    __builtin_unreachable();
}

NOT_SANITIZED void nt_fiber_switch(NtFiber *from, NtFiber *to) {
    left_from = from;
    to->touched = any_touched = true;
#ifdef NT_ASAN
    __sanitizer_start_switch_fiber(&from->fake, to->bottom, to->size);
#endif
    if (__builtin_setjmp(from->resume) == 0) jump(to);
    arrive(from);
}

bool nt_fiber_checkpoint(void) {
    for (unsigned i = 0; i < NT_FIBERS; i++) {
        fibers[i].touched = false;
        free(images[i].stack);
        images[i] = (Image){.fiber = fibers[i]};
        if (!fibers[i].used || fibers[i].entry != NULL) continue;
        uintptr_t from = ((uintptr_t)fibers[i].resume[2] - RED_ZONE) & ~(uintptr_t)7;
        images[i].from = (char *)from;
        images[i].size = (size_t)(fibers[i].bottom + fibers[i].size - images[i].from);
        images[i].stack = malloc(images[i].size + images[i].size / 8);
        if (images[i].stack == NULL) return false;
        nt_save_raw(images[i].stack, images[i].from, images[i].size);
    }
    any_touched = false;
    return true;
}

void nt_fiber_rewind(void) {
    if (!any_touched) return;
    for (unsigned i = 0; i < fiber_count; i++) {
        NtFiber *fiber = &fibers[i];
        const Image *image = &images[i];
        if (!fiber->touched) continue;
        fiber->touched = false;
        fiber->used = image->fiber.used;
        if (!fiber->used) continue;
        *fiber = image->fiber;
        unpoison(fiber);
        nt_restore_raw(image->from, image->stack, image->size);
    }
    any_touched = false;
}
