/* rng.h - random numbers that are the same everywhere: an explicit generator, seeded.
 *
 * xoshiro256** 1.0, its state filled by SplitMix64 (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2021; prng.di.unimi.it). For sampling and search, not for
 * secrets.
 */
#ifndef NW_RNG_H
#define NW_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct nw_rng {
    uint64_t state[4]; /* not all zero */
} nw_rng;

/* One step of SplitMix64: moves *state on and returns its next number. */
uint64_t nw_rng_splitmix(uint64_t *state);

/* A generator of its own for every pair: stream is the number of a candidate, a network, a fold. */
nw_rng nw_rng_make(uint64_t seed, uint64_t stream);

uint64_t nw_rng_next(nw_rng *rng); /* 64 random bits */

/* 0 <= x < 1, a multiple of 2^-53. */
double nw_rng_unit(nw_rng *rng);

/* low <= x <= high, all equally likely; low <= high. */
int64_t nw_rng_range(nw_rng *rng, int64_t low, int64_t high);

/* Equally likely per octave: low <= x < high, or low where they are equal; 0 < low <= high. */
double nw_rng_log_uniform(nw_rng *rng, double low, double high);

/* Normal, mean 0 and deviation 1 (Box and Muller 1958). */
double nw_rng_normal(nw_rng *rng);

bool nw_rng_chance(nw_rng *rng, double probability);

/* An index, each as likely as its weight says; weights are not negative, one at least is more
 * than 0. */
int nw_rng_pick(nw_rng *rng, const double *weights, int n);

#endif
