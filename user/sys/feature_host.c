// SPDX-License-Identifier: GPL-2.0
/* What ple-trace needs of a host. */
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "featlist.h"
#include "pidns.h"
#include "text.h"
#include "vm.h"

static const char *vendor_module(const struct ks_fctx *c)
{
	if (c->machine.kvm_amd)
		return "kvm_amd";
	return c->machine.kvm_intel ? "kvm_intel" : NULL;
}

static void kvm(struct ks_fctx *c)
{
	const char *module = vendor_module(c);

	if (module)
		ks_fline(c, "kvm", KS_ST_OK, "%s, %s", module, c->machine.model);
	else if (c->machine.svm || c->machine.vmx)
		ks_fline(c, "kvm", KS_ST_MISSING, "module not loaded: modprobe %s",
			 c->machine.svm ? "kvm_amd" : "kvm_intel");
	else
		ks_fline(c, "kvm", KS_ST_MISSING,
			 "this %s has no virtualization (flags svm, vmx)%s",
			 c->machine.guest ? "virtual machine" : "processor",
			 c->machine.guest ? ": switch nesting on in its host" :
					    ": is it switched off in the firmware?");
}

static void kvm_btf(struct ks_fctx *c)
{
	const char *module = vendor_module(c);

	if (!module)
		return;
	if (!c->kvm)
		ks_fline(c, "kvm-btf", KS_ST_MISSING,
			 "no types of the kvm module: needs "
			 "CONFIG_DEBUG_INFO_BTF_MODULES=y");
	else if (c->kvm != c->vmlinux && !ks_exists(c->root, "/sys/kernel/btf/%s", module))
		ks_fline(c, "kvm-btf", KS_ST_MISSING,
			 "no types of the %s module: exit reasons "
			 "cannot be read",
			 module);
	else
		ks_fline(c, "kvm-btf", KS_ST_OK, "%s",
			 c->kvm == c->vmlinux ? "built in" : "kvm and its vendor module");
}

static void events(struct ks_fctx *c)
{
	static const char *const needed[] = { "kvm_exit", NULL };
	static const char *const extra[] = { "kvm_vcpu_wakeup", "kvm_write_tsc_offset", NULL };
	static const char *const sched[] = { "sched_switch", "sched_waking", "sched_migrate_task",
					     "sched_process_exit", NULL };
	char a[96], b[96];

	if (!c->kvm)
		return;
	if (ks_btf_missing(c->kvm, needed, ks_btf_tracepoint, a, sizeof(a)) |
	    ks_btf_missing(c->vmlinux, sched, ks_btf_tracepoint, b, sizeof(b)))
		ks_fline(c, "kvm-events", KS_ST_MISSING, "tracepoints not in this kernel: %s%s%s",
			 a, a[0] && b[0] ? ", " : "", b);
	else if (ks_btf_missing(c->kvm, extra, ks_btf_tracepoint, a, sizeof(a)))
		ks_fline(c, "kvm-events", KS_ST_DEGRADED,
			 "without %s: such events are not recorded", a);
	else
		ks_fline(c, "kvm-events", KS_ST_OK, "exits, wake-ups, TSC offsets, scheduling");
}

/* A module's parameter as a number in text; "" if there is none. */
static const char *param(const struct ks_fctx *c, const char *module, const char *name, char *buf,
			 size_t size)
{
	if (ks_read_line(c->root, buf, size, "/sys/module/%s/parameters/%s", module, name))
		buf[0] = '\0';
	return buf;
}

static void ple(struct ks_fctx *c)
{
	const char *module = vendor_module(c);
	bool amd = module && !strcmp(module, "kvm_amd");
	const char *on = amd ? "pause_filter_count" : "ple_gap";
	char gate[24], thresh[24], window[24];

	if (!module)
		return;
	param(c, module, on, gate, sizeof(gate));
	if (!gate[0]) {
		ks_fline(c, "ple", KS_ST_DEGRADED, "%s has no parameter %s: not known", module, on);
		return;
	}
	if (!strcmp(gate, "0")) {
		ks_fline(c, "ple", KS_ST_MISSING,
			 "%s.%s=0: the processor has no %s, or it is "
			 "switched off; no PAUSE exit will come",
			 module, on, amd ? "pause filter" : "pause-loop exiting");
		return;
	}
	if (amd)
		ks_fline(c, "ple", KS_ST_OK, "pause_filter_count=%s, pause_filter_thresh=%s", gate,
			 param(c, module, "pause_filter_thresh", thresh, sizeof(thresh)));
	else
		ks_fline(c, "ple", KS_ST_OK, "ple_gap=%s, ple_window=%s (at most %s)", gate,
			 param(c, module, "ple_window", window, sizeof(window)),
			 param(c, module, "ple_window_max", thresh, sizeof(thresh)));
}

static void vms(struct ks_fctx *c)
{
	struct ks_vmlist l;

	if (!ks_pidns_is_initial(c->root) || ks_vm_list(c->root, &l))
		return;
	if (l.n)
		ks_fline(c, "vms", KS_ST_OK, "%zu running, the first: %s (PID %u)", l.n,
			 l.vm[0].name, l.vm[0].tgid);
	else if (l.unreadable)
		ks_fline(c, "vms", KS_ST_DEGRADED,
			 "none seen, %zu processes could not be looked "
			 "into: run as root",
			 l.unreadable);
	else
		ks_fline(c, "vms", KS_ST_OK, "none running; those that start are found");
	ks_vm_list_free(&l);
}

static void pid_namespace(struct ks_fctx *c)
{
	struct ks_err err;

	if (ks_pidns_check(c->root, &err))
		ks_fline(c, "pid-namespace", KS_ST_MISSING, "%s", err.msg);
	else
		ks_fline(c, "pid-namespace", KS_ST_OK, "the host's");
}

static void nested(struct ks_fctx *c)
{
	const char *module = vendor_module(c);
	char v[8];

	if (!module || !param(c, module, "nested", v, sizeof(v))[0])
		return;
	ks_fline(c, "nested", KS_ST_OK, "%s%s",
		 v[0] == '1' || v[0] == 'Y' ? "on: guests may run KVM themselves" : "off",
		 c->machine.guest ? "; this host is a virtual machine itself" : "");
}

static void sched_ext(struct ks_fctx *c)
{
	char state[32];

	if (ks_read_line(c->root, state, sizeof(state), "/sys/kernel/sched_ext/state"))
		ks_fline(c, "sched_ext", KS_ST_DEGRADED,
			 "not in this kernel "
			 "(CONFIG_SCHED_CLASS_EXT, 6.12 or newer); tracing does not need it");
	else
		ks_fline(c, "sched_ext", KS_ST_OK, "%s; what a policy does by it is recorded",
			 state);
}

static void cgroup2(struct ks_fctx *c)
{
	if (ks_exists(c->root, "/sys/fs/cgroup/cgroup.controllers"))
		ks_fline(c, "cgroup2", KS_ST_OK, "/sys/fs/cgroup");
	else
		ks_fline(c, "cgroup2", KS_ST_DEGRADED,
			 "not mounted at /sys/fs/cgroup; tracing does "
			 "not need it");
}

static void vsock(struct ks_fctx *c)
{
	if (ks_exists(c->root, "/dev/vhost-vsock"))
		ks_fline(c, "vsock", KS_ST_OK, "/dev/vhost-vsock: guests can stream their traces");
	else
		ks_fline(c, "vsock", KS_ST_DEGRADED,
			 "no /dev/vhost-vsock: modprobe vhost_vsock, or "
			 "copy the guests' trace files");
}

void ks_feature_host(struct ks_fctx *c)
{
	kvm(c);
	kvm_btf(c);
	events(c);
	ple(c);
	pid_namespace(c);
	vms(c);
	nested(c);
	sched_ext(c);
	cgroup2(c);
	vsock(c);
}
