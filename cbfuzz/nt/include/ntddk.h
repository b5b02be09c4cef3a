/* What drivers of the older model include: wdm.h, nothing is kept back there. */
#ifndef CBFUZZ_NTDDK_H
#define CBFUZZ_NTDDK_H

#include "wdm.h"

#endif
