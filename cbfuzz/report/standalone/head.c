#define _GNU_SOURCE
#include <ntifs.h>

#include "nt/nt.h"

/* Makes a call, and checks what was seen of it: its result, and the routines that ran. */
#define CALL(call, expected) (begin(#call), (void)(call), end(expected))
/* The call that failed. It still does if it does not show what is expected; without that
 * (NULL), if it shows what was observed then. */
#define FAILING_CALL(call, expected, observed)                                                     \
    (begin(#call), (void)(call), failing_end(expected, observed))
/* A call in a routine, which may run more than once: what it has shown each time. */
#define NEXT_CALL(call, each)                                                                      \
    do {                                                                                           \
        static unsigned time;                                                                      \
        CALL(call, time < sizeof each / sizeof each[0] ? each[time++] : NULL);                     \
    } while (0)
/* The same for the one that failed at some time. */
#define NEXT_FAILING_CALL(call, each, when, expected, observed)                                    \
    do {                                                                                           \
        static unsigned time;                                                                      \
        if (++time == when) FAILING_CALL(call, expected, observed);                                \
        else CALL(call, time <= sizeof each / sizeof each[0] ? each[time - 1] : NULL);             \
    } while (0)
/* An object's name as the caller holds it, and not a byte more. */
#define NAMED(name, attributes) with_name(name, sizeof(name) - sizeof(WCHAR), attributes)
#define UNNAMED(attributes) with_name(NULL, 0, attributes)

static void begin(const char *call);
static void end(const char *expected);
static void failing_end(const char *expected, const char *observed);
static void must_exist(unsigned number);
static void left_nothing(void);
static POBJECT_ATTRIBUTES with_name(const WCHAR *name, USHORT bytes, ULONG attributes);
static void created(NTSTATUS status, PCALLBACK_OBJECT *object);
static void registered(PVOID handle);
static PVOID object(unsigned number);
static PVOID registration(unsigned number);
static BOOLEAN enter(const char *routine, PVOID context, PVOID argument1, PVOID argument2);
static void leave(void);
static void set_status(NTSTATUS status, int processor);
static void set_system_time(void);
static void power_state(PVOID argument1, PVOID argument2);
static void add_processor(BOOLEAN fails);
static PVOID register_change(PCALLBACK_FUNCTION routine, PVOID context, ULONG flags);
