// SPDX-License-Identifier: GPL-2.0
/* Steps of the book; its file is in book_file.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"

const char *ks_step_name(enum ks_step step)
{
	static const char *const names[] = {
		[KS_STEP_NONE] = "none",     [KS_STEP_FREE] = "free",	[KS_STEP_OWNED] = "owned",
		[KS_STEP_TAKING] = "taking", [KS_STEP_TAKEN] = "taken", [KS_STEP_GIVING] = "giving",
	};

	return step < KS_STEPS ? names[step] : "none";
}

const char *ks_manner_name(enum ks_manner m)
{
	return m == KS_MANNER_AGENT ? "agent" : m == KS_MANNER_FORCED ? "forced" : "unknown";
}

struct ks_book *ks_book_new(void)
{
	struct ks_book *b = calloc(1, sizeof(*b));
	unsigned int i;

	for (i = 0; b && i < KS_CPUS; i++)
		b->cpu[i] = (struct ks_book_cpu){ KS_STEP_NONE, KS_NOBODY, KS_NOBODY, KS_NOBODY };
	return b;
}

void ks_book_free(struct ks_book *b)
{
	int i;

	for (i = 0; b && i < (int)KS_BOOK_VMS; i++)
		ks_book_drop(b, i);
	free(b);
}

/* ---- VMs ---- */

int ks_book_add(struct ks_book *b, unsigned int vcpus)
{
	struct ks_book_vm *vm;
	int i;

	for (i = 0; i < (int)KS_BOOK_VMS && b->vm[i].vcpu; i++)
		;
	if (i == (int)KS_BOOK_VMS || !vcpus || vcpus > KS_CPUS)
		return KS_NOBODY;
	vm = &b->vm[i];
	vm->vcpu = calloc(vcpus, sizeof(*vm->vcpu));
	if (!vm->vcpu)
		return KS_NOBODY;
	vm->vcpus = vcpus;
	memset(vm->mem, 0xff, sizeof(vm->mem));
	return i;
}

int ks_book_find(const struct ks_book *b, const char *name)
{
	int i;

	for (i = 0; i < (int)KS_BOOK_VMS; i++)
		if (b->vm[i].tgid && !strcmp(b->vm[i].name, name))
			return i;
	return KS_NOBODY;
}

void ks_book_drop(struct ks_book *b, int vm)
{
	struct ks_book_vm *v = &b->vm[vm];
	unsigned int i;

	for (i = 0; v->vcpu && i < v->vcpus; i++) {
		free(v->vcpu[i].affinity);
		free(v->vcpu[i].home);
		free(v->vcpu[i].group);
		free(v->vcpu[i].max);
	}
	free(v->vcpu);
	memset(v, 0, sizeof(*v));
}

int ks_book_vcpu_of(const struct ks_book_vm *vm, unsigned int cpu)
{
	return cpu < vm->first || cpu - vm->first >= vm->vcpus ? KS_NOBODY : (int)(cpu - vm->first);
}

/* ---- who has what ---- */

void ks_book_may(const struct ks_book *b, int vm, struct ks_cpus *set)
{
	unsigned int i;

	memset(set, 0, sizeof(*set));
	for (i = 0; i < KS_CPUS; i++)
		if (b->cpu[i].owner == vm && b->cpu[i].step != KS_STEP_TAKING)
			ks_cpus_add(set, i);
}

void ks_book_in(const struct ks_book *b, int vm, enum ks_step step, struct ks_cpus *set)
{
	unsigned int i;

	memset(set, 0, sizeof(*set));
	for (i = 0; i < KS_CPUS; i++)
		if (b->cpu[i].step == step && (vm == KS_NOBODY || b->cpu[i].owner == vm))
			ks_cpus_add(set, i);
}

bool ks_book_is_settled(const struct ks_book *b)
{
	unsigned int i;

	for (i = 0; i < KS_CPUS; i++)
		if (b->cpu[i].step > KS_STEP_OWNED)
			return false;
	return !b->releasing;
}

/* ---- steps ---- */

static void settle(struct ks_book_cpu *c, int owner)
{
	*c = (struct ks_book_cpu){ owner == KS_NOBODY ? KS_STEP_FREE : KS_STEP_OWNED, (int8_t)owner,
				   KS_NOBODY, KS_NOBODY };
}

void ks_book_move(struct ks_book *b, unsigned int cpu, int to)
{
	struct ks_book_cpu *c = &b->cpu[cpu];
	bool owned = c->owner != KS_NOBODY;

	if (c->owner == to && c->step != KS_STEP_NONE)
		return;
	c->from = c->owner;
	c->to = (int8_t)to;
	c->step = owned ? KS_STEP_TAKING : KS_STEP_TAKEN;
}

static void bury_owner(struct ks_book_cpu *c)
{
	c->owner = KS_NOBODY;
	switch (c->step) {
	case KS_STEP_TAKING: /* nobody is left who could hold on to it */
		c->step = KS_STEP_TAKEN;
		c->from = KS_NOBODY;
		break;
	case KS_STEP_GIVING:
		c->step = KS_STEP_TAKEN;
		c->to = c->from;
		c->from = KS_NOBODY;
		break;
	default:
		settle(c, KS_NOBODY);
	}
}

void ks_book_disown(struct ks_book *b, int vm)
{
	unsigned int i;

	for (i = 0; i < KS_CPUS; i++) {
		struct ks_book_cpu *c = &b->cpu[i];

		if (c->from == vm && c->owner != vm)
			c->from = KS_NOBODY;
		if (c->to == vm && c->owner != vm) {
			c->to = c->from;
			if (c->step == KS_STEP_TAKEN)
				c->from = KS_NOBODY;
		}
		if (c->owner == vm)
			bury_owner(c);
		if (c->to == vm) /* it was to go back there, since its receiver has ended as well */
			c->to = KS_NOBODY;
	}
}

void ks_book_bury(struct ks_book *b, int vm)
{
	ks_book_disown(b, vm);
	ks_book_drop(b, vm);
}

bool ks_book_is_touched(const struct ks_book *b, int vm)
{
	const struct ks_book_vm *v = &b->vm[vm];
	unsigned int i;

	for (i = 0; i < v->vcpus; i++)
		if (v->vcpu[i].affinity || v->vcpu[i].home)
			return true;
	return v->confined;
}

void ks_book_turn_back(struct ks_book *b)
{
	unsigned int i;

	for (i = 0; i < KS_CPUS; i++)
		if (b->cpu[i].step == KS_STEP_TAKING) {
			b->cpu[i].step = KS_STEP_GIVING;
			b->cpu[i].from = KS_NOBODY;
			b->cpu[i].to = b->cpu[i].owner;
		}
}

void ks_book_took(struct ks_book *b)
{
	unsigned int i;

	for (i = 0; i < KS_CPUS; i++)
		if (b->cpu[i].step == KS_STEP_TAKING) {
			b->cpu[i].step = KS_STEP_TAKEN;
			b->cpu[i].owner = KS_NOBODY;
		}
}

static void note_got(struct ks_book_vm *v, unsigned int cpu)
{
	int vcpu = ks_book_vcpu_of(v, cpu);

	if (vcpu != KS_NOBODY)
		v->vcpu[vcpu].got++;
}

void ks_book_give(struct ks_book *b)
{
	unsigned int i;

	for (i = 0; i < KS_CPUS; i++) {
		struct ks_book_cpu *c = &b->cpu[i];

		if (c->step != KS_STEP_TAKEN)
			continue;
		if (c->to == KS_NOBODY) {
			settle(c, KS_NOBODY);
			continue;
		}
		c->step = KS_STEP_GIVING;
		c->owner = c->to;
		note_got(&b->vm[c->owner], i);
	}
}

void ks_book_gave(struct ks_book *b, int vm)
{
	unsigned int i;

	for (i = 0; i < KS_CPUS; i++)
		if (b->cpu[i].step == KS_STEP_GIVING && b->cpu[i].owner == vm)
			settle(&b->cpu[i], vm);
}

/* ---- for people ---- */

static const char *name_of(const struct ks_book *b, int vm)
{
	return vm == KS_NOBODY ? "nobody" : b->vm[vm].name;
}

char *ks_book_explain(const struct ks_book *b, unsigned int cpu, char *buf, size_t size)
{
	const struct ks_book_cpu *c = &b->cpu[cpu];
	const char *owner = name_of(b, c->owner), *to = name_of(b, c->to);

	buf[0] = 0;
	switch (c->step) {
	case KS_STEP_TAKING:
		snprintf(buf, size,
			 "being taken from %s for %s: still %s's; restore lets it keep it", owner,
			 to, owner);
		break;
	case KS_STEP_TAKEN:
		snprintf(buf, size,
			 "taken from %s, not yet given to %s: nobody uses it; "
			 "restore %s",
			 name_of(b, c->from), to,
			 c->to == KS_NOBODY ? "makes it free" : "gives it to the latter");
		break;
	case KS_STEP_GIVING:
		snprintf(buf, size, "%s's, which may not know yet: restore tells it", owner);
		break;
	default:
		break;
	}
	return buf;
}
