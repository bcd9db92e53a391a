// SPDX-License-Identifier: GPL-2.0
/* What both formats share: which rows, of which machines, and the rows of results. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "rows_priv.h"

/* ---- which rows ---- */

static int bad_kind(const char *word, size_t len, struct ks_err *err)
{
	char all[160];
	size_t n = 0;
	unsigned int k;

	for (k = 0; k < ROW_KINDS; k++)
		if (rows_kinds[k].chosen)
			n += snprintf(all + n, sizeof(all) - n, "%s%s", n ? ", " : "",
				      rows_kinds[k].name);
	return ks_fail(err, -EINVAL, "--rows: no kind '%.*s'; there are %s", (int)len, word, all);
}

static int choose(uint32_t *on, const char *word, size_t len, struct ks_err *err)
{
	unsigned int k;

	for (k = 0; k < ROW_KINDS; k++) {
		if (!rows_kinds[k].chosen || strncmp(rows_kinds[k].name, word, len) != 0 ||
		    rows_kinds[k].name[len])
			continue;
		*on |= 1u << k;
		return 0;
	}
	return bad_kind(word, len > 40 ? 40 : len, err);
}

int rows_parse(const char *list, uint32_t *on, struct ks_err *err)
{
	unsigned int k;
	size_t len;
	int ret = 0;

	*on = 0;
	for (k = 0; k < ROW_KINDS; k++)
		if (!list || !rows_kinds[k].chosen)
			*on |= 1u << k;
	while (list && !ret) {
		len = strcspn(list, ",");
		ret = choose(on, list, len, err);
		list = list[len] ? list + len + 1 : NULL;
	}
	return ret;
}

int rows_configure(void *self, const struct ks_export_opts *opts, struct ks_err *err)
{
	struct rows *r = self;

	return rows_parse(opts->rows, &r->on, err);
}

/* ---- of which machines ---- */

uint32_t rows_vcpu_in(const struct rows *r, uint32_t slot)
{
	return r->analysis ? ks_analysis_slot(r->analysis, slot) : KS_NO_VCPU;
}

#define MAX_CPUS 65536u

static int add_source(struct rows_source *s, struct ks_reader *reader, const struct rows *r,
		      uint32_t vm)
{
	uint32_t i;

	s->vm = vm;
	for (i = 0; i < r->nvcpus; i++)
		if (r->vcpus[i].vm == vm && r->vcpus[i].guest_cpu >= (int32_t)s->ncpus)
			s->ncpus = r->vcpus[i].guest_cpu + 1;
	s->cpu_vcpu = malloc((s->ncpus + 1) * sizeof(*s->cpu_vcpu));
	if (!s->cpu_vcpu)
		return -ENOMEM;
	memset(s->cpu_vcpu, 0xff, (s->ncpus + 1) * sizeof(*s->cpu_vcpu));
	for (i = 0; i < r->nvcpus; i++)
		if (r->vcpus[i].vm == vm && r->vcpus[i].guest_cpu >= 0)
			s->cpu_vcpu[r->vcpus[i].guest_cpu] = i;
	return ks_meta_ints(ks_reader_meta(reader), "cpu_node", MAX_CPUS, &s->cpu_node, &s->nnodes);
}

static int add_sources(struct rows *r)
{
	struct ks_reader *host = r->session ? ks_session_host(r->session) : NULL;
	int ret = host ? add_source(&r->src[0], host, r, KS_NO_VCPU) : 0;
	int src;
	uint32_t i;

	for (i = 0; !ret && i < r->nvms; i++) {
		src = r->vms[i].guest_src;
		if (src < 0 || (uint32_t)src >= r->nsrc)
			continue;
		ret = add_source(&r->src[src], ks_session_guest(r->session, i), r, i);
		r->src[src].clock = ks_session_link(r->session, i)->clock;
	}
	return !ret && r->alone ? add_source(&r->src[1], r->alone, r, 0) : ret;
}

static int learn(struct rows *r, const struct ks_export_input *in)
{
	const struct ks_analysis *a = in->session ? ks_session_analysis(in->session) : NULL;
	uint32_t i;
	int ret;

	r->session = in->session;
	r->analysis = a;
	r->alone = in->alone;
	r->one_vm = in->vm;
	r->nsrc = 2;
	if (a) {
		r->vms = ks_analysis_vms(a, &r->nvms);
		r->vcpus = ks_analysis_vcpus(a, &r->nvcpus);
	}
	for (i = 0; i < r->nvms; i++)
		if (r->vms[i].guest_src >= (int)r->nsrc)
			r->nsrc = r->vms[i].guest_src + 1;
	r->src = calloc(r->nsrc, sizeof(*r->src));
	ret = r->src ? rows_names_init(&r->names, in->names, r->vms, r->nvms) : -ENOMEM;
	return ret ? ret : add_sources(r);
}

int rows_begin(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	struct rows *r = self;
	int ret = learn(r, in);

	if (ret)
		return ks_fail(err, ret, "out of memory");
	rows_header(r, in);
	return 0;
}

void rows_free(struct rows *r)
{
	uint32_t i;

	for (i = 0; r->src && i < r->nsrc; i++) {
		free(r->src[i].cpu_vcpu);
		free(r->src[i].cpu_node);
	}
	free(r->src);
	rows_names_free(&r->names);
}

/* ---- results ---- */

static struct row_task task_of(struct rows *r, uint32_t vm, uint32_t pid)
{
	return (struct row_task){ pid, rows_comm(&r->names, vm, pid) };
}

static void blame(struct rows *r, struct row_wait *row, const struct ks_wait *w)
{
	row->blamed = w->blame_vcpu != KS_NO_VCPU;
	if (!row->blamed)
		return;
	row->blame_class = ks_class_name(w->blame_class);
	row->blame_vcpu = r->vcpus[w->blame_vcpu].vcpu_id;
	row->blame_task = task_of(r, w->vm, w->blame_pid);
	row->blame_site = w->blame_ip;
	row->blame_symbol = rows_symbol(&r->names, w->vm, w->blame_ip);
	row->blame_off = w->blame_off_ns;
}

static void on_wait(void *self, const struct ks_wait *w)
{
	struct rows *r = self;
	struct row_wait row = {
		.vm = rows_label(&r->names, w->vm),
		.try_time = w->try_time,
		.ns = w->acq_time - w->try_time,
		.acquired = w->acquired,
		.partial = w->partial,
		.vcpu = r->vcpus[w->vcpu].vcpu_id,
		.slot = r->vcpus[w->vcpu].slot,
		.task = task_of(r, w->vm, w->pid),
		.context = ks_context_name(w->ctx_flags),
		.lock = w->lock,
		.site = w->ip,
		.lock_symbol = rows_symbol(&r->names, w->vm, w->lock),
		.site_symbol = rows_symbol(&r->names, w->vm, w->ip),
		.verdict = ks_class_name(w->verdict),
		.ple = w->ple_total,
	};
	int c;

	memcpy(row.share, w->share, sizeof(row.share));
	for (c = 0; c < KS_C_WAIT_MAX; c++)
		row.ple_by[c] = w->ple[c];
	blame(r, &row, w);
	rows_put(r, ROW_WAIT, &row, ROWS_ALL);
}

static void on_hold(void *self, const struct ks_hold *h)
{
	struct rows *r = self;
	struct row_hold row = {
		.vm = rows_label(&r->names, h->vm),
		.acq_time = h->acq_time,
		.ns = h->rel_time - h->acq_time,
		.vcpu = r->vcpus[h->vcpu].vcpu_id,
		.slot = r->vcpus[h->vcpu].slot,
		.task = task_of(r, h->vm, h->pid),
		.lock = h->lock,
		.site = h->ip,
		.lock_symbol = rows_symbol(&r->names, h->vm, h->lock),
		.site_symbol = rows_symbol(&r->names, h->vm, h->ip),
		.off = h->off_ns,
		.waiters = h->waiters,
	};

	rows_put(r, ROW_HOLD, &row, ROWS_ALL);
}

static void on_segment(void *self, const struct ks_segment *s)
{
	struct rows *r = self;
	const struct ks_vcpu *v = &r->vcpus[s->vcpu];
	struct row_segment row = {
		.vm = rows_label(&r->names, v->vm),
		.state = ks_vstate_name(s->state),
		.vcpu = v->vcpu_id,
		.slot = v->slot,
		.pcpu = s->pcpu,
		.from = s->from,
		.ns = s->to - s->from,
	};

	rows_put(r, ROW_SEGMENT, &row, ROWS_ALL);
}

static void on_burst(void *self, const struct ks_burst *b)
{
	struct rows *r = self;
	const struct ks_vcpu *v = &r->vcpus[b->vcpu];
	struct row_burst row = {
		.vm = rows_label(&r->names, v->vm),
		.ip_symbol = rows_symbol(&r->names, v->vm, b->ip),
		.vcpu = v->vcpu_id,
		.slot = v->slot,
		.first = b->first,
		.ns = b->last - b->first,
		.exits = b->exits,
		.ip = b->ip,
	};

	rows_put(r, ROW_BURST, &row, ROWS_ALL);
}

static void on_ple(void *self, const struct ks_ple *p)
{
	struct rows *r = self;
	const struct ks_vcpu *v = &r->vcpus[p->vcpu];
	struct row_ple row = {
		.vm = rows_label(&r->names, v->vm),
		.class = ks_class_name(p->class),
		.ip_symbol = rows_symbol(&r->names, v->vm, p->ip),
		.lock_symbol = rows_symbol(&r->names, v->vm, p->lock),
		.site_symbol = rows_symbol(&r->names, v->vm, p->site),
		.vcpu = v->vcpu_id,
		.slot = v->slot,
		.count = p->count,
		.time = p->time,
		.ip = p->ip,
		.lock = p->lock,
		.site = p->site,
	};

	rows_put(r, ROW_PLE, &row, ROWS_ALL);
}

void rows_ops(void *self, struct ks_analysis_ops *ops)
{
	struct rows *r = self;

	ops->ctx = self;
	if (rows_wanted(r, ROW_RECORD) || rows_wanted(r, ROW_LOSS))
		ops->event = rows_event;
	if (rows_wanted(r, ROW_WAIT))
		ops->wait = on_wait;
	if (rows_wanted(r, ROW_HOLD))
		ops->hold = on_hold;
	if (rows_wanted(r, ROW_SEGMENT))
		ops->segment = on_segment;
	if (rows_wanted(r, ROW_BURST))
		ops->burst = on_burst;
	if (rows_wanted(r, ROW_PLE))
		ops->ple = on_ple;
}
