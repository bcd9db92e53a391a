// SPDX-License-Identifier: GPL-2.0
/*
 * Waits, one by one. What counts as right is in README.md; nothing here knows the rules by which
 * the analysis comes to its verdicts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "emit.h"
#include "util.h"

#define STAMP_NS 45u /* how far a stamp is from what it stamps, at most */

struct pairing {
	struct score *s;
	const struct world *w;
	const struct run_vm *vm;
	uint32_t num;	      /* of the VM in the world */
	uint32_t vcpu_of[64]; /* analysis's vCPU number -> guest CPU */
	uint64_t error;	      /* of the clock, as the analysis states it */
};

const struct run_vcpu *compare_vcpu(const struct run *r, const struct vcpu *v)
{
	for (uint32_t i = 0; i < r->nvcpus; i++)
		if (r->vms[r->vcpus[i].vm].tgid == v->vm->tgid && r->vcpus[i].vcpu_id == v->apic)
			return &r->vcpus[i];
	die("the analysis does not know vCPU %u of %s", v->apic, v->vm->name);
}

const struct run_vm *compare_vm(const struct run *r, const struct vm *vm)
{
	for (uint32_t i = 0; i < r->nvms; i++)
		if (r->vms[i].tgid == vm->tgid)
			return &r->vms[i];
	die("the analysis does not know %s", vm->name);
}

/* ---- pairs ---- */

static int order(uint32_t va, uint64_t la, uint64_t ta, uint32_t vb, uint64_t lb, uint64_t tb)
{
	if (va != vb)
		return va < vb ? -1 : 1;
	if (la != lb)
		return la < lb ? -1 : 1;
	return ta < tb ? -1 : ta > tb;
}

static int by_truth(const void *pa, const void *pb)
{
	const struct done *a = *(const struct done *const *)pa;
	const struct done *b = *(const struct done *const *)pb;

	return order(a->vcpu, a->lock, a->try_stamp, b->vcpu, b->lock, b->try_stamp);
}

static int by_wait(const void *pa, const void *pb)
{
	const struct ks_wait *a = pa, *b = pb;

	return order(a->vcpu, a->lock, a->try_time, b->vcpu, b->lock, b->try_time);
}

/* ---- one pair ---- */

/* Could an honest observer be in doubt: were records lost while it mattered? */
static bool doubtful(const struct world *w, const struct done *d)
{
	size_t n;
	const struct lost *l = emit_losses(w, &n);

	if (d->since < w->start || d->since < w->vms[d->vm].start || d->unclear)
		return true;
	for (size_t i = 0; i < n; i++)
		if ((l[i].vm < 0 || (uint32_t)l[i].vm == d->vm) && l[i].from <= d->acq_stamp &&
		    l[i].to >= d->since)
			return true;
	return false;
}

/* How much of the wait may go to another class without anybody being wrong, ns. */
static uint64_t allowance(const struct pairing *p, const struct done *d)
{
	return d->nhost * 2 * p->error + (d->nhost + d->nguest + 2ull) * STAMP_NS;
}

/* Claimed beyond what `real` shows, ns. */
static uint64_t beyond(const struct ks_wait *a, const uint64_t *real)
{
	uint64_t sum = 0;

	for (enum ks_class c = 0; c < KS_C_UNKNOWN; c++)
		if (a->share[c] > real[c])
			sum += a->share[c] - real[c];
	return sum;
}

static bool verdict_right(const struct pairing *p, const struct done *d, const struct ks_wait *a,
			  bool doubt)
{
	uint64_t top = d->share[d->verdict], len = d->acq_true - d->try_true, lead;

	if (a->verdict == d->verdict)
		return true;
	if (a->verdict == KS_C_UNKNOWN)
		return doubt || len <= 2 * p->error;
	lead = top - d->share[a->verdict];
	if (doubt && lead <= a->share[KS_C_UNKNOWN])
		return true; /* of what is known, it is the largest */
	return lead < p->error + 2 * STAMP_NS;
}

static void print_pair(const char *what, const struct done *d, const struct ks_wait *a)
{
	printf("  %s: vcpu %u lock %llx try %llu +%llu raced %d host %u guest %u:", what, d->vcpu,
	       (unsigned long long)d->lock, (unsigned long long)d->try_true,
	       (unsigned long long)(d->acq_true - d->try_true), d->raced, d->nhost, d->nguest);
	for (enum ks_class c = 0; c < KS_C_WAIT_MAX; c++)
		if (d->share[c] || (a && a->share[c]))
			printf(" %s %llu(%llu)/%llu", ks_class_name(c),
			       (unsigned long long)d->share[c], (unsigned long long)d->visible[c],
			       a ? (unsigned long long)a->share[c] : 0);
	putchar('\n');
}

static void judge_claims(struct pairing *p, const struct done *d, const struct ks_wait *a)
{
	uint64_t allowed = allowance(p, d), known[KS_C_WAIT_MAX];

	if (beyond(a, d->share) > allowed) {
		p->s->false_claims++;
		if (p->s->verbose)
			print_pair("false claim", d, a);
		return;
	}
	memcpy(known, d->visible, sizeof(known));
	known[KS_C_SELF] = d->share[KS_C_SELF];
	if (beyond(a, known) > allowed) {
		p->s->guesses++;
		if (p->s->verbose)
			print_pair("guess", d, a);
	}
}

static void judge_time(struct pairing *p, const struct done *d, const struct ks_wait *a, bool doubt)
{
	uint64_t len = d->acq_true - d->try_true, same = 0, wrong, allowed = allowance(p, d);

	for (enum ks_class c = 0; c < KS_C_UNKNOWN; c++)
		same += a->share[c] < d->share[c] ? a->share[c] : d->share[c];
	wrong = len - same;
	p->s->ns += len;
	p->s->ns_strict += same;
	p->s->ns_unknown += a->share[KS_C_UNKNOWN];
	if (doubt)
		wrong -= a->share[KS_C_UNKNOWN] < wrong ? a->share[KS_C_UNKNOWN] : wrong;
	p->s->ns_right += len - (wrong > allowed ? wrong - allowed : 0);
	if (p->s->verbose && wrong > allowed + len / 100)
		print_pair("time", d, a);
}

static void judge_exits(struct pairing *p, const struct done *d, const struct ks_wait *a)
{
	uint64_t n = 0;

	for (enum ks_class c = 0; c < KS_C_UNKNOWN; c++)
		n += d->ple[c];
	/* Exits in what interrupted the wait may count for it, too. */
	if (a->ple_total == n || a->ple_total == n + d->ple_over)
		return;
	p->s->ple_wrong++;
	if (p->s->verbose)
		printf("  exits: vcpu %u try %llu: %llu (+%u) / %u\n", d->vcpu,
		       (unsigned long long)d->try_true, (unsigned long long)n, d->ple_over,
		       a->ple_total);
}

/* Is the map of the clocks as good as it says? */
static void judge_clock(struct pairing *p, const struct done *d, const struct ks_wait *a)
{
	uint64_t off = a->try_time > d->try_stamp ? a->try_time - d->try_stamp :
						    d->try_stamp - a->try_time;

	if (off > p->s->clock_worst)
		p->s->clock_worst = off;
	if (off > p->error + 1)
		p->s->clock_wrong++;
}

/* The holder or next waiter blamed: nobody else's part may be clearly larger. */
static void judge_blame(struct pairing *p, const struct done *d, const struct ks_wait *a)
{
	uint64_t most = 0, said = 0;

	if (a->verdict != d->verdict || (d->verdict != KS_C_LHP && d->verdict != KS_C_BUSY &&
					 d->verdict != KS_C_HALTED && d->verdict != KS_C_LWP))
		return;
	for (uint32_t i = 0; i < 64; i++)
		if (d->blamed[i] > most)
			most = d->blamed[i];
	if (a->blame_vcpu != KS_NO_VCPU)
		said = d->blamed[p->vcpu_of[a->blame_vcpu]];
	if (most <= said + allowance(p, d))
		return;
	p->s->blame_wrong++;
	if (p->s->verbose)
		print_pair("blame", d, a);
}

static void judge(struct pairing *p, const struct done *d, const struct ks_wait *a)
{
	bool doubt = doubtful(p->w, d);

	judge_clock(p, d, a);

	if (d->raced) {
		p->s->raced++;
		return;
	}
	if (doubt || !a->acquired)
		judge_claims(p, d, a);
	if (!a->acquired)
		return;
	p->s->waits++;
	p->s->doubtful += doubt;
	p->s->confusion[d->verdict][a->verdict]++;
	if (verdict_right(p, d, a, doubt))
		p->s->right++;
	else if (p->s->verbose)
		print_pair("verdict", d, a);
	judge_time(p, d, a, doubt);
	if (doubt)
		return;
	if (!p->w->p.bursts)
		judge_exits(p, d, a);
	judge_blame(p, d, a);
}

static void missing(struct pairing *p, const struct done *d)
{
	/* The recorder leaves short ones out. */
	if (!d->acq_kept || d->raced || d->acq_stamp - d->try_stamp < p->w->p.wait_threshold + 10)
		return;
	p->s->missing++;
	p->s->waits++;
	p->s->ns += d->acq_true - d->try_true;
	if (p->s->verbose)
		print_pair("missing", d, NULL);
}

/* A try that no wait followed, as far as the trace tells. */
static bool stray(const struct pairing *p, const struct ks_wait *a)
{
	const struct truth *t = p->w->truth;

	for (size_t i = 0; i < t->ndone; i++) {
		const struct done *d = &t->done[i];

		if (d->stray && d->vm == p->num && d->vcpu == a->vcpu && d->lock == a->lock &&
		    a->try_time + p->error >= d->try_stamp &&
		    d->try_stamp + p->error >= a->try_time)
			return true;
	}
	return false;
}

static void phantom(struct pairing *p, const struct ks_wait *a)
{
	if (!a->acquired || stray(p, a))
		return; /* still waiting when the recording ended, or it looks so */
	p->s->phantom++;
	if (p->s->verbose)
		printf("  phantom: vcpu %u lock %llx try %llu +%llu\n", a->vcpu,
		       (unsigned long long)a->lock, (unsigned long long)a->try_time,
		       (unsigned long long)(a->acq_time - a->try_time));
}

/* Both in order of vCPU, lock and time. */
static void pair_up(struct pairing *p, const struct done **d, size_t nd, struct ks_wait *a,
		    size_t na)
{
	uint64_t tol = 2 * p->error + 100;
	size_t i = 0, k = 0;

	while (i < nd || k < na) {
		int c = i == nd ? 1 :
			k == na ? -1 :
				  order(d[i]->vcpu, d[i]->lock, 0, a[k].vcpu, a[k].lock, 0);

		if (!c && d[i]->try_stamp + tol < a[k].try_time)
			c = -1;
		else if (!c && a[k].try_time + tol < d[i]->try_stamp)
			c = 1;
		if (c < 0)
			missing(p, d[i++]);
		else if (c > 0)
			phantom(p, &a[k++]);
		else
			judge(p, d[i++], &a[k++]);
	}
}

static void number_vcpus(struct pairing *p, const struct run *r, const struct vm *vm)
{
	for (uint32_t i = 0; i < vm->nvcpus; i++)
		p->vcpu_of[compare_vcpu(r, &vm->vcpus[i]) - r->vcpus] = i;
}

static void compare_vm_waits(struct score *s, const struct world *w, const struct run *r,
			     const struct vm *vm)
{
	struct pairing p = { .s = s, .w = w, .vm = compare_vm(r, vm), .num = vm->id };
	const struct done **d = must_alloc((w->truth->ndone + 1) * sizeof(*d));
	size_t nd = 0;

	if (r->nvcpus > 64)
		die("too many vCPUs to compare");
	number_vcpus(&p, r, vm);
	p.error = p.vm->clock_error;
	for (size_t i = 0; i < w->truth->ndone; i++)
		if (w->truth->done[i].vm == vm->id && !w->truth->done[i].stray)
			d[nd++] = &w->truth->done[i];
	for (size_t i = 0; i < p.vm->nwaits; i++)
		p.vm->waits[i].vcpu = p.vcpu_of[p.vm->waits[i].vcpu];
	qsort(d, nd, sizeof(*d), by_truth);
	qsort(p.vm->waits, p.vm->nwaits, sizeof(*p.vm->waits), by_wait);
	pair_up(&p, d, nd, p.vm->waits, p.vm->nwaits);
	free(d);
}

void compare_waits(struct score *s, const struct world *w, const struct run *r)
{
	for (uint32_t i = 0; i < w->p.vms; i++)
		compare_vm_waits(s, w, r, &w->vms[i]);
}
