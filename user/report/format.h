/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers for people. Each returns buf. */
#ifndef KVMSCHED_REPORT_FORMAT_H
#define KVMSCHED_REPORT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define FMT 32 /* a buffer of this size holds any of them */

/* 1234567 -> "1,234,567" */
const char *fmt_count(uint64_t n, char buf[FMT]);
/* Three digits and a unit: "48.3 ms", "212 ns", "1.23 s". */
const char *fmt_ns(uint64_t ns, char buf[FMT]);
/* A time from `begin` on: "27.867917 s"; before it: "-0.500000 s". */
const char *fmt_at(uint64_t t, uint64_t begin, char buf[FMT]);
/* "31.2 %"; "-" of nothing; "<0.1 %" rather than 0.0 of something. */
const char *fmt_share(uint64_t part, uint64_t of, char buf[FMT]);

#endif /* KVMSCHED_REPORT_FORMAT_H */
