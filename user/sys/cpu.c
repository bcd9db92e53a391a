// SPDX-License-Identifier: GPL-2.0
/* What machine this is. */
#include <cpuid.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "args.h"
#include "cpu.h"
#include "text.h"

#define MAX_CPUS 65536u

/*
 * The kernel converts TSC to ns as tsc * time_mult >> time_shift; both are in the first page of
 * every perf event's mapping (linux/perf_event.h). A dummy software event needs no PMU.
 */
static uint64_t khz_from_perf(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
		.disabled = 1,
	};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct perf_event_mmap_page *pg;
	uint64_t khz = 0;
	int fd;

	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return 0;
	pg = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (pg == MAP_FAILED)
		return 0;
	if (pg->cap_user_time && pg->time_mult && pg->time_shift < 44)
		khz = ((1000000ull << pg->time_shift) + pg->time_mult / 2) / pg->time_mult;
	munmap(pg, page);
	return khz;
}

/* Leaf 0x15: crystal (Hz) and its ratio to the TSC. Leaf 0x40000010: kHz, from a hypervisor. */
static uint64_t khz_from_cpuid(void)
{
	unsigned int a, b, c, d;

	if (__get_cpuid(0x15, &a, &b, &c, &d) && a && b && c)
		return (uint64_t)c * b / a / 1000;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 31))
		return 0;
	__cpuid(0x40000000, a, b, c, d);
	if (a < 0x40000010)
		return 0;
	__cpuid(0x40000010, a, b, c, d);
	return a;
}

uint64_t ks_tsc_khz(void)
{
	uint64_t khz = khz_from_perf();

	return khz ? khz : khz_from_cpuid();
}

static void read_hypervisor(struct ks_machine *m)
{
	unsigned int a, r[3];

	__cpuid(0x40000000, a, r[0], r[1], r[2]);
	ks_printable(m->hypervisor, 13, (const char *)r, 12);
	(void)a;
}

/* Is the word in a space-separated list? */
static bool has_flag(const char *list, const char *flag)
{
	size_t n = strlen(flag);

	for (const char *p = list; (p = strstr(p, flag)); p += n)
		if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static void read_flags(struct ks_machine *m, const char *flags)
{
	m->svm = has_flag(flags, "svm");
	m->vmx = has_flag(flags, "vmx");
	m->guest = has_flag(flags, "hypervisor");
	m->constant_tsc = has_flag(flags, "constant_tsc");
	m->nonstop_tsc = has_flag(flags, "nonstop_tsc");
}

static int set_apic(struct ks_machine *m, unsigned int cpu, uint32_t id)
{
	if (cpu >= m->ncpus) {
		uint32_t *p = realloc(m->apic_id, (cpu + 1) * sizeof(*p));

		if (!p)
			return -ENOMEM;
		m->apic_id = p;
		for (unsigned int i = m->ncpus; i <= cpu; i++)
			p[i] = UINT32_MAX;
		m->ncpus = cpu + 1;
	}
	m->apic_id[cpu] = id;
	return 0;
}

/* In /proc/cpuinfo: the processor that the block is about, and how many came before it. */
struct block {
	unsigned int cpu, before;
};

/* One "key : value" of it. */
static int cpuinfo_line(struct ks_machine *m, const char *key, const char *val, struct block *b)
{
	uint64_t v;

	if (!strcmp(key, "processor")) {
		b->before += b->cpu != UINT32_MAX;
		b->cpu = UINT32_MAX;
		if (ks_arg_uint("", val, 0, MAX_CPUS - 1, &v, NULL))
			return 0;
		b->cpu = (unsigned int)v;
		return set_apic(m, b->cpu, UINT32_MAX);
	}
	if (!strcmp(key, "apicid") && b->cpu < m->ncpus &&
	    !ks_arg_uint("", val, 0, UINT32_MAX - 1, &v, NULL))
		return set_apic(m, b->cpu, (uint32_t)v);
	if (!strcmp(key, "vendor_id") && !m->vendor[0])
		ks_printable(m->vendor, sizeof(m->vendor), val, strlen(val));
	else if (!strcmp(key, "model name") && !m->model[0])
		ks_printable(m->model, sizeof(m->model), val, strlen(val));
	else if (!strcmp(key, "flags") && b->cpu != UINT32_MAX && !b->before)
		read_flags(m, val);
	return 0;
}

static int read_cpuinfo(const char *root, struct ks_machine *m)
{
	char *text, *line, *save = NULL;
	struct block b = { .cpu = UINT32_MAX };
	int ret = ks_read_at(root, 64 << 20, &text, NULL, "/proc/cpuinfo");

	if (ret)
		return ret == -ENOMEM ? ret : 0;
	for (line = strtok_r(text, "\n", &save); line && !ret; line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');
		size_t n = colon ? (size_t)(colon - line) : 0;

		while (n && (line[n - 1] == '\t' || line[n - 1] == ' '))
			n--;
		if (!n)
			continue;
		line[n] = '\0';
		colon += 1 + (colon[1] == ' ');
		ret = cpuinfo_line(m, line, colon, &b);
	}
	free(text);
	return ret;
}

static void read_identity(const char *root, struct ks_machine *m)
{
	ks_read_line(root, m->clocksource, sizeof(m->clocksource),
		     "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	ks_read_line(root, m->boot_id, sizeof(m->boot_id), "/proc/sys/kernel/random/boot_id");
	ks_read_line(root, m->product_uuid, sizeof(m->product_uuid),
		     "/sys/class/dmi/id/product_uuid");
	ks_read_line(root, m->release, sizeof(m->release), "/proc/sys/kernel/osrelease");
	ks_read_line(root, m->hostname, sizeof(m->hostname), "/proc/sys/kernel/hostname");
	m->kvm = ks_exists(root, "/sys/module/kvm");
	/* Built in they have folders on any processor. */
	m->kvm_amd = ks_exists(root, "/sys/module/kvm_amd") && (m->svm || !m->vmx);
	m->kvm_intel = ks_exists(root, "/sys/module/kvm_intel") && (m->vmx || !m->svm);
}

int ks_machine_read(const char *root, struct ks_machine *m)
{
	int ret;

	memset(m, 0, sizeof(*m));
	ret = read_cpuinfo(root, m);
	if (ret) {
		ks_machine_release(m);
		return ret;
	}
	read_identity(root, m);
	if (root && *root)
		return 0;
	m->tsc_khz = ks_tsc_khz();
	if (m->guest)
		read_hypervisor(m);
	return 0;
}

void ks_machine_release(struct ks_machine *m)
{
	free(m->apic_id);
	memset(m, 0, sizeof(*m));
}

void ks_kvm_features(uint32_t *features, uint32_t *hints)
{
	uint32_t b, c;

	__cpuid(0x40000001, *features, b, c, *hints);
}

bool ks_machine_is_kvm_guest(const struct ks_machine *m)
{
	return m->guest && !strncmp(m->hypervisor, "KVMKVMKVM", 9);
}
