// SPDX-License-Identifier: GPL-2.0
/* Scenes: what is collected, left out, folded and linked, and that drawing says when it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"
#include "vnuma_scene.h"

#define US 1000ull
#define MS 1000000ull
#define T0 (1000 * MS)
#define LOCK 0xffff888100001000ull

static struct ks_vm vms[] = { { .tgid = 100, .name = "db" }, { .tgid = 200, .name = "web-3" } };
/* Out of order, and of two VMs: vCPUs 0 to 3 of web-3 are 1, 4, 3 and 2. */
static struct ks_vcpu vcpus[] = {
	{ .vm = 0, .vcpu_id = 0, .guest_cpu = -1 },
	{ .vm = 1, .vcpu_id = 0 },
	{ .vm = 1, .vcpu_id = 3 },
	{ .vm = 1, .vcpu_id = 2 },
	{ .vm = 1, .vcpu_id = 1 },
};
static const uint64_t lost[] = { 11, 22 };
static const struct ks_scene_world world = { vms, 2, vcpus, 5, lost };

struct fixture {
	struct ks_scene *s;
	struct ks_analysis_ops ops;
	struct ks_err err;
};

static void scene(struct fixture *f, struct ks_scene_opts o)
{
	*f = (struct fixture){ 0 };
	o.err = &f->err;
	assert_int_equal(ks_scene_new(&f->s, &o), 0);
	ks_scene_ops(f->s, &f->ops);
}

static void add_wait(struct fixture *f, uint32_t vcpu, uint64_t lock, uint64_t from, uint64_t to)
{
	struct ks_wait w = { .vcpu = vcpu,
			     .lock = lock,
			     .try_time = from,
			     .acq_time = to,
			     .acquired = true,
			     .verdict = KS_C_SELF,
			     .blame_vcpu = KS_NO_VCPU,
			     .ple_total = 3 };

	w.share[KS_C_SELF] = to - from;
	f->ops.wait(f->ops.ctx, &w);
}

static void add_blamed(struct fixture *f, uint32_t vcpu, uint32_t blame, enum ks_class v,
		       uint64_t from, uint64_t to)
{
	struct ks_wait w = { .vcpu = vcpu,
			     .lock = LOCK,
			     .try_time = from,
			     .acq_time = to,
			     .verdict = v,
			     .blame_class = v,
			     .blame_vcpu = blame };

	w.share[v] = to - from;
	f->ops.wait(f->ops.ctx, &w);
}

static void add_hold(struct fixture *f, uint32_t vcpu, uint64_t lock, uint64_t from, uint64_t to)
{
	struct ks_hold h = { .vcpu = vcpu, .lock = lock, .acq_time = from, .rel_time = to };

	f->ops.hold(f->ops.ctx, &h);
}

static void add_seg(struct fixture *f, uint32_t vcpu, enum ks_vstate st, uint64_t from, uint64_t to)
{
	struct ks_segment g = { vcpu, st, (int32_t)vcpu, from, to };

	f->ops.segment(f->ops.ctx, &g);
}

static void add_ple(struct fixture *f, uint32_t vcpu, enum ks_class class, uint64_t t, uint32_t n)
{
	struct ks_ple p = { .vcpu = vcpu, .time = t, .count = n, .class = class };

	f->ops.ple(f->ops.ctx, &p);
}

static struct ks_scene_stats finish(struct fixture *f)
{
	struct ks_scene_stats st;
	int err = ks_scene_finish_world(f->s, &world);

	if (err)
		fail_msg("finish: %d %s", err, f->err.msg);
	ks_scene_stats(f->s, &st);
	return st;
}

/* ---- what is in ---- */

static void lanes_are_of_one_vm_in_order(void **state)
{
	struct fixture f;
	struct ks_scene_stats st;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = 0 });
	add_seg(&f, 0, KS_V_RUNNING, T0, T0 + MS); /* the other VM */
	add_ple(&f, 0, KS_C_USER, T0, 5);
	add_wait(&f, 2, LOCK, T0 + MS, T0 + 3 * MS);
	add_seg(&f, 4, KS_V_UNKNOWN, 0, T0 + 9 * MS); /* since ever: no part of the picture */
	add_seg(&f, 4, KS_V_RUNNING, T0, T0 + 2 * MS);
	st = finish(&f);
	assert_int_equal(st.lanes, 4); /* of the first VM with waits */
	assert_string_equal(f.s->vm_name, "web-3");
	for (uint32_t l = 0; l < 4; l++)
		assert_int_equal(f.s->lanes[l].vcpu_id, l);
	assert_int_equal(st.ples, 0);
	assert_int_equal(st.lost, 22);
	assert_int_equal(st.from, T0);
	assert_int_equal(st.to, T0 + 2 * MS); /* the host's frame, not the guest's */
	assert_int_equal(sc_waits(f.s)[0].lane, 3);
	ks_scene_free(f.s);
}

static void vm_is_found_by_name_and_pid(void **state)
{
	static const char *const names[] = { "db", "100" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fixture f;

		scene(&f, (struct ks_scene_opts){ .vm = names[i] });
		assert_int_equal(ks_scene_begin_world(f.s, &world), 0);
		add_seg(&f, 0, KS_V_RUNNING, T0, T0 + MS);
		add_wait(&f, 1, LOCK, T0, T0 + MS);
		assert_int_equal(f.s->waits.n, 0); /* took no room */
		assert_int_equal(finish(&f).lanes, 1);
		assert_int_equal(f.s->lost, 11);
		ks_scene_free(f.s);
	}
}

static void what_is_not_there_is_said(void **state)
{
	struct fixture f;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .vm = "nope" });
	assert_int_equal(ks_scene_finish_world(f.s, &world), -ENOENT);
	assert_non_null(strstr(f.err.msg, "nope"));
	ks_scene_free(f.s);
	scene(&f, (struct ks_scene_opts){ .vcpus = "0,7-9", .vm = "web-3" });
	assert_int_equal(ks_scene_begin_world(f.s, &world), -ENOENT);
	assert_non_null(strstr(f.err.msg, "vCPU 7"));
	ks_scene_free(f.s);
	scene(&f, (struct ks_scene_opts){ .from = T0 + 9 * MS });
	add_seg(&f, 1, KS_V_RUNNING, T0, T0 + MS);
	assert_int_equal(ks_scene_finish_world(f.s, &world), -ENODATA);
	assert_non_null(strstr(f.err.msg, "nothing was recorded"));
	ks_scene_free(f.s);
}

static void wrong_options_are_refused(void **state)
{
	struct ks_err err = { "" };
	struct ks_scene_opts o = { .vcpus = "0,x", .err = &err };
	struct ks_scene *s = (void *)1;

	(void)state;
	assert_int_equal(ks_scene_new(&s, &o), -EINVAL);
	assert_null(s);
	assert_non_null(strstr(err.msg, "\"x\""));
	o = (struct ks_scene_opts){ .from = 5, .to = 5, .err = &err };
	assert_int_equal(ks_scene_new(&s, &o), -EINVAL);
	assert_non_null(strstr(err.msg, "end"));
}

static void filters_leave_out(void **state)
{
	struct fixture f;
	struct ks_scene_stats st;

	(void)state;
	scene(&f, (struct ks_scene_opts){
			  .from = T0, .to = T0 + 10 * MS, .lock = LOCK, .vcpus = "0-1" });
	add_wait(&f, 1, LOCK, T0 - MS, T0 + MS);	       /* reaches in */
	add_wait(&f, 1, LOCK, T0 - MS, T0 - 1);		       /* before */
	add_wait(&f, 1, LOCK, T0 + 10 * MS + 1, T0 + 11 * MS); /* behind */
	add_wait(&f, 1, LOCK + 8, T0, T0 + MS);		       /* another lock */
	add_wait(&f, 2, LOCK, T0, T0 + MS);		       /* vCPU 3 */
	add_wait(&f, 1, LOCK, T0 + MS, T0);		       /* ends before it begins */
	add_hold(&f, 4, LOCK, T0 + MS, T0 + 2 * MS);
	add_hold(&f, 4, LOCK + 8, T0 + MS, T0 + 2 * MS);
	add_seg(&f, 1, KS_V_RUNNABLE, T0 - 5 * MS, T0 + 20 * MS);
	add_ple(&f, 1, KS_C_SELF, T0 - 1, 1);
	add_ple(&f, 1, KS_C_SELF, T0, 1);
	st = finish(&f);
	assert_int_equal(st.lanes, 2);
	assert_int_equal(st.waits, 1);
	assert_int_equal(st.holds, 1);
	assert_int_equal(st.ples, 1);
	assert_int_equal(st.from, T0);
	assert_int_equal(st.to, T0 + 10 * MS);
	assert_int_equal(f.s->total.state_ns[KS_V_RUNNABLE], 10 * MS); /* what is in the picture */
	ks_scene_free(f.s);
}

/* Outside every wait there are unknown exits, too. */
static void exits_in_waits(void **state)
{
	struct ks_ple p = {
		.vcpu = 1, .time = T0, .count = 3, .class = KS_C_UNKNOWN, .lock = LOCK
	};
	struct fixture f;

	(void)state;
	scene(&f, (struct ks_scene_opts){ 0 });
	add_wait(&f, 1, LOCK, T0, T0 + MS);
	f.ops.ple(f.ops.ctx, &p);
	add_ple(&f, 1, KS_C_UNKNOWN, T0, 4);
	add_ple(&f, 4, KS_C_OTHER, T0, 5);
	finish(&f);
	assert_int_equal(f.s->total.ple_in_waits, 3);
	assert_int_equal(f.s->total.ple[KS_C_UNKNOWN], 7);
	ks_scene_free(f.s);
}

static void pcpus_are_sorted_and_single(void **state)
{
	static const int32_t at[] = { 5, 1, 5, 3, 1, -1 };
	struct fixture f;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = 0 });
	for (uint64_t i = 0; i < 6; i++) {
		struct ks_segment g = { 1, KS_V_RUNNING, at[i], T0 + i, T0 + i + 1 };

		f.ops.segment(f.ops.ctx, &g);
	}
	finish(&f);
	assert_int_equal(f.s->lanes[0].sums.npcpus, 3);
	assert_int_equal(f.s->lanes[0].sums.pcpu[0], 1);
	assert_int_equal(f.s->lanes[0].sums.pcpu[1], 3);
	assert_int_equal(f.s->lanes[0].sums.pcpu[2], 5);
	ks_scene_free(f.s);
}

/* ---- rows and links ---- */

static void nested_waits_have_rows(void **state)
{
	struct fixture f;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = 0 });
	add_wait(&f, 1, LOCK + 1, T0 + 2 * MS, T0 + 3 * MS); /* an interrupt's, ends first */
	add_wait(&f, 1, LOCK + 2, T0 + 4 * MS, T0 + 5 * MS);
	add_wait(&f, 1, LOCK, T0 + MS, T0 + 9 * MS);
	add_wait(&f, 1, LOCK, T0 + 9 * MS, T0 + 10 * MS);
	add_wait(&f, 2, LOCK, T0 + 2 * MS, T0 + 3 * MS); /* another lane */
	finish(&f);
	assert_int_equal(f.s->levels, 2);
	assert_int_equal(sc_waits(f.s)[0].level, 0);
	assert_int_equal(sc_waits(f.s)[0].w.lock, LOCK);
	assert_int_equal(sc_waits(f.s)[1].level, 1);
	assert_int_equal(sc_waits(f.s)[2].level, 1);
	assert_int_equal(sc_waits(f.s)[3].level, 0);
	assert_int_equal(sc_waits(f.s)[4].level, 0);
	ks_scene_free(f.s);
}

static void a_wait_leads_to_the_hold_that_was_blamed(void **state)
{
	struct fixture f;
	const struct sc_wait *w;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = 0 });
	add_blamed(&f, 1, 2, KS_C_LHP, T0 + 10 * MS, T0 + 30 * MS);
	add_hold(&f, 2, LOCK, T0 + 1 * MS, T0 + 11 * MS);     /* 1 ms of the wait */
	add_hold(&f, 2, LOCK, T0 + 12 * MS, T0 + 29 * MS);    /* this one */
	add_hold(&f, 2, LOCK + 8, T0 + 5 * MS, T0 + 30 * MS); /* another lock */
	add_hold(&f, 3, LOCK, T0 + 5 * MS, T0 + 30 * MS);     /* another vCPU */
	finish(&f);
	w = &sc_waits(f.s)[0];
	assert_int_equal(w->link_kind, SC_LINK_HOLD);
	assert_int_equal(sc_holds(f.s)[w->link].h.acq_time, T0 + 12 * MS);
	assert_int_equal(sc_holds(f.s)[w->link].h.lock, LOCK);
	assert_int_equal(sc_holds(f.s)[w->link].h.vcpu, 2);
	ks_scene_free(f.s);
}

static void a_wait_leads_to_the_waiter_that_was_next(void **state)
{
	struct fixture f;
	const struct sc_wait *w;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = 0 });
	add_blamed(&f, 1, 2, KS_C_LWP, T0 + 10 * MS, T0 + 30 * MS);
	add_blamed(&f, 2, KS_NO_VCPU, KS_C_SELF, T0 + 9 * MS, T0 + 28 * MS);
	add_hold(&f, 2, LOCK, T0 + 28 * MS, T0 + 30 * MS);
	finish(&f);
	w = &sc_waits(f.s)[0];
	assert_int_equal(w->w.verdict, KS_C_LWP);
	assert_int_equal(w->link_kind, SC_LINK_WAIT);
	assert_int_equal(sc_waits(f.s)[w->link].w.vcpu, 2);
	ks_scene_free(f.s);
}

static void a_wait_without_blame_leads_nowhere(void **state)
{
	struct fixture f;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = 0 });
	add_blamed(&f, 1, 2, KS_C_LHP, T0, T0 + MS); /* its hold was under the threshold */
	add_wait(&f, 3, LOCK, T0, T0 + MS);
	finish(&f);
	assert_int_equal(sc_waits(f.s)[0].link_kind, SC_LINK_NONE);
	assert_int_equal(sc_waits(f.s)[1].link_kind, SC_LINK_NONE);
	ks_scene_free(f.s);
}

/* ---- folding ---- */

#define MANY 60000u
#define MAX 3000u

static void feed_many(struct fixture *f)
{
	for (uint64_t i = 0; i < MANY; i++) {
		uint32_t vcpu = 1 + i % 4;
		uint64_t t = T0 + i * 10 * US;

		/* Every 1000th wait is long; its length says which one it is. */
		add_wait(f, vcpu, LOCK, t, t + 3 * US + (i % 1000 == 7 ? MS + i : 0));
		add_hold(f, vcpu, LOCK, t, t + 2 * US + i % 100);
		add_seg(f, vcpu, i % 8 < 4 ? KS_V_RUNNING : KS_V_RUNNABLE, t, t + 40 * US);
		add_ple(f, vcpu, i % 3 ? KS_C_LHP : KS_C_SELF, t, 1 + i % 2);
	}
}

static size_t kept(const struct ks_scene *s)
{
	return s->waits.n + s->holds.n + s->segs.n + s->ples.n + s->wcells.n + s->hcells.n;
}

static void memory_is_bounded_and_sums_are_exact(void **state)
{
	struct fixture f;
	struct ks_scene_stats st;
	uint64_t exits = 0, folded = 0;
	double time = 0;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = MAX });
	feed_many(&f);
	st = finish(&f);
	assert_in_range(kept(f.s), MAX / 4, MAX + MAX / 5);
	assert_int_equal(st.waits, MANY);
	assert_int_equal(st.holds, MANY);
	assert_int_equal(st.segments, MANY);
	assert_int_equal(st.ples, MANY * 3 / 2);
	assert_int_equal(st.folded_waits + f.s->waits.n, MANY);
	assert_int_equal(st.folded_holds + f.s->holds.n, MANY);
	assert_true(st.ple_cell_ns && st.segment_cell_ns);
	for (size_t i = 0; i < f.s->ples.n; i++)
		exits += sc_ples(f.s)[i].count;
	assert_int_equal(exits, MANY * 3 / 2);
	for (size_t i = 0; i < f.s->wcells.n; i++)
		folded += sc_wcells(f.s)[i].count;
	assert_int_equal(folded, st.folded_waits);
	for (size_t i = 0; i < f.s->segs.n; i++)
		for (int k = 0; k < SC_STATES; k++)
			time += sc_segs(f.s)[i].state == SC_MIXED ?
					sc_segs(f.s)[i].ns[k] :
				k == sc_segs(f.s)[i].state ?
					(double)(sc_segs(f.s)[i].to - sc_segs(f.s)[i].from) :
					0;
	assert_true(fabs(time / (MANY * 40.0 * US) - 1) < 1e-3);
	ks_scene_free(f.s);
}

static void the_longest_waits_stay(void **state)
{
	struct fixture f;
	size_t found = 0;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = MAX });
	feed_many(&f);
	finish(&f);
	for (size_t i = 0; i < f.s->waits.n; i++)
		found += sc_waits(f.s)[i].w.acq_time - sc_waits(f.s)[i].w.try_time > MS;
	assert_int_equal(found, MANY / 1000);
	assert_int_equal(sc_worst(f.s)->w.acq_time - sc_worst(f.s)->w.try_time,
			 3 * US + MS + MANY - 993);
	ks_scene_free(f.s);
}

static void equal_waits_do_not_all_go(void **state)
{
	struct fixture f;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = 100 });
	for (uint64_t i = 0; i < 1000; i++)
		add_wait(&f, 1, LOCK, T0 + i * MS, T0 + i * MS + 5 * US);
	finish(&f);
	assert_in_range(f.s->waits.n, 25, 100);
	assert_int_equal(f.s->folded_waits + f.s->waits.n, 1000);
	ks_scene_free(f.s);
}

static void few_items_are_not_folded(void **state)
{
	struct fixture f;
	struct ks_scene_stats st;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = 100 });
	for (uint64_t i = 0; i < 100; i++)
		add_ple(&f, 1, KS_C_LHP, T0 + i, 1);
	st = finish(&f);
	assert_int_equal(f.s->ples.n, 100);
	assert_int_equal(st.ple_cell_ns, 0);
	ks_scene_free(f.s);
}

/* ---- drawing ---- */

static char *drawn(const struct ks_scene *s, int (*draw)(const struct ks_scene *, FILE *))
{
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);

	assert_non_null(f);
	assert_int_equal(draw(s, f), 0);
	fclose(f);
	return buf;
}

static void a_lane_without_waits_is_drawn(void **state)
{
	struct fixture f;
	char *svg, *html;

	(void)state;
	scene(&f, (struct ks_scene_opts){ .title = "A <b>" });
	add_seg(&f, 1, KS_V_HALTED, T0, T0 + MS);
	finish(&f);
	svg = drawn(f.s, ks_scene_svg);
	html = drawn(f.s, ks_scene_html);
	assert_non_null(strstr(svg, "A &lt;b&gt;"));
	assert_non_null(strstr(svg, "No contended lock"));
	f.s->guest = false;
	free(svg);
	svg = drawn(f.s, ks_scene_svg);
	assert_non_null(strstr(svg, "The host&#39;s side alone"));
	assert_null(strstr(svg, "guest&#39;s clock"));
	assert_non_null(strstr(html, "\"title\":\"A \\u003cb\\u003e\""));
	assert_null(strstr(html, "@DATA@"));
	free(svg);
	free(html);
	ks_scene_free(f.s);
}

static void a_full_disk_is_an_error(void **state)
{
	struct fixture f;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	scene(&f, (struct ks_scene_opts){ .max_items = 0 });
	if (!full)
		skip();
	add_seg(&f, 1, KS_V_HALTED, T0, T0 + MS);
	finish(&f);
	assert_int_equal(ks_scene_svg(f.s, full), -ENOSPC);
	clearerr(full);
	assert_int_equal(ks_scene_html(f.s, full), -ENOSPC);
	fclose(full);
	ks_scene_free(f.s);
}

static uint64_t random_state;

/* Small, ordinary, and at the edges. */
static uint64_t any(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	switch (random_state >> 61) {
	case 0:
		return random_state >> 33 & 3;
	case 1:
		return UINT64_MAX - (random_state >> 33 & 3);
	case 2:
		return random_state;
	default:
		return T0 + (random_state >> 33) % (100 * MS);
	}
}

static void feed_anything(struct fixture *f)
{
	struct ks_wait w = { .vcpu = (uint32_t)any(),
			     .lock = any(),
			     .ip = any(),
			     .pid = (uint32_t)any(),
			     .ctx_flags = (uint8_t)any(),
			     .try_time = any(),
			     .acq_time = any(),
			     .verdict = (enum ks_class)(any() & 15),
			     .blame_class = (enum ks_class)(any() & 15),
			     .ple_total = (uint32_t)any(),
			     .blame_vcpu = (uint32_t)any() & 7,
			     .blame_off_ns = any() };
	struct ks_hold h = { .vcpu = (uint32_t)any(),
			     .lock = any(),
			     .acq_time = any(),
			     .rel_time = any(),
			     .off_ns = any() };

	for (int c = 0; c < KS_C_WAIT_MAX; c++)
		w.share[c] = any();
	f->ops.wait(f->ops.ctx, &w);
	f->ops.hold(f->ops.ctx, &h);
	w.vcpu = h.vcpu = 1 + (uint32_t)any() % 4;
	f->ops.wait(f->ops.ctx, &w);
	f->ops.hold(f->ops.ctx, &h);
	add_seg(f, (uint32_t)any() % 6, (enum ks_vstate)(any() & 7), any(), any());
	add_ple(f, (uint32_t)any() % 6, (enum ks_class)(any() & 15), any(), (uint32_t)any());
}

static void any_numbers_are_drawn(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		char *svg, *html;
		struct fixture f;

		random_state = seed;
		scene(&f, (struct ks_scene_opts){ .max_items = seed % 2 ? 0 : 300,
						  .from = seed % 3 ? 0 : T0,
						  .to = seed % 4 ? 0 : T0 + 50 * MS });
		for (int i = 0; i < 500; i++)
			feed_anything(&f);
		finish(&f);
		svg = drawn(f.s, ks_scene_svg);
		html = drawn(f.s, ks_scene_html);
		assert_null(strstr(svg, "nan"));
		assert_null(strstr(svg, "\"inf"));
		assert_non_null(strstr(html, "</html>"));
		free(svg);
		free(html);
		ks_scene_free(f.s);
	}
}

/* Where the guest does not say of which node a vCPU is, nothing crosses from one to another. */
static void a_node_not_known_is_no_other_node(void **state)
{
	struct vs_lane lanes[] = { { .believed = 0 }, { .believed = 1 }, { .believed = -1 } };
	struct ks_vscene s = { .lanes = lanes, .nlanes = 3 };

	(void)state;
	assert_true(vs_crosses(&s, 0, 1));
	assert_false(vs_crosses(&s, 1, 1));
	assert_false(vs_crosses(&s, 0, 2));
	assert_false(vs_crosses(&s, 2, 0));
	assert_false(vs_crosses(&s, 0, VS_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lanes_are_of_one_vm_in_order),
		cmocka_unit_test(vm_is_found_by_name_and_pid),
		cmocka_unit_test(what_is_not_there_is_said),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(filters_leave_out),
		cmocka_unit_test(exits_in_waits),
		cmocka_unit_test(pcpus_are_sorted_and_single),
		cmocka_unit_test(nested_waits_have_rows),
		cmocka_unit_test(a_wait_leads_to_the_hold_that_was_blamed),
		cmocka_unit_test(a_wait_leads_to_the_waiter_that_was_next),
		cmocka_unit_test(a_wait_without_blame_leads_nowhere),
		cmocka_unit_test(memory_is_bounded_and_sums_are_exact),
		cmocka_unit_test(the_longest_waits_stay),
		cmocka_unit_test(equal_waits_do_not_all_go),
		cmocka_unit_test(few_items_are_not_folded),
		cmocka_unit_test(a_lane_without_waits_is_drawn),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(any_numbers_are_drawn),
		cmocka_unit_test(a_node_not_known_is_no_other_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
