// SPDX-License-Identifier: GPL-2.0
/*
 * Where a guest's clock broke: between the two samples on either side nobody knows when on the
 * host what the guest says happened, so nothing is made of it. What the guest alone tells (who held
 * a lock, in which order) and what the host alone tells go on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static struct an_span widened(const struct ks_clockbreak *b, uint64_t e)
{
	return (struct an_span){
		.from = b->from > e ? b->from - e : 0,
		.to = b->to < AN_NEVER - e ? b->to + e : AN_NEVER,
	};
}

static void add_span(struct an_vm *m, struct an_span s)
{
	struct an_span *last = m->nblind ? &m->blind[m->nblind - 1] : NULL;

	if (last && s.from <= last->to)
		an_raise(&last->to, s.to);
	else
		m->blind[m->nblind++] = s;
}

int ks_analysis_guest_breaks(struct ks_analysis *a, uint32_t vm, const struct ks_clockbreak *b,
			     size_t n)
{
	struct an_vm *m = vm < a->model.nvms ? &a->vm[vm] : NULL;

	if (!m || m->breaks)
		return -EINVAL;
	if (!n)
		return 0;
	m->breaks = malloc(n * sizeof(*m->breaks));
	m->blind = malloc(n * sizeof(*m->blind));
	if (!m->breaks || !m->blind)
		return -ENOMEM;
	memcpy(m->breaks, b, n * sizeof(*b));
	m->nbreaks = n;
	for (size_t i = 0; i < n; i++)
		add_span(m, widened(&b[i], m->clock_error));
	an_due(a, m->blind[0].from);
	return 0;
}

const struct ks_clockbreak *ks_analysis_breaks(const struct ks_analysis *a, uint32_t vm, size_t *n)
{
	*n = vm < a->model.nvms ? a->vm[vm].nbreaks : 0;
	return *n ? a->vm[vm].breaks : NULL;
}

const struct an_span *an_blind_after(const struct an_vm *m, uint64_t time)
{
	size_t lo = 0, hi = m->nblind;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->blind[mid].to <= time)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->nblind ? &m->blind[lo] : NULL;
}

bool an_blind_within(const struct an_vm *m, uint64_t from, uint64_t to)
{
	const struct an_span *b = m->nblind ? an_blind_after(m, from) : NULL;

	return b && b->from <= to;
}

uint64_t an_time_seen(const struct ks_analysis *a, uint32_t vcpu, uint64_t from, uint64_t to,
		      unsigned int states)
{
	const struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];
	const struct ks_history *h = &a->vcpu[vcpu].hist;
	const struct an_span *b;
	uint64_t sum = 0;

	while (m->nblind && from < to && (b = an_blind_after(m, from)) && b->from < to) {
		if (b->from > from)
			sum += ks_history_time_in(h, from, b->from, states);
		from = b->to;
	}
	return from < to ? sum + ks_history_time_in(h, from, to, states) : sum;
}

void an_blind_step(struct ks_analysis *a, uint32_t vm, uint64_t now)
{
	struct an_vm *m = &a->vm[vm];
	uint32_t i;

	for (; m->blind_next < m->nblind && m->blind[m->blind_next].from <= now; m->blind_next++)
		for (i = m->first; i < m->first + m->n; i++)
			an_busy_update(a, i, m->blind[m->blind_next].from, false);
	if (m->blind_next < m->nblind)
		an_due(a, m->blind[m->blind_next].from);
}
