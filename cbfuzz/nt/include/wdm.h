/* The driver model's header: everything that an implementation stands on. The
 * other two names exist so that source written for them compiles unchanged. */
#ifndef CBFUZZ_WDM_H
#define CBFUZZ_WDM_H

#include "ntdef.h"
#include "ntrtl.h"
#include "ntke.h"
#include "ntdpc.h"
#include "interlocked.h"
#include "ntex.h"
#include "ntob.h"
#include "ntps.h"

#endif
