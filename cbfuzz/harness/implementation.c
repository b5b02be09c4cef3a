/* Loads the implementation under test, boots it, and brings it back to its start. */
#define _GNU_SOURCE
#include "harness/implementation.h"

#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "callback/callback.h"
#include "harness/frames.h"
#include "harness/globals.h"
#include "harness/guard.h"
#include "nt/nt.h"
#include "program/status.h"

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
    if (_setjmp(boot_leave)) {
        guard_inside = false;
        snprintf(error, size, "%s: stopped while it booted: %s: %s", implementation->path,
                 boot_stop.rule ? boot_stop.rule : "", boot_stop.text);
        return false;
    }
    guard_inside = true;
    NTSTATUS status = implementation->initialize ? implementation->initialize() : STATUS_SUCCESS;
    if (NT_SUCCESS(status)) make_system_objects(implementation);
    nt_settle(false); /* its threads, if it has any, wait for work from now on */
    guard_inside = false;
    if (NT_SUCCESS(status)) return true;
    const char *name = status_name((uint32_t)status);
    snprintf(error, size, "%s: CbfuzzInitialize failed with 0x%08X%s%s", implementation->path,
             (unsigned)status, name ? ", " : "", name ? name : "");
    return false;
}

/* What the dynamic linker says, without the name of our copy; and what that means. */
static void tell_linker_error(const Implementation *implementation, char *error, size_t size) {
    const char *text = dlerror(), *undefined = "undefined symbol: ";
    const char *colon = text ? strstr(text, ": ") : NULL;
    text = colon ? colon + 2 : text;
    const char *symbol = text ? strstr(text, undefined) : NULL;
    if (symbol)
        snprintf(error, size,
                 "%s: needs %s, which the kernel environment does not have; bring it along, or "
                 "do without it",
                 implementation->path, symbol + strlen(undefined));
    else
        snprintf(error, size, "%s: cannot be loaded: %s", implementation->path,
                 text ? text : "no reason given");
}

bool implementation_load(Implementation *implementation, char *error, size_t size) {
    if (!nt_boot()) {
        snprintf(error, size, "no memory for the kernel environment");
        return false;
    }
    use_environment(implementation);
    void *handle = NULL;
    char copy[32];
    snprintf(copy, sizeof copy, "/proc/self/fd/%d", implementation->file);
    if (implementation->builtin) {
        use_builtin(implementation);
    } else {
        frames_of(copy);
        guard_loading = true;
        guard_inside = true;
        handle = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
        guard_inside = false;
        guard_loading = false;
        if (!handle) {
            tell_linker_error(implementation, error, size);
            return false;
        }
        if (!use_exports(implementation, handle, error, size)) return false;
    }
    if (!boot(implementation, error, size)) return false;
    if (guard_swollen()) {
        snprintf(error, size, "%s: takes more than %d MiB of memory while it is loaded",
                 implementation->path, GUARD_SWOLLEN >> 20);
        return false;
    }
    if (!nt_checkpoint()) {
        snprintf(error, size, "no memory for the kernel environment");
        return false;
    }
    if (!globals_save(handle, copy, &implementation->instrumented)) {
        snprintf(error, size, "%s: its globals cannot be saved", implementation->path);
        return false;
    }
    return true;
}

void implementation_rewind(const Implementation *implementation) {
    (void)implementation;
    nt_rewind();
    globals_restore();
}
