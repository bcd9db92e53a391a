// SPDX-License-Identifier: GPL-2.0
/*
 * Collapsed stacks, as flamegraph.pl, inferno and speedscope read them: where time, or PLE exits,
 * go in waits for spinlocks. A stack reads, from the root: VM; spinning or not; why; which lock;
 * where it was wanted; where who is to blame got it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "rows.h"
#include "rows_buf.h"
#include "rows_names.h"

/* Different stacks kept apart; then without the lock, which is what there may be very many of. */
#define STACKS 65536u
#define STACKS_NO_LOCK 8192u
#define FOLDED 0xffffffffffffffffull /* in place of a lock or site: one of those not kept apart */

struct stack {
	uint64_t lock, site, leaf; /* leaf: the blamed one's site, or where it spun */
	uint32_t vm;
	uint8_t class;
	bool outside; /* of every wait */
	uint64_t weight;
};

struct folded {
	struct ks_outfile *out;
	struct rows_names names;
	const struct ks_vcpu *vcpus;
	struct stack *stack; /* a hash table; weight 0 = free */
	uint32_t nstacks, most, mask;
	char warning[128];
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static bool is_same(const struct stack *a, const struct stack *b)
{
	return a->lock == b->lock && a->site == b->site && a->leaf == b->leaf && a->vm == b->vm &&
	       a->class == b->class && a->outside == b->outside;
}

/* False if it is a new one and there are as many as `most`. */
static bool add(struct folded *f, const struct stack *s, uint32_t most)
{
	uint64_t h = mix(mix(mix(mix(s->vm, s->class | s->outside << 8), s->lock), s->site),
			 s->leaf);
	uint32_t i = h & f->mask;

	while (f->stack[i].weight && !is_same(&f->stack[i], s))
		i = (i + 1) & f->mask;
	if (f->stack[i].weight) {
		f->stack[i].weight += s->weight;
		return true;
	}
	if (f->nstacks >= most)
		return false;
	f->stack[i] = *s;
	f->nstacks++;
	return true;
}

/* Nothing of the weight is lost, whatever there is no room for. */
static void count(struct folded *f, struct stack s)
{
	if (!s.weight || add(f, &s, STACKS))
		return;
	s.lock = s.lock ? FOLDED : 0;
	s.leaf = s.leaf ? FOLDED : 0;
	if (add(f, &s, STACKS + STACKS_NO_LOCK))
		return;
	s.site = s.site ? FOLDED : 0;
	add(f, &s, f->most);
}

static void on_wait(void *self, const struct ks_wait *w)
{
	bool blamed = w->blame_vcpu != KS_NO_VCPU;
	int c;

	for (c = 0; c < KS_C_WAIT_MAX; c++)
		count(self, (struct stack){
				    .lock = w->lock,
				    .site = w->ip,
				    .leaf = blamed && (int)w->blame_class == c ? w->blame_ip : 0,
				    .vm = w->vm,
				    .class = c,
				    .weight = w->share[c],
			    });
}

static void on_ple(void *self, const struct ks_ple *p)
{
	struct folded *f = self;

	count(f, (struct stack){
			 .lock = p->lock,
			 .site = p->site,
			 /* In a wait it is always the lock's own function. */
			 .leaf = p->lock || p->class == KS_C_USER ? 0 : p->ip,
			 .vm = f->vcpus[p->vcpu].vm,
			 .class = p->class,
			 .outside = !p->lock,
			 .weight = p->count,
		 });
}

static void time_ops(void *self, struct ks_analysis_ops *ops)
{
	ops->ctx = self;
	ops->wait = on_wait;
}

static void ple_ops(void *self, struct ks_analysis_ops *ops)
{
	ops->ctx = self;
	ops->ple = on_ple;
}

static int folded_open(void **self, struct ks_outfile *out, struct ks_err *err)
{
	struct folded *f = calloc(1, sizeof(*f));

	*self = f;
	if (!f)
		return ks_fail(err, -ENOMEM, "out of memory");
	f->out = out;
	return 0;
}

static int folded_begin(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	struct ks_analysis *a = ks_session_analysis(in->session);
	const struct ks_vm *vms;
	struct folded *f = self;
	uint32_t nvms, n;
	int ret;

	vms = ks_analysis_vms(a, &nvms);
	f->vcpus = ks_analysis_vcpus(a, &n);
	ret = rows_names_init(&f->names, in->names, vms, nvms);
	/* For each VM and class one without lock and site, in a wait and outside. */
	f->most = STACKS + STACKS_NO_LOCK + nvms * 8 * KS_C_MAX;
	for (f->mask = 1; f->mask < 2 * f->most; f->mask *= 2)
		;
	if (!ret)
		f->stack = calloc(f->mask--, sizeof(*f->stack));
	return ret || !f->stack ? ks_fail(err, -ENOMEM, "out of memory") : 0;
}

/* ---- writing ---- */

static void put_frame(struct rows_buf *b, const char *what, const char *name)
{
	size_t i;

	rows_room(b, 2 * ROWS_NAME);
	rows_text(b, what, strlen(what));
	for (i = 0; i < ROWS_NAME && name[i]; i++)
		rows_char(b, name[i] == ';' ? ':' : name[i]); /* semicolons part the frames */
}

static void put_place(struct folded *f, struct rows_buf *b, const struct stack *s, const char *what,
		      uint64_t addr)
{
	const char *name;
	char hex[24];

	if (!addr)
		return;
	name = addr == FOLDED ? "(many)" : rows_symbol(&f->names, s->vm, addr);
	if (!name) {
		snprintf(hex, sizeof(hex), "0x%" PRIx64, addr);
		name = hex;
	}
	put_frame(b, what, name);
}

static const char *why(enum ks_class c)
{
	static const char *const words[KS_C_MAX] = {
		[KS_C_SELF] = "self: its own vCPU off-CPU",
		[KS_C_LHP] = "lhp: holder preempted",
		[KS_C_BUSY] = "busy: holder running",
		[KS_C_HALTED] = "halted: holder asleep",
		[KS_C_LWP] = "lwp: next waiter off-CPU",
		[KS_C_HANDOFF] = "handoff: next waiter running",
		[KS_C_UNKNOWN] = "unknown: not seen",
		[KS_C_IPI] = "ipi: other vCPUs to answer",
		[KS_C_USER] = "user: guest user space",
		[KS_C_OTHER] = "other: elsewhere in the kernel",
	};

	return words[c];
}

static void put_stack(struct folded *f, struct rows_buf *b, const struct stack *s)
{
	bool by_holder = s->class == KS_C_LHP || s->class == KS_C_BUSY || s->class == KS_C_HALTED;

	put_frame(b, "", rows_label(&f->names, s->vm));
	put_frame(b, ";",
		  s->outside		? "outside lock waits" :
		  s->class == KS_C_SELF ? "waiting, not running" :
					  "spinning");
	put_frame(b, ";", why(s->class));
	put_place(f, b, s, ";lock ", s->lock);
	put_place(f, b, s, ";", s->site);
	put_place(f, b, s, s->outside ? ";" : by_holder ? ";held: " : ";next: ", s->leaf);
	rows_room(b, 2 * ROWS_NUMBER);
	rows_char(b, ' ');
	rows_u64(b, s->weight);
	rows_text(b, "\n", 1);
}

static int by_place(const void *pa, const void *pb)
{
	const struct stack *a = pa, *b = pb;

	if (a->vm != b->vm)
		return a->vm < b->vm ? -1 : 1;
	if (a->outside != b->outside)
		return a->outside ? 1 : -1;
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->lock != b->lock)
		return a->lock < b->lock ? -1 : 1;
	if (a->site != b->site)
		return a->site < b->site ? -1 : 1;
	return a->leaf < b->leaf ? -1 : a->leaf > b->leaf;
}

/* The stacks together at the front of the table, in order. */
static void sort(struct folded *f)
{
	uint32_t i, n = 0;

	for (i = 0; i <= f->mask; i++)
		if (f->stack[i].weight)
			f->stack[n++] = f->stack[i];
	qsort(f->stack, n, sizeof(*f->stack), by_place);
}

/* The format has no room for it, as rows have. */
static void tell_losses(struct folded *f, const struct ks_session *s)
{
	uint64_t lost = ks_reader_lost(ks_session_host(s));
	struct ks_reader *guest;
	uint32_t i, n;

	ks_analysis_vms(ks_session_analysis(s), &n);
	for (i = 0; i < n; i++) {
		guest = ks_session_guest(s, i);
		lost += guest ? ks_reader_lost(guest) : 0;
	}
	if (lost)
		snprintf(f->warning, sizeof(f->warning),
			 "%" PRIu64 " records were lost: the stacks lack what they were of", lost);
}

static const char *folded_warning(const void *self)
{
	const struct folded *f = self;

	return f->warning[0] ? f->warning : NULL;
}

static int folded_finish(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	struct folded *f = self;
	struct rows_buf b;
	uint32_t i;

	tell_losses(f, in->session);
	if (rows_buf_init(&b, f->out))
		return ks_fail(err, -ENOMEM, "out of memory");
	sort(f);
	for (i = 0; i < f->nstacks; i++)
		put_stack(f, &b, &f->stack[i]);
	rows_buf_flush(&b);
	rows_buf_free(&b);
	return 0;
}

static void folded_close(void *self)
{
	struct folded *f = self;

	rows_names_free(&f->names);
	free(f->stack);
	free(f);
}

const struct ks_exporter ks_export_folded = {
	.name = "folded",
	.help = "stacks for flame graphs: ns lost in waits for spinlocks",
	.open = folded_open,
	.ops = time_ops,
	.begin = folded_begin,
	.warning = folded_warning,
	.finish = folded_finish,
	.close = folded_close,
};

const struct ks_exporter ks_export_folded_ple = {
	.name = "folded-ple",
	.help = "stacks for flame graphs: PLE exits, in such waits or not",
	.open = folded_open,
	.ops = ple_ops,
	.begin = folded_begin,
	.warning = folded_warning,
	.finish = folded_finish,
	.close = folded_close,
};
