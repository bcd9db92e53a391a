// SPDX-License-Identifier: GPL-2.0
/* ple-boost, whatever the back end: which VMs and threads it is for, from attach to detach. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "boost_priv.h"
#include "err.h"
#include "load.h"
#include "pidns.h"

static const struct ks_boost_ops *const backends[] = {
	[KS_BOOST_SCX] = &ks_boost_scx,
	[KS_BOOST_CGROUP] = &ks_boost_cgroup,
};

int ks_boost_usable(const char *root, enum ks_boost_backend how, struct ks_err *err)
{
	char path[512];
	int ret = ks_pidns_check(root, err);

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/sys/module/kvm", root ? root : "");
	if (access(path, F_OK))
		return ks_fail(err, -ENODEV,
			       "KVM is not loaded: try modprobe kvm_amd or kvm_intel");
	return backends[how]->usable ? backends[how]->usable(root, err) : 0;
}

const char *ks_boost_backend(const struct ks_boost *b)
{
	return b->ops->name;
}

/* ---- threads ---- */

static void on_gone(void *ctx, uint32_t number)
{
	struct ks_boost *b = ctx;

	b->ops->gone(b, number);
}

static int take(struct ks_boost *b, uint32_t number, uint32_t tid)
{
	int ret = 0;

	if (!b->vms->vm[number].vcpus)
		ret = b->ops->enter(b, number);
	if (!ret)
		ret = b->ops->take(b, number, tid);
	if (ret > 0)
		b->vms->vm[number].vcpus++;
	else if (!ret)
		b->left++;
	return ret == -ESRCH ? 0 : ret;
}

void ks_boost_fresh(struct ks_boost *b, uint32_t tgid, uint32_t tid)
{
	enum ks_vmset_why why;
	uint32_t number;
	int ret = 0;

	if (ks_vmset_is_stale(b->vms, tgid))
		ks_vmset_refresh(b->vms, on_gone, b);
	number = ks_vmset_take(b->vms, tgid, &why);
	if (number)
		ret = take(b, number, tid);
	if (ret < 0 && !b->error)
		b->error = ret;
}

void ks_boost_refresh(struct ks_boost *b)
{
	ks_vmset_refresh(b->vms, on_gone, b);
	b->ops->refresh(b);
}

/* ---- life ---- */

/* There may be another way. */
static void add_hint(enum ks_boost_backend how, const struct ks_boost_opts *o, struct ks_err *err)
{
	size_t len = strlen(err->msg);
	struct ks_err none;

	if (how == KS_BOOST_SCX && !o->holder && !ks_boost_usable(NULL, KS_BOOST_CGROUP, &none))
		snprintf(err->msg + len, sizeof(err->msg) - len,
			 "; for --backend cgroup see vcpu-policy(1)");
}

int ks_boost_attach(struct ks_boost **out, enum ks_boost_backend how, const struct ks_boost_opts *o,
		    struct ks_vmset *vms, struct ks_journal *j, struct ks_err *err)
{
	const struct ks_boost_ops *ops = backends[how];
	struct ks_boost *b = NULL;
	int ret = ks_boost_usable(NULL, how, err);

	*out = NULL;
	if (ret) {
		add_hint(how, o, err);
		return ret;
	}
	ks_load_quiet();
	ret = ks_journal_begin(j, o->holder ? "holder-boost" : "ple-boost");
	if (ret)
		return ks_fail(err, ret, "the journal: %s", strerror(-ret));
	ret = ops->attach(&b, o, err);
	if (b) {
		b->ops = ops;
		b->vms = vms;
		b->journal = j;
	}
	if (ret) {
		ks_boost_detach(b, NULL);
		return ret;
	}
	*out = b;
	return 0;
}

int ks_boost_poll(struct ks_boost *b, int timeout_ms, struct ks_err *err)
{
	int ret;

	if (b->ops->due)
		timeout_ms = b->ops->due(b, timeout_ms);
	ret = ring_buffer__poll(b->events, timeout_ms);
	if (ret < 0 && ret != -EINTR)
		return ks_fail(err, ret, "ple-boost: %s", strerror(-ret));
	ret = b->ops->ended ? b->ops->ended(b, err) : 0;
	if (ret)
		return ret;
	return b->error ? ks_fail(err, b->error, "a vCPU's thread: %s", strerror(-b->error)) : 0;
}

int ks_boost_counts(const struct ks_boost *b, struct boost_counts *sum)
{
	return b->ops->counts(b, sum);
}

void ks_boost_threads(const struct ks_boost *b, unsigned int *taken, unsigned int *left)
{
	uint32_t i;

	*taken = 0;
	for (i = 1; i < KS_VMSET_MAX; i++)
		*taken += b->vms->vm[i].vcpus;
	*left = b->left;
}

void ks_boost_pages(const struct ks_boost *b, unsigned int *pages, const char **doubt)
{
	*pages = 0;
	*doubt = "";
	if (b->ops->pages)
		b->ops->pages(b, pages, doubt);
}

/* No new threads, then the old ones back, then the rest: nobody is left in an empty class. */
int ks_boost_detach(struct ks_boost *b, struct ks_undone *u)
{
	struct ks_undone none;
	int ret;

	if (!b)
		return 0;
	b->ops->stop(b);
	ret = ks_journal_undo(b->journal, u ? u : &none);
	ring_buffer__free(b->events);
	b->ops->free(b);
	return ret;
}
