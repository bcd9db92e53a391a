// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "vsock.h"

#define SWEEP_US 500000
#define SETTLED_US 1000000 /* interrupts follow when CPUs have not changed for so long */
#define IDLE_MS 50	   /* that tasks on their way have to leave a CPU */

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* a without b */
static void without(const struct ks_cpus *a, const struct ks_cpus *b, struct ks_cpus *out)
{
	unsigned int i;

	for (i = 0; i < KS_CPUS_WORDS; i++)
		out->word[i] = a->word[i] & ~b->word[i];
}

static uint32_t confine(struct ks_agent *a, const struct ks_agent_ask *ask,
			struct ks_agent_answer *answer)
{
	struct ks_cpus cpus = ask->cpus, given;
	unsigned int i;

	/* CPUs that are offline, or that there are not, cannot be in a cpuset, and idle anyway. */
	for (i = 0; i < KS_CPUS_WORDS; i++)
		cpus.word[i] &= answer->online.word[i];
	if (!ks_cpus_count(&cpus) || ks_confine_set(a->confine, &cpus))
		return KS_AGENT_FAILED;
	a->tidy = now_us();
	without(&answer->online, &cpus, &given);
	ks_confine_busy(a->root, &given, IDLE_MS, &answer->busy);
	return ks_cpus_count(&answer->busy) ? KS_AGENT_BUSY : KS_AGENT_DONE;
}

static uint32_t act(struct ks_agent *a, const struct ks_agent_ask *ask,
		    struct ks_agent_answer *answer)
{
	switch (ask->what) {
	case KS_AGENT_CONFINE:
		return confine(a, ask, answer);
	case KS_AGENT_RELEASE:
		return ks_confine_release(a->confine) ? KS_AGENT_FAILED : KS_AGENT_DONE;
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

	if (now - a->swept < SWEEP_US)
		return;
	a->swept = now;
	ks_confine_sweep(a->confine);
	if (!a->tidy || now - a->tidy < SETTLED_US)
		return;
	ks_confine_interrupts(a->confine);
	a->tidy = 0;
}

int ks_agent_turn(struct ks_agent *a, int listen_fd, int timeout_ms)
{
	uint32_t cid = 0;
	int fd = ks_vsock_accept(listen_fd, &cid, timeout_ms);
	uint32_t port;

	if (fd >= 0) {
		port = ks_vsock_peer_port(fd);
		if (cid == KS_VSOCK_HOST && port && port < KS_AGENT_ROOT_PORTS)
			ks_agent_serve(a, fd);
		close(fd);
	}
	tidy_up(a);
	return fd < 0 && fd != -ETIMEDOUT ? fd : 0;
}
