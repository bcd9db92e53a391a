// SPDX-License-Identifier: GPL-2.0
/* Migrations of vCPU threads on the host and of threads inside a guest. */
#include <stdlib.h>

#include "internal.h"

static bool pingpong(const struct an_move *m, uint64_t time, uint32_t from, uint32_t to,
		     uint64_t within)
{
	return m->time && m->from == to && m->to == from && time - m->time <= within;
}

void an_vcpu_migrate(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	uint32_t from = ev->rec->a, to = ev->rec->b;
	int32_t nf = ks_model_node(&a->model, from), nt = ks_model_node(&a->model, to);

	v->tot.migrations++;
	v->tot.node_migrations += nf >= 0 && nt >= 0 && nf != nt;
	v->tot.pingpongs += pingpong(&v->move, ev->time, from, to, a->opts.pingpong_ns);
	v->move = (struct an_move){ .time = ev->time, .from = from, .to = to };
}

static int32_t guest_node(const struct an_vm *vm, uint64_t cpu)
{
	return cpu < vm->ncpu_node ? vm->cpu_node[cpu] : -1;
}

/*
 * The last migration of a thread, in a table of four places per hash: the oldest makes room. With
 * more threads migrating within the ping-pong time than there is room for, some go uncounted.
 */
static struct an_move *find_move(struct an_vm *vm, uint32_t tid)
{
	uint32_t set = (tid * 2654435761u) >> 22, i;
	struct an_move *m = &vm->moves[set * 4], *old = m;

	for (i = 0; i < 4; i++, m++) {
		if (m->time && m->key == tid)
			return m;
		if (m->time < old->time)
			old = m;
	}
	*old = (struct an_move){ .key = tid };
	return old;
}

_Static_assert(AN_MOVES == 4u << 10, "ten bits of hash, four places each");

void an_task_migrate(struct ks_analysis *a, uint32_t vm, const struct ks_event *ev)
{
	struct an_vm *m = &a->vm[vm];
	uint32_t from = ev->rec->a, to = ev->rec->b;
	int32_t nf = guest_node(m, ev->rec->a), nt = guest_node(m, ev->rec->b);
	struct an_move *last;

	m->tot.task_migrations++;
	m->tot.task_node_migrations += nf >= 0 && nt >= 0 && nf != nt;
	if (!m->moves)
		m->moves = calloc(AN_MOVES, sizeof(*m->moves));
	if (!m->moves)
		return;
	last = find_move(m, ev->rec->id);
	m->tot.task_pingpongs += pingpong(last, ev->time, from, to, a->opts.pingpong_ns);
	last->time = ev->time ? ev->time : 1;
	last->from = from;
	last->to = to;
}
