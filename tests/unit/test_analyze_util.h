/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the analysis share: a small world written by hand, as traces in files, one ns
 * per number, host and guest on the same clock, and everything that the analysis says of it.
 */
#ifndef KVMSCHED_TEST_ANALYZE_UTIL_H
#define KVMSCHED_TEST_ANALYZE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../trace/format.h"
#include "analyze.h"
#include "vnuma.h"

#define RECS (1u << 17)
#define LOCK 0xffff888000001000ull
#define LOCK2 0xffff888000002000ull
#define KERNEL_IP 0xffffffff81000100ull
#define TGID 77u

struct lab {
	char dir[64], host_path[96], guest_path[96];
	struct ks_rec host[RECS], guest[RECS];
	unsigned int nhost, nguest, vcpus;
	unsigned int flush_after; /* so many of the host's; 0: only at the end */
	const char *host_meta, *guest_meta;
	uint32_t spoil_host, spoil_guest; /* ring whose records cannot be read; 0: none */
	struct ks_analysis_opts opts;
	uint64_t error;			/* of the guest's clock */
	struct ks_clockbreak breaks[4]; /* in it */
	size_t nbreaks;
	struct ks_reader *hr, *gr;
	struct ks_merge *merge;
	struct ks_analysis *a;
	struct ks_vnuma *vnuma; /* NULL: not asked for */
	struct ks_wait wait[64];
	struct ks_hold hold[64];
	struct ks_burst burst[64];
	struct ks_segment seg[512];
	unsigned int nwaits, nholds, nbursts, nsegs;
	uint64_t ple[KS_C_MAX];
};

static void on_wait(void *ctx, const struct ks_wait *w)
{
	struct lab *l = ctx;
	uint64_t sum = 0;
	int c;

	for (c = 0; c < KS_C_WAIT_MAX; c++)
		sum += w->share[c];
	assert_int_equal(sum, w->acq_time - w->try_time);
	if (l->nwaits < 64)
		l->wait[l->nwaits] = *w;
	l->nwaits++;
}

static void on_hold(void *ctx, const struct ks_hold *h)
{
	struct lab *l = ctx;

	if (l->nholds < 64)
		l->hold[l->nholds] = *h;
	l->nholds++;
}

static void on_burst(void *ctx, const struct ks_burst *b)
{
	struct lab *l = ctx;

	if (l->nbursts < 64)
		l->burst[l->nbursts] = *b;
	l->nbursts++;
}

static void on_segment(void *ctx, const struct ks_segment *s)
{
	struct lab *l = ctx;

	assert_true(s->from < s->to);
	if (l->vnuma)
		ks_vnuma_segment(l->vnuma, s);
	if (l->nsegs < 512)
		l->seg[l->nsegs] = *s;
	l->nsegs++;
}

static void on_event(void *ctx, const struct ks_event *ev)
{
	struct lab *l = ctx;

	if (l->vnuma)
		ks_vnuma_event(l->vnuma, ev);
}

static void on_ple(void *ctx, const struct ks_ple *p)
{
	((struct lab *)ctx)->ple[p->class] += p->count;
}

/* ---- records ---- */

static inline struct ks_rec *put_host(struct lab *l, struct ks_rec r)
{
	assert_true(l->nhost < RECS);
	l->host[l->nhost] = r;
	return &l->host[l->nhost++];
}

static inline struct ks_rec *put_guest(struct lab *l, struct ks_rec r)
{
	assert_true(l->nguest < RECS);
	l->guest[l->nguest] = r;
	return &l->guest[l->nguest++];
}

static inline void in(struct lab *l, uint64_t t, uint32_t vcpu, uint16_t pcpu)
{
	put_host(l, (struct ks_rec){ .time = t, .type = KS_VCPU_IN, .id = vcpu, .cpu = pcpu });
}

static inline void out(struct lab *l, uint64_t t, uint32_t vcpu, uint16_t pcpu, uint8_t how)
{
	put_host(l,
		 (struct ks_rec){
			 .time = t, .type = KS_VCPU_OUT, .id = vcpu, .cpu = pcpu, .flags = how });
}

static inline void wake(struct lab *l, uint64_t t, uint32_t vcpu)
{
	put_host(l, (struct ks_rec){ .time = t, .type = KS_VCPU_WAKE, .id = vcpu });
}

static inline void pause_exit(struct lab *l, uint64_t t, uint32_t vcpu, uint16_t pcpu)
{
	put_host(l, (struct ks_rec){ .time = t,
				     .type = KS_PAUSE,
				     .id = vcpu,
				     .cpu = pcpu,
				     .flags = KS_F_IP,
				     .a = KERNEL_IP });
}

static inline void host_loss(struct lab *l, uint64_t from, uint64_t to, uint16_t ring, uint8_t type)
{
	put_host(l, (struct ks_rec){ .time = to,
				     .type = KS_LOSS,
				     .cpu = ring,
				     .flags = type,
				     .a = from,
				     .b = 1 });
}

static inline void guest_loss(struct lab *l, uint64_t from, uint64_t to, uint16_t ring,
			      uint8_t type)
{
	put_guest(l, (struct ks_rec){ .time = to,
				      .type = KS_LOSS,
				      .cpu = ring,
				      .flags = type,
				      .a = from,
				      .b = 1 });
}

static inline void lock_try(struct lab *l, uint64_t t, uint16_t cpu, uint64_t lock, uint8_t flags)
{
	put_guest(l, (struct ks_rec){ .time = t,
				      .type = KS_LOCK_TRY,
				      .cpu = cpu,
				      .id = 100 + cpu,
				      .flags = flags,
				      .a = lock,
				      .b = KERNEL_IP + cpu });
}

static inline void lock_acq(struct lab *l, uint64_t t, uint16_t cpu, uint64_t lock, uint8_t flags,
			    uint64_t try)
{
	put_guest(l, (struct ks_rec){ .time = t,
				      .type = KS_LOCK_ACQ,
				      .cpu = cpu,
				      .id = 100 + cpu,
				      .flags = flags,
				      .a = lock,
				      .b = t - try });
}

static inline void lock_rel(struct lab *l, uint64_t t, uint16_t cpu, uint64_t lock, uint8_t flags,
			    uint64_t acq)
{
	put_guest(l, (struct ks_rec){ .time = t,
				      .type = KS_LOCK_REL,
				      .cpu = cpu,
				      .id = 100 + cpu,
				      .flags = flags | KS_F_WAITERS,
				      .a = lock,
				      .b = (uint32_t)(KERNEL_IP + 0x10 + cpu) | (t - acq) << 32 });
}

/* The guest's clock is not to be believed in between. */
static inline void clock_break(struct lab *l, uint64_t from, uint64_t to)
{
	l->breaks[l->nbreaks++] = (struct ks_clockbreak){
		.from = from, .to = to, .own_from = from, .own_to = to, .behind_ns = 1
	};
}

static inline void guest_rec(struct lab *l, uint64_t t, uint8_t type, uint16_t cpu)
{
	put_guest(l, (struct ks_rec){ .time = t, .type = type, .cpu = cpu });
}

/* Both sides are recorded until t. */
static inline void end_at(struct lab *l, uint64_t t)
{
	guest_rec(l, t, KS_RQ_CALM, 0);
	put_host(l, (struct ks_rec){ .time = t, .type = KS_PLE_WINDOW });
}

/* Every vCPU runs on the pCPU of its number, from 1 on, and is known to wait for nothing. */
static inline struct lab *lab_new(unsigned int vcpus)
{
	struct lab *l = calloc(1, sizeof(*l));
	unsigned int i;

	strcpy(l->dir, "/tmp/kvmsched-test.XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	snprintf(l->host_path, sizeof(l->host_path), "%s/host.kvs", l->dir);
	snprintf(l->guest_path, sizeof(l->guest_path), "%s/guest.kvs", l->dir);
	l->vcpus = vcpus;
	l->host_meta = "{\"vms\":{\"77\":{\"name\":\"vm\"}},\"cpu_node\":[0,0,1,1]}";
	l->guest_meta = "{\"mode\":\"full\",\"cpu_node\":[0,0,1,1]}";
	for (i = 0; i < vcpus; i++) {
		put_host(l, (struct ks_rec){ .time = 1,
					     .type = KS_VCPU_NEW,
					     .id = i,
					     .cpu = i,
					     .a = (uint64_t)TGID << 32 | (1000 + i),
					     .b = i });
		in(l, 2, i, i);
		guest_rec(l, 3, KS_IDLE_EXIT, i);
	}
	return l;
}

static inline void write_trace(const char *path, enum ks_side side, const struct ks_rec *r,
			       unsigned int n, unsigned int flush_after, const char *meta)
{
	struct json_object *m = json_tokener_parse(meta);
	struct ks_writer *w;
	struct ks_err err = { "" };
	unsigned int i;

	assert_int_equal(ks_writer_open(&w, path, side, 64, &err), 0);
	assert_int_equal(ks_writer_meta(w, m), 0);
	json_object_put(m);
	for (i = 0; i < n; i++) {
		assert_int_equal(ks_writer_add(w, r[i].cpu & 63, &r[i], 1), 0);
		if (i + 1 == flush_after)
			assert_int_equal(ks_writer_flush(w), 0);
	}
	assert_int_equal(ks_writer_close(w, &err), 0);
}

/* The chunks of a ring are there, with sound headers, and their records cannot be read. */
static inline void spoil(const char *path, uint32_t ring)
{
	long at = sizeof(struct ks_file_header);
	FILE *f = fopen(path, "r+");
	struct ks_chunk_header h;

	assert_non_null(f);
	while (ring && !fseek(f, at, SEEK_SET) && fread(&h, sizeof(h), 1, f) == 1) {
		if (h.type == KS_CHUNK_RECORDS && h.ring == ring) {
			fseek(f, at + sizeof(h), SEEK_SET);
			assert_int_equal(fwrite("spoilt", 6, 1, f), 1);
		}
		at += ks_chunk_size(h.length);
	}
	fclose(f);
}

static inline void lab_open(struct lab *l)
{
	struct ks_analysis_ops ops = { .wait = on_wait,
				       .hold = on_hold,
				       .burst = on_burst,
				       .segment = on_segment,
				       .ple = on_ple,
				       .event = on_event,
				       .ctx = l };
	struct ks_err err = { "" };

	write_trace(l->host_path, KS_SIDE_HOST, l->host, l->nhost, l->flush_after, l->host_meta);
	write_trace(l->guest_path, KS_SIDE_GUEST, l->guest, l->nguest, 0, l->guest_meta);
	spoil(l->host_path, l->spoil_host);
	spoil(l->guest_path, l->spoil_guest);
	assert_int_equal(ks_reader_open(&l->hr, l->host_path, &err), 0);
	assert_int_equal(ks_reader_open(&l->gr, l->guest_path, &err), 0);
	assert_int_equal(ks_analysis_new(&l->a, l->hr, &l->opts, &ops, &err), 0);
	assert_int_equal(ks_merge_new(&l->merge), 0);
	assert_int_equal(ks_merge_add(l->merge, l->hr, NULL, NULL), 0);
	assert_int_equal(ks_merge_add(l->merge, l->gr, NULL, NULL), 1);
	assert_int_equal(ks_analysis_guest(l->a, 1, l->gr, 0, NULL, NULL, &err), 0);
	ks_analysis_guest_error(l->a, 0, l->error);
	assert_int_equal(ks_analysis_guest_breaks(l->a, 0, l->breaks, l->nbreaks), 0);
	if (!l->vnuma)
		return;
	assert_int_equal(ks_vnuma_begin(l->vnuma, l->a, l->hr), 0);
	assert_int_equal(ks_vnuma_guest(l->vnuma, l->hr, l->gr, 0, NULL, NULL), 0);
}

static inline void lab_run(struct lab *l)
{
	struct ks_event ev;
	struct ks_err err = { "" };
	int ret;

	lab_open(l);
	while ((ret = ks_merge_next(l->merge, &ev, &err)) > 0)
		assert_int_equal(ks_analysis_feed(l->a, &ev), 0);
	assert_int_equal(ret, 0);
	assert_int_equal(ks_analysis_end(l->a), 0);
	if (l->vnuma)
		assert_int_equal(ks_vnuma_end(l->vnuma), 0);
}

static inline void lab_free(struct lab *l)
{
	ks_vnuma_free(l->vnuma);
	ks_analysis_free(l->a);
	ks_merge_free(l->merge);
	ks_reader_close(l->hr);
	ks_reader_close(l->gr);
	unlink(l->host_path);
	unlink(l->guest_path);
	rmdir(l->dir);
	free(l);
}

/* The wait that began at t. */
static inline const struct ks_wait *wait_at(const struct lab *l, uint64_t t)
{
	unsigned int i;

	for (i = 0; i < l->nwaits; i++)
		if (l->wait[i].try_time == t)
			return &l->wait[i];
	fail_msg("no wait at %llu", (unsigned long long)t);
	return NULL;
}

static inline void assert_share(const struct ks_wait *w, enum ks_class c, uint64_t ns)
{
	if (w->share[c] != ns)
		fail_msg("share of %s is %llu, not %llu", ks_class_name(c),
			 (unsigned long long)w->share[c], (unsigned long long)ns);
}

static inline const struct ks_vm_totals *vm_totals(const struct lab *l)
{
	return ks_analysis_vm_totals(l->a, 0);
}

#endif /* KVMSCHED_TEST_ANALYZE_UTIL_H */
