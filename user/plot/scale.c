// SPDX-License-Identifier: GPL-2.0
#include "scale.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
	uint64_t ns;
	const char *name;
} units[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" } };

#define NUNITS (sizeof(units) / sizeof(units[0]))

uint64_t ks_scale_step(uint64_t span, unsigned int most)
{
	static const uint64_t nice[] = { 1, 2, 5 };
	uint64_t pow = 1;

	if (!most)
		most = 1;
	for (;; pow *= 10) {
		for (size_t i = 0; i < 3; i++)
			if (span / (pow * nice[i]) <= most)
				return pow * nice[i];
		if (pow > UINT64_MAX / 100)
			return pow;
	}
}

const char *ks_scale_tick(uint64_t ns, uint64_t step, char *buf, size_t len)
{
	const struct unit *u = units;
	int digits = 0;

	if (!ns) {
		snprintf(buf, len, "0");
		return buf;
	}
	/* The largest unit of which the value is one or more: 1.25 s rather than 1250 ms. */
	while (u->ns > ns)
		u++;
	for (uint64_t d = u->ns; d > step; d /= 10)
		digits++;
	snprintf(buf, len, "%.*f %s", digits, (double)ns / (double)u->ns, u->name);
	return buf;
}

const char *ks_scale_time(uint64_t ns, char *buf, size_t len)
{
	const struct unit *u = units;
	double v;

	if (ns < 1000) {
		snprintf(buf, len, "%" PRIu64 " ns", ns);
		return buf;
	}
	/* 999.6 us would read "1000 us" */
	while (u->ns > ns + u->ns / 2000)
		u++;
	v = (double)ns / (double)u->ns;
	snprintf(buf, len, "%.*f %s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, u->name);
	return buf;
}

const char *ks_scale_count(uint64_t n, char *buf, size_t len)
{
	char digits[24];
	size_t nd = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), o = 0;

	for (size_t i = 0; i < nd && o + 1 < len; i++) {
		if (i && (nd - i) % 3 == 0 && o + 2 < len)
			buf[o++] = ',';
		buf[o++] = digits[i];
	}
	if (len)
		buf[o] = 0;
	return buf;
}
