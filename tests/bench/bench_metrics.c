// SPDX-License-Identifier: GPL-2.0
/*
 * How long a scrape of `ple-trace serve` takes: bringing the counters of a host full of VMs up to
 * date and making the page, without the kernel's part and without HTTP.
 *
 * usage: bench_metrics [VMS [VCPUS]]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_metrics.h"
#include "now.h"
#include "vm.h"

#define ROUNDS 20
#define REASONS 25

static uint64_t ticks;

/* As many reasons as a Linux guest has, all of them growing. */
static void counts(void *ctx, uint32_t slot, uint64_t c[KS_NREASONS])
{
	uint32_t i;

	(void)ctx;
	memset(c, 0, KS_NREASONS * sizeof(*c));
	for (i = 0; i < REASONS; i++)
		c[i < REASONS - 1 ? KS_SVM_PAUSE - 10 + i : 0xc0] = (slot + 1) * ticks * 1000003;
}

static int describe(void *ctx, uint32_t tgid, struct ks_vminfo *vm)
{
	(void)ctx;
	memset(vm, 0, sizeof(*vm));
	vm->tgid = tgid;
	vm->vmm = KS_VMM_QEMU;
	snprintf(vm->name, sizeof(vm->name), "instance-%08x", tgid * 2654435761u);
	strcpy(vm->uuid, "8e0a4e6b-6a0f-4f5e-9f57-9ad1e2a5f0c1");
	return 0;
}

static bool alive(void *ctx, uint32_t tgid)
{
	(void)ctx, (void)tgid;
	return true;
}

static void populate(struct ks_fleet *f, uint32_t vms, uint32_t vcpus)
{
	uint32_t i;

	for (i = 0; i < vms * vcpus; i++) {
		struct ks_rec rec = { .type = KS_VCPU_NEW, .id = i, .time = 1, .b = i % vcpus };

		rec.a = (uint64_t)(1000 + i / vcpus) << 32 | (100000 + i);
		ks_fleet_feed(f, &rec);
	}
}

static void bench(struct ks_fleet *f, enum ks_metrics_detail detail, const char *name)
{
	const struct ks_self_metrics self = { .version = "bench" };
	struct ks_metrics m = { .len = 0 };
	uint64_t begun, best_update = UINT64_MAX, best_page = UINT64_MAX;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t updated;

		ticks++;
		begun = ks_now_ns();
		ks_fleet_update(f, ticks * 1000000000);
		updated = ks_now_ns();
		ks_metrics_begin(&m, KS_METRICS_OPENMETRICS);
		ks_self_metrics(&m, f, KS_ISA_SVM, &self);
		ks_fleet_metrics(&m, f, KS_ISA_SVM, detail);
		if (ks_metrics_end(&m))
			exit(1);
		if (updated - begun < best_update)
			best_update = updated - begun;
		if (ks_now_ns() - updated < best_page)
			best_page = ks_now_ns() - updated;
	}
	printf("%-5s %8.1f %8.1f %9.2f\n", name, best_update / 1e6, best_page / 1e6, m.len / 1e6);
	ks_metrics_free(&m);
}

int main(int argc, char **argv)
{
	uint32_t vms = argc > 1 ? atoi(argv[1]) : 512, vcpus = argc > 2 ? atoi(argv[2]) : 8;
	const struct ks_fleet_source source = { NULL, counts, describe, alive };
	const struct ks_fleet_opts opts = {
		.max_vms = vms,
		.max_vcpus = vms * vcpus,
		.slots = vms * vcpus,
		.burst_gap_ns = 1000000,
		.keep_ns = 1,
	};
	struct ks_fleet f;

	if (!vms || !vcpus || ks_fleet_init(&f, &opts, &source))
		return 1;
	populate(&f, vms, vcpus);
	printf("%u VMs of %u vCPUs, best of %d\ndetail  update     page      size\n"
	       "            ms       ms        MB\n",
	       vms, vcpus, ROUNDS);
	bench(&f, KS_DETAIL_VM, "vm");
	bench(&f, KS_DETAIL_VCPU, "vcpu");
	bench(&f, KS_DETAIL_FULL, "full");
	ks_fleet_free(&f);
	return 0;
}
