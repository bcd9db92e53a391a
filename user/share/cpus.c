// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cpus.h"

unsigned int ks_cpus_count(const struct ks_cpus *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < KS_CPUS_WORDS; i++)
		n += (unsigned int)__builtin_popcountll(s->word[i]);
	return n;
}

bool ks_cpus_same(const struct ks_cpus *a, const struct ks_cpus *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool ks_cpus_within(const struct ks_cpus *s, const struct ks_cpus *other)
{
	unsigned int i;

	for (i = 0; i < KS_CPUS_WORDS && !(s->word[i] & ~other->word[i]); i++)
		;
	return i == KS_CPUS_WORDS;
}

unsigned int ks_cpus_next(const struct ks_cpus *s, unsigned int from)
{
	while (from < KS_CPUS && !ks_cpus_has(s, from))
		from += s->word[from / 64] ? 1 : 64 - from % 64;
	return from;
}

unsigned int ks_cpus_common(const struct ks_cpus *a, const struct ks_cpus *b)
{
	struct ks_cpus both;
	unsigned int i;

	for (i = 0; i < KS_CPUS_WORDS; i++)
		both.word[i] = a->word[i] & b->word[i];
	return ks_cpus_next(&both, 0);
}

void ks_cpus_first(struct ks_cpus *s, unsigned int n)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < n && i < KS_CPUS; i++)
		ks_cpus_add(s, i);
}

int ks_cpus_parse(const char *opt, const char *text, struct ks_cpus *s, struct ks_err *err)
{
	uint8_t *set;
	unsigned int i;
	int ret = ks_arg_list(opt, text, KS_CPUS, &set, err);

	if (ret)
		return ret;
	memset(s, 0, sizeof(*s));
	for (i = 0; i < KS_CPUS; i++)
		if (set[i])
			ks_cpus_add(s, i);
	free(set);
	return 0;
}

static unsigned int end_of_run(const struct ks_cpus *s, unsigned int from)
{
	while (ks_cpus_has(s, from + 1))
		from++;
	return from;
}

char *ks_cpus_print(const struct ks_cpus *s, char *buf, size_t size)
{
	unsigned int from, to;
	size_t used = 0;
	int n;

	buf[0] = 0;
	for (from = ks_cpus_next(s, 0); from < KS_CPUS && used < size;
	     from = ks_cpus_next(s, to + 1)) {
		to = end_of_run(s, from);
		n = snprintf(buf + used, size - used, to > from ? "%s%u-%u" : "%s%u",
			     used ? "," : "", from, to);
		used += (size_t)n;
	}
	return buf;
}
