/* SPDX-License-Identifier: GPL-2.0 */
/* A set of CPUs, as plans, the book of owners and messages between host and guest hold it. */
#ifndef KVMSCHED_SHARE_CPUS_H
#define KVMSCHED_SHARE_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ks_err;

#define KS_CPUS 1024u /* numbers are below this */
#define KS_CPUS_WORDS (KS_CPUS / 64)
#define KS_CPUS_TEXT 5120u /* a buffer in which every set has room as text */

struct ks_cpus {
	uint64_t word[KS_CPUS_WORDS];
};

static inline bool ks_cpus_has(const struct ks_cpus *s, unsigned int cpu)
{
	return cpu < KS_CPUS && s->word[cpu / 64] >> cpu % 64 & 1;
}

/* cpu < KS_CPUS */
static inline void ks_cpus_add(struct ks_cpus *s, unsigned int cpu)
{
	s->word[cpu / 64] |= 1ull << cpu % 64;
}

static inline void ks_cpus_drop(struct ks_cpus *s, unsigned int cpu)
{
	s->word[cpu / 64] &= ~(1ull << cpu % 64);
}

unsigned int ks_cpus_count(const struct ks_cpus *s);
bool ks_cpus_same(const struct ks_cpus *a, const struct ks_cpus *b);
/* Is each of them also in the other one? */
bool ks_cpus_within(const struct ks_cpus *s, const struct ks_cpus *other);
/* The first number >= from in it, KS_CPUS if there is none. */
unsigned int ks_cpus_next(const struct ks_cpus *s, unsigned int from);
/* The first number that is in both, KS_CPUS if there is none. */
unsigned int ks_cpus_common(const struct ks_cpus *a, const struct ks_cpus *b);

/* The first n CPUs. */
void ks_cpus_first(struct ks_cpus *s, unsigned int n);

/* "0,2-3" for the message, see args.h. 0 or -errno + err. */
int ks_cpus_parse(const char *opt, const char *text, struct ks_cpus *s, struct ks_err *err);
/* "0,2-3", as cpusets take it; cut to fit. Returns buf. */
char *ks_cpus_print(const struct ks_cpus *s, char *buf, size_t size);

#endif /* KVMSCHED_SHARE_CPUS_H */
