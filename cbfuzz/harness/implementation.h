/* The implementation under test: the built-in one, or a shared object. */
#ifndef CBFUZZ_HARNESS_IMPLEMENTATION_H
#define CBFUZZ_HARNESS_IMPLEMENTATION_H

#include <ntifs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *path; /* "builtin", or that of the shared object */
    bool builtin, instrumented;
    bool direct;      /* load the file itself, as debuggers know it, not the copy */
    bool sanitized;   /* its memory errors are seen */
    uint32_t exports; /* bit i: it has implementation_export(i) */
    int file;         /* a copy of the shared object: what becomes of the file does not matter */
    NTSTATUS(NTAPI *create)(PCALLBACK_OBJECT *, POBJECT_ATTRIBUTES, BOOLEAN, BOOLEAN);
    PVOID(NTAPI *register_callback)(PCALLBACK_OBJECT, PCALLBACK_FUNCTION, PVOID);
    VOID(NTAPI *unregister)(PVOID);
    VOID(NTAPI *notify)(PVOID, PVOID, PVOID);
    NTSTATUS (*initialize)(VOID); /* NULL: the harness makes the system's objects */
    /* Its own where it exports them, else the environment's. */
    void (*reference)(PVOID);
    void (*dereference)(PVOID);
    VOID(NTAPI *make_temporary)(PVOID);
    PVOID(NTAPI *register_change)(PPROCESSOR_CALLBACK_FUNCTION, PVOID, ULONG);
    VOID(NTAPI *deregister_change)(PVOID);
    /* What hears of added processors besides the routines of ProcessorAdd; NULL: nobody. */
    VOID (*notify_change)(PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, PNTSTATUS);
    PVOID system[3]; /* SetSystemTime, PowerState, ProcessorAdd; NULL if it has none */
} Implementation;

/* Looks at the file, and tries to load it in a process of its own, with a limit of time:
 * a shared object runs code while it is loaded. Nothing is loaded here. False:
 * `error` says in one line what is wrong and what to do. */
bool implementation_open(Implementation *implementation, const char *path, char *error,
                         size_t error_size);

/* What a shared object may export: the names in order, NULL behind the last. */
const char *implementation_export(unsigned place, bool *required);

/* Instead of implementation_open, in a process that may be lost: nothing is looked at. */
void implementation_direct(Implementation *implementation, const char *path);

/* Loads and boots what was opened, and sets the checkpoint that each program starts
 * from; once per process. False: `error` says why. */
bool implementation_load(Implementation *implementation, char *error, size_t error_size);

/* Puts environment and implementation back to the checkpoint. */
void implementation_rewind(const Implementation *implementation);

#endif
