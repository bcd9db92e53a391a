// SPDX-License-Identifier: GPL-2.0
/* Do given-up vCPUs idle? By what the host's scheduler counts of their threads. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "force.h"
#include "now.h"
#include "text.h"

#define WINDOW_NS 1000000
#define SPARE_NS (WINDOW_NS / 4) /* KVM polls for a moment when a vCPU halts */

static bool sleeps(const char *root, uint32_t tgid, uint32_t tid)
{
	char *text, *end;
	bool yes = false;

	if (ks_read_at(root, 4096, &text, NULL, "/proc/%u/task/%u/stat", tgid, tid))
		return false;
	end = strrchr(text, ')');
	if (end && strlen(end) > 2)
		yes = end[2] == 'S' || end[2] == 'I';
	free(text);
	return yes;
}

/* A thread that was never on a CPU is new, and about to be; or the kernel does not count: then it says 0 of all. */
static int parse_counts(const char *text, struct ks_vcpu_look *look)
{
	uint64_t run, wait, times;

	if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &run, &wait, &times) != 3)
		return -EPROTO;
	if (!times)
		return -ENODATA;
	look->ran_ns = run;
	look->used_ns = run + wait;
	return 0;
}

int ks_vcpu_look(const char *root, uint32_t tgid, uint32_t tid, struct ks_vcpu_look *look)
{
	char text[96];
	int ret = ks_read_line(root, text, sizeof(text), "/proc/%u/task/%u/schedstat", tgid, tid);

	/* A kernel that does not count may have no such file. */
	if (ret == -ENOENT || ret == -ESRCH)
		return ks_vcpu_has_ended(root, tgid, tid) ? -ESRCH : -ENODATA;
	if (!ret)
		ret = parse_counts(text, look);
	if (!ret)
		look->sleeps = sleeps(root, tgid, tid);
	return ret;
}

static void look_at_all(const char *root, const struct ks_book_vm *vm, const struct ks_cpus *vcpus,
			struct ks_vcpu_look *look)
{
	unsigned int i;
	int ret;

	for (i = ks_cpus_next(vcpus, 0); i < vm->vcpus; i = ks_cpus_next(vcpus, i + 1)) {
		ret = ks_vcpu_look(root, vm->tgid, vm->vcpu[i].tid, &look[i]);
		/* One that has ended idles; of another that cannot be looked at nobody knows. */
		if (ret)
			look[i] = (struct ks_vcpu_look){ .sleeps = ret == -ESRCH };
	}
}

void ks_vcpus_busy(const char *root, const struct ks_book_vm *vm, const struct ks_cpus *vcpus,
		   int timeout_ms, struct ks_cpus *busy)
{
	static struct ks_vcpu_look before[KS_CPUS], after[KS_CPUS];
	const struct timespec window = { 0, WINDOW_NS };
	uint64_t end = ks_now_ns() + (uint64_t)timeout_ms * 1000000u;
	unsigned int i;

	*busy = *vcpus;
	if (!ks_cpus_count(vcpus))
		return;
	look_at_all(root, vm, vcpus, before);
	do {
		nanosleep(&window, NULL);
		look_at_all(root, vm, vcpus, after);
		for (i = ks_cpus_next(vcpus, 0); i < vm->vcpus; i = ks_cpus_next(vcpus, i + 1)) {
			ks_cpus_add(busy, i);
			if (after[i].sleeps && after[i].used_ns - before[i].used_ns <= SPARE_NS)
				ks_cpus_drop(busy, i);
			before[i] = after[i];
		}
	} while (ks_cpus_count(busy) && ks_now_ns() < end);
}
