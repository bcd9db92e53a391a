// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "hello.h"
#include "pages.h"
#include "prove.h"
#include "vsock.h"

#define MAX_GUESTS 64u
#define PROVE_NS 1000000000u
#define SILENCE_NS (KS_LP_SILENCE_MS * 1000000ull)

struct guest {
	int fd;
	uint32_t cid, tgid;
	bool said;    /* ... something */
	bool greeted; /* its hello was taken */
	bool silent;  /* so it is not believed just now */
	struct ks_lp_hello hello;
	struct ks_lp_vm vm;
	uint64_t heard, proved, beat;
	size_t got; /* bytes of the message that is coming in */
	union {
		struct ks_lp_hello hello;
		struct ks_lp_beat beat;
		char bytes[sizeof(struct ks_lp_hello)];
	} in;
};

struct ks_pages {
	int listen_fd;
	const char *root;
	ks_page_news_fn fn;
	void *ctx;
	struct guest *guest[MAX_GUESTS];
	unsigned int n;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void tell(const struct ks_pages *p, const struct guest *g, const struct ks_lp_vm *vm,
		 const char *reason)
{
	struct ks_page_news news = {
		.cid = g->cid,
		.tgid = g->tgid,
		.vm = vm,
		.reason = reason,
	};

	p->fn(p->ctx, &news);
}

/* Who never said a word, as a guest that asks whether anybody listens, is no news. */
static void drop(struct ks_pages *p, unsigned int i, const char *reason)
{
	struct guest *g = p->guest[i];

	p->guest[i] = p->guest[--p->n];
	if (g->greeted || g->said)
		tell(p, g, NULL, reason);
	close(g->fd);
	free(g);
}

/* Another connection from the same VM: one publisher at a time, the first. */
static bool is_known(const struct ks_pages *p, uint32_t cid)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (p->guest[i]->cid == cid)
			return true;
	return false;
}

void ks_pages_take(struct ks_pages *p, int fd, uint32_t cid)
{
	struct guest refused = { .cid = cid }, *g = NULL;
	const char *why = NULL;

	if (is_known(p, cid))
		why = "it publishes already: a second publisher is refused";
	else if (p->n == MAX_GUESTS)
		why = "too many guests publish";
	else if (!(g = calloc(1, sizeof(*g))))
		why = "out of memory";
	if (!g) {
		/* The tgid of the first one is not told: that one goes on. */
		tell(p, &refused, NULL, why);
		close(fd);
		return;
	}
	g->fd = fd;
	g->cid = cid;
	g->heard = now_ns();
	p->guest[p->n++] = g;
}

static void take_new(struct ks_pages *p)
{
	uint32_t cid;
	int fd = ks_vsock_accept(p->listen_fd, &cid, 0);

	if (fd >= 0)
		ks_pages_take(p, fd, cid);
}

/* ---- messages ---- */

static int greeted(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	uint64_t ram = 0;
	int ret = ks_hello_check(&g->in.hello, g->got, &g->hello, err);

	if (!ret)
		ret = ks_prove_vm(p->root, g->cid, &g->tgid, &ram, err);
	if (!ret)
		ret = ks_prove_find(p->root, g->tgid, ram, &g->hello, &g->vm, err);
	if (ret)
		return ret;
	g->greeted = true;
	g->proved = g->heard;
	tell(p, g, &g->vm, NULL);
	return 0;
}

static int again(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	struct ks_lp_vm before = g->vm;
	int ret = ks_prove_again(p->root, g->tgid, &g->hello, &g->vm, err);

	g->proved = now_ns();
	if (!ret && (g->silent || memcmp(&before, &g->vm, sizeof(before))))
		tell(p, g, &g->vm, NULL);
	if (!ret)
		g->silent = false;
	return ret;
}

static int message(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	int ret;

	if (!g->greeted)
		return greeted(p, g, err);
	ret = ks_beat_check(&g->in.beat, g->got, g->beat, err);
	g->beat = g->in.beat.number;
	return !ret && g->silent ? again(p, g, err) : ret;
}

/* One read; 0, or why the guest is to be dropped. */
static int hear(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	size_t want = g->greeted ? sizeof(g->in.beat) : sizeof(g->in.hello);
	ssize_t n = recv(g->fd, g->in.bytes + g->got, want - g->got, MSG_DONTWAIT);
	int ret;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return ks_fail(err, -EPIPE, "the publisher has ended");
	g->said = true;
	g->got += (size_t)n;
	if (g->got < want)
		return 0;
	g->heard = now_ns();
	ret = message(p, g, err);
	g->got = 0;
	return ret;
}

/* What time brings. */
static int look_after(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	uint64_t now = now_ns();

	if (now - g->heard > SILENCE_NS && !g->greeted)
		return ks_fail(err, -ETIMEDOUT, "it said nothing");
	if (!g->greeted || g->silent)
		return 0;
	if (now - g->heard > SILENCE_NS) {
		g->silent = true;
		tell(p, g, NULL, "silent: not believed until it is heard again");
		return 0;
	}
	return now - g->proved > PROVE_NS ? again(p, g, err) : 0;
}

int ks_pages_turn(struct ks_pages *p, int timeout_ms)
{
	struct pollfd fds[MAX_GUESTS + 1];
	struct ks_err err;
	unsigned int i, listener = p->n;

	for (i = 0; i < p->n; i++)
		fds[i] = (struct pollfd){ .fd = p->guest[i]->fd, .events = POLLIN };
	fds[listener] = (struct pollfd){ .fd = p->listen_fd, .events = POLLIN };
	if (poll(fds, p->n + 1, timeout_ms) < 0)
		return -errno;
	/* From the end: a dropped one is replaced by one that has had its turn. */
	for (i = listener; i-- > 0;) {
		int ret = fds[i].revents ? hear(p, p->guest[i], &err) : 0;

		if (!ret)
			ret = look_after(p, p->guest[i], &err);
		if (ret)
			drop(p, i, err.msg);
	}
	if (fds[listener].revents)
		take_new(p);
	return 0;
}

int ks_pages_new(struct ks_pages **out, int listen_fd, const char *root, ks_page_news_fn fn,
		 void *ctx)
{
	struct ks_pages *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->listen_fd = listen_fd;
	p->root = root;
	p->fn = fn;
	p->ctx = ctx;
	*out = p;
	return 0;
}

void ks_pages_free(struct ks_pages *p)
{
	while (p && p->n)
		drop(p, p->n - 1, "nobody reads it any more");
	free(p);
}
