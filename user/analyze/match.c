// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "life.h"
#include "match.h"

#define GUEST_CPUS 4096u
#define WORST_CLOCK 10000000u /* ns; a clock that fits worse does not fit at all */
#define LOOK_AT 400000u	      /* events of evidence */
#define SOON 500000u	      /* ns from idle entry to the exit on HLT */
#define APART 3700000u	      /* ns: an idle entry so long before a halt is not its cause */
#define ENOUGH 64u	      /* halts that make evidence */
#define CONVINCES 50u	      /* percent explained, or more: this VM */
#define ENTRIES 16u	      /* idle entries remembered per vCPU */

static int fail(struct ks_err *err, int ret, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
		va_end(ap);
	}
	return ret;
}

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
	ks_guestclock_free(l->clock);
	l->clock = NULL;
	return -ERANGE;
}

static int clock_failed(int ret, const struct ks_model *m, uint32_t vm, struct ks_reader *host,
			struct ks_reader *guest, struct ks_err *err)
{
	const char *name = m->vms[vm].name;

	switch (ret) {
	case -ENOENT:
		return fail(err, -ENODATA,
			    "%s: the TSC offset of VM %s is not in it: record the host while the "
			    "VM runs",
			    ks_reader_path(host), name);
	case -ENODATA:
	case -ERANGE:
		return fail(err, -EINVAL,
			    "%s: its clock does not fit VM %s of %s: another VM's, or another "
			    "recording's",
			    ks_reader_path(guest), name, ks_reader_path(host));
	default:
		return fail(err, ret, "%s: clock of VM %s: %s", ks_reader_path(guest), name,
			    strerror(-ret));
	}
}

/* ---- overlap ---- */

struct both { /* the time that both traces tell of */
	uint64_t from, to;
};

static bool overlap(const struct ks_link *l, struct ks_reader *host, struct ks_reader *guest,
		    struct both *b, uint64_t *gap)
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
		  struct ks_reader *guest, struct both *b)
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

/* ---- evidence ---- */

struct entries { /* the last idle entries of a vCPU */
	uint64_t time[ENTRIES];
	uint32_t n;
};

struct evidence {
	uint32_t vm;
	struct entries *idle; /* per vCPU of the model */
	uint64_t error;
	uint64_t halts, explained, chance, idles;
};

/* Was there an idle entry up to SOON before t? */
static bool entered(const struct entries *x, uint64_t t, uint64_t error)
{
	uint32_t i, n = x->n < ENTRIES ? x->n : ENTRIES;

	for (i = 0; i < n; i++)
		if (x->time[i] <= t + error && t <= x->time[i] + SOON + error)
			return true;
	return false;
}

/* A vCPU that comes back in a new slot is the same one inside the guest. */
static uint32_t first_slot_of(const struct ks_model *m, uint32_t v)
{
	const struct ks_vcpu *c = m->vcpus;

	while (v && c[v - 1].vm == c[v].vm && c[v - 1].vcpu_id == c[v].vcpu_id)
		v--;
	return v;
}

/* The vCPU that is CPU `cpu` inside the guest, by its first slot. */
static uint32_t vcpu_of(const struct ks_model *m, uint32_t vm, const int32_t *apic, uint32_t n,
			uint32_t cpu)
{
	uint32_t id = cpu, i;

	if (n) {
		if (cpu >= n || apic[cpu] < 0)
			return KS_NO_VCPU;
		id = apic[cpu];
	}
	for (i = 0; i < m->nvcpus; i++)
		if (m->vcpus[i].vm == vm && m->vcpus[i].vcpu_id == id)
			return i;
	return KS_NO_VCPU;
}

static void look_at(struct evidence *e, const struct ks_model *m, const struct ks_event *ev,
		    const int32_t *apic, uint32_t n)
{
	uint32_t v;

	if (ev->src && ev->rec->type == KS_IDLE_ENTER) {
		v = vcpu_of(m, e->vm, apic, n, ev->rec->cpu);
		if (v == KS_NO_VCPU)
			return;
		e->idle[v].time[e->idle[v].n++ % ENTRIES] = ev->time;
		e->idles++;
	} else if (!ev->src && ev->rec->type == KS_HLT) {
		v = ks_model_slot(m, ev->rec->id);
		if (v == KS_NO_VCPU || m->vcpus[v].vm != e->vm || !e->idles)
			return;
		v = first_slot_of(m, v);
		e->halts++;
		e->explained += entered(&e->idle[v], ev->time, e->error);
		e->chance += ev->time > APART && entered(&e->idle[v], ev->time - APART, e->error);
	}
}

static int gather(struct evidence *e, const struct ks_link *l, const struct ks_model *m,
		  struct ks_reader *host, struct ks_reader *guest, const struct both *b,
		  struct ks_err *err)
{
	struct ks_merge *merge;
	struct ks_event ev;
	int32_t *apic;
	uint32_t n, left = LOOK_AT;
	int ret = ks_meta_ints(ks_reader_meta(guest), "apic_ids", GUEST_CPUS, &apic, &n);

	if (ret)
		return ret;
	ret = ks_merge_new(&merge);
	if (ret) {
		free(apic);
		return ret;
	}
	ret = ks_reader_seek(host, b->from, err);
	if (!ret)
		ret = ks_merge_add(merge, host, NULL, NULL);
	if (ret >= 0)
		ret = ks_merge_add(merge, guest, ks_guestclock_map, l->clock);
	while (ret >= 0 && left-- && (ret = ks_merge_next(merge, &ev, err)) > 0) {
		if (ev.time > b->to)
			break;
		if (ev.time >= b->from)
			look_at(e, m, &ev, apic, n);
	}
	ks_merge_free(merge);
	free(apic);
	return ret < 0 ? ret : 0;
}

static int rewind_both(struct ks_reader *host, struct ks_reader *guest, struct ks_err *err)
{
	int ret = ks_reader_seek(host, 0, err);

	return ret ? ret : ks_reader_seek(guest, 0, err);
}

static int weigh(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		 struct ks_reader *guest, uint32_t vm, const struct both *b, struct ks_err *err)
{
	struct evidence e = { .vm = vm, .error = l->error_ns };
	int ret, back;

	e.idle = calloc(m->nvcpus + 1, sizeof(*e.idle));
	if (!e.idle)
		return -ENOMEM;
	ret = gather(&e, l, m, host, guest, b, err);
	back = rewind_both(host, guest, err);
	free(e.idle);
	l->halts = e.halts;
	l->explained = e.explained;
	l->chance = e.chance;
	return ret ? ret : back;
}

/* ---- candidates ---- */

static uint32_t by_name(const struct ks_model *m, const char *want)
{
	char pid[16];
	uint32_t i;

	for (i = 0; i < m->nvms; i++) {
		snprintf(pid, sizeof(pid), "%u", m->vms[i].tgid);
		if (!strcmp(m->vms[i].name, want) || !strcmp(pid, want) ||
		    (*m->vms[i].uuid && !strcasecmp(m->vms[i].uuid, want)))
			return i;
	}
	return KS_NO_VCPU;
}

static uint32_t by_uuid(const struct ks_model *m, const char *uuid)
{
	uint32_t i;

	for (i = 0; *uuid && i < m->nvms; i++)
		if (!strcasecmp(m->vms[i].uuid, uuid))
			return i;
	return KS_NO_VCPU;
}

static uint32_t by_cid(const struct ks_model *m, struct json_object *meta)
{
	struct json_object *v;
	int64_t cid;
	uint32_t i;

	if (!json_object_object_get_ex(meta, "cid", &v))
		return KS_NO_VCPU;
	cid = json_object_get_int64(v);
	/* 0 to 2 are the hypervisor, loopback and the host: they name no guest. */
	for (i = 0; cid > 2 && i < m->nvms; i++)
		if (m->vms[i].cid == cid)
			return i;
	return KS_NO_VCPU;
}

/* A VM that the traces themselves name, or the only one there is. */
static uint32_t named(struct ks_link *l, const struct ks_model *m, struct ks_reader *guest,
		      const char *want)
{
	struct json_object *meta = ks_reader_meta(guest);
	uint32_t vm;

	if (want) {
		l->how = "name";
		return by_name(m, want);
	}
	l->how = "uuid";
	vm = by_uuid(m, ks_meta_str(meta, "uuid"));
	if (vm != KS_NO_VCPU)
		return vm;
	l->how = "cid";
	vm = by_cid(m, meta);
	if (vm != KS_NO_VCPU)
		return vm;
	l->how = "there being one VM";
	return m->nvms == 1 ? 0 : KS_NO_VCPU;
}

static void drop_clock(struct ks_link *l)
{
	ks_guestclock_free(l->clock);
	l->clock = NULL;
}

/*
 * A guest's idle entries and the halts of another VM have nothing to do with each other: no more
 * halts follow an idle entry than would by chance. What chance does is seen by asking for idle
 * entries at a wrong time.
 */
static bool contradicted(const struct ks_link *l)
{
	return l->halts >= ENOUGH && l->explained * 100 < l->halts * CONVINCES &&
	       l->explained * 2 <= l->chance * 3 + l->halts / 50;
}

/* Take this VM in this life, if nothing speaks against it. */
static int settle(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		  const struct ks_clockmap *host_map, struct ks_reader *guest,
		  const struct ks_life *life, struct ks_err *err)
{
	uint32_t vm = life->vm;
	struct both b;
	uint64_t gap;
	int ret = build_clock(l, host, host_map, life);

	if (ret)
		return clock_failed(ret, m, vm, host, guest, err);
	l->vm = vm;
	if (!overlap(l, host, guest, &b, &gap))
		return fail(err, -EINVAL,
			    "%s and %s do not overlap in time (%.3f s apart): record both at the "
			    "same time",
			    ks_reader_path(host), ks_reader_path(guest), gap / 1e9);
	ret = weigh(l, m, host, guest, vm, &b, err);
	if (ret)
		return ret;
	if (contradicted(l))
		return fail(err, -EINVAL,
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
	uint64_t share = l->halts >= ENOUGH / 4 ? l->explained * 100 / l->halts : 0;

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
	struct both b;
	int ret;

	for (life = lives->v; life < lives->v + lives->n; life++) {
		if (build_clock(l, host, host_map, life))
			continue;
		ret = 0;
		if (lived(l, life, host, guest, &b)) {
			ret = weigh(l, m, host, guest, life->vm, &b, err);
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
	return c->best >= CONVINCES && c->second * 2 <= c->best;
}

/* Try all VMs; the evidence must be clear. */
static int by_evidence(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		       const struct ks_clockmap *host_map, struct ks_reader *guest,
		       const struct ks_lives *lives, struct ks_err *err)
{
	struct choice c = { 0 };
	int ret = try_lives(&c, l, m, host, host_map, guest, lives, err);

	if (ret)
		return ret;
	l->how = "evidence";
	if (!clear(&c))
		return fail(err, -EINVAL,
			    "%s: cannot tell which of the %u VMs it is of: say so as NAME=FILE",
			    ks_reader_path(guest), m->nvms);
	return settle(l, m, host, host_map, guest, c.found, err);
}

/* The VM is known, and was made anew: the life that alone fits, or else clearly does so best. */
static int by_life(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		   const struct ks_clockmap *host_map, struct ks_reader *guest,
		   const struct ks_lives *lives, struct ks_err *err)
{
	struct choice c = { 0 };
	int ret = try_lives(&c, l, m, host, host_map, guest, lives, err);

	if (ret)
		return ret;
	if (!c.fit || (c.fit > 1 && !clear(&c)))
		return fail(err, -EINVAL,
			    "%s: VM %s was made anew while %s was recorded, and this %s of its %u "
			    "lives: record both again",
			    ks_reader_path(guest), m->vms[lives->v->vm].name, ks_reader_path(host),
			    c.fit ? "may be of several" : "fits none", lives->n);
	return settle(l, m, host, host_map, guest, c.found, err);
}

/* vm: KS_NO_VCPU if nothing names it. */
static int find_life(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		     const struct ks_clockmap *host_map, struct ks_reader *guest, uint32_t vm,
		     struct ks_err *err)
{
	struct ks_lives lives;
	int ret = ks_lives_find(&lives, m, host, vm);

	if (ret)
		return fail(err, ret, "out of memory");
	if (vm == KS_NO_VCPU)
		ret = by_evidence(l, m, host, host_map, guest, &lives, err);
	else if (!lives.n)
		ret = clock_failed(-ENOENT, m, vm, host, guest, err);
	else if (lives.n == 1)
		ret = settle(l, m, host, host_map, guest, lives.v, err);
	else
		ret = by_life(l, m, host, host_map, guest, &lives, err);
	ks_lives_free(&lives);
	return ret;
}

int ks_link_find(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		 const struct ks_clockmap *host_map, struct ks_reader *guest, const char *want,
		 struct ks_err *err)
{
	const struct ks_rec *ctl;
	uint32_t vm;
	size_t n;
	int ret;

	memset(l, 0, sizeof(*l));
	if (ks_reader_side(guest) != KS_SIDE_GUEST)
		return fail(err, -EINVAL, "%s is a host's trace: here a guest's is wanted",
			    ks_reader_path(guest));
	if (!m->nvms)
		return fail(err, -ENOENT, "%s: there is no VM in it", ks_reader_path(host));
	vm = named(l, m, guest, want);
	if (want && vm == KS_NO_VCPU)
		return fail(err, -ENOENT, "%s: no VM \"%s\" in it", ks_reader_path(host), want);
	ctl = ks_reader_control(guest, &n);
	ret = ks_clockmap_new(&l->guest_map, ctl, n);
	if (ret)
		return fail(err, ret, "%s: %s", ks_reader_path(guest),
			    ret == -ENODATA ? "fewer than two clock samples: too short a "
					      "recording, or a damaged file" :
					      strerror(-ret));
	ret = find_life(l, m, host, host_map, guest, vm, err);
	if (ret)
		ks_link_free(l);
	return ret;
}

void ks_link_free(struct ks_link *l)
{
	ks_guestclock_free(l->clock);
	ks_clockmap_free(l->guest_map);
	l->clock = NULL;
	l->guest_map = NULL;
}
