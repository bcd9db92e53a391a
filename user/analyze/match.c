// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "err.h"
#include "evidence.h"
#include "life.h"
#include "match.h"

#define WORST_CLOCK 10000000u /* ns; a clock that fits worse does not fit at all */

/* ---- clock ---- */

/* The TSC offsets of one slot; the caller frees. */
static struct ks_rec *offsets_of(struct ks_reader *host, uint32_t slot, size_t *n)
{
	const struct ks_rec *ctl;
	struct ks_rec *out;
	size_t all, i;

	ctl = ks_reader_control(host, &all);
	out = malloc((all + 1) * sizeof(*out));
	*n = 0;
	for (i = 0; out && i < all; i++)
		if (ctl[i].type == KS_TSC_OFFSET && ctl[i].id == slot)
			out[(*n)++] = ctl[i];
	return out;
}

static int frac_bits(struct ks_reader *host)
{
	struct json_object *v;

	if (!json_object_object_get_ex(ks_reader_meta(host), "tsc_ratio_frac", &v))
		return 48;
	return json_object_get_int(v);
}

static void drop_clock(struct ks_link *l)
{
	ks_guestclock_free(l->clock);
	l->clock = NULL;
}

static int build_clock(struct ks_link *l, struct ks_reader *host,
		       const struct ks_clockmap *host_map, const struct ks_life *life)
{
	struct ks_rec *off;
	size_t n;
	int ret;

	off = offsets_of(host, life->slot, &n);
	if (!off)
		return -ENOMEM;
	ret = ks_guestclock_new(&l->clock, l->guest_map, host_map, off, n, frac_bits(host));
	free(off);
	if (ret)
		return ret;
	l->error_ns = ks_guestclock_error(l->clock);
	l->steps = ks_guestclock_steps(l->clock, &l->step_ns);
	if (l->error_ns <= WORST_CLOCK)
		return 0;
	drop_clock(l);
	return -ERANGE;
}

static int clock_failed(int ret, const struct ks_model *m, uint32_t vm, struct ks_reader *host,
			struct ks_reader *guest, struct ks_err *err)
{
	const char *name = m->vms[vm].name;

	switch (ret) {
	case -ENOENT:
		return ks_fail(
			err, -ENODATA,
			"%s: the TSC offset of VM %s is not in it: record the host while the "
			"VM runs",
			ks_reader_path(host), name);
	case -ERANGE:
		return ks_fail(
			err, -EINVAL,
			"%s: its clock does not keep step with that of VM %s of %s: the VM was "
			"stopped meanwhile (record for longer, or again), or it is another VM's",
			ks_reader_path(guest), name, ks_reader_path(host));
	case -ENODATA:
		return ks_fail(err, -EINVAL,
			       "%s: its clock does not fit VM %s of %s: another VM's, or another "
			       "recording's",
			       ks_reader_path(guest), name, ks_reader_path(host));
	default:
		return ks_fail(err, ret, "%s: clock of VM %s: %s", ks_reader_path(guest), name,
			       strerror(-ret));
	}
}

/* ---- overlap ---- */

static bool overlap(const struct ks_link *l, struct ks_reader *host, struct ks_reader *guest,
		    struct an_span *b, uint64_t *gap)
{
	uint64_t hf, hl, gf, gl;

	*gap = 0;
	if (!ks_reader_span(host, &hf, &hl) || !ks_reader_span(guest, &gf, &gl))
		return false;
	gf = ks_guestclock_map(l->clock, gf);
	gl = ks_guestclock_map(l->clock, gl);
	b->from = gf > hf ? gf : hf;
	b->to = gl < hl ? gl : hl;
	if (gf > hl)
		*gap = gf - hl;
	else if (hf > gl)
		*gap = hf - gl;
	return gf <= hl && hf <= gl;
}

/* The guest was recorded in this life of its VM, by this life's clock, and both overlap. */
static bool lived(const struct ks_link *l, const struct ks_life *life, struct ks_reader *host,
		  struct ks_reader *guest, struct an_span *b)
{
	uint64_t first, last, gap;

	if (!overlap(l, host, guest, b, &gap) || !ks_reader_span(guest, &first, &last))
		return false;
	first = ks_guestclock_map(l->clock, first);
	last = ks_guestclock_map(l->clock, last);
	b->from = b->from > life->from ? b->from : life->from;
	b->to = b->to < life->to ? b->to : life->to;
	return (first >= life->from || life->from - first <= l->error_ns) &&
	       (last <= life->to || last - life->to <= l->error_ns);
}

/* ---- candidates ---- */

/* By what a guest's trace is known: what the user says of it, or what it says itself. */
struct known {
	const char *want, *uuid;
	int64_t cid;
};

static bool has_name(const struct ks_vm *vm, const struct known *k)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", vm->tgid);
	return !strcmp(vm->name, k->want) || !strcmp(pid, k->want) ||
	       (*vm->uuid && !strcasecmp(vm->uuid, k->want));
}

static bool has_uuid(const struct ks_vm *vm, const struct known *k)
{
	return *k->uuid && !strcasecmp(vm->uuid, k->uuid);
}

/* 0 to 2 are the hypervisor, loopback and the host: they name no guest. */
static bool has_cid(const struct ks_vm *vm, const struct known *k)
{
	return k->cid > 2 && vm->cid == k->cid;
}

/* Not if the VM has another name than the guest gives itself. What one of them does not say is no difference. */
static bool may_be(const struct ks_vm *vm, const struct known *k)
{
	return !(*k->uuid && *vm->uuid && !has_uuid(vm, k)) &&
	       !(k->cid > 2 && vm->cid > 2 && !has_cid(vm, k));
}

static uint32_t mark(bool *of, const struct ks_model *m, const struct known *k,
		     bool (*has)(const struct ks_vm *, const struct known *))
{
	uint32_t i, n = 0;

	for (i = 0; i < m->nvms; i++) {
		of[i] = has(&m->vms[i], k);
		n += of[i];
	}
	return n;
}

/*
 * The VMs that the user or the traces name, or the only one there is: how many. Several, if one was begun anew, in
 * another process, while the host was recorded; or two have one name. 0: none, and in `of` are those that it may be.
 */
static uint32_t named(struct ks_link *l, bool *of, const struct ks_model *m,
		      struct ks_reader *guest, const char *want)
{
	struct json_object *meta = ks_reader_meta(guest), *v;
	struct known k = { want, ks_meta_str(meta, "uuid"), 0 };
	uint32_t n;

	l->how = "name";
	if (want)
		return mark(of, m, &k, has_name);
	if (json_object_object_get_ex(meta, "cid", &v))
		k.cid = json_object_get_int64(v);
	l->how = "uuid";
	n = mark(of, m, &k, has_uuid);
	if (n)
		return n;
	l->how = "cid";
	n = mark(of, m, &k, has_cid);
	if (n)
		return n;
	l->how = "there being one VM";
	n = mark(of, m, &k, may_be);
	return m->nvms == 1 ? n : 0;
}

/* Take this VM in this life, if nothing speaks against it. */
static int settle(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		  const struct ks_clockmap *host_map, struct ks_reader *guest,
		  const struct ks_life *life, struct ks_err *err)
{
	uint32_t vm = life->vm;
	struct an_span b;
	uint64_t gap;
	int ret = build_clock(l, host, host_map, life);

	if (ret)
		return clock_failed(ret, m, vm, host, guest, err);
	l->vm = vm;
	if (!overlap(l, host, guest, &b, &gap))
		return ks_fail(
			err, -EINVAL,
			"%s and %s do not overlap in time (%.3f s apart): record both at the "
			"same time",
			ks_reader_path(host), ks_reader_path(guest), gap / 1e9);
	ret = an_evidence_weigh(l, m, host, guest, vm, &b, err);
	if (ret)
		return ret;
	if (an_evidence_against(l))
		return ks_fail(err, -EINVAL,
			       "%s is not of VM %s: it went idle before %" PRIu64 " of %" PRIu64
			       " halts only; name the right VM as NAME=FILE",
			       ks_reader_path(guest), m->vms[vm].name, l->explained, l->halts);
	return 0;
}

/* What the evidence says of the lives that a guest's trace may be of. */
struct choice {
	const struct ks_life *found;
	uint64_t best, second; /* halts explained, in percent */
	uint32_t fit;	       /* whose clock and time fit */
};

static void consider(struct choice *c, const struct ks_life *life, const struct ks_link *l)
{
	uint64_t share = an_evidence_share(l);

	if (!c->fit++ || share > c->best) {
		c->second = c->best;
		c->best = share;
		c->found = life;
	} else if (share > c->second) {
		c->second = share;
	}
}

static int try_lives(struct choice *c, struct ks_link *l, const struct ks_model *m,
		     struct ks_reader *host, const struct ks_clockmap *host_map,
		     struct ks_reader *guest, const struct ks_lives *lives, struct ks_err *err)
{
	const struct ks_life *life;
	struct an_span b;
	int ret;

	for (life = lives->v; life < lives->v + lives->n; life++) {
		if (build_clock(l, host, host_map, life))
			continue;
		ret = 0;
		if (lived(l, life, host, guest, &b)) {
			ret = an_evidence_weigh(l, m, host, guest, life->vm, &b, err);
			consider(c, life, l);
		}
		drop_clock(l);
		if (ret)
			return ret;
		l->halts = l->explained = l->chance = 0;
	}
	return 0;
}

static bool clear(const struct choice *c)
{
	return c->best >= AN_EVIDENCE_CONVINCES && c->second * 2 <= c->best;
}

/* n: of so many VMs; 0: nothing names it. */
static int not_clear(const struct choice *c, const struct ks_model *m, uint32_t n,
		     struct ks_reader *host, struct ks_reader *guest, const struct ks_lives *lives,
		     struct ks_err *err)
{
	const char *guest_path = ks_reader_path(guest);

	if (!n)
		return ks_fail(err, -EINVAL,
			       "%s: cannot tell which of the %u VMs it is of: say so as NAME=FILE",
			       guest_path, m->nvms);
	return ks_fail(err, -EINVAL,
		       "%s: VM %s was made anew while %s was recorded, and this %s of its %u "
		       "lives: %s",
		       guest_path, m->vms[lives->v->vm].name, ks_reader_path(host),
		       c->fit ? "may be of several" : "fits none", lives->n,
		       n > 1 && c->fit ? "say which process's as PID=FILE" : "record both again");
}

/*
 * Try all lives. Of a VM that is known, the one that alone fits is taken; else the evidence must be
 * clear. n: of so many VMs; 0: nothing names it.
 */
static int by_evidence(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		       const struct ks_clockmap *host_map, struct ks_reader *guest, uint32_t n,
		       const struct ks_lives *lives, struct ks_err *err)
{
	struct choice c = { 0 };
	int ret = try_lives(&c, l, m, host, host_map, guest, lives, err);

	if (ret)
		return ret;
	if (!n)
		l->how = "evidence";
	if (!clear(&c) && (!n || c.fit != 1))
		return not_clear(&c, m, n, host, guest, lives, err);
	return settle(l, m, host, host_map, guest, c.found, err);
}

static uint32_t first(const bool *of)
{
	uint32_t i = 0;

	while (!of[i])
		i++;
	return i;
}

/* of: the n VMs that are named; n = 0: nothing names one, and those that it may be. */
static int find_life(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		     const struct ks_clockmap *host_map, struct ks_reader *guest, const bool *of,
		     uint32_t n, struct ks_err *err)
{
	struct ks_lives lives;
	int ret = ks_lives_find(&lives, m, host, of);

	if (ret)
		return ks_fail(err, ret, "out of memory");
	if (n && !lives.n)
		ret = clock_failed(-ENOENT, m, first(of), host, guest, err);
	else if (n && lives.n == 1)
		ret = settle(l, m, host, host_map, guest, lives.v, err);
	else
		ret = by_evidence(l, m, host, host_map, guest, n, &lives, err);
	ks_lives_free(&lives);
	return ret;
}

static int guest_map(struct ks_link *l, struct ks_reader *guest, struct ks_err *err)
{
	const struct ks_rec *ctl;
	size_t n;
	int ret;

	ctl = ks_reader_control(guest, &n);
	ret = ks_clockmap_new(&l->guest_map, ctl, n);
	if (ret)
		ks_fail(err, ret, "%s: %s", ks_reader_path(guest),
			ret == -ENODATA ? "fewer than two clock samples: too short a "
					  "recording, or a damaged file" :
					  strerror(-ret));
	return ret;
}

static bool any(const bool *of, uint32_t n)
{
	while (n && !of[n - 1])
		n--;
	return n;
}

static int find(struct ks_link *l, bool *of, const struct ks_model *m, struct ks_reader *host,
		const struct ks_clockmap *host_map, struct ks_reader *guest, const char *want,
		struct ks_err *err)
{
	uint32_t n = named(l, of, m, guest, want);
	int ret;

	if (want && !n)
		return ks_fail(err, -ENOENT, "%s: no VM \"%s\" in it", ks_reader_path(host), want);
	if (!n && !any(of, m->nvms))
		return ks_fail(
			err, -EINVAL,
			"%s: by its UUID or vsock address it is of no VM of %s; if it is all the "
			"same, say of which as NAME=FILE",
			ks_reader_path(guest), ks_reader_path(host));
	ret = guest_map(l, guest, err);
	if (!ret)
		ret = find_life(l, m, host, host_map, guest, of, n, err);
	return ret;
}

int ks_link_find(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		 const struct ks_clockmap *host_map, struct ks_reader *guest, const char *want,
		 struct ks_err *err)
{
	bool *of;
	int ret;

	memset(l, 0, sizeof(*l));
	if (ks_reader_side(guest) != KS_SIDE_GUEST)
		return ks_fail(err, -EINVAL, "%s is a host's trace: here a guest's is wanted",
			       ks_reader_path(guest));
	if (!m->nvms)
		return ks_fail(err, -ENOENT, "%s: there is no VM in it", ks_reader_path(host));
	of = calloc(m->nvms, sizeof(*of));
	if (!of)
		return ks_fail(err, -ENOMEM, "out of memory");
	ret = find(l, of, m, host, host_map, guest, want, err);
	free(of);
	if (ret)
		ks_link_free(l);
	return ret;
}

void ks_link_free(struct ks_link *l)
{
	drop_clock(l);
	ks_clockmap_free(l->guest_map);
	l->guest_map = NULL;
}
