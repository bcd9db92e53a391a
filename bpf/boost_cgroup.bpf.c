// SPDX-License-Identifier: GPL-2.0
/*
 * ple-boost where there is no sched_ext: which vCPU spins, and which one of its VM should run
 * instead, is told to user space, which moves CPU weight from the one to the other. The choice is the
 * scheduler's in ple_boost.bpf.c.
 *
 * All programs run in vCPUs' threads alone.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "boost_cgroup.h"
#include "compat.bpf.h"
#include "kvm_thread.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* A vCPU whose last PLE exit is no older when it leaves its pCPU was spinning. */
const volatile __u64 spin_ns = 200000;
const volatile __u64 pace_ns = 500000; /* of a VM at most one turn is told in so long */
const volatile bool boost = true;

struct thread {
	u32 number; /* 0: asked for, or none of ours */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

/* Of those that are ours alone: there can be any number of others. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TURN_MAX_VCPUS);
	__type(key, u32); /* tid */
	__type(value, u32);
} number_of SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 17);
} turns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct boost_counts);
} counts SEC(".maps");

__u64 quiet_until; /* no turns at all: the loader has used up what it grants itself */
struct turn_vcpu vcpus[TURN_MAX_VCPUS];
struct turn_vm vms[BOOST_MAX_VMS];

static __always_inline struct boost_counts *count(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counts, &zero);
}

static __always_inline struct turn_vcpu *vcpu_at(u32 number)
{
	return &vcpus[number & (TURN_MAX_VCPUS - 1)];
}

static __always_inline void tell_fresh(struct task_struct *p)
{
	struct turn_event *e = bpf_ringbuf_reserve(&turns, sizeof(*e), 0);

	if (!e)
		return;
	__builtin_memset(e, 0, sizeof(*e));
	e->kind = TURN_FRESH;
	e->tgid = p->tgid;
	e->tid = p->pid;
	if (!bpf_task_storage_get(&threads, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE)) {
		bpf_ringbuf_discard(e, 0); /* the next time */
		return;
	}
	bpf_ringbuf_submit(e, 0);
}

/* The number of the vCPU that this thread runs, 0 if it is none of ours. */
static __always_inline u32 number_here(struct task_struct *p)
{
	struct thread *t = bpf_task_storage_get(&threads, p, 0, 0);
	u32 tid = p->pid, *number;

	if (!t)
		return 0;
	if (!t->number) {
		number = bpf_map_lookup_elem(&number_of, &tid);
		if (number)
			t->number = *number;
	}
	/* One that was let go may live on, and another have its number. */
	return t->number && vcpu_at(t->number)->tid == tid ? t->number : 0;
}

SEC("fentry/kvm_arch_vcpu_load")
int BPF_PROG(vcpu_load, struct kvm_vcpu *vcpu)
{
	struct task_struct *p = bpf_get_current_task_btf();
	struct boost_counts *n = count();
	struct turn_vcpu *v;
	u32 number;

	if (!n || !kvm_runs(vcpu, p))
		return 0;
	number = number_here(p);
	if (!number) {
		if (!bpf_task_storage_get(&threads, p, 0, 0))
			tell_fresh(p);
		return 0;
	}
	v = vcpu_at(number);
	v->kvm_vcpu = (u64)vcpu;
	v->ran_from = bpf_ktime_get_ns();
	n->switches++;
	return 0;
}

SEC("fentry/kvm_arch_vcpu_put")
int BPF_PROG(vcpu_put, struct kvm_vcpu *vcpu)
{
	u32 number = number_here(bpf_get_current_task_btf());
	struct boost_counts *n = count();
	struct turn_vcpu *v;

	if (!number || !n)
		return 0;
	v = vcpu_at(number);
	if (v->kvm_vcpu != (u64)vcpu)
		return 0;
	v->since = bpf_ktime_get_ns();
	v->spun = v->since - v->last_ple < spin_ns;
	if (v->ran_from)
		n->run_ns += v->since - v->ran_from;
	v->ran_from = 0;
	return 0;
}

struct search {
	u64 now;
	u64 score; /* of the best so far */
	u32 best;  /* its number, 0 = nobody */
	u32 at;	   /* to be looked at next */
	u32 spinner;
};

#define DID_NOT_SPIN (1ull << 62) /* see ple_boost.bpf.c */
#define IN_KERNEL (1ull << 61)

/* One of the VM's vCPUs: does it wait for a pCPU, and did it spin when it lost its own? */
static long look_at(u32 i, void *ctx)
{
	struct search *s = ctx;
	struct turn_vcpu *v = vcpu_at(s->at);
	u64 score = (s->now - v->since) & (IN_KERNEL - 1);

	if (s->at != s->spinner && kvm_waits(v->kvm_vcpu)) {
		if (!v->spun)
			score |= DID_NOT_SPIN;
		if (!v->spun && kvm_preempted_in_kernel(v->kvm_vcpu))
			score |= IN_KERNEL;
		if (score >= s->score) {
			s->score = score;
			s->best = s->at;
		}
	}
	s->at = v->next;
	return !s->at;
}

static __always_inline void tell_turn(const struct search *s)
{
	struct turn_event *e = bpf_ringbuf_reserve(&turns, sizeof(*e), 0);

	if (!e)
		return; /* the exit after this one asks again */
	__builtin_memset(e, 0, sizeof(*e));
	e->kind = TURN_SPIN;
	e->spinner = s->spinner;
	e->candidate = s->best;
	e->in_kernel = !!(s->score & IN_KERNEL);
	e->ns = s->now;
	bpf_ringbuf_submit(e, 0);
}

SEC("fentry/kvm_vcpu_on_spin")
int BPF_PROG(spin)
{
	u32 number = number_here(bpf_get_current_task_btf());
	struct boost_counts *n = count();
	struct search s = { .spinner = number };
	struct turn_vcpu *v;
	struct turn_vm *vm;

	if (!number || !n)
		return 0;
	s.now = bpf_ktime_get_ns();
	v = vcpu_at(number);
	n->ple++;
	n->bursts += s.now - v->last_ple > BOOST_GAP_NS;
	v->last_ple = s.now;
	vm = &vms[v->vm & (BOOST_MAX_VMS - 1)];
	s.at = vm->first;
	if (!boost || !s.at || s.now < vm->not_before || s.now < quiet_until)
		return 0;
	bpf_loop(TURN_VM_VCPUS, look_at, &s, 0);
	if (!s.best) {
		n->none++;
		return 0;
	}
	vm->not_before = s.now + pace_ns;
	n->asked++;
	tell_turn(&s);
	return 0;
}
