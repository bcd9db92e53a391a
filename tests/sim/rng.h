/* SPDX-License-Identifier: GPL-2.0 */
/* A small seeded generator of pseudo-random numbers: the same seed gives the same world. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t s;
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);

/* Uniform in [0, 1). */
double rng_unit(struct rng *r);

/* Uniform in [lo, hi], both included; hi >= lo. */
uint64_t rng_range(struct rng *r, uint64_t lo, uint64_t hi);

/* Exponentially distributed with this mean, at least 1, at most 16 times the mean. */
uint64_t rng_exp(struct rng *r, uint64_t mean);

/* True in `per_million` of a million cases. */
bool rng_chance(struct rng *r, uint32_t per_million);

#endif /* SIM_RNG_H */
