// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "files.h"
#include "holders.h"
#include "pagemaps.h"
#include "pages.h"
#include "ple_boost.h"
#include "resets.h"
#include "vsock.h"

_Static_assert(KS_LP_GUESTS == BOOST_MAX_VMS, "a page for each VM");

struct ks_holders {
	struct ks_pages *pages;
	struct ks_pagemaps maps;
	int fd, resets;
	char doubt[192];
};

/* What cannot be put into the map is not read: the scheduler goes by ple-boost's rules. */
static void news(void *ctx, const struct ks_page_news *n)
{
	struct ks_holders *h = ctx;

	if (n->vm && !ks_pagemaps_put(&h->maps, n->vm))
		return;
	ks_pagemaps_drop(&h->maps, n->tgid);
	snprintf(h->doubt, sizeof(h->doubt), "cid %u, process %u: %s", n->cid, n->tgid,
		 n->vm ? "there are too many" : n->reason);
}

static uint64_t resets(void *ctx, uint32_t tgid)
{
	const struct ks_holders *h = ctx;

	return ks_resets_of(h->resets, tgid);
}

int ks_holders_new(struct ks_holders **out, int pages_fd, int numbers_fd, int resets_fd,
		   struct ks_err *err)
{
	struct ks_holders *h = calloc(1, sizeof(*h));
	const struct ks_page_reader reader = { .news = news, .resets = resets, .ctx = h };
	int ret;

	*out = NULL;
	if (!h)
		return ks_fail(err, -ENOMEM, "out of memory");
	h->maps.pages = pages_fd;
	h->maps.numbers = numbers_fd;
	h->resets = resets_fd;
	ks_allow_files(); /* two per guest */
	h->fd = ks_vsock_listen(UINT32_MAX, KS_LP_PORT, err);
	ret = h->fd < 0 ? h->fd : ks_pages_new(&h->pages, h->fd, NULL, &reader);
	if (ret == -ENOMEM)
		ks_fail(err, ret, "out of memory");
	if (ret) {
		ks_holders_free(h);
		return ret;
	}
	*out = h;
	return 0;
}

int ks_holders_turn(struct ks_holders *h)
{
	int ret = ks_pages_turn(h->pages, 0);

	return ret == -EINTR ? 0 : ret;
}

unsigned int ks_holders_pages(const struct ks_holders *h)
{
	return ks_pagemaps_count(&h->maps);
}

const char *ks_holders_doubt(const struct ks_holders *h)
{
	return h->doubt;
}

void ks_holders_free(struct ks_holders *h)
{
	if (!h)
		return;
	ks_pages_free(h->pages);
	if (h->fd >= 0)
		close(h->fd);
	free(h);
}
