// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "agent_msg.h"
#include "err.h"
#include "now.h"

void ks_agent_ask_init(struct ks_agent_ask *ask, enum ks_agent_what what, uint64_t number)
{
	*ask = (struct ks_agent_ask){ .magic = KS_AGENT_MAGIC,
				      .version = KS_AGENT_VERSION,
				      .size = sizeof(*ask),
				      .what = what,
				      .number = number };
}

void ks_agent_answer_init(struct ks_agent_answer *answer, uint64_t number)
{
	*answer = (struct ks_agent_answer){ .magic = KS_AGENT_MAGIC,
					    .version = KS_AGENT_VERSION,
					    .size = sizeof(*answer),
					    .number = number };
}

/* ---- is it one ---- */

enum ks_agent_result ks_agent_check_ask(const void *data, size_t len, struct ks_agent_ask *ask)
{
	memset(ask, 0, sizeof(*ask));
	memcpy(ask, data, len < sizeof(*ask) ? len : sizeof(*ask));
	if (len < 16 || ask->magic != KS_AGENT_MAGIC)
		return KS_AGENT_BAD_MESSAGE;
	if (ask->version != KS_AGENT_VERSION)
		return KS_AGENT_BAD_VERSION;
	if (len != sizeof(*ask) || ask->size != sizeof(*ask))
		return KS_AGENT_BAD_MESSAGE;
	if (ask->what < KS_AGENT_STATE || ask->what > KS_AGENT_RELEASE)
		return KS_AGENT_BAD_MESSAGE;
	if (ask->what == KS_AGENT_CONFINE && !ks_cpus_count(&ask->cpus))
		return KS_AGENT_BAD_MESSAGE;
	return KS_AGENT_DONE;
}

static int check_result(const struct ks_agent_answer *a, struct ks_err *err)
{
	switch (a->result) {
	case KS_AGENT_DONE:
		return 0;
	case KS_AGENT_BUSY:
		return ks_fail(err, -EBUSY, "the agent says that a given-up CPU is not idle");
	case KS_AGENT_FAILED:
		return ks_fail(err, -EIO, "the agent says that its kernel refused");
	default:
		return ks_fail(err, -EPROTO, "the agent does not understand the question");
	}
}

/* It must not say that tasks use CPUs that they may not, nor that they may use others than asked. */
static int check_sets(const struct ks_agent_ask *ask, const struct ks_agent_answer *a,
		      struct ks_err *err)
{
	unsigned int i;

	if (!ks_cpus_count(&a->online) || !ks_cpus_count(&a->may))
		return ks_fail(err, -EINVAL, "the agent says that there is no CPU");
	if (ks_cpus_common(&a->busy, &a->may) < KS_CPUS)
		return ks_fail(err, -EINVAL, "the agent contradicts itself");
	if (ask->what != KS_AGENT_CONFINE)
		return 0;
	for (i = ks_cpus_next(&a->may, 0); i < KS_CPUS; i = ks_cpus_next(&a->may, i + 1))
		if (!ks_cpus_has(&ask->cpus, i))
			return ks_fail(err, -EINVAL, "the agent says that CPU %u is still in use",
				       i);
	return 0;
}

int ks_agent_check_answer(const void *data, size_t len, const struct ks_agent_ask *ask,
			  struct ks_agent_answer *answer, struct ks_err *err)
{
	struct ks_agent_answer a = { 0 };
	int ret;

	memcpy(&a, data, len < sizeof(a) ? len : sizeof(a));
	if (len < 16 || a.magic != KS_AGENT_MAGIC)
		return ks_fail(err, -EPROTO, "this is no agent's answer");
	if (a.version != KS_AGENT_VERSION)
		return ks_fail(err, -EPROTONOSUPPORT,
			       "an agent of version %u, this program knows %u", a.version,
			       KS_AGENT_VERSION);
	if (len != sizeof(a) || a.size != sizeof(a))
		return ks_fail(err, -EPROTO, "an answer of %u bytes instead of %zu", a.size,
			       sizeof(a));
	if (a.number != ask->number || a.result >= KS_AGENT_RESULTS)
		return ks_fail(err, -EPROTO, "an answer to something else");
	*answer = a;
	ret = check_result(&a, err);
	return ret ? ret : check_sets(ask, &a, err);
}

/* ---- to and fro ---- */

/* The time is for the whole: who sends a byte now and then does not get more of it. */
static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline - ks_now_ms();
	int n = left > 0 ? poll(&p, 1, (int)left) : 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n ? 0 : -ETIMEDOUT;
}

static int transfer(int fd, void *in, const void *out, size_t len, int timeout_ms)
{
	int64_t deadline = ks_now_ms() + timeout_ms;
	size_t done = 0;
	ssize_t n;
	int ret;

	while (done < len) {
		ret = wait_for(fd, in ? POLLIN : POLLOUT, deadline);
		if (ret)
			return ret;
		n = in ? recv(fd, (char *)in + done, len - done, MSG_DONTWAIT) :
			 send(fd, (const char *)out + done, len - done,
			      MSG_DONTWAIT | MSG_NOSIGNAL);
		if (!n)
			return -EPIPE;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int ks_agent_receive(int fd, void *data, size_t len, int timeout_ms)
{
	return transfer(fd, data, NULL, len, timeout_ms);
}

int ks_agent_send(int fd, const void *data, size_t len, int timeout_ms)
{
	return transfer(fd, NULL, data, len, timeout_ms);
}

int ks_agent_exchange(int fd, const struct ks_agent_ask *ask, struct ks_agent_answer *answer,
		      int timeout_ms, struct ks_err *err)
{
	struct ks_agent_answer a;
	int ret = ks_agent_send(fd, ask, sizeof(*ask), timeout_ms);

	if (!ret)
		ret = ks_agent_receive(fd, &a, sizeof(a), timeout_ms);
	if (ret)
		return ks_fail(err, ret, "no answer of the agent: %s", strerror(-ret));
	return ks_agent_check_answer(&a, sizeof(a), ask, answer, err);
}
