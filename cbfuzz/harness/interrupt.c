/* Ctrl-C and termination: noted, so that summaries and reports are still written. */
#define _GNU_SOURCE
#include "harness/interrupt.h"

#include <unistd.h>

volatile sig_atomic_t interrupt_signal;

static void note(int signal_number) {
    interrupt_signal = signal_number;
}

/* Who asks twice while output is stuck, at a pipe that nobody reads, does not want it. */
static void note_late(int signal_number) {
    static volatile sig_atomic_t asked;
    if (asked) _exit(128 + signal_number);
    asked = 1;
    interrupt_signal = signal_number;
}

static void catch_with(void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void interrupt_catch(void) {
    catch_with(note, 0);
    signal(SIGPIPE, SIG_IGN); /* these two: the write fails, and says so */
    signal(SIGXFSZ, SIG_IGN);
}

void interrupt_defer(void) {
    catch_with(note_late, SA_RESTART);
}

int interrupt_code(int otherwise) {
    return interrupt_signal ? 128 + interrupt_signal : otherwise;
}
