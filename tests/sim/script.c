// SPDX-License-Identifier: GPL-2.0
/* What the guest's threads and interrupts do: short programs of ops, drawn at random. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "util.h"

#define TEXT 0xffffffff81000000ull
#define USER_TEXT 0x55d0c0de0000ull

enum fn { /* the guest kernel's functions, 4 KiB apart */
	  FN_STEXT,
	  FN_SLOWPATH,
	  FN_PV_WAIT,
	  FN_KVM_WAIT,
	  FN_SMP_CALL,
	  FN_TLB_FLUSH,
	  FN_HALT,
	  FN_TICK,
	  FN_HRTIMER,
	  FN_IRQ,
	  FN_SOFTIRQ,
	  FN_RESCHED,
	  FN_SYSCALL,
	  FN_WAKE,
	  FN_FAULT,
	  FN_CALLERS, /* from here on: those that lock */
};

static const char *const names[] = {
	"_stext",
	"native_queued_spin_lock_slowpath",
	"__pv_queued_spin_lock_slowpath",
	"kvm_wait",
	"smp_call_function_many_cond",
	"flush_tlb_func",
	"pv_native_safe_halt",
	"tick_nohz_handler",
	"hrtimer_interrupt",
	"handle_edge_irq",
	"net_rx_action",
	"scheduler_ipi",
	"do_syscall_64",
	"try_to_wake_up",
	"asm_exc_page_fault",
	"do_dup2",
	"file_close_fd",
	"expand_files",
	"alloc_fd",
	"get_page_from_freelist",
	"try_charge_memcg",
	"lookup_fast",
	"d_alloc",
	"dput",
	"__wake_up_common_lock",
	"futex_wake",
	"tcp_v4_rcv",
	"enqueue_to_backlog",
	"blk_mq_end_request",
	"virtqueue_kick",
};

#define NCALLERS (sizeof(names) / sizeof(names[0]) - FN_CALLERS)

static uint64_t fn(uint32_t f, uint64_t off)
{
	return TEXT + f * 0x1000ull + off;
}

uint64_t script_spin_ip(void)
{
	return fn(FN_SLOWPATH, 0x6a);
}

uint64_t script_pv_spin_ip(void)
{
	return fn(FN_PV_WAIT, 0x15c);
}

uint64_t script_halt_ip(bool pv)
{
	return pv ? fn(FN_KVM_WAIT, 0x2f) : fn(FN_HALT, 0xb);
}

uint64_t script_ipi_ip(void)
{
	return fn(FN_SMP_CALL, 0x2d1);
}

char *script_symbols(size_t *len)
{
	size_t n = sizeof(names) / sizeof(names[0]), cap = n * 80 + 80, at = 0;
	char *s = must_alloc(cap);

	for (size_t i = 0; i < n; i++)
		at += snprintf(s + at, cap - at, "%016llx T %s\n", (unsigned long long)fn(i, 0),
			       names[i]);
	at += snprintf(s + at, cap - at, "%016llx T _etext\n", (unsigned long long)fn(n, 0));
	*len = at;
	return s;
}

static void add(struct frame *f, enum op_kind k, uint64_t arg, uint64_t ip)
{
	if (f->n >= MAX_OPS)
		die("a script is too long");
	f->ops[f->n++] = (struct op){ k, arg, ip };
}

static uint64_t site(uint32_t lock, uint32_t variant)
{
	return fn(FN_CALLERS + (lock * 3 + variant) % NCALLERS, 0x40 + variant * 0x24);
}

static uint64_t hold_time(struct world *w)
{
	if (rng_chance(&w->rng, w->p.long_hold_ppm))
		return rng_exp(&w->rng, w->p.long_hold_ns);
	return rng_exp(&w->rng, w->p.hold_ns) + 100;
}

static bool nests(struct world *w, uint32_t num, uint32_t depth)
{
	return depth < 3 && num + 1 < w->p.locks && rng_chance(&w->rng, w->p.nest_ppm);
}

/* A critical section, perhaps with others inside; num: the lock. Locks nest in ascending order. */
static void section(struct vm *vm, struct frame *f, uint32_t num, uint32_t depth, bool may_fault)
{
	struct world *w = vm->w;
	uint64_t ns = hold_time(w);
	uint64_t ip = site(num, rng_range(&w->rng, 0, 2));

	add(f, OP_LOCK, num, ip);
	add(f, OP_KERNEL, ns / 2 + 1, ip);
	if (may_fault && rng_chance(&w->rng, w->p.fault_ppm))
		add(f, OP_FAULT, 0, ip);
	if (nests(w, num, depth))
		section(vm, f, rng_range(&w->rng, num + 1, w->p.locks - 1), depth + 1, false);
	add(f, OP_KERNEL, ns / 2 + 1, ip);
	add(f, OP_UNLOCK, num, ip);
}

/* The first lock that an interrupt of this kind may take. */
static uint32_t first_lock(const struct vm *vm, enum lock_ctx ctx)
{
	uint32_t i = 0;

	while (i < vm->w->p.locks && vm->locks[i].ctx < ctx)
		i++;
	return i;
}

static uint32_t any_lock(struct world *w, uint32_t from)
{
	uint32_t n = w->p.locks - from;
	/* The first ones are hot. */
	uint32_t a = rng_range(&w->rng, 0, n - 1), b = rng_range(&w->rng, 0, n - 1);

	return from + (a < b ? a : b);
}

/* On the way out of an interrupt locks are taken when the kernel counts as being in a thread. */
static void way_out(struct vcpu *v, struct frame *f)
{
	struct world *w = v->w;

	if (!rng_chance(&w->rng, w->p.irq_lock_ppm / 2))
		return;
	f->late = true;
	section(v->vm, f, any_lock(w, first_lock(v->vm, LC_IRQ)), 2, false);
}

static void user_part(struct world *w, struct frame *f)
{
	uint64_t ip = USER_TEXT + rng_range(&w->rng, 0, 0xffff);

	add(f, OP_USER, rng_exp(&w->rng, w->p.user_ns), ip);
	if (rng_chance(&w->rng, w->p.spin_ppm))
		add(f, OP_SPIN, rng_exp(&w->rng, 150000), ip);
}

void script_thread(struct thread *t)
{
	struct world *w = t->vm->w;
	struct frame *f = &t->f;

	f->n = f->pc = 0;
	f->ctx = KS_F_CTX_TASK;
	f->wait = NULL;
	user_part(w, f);
	add(f, OP_KERNEL, rng_exp(&w->rng, w->p.kernel_ns), fn(FN_SYSCALL, 0x90));
	if (rng_chance(&w->rng, w->p.lock_ppm))
		section(t->vm, f, any_lock(w, 0), 0, true);
	if (rng_chance(&w->rng, w->p.ipi_ppm))
		add(f, OP_IPI, 0, script_ipi_ip());
	if (rng_chance(&w->rng, w->p.wake_ppm))
		add(f, OP_WAKE, 0, fn(FN_WAKE, 0x33));
	add(f, OP_KERNEL, rng_exp(&w->rng, w->p.kernel_ns), fn(FN_SYSCALL, 0xb0));
	if (rng_chance(&w->rng, w->p.sleep_ppm))
		add(f, OP_SLEEP, rng_exp(&w->rng, w->p.sleep_ns) + 20000, fn(FN_SYSCALL, 0xc0));
	add(f, OP_END, 0, 0);
}

void script_idle(struct frame *f)
{
	f->n = f->pc = 0;
	add(f, OP_IDLE, 0, fn(FN_HALT, 0xb));
	add(f, OP_END, 0, 0);
}

static void device(struct vcpu *v, struct frame *f)
{
	struct world *w = v->w;

	add(f, OP_KERNEL, rng_range(&w->rng, 800, 4000), fn(FN_IRQ, 0x20));
	if (rng_chance(&w->rng, w->p.irq_lock_ppm))
		section(v->vm, f, any_lock(w, first_lock(v->vm, LC_IRQ)), 2, false);
	if (rng_chance(&w->rng, w->p.softirq_ppm))
		v->soft_pend = 1;
}

void script_hardirq(struct vcpu *v, struct frame *f, uint32_t pend)
{
	struct world *w = v->w;

	f->n = f->pc = 0;
	f->late = false;
	switch (pend) {
	case PEND_DEVICE:
		device(v, f);
		break;
	case PEND_TICK:
		add(f, OP_KERNEL, rng_range(&w->rng, 1000, 3000), fn(FN_TICK, 0x50));
		add(f, OP_TICK, 0, fn(FN_TICK, 0x60));
		way_out(v, f);
		break;
	case PEND_TIMER:
		add(f, OP_KERNEL, rng_range(&w->rng, 600, 1500), fn(FN_HRTIMER, 0x50));
		add(f, OP_TIMER, 0, fn(FN_HRTIMER, 0x60));
		break;
	case PEND_IPI:
		add(f, OP_KERNEL, rng_range(&w->rng, 500, 2500), fn(FN_TLB_FLUSH, 0x50));
		add(f, OP_ACK, v->ipi_from, fn(FN_TLB_FLUSH, 0x60));
		v->ipi_from = 0;
		break;
	default:
		add(f, OP_KERNEL, rng_range(&w->rng, 200, 500), fn(FN_RESCHED, 0x10));
		way_out(v, f);
	}
	add(f, OP_END, 0, 0);
}

void script_softirq(struct vcpu *v, struct frame *f)
{
	struct world *w = v->w;

	f->n = f->pc = 0;
	add(f, OP_KERNEL, rng_range(&w->rng, 1000, 8000), fn(FN_SOFTIRQ, 0x70));
	if (rng_chance(&w->rng, w->p.irq_lock_ppm))
		section(v->vm, f, any_lock(w, first_lock(v->vm, LC_BH)), 2, false);
	add(f, OP_KERNEL, rng_range(&w->rng, 500, 2000), fn(FN_SOFTIRQ, 0x90));
	add(f, OP_END, 0, 0);
}

enum ks_class script_ip_class(void *ctx, uint32_t vm, uint64_t ip)
{
	(void)ctx;
	(void)vm;
	if (ip < 1ull << 63)
		return KS_C_USER;
	return ip >= fn(FN_SMP_CALL, 0) && ip < fn(FN_SMP_CALL + 1, 0) ? KS_C_IPI : KS_C_OTHER;
}
