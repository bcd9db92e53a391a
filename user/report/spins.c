// SPDX-License-Identifier: GPL-2.0
/*
 * Where vCPUs spun: PLE exits by function. Processes come with new addresses of the same few loops all
 * the time, so that functions are what is kept apart, not addresses; all of user space is one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "priv.h"

#define PLACES 4096u

/* The function's name alone: without offset, module and source. */
static void function_name(const struct ks_report *r, uint32_t vm, uint64_t ip, char *buf,
			  size_t len)
{
	if (rep_has_sym(r, vm, ip)) {
		rep_sym(r, vm, ip, buf, len);
		buf[strcspn(buf, "+ ")] = 0;
	} else if (ip >> 63) {
		snprintf(buf, len, "0x%" PRIx64, ip);
	} else {
		snprintf(buf, len, "(guest user space)");
	}
}

/* FNV-1a */
static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 0x100000001b3ull;
	return h;
}

/* To name an address takes longer than all else, and most come again and again. */
static uint64_t function_of(struct ks_report *r, uint32_t vm, uint64_t ip)
{
	char name[REP_NAME];
	struct rep_place *p;

	if (!r->place)
		r->place = calloc(PLACES, sizeof(*r->place));
	if (!r->place) {
		r->no_memory = true;
		return 0;
	}
	p = &r->place[((ip ^ vm) * 0x9e3779b97f4a7c15ull >> 32) % PLACES];
	if (p->ip != ip || p->vm != vm) {
		function_name(r, vm, ip, name, sizeof(name));
		*p = (struct rep_place){ .ip = ip, .vm = vm, .function = hash(name) };
	}
	return p->function;
}

void ks_report_ple(void *ctx, const struct ks_ple *p)
{
	struct ks_report *r = ctx;
	struct topk_entry *e;
	struct rep_vm *v;
	uint32_t vm;

	if (!r->vcpus || p->vcpu >= r->nvcpus || !p->ip)
		return;
	vm = r->vcpus[p->vcpu].vm;
	v = rep_vm(r, vm);
	e = v ? topk_add(&v->spins, function_of(r, vm, p->ip), p->count) : NULL;
	if (!e) {
		r->no_memory = true;
		return;
	}
	v->spun += p->count;
	e->count += p->count;
	topk_site(e, p->ip); /* the function has its name from any of its addresses */
}

/* ---- finish ---- */

static int most_exits(const void *pa, const void *pb)
{
	const struct rep_spin *a = pa, *b = pb;

	if (a->exits != b->exits)
		return a->exits > b->exits ? -1 : 1;
	return strcmp(a->name, b->name);
}

int rep_spins_name(struct ks_report *r, uint32_t vm)
{
	struct rep_vm *v = &r->vm[vm];
	uint32_t i;

	v->spin = calloc(v->spins.n + 1, sizeof(*v->spin));
	if (!v->spin)
		return -ENOMEM;
	v->spun_elsewhere = v->spun;
	for (i = 0; i < v->spins.n; i++) {
		const struct topk_entry *e = &v->spins.e[i];

		function_name(r, vm, e->site[0].ip, v->spin[i].name, sizeof(v->spin[i].name));
		v->spin[i].exits = e->count;
		v->spun_elsewhere -= e->count;
	}
	v->nspin = v->spins.n;
	qsort(v->spin, v->nspin, sizeof(*v->spin), most_exits);
	return 0;
}
