/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a host tells a guest's agent, and what that answers, over vsock: question and answer in turn.
 *
 * The two may be of different versions: the layout is fixed, numbers are little endian, and nothing
 * here changes without another KS_AGENT_VERSION. Neither side trusts the other: both parties must
 * hold a port that only root may have, all numbers are checked, a message that takes too long is
 * none, and the host looks for itself whether an answer is true.
 */
#ifndef KVMSCHED_SHARE_AGENT_MSG_H
#define KVMSCHED_SHARE_AGENT_MSG_H

#include <stdint.h>

#include "cpus.h"

#define KS_AGENT_PORT 934u	  /* vsock, in the guest; below 1024: only root may listen there */
#define KS_AGENT_ROOT_PORTS 1024u /* a port below: only root may hold it */
#define KS_AGENT_MAGIC 0x316572616853734bULL /* "KsShare1" */
#define KS_AGENT_VERSION 1u
#define KS_AGENT_TIMEOUT_MS 1000 /* for a whole message, in both directions */

enum ks_agent_what {
	KS_AGENT_STATE = 1,   /* nothing is changed */
	KS_AGENT_CONFINE = 2, /* all tasks to these CPUs, now and from now on */
	KS_AGENT_RELEASE = 3, /* as if there had never been an agent */
};

struct ks_agent_ask {
	uint64_t magic;
	uint16_t version;
	uint16_t size; /* of this message */
	uint32_t what;
	uint64_t number; /* the answer has the same */
	struct ks_cpus
		cpus; /* CONFINE: the guest's CPU numbers, which are vCPU numbers; not empty */
};

enum ks_agent_result {
	KS_AGENT_DONE = 0,
	KS_AGENT_BAD_VERSION = 1, /* the answer's version is the agent's */
	KS_AGENT_BAD_MESSAGE = 2,
	KS_AGENT_FAILED = 3, /* the guest's kernel refused */
	/* Confined, but a given-up CPU does not become idle; agents need not look. */
	KS_AGENT_BUSY = 4,
	KS_AGENT_RESULTS,
};

struct ks_agent_answer {
	uint64_t magic;
	uint16_t version;
	uint16_t size;
	uint32_t result;
	uint64_t number;
	uint32_t stuck;	       /* tasks that could not be confined: kernel threads bound to a CPU */
	uint32_t took_us;      /* from the question to the answer */
	struct ks_cpus online; /* in the guest */
	struct ks_cpus may;    /* CPUs that tasks may use now */
	struct ks_cpus busy; /* with KS_AGENT_BUSY, of the others: those that did not become idle */
};

_Static_assert(sizeof(struct ks_cpus) == 128, "layout of version 1");
_Static_assert(sizeof(struct ks_agent_ask) == 24 + 128, "layout of version 1");
_Static_assert(sizeof(struct ks_agent_answer) == 32 + 3 * 128, "layout of version 1");

struct ks_err;

/* Is it a whole question that this version understands? KS_AGENT_DONE, or what to answer. */
enum ks_agent_result ks_agent_check_ask(const void *data, size_t len, struct ks_agent_ask *ask);

/*
 * Is it an answer to this question, whole and sound, and is it done? 0; -EPROTO: no such message;
 * -EPROTONOSUPPORT: of another version; -EINVAL: numbers that cannot be; -EBUSY; -EIO: the guest
 * could not. err says which. *answer is filled in unless it was no such message.
 */
int ks_agent_check_answer(const void *data, size_t len, const struct ks_agent_ask *ask,
			  struct ks_agent_answer *answer, struct ks_err *err);

/* Begin a message of this version. */
void ks_agent_ask_init(struct ks_agent_ask *ask, enum ks_agent_what what, uint64_t number);
void ks_agent_answer_init(struct ks_agent_answer *answer, uint64_t number);

/* A whole message from, or to, a socket within so many ms in all. 0, -ETIMEDOUT, -EPIPE, -errno. */
int ks_agent_receive(int fd, void *data, size_t len, int timeout_ms);
int ks_agent_send(int fd, const void *data, size_t len, int timeout_ms);

/* Put a question over a connected socket, and wait for the answer. */
int ks_agent_exchange(int fd, const struct ks_agent_ask *ask, struct ks_agent_answer *answer,
		      int timeout_ms, struct ks_err *err);

#endif /* KVMSCHED_SHARE_AGENT_MSG_H */
