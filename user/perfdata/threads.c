// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "err.h"
#include "model.h"
#include "text.h"
#include "threads.h"

/* Open addressing; slots hold the number of a thread + 1. */
struct ks_pd_threads {
	struct ks_pd_thread *thread;
	uint32_t *slot;
	uint32_t n, room, nslots;
};

int ks_pd_threads_new(struct ks_pd_threads **t)
{
	struct ks_pd_threads *n = calloc(1, sizeof(*n));

	*t = n;
	if (!n)
		return -ENOMEM;
	n->room = 512;
	n->nslots = 2 * n->room;
	n->thread = calloc(n->room, sizeof(*n->thread));
	n->slot = calloc(n->nslots, sizeof(*n->slot));
	return n->thread && n->slot ? 0 : -ENOMEM;
}

void ks_pd_threads_free(struct ks_pd_threads *t)
{
	if (!t)
		return;
	free(t->thread);
	free(t->slot);
	free(t);
}

/* Where it is, or where it would be. */
static uint32_t *slot_of(const struct ks_pd_threads *t, uint32_t machine, uint32_t tid)
{
	uint64_t hash = ((uint64_t)machine << 32 | tid) * 0x9e3779b97f4a7c15ull;
	uint32_t i = (uint32_t)(hash >> 32) & (t->nslots - 1);
	const struct ks_pd_thread *at;

	for (; t->slot[i]; i = (i + 1) & (t->nslots - 1)) {
		at = &t->thread[t->slot[i] - 1];
		if (at->machine == machine && at->tid == tid)
			break;
	}
	return &t->slot[i];
}

static int grow(struct ks_pd_threads *t)
{
	struct ks_pd_thread *thread = realloc(t->thread, 2ul * t->room * sizeof(*thread));
	uint32_t *slot = calloc(4ul * t->room, sizeof(*slot));
	uint32_t i;

	if (thread)
		t->thread = thread;
	if (!thread || !slot) {
		free(slot);
		return -ENOMEM;
	}
	free(t->slot);
	t->slot = slot;
	t->room *= 2;
	t->nslots = 2 * t->room;
	for (i = 0; i < t->n; i++)
		*slot_of(t, t->thread[i].machine, t->thread[i].tid) = i + 1;
	return 0;
}

int ks_pd_threads_add(struct ks_pd_threads *t, uint32_t machine, uint32_t tid, uint32_t pid,
		      uint32_t vcpu, const char *comm)
{
	uint32_t *slot = slot_of(t, machine, tid);
	struct ks_pd_thread *at;

	if (!*slot && t->n == t->room) {
		if (grow(t))
			return -ENOMEM;
		slot = slot_of(t, machine, tid);
	}
	if (!*slot)
		*slot = ++t->n;
	at = &t->thread[*slot - 1];
	memset(at, 0, sizeof(*at));
	at->machine = machine;
	at->tid = tid;
	at->pid = pid;
	at->vcpu = vcpu;
	ks_printable(at->comm, sizeof(at->comm), comm, strlen(comm));
	return 0;
}

int ks_pd_threads_tasks(struct ks_pd_threads *t, uint32_t machine, struct json_object *meta)
{
	struct json_object *tasks;
	struct ks_err err;
	uint64_t tid;
	int ret = 0;

	if (!json_object_object_get_ex(meta, "tasks", &tasks) ||
	    !json_object_is_type(tasks, json_type_object))
		return ret;
	json_object_object_foreach(tasks, key, name) {
		if (!json_object_is_type(name, json_type_string) ||
		    ks_arg_uint("thread", key, 1, KS_PD_IDLE - 1, &tid, &err))
			continue;
		ret = ret   ?:
			      ks_pd_threads_add(t, machine, tid, tid, KS_NO_VCPU,
						json_object_get_string(name));
	}
	return ret;
}

const struct ks_pd_thread *ks_pd_threads_find(const struct ks_pd_threads *t, uint32_t machine,
					      uint32_t tid)
{
	uint32_t slot = *slot_of(t, machine, tid);

	return slot ? &t->thread[slot - 1] : NULL;
}

/* "PREFIX123"; printf would be a third of an event's time. */
static const char *numbered(char buf[KS_PD_COMM], const char *prefix, uint32_t v)
{
	char digits[10];
	size_t n = 0, at = strlen(prefix);

	memset(buf, 0, KS_PD_COMM);
	strcpy(buf, prefix);
	do {
		digits[n++] = '0' + v % 10;
		v /= 10;
	} while (v);
	while (n && at < KS_PD_COMM - 1)
		buf[at++] = digits[--n];
	return buf;
}

const char *ks_pd_threads_comm(const struct ks_pd_threads *t, uint32_t machine, uint32_t tid,
			       uint32_t cpu, char buf[KS_PD_COMM])
{
	const struct ks_pd_thread *at;

	if (!tid)
		return numbered(buf, "swapper/", cpu);
	if (tid >= KS_PD_IDLE)
		return numbered(buf, "swapper/", tid - KS_PD_IDLE);
	at = ks_pd_threads_find(t, machine, tid);
	return at && at->comm[0] ? at->comm : numbered(buf, ":", tid);
}

const struct ks_pd_thread *ks_pd_threads_at(const struct ks_pd_threads *t, uint32_t i)
{
	return i < t->n ? &t->thread[i] : NULL;
}
