// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "filter.h"
#include "pidns.h"
#include "trace.h"
#include "vm.h"

void vm_filter_add(struct vm_filter *f, const char *name)
{
	const char **names = realloc(f->names, (f->n + 1) * sizeof(*names));

	if (!names)
		abort();
	f->names = names;
	f->names[f->n++] = name;
}

int vm_filter_resolve(struct vm_filter *f, struct ks_err *err)
{
	struct ks_vmlist list;
	int ret = ks_pidns_check(NULL, err);
	size_t i;

	if (ret || !f->n)
		return ret;
	ret = ks_vm_list(NULL, &list);
	if (ret) {
		snprintf(err->msg, sizeof(err->msg), "looking for VMs: cannot read /proc");
		return ret;
	}
	f->tgids = calloc(f->n, sizeof(*f->tgids));
	if (!f->tgids)
		ret = -ENOMEM;
	for (i = 0; i < f->n && !ret; i++)
		ret = ks_vm_resolve(&list, f->names[i], &f->tgids[i], err);
	ks_vm_list_free(&list);
	return ret;
}

void vm_filter_free(struct vm_filter *f)
{
	free(f->names);
	free(f->tgids);
}
