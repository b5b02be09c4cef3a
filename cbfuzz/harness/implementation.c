/* Loads the implementation under test, boots it, and brings it back to its start. */
#define _GNU_SOURCE
#include "harness/implementation.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "callback/callback.h"
#include "harness/globals.h"
#include "nt/nt.h"

enum { PROBE_SECONDS = 10 /* boots take microseconds; a noisy machine takes longer */ };

static jmp_buf boot_leave;
static NtStop boot_stop;

static void on_boot_stop(const NtStop *stop) {
    boot_stop = *stop;
    longjmp(boot_leave, 1);
}

/* The routine that the shared object itself defines, not one of ours. */
static void *own_symbol(void *handle, const char *name) {
    void *address = dlsym(handle, name);
    if (!address) return NULL;
    Dl_info info;
    struct link_map *map;
    if (!dladdr(address, &info) || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return NULL;
    return (uintptr_t)info.dli_fbase == map->l_addr ? address : NULL;
}

static void use_builtin(Implementation *implementation) {
    implementation->builtin = true;
    implementation->create = ExCreateCallback;
    implementation->register_callback = ExRegisterCallback;
    implementation->unregister = ExUnregisterCallback;
    implementation->notify = ExNotifyCallback;
    implementation->initialize = CbfuzzInitialize;
}

static void use_environment(Implementation *implementation) {
    implementation->reference = (void (*)(PVOID))(void *)ObReferenceObject;
    implementation->dereference = (void (*)(PVOID))(void *)ObDereferenceObject;
    implementation->make_temporary = ObMakeTemporaryObject;
    implementation->register_change = KeRegisterProcessorChangeCallback;
    implementation->deregister_change = KeDeregisterProcessorChangeCallback;
    implementation->notify_change = KiNotifyProcessorChange;
}

static bool use_exports(Implementation *implementation, void *handle, char *error, size_t size) {
    static const char *const required[] = {"ExCreateCallback", "ExRegisterCallback",
                                           "ExUnregisterCallback", "ExNotifyCallback"};
    void *found[4];
    for (unsigned i = 0; i < 4; i++)
        if (!(found[i] = own_symbol(handle, required[i]))) {
            snprintf(error, size,
                     "%s: exports no %s; the four routines of callback objects are needed",
                     implementation->path, required[i]);
            return false;
        }
    *(void **)&implementation->create = found[0];
    *(void **)&implementation->register_callback = found[1];
    *(void **)&implementation->unregister = found[2];
    *(void **)&implementation->notify = found[3];
    *(void **)&implementation->initialize = own_symbol(handle, "CbfuzzInitialize");
    static const struct {
        const char *name;
        size_t at;
    } optional[] = {
        {"ObReferenceObject", offsetof(Implementation, reference)},
        {"ObfReferenceObject", offsetof(Implementation, reference)},
        {"ObDereferenceObject", offsetof(Implementation, dereference)},
        {"ObfDereferenceObject", offsetof(Implementation, dereference)},
        {"ObMakeTemporaryObject", offsetof(Implementation, make_temporary)},
        {"KeRegisterProcessorChangeCallback", offsetof(Implementation, register_change)},
        {"KeDeregisterProcessorChangeCallback", offsetof(Implementation, deregister_change)},
    };
    for (unsigned i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        void *address = own_symbol(handle, optional[i].name);
        if (!address) continue;
        *(void **)((char *)implementation + optional[i].at) = address;
        if (i < 5) implementation->own_objects = true;
        /* Its own processor change hears of processors through ProcessorAdd, or,
         * where it has a kernel's inner entry for it, through that. */
        else
            *(void **)&implementation->notify_change =
                own_symbol(handle, "KiNotifyProcessorChange");
    }
    return true;
}

/* The directory and the three objects, through the implementation's own routine. */
static void make_system_objects(Implementation *implementation) {
    static WCHAR directory[] = u"\\Callback";
    static WCHAR *const names[3] = {u"\\Callback\\SetSystemTime", u"\\Callback\\PowerState",
                                    u"\\Callback\\ProcessorAdd"};
    bool make = implementation->initialize == NULL;
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    if (make) {
        HANDLE handle;
        RtlInitUnicodeString(&name, directory);
        InitializeObjectAttributes(&attributes, &name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                                   NULL);
        if (NT_SUCCESS(ZwCreateDirectoryObject(&handle, DIRECTORY_ALL_ACCESS, &attributes)))
            ZwClose(handle);
    }
    for (unsigned i = 0; i < 3; i++) {
        PCALLBACK_OBJECT object = NULL;
        RtlInitUnicodeString(&name, names[i]);
        InitializeObjectAttributes(&attributes, &name,
                                   OBJ_CASE_INSENSITIVE | (make ? OBJ_PERMANENT : 0), NULL, NULL);
        NTSTATUS status = implementation->create(&object, &attributes, make, make);
        implementation->system[i] = NT_SUCCESS(status) ? object : NULL;
    }
}

static bool boot(Implementation *implementation, char *error, size_t size) {
    nt_set_stop_handler(on_boot_stop);
    if (setjmp(boot_leave)) {
        snprintf(error, size, "%s: stopped while it booted: %s: %s", implementation->path,
                 boot_stop.rule ? boot_stop.rule : "", boot_stop.text);
        return false;
    }
    if (implementation->initialize) {
        NTSTATUS status = implementation->initialize();
        if (!NT_SUCCESS(status)) {
            snprintf(error, size, "%s: CbfuzzInitialize failed with status 0x%08X",
                     implementation->path, (unsigned)status);
            return false;
        }
    }
    make_system_objects(implementation);
    nt_settle(false); /* its threads, if it has any, wait for work from now on */
    return true;
}

bool implementation_load(Implementation *implementation, const char *path, char *error,
                         size_t size) {
    *implementation = (Implementation){.path = path};
    if (!nt_boot()) {
        snprintf(error, size, "no memory for the kernel environment");
        return false;
    }
    use_environment(implementation);
    void *handle = NULL;
    if (strcmp(path, "builtin") == 0) {
        use_builtin(implementation);
    } else {
        char *absolute = realpath(path, NULL);
        handle = absolute ? dlopen(absolute, RTLD_NOW | RTLD_LOCAL) : NULL;
        if (!handle) {
            snprintf(error, size, "%s: cannot be loaded: %s", path,
                     absolute ? dlerror() : strerror(errno));
            free(absolute);
            return false;
        }
        free(absolute);
        if (!use_exports(implementation, handle, error, size)) return false;
    }
    if (!boot(implementation, error, size)) return false;
    if (!nt_checkpoint()) {
        snprintf(error, size, "no memory for the kernel environment");
        return false;
    }
    if (!globals_save(handle, path, &implementation->instrumented)) {
        snprintf(error, size, "%s: its globals cannot be saved", path);
        return false;
    }
    return true;
}

bool implementation_probe(const char *path, char *error, size_t size) {
    if (strcmp(path, "builtin") == 0) return true;
    struct stat file;
    if (stat(path, &file) != 0 || access(path, R_OK) != 0) {
        snprintf(error, size, "%s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISREG(file.st_mode)) {
        snprintf(error, size, "%s: not a shared object (build one with scripts/build-impl)", path);
        return false;
    }
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        snprintf(error, size, "no pipe: %s", strerror(errno));
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0), dup2(null, 1), dup2(null, 2);
        Implementation implementation;
        char text[512] = "";
        bool good = implementation_load(&implementation, path, text, sizeof text);
        char answer = good ? 'y' : 'n';
        ssize_t ignored = write(pipes[1], &answer, 1);
        ignored = write(pipes[1], text, strlen(text));
        (void)ignored;
        _exit(0);
    }
    close(pipes[1]);
    char answer[513];
    size_t got = 0;
    struct timespec pause = {0, 1000000};
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    int status = 0;
    bool ended = false;
    for (unsigned waited = 0; child > 0 && waited < PROBE_SECONDS * 1000 && !ended; waited++) {
        ended = waitpid(child, &status, WNOHANG) == child;
        ssize_t more = read(pipes[0], answer + got, sizeof answer - 1 - got);
        if (more > 0) got += (size_t)more;
        if (!ended) nanosleep(&pause, NULL);
    }
    close(pipes[0]);
    answer[got] = 0;
    if (!ended && child > 0) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        snprintf(error, size, "%s: hangs while it is loaded", path);
        return false;
    }
    if (child > 0 && got && answer[0] == 'y') return true;
    if (got && answer[0] == 'n') snprintf(error, size, "%s", answer + 1);
    else if (WIFSIGNALED(status))
        snprintf(error, size, "%s: crashes while it is loaded (%s)", path,
                 strsignal(WTERMSIG(status)));
    else
        snprintf(error, size, "%s: exits or crashes while it is loaded (exit code %d)", path,
                 WEXITSTATUS(status));
    return false;
}

void implementation_rewind(const Implementation *implementation) {
    (void)implementation;
    nt_rewind();
    globals_restore();
}

const char *implementation_symbol(const Implementation *implementation, const void *address,
                                  char *buffer, size_t size) {
    (void)implementation;
    Dl_info info;
    buffer[0] = 0;
    if (address && dladdr(address, &info) && info.dli_sname)
        snprintf(buffer, size, "%s", info.dli_sname);
    return buffer;
}
