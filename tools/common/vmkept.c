// SPDX-License-Identifier: GPL-2.0
#include "now.h"
#include "vmkept.h"

void vm_kept_free(struct vm_kept *k)
{
	if (k->read)
		ks_vm_release(&k->vm);
	k->read = 0;
}

const struct ks_vminfo *vm_kept_get(struct vm_kept *k, uint32_t tgid, uint64_t seen)
{
	uint64_t now;

	if (k->read > seen && k->vm.tgid == tgid)
		return &k->vm;
	vm_kept_free(k);
	now = ks_now_ns();
	if (ks_vm_read(NULL, tgid, &k->vm))
		return NULL;
	k->read = now;
	return &k->vm;
}
