// SPDX-License-Identifier: GPL-2.0
/* Which VM and which of its vCPUs are in the picture. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

static bool is_pid(const char *name, uint32_t tgid)
{
	char *end;
	unsigned long v = strtoul(name, &end, 10);

	return isdigit((unsigned char)*name) && !*end && v == tgid;
}

/* By name first: a VM may be called "42". */
int sc_find_vm(const struct ks_scene_world *w, const char *name, struct ks_err *err)
{
	for (uint32_t i = 0; i < w->nvms; i++)
		if (!strcmp(w->vms[i].name, name))
			return (int)i;
	for (uint32_t i = 0; i < w->nvms; i++)
		if (is_pid(name, w->vms[i].tgid))
			return (int)i;
	return sc_fail(err, -ENOENT, "there is no VM \"%s\" in this trace", name);
}

/* -1 if there is none, or any will do. */
static int find_pid(const struct ks_scene_world *w, uint32_t pid)
{
	for (uint32_t i = 0; pid && i < w->nvms; i++)
		if (w->vms[i].tgid == pid)
			return (int)i;
	return -1;
}

int sc_check_ids(const struct ks_vcpulist *list, const struct ks_scene_world *w, int vm,
		 struct ks_err *err)
{
	for (size_t r = 0; r < list->n; r++) {
		bool found = false;

		for (uint32_t i = 0; i < w->nvcpus && !found; i++)
			found = (vm < 0 || w->vcpus[i].vm == (uint32_t)vm) &&
				w->vcpus[i].vcpu_id >= list->v[r].first &&
				w->vcpus[i].vcpu_id <= list->v[r].last;
		if (!found)
			return sc_fail(err, -ENOENT, "there is no vCPU %" PRIu32 " in this VM",
				       list->v[r].first);
	}
	return 0;
}

int sc_select(struct ks_scene *s, const struct ks_scene_world *w)
{
	int vm = -1, err;
	uint8_t *skip;

	if (s->opts.vm) {
		vm = sc_find_vm(w, s->opts.vm, s->opts.err);
		if (vm < 0)
			return vm;
	}
	err = sc_check_ids(&s->list, w, vm, s->opts.err);
	if (err)
		return err;
	if (!s->opts.vm)
		vm = find_pid(w, s->opts.pid);
	skip = calloc(w->nvcpus + 1, 1);
	if (!skip)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->nvcpus; i++)
		skip[i] = (vm >= 0 && w->vcpus[i].vm != (uint32_t)vm) ||
			  !ks_vcpulist_has(&s->list, w->vcpus[i].vcpu_id);
	free(s->skip);
	s->skip = skip;
	s->nskip = w->nvcpus;
	return 0;
}

int ks_scene_begin_world(struct ks_scene *s, const struct ks_scene_world *w)
{
	return sc_select(s, w);
}
