// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "match.h"
#include "session.h"

struct guest {
	struct ks_reader *reader;
	struct ks_link link;
	uint32_t vm; /* of the analysis; KS_NO_VCPU: left out */
};

struct ks_session {
	struct ks_reader *host;
	struct ks_clockmap *host_map; /* NULL without guests */
	struct ks_model model;	      /* all VMs */
	struct guest *guests;
	size_t nguests;
	char *vm;
	struct ks_merge *merge;
	struct ks_analysis *analysis;
};

static int fail(struct ks_err *err, int ret, const char *path, const char *what)
{
	if (err)
		snprintf(err->msg, sizeof(err->msg), "%s: %s", path, what);
	return ret;
}

static int open_host(struct ks_session *s, const struct ks_session_opts *o, struct ks_err *err)
{
	const struct ks_rec *ctl;
	size_t n;
	int ret = ks_reader_open(&s->host, o->host, err);

	if (ret)
		return ret;
	if (ks_reader_side(s->host) != KS_SIDE_HOST)
		return fail(
			err, -EINVAL, o->host,
			"a guest's trace: name the host's trace first, made with ple-trace record");
	ret = ks_model_init(&s->model, s->host, NULL, err);
	if (ret || !o->nguests)
		return ret;
	ctl = ks_reader_control(s->host, &n);
	ret = ks_clockmap_new(&s->host_map, ctl, n);
	if (ret == -ENODATA)
		return fail(
			err, ret, o->host,
			"fewer than two clock samples: too short a recording, or a damaged file");
	return ret ? fail(err, ret, o->host, strerror(-ret)) : 0;
}

/* Split VM=PATH; a file that has this very name comes first. *vm is allocated or NULL. */
static const char *split_arg(const char *arg, char **vm)
{
	const char *eq = strchr(arg, '=');

	*vm = NULL;
	if (!eq || eq == arg || !access(arg, F_OK))
		return arg;
	*vm = strndup(arg, eq - arg);
	return eq + 1;
}

static int open_guest(struct ks_session *s, const char *arg, struct ks_err *err)
{
	struct guest *g = &s->guests[s->nguests];
	const char *path;
	char *vm;
	int ret;
	size_t i;

	path = split_arg(arg, &vm);
	ret = ks_reader_open(&g->reader, path, err);
	if (ret)
		goto out;
	g->vm = KS_NO_VCPU;
	s->nguests++;
	ret = ks_link_find(&g->link, &s->model, s->host, s->host_map, g->reader, vm, err);
	for (i = 0; !ret && i + 1 < s->nguests; i++) {
		if (s->guests[i].link.vm != g->link.vm)
			continue;
		ret = -EEXIST;
		if (err)
			snprintf(err->msg, sizeof(err->msg),
				 "%s and %s are both of VM %s: give one of them",
				 ks_reader_path(s->guests[i].reader), path,
				 s->model.vms[g->link.vm].name);
	}
out:
	free(vm);
	return ret;
}

static int open_all(struct ks_session *s, const struct ks_session_opts *o, struct ks_err *err)
{
	size_t i;
	int ret = open_host(s, o, err);

	if (ret)
		return ret;
	s->guests = calloc(o->nguests + 1, sizeof(*s->guests));
	if (!s->guests)
		return -ENOMEM;
	for (i = 0; i < o->nguests && !ret; i++)
		ret = open_guest(s, o->guests[i], err);
	if (!ret && o->vm) {
		s->vm = strdup(o->vm);
		ret = s->vm ? 0 : -ENOMEM;
	}
	return ret;
}

int ks_session_open(struct ks_session **out, const struct ks_session_opts *o, struct ks_err *err)
{
	struct ks_session *s = calloc(1, sizeof(*s));
	int ret;

	*out = NULL;
	if (!s)
		return fail(err, -ENOMEM, o->host, "out of memory");
	ret = open_all(s, o, err);
	if (ret) {
		ks_session_close(s);
		return ret;
	}
	*out = s;
	return 0;
}

void ks_session_close(struct ks_session *s)
{
	size_t i;

	if (!s)
		return;
	ks_analysis_free(s->analysis);
	ks_merge_free(s->merge);
	for (i = 0; i < s->nguests; i++) {
		ks_link_free(&s->guests[i].link);
		ks_reader_close(s->guests[i].reader);
	}
	free(s->guests);
	ks_clockmap_free(s->host_map);
	ks_model_free(&s->model);
	ks_reader_close(s->host);
	free(s->vm);
	free(s);
}

/* The VM's index in the analysis, which may know fewer of them. */
static uint32_t vm_in_analysis(const struct ks_session *s, uint32_t vm)
{
	const struct ks_vm *vms;
	uint32_t i, n;

	vms = ks_analysis_vms(s->analysis, &n);
	for (i = 0; i < n; i++)
		if (vms[i].tgid == s->model.vms[vm].tgid)
			return i;
	return KS_NO_VCPU;
}

static int add_guest(struct ks_session *s, struct guest *g, struct ks_err *err)
{
	const struct ks_clockbreak *breaks;
	int src, ret;
	size_t n;

	g->vm = vm_in_analysis(s, g->link.vm);
	if (g->vm == KS_NO_VCPU)
		return 0;
	src = ks_merge_add(s->merge, g->reader, ks_guestclock_map, g->link.clock);
	if (src < 0)
		return fail(err, src, ks_reader_path(g->reader), strerror(-src));
	ret = ks_analysis_guest(s->analysis, src, g->reader, g->vm, ks_guestclock_map,
				g->link.clock, err);
	if (ret)
		return ret;
	ks_analysis_guest_error(s->analysis, g->vm, g->link.error_ns);
	breaks = ks_guestclock_breaks(g->link.clock, &n);
	ret = ks_analysis_guest_breaks(s->analysis, g->vm, breaks, n);
	return ret ? fail(err, ret, ks_reader_path(g->reader), strerror(-ret)) : 0;
}

int ks_session_start(struct ks_session *s, const struct ks_analysis_opts *opts,
		     const struct ks_analysis_ops *ops, struct ks_err *err)
{
	struct ks_analysis_opts o = { 0 };
	size_t i;
	int ret;

	if (s->analysis)
		return fail(err, -EBUSY, ks_reader_path(s->host), "analysed already");
	if (opts)
		o = *opts;
	o.vm = s->vm;
	ret = ks_analysis_new(&s->analysis, s->host, &o, ops, err);
	if (ret)
		return ret;
	ret = ks_merge_new(&s->merge);
	if (!ret)
		ret = ks_merge_add(s->merge, s->host, NULL, NULL);
	if (ret < 0)
		return fail(err, ret, ks_reader_path(s->host), strerror(-ret));
	for (i = 0, ret = 0; i < s->nguests && !ret; i++)
		ret = add_guest(s, &s->guests[i], err);
	return ret;
}

static int step(const struct ks_session *s, const struct ks_session_watch *w, uint64_t now,
		struct ks_err *err)
{
	uint64_t first = 0, last = 0;

	if (!w->step)
		return 0;
	ks_reader_span(s->host, &first, &last);
	return w->step(w->ctx, now > first ? now - first : 0, last - first, err);
}

int ks_session_run(struct ks_session *s, const struct ks_session_watch *watch, struct ks_err *err)
{
	struct ks_event ev;
	uint64_t n = 0;
	int ret;

	while ((ret = ks_merge_next(s->merge, &ev, err)) > 0) {
		ret = ks_analysis_feed(s->analysis, &ev);
		if (ret)
			return fail(err, ret, ks_reader_path(s->host), strerror(-ret));
		/* At each: what one of a guest's events costs is the guest's choice. */
		if (watch && watch->stop && *watch->stop)
			break;
		if (watch && !(++n & 0xffff) && (ret = step(s, watch, ev.time, err)))
			return ret;
	}
	return ret < 0 ? ret : ks_analysis_end(s->analysis);
}

struct ks_analysis *ks_session_analysis(const struct ks_session *s)
{
	return s->analysis;
}

struct ks_reader *ks_session_host(const struct ks_session *s)
{
	return s->host;
}

static const struct guest *guest_of(const struct ks_session *s, uint32_t vm)
{
	size_t i;

	for (i = 0; i < s->nguests; i++)
		if (s->guests[i].vm == vm && vm != KS_NO_VCPU)
			return &s->guests[i];
	return NULL;
}

struct ks_reader *ks_session_guest(const struct ks_session *s, uint32_t vm)
{
	const struct guest *g = guest_of(s, vm);

	return g ? g->reader : NULL;
}

const struct ks_link *ks_session_link(const struct ks_session *s, uint32_t vm)
{
	const struct guest *g = guest_of(s, vm);

	return g ? &g->link : NULL;
}
