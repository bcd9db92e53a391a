/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checked parsers of what users write behind options. All take the option's name for the message
 * ("--hold-threshold: bad duration '10x'; use a number with ns, us, ms, s, m or h"), return 0, or
 * -EINVAL / -ERANGE with err, and leave *out alone on failure.
 */
#ifndef KVMSCHED_ARGS_H
#define KVMSCHED_ARGS_H

#include <stddef.h>
#include <stdint.h>

struct ks_err;

/* Decimal or 0x hexadecimal, min <= value <= max. */
int ks_arg_uint(const char *opt, const char *s, uint64_t min, uint64_t max, uint64_t *out,
		struct ks_err *err);

/*
 * A duration in ns: "10us", "1.5ms", "2s", "1m", "1h", fractions allowed; a bare number is in
 * units of unit_ns (1000000000 for -d SECONDS), or refused if unit_ns is 0 (0 itself excepted).
 * At most 146 years: a time of a clock and one more such can be added without a look.
 */
int ks_arg_duration(const char *opt, const char *s, uint64_t unit_ns, uint64_t *out,
		    struct ks_err *err);

/*
 * After one of these, for an option whose default stands for 0 inside: that was not meant by who
 * wrote it.
 */
int ks_arg_not_zero(const char *opt, uint64_t v, struct ks_err *err);

/* A size in bytes: "4096", "64K", "1.5M", "2G", "1T" (powers of 1024; "KiB" and "kB" are fine). */
int ks_arg_size(const char *opt, const char *s, uint64_t *out, struct ks_err *err);

/*
 * A list such as "0,2-3,8": *set is malloc()ed, max bytes, one per number, 1 = in the list; the
 * caller's. Numbers must be below max (at most 65536).
 */
int ks_arg_list(const char *opt, const char *s, unsigned int max, uint8_t **set,
		struct ks_err *err);

/* One of a NULL-terminated list of words: *out is its index. */
int ks_arg_choice(const char *opt, const char *s, const char *const *words, unsigned int *out,
		  struct ks_err *err);

#endif /* KVMSCHED_ARGS_H */
