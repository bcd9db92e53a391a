/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's agent: does what its host asks of it, see agent_msg.h. */
#ifndef KVMSCHED_SHARE_AGENT_H
#define KVMSCHED_SHARE_AGENT_H

#include "agent_msg.h"
#include "confine.h"

#define KS_AGENT_CALLERS 8

/* Begins as zeros, with these two filled in: confine, heard. */
struct ks_agent {
	struct ks_confine *confine;
	uint64_t swept;		      /* us: when it was last looked for new tasks */
	uint64_t changed;	      /* us: since when interrupts wait to follow; 0: they do not */
	uint64_t settled;	      /* us: when they did last */
	int caller[KS_AGENT_CALLERS]; /* connections that stay open */
	unsigned int callers;
	bool stays; /* on this CPU */
	unsigned int cpu;
	/* Told after each question, for a log; may be NULL. */
	void (*heard)(void *ctx, const struct ks_agent_ask *ask,
		      const struct ks_agent_answer *answer);
	void *ctx;
};

/* Answer one question of whoever is on the other side of this socket. 0 or -errno (-EPIPE: it has hung up). */
int ks_agent_serve(struct ks_agent *a, int fd);

/*
 * Wait up to timeout_ms for callers at listen_fd (ks_vsock_listen()), or for their questions, and answer. Callers
 * that are not root on the host are refused. Everything that is to be done now and then is done here. 0 or -errno.
 */
int ks_agent_turn(struct ks_agent *a, int listen_fd, int timeout_ms);

/* Hang up. */
void ks_agent_end(struct ks_agent *a);

#endif /* KVMSCHED_SHARE_AGENT_H */
