/* Looks at a shared object before it is used: what it is, and what becomes of who loads it. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/clock.h"
#include "harness/frames.h"
#include "harness/guard.h"
#include "harness/implementation.h"
#include "harness/interrupt.h"
#include "harness/keeper.h"
#include "harness/session.h"

/* Boots take microseconds; a noisy machine takes longer. */
static const double busy_limit = 2,
                    waiting_limit = 10; /* seconds: of the processor, of the clock */

/* ---- the file ---- */

static const char *machine_name(unsigned machine, char buffer[32]) {
    switch (machine) {
    case EM_386: return "i386";
    case EM_X86_64: return "x86-64";
    case EM_ARM: return "arm";
    case EM_AARCH64: return "aarch64";
    case EM_RISCV: return "riscv";
    case EM_PPC64: return "ppc64";
    default: snprintf(buffer, 32, "machine %u", machine); return buffer;
    }
}

/* Does all that is to be loaded stand in the file? Who touches what does not dies of it. */
static bool is_whole(int file, const Elf64_Ehdr *header, off_t size) {
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        off_t at = (off_t)(header->e_phoff + i * sizeof segment);
        if (at < 0 || pread(file, &segment, sizeof segment, at) != sizeof segment) return false;
        if (segment.p_type == PT_LOAD && (segment.p_offset > (Elf64_Off)size ||
                                          segment.p_filesz > (Elf64_Off)size - segment.p_offset))
            return false;
    }
    return true;
}

static bool is_shared_object(const char *path, int file, off_t file_size, char *error,
                             size_t size) {
    static const char cut[] = "a shared object that is cut short; build it again";
    static const char build[] = "build one with scripts/build-impl";
    Elf64_Ehdr header;
    char name[32];
    ssize_t got = pread(file, &header, sizeof header, 0);
    if (got < 4 || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        snprintf(error, size, "%s: not a shared object; %s", path, build);
    else if (got < (ssize_t)sizeof header) snprintf(error, size, "%s: %s", path, cut);
    else if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
        snprintf(error, size, "%s: built for %s; x86-64 is expected", path,
                 machine_name(header.e_machine, name));
    else if (header.e_type != ET_DYN)
        snprintf(error, size, "%s: %s, not a shared object; %s", path,
                 header.e_type == ET_REL ? "an object file" : "not made to be loaded", build);
    else if (!is_whole(file, &header, file_size)) snprintf(error, size, "%s: %s", path, cut);
    else return true;
    return false;
}

/* Has it that name, for the linker? */
static bool has_name(int file, size_t size, const char *name, size_t length) {
    char *image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (image == MAP_FAILED) return false;
    bool found = memmem(image, size, name, length) != NULL;
    munmap(image, size);
    return found;
}

/* Does it call the sanitizer? */
static bool is_sanitized(int file, size_t size) {
    static const char name[] = "__asan_init";
    return has_name(file, size, name, sizeof name);
}

/* A sanitizer's runtime that it would bring along, in a process that has one; NULL: none. */
static const char *own_runtime(int file, size_t size) {
    static const char *const names[] = {"libasan.so", "libtsan.so", "libhwasan.so",
                                        "libclang_rt.asan", "libclang_rt.tsan"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (has_name(file, size, names[i], strlen(names[i]))) return names[i];
    return NULL;
}

/* A copy that nobody else can change or remove; the file itself where there is no memory for it. */
static int copy_of(int file, off_t size) {
    int copy = memfd_create("implementation", MFD_CLOEXEC | 0x10 /* MFD_EXEC, since Linux 6.3 */);
    if (copy < 0) copy = memfd_create("implementation", MFD_CLOEXEC);
    off_t at = 0;
    while (copy >= 0 && at < size)
        if (sendfile(copy, file, &at, (size_t)(size - at)) <= 0) break;
    if (copy >= 0 && at == size) {
        close(file);
        return copy;
    }
    if (copy >= 0) close(copy);
    return file;
}

static bool take_file(Implementation *implementation, char *error, size_t size) {
    const char *path = implementation->path;
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &status) != 0) {
        snprintf(error, size, "%s: %s", path, strerror(errno));
        if (file >= 0) close(file);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        snprintf(error, size, "%s: %s; a shared object is expected", path,
                 S_ISDIR(status.st_mode) ? "is a folder" : "not a regular file");
        close(file);
        return false;
    }
    if (!is_shared_object(path, file, status.st_size, error, size)) {
        close(file);
        return false;
    }
    const char *runtime = own_runtime(file, (size_t)status.st_size);
    if (runtime) {
        snprintf(error, size,
                 "%s: needs %s, a sanitizer of its own; build it with scripts/build-impl", path,
                 runtime);
        close(file);
        return false;
    }
    implementation->sanitized = is_sanitized(file, (size_t)status.st_size);
    static char copy[48]; /* for the whole run: one implementation is run */
    implementation->file = copy_of(file, status.st_size);
    snprintf(copy, sizeof copy, "/proc/%d/fd/%d", getpid(), implementation->file);
    frames_file(copy, path);
    return true;
}

/* ---- the process that tries ---- */

/* What it says: whether it could be loaded, or what it died of. */
typedef struct {
    bool ended, good, instrumented;
    uint32_t exports;
    char error[1000];
    char kind[64]; /* of a crash */
    Frames frames;
    uint64_t fence; /* behind all: gone when something was written over it */
} Answer;

static Answer *answer;
enum { FENCE = 0x66656E63 };

static void on_report(const char *report) {
    if (answer->kind[0]) return;
    guard_inside = false;
    session_report_kind(report, answer->kind, sizeof answer->kind);
    frames_take_report(&answer->frames, NULL, report);
}

static void on_call(long number, const long argument[6]) {
    char called[64];
    if (!frames_take(&answer->frames, NULL, called, sizeof called)) return;
    guard_describe(number, argument, called, answer->kind, sizeof answer->kind, answer->error,
                   sizeof answer->error);
    guard_end(SESSION_EXIT);
}

_Noreturn static void try(Implementation *implementation) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    keeper_settle();
    dup2(null, 0), dup2(null, 1), dup2(null, 2);
    guard_memory();
    __asan_set_error_report_callback(on_report);
    guard_calls(on_call);
    answer->good = implementation_load(implementation, answer->error, sizeof answer->error);
    answer->instrumented = implementation->instrumented;
    answer->exports = implementation->exports;
    answer->ended = true;
    _exit(0);
}

static void tell_death(const char *path, int status, char *error, size_t size) {
    char where[FRAMES_TEXT];
    answer->kind[sizeof answer->kind - 1] = answer->error[sizeof answer->error - 1] = 0;
    frames_name(&answer->frames, where);
    const char *in = where[0] ? ", in " : "";
    if (answer->fence != FENCE)
        snprintf(error, size, "%s: writes over the harness's memory while it is loaded", path);
    else if (answer->kind[0] && answer->error[0])
        snprintf(error, size, "%s: %s while it is loaded%s%s", path, answer->error, in, where);
    else if (answer->kind[0])
        snprintf(error, size, "%s: crashes while it is loaded: %s%s%s", path, answer->kind, in,
                 where);
    else if (WIFSIGNALED(status))
        snprintf(error, size, "%s: crashes while it is loaded (%s)", path,
                 strsignal(WTERMSIG(status)));
    else if (WIFSTOPPED(status))
        snprintf(error, size, "%s: stops its process while it is loaded (%s)", path,
                 strsignal(WSTOPSIG(status)));
    else if (WEXITSTATUS(status) == SESSION_EXIT) /* the sanitizer's, without a report */
        snprintf(error, size,
                 "%s: needs more than the %d MiB of memory there are while it is loaded", path,
                 GUARD_MEMORY >> 20);
    else
        snprintf(error, size, "%s: exits while it is loaded (exit code %d)", path,
                 WEXITSTATUS(status));
}

/* False: it took too long. */
static bool await_end(pid_t process) {
    double begun = clock_now();
    struct timespec pause = {0, 1000000};
    while (!interrupt_signal && clock_now() - begun < waiting_limit) {
        siginfo_t info = {0};
        waitid(P_PID, (id_t)process, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT);
        if (info.si_pid) return true;
        if (process_seconds(process) > busy_limit) return false;
        nanosleep(&pause, NULL);
    }
    return false;
}

static bool try_apart(Implementation *implementation, char *error, size_t size) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        snprintf(error, size, "no process: %s", strerror(errno));
        return false;
    }
    if (child == 0) try(implementation);
    bool ended = await_end(child);
    kill(-child, ended ? 0 : SIGKILL);
    waitpid(child, &status, WUNTRACED);
    kill(-child, SIGKILL); /* and whatever it has started */
    if (WIFSTOPPED(status)) waitpid(child, NULL, 0);
    if (interrupt_signal) snprintf(error, size, "interrupted");
    else if (!ended) snprintf(error, size, "%s: hangs while it is loaded", implementation->path);
    else if (!answer->ended || answer->fence != FENCE)
        tell_death(implementation->path, status, error, size);
    else if (!answer->good) snprintf(error, size, "%s", answer->error);
    implementation->instrumented = answer->instrumented;
    implementation->exports = answer->exports;
    return ended && answer->ended && answer->good && answer->fence == FENCE;
}

bool implementation_open(Implementation *implementation, const char *path, char *error,
                         size_t size) {
    *implementation = (Implementation){.path = path, .file = -1};
    if (strcmp(path, "builtin") == 0) {
        implementation->builtin = implementation->instrumented = true;
        return true;
    }
    if (!take_file(implementation, error, size)) return false;
    answer = mmap(NULL, sizeof *answer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answer == MAP_FAILED) {
        snprintf(error, size, "out of memory");
        return false;
    }
    answer->fence = FENCE;
    bool good = try_apart(implementation, error, size);
    munmap(answer, sizeof *answer);
    return good;
}
