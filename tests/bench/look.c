// SPDX-License-Identifier: GPL-2.0
/*
 * What a look at a lock page takes on the host, by what it finds and how many vCPUs the VM has: prints a JSON object per
 * case, "ns" being that of one look. A VM's pages are made up in memory of this process. Where the clock counts
 * instructions (tests/bench/look.host), a nanosecond is one.
 *
 *   look [TIMES]
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "now.h"
#include "pagemaps.h"
#include "look_cost.skel.h"

#define LOCK 0xffff888000001000ull
#define COOKIE 77u

static struct ks_lp_slot slots[KS_LP_VCPUS] __attribute__((aligned(4096)));

static __u32 preempt_count = 1;

static const struct {
	const char *name;
	bool page, wants; /* is there a page? Does the spinner (slot 0) want a lock? */
	bool held;	  /* by the last one: the look goes on behind whoever it finds */
	bool sure; /* by the preempt count: who held it last time is asked first, and is believed */
	__u32 what;
} cases[] = {
	{ "no_page", false, false, false, false, KS_LP_NO_PAGE },
	{ "nothing", true, false, false, false, KS_LP_NOTHING },
	{ "holder", true, true, true, false, KS_LP_HOLDER },
	{ "holder_again", true, true, true, true, KS_LP_HOLDER },
	{ "self", true, true, false, false, KS_LP_SELF },
};

static void fill_slots(unsigned int vcpus, bool wants, bool held)
{
	unsigned int i;

	memset(slots, 0, sizeof(slots));
	for (i = 0; i < vcpus; i++) {
		slots[i].cookie = COOKIE;
		slots[i].vcpu = slots[i].cpu = i;
	}
	if (wants)
		slots[0].held[0] = slots[0].wait[0].lock = LOCK;
	if (held)
		slots[vcpus - 1].held[0] = LOCK;
}

static int tell_page(struct look_cost_bpf *s, unsigned int vcpus, bool page, bool sure)
{
	static struct ks_pagemaps maps;
	static struct ks_lp_vm vm;
	__u32 i;

	maps.pages = bpf_map__fd(s->maps.lp_pages);
	maps.numbers = bpf_map__fd(s->maps.lp_numbers);
	memset(&vm, 0, sizeof(vm));
	vm.tgid = (__u32)getpid();
	vm.cookie = COOKIE;
	vm.vcpus = vcpus;
	for (i = 0; i < KS_LP_PAGES; i++)
		vm.hva[i] = (uintptr_t)slots + (__u64)i * KS_LP_PAGE;
	for (i = 0; i < vcpus; i++)
		vm.slot_of[i] = vm.vcpu_of[i] = (__u16)(i + 1);
	if (sure)
		vm.preempt[vcpus - 1] = (uintptr_t)&preempt_count;
	ks_pagemaps_drop(&maps, vm.tgid);
	return page ? ks_pagemaps_put(&maps, &vm) : 0;
}

/* ns of one run of the program, or -1. */
static double run(struct look_cost_bpf *s, bool looks, unsigned int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint64_t begun = ks_now_ns();
	unsigned int i;

	s->bss->looks = looks;
	for (i = 0; i < times; i++)
		if (bpf_prog_test_run_opts(bpf_program__fd(s->progs.look), &opts))
			return -1;
	return (double)(ks_now_ns() - begun) / times;
}

/* The same without looks is taken off. */
static int measure(struct look_cost_bpf *s, unsigned int vcpus, unsigned int c, unsigned int times)
{
	double with, without;

	fill_slots(vcpus, cases[c].wants, cases[c].held);
	if (tell_page(s, vcpus, cases[c].page, cases[c].sure))
		return -EIO;
	run(s, true, 10); /* to warm up */
	with = run(s, true, times);
	without = run(s, false, times);
	if (with < 0 || without < 0)
		return -EIO;
	if (s->bss->what != cases[c].what) {
		fprintf(stderr, "look: %s with %u vCPUs: found %u\n", cases[c].name, vcpus,
			s->bss->what);
		return -EINVAL;
	}
	printf("{\"finds\":\"%s\",\"vcpus\":%u,\"ns\":%.1f}\n", cases[c].name, vcpus,
	       with - without);
	return 0;
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = { 2, 4, 8, 16, 64 };
	unsigned int times = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 20000, i, c;
	struct look_cost_bpf *s = look_cost_bpf__open();
	int ret = 1;

	if (s) {
		bpf_program__set_autoload(s->progs.lp_reset, false);
		bpf_program__set_autoload(s->progs.lp_set_state, false);
		ret = look_cost_bpf__load(s) ?: look_cost_bpf__attach(s);
	}
	if (ret)
		fprintf(stderr, "look: loading: %s\n", strerror(errno));
	for (i = 0; !ret && i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (c = 0; !ret && c < sizeof(cases) / sizeof(cases[0]); c++)
			ret = measure(s, sizes[i], c, times);
	look_cost_bpf__destroy(s);
	return ret ? 1 : 0;
}
