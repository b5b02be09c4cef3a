/* Seconds by the clock, for limits and reports. */
#ifndef CBFUZZ_HARNESS_CLOCK_H
#define CBFUZZ_HARNESS_CLOCK_H

#include <time.h>

/* Seconds since some moment; they never go back. */
static inline double clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

#endif
