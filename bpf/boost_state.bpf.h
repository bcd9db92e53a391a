/* SPDX-License-Identifier: GPL-2.0 */
/* What ple-boost and holder-boost know of threads, VMs and CPUs, and what their loader has told them. */
#ifndef KVMSCHED_BOOST_STATE_BPF_H
#define KVMSCHED_BOOST_STATE_BPF_H

#include "compat.bpf.h"
#include "ple_boost.h"
#include "scx.bpf.h"

const volatile __u64 slice_ns = 3000000;
/* A vCPU whose last PLE exit is no older when it leaves its pCPU was spinning. */
const volatile __u64 spin_ns = 200000;
const volatile __u32 nr_nodes = 1;
const volatile __u32 nr_cpus = 1;
const volatile bool boost = true; /* false: the same scheduler without, for comparison */
const volatile bool holder;	  /* holder-boost: ask the guest's lock page */
const volatile __u64 grace_ns;	  /* holder-boost: a vCPU that holds a lock goes on for so long */
const volatile bool part;	  /* holder-boost: end convoys */
const volatile bool fifo;	  /* first come, first served: for comparison, too */
const volatile __u8 cpu_node[BOOST_MAX_CPUS];

struct boost_task {
	u64 vtime; /* ns of a thread of weight 100 */
	u64 since; /* waits for a pCPU since */
	u64 paid;  /* of the time that the kernel says it had, so much is in vtime */
	u64 last_ple;
	u64 grace;  /* within it since; 0 = not */
	u64 lock;   /* that it spins for, if its guest says so */
	u64 rest;   /* of its slice, when a higher class took its pCPU */
	u64 handed; /* the lock that it runs for, because another one spins for it; 0 = none */
	u64 vcpu;   /* kvm_vcpu */
	u32 vcpu_id;
	/* It waits for an IPI to be answered, as its guest says: 0 = it does not; asked at its guest's time ... */
	u64 ipi, ipi_since;
	u64 answers; /* by these vCPUs (those of ids below 64) ... */
	u64 asked;   /* and was seen to be first then */
	u32 ipi_to;  /* one of them */
	u64 left;    /* it left its pCPU then, the last time */
	u32 wants;   /* vcpu_id + 1 of whom it spins for, 0 = nobody knows */
	u32 vm;
	u32 counted;	/* the VM whose `active` it is in ... */
	u32 is_counted; /* if so */
	u32 page;	/* the number of its VM's lock page, when it was looked for last */
	bool spun;	/* when it left its pCPU */
	bool gave;	/* ... it gave up its slice, and nobody took its turn */
	bool parted;	/* ... it did so for those that queue for a lock which it had let go */
	u8 looks;	/* that it has been looked at for that */
	bool named;	/* within kvm_vcpu_on_spin(): KVM named a candidate */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct boost_task);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BOOST_MAX_VMS);
	__type(key, u32); /* tgid */
	__type(value, u32);
} vm_of SEC(".maps");

struct boost_vm vms[BOOST_MAX_VMS];

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct boost_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} fresh SEC(".maps");

static __always_inline struct boost_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline struct boost_cpu *this_cpu(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

static __always_inline struct boost_cpu *other_cpu(s32 cpu)
{
	u32 zero = 0;

	return bpf_map_lookup_percpu_elem(&cpus, &zero, cpu);
}

static __always_inline struct boost_vm *vm_at(u32 vm)
{
	return &vms[vm & (BOOST_MAX_VMS - 1)];
}

/* It wants a pCPU from now on. True: all of its VM slept. */
static __always_inline bool begin_to_count(struct boost_task *t)
{
	if (__sync_lock_test_and_set(&t->is_counted, 1))
		return false;
	t->counted = t->vm;
	return !__sync_fetch_and_add(&vm_at(t->counted)->active, 1);
}

/* SCHED_EXT from now on. */
static __always_inline void join_vm(struct boost_task *t, const struct task_struct *p)
{
	u32 tgid = p->tgid, *vm = bpf_map_lookup_elem(&vm_of, &tgid);

	t->vm = vm ? *vm : 0;
	t->vtime = vtime_now;
}

static __always_inline u32 node_of(s32 cpu)
{
	u32 node = (u32)cpu < BOOST_MAX_CPUS ? cpu_node[(u32)cpu] : 0;

	return node < nr_nodes ? node : 0;
}

/* Where the vCPU that runs there stands by now. */
static __always_inline u64 vtime_of(const struct boost_cpu *c, u64 now)
{
	s64 ran = now - c->ran_from; /* it may have got its pCPU since */

	return ran > 0 ? c->vtime + ran * c->price / BOOST_PRICE_NS : c->vtime;
}

/* Is somebody of any VM waiting here for a pCPU? */
static __always_inline bool waiting(u32 node)
{
	return scx_bpf_dsq_nr_queued(node) > 0;
}

#endif /* KVMSCHED_BOOST_STATE_BPF_H */
