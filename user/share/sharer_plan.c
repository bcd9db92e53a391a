// SPDX-License-Identifier: GPL-2.0
/* From a plan to the book: which VMs there are, and what is to be moved. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "force.h"
#include "sharer.h"
#include "thread.h"

/* ---- VMs ---- */

static const struct ks_vminfo *info_of(const struct ks_vmlist *list, uint32_t tgid)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->vm[i].tgid == tgid)
			return &list->vm[i];
	return NULL;
}

/* Those without a thread are unplugged. */
static void fill_vcpus(struct ks_book_vm *vm, const struct ks_vminfo *info)
{
	size_t i;

	for (i = 0; i < info->nthreads; i++)
		if (info->threads[i].vcpu >= 0)
			vm->vcpu[info->threads[i].vcpu].tid = info->threads[i].tid;
}

int ks_sharer_find(const struct ks_book *b, uint32_t tgid)
{
	int i;

	for (i = 0; i < (int)KS_BOOK_VMS; i++)
		if (b->vm[i].tgid == tgid)
			return i;
	return KS_NOBODY;
}

static int add_new(struct ks_book *b, const struct ks_vminfo *info, uint32_t first,
		   struct ks_err *err)
{
	unsigned int vcpus = ks_vcpus_count(info);
	struct ks_book_vm *vm;
	int i;

	if (!vcpus)
		return ks_fail(err, -ENOTSUP,
			       "%s: its threads' names do not tell the vCPUs; start QEMU with "
			       "-name debug-threads=on",
			       info->name);
	if (ks_book_find(b, info->name) != KS_NOBODY)
		return ks_fail(err, -ENOTUNIQ, "two VMs are called %s", info->name);
	i = ks_book_add(b, vcpus);
	if (i == KS_NOBODY)
		return ks_fail(err, -E2BIG, "%s: no room for another VM", info->name);
	vm = &b->vm[i];
	if (ks_thread_start(NULL, info->tgid, &vm->start)) {
		ks_book_drop(b, i);
		return ks_fail(err, -ESRCH, "%s has ended", info->name);
	}
	fill_vcpus(vm, info);
	vm->tgid = info->tgid;
	vm->cid = info->cid;
	vm->first = first;
	memcpy(vm->name, info->name, sizeof(vm->name));
	return i;
}

static bool has(const struct ks_book *b, uint32_t tgid)
{
	int vm = b ? ks_sharer_find(b, tgid) : KS_NOBODY;

	return vm != KS_NOBODY && ks_sharer_is_there(&b->vm[vm]);
}

/* A living one of the list that is called so and is in the book, if it is the only one: its process, else 0. */
static uint32_t known_by_name(const struct ks_book *b, const struct ks_vmlist *list,
			      const char *name)
{
	uint32_t tgid = 0;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (!ks_vm_is_called(&list->vm[i], name) || !has(b, list->vm[i].tgid))
			continue;
		if (tgid)
			return 0;
		tgid = list->vm[i].tgid;
	}
	return tgid;
}

/* Only one of them can have it; the other one's guest would be confined to what this one has. */
static int check_cid(const struct ks_vminfo *info, const struct ks_vmlist *list, struct ks_err *err)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < list->n && info->cid; i++)
		n += list->vm[i].cid == info->cid;
	return n < 2 ? 0 :
		       ks_fail(err, -ENOTUNIQ,
			       "%s: %u VMs have guest-cid %u on their command lines: give each "
			       "its own",
			       info->name, n, info->cid);
}

int ks_sharer_resolve(const struct ks_book *b, const struct ks_vmlist *list, const char *name,
		      uint32_t *tgid, struct ks_err *err)
{
	int ret = ks_vm_resolve(list, name, tgid, err);

	if (!ret)
		return has(b, *tgid) ? 0 : check_cid(info_of(list, *tgid), list, err);
	if (ret == -ENOTUNIQ)
		*tgid = known_by_name(b, list, name);
	return ret == -ENOTUNIQ && *tgid ? 0 : ret;
}

void ks_sharer_drop_absent(const struct ks_book *b, const struct ks_vmlist *list, struct ks_plan *p,
			   void (*unclear)(unsigned int i, const struct ks_err *err))
{
	unsigned int i, n = 0;
	struct ks_err err;
	uint32_t tgid;
	int ret;

	for (i = 0; i < p->n; i++) {
		ret = ks_sharer_resolve(b, list, p->vm[i].name, &tgid, &err);
		if (!ret)
			p->vm[n++] = p->vm[i];
		else if (ret == -ENOTUNIQ)
			unclear(i, &err);
	}
	p->n = n;
}

int ks_sharer_add(struct ks_book *b, const struct ks_vmlist *list, const char *name, uint32_t first,
		  struct ks_err *err)
{
	uint32_t tgid;
	int i, ret = ks_sharer_resolve(b, list, name, &tgid, err);

	if (ret)
		return ret;
	i = ks_sharer_find(b, tgid);
	if (i == KS_NOBODY)
		return add_new(b, info_of(list, tgid), first, err);
	if (b->vm[i].first != first)
		return ks_fail(err, -EINVAL, "%s: `first' cannot be changed: release it first",
			       b->vm[i].name);
	return i;
}

unsigned int ks_sharer_bury(struct ks_book *b)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < (int)KS_BOOK_VMS; i++) {
		if (!b->vm[i].tgid || ks_sharer_is_there(&b->vm[i]))
			continue;
		ks_sharer_clear(b, i);
		ks_book_bury(b, i);
		n++;
	}
	return n;
}

/* ---- CPUs ---- */

static int check_cpus(const struct ks_book *b, int vm, const struct ks_cpus *cpus, bool no_pin,
		      struct ks_err *err)
{
	long there = sysconf(_SC_NPROCESSORS_CONF);
	unsigned int i;

	for (i = ks_cpus_next(cpus, 0); i < KS_CPUS; i = ks_cpus_next(cpus, i + 1)) {
		if (!no_pin && (long)i >= there)
			return ks_fail(err, -ERANGE, "there is no CPU %u here, only 0 to %ld", i,
				       there - 1);
		if (ks_book_vcpu_of(&b->vm[vm], i) == KS_NOBODY)
			return ks_fail(err, -ERANGE,
				       "%s has no vCPU for CPU %u: its %u vCPUs stand for CPUs "
				       "%u to %u",
				       b->vm[vm].name, i, b->vm[vm].vcpus, b->vm[vm].first,
				       b->vm[vm].first + b->vm[vm].vcpus - 1);
	}
	return 0;
}

/* Before there was a plan a CPU was everybody's: nothing is to be taken but by holding all to theirs. */
static void want(struct ks_book *b, int vm, unsigned int cpu)
{
	struct ks_book_cpu *c = &b->cpu[cpu];

	if (c->step == KS_STEP_NONE)
		*c = (struct ks_book_cpu){ KS_STEP_GIVING, (int8_t)vm, KS_NOBODY, (int8_t)vm };
	else
		ks_book_move(b, cpu, vm);
}

static int plan_vm(struct ks_book *b, const struct ks_vmlist *list, struct ks_plan *p,
		   unsigned int i, struct ks_err *err)
{
	struct ks_plan_vm *pv = &p->vm[i];
	unsigned int k;
	int ret;

	pv->place = ks_sharer_add(b, list, pv->name, pv->first, err);
	if (pv->place < 0)
		return pv->place;
	for (k = 0; k < i; k++)
		if (p->vm[k].place == pv->place)
			return ks_fail(err, -EINVAL, "%s and %s are the same VM", p->vm[k].name,
				       pv->name);
	ret = check_cpus(b, pv->place, &pv->cpus, p->no_pin, err);
	if (!ret && pv->qmp[0])
		memcpy(b->vm[pv->place].qmp, pv->qmp, sizeof(pv->qmp));
	return ret;
}

static int check_left_out(const struct ks_book *b, const struct ks_plan *p, struct ks_err *err)
{
	unsigned int k;
	int vm;

	for (vm = 0; vm < (int)KS_BOOK_VMS; vm++) {
		for (k = 0; k < p->n && p->vm[k].place != vm; k++)
			;
		if (b->vm[vm].tgid && k == p->n)
			return ks_fail(err, -EINVAL,
				       "%s shares already and is left out of the plan: give it "
				       "CPUs, or `vm-share release` all first",
				       b->vm[vm].name);
	}
	return 0;
}

/* CPUs that the new plan does not speak of become free. */
static void move_all(struct ks_book *b, const struct ks_plan *p)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < KS_CPUS; cpu++) {
		for (i = 0; i < p->n && !ks_cpus_has(&p->vm[i].cpus, cpu); i++)
			;
		if (i < p->n)
			want(b, p->vm[i].place, cpu);
		else if (b->cpu[cpu].step != KS_STEP_NONE)
			ks_book_move(b, cpu, KS_NOBODY);
	}
}

int ks_sharer_plan(struct ks_book *b, const struct ks_vmlist *list, struct ks_plan *p,
		   struct ks_err *err)
{
	int ret = 0;
	bool some = false;
	unsigned int i;
	int vm;

	ks_sharer_bury(b);
	for (vm = 0; vm < (int)KS_BOOK_VMS; vm++)
		some |= b->vm[vm].tgid;
	if (some && b->no_pin != p->no_pin)
		return ks_fail(
			err, -EINVAL,
			"no-pin cannot be changed while VMs share: `vm-share release` first");
	b->no_pin = p->no_pin;
	for (i = 0; i < p->n && !ret; i++)
		ret = plan_vm(b, list, p, i, err);
	if (!ret)
		ret = check_left_out(b, p, err);
	if (!ret)
		move_all(b, p);
	return ret;
}
