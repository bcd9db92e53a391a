// SPDX-License-Identifier: GPL-2.0
/* The parts of the export for Perfetto; the whole is looked at by tests/perfetto/check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "held.h"
#include "lanes.h"
#include "packet.h"
#include "perfetto.h"
#include "rate.h"

/* ---- lanes ---- */

#define SLICES 600

struct placed {
	uint64_t begin, end, track;
};

struct mark { /* a begin or an end on a track, in the file's order */
	uint64_t time, order;
	int slice;
	bool end;
};

static int by_time(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* Reads one track as Perfetto does; every end must close its own begin: flows may lie on it. */
static void check_track(const struct placed *s, int n, uint64_t track)
{
	struct mark m[2 * SLICES];
	int stack[SLICES], depth = 0, count = 0, i;

	for (i = 0; i < n; i++) {
		if (s[i].track != track)
			continue;
		m[count] = (struct mark){ s[i].begin, count, i, false };
		count++;
		m[count] = (struct mark){ s[i].end, count, i, true };
		count++;
	}
	qsort(m, count, sizeof(*m), by_time);
	for (i = 0; i < count; i++) {
		if (!m[i].end) {
			stack[depth++] = m[i].slice;
			continue;
		}
		assert_true(depth > 0);
		assert_int_equal(stack[--depth], m[i].slice);
	}
	assert_int_equal(depth, 0);
}

static int by_end(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return x->end < y->end ? -1 : x->end > y->end;
}

/* Random slices on a small grid, so that many share an end; returns the number of tracks. */
static uint64_t random_lanes(unsigned int seed, uint64_t span, bool sorted)
{
	struct placed s[SLICES];
	struct lanes lanes = { 0 };
	uint64_t tracks = 0, t;
	int i;

	srandom(seed);
	for (i = 0; i < SLICES; i++) {
		s[i].begin = random() % span;
		s[i].end = s[i].begin + random() % 12;
	}
	if (sorted)
		qsort(s, SLICES, sizeof(*s), by_end);
	for (i = 0; i < SLICES; i++) {
		struct lane *l = lanes_find(&lanes, s[i].begin, s[i].end);

		assert_non_null(l);
		if (!l->track)
			l->track = ++tracks;
		s[i].track = l->track;
	}
	for (t = 1; t <= tracks; t++)
		check_track(s, SLICES, t);
	lanes_free(&lanes);
	return tracks;
}

static void test_lanes_nest(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 0; seed < 200; seed++) {
		random_lanes(seed, 40, true);
		random_lanes(seed, 1000, true);
		random_lanes(seed, 1000, false);
	}
}

static void test_lanes_share(void **state)
{
	struct lanes l = { 0 };
	struct lane *a, *b;

	(void)state;
	a = lanes_find(&l, 10, 20);
	a->track = 1;
	/* apart, around, inside */
	assert_int_equal(lanes_find(&l, 20, 30)->track, 1);
	assert_int_equal(lanes_find(&l, 5, 30)->track, 1);
	assert_int_equal(lanes_find(&l, 12, 15)->track, 1);
	assert_int_equal(lanes_find(&l, 4, 30)->track, 1);
	/* across */
	b = lanes_find(&l, 25, 35);
	assert_int_equal(b->track, 0);
	b->track = 2;
	assert_int_equal(lanes_find(&l, 26, 27)->track, 1);
	/* inside, with the end of another one */
	assert_int_equal(lanes_find(&l, 27, 35)->track, 0);
	lanes_free(&l);
}

/* ---- rates ---- */

#define POINTS 4096

struct curve {
	uint64_t time[POINTS];
	int64_t value[POINTS];
	int n;
};

static void on_rate(void *ctx, uint64_t time, int64_t value)
{
	struct curve *c = ctx;

	assert_true(c->n < POINTS);
	assert_true(!c->n || time > c->time[c->n - 1]);
	c->time[c->n] = time;
	c->value[c->n++] = value;
}

static uint64_t area(const struct curve *c)
{
	uint64_t sum = 0;
	int i;

	assert_int_equal(c->value[c->n - 1], 0);
	for (i = 0; i + 1 < c->n; i++)
		sum += c->value[i] * (c->time[i + 1] - c->time[i]) / 1000000000;
	return sum;
}

static void test_rate_steps(void **state)
{
	struct curve c = { .n = 0 };
	struct rate r = { .emit = on_rate, .ctx = &c, .origin = 7 };

	(void)state;
	rate_add(&r, 7, 7, 3);
	rate_add(&r, 7 + RATE_WINDOW_NS - 1, 7 + RATE_WINDOW_NS - 1, 1);
	rate_add(&r, 7 + 5 * RATE_WINDOW_NS, 7 + 5 * RATE_WINDOW_NS, 2);
	rate_end(&r);
	assert_int_equal(c.n, 4);
	assert_int_equal(c.time[0], 7);
	assert_int_equal(c.value[0], 400);
	assert_int_equal(c.time[1], 7 + RATE_WINDOW_NS);
	assert_int_equal(c.value[1], 0);
	assert_int_equal(c.time[2], 7 + 5 * RATE_WINDOW_NS);
	assert_int_equal(c.value[2], 200);
	assert_int_equal(c.time[3], 7 + 6 * RATE_WINDOW_NS);
	assert_int_equal(area(&c), 6);
}

static void test_rate_spread(void **state)
{
	struct curve c = { .n = 0 };
	struct rate r = { .emit = on_rate, .ctx = &c };

	(void)state;
	/* 100 exits over 2.5 windows, and more over far more windows than are kept */
	rate_add(&r, 0, 5 * RATE_WINDOW_NS / 2, 100);
	rate_add(&r, 5 * RATE_WINDOW_NS, 500 * RATE_WINDOW_NS, 12345);
	rate_add(&r, 9000 * RATE_WINDOW_NS, 9000 * RATE_WINDOW_NS, 1);
	rate_end(&r);
	assert_int_equal(c.value[0], 4000);
	assert_int_equal(c.value[1], 2000);
	assert_int_equal(area(&c), 100 + 12345 + 1);
}

static void test_rate_sums(void **state)
{
	uint64_t t = 0, n = 0, k, length;
	struct curve c;
	struct rate r;
	int i, round;

	(void)state;
	srandom(1);
	for (round = 0; round < 50; round++) {
		c.n = 0;
		r = (struct rate){ .emit = on_rate, .ctx = &c, .origin = t };
		for (i = 0, n = 0; i < 100; i++) {
			t += random() % (RATE_WINDOW_NS * (round % 3 ? 2 : 80));
			length = random() % (RATE_WINDOW_NS * 3);
			k = random() % 1000;
			rate_add(&r, t < length ? 0 : t - length, t, k);
			n += k;
		}
		rate_end(&r);
		assert_int_equal(area(&c), n);
	}
}

/* ---- held back ---- */

static struct ks_wait blamer(enum ks_class c, uint32_t pid)
{
	return (struct ks_wait){
		.lock = 5, .try_time = 100, .acq_time = 200, .blame_class = c, .blame_pid = pid
	};
}

static struct held_hold *add_hold(struct held *h, uint64_t lock, uint64_t from, uint64_t to,
				  uint32_t pid)
{
	struct held_hold *e = held_add_hold(h);

	assert_non_null(e);
	e->hold = (struct ks_hold){ .lock = lock, .acq_time = from, .rel_time = to, .pid = pid };
	return e;
}

static void test_blamed_hold(void **state)
{
	struct ks_wait w = blamer(KS_C_LHP, 7);
	struct held h = { .hold = NULL };
	struct held_hold *small, *large, *exact;

	(void)state;
	assert_null(held_blamed(&h, &w));
	add_hold(&h, 5, 50, 100, 7); /* ends as the wait begins */
	add_hold(&h, 6, 50, 200, 7); /* another lock */
	assert_null(held_blamed(&h, &w));
	small = add_hold(&h, 5, 90, 110, 8);
	assert_ptr_equal(held_blamed(&h, &w), &small->ends);
	large = add_hold(&h, 5, 110, 150, 8);
	assert_ptr_equal(held_blamed(&h, &w), &large->ends);
	/* the blamed thread itself, though for a shorter time */
	exact = add_hold(&h, 5, 150, 160, 7);
	assert_ptr_equal(held_blamed(&h, &w), &exact->ends);
	w.blame_class = KS_C_LWP;
	assert_null(held_blamed(&h, &w));
	held_free(&h);
}

static void test_held_rings(void **state)
{
	struct held h = { .hold = NULL };
	struct held_wait *e;
	uint64_t i;

	(void)state;
	for (i = 0; i < 3 * HELD_WAITS; i++) {
		if (held_full_waits(&h)) {
			assert_int_equal(held_oldest_wait(&h)->wait.pid, i - HELD_WAITS);
			held_drop_wait(&h);
		}
		e = held_add_wait(&h);
		e->wait.pid = i;
		assert_int_equal(held_flow(&e->ends, i), 0);
		assert_int_equal(held_flow(&e->ends, i + 1), 0);
		assert_int_equal(held_flow(&e->ends, i + 2), 0);
		assert_int_equal(e->ends.n, 3);
	}
	assert_null(held_nth_wait(&h, 2 * HELD_WAITS - 1));
	assert_null(held_nth_wait(&h, 3 * HELD_WAITS));
	assert_int_equal(held_nth_wait(&h, 2 * HELD_WAITS)->wait.pid, 2 * HELD_WAITS);
	assert_int_equal(held_nth_wait(&h, 3 * HELD_WAITS - 1)->wait.pid, 3 * HELD_WAITS - 1);
	held_free(&h);
}

/* ---- packets ---- */

static Perfetto__Protos__Trace *written(struct ks_outfile *out)
{
	long size = ftell(out->f);
	uint8_t *buf = malloc(size);
	Perfetto__Protos__Trace *t;

	rewind(out->f);
	assert_int_equal(fread(buf, 1, size, out->f), size);
	t = perfetto__protos__trace__unpack(NULL, size, buf);
	assert_non_null(t);
	free(buf);
	return t;
}

/* The name that an event's number means where it stands. */
static const char *name_of(const Perfetto__Protos__Trace *t, size_t at)
{
	uint64_t iid = t->packet[at]->track_event->name_iid;
	const Perfetto__Protos__InternedData *in;
	size_t i, k;

	for (i = at + 1; i-- > 0;) {
		in = t->packet[i]->interned_data;
		for (k = 0; in && k < in->n_event_names; k++)
			if (in->event_names[k]->iid == iid)
				return in->event_names[k]->name;
		if (t->packet[i]->sequence_flags & 1)
			break;
	}
	return NULL;
}

static void test_names_start_afresh(void **state)
{
	struct ks_outfile out = { .f = tmpfile() };
	Perfetto__Protos__Trace *t;
	struct pf_writer w;
	unsigned int i, restarts = 0;
	char name[32];

	(void)state;
	assert_int_equal(pf_open(&w, &out), 0);
	w.names_max = 10;
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "name %u", i % 37);
		pf_event(&w, PF_INSTANT, i, 1);
		pf_name(&w, name);
		pf_text(&w, "text", name);
		pf_send(&w);
	}
	t = written(&out);
	assert_int_equal(t->n_packet, 1000);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "name %u", i % 37);
		assert_string_equal(name_of(t, i), name);
		restarts += t->packet[i]->sequence_flags & 1;
	}
	assert_int_equal(restarts, 100);
	perfetto__protos__trace__free_unpacked(t, NULL);
	pf_close(&w);
	fclose(out.f);
}

/* More annotations than there is room for must not write beyond it. */
static void test_too_many_notes(void **state)
{
	struct ks_outfile out = { .f = tmpfile() };
	Perfetto__Protos__Trace *t;
	struct pf_writer w;
	unsigned int i;
	char key[16];

	(void)state;
	assert_int_equal(pf_open(&w, &out), 0);
	pf_event(&w, PF_BEGIN, 1, 1);
	for (i = 0; i < 3 * PF_NOTES; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		pf_text(&w, key, key);
		pf_category(&w, key);
	}
	pf_send(&w);
	t = written(&out);
	assert_int_equal(t->packet[0]->track_event->n_debug_annotations, PF_NOTES);
	assert_int_equal(t->packet[0]->track_event->n_category_iids, PF_CATEGORIES);
	perfetto__protos__trace__free_unpacked(t, NULL);
	pf_close(&w);
	fclose(out.f);
}

/* ---- the whole ---- */

/* A host's trace: two vCPUs of one thread, the first runs until the second does. */
static void write_host(const char *path)
{
	const struct ks_rec recs[] = {
		{ .time = 1, .type = KS_VCPU_NEW, .id = 0, .a = 77ull << 32 | 78, .b = 0 },
		{ .time = 1, .type = KS_VCPU_NEW, .id = 1, .a = 77ull << 32 | 78, .b = 1 },
		{ .time = 1000, .type = KS_VCPU_IN, .id = 0 },
		{ .time = 2000, .type = KS_VCPU_OUT, .id = 0, .flags = KS_OUT_BLOCKED },
		{ .time = 2000, .type = KS_VCPU_IN, .id = 1 },
		{ .time = 3000, .type = KS_VCPU_OUT, .id = 1, .flags = KS_OUT_BLOCKED },
	};
	struct ks_writer *w;

	assert_int_equal(ks_writer_open(&w, path, KS_SIDE_HOST, 1, NULL), 0);
	assert_int_equal(ks_writer_add(w, 0, recs, sizeof(recs) / sizeof(*recs)), 0);
	assert_int_equal(ks_writer_close(w, NULL), 0);
}

static Perfetto__Protos__Trace *export(const char *host)
{
	const struct ks_exporter *x = &ks_export_perfetto;
	struct ks_session_opts opts = { .host = host };
	struct ks_outfile out = { .f = tmpfile() };
	struct ks_export_input in = { .to = UINT64_MAX };
	struct ks_analysis_opts how = { 0 };
	struct ks_analysis_ops ops = { 0 };
	Perfetto__Protos__Trace *t;
	struct ks_session *s;
	struct ks_err err;
	void *self;

	assert_int_equal(ks_names_new(&in.names, NULL), 0);
	assert_int_equal(x->open(&self, &out, &err), 0);
	x->ops(self, &ops);
	assert_int_equal(ks_session_open(&s, &opts, &err), 0);
	assert_int_equal(ks_session_start(s, &how, &ops, &err), 0);
	in.session = s;
	assert_int_equal(x->begin(self, &in, &err), 0);
	assert_int_equal(ks_session_run(s, NULL, &err), 0);
	assert_int_equal(x->finish(self, &in, &err), 0);
	t = written(&out);
	x->close(self);
	ks_session_close(s);
	ks_names_free(in.names);
	fclose(out.f);
	return t;
}

/* A thread has one track in Perfetto, so the second vCPU gets one that is no thread's. */
static void test_vcpus_of_one_thread(void **state)
{
	char path[] = "/tmp/test_perfetto.XXXXXX";
	const Perfetto__Protos__TrackDescriptor *d;
	unsigned int threads = 0, vcpus = 0;
	Perfetto__Protos__Trace *t;
	char old[64];
	size_t i;

	(void)state;
	close(mkstemp(path));
	write_host(path);
	t = export(path);
	for (i = 0; i < t->n_packet; i++) {
		d = t->packet[i]->track_descriptor;
		threads += d && d->thread;
		vcpus += d && d->name && strstr(d->name, "(tid 78)");
	}
	assert_int_equal(threads, 1);
	assert_int_equal(vcpus, 2);
	perfetto__protos__trace__free_unpacked(t, NULL);
	snprintf(old, sizeof(old), "%s.old", path);
	unlink(old);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lanes_nest),     cmocka_unit_test(test_lanes_share),
		cmocka_unit_test(test_rate_steps),     cmocka_unit_test(test_rate_spread),
		cmocka_unit_test(test_rate_sums),      cmocka_unit_test(test_blamed_hold),
		cmocka_unit_test(test_held_rings),     cmocka_unit_test(test_names_start_afresh),
		cmocka_unit_test(test_too_many_notes), cmocka_unit_test(test_vcpus_of_one_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
