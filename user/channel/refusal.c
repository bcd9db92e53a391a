// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "refusal.h"

static const struct {
	int error;
	enum ks_lp_why why;
} whys[] = {
	{ -EPROTO, KS_LP_WHY_WORDS },  { -EPROTONOSUPPORT, KS_LP_WHY_WORDS },
	{ -EINVAL, KS_LP_WHY_WORDS },  { -ENOENT, KS_LP_WHY_VM },
	{ -ENOTUNIQ, KS_LP_WHY_VM },   { -EACCES, KS_LP_WHY_RIGHTS },
	{ -ENODEV, KS_LP_WHY_MEMORY }, { -EBADMSG, KS_LP_WHY_PROOF },
	{ -EBUSY, KS_LP_WHY_CALLS },
};

static const char *const words[] = {
	[KS_LP_WHY_OTHER] = "something failed there",
	[KS_LP_WHY_WORDS] = "it knows another version of them",
	[KS_LP_WHY_VM] = "it cannot tell which of its processes this VM is",
	[KS_LP_WHY_RIGHTS] = "it has not the rights to look into this VM",
	[KS_LP_WHY_MEMORY] =
		"it does not know how this VM's memory is laid out (several NUMA nodes, or "
		"memory that was plugged in)",
	[KS_LP_WHY_PROOF] = "it finds something else where they should be (encrypted memory?)",
	[KS_LP_WHY_CALLS] =
		"another process of this guest publishes, it calls too often, or too many "
		"guests do",
};

static bool is_refusal(int error)
{
	return error && error != -EPIPE && error != -ETIMEDOUT && error != -ESTALE;
}

void ks_refusal_say(int fd, int error)
{
	struct ks_lp_refusal r = { .magic = KS_LP_MAGIC, .why = KS_LP_WHY_OTHER };
	size_t i;

	if (!is_refusal(error))
		return;
	for (i = 0; i < sizeof(whys) / sizeof(whys[0]); i++)
		if (whys[i].error == error)
			r.why = whys[i].why;
	send(fd, &r, sizeof(r), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* What comes behind it is of a host that can say more: it is read over. */
static void take(struct ks_refusal *r, const char *text, size_t len)
{
	size_t want = sizeof(r->in) - r->got;

	if (len > want)
		len = want;
	memcpy((char *)&r->in + r->got, text, len);
	r->got += len;
}

int ks_refusal_hear(struct ks_refusal *r, int fd)
{
	char text[64] = "";
	ssize_t n;
	int i;

	for (i = 0; i < 8; i++) {
		n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (!n)
			return 1;
		take(r, text, (size_t)n);
	}
	return 0;
}

const char *ks_refusal_words(const struct ks_refusal *r)
{
	if (r->got < sizeof(r->in) || r->in.magic != KS_LP_MAGIC)
		return NULL;
	return words[r->in.why < sizeof(words) / sizeof(words[0]) ? r->in.why : KS_LP_WHY_OTHER];
}
