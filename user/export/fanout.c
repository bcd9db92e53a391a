// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "fanout.h"
#include "lossspan.h"

static int open_out(struct ks_outfile *o, const struct ks_exporter *x, const char *path,
		    struct ks_err *err)
{
	if (!x->folder)
		return ks_outfile_open(o, path, err);
	*o = (struct ks_outfile){ .path = strdup(path) };
	return o->path ? 0 : ks_fail(err, -ENOMEM, "out of memory");
}

int ks_fanout_add(struct ks_fanout *f, const struct ks_exporter *x, const char *path,
		  const struct ks_export_opts *opts, struct ks_err *err)
{
	struct ks_fanout_sink *s = &f->sink[f->n];
	int ret;

	if (f->n == KS_FANOUT_MAX)
		return ks_fail(err, -E2BIG, "more than %d outputs at once", KS_FANOUT_MAX);
	*s = (struct ks_fanout_sink){ .x = x };
	ret = open_out(&s->out, x, path, err);
	if (ret)
		return ret;
	f->n++;
	ret = x->open(&s->self, &s->out, err);
	if (!ret && x->configure)
		ret = x->configure(s->self, opts, err);
	if (!ret)
		x->ops(s->self, &s->ops);
	return ret;
}

/* Does [a, b] touch the part that is asked for? */
static bool within(const struct ks_fanout *f, uint64_t a, uint64_t b)
{
	return b >= f->from && a < f->to;
}

#define FOR_EACH(f, op, arg)                                                                       \
	do {                                                                                       \
		struct ks_fanout_sink *s;                                                          \
                                                                                                   \
		for (s = (f)->sink; s < (f)->sink + (f)->n; s++)                                   \
			if (s->ops.op)                                                             \
				s->ops.op(s->ops.ctx, arg);                                        \
	} while (0)

/* A loss stands in the stream where it ends, and may have begun long before. */
static bool event_within(const struct ks_fanout *f, const struct ks_event *ev)
{
	uint64_t from = ev->time, to = from;

	if (ev->rec->type == KS_LOSS)
		ks_export_loss_span(f->session, ev, &from, &to);
	return within(f, from, to);
}

static void on_event(void *ctx, const struct ks_event *ev)
{
	struct ks_fanout *f = ctx;

	if (event_within(f, ev))
		FOR_EACH(f, event, ev);
}

static void on_wait(void *ctx, const struct ks_wait *w)
{
	struct ks_fanout *f = ctx;

	if (within(f, w->try_time, w->acq_time))
		FOR_EACH(f, wait, w);
}

static void on_hold(void *ctx, const struct ks_hold *h)
{
	struct ks_fanout *f = ctx;

	if (within(f, h->acq_time, h->rel_time))
		FOR_EACH(f, hold, h);
}

static void on_segment(void *ctx, const struct ks_segment *g)
{
	struct ks_fanout *f = ctx;

	if (within(f, g->from, g->to))
		FOR_EACH(f, segment, g);
}

static void on_burst(void *ctx, const struct ks_burst *b)
{
	struct ks_fanout *f = ctx;

	if (within(f, b->first, b->last))
		FOR_EACH(f, burst, b);
}

static void on_ple(void *ctx, const struct ks_ple *p)
{
	struct ks_fanout *f = ctx;

	if (within(f, p->time, p->time))
		FOR_EACH(f, ple, p);
}

/* Only what somebody listens to: the analysis leaves out work for the rest. */
void ks_fanout_ops(struct ks_fanout *f, struct ks_analysis_ops *ops)
{
	struct ks_fanout_sink *s;

	memset(ops, 0, sizeof(*ops));
	ops->ctx = f;
	for (s = f->sink; s < f->sink + f->n; s++) {
		ops->event = s->ops.event ? on_event : ops->event;
		ops->wait = s->ops.wait ? on_wait : ops->wait;
		ops->hold = s->ops.hold ? on_hold : ops->hold;
		ops->segment = s->ops.segment ? on_segment : ops->segment;
		ops->burst = s->ops.burst ? on_burst : ops->burst;
		ops->ple = s->ops.ple ? on_ple : ops->ple;
	}
}

int ks_fanout_begin(struct ks_fanout *f, const struct ks_export_input *in, struct ks_err *err)
{
	struct ks_fanout_sink *s;
	int ret = 0;

	f->session = in->session;
	f->from = in->from;
	f->to = in->to;
	for (s = f->sink; !ret && s < f->sink + f->n; s++)
		if (s->x->begin)
			ret = s->x->begin(s->self, in, err);
	return ret;
}

static int sink_failed(const struct ks_fanout_sink *s, struct ks_err *err)
{
	int ret = s->out.err;

	if (!ret && s->x->failed)
		ret = s->x->failed(s->self);
	return ret ? ks_outfile_fail(&s->out, ret, err) : 0;
}

int ks_fanout_failed(const struct ks_fanout *f, struct ks_err *err)
{
	const struct ks_fanout_sink *s;
	int ret = 0;

	for (s = f->sink; !ret && s < f->sink + f->n; s++)
		ret = sink_failed(s, err);
	return ret;
}

static int finish_sink(struct ks_fanout_sink *s, const struct ks_export_input *in,
		       struct ks_err *err)
{
	int ret = s->x->finish ? s->x->finish(s->self, in, err) : 0;

	if (!ret)
		ret = sink_failed(s, err);
	return ret || s->x->folder ? ret : ks_outfile_sync(&s->out, err);
}

/* Names only when all that can fail is behind all of them. */
int ks_fanout_finish(struct ks_fanout *f, const struct ks_export_input *in, struct ks_err *err)
{
	struct ks_fanout_sink *s;
	int ret = ks_fanout_failed(f, err);

	for (s = f->sink; !ret && s < f->sink + f->n; s++)
		ret = finish_sink(s, in, err);
	for (s = f->sink; !ret && s < f->sink + f->n; s++)
		ret = s->x->folder ? s->x->commit(s->self, err) : ks_outfile_commit(&s->out, err);
	return ret;
}

void ks_fanout_close(struct ks_fanout *f)
{
	struct ks_fanout_sink *s;

	for (s = f->sink; s < f->sink + f->n; s++) {
		if (s->self)
			s->x->close(s->self);
		ks_outfile_discard(&s->out);
	}
	f->n = 0;
}
