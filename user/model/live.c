// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

int ks_live_init(struct ks_live *l, uint32_t slots, uint64_t burst_gap_ns)
{
	l->vcpu = calloc(slots, sizeof(*l->vcpu));
	l->n = slots;
	l->burst_gap_ns = burst_gap_ns;
	l->lost = 0;
	l->cpu_node = NULL;
	l->ncpus = 0;
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

static unsigned int bucket_of(uint64_t exits)
{
	unsigned int b = exits > 1 ? 64 - __builtin_clzll(exits - 1) : 0;

	return b < KS_LIVE_BUCKETS ? b : KS_LIVE_BUCKETS - 1;
}

static void end_burst(struct ks_live_vcpu *v)
{
	if (!v->open_exits)
		return;
	v->ended[bucket_of(v->open_exits)]++;
	v->ended_exits += v->open_exits;
	v->open_exits = 0;
	v->burst_last = 0;
}

/* The kernel ends a record at each switch of the vCPU: pieces closer than the gap are one burst. */
static void burst(struct ks_live *l, struct ks_live_vcpu *v, const struct ks_rec *rec)
{
	uint64_t count = (uint32_t)rec->b, first = rec->time - (rec->b >> 32);

	if (!v->burst_last || first > v->burst_last + l->burst_gap_ns) {
		end_burst(v);
		v->bursts++;
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

static int32_t node_of(const struct ks_live *l, uint64_t cpu)
{
	return cpu < l->ncpus ? l->cpu_node[cpu] : -1;
}

static void migrate(const struct ks_live *l, struct ks_live_vcpu *v, const struct ks_rec *rec)
{
	int32_t from = node_of(l, rec->a), to = node_of(l, rec->b);

	v->migrations++;
	if (from >= 0 && to >= 0 && from != to)
		v->node_migrations++;
}

/* Which vCPU the lost records spoke of is not known: until the next one comes, none's state is. */
static void loss(struct ks_live *l, const struct ks_rec *rec)
{
	uint32_t i;

	l->lost += rec->b;
	if (rec->flags != KS_NONE && rec->flags != KS_VCPU_IN && rec->flags != KS_VCPU_OUT &&
	    rec->flags != KS_VCPU_WAKE)
		return;
	for (i = 0; i < l->n; i++) {
		if (!l->vcpu[i].used || l->vcpu[i].state == KS_V_GONE)
			continue;
		account(&l->vcpu[i], rec->a < rec->time ? rec->a : rec->time);
		l->vcpu[i].state = KS_V_UNKNOWN;
		account(&l->vcpu[i], rec->time);
	}
}

/*
 * A switch comes behind the record of what was open before it: a burst that is too old by then has
 * no piece to come.
 */
static void switched(const struct ks_live *l, struct ks_live_vcpu *v, const struct ks_rec *rec)
{
	if (rec->type == KS_VCPU_IN)
		v->pcpu = rec->cpu;
	if (rec->type == KS_VCPU_GONE || rec->time > v->burst_last + l->burst_gap_ns)
		end_burst(v);
}

void ks_live_feed(struct ks_live *l, const struct ks_rec *rec)
{
	struct ks_live_vcpu *v;
	enum ks_vstate next;

	if (rec->type == KS_LOSS)
		loss(l, rec);
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
		migrate(l, v, rec);
	if (rec->type == KS_VCPU_IN || rec->type == KS_VCPU_OUT || rec->type == KS_VCPU_GONE)
		switched(l, v, rec);
	next = ks_vstate_after(v->state, rec, &v->woken);
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

static void next_interval(struct ks_live_vcpu *v)
{
	memset(v->state_ns, 0, sizeof(v->state_ns));
	memset(v->ended, 0, sizeof(v->ended));
	v->bursts = v->burst_exits = v->ended_exits = 0;
	v->migrations = v->node_migrations = 0;
	/* A burst that goes on keeps its length. */
	v->longest_burst = 0;
	if (v->state == KS_V_GONE)
		v->used = false;
}

void ks_live_next(struct ks_live *l)
{
	uint32_t i;

	for (i = 0; i < l->n; i++)
		next_interval(&l->vcpu[i]);
	l->lost = 0;
}

void ks_live_next_slot(struct ks_live *l, uint32_t slot)
{
	next_interval(&l->vcpu[slot]);
}
