/* What file systems and kernels' own parts include: all of ntddk.h, and what kernels have beside.
 */
#ifndef CBFUZZ_NTIFS_H
#define CBFUZZ_NTIFS_H

#include "ntddk.h"
#include "ntfastref.h"

#endif
