/* Fibers: stacks that threads run on, one at a time, switched by hand. */
#ifndef CBFUZZ_NT_FIBER_H
#define CBFUZZ_NT_FIBER_H

#include <stdbool.h>

typedef struct NtFiber NtFiber;

enum {
    NT_FIBERS = 256,          /* that are in use at once; who comes later has to wait for a stack */
    NT_FIBER_SIZE = 256 << 10 /* a kernel's has 24 KiB, without a sanitizer's red zones */
};

/* The one that the process began with. */
NtFiber *nt_fiber_first(void);
/* One that will begin with entry(), which must never return; NULL: all are in use. */
NtFiber *nt_fiber_take(void (*entry)(void));
/* Goes on with another one; returns when somebody switches back. */
void nt_fiber_switch(NtFiber *from, NtFiber *to);
/* Gives one back that nobody will switch to any more, and nobody runs on. */
void nt_fiber_give(NtFiber *fiber);

/* Those in use now are put back, as they are now, by each rewind; all others are given back. */
bool nt_fiber_checkpoint(void);
void nt_fiber_rewind(void);

#endif
