// SPDX-License-Identifier: GPL-2.0
/* What lock-timeline needs of a guest. */

#include "featlist.h"
#include "pidns.h"
#include "text.h"
#include "vsock.h"

#define PV_UNHALT (1u << 7) /* EAX */
#define HINTS_REALTIME 1u   /* EDX: vCPUs are never preempted, says the host */

static void hypervisor(struct ks_fctx *c)
{
	const struct ks_machine *m = &c->machine;

	if (!m->guest)
		ks_fline(c, "guest", KS_ST_DEGRADED,
			 "not a virtual machine: locks are recorded, but "
			 "there is no host's trace to lay beside them");
	else if (m->hypervisor[0] && !ks_machine_is_kvm_guest(m))
		ks_fline(c, "guest", KS_ST_DEGRADED,
			 "the hypervisor is %s, not KVM: ple-trace cannot "
			 "record its host",
			 m->hypervisor);
	else
		ks_fline(c, "guest", KS_ST_OK, "a virtual machine of KVM, %s", m->model);
}

static void contention(struct ks_fctx *c)
{
	static const char *const names[] = { "contention_begin", "contention_end", NULL };
	char missing[96];

	if (!c->vmlinux)
		return;
	if (ks_btf_missing(c->vmlinux, names, ks_btf_tracepoint, missing, sizeof(missing)))
		ks_fline(c, "lock-events", KS_ST_MISSING,
			 "tracepoints not in this kernel: %s (5.19 "
			 "and newer have them)",
			 missing);
	else
		ks_fline(c, "lock-events", KS_ST_OK,
			 "contention tracepoints: waits of all locks, "
			 "--mode contention");
}

static void lock_functions(struct ks_fctx *c)
{
	static const char *const lock[] = { "_raw_spin_lock",	  "_raw_spin_lock_irqsave",
					    "_raw_spin_lock_irq", "_raw_spin_lock_bh",
					    "_raw_spin_trylock",  NULL };
	static const char *const unlock[] = { "_raw_spin_unlock", "_raw_spin_unlock_irqrestore",
					      "_raw_spin_unlock_irq", "_raw_spin_unlock_bh", NULL };
	char missing[96];

	if (!c->vmlinux)
		return;
	if (ks_btf_missing(c->vmlinux, lock, ks_btf_func, missing, sizeof(missing)))
		ks_fline(c, "lock-functions", KS_ST_DEGRADED,
			 "not in this kernel's BTF: %s; use "
			 "--mode contention",
			 missing);
	else if (ks_btf_missing(c->vmlinux, unlock, ks_btf_func, missing, sizeof(missing)))
		ks_fline(c, "lock-functions", KS_ST_DEGRADED,
			 "inlined here: %s; holds ending there "
			 "are not seen (needs CONFIG_PARAVIRT_SPINLOCKS)",
			 missing);
	else
		ks_fline(c, "lock-functions", KS_ST_OK,
			 "spinlock functions out of line: --mode full");
}

/* They come with another layout of the preempt count, after 7.2. */
static void newer_locks(struct ks_fctx *c)
{
	if (c->vmlinux && ks_btf_func(c->vmlinux, "_raw_spin_lock_irq_disable"))
		ks_fline(c, "newer-locks", KS_ST_DEGRADED,
			 "newer than this program: locks that _raw_spin_lock_irq_disable() takes "
			 "are not seen, and waits may be told of the wrong level (task, softirq, "
			 "interrupt)");
}

/* Attaching to a function goes through ftrace; `record` tries it, this goes by what is there. */
static void fentry(struct ks_fctx *c)
{
	char text[16];

	if (!c->vmlinux)
		return;
	if (!ks_btf_func(c->vmlinux, "register_ftrace_direct") ||
	    ks_read_line(c->root, text, sizeof(text), "/proc/sys/kernel/ftrace_enabled"))
		ks_fline(c, "fentry", KS_ST_DEGRADED,
			 "not in this kernel (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS): use "
			 "--mode contention");
	else if (text[0] == '0')
		ks_fline(c, "fentry", KS_ST_DEGRADED,
			 "ftrace is switched off: sysctl kernel.ftrace_enabled=1, or use "
			 "--mode contention");
	else
		ks_fline(c, "fentry", KS_ST_OK, "programs run at the entry of functions");
}

static void sched_events(struct ks_fctx *c)
{
	static const char *const names[] = { "sched_switch",	 "sched_wakeup",
					     "sched_wakeup_new", "sched_migrate_task",
					     "cpu_idle",	 NULL };
	char missing[96];

	if (!c->vmlinux)
		return;
	if (ks_btf_missing(c->vmlinux, names, ks_btf_tracepoint, missing, sizeof(missing)))
		ks_fline(c, "sched-events", KS_ST_MISSING, "tracepoints not in this kernel: %s",
			 missing);
	else
		ks_fline(c, "sched-events", KS_ST_OK, "migrations, wake-ups, idle");
}

/* Whether the kernel will use them follows kvm_spinlock_init() in arch/x86/kernel/kvm.c. */
static void pv_spinlocks(struct ks_fctx *c)
{
	uint32_t a = PV_UNHALT, d = 0;

	if (!ks_btf_func(c->vmlinux, "__pv_queued_spin_lock_slowpath")) {
		ks_fline(c, "pv-spinlocks", KS_ST_OK,
			 "not in this kernel: waiters spin until they "
			 "have the lock");
		return;
	}
	if (!c->machine.guest)
		return;
	if (!*c->root && ks_machine_is_kvm_guest(&c->machine))
		ks_kvm_features(&a, &d);
	if (ks_on_command_line(c->root, "nopvspin"))
		ks_fline(c, "pv-spinlocks", KS_ST_OK,
			 "off by nopvspin: waiters spin until they have "
			 "the lock");
	else if (!(a & PV_UNHALT))
		ks_fline(c, "pv-spinlocks", KS_ST_OK,
			 "off, the host does not offer them: waiters "
			 "spin until they have the lock, in no order, so that "
			 "much is `unknown' (nopvspin: in a queue)");
	else if (d & HINTS_REALTIME)
		ks_fline(
			c, "pv-spinlocks", KS_ST_OK,
			"off, the host says that vCPUs are never preempted: waiters queue and spin "
			"until they have the lock");
	else if (c->machine.ncpus == 1)
		ks_fline(c, "pv-spinlocks", KS_ST_OK, "off with a single vCPU");
	else
		ks_fline(c, "pv-spinlocks", KS_ST_OK,
			 "on: waiters halt after some spinning, so that "
			 "a long wait has few PLE exits");
}

static void apic_ids(struct ks_fctx *c)
{
	const struct ks_machine *m = &c->machine;
	unsigned int known = 0, same = 0;

	for (unsigned int i = 0; i < m->ncpus; i++) {
		known += m->apic_id[i] != UINT32_MAX;
		same += m->apic_id[i] == i;
	}
	if (!known)
		ks_fline(c, "apic-ids", KS_ST_DEGRADED,
			 "not in /proc/cpuinfo: guest CPU N is taken "
			 "for vCPU N");
	else if (same != known)
		ks_fline(c, "apic-ids", KS_ST_OK,
			 "differ from CPU numbers; recorded, so that vCPUs "
			 "are matched by them");
	else
		ks_fline(c, "apic-ids", KS_ST_OK, "CPU N is vCPU N");
}

static void pid_namespace(struct ks_fctx *c)
{
	if (ks_pidns_is_initial(c->root))
		ks_fline(c, "pid-namespace", KS_ST_OK, "the guest's");
	else
		ks_fline(c, "pid-namespace", KS_ST_DEGRADED,
			 "its own: threads are recorded by number alone; run it in the guest's "
			 "(hostPID: true, docker --pid=host)");
}

static void vsock(struct ks_fctx *c)
{
	uint32_t cid = 0;

	if (!ks_exists(c->root, "/dev/vsock"))
		ks_fline(c, "vsock", KS_ST_DEGRADED,
			 "no /dev/vsock: no stream to the host; record to "
			 "a file (or modprobe vmw_vsock_virtio_transport)");
	else if (!*c->root && ks_vsock_own_cid(&cid))
		ks_fline(c, "vsock", KS_ST_DEGRADED,
			 "no device: give the VM one (QEMU: -device "
			 "vhost-vsock-pci,guest-cid=3), or record to a file");
	else
		ks_fline(c, "vsock", KS_ST_OK, "own CID %u: can stream to the host", cid);
}

void ks_feature_guest(struct ks_fctx *c)
{
	hypervisor(c);
	contention(c);
	lock_functions(c);
	newer_locks(c);
	fentry(c);
	sched_events(c);
	pv_spinlocks(c);
	apic_ids(c);
	pid_namespace(c);
	vsock(c);
}
