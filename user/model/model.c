// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "model.h"
#include "trace.h"

#define SLOT_LIMIT 65536u /* a file with more is damaged */
#define CPU_LIMIT 65536u

const char *ks_meta_str(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &v) &&
	    json_object_is_type(v, json_type_string))
		return json_object_get_string(v);
	return "";
}

uint64_t ks_meta_uint(struct json_object *o, const char *key)
{
	struct json_object *v;
	int64_t n = 0;

	if (json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &v) &&
	    json_object_is_type(v, json_type_int))
		n = json_object_get_int64(v);
	return n > 0 ? n : 0;
}

int ks_meta_ints(struct json_object *meta, const char *key, uint32_t max, int32_t **out,
		 uint32_t *n)
{
	struct json_object *v, *e;
	int64_t x;
	size_t i, len;

	*out = NULL;
	*n = 0;
	if (!json_object_is_type(meta, json_type_object) ||
	    !json_object_object_get_ex(meta, key, &v) || !json_object_is_type(v, json_type_array))
		return 0;
	len = json_object_array_length(v);
	if (len > max)
		len = max;
	if (!len)
		return 0;
	*out = malloc(len * sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (i = 0; i < len; i++) {
		e = json_object_array_get_idx(v, i);
		x = json_object_is_type(e, json_type_int) ? json_object_get_int64(e) : -1;
		(*out)[i] = x >= 0 && x <= INT32_MAX ? (int32_t)x : -1;
	}
	*n = len;
	return 0;
}

/* What metadata "vms", an object by process id, says of process tgid. */
static struct json_object *vm_meta(struct json_object *meta, uint32_t tgid)
{
	struct json_object *vms, *o;
	char key[16];

	snprintf(key, sizeof(key), "%u", tgid);
	if (!json_object_object_get_ex(meta, "vms", &vms) ||
	    !json_object_is_type(vms, json_type_object) ||
	    !json_object_object_get_ex(vms, key, &o) || !json_object_is_type(o, json_type_object))
		return NULL;
	return o;
}

static void name_vm(struct ks_vm *vm, struct json_object *meta)
{
	struct json_object *o = vm_meta(meta, vm->tgid), *v;
	const char *name = "";

	if (o) {
		name = ks_meta_str(o, "name");
		snprintf(vm->uuid, sizeof(vm->uuid), "%s", ks_meta_str(o, "uuid"));
		if (json_object_object_get_ex(o, "cid", &v))
			vm->cid = json_object_get_int64(v);
	}
	if (*name)
		snprintf(vm->name, sizeof(vm->name), "%s", name);
	else
		snprintf(vm->name, sizeof(vm->name), "%u", vm->tgid);
}

static bool vm_is(const struct ks_vm *vm, const char *want)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", vm->tgid);
	return !strcmp(vm->name, want) || !strcmp(pid, want) ||
	       (*vm->uuid && !strcasecmp(vm->uuid, want));
}

/* VMs by their processes, while the model is filled: open addressing, at most half full. */
struct vm_index {
	uint64_t seed;
	uint32_t *vm; /* index + 1; 0: free */
	uint32_t mask;
};

static int make_index(struct vm_index *x, size_t vms)
{
	x->seed = ks_hash_seed();
	for (x->mask = 1; x->mask < 2 * vms; x->mask *= 2)
		;
	x->vm = calloc(x->mask--, sizeof(*x->vm));
	return x->vm ? 0 : -ENOMEM;
}

/* Where the VM of this process is, or is to be. */
static uint32_t *place_of(const struct vm_index *x, const struct ks_model *m, uint32_t tgid)
{
	uint32_t i = ks_hash(tgid, x->seed) & x->mask;

	while (x->vm[i] && m->vms[x->vm[i] - 1].tgid != tgid)
		i = (i + 1) & x->mask;
	return &x->vm[i];
}

/* Index of the VM of this process, made if new; KS_NO_VCPU if it is not wanted. */
static uint32_t find_vm(struct ks_model *m, const struct vm_index *x, uint32_t tgid,
			struct json_object *meta, const char *want)
{
	uint32_t *place = place_of(x, m, tgid);
	struct ks_vm *vm;

	if (*place)
		return *place - 1;
	vm = &m->vms[m->nvms];
	memset(vm, 0, sizeof(*vm));
	vm->tgid = tgid;
	vm->guest_src = -1;
	name_vm(vm, meta);
	if (want && !vm_is(vm, want))
		return KS_NO_VCPU;
	*place = m->nvms + 1;
	return m->nvms++;
}

static void add_vcpu(struct ks_model *m, const struct ks_rec *r, uint32_t vm)
{
	struct ks_vcpu *v = &m->vcpus[m->nvcpus++];

	*v = (struct ks_vcpu){
		.slot = r->id,
		.vm = vm,
		.vcpu_id = r->b > UINT32_MAX ? UINT32_MAX : r->b,
		.tid = (uint32_t)r->a,
		.guest_cpu = -1,
		.pcpu = -1,
		.state = KS_V_UNKNOWN,
		.since = r->time,
	};
	m->vms[vm].nvcpus++;
	m->slot_vcpu[r->id] = m->nvcpus - 1;
}

static int by_vm_and_id(const void *pa, const void *pb)
{
	const struct ks_vcpu *a = pa, *b = pb;

	if (a->vm != b->vm)
		return a->vm < b->vm ? -1 : 1;
	if (a->vcpu_id != b->vcpu_id)
		return a->vcpu_id < b->vcpu_id ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

static int alloc_tables(struct ks_model *m, const struct ks_rec *ctl, size_t n, size_t *news)
{
	size_t i;

	*news = 0;
	for (i = 0; i < n; i++) {
		if (ctl[i].type != KS_VCPU_NEW || ctl[i].id >= SLOT_LIMIT)
			continue;
		if (ctl[i].id >= m->nslots)
			m->nslots = ctl[i].id + 1;
		++*news;
	}
	if (*news > m->nslots)
		*news = m->nslots;
	m->vms = calloc(*news + 1, sizeof(*m->vms));
	m->vcpus = calloc(*news + 1, sizeof(*m->vcpus));
	m->slot_vcpu = malloc((m->nslots + 1) * sizeof(*m->slot_vcpu));
	if (!m->vms || !m->vcpus || !m->slot_vcpu)
		return -ENOMEM;
	memset(m->slot_vcpu, 0xff, (m->nslots + 1) * sizeof(*m->slot_vcpu));
	return 0;
}

static int fill(struct ks_model *m, const struct ks_reader *host, const char *want)
{
	struct json_object *meta = ks_reader_meta(host);
	const struct ks_rec *ctl;
	struct vm_index index;
	size_t i, n, news;
	uint32_t vm;
	int err;

	ctl = ks_reader_control(host, &n);
	err = alloc_tables(m, ctl, n, &news);
	if (!err)
		err = ks_meta_ints(meta, "cpu_node", CPU_LIMIT, &m->cpu_node, &m->ncpus);
	if (!err)
		err = make_index(&index, news);
	if (err)
		return err;
	for (i = 0; i < n && m->nvcpus < news; i++) {
		/* A slot named twice means a damaged file: the first stands. */
		if (ctl[i].type != KS_VCPU_NEW || ctl[i].id >= m->nslots ||
		    m->slot_vcpu[ctl[i].id] != KS_NO_VCPU)
			continue;
		vm = find_vm(m, &index, ctl[i].a >> 32, meta, want);
		if (vm != KS_NO_VCPU)
			add_vcpu(m, &ctl[i], vm);
	}
	free(index.vm);
	qsort(m->vcpus, m->nvcpus, sizeof(*m->vcpus), by_vm_and_id);
	for (i = 0; i < m->nvcpus; i++)
		m->slot_vcpu[m->vcpus[i].slot] = i;
	return 0;
}

int ks_model_init(struct ks_model *m, const struct ks_reader *host, const char *vm,
		  struct ks_err *err)
{
	int ret;

	memset(m, 0, sizeof(*m));
	ret = fill(m, host, vm);
	if (!ret && vm && !m->nvms) {
		ret = -ENOENT;
		if (err)
			snprintf(err->msg, sizeof(err->msg),
				 "%s: no VM \"%s\" in this trace: name one by name, UUID or PID",
				 ks_reader_path(host), vm);
	} else if (ret && err) {
		snprintf(err->msg, sizeof(err->msg), "%s: %s", ks_reader_path(host),
			 strerror(-ret));
	}
	if (ret)
		ks_model_free(m);
	return ret;
}

void ks_model_free(struct ks_model *m)
{
	free(m->vms);
	free(m->vcpus);
	free(m->slot_vcpu);
	free(m->cpu_node);
	memset(m, 0, sizeof(*m));
}
