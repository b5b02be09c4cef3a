/* Ctrl-C and termination: noted, so that summaries and reports are still written. */
#ifndef CBFUZZ_HARNESS_INTERRUPT_H
#define CBFUZZ_HARNESS_INTERRUPT_H

#include <signal.h>

/* SIGINT or SIGTERM once it came, else 0. */
extern volatile sig_atomic_t interrupt_signal;

/* From now on both signals are only noted. What cannot be written is no signal, either. */
void interrupt_catch(void);

/* From now on a signal does not break off what is being written, for output at the end of work; a
 * second one ends the process, with 130 or 143. */
void interrupt_defer(void);

/* 130 or 143 after a signal, else `otherwise`. */
int interrupt_code(int otherwise);

#endif
