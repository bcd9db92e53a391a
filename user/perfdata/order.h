/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Puts samples in order of time. Nearly all come in order and pass through a ring. Some are known
 * late only (a hold when it ends, a burst at its last exit): they are kept beside it and come out at
 * their place, as long as the ring reaches back to it; else at once, and the file is not sorted
 * there. perf sorts what it reads.
 */
#ifndef KVMSCHED_PERFDATA_ORDER_H
#define KVMSCHED_PERFDATA_ORDER_H

#include <stdbool.h>

#include "sample.h"

struct ks_pd_order;

/* false: no more is wanted; what was kept is dropped, and what comes after it, too. */
typedef bool (*ks_pd_out_fn)(void *ctx, const struct ks_pd_sample *s);

/* Place in the ring, to take a sample back by. */
#define KS_PD_NOWHERE UINT64_MAX

/* 0 or -ENOMEM. */
int ks_pd_order_new(struct ks_pd_order **o, ks_pd_out_fn out, void *ctx);
void ks_pd_order_free(struct ks_pd_order *o);

/* Its place, or KS_PD_NOWHERE if it came late. */
uint64_t ks_pd_order_push(struct ks_pd_order *o, const struct ks_pd_sample *s);

/*
 * n pairs of samples, a and b, the first at a->time, each pair `step` ns after the one before (in
 * 1/65536 ns). Takes the memory of one.
 */
void ks_pd_order_push_row(struct ks_pd_order *o, const struct ks_pd_sample *a,
			  const struct ks_pd_sample *b, uint32_t n, uint64_t step);

/* Take back what is at `place`; false if it has left the ring. */
bool ks_pd_order_take_back(struct ks_pd_order *o, uint64_t place);

/* Everything that is left. */
void ks_pd_order_flush(struct ks_pd_order *o);

/* -ENOMEM if something could not be kept, else 0. */
int ks_pd_order_failed(const struct ks_pd_order *o);

#endif /* KVMSCHED_PERFDATA_ORDER_H */
