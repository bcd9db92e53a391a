// SPDX-License-Identifier: GPL-2.0
/* A guest's run queues from its own records alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "vnuma_priv.h"

struct ks_vnuma_live {
	struct ks_vnuma v;
	struct vn_vm m;
	struct ks_vnuma_live_cpu *cpu;
	uint64_t *since;   /* by CPU: up to here it is summed up; 0: not seen yet */
	uint64_t blind_to; /* end of the last loss */
};

/* ---- what is found, by CPU ---- */

static void on_migration(void *ctx, uint32_t vm, const struct ks_vnuma_migration *m)
{
	struct ks_vnuma_live *l = ctx;

	(void)vm;
	l->cpu[m->to].in[m->by]++;
}

static void on_passed(void *ctx, uint32_t vm, const struct ks_vnuma_case *c)
{
	struct ks_vnuma_live *l = ctx;

	(void)vm;
	l->cpu[c->cpu].passed++;
}

static void on_overloaded(void *ctx, uint32_t vm, const struct ks_vnuma_case *c)
{
	struct ks_vnuma_live *l = ctx;

	(void)vm;
	l->cpu[c->cpu].overloaded++;
}

/* ---- begin ---- */

static int make(struct ks_vnuma_live *l, const int32_t *node, uint32_t ncpus)
{
	uint32_t i;

	l->cpu = calloc(ncpus + 1, sizeof(*l->cpu));
	l->since = calloc(ncpus + 1, sizeof(*l->since));
	l->v.vcpu = calloc(ncpus + 1, sizeof(*l->v.vcpu));
	if (!l->cpu || !l->since || !l->v.vcpu)
		return -ENOMEM;
	l->m.ncpus = ncpus;
	l->m.end = UINT64_MAX;
	if (vn_cpus_new(&l->m))
		return -ENOMEM;
	for (i = 0; i < ncpus; i++) {
		l->cpu[i].node = l->m.cpu[i].node = node[i] < KS_VN_NODES ? node[i] : -1;
		l->m.cpu[i].vcpu = i;
		l->m.cpu[i].host = KS_V_RUNNING; /* nobody says that it could not run */
		vn_count_node(node[i], &l->m.out.guest_nodes);
	}
	return 0;
}

int ks_vnuma_live_new(struct ks_vnuma_live **out, const struct ks_vnuma_opts *opts,
		      const int32_t *node, uint32_t ncpus)
{
	struct ks_vnuma_live *l = calloc(1, sizeof(*l));

	*out = NULL;
	if (!l)
		return -ENOMEM;
	vn_opts(&l->v.opts, opts);
	l->v.nvcpus = ncpus;
	l->v.watch = (struct ks_vnuma_watch){ .migration = on_migration,
					      .passed = on_passed,
					      .overloaded = on_overloaded,
					      .ctx = l };
	l->m.opts = &l->v.opts;
	l->m.watch = &l->v.watch;
	if (make(l, node, ncpus)) {
		ks_vnuma_live_free(l);
		return -ENOMEM;
	}
	*out = l;
	return 0;
}

void ks_vnuma_live_free(struct ks_vnuma_live *l)
{
	if (!l)
		return;
	vn_vm_free(&l->m);
	free(l->v.vcpu);
	free(l->cpu);
	free(l->since);
	free(l);
}

/* ---- records ---- */

static void settle_cpu(struct ks_vnuma_live *l, uint32_t cpu, uint64_t now)
{
	uint32_t cur = l->m.cpu[cpu].cur;
	bool known = cur != VN_NONE && !l->m.cpu[cpu].offline;

	if (l->since[cpu] && now > l->since[cpu] && known) {
		if (cur)
			l->cpu[cpu].busy_ns += now - l->since[cpu];
		else
			l->cpu[cpu].idle_ns += now - l->since[cpu];
	}
	if (now > l->since[cpu])
		l->since[cpu] = now;
}

static void settle(struct ks_vnuma_live *l, uint64_t now)
{
	uint32_t i;

	vn_advance(&l->m, l->v.vcpu, now);
	for (i = 0; i < l->m.ncpus; i++)
		settle_cpu(l, i, now);
}

static void begin(struct ks_vnuma_live *l, uint64_t time)
{
	if (!l->m.last)
		l->m.last = l->m.out.begin = time;
}

static bool is_new_loss(const struct ks_vnuma_live *l, const struct ks_rec *rec)
{
	return rec->type == KS_LOSS && rec->b && ks_loss_to(rec) > l->blind_to;
}

/* Nothing is summed up until then, and from there on nothing is known. */
static void blind(struct ks_vnuma_live *l, uint64_t to)
{
	uint32_t i;

	l->blind_to = to;
	vn_tasks_forget(&l->m);
	vn_look(&l->m, to);
	if (to <= l->m.last)
		return;
	if (l->m.out.queues)
		l->m.out.blind_ns += to - l->m.last;
	l->m.last = to;
	for (i = 0; i < l->m.ncpus; i++)
		l->since[i] = to;
}

/* All losses among these, the first of which begins at `from`. */
static void lose(struct ks_vnuma_live *l, const struct ks_rec *recs, size_t n, uint64_t from)
{
	uint64_t to = from;
	size_t i;

	begin(l, from);
	settle(l, from);
	for (i = 0; i < n; i++) {
		if (!is_new_loss(l, &recs[i]))
			continue;
		vn_online_forget(&l->m, &recs[i]);
		an_raise(&to, ks_loss_to(&recs[i]));
	}
	blind(l, to);
}

/* Of what happened within a loss no thread's whereabouts are concluded from. */
static bool is_of_threads(const struct ks_rec *rec)
{
	return rec->type != KS_TASK_MIGRATE && rec->type != KS_CPU_ONLINE;
}

void ks_vnuma_live_feed(struct ks_vnuma_live *l, const struct ks_rec *rec)
{
	struct ks_event ev = { .time = rec->time, .rec = rec };

	if (is_new_loss(l, rec))
		lose(l, rec, 1, ks_loss_from(rec));
	if (rec->type == KS_LOSS)
		return;
	if (rec->cpu >= l->m.ncpus || (rec->time < l->blind_to && is_of_threads(rec)))
		return;
	begin(l, rec->time);
	vn_advance(&l->m, l->v.vcpu, rec->time);
	if (rec->type == KS_TASK_SWITCH || rec->type == KS_CPU_ONLINE)
		settle_cpu(l, rec->cpu, rec->time);
	if (rec->type == KS_TASK_SWITCH)
		l->m.out.queues = true;
	vn_guest_event(&l->v, &l->m, &ev);
	vn_look(&l->m, rec->time);
}

int ks_vnuma_live_settle(struct ks_vnuma_live *l, uint64_t now)
{
	settle(l, now);
	return l->v.no_memory ? -ENOMEM : 0;
}

static uint64_t first_loss(const struct ks_vnuma_live *l, const struct ks_rec *recs, size_t n)
{
	uint64_t from = UINT64_MAX;
	size_t i;

	for (i = 0; i < n; i++)
		if (is_new_loss(l, &recs[i]) && ks_loss_from(&recs[i]) < from)
			from = ks_loss_from(&recs[i]);
	return from;
}

int ks_vnuma_live_drain(struct ks_vnuma_live *l, const struct ks_rec *recs, size_t n, size_t all,
			uint64_t until)
{
	uint64_t lost = first_loss(l, recs, all);
	size_t i;

	for (i = 0; i < n && recs[i].time < lost; i++)
		ks_vnuma_live_feed(l, &recs[i]);
	if (lost != UINT64_MAX)
		lose(l, recs, all, until < lost ? until : lost);
	for (; i < n; i++)
		ks_vnuma_live_feed(l, &recs[i]);
	return ks_vnuma_live_settle(l, until);
}

void ks_vnuma_live_next(struct ks_vnuma_live *l)
{
	uint32_t i;

	for (i = 0; i < l->m.ncpus; i++)
		l->cpu[i] = (struct ks_vnuma_live_cpu){ .node = l->cpu[i].node };
}

const struct ks_vnuma_live_cpu *ks_vnuma_live_cpus(const struct ks_vnuma_live *l, uint32_t *n)
{
	*n = l->m.ncpus;
	return l->cpu;
}

const struct ks_vnuma_vm *ks_vnuma_live_vm(const struct ks_vnuma_live *l)
{
	return &l->m.out;
}
