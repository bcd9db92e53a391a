// SPDX-License-Identifier: GPL-2.0
/* Checked parsers of option values. Strict: the whole word counts, nothing is guessed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "err.h"
#include "text.h"

#define DURATION_MAX ((uint64_t)INT64_MAX / 2)

/* A value as the user wrote it, fit for a message. */
struct shown {
	char s[48];
};

static const char *show(struct shown *b, const char *s)
{
	return ks_printable(b->s, sizeof(b->s), s, strlen(s));
}

/* Digits at *s up to a stop: 0, -EINVAL if there is none, -ERANGE above UINT64_MAX. */
static int digits(const char **s, unsigned int base, uint64_t *out)
{
	const char *p = *s;
	uint64_t v = 0;

	for (;; p++) {
		unsigned int d;

		if (*p >= '0' && *p <= '9')
			d = (unsigned int)(*p - '0');
		else if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			d = (unsigned int)((*p | 0x20) - 'a') + 10;
		else
			break;
		if (d >= base)
			break;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			return -ERANGE;
	}
	if (p == *s)
		return -EINVAL;
	*s = p;
	*out = v;
	return 0;
}

int ks_arg_uint(const char *opt, const char *s, uint64_t min, uint64_t max, uint64_t *out,
		struct ks_err *err)
{
	const char *p = s;
	struct shown b;
	uint64_t v;
	int ret;

	if (p[0] == '0' && (p[1] | 0x20) == 'x') {
		p += 2;
		ret = digits(&p, 16, &v);
	} else {
		ret = digits(&p, 10, &v);
	}
	if (ret != -ERANGE && (ret || *p))
		return ks_fail(err, -EINVAL, "%s: bad number '%s'", opt, show(&b, s));
	if (ret || v < min || v > max)
		return ks_fail(err, -ERANGE, "%s: %s is out of range; use %llu to %llu", opt,
			       show(&b, s), (unsigned long long)min, (unsigned long long)max);
	*out = v;
	return 0;
}

/*
 * "12.345" x unit, exactly, rounded down. At most 18 digits behind the point count; the unit is
 * at most 2^42, so that nothing but the whole part can overflow.
 */
static int fraction(const char **s, uint64_t unit, uint64_t whole, uint64_t *out)
{
	unsigned __int128 v = 0;
	uint64_t scale = 1;
	const char *p = *s;

	if (*p == '.') {
		const char *first = ++p;

		for (; *p >= '0' && *p <= '9'; p++) {
			if (p - first >= 18)
				continue;
			v = v * 10 + (unsigned int)(*p - '0');
			scale *= 10;
		}
		if (p == first)
			return -EINVAL;
	}
	v = v * unit / scale + (unsigned __int128)whole * unit;
	if (v > UINT64_MAX)
		return -ERANGE;
	*s = p;
	*out = (uint64_t)v;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* "NUMBER[.FRACTION]UNIT"; unit "" is what stands for a bare number. */
static int number_unit(const char *s, const struct unit *units, size_t n, uint64_t *out)
{
	const char *p = s, *suffix;
	uint64_t whole;
	int ret = digits(&p, 10, &whole);

	if (ret)
		return ret;
	suffix = p + strspn(p, ".0123456789");
	for (size_t i = 0; i < n; i++) {
		if (strcmp(suffix, units[i].name))
			continue;
		if (!units[i].factor && strspn(s, "0.") != strlen(s))
			return -EINVAL;
		ret = fraction(&p, units[i].factor, whole, out);
		return !ret && p != suffix ? -EINVAL : ret;
	}
	return -EINVAL;
}

int ks_arg_duration(const char *opt, const char *s, uint64_t unit_ns, uint64_t *out,
		    struct ks_err *err)
{
	const struct unit units[] = {
		{ "", unit_ns },	{ "ns", 1 },
		{ "us", 1000 },		{ "ms", 1000000 },
		{ "s", 1000000000 },	{ "m", 60000000000 },
		{ "min", 60000000000 }, { "h", 3600000000000 },
	};
	struct shown b;
	uint64_t v;
	int ret = number_unit(s, units, sizeof(units) / sizeof(units[0]), &v);

	if (!ret && v > DURATION_MAX)
		ret = -ERANGE;
	if (ret == -ERANGE)
		return ks_fail(err, ret, "%s: %s is too long a time", opt, show(&b, s));
	if (ret)
		return ks_fail(err, ret,
			       "%s: bad duration '%s'; use a number with "
			       "ns, us, ms, s, m or h",
			       opt, show(&b, s));
	*out = v;
	return 0;
}

int ks_arg_not_zero(const char *opt, uint64_t v, struct ks_err *err)
{
	return v ? 0 : ks_fail(err, -EINVAL, "%s: more than 0; leave it out for the default", opt);
}

int ks_arg_size(const char *opt, const char *s, uint64_t *out, struct ks_err *err)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "K", 1ull << 10 },
		{ "k", 1ull << 10 },
		{ "KiB", 1ull << 10 },
		{ "kB", 1ull << 10 },
		{ "M", 1ull << 20 },
		{ "m", 1ull << 20 },
		{ "MiB", 1ull << 20 },
		{ "MB", 1ull << 20 },
		{ "G", 1ull << 30 },
		{ "g", 1ull << 30 },
		{ "GiB", 1ull << 30 },
		{ "GB", 1ull << 30 },
		{ "T", 1ull << 40 },
		{ "t", 1ull << 40 },
		{ "TiB", 1ull << 40 },
		{ "TB", 1ull << 40 },
	};
	struct shown b;
	uint64_t v;
	int ret = number_unit(s, units, sizeof(units) / sizeof(units[0]), &v);

	if (ret == -ERANGE)
		return ks_fail(err, ret, "%s: %s is too large", opt, show(&b, s));
	if (ret)
		return ks_fail(err, ret, "%s: bad size '%s'; use a number with K, M, G or T", opt,
			       show(&b, s));
	*out = v;
	return 0;
}

/* One "N" or "N-M" of a list into set. */
static int list_item(const char **p, unsigned int max, uint8_t *set)
{
	uint64_t from, to;
	int ret = digits(p, 10, &from);

	if (ret)
		return ret;
	to = from;
	if (**p == '-') {
		++*p;
		ret = digits(p, 10, &to);
		if (ret)
			return ret;
	}
	if (to >= max)
		return -ERANGE;
	if (from > to)
		return -EINVAL;
	for (uint64_t i = from; i <= to; i++)
		set[i] = 1;
	return 0;
}

int ks_arg_list(const char *opt, const char *s, unsigned int max, uint8_t **set, struct ks_err *err)
{
	const char *p = s;
	struct shown b;
	uint8_t *v;
	int ret;

	if (!max || max > 65536)
		return ks_fail(err, -EINVAL, "%s: nothing to choose from", opt);
	v = calloc(max, 1);
	if (!v)
		return ks_fail(err, -ENOMEM, "%s: out of memory", opt);
	for (;;) {
		ret = list_item(&p, max, v);
		if (ret || *p != ',')
			break;
		p++;
	}
	if (!ret && !*p) {
		*set = v;
		return 0;
	}
	free(v);
	if (ret == -ERANGE)
		return ks_fail(err, ret, "%s: '%s' has a number above %u", opt, show(&b, s),
			       max - 1);
	return ks_fail(err, -EINVAL, "%s: bad list '%s'; use numbers and ranges such as 0,2-3", opt,
		       show(&b, s));
}

int ks_arg_choice(const char *opt, const char *s, const char *const *words, unsigned int *out,
		  struct ks_err *err)
{
	char all[128] = "";
	size_t used = 0;
	struct shown b;

	for (unsigned int i = 0; words[i]; i++) {
		size_t n = strlen(words[i]);

		if (!strcmp(s, words[i])) {
			*out = i;
			return 0;
		}
		if (used + n + 3 < sizeof(all)) {
			memcpy(all + used, i ? ", " : "", i ? 2 : 0);
			used += i ? 2 : 0;
			memcpy(all + used, words[i], n + 1);
			used += n;
		}
	}
	return ks_fail(err, -EINVAL, "%s: '%s' is not one of %s", opt, show(&b, s), all);
}
