/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lives of a VM. A VMM may destroy its VM and make it anew in the same process, as Cloud
 * Hypervisor does when the guest reboots: the vCPUs come in new slots and with a TSC that begins
 * anew, so a guest's trace is to be mapped with the clock of the life that it is of. A vCPU that
 * was unplugged and is plugged again has a new slot, too, but goes on with its VM's TSC. A VM that was
 * begun anew in another process is another VM of the model, by the same name.
 */
#ifndef KVMSCHED_LIFE_H
#define KVMSCHED_LIFE_H

#include "model.h"
#include "trace.h"

struct ks_life {
	uint32_t vm;
	uint32_t slot;	   /* its lowest vCPU's, whose TSC offsets make the clock */
	uint64_t from, to; /* on the host's clock; of the first one from 0 on */
};

struct ks_lives {
	struct ks_life *v; /* by VM, in order of time */
	uint32_t n;
};

/* Of these VMs, by their indices into the model's; NULL: of all. 0 or -ENOMEM; nothing to free then. */
int ks_lives_find(struct ks_lives *l, const struct ks_model *m, struct ks_reader *host,
		  const bool *vms);
void ks_lives_free(struct ks_lives *l);

#endif /* KVMSCHED_LIFE_H */
