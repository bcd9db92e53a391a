// SPDX-License-Identifier: GPL-2.0
/*
 * A VM that is stopped and continued has its kvm-clock set back, so that its time stands still,
 * while its TSC runs on. The piece between two samples in which that happens is steeper than all
 * others. It says nothing about them, and nothing is known within it: when it happened is not.
 */
#include "breaks.h"

#define AROUND 8u  /* pieces that one is held against: the nearest */
#define LEAST 3u   /* with fewer nobody can tell which of them is odd */
#define SLEW 1000u /* one part in so many: NTP slews a clock by 500 ppm, this way or that */
#define FAR 8u	   /* times what is usual */
#define REACH 64u  /* so far away a piece is still looked for that is not broken */

static uint64_t width(const struct ks_pair *p, size_t i)
{
	return p[i + 1].s.x - p[i].s.x;
}

static uint64_t height(const struct ks_pair *p, size_t i)
{
	return p[i + 1].s.y - p[i].s.y;
}

/* v * num / den; what would not fit is a quarter of all there is, so that sums of two do. */
static uint64_t scaled(uint64_t v, uint64_t num, uint64_t den)
{
	ks_u128 q = (ks_u128)v * num / den;

	return q > UINT64_MAX / 4 ? UINT64_MAX / 4 : (uint64_t)q;
}

/* The pieces nearest to i, without it. */
static size_t nearest(size_t npieces, size_t i, size_t *out)
{
	size_t from = i > AROUND / 2 ? i - AROUND / 2 : 0, n = 0;

	if (from + AROUND >= npieces)
		from = npieces > AROUND + 1 ? npieces - AROUND - 1 : 0;
	for (size_t k = from; k < npieces && n < AROUND; k++)
		if (k != i)
			out[n++] = k;
	return n;
}

static bool is_steeper(const struct ks_pair *p, size_t i, size_t k)
{
	return (ks_u128)height(p, i) * width(p, k) > (ks_u128)height(p, k) * width(p, i);
}

/* Of these pieces the one whose rate is in the middle. */
static size_t middle(const struct ks_pair *p, const size_t *piece, size_t n)
{
	size_t sorted[AROUND] = { 0 }, k;

	for (size_t i = 0; i < n; i++) {
		for (k = i; k && is_steeper(p, sorted[k - 1], piece[i]); k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = piece[i];
	}
	return sorted[n / 2];
}

/* How far the host's clock would have gone in piece i at the rate of piece m. */
static uint64_t expected(const struct ks_pair *p, size_t i, size_t m)
{
	return scaled(width(p, i), height(p, m), width(p, m));
}

static uint64_t deviation(const struct ks_pair *p, size_t i, size_t m)
{
	uint64_t h = height(p, i);

	return ks_distance(h > UINT64_MAX / 4 ? UINT64_MAX / 4 : h, expected(p, i, m));
}

/* The deviation in the middle of those of these pieces, as in one as wide as i. */
static uint64_t usual(const struct ks_pair *p, size_t i, size_t m, const size_t *piece, size_t n)
{
	uint64_t sorted[AROUND] = { 0 };

	for (size_t j = 0; j < n; j++) {
		uint64_t d = scaled(deviation(p, piece[j], m), width(p, i), width(p, piece[j]));
		size_t k;

		for (k = j; k && sorted[k - 1] > d; k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = d;
	}
	return sorted[n / 2];
}

/* What the errors of a piece's ends can make of its height. */
static uint64_t noise(const struct ks_pair *p, size_t i, uint64_t host_error)
{
	ks_u128 sum = (ks_u128)p[i].s.b + p[i + 1].s.b + host_error + host_error;

	return sum > UINT64_MAX / 4 ? UINT64_MAX / 4 : (uint64_t)sum;
}

static bool is_broken(const struct ks_pair *p, size_t npieces, size_t i, uint64_t host_error)
{
	size_t piece[AROUND], n = nearest(npieces, i, piece), m;
	ks_u128 most, far;

	if (n < LEAST)
		return false;
	m = middle(p, piece, n);
	most = (ks_u128)width(p, i) / SLEW + noise(p, i, host_error) +
	       scaled(noise(p, m, host_error), width(p, i), width(p, m));
	far = (ks_u128)usual(p, i, m, piece, n) * FAR;
	return deviation(p, i, m) > (most > far ? most : far);
}

/*
 * Did the clock jump with the TSC when that was stepped? Then it follows the TSC, and a VM that is
 * stopped does not stop it. What it does around steps (it stands still until a step backwards is made
 * good, and samples of that time may be taken for some of before) the bound has to tell of.
 */
static bool follows_tsc(const struct ks_pair *p, size_t n, uint64_t host_error)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (p[i].seg != p[i + 1].seg && is_broken(p, n - 1, i, host_error))
			return true;
	return false;
}

static bool is_by_a_step(const struct ks_pair *p, size_t n, size_t i)
{
	size_t from = i ? i - 1 : 0, to = i + 2 < n ? i + 2 : n - 1;

	return p[from].seg != p[to].seg;
}

void ks_breaks_find(struct ks_pair *p, size_t n, uint64_t host_error)
{
	if (follows_tsc(p, n, host_error))
		return;
	for (size_t i = 0; i + 1 < n; i++)
		p[i].broken = !is_by_a_step(p, n, i) && is_broken(p, n - 1, i, host_error);
}

/* The pieces nearest to i that are not broken. */
static size_t nearest_whole(const struct ks_pair *p, size_t npieces, size_t i, size_t *out)
{
	size_t n = 0;

	for (size_t d = 1; d <= REACH && n < AROUND; d++) {
		if (d <= i && !p[i - d].broken)
			out[n++] = i - d;
		if (n < AROUND && i + d < npieces && !p[i + d].broken)
			out[n++] = i + d;
	}
	return n;
}

int64_t ks_breaks_lost(const struct ks_pair *p, size_t n, size_t i)
{
	size_t piece[AROUND], k = nearest_whole(p, n - 1, i, piece), m;
	int64_t d;

	if (!k)
		return 0;
	m = middle(p, piece, k);
	d = (int64_t)deviation(p, i, m);
	return height(p, i) < expected(p, i, m) ? -d : d;
}
