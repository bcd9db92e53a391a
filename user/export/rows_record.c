// SPDX-License-Identifier: GPL-2.0
/* Records, decoded (bpf/records.h). A guest's are hostile: any number may be in them. */
#include <stdio.h>

#include "clock.h"
#include "rows_priv.h"
#include "vnuma.h"

/* A number that must be a small one, -1 (not known) if it is not. */
static int32_t small(uint64_t v)
{
	return v <= INT32_MAX ? (int32_t)v : -1;
}

static int32_t node_of(const struct rows_source *s, uint64_t cpu)
{
	return cpu < s->nnodes ? s->cpu_node[cpu] : -1;
}

static void set_exit(struct rows *r, struct row_record *o, const struct ks_rec *rec, uint32_t vm)
{
	o->ip = rec->flags & KS_F_IP ? rec->a : 0;
	o->ip_symbol = rows_symbol(&r->names, vm, o->ip);
	o->cpl = rec->flags & KS_F_CPL ? (int32_t)(rec->flags & KS_F_CPL_MASK) : -1;
	switch (rec->type) {
	case KS_PAUSE:
		o->window = rec->b;
		break;
	case KS_BURST:
		o->count = (uint32_t)rec->b;
		o->length = rec->b >> 32;
		break;
	}
}

static void set_move(const struct rows_source *s, struct row_record *o, const struct ks_rec *rec)
{
	o->from_cpu = small(rec->a);
	o->to_cpu = small(rec->b);
	o->from_node = node_of(s, rec->a);
	o->to_node = node_of(s, rec->b);
}

static const char *state_out(unsigned int flags)
{
	switch (flags) {
	case KS_OUT_RUNNABLE:
		return ks_vstate_name(KS_V_RUNNABLE);
	case KS_OUT_HALTED:
		return ks_vstate_name(KS_V_HALTED);
	case KS_OUT_BLOCKED:
		return ks_vstate_name(KS_V_BLOCKED);
	case KS_OUT_DEAD:
		return ks_vstate_name(KS_V_GONE);
	}
	return ks_vstate_name(KS_V_UNKNOWN);
}

/* The vcpu_id of the vCPU in this slot, -1: there is none. */
static int32_t vcpu_in(const struct rows *r, uint32_t slot)
{
	uint32_t i = rows_vcpu_in(r, slot);

	return i == KS_NO_VCPU ? -1 : small(r->vcpus[i].vcpu_id);
}

static void set_boost(struct rows *r, struct row_record *o, const struct ks_rec *rec)
{
	o->outcome = ks_boost_out_name(rec->flags & KS_BOOST_OUT_MASK);
	o->other_vcpu = vcpu_in(r, (uint32_t)rec->a);
	o->exact = rec->flags & KS_BOOST_EXACT;
	o->did_not_spin = rec->flags & KS_BOOST_NO_SPIN;
	o->in_kernel = rec->flags & KS_BOOST_KERNEL;
}

static void set_look(struct rows *r, struct row_record *o, const struct ks_rec *rec, uint32_t vm)
{
	o->says = ks_look_name(rec->flags);
	o->other_vcpu = vcpu_in(r, (uint32_t)rec->b);
	o->lock_holders = (uint16_t)(rec->b >> 32);
	o->lock_waiters = rec->b >> 48;
	o->lock = rec->a;
	o->lock_symbol = rows_symbol(&r->names, vm, rec->a);
}

static void set_memory(struct row_record *o, const struct ks_rec *rec)
{
	o->vm_pid = rec->id;
	o->node = rec->cpu;
	o->bytes = rec->a;
	o->guest_node = small(rec->b - 1);
}

static void set_host(struct rows *r, struct row_record *o, const struct ks_rec *rec, uint32_t vm)
{
	switch (rec->type) {
	case KS_VCPU_NEW:
		o->vcpu = small(rec->b);
		o->vm_pid = rec->a >> 32;
		o->tid = (uint32_t)rec->a;
		break;
	case KS_TSC_OFFSET:
		o->tsc_offset = rec->a;
		o->tsc_ratio = rec->b;
		break;
	case KS_PLE_WINDOW:
		o->old_window = rec->a;
		o->new_window = rec->b;
		break;
	case KS_VCPU_IN:
		o->prev_tid = (uint32_t)rec->a;
		break;
	case KS_VCPU_OUT:
		o->next_tid = (uint32_t)rec->a;
		o->state = state_out(rec->flags);
		break;
	case KS_VCPU_WAKE:
		o->waker_tid = (uint32_t)rec->a;
		break;
	case KS_VCPU_MIGRATE:
		set_move(&r->src[0], o, rec);
		break;
	case KS_HALT_POLL:
		o->since_hlt = rec->a;
		o->slept = rec->flags & KS_HALT_WAITED;
		o->valid = rec->flags & KS_HALT_VALID;
		break;
	case KS_BOOST:
		set_boost(r, o, rec);
		break;
	case KS_LOOK:
		set_look(r, o, rec, vm);
		break;
	case KS_VM_MEMORY:
		set_memory(o, rec);
		break;
	default:
		set_exit(r, o, rec, vm);
	}
}

static void set_lock(struct rows *r, struct row_record *o, const struct ks_rec *rec, uint32_t vm)
{
	o->lock = rec->a;
	o->lock_symbol = rows_symbol(&r->names, vm, rec->a);
	o->context = ks_context_name(rec->flags);
	o->depth = rec->flags & KS_F_DEPTH_MASK;
	switch (rec->type) {
	case KS_LOCK_TRY:
		o->site = rec->b;
		break;
	case KS_LOCK_ACQ:
		o->wait = rec->b;
		break;
	case KS_LOCK_REL:
		o->site = (uint64_t)(int64_t)(int32_t)(uint32_t)rec->b;
		o->coarse = rec->flags & KS_F_COARSE;
		o->hold = (rec->b >> 32) << (o->coarse ? 10 : 0);
		o->waiters = rec->flags & KS_F_WAITERS;
		break;
	}
	o->site_symbol = rows_symbol(&r->names, vm, o->site);
}

/* NULL: not known. */
static const char *moved_by(unsigned int flags)
{
	return flags == KS_MOVE_UNKNOWN ? NULL : ks_move_name(flags);
}

static const char *allowed(unsigned int flags)
{
	flags &= KS_ALLOWED_MASK;
	return flags == KS_ALLOWED_UNKNOWN ? NULL : rows_allowed(flags - KS_ALLOWED_ANY);
}

static bool may_run_on(const struct ks_rec *rec, unsigned int cpu)
{
	return cpu < ROWS_CPUS && (cpu < 64 ? rec->a : rec->b) >> (cpu & 63) & 1;
}

/* As the kernel writes Cpus_allowed_list. */
static void set_cpus(struct row_record *o, const struct ks_rec *rec)
{
	unsigned int cpu, last;
	size_t n = 0;

	for (cpu = 0; cpu < ROWS_CPUS; cpu = last + 1) {
		last = cpu;
		if (!may_run_on(rec, cpu))
			continue;
		while (may_run_on(rec, last + 1))
			last++;
		n += snprintf(o->cpu_list + n, sizeof(o->cpu_list) - n, "%s%u", n ? "," : "", cpu);
		if (last > cpu)
			n += snprintf(o->cpu_list + n, sizeof(o->cpu_list) - n, "-%u", last);
	}
	o->cpus = n ? o->cpu_list : NULL;
}

static void set_passed(struct row_record *o, const struct ks_rec *rec)
{
	uint32_t flagged = (uint32_t)rec->a;

	o->to_cpu = small(rec->b);
	o->idle_cpus = rec->a >> 32;
	o->flagged_cpus = -1;
	if (rec->flags & KS_PASSED_FLAGS && flagged <= o->idle_cpus)
		o->flagged_cpus = small(flagged);
}

static void set_guest(struct rows *r, struct row_record *o, const struct ks_rec *rec,
		      const struct rows_source *s)
{
	switch (rec->type) {
	case KS_TASK_MIGRATE:
		set_move(s, o, rec);
		o->moved_by = moved_by(rec->flags);
		break;
	case KS_IDLE_ENTER:
		o->c_state = small(rec->a);
		break;
	case KS_TASK_WAKE:
		o->to_cpu = small(rec->a);
		o->waker_pid = (uint32_t)rec->b;
		o->allowed = allowed(rec->flags);
		break;
	case KS_RQ_BUSY:
	case KS_RQ_CALM:
		o->runnable = small(rec->a);
		break;
	case KS_TASK_SWITCH:
		o->prev_pid = (uint32_t)rec->a;
		o->prev_runnable = rec->b;
		o->allowed = allowed(rec->flags);
		break;
	case KS_TASK_CPUS:
		set_cpus(o, rec);
		break;
	case KS_TASK_PASSED:
		set_passed(o, rec);
		break;
	case KS_CPU_ONLINE:
		o->online = rec->a;
		break;
	case KS_IDLE_EXIT:
		break;
	default:
		set_lock(r, o, rec, s->vm);
	}
}

static void set_unknown(struct row_record *o, const struct ks_rec *rec)
{
	o->type = rows_record_type(KS_NONE);
	o->number = rec->type;
	o->flags = rec->flags;
	o->cpu = rec->cpu;
	o->id = rec->id;
	o->a = rec->a;
	o->b = rec->b;
}

/* The type if this side can send it, else KS_NONE. */
static unsigned int type_of(const struct ks_rec *rec, bool host)
{
	if (!rows_record_type(rec->type))
		return KS_NONE;
	if (rec->type >= KS_VCPU_NEW && (rec->type < KS_LOCK_TRY) != host)
		return KS_NONE;
	return rec->type;
}

/* A boost tells the process, for the vCPU may not be known; memory is of a process. */
static uint32_t vm_told(const struct rows *r, const struct ks_rec *rec)
{
	bool told = rec->type == KS_BOOST || rec->type == KS_VM_MEMORY;
	uint64_t tgid = rec->type == KS_BOOST ? rec->b : rec->id;
	uint32_t i;

	for (i = 0; told && i < r->nvms; i++)
		if (r->vms[i].tgid == tgid)
			return i;
	return KS_NO_VCPU;
}

static uint32_t vcpu_told(const struct rows *r, const struct ks_rec *rec)
{
	return rec->type == KS_VM_MEMORY ? KS_NO_VCPU : rows_vcpu_in(r, rec->id);
}

/* Which vCPU a record of the host is of; false: of a VM that nobody asked for. */
static bool find_host(const struct rows *r, struct row_record *o, const struct ks_rec *rec,
		      uint32_t *vm)
{
	uint32_t i = vcpu_told(r, rec);

	*vm = KS_NO_VCPU;
	if (rec->type == KS_CLOCK)
		return true;
	o->slot = small(rec->id);
	o->pcpu = rec->cpu;
	o->vcpu = -1;
	if (i == KS_NO_VCPU) {
		*vm = vm_told(r, rec);
		return *vm != KS_NO_VCPU || !r->one_vm;
	}
	*vm = r->vcpus[i].vm;
	o->vcpu = small(r->vcpus[i].vcpu_id);
	return true;
}

static void find_guest(struct rows *r, struct row_record *o, const struct ks_rec *rec,
		       const struct rows_source *s)
{
	uint32_t i = rec->cpu < s->ncpus ? s->cpu_vcpu[rec->cpu] : KS_NO_VCPU;

	o->vcpu = i == KS_NO_VCPU ? -1 : small(r->vcpus[i].vcpu_id);
	o->guest_cpu = rec->cpu;
	o->task.pid = rec->id;
	o->task.comm = rows_comm(&r->names, s->vm, rec->id);
}

static void put_record(struct rows *r, const struct ks_event *ev)
{
	const struct rows_source *s = &r->src[ev->src];
	const struct ks_rec *rec = ev->rec;
	bool host = !ev->src;
	unsigned int type = type_of(rec, host);
	uint32_t vm = s->vm;
	struct row_record o;

	/* Members that the type has not are not looked at. */
	o.type = rows_record_type(type);
	o.time = ev->time;
	o.own = rec->time;
	o.side = host ? "host" : "guest";
	if (host && type && !find_host(r, &o, rec, &vm))
		return;
	if (!host)
		find_guest(r, &o, rec, s);
	o.vm = rows_label(&r->names, vm);
	if (!type) {
		set_unknown(&o, rec);
	} else if (type == KS_CLOCK) {
		o.tsc = rec->a;
		o.bracket = rec->b;
	} else if (host) {
		set_host(r, &o, rec, vm);
	} else {
		set_guest(r, &o, rec, s);
	}
	rows_put(r, ROW_RECORD, &o, 1ull << type);
}

static uint64_t own_to_common(const struct rows_source *s, uint64_t time)
{
	return s->clock ? ks_guestclock_map(s->clock, time) : time;
}

static void put_loss(struct rows *r, const struct ks_event *ev)
{
	struct rows_source *s = &r->src[ev->src];
	const struct ks_rec *rec = ev->rec;
	struct row_loss o = {
		.time = own_to_common(s, ks_loss_to(rec)),
		.from = own_to_common(s, ks_loss_from(rec)),
		.own = ks_loss_to(rec),
		.side = ev->src ? "guest" : "host",
		.vm = rows_label(&r->names, s->vm),
		.lost_type = rec->flags ? rows_record_type(rec->flags) : NULL,
		.ring = rec->cpu == KS_RING_ANY ? -1 : rec->cpu,
		.lost = rec->b,
	};

	rows_put(r, ROW_LOSS, &o, ROWS_ALL);
}

void rows_event(void *self, const struct ks_event *ev)
{
	struct rows *r = self;

	if (ev->src >= r->nsrc)
		return;
	if (ev->rec->type == KS_LOSS) {
		if (rows_wanted(r, ROW_LOSS))
			put_loss(r, ev);
	} else if (rows_wanted(r, ROW_RECORD)) {
		put_record(r, ev);
	}
}
