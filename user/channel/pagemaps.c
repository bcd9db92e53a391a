// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "pagemaps.h"

/* The number that this VM has; for tgid 0 one that is free. KS_LP_GUESTS: none. */
static uint32_t number_of(const struct ks_pagemaps *m, uint32_t tgid)
{
	uint32_t i;

	for (i = 0; i < KS_LP_GUESTS && m->tgid[i] != tgid; i++)
		;
	return i;
}

/* A map of its own is not seen by anybody until it is whole. */
static int replace(const struct ks_pagemaps *m, uint32_t number, const struct ks_lp_vm *vm)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lp_page", sizeof(uint32_t), sizeof(*vm), 1,
				NULL);
	uint32_t zero = 0;
	int ret;

	if (fd < 0)
		return fd;
	ret = bpf_map_update_elem(fd, &zero, vm, BPF_ANY);
	if (!ret)
		ret = bpf_map_update_elem(m->pages, &number, &fd, BPF_ANY);
	close(fd);
	return ret;
}

int ks_pagemaps_put(struct ks_pagemaps *m, const struct ks_lp_vm *vm)
{
	uint32_t number = number_of(m, vm->tgid);
	int ret;

	if (number < KS_LP_GUESTS)
		return replace(m, number, vm);
	number = number_of(m, 0);
	if (number == KS_LP_GUESTS)
		return -ENOSPC;
	ret = replace(m, number, vm);
	if (ret)
		return ret;
	m->tgid[number] = vm->tgid;
	ret = bpf_map_update_elem(m->numbers, &vm->tgid, &number, BPF_ANY);
	if (ret)
		ks_pagemaps_drop(m, vm->tgid);
	return ret;
}

void ks_pagemaps_drop(struct ks_pagemaps *m, uint32_t tgid)
{
	uint32_t number = tgid ? number_of(m, tgid) : KS_LP_GUESTS;

	if (number == KS_LP_GUESTS)
		return;
	bpf_map_delete_elem(m->pages, &number);
	bpf_map_delete_elem(m->numbers, &tgid);
	m->tgid[number] = 0;
}

unsigned int ks_pagemaps_count(const struct ks_pagemaps *m)
{
	unsigned int i, n = 0;

	for (i = 0; i < KS_LP_GUESTS; i++)
		n += m->tgid[i] != 0;
	return n;
}
