// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent_msg.h"
#include "cgroup.h"
#include "err.h"
#include "force.h"
#include "now.h"
#include "sharer.h"
#include "text.h"
#include "thread.h"

#define GONE_MS 10
#define GONE_TRIES 100
#define IDLE_NTH 10 /* of the time that an agent has: for given-up vCPUs to come to rest */

bool ks_sharer_is_there(const struct ks_book_vm *vm)
{
	return !ks_process_has_ended(NULL, vm->tgid, vm->start);
}

void ks_sharer_vcpus(const struct ks_book *b, int vm, struct ks_cpus *may, struct ks_cpus *given)
{
	const struct ks_book_vm *v = &b->vm[vm];
	struct ks_cpus own;
	unsigned int i;

	ks_book_may(b, vm, &own);
	memset(may, 0, sizeof(*may));
	ks_cpus_first(given, v->vcpus);
	for (i = 0; i < v->vcpus; i++)
		if (ks_cpus_has(&own, v->first + i)) {
			ks_cpus_add(may, i);
			ks_cpus_drop(given, i);
		}
}

/* ---- the book ---- */

static int save(void *ctx, const struct ks_book *b, struct ks_err *err)
{
	struct ks_sharer *l = ctx;
	uint64_t begun = ks_now_ns();
	int ret = ks_book_save(b, l->dir);

	l->times.saving += ks_now_ns() - begun;
	l->changed = false;
	return ret ? ks_fail(err, ret, "%.150s/share.json: %s", l->dir, strerror(-ret)) : 0;
}

static int save_if_changed(struct ks_sharer *l, const struct ks_book *b, struct ks_err *err)
{
	return l->changed ? save(l, b, err) : 0;
}

/* ---- affinity ---- */

static int note_affinity(struct ks_sharer *l, struct ks_book_vcpu *v)
{
	char text[KS_CPUS_TEXT];
	struct ks_cpus was;
	int ret;

	if (v->affinity || !v->tid)
		return 0;
	ret = ks_pin_read_all(v->tid, &was);
	if (ret)
		return ret;
	v->affinity = strdup(ks_cpus_print(&was, text, sizeof(text)));
	l->changed = true;
	return v->affinity ? 0 : -ENOMEM;
}

/*
 * A vCPU is on the CPU that it stands for, and on those of its VM when that is another VM's: so it disturbs nobody,
 * whatever its guest does, and the one that a guest boots on gets on.
 */
static void place_of(const struct ks_book_vm *v, unsigned int vcpu, const struct ks_cpus *own,
		     struct ks_cpus *place)
{
	*place = *own;
	if (!ks_cpus_has(own, v->first + vcpu) && ks_cpus_count(own))
		return;
	memset(place, 0, sizeof(*place));
	ks_cpus_add(place, v->first + vcpu);
}

/* If the one that it stands for is offline, or not in its cpuset, it is on any of its VM's. */
static int write_place(uint32_t tid, const struct ks_cpus *place, const struct ks_cpus *own)
{
	int ret = ks_pin_write(tid, place);

	return ret == -EINVAL ? ks_pin_write(tid, own) : ret;
}

/* Fewer are no harm: the kernel does not name CPUs that are offline, or not in the thread's cpuset. */
bool ks_sharer_is_pinned(const struct ks_book *b, int vm)
{
	const struct ks_book_vm *v = &b->vm[vm];
	struct ks_cpus own, is;
	unsigned int i;

	ks_book_may(b, vm, &own);
	for (i = 0; i < v->vcpus && !b->no_pin; i++) {
		if (!v->vcpu[i].affinity || !v->vcpu[i].tid || ks_pin_read(v->vcpu[i].tid, &is))
			continue;
		if (!ks_cpus_within(&is, &own))
			return false;
	}
	return true;
}

static int pin(struct ks_sharer *l, struct ks_book *b, int vm, struct ks_err *err)
{
	struct ks_book_vm *v = &b->vm[vm];
	struct ks_cpus own, place;
	unsigned int i;
	int ret = 0;

	if (b->no_pin)
		return 0;
	ks_book_may(b, vm, &own);
	for (i = 0; i < v->vcpus && !ret; i++)
		ret = note_affinity(l, &v->vcpu[i]);
	if (!ret)
		ret = save_if_changed(l, b, err);
	for (i = 0; i < v->vcpus && !ret; i++) {
		place_of(v, i, &own, &place);
		ret = v->vcpu[i].tid ? write_place(v->vcpu[i].tid, &place, &own) : 0;
	}
	if (!ret)
		return 0;
	return ks_fail(err, ret, "%s: pinning its vCPUs: %s", v->name,
		       ret == -EINVAL ? "its CPUs of the plan are offline, or not in its cpuset" :
					strerror(-ret));
}

static int unpin(struct ks_book_vm *v)
{
	struct ks_cpus was, all;
	unsigned int i;
	int ret, failed = 0;

	memset(&all, 0xff, sizeof(all));
	for (i = 0; i < v->vcpus; i++) {
		if (!v->vcpu[i].affinity ||
		    ks_cpus_parse("affinity", v->vcpu[i].affinity, &was, NULL))
			continue;
		ret = write_place(v->vcpu[i].tid, &was, &all); /* they may all be offline by now */
		failed = ret && ret != -ESRCH ? ret : failed;
	}
	return failed;
}

/* ---- the host's own means ---- */

/* cpu.max is for the fair class. (One that a BPF scheduler has comes back to it: policies leave a VM alone that has a quota.) */
static int check_class(const struct ks_book_vm *v, unsigned int vcpu, struct ks_err *err)
{
	struct ks_thread t;
	int ret = ks_thread_read(v->vcpu[vcpu].tid, &t);

	if (ret || ks_thread_is_fair(&t) || t.policy == SCHED_IDLE || t.policy == KS_SCHED_EXT)
		return ret;
	return ks_fail(err, -ENOTSUP,
		       "%s: vCPU %u is a real-time thread, which no quota holds down", v->name,
		       vcpu);
}

static int let_go(struct ks_sharer *l, struct ks_book_vm *v, const struct ks_cpus *vcpus)
{
	unsigned int i;
	int ret, failed = 0;

	for (i = ks_cpus_next(vcpus, 0); i < v->vcpus; i = ks_cpus_next(vcpus, i + 1)) {
		if (!v->vcpu[i].home)
			continue;
		ret = ks_force_undo(NULL, &v->vcpu[i]);
		failed = failed ? failed : ret;
		l->changed = true;
	}
	return failed;
}

static int not_held(const struct ks_book_vm *v, int ret, struct ks_err *err)
{
	if ((ret == -ENOENT || ret == -ENOTSUP) && !ks_cgroup_has_controller(NULL, "cpu"))
		return ks_fail(err, -ENOTSUP,
			       "%s: holding a vCPU down: no cgroup v2 with the controller cpu "
			       "at " KS_CGROUPFS ": boot with one, or begin an agent in the guest",
			       v->name);
	return ks_fail(err, ret, "%s: holding a vCPU down by a cgroup: %s", v->name,
		       strerror(-ret));
}

static int hold_down(struct ks_sharer *l, struct ks_book *b, int vm, const struct ks_cpus *vcpus,
		     struct ks_err *err)
{
	struct ks_book_vm *v = &b->vm[vm];
	uint64_t begun = ks_now_ns();
	unsigned int i;
	int ret = 0;

	for (i = ks_cpus_next(vcpus, 0); i < v->vcpus && !ret; i = ks_cpus_next(vcpus, i + 1)) {
		if (v->vcpu[i].home || !v->vcpu[i].tid)
			continue;
		ret = check_class(v, i, err);
		if (ret == -ENOTSUP)
			return ret;
		if (!ret)
			ret = ks_force_prepare(NULL, v->tgid, i, &v->vcpu[i]);
		l->changed = true;
	}
	if (!ret)
		ret = save_if_changed(l, b, err);
	for (i = ks_cpus_next(vcpus, 0); i < v->vcpus && !ret; i = ks_cpus_next(vcpus, i + 1))
		ret = v->vcpu[i].tid ? ks_force(NULL, &v->vcpu[i]) : 0;
	l->times.forcing += ks_now_ns() - begun;
	return ret ? not_held(v, ret, err) : 0;
}

/* ---- the agent ---- */

static int ask(struct ks_sharer *l, const struct ks_book_vm *v, enum ks_agent_what what,
	       const struct ks_cpus *vcpus, struct ks_err *err)
{
	struct ks_agent_answer answer;
	struct ks_agent_ask a;
	uint64_t begun = ks_now_ns();
	int ret;

	if (!l->port || !v->cid)
		return ks_fail(err, -ENOENT, "%s",
			       l->port ? "it has no vsock device" : "no agent was asked");
	ks_agent_ask_init(&a, what, ((uint64_t)v->start << 20) + ++l->questions);
	a.cpus = *vcpus;
	ret = ks_links_ask(&l->links, v->cid, l->port, &a, &answer, l->answer_ms, err);
	l->times.asking += ks_now_ns() - begun;
	return ret;
}

static void set_manner(struct ks_sharer *l, struct ks_book_vm *v, enum ks_manner m, const char *why)
{
	char text[sizeof(v->why)];

	ks_printable(text, sizeof(text), why, strlen(why));
	if (v->manner == m && !strcmp(v->why, text))
		return;
	v->manner = m;
	memcpy(v->why, text, sizeof(text));
	l->changed = true;
}

/* "Not idle yet", says the agent: it may be in a moment, so look. */
static bool is_told(int ret)
{
	return !ret || ret == -EBUSY;
}

/* From before it is told the book says so: the agent may do it though its answer never comes. */
static int confine(struct ks_sharer *l, const struct ks_book *b, struct ks_book_vm *v,
		   const struct ks_cpus *may, struct ks_err *err)
{
	const bool was = v->confined;
	int ret;

	if (!was && v->cid && l->port) {
		v->confined = true;
		ret = save(l, b, err);
		if (ret)
			return ret;
	}
	ret = ask(l, v, KS_AGENT_CONFINE, may, err);
	if (ret && !was && !l->links.reached && v->confined) {
		v->confined = false;
		l->changed = true;
	}
	return ret;
}

/* Asked, and looked at: the vCPUs that have to be held down. */
static void find_busy(struct ks_sharer *l, const struct ks_book *b, struct ks_book_vm *v,
		      const struct ks_cpus *may, const struct ks_cpus *given, struct ks_cpus *busy)
{
	struct ks_err why;
	uint64_t begun;

	*busy = *given;
	if (l->doubt) {
		set_manner(l, v, KS_MANNER_FORCED, l->doubt);
		return;
	}
	if (!is_told(confine(l, b, v, may, &why))) {
		set_manner(l, v, KS_MANNER_FORCED, why.msg);
		return;
	}
	begun = ks_now_ns();
	ks_vcpus_busy(NULL, v, given, l->answer_ms / IDLE_NTH, busy);
	l->times.looking += ks_now_ns() - begun;
	if (!ks_cpus_count(busy)) {
		set_manner(l, v, KS_MANNER_AGENT, "");
		return;
	}
	snprintf(why.msg, sizeof(why.msg), "its agent has confined it, but vCPU %u does not idle",
		 ks_cpus_next(busy, 0));
	set_manner(l, v, KS_MANNER_FORCED, why.msg);
}

/* ---- what hand.h asks for ---- */

static int take_once(struct ks_sharer *l, struct ks_book *b, int vm, struct ks_err *err)
{
	struct ks_book_vm *v = &b->vm[vm];
	struct ks_cpus may, given, busy;
	unsigned int i;
	int ret;

	l->changed |= ks_vcpus_renew(NULL, v);
	ret = pin(l, b, vm, err);
	if (ret)
		return ret;
	ks_sharer_vcpus(b, vm, &may, &given);
	find_busy(l, b, v, &may, &given, &busy);
	if (!b->no_pin)
		ks_cpus_drop(&busy, 0); /* place_of() */
	ret = hold_down(l, b, vm, &busy, err);
	for (i = 0; i < KS_CPUS_WORDS; i++)
		may.word[i] |= given.word[i] & ~busy.word[i];
	if (!ret && let_go(l, v, &may))
		ret = ks_fail(err, -EIO, "%s: a vCPU cannot be taken out of its cgroup", v->name);
	return ret;
}

/*
 * A vCPU's thread that has gone is not the VM's end, but may be the beginning of that. Where it fails, what is known of the
 * VM is what was known before: that it is held to something, or not.
 */
static int take(void *ctx, struct ks_book *b, int vm, struct ks_err *err)
{
	const struct timespec moment = { 0, GONE_MS * 1000000 };
	struct ks_book_vm *v = &b->vm[vm];
	const enum ks_manner manner = v->manner;
	int ret, tries = GONE_TRIES;
	char why[sizeof(v->why)];

	memcpy(why, v->why, sizeof(why));
	for (;;) {
		if (!ks_sharer_is_there(v))
			return -ESRCH;
		ret = take_once(ctx, b, vm, err);
		if (ret != -ESRCH || !tries--)
			break;
		nanosleep(&moment, NULL);
	}
	if (ret && !ks_sharer_is_there(v))
		return -ESRCH;
	if (ret)
		set_manner(ctx, v, manner, why);
	return ret == -ESRCH ?
		       ks_fail(err, -EAGAIN, "%s: its vCPUs come and go: try again", v->name) :
		       ret;
}

/*
 * It has what it is given, and what it gave up long ago is pinned to its own CPUs, so it disturbs nobody: that this cannot be
 * held down as well is no reason to keep the others waiting.
 */
static int take_as_can_be(struct ks_sharer *l, struct ks_book *b, int vm, struct ks_err *err)
{
	struct ks_cpus may, given;
	struct ks_err second;
	int ret = take(l, b, vm, err);

	if (!ret || ret == -ESRCH || b->no_pin || pin(l, b, vm, &second))
		return ret;
	ks_sharer_vcpus(b, vm, &may, &given);
	if (let_go(l, &b->vm[vm], &may))
		return ret;
	set_manner(l, &b->vm[vm], KS_MANNER_FORCED, err->msg);
	return 0;
}

static int give(void *ctx, struct ks_book *b, int vm, struct ks_err *err)
{
	struct ks_book_vm *v = &b->vm[vm];
	struct ks_cpus may, given;
	struct ks_sharer *l = ctx;
	struct ks_err why;
	int ret;

	/* One that is new was never held to anything. */
	if (v->manner == KS_MANNER_UNKNOWN)
		return take(ctx, b, vm, err);
	if (!ks_sharer_is_there(v))
		return -ESRCH;
	/* Its vCPUs have changed, and the number of a thread that has gone may be another's by now. */
	if (ks_vcpus_renew(NULL, v)) {
		l->changed = true;
		return take_as_can_be(l, b, vm, err);
	}
	ret = pin(l, b, vm, err);
	if (ret)
		return ret == -ESRCH ? take_as_can_be(l, b, vm, err) : ret;
	ks_sharer_vcpus(b, vm, &may, &given);
	if (let_go(l, v, &may))
		return ks_sharer_is_there(v) ?
			       ks_fail(err, -EIO, "%s: a vCPU cannot be taken out of its cgroup",
				       v->name) :
			       -ESRCH;
	ret = ask(l, v, KS_AGENT_CONFINE, &may, &why);
	/* It did as it was told until now, and does not any more; or does again. */
	if (is_told(ret) != (v->manner == KS_MANNER_AGENT))
		return take_as_can_be(l, b, vm, err);
	return 0;
}

void ks_sharer_clear(struct ks_book *b, int vm)
{
	unsigned int i;

	for (i = 0; i < b->vm[vm].vcpus; i++)
		ks_force_clear(NULL, &b->vm[vm].vcpu[i]);
}

/* ---- one VM as before ---- */

/* A guest that its agent may have confined is to be as before; others are told in case they are. */
static int tell_all(struct ks_sharer *l, struct ks_book_vm *v, const struct ks_cpus *all,
		    struct ks_err *err)
{
	struct ks_err why;
	int ret = v->cid && l->port ? ask(l, v, KS_AGENT_RELEASE, all, &why) : 0;

	if (!ret)
		v->confined = false;
	if (!v->confined)
		return 0;
	return ks_fail(err, ret,
		       "%s: its agent was not told (%.150s): release again, or with --no-agent",
		       v->name, why.msg);
}

static int release_vm(struct ks_sharer *l, struct ks_book_vm *v, struct ks_err *err)
{
	struct ks_cpus all;
	int ret, second;

	ks_vcpus_renew(NULL, v);
	ks_cpus_first(&all, v->vcpus);
	ret = let_go(l, v, &all);
	second = unpin(v);
	ret = ret ? ret : second;
	second = tell_all(l, v, &all, err);
	return ret ? ks_fail(err, ret, "%s: %s", v->name, strerror(-ret)) : second;
}

/* Its agent may have confined it already. */
static int let_go_of_all(void *ctx, struct ks_book *b, int vm, struct ks_err *err)
{
	return release_vm(ctx, &b->vm[vm], err);
}

/* ---- the beginning, the end ---- */

static void end(void *ctx, struct ks_book *b, int vm)
{
	(void)ctx;
	ks_sharer_clear(b, vm);
}

void ks_sharer_init(struct ks_sharer *l, const char *dir)
{
	*l = (struct ks_sharer){ .dir = dir,
				 .port = KS_AGENT_PORT,
				 .answer_ms = KS_AGENT_TIMEOUT_MS,
				 .ops = { .save = save,
					  .take = take,
					  .give = give,
					  .end = end,
					  .let_go = let_go_of_all } };
	l->ops.ctx = l;
}

void ks_sharer_end(struct ks_sharer *l)
{
	ks_links_close(&l->links);
}

/* What is not written down then is undone once more by who finishes it, which is no harm. */
static int release_one(struct ks_sharer *l, struct ks_book *b, int vm, struct ks_err *err)
{
	struct ks_err second;
	int ret = 0;

	if (ks_sharer_is_there(&b->vm[vm]))
		ret = release_vm(l, &b->vm[vm], err);
	else
		ks_sharer_clear(b, vm);
	if (!ret)
		ks_book_bury(b, vm);
	save(l, b, &second);
	return ret;
}

/*
 * From the first VM on that is released CPUs are not exclusive any more: the book says so before. Where nothing can be written,
 * as on a full disk, all goes back nevertheless, for that may be the way out.
 */
int ks_sharer_release(struct ks_sharer *l, struct ks_book *b, struct ks_err *err)
{
	int vm, ret, failed;
	struct ks_err second;

	b->releasing = true;
	save(l, b, &second);
	for (vm = 0, failed = 0; vm < (int)KS_BOOK_VMS; vm++) {
		ret = b->vm[vm].tgid ? release_one(l, b, vm, err) : 0;
		failed = ret ? ret : failed;
	}
	return failed ? failed : ks_book_remove(l->dir);
}
