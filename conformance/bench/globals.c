/* The kernel-style example with -DGLOBALS=n more bytes of globals. */
#include "../implementations/examples/kernel.c"

volatile UCHAR Globals[GLOBALS] = {1};
