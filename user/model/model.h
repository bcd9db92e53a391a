/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model: VMs, vCPUs and what they are doing, fed with the events of one host trace and of its
 * guests' traces on the common clock. Keeps no more history than somebody still asks for.
 */
#ifndef KVMSCHED_MODEL_H
#define KVMSCHED_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "records.h"
#include "vcpu.h"

/*
 * VMs and vCPUs of one host trace, from its control records (KS_VCPU_NEW) and its metadata ("vms":
 * names, UUIDs, vsock CIDs by process). vCPUs are sorted by VM and vcpu_id.
 */
struct ks_model {
	struct ks_vm *vms;
	struct ks_vcpu *vcpus;
	uint32_t nvms, nvcpus;
	uint32_t *slot_vcpu; /* slot -> index, KS_NO_VCPU if the slot is not among the vcpus */
	uint32_t nslots;
	int32_t *cpu_node; /* pCPU -> NUMA node, -1 if not known */
	uint32_t ncpus;
};

struct ks_reader;
struct ks_err;
struct json_object;

/*
 * vm: keep only this VM (name, UUID or pid); NULL = all. 0, -ENOENT if there is no such VM,
 * -ENOMEM. On failure nothing is left to free.
 */
int ks_model_init(struct ks_model *m, const struct ks_reader *host, const char *vm,
		  struct ks_err *err);
void ks_model_free(struct ks_model *m);

/* Index of a slot, KS_NO_VCPU if none. */
static inline uint32_t ks_model_slot(const struct ks_model *m, uint32_t slot)
{
	return slot < m->nslots ? m->slot_vcpu[slot] : KS_NO_VCPU;
}

/* NUMA node of a pCPU, -1 if not known. */
static inline int32_t ks_model_node(const struct ks_model *m, uint64_t cpu)
{
	return cpu < m->ncpus ? m->cpu_node[cpu] : -1;
}

/*
 * Reads metadata member `key`, an array of numbers, into a fresh array of at most max entries;
 * entries that are not numbers from 0 to INT32_MAX become -1. *n = 0 and NULL if there is none.
 * 0 or -ENOMEM. The caller frees.
 */
int ks_meta_ints(struct json_object *meta, const char *key, uint32_t max, int32_t **out,
		 uint32_t *n);

/* A string member of a JSON object; "" if it is missing or not a string. Borrowed. */
const char *ks_meta_str(struct json_object *o, const char *key);
/* A number; 0 if it is missing, negative or none. */
uint64_t ks_meta_uint(struct json_object *o, const char *key);

/*
 * The state of a vCPU after one host record of it; `old` if the record does not change it.
 *
 * A thread on its way to sleep can be woken after it left the run queue and before its departure is stamped; it then
 * leaves as runnable, whatever the departure says. An HLT in between says that it went on and came back. *woken, the
 * vCPU's, 0 at first: when it was woken while it still ran.
 */
enum ks_vstate ks_vstate_after(enum ks_vstate old, const struct ks_rec *rec, uint64_t *woken);

#endif /* KVMSCHED_MODEL_H */
