/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's agent: does what its host asks of it, see agent_msg.h. */
#ifndef KVMSCHED_SHARE_AGENT_H
#define KVMSCHED_SHARE_AGENT_H

#include "agent_msg.h"
#include "confine.h"

struct ks_agent {
	struct ks_confine *confine;
	const char *root; /* see text.h */
	bool tidy;	  /* interrupts are to be moved: when nobody waits */
	uint64_t swept;	  /* when it was last looked for new tasks */
	/* Told after each question, for a log; may be NULL. */
	void (*heard)(void *ctx, const struct ks_agent_ask *ask,
		      const struct ks_agent_answer *answer);
	void *ctx;
};

/* Answer one question of whoever is on the other side of this socket. 0 or -errno. */
int ks_agent_serve(struct ks_agent *a, int fd);

/*
 * Wait up to timeout_ms for a caller at listen_fd (ks_vsock_listen()), and answer. Callers that are not
 * root on the host are refused. Everything that is to be done now and then is done here. 0 or -errno.
 */
int ks_agent_turn(struct ks_agent *a, int listen_fd, int timeout_ms);

#endif /* KVMSCHED_SHARE_AGENT_H */
