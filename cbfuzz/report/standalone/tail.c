
/* ---- what makes and checks the calls ---- */

#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SECONDS = 10, LEVELS = 5, NUMBERED = 1024 };
/* The system-defined objects have names, the others numbers. */
enum { SetSystemTime = NUMBERED + 1, PowerState, ProcessorAdd };

static struct {
    const char *call;
    size_t mark;
    NtThreadState state;
    PVOID status_place;
    int starting; /* the processor whose start is announced, -1: none */
    BOOLEAN of_processor;
} calls[64];
static unsigned call_count, level;
static char seen[1 << 18]; /* by the calls in progress */
static size_t seen_length;
static PVOID numbered[2][NUMBERED]; /* objects and registrations, in the order they were seen in */
static unsigned numbered_count[2];
static PVOID system_objects[3];
static BOOLEAN finished;

/* Reports of the sanitizer end with code 1, like any other failure. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_leaks=0:exitcode=1:handle_abort=1";
}

static void done(int code) {
    finished = TRUE;
    fflush(stdout);
    _exit(code);
}

/* `how` is the verdict, and for most of them what it is about. */
static void fails(const char *how, const char *what) {
    BOOLEAN same = strcmp(how, FAILURE) == 0;
    if (call_count) printf("%s\n", calls[call_count - 1].call);
    printf("%s: %s%s%s\n", same ? "fails" : "fails otherwise", how, *what ? ": " : "", what);
    done(same ? 1 : 2);
}

static void see(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void see(const char *format, ...) {
    va_list arguments;
    size_t room = sizeof seen - seen_length;
    if (room < 256) return;
    if (calls[call_count - 1].mark != seen_length)
        seen_length += (size_t)sprintf(seen + seen_length, "  ");
    va_start(arguments, format);
    seen_length += (size_t)vsnprintf(seen + seen_length, 200, format, arguments);
    va_end(arguments);
}

static void begin(const char *call) {
    calls[call_count].call = call;
    calls[call_count].mark = seen_length;
    calls[call_count].state = nt_thread_state();
    calls[call_count].status_place = NULL;
    calls[call_count].starting = -1;
    calls[call_count].of_processor = FALSE;
    seen[seen_length] = 0;
    call_count++;
}

static BOOLEAN call_is(const char *routine) {
    return strncmp(calls[call_count - 1].call, routine, strlen(routine)) == 0;
}

/* A call leaves the thread as it found it. Returns what was seen of it. */
static const char *finish(void) {
    NtThreadState before = calls[call_count - 1].state, after;
    const char *text = seen + calls[call_count - 1].mark;
    if (call_is("ExUnregister") || call_is("ObDereference") || call_is("ObMakeTemporary") ||
        call_is("KeDeregister"))
        nt_settle(false); /* what it left to system threads */
    after = nt_thread_state();
    if (!call_is("nt_set_irql") && before.irql != after.irql) fails("bugchecks IrqlChanged", "");
    if (before.spin_locks != after.spin_locks || before.mutexes != after.mutexes)
        fails("bugchecks LockHeld", "");
    if (before.critical != after.critical || before.guarded != after.guarded)
        fails("bugchecks RegionEntered", "");
    return text;
}

static void forget(void) {
    seen_length = calls[--call_count].mark;
    seen[seen_length] = 0;
}

static void end(const char *expected) {
    const char *text = finish();
    if (expected && strcmp(text, expected) != 0) {
        printf("expected %s, seen %s\n", expected, text);
        fails("an earlier call", "");
    }
    forget();
}

/* "STATUS_SUCCESS, object 1" is a STATUS_SUCCESS, "handle, registration 2" a handle. */
static BOOLEAN is_what_was_expected(const char *text, const char *expected) {
    size_t length = strlen(expected);
    return strncmp(text, expected, length) == 0 &&
           (!text[length] || (text[length] == ',' && !strchr(expected, '(')));
}

static void failing_end(const char *expected, const char *observed) {
    const char *text = finish();
    /* It may have been left in the middle then. */
    BOOLEAN same = *observed ? strncmp(text, observed, strlen(observed)) == 0 : !*text;
    BOOLEAN good = expected ? is_what_was_expected(text, expected) : !same;
    if (!good) {
        printf("expected %s\nobserved %s\n", EXPECTED, *text ? text : "nothing");
        fails(FAILURE, "");
    }
    forget();
}

static void must_exist(unsigned number) {
    if (nt_memory_at(object(number)) == NT_MEMORY_FREED)
        fails(FAILURE, "the object's memory was freed while it must still exist");
}

static unsigned number_of(unsigned kind, PVOID pointer) {
    unsigned i;
    for (i = 0; i < numbered_count[kind]; i++)
        if (numbered[kind][i] == pointer) return i + 1;
    if (i < NUMBERED) numbered[kind][numbered_count[kind]++] = pointer;
    return i + 1;
}

static PVOID object(unsigned number) {
    if (number > NUMBERED) return system_objects[number - SetSystemTime];
    return number ? numbered[0][number - 1] : NULL;
}

static PVOID registration(unsigned number) {
    return number && number <= NUMBERED ? numbered[1][number - 1] : NULL;
}

static const char *status_text(NTSTATUS status, char buffer[16]) {
    for (unsigned i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status) return statuses[i].name;
    sprintf(buffer, "0x%08X", (unsigned)status);
    return buffer;
}

static struct {
    UNICODE_STRING string;
    OBJECT_ATTRIBUTES attributes;
    const WCHAR *name;
} given;
static UNICODE_STRING string;
static OBJECT_ATTRIBUTES result;

/* What lies behind a name must not be touched. */
static POBJECT_ATTRIBUTES with_name(const WCHAR *name, USHORT bytes, ULONG attributes) {
    static _Alignas(16) char memory[0x10000 + 64];
    __asan_poison_memory_region(memory + 0x10000, 64);
    memset(&string, 0, sizeof string);
    if (name) {
        string.Buffer = (PWCH)(memory + 0x10000 - bytes);
        memcpy(string.Buffer, name, bytes);
        string.Length = string.MaximumLength = bytes;
    }
    InitializeObjectAttributes(&result, name ? &string : NULL, attributes, NULL, NULL);
    given.string = string;
    given.attributes = result;
    given.name = name;
    return &result;
}

static void input_must_be_kept(void) {
    if (memcmp(&given.string, &string, sizeof string) != 0 ||
        memcmp(&given.attributes, &result, sizeof result) != 0 ||
        (given.name && memcmp(string.Buffer, given.name, string.Length) != 0))
        fails("diverges CREATE-ATTRIBUTES-KEPT", "the caller's attributes or name were changed");
    string.Buffer = given.string.Buffer;
}

static void created(NTSTATUS status, PCALLBACK_OBJECT *stored) {
    static const char *const names[] = {"SetSystemTime", "PowerState", "ProcessorAdd"};
    char buffer[16];
    unsigned i;
    input_must_be_kept();
    if (status != STATUS_SUCCESS) *stored = NULL;
    if (!*stored) {
        see("%s", status_text(status, buffer));
        return;
    }
    for (i = 0; i < 3; i++)
        if (system_objects[i] == *stored) break;
    if (i < 3) see("%s, object %s", status_text(status, buffer), names[i]);
    else see("%s, object %u", status_text(status, buffer), number_of(0, *stored));
}

static void registered(PVOID handle) {
    if (handle) see("handle, registration %u", number_of(1, handle));
    else see("NULL");
}

static const char *level_text(void) {
    static const char *const texts[] = {"", " at APC_LEVEL", " at DISPATCH_LEVEL"};
    static char higher[16];
    KIRQL irql = KeGetCurrentIrql();
    sprintf(higher, " at %u", irql);
    return irql < 3 ? texts[irql] : higher;
}

/* Memory that may not be there. */
static BOOLEAN is_read(PVOID to, PVOID from, size_t size) {
    struct iovec local = {to, size}, remote = {from, size};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* What a processor's event passes is told by content; * is what leads nowhere. */
static void see_processor(const char *routine, PVOID context, PVOID argument1, PVOID argument2) {
    static const char *const stages[] = {"start", "complete", "failure"};
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT change;
    NTSTATUS status;
    char buffer[16], first[32] = "*", second[64] = "*";
    calls[call_count - 1].starting = -1;
    if (is_read(&change, argument1, sizeof change) && (unsigned)change.State < 3) {
        sprintf(first, "%s %u", stages[change.State], (unsigned)change.NtNumber);
        if (change.State == KeProcessorAddStartNotify)
            calls[call_count - 1].starting = (int)change.NtNumber;
    }
    if (is_read(&status, argument2, sizeof status)) {
        snprintf(second, sizeof second, "%s", status_text(status, buffer));
        calls[call_count - 1].status_place = argument2;
    }
    see("%s(0x%llx, %s, %s)%s", routine, (unsigned long long)(ULONG_PTR)context, first, second,
        level_text());
}

/* A routine begins. From the fifth level of nesting on its body does not run. */
static BOOLEAN enter(const char *routine, PVOID context, PVOID argument1, PVOID argument2) {
    if (calls[call_count - 1].of_processor) see_processor(routine, context, argument1, argument2);
    else
        see("%s(0x%llx, 0x%llx, 0x%llx)%s", routine, (unsigned long long)(ULONG_PTR)context,
            (unsigned long long)(ULONG_PTR)argument1, (unsigned long long)(ULONG_PTR)argument2,
            level_text());
    return ++level < LEVELS;
}

static void leave(void) {
    level--;
}

/* While the start of this processor is announced; -1: of any. */
static void set_status(NTSTATUS status, int processor) {
    /* The call before the one that this is itself. */
    if (call_count > 1 && calls[call_count - 2].status_place &&
        (processor < 0 || processor == calls[call_count - 2].starting))
        *(PNTSTATUS)calls[call_count - 2].status_place = status;
}

static void set_system_time(void) {
    if (system_objects[0]) ExNotifyCallback(system_objects[0], NULL, NULL);
}

static void power_state(PVOID argument1, PVOID argument2) {
    if (system_objects[1]) ExNotifyCallback(system_objects[1], argument1, argument2);
}

static NTSTATUS announce(KE_PROCESSOR_CHANGE_NOTIFY_STATE state, ULONG number, NTSTATUS why) {
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT context;
    NTSTATUS status = STATUS_SUCCESS;
    memset(&context, 0, sizeof context);
    context.State = state;
    context.NtNumber = number;
    context.Status = why;
    context.ProcNumber.Number = (UCHAR)context.NtNumber;
    if (system_objects[2]) ExNotifyCallback(system_objects[2], &context, &status);
    NOTIFY_CHANGE(&context, &status);
    return status;
}

static void add_processor(BOOLEAN fails) {
    ULONG number = nt_active_processors();
    NTSTATUS status;
    calls[call_count - 1].of_processor = TRUE;
    status = announce(KeProcessorAddStartNotify, number, STATUS_SUCCESS);
    if (!status && fails) status = STATUS_UNSUCCESSFUL;
    if (!status) nt_processor_started();
    announce(status ? KeProcessorAddFailureNotify : KeProcessorAddCompleteNotify, number, status);
}

static PVOID register_change(PCALLBACK_FUNCTION routine, PVOID context, ULONG flags) {
    calls[call_count - 1].of_processor = TRUE;
    return KeRegisterProcessorChangeCallback((PPROCESSOR_CALLBACK_FUNCTION)(PVOID)routine, context,
                                             flags);
}

/* All was given back. */
static void left_nothing(void) {
    char text[64];
    nt_settle(true);
    sprintf(text, "%u allocations", (unsigned)nt_live_allocations());
    if (nt_live_allocations()) fails("leaks", text);
}

static void on_stop(const NtStop *stop) {
    char how[128];
    snprintf(how, sizeof how, "bugchecks %s", stop->rule);
    fails(stop->kind == NT_STOP_DEADLOCK ? "deadlocks" : how, stop->text);
}

static void on_alarm(int unused) {
    (void)unused;
    fails("hangs", "");
}

static void on_exit_of_others(void) {
    if (!finished) fails("crashes exit", "");
}

static void open_system_object(unsigned place, const WCHAR *name, USHORT bytes, BOOLEAN make) {
    PCALLBACK_OBJECT found = NULL;
    WCHAR terminated[32] = {0};
    UNICODE_STRING boot_name = {bytes, bytes + sizeof(WCHAR), terminated};
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status;
    memcpy(terminated, name, bytes);
    InitializeObjectAttributes(&attributes, &boot_name,
                               OBJ_CASE_INSENSITIVE | (make ? OBJ_PERMANENT : 0), NULL, NULL);
    status = ExCreateCallback(&found, &attributes, make, make);
    system_objects[place] = NT_SUCCESS(status) ? found : NULL;
}

static void make_directory(void) {
    static const WCHAR name[] = L"\\Callback";
    HANDLE handle;
    if (NT_SUCCESS(ZwCreateDirectoryObject(&handle, DIRECTORY_ALL_ACCESS,
                                           NAMED(name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE))))
        ZwClose(handle);
}

static void boot(void) {
    static const WCHAR time[] = L"\\Callback\\SetSystemTime", power[] = L"\\Callback\\PowerState",
                       processor[] = L"\\Callback\\ProcessorAdd";
    nt_set_stop_handler(on_stop);
    signal(SIGALRM, on_alarm);
    atexit(on_exit_of_others);
    if (!nt_boot()) exit(3);
    alarm(SECONDS);
#ifdef INITIALIZE
    if (!NT_SUCCESS(CbfuzzInitialize())) fails("CbfuzzInitialize", "");
    BOOLEAN make = FALSE;
#else
    BOOLEAN make = TRUE;
    make_directory();
#endif
    open_system_object(0, time, sizeof time - sizeof(WCHAR), make);
    open_system_object(1, power, sizeof power - sizeof(WCHAR), make);
    open_system_object(2, processor, sizeof processor - sizeof(WCHAR), make);
    nt_settle(false);
    if (!nt_checkpoint()) exit(3);
}

int main(void) {
    boot();
    program();
    printf("does not fail\n");
    done(0);
}
