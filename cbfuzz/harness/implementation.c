/* Loads the implementation under test, boots it, and brings it back to its start. */
#define _GNU_SOURCE
#include "harness/implementation.h"

#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* What a shared object may export. Those that are not required go in pairs, if they have
 * a partner: what one gives, the other takes back. */
static const struct {
    const char *name;
    size_t at; /* in Implementation */
    bool required;
    const char *partner;
} exports[] = {
    {"ExCreateCallback", offsetof(Implementation, create), true, NULL},
    {"ExRegisterCallback", offsetof(Implementation, register_callback), true, NULL},
    {"ExUnregisterCallback", offsetof(Implementation, unregister), true, NULL},
    {"ExNotifyCallback", offsetof(Implementation, notify), true, NULL},
    {"CbfuzzInitialize", offsetof(Implementation, initialize), false, NULL},
    {"ObReferenceObject", offsetof(Implementation, reference), false, "ObDereferenceObject"},
    {"ObDereferenceObject", offsetof(Implementation, dereference), false, "ObReferenceObject"},
    {"ObfReferenceObject", offsetof(Implementation, reference), false, "ObfDereferenceObject"},
    {"ObfDereferenceObject", offsetof(Implementation, dereference), false, "ObfReferenceObject"},
    {"ObMakeTemporaryObject", offsetof(Implementation, make_temporary), false, NULL},
    {"KeRegisterProcessorChangeCallback", offsetof(Implementation, register_change), false,
     "KeDeregisterProcessorChangeCallback"},
    {"KeDeregisterProcessorChangeCallback", offsetof(Implementation, deregister_change), false,
     "KeRegisterProcessorChangeCallback"},
    {"KiNotifyProcessorChange", offsetof(Implementation, notify_change), false,
     "KeRegisterProcessorChangeCallback"},
};
enum { EXPORTS = sizeof exports / sizeof exports[0] };

const char *implementation_export(unsigned place, bool *required) {
    if (place >= EXPORTS) return NULL;
    *required = exports[place].required;
    return exports[place].name;
}

static bool use_exports(Implementation *implementation, void *handle, char *error, size_t size) {
    char missing[200] = "";
    size_t used = 0;
    /* Its own processor change hears of processors through ProcessorAdd, or, where it has
     * a kernel's inner entry for it, through that. */
    if (own_symbol(handle, "KeRegisterProcessorChangeCallback"))
        implementation->notify_change = NULL;
    for (unsigned i = 0; i < EXPORTS; i++) {
        void *address = own_symbol(handle, exports[i].name);
        if (address) {
            *(void **)((char *)implementation + exports[i].at) = address;
            implementation->exports |= 1u << i;
        } else if (exports[i].required) {
            used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s",
                                     used ? " and no " : "", exports[i].name);
        }
        if (!address || !exports[i].partner || own_symbol(handle, exports[i].partner)) continue;
        snprintf(error, size, "%s: exports %s, but no %s; they go together", implementation->path,
                 exports[i].name, exports[i].partner);
        return false;
    }
    if (missing[0])
        snprintf(error, size, "%s: exports no %s; the four routines of callback objects are needed",
                 implementation->path, missing);
    return !missing[0];
}

/* The directory and the three objects, through the implementation's own routine. */
static void make_system_objects(Implementation *implementation) {
    static WCHAR directory[] = u"\\Callback";
    /* On the stack as a kernel's would be: who writes to them does not die of it. */
    WCHAR names[3][24] = {u"\\Callback\\SetSystemTime", u"\\Callback\\PowerState",
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

static bool tell_direction(const Implementation *implementation, char *error, size_t size) {
    snprintf(error, size, "%s: leaves the processor's direction flag set while it is loaded",
             implementation->path);
    return false;
}

static bool boot(Implementation *implementation, char *error, size_t size) {
    nt_set_stop_handler(on_boot_stop);
    if (_setjmp(boot_leave)) {
        guard_inside = false;
        guard_direction();
        snprintf(error, size, "%s: stopped while it booted: %s: %s", implementation->path,
                 boot_stop.rule ? boot_stop.rule : "", boot_stop.text);
        return false;
    }
    guard_inside = true;
    NTSTATUS status = implementation->initialize ? implementation->initialize() : STATUS_SUCCESS;
    if (NT_SUCCESS(status)) make_system_objects(implementation);
    bool forward = guard_direction();
    nt_settle(false); /* its threads, if it has any, wait for work from now on */
    guard_inside = false;
    if (!forward) return tell_direction(implementation, error, size);
    if (NT_SUCCESS(status)) return true;
    const char *name = status_name((uint32_t)status);
    snprintf(error, size, "%s: CbfuzzInitialize failed with 0x%08X%s%s", implementation->path,
             (unsigned)status, name ? ", " : "", name ? name : "");
    return false;
}

/* What the dynamic linker says, without the name of our copy; and what that means. */
static void tell_linker_error(const Implementation *implementation, const char *copy, char *error,
                              size_t size) {
    const char *text = dlerror(), *undefined = "undefined symbol: ";
    size_t length = strlen(copy);
    if (text && strncmp(text, copy, length) == 0 && strncmp(text + length, ": ", 2) == 0)
        text += length + 2;
    const char *symbol = text ? strstr(text, undefined) : NULL;
    if (symbol) symbol += strlen(undefined);
    if (symbol && strncmp(symbol, "__", 2) == 0 && strstr(symbol, "san_"))
        snprintf(error, size, "%s: needs %s of another sanitizer; build it with scripts/build-impl",
                 implementation->path, symbol);
    else if (symbol)
        snprintf(error, size,
                 "%s: needs %s, which the kernel environment does not have; bring it along, or "
                 "do without it",
                 implementation->path, symbol);
    else
        snprintf(error, size, "%s: cannot be loaded: %s", implementation->path,
                 text ? text : "no reason given");
}

void implementation_direct(Implementation *implementation, const char *path) {
    *implementation = (Implementation){
        .path = path, .builtin = strcmp(path, "builtin") == 0, .direct = true, .file = -1};
}

bool implementation_load(Implementation *implementation, char *error, size_t size) {
    if (!nt_boot()) {
        snprintf(error, size, "no memory for the kernel environment");
        return false;
    }
    use_environment(implementation);
    void *handle = NULL;
    char copy[4200];
    snprintf(copy, sizeof copy, "/proc/self/fd/%d", implementation->file);
    if (implementation->direct || access(copy, R_OK) != 0) /* no /proc here */
        snprintf(copy, sizeof copy, "%s%s", strchr(implementation->path, '/') ? "" : "./",
                 implementation->path);
    if (implementation->builtin) {
        use_builtin(implementation);
    } else {
        frames_of(copy);
        guard_loading = true;
        guard_inside = true;
        handle = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
        guard_inside = false;
        bool forward = guard_direction();
        guard_loading = false;
        if (!handle) {
            tell_linker_error(implementation, copy, error, size);
            return false;
        }
        if (!forward) return tell_direction(implementation, error, size);
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
