/* Checks what only several threads show of the built-in implementation: who unregisters waits for
 * the calls that others are in, and two who create one name at once get one object. */
#include "environment.h"

#include <unistd.h>

NTSTATUS CbfuzzInitialize(VOID);

enum { CALLERS = 3, SECONDS = 20 };

/* A call of the routine: it says that it is in, and stays until it may go. */
typedef struct {
    KEVENT in, go;
    BOOLEAN spins, unregisters;
    volatile BOOLEAN may_go;
} Stay;
static Stay stays[CALLERS];
static PCALLBACK_OBJECT object;
static PVOID registration;
static volatile BOOLEAN unregistered;

static PETHREAD start(KSTART_ROUTINE *routine, PVOID context) {
    HANDLE handle;
    PVOID thread;
    CHECK(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, routine, context) ==
          STATUS_SUCCESS);
    CHECK(ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread,
                                    NULL) == STATUS_SUCCESS);
    ZwClose(handle);
    return thread;
}

static void join(PETHREAD thread) {
    CHECK(WAIT(thread, NULL) == STATUS_SUCCESS);
    ObDereferenceObject(thread);
}

static void let_others_run(void) {
    for (int i = 0; i < 20; i++)
        ZwYieldExecution();
}

static VOID unregisters(PVOID Context) {
    (void)Context;
    ExUnregisterCallback(registration);
    unregistered = TRUE;
}

static VOID NTAPI called(PVOID Context, PVOID Argument1, PVOID Argument2) {
    Stay *stay = Argument1;
    (void)Context, (void)Argument2;
    KeSetEvent(&stay->in, IO_NO_INCREMENT, FALSE);
    if (stay->unregisters) unregisters(NULL);
    else if (!stay->spins) WAIT(&stay->go, NULL);
    else
        while (!stay->may_go)
            KeYieldProcessor();
}

static VOID notifies(PVOID Context) {
    Stay *stay = Context;
    KIRQL old = PASSIVE_LEVEL;
    if (stay->spins) KeRaiseIrql(DISPATCH_LEVEL, &old);
    ExNotifyCallback(object, stay, NULL);
    if (stay->spins) KeLowerIrql(old);
}

/* A thread in the routine. */
static PETHREAD enter(Stay *stay) {
    PETHREAD thread = start(notifies, stay);
    WAIT(&stay->in, NULL);
    return thread;
}

static void let_go(Stay *stay) {
    stay->may_go = TRUE;
    KeSetEvent(&stay->go, IO_NO_INCREMENT, FALSE);
}

static void set_up(void) {
    UNICODE_STRING name = text(L"\\Callback\\Threads");
    OBJECT_ATTRIBUTES attributes = named(&name, 0, NULL);
    CHECK(ExCreateCallback(&object, &attributes, TRUE, TRUE) == STATUS_SUCCESS);
    registration = ExRegisterCallback(object, called, NULL);
    CHECK(registration != NULL);
    unregistered = FALSE;
    memset(stays, 0, sizeof(stays));
    for (int i = 0; i < CALLERS; i++) {
        KeInitializeEvent(&stays[i].in, NotificationEvent, FALSE);
        KeInitializeEvent(&stays[i].go, NotificationEvent, FALSE);
    }
}

/* Nobody hears of the object any more, and nothing is left. */
static void tear_down(void) {
    CHECK(unregistered);
    ExNotifyCallback(object, NULL, NULL);
    ObDereferenceObject(object);
    CHECK(nt_live_allocations() == 0);
    nt_rewind();
}

/* They leave in any order; the last of them lets the one that unregisters go on. */
static void unregistering_waits_for_calls(void) {
    static const int orders[][CALLERS] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};
    for (size_t order = 0; order < RTL_NUMBER_OF(orders); order++) {
        PETHREAD callers[CALLERS], remover;
        set_up();
        for (int i = 0; i < CALLERS; i++)
            callers[i] = enter(&stays[i]);
        remover = start(unregisters, NULL);
        for (int i = 0; i < CALLERS; i++) {
            let_others_run();
            CHECK(!unregistered);
            let_go(&stays[orders[order][i]]);
            join(callers[orders[order][i]]);
        }
        join(remover);
        tear_down();
    }
}

/* The one that unregisters waits until the first of the stays ends. */
static void goes_on_after(PETHREAD caller, PETHREAD remover) {
    let_others_run();
    CHECK(!unregistered);
    let_go(&stays[0]);
    join(caller);
    join(remover);
    tear_down();
}

static void unregistering_waits_at_dispatch_level(void) {
    PETHREAD caller, remover;
    set_up();
    stays[0].spins = TRUE;
    caller = enter(&stays[0]);
    remover = start(unregisters, NULL);
    goes_on_after(caller, remover);
}

/* From inside of the routine its own call is not waited for, but that of another thread is. */
static void unregistering_itself_waits_for_others(void) {
    PETHREAD caller, remover;
    set_up();
    stays[1].unregisters = TRUE;
    caller = enter(&stays[0]);
    remover = enter(&stays[1]);
    goes_on_after(caller, remover);
}

static PCALLBACK_OBJECT theirs;
static unsigned point_at, points;

/* Another one is faster: between two steps of ours. */
static void creates_meanwhile(NtPoint point, const void *what) {
    UNICODE_STRING name = text(L"\\Callback\\Both");
    OBJECT_ATTRIBUTES attributes = named(&name, OBJ_PERMANENT, NULL);
    (void)what;
    if (point != NT_POINT_OBJECT || points++ != point_at) return;
    nt_switch_hook = NULL;
    CHECK(ExCreateCallback(&theirs, &attributes, TRUE, TRUE) == STATUS_SUCCESS);
}

static void creators_of_one_name_get_one_object(void) {
    UNICODE_STRING name = text(L"\\Callback\\Both");
    OBJECT_ATTRIBUTES attributes = named(&name, OBJ_PERMANENT, NULL);
    for (point_at = 0; point_at < 3; point_at++) { /* before it opens, makes, inserts */
        points = 0;
        nt_switch_hook = creates_meanwhile;
        CHECK(ExCreateCallback(&object, &attributes, TRUE, TRUE) == STATUS_SUCCESS);
        CHECK(nt_switch_hook == NULL && object == theirs);
        ObMakeTemporaryObject(object);
        ObDereferenceObject(theirs);
        ObDereferenceObject(object);
        CHECK(nt_live_allocations() == 0);
        nt_rewind();
    }
}

static void fails(const NtStop *stop) {
    fprintf(stderr, "%s: %s\n", stop->rule, stop->text);
    exit(1);
}

int main(void) {
    static const Test tests[] = {
        TEST(unregistering_waits_for_calls),
        TEST(unregistering_waits_at_dispatch_level),
        TEST(unregistering_itself_waits_for_others),
        TEST(creators_of_one_name_get_one_object),
    };
    alarm(SECONDS);
    nt_set_stop_handler(fails);
    CHECK(nt_boot() && CbfuzzInitialize() == STATUS_SUCCESS && nt_checkpoint());
    return run_tests(tests, RTL_NUMBER_OF(tests));
}
