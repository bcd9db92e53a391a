// SPDX-License-Identifier: GPL-2.0
/* What host and guest recorders need alike: rights, kernel, BTF, clock, symbols. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "featlist.h"
#include "text.h"
#include "topology.h"

/* Numbers of capabilities: linux/capability.h, which older systems have without the last two. */
enum { SYS_PTRACE = 19, SYS_ADMIN = 21, PERFMON = 38, BPF = 39 };

static uint64_t effective_caps(const char *root)
{
	char *text, *p;
	uint64_t caps = 0;

	if (ks_read_at(root, 1 << 16, &text, NULL, "/proc/self/status"))
		return 0;
	p = strstr(text, "\nCapEff:");
	if (p)
		caps = strtoull(p + 8, NULL, 16);
	free(text);
	return caps;
}

static void privileges(struct ks_fctx *c)
{
	uint64_t caps = effective_caps(c->root);
	bool admin = caps >> SYS_ADMIN & 1;

	if (!admin && !((caps >> BPF & 1) && (caps >> PERFMON & 1)))
		ks_fline(c, "privileges", KS_ST_MISSING,
			 "loading BPF needs CAP_BPF and "
			 "CAP_PERFMON: run as root");
	else if (!(caps >> SYS_PTRACE & 1))
		ks_fline(c, "privileges", KS_ST_DEGRADED,
			 "no CAP_SYS_PTRACE: VMs of other users "
			 "are not found by name");
	else if (!admin)
		ks_fline(c, "privileges", KS_ST_DEGRADED,
			 "no CAP_SYS_ADMIN: module BTF of KVM "
			 "may not be readable");
	else
		ks_fline(c, "privileges", KS_ST_OK, "root, or all capabilities that are needed");
}

static void kernel(struct ks_fctx *c)
{
	unsigned int major = 0, minor = 0;

	sscanf(c->machine.release, "%u.%u", &major, &minor);
	if (major < 5 || (major == 5 && minor < 19))
		ks_fline(c, "kernel", KS_ST_MISSING,
			 "%s: 5.19 or newer is needed (contention "
			 "tracepoints, kvm_exit's arguments)",
			 c->machine.release);
	else if (major < 6 || (major == 6 && minor < 1))
		ks_fline(c, "kernel", KS_ST_DEGRADED, "%s: should work, tested from 6.1 on",
			 c->machine.release);
	else
		ks_fline(c, "kernel", KS_ST_OK, "%s", c->machine.release);
}

/* "none [integrity] confidentiality": the chosen one stands in brackets. */
static void lockdown(struct ks_fctx *c)
{
	char text[128];

	if (ks_read_line(c->root, text, sizeof(text), "/sys/kernel/security/lockdown"))
		return; /* no such LSM, or securityfs is not mounted: nothing to say */
	if (strstr(text, "[confidentiality]"))
		ks_fline(c, "lockdown", KS_ST_MISSING,
			 "mode confidentiality forbids BPF to read "
			 "the kernel: boot with lockdown=integrity or none");
	else
		ks_fline(c, "lockdown", KS_ST_OK, "BPF may read the kernel");
}

/* Without it programs are interpreted, fentry's too; but what calls a kfunc cannot be. */
static void jit(struct ks_fctx *c)
{
	char text[16];

	if (ks_read_line(c->root, text, sizeof(text), "/proc/sys/net/core/bpf_jit_enable"))
		return;
	if (text[0] == '0' && c->side == KS_FOR_HOST && ks_btf_func(c->vmlinux, "bpf_rdonly_cast"))
		ks_fline(c, "jit", KS_ST_MISSING,
			 "off, and this kernel's kfuncs need it: sysctl "
			 "net.core.bpf_jit_enable=1");
	else if (text[0] == '0')
		ks_fline(c, "jit", KS_ST_DEGRADED,
			 "off: the probe is interpreted, at several times the cost: sysctl "
			 "net.core.bpf_jit_enable=1");
	else
		ks_fline(c, "jit", KS_ST_OK, "on");
}

static void btf(struct ks_fctx *c)
{
	if (c->vmlinux)
		ks_fline(c, "btf", KS_ST_OK, "/sys/kernel/btf/vmlinux");
	else if (ks_exists(c->root, "/sys/kernel/btf/vmlinux"))
		ks_fline(c, "btf", KS_ST_MISSING,
			 "/sys/kernel/btf/vmlinux is not readable or "
			 "broken");
	else
		ks_fline(c, "btf", KS_ST_MISSING,
			 "no /sys/kernel/btf/vmlinux: needs a kernel "
			 "with CONFIG_DEBUG_INFO_BTF=y");
}

void ks_feature_base(struct ks_fctx *c)
{
	privileges(c);
	kernel(c);
	lockdown(c);
	jit(c);
	btf(c);
}

static void tsc(struct ks_fctx *c)
{
	const struct ks_machine *m = &c->machine;
	bool based = !strcmp(m->clocksource, "tsc") || !strcmp(m->clocksource, "kvm-clock");
	char khz[40] = "";

	if (m->tsc_khz)
		snprintf(khz, sizeof(khz), ", %llu.%03llu MHz",
			 (unsigned long long)(m->tsc_khz / 1000),
			 (unsigned long long)(m->tsc_khz % 1000));
	if (!based)
		ks_fline(c, "tsc", KS_ST_DEGRADED,
			 "clock source %s is not the TSC: the common clock "
			 "of host and guest gets a wider error bound",
			 m->clocksource[0] ? m->clocksource : "unknown");
	else if (!m->constant_tsc)
		ks_fline(c, "tsc", KS_ST_DEGRADED,
			 "not constant: the common clock gets a wider "
			 "error bound");
	else
		ks_fline(c, "tsc", KS_ST_OK, "clock source %s%s", m->clocksource, khz);
}

static void symbols(struct ks_fctx *c)
{
	char level[16] = "";

	ks_read_line(c->root, level, sizeof(level), "/proc/sys/kernel/kptr_restrict");
	if (!ks_exists(c->root, "/proc/kallsyms"))
		ks_fline(c, "symbols", KS_ST_MISSING,
			 "no /proc/kallsyms (CONFIG_KALLSYMS): addresses "
			 "stay numbers");
	else if (level[0] == '2')
		ks_fline(c, "symbols", KS_ST_DEGRADED,
			 "kernel.kptr_restrict=2 hides them: sysctl "
			 "kernel.kptr_restrict=1, or addresses stay numbers");
	else
		ks_fline(c, "symbols", KS_ST_OK, "/proc/kallsyms");
}

static void numa(struct ks_fctx *c)
{
	struct ks_numa *n;

	if (ks_numa_new(&n, c->root)) {
		ks_fline(c, "numa", KS_ST_DEGRADED, "sysfs does not list the CPUs");
		return;
	}
	ks_fline(c, "numa", KS_ST_OK, "%u node%s, %u of %u CPUs online", ks_numa_nodes(n),
		 ks_numa_nodes(n) == 1 ? "" : "s", ks_numa_cpus_online(n), ks_numa_cpus(n));
	ks_numa_free(n);
}

static void pmu(struct ks_fctx *c)
{
	bool pmu = ks_exists(c->root, "/sys/bus/event_source/devices/cpu") ||
		   ks_exists(c->root, "/sys/bus/event_source/devices/cpu_core");

	if (pmu)
		ks_fline(c, "pmu", KS_ST_OK, "hardware counters");
	else
		ks_fline(c, "pmu", KS_ST_DEGRADED, "no hardware counters; recording needs none");
}

void ks_feature_tail(struct ks_fctx *c)
{
	tsc(c);
	symbols(c);
	numa(c);
	pmu(c);
}
