// SPDX-License-Identifier: GPL-2.0
/* One loop, one buffer, no threads: guests are served in turn, each within its limits. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect.h"
#include "err.h"
#include "now.h"
#include "sink.h"
#include "vsock.h"

#define MAX_STREAMS 1000u /* of one guest in one run: file names, and lines of somebody's log */
#define TICK_MS 500	  /* how late a stop may be noticed */
#define READ_MAX (64u << 10)

/* A guest, across its streams. */
struct guest {
	struct guest *next;
	uint32_t cid;
	unsigned int files; /* names tried */
	unsigned int streams;
	uint64_t bytes;
};

struct conn {
	int fd;
	struct guest *guest;
	struct ks_framing *framing;
	struct ks_sink sink;
	bool open;	 /* the sink is */
	uint64_t bytes;	 /* written of this stream */
	uint64_t heard;	 /* time of the last byte, ns */
	double credit;	 /* bytes it may send now */
	uint64_t topped; /* time when the credit was counted, ns */
	int status;
	struct ks_err err; /* why status is not 0 */
	const struct ks_collect_opts *opts;
};

struct server {
	struct ks_collect_opts opts;
	ks_collected_fn fn;
	void *ctx;
	struct guest *guests;
	struct conn **conn;
	unsigned int n, ended;
	char *buf;
};

/* "DIR/NAME-cidN.kvs", "DIR/NAME-cidN-2.kvs", ... */
static char *file_name(const char *out, uint32_t cid, unsigned int number)
{
	size_t n = strlen(out);
	char *name = NULL, more[16] = "";

	if (n > 4 && !strcmp(out + n - 4, ".kvs"))
		n -= 4;
	if (number > 1)
		snprintf(more, sizeof(more), "-%u", number);
	if (asprintf(&name, "%.*s-cid%u%s.kvs", (int)n, out, cid, more) < 0)
		return NULL;
	return name;
}

/* The first name that is free; leftovers of former runs are not touched. */
static int open_sink(struct conn *c)
{
	int ret = -EEXIST;

	while (ret == -EEXIST || ret == -EBUSY) {
		char *name;

		if (c->guest->files >= MAX_STREAMS)
			return ks_fail(&c->err, -EFBIG, "more than %u files of one guest",
				       MAX_STREAMS);
		name = file_name(c->opts->out, c->guest->cid, ++c->guest->files);
		if (!name)
			return ks_fail(&c->err, -ENOMEM, "out of memory");
		ret = access(name, F_OK) ? ks_sink_open(&c->sink, name, &c->err) : -EEXIST;
		free(name);
	}
	c->open = !ret;
	return ret;
}

/* A whole unit of the trace: to the file with it, if there is room for it. */
static int write_unit(void *ctx, const void *unit, size_t len)
{
	struct conn *c = ctx;
	struct iovec iov = { .iov_base = (void *)unit, .iov_len = len };
	int ret;

	if (len > c->opts->max_bytes - c->guest->bytes)
		return ks_fail(&c->err, -EFBIG, "more than %llu bytes: cut off (--max-bytes)",
			       (unsigned long long)c->opts->max_bytes);
	ret = c->open ? 0 : open_sink(c);
	if (ret)
		return ret;
	ret = ks_sink_write(&c->sink, &iov, 1);
	if (ret)
		return ks_fail(&c->err, ret, "%s: %s", c->sink.partial, strerror(-ret));
	c->bytes += len;
	c->guest->bytes += len;
	return 0;
}

static struct conn *conn_new(struct server *s, int fd, struct guest *g)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c || ks_framing_new(&c->framing, KS_SIDE_GUEST, write_unit, c)) {
		free(c);
		return NULL;
	}
	c->fd = fd;
	c->guest = g;
	c->opts = &s->opts;
	c->heard = c->topped = ks_now_ns();
	c->credit = (double)s->opts.max_rate;
	return c;
}

static void say(const struct server *s, const struct conn *c, const char *path)
{
	struct ks_collected r = {
		.cid = c->guest->cid,
		.path = path,
		.bytes = c->bytes,
		.chunks = ks_framing_chunks(c->framing),
		.status = c->status,
		.reason = c->status ? c->err.msg : NULL,
	};

	if (s->fn)
		s->fn(s->ctx, &r);
}

/* Close the file under the name that it has earned, and report. */
static void conn_end(struct server *s, struct conn *c)
{
	char *path = c->open ? strdup(c->sink.path) : NULL;
	char *partial = c->open ? strdup(c->sink.partial) : NULL;

	if (c->open && !c->status)
		c->status = ks_sink_finish(&c->sink, &c->err);
	else if (c->open)
		ks_sink_drop(&c->sink);
	say(s, c, c->status ? partial : path);
	free(path);
	free(partial);
	ks_framing_free(c->framing);
	free(c);
}

static int early_end(struct conn *c)
{
	if (!c->bytes)
		return ks_fail(&c->err, -EPIPE, "it closed the connection without a word");
	return ks_fail(&c->err, -EPIPE, "it ended in mid-trace: what came is readable");
}

/* Returns 1 when the stream is over: c->status tells how. */
static int conn_read(struct server *s, struct conn *c, uint64_t now)
{
	size_t want = c->credit < (double)READ_MAX ? (size_t)c->credit : READ_MAX;
	ssize_t n = read(c->fd, s->buf, want ? want : 1);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		c->status = n ? ks_fail(&c->err, -errno, "%s", strerror(errno)) : early_end(c);
		return 1;
	}
	c->heard = now;
	c->credit -= (double)n;
	c->status = ks_framing_feed(c->framing, s->buf, (size_t)n, &c->err);
	return c->status || ks_framing_clean(c->framing);
}

static void top_up(struct conn *c, uint64_t now)
{
	double rate = (double)c->opts->max_rate;

	c->credit += rate * (double)(now - c->topped) / 1e9;
	if (c->credit > rate) /* at most what comes in a second */
		c->credit = rate;
	c->topped = now;
}

/* Enough for a read that is worth its while. */
static bool may_read(const struct conn *c)
{
	return c->credit >= READ_MAX / 16.0 || c->credit >= (double)c->opts->max_rate / 2;
}

static int conn_turn(struct server *s, struct conn *c, short events, uint64_t now)
{
	if (events && may_read(c))
		return conn_read(s, c, now);
	if (!events && (now - c->heard) / 1000000 > (uint64_t)s->opts.idle_ms) {
		bool whole = s->opts.idle_ms % 1000 == 0;

		c->status = ks_fail(&c->err, -ETIMEDOUT, "it said nothing for %d %s: cut off",
				    s->opts.idle_ms / (whole ? 1000 : 1), whole ? "s" : "ms");
		return 1;
	}
	return 0;
}

static struct guest *find_guest(struct server *s, uint32_t cid)
{
	struct guest *g;

	for (g = s->guests; g; g = g->next)
		if (g->cid == cid)
			return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->cid = cid;
	g->next = s->guests;
	s->guests = g;
	return g;
}

static const char *refusal(const struct server *s, uint32_t cid)
{
	/* Also what keeps one guest from taking all places. */
	for (unsigned int i = 0; i < s->n; i++)
		if (s->conn[i]->guest->cid == cid)
			return "a second stream at the same time: refused";
	return s->n >= s->opts.max_guests ? "too many guests at the same time: refused" : NULL;
}

static void refuse(const struct server *s, int fd, uint32_t cid, const char *why)
{
	struct ks_collected r = { .cid = cid, .status = -EBUSY, .reason = why };

	close(fd);
	if (s->fn)
		s->fn(s->ctx, &r);
}

static void take_conn(struct server *s, int listen_fd)
{
	uint32_t cid;
	int fd = ks_vsock_accept(listen_fd, &cid, 0);
	const char *why;
	struct guest *g;
	struct conn *c;

	if (fd < 0)
		return;
	g = find_guest(s, cid);
	if (g && g->streams > MAX_STREAMS) {
		close(fd);
		return;
	}
	why = g ? refusal(s, cid) : "out of memory";
	if (g && ++g->streams > MAX_STREAMS)
		why = "a thousand streams: no more of this guest until collect is begun anew";
	c = why ? NULL : conn_new(s, fd, g);
	if (c)
		s->conn[s->n++] = c;
	else
		refuse(s, fd, cid, why ? why : "out of memory");
}

static void drop_conn(struct server *s, unsigned int i, bool close_fd)
{
	struct conn *c = s->conn[i];

	s->conn[i] = s->conn[--s->n];
	s->ended++;
	if (close_fd)
		close(c->fd);
	conn_end(s, c);
}

static bool done(const struct server *s)
{
	return (s->opts.stop && *s->opts.stop) || (s->opts.expect && s->ended >= s->opts.expect);
}

/* Wait for bytes of those who may send, and for new ones. */
static int wait_for_work(struct server *s, struct pollfd *p, int listen_fd)
{
	uint64_t now = ks_now_ns();
	int timeout = TICK_MS;

	for (unsigned int i = 0; i < s->n; i++) {
		top_up(s->conn[i], now);
		p[i] = (struct pollfd){ .fd = s->conn[i]->fd, .events = POLLIN };
		if (may_read(s->conn[i]))
			continue;
		p[i].fd = -1;
		s->conn[i]->heard = now; /* it is us who are not listening */
		timeout = 10;
	}
	p[s->n] = (struct pollfd){ .fd = listen_fd, .events = POLLIN };
	if (poll(p, s->n + 1, timeout) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int serve(struct server *s, int listen_fd, bool close_fds)
{
	struct pollfd *p = calloc(s->opts.max_guests + 1, sizeof(*p));
	int ret = p ? 0 : -ENOMEM;

	while (!ret && !done(s)) {
		unsigned int listener = s->n;
		uint64_t now;

		ret = wait_for_work(s, p, listen_fd);
		now = ks_now_ns();
		/* From the end: a dropped one is replaced by one that has had its turn. */
		for (unsigned int i = s->n; !ret && i-- > 0;)
			if (conn_turn(s, s->conn[i], p[i].revents, now))
				drop_conn(s, i, close_fds);
		if (!ret && p[listener].revents)
			take_conn(s, listen_fd);
	}
	free(p);
	return ret;
}

static int server_init(struct server *s, const struct ks_collect_opts *opts, ks_collected_fn fn,
		       void *ctx)
{
	memset(s, 0, sizeof(*s));
	s->opts = *opts;
	s->fn = fn;
	s->ctx = ctx;
	if (!s->opts.max_bytes)
		s->opts.max_bytes = 1ull << 30;
	if (!s->opts.max_rate)
		s->opts.max_rate = 64ull << 20;
	if (!s->opts.max_guests)
		s->opts.max_guests = 64;
	if (!s->opts.idle_ms)
		s->opts.idle_ms = 30000;
	s->conn = calloc(s->opts.max_guests, sizeof(*s->conn));
	s->buf = malloc(READ_MAX);
	return s->conn && s->buf ? 0 : -ENOMEM;
}

static void server_free(struct server *s, bool close_fds)
{
	while (s->n) {
		struct conn *c = s->conn[s->n - 1];

		c->status = ks_fail(&c->err, -EINTR, "stopped in mid-trace: what came is readable");
		drop_conn(s, s->n - 1, close_fds);
	}
	while (s->guests) {
		struct guest *g = s->guests;

		s->guests = g->next;
		free(g);
	}
	free(s->conn);
	free(s->buf);
}

int ks_collect_run(int listen_fd, const struct ks_collect_opts *opts, ks_collected_fn fn, void *ctx,
		   struct ks_err *err)
{
	struct server s;
	int ret = server_init(&s, opts, fn, ctx);

	if (!ret)
		ret = serve(&s, listen_fd, true);
	server_free(&s, true);
	return ret ? ks_fail(err, ret, "collect: %s", strerror(-ret)) : 0;
}

struct one {
	ks_collected_fn fn;
	void *ctx;
	int status;
};

static void take_one(void *ctx, const struct ks_collected *c)
{
	struct one *o = ctx;

	o->status = c->status;
	if (o->fn)
		o->fn(o->ctx, c);
}

int ks_collect_one(int fd, uint32_t cid, const struct ks_collect_opts *opts, ks_collected_fn fn,
		   void *ctx)
{
	struct one one = { .fn = fn, .ctx = ctx, .status = -ENOMEM };
	struct server s;
	struct guest *g;
	int ret = server_init(&s, opts, take_one, &one);

	s.opts.max_guests = 1;
	s.opts.expect = 1;
	g = ret ? NULL : find_guest(&s, cid);
	if (g)
		s.conn[0] = conn_new(&s, fd, g);
	if (g && s.conn[0]) {
		s.n = 1;
		ret = serve(&s, -1, false);
	}
	server_free(&s, false);
	return ret ? ret : one.status;
}
