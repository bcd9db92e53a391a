// SPDX-License-Identifier: GPL-2.0
/*
 * What a vCPU that spins in a function is waiting for.
 *
 * A function that the compiler put into its caller does not show: the caller then stands in the
 * table too (__mutex_lock for the optimistic spin), or the address counts as "other". A HLT exit in
 * pv_native_safe_halt may be the idle loop or a paravirtual spinlock's sleep (kvm_wait): the
 * address alone cannot tell, idle is by far the more frequent.
 */
#include <string.h>

#include "symbols.h"

#define ALL "6.1-7.2"
#define STATIC "static: where the compiler keeps it out of line"

static const struct ks_ipclass_row rows[] = {
	/* Spinning locks. */
	{ "native_queued_spin_lock_slowpath", KS_IP_SPINLOCK, ALL },
	{ "__pv_queued_spin_lock_slowpath", KS_IP_SPINLOCK, ALL },
	{ "queued_spin_lock_slowpath", KS_IP_SPINLOCK, "without CONFIG_PARAVIRT_SPINLOCKS" },
	{ "resilient_queued_spin_lock_slowpath", KS_IP_SPINLOCK, "6.18-7.2" },
	{ "queued_read_lock_slowpath", KS_IP_SPINLOCK, ALL },
	{ "queued_write_lock_slowpath", KS_IP_SPINLOCK, ALL },
	{ "do_raw_spin_lock", KS_IP_SPINLOCK, "with CONFIG_DEBUG_SPINLOCK" },
	{ "pv_wait_node", KS_IP_SPINLOCK, STATIC },
	{ "pv_wait_head_or_lock", KS_IP_SPINLOCK, STATIC },
	{ "kvm_wait", KS_IP_SPINLOCK, ALL },
	/* Sleeping locks whose waiter spins while the owner runs. */
	{ "osq_lock", KS_IP_OPTSPIN, ALL },
	{ "osq_wait_next", KS_IP_OPTSPIN, STATIC },
	{ "mutex_spin_on_owner", KS_IP_OPTSPIN, ALL },
	{ "mutex_optimistic_spin", KS_IP_OPTSPIN, STATIC },
	{ "__mutex_lock", KS_IP_OPTSPIN, STATIC },
	{ "__ww_mutex_lock", KS_IP_OPTSPIN, STATIC },
	{ "rwsem_spin_on_owner", KS_IP_OPTSPIN, ALL },
	{ "rwsem_optimistic_spin", KS_IP_OPTSPIN, STATIC },
	{ "rwsem_down_write_slowpath", KS_IP_OPTSPIN, ALL },
	{ "rtmutex_spin_on_owner", KS_IP_OPTSPIN, STATIC },
	/* Function calls on other CPUs. */
	{ "smp_call_function", KS_IP_IPI, ALL },
	{ "smp_call_function_many", KS_IP_IPI, ALL },
	{ "smp_call_function_many_cond", KS_IP_IPI, ALL },
	{ "smp_call_function_single", KS_IP_IPI, ALL },
	{ "smp_call_function_single_async", KS_IP_IPI, ALL },
	{ "smp_call_function_any", KS_IP_IPI, ALL },
	{ "generic_exec_single", KS_IP_IPI, STATIC },
	{ "__smp_call_single_queue", KS_IP_IPI, ALL },
	{ "on_each_cpu_cond_mask", KS_IP_IPI, ALL },
	{ "csd_lock_wait", KS_IP_IPI, STATIC },
	{ "__csd_lock_wait", KS_IP_IPI, "with CONFIG_CSD_LOCK_WAIT_DEBUG" },
	{ "csd_lock_wait_toolong", KS_IP_IPI, "with CONFIG_CSD_LOCK_WAIT_DEBUG" },
	{ "kick_all_cpus_sync", KS_IP_IPI, ALL },
	{ "irq_work_sync", KS_IP_IPI, ALL },
	/* TLB shootdown. */
	{ "flush_tlb_all", KS_IP_IPI, ALL },
	{ "flush_tlb_multi", KS_IP_IPI, ALL },
	{ "flush_tlb_mm_range", KS_IP_IPI, ALL },
	{ "flush_tlb_kernel_range", KS_IP_IPI, ALL },
	{ "arch_tlbbatch_flush", KS_IP_IPI, ALL },
	{ "native_flush_tlb_multi", KS_IP_IPI, ALL },
	{ "kvm_flush_tlb_multi", KS_IP_IPI, ALL },
	{ "hyperv_flush_tlb_multi", KS_IP_IPI, ALL },
	{ "native_flush_tlb_others", KS_IP_IPI, "before flush_tlb_multi" },
	{ "kvm_flush_tlb_others", KS_IP_IPI, "before flush_tlb_multi" },
	/* Sending the interrupt itself. */
	{ "native_apic_wait_icr_idle", KS_IP_IPI, "6.1" },
	{ "native_safe_apic_wait_icr_idle", KS_IP_IPI, "6.1" },
	{ "apic_mem_wait_icr_idle", KS_IP_IPI, "6.12-7.2" },
	{ "apic_mem_wait_icr_idle_timeout", KS_IP_IPI, "6.12-7.2" },
	{ "native_send_call_func_ipi", KS_IP_IPI, ALL },
	{ "native_send_call_func_single_ipi", KS_IP_IPI, ALL },
	{ "x2apic_send_IPI", KS_IP_IPI, ALL },
	{ "__x2apic_send_IPI_mask", KS_IP_IPI, ALL },
	{ "kvm_send_ipi_mask", KS_IP_IPI, ALL },
	{ "kvm_smp_send_call_func_ipi", KS_IP_IPI, ALL },
	/* All CPUs meet. */
	{ "multi_cpu_stop", KS_IP_IPI, ALL },
	{ "stop_machine", KS_IP_IPI, ALL },
	{ "stop_machine_cpuslocked", KS_IP_IPI, ALL },
	{ "stop_machine_from_inactive_cpu", KS_IP_IPI, ALL },
	{ "stop_machine_yield", KS_IP_IPI, ALL },
	{ "mtrr_rendezvous_handler", KS_IP_IPI, ALL },
	{ "cache_rendezvous_handler", KS_IP_IPI, "6.12-7.2" },
	{ "wait_task_inactive", KS_IP_IPI, ALL },
	{ "cpuhp_ap_sync_alive", KS_IP_IPI, "6.12-7.2" },
	{ "cpuhp_wait_for_sync_state", KS_IP_IPI, "6.12-7.2" },
	/* Code patching. */
	{ "text_poke_bp_batch", KS_IP_IPI, "6.1-6.12" },
	{ "text_poke_sync", KS_IP_IPI, "6.1-6.12" },
	{ "smp_text_poke_batch_finish", KS_IP_IPI, "6.18-7.2" },
	{ "smp_text_poke_sync_each_cpu", KS_IP_IPI, "6.18-7.2" },
	/* Idle. */
	{ "do_idle", KS_IP_IDLE, ALL },
	{ "default_idle", KS_IP_IDLE, ALL },
	{ "default_idle_call", KS_IP_IDLE, ALL },
	{ "arch_cpu_idle", KS_IP_IDLE, ALL },
	{ "native_safe_halt", KS_IP_IDLE, "6.1" },
	{ "pv_native_safe_halt", KS_IP_IDLE, "6.12-7.2" },
	{ "acpi_safe_halt", KS_IP_IDLE, "6.12-7.2" },
	{ "acpi_idle_do_entry", KS_IP_IDLE, ALL },
	{ "acpi_idle_enter", KS_IP_IDLE, ALL },
	{ "mwait_idle", KS_IP_IDLE, ALL },
	{ "intel_idle", KS_IP_IDLE, ALL },
	{ "intel_idle_ibrs", KS_IP_IDLE, ALL },
	{ "intel_idle_irq", KS_IP_IDLE, ALL },
	{ "poll_idle", KS_IP_IDLE, ALL },
	{ "cpu_idle_poll", KS_IP_IDLE, "6.12-7.2" },
	{ "cpuidle_enter", KS_IP_IDLE, ALL },
	{ "cpuidle_enter_state", KS_IP_IDLE, ALL },
	{ "default_enter_idle", KS_IP_IDLE, ALL },
	{ "tdx_safe_halt", KS_IP_IDLE, "6.12-7.2" },
	{ "xen_safe_halt", KS_IP_IDLE, ALL },
};

const struct ks_ipclass_row *ks_ipclass_row(size_t i)
{
	return i < sizeof(rows) / sizeof(rows[0]) ? &rows[i] : NULL;
}

const char *ks_ipclass_name(enum ks_ipclass c)
{
	static const char *const names[] = {
		[KS_IP_UNKNOWN] = "unknown",
		[KS_IP_SPINLOCK] = "spinlock",
		[KS_IP_OPTSPIN] = "optimistic spin",
		[KS_IP_IPI] = "ipi",
		[KS_IP_IDLE] = "idle",
		[KS_IP_OTHER] = "other",
	};

	return (size_t)c < sizeof(names) / sizeof(names[0]) ? names[c] : "unknown";
}

enum ks_ipclass ks_ipclass_of_name(const char *name)
{
	size_t len = strcspn(name, ".");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].name) == len && !memcmp(rows[i].name, name, len))
			return rows[i].class;
	return KS_IP_OTHER;
}
