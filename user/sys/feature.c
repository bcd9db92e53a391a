// SPDX-License-Identifier: GPL-2.0
/* The list of what this machine can do: context, and what the lines are made with. */
#include <bpf/btf.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "featlist.h"
#include "text.h"

const char *ks_status_name(enum ks_status s)
{
	static const char *const names[] = {
		[KS_ST_OK] = "ok",
		[KS_ST_DEGRADED] = "degraded",
		[KS_ST_MISSING] = "missing",
	};

	return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "missing";
}

void ks_fline(struct ks_fctx *c, const char *name, enum ks_status st, const char *fmt, ...)
{
	struct ks_feature *f;
	va_list ap;

	if (c->n == c->room) {
		f = realloc(c->f, (c->room + 32) * sizeof(*f));
		if (!f) {
			c->error = -ENOMEM;
			return;
		}
		c->f = f;
		c->room += 32;
	}
	f = &c->f[c->n++];
	f->name = name;
	f->status = st;
	va_start(ap, fmt);
	vsnprintf(f->reason, sizeof(f->reason), fmt, ap);
	va_end(ap);
}

bool ks_btf_func(const struct btf *btf, const char *name)
{
	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

bool ks_btf_tracepoint(const struct btf *btf, const char *name)
{
	char type[96];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf && btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
}

size_t ks_btf_missing(const struct btf *btf, const char *const *names,
		      bool (*has)(const struct btf *, const char *), char *buf, size_t size)
{
	size_t missing = 0, used = 0;

	buf[0] = '\0';
	for (; *names; names++) {
		int n;

		if (has(btf, *names))
			continue;
		n = snprintf(buf + used, size - used, "%s%s", missing++ ? ", " : "", *names);
		used = n > 0 && (size_t)n < size - used ? used + (size_t)n : size - 1;
	}
	return missing;
}

static struct btf *load_btf(const char *root, const char *name, struct btf *base)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/sys/kernel/btf/%s", root, name) >= (int)sizeof(path) ||
	    !ks_exists(NULL, "%s", path))
		return NULL;
	return base ? btf__parse_split(path, base) : btf__parse(path, NULL);
}

/* Built-in KVM has its types in the kernel's own BTF. */
static void load_all_btf(struct ks_fctx *c)
{
	c->vmlinux = load_btf(c->root, "vmlinux", NULL);
	if (!c->vmlinux)
		return;
	c->kvm = load_btf(c->root, "kvm", c->vmlinux);
	if (!c->kvm && ks_btf_tracepoint(c->vmlinux, "kvm_exit"))
		c->kvm = c->vmlinux;
}

int ks_features(const char *root, enum ks_feature_for side, struct ks_feature **f, size_t *n)
{
	struct ks_fctx c = { .root = root ? root : "", .side = side };
	int ret = ks_machine_read(root, &c.machine);

	*f = NULL;
	*n = 0;
	if (ret)
		return ret;
	load_all_btf(&c);
	ks_feature_base(&c);
	if (side == KS_FOR_HOST)
		ks_feature_host(&c);
	else
		ks_feature_guest(&c);
	ks_feature_tail(&c);
	if (c.kvm != c.vmlinux)
		btf__free(c.kvm);
	btf__free(c.vmlinux);
	ks_machine_release(&c.machine);
	if (c.error) {
		free(c.f);
		return c.error;
	}
	*f = c.f;
	*n = c.n;
	return 0;
}

int ks_features_usable(const struct ks_feature *f, size_t n, const struct ks_feature **why)
{
	static const char *const needed[] = { "privileges",  "kernel",	    "lockdown",
					      "jit",	     "btf",	    "kvm",
					      "kvm-btf",     "kvm-events",  "pid-namespace",
					      "lock-events", "sched-events" };

	for (size_t i = 0; i < n; i++) {
		if (f[i].status != KS_ST_MISSING)
			continue;
		for (size_t k = 0; k < sizeof(needed) / sizeof(needed[0]); k++) {
			if (strcmp(f[i].name, needed[k]))
				continue;
			*why = &f[i];
			return -ENOTSUP;
		}
	}
	*why = NULL;
	return 0;
}
