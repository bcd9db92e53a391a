// SPDX-License-Identifier: GPL-2.0
/* Clock samples and TSC offsets of any value: the maps are monotonic, and nothing overflows. */
#include <string.h>

#include "clock.h"
#include "fuzz.h"

static void check_map(const struct ks_clockmap *m, const struct ks_rec *recs, size_t n)
{
	uint64_t tsc = 0, mono = 0, at = 0;

	ks_clockmap_hz(m, recs[n / 2].time);
	FUZZ_CHECK(ks_clockmap_error(m));
	for (size_t i = 0; i < n; i++) {
		at = recs[i].time > at ? recs[i].time : at;
		FUZZ_CHECK(ks_clockmap_tsc(m, at) >= tsc);
		FUZZ_CHECK(ks_clockmap_mono(m, at) >= mono);
		tsc = ks_clockmap_tsc(m, at);
		mono = ks_clockmap_mono(m, at);
	}
}

static void check_guest(struct ks_guestclock *g, const struct ks_rec *recs, size_t n)
{
	uint64_t last = 0, at = 0, largest;
	const struct ks_clockbreak *b;
	size_t nbreaks;

	for (size_t i = 0; i < n; i++) {
		at = recs[i].time > at ? recs[i].time : at;
		FUZZ_CHECK(ks_guestclock_map(g, at) >= last);
		last = ks_guestclock_map(g, at);
		ks_guestclock_from_tsc(g, recs[i].a);
		ks_guestclock_from_tsc_after(g, recs[i].a, recs[i].b);
	}
	ks_guestclock_steps(g, &largest);
	b = ks_guestclock_breaks(g, &nbreaks);
	FUZZ_CHECK(nbreaks <= n);
	for (size_t i = 0; i < nbreaks; i++)
		FUZZ_CHECK(b[i].from < b[i].to && b[i].own_from < b[i].own_to);
	ks_guestclock_error(g);
}

/* Records of 32 bytes; the first third are the host's samples, then the guest's, then offsets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size / sizeof(struct ks_rec), third = n / 3;
	struct ks_clockmap *host = NULL, *guest = NULL;
	struct ks_guestclock *g = NULL;
	struct ks_rec *recs;

	if (third < 1 || n > 300)
		return 0;
	recs = malloc(n * sizeof(*recs));
	memcpy(recs, data, n * sizeof(*recs));
	for (size_t i = 0; i < n; i++)
		recs[i].type = i < 2 * third ? KS_CLOCK : KS_TSC_OFFSET;
	if (!ks_clockmap_new(&host, recs, third))
		check_map(host, recs, third);
	if (!ks_clockmap_new(&guest, recs + third, third))
		check_map(guest, recs + third, third);
	if (host && guest &&
	    !ks_guestclock_new(&g, guest, host, recs + 2 * third, n - 2 * third, recs->flags % 66))
		check_guest(g, recs, n);
	ks_guestclock_free(g);
	ks_clockmap_free(guest);
	ks_clockmap_free(host);
	free(recs);
	return 0;
}
