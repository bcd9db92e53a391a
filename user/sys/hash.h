/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hashes of numbers that somebody else has chosen: with a seed that he does not know, so that he
 * cannot choose them to be all in one place.
 */
#ifndef KVMSCHED_HASH_H
#define KVMSCHED_HASH_H

#include <stdint.h>
#include <sys/random.h>
#include <time.h>

/* Another one in each run. */
static inline uint64_t ks_hash_seed(void)
{
	struct timespec ts;
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	clock_gettime(CLOCK_REALTIME, &ts); /* so early after boot better than nothing */
	return (uint64_t)ts.tv_sec * 1000000000u + ts.tv_nsec;
}

/* splitmix64's mixing, with the seed in the middle of it. All bits are good. */
static inline uint64_t ks_hash(uint64_t key, uint64_t seed)
{
	uint64_t z = key + seed;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull + seed;
	z = (z ^ z >> 31) * 0x9e3779b97f4a7c15ull;
	return z ^ z >> 32;
}

#endif /* KVMSCHED_HASH_H */
