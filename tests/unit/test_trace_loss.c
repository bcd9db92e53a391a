// SPDX-License-Identifier: GPL-2.0
/* Losses without end: few in the file, few that are handed out, and all they cover and count is told. */
#include "test_trace_small.h"

#define MS 1000000ull
#define SECOND 1000000000ull
#define BEGIN (100 * SECOND)

static void lose(struct ks_writer *w, uint16_t ring, uint8_t type, uint64_t from, uint64_t to,
		 uint64_t count)
{
	const struct ks_rec loss = {
		.time = to, .type = KS_LOSS, .flags = type, .cpu = ring, .a = from, .b = count
	};

	assert_int_equal(ks_writer_add(w, ring, &loss, 1), 0);
}

static void put_records(struct ks_writer *w, unsigned int ring, uint64_t time, unsigned int n)
{
	const struct ks_rec rec = { .time = time, .type = KS_PAUSE, .cpu = (uint16_t)ring };

	while (n--)
		assert_int_equal(ks_writer_add(w, ring, &rec, 1), 0);
}

/* What the losses of one ring and type say, in order. */
struct told {
	uint32_t n;
	uint64_t from, to, count; /* around all of them */
	uint64_t longest, gaps;	  /* ns */
};

static struct told told_of(const struct ks_reader *r, uint16_t ring, uint8_t type)
{
	struct told t = { .from = UINT64_MAX };
	size_t n;
	const struct ks_rec *control = ks_reader_control(r, &n);

	for (size_t i = 0; i < n; i++) {
		const struct ks_rec *c = &control[i];

		if (c->type != KS_LOSS || c->cpu != ring || c->flags != type)
			continue;
		assert_true(c->a <= c->time);
		if (t.n && c->a > t.to)
			t.gaps += c->a - t.to;
		t.from = c->a < t.from ? c->a : t.from;
		t.to = c->time > t.to ? c->time : t.to;
		t.longest = c->time - c->a > t.longest ? c->time - c->a : t.longest;
		t.count += c->b;
		t.n++;
	}
	return t;
}

/* A ring that loses without end is emptied many times a second, and each time says so. */
static void test_endless_loss(void **state)
{
	static const uint8_t types[] = { KS_PAUSE, KS_VCPU_OUT };
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 4);
	struct ks_reader *r;

	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t t = BEGIN + i * 10 * MS;

		for (unsigned int ring = 0; ring < 4; ring++) {
			put_records(w, ring, t, 3);
			for (size_t k = 0; k < 2; k++)
				lose(w, ring, types[k], t - 10 * MS, t + 1000, k + 1);
		}
		if (i % 100 == 99)
			assert_int_equal(ks_writer_flush(w), 0);
	}
	must_close(w);
	r = must_read(d->file);
	for (uint16_t ring = 0; ring < 4; ring++) {
		for (size_t k = 0; k < 2; k++) {
			struct told t = told_of(r, ring, types[k]);

			assert_in_range(t.n, 10, 11); /* of 10 s */
			assert_int_equal(t.count, 1000 * (k + 1));
			assert_int_equal(t.from, BEGIN - 10 * MS);
			assert_int_equal(t.to, BEGIN + 9990 * MS + 1000);
			assert_int_equal(t.gaps, 0);
			assert_in_range(t.longest, 1, SECOND + 20 * MS);
		}
	}
	assert_int_equal(ks_reader_lost(r), 4 * 3 * 1000);
	ks_reader_close(r);
}

/* Between two losses nothing was lost: what is known of that time stays known. */
static void test_pauses_stay(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	struct ks_reader *r;
	struct told t;

	for (uint64_t i = 0; i < 100; i++) {
		lose(w, 0, KS_PAUSE, BEGIN + i * 50 * MS, BEGIN + (i * 50 + 10) * MS, 1);
		if (i % 20 == 19)
			assert_int_equal(ks_writer_flush(w), 0);
	}
	must_close(w);
	r = must_read(d->file);
	t = told_of(r, 0, KS_PAUSE);
	assert_int_equal(t.n, 100);
	assert_int_equal(t.longest, 10 * MS);
	assert_int_equal(t.gaps, 99 * 40 * MS);
	ks_reader_close(r);
}

/* With tens of thousands of them told, one a second of each ring and type is enough. */
static void test_pauses_without_end(void **state)
{
	const unsigned int rings = 32, rounds = 400; /* ten rounds a second */
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, rings);
	struct ks_reader *r;
	struct told t;
	size_t n;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t at = BEGIN + i * 100 * MS;

		for (uint16_t ring = 0; ring < rings; ring++)
			for (uint8_t type = 0; type < 10; type++)
				lose(w, ring, KS_PLE_WINDOW + type, at, at + MS, 1);
		if (i % 10 == 9)
			assert_int_equal(ks_writer_flush(w), 0);
	}
	must_close(w);
	r = must_read(d->file);
	ks_reader_control(r, &n);
	assert_in_range(n, 65536, 65536 + 32 * 10 * 22); /* of the last 20 s */
	assert_int_equal(ks_reader_lost(r), rings * 10 * rounds);
	t = told_of(r, 7, KS_PAUSE);
	assert_int_equal(t.count, rounds);
	assert_int_equal(t.from, BEGIN);
	assert_int_equal(t.to, BEGIN + (rounds - 1) * 100 * MS + MS);
	assert_in_range(t.longest, 800 * MS, SECOND + MS);
	ks_reader_close(r);
}

/* Not even within a flush a record that is newer than the first loss is in the file without it. */
static void test_first_is_told_at_once(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 2);
	struct ks_reader *r;
	char partial[160];
	struct told t;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	put_records(w, 0, BEGIN, 10);
	put_records(w, 1, BEGIN, 10);
	assert_int_equal(ks_writer_flush(w) | ks_writer_flush(w), 0);
	lose(w, 1, KS_VCPU_OUT, BEGIN + 5 * SECOND, BEGIN + 5 * SECOND + 1, 7);
	put_records(w, 0, BEGIN + 20 * SECOND, KS_CHUNK_RECS + 8);
	put_records(w, 1, BEGIN + 20 * SECOND, KS_CHUNK_RECS + 8);
	ks_writer_abort(w);
	r = must_read(partial);
	t = told_of(r, 1, KS_VCPU_OUT);
	assert_int_equal(t.count, 7);
	assert_int_equal(t.from, BEGIN + 5 * SECOND);
	assert_int_equal(told_of(r, KS_RING_ANY, KS_NONE).n, 0); /* long ago: nothing is kept */
	ks_reader_close(r);
}

/* What continued it was not told any more when the recorder was killed: it may be any of that time. */
static void test_cut_in_a_loss(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 2);
	const uint64_t end = BEGIN + 20 * SECOND;
	struct ks_reader *r;
	char partial[160];
	struct told t;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	lose(w, 1, KS_VCPU_OUT, end - SECOND, end - 900 * MS, 7);
	lose(w, 1, KS_VCPU_OUT, end - 900 * MS, end - 500 * MS, 7);
	put_records(w, 0, end, KS_CHUNK_RECS + 8);
	put_records(w, 1, end, KS_CHUNK_RECS + 8);
	ks_writer_abort(w);
	r = must_read(partial);
	assert_int_equal(told_of(r, 1, KS_VCPU_OUT).count, 7);
	t = told_of(r, KS_RING_ANY, KS_NONE);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.from, end - 3 * SECOND);
	assert_int_equal(t.to, end);
	ks_reader_close(r);
}

/* A control chunk that cannot be read may have had a loss in it, which began before its time. */
static void test_loss_in_bad_chunk(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	struct ks_reader *r;
	struct told t;
	uint8_t *data;
	size_t len;

	lose(w, 0, KS_PAUSE, BEGIN, BEGIN + SECOND, 7);
	must_close(w);
	data = load_file(d->file, &len);
	data[sizeof(struct ks_file_header) + sizeof(struct ks_chunk_header)] ^= 1;
	save_file(d->file, data, len);
	free(data);
	r = must_read(d->file);
	t = told_of(r, KS_RING_ANY, KS_NONE);
	assert_int_equal(t.n, 1);
	assert_true(t.from <= BEGIN);
	assert_int_equal(t.to, BEGIN + SECOND);
	ks_reader_close(r);
}

/* ---- any number of them ---- */

#define MANY 400000u	/* losses */
#define MOST (1u << 18) /* that a reader hands out */

/* A file with MANY losses, the i-th as make() has it. */
static void write_many(const char *path, struct ks_rec (*make)(uint32_t i))
{
	struct ks_rec *recs = calloc(KS_CHUNK_RECS, sizeof(*recs));
	uint8_t *data = calloc(MANY / 1000, 1000 * sizeof(*recs) + 2 * KS_CHUNK_RECS);
	size_t len = put_start(data);

	for (uint32_t i = 0, n = 0; i < MANY; i++) {
		recs[n++] = make(i);
		if (n < KS_CHUNK_RECS && i + 1 < MANY)
			continue;
		len += put_chunk(data + len,
				 (struct ks_chunk_header){
					 .type = KS_CHUNK_CONTROL,
					 .count = n,
					 .length = n * (uint32_t)sizeof(*recs),
					 .first = recs[0].time,
					 .last = recs[n - 1].time,
				 },
				 recs);
		n = 0;
	}
	save_file(path, data, len);
	free(data);
	free(recs);
}

static int by_beginning(const void *pa, const void *pb)
{
	const struct ks_rec *a = pa, *b = pb;

	return a->a < b->a ? -1 : a->a > b->a;
}

/* Every loss that was written lies in one that is told: of its ring and type, or of any ring. */
static void assert_covered(struct ks_rec (*make)(uint32_t i), uint16_t ring, uint8_t type,
			   const struct ks_reader *r)
{
	size_t n, k = 0, kinds = 0;
	const struct ks_rec *control = ks_reader_control(r, &n);
	struct ks_rec *told = malloc(n * sizeof(*told));

	for (size_t i = 0; i < n; i++)
		if (control[i].flags == type &&
		    (control[i].cpu == ring || control[i].cpu == KS_RING_ANY))
			told[kinds++] = control[i];
	qsort(told, kinds, sizeof(*told), by_beginning);
	for (uint32_t i = 0; i < MANY; i++) {
		struct ks_rec loss = make(i);

		if (loss.cpu != ring || loss.flags != type)
			continue;
		while (k < kinds && told[k].time < loss.time)
			k++;
		assert_true(k < kinds && told[k].a <= loss.a);
	}
	free(told);
}

/* Four rings in turn, of two types; between two of a kind 1 ms, after each tenth 1 s. */
static struct ks_rec of_few_kinds(uint32_t i)
{
	uint64_t round = i / 8, at = BEGIN + round * 2 * MS + round / 10 * SECOND + i % 8;

	return (struct ks_rec){ .time = at + MS,
				.type = KS_LOSS,
				.flags = i % 2 ? KS_PAUSE : KS_VCPU_IN,
				.cpu = (uint16_t)(i / 2 % 4),
				.a = at,
				.b = 1 + i % 3 };
}

/* However many losses there are, the trace is read; the shortest pauses are given up. */
static void test_any_number(void **state)
{
	struct dir *d = *state;
	struct ks_reader *r;
	uint64_t sum = 0;
	struct told t;
	size_t n;

	write_many(d->file, of_few_kinds);
	for (uint32_t i = 0; i < MANY; i++)
		sum += of_few_kinds(i).b;
	r = must_read(d->file);
	ks_reader_control(r, &n);
	assert_in_range(n, 8, MOST + 1); /* and the end that is missing */
	assert_int_equal(ks_reader_lost(r), sum + 1);
	sum = 1;
	for (uint16_t ring = 0; ring < 4; ring++) {
		assert_covered(of_few_kinds, ring, KS_PAUSE, r);
		assert_covered(of_few_kinds, ring, KS_VCPU_IN, r);
		t = told_of(r, ring, KS_PAUSE);
		assert_in_range(t.gaps, (MANY / 80 - 1) * SECOND, MANY / 8 * (SECOND / 10 + MS));
		sum += t.count + told_of(r, ring, KS_VCPU_IN).count;
	}
	assert_int_equal(sum, ks_reader_lost(r));
	ks_reader_close(r);
}

static struct ks_rec of_many_kinds(uint32_t i)
{
	return (struct ks_rec){ .time = BEGIN + i,
				.type = KS_LOSS,
				.flags = (uint8_t)(i % 7),
				.cpu = (uint16_t)(i % 60013),
				.a = BEGIN,
				.b = 1 };
}

/* Of more rings and types than there is room for losses. */
static void test_any_kinds(void **state)
{
	struct dir *d = *state;
	const struct ks_rec *control;
	struct ks_reader *r;
	uint64_t sum = 0;
	size_t n;

	write_many(d->file, of_many_kinds);
	r = must_read(d->file);
	control = ks_reader_control(r, &n);
	assert_in_range(n, 7, MOST + 1);
	for (size_t i = 0; i < n; i++)
		sum += control[i].b;
	assert_in_range(sum, MANY, MANY + 1); /* it ends at its newest record or before */
	assert_int_equal(sum, ks_reader_lost(r));
	for (uint16_t ring = 0; ring < 60013; ring += 6000)
		assert_covered(of_many_kinds, ring, (uint8_t)(ring % 7), r);
	ks_reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_endless_loss, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_pauses_stay, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_pauses_without_end, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_first_is_told_at_once, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_cut_in_a_loss, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_loss_in_bad_chunk, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_any_number, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_any_kinds, setup_dir, teardown_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
