// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent_msg.h"
#include "err.h"
#include "links.h"
#include "vsock.h"

static void hang_up(struct ks_link *k)
{
	if (k->cid)
		close(k->fd);
	k->cid = 0;
}

/* The one to this agent, or a place for it. */
static struct ks_link *link_of(struct ks_links *l, uint32_t cid, uint32_t port)
{
	struct ks_link *empty = NULL;
	unsigned int i;

	for (i = 0; i < KS_LINKS; i++) {
		if (l->link[i].cid == cid && l->link[i].port == port)
			return &l->link[i];
		if (!l->link[i].cid)
			empty = &l->link[i];
	}
	if (empty)
		return empty;
	hang_up(&l->link[0]);
	return &l->link[0];
}

/* Nothing is to come that was not asked for: neither the other side's end nor an answer that was too late. */
static bool is_quiet(const struct ks_link *k)
{
	char byte;

	return recv(k->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static int call(struct ks_link *k, uint32_t cid, uint32_t port, int timeout_ms, struct ks_err *err)
{
	int fd = ks_vsock_connect_as_root(cid, port, timeout_ms, err);

	if (fd == -ECONNREFUSED)
		return ks_fail(err, fd, "no agent there");
	if (fd < 0)
		return fd;
	*k = (struct ks_link){ .cid = cid, .port = port, .fd = fd };
	return 0;
}

static bool has_hung_up(int ret)
{
	return ret == -EPIPE || ret == -ECONNRESET || ret == -ENOTCONN;
}

int ks_links_ask(struct ks_links *l, uint32_t cid, uint32_t port, const struct ks_agent_ask *ask,
		 struct ks_agent_answer *answer, int timeout_ms, struct ks_err *err)
{
	struct ks_link *k = link_of(l, cid, port);
	bool old = k->cid && is_quiet(k);
	int ret;

	l->reached = false;
	for (;;) {
		if (!old) {
			hang_up(k);
			ret = call(k, cid, port, timeout_ms, err);
			if (ret)
				return ret;
		}
		l->reached = true;
		ret = ks_agent_exchange(k->fd, ask, answer, timeout_ms, err);
		if (!old || !has_hung_up(ret))
			break;
		old = false;
	}
	/* What it says next would be the answer to this. */
	if (ret == -ETIMEDOUT || ret == -EPROTO || has_hung_up(ret))
		hang_up(k);
	return ret;
}

void ks_links_close(struct ks_links *l)
{
	unsigned int i;

	for (i = 0; i < KS_LINKS; i++)
		hang_up(&l->link[i]);
}
