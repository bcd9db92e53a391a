// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "live.h"

int ks_live_init(struct ks_live *l, uint32_t slots, uint64_t burst_gap_ns)
{
	l->vcpu = calloc(slots, sizeof(*l->vcpu));
	l->n = slots;
	l->burst_gap_ns = burst_gap_ns;
	l->lost = 0;
	return l->vcpu ? 0 : -ENOMEM;
}

void ks_live_free(struct ks_live *l)
{
	free(l->vcpu);
}

static void account(struct ks_live_vcpu *v, uint64_t now)
{
	if (now <= v->since)
		return;
	v->state_ns[v->state] += now - v->since;
	v->since = now;
}

/* The kernel ends a record at each switch of the vCPU: pieces closer than the gap are one burst. */
static void burst(struct ks_live *l, struct ks_live_vcpu *v, const struct ks_rec *rec)
{
	uint64_t count = (uint32_t)rec->b, first = rec->time - (rec->b >> 32);

	if (!v->burst_last || first > v->burst_last + l->burst_gap_ns) {
		v->bursts++;
		v->open_exits = 0;
	}
	v->burst_last = rec->time;
	v->open_exits += count;
	v->burst_exits += count;
	if (v->open_exits > v->longest_burst)
		v->longest_burst = v->open_exits;
	if (rec->flags & KS_F_IP)
		v->ip = rec->a;
}

static void appear(struct ks_live_vcpu *v, const struct ks_rec *rec)
{
	*v = (struct ks_live_vcpu){
		.used = true,
		.tgid = rec->a >> 32,
		.tid = (uint32_t)rec->a,
		.vcpu_id = (uint32_t)rec->b,
		.pcpu = rec->cpu,
		.state = KS_V_RUNNING,
		.since = rec->time,
	};
}

void ks_live_feed(struct ks_live *l, const struct ks_rec *rec)
{
	struct ks_live_vcpu *v;
	enum ks_vstate next;

	if (rec->type == KS_LOSS)
		l->lost += rec->b;
	if (rec->type < KS_VCPU_NEW || rec->id >= l->n)
		return;
	v = &l->vcpu[rec->id];
	if (rec->type == KS_VCPU_NEW) {
		appear(v, rec);
		return;
	}
	if (rec->type == KS_BURST)
		burst(l, v, rec);
	if (rec->type == KS_VCPU_MIGRATE)
		v->migrations++;
	if (rec->type == KS_VCPU_IN)
		v->pcpu = rec->cpu;
	next = ks_vstate_after(v->state, rec);
	if (next == v->state)
		return;
	account(v, rec->time);
	v->state = next;
}

void ks_live_settle(struct ks_live *l, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < l->n; i++)
		if (l->vcpu[i].used)
			account(&l->vcpu[i], now);
}

void ks_live_next(struct ks_live *l)
{
	uint32_t i;
	int s;

	for (i = 0; i < l->n; i++) {
		struct ks_live_vcpu *v = &l->vcpu[i];

		for (s = 0; s < KS_V_MAX; s++)
			v->state_ns[s] = 0;
		v->bursts = v->burst_exits = v->migrations = 0;
		/* A burst that goes on keeps its length. */
		v->longest_burst = 0;
		if (v->state == KS_V_GONE)
			v->used = false;
	}
	l->lost = 0;
}
