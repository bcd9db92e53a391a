// SPDX-License-Identifier: GPL-2.0
/*
 * ple-boost where there is no sched_ext: weight is taken from a vCPU that spins for a few milliseconds,
 * and given to the one that should run instead (lever.h). The kernel tells the turns
 * (bpf/boost_cgroup.bpf.c); nothing is polled.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "boost_cgroup.h"
#include "boost_cgroup.skel.h"
#include "boost_priv.h"
#include "err.h"
#include "files.h"
#include "lever.h"
#include "load.h"
#include "now.h"
#include "scx.h"
#include "thread.h"

#define NS 1000000000ull
#define NS_PER_MS 1000000ull
#define HOLD_NS (6 * NS_PER_MS)

#define LOOKS 10

/* A vCPU; its number is its index, and the kernel's. */
struct member {
	uint32_t tid;	      /* 0: the number is free */
	uint32_t vm;	      /* its VM's number */
	uint64_t moved_until; /* its lever is not in its usual place until then; 0 = it is */
	unsigned int looks;   /* for a cgroup of its own, once a second at its beginning */
	struct ks_lever lever;
};

struct weigh {
	struct ks_boost base;
	struct boost_cgroup_bpf *skel;
	uint64_t hold_ns;
	struct boost_counts n; /* what is counted here */
	struct member vcpu[TURN_MAX_VCPUS];
	uint32_t favoured[BOOST_MAX_VMS]; /* by VM: the vCPU that has the weight now */
	unsigned int nmoved;
	uint64_t second_ns, used_ns; /* see within_means() */
};

static struct weigh *weigh_of(struct ks_boost *b)
{
	return (struct weigh *)b;
}

/* ---- weight ---- */

static void put_back(struct weigh *w, uint32_t number)
{
	struct member *m = &w->vcpu[number];

	if (!m->moved_until)
		return;
	m->moved_until = 0;
	w->nmoved--;
	if (w->favoured[m->vm] == number)
		w->favoured[m->vm] = 0;
	ks_lever_set(&m->lever, KS_LEVER_USUAL, NULL); /* has it ended? refresh() will see */
}

static int move(struct weigh *w, uint32_t number, enum ks_lever_place place, uint32_t from)
{
	struct member *m = &w->vcpu[number];

	w->nmoved += !m->moved_until;
	m->moved_until = ks_now_ns() + w->hold_ns;
	return ks_lever_set(&m->lever, place, &w->vcpu[from].lever);
}

/*
 * Guests make the turns, and this thread goes before others: so it grants itself a twentieth of one
 * CPU, and is told of nothing more until the second is over.
 */
static bool within_means(struct weigh *w)
{
	uint64_t now = ks_now_ns(), used = ks_clock_ns(CLOCK_THREAD_CPUTIME_ID);

	if (now - w->second_ns >= NS) {
		w->second_ns = now;
		w->used_ns = used;
	}
	if (used - w->used_ns < NS / 20)
		return true;
	w->skel->bss->quiet_until = w->second_ns + NS;
	return false;
}

static void turn(struct weigh *w, const struct turn_event *e)
{
	struct member *spinner = &w->vcpu[e->spinner], *next = &w->vcpu[e->candidate];
	uint32_t had;

	if (!spinner->tid || !next->tid || spinner->vm != next->vm || !within_means(w))
		return;
	had = w->favoured[next->vm];
	if (had && had != e->candidate)
		put_back(w, had);
	w->n.given += spinner->lever.place != KS_LEVER_DOWN;
	if (move(w, e->spinner, KS_LEVER_DOWN, 0) || move(w, e->candidate, KS_LEVER_UP, e->spinner))
		return;
	w->favoured[next->vm] = e->candidate;
	w->n.boosted++;
	w->n.kernel += e->in_kernel;
	w->n.react_ns += ks_now_ns() - e->ns;
}

static int on_event(void *ctx, void *data, size_t size)
{
	const struct turn_event *e = data;
	struct weigh *w = ctx;

	(void)size;
	if (e->kind == TURN_FRESH)
		ks_boost_fresh(&w->base, e->tgid, e->tid);
	else if (e->spinner < TURN_MAX_VCPUS && e->candidate < TURN_MAX_VCPUS)
		turn(w, e);
	return 0;
}

static int weigh_due(struct ks_boost *b, int timeout_ms)
{
	struct weigh *w = weigh_of(b);
	uint64_t now = ks_now_ns(), next = now + timeout_ms * NS_PER_MS;
	uint32_t i;

	for (i = 1; w->nmoved && i < TURN_MAX_VCPUS; i++) {
		if (!w->vcpu[i].moved_until)
			continue;
		if (w->vcpu[i].moved_until <= now)
			put_back(w, i);
		else if (w->vcpu[i].moved_until < next)
			next = w->vcpu[i].moved_until;
	}
	return (next - now + NS_PER_MS - 1) / NS_PER_MS;
}

/* ---- vCPUs ---- */

static uint32_t free_number(const struct weigh *w)
{
	uint32_t i;

	for (i = 1; i < TURN_MAX_VCPUS; i++)
		if (!w->vcpu[i].tid)
			return i;
	return 0;
}

static int tell_number(struct weigh *w, uint32_t tid, uint32_t number)
{
	return bpf_map__update_elem(w->skel->maps.number_of, &tid, sizeof(tid), &number,
				    sizeof(number), BPF_ANY);
}

/* The kernel goes along the VM's list: the new one is whole before it is put in front. */
static int enlist(struct weigh *w, uint32_t number)
{
	struct boost_cgroup_bpf__bss *k = w->skel->bss;
	const struct member *m = &w->vcpu[number];

	k->vcpus[number] =
		(struct turn_vcpu){ .vm = m->vm, .next = k->vms[m->vm].first, .tid = m->tid };
	__atomic_store_n(&k->vms[m->vm].first, number, __ATOMIC_RELEASE);
	return tell_number(w, m->tid, number);
}

static void unlist(struct weigh *w, uint32_t number)
{
	struct boost_cgroup_bpf__bss *k = w->skel->bss;
	struct member *m = &w->vcpu[number];
	uint32_t *at = &k->vms[m->vm].first;

	put_back(w, number);
	while (*at && *at != number)
		at = &k->vcpus[*at].next;
	if (*at)
		__atomic_store_n(at, k->vcpus[number].next, __ATOMIC_RELEASE);
	k->vcpus[number].tid = 0;
	bpf_map__delete_elem(w->skel->maps.number_of, &m->tid, sizeof(m->tid), 0);
	ks_lever_close(&m->lever);
	m->tid = 0;
	if (w->base.vms->vm[m->vm].vcpus)
		w->base.vms->vm[m->vm].vcpus--;
}

static int weigh_enter(struct ks_boost *b, uint32_t number)
{
	(void)b;
	(void)number;
	return 0;
}

static int weigh_take(struct ks_boost *b, uint32_t vm, uint32_t tid)
{
	struct weigh *w = weigh_of(b);
	uint32_t number = free_number(w);
	struct member *m = &w->vcpu[number];
	int ret;

	if (!number)
		return 0;
	ret = ks_lever_take(&m->lever, b->journal, b->vms->vm[vm].tgid, tid);
	if (ret)
		return ret == -EPERM ? 0 : ret;
	m->tid = tid;
	m->vm = vm;
	m->moved_until = 0;
	m->looks = 0;
	ret = enlist(w, number);
	return ret ? ret : 1;
}

static void weigh_gone(struct ks_boost *b, uint32_t vm)
{
	struct weigh *w = weigh_of(b);
	uint32_t i;

	for (i = 1; i < TURN_MAX_VCPUS; i++)
		if (w->vcpu[i].tid && w->vcpu[i].vm == vm)
			unlist(w, i);
}

static void look_for_cgroup(struct weigh *w, uint32_t number)
{
	struct member *m = &w->vcpu[number];

	if (m->lever.fd >= 0 || m->looks >= LOOKS)
		return;
	m->looks++;
	put_back(w, number);
	if (ks_lever_renew(&m->lever, w->base.vms->vm[m->vm].tgid, m->tid))
		unlist(w, number);
}

/* Threads of VMs that run on may end: vCPUs are unplugged. */
static void weigh_refresh(struct ks_boost *b)
{
	struct weigh *w = weigh_of(b);
	uint32_t i;

	for (i = 1; i < TURN_MAX_VCPUS; i++) {
		if (!w->vcpu[i].tid)
			continue;
		if (ks_thread_has_ended(NULL, w->vcpu[i].tid, w->vcpu[i].lever.thread.start))
			unlist(w, i);
		else
			look_for_cgroup(w, i);
	}
}

/* ---- life ---- */

static int load(struct weigh *w, const struct ks_boost_opts *o, struct ks_err *err)
{
	int ret;

	w->hold_ns = o->hold_ns ? o->hold_ns : HOLD_NS;
	w->skel = boost_cgroup_bpf__open();
	if (!w->skel)
		return ks_load_err(err, -errno, "ple-boost");
	w->skel->rodata->spin_ns = o->spin_ns ? o->spin_ns : BOOST_SPIN_NS;
	w->skel->rodata->boost = !o->plain;
	ret = boost_cgroup_bpf__load(w->skel);
	return ret ? ks_load_err(err, ret, "ple-boost") : 0;
}

/*
 * A turn is worth little if it is acted on late: this thread goes before all fair ones, within_means().
 * What it starts does not (SCHED_FLAG_RESET_ON_FORK).
 */
static void hurry(void)
{
	struct ks_thread me = { .priority = 1, .flags = 1 };

	if (!ks_thread_set(&me, SCHED_RR))
		return;
	me = (struct ks_thread){ .nice = -20, .flags = 1 };
	ks_thread_set(&me, SCHED_OTHER);
}

static int weigh_attach(struct ks_boost **out, const struct ks_boost_opts *o, struct ks_err *err)
{
	struct weigh *w = calloc(1, sizeof(*w));
	uint32_t i;
	int ret;

	if (!w)
		return ks_fail(err, -ENOMEM, "out of memory");
	*out = &w->base;
	for (i = 0; i < TURN_MAX_VCPUS; i++)
		w->vcpu[i].lever.fd = -1;
	ret = load(w, o, err);
	if (ret)
		return ret;
	ks_allow_files(); /* one per lever */
	hurry();
	w->base.events = ring_buffer__new(bpf_map__fd(w->skel->maps.turns), on_event, w, NULL);
	if (!w->base.events)
		return ks_fail(err, -errno, "ple-boost: %s", strerror(errno));
	ret = boost_cgroup_bpf__attach(w->skel);
	return ret ? ks_load_err(err, ret, "ple-boost: KVM's functions") : 0;
}

static int weigh_counts(const struct ks_boost *b, struct boost_counts *sum)
{
	const struct weigh *w = (const struct weigh *)b;
	int ret = ks_scx_sum(w->skel->maps.counts, sizeof(*sum), 0, (uint64_t *)sum,
			     sizeof(*sum) / sizeof(uint64_t));

	sum->boosted = w->n.boosted;
	sum->kernel = w->n.kernel;
	sum->given = w->n.given;
	sum->react_ns = w->n.react_ns;
	return ret;
}

/* All levers back at once; the journal's undo then finds nothing left to do. */
static void weigh_stop(struct ks_boost *b)
{
	struct weigh *w = weigh_of(b);
	uint32_t i;

	if (w->skel)
		boost_cgroup_bpf__detach(w->skel);
	for (i = 1; i < TURN_MAX_VCPUS; i++)
		put_back(w, i);
}

static void weigh_free(struct ks_boost *b)
{
	struct weigh *w = weigh_of(b);
	uint32_t i;

	for (i = 1; i < TURN_MAX_VCPUS; i++)
		ks_lever_close(&w->vcpu[i].lever);
	boost_cgroup_bpf__destroy(w->skel);
	free(w);
}

const struct ks_boost_ops ks_boost_cgroup = {
	.name = "cgroup",
	.attach = weigh_attach,
	.enter = weigh_enter,
	.gone = weigh_gone,
	.take = weigh_take,
	.refresh = weigh_refresh,
	.due = weigh_due,
	.counts = weigh_counts,
	.stop = weigh_stop,
	.free = weigh_free,
};
