/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the thread of a vCPU to the lock page of its VM, at each PLE exit. By process that is a look into a hash,
 * a hundred instructions; so each thread keeps the number that its VM's page has, and looks only if another VM's page, or none,
 * has that number.
 *
 * The loader's side: user/channel/pagemaps.h.
 */
#ifndef KVMSCHED_LOCK_PAGES_BPF_H
#define KVMSCHED_LOCK_PAGES_BPF_H

#include "lock_reader.h"

/* One page, in a map of its own: it is put in place, and replaced, in one piece. */
struct lp_page {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ks_lp_vm);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, KS_LP_GUESTS);
	__type(key, __u32); /* number */
	__array(values, struct lp_page);
} lp_pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KS_LP_GUESTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);   /* tgid */
	__type(value, __u32); /* number */
} lp_numbers SEC(".maps");

static __always_inline struct ks_lp_vm *ks_lp_page_at(__u32 number, __u32 tgid)
{
	void *page = bpf_map_lookup_elem(&lp_pages, &number);
	struct ks_lp_vm *vm;
	__u32 zero = 0;

	if (!page)
		return NULL;
	vm = bpf_map_lookup_elem(page, &zero);
	return vm && vm->tgid == tgid ? vm : NULL;
}

/* The page of the current process' VM, or NULL. number: what the thread keeps, any value at first. */
static __always_inline struct ks_lp_vm *ks_lp_page(__u32 *number)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct ks_lp_vm *vm = ks_lp_page_at(*number, tgid);
	const __u32 *found;

	if (vm)
		return vm;
	found = bpf_map_lookup_elem(&lp_numbers, &tgid);
	if (!found)
		return NULL;
	*number = *found;
	return ks_lp_page_at(*found, tgid);
}

#endif /* KVMSCHED_LOCK_PAGES_BPF_H */
