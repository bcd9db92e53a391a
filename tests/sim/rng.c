// SPDX-License-Identifier: GPL-2.0
#include <math.h>

#include "rng.h"

void rng_seed(struct rng *r, uint64_t seed)
{
	r->s = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
	if (!r->s)
		r->s = 1;
	for (int i = 0; i < 8; i++)
		rng_next(r);
}

/* xorshift64* (Vigna 2014): long enough a period, and fast. */
uint64_t rng_next(struct rng *r)
{
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return r->s * 0x2545f4914f6cdd1dull;
}

double rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

uint64_t rng_range(struct rng *r, uint64_t lo, uint64_t hi)
{
	return lo + (uint64_t)(((__uint128_t)rng_next(r) * (hi - lo + 1)) >> 64);
}

uint64_t rng_exp(struct rng *r, uint64_t mean)
{
	double x = -log(1.0 - rng_unit(r)) * (double)mean;
	double most = (double)mean * 16;

	return x < 1 ? 1 : x > most ? (uint64_t)most : (uint64_t)x;
}

bool rng_chance(struct rng *r, uint32_t per_million)
{
	return per_million && rng_range(r, 0, 999999) < per_million;
}
