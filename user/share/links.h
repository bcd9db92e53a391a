/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections to guests' agents that stay open, for whoever has several questions: to connect takes
 * several times as long as to ask.
 */
#ifndef KVMSCHED_SHARE_LINKS_H
#define KVMSCHED_SHARE_LINKS_H

#include <stdbool.h>
#include <stdint.h>

struct ks_agent_ask;
struct ks_agent_answer;
struct ks_err;

#define KS_LINKS 64u

/* Begins as zeros. */
struct ks_links {
	struct ks_link {
		uint32_t cid, port; /* cid 0: this place is empty */
		int fd;
	} link[KS_LINKS];
	bool reached; /* the agent may have got the last question, whether it has answered or not */
};

/*
 * Put a question to the agent of the guest with this vsock CID. One that has hung up meanwhile (it was started
 * anew, or takes one question per connection) is called again. timeout_ms: for the connection, the question
 * and the answer, each. 0; -ECONNREFUSED: there is no agent; else as ks_agent_exchange(). err as well.
 */
int ks_links_ask(struct ks_links *l, uint32_t cid, uint32_t port, const struct ks_agent_ask *ask,
		 struct ks_agent_answer *answer, int timeout_ms, struct ks_err *err);

void ks_links_close(struct ks_links *l);

#endif /* KVMSCHED_SHARE_LINKS_H */
