/* What file systems and kernels' own parts include: ntddk.h, and so all of it. */
#ifndef CBFUZZ_NTIFS_H
#define CBFUZZ_NTIFS_H

#include "ntddk.h"

#endif
