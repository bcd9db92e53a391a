// SPDX-License-Identifier: GPL-2.0
/* Machines made up of files, BTF included: what they can do, and what is said about it. */
#include <bpf/btf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feature.h"
#include "test_sys_tree.h"

#define STATUS(caps) "Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t" caps "\nCapBnd:\t0\n"
#define ALL_CAPS "000001ffffffffff"
#define BPF_PERFMON "000000c000000000" /* 38 and 39 */

static void add_tracepoint(struct btf *b, const char *name)
{
	char type[64];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	assert_true(btf__add_typedef(b, type, 1) > 0);
}

static void add_func(struct btf *b, const char *name)
{
	int proto = btf__add_func_proto(b, 0);

	assert_true(btf__add_func(b, name, BTF_FUNC_GLOBAL, proto) > 0);
}

static void put_btf(const struct tree *t, const char *name, const struct btf *b)
{
	char path[64];
	const void *data;
	uint32_t size;

	data = btf__raw_data(b, &size);
	assert_non_null(data);
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", name);
	tree_put(t, path, data, size);
}

/* A kernel's BTF with all that is asked for, except `without`; kvm's, split from it, likewise. */
static void put_all_btf(const struct tree *t, const char *without)
{
	static const char *const tps[] = { "sched_switch",	 "sched_waking",
					   "sched_wakeup",	 "cpu_idle",
					   "sched_migrate_task", "contention_begin",
					   "contention_end",	 "sched_wakeup_new",
					   "sched_process_exit" };
	static const char *const funcs[] = {
		"_raw_spin_lock",
		"_raw_spin_lock_irqsave",
		"_raw_spin_lock_irq",
		"_raw_spin_lock_bh",
		"_raw_spin_trylock",
		"_raw_spin_unlock",
		"_raw_spin_unlock_irqrestore",
		"_raw_spin_unlock_irq",
		"_raw_spin_unlock_bh",
		"__pv_queued_spin_lock_slowpath",
		"bpf_rdonly_cast",
		"register_ftrace_direct",
	};
	static const char *const kvm[] = { "kvm_exit", "kvm_vcpu_wakeup", "kvm_write_tsc_offset" };
	struct btf *b = btf__new_empty(), *m;

	assert_int_equal(btf__add_int(b, "int", 4, BTF_INT_SIGNED), 1);
	for (size_t i = 0; i < sizeof(tps) / sizeof(tps[0]); i++)
		if (strcmp(tps[i], without))
			add_tracepoint(b, tps[i]);
	for (size_t i = 0; i < sizeof(funcs) / sizeof(funcs[0]); i++)
		if (strcmp(funcs[i], without))
			add_func(b, funcs[i]);
	put_btf(t, "vmlinux", b);
	m = btf__new_empty_split(b);
	for (size_t i = 0; i < sizeof(kvm) / sizeof(kvm[0]); i++)
		if (strcmp(kvm[i], without))
			add_tracepoint(m, kvm[i]);
	put_btf(t, "kvm", m);
	put_btf(t, "kvm_amd", m);
	btf__free(m);
	btf__free(b);
}

static void amd_host(struct tree *t, const char *without)
{
	tree_new(t);
	tree_text(t, "/proc/self/status", STATUS(ALL_CAPS));
	tree_text(t, "/proc/sys/kernel/osrelease", "6.12.1\n");
	tree_text(t, "/proc/sys/net/core/bpf_jit_enable", "1\n");
	tree_text(t, "/proc/sys/kernel/kptr_restrict", "0\n");
	tree_text(t, "/proc/sys/kernel/ftrace_enabled", "1\n");
	tree_text(t, "/proc/kallsyms", "");
	tree_text(t, "/proc/cpuinfo",
		  "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: "
		  "EPYC\napicid\t: 0\nflags\t: svm constant_tsc nonstop_tsc\n");
	tree_text(t, "/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	tree_text(t, "/sys/kernel/sched_ext/state", "disabled\n");
	tree_text(t, "/sys/fs/cgroup/cgroup.controllers", "cpu\n");
	tree_text(t, "/sys/module/kvm/parameters/halt_poll_ns", "200000\n");
	tree_text(t, "/sys/module/kvm_amd/parameters/pause_filter_count", "3000\n");
	tree_text(t, "/sys/module/kvm_amd/parameters/pause_filter_thresh", "128\n");
	tree_text(t, "/sys/module/kvm_amd/parameters/nested", "1\n");
	tree_text(t, "/sys/devices/system/cpu/possible", "0\n");
	tree_text(t, "/sys/devices/system/cpu/online", "0\n");
	tree_text(t, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
	tree_dir(t, "/sys/bus/event_source/devices/cpu");
	tree_text(t, "/dev/vhost-vsock", "");
	tree_text(t, "/dev/vsock", "");
	put_all_btf(t, without);
}

static const struct ks_feature *find(const struct ks_feature *f, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(f[i].name, name))
			return &f[i];
	return NULL;
}

/* Ask the machine t, expect one line of it and whether a recording is possible. */
static void expect(const struct tree *t, enum ks_feature_for side, const char *name,
		   enum ks_status st, const char *part, int usable)
{
	const struct ks_feature *line, *why;
	struct ks_feature *f;
	size_t n;

	assert_int_equal(ks_features(t->root, side, &f, &n), 0);
	line = find(f, n, name);
	assert_non_null(line);
	assert_string_equal(ks_status_name(line->status), ks_status_name(st));
	if (!strstr(line->reason, part))
		fail_msg("%s: '%s' lacks '%s'", name, line->reason, part);
	assert_int_equal(ks_features_usable(f, n, &why), usable);
	if (usable)
		assert_ptr_equal(why, line);
	else
		assert_null(why);
	free(f);
}

static void all_well(void **state)
{
	struct ks_feature *f;
	struct tree t;
	size_t n;

	(void)state;
	amd_host(&t, "");
	for (int side = KS_FOR_HOST; side <= KS_FOR_GUEST; side++) {
		assert_int_equal(ks_features(t.root, (enum ks_feature_for)side, &f, &n), 0);
		assert_true(n > 10);
		for (size_t i = 0; i < n; i++)
			if (f[i].status != KS_ST_OK && strcmp(f[i].name, "guest"))
				fail_msg("%s: %s", f[i].name, f[i].reason);
		free(f);
	}
	expect(&t, KS_FOR_HOST, "ple", KS_ST_OK, "pause_filter_count=3000", 0);
	expect(&t, KS_FOR_HOST, "kvm-events", KS_ST_OK, "TSC offsets", 0);
	expect(&t, KS_FOR_GUEST, "lock-functions", KS_ST_OK, "--mode full", 0);
	expect(&t, KS_FOR_GUEST, "guest", KS_ST_DEGRADED, "not a virtual machine", 0);
	tree_free(&t);
}

static void rights(void **state)
{
	struct tree t;

	(void)state;
	amd_host(&t, "");
	tree_text(&t, "/proc/self/status", STATUS("0000000000000000"));
	expect(&t, KS_FOR_HOST, "privileges", KS_ST_MISSING, "run as root", -ENOTSUP);
	tree_text(&t, "/proc/self/status", STATUS(BPF_PERFMON));
	expect(&t, KS_FOR_HOST, "privileges", KS_ST_DEGRADED, "CAP_SYS_PTRACE", 0);
	tree_text(&t, "/proc/self/status", "nothing");
	expect(&t, KS_FOR_GUEST, "privileges", KS_ST_MISSING, "run as root", -ENOTSUP);
	tree_free(&t);
}

static void kernels(void **state)
{
	struct tree t;

	(void)state;
	amd_host(&t, "");
	tree_text(&t, "/proc/sys/kernel/osrelease", "5.10.0-30\n");
	expect(&t, KS_FOR_HOST, "kernel", KS_ST_MISSING, "5.19", -ENOTSUP);
	tree_text(&t, "/proc/sys/kernel/osrelease", "5.19.0\n");
	expect(&t, KS_FOR_HOST, "kernel", KS_ST_DEGRADED, "6.1", 0);
	tree_text(&t, "/proc/sys/kernel/osrelease", "7.2.12\n");
	tree_text(&t, "/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	expect(&t, KS_FOR_HOST, "lockdown", KS_ST_MISSING, "lockdown=integrity", -ENOTSUP);
	tree_text(&t, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	tree_text(&t, "/proc/sys/net/core/bpf_jit_enable", "0\n");
	expect(&t, KS_FOR_HOST, "jit", KS_ST_MISSING, "bpf_jit_enable=1", -ENOTSUP);
	expect(&t, KS_FOR_GUEST, "jit", KS_ST_DEGRADED, "bpf_jit_enable=1", 0);
	put_all_btf(&t, "bpf_rdonly_cast");
	expect(&t, KS_FOR_HOST, "jit", KS_ST_DEGRADED, "bpf_jit_enable=1", 0);
	tree_free(&t);
}

/* In a container that has PIDs of its own: a host's are all wrong there, a guest's threads lack names. */
static void own_pid_namespace(void **state)
{
	struct tree t;

	(void)state;
	amd_host(&t, "");
	expect(&t, KS_FOR_HOST, "pid-namespace", KS_ST_OK, "host's", 0);
	tree_link(&t, "/proc/self/ns/pid", "pid:[4026532201]");
	expect(&t, KS_FOR_HOST, "pid-namespace", KS_ST_MISSING, "hostPID: true", -ENOTSUP);
	expect(&t, KS_FOR_GUEST, "pid-namespace", KS_ST_DEGRADED, "number alone", 0);
	tree_free(&t);
	amd_host(&t, "");
	tree_link(&t, "/proc/self/ns/pid", "pid:[4026531836]");
	expect(&t, KS_FOR_HOST, "pid-namespace", KS_ST_OK, "host's", 0);
	expect(&t, KS_FOR_GUEST, "pid-namespace", KS_ST_OK, "guest's", 0);
	tree_free(&t);
}

static void no_fentry(void **state)
{
	struct tree t;
	char path[128];

	(void)state;
	amd_host(&t, "");
	expect(&t, KS_FOR_GUEST, "fentry", KS_ST_OK, "functions", 0);
	tree_text(&t, "/proc/sys/kernel/ftrace_enabled", "0\n");
	expect(&t, KS_FOR_GUEST, "fentry", KS_ST_DEGRADED, "ftrace_enabled=1", 0);
	snprintf(path, sizeof(path), "%s/proc/sys/kernel/ftrace_enabled", t.root);
	unlink(path);
	expect(&t, KS_FOR_GUEST, "fentry", KS_ST_DEGRADED, "--mode contention", 0);
	tree_text(&t, "/proc/sys/kernel/ftrace_enabled", "1\n");
	put_all_btf(&t, "register_ftrace_direct");
	expect(&t, KS_FOR_GUEST, "fentry", KS_ST_DEGRADED, "--mode contention", 0);
	tree_free(&t);
}

static void no_btf(void **state)
{
	struct tree t;
	char path[128];

	(void)state;
	amd_host(&t, "");
	tree_text(&t, "/sys/kernel/btf/kvm_amd", "");
	snprintf(path, sizeof(path), "%s/sys/kernel/btf/kvm_amd", t.root);
	unlink(path);
	expect(&t, KS_FOR_HOST, "kvm-btf", KS_ST_MISSING, "kvm_amd", -ENOTSUP);
	tree_text(&t, "/sys/kernel/btf/kvm", "broken");
	expect(&t, KS_FOR_HOST, "kvm-btf", KS_ST_MISSING, "MODULES", -ENOTSUP);
	tree_text(&t, "/sys/kernel/btf/vmlinux", "broken");
	expect(&t, KS_FOR_GUEST, "btf", KS_ST_MISSING, "broken", -ENOTSUP);
	snprintf(path, sizeof(path), "%s/sys/kernel/btf/vmlinux", t.root);
	unlink(path);
	expect(&t, KS_FOR_GUEST, "btf", KS_ST_MISSING, "CONFIG_DEBUG_INFO_BTF", -ENOTSUP);
	tree_free(&t);
}

static void lacking(const char *what, enum ks_feature_for side, const char *line, enum ks_status st,
		    int usable)
{
	struct tree t;

	amd_host(&t, what);
	expect(&t, side, line, st, what, usable);
	tree_free(&t);
}

static void events(void **state)
{
	(void)state;
	lacking("kvm_exit", KS_FOR_HOST, "kvm-events", KS_ST_MISSING, -ENOTSUP);
	lacking("sched_switch", KS_FOR_HOST, "kvm-events", KS_ST_MISSING, -ENOTSUP);
	lacking("kvm_write_tsc_offset", KS_FOR_HOST, "kvm-events", KS_ST_DEGRADED, 0);
	lacking("contention_begin", KS_FOR_GUEST, "lock-events", KS_ST_MISSING, -ENOTSUP);
	lacking("_raw_spin_lock_bh", KS_FOR_GUEST, "lock-functions", KS_ST_DEGRADED, 0);
	lacking("_raw_spin_unlock", KS_FOR_GUEST, "lock-functions", KS_ST_DEGRADED, 0);
	lacking("cpu_idle", KS_FOR_GUEST, "sched-events", KS_ST_MISSING, -ENOTSUP);
}

static void no_kvm(void **state)
{
	struct tree t;
	char path[128];

	(void)state;
	amd_host(&t, "");
	tree_text(&t, "/sys/module/kvm_amd/parameters/pause_filter_count", "0\n");
	expect(&t, KS_FOR_HOST, "ple", KS_ST_MISSING, "no PAUSE exit", 0);
	snprintf(path, sizeof(path), "%s/sys/module/kvm_amd", t.root);
	nftw(path, tree_rm, 8, FTW_DEPTH | FTW_PHYS);
	expect(&t, KS_FOR_HOST, "kvm", KS_ST_MISSING, "modprobe kvm_amd", -ENOTSUP);
	tree_text(&t, "/proc/cpuinfo", "processor\t: 0\nflags\t: constant_tsc\n");
	expect(&t, KS_FOR_HOST, "kvm", KS_ST_MISSING, "firmware", -ENOTSUP);
	tree_text(&t, "/proc/cpuinfo", "processor\t: 0\nflags\t: hypervisor constant_tsc\n");
	expect(&t, KS_FOR_HOST, "kvm", KS_ST_MISSING, "nesting", -ENOTSUP);
	tree_free(&t);
}

static void intel(void **state)
{
	struct tree t;
	char path[128], to[128];

	(void)state;
	amd_host(&t, "");
	tree_text(&t, "/proc/cpuinfo",
		  "processor\t: 0\nvendor_id\t: GenuineIntel\napicid\t: 0\n"
		  "flags\t: vmx constant_tsc nonstop_tsc\n");
	snprintf(path, sizeof(path), "%s/sys/module/kvm_amd", t.root);
	nftw(path, tree_rm, 8, FTW_DEPTH | FTW_PHYS);
	snprintf(path, sizeof(path), "%s/sys/kernel/btf/kvm_amd", t.root);
	snprintf(to, sizeof(to), "%s/sys/kernel/btf/kvm_intel", t.root);
	assert_int_equal(rename(path, to), 0);
	tree_text(&t, "/sys/module/kvm_intel/parameters/ple_gap", "128\n");
	tree_text(&t, "/sys/module/kvm_intel/parameters/ple_window", "4096\n");
	tree_text(&t, "/sys/module/kvm_intel/parameters/ple_window_max", "4294967295\n");
	expect(&t, KS_FOR_HOST, "ple", KS_ST_OK,
	       "ple_gap=128, ple_window=4096 (at most 4294967295)", 0);
	expect(&t, KS_FOR_HOST, "kvm-btf", KS_ST_OK, "vendor module", 0);
	tree_text(&t, "/sys/module/kvm_intel/parameters/ple_gap", "0\n");
	expect(&t, KS_FOR_HOST, "ple", KS_ST_MISSING, "pause-loop exiting", 0);
	/* Both modules are built into the kernel. */
	tree_text(&t, "/sys/module/kvm_amd/parameters/nested", "1\n");
	expect(&t, KS_FOR_HOST, "kvm", KS_ST_OK, "kvm_intel", 0);
	tree_free(&t);
}

static void guests(void **state)
{
	struct tree t;

	(void)state;
	amd_host(&t, "");
	tree_text(&t, "/proc/cpuinfo",
		  "processor\t: 0\napicid\t: 0\nflags\t: hypervisor constant_tsc\n\n"
		  "processor\t: 1\napicid\t: 2\n");
	expect(&t, KS_FOR_GUEST, "guest", KS_ST_OK, "virtual machine", 0);
	expect(&t, KS_FOR_GUEST, "apic-ids", KS_ST_OK, "differ", 0);
	expect(&t, KS_FOR_GUEST, "pv-spinlocks", KS_ST_OK, "on: ", 0);
	tree_text(&t, "/proc/cmdline", "root=/dev/x nopvspin quiet\n");
	expect(&t, KS_FOR_GUEST, "pv-spinlocks", KS_ST_OK, "off by nopvspin", 0);
	tree_text(&t, "/proc/cmdline", "root=/dev/x nopvspinning\n");
	expect(&t, KS_FOR_GUEST, "pv-spinlocks", KS_ST_OK, "on: ", 0);
	tree_text(&t, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
	expect(&t, KS_FOR_GUEST, "tsc", KS_ST_DEGRADED, "hpet", 0);
	tree_text(&t, "/proc/sys/kernel/kptr_restrict", "2\n");
	expect(&t, KS_FOR_GUEST, "symbols", KS_ST_DEGRADED, "kptr_restrict=1", 0);
	tree_free(&t);
}

/* Nothing there at all, and the real machine: every line is one line. */
static void empty_and_real(void **state)
{
	const struct ks_feature *why;
	struct ks_feature *f;
	struct tree t;
	size_t n;

	(void)state;
	tree_new(&t);
	assert_int_equal(ks_features(t.root, KS_FOR_HOST, &f, &n), 0);
	assert_int_equal(ks_features_usable(f, n, &why), -ENOTSUP);
	assert_string_equal(why->name, "privileges");
	free(f);
	tree_free(&t);
	for (int side = KS_FOR_HOST; side <= KS_FOR_GUEST; side++) {
		assert_int_equal(ks_features(NULL, (enum ks_feature_for)side, &f, &n), 0);
		assert_true(n >= 10);
		for (size_t i = 0; i < n; i++) {
			assert_null(strchr(f[i].reason, '\n'));
			assert_true(strlen(f[i].reason) > 1);
			assert_true(strlen(f[i].reason) < sizeof(f[i].reason) - 1); /* not cut */
		}
		free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_well),
		cmocka_unit_test(rights),
		cmocka_unit_test(kernels),
		cmocka_unit_test(no_btf),
		cmocka_unit_test(events),
		cmocka_unit_test(no_kvm),
		cmocka_unit_test(own_pid_namespace),
		cmocka_unit_test(no_fentry),
		cmocka_unit_test(intel),
		cmocka_unit_test(guests),
		cmocka_unit_test(empty_and_real),
	};

	return cmocka_run_group_tests_name("sys feature", tests, NULL, NULL);
}
