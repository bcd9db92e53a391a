// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "err.h"
#include "perfetto.h"
#include "world.h"

static int perfetto_open(void **self, struct ks_outfile *out, struct ks_err *err)
{
	struct pf_export *x = calloc(1, sizeof(*x));

	*self = x;
	if (!x || pf_open(&x->w, out))
		return ks_fail(err, -ENOMEM, "out of memory");
	return 0;
}

static void on_wait(void *self, const struct ks_wait *w)
{
	pf_wait(self, w);
}

static void on_hold(void *self, const struct ks_hold *h)
{
	pf_hold(self, h);
}

static void on_segment(void *self, const struct ks_segment *g)
{
	pf_state(self, g);
}

static void on_ple(void *self, const struct ks_ple *p)
{
	pf_ple(self, p);
}

static void count_exits(struct pf_export *x, uint32_t vcpu, uint64_t from, uint64_t to, uint64_t n)
{
	rate_add(&x->pvcpu[vcpu].ple.rate, from, to, n);
	rate_add(&x->pvm[x->vcpu[vcpu].vm].ple.rate, from, to, n);
}

static void on_event(void *self, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	struct pf_export *x = self;
	uint64_t length = r->b >> 32;
	uint32_t vcpu;

	if (r->type == KS_LOSS) {
		pf_loss(x, ev);
		return;
	}
	if (ev->src)
		return;
	if (r->type == KS_VM_MEMORY) {
		pf_memory(x, ev);
		return;
	}
	vcpu = ks_analysis_slot(ks_session_analysis(x->session), r->id);
	if (vcpu == KS_NO_VCPU)
		return;
	switch (r->type) {
	case KS_HLT:
		pf_halt(x, vcpu, ev);
		break;
	case KS_PAUSE:
		count_exits(x, vcpu, ev->time, ev->time, 1);
		break;
	case KS_BURST:
		count_exits(x, vcpu, ev->time < length ? 0 : ev->time - length, ev->time,
			    (uint32_t)r->b);
		break;
	}
}

static void perfetto_ops(void *self, struct ks_analysis_ops *ops)
{
	ops->ctx = self;
	ops->wait = on_wait;
	ops->hold = on_hold;
	ops->segment = on_segment;
	ops->ple = on_ple;
	ops->event = on_event;
}

static int perfetto_begin(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	return pf_world_begin(self, in, err);
}

static int perfetto_failed(const void *self)
{
	const struct pf_export *x = self;

	return x->w.err;
}

static int perfetto_finish(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	struct pf_export *x = self;

	(void)in;
	pf_release(x);
	return x->w.err ? ks_fail(err, x->w.err, "out of memory") : 0;
}

static void perfetto_close(void *self)
{
	struct pf_export *x = self;

	pf_world_free(x);
	pf_close(&x->w);
	free(x);
}

const struct ks_exporter ks_export_perfetto = {
	.name = "perfetto",
	.help = "a trace for the Perfetto UI: a track per vCPU, waits, holds, flows",
	.open = perfetto_open,
	.ops = perfetto_ops,
	.begin = perfetto_begin,
	.failed = perfetto_failed,
	.finish = perfetto_finish,
	.close = perfetto_close,
};
