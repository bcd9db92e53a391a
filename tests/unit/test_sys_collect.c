// SPDX-License-Identifier: GPL-2.0
/* Streams of guests, good and hostile, over socket pairs and, where there is one, over vsock. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <cmocka.h>

#include "collect.h"
#include "../../user/trace/format.h"
#include "test_sys_tree.h"
#include "trace.h"
#include "vsock.h"

#define RECORDS 5000u

/* A guest's trace in memory, made by the real writer. */
struct bytes {
	char *p;
	size_t n;
};

static void write_trace(struct ks_writer *w)
{
	struct json_object *meta = json_object_new_object();
	static const char syms[] = "ffffffff81000000 T _text\n";

	json_object_object_add(meta, "hostname", json_object_new_string("guest"));
	assert_int_equal(ks_writer_meta(w, meta), 0);
	json_object_put(meta);
	assert_int_equal(ks_writer_symbols(w, syms, sizeof(syms) - 1), 0);
	for (unsigned int i = 0; i < RECORDS; i++) {
		struct ks_rec r = { .time = 1000 + i, .type = KS_IDLE_ENTER, .cpu = i % 2 };

		assert_int_equal(ks_writer_add(w, i % 2, &r, 1), 0);
	}
}

static struct bytes make_trace(enum ks_side side)
{
	struct bytes b = { malloc(4 << 20), 0 };
	char path[96];
	struct ks_writer *w;
	struct ks_err err = { "" };
	struct tree t;
	FILE *f;

	tree_new(&t);
	snprintf(path, sizeof(path), "%s/x.kvs", t.root);
	assert_int_equal(ks_writer_open(&w, path, side, 2, &err), 0);
	write_trace(w);
	assert_int_equal(ks_writer_close(w, &err), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	b.n = fread(b.p, 1, 4 << 20, f);
	assert_true(b.n > RECORDS * 32 && b.n < 4 << 20);
	fclose(f);
	tree_free(&t);
	return b;
}

static struct bytes trace;

/* Something else than a trace, at least as long as a trace's header. */
static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a-scanner-of-ports"
			   "\r\nAccept: */*\r\n\r\n";

static int setup(void **state)
{
	(void)state;
	trace = make_trace(KS_SIDE_GUEST);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(trace.p);
	return 0;
}

/* ---- framing ---- */

struct taken {
	size_t bytes, units;
	bool same; /* what was handed out is what was put in */
	int refuse_at;
};

static int take(void *ctx, const void *unit, size_t len)
{
	struct taken *t = ctx;

	if (t->refuse_at && (int)t->units == t->refuse_at)
		return -ENOSPC;
	t->same = t->bytes + len <= trace.n && !memcmp(trace.p + t->bytes, unit, len) &&
		  (t->same || !t->units);
	t->bytes += len;
	t->units++;
	return 0;
}

static int feed_all(struct ks_framing *f, const char *p, size_t n, size_t piece, struct ks_err *err)
{
	int ret = 0;

	for (size_t at = 0; at < n && !ret; at += piece)
		ret = ks_framing_feed(f, p + at, n - at < piece ? n - at : piece, err);
	return ret;
}

static void whole_in_pieces(void **state)
{
	static const size_t pieces[] = { 1, 7, 63, 64, 65, 4096, 100000, 4 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct taken t = { 0 };
		struct ks_framing *f;

		assert_int_equal(ks_framing_new(&f, KS_SIDE_GUEST, take, &t), 0);
		assert_false(ks_framing_clean(f));
		assert_int_equal(feed_all(f, trace.p, trace.n, pieces[i], NULL), 0);
		assert_true(ks_framing_clean(f));
		assert_int_equal(t.bytes, trace.n);
		assert_true(t.same);
		assert_int_equal(t.units, ks_framing_chunks(f) + 1);
		/* What follows is not looked at. */
		assert_int_equal(feed_all(f, "garbage", 7, 7, NULL), 0);
		assert_int_equal(t.bytes, trace.n);
		ks_framing_free(f);
	}
}

/* Any bit of headers and payloads wrong: refused, and everything handed out is of the original. */
static void flipped(void **state)
{
	unsigned int seed = 3, refused = 0, padding = 0;
	char *copy = malloc(trace.n);

	(void)state;
	assert_non_null(copy);
	memcpy(copy, trace.p, trace.n);
	for (int i = 0; i < 3000; i++) {
		size_t at = i < 1024 ?
				    (size_t)i / 8 :
				    ((size_t)rand_r(&seed) << 8 ^ (size_t)rand_r(&seed)) % trace.n;
		struct taken t = { 0 };
		struct ks_framing *f;
		struct ks_err err;
		int ret;

		copy[at] ^= (char)(1 << i % 8);
		assert_int_equal(ks_framing_new(&f, KS_SIDE_GUEST, take, &t), 0);
		ret = feed_all(f, copy, trace.n, 5000, &err);
		assert_true(ret == 0 || ret == -EPROTO);
		refused += ret == -EPROTO;
		padding += ret == 0; /* bytes behind a payload, up to the next multiple of 8 */
		assert_int_equal(ret == -EPROTO, !ks_framing_clean(f));
		if (ret)
			assert_true(t.same || !t.units);
		ks_framing_free(f);
		copy[at] ^= (char)(1 << i % 8);
	}
	free(copy);
	assert_true(refused >= 2990);
	assert_true(padding < 10);
}

static void expect_refusal(const void *p, size_t n, unsigned int side, const char *part)
{
	struct taken t = { 0 };
	struct ks_framing *f;
	struct ks_err err = { "" };

	assert_int_equal(ks_framing_new(&f, side, take, &t), 0);
	assert_int_equal(ks_framing_feed(f, p, n, &err), -EPROTO);
	if (!strstr(err.msg, part))
		fail_msg("'%s' lacks '%s'", err.msg, part);
	assert_false(ks_framing_clean(f));
	assert_int_equal(ks_framing_feed(f, p, n, &err), -EPROTO); /* dead */
	ks_framing_free(f);
}

/* The same trace with a header or a first chunk changed, checksums made right again. */
static void forged(void **state)
{
	char *copy = malloc(trace.n);
	struct ks_file_header *fh = (void *)copy;
	struct ks_chunk_header *ch = (void *)(copy + sizeof(*fh));
	struct bytes host = make_trace(KS_SIDE_HOST);

	(void)state;
#define FORGE(change, part)                                                                        \
	do {                                                                                       \
		memcpy(copy, trace.p, trace.n);                                                    \
		change;                                                                            \
		fh->crc = ks_crc(0, fh, offsetof(struct ks_file_header, crc));                     \
		ch->header_crc = ks_crc(0, ch, offsetof(struct ks_chunk_header, header_crc));      \
		expect_refusal(copy, trace.n, KS_SIDE_GUEST, part);                                \
	} while (0)
	FORGE(fh->major = 2, "format 2.0");
	FORGE(fh->rings = 0, "no sense");
	FORGE(fh->rings = 1 << 20, "no sense");
	FORGE(fh->record_size = 64, "no sense");
	FORGE(fh->size = 8, "no sense");
	FORGE(fh->size = 1 << 30, "no sense");
	FORGE(fh->side = 7, "unknown kind");
	FORGE(ch->length = 0xffffffff, "damaged header of chunk 0");
	FORGE(ch->type = 77; ch->length = 63 << 20, "too large");
	FORGE(ch->seq = 5, "chunk 5 comes in place of 0");
	FORGE(ch->magic = 0, "damaged header");
	FORGE(ch->type = KS_CHUNK_RECORDS; ch->ring = 2; ch->count = 1; ch->length = 32, "ring");
	FORGE(ch->payload_crc ^= 1, "damaged payload of chunk 0");
#undef FORGE
	expect_refusal(http, sizeof(http) - 1, 0, "no trace");
	expect_refusal(host.p, host.n, KS_SIDE_GUEST, "trace of a host");
	free(host.p);
	free(copy);
}

static void refused_by_taker(void **state)
{
	struct taken t = { .refuse_at = 2 };
	struct ks_framing *f;

	(void)state;
	assert_int_equal(ks_framing_new(&f, 0, take, &t), 0);
	assert_int_equal(ks_framing_feed(f, trace.p, trace.n, NULL), -ENOSPC);
	assert_int_equal(ks_framing_chunks(f), 1);
	assert_int_equal(ks_framing_feed(f, trace.p, 1, NULL), -ENOSPC);
	ks_framing_free(f);
}

/* ---- collecting ---- */

struct seen {
	unsigned int n;
	int status[16];
	uint32_t cid[16];
	uint64_t bytes[16];
	char path[16][160];
	char reason[16][128];
};

static void note(void *ctx, const struct ks_collected *c)
{
	struct seen *s = ctx;

	if (s->n >= 16)
		return;
	s->status[s->n] = c->status;
	s->cid[s->n] = c->cid;
	s->bytes[s->n] = c->bytes;
	snprintf(s->path[s->n], sizeof(s->path[0]), "%s", c->path ? c->path : "");
	snprintf(s->reason[s->n], sizeof(s->reason[0]), "%s", c->reason ? c->reason : "");
	assert_int_equal(!!c->reason, !!c->status);
	s->n++;
}

struct sender {
	int fd;
	const char *p;
	size_t n;
	int linger_ms; /* before it closes */
	pthread_t thread;
};

static void *send_thread(void *arg)
{
	struct sender *s = arg;

	for (size_t at = 0; at < s->n;) {
		ssize_t k = send(s->fd, s->p + at, s->n - at, MSG_NOSIGNAL);

		if (k <= 0)
			break;
		at += (size_t)k;
	}
	poll(NULL, 0, s->linger_ms);
	close(s->fd);
	return NULL;
}

static void send_start(struct sender *s, int fd, const char *p, size_t n, int linger_ms)
{
	*s = (struct sender){ .fd = fd, .p = p, .n = n, .linger_ms = linger_ms };
	assert_int_equal(pthread_create(&s->thread, NULL, send_thread, s), 0);
}

/* One stream over a socket pair; what came of it is in *seen. */
static int one(const struct ks_collect_opts *o, const char *p, size_t n, int linger_ms,
	       struct seen *seen)
{
	struct sender s;
	int sv[2], ret;

	memset(seen, 0, sizeof(*seen));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	send_start(&s, sv[0], p, n, linger_ms);
	ret = ks_collect_one(sv[1], 5, o, note, seen);
	close(sv[1]);
	pthread_join(s.thread, NULL);
	assert_int_equal(seen->n, 1);
	assert_int_equal(seen->status[0], ret);
	return ret;
}

static uint64_t count_records(const char *path, bool *truncated)
{
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;
	uint64_t n = 0;

	assert_int_equal(ks_reader_open(&r, path, &err), 0);
	*truncated = ks_reader_truncated(r);
	while (ks_reader_next(r, &rec, &err) == 1)
		n += rec->type == KS_IDLE_ENTER;
	ks_reader_close(r);
	return n;
}

static void clean_stream(void **state)
{
	struct ks_collect_opts o = { 0 };
	char out[96], want[128];
	struct seen seen;
	struct tree t;
	bool cut;

	(void)state;
	tree_new(&t);
	snprintf(out, sizeof(out), "%s/run.kvs", t.root);
	o.out = out;
	for (int i = 1; i <= 3; i++) { /* the names of the second and third are new ones */
		char more[8] = "";

		if (i > 1)
			snprintf(more, sizeof(more), "-%d", i);
		snprintf(want, sizeof(want), "%s/run-cid5%s.kvs", t.root, more);
		assert_int_equal(one(&o, trace.p, trace.n, 0, &seen), 0);
		assert_string_equal(seen.path[0], want);
		assert_int_equal(seen.bytes[0], trace.n);
		assert_int_equal(count_records(want, &cut), RECORDS);
		assert_false(cut);
	}
	tree_free(&t);
}

static void broken_streams(void **state)
{
	struct ks_collect_opts o = { 0 };
	char out[96];
	struct seen seen;
	struct tree t;
	bool cut;

	(void)state;
	tree_new(&t);
	snprintf(out, sizeof(out), "%s/run", t.root);
	o.out = out;
	/* It says nothing, or not enough: no file. */
	assert_int_equal(one(&o, "", 0, 0, &seen), -EPIPE);
	assert_string_equal(seen.path[0], "");
	assert_int_equal(one(&o, trace.p, 63, 0, &seen), -EPIPE);
	assert_string_equal(seen.path[0], "");
	assert_int_equal(one(&o, http, sizeof(http) - 1, 0, &seen), -EPROTO);
	assert_string_equal(seen.path[0], "");
	/* It dies in mid-trace: a .partial that reads up to there. */
	assert_int_equal(one(&o, trace.p, trace.n - 100, 0, &seen), -EPIPE);
	assert_non_null(strstr(seen.path[0], "/run-cid5.kvs.partial"));
	assert_true(count_records(seen.path[0], &cut) > 0);
	assert_true(cut);
	/* The next one finds that name taken, and does not touch it. */
	assert_int_equal(one(&o, trace.p, trace.n, 0, &seen), 0);
	assert_non_null(strstr(seen.path[0], "/run-cid5-2.kvs"));
	tree_free(&t);
}

static void limits(void **state)
{
	struct ks_collect_opts o = { .max_bytes = 100000 };
	char out[96], *copy;
	struct timespec a, b;
	struct seen seen;
	struct tree t;
	struct stat st;
	double s;

	(void)state;
	tree_new(&t);
	snprintf(out, sizeof(out), "%s/run", t.root);
	o.out = out;
	assert_int_equal(one(&o, trace.p, trace.n, 0, &seen), -EFBIG);
	assert_int_equal(stat(seen.path[0], &st), 0);
	assert_true(st.st_size > 0 && st.st_size <= 100000);
	assert_non_null(strstr(seen.reason[0], "100000"));
	/* Slowed down: 5,000 records are 160 kB; the first 64 kB are free. */
	o.max_bytes = 0;
	o.max_rate = 64 << 10;
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(one(&o, trace.p, trace.n, 0, &seen), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	assert_true(s > ((double)trace.n / (64 << 10) - 1) * 0.9);
	/* It falls silent. */
	o.max_rate = 0;
	o.idle_ms = 100;
	copy = trace.p;
	assert_int_equal(one(&o, copy, 1000, 1500, &seen), -ETIMEDOUT);
	assert_string_equal(seen.reason[0], "it said nothing for 100 ms: cut off");
	tree_free(&t);
}

static volatile sig_atomic_t stop;

static void *stop_soon(void *arg)
{
	(void)arg;
	poll(NULL, 0, 200);
	stop = 1;
	return NULL;
}

static void stopped(void **state)
{
	struct ks_collect_opts o = { .stop = &stop };
	pthread_t thread;
	struct seen seen;
	char out[96];
	struct tree t;

	(void)state;
	tree_new(&t);
	snprintf(out, sizeof(out), "%s/run", t.root);
	o.out = out;
	stop = 0;
	pthread_create(&thread, NULL, stop_soon, NULL);
	assert_int_equal(one(&o, trace.p, trace.n - 1000, 1500, &seen), -EINTR);
	assert_non_null(strstr(seen.path[0], ".partial"));
	pthread_join(thread, NULL);
	tree_free(&t);
}

/* A listening socket that stands for vsock; all guests have CID 0 there. */
static int listen_unix(const struct tree *t, char *path, size_t size)
{
	struct sockaddr a = { .sa_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* Abstract names fit in 14 bytes. */
	snprintf(path, size, "%.13s", t->root + strlen(t->root) - 6);
	memcpy(a.sa_data + 1, path, strlen(path));
	assert_int_equal(bind(fd, &a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static int connect_unix(const char *path)
{
	struct sockaddr a = { .sa_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(a.sa_data + 1, path, strlen(path));
	assert_int_equal(connect(fd, &a, sizeof(a)), 0);
	return fd;
}

/* Two streams of one guest at the same time: the second is refused, the first goes on. */
static void two_at_once(void **state)
{
	struct ks_collect_opts o = { .expect = 1 };
	struct sender first, second;
	struct seen seen = { 0 };
	char out[96], path[16];
	struct tree t;
	int fd, c;

	(void)state;
	tree_new(&t);
	snprintf(out, sizeof(out), "%s/run", t.root);
	o.out = out;
	o.max_rate = 100000; /* so that the first one lasts */
	fd = listen_unix(&t, path, sizeof(path));
	c = connect_unix(path);
	send_start(&first, c, trace.p, trace.n, 0);
	c = connect_unix(path);
	send_start(&second, c, trace.p, trace.n, 0);
	assert_int_equal(ks_collect_run(fd, &o, note, &seen, NULL), 0);
	close(fd);
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.status[0], -EBUSY);
	assert_int_equal(seen.status[1], 0);
	assert_int_equal(seen.bytes[1], trace.n);
	tree_free(&t);
}

/* Over vsock itself, to this machine's own loopback. */
static void over_vsock(void **state)
{
	struct ks_collect_opts o = { .expect = 2 };
	struct ks_err err = { "" };
	struct sender s[2];
	struct seen seen = { 0 };
	char out[96];
	struct tree t;
	int fd, c;

	(void)state;
	fd = ks_vsock_listen(UINT32_MAX, 49031, &err);
	if (fd < 0) {
		print_message("no vsock here: %s\n", err.msg);
		skip();
	}
	c = ks_vsock_connect(1, 49031, 1000, &err); /* VMADDR_CID_LOCAL */
	if (c < 0) {
		close(fd);
		print_message("no vsock loopback here: %s\n", err.msg);
		skip();
	}
	tree_new(&t);
	snprintf(out, sizeof(out), "%s/run", t.root);
	o.out = out;
	send_start(&s[0], c, trace.p, trace.n, 0);
	assert_int_equal(ks_collect_run(fd, &(struct ks_collect_opts){ .out = out, .expect = 1 },
					note, &seen, &err),
			 0);
	c = ks_vsock_connect(1, 49031, 1000, &err);
	send_start(&s[1], c, trace.p, trace.n, 0);
	o.expect = 1;
	assert_int_equal(ks_collect_run(fd, &o, note, &seen, &err), 0);
	close(fd);
	for (int i = 0; i < 2; i++)
		pthread_join(s[i].thread, NULL);
	assert_int_equal(seen.n, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(seen.status[i], 0);
		assert_int_equal(seen.cid[i], 1);
		assert_int_equal(seen.bytes[i], trace.n);
	}
	tree_free(&t);
}

static void vsock_errors(void **state)
{
	struct ks_err err = { "" };
	uint32_t cid;
	int fd;

	(void)state;
	/* Nobody listens there: a reason, and no hang. */
	fd = ks_vsock_connect(KS_VSOCK_HOST, 4, 300, &err);
	assert_true(fd < 0);
	assert_int_not_equal(err.msg[0], 0);
	fd = ks_vsock_listen(UINT32_MAX, 49032, &err);
	if (fd >= 0) {
		assert_int_equal(ks_vsock_listen(UINT32_MAX, 49032, &err), -EADDRINUSE);
		assert_non_null(strstr(err.msg, "49032"));
		assert_int_equal(ks_vsock_accept(fd, &cid, 50), -ETIMEDOUT);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_in_pieces), cmocka_unit_test(flipped),
		cmocka_unit_test(forged),	   cmocka_unit_test(refused_by_taker),
		cmocka_unit_test(clean_stream),	   cmocka_unit_test(broken_streams),
		cmocka_unit_test(limits),	   cmocka_unit_test(stopped),
		cmocka_unit_test(two_at_once),	   cmocka_unit_test(over_vsock),
		cmocka_unit_test(vsock_errors),
	};

	return cmocka_run_group_tests_name("sys collect", tests, setup, teardown);
}
