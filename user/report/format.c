// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>

#include "format.h"

const char *fmt_count(uint64_t n, char buf[FMT])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), i, o = 0;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[o++] = ',';
		buf[o++] = digits[i];
	}
	buf[o] = 0;
	return buf;
}

const char *fmt_ns(uint64_t ns, char buf[FMT])
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double v = ns;
	int u = 0;

	/* 999.5 would be printed as 1000. */
	while (v >= 999.5 && u < 3) {
		v /= 1000;
		u++;
	}
	if (!u)
		snprintf(buf, FMT, "%" PRIu64 " ns", ns);
	else
		snprintf(buf, FMT, "%.*f %s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, units[u]);
	return buf;
}

const char *fmt_at(uint64_t t, uint64_t begin, char buf[FMT])
{
	snprintf(buf, FMT, "%.6f s", (int64_t)(t - begin) / 1e9);
	return buf;
}

const char *fmt_share(uint64_t part, uint64_t of, char buf[FMT])
{
	double share = of ? 100.0 * part / of : 0;

	if (!of)
		snprintf(buf, FMT, "-");
	else if (part && share < 0.05)
		snprintf(buf, FMT, "<0.1 %%");
	else
		snprintf(buf, FMT, "%.1f %%", share);
	return buf;
}
