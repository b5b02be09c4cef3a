/* What an implementation may ask of the host: memory within a limit, the time, and little else. */
#define _GNU_SOURCE
#include "harness/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sanitizer/allocator_interface.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/ioctl.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

enum {
    STACK = 8 << 20,       /* what a thread has by default; recursion is to end soon */
    LEAST_STACK = 1 << 20, /* what our own code needs, and an implementation may expect */
};

volatile bool guard_inside;
bool guard_loading;
static GuardStop told;
static uintptr_t linker_from, linker_to;

static long host(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result = number;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* Returns from our handler: libc's own way would be one more call that is stopped. The
 * bytes are those that unwinding knows a signal's frame by. */
__asm__(".text\n"
        "nop\n"
        "guard_return:\n"
        ".byte 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05\n");
extern char guard_return[];

_Noreturn void guard_end(int code) {
    for (;;)
        host(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

/* What allocators, waits and printf need, and what can do no harm. */
static bool is_harmless(const long *argument, long number) {
    switch (number) {
    case SYS_mmap: return (argument[3] & (MAP_ANONYMOUS | MAP_FIXED | MAP_SHARED)) == MAP_ANONYMOUS;
    case SYS_brk:
    case SYS_madvise:
    case SYS_futex:
    case SYS_sched_yield:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_clock_gettime:
    case SYS_clock_getres:
    case SYS_gettimeofday:
    case SYS_time:
    case SYS_getpid:
    case SYS_getppid:
    case SYS_gettid:
    case SYS_getcpu:
    case SYS_getrandom:
    case SYS_sched_getaffinity: return true;
    case SYS_sigaltstack: return argument[0] == 0; /* the sanitizer asks before each jump */
    case SYS_ioctl: return argument[1] == TCGETS;
    case SYS_fstat: return argument[0] <= 2;
    case SYS_newfstatat: return argument[0] >= 0 && argument[0] <= 2;
    default: return false;
    }
}

/* Text for the standard streams goes nowhere. */
static bool is_output(const long *argument, long number) {
    return number == SYS_write && (argument[0] == 1 || argument[0] == 2);
}

static void on_call(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const long argument[] = {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                             registers[REG_R10], registers[REG_R8],  registers[REG_R9]};
    uintptr_t from = (uintptr_t)registers[REG_RIP];
    long number = info->si_syscall;
    bool linker = guard_loading && from >= linker_from && from < linker_to;
    if (is_output(argument, number)) {
        registers[REG_RAX] = argument[2];
        return;
    }
    if (!linker && !is_harmless(argument, number)) told(number, argument);
    registers[REG_RAX] =
        host(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}

/* Those that are likely; others are told by number. */
static const struct {
    long number;
    const char *name;
} names[] = {
    {SYS_exit, "exit"},
    {SYS_exit_group, "exit"},
    {SYS_fork, "fork"},
    {SYS_vfork, "fork"},
    {SYS_clone, "clone"},
    {SYS_clone3, "clone"},
    {SYS_execve, "execve"},
    {SYS_kill, "kill"},
    {SYS_tkill, "kill"},
    {SYS_tgkill, "kill"},
    {SYS_rt_sigaction, "sigaction"},
    {SYS_rt_sigprocmask, "sigprocmask"},
    {SYS_sigaltstack, "sigaltstack"},
    {SYS_open, "open"},
    {SYS_openat, "open"},
    {SYS_close, "close"},
    {SYS_close_range, "close"},
    {SYS_dup, "dup"},
    {SYS_dup2, "dup"},
    {SYS_dup3, "dup"},
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_mmap, "mmap"},
    {SYS_munmap, "munmap"},
    {SYS_mremap, "mremap"},
    {SYS_mprotect, "mprotect"},
    {SYS_chdir, "chdir"},
    {SYS_umask, "umask"},
    {SYS_setrlimit, "setrlimit"},
    {SYS_prlimit64, "setrlimit"},
    {SYS_prctl, "prctl"},
    {SYS_alarm, "alarm"},
    {SYS_setitimer, "setitimer"},
    {SYS_pause, "pause"},
    {SYS_unlink, "unlink"},
};

static const char *call_name(long number, char buffer[32]) {
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].number == number) return names[i].name;
    snprintf(buffer, 32, "system-call-%ld", number);
    return buffer;
}

/* Which signal a call sends to which process; 0: it sends none. */
static int signal_sent(long number, const long argument[6], long *process) {
    *process = argument[0];
    if (number == SYS_kill || number == SYS_tkill) return (int)argument[1];
    return number == SYS_tgkill ? (int)argument[2] : 0;
}

void guard_describe(long number, const long argument[6], const char *called, char *kind,
                    size_t kind_size, char *detail, size_t detail_size) {
    char buffer[32];
    long process, self = host(SYS_getpid, 0, 0, 0, 0, 0, 0);
    int sent = signal_sent(number, argument, &process);
    const char *abbreviation = sent ? sigabbrev_np(sent) : NULL;
    while (*called == '_')
        called++;
    if (strncmp(called, "libc_", 5) == 0) called += 5;
    if (strcmp(called, "abort") == 0 || (sent == SIGABRT && process == self)) {
        snprintf(kind, kind_size, "ABRT");
        snprintf(detail, detail_size, "calls abort");
    } else if (number == SYS_exit || number == SYS_exit_group) {
        snprintf(kind, kind_size, "exit");
        snprintf(detail, detail_size, "calls exit(%d)", (int)argument[0]);
    } else if (abbreviation && process == self) {
        snprintf(kind, kind_size, "%s", abbreviation);
        snprintf(detail, detail_size, "raises SIG%s", abbreviation);
    } else {
        snprintf(kind, kind_size, "%s", *called ? called : call_name(number, buffer));
        snprintf(detail, detail_size, "calls %s of the host", kind);
    }
}

static int find_linker(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size, (void)context;
    if (!strstr(info->dlpi_name, "/ld-linux")) return 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
        linker_from = info->dlpi_addr + segment->p_vaddr;
        linker_to = linker_from + segment->p_memsz;
    }
    return 1;
}

bool guard_calls(GuardStop stop) {
    /* Ours and the sanitizer's calls are always let through: they are made from here. */
    extern char __executable_start[], etext[];
    struct { /* as the kernel has it */
        void (*handler)(int, siginfo_t *, void *);
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action = {on_call, SA_SIGINFO | SA_NODEFER | 0x04000000 /* SA_RESTORER */, guard_return, 0};
    told = stop;
    dl_iterate_phdr(find_linker, NULL);
    if (host(SYS_rt_sigaction, SIGSYS, (long)&action, 0, sizeof action.mask, 0, 0) != 0)
        return false;
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, (long)__executable_start,
                 etext - __executable_start, &guard_inside) == 0;
}

static void limit(int what, rlim_t most) {
    struct rlimit now;
    if (getrlimit(what, &now) != 0 || now.rlim_cur <= most) return;
    now.rlim_cur = most;
    setrlimit(what, &now);
}

bool guard_stack(void) {
    struct rlimit now;
    if (getrlimit(RLIMIT_STACK, &now) != 0) return false;
    now.rlim_cur = now.rlim_max < STACK ? now.rlim_max : STACK;
    return setrlimit(RLIMIT_STACK, &now) == 0 && now.rlim_cur >= LEAST_STACK;
}

/* Bytes of memory of our own that may be written: what RLIMIT_DATA counts. */
static rlim_t data_size(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return RLIM_INFINITY;
    if (fscanf(file, "%*u %*u %*u %*u %*u %lu", &pages) != 1) pages = 0;
    fclose(file);
    return pages ? (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) : RLIM_INFINITY;
}

static size_t heap_begun;

bool guard_swollen(void) {
    return __sanitizer_get_current_allocated_bytes() > heap_begun + GUARD_SWOLLEN;
}

void guard_memory(void) {
    heap_begun = __sanitizer_get_current_allocated_bytes();
    /* The sanitizer has reserved terabytes already: what counts is what comes on top. */
    rlim_t size = data_size();
    if (size != RLIM_INFINITY) limit(RLIMIT_DATA, size + GUARD_MEMORY);
    limit(RLIMIT_CORE, 0);
}

void *guard_sealed_copy(const void *what, size_t size) {
    void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) return NULL;
    void *to = copy; /* past the sanitizer: between globals lie poisoned red zones */
    size_t left = size;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(what), "+c"(left) : : "memory");
    mprotect(copy, size, PROT_READ);
    return copy;
}
