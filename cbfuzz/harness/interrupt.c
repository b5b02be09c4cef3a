/* Ctrl-C and termination: noted, so that summaries and reports are still written. */
#define _GNU_SOURCE
#include "harness/interrupt.h"

volatile sig_atomic_t interrupt_signal;

static void note(int signal_number) {
    interrupt_signal = signal_number;
}

static void catch_with(int flags) {
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void interrupt_catch(void) {
    catch_with(0);
    signal(SIGPIPE, SIG_IGN); /* these two: the write fails, and says so */
    signal(SIGXFSZ, SIG_IGN);
}

void interrupt_defer(void) {
    catch_with(SA_RESTART);
}

int interrupt_code(int otherwise) {
    return interrupt_signal ? 128 + interrupt_signal : otherwise;
}
