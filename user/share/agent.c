// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "agent.h"
#include "force.h"
#include "now.h"
#include "vsock.h"

#define SWEEP_US 500000
#define SETTLED_MS 100	  /* interrupts and domains follow when CPUs have not changed for so long */
#define AGAIN_US 10000000 /* interrupts do not stay: irqbalance looks so often */

static uint64_t now_us(void)
{
	return ks_now_ns() / 1000;
}

/*
 * Once CPUs are given up we stay on one that is left: a question then wakes one vCPU, and is answered before a second
 * one would be awake. One that comes back is not for us: it may be given up again, and if we are late with that the host
 * holds it down, with us on it. No matter if it fails.
 */
static void stay(struct ks_agent *a, const struct ks_cpus *may, const struct ks_cpus *online)
{
	struct ks_cpus one = { 0 };

	if (!a->stays || !ks_cpus_has(may, a->cpu)) {
		a->stays = !ks_cpus_same(may, online);
		a->cpu = ks_cpus_next(may, 0);
	}
	ks_cpus_add(&one, a->cpu);
	ks_pin_write(0, a->stays ? &one : online);
}

static uint32_t release(struct ks_agent *a, const struct ks_cpus *online)
{
	int ret = ks_confine_release(a->confine);

	a->stays = false;
	ks_pin_write(0, online);
	return ret ? KS_AGENT_FAILED : KS_AGENT_DONE;
}

/* The kernel answers when no task is on the given-up CPUs any more; that they idle the host sees for itself. */
static uint32_t confine(struct ks_agent *a, const struct ks_agent_ask *ask,
			const struct ks_agent_answer *answer)
{
	struct ks_cpus cpus = ask->cpus, possible, usable;
	unsigned int i;

	/* Those that there cannot be are in no cpuset; one that is offline may come. */
	ks_confine_possible(a->confine, &possible);
	for (i = 0; i < KS_CPUS_WORDS; i++) {
		cpus.word[i] &= possible.word[i];
		usable.word[i] = cpus.word[i] & answer->online.word[i];
	}
	if (!ks_cpus_count(&usable) || ks_confine_set(a->confine, &cpus))
		return KS_AGENT_FAILED;
	stay(a, &usable, &answer->online);
	a->changed = now_us();
	return KS_AGENT_DONE;
}

static uint32_t act(struct ks_agent *a, const struct ks_agent_ask *ask,
		    const struct ks_agent_answer *answer)
{
	switch (ask->what) {
	case KS_AGENT_CONFINE:
		return confine(a, ask, answer);
	case KS_AGENT_RELEASE:
		return release(a, &answer->online);
	default:
		return KS_AGENT_DONE;
	}
}

int ks_agent_serve(struct ks_agent *a, int fd)
{
	struct ks_agent_answer answer;
	struct ks_agent_ask ask;
	uint64_t begun;
	char in[sizeof(ask)];
	int ret = ks_agent_receive(fd, in, sizeof(in), KS_AGENT_TIMEOUT_MS);

	if (ret)
		return ret;
	begun = now_us();
	ret = (int)ks_agent_check_ask(in, sizeof(in), &ask);
	ks_agent_answer_init(&answer, ask.number);
	ks_confine_online(a->confine, &answer.online);
	answer.result = ret ? (uint32_t)ret : act(a, &ask, &answer);
	answer.may = *ks_confine_may(a->confine);
	answer.stuck = ks_confine_stuck(a->confine);
	answer.took_us = (uint32_t)(now_us() - begun);
	ret = ks_agent_send(fd, &answer, sizeof(answer), KS_AGENT_TIMEOUT_MS);
	if (a->heard)
		a->heard(a->ctx, &ask, &answer);
	return ret;
}

/* After each wait, so that nobody who calls all the time keeps us from it. */
static void tidy_up(struct ks_agent *a)
{
	uint64_t now = now_us();

	if (!a->swept)
		a->changed = now; /* a predecessor may not have come to it */
	if (a->changed ? now - a->changed >= SETTLED_MS * 1000 : now - a->settled >= AGAIN_US) {
		ks_confine_settle(a->confine);
		a->changed = 0;
		a->settled = now;
	}
	if (now - a->swept < SWEEP_US)
		return;
	a->swept = now;
	if (ks_confine_sweep(a->confine))
		a->changed = now;
}

/* ---- who calls ---- */

static void hang_up(struct ks_agent *a, unsigned int i)
{
	close(a->caller[i]);
	a->caller[i] = a->caller[--a->callers];
}

/* One who has put no question yet is heard at the next turn. The one who called first goes if there are too many. */
static int take_in(struct ks_agent *a, int listen_fd)
{
	uint32_t cid = 0, port;
	int fd = ks_vsock_accept(listen_fd, &cid, 0);

	if (fd < 0)
		return fd == -ETIMEDOUT ? 0 : fd;
	port = ks_vsock_peer_port(fd);
	if (cid != KS_VSOCK_HOST || !port || port >= KS_AGENT_ROOT_PORTS) {
		close(fd);
		return 0;
	}
	if (a->callers == KS_AGENT_CALLERS)
		hang_up(a, 0);
	a->caller[a->callers++] = fd;
	return 0;
}

int ks_agent_turn(struct ks_agent *a, int listen_fd, int timeout_ms)
{
	struct pollfd p[KS_AGENT_CALLERS + 1];
	unsigned int i, n = a->callers;
	int ret;

	for (i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = a->caller[i], .events = POLLIN };
	p[n] = (struct pollfd){ .fd = listen_fd, .events = POLLIN };
	if (a->changed && timeout_ms > SETTLED_MS)
		timeout_ms = SETTLED_MS;
	ret = poll(p, n + 1, timeout_ms) < 0 ? -errno : 0;
	for (i = n; !ret && i > 0; i--)
		if (p[i - 1].revents && ks_agent_serve(a, p[i - 1].fd))
			hang_up(a, i - 1);
	if (!ret && p[n].revents)
		ret = take_in(a, listen_fd);
	tidy_up(a);
	return ret;
}

void ks_agent_end(struct ks_agent *a)
{
	while (a->callers)
		hang_up(a, a->callers - 1);
}
