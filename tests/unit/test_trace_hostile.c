// SPDX-License-Identifier: GPL-2.0
/* Files with right checksums that were made to hurt. */
#include "test_trace_small.h"

/* Metadata as a hostile guest would send it: dropped and counted, and the rest is read. */
static void test_hostile_meta(void **state)
{
	struct dir *d = *state;
	static const char *const bad[] = { "", "[1]", "{", "{\"a\":", "nonsense", "1", "\"{\"" };
	size_t room = 1 << 20, len;
	uint8_t *data = calloc(1, room);
	char *deep = malloc(100001);
	struct ks_reader *r;

	len = put_start(data);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct ks_chunk_header h = { .type = KS_CHUNK_META,
					     .length = (uint32_t)strlen(bad[i]) };

		len += put_chunk(data + len, h, bad[i]);
	}
	for (size_t i = 0; i < 100000; i++)
		deep[i] = "{\"a\":"[i % 5];
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_META, .length = 100000 }, deep);
	len += put_chunk(data + len, (struct ks_chunk_header){ .type = KS_CHUNK_META, .length = 9 },
			 "{\"ok\":42}");
	save_file(d->file, data, len);
	r = must_read(d->file);
	assert_int_equal(json_object_object_length(ks_reader_meta(r)), 1);
	assert_int_equal(ks_reader_bad_bytes(r),
			 len - sizeof(struct ks_file_header) - ks_chunk_size(9));
	ks_reader_close(r);
	free(deep);
	free(data);
}

/* Metadata without end: what is beyond the limit is dropped and counted. */
static void test_endless_meta(void **state)
{
	struct dir *d = *state;
	const size_t size = 1 << 20;
	char *text = malloc(size);
	uint8_t *data = calloc(12, size);
	size_t len = put_start(data);
	struct ks_reader *r;

	memset(text, ' ', size);
	text[size - 1] = '}';
	for (char key = 'a'; key < 'k'; key++) {
		memcpy(text, "{\"_\":1", 6);
		text[2] = key;
		len += put_chunk(data + len,
				 (struct ks_chunk_header){ .type = KS_CHUNK_META,
							   .length = (uint32_t)size },
				 text);
	}
	save_file(d->file, data, len);
	r = must_read(d->file);
	assert_int_equal(json_object_object_length(ks_reader_meta(r)), 8);
	assert_int_equal(ks_reader_bad_bytes(r), 2 * ks_chunk_size((uint32_t)size));
	ks_reader_close(r);
	free(data);
	free(text);
}

/* Of little text, and hundreds of bytes of memory for each three of it. */
static void test_swelling_meta(void **state)
{
	struct dir *d = *state;
	const size_t size = 1 << 20;
	char *text = malloc(size);
	uint8_t *data = calloc(3, size);
	size_t len = put_start(data), fits = 100000, i;
	struct ks_reader *r;

	memcpy(text, "{\"a\":[", 6);
	for (i = 0; i < fits; i++)
		memcpy(text + 6 + 3 * i, ",{}", 3);
	text[6] = ' ';
	memcpy(text + 6 + 3 * fits, "]}", 2);
	for (i = 0; i < 2; i++, text[2]++) /* one has room, two have not */
		len += put_chunk(data + len,
				 (struct ks_chunk_header){ .type = KS_CHUNK_META,
							   .length = (uint32_t)(8 + 3 * fits) },
				 text);
	save_file(d->file, data, len);
	r = must_read(d->file);
	assert_int_equal(json_object_object_length(ks_reader_meta(r)), 1);
	assert_int_equal(ks_reader_bad_bytes(r), ks_chunk_size((uint32_t)(8 + 3 * fits)));
	ks_reader_close(r);
	free(data);
	free(text);
}

/* As much as a host with 64 VMs of 512 vCPUs tells, and as many threads as find room in metadata. */
static void test_large_meta(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	struct json_object *meta = json_object_new_object(), *part = NULL;
	struct ks_reader *r;
	char key[16];
	int i;

	for (i = 0; i < 64 * 512; i++) {
		snprintf(key, sizeof(key), "%d", i);
		json_object_object_add(meta, key, json_tokener_parse("{\"comm\":\"CPU 511/KVM\"}"));
	}
	part = json_object_new_object();
	json_object_object_add(part, "vcpus", meta);
	assert_int_equal(ks_writer_meta(w, part), 0);
	json_object_put(part);
	for (i = 1000000; i < 1300000; i++) {
		if (i % 30000 == 10000)
			part = json_object_new_object();
		snprintf(key, sizeof(key), "%d", i);
		json_object_object_add(part, key, json_object_new_string("kworker"));
		if (i % 30000 == 9999) {
			assert_int_equal(ks_writer_meta(w, part), 0);
			json_object_put(part);
		}
	}
	must_close(w);
	r = must_read(d->file);
	assert_int_equal(ks_reader_bad_bytes(r), 0);
	assert_int_equal(json_object_object_length(ks_reader_meta(r)), 300001);
	ks_reader_close(r);
}

/* Sizes that lie: of symbols, of rings, of chunks that end behind the file. */
static void test_hostile_sizes(void **state)
{
	struct dir *d = *state;
	const struct ks_rec rec = made_up(1);
	uint8_t data[4096] = { 0 };
	const struct ks_rec *out;
	struct ks_reader *r;
	struct ks_err err;
	size_t len;

	len = put_start(data);
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_SYMBOLS,
						   .length = 8,
						   .raw_length = KS_MAX_SYMBOLS_RAW },
			 "bombbomb");
	len += put_chunk(data + len,
			 (struct ks_chunk_header){
				 .type = KS_CHUNK_RECORDS, .ring = 2, .count = 1, .length = 32 },
			 &rec);
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_RECORDS,
						   .ring = 1,
						   .count = 1,
						   .length = 32,
						   .first = UINT64_MAX,
						   .last = 3 },
			 &rec);
	len += put_chunk(
		data + len,
		(struct ks_chunk_header){ .type = KS_CHUNK_CONTROL, .count = 1, .length = 32 },
		&rec);
	len += put_chunk(data + len, (struct ks_chunk_header){ .type = 999, .length = 1 }, "x");
	put_chunk(data + len,
		  (struct ks_chunk_header){
			  .type = KS_CHUNK_RECORDS, .ring = 1, .count = 2048, .length = 64 },
		  data);
	save_file(d->file, data, len + 128);
	r = must_read(d->file);
	assert_null(ks_reader_symbols(r, NULL));
	assert_int_equal(ks_reader_next(r, &out, &err), 1);
	assert_int_equal(out->type, KS_LOSS); /* the end is missing */
	assert_int_equal(ks_reader_next(r, &out, &err), 1);
	assert_true(is_made_up(out));
	while (ks_reader_next(r, &out, &err) > 0)
		assert_int_equal(out->type, KS_LOSS);
	assert_true(ks_reader_truncated(r));
	assert_int_equal(ks_reader_bad_bytes(r), 72 + 96 + 32 + 128);
	ks_reader_close(r);
}

/* Symbols that are not as long as they say: none, rather than some with a tail of our memory. */
static void test_lying_symbols(void **state)
{
	static const char text[] = "ffffffff81000000 T _text\n";
	struct dir *d = *state;

	for (int by = -1; by <= 1; by++) {
		uint8_t data[1024] = { 0 }, deflated[256];
		uLongf size = sizeof(deflated);
		struct ks_chunk_header h = { .type = KS_CHUNK_SYMBOLS };
		size_t len = put_start(data), n = 1;
		struct ks_reader *r;

		assert_int_equal(compress(deflated, &size, (const Bytef *)text, sizeof(text) - 1),
				 Z_OK);
		h.length = (uint32_t)size;
		h.raw_length = (uint32_t)(sizeof(text) - 1) + by;
		len += put_chunk(data + len, h, deflated);
		save_file(d->file, data, len);
		r = must_read(d->file);
		if (by) {
			assert_null(ks_reader_symbols(r, &n));
			assert_int_equal(n, 0);
			assert_true(ks_reader_bad_bytes(r) > 0);
		} else {
			assert_string_equal(ks_reader_symbols(r, &n), text);
		}
		ks_reader_close(r);
	}
}

/* Times in any order: they come out in order, a chunk that is early is late. */
static void test_insane_times(void **state)
{
	struct dir *d = *state;
	static struct ks_rec recs[4][KS_CHUNK_RECS];
	uint8_t *data = calloc(1, 1 << 20);
	uint64_t seed = 42, now = 0;
	size_t len = put_start(data), n = 0;
	struct ks_reader *r;
	struct ks_merge *m;
	struct ks_event ev;
	struct ks_err err;

	for (int k = 0; k < 4; k++) {
		for (size_t i = 0; i < KS_CHUNK_RECS; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			recs[k][i].time = i == 7 ? UINT64_MAX : seed;
			recs[k][i].type = (uint8_t)(seed >> 56);
		}
		len += put_chunk(data + len,
				 (struct ks_chunk_header){ .type = KS_CHUNK_RECORDS,
							   .ring = k % 2,
							   .count = KS_CHUNK_RECS,
							   .length = sizeof(recs[k]) },
				 recs[k]);
	}
	save_file(d->file, data, len);
	free(data);
	r = must_read(d->file);
	assert_int_equal(ks_merge_new(&m), 0);
	assert_int_equal(ks_merge_add(m, r, NULL, NULL), 0);
	while (ks_merge_next(m, &ev, &err) > 0) {
		assert_true(ev.time >= now);
		now = ev.time;
		n++;
	}
	assert_true(n >= 4 * KS_CHUNK_RECS);
	ks_merge_free(m);
	ks_reader_close(r);
}

/* A chunk that is not in order, as no writer of ours makes it, is put in order, stably. */
static void test_unsorted_chunk(void **state)
{
	struct dir *d = *state;
	struct ks_rec recs[50];
	uint8_t data[4096] = { 0 };
	const struct ks_rec *rec;
	size_t len = put_start(data);
	struct ks_reader *r;
	struct ks_err err;

	for (uint32_t i = 0; i < 50; i++)
		recs[i] = (struct ks_rec){ .time = 900 - i * 7 % 25, .type = KS_PAUSE, .id = i };
	len += put_chunk(data + len,
			 (struct ks_chunk_header){
				 .type = KS_CHUNK_RECORDS, .count = 50, .length = sizeof(recs) },
			 recs);
	save_file(d->file, data, len);
	r = must_read(d->file);
	for (uint32_t i = 0; i < 50; i++) { /* 7 * 18 = 126 = 1 modulo 25 */
		uint32_t first = (24 - i / 2) * 18 % 25;

		assert_int_equal(ks_reader_next(r, &rec, &err), 1);
		if (rec->type == KS_LOSS) /* the end is missing */
			assert_int_equal(ks_reader_next(r, &rec, &err), 1);
		assert_int_equal(rec->time, 876 + i / 2);
		assert_int_equal(rec->id, first + i % 2 * 25);
	}
	ks_reader_close(r);
}

/*
 * Control records have chunks of their own; among a ring's records they are damage. Whoever reads
 * is told of none: each would be a loss, or a vCPU, that was not known before the first event.
 */
static void test_control_in_records(void **state)
{
	const uint32_t chunks = 100, n = KS_CHUNK_RECS;
	const uint8_t types[] = { KS_CLOCK, KS_LOSS, KS_VCPU_NEW, KS_VCPU_GONE, KS_TSC_OFFSET };
	struct dir *d = *state;
	struct ks_rec *recs = calloc(n, sizeof(*recs));
	size_t size = ks_chunk_size(n * sizeof(*recs)), len, control;
	uint8_t *data = malloc(sizeof(struct ks_file_header) + chunks * size);
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;

	len = put_start(data);
	for (uint32_t i = 0; i < chunks * n; i++) {
		recs[i % n] = made_up(i);
		recs[i % n].type = i % 8 < 5 ? types[i % 8] : KS_PAUSE;
		if (i % n != n - 1)
			continue;
		len += put_chunk(data + len,
				 (struct ks_chunk_header){ .type = KS_CHUNK_RECORDS,
							   .ring = i / n % 2,
							   .count = n,
							   .length = n * sizeof(*recs),
							   .first = recs[0].time,
							   .last = recs[n - 1].time },
				 recs);
	}
	save_file(d->file, data, len);
	r = must_read(d->file);
	for (int again = 0; again < 2; again++) {
		uint32_t got[256] = { 0 };

		assert_int_equal(ks_reader_seek(r, 0, &err), 0);
		while (ks_reader_next(r, &rec, &err) > 0)
			got[rec->type]++;
		assert_int_equal(got[KS_PAUSE], chunks * n / 8 * 3);
		assert_int_equal(got[KS_NONE], chunks * n / 8 * 5);
		assert_int_equal(got[KS_LOSS], 1); /* the end is missing */
		assert_int_equal(ks_reader_bad_bytes(r), chunks * n / 8 * 5 * sizeof(*recs));
		assert_int_equal(ks_reader_lost(r), 1);
	}
	ks_reader_control(r, &control);
	assert_int_equal(control, 1);
	ks_reader_close(r);
	free(data);
	free(recs);
}

/* An index or END that lies, checksums right, is not believed: the chunks are found one by one. */
struct liar {
	uint8_t *data;
	size_t len, n;
	struct chunk c[64];
	struct ks_chunk_header h; /* of the INDEX chunk */
	struct ks_index_head *head;
	struct ks_index_entry *entry;
	uint8_t payload[4096] __attribute__((aligned(8)));
};

static void liar_begin(struct liar *l, const struct dir *d)
{
	l->data = small_trace(d, true, &l->len);
	l->n = walk(l->data, l->len, l->c, 64);
	l->h = l->c[l->n - 2].h;
	assert_int_equal(l->h.type, KS_CHUNK_INDEX);
	memcpy(l->payload, l->data + l->c[l->n - 2].at + sizeof(l->h), l->h.length);
	l->head = (struct ks_index_head *)l->payload;
	l->entry = (struct ks_index_entry *)(l->head + 1);
}

static void liar_check(struct liar *l, const struct dir *d)
{
	struct seen s;

	put_chunk(l->data + l->c[l->n - 2].at, l->h, l->payload);
	save_file(d->file, l->data, l->len);
	assert_int_equal(read_all(d->file, &s), 0);
	assert_int_equal(s.records, RECORDS);
	assert_int_equal(s.control, 2);
	assert_int_equal(s.lost, 0);
}

static void test_lying_index(void **state)
{
	struct dir *d = *state;
	struct liar l;

	liar_begin(&l, d);
	for (uint32_t i = 0; i < l.h.count; i++) {
		l.entry[i].length += 8;
		liar_check(&l, d);
		l.entry[i].length -= 16; /* shorter is plausible for some types */
		liar_check(&l, d);
		l.entry[i].length = UINT32_MAX & ~7u;
		liar_check(&l, d);
		l.entry[i].length = l.c[i].h.length;
	}
	l.head->prev = l.c[l.n - 2].at; /* itself as the one before */
	liar_check(&l, d);
	free(l.data);
}

/* An index that is right but for the first chunks, which it leaves out. */
static void test_index_that_begins_late(void **state)
{
	struct dir *d = *state;
	uint8_t end[96];
	struct liar l;
	size_t k = 0;

	liar_begin(&l, d);
	while (l.c[k++].h.type != KS_CHUNK_RECORDS)
		;
	memmove(l.entry, l.entry + k, (l.h.count - k) * sizeof(*l.entry));
	l.h.count -= k;
	l.h.length -= k * sizeof(*l.entry);
	l.head->from = l.c[k].at;
	memcpy(end, l.data + l.c[l.n - 1].at, sizeof(end));
	l.len -= k * sizeof(*l.entry);
	memcpy(l.data + l.len - sizeof(end), end, sizeof(end));
	liar_check(&l, d);
	free(l.data);
}

/* END names an INDEX in the middle: what is behind it must not be forgotten. */
static void test_lying_end(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	const uint32_t n = KS_INDEX_ENTRIES + 10;
	struct ks_end_payload end;
	struct ks_chunk_header h;
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;
	size_t len, at;
	uint8_t *data;
	uint32_t got = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, 0, &in, 1), 0);
		assert_int_equal(ks_writer_flush(w) | ks_writer_flush(w), 0);
	}
	must_close(w);
	data = load_file(d->file, &len);
	at = len - sizeof(h) - sizeof(end);
	memcpy(&h, data + at, sizeof(h));
	memcpy(&end, data + at + sizeof(h), sizeof(end));
	end.index = sizeof(struct ks_file_header) + KS_INDEX_ENTRIES * ks_chunk_size(32);
	put_chunk(data + at, h, &end);
	save_file(d->file, data, len);
	free(data);
	r = must_read(d->file);
	while (ks_reader_next(r, &rec, &err) > 0)
		got++;
	assert_int_equal(got, n);
	ks_reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hostile_meta, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_endless_meta, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_swelling_meta, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_large_meta, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_hostile_sizes, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_lying_symbols, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_insane_times, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_control_in_records, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_unsorted_chunk, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_lying_index, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_index_that_begins_late, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_lying_end, setup_dir, teardown_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
