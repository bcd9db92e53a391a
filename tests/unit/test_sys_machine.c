// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cpu.h"
#include "exits.h"
#include "test_sys_tree.h"
#include "topology.h"

/* Two nodes, the second one's number is 2; CPU 3 is offline, its link is there all the same. */
static void two_nodes(void **state)
{
	struct ks_numa *n;
	struct tree t;

	(void)state;
	tree_new(&t);
	tree_text(&t, "/sys/devices/system/cpu/possible", "0-3\n");
	tree_text(&t, "/sys/devices/system/cpu/online", "0-2\n");
	tree_text(&t, "/sys/devices/system/node/online", "0,2\n");
	tree_text(&t, "/sys/devices/system/node/node0/distance", "10 21\n");
	tree_text(&t, "/sys/devices/system/node/node2/distance", "22 10\n");
	tree_dir(&t, "/sys/devices/system/cpu/cpu0/node0");
	tree_dir(&t, "/sys/devices/system/cpu/cpu1/node0");
	tree_dir(&t, "/sys/devices/system/cpu/cpu2/node2");
	tree_dir(&t, "/sys/devices/system/cpu/cpu3/node2");
	assert_int_equal(ks_numa_new(&n, t.root), 0);
	assert_int_equal(ks_numa_cpus(n), 4);
	assert_int_equal(ks_numa_cpus_online(n), 3);
	assert_int_equal(ks_numa_nodes(n), 3);
	assert_int_equal(ks_numa_node(n, 0), 0);
	assert_int_equal(ks_numa_node(n, 1), 0);
	assert_int_equal(ks_numa_node(n, 2), 2);
	assert_int_equal(ks_numa_node(n, 3), 2);
	assert_int_equal(ks_numa_node(n, 4), -1);
	assert_int_equal(ks_numa_distance(n, 0, 0), 10);
	assert_int_equal(ks_numa_distance(n, 0, 2), 21);
	assert_int_equal(ks_numa_distance(n, 2, 0), 22);
	assert_int_equal(ks_numa_distance(n, 0, 1), 0);
	assert_int_equal(ks_numa_distance(n, 0, 3), 0);
	ks_numa_free(n);
	tree_free(&t);
}

static void no_numa(void **state)
{
	struct ks_numa *n = (void *)1;
	struct tree t;

	(void)state;
	tree_new(&t);
	assert_int_equal(ks_numa_new(&n, t.root), -ENOENT);
	assert_null(n);
	tree_text(&t, "/sys/devices/system/cpu/possible", "0-1\n");
	tree_text(&t, "/sys/devices/system/cpu/online", "0\n");
	assert_int_equal(ks_numa_new(&n, t.root), 0);
	assert_int_equal(ks_numa_nodes(n), 1);
	assert_int_equal(ks_numa_node(n, 0), 0);
	assert_int_equal(ks_numa_node(n, 1), 0);
	assert_int_equal(ks_numa_distance(n, 0, 0), 10);
	ks_numa_free(n);
	ks_numa_free(NULL);
	tree_free(&t);
}

/* The real machine, by libnuma: as many CPUs online as the C library says. */
static void real_topology(void **state)
{
	struct ks_numa *n;

	(void)state;
	assert_int_equal(ks_numa_new(&n, NULL), 0);
	assert_int_equal(ks_numa_cpus_online(n), sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(ks_numa_cpus(n) >= ks_numa_cpus_online(n));
	assert_true(ks_numa_node(n, 0) >= 0);
	assert_int_equal(ks_numa_distance(n, (unsigned int)ks_numa_node(n, 0),
					  (unsigned int)ks_numa_node(n, 0)),
			 10);
	ks_numa_free(n);
}

static const char cpuinfo[] =
	"processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon \033 Gold\napicid\t\t: 0\n"
	"initial apicid\t: 99\nflags\t\t: fpu vmx constant_tsc nonstop_tsc svm_lock\n"
	"vmx flags\t: vnmi\n\n"
	"processor\t: 2\nvendor_id\t: GenuineIntel\napicid\t\t: 4\nflags\t\t: fpu svm\n\n"
	"processor\t: 99999999999\napicid\t\t: 7\n\nno colon here\n: empty key\n";

static void machine(void **state)
{
	struct ks_machine m;
	struct tree t;

	(void)state;
	tree_new(&t);
	tree_text(&t, "/proc/cpuinfo", cpuinfo);
	tree_text(&t, "/proc/sys/kernel/osrelease", "6.12.1-test\n");
	tree_text(&t, "/proc/sys/kernel/random/boot_id", "15720aa4-9474-4abf-a025-c2d51eecc701\n");
	tree_text(&t, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
	tree_dir(&t, "/sys/module/kvm");
	tree_dir(&t, "/sys/module/kvm_intel");
	assert_int_equal(ks_machine_read(t.root, &m), 0);
	assert_string_equal(m.vendor, "GenuineIntel");
	assert_string_equal(m.model, "Xeon ? Gold");
	assert_true(m.vmx && m.constant_tsc && m.nonstop_tsc);
	assert_false(m.svm || m.guest); /* "svm_lock" is another flag; CPU 2's do not count */
	assert_true(m.kvm && m.kvm_intel);
	assert_false(m.kvm_amd);
	assert_string_equal(m.release, "6.12.1-test");
	assert_string_equal(m.clocksource, "tsc");
	assert_string_equal(m.boot_id, "15720aa4-9474-4abf-a025-c2d51eecc701");
	assert_string_equal(m.product_uuid, "");
	assert_int_equal(m.ncpus, 3);
	assert_int_equal(m.apic_id[0], 0);
	assert_int_equal(m.apic_id[1], UINT32_MAX);
	assert_int_equal(m.apic_id[2], 4); /* not 7: that is a processor that cannot be */
	assert_int_equal(m.tsc_khz, 0);
	ks_machine_release(&m);
	tree_free(&t);
}

/* CPU 0 is offline: the flags are those of the first one that is listed. */
static void machine_without_cpu_0(void **state)
{
	struct ks_machine m;
	struct tree t;

	(void)state;
	tree_new(&t);
	tree_text(&t, "/proc/cpuinfo", strstr(cpuinfo, "processor\t: 2"));
	assert_int_equal(ks_machine_read(t.root, &m), 0);
	assert_true(m.svm);
	assert_false(m.vmx);
	ks_machine_release(&m);
	tree_free(&t);
}

static void real_machine(void **state)
{
	struct ks_machine m;

	(void)state;
	assert_int_equal(ks_machine_read(NULL, &m), 0);
	assert_true(m.ncpus >= (unsigned int)sysconf(_SC_NPROCESSORS_ONLN));
	assert_int_not_equal(m.vendor[0], 0);
	assert_int_equal(strlen(m.boot_id), 36);
	if (m.tsc_khz) /* where somebody tells: between 100 MHz and 10 GHz */
		assert_in_range(m.tsc_khz, 100000, 10000000);
	assert_int_equal(!!m.hypervisor[0], m.guest);
	ks_machine_release(&m);
}

/* Against the numbers and names in the manuals (and what perf prints of them). */
static void exit_names(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(ks_exit_name(KS_ISA_SVM, KS_SVM_EXIT_PAUSE), "pause");
	assert_string_equal(ks_exit_name(KS_ISA_SVM, KS_SVM_EXIT_HLT), "hlt");
	assert_string_equal(ks_exit_name(KS_ISA_SVM, KS_SVM_EXIT_IDLE_HLT), "idle-halt");
	assert_string_equal(ks_exit_name(KS_ISA_SVM, 0x7b), "io");
	assert_string_equal(ks_exit_name(KS_ISA_SVM, 0x7c), "msr");
	assert_string_equal(ks_exit_name(KS_ISA_SVM, 0x4e), "PF excp");
	assert_string_equal(ks_exit_name(KS_ISA_SVM, 0x400), "npf");
	assert_string_equal(ks_exit_name(KS_ISA_SVM, 0x403), "vmgexit");
	assert_string_equal(ks_exit_name(KS_ISA_SVM, UINT32_MAX), "invalid_guest_state");
	assert_null(ks_exit_name(KS_ISA_SVM, 0x42));
	assert_null(ks_exit_name(KS_ISA_SVM, 0xa7));
	assert_null(ks_exit_name(KS_ISA_SVM, 0x404));
	assert_string_equal(ks_exit_name(KS_ISA_VMX, KS_VMX_EXIT_PAUSE), "PAUSE_INSTRUCTION");
	assert_string_equal(ks_exit_name(KS_ISA_VMX, KS_VMX_EXIT_HLT), "HLT");
	assert_string_equal(ks_exit_name(KS_ISA_VMX, 1), "EXTERNAL_INTERRUPT");
	assert_string_equal(ks_exit_name(KS_ISA_VMX, 30), "IO_INSTRUCTION");
	assert_string_equal(ks_exit_name(KS_ISA_VMX, 48), "EPT_VIOLATION");
	assert_string_equal(ks_exit_name(KS_ISA_VMX, 0x80000021), "INVALID_STATE");
	assert_null(ks_exit_name(KS_ISA_VMX, 35));
	assert_null(ks_exit_name(KS_ISA_VMX, 500));
	assert_null(ks_exit_name((enum ks_isa)7, 12));
	assert_string_equal(ks_exit_str(KS_ISA_SVM, 0x77, buf, sizeof(buf)), "pause");
	assert_string_equal(ks_exit_str(KS_ISA_SVM, 0x1234, buf, sizeof(buf)), "0x1234");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_nodes),
		cmocka_unit_test(no_numa),
		cmocka_unit_test(real_topology),
		cmocka_unit_test(machine),
		cmocka_unit_test(real_machine),
		cmocka_unit_test(exit_names),
		cmocka_unit_test(machine_without_cpu_0),
	};

	return cmocka_run_group_tests_name("sys machine", tests, NULL, NULL);
}
