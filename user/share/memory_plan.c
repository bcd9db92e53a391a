// SPDX-License-Identifier: GPL-2.0
/* Memory by plan: first all that shrink, verified, then all that grow. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "memory.h"
#include "qmp.h"
#include "sharer.h"
#include "text.h"
#include "topology.h"

#define QMP_MS 2000
#define SHRINK_MS 20000
#define GROW_MS 5000

/* ---- the host's nodes ---- */

static bool has_one_node(void)
{
	struct ks_numa *numa;
	bool one = true;

	if (!ks_numa_new(&numa, NULL)) {
		one = ks_numa_nodes(numa) == 1;
		ks_numa_free(numa);
	}
	return one;
}

/* "Node 0 MemTotal: 123 kB", in bytes; 0 if there is no such node. */
static uint64_t size_of_node(unsigned int node)
{
	unsigned long long kb = 0;
	char line[128];

	if (ks_read_line(NULL, line, sizeof(line), "/sys/devices/system/node/node%u/meminfo",
			 node) ||
	    sscanf(line, "Node %*u MemTotal: %llu", &kb) != 1)
		return 0;
	return (uint64_t)kb << 10;
}

/* UINT64_MAX adds nothing: it is not spoken of. */
static void add(uint64_t *sum, uint64_t more)
{
	if (more != UINT64_MAX && __builtin_add_overflow(*sum, more, sum))
		*sum = UINT64_MAX;
}

static int check_sum(uint64_t sum, unsigned int node, const char *what, struct ks_err *err)
{
	uint64_t there = sum ? size_of_node(node) : 0;

	if (sum <= there)
		return 0;
	return ks_fail(err, -EINVAL, "%s %llu MiB of node %u, which has %llu", what,
		       (unsigned long long)sum >> 20, node, (unsigned long long)there >> 20);
}

static int check_node(const struct ks_plan *p, unsigned int node, struct ks_err *err)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < p->n; i++)
		add(&sum, p->vm[i].mem[node]);
	return check_sum(sum, node, "the plan gives away", err);
}

/* What the plan does not speak of stays as the book has it. */
static int check_node_of_book(const struct ks_book *b, const struct ks_plan *p, unsigned int node,
			      struct ks_err *err)
{
	uint64_t sum = 0, planned = 0, of_vm;
	unsigned int i;
	int vm;

	for (vm = 0; vm < (int)KS_BOOK_VMS; vm++) {
		of_vm = b->vm[vm].tgid ? b->vm[vm].mem[node] : UINT64_MAX;
		for (i = 0; i < p->n; i++) {
			if (p->vm[i].place != vm || p->vm[i].mem[node] == UINT64_MAX)
				continue;
			of_vm = p->vm[i].mem[node];
			add(&planned, of_vm);
		}
		add(&sum, of_vm);
	}
	if (!planned)
		return 0;
	return check_sum(sum, node, "with what other VMs have the plan gives away", err);
}

int ks_mem_check(const struct ks_plan *p, struct ks_err *err)
{
	unsigned int node;
	int ret = 0;

	for (node = 0; node < KS_PLAN_NODES && !ret; node++)
		ret = check_node(p, node, err);
	return ret;
}

int ks_mem_check_book(const struct ks_book *b, const struct ks_plan *p, struct ks_err *err)
{
	unsigned int node;
	int ret = 0;

	for (node = 0; node < KS_PLAN_NODES && !ret; node++)
		ret = check_node_of_book(b, p, node, err);
	return ret;
}

/* ---- one VM ---- */

/* What its command line says is said by whoever has begun the VM: it must not lead to another one's. */
static int connect_to(const struct ks_book_vm *v, struct ks_qmp **q, struct ks_err *err)
{
	char path[sizeof(v->qmp)];
	struct ks_err why;
	int ret;

	snprintf(path, sizeof(path), "%s", v->qmp);
	if (!*path && ks_qmp_path(NULL, v->tgid, path, sizeof(path)))
		return ks_fail(err, -ENOENT,
			       "%s: no QMP socket to ask for memory; say qmp:PATH in the plan",
			       v->name);
	ret = ks_qmp_open(q, path, *v->qmp ? 0 : v->tgid, QMP_MS, &why);
	return ret ? ks_fail(err, ret, "%s: %.190s", v->name, why.msg) : 0;
}

static int named(const struct ks_book_vm *v, int ret, const struct ks_err *why, struct ks_err *err)
{
	return ret ? ks_fail(err, ret, "%s: %.190s", v->name, why->msg) : 0;
}

/* What it has is its own, until it is known to have less; written down before anything is asked. */
static int learn(struct ks_sharer *s, struct ks_book *b, struct ks_book_vm *v,
		 const struct ks_plan_vm *pv, struct ks_qmp *q, struct ks_mem *m,
		 struct ks_err *err)
{
	unsigned int node;
	bool learned = false;
	int ret = ks_mem_read(q, has_one_node(), m, err);

	for (node = 0; !ret && node < KS_BOOK_NODES; node++) {
		if (pv->mem[node] == UINT64_MAX)
			continue;
		if (m->unbound)
			return ks_fail(err, -ENOTSUP,
				       "not all of its memory is bound to one node each");
		if (v->mem[node] != UINT64_MAX)
			continue;
		v->mem[node] = ks_mem_total(m, node);
		learned = true;
	}
	return learned && !ret ? s->ops.save(s->ops.ctx, b, err) : ret;
}

/* As it was: its device may have been told something else, which it need not have done yet. */
static void keep(struct ks_qmp *q, unsigned int node, uint64_t has)
{
	struct ks_mem now;

	if (!ks_mem_read(q, has_one_node(), &now, NULL))
		ks_mem_ask(q, &now, node, &has, NULL);
}

/* The guest has time to give it up; if it does not, it is told to keep it. */
static int shrink(struct ks_sharer *s, struct ks_book *b, struct ks_book_vm *v, struct ks_qmp *q,
		  const struct ks_mem *m, unsigned int node, uint64_t want, struct ks_err *err)
{
	uint64_t has = v->mem[node];
	int ret = ks_mem_ask(q, m, node, &want, err);

	if (!ret)
		ret = ks_mem_wait(q, has_one_node(), node, want, true, SHRINK_MS, &has, err);
	if (!ret) {
		v->mem[node] = want;
		return s->ops.save(s->ops.ctx, b, err);
	}
	if (ret == -EBUSY)
		ks_fail(err, ret, "its guest still has %llu of %llu MiB of node %u: it keeps them",
			(unsigned long long)has >> 20, (unsigned long long)want >> 20, node);
	keep(q, node, v->mem[node]);
	return ret;
}

/* What can be is written down before it is asked: from then on it is its own. Guests take their time, and need not take it. */
static int grow(struct ks_sharer *s, struct ks_book *b, struct ks_book_vm *v, struct ks_qmp *q,
		const struct ks_mem *m, unsigned int node, uint64_t want, struct ks_err *err)
{
	uint64_t has;
	int ret = ks_mem_fit(m, node, &want, err);

	if (ret)
		return ret;
	v->mem[node] = want;
	ret = s->ops.save(s->ops.ctx, b, err);
	if (!ret)
		ret = ks_mem_ask(q, m, node, &want, err);
	if (!ret)
		ret = ks_mem_wait(q, has_one_node(), node, want, false, GROW_MS, &has, err);
	return ret == -EBUSY ? 0 : ret;
}

static int change_vm(struct ks_sharer *s, struct ks_book *b, int vm, const struct ks_plan_vm *pv,
		     bool shrinks, struct ks_err *err)
{
	struct ks_book_vm *v = &b->vm[vm];
	struct ks_qmp *q;
	struct ks_err why;
	struct ks_mem m;
	unsigned int node;
	int ret = connect_to(v, &q, err);

	if (ret)
		return ret;
	ret = learn(s, b, v, pv, q, &m, &why);
	for (node = 0; !ret && node < KS_BOOK_NODES; node++) {
		if (pv->mem[node] == UINT64_MAX)
			continue;
		if (shrinks && pv->mem[node] < v->mem[node])
			ret = shrink(s, b, v, q, &m, node, pv->mem[node], &why);
		else if (!shrinks && pv->mem[node] > v->mem[node])
			ret = grow(s, b, v, q, &m, node, pv->mem[node], &why);
	}
	ks_qmp_close(q);
	return named(v, ret, &why, err);
}

/* ---- all ---- */

static bool has_memory(const struct ks_plan_vm *pv)
{
	unsigned int node;

	for (node = 0; node < KS_PLAN_NODES; node++)
		if (pv->mem[node] != UINT64_MAX)
			return true;
	return false;
}

int ks_mem_plan(struct ks_sharer *s, struct ks_book *b, const struct ks_plan *p, struct ks_err *err)
{
	unsigned int i, pass;
	int vm, ret = 0;

	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < p->n && !ret; i++) {
			vm = p->vm[i].place;
			if (has_memory(&p->vm[i]) && b->vm[vm].tgid)
				ret = change_vm(s, b, vm, &p->vm[i], !pass, err);
		}
	return ret;
}

static int mend_vm(const struct ks_book_vm *v, struct ks_err *err)
{
	struct ks_qmp *q;
	struct ks_err why;
	struct ks_mem m;
	unsigned int node;
	uint64_t want;
	int ret = connect_to(v, &q, err);

	if (ret)
		return ret;
	ret = ks_mem_read(q, has_one_node(), &m, &why);
	for (node = 0; !ret && node < KS_BOOK_NODES; node++) {
		want = v->mem[node];
		if (want != UINT64_MAX)
			ret = ks_mem_ask(q, &m, node, &want, &why);
	}
	ks_qmp_close(q);
	return named(v, ret, &why, err);
}

int ks_mem_mend(const struct ks_book *b, struct ks_err *err)
{
	struct ks_err first = { "" };
	unsigned int node;
	int vm, ret = 0, one;

	for (vm = 0; vm < (int)KS_BOOK_VMS; vm++) {
		for (node = 0; node < KS_BOOK_NODES && b->vm[vm].mem[node] == UINT64_MAX; node++)
			;
		if (!b->vm[vm].tgid || node == KS_BOOK_NODES)
			continue;
		one = mend_vm(&b->vm[vm], ret ? &first : err);
		ret = ret ? ret : one;
	}
	return ret;
}
