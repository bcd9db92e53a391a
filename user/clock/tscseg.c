// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "tscseg.h"

int ks_tscsegs_init(struct ks_tscsegs *t, const struct ks_rec *offsets, size_t n, unsigned int frac,
		    const struct ks_clockmap *host)
{
	*t = (struct ks_tscsegs){ .frac = frac, .host = host };
	if (!n)
		return -ENOENT;
	t->seg = calloc(n, sizeof(*t->seg));
	if (!t->seg)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct ks_tscseg *old = t->n ? &t->seg[t->n - 1] : NULL;

		if (offsets[i].type != KS_TSC_OFFSET ||
		    (old && old->offset == offsets[i].a && old->ratio == offsets[i].b))
			continue;
		t->seg[t->n++] = (struct ks_tscseg){ offsets[i].time, offsets[i].a, offsets[i].b };
	}
	if (!t->n) {
		free(t->seg);
		t->seg = NULL;
		return -ENOENT;
	}
	t->seg[0].from = 0;
	return 0;
}

/* Guest TSC = (host TSC * ratio >> frac) + offset, modulo 2^64, as KVM and the hardware have it. */
static uint64_t host_tsc(const struct ks_tscseg *s, unsigned int frac, uint64_t guest_tsc)
{
	uint64_t scaled = guest_tsc - s->offset;
	ks_u128 tsc;

	if (!s->ratio)
		return scaled;
	tsc = ((ks_u128)scaled << frac) / s->ratio;
	return tsc > UINT64_MAX ? UINT64_MAX : (uint64_t)tsc;
}

uint64_t ks_tscseg_time(const struct ks_tscsegs *t, size_t k, uint64_t guest_tsc)
{
	return ks_clockmap_mono(t->host, host_tsc(&t->seg[k], t->frac, guest_tsc));
}

size_t ks_tscseg_find(const struct ks_tscsegs *t, uint64_t host_mono)
{
	size_t lo = 0, hi = t->n;

	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->seg[mid].from <= host_mono)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/*
 * The value may occur in several segments (the TSC stepped back) or in none (it stepped over it).
 * A time that falls short of not_before by no more than the map's error is taken as it.
 */
uint64_t ks_tscsegs_when(const struct ks_tscsegs *t, uint64_t guest_tsc, uint64_t not_before)
{
	uint64_t slack = ks_clockmap_error(t->host), passed = UINT64_MAX;

	for (size_t k = ks_tscseg_find(t, not_before); k < t->n; k++) {
		uint64_t from = t->seg[k].from > not_before ? t->seg[k].from : not_before;
		uint64_t at = ks_tscseg_time(t, k, guest_tsc);

		if (at >= ks_tscseg_end(t, k))
			continue;
		if (at >= from)
			return at;
		if (from - at <= slack)
			return from;
		if (passed == UINT64_MAX)
			passed = from;
	}
	return passed;
}
