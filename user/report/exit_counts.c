// SPDX-License-Identifier: GPL-2.0
/* Exits by reason, as the host counted them per slot: of each vCPU and of each VM. */
#include <errno.h>
#include <stdlib.h>

#include "priv.h"

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_reason(const void *pa, const void *pb)
{
	const struct rep_exit *a = pa, *b = pb;

	return a->of != b->of ? order(a->of, b->of) : order(a->reason, b->reason);
}

static int most_first(const void *pa, const void *pb)
{
	const struct rep_exit *a = pa, *b = pb;

	if (a->of != b->of)
		return order(a->of, b->of);
	return a->count != b->count ? order(b->count, a->count) : order(a->reason, b->reason);
}

/* The counters that are of a vCPU of ours: as many as there are. */
static size_t take(const struct ks_report *r, bool by_vm, struct rep_exit *e)
{
	const struct ks_exit_count *c;
	size_t i, n, taken = 0;
	uint32_t vcpu;

	c = ks_reader_exit_counts(ks_session_host(r->s), &n);
	for (i = 0; i < n; i++) {
		vcpu = ks_analysis_slot(r->a, c[i].slot);
		if (vcpu == KS_NO_VCPU || !c[i].count)
			continue;
		e[taken++] = (struct rep_exit){
			.of = by_vm ? r->vcpus[vcpu].vm : vcpu,
			.reason = c[i].reason,
			.count = c[i].count,
		};
	}
	return taken;
}

/* Neighbours of one reason become one. */
static size_t merge(struct rep_exit *e, size_t n)
{
	size_t i, o = 0;

	for (i = 0; i < n; i++) {
		if (o && !by_reason(&e[o - 1], &e[i]))
			e[o - 1].count += e[i].count;
		else
			e[o++] = e[i];
	}
	return o;
}

static int sum_up(const struct ks_report *r, bool by_vm, uint32_t of, struct rep_exits *x)
{
	size_t n;
	uint32_t i, k = 0;

	ks_reader_exit_counts(ks_session_host(r->s), &n);
	x->e = malloc((n + 1) * sizeof(*x->e));
	x->first = malloc((of + 1) * sizeof(*x->first));
	if (!x->e || !x->first)
		return -ENOMEM;
	n = take(r, by_vm, x->e);
	qsort(x->e, n, sizeof(*x->e), by_reason);
	n = merge(x->e, n);
	qsort(x->e, n, sizeof(*x->e), most_first);
	for (i = 0; i <= of; i++) {
		while (k < n && x->e[k].of < i)
			k++;
		x->first[i] = k;
	}
	return 0;
}

int rep_exits_init(struct ks_report *r)
{
	int err = sum_up(r, false, r->nvcpus, &r->vcpu_exits);

	return err ? err : sum_up(r, true, r->nvms, &r->vm_exits);
}

void rep_exits_free(struct ks_report *r)
{
	free(r->vcpu_exits.e);
	free(r->vcpu_exits.first);
	free(r->vm_exits.e);
	free(r->vm_exits.first);
}

static const struct rep_exit *exits_of(const struct rep_exits *x, uint32_t of, uint32_t *n)
{
	*n = x->first[of + 1] - x->first[of];
	return &x->e[x->first[of]];
}

const struct rep_exit *rep_exits_vcpu(const struct ks_report *r, uint32_t vcpu, uint32_t *n)
{
	return exits_of(&r->vcpu_exits, vcpu, n);
}

const struct rep_exit *rep_exits_vm(const struct ks_report *r, uint32_t vm, uint32_t *n)
{
	return exits_of(&r->vm_exits, vm, n);
}
