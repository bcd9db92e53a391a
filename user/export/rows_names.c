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

static bool is_alone(const struct ks_vm *vms, uint32_t n, uint32_t i)
{
	uint32_t k;

	for (k = 0; k < n; k++)
		if (k != i && !strcmp(vms[k].name, vms[i].name))
			return false;
	return true;
}

static void label(struct rows_names *n, const struct ks_vm *vms, uint32_t i)
{
	char name[sizeof(vms->name)];

	ks_printable(name, sizeof(name), vms[i].name, sizeof(vms[i].name));
	if (is_alone(vms, n->nvms, i))
		snprintf(n->label[i], ROWS_NAME, "%s", name);
	else
		snprintf(n->label[i], ROWS_NAME, "%s-%" PRIu32, name, vms[i].tgid);
}

int rows_names_init(struct rows_names *n, struct ks_names *names, const struct ks_vm *vms,
		    uint32_t nvms)
{
	uint32_t i;

	n->names = names;
	n->nvms = nvms;
	n->syms = calloc(1, sizeof(*n->syms));
	n->tasks = calloc(1, sizeof(*n->tasks));
	n->label = calloc(nvms + 1, sizeof(*n->label));
	if (!n->syms || !n->tasks || !n->label)
		return -ENOMEM;
	for (i = 0; i < nvms; i++)
		label(n, vms, i);
	return 0;
}

void rows_names_free(struct rows_names *n)
{
	free(n->syms);
	free(n->tasks);
	free(n->label);
}
