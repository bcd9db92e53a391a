// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "callers.h"
#include "err.h"
#include "hello.h"
#include "now.h"
#include "pages.h"
#include "prove.h"
#include "refusal.h"
#include "vsock.h"

#define CONNECTIONS (2 * KS_LP_GUESTS) /* one of a guest, and one that waits for its end */
#define PROVE_NS 1000000000u
#define SILENCE_NS (KS_LP_SILENCE_MS * 1000000ull)
#define BEAT_NS (KS_LP_BEAT_MS * 1000000ull)

/* Parts of the time: for callers at the door, and for hellos to be proved. */
#define DOOR_NTH 16
#define PROOF_NTH 8

#define MESSAGES_PER_TURN 64
#define SPARE_BEATS 16 /* that may come at once, after a while without a turn */

struct guest {
	int fd;
	uint32_t cid, tgid;
	bool said;    /* ... something */
	bool waits;   /* its hello is whole, and to be proved */
	bool greeted; /* its hello was taken */
	bool silent;  /* so it is not believed just now */
	bool deaf;    /* what it has said up to now is from before a reset */
	bool second;  /* another connection of the same guest came first */
	struct ks_lp_hello hello;
	struct ks_lp_vm vm;
	uint64_t came, heard, proved;
	uint64_t beat, beats; /* the number of the last one, and how many came */
	uint64_t resets;
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
	struct ks_page_reader reader;
	struct guest *guest[CONNECTIONS];
	struct pollfd fds[CONNECTIONS + 1];
	unsigned int n;
	struct ks_callers callers;
	struct ks_budget door, proof;
};

/* The time since *from of this thread on a CPU is used up; *from is moved on. */
static void use(struct ks_budget *b, uint64_t *from)
{
	uint64_t now = ks_clock_ns(CLOCK_THREAD_CPUTIME_ID);

	ks_budget_use(b, ks_now_ns(), now - *from);
	*from = now;
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

	p->reader.news(p->reader.ctx, &news);
}

static uint64_t resets_of(const struct ks_pages *p, const struct guest *g)
{
	return p->reader.resets ? p->reader.resets(p->reader.ctx, g->tgid) : 0;
}

/* Who never said a word, as a guest that asks whether anybody listens, is no news. error: see refusal.h. */
static void drop(struct ks_pages *p, unsigned int i, int error, const char *reason)
{
	struct guest *g = p->guest[i];

	p->guest[i] = p->guest[--p->n];
	if (g->greeted || g->said)
		tell(p, g, NULL, reason);
	ks_refusal_say(g->fd, error);
	close(g->fd);
	free(g);
}

/* ---- who calls ---- */

/* Another connection of the same guest, the first of two or the second. */
static struct guest *other_of(const struct ks_pages *p, uint32_t cid, bool second)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (p->guest[i]->cid == cid && p->guest[i]->second == second)
			return p->guest[i];
	return NULL;
}

/* Who is not believed anyway may call again; of those, the one that has been silent for longest. */
static bool make_room(struct ks_pages *p)
{
	unsigned int i, at = p->n;

	for (i = 0; i < p->n; i++)
		if (p->guest[i]->silent && (at == p->n || p->guest[i]->heard < p->guest[at]->heard))
			at = i;
	if (at == p->n)
		return false;
	drop(p, at, -EBUSY, "silent, and others need the room");
	return true;
}

void ks_pages_take(struct ks_pages *p, int fd, uint32_t cid)
{
	struct guest refused = { .cid = cid }, *g = NULL;
	const char *why = NULL;

	if (!ks_callers_may(&p->callers, cid, KS_CALL_CONNECT, ks_now_ns()) ||
	    other_of(p, cid, true)) {
		close(fd);
		return;
	}
	if (p->n == CONNECTIONS && !make_room(p))
		why = "too many guests publish";
	else if (!(g = calloc(1, sizeof(*g))))
		why = "out of memory";
	if (!g) {
		tell(p, &refused, NULL, why);
		ks_refusal_say(fd, -EBUSY);
		close(fd);
		return;
	}
	g->fd = fd;
	g->cid = cid;
	g->came = g->heard = ks_now_ns();
	g->second = other_of(p, cid, false);
	p->guest[p->n++] = g;
}

/* Whoever waits at the door, for others get no place there: one guest alone can fill it. */
static void take_new(struct ks_pages *p)
{
	uint64_t from = ks_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	uint32_t cid;

	while (ks_budget_left(&p->door, ks_now_ns())) {
		int fd = ks_vsock_accept(p->listen_fd, &cid, 0);

		if (fd < 0)
			break;
		ks_pages_take(p, fd, cid);
		use(&p->door, &from);
	}
}

static void tell_refused(struct ks_pages *p)
{
	struct guest who = { 0 };
	uint64_t now = ks_now_ns(), n;
	char why[80];

	while (ks_callers_refused(&p->callers, now, &who.cid, &n)) {
		snprintf(why, sizeof(why), "it calls too often: refused %llu times",
			 (unsigned long long)n);
		/* A page of it that is believed still is: that process is not told. */
		tell(p, &who, NULL, why);
	}
}

/* ---- messages ---- */

static int greeted(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	uint64_t ram = 0;
	int ret = ks_prove_vm(p->root, g->cid, &g->tgid, &ram, err);

	if (!ret) {
		g->resets = resets_of(p, g);
		ret = ks_prove_find(p->root, g->tgid, ram, &g->hello, &g->vm, err);
	}
	if (ret)
		return ret;
	g->vm.resets = g->resets;
	g->greeted = true;
	g->waits = false;
	g->proved = g->heard = ks_now_ns();
	tell(p, g, &g->vm, NULL);
	return 0;
}

static struct guest *waits_longest(const struct ks_pages *p, unsigned int *at)
{
	struct guest *g = NULL;
	unsigned int i;

	for (i = 0; i < p->n; i++) {
		if (!p->guest[i]->waits || (g && p->guest[i]->heard >= g->heard))
			continue;
		g = p->guest[i];
		*at = i;
	}
	return g;
}

/* First come, first served: nobody who says hello often is served twice before all others. */
static void prove_waiting(struct ks_pages *p)
{
	uint64_t from = ks_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct guest *g;
	unsigned int at;

	while (ks_budget_left(&p->proof, ks_now_ns()) && (g = waits_longest(p, &at))) {
		struct ks_err err;
		int ret = greeted(p, g, &err);

		if (ret)
			drop(p, at, ret, err.msg);
		use(&p->proof, &from);
	}
}

static int again(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	struct ks_lp_vm before = g->vm;
	int ret = ks_prove_again(p->root, g->tgid, &g->hello, &g->vm, err);

	g->proved = ks_now_ns();
	g->vm.resets = g->resets;
	if (!ret && (g->silent || memcmp(&before, &g->vm, sizeof(before))))
		tell(p, g, &g->vm, NULL);
	if (!ret)
		g->silent = false;
	return ret;
}

static int beat(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	int ret = ks_beat_check(&g->in.beat, g->got, g->beat, err);

	if (ret)
		return ret;
	g->beat = g->in.beat.number;
	if (++g->beats > 2 * (g->heard - g->came) / BEAT_NS + SPARE_BEATS)
		return ks_fail(err, -EPROTO, "it beats too often");
	return g->silent && !g->deaf ? again(p, g, err) : 0;
}

static int message(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	int ret;

	g->heard = ks_now_ns();
	if (g->greeted)
		return beat(p, g, err);
	ret = ks_hello_check(&g->in.hello, g->got, &g->hello, err);
	if (ret)
		return ret;
	if (!ks_callers_may(&p->callers, g->cid, KS_CALL_HELLO, g->heard))
		return ks_fail(err, -EBUSY, "it says hello too often");
	g->waits = true;
	return 0;
}

/* One read. 0; 1: nothing more for now; or why the guest is to be dropped. */
static int hear_one(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	size_t want = g->greeted ? sizeof(g->in.beat) : sizeof(g->in.hello);
	ssize_t n;
	int ret;

	if (g->waits)
		return 1;
	n = recv(g->fd, g->in.bytes + g->got, want - g->got, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n <= 0)
		return ks_fail(err, -EPIPE, "the publisher has ended");
	g->said = true;
	g->got += (size_t)n;
	if (g->got < want)
		return 0;
	ret = message(p, g, err);
	g->got = 0;
	return ret;
}

/* All that has come in: what stayed behind would be taken for a sign of life later. */
static int hear(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	int i, ret = 0;

	for (i = 0; i < MESSAGES_PER_TURN && !ret; i++)
		ret = hear_one(p, g, err);
	if (ret <= 0)
		return ret;
	g->deaf = false;
	return 0;
}

/* ---- what time brings ---- */

static void no_longer(struct ks_pages *p, struct guest *g, const char *reason)
{
	if (!g->silent)
		tell(p, g, NULL, reason);
	g->silent = true;
}

/* Before anything is heard, so that nothing of before is taken for a word of after. */
static void look_for_reset(struct ks_pages *p, struct guest *g)
{
	uint64_t resets = g->greeted ? resets_of(p, g) : 0;

	if (resets == g->resets)
		return;
	g->resets = resets;
	g->deaf = true;
	no_longer(p, g, "its VM was reset or restored: not believed until it is heard again");
}

static int look_after_second(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	const struct guest *first = other_of(p, g->cid, false);

	if (!first) {
		g->second = false;
		g->heard = ks_now_ns();
	} else if (first->heard > g->came) {
		g->said = true; /* this is news */
		return ks_fail(err, -EBUSY, "it publishes already: a second publisher is refused");
	}
	return 0;
}

static int look_after(struct ks_pages *p, struct guest *g, struct ks_err *err)
{
	uint64_t now = ks_now_ns();

	if (g->second)
		return look_after_second(p, g, err);
	if (g->waits)
		return 0;
	if (!g->greeted)
		return now - g->heard > SILENCE_NS ? ks_fail(err, -ETIMEDOUT, "it said nothing") :
						     0;
	if (now - g->heard > SILENCE_NS)
		no_longer(p, g, "silent: not believed until it is heard again");
	if (!g->silent)
		return now - g->proved > PROVE_NS ? again(p, g, err) : 0;
	if (other_of(p, g->cid, true))
		return ks_fail(err, -ESTALE, "the guest has connected anew");
	return 0;
}

static int turn_of(struct ks_pages *p, struct guest *g, bool ready, struct ks_err *err)
{
	int ret = 0;

	if (ready)
		ret = hear(p, g, err);
	else
		g->deaf = false;
	return ret ? ret : look_after(p, g, err);
}

int ks_pages_turn(struct ks_pages *p, int timeout_ms)
{
	struct pollfd *fds = p->fds;
	struct ks_err err;
	unsigned int i, listener = p->n;
	int ret;

	for (i = 0; i < p->n; i++) {
		struct guest *g = p->guest[i];

		look_for_reset(p, g);
		fds[i] = (struct pollfd){ .fd = g->waits || g->second ? -1 : g->fd,
					  .events = POLLIN };
	}
	fds[listener] = (struct pollfd){
		.fd = ks_budget_left(&p->door, ks_now_ns()) ? p->listen_fd : -1,
		.events = POLLIN,
	};
	if (poll(fds, p->n + 1, timeout_ms) < 0)
		return -errno;
	/* From the end: a dropped one is replaced by one that has had its turn. */
	for (i = listener; i-- > 0;) {
		ret = turn_of(p, p->guest[i], fds[i].revents, &err);
		if (ret)
			drop(p, i, ret, err.msg);
	}
	prove_waiting(p);
	if (fds[listener].revents)
		take_new(p);
	tell_refused(p);
	return 0;
}

int ks_pages_new(struct ks_pages **out, int listen_fd, const char *root,
		 const struct ks_page_reader *reader)
{
	struct ks_pages *p = calloc(1, sizeof(*p));
	int flags = fcntl(listen_fd, F_GETFL);

	if (!p)
		return -ENOMEM;
	/* A caller that is gone again must not keep us at the door. */
	if (flags >= 0)
		fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK);
	p->listen_fd = listen_fd;
	p->root = root;
	p->reader = *reader;
	p->door.nth = DOOR_NTH;
	p->proof.nth = PROOF_NTH;
	*out = p;
	return 0;
}

void ks_pages_free(struct ks_pages *p)
{
	while (p && p->n)
		drop(p, p->n - 1, 0, "nobody reads it any more");
	free(p);
}
