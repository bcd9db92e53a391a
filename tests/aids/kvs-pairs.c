// SPDX-License-Identifier: GPL-2.0
/*
 * Is the guest's TSC mapped to the right moment of the host? A guest (minivmm --tsc-pairs N
 * --mark pause|hlt) reads its TSC, makes one exit that the host records, and reads its TSC again:
 * the host's record must lie between the two readings, mapped to the host's clock, give or take the
 * bound on the error that the map itself states.
 *
 * usage: kvs-pairs TRACE PAIRS [SHIFT]    PAIRS: what minivmm printed; SHIFT: ns added to the host's
 *                                        times, to show that a wrong clock would be noticed
 *
 * One JSON object: pairs, how many are right, the bound, and how wide the intervals are. Exit code 0
 * if every pair is right.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

#include "clock.h"
#include "trace.h"

#define VCPUS 64
#define PAIRS 65536

struct pair {
	uint64_t before, after, event;
	bool has_event;
};

struct vcpu {
	struct pair *pair;
	size_t npairs, nevents;
	uint32_t slot;
	bool known;
};

struct test {
	struct vcpu vcpu[VCPUS];
	struct ks_reader *r;
	struct ks_clockmap *host;
	const struct ks_rec *control;
	size_t ncontrol;
	unsigned int frac;
	int64_t shift;
	uint64_t total, right, widest, steps;
	double sum_width;
	uint64_t worst; /* ns outside of the bare interval, before widening */
};

static void die(const char *what)
{
	fprintf(stderr, "kvs-pairs: %s\n", what);
	exit(1);
}

static uint64_t number(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v))
		die("a pair lacks a number");
	return json_object_get_uint64(v);
}

static void add_pair(struct test *t, struct json_object *o)
{
	uint64_t id = number(o, "vcpu"), n = number(o, "pair");
	struct vcpu *v;

	if (id >= VCPUS || n >= PAIRS)
		die("too many vCPUs or pairs");
	v = &t->vcpu[id];
	if (!v->pair) /* free_all() */
		v->pair = calloc(PAIRS, sizeof(*v->pair));
	if (!v->pair)
		die("out of memory");
	v->pair[n].before = number(o, "before");
	v->pair[n].after = number(o, "after");
	if (n + 1 > v->npairs)
		v->npairs = n + 1;
}

static void read_pairs(struct test *t, const char *path)
{
	struct json_object *o;
	char line[4096];
	FILE *f = fopen(path, "re");

	if (!f)
		die("cannot open the pairs");
	while (fgets(line, sizeof(line), f)) {
		o = json_tokener_parse(line);
		if (!o)
			die("the pairs are no JSON");
		if (json_object_object_get_ex(o, "pair", NULL))
			add_pair(t, o);
		json_object_put(o);
	}
	fclose(f);
}

/* Which slot is which vCPU, and where the TSC was stepped. */
static void read_control(struct test *t)
{
	struct json_object *frac;
	size_t i;

	t->control = ks_reader_control(t->r, &t->ncontrol);
	for (i = 0; i < t->ncontrol; i++) {
		const struct ks_rec *rec = &t->control[i];

		if (rec->type == KS_VCPU_NEW && rec->b < VCPUS) {
			if (t->vcpu[rec->b].known)
				die("more than one VM in the trace");
			t->vcpu[rec->b].known = true;
			t->vcpu[rec->b].slot = rec->id;
		}
		t->steps += rec->type == KS_TSC_OFFSET;
	}
	if (!json_object_object_get_ex(ks_reader_meta(t->r), "tsc_ratio_frac", &frac))
		die("the trace does not say how TSC ratios are written");
	t->frac = json_object_get_int(frac);
}

static void read_events(struct test *t)
{
	const struct ks_rec *rec;
	struct ks_err err;
	unsigned int i;
	int ret;

	while ((ret = ks_reader_next(t->r, &rec, &err)) == 1) {
		if (rec->type != KS_PAUSE && rec->type != KS_HLT)
			continue;
		for (i = 0; i < VCPUS; i++) {
			struct vcpu *v = &t->vcpu[i];

			if (!v->known || v->slot != rec->id)
				continue;
			if (v->nevents < v->npairs) {
				v->pair[v->nevents].event = rec->time + t->shift;
				v->pair[v->nevents].has_event = true;
			}
			v->nevents++;
		}
	}
	if (ret)
		die(err.msg);
}

/* Offsets of one vCPU, in time order; the caller frees them. */
static struct ks_rec *offsets_of(const struct test *t, uint32_t slot, size_t *n)
{
	struct ks_rec *o = calloc(t->ncontrol + 1, sizeof(*o));
	size_t i;

	if (!o)
		die("out of memory");
	*n = 0;
	for (i = 0; i < t->ncontrol; i++)
		if (t->control[i].type == KS_TSC_OFFSET && t->control[i].id == slot)
			o[(*n)++] = t->control[i];
	return o;
}

/*
 * A guest clock wants the guest's own clock samples; a guest of a few bytes has none. Its first two
 * readings of the TSC, on a clock of 1 GHz, stand in: only ks_guestclock_from_tsc*() is asked here,
 * which does not use them.
 */
static struct ks_clockmap *stand_in(const struct pair *p)
{
	const uint64_t mono = 1000000000;
	const struct ks_rec s[2] = {
		{ .type = KS_CLOCK, .time = mono, .a = p->before, .b = 1 },
		{ .type = KS_CLOCK, .time = mono + p->after - p->before, .a = p->after, .b = 1 },
	};
	struct ks_clockmap *m;

	if (ks_clockmap_new(&m, s, 2))
		die("the guest's TSC did not move");
	return m;
}

static uint64_t outside(uint64_t from, uint64_t to, uint64_t x)
{
	if (x < from)
		return from - x;
	return x > to ? x - to : 0;
}

static void check_pair(struct test *t, struct ks_guestclock *g, const struct pair *p,
		       uint64_t *not_before)
{
	uint64_t from = ks_guestclock_from_tsc_after(g, p->before, *not_before);
	uint64_t to = ks_guestclock_from_tsc_after(g, p->after, from);
	uint64_t off = p->has_event ? outside(from, to, p->event) : UINT64_MAX;

	*not_before = to;
	t->total++;
	t->right += off <= ks_clockmap_error(t->host);
	t->sum_width += to - from;
	if (to - from > t->widest)
		t->widest = to - from;
	if (off > t->worst)
		t->worst = off;
}

static void check_vcpu(struct test *t, const struct vcpu *v)
{
	struct ks_guestclock *g;
	struct ks_clockmap *guest;
	struct ks_rec *off;
	uint64_t not_before = 0;
	size_t n, i;

	if (v->npairs && (!v->known || v->nevents != v->npairs)) {
		fprintf(stderr, "kvs-pairs: %zu pairs, but %zu events in the trace\n", v->npairs,
			v->nevents);
		exit(1);
	}
	if (!v->npairs)
		return;
	off = offsets_of(t, v->slot, &n);
	guest = stand_in(v->pair);
	if (ks_guestclock_new(&g, guest, t->host, off, n, t->frac))
		die("no guest clock: is the TSC offset in the trace?");
	for (i = 0; i < v->npairs; i++)
		check_pair(t, g, &v->pair[i], &not_before);
	ks_guestclock_free(g);
	ks_clockmap_free(guest);
	free(off);
}

static void free_all(struct test *t)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		free(t->vcpu[i].pair);
	ks_clockmap_free(t->host);
	ks_reader_close(t->r);
}

int main(int argc, char **argv)
{
	static struct test t;
	struct ks_err err;
	unsigned int i;

	if (argc < 3 || argc > 4)
		die("usage: kvs-pairs TRACE PAIRS [SHIFT]");
	t.shift = argc > 3 ? strtoll(argv[3], NULL, 10) : 0;
	if (ks_reader_open(&t.r, argv[1], &err))
		die(err.msg);
	read_pairs(&t, argv[2]);
	read_control(&t);
	read_events(&t);
	if (ks_clockmap_new(&t.host, t.control, t.ncontrol))
		die("too few clock samples in the trace");
	for (i = 0; i < VCPUS; i++)
		check_vcpu(&t, &t.vcpu[i]);
	if (!t.total)
		die("no pairs");
	printf("{\"pairs\":%" PRIu64 ",\"right\":%" PRIu64 ",\"bound_ns\":%" PRIu64
	       ",\"mean_width_ns\":%.0f,\"widest_ns\":%" PRIu64 ",\"worst_outside_ns\":%" PRIu64
	       ",\"tsc_offsets\":%" PRIu64 "}\n",
	       t.total, t.right, ks_clockmap_error(t.host), t.sum_width / t.total, t.widest,
	       t.worst, t.steps);
	i = t.right == t.total;
	free_all(&t);
	return i ? 0 : 1;
}
