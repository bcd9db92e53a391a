// SPDX-License-Identifier: GPL-2.0
/*
 * The host's side of lock pages, without a policy: takes guests that publish, reads their pages at
 * every PLE exit, and counts what is found.
 *
 *   lock-reader [LOG]
 *
 * News of guests go to standard error as they come, one JSON object of counts to standard output
 * at the end (SIGTERM). LOG: a line per look, "time_ns tgid vcpu what lock found-vcpu holders
 * waiters since", and "time_ns tgid - WORD" for a page that is read from now on (page) or was until
 * now (none), and for a VM that was reset or restored (reset). Not in the order of time.
 * Loads a probe: for virtual machines of the lab.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "now.h"
#include "pages.h"
#include "resets.h"
#include "trace.h"
#include "vsock.h"
#include "../bpf/lock_reader_test.h"
#include "lock_reader.skel.h"

static const char *const names[KS_LP_WHATS] = {
	[KS_LP_HOLDER] = "holder",   [KS_LP_WAITER] = "waiter",	  [KS_LP_SELF] = "self",
	[KS_LP_IPI] = "ipi",	     [KS_LP_NOTHING] = "nothing", [KS_LP_NO_PAGE] = "no_page",
	[KS_LP_NO_SLOT] = "no_slot", [KS_LP_NO_READ] = "no_read", [KS_LP_NO_PROOF] = "no_proof",
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static FILE *looks; /* may be NULL */

static void mark(uint64_t time, uint32_t tgid, const char *word)
{
	if (looks)
		fprintf(looks, "%" PRIu64 " %u - %s\n", time, tgid, word);
}

/* The time is that before there is a page, and after there was one. */
static void news(void *ctx, const struct ks_page_news *n)
{
	struct lock_reader_bpf *s = ctx;
	int map = bpf_map__fd(s->maps.vms), ret = 0;

	if (n->vm)
		mark(ks_now_ns(), n->tgid, "page");
	if (n->vm)
		ret = bpf_map_update_elem(map, &n->tgid, n->vm, BPF_ANY);
	else if (n->tgid)
		bpf_map_delete_elem(map, &n->tgid);
	if (!n->vm)
		mark(ks_now_ns(), n->tgid, "none");
	fprintf(stderr, "cid %u, pid %u: %s%s\n", n->cid, n->tgid,
		n->vm ? "page" : "none: ", n->vm ? "" : n->reason);
	if (ret)
		fprintf(stderr, "map: %s\n", strerror(-ret));
}

static uint64_t resets(void *ctx, uint32_t tgid)
{
	struct lock_reader_bpf *s = ctx;

	return ks_resets_of(bpf_map__fd(s->maps.lp_resets), tgid);
}

static int write_look(void *ctx, void *data, size_t len)
{
	const struct lr_look *l = data;
	const struct ks_lp_found *f = &l->found;

	(void)ctx;
	(void)len;
	if (l->vcpu == LR_RESET)
		mark(l->time, l->tgid, "reset");
	else if (looks)
		fprintf(looks, "%llu %u %u %s %#llx %u %u %u %llu\n", (unsigned long long)l->time,
			l->tgid, l->vcpu, f->what < KS_LP_WHATS ? names[f->what] : "?",
			(unsigned long long)f->lock, f->vcpu, f->holders, f->waiters,
			(unsigned long long)f->since);
	return 0;
}

static void print_counts(const struct lr_counts *c)
{
	unsigned int i;

	printf("{");
	for (i = 0; i < KS_LP_WHATS; i++)
		printf("\"%s\":%llu,", names[i], (unsigned long long)c->what[i]);
	printf("\"several\":%llu,\"unread\":%llu,\"lost\":%llu}\n", (unsigned long long)c->several,
	       (unsigned long long)c->unread, (unsigned long long)c->lost);
}

static int serve(struct lock_reader_bpf *s, int fd)
{
	struct ring_buffer *rb = ring_buffer__new(bpf_map__fd(s->maps.looks), write_look, NULL,
						  NULL);
	struct ks_pages *pages;
	const struct ks_page_reader reader = { .news = news, .resets = resets, .ctx = s };
	int ret = rb ? ks_pages_new(&pages, fd, NULL, &reader) : -errno;

	if (ret)
		return ret;
	fprintf(stderr, "ready\n");
	while (!stop && (!ret || ret == -EINTR)) {
		ret = ks_pages_turn(pages, 50);
		ring_buffer__consume(rb);
		if (looks)
			fflush(looks); /* for who waits for a line */
	}
	lock_reader_bpf__detach(s);
	ring_buffer__consume(rb);
	print_counts(&s->bss->counts);
	ks_pages_free(pages);
	ring_buffer__free(rb);
	return ret == -EINTR ? 0 : ret;
}

static int load(struct lock_reader_bpf **out)
{
	struct lock_reader_bpf *s = lock_reader_bpf__open();
	int ret;

	*out = s;
	if (!s)
		return -errno;
	bpf_program__set_autoload(s->progs.lp_reset, true);
	bpf_program__set_autoload(s->progs.lp_set_state, true);
	ret = lock_reader_bpf__load(s);
	return ret ? ret : lock_reader_bpf__attach(s);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct lock_reader_bpf *s = NULL;
	struct ks_err err;
	int fd, ret;

	looks = argc > 1 ? fopen(argv[1], "we") : NULL;
	if (argc > 2 || (argc > 1 && !looks)) {
		fprintf(stderr, "usage: lock-reader [LOG]\n");
		return 2;
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	fd = ks_vsock_listen(UINT32_MAX, KS_LP_PORT, &err);
	if (fd < 0) {
		fprintf(stderr, "lock-reader: %s\n", err.msg);
		return 1;
	}
	ret = load(&s);
	if (!ret)
		ret = serve(s, fd);
	if (ret)
		fprintf(stderr, "lock-reader: %s\n", strerror(-ret));
	lock_reader_bpf__destroy(s);
	if (looks && fclose(looks))
		ret = -errno;
	return ret ? 1 : 0;
}
