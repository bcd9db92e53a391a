// SPDX-License-Identifier: GPL-2.0
/* vCPUs that are unplugged, and plugged again: their threads end, and others take their places. */
#include <stdlib.h>

#include "force.h"
#include "text.h"
#include "vm.h"

static bool all_there(const char *root, const struct ks_book_vm *v)
{
	unsigned int i;

	for (i = 0; i < v->vcpus; i++)
		if (!v->vcpu[i].tid ||
		    !ks_exists(root, "/proc/%u/task/%u", v->tgid, v->vcpu[i].tid))
			return false;
	return true;
}

static uint32_t thread_of(const struct ks_vminfo *info, unsigned int vcpu)
{
	size_t i;

	for (i = 0; i < info->nthreads; i++)
		if (info->threads[i].vcpu == (int)vcpu)
			return info->threads[i].tid;
	return 0;
}

static bool has_any(const struct ks_vminfo *info, unsigned int vcpus)
{
	unsigned int i;

	for (i = 0; i < vcpus; i++)
		if (thread_of(info, i))
			return true;
	return false;
}

/* What was done to the thread that has gone does not hold for another one. */
static bool renew(const char *root, struct ks_book_vcpu *v, uint32_t tid)
{
	if (v->tid == tid)
		return false;
	ks_force_clear(root, v);
	free(v->affinity);
	v->affinity = NULL;
	v->tid = tid;
	return true;
}

bool ks_vcpus_renew(const char *root, struct ks_book_vm *v)
{
	struct ks_vminfo info;
	bool changed = false;
	unsigned int i, n;

	if (all_there(root, v) || ks_vm_read(root, v->tgid, &info))
		return false;
	/* One that is about to end loses its threads one by one; without any it is left as it was. */
	n = has_any(&info, v->vcpus) ? v->vcpus : 0;
	for (i = 0; i < n; i++)
		changed |= renew(root, &v->vcpu[i], thread_of(&info, i));
	ks_vm_release(&info);
	return changed;
}
