// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "text.h"
#include "thread.h"
#include "vm.h"
#include "vmset.h"

static bool is_chosen(const struct ks_vmset *s, const struct ks_vminfo *vm)
{
	char pid[16];
	unsigned int i;

	snprintf(pid, sizeof(pid), "%u", vm->tgid);
	for (i = 0; i < s->nchosen; i++)
		if (!strcmp(s->chosen[i], vm->name) || !strcmp(s->chosen[i], pid) ||
		    (vm->uuid[0] && !strcasecmp(s->chosen[i], vm->uuid)))
			return true;
	return !s->nchosen;
}

static uint32_t find(const struct ks_vmset *s, uint32_t tgid)
{
	uint32_t i;

	for (i = 1; i < KS_VMSET_MAX; i++)
		if (s->vm[i].tgid == tgid)
			return i;
	return 0;
}

static bool is_same(const struct ks_vmset *s, const struct ks_vmset_entry *vm)
{
	uint64_t start;

	return !ks_thread_start(s->root, vm->tgid, &start) && start == vm->start;
}

bool ks_vmset_is_stale(const struct ks_vmset *s, uint32_t tgid)
{
	uint32_t number = find(s, tgid);

	return number && !is_same(s, &s->vm[number]);
}

/* A cgroup that two VMs share is no VM's own: its weight is for both together. */
static uint32_t own_weight(const struct ks_vmset *s, uint32_t tgid, uint32_t weight)
{
	char *mine = NULL, *other = NULL;
	bool shared = false;
	uint32_t i;

	if (!weight || ks_read_at(s->root, 4096, &mine, NULL, "/proc/%u/cgroup", tgid))
		return 0;
	for (i = 1; i < KS_VMSET_MAX && !shared; i++) {
		if (!s->vm[i].tgid || s->vm[i].tgid == tgid ||
		    ks_read_at(s->root, 4096, &other, NULL, "/proc/%u/cgroup", s->vm[i].tgid))
			continue;
		shared = !strcmp(mine, other);
		free(other);
	}
	free(mine);
	return shared ? 0 : weight;
}

static uint32_t take_new(struct ks_vmset *s, const struct ks_vminfo *vm, enum ks_vmset_why *why)
{
	uint32_t number = find(s, 0), weight = 0;
	bool quota = false;
	uint64_t start;

	if (ks_thread_start(s->root, vm->tgid, &start) || !is_chosen(s, vm))
		*why = KS_VM_NOT_CHOSEN;
	else if (!ks_cgroup_share(s->root, vm->tgid, &weight, &quota) && quota && !s->ignore_quota)
		*why = KS_VM_QUOTA;
	else if (!number)
		*why = KS_VM_FULL;
	if (*why != KS_VM_TAKEN)
		return 0;
	s->vm[number] = (struct ks_vmset_entry){ .tgid = vm->tgid, .start = start };
	snprintf(s->vm[number].name, sizeof(s->vm[number].name), "%s", vm->name);
	s->vm[number].weight = own_weight(s, vm->tgid, weight);
	return number;
}

uint32_t ks_vmset_take(struct ks_vmset *s, uint32_t tgid, enum ks_vmset_why *why)
{
	uint32_t number = find(s, tgid);
	struct ks_vminfo vm;

	*why = KS_VM_TAKEN;
	if (number)
		return number;
	if (ks_vm_read(s->root, tgid, &vm)) {
		*why = KS_VM_NOT_CHOSEN;
		return 0;
	}
	number = take_new(s, &vm, why);
	ks_vm_release(&vm);
	return number;
}

void ks_vmset_refresh(struct ks_vmset *s, void (*gone)(void *ctx, uint32_t number), void *ctx)
{
	struct ks_vmset_entry *vm;
	uint32_t i, weight;
	bool quota;

	for (i = 1; i < KS_VMSET_MAX; i++) {
		vm = &s->vm[i];
		if (!vm->tgid)
			continue;
		if (!is_same(s, vm)) {
			if (gone)
				gone(ctx, i);
			memset(vm, 0, sizeof(*vm));
			continue;
		}
		if (!ks_cgroup_share(s->root, vm->tgid, &weight, &quota))
			vm->weight = own_weight(s, vm->tgid, weight);
	}
}
