// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "callers.h"

#define SECOND 1000000000ull
#define WHILE_NS 100000000ull

/*
 * A publisher that waits for the host connects twice a second, and says hello when there is
 * somebody. To prove a hello is dear, for all processes are looked through.
 */
static const struct {
	uint64_t every_ns, burst;
} rates[KS_CALLS] = {
	[KS_CALL_CONNECT] = { SECOND / 4, 16 },
	[KS_CALL_HELLO] = { 2 * SECOND, 8 },
};

static struct ks_caller *find(struct ks_callers *c, uint32_t cid)
{
	struct ks_caller *oldest = c->caller;
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		if (c->caller[i].cid == cid)
			return &c->caller[i];
		if (c->caller[i].last < oldest->last)
			oldest = &c->caller[i];
	}
	if (c->n < KS_CALLERS)
		oldest = &c->caller[c->n++];
	memset(oldest, 0, sizeof(*oldest));
	oldest->cid = cid;
	return oldest;
}

bool ks_callers_may(struct ks_callers *c, uint32_t cid, enum ks_call what, uint64_t now)
{
	struct ks_caller *who = find(c, cid);
	uint64_t every = rates[what].every_ns, *due = &who->due[what];

	who->last = now;
	if (*due < now)
		*due = now;
	if (*due - now > (rates[what].burst - 1) * every) {
		who->refused++;
		return false;
	}
	*due += every;
	return true;
}

bool ks_callers_refused(struct ks_callers *c, uint64_t now, uint32_t *cid, uint64_t *refused)
{
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		struct ks_caller *who = &c->caller[i];

		if (!who->refused || now - who->told < SECOND)
			continue;
		*cid = who->cid;
		*refused = who->refused;
		who->refused = 0;
		who->told = now;
		return true;
	}
	return false;
}

bool ks_budget_left(const struct ks_budget *b, uint64_t now)
{
	return b->used < now + WHILE_NS;
}

void ks_budget_use(struct ks_budget *b, uint64_t now, uint64_t spent)
{
	if (b->used < now)
		b->used = now;
	b->used += spent * b->nth;
}
