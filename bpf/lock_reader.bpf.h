/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading a guest's lock page (lock_page.h) at a PLE exit: whom does the spinner wait for?
 *
 * The page is memory of the guest, who may write into it what it likes, at any time: each slot is
 * copied once and then judged, every number in it is masked or compared, and all that comes out is
 * the number of a vCPU of the same VM. A guest that lies makes its own vCPUs run in a silly order.
 */
#ifndef KVMSCHED_LOCK_READER_BPF_H
#define KVMSCHED_LOCK_READER_BPF_H

#include "lock_reader.h"

/*
 * By a VM's tgid: counts what ends a guest's kernel, or puts another state in its place. The loader reads the count
 * before it proves a page, and takes a page for valid with the count of that time only; a beat of its guest must
 * have come since. Two VMs whose tgids are the same but for their upper bits share a count: a reset of one makes the
 * other's page be proved again. (An array, for which a look needs no call.)
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KS_LP_RESETS);
	__type(key, __u32);
	__type(value, __u64);
} lp_resets SEC(".maps");

static __always_inline __u64 *ks_lp_resets(void)
{
	__u32 at = bpf_get_current_pid_tgid() >> 32 & (KS_LP_RESETS - 1);

	return bpf_map_lookup_elem(&lp_resets, &at);
}

static __always_inline void ks_lp_count_reset(void)
{
	__u64 *resets = ks_lp_resets();

	if (resets)
		__sync_fetch_and_add(resets, 1);
}

/* INIT: from firmware, a kernel that boots its CPUs (kexec), or one CPU that comes online. */
SEC("?fentry/kvm_vcpu_reset")
int BPF_PROG(lp_reset)
{
	ks_lp_count_reset();
	return 0;
}

/* The VMM resets the VM or loads a snapshot: nothing else makes QEMU set this state. */
SEC("?fentry/kvm_arch_vcpu_ioctl_set_mpstate")
int BPF_PROG(lp_set_state)
{
	ks_lp_count_reset();
	return 0;
}

static __always_inline bool ks_lp_is_current(const struct ks_lp_vm *vm)
{
	const __u64 *resets = ks_lp_resets();

	return vm->cookie && resets && *resets == vm->resets;
}

/* Since 6.10; where there is sched_ext there are these. */
extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

/*
 * A page as it was read, by CPU: one copy for all vCPUs costs a third of one for each. Whoever interrupts a look
 * finds it in use and does without.
 */
struct ks_lp_copy {
	struct ks_lp_slot slots[KS_LP_SLOTS_PER_PAGE];
	__u64 in_use;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ks_lp_copy);
} lp_copies SEC(".maps");

struct ks_lp_search {
	struct ks_lp_vm *vm;
	struct ks_lp_found *out;
	struct ks_lp_copy *copy;
	__u64 first;  /* when the one that has waited longest began */
	__u32 self;   /* the spinner's slot */
	__u32 begin;  /* the first slot of the page that is looked at */
	__u32 holder; /* slot of the holder that was found */
	__u32 locks;  /* that it holds */
};

static __always_inline __u64 ks_lp_address(const struct ks_lp_vm *vm, __u32 cpu)
{
	return vm->hva[cpu / KS_LP_SLOTS_PER_PAGE & (KS_LP_PAGES - 1)] +
	       cpu % KS_LP_SLOTS_PER_PAGE * sizeof(struct ks_lp_slot);
}

static __always_inline bool ks_lp_is_proved(const struct ks_lp_vm *vm, __u32 cpu,
					    const struct ks_lp_slot *s)
{
	return s->cookie == vm->cookie && s->cpu == cpu;
}

/* 0, or why not: one of enum ks_lp_what. */
static __always_inline int ks_lp_read(struct ks_lp_vm *vm, __u32 cpu, struct ks_lp_slot *s)
{
	if (bpf_probe_read_user(s, sizeof(*s), (void *)ks_lp_address(vm, cpu)))
		return KS_LP_NO_READ;
	return ks_lp_is_proved(vm, cpu, s) ? 0 : KS_LP_NO_PROOF;
}

/* The same for all but held[]. */
static __always_inline int ks_lp_read_waits(struct ks_lp_vm *vm, __u32 cpu, struct ks_lp_slot *s)
{
	const __u32 skip = offsetof(struct ks_lp_slot, cookie);

	if (bpf_probe_read_user(&s->cookie, sizeof(*s) - skip,
				(void *)(ks_lp_address(vm, cpu) + skip)))
		return KS_LP_NO_READ;
	return ks_lp_is_proved(vm, cpu, s) ? 0 : KS_LP_NO_PROOF;
}

/* Since when does this CPU wait for the lock? 0: it does not. */
static __always_inline __u64 ks_lp_waits(const struct ks_lp_slot *s, __u64 lock)
{
	if (s->wait[0].lock == lock)
		return s->wait[0].since ?: 1;
	if (s->wait[0].lock && s->wait[1].lock == lock)
		return s->wait[1].since ?: 1;
	return 0;
}

static __always_inline bool ks_lp_holds(const struct ks_lp_slot *s, __u64 lock)
{
	for (__u32 i = 0; i < KS_LP_DEPTH; i++)
		if (s->held[i] == lock)
			return true;
	return false;
}

/* 1 or 0, without a branch: the verifier would follow all combinations of them. */
static __always_inline __u32 ks_lp_nonzero(__u64 v)
{
	__u64 minus = -v;

	barrier_var(minus); /* or the compiler makes a comparison of it, which is a branch */
	return (v | minus) >> 63;
}

static __always_inline __u32 ks_lp_locks(const struct ks_lp_slot *s)
{
	__u32 locks = 0;

	for (__u32 i = 0; i < KS_LP_DEPTH; i++)
		locks += ks_lp_nonzero(s->held[i]);
	return locks;
}

/*
 * Each spinlock held counts one in the CPU's preempt count: with fewer there than locks in the slot, the
 * CPU has not come to take one of these. (Where the kernel does not count that is so of all, and decides
 * nothing.)
 */
static __always_inline bool ks_lp_is_sure(struct ks_lp_vm *vm, __u32 cpu, __u32 locks)
{
	__u64 at = vm->preempt[cpu & (KS_LP_VCPUS - 1)];
	__u32 count;

	if (!at || bpf_probe_read_user(&count, sizeof(count), (void *)at))
		return false;
	return (count & KS_PREEMPT_DEPTH) >= locks;
}

/* It says that it holds the lock. Rather this one than the one that was found first? */
static __always_inline bool ks_lp_is_better(struct ks_lp_search *q, __u32 cpu, __u32 locks)
{
	if (!q->out->holders++)
		return true;
	return ks_lp_is_sure(q->vm, cpu, locks) && !ks_lp_is_sure(q->vm, q->holder, q->locks);
}

static __always_inline void ks_lp_found_holder(struct ks_lp_search *q, __u32 cpu, __u32 vcpu,
					       const struct ks_lp_slot *s)
{
	__u32 locks = ks_lp_locks(s);

	if (!ks_lp_is_better(q, cpu, locks))
		return;
	q->holder = cpu;
	q->locks = locks;
	q->out->what = KS_LP_HOLDER;
	q->out->vcpu = vcpu;
}

static __always_inline void ks_lp_found_waiter(struct ks_lp_search *q, __u32 vcpu, __u64 since)
{
	q->out->waiters++;
	if (since >= q->first || q->out->holders)
		return;
	q->first = q->out->since = since;
	q->out->what = KS_LP_WAITER;
	q->out->vcpu = vcpu;
}

/* One other vCPU; a callback of bpf_loop(). */
static long ks_lp_look(__u32 i, void *ctx)
{
	struct ks_lp_search *q = ctx;
	const struct ks_lp_slot *s = &q->copy->slots[i % KS_LP_SLOTS_PER_PAGE];
	__u32 cpu = q->begin + i, vcpu = q->vm->vcpu_of[cpu & (KS_LP_VCPUS - 1)];
	__u64 since;

	if (cpu == q->self || !vcpu)
		return 0;
	if (!ks_lp_is_proved(q->vm, cpu, s)) {
		q->out->unread++;
		return 0;
	}
	since = ks_lp_waits(s, q->out->lock);
	if (since)
		ks_lp_found_waiter(q, vcpu - 1, since);
	else if (ks_lp_holds(s, q->out->lock))
		ks_lp_found_holder(q, cpu, vcpu - 1, s);
	return 0;
}

/* All of one page of slots. */
static long ks_lp_look_at_page(__u32 page, void *ctx)
{
	struct ks_lp_search *q = ctx;
	__u32 n = q->vm->vcpus - page * KS_LP_SLOTS_PER_PAGE;

	if (n > KS_LP_SLOTS_PER_PAGE)
		n = KS_LP_SLOTS_PER_PAGE;
	q->begin = page * KS_LP_SLOTS_PER_PAGE;
	if (bpf_probe_read_user(q->copy->slots, n * sizeof(struct ks_lp_slot),
				(void *)q->vm->hva[page & (KS_LP_PAGES - 1)]))
		q->out->unread += n;
	else
		bpf_loop(n, ks_lp_look, q, 0);
	return 0;
}

static __always_inline void ks_lp_look_at_pages(struct ks_lp_search *q)
{
	__u32 pages = (q->vm->vcpus + KS_LP_SLOTS_PER_PAGE - 1) / KS_LP_SLOTS_PER_PAGE, zero = 0;

	q->copy = bpf_map_lookup_elem(&lp_copies, &zero);
	if (!q->copy || q->copy->in_use) {
		q->out->what = KS_LP_NO_READ;
		return;
	}
	q->copy->in_use = 1;
	barrier();
	q->out->holders = q->vm->nought;
	bpf_loop(pages < KS_LP_PAGES ? pages : KS_LP_PAGES, ks_lp_look_at_page, q, 0);
	barrier();
	q->copy->in_use = 0;
}

/*
 * q->out->lock: who holds it, or has waited longest for it? At each vCPU but q->self it looks once. Not to be taken
 * off the CPU in between: the copy would be in use until this thread is back.
 */
static __always_inline int ks_lp_look_at_all(struct ks_lp_search *q)
{
	if (bpf_ksym_exists(bpf_preempt_disable))
		bpf_preempt_disable();
	ks_lp_look_at_pages(q);
	if (bpf_ksym_exists(bpf_preempt_enable))
		bpf_preempt_enable();
	return q->out->what;
}

static __always_inline __u16 *ks_lp_last(struct ks_lp_vm *vm, __u64 lock)
{
	return &vm->last[lock >> 6 & (KS_LP_LASTS - 1)];
}

/* Written only if that changes it: looks on other CPUs read what is beside it. */
static __always_inline void ks_lp_keep_last(const struct ks_lp_search *q)
{
	__u16 *last = ks_lp_last(q->vm, q->out->lock);

	if (*last != q->holder + 1)
		*last = q->holder + 1;
}

/*
 * Does the one that held it last time still do so? While many spin for a lock whose holder has lost its pCPU that is so, and
 * nobody else need be looked at. Where it is not sure all are.
 */
static __always_inline bool ks_lp_still_holds(struct ks_lp_search *q, struct ks_lp_slot *s)
{
	__u32 cpu = *ks_lp_last(q->vm, q->out->lock) - 1u, vcpu;
	__u64 lock = q->out->lock;

	if (q->vm->vcpus <= KS_LP_FEW || cpu >= KS_LP_VCPUS || cpu == q->self)
		return false;
	vcpu = q->vm->vcpu_of[cpu];
	if (!vcpu || ks_lp_read(q->vm, cpu, s) || ks_lp_waits(s, lock) || !ks_lp_holds(s, lock) ||
	    !ks_lp_is_sure(q->vm, cpu, ks_lp_locks(s)))
		return false;
	q->out->what = KS_LP_HOLDER;
	q->out->vcpu = vcpu - 1;
	q->out->holders = 1;
	q->out->waiters = 0;
	return true;
}

/*
 * For whom does vCPU vcpu_id of this VM wait? To be called in the thread that runs the vCPU, between
 * its exit and its next entry (fentry/kvm_vcpu_on_spin): the guest's memory is read through the
 * thread's own address space, and the vCPU's own slot stands still. Fills *out, and returns
 * out->what. It looks at each vCPU of the VM at most once, but for the last holder.
 */
static __noinline int ks_lp_find(struct ks_lp_vm *vm, __u32 vcpu_id, struct ks_lp_found *out)
{
	struct ks_lp_search q = { .vm = vm, .out = out };
	struct ks_lp_slot s;
	__u32 slot;

	if (!vm || !out)
		return KS_LP_NO_PAGE;
	__builtin_memset(out, 0, sizeof(*out));
	out->what = KS_LP_NO_PAGE;
	if (!ks_lp_is_current(vm))
		return KS_LP_NO_PAGE;
	slot = vcpu_id < KS_LP_IDS ? vm->slot_of[vcpu_id] : 0;
	if (!slot--)
		return out->what = KS_LP_NO_SLOT;
	slot &= KS_LP_VCPUS - 1;
	out->what = ks_lp_read_waits(vm, slot, &s);
	if (out->what)
		return out->what;
	/* The later wait interrupts the earlier one. */
	out->lock = s.wait[0].lock && s.wait[1].lock ? s.wait[1].lock : s.wait[0].lock;
	if (!out->lock) {
		out->ipi = s.ipi;
		out->since = s.wait[0].since;
		return out->what = s.ipi ? KS_LP_IPI : KS_LP_NOTHING;
	}
	q.self = slot;
	q.first = out->since = ks_lp_waits(&s, out->lock);
	out->waiters = 1;
	out->what = KS_LP_SELF;
	out->vcpu = vcpu_id;
	if (!ks_lp_still_holds(&q, &s) && ks_lp_look_at_all(&q) == KS_LP_HOLDER)
		ks_lp_keep_last(&q);
	return out->what;
}

static __always_inline bool ks_lp_holds_any(const struct ks_lp_slot *s)
{
	__u64 any = 0;

	for (__u32 i = 0; i < KS_LP_DEPTH; i++)
		any |= s->held[i];
	return any;
}

/*
 * What does the vCPU do itself? To be called in its own thread, at any time. KS_LP_WAITER: it waits for a
 * lock; KS_LP_HOLDER: it does not, but holds one, or is about to take one; KS_LP_NOTHING: neither; or why
 * nobody knows.
 */
static __noinline __attribute__((unused)) int ks_lp_own(struct ks_lp_vm *vm, __u32 vcpu_id)
{
	struct ks_lp_slot s;
	__u32 slot = vcpu_id < KS_LP_IDS && vm ? vm->slot_of[vcpu_id] : 0;
	int what;

	if (!slot-- || !ks_lp_is_current(vm))
		return KS_LP_NO_PAGE;
	what = ks_lp_read(vm, slot & (KS_LP_VCPUS - 1), &s);
	if (what)
		return what;
	if (s.wait[0].lock)
		return KS_LP_WAITER;
	return ks_lp_holds_any(&s) ? KS_LP_HOLDER : KS_LP_NOTHING;
}

/*
 * A lock that this vCPU has had, and neither holds nor waits for any more: who holds it now, or has waited
 * longest for it? To be called in its own thread. Fills *out, and returns out->what: KS_LP_HOLDER, KS_LP_WAITER, KS_LP_NOTHING
 * (nobody), or why nobody knows.
 */
static __noinline __attribute__((unused)) int ks_lp_successor(struct ks_lp_vm *vm, __u32 vcpu_id,
							      __u64 lock, struct ks_lp_found *out)
{
	struct ks_lp_search q = { .vm = vm, .out = out, .first = ~0ULL };

	if (!vm || !out)
		return KS_LP_NO_PAGE;
	__builtin_memset(out, 0, sizeof(*out));
	q.self = (vcpu_id < KS_LP_IDS ? vm->slot_of[vcpu_id] : 0) - 1;
	out->lock = lock;
	out->what = KS_LP_NOTHING;
	return ks_lp_look_at_all(&q);
}

#endif /* KVMSCHED_LOCK_READER_BPF_H */
