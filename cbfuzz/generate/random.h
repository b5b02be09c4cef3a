/* One source of choices for generator and mutator: small, fast, repeatable. */
#ifndef CBFUZZ_GENERATE_RANDOM_H
#define CBFUZZ_GENERATE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t state;
} Random;

static inline uint64_t random_next(Random *random) { /* splitmix64 */
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 0..bound-1; bound > 0 */
static inline uint32_t random_below(Random *random, uint32_t bound) {
    return (uint32_t)(((random_next(random) >> 32) * bound) >> 32);
}

/* True `percent` times in a hundred. */
static inline bool random_chance(Random *random, uint32_t percent) {
    return random_below(random, 100) < percent;
}

#endif
