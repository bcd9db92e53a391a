// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows_names.h"
#include "text.h"

#define SETS 2048u
#define WAYS 4u /* one row asks for three names at most: the newest three of a set are safe */

struct entry {
	uint64_t key;
	uint32_t vm;
	uint32_t used; /* 0: free */
	bool known;
	char name[ROWS_NAME];
};

struct rows_memo {
	uint32_t clock;
	struct entry e[SETS][WAYS];
};

/* The place of this key; *found if it is the key's own, else it is the set's oldest. */
static struct entry *place(struct rows_memo *m, uint32_t vm, uint64_t key, bool *found)
{
	uint64_t h = (key ^ (uint64_t)vm << 48) * 0x9e3779b97f4a7c15ull;
	struct entry *set = m->e[h >> 53], *old = set;
	unsigned int i;

	*found = true;
	for (i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].key == key && set[i].vm == vm)
			return &set[i];
		if (set[i].used < old->used)
			old = &set[i];
	}
	*found = false;
	return old;
}

_Static_assert(SETS == 1u << (64 - 53), "the hash's upper bits are the set's number");

typedef const char *(*lookup_fn)(struct ks_names *n, uint32_t vm, uint64_t key, char *buf);

static const char *recall(struct rows_names *n, struct rows_memo *m, uint32_t vm, uint64_t key,
			  lookup_fn look)
{
	const char *name;
	struct entry *e;
	bool found;

	e = place(m, vm, key, &found);
	if (!found) {
		e->key = key;
		e->vm = vm;
		name = look(n->names, vm, key, e->name);
		e->known = name;
		if (name && name != e->name)
			snprintf(e->name, sizeof(e->name), "%s", name);
	}
	if (!++m->clock) {
		memset(m->e, 0, sizeof(m->e)); /* as good as new */
		return recall(n, m, vm, key, look);
	}
	e->used = m->clock;
	return e->known ? e->name : NULL;
}

static const char *find_symbol(struct ks_names *n, uint32_t vm, uint64_t key, char *buf)
{
	char raw[ROWS_NAME];
	const char *s = ks_names_sym(n, vm, key, raw, sizeof(raw));

	return s ? ks_printable(buf, ROWS_NAME, s, strlen(s)) : NULL;
}

static const char *find_task(struct ks_names *n, uint32_t vm, uint64_t key, char *buf)
{
	return ks_names_task(n, vm, (uint32_t)key, buf, ROWS_NAME);
}

const char *rows_symbol(struct rows_names *n, uint32_t vm, uint64_t addr)
{
	return addr ? recall(n, n->syms, vm, addr, find_symbol) : NULL;
}

const char *rows_comm(struct rows_names *n, uint32_t vm, uint32_t pid)
{
	return pid ? recall(n, n->tasks, vm, pid, find_task) : NULL;
}

const char *rows_label(const struct rows_names *n, uint32_t vm)
{
	return vm < n->nvms ? n->label[vm] : NULL;
}

/* Those with the same label together. */
static int by_label(const void *pa, const void *pb, void *ctx)
{
	const struct rows_names *n = ctx;
	const uint32_t *a = pa, *b = pb;
	int ret = strcmp(n->label[*a], n->label[*b]);

	return ret ? ret : *a < *b ? -1 : *a > *b;
}

static void add_pid(struct rows_names *n, const struct ks_vm *vms, uint32_t i)
{
	size_t len = strlen(n->label[i]);

	snprintf(n->label[i] + len, ROWS_NAME - len, "-%" PRIu32, vms[i].tgid);
}

/* Tell those with a label that others have, too, apart by their processes. false: there is none. */
static bool tell_apart(struct rows_names *n, const struct ks_vm *vms, uint32_t *order)
{
	uint32_t i, k, end;
	bool any = false;

	qsort_r(order, n->nvms, sizeof(*order), by_label, n);
	for (i = 0; i < n->nvms; i = end) {
		for (end = i + 1; end < n->nvms; end++)
			if (strcmp(n->label[order[i]], n->label[order[end]]) != 0)
				break;
		for (k = i; k < end && end - i > 1; k++)
			add_pid(n, vms, order[k]);
		any |= end - i > 1;
	}
	return any;
}

/*
 * By what is printed: two names may differ in nothing but what is not. With their PIDs two cannot be
 * the same, but for one of them and a third that is named so: it gets its own in the next round. A
 * name is shorter than a label, and so there are few rounds.
 */
static int make_labels(struct rows_names *n, const struct ks_vm *vms)
{
	uint32_t i, *order = malloc((n->nvms + 1ul) * sizeof(*order));

	if (!order)
		return -ENOMEM;
	_Static_assert(2 * sizeof(vms->name) <= ROWS_NAME, "room for a PID behind any name");
	for (i = 0; i < n->nvms; i++) {
		order[i] = i;
		ks_printable(n->label[i], sizeof(vms->name), vms[i].name, sizeof(vms[i].name));
	}
	while (tell_apart(n, vms, order))
		;
	free(order);
	return 0;
}

int rows_names_init(struct rows_names *n, struct ks_names *names, const struct ks_vm *vms,
		    uint32_t nvms)
{
	n->names = names;
	n->nvms = nvms;
	n->syms = calloc(1, sizeof(*n->syms));
	n->tasks = calloc(1, sizeof(*n->tasks));
	n->label = calloc(nvms + 1, sizeof(*n->label));
	if (!n->syms || !n->tasks || !n->label)
		return -ENOMEM;
	return make_labels(n, vms);
}

void rows_names_free(struct rows_names *n)
{
	free(n->syms);
	free(n->tasks);
	free(n->label);
}
