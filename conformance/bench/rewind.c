/* Measures how long it takes to bring an implementation back to its start, which every program
 * begins with. Prints nanoseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "harness/implementation.h"

enum { REWINDS = 200000, ROUNDS = 5 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv) {
    Implementation implementation;
    char error[1200];
    double best = 1e18;
    if (argc != 2 || !implementation_open(&implementation, argv[1], error, sizeof error) ||
        !implementation_load(&implementation, error, sizeof error)) {
        fprintf(stderr, "rewind: %s\n", argc == 2 ? error : "an implementation is expected");
        return 3;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        double from = now();
        for (unsigned i = 0; i < REWINDS; i++)
            implementation_rewind(&implementation);
        double spent = (now() - from) / REWINDS;
        if (spent < best) best = spent;
    }
    printf("%.0f\n", best);
    fflush(stdout);
    _exit(0);
}
