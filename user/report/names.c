// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "symbols.h"
#include "text.h"

#define KALLSYMS_MAX (256u << 20)

struct vm_names {
	struct ks_symbols *syms;   /* NULL: none */
	bool shared;		   /* the table of a file, the same for all VMs */
	struct json_object *tasks; /* borrowed from the trace's metadata, or NULL */
};

struct ks_names {
	struct ks_names_opts opts;
	struct ks_symbols *given; /* of --guest-kallsyms */
	struct vm_names *vms;
	uint32_t nvms;
};

int ks_names_new(struct ks_names **out, const struct ks_names_opts *o)
{
	struct ks_names *n = calloc(1, sizeof(*n));

	*out = n;
	if (!n)
		return -ENOMEM;
	if (o)
		n->opts = *o;
	return 0;
}

void ks_names_free(struct ks_names *n)
{
	uint32_t i;

	if (!n)
		return;
	for (i = 0; i < n->nvms; i++)
		if (!n->vms[i].shared)
			ks_symbols_free(n->vms[i].syms);
	ks_symbols_free(n->given);
	free(n->vms);
	free(n);
}

static int load_kallsyms(struct ks_names *n, struct ks_err *err)
{
	char *text;
	size_t len;
	int ret = ks_read_file(n->opts.kallsyms, KALLSYMS_MAX, &text, &len);

	if (ret) {
		if (err)
			snprintf(err->msg, sizeof(err->msg), "%s: %s", n->opts.kallsyms,
				 strerror(-ret));
		return ret;
	}
	ret = ks_symbols_parse(&n->given, text, len, err);
	free(text);
	return ret;
}

/* The symbols in the trace itself; NULL if they are missing or of no use. */
static struct ks_symbols *from_trace(struct ks_reader *guest)
{
	struct ks_symbols *syms;
	struct ks_err err;
	const char *text;
	size_t len;

	text = guest ? ks_reader_symbols(guest, &len) : NULL;
	if (!text || ks_symbols_parse(&syms, text, len, &err))
		return NULL;
	return syms;
}

/* An ELF has the addresses of the link; where the guest's kernel was, the trace tells. */
static int from_vmlinux(struct ks_names *n, struct vm_names *v, struct ks_symbols *running,
			struct ks_err *err)
{
	int ret = ks_symbols_vmlinux(&v->syms, n->opts.vmlinux, err);

	if (!ret && running && ks_symbols_slide(v->syms, running)) {
		ret = -ENODATA;
		if (err)
			snprintf(err->msg, sizeof(err->msg),
				 "%s: no _text in it or in the trace: where the kernel was is not "
				 "known",
				 n->opts.vmlinux);
		ks_symbols_free(v->syms);
		v->syms = NULL;
	}
	ks_symbols_free(running);
	return ret;
}

static int load_vm(struct ks_names *n, struct vm_names *v, struct ks_reader *guest,
		   struct ks_err *err)
{
	struct json_object *tasks;

	if (guest && json_object_object_get_ex(ks_reader_meta(guest), "tasks", &tasks) &&
	    json_object_is_type(tasks, json_type_object))
		v->tasks = tasks;
	if (n->opts.vmlinux)
		return from_vmlinux(n, v, n->given ? NULL : from_trace(guest), err);
	if (n->given) {
		v->syms = n->given;
		v->shared = true;
		return 0;
	}
	v->syms = from_trace(guest);
	return 0;
}

/* Room for the names of so many VMs, and what comes from files. */
static int prepare(struct ks_names *n, uint32_t nvms, struct ks_err *err)
{
	int ret = n->opts.kallsyms ? load_kallsyms(n, err) : 0;

	if (ret)
		return ret;
	n->vms = calloc(nvms + 1, sizeof(*n->vms));
	if (!n->vms)
		return -ENOMEM;
	n->nvms = nvms;
	return 0;
}

int ks_names_load(struct ks_names *n, const struct ks_session *s, struct ks_err *err)
{
	uint32_t i, nvms;
	int ret;

	ks_analysis_vms(ks_session_analysis(s), &nvms);
	ret = prepare(n, nvms, err);
	for (i = 0; i < nvms && !ret; i++)
		ret = load_vm(n, &n->vms[i], ks_session_guest(s, i), err);
	return ret;
}

int ks_names_load_guest(struct ks_names *n, struct ks_reader *guest, struct ks_err *err)
{
	int ret = prepare(n, 1, err);

	return ret ? ret : load_vm(n, &n->vms[0], guest, err);
}

static struct ks_symbols *syms_of(const struct ks_names *n, uint32_t vm)
{
	return vm < n->nvms ? n->vms[vm].syms : NULL;
}

bool ks_names_has(const struct ks_names *n, uint32_t vm)
{
	return syms_of(n, vm);
}

int ks_names_addr(const struct ks_names *n, uint32_t vm, const char *name, uint64_t *addr)
{
	const struct ks_symbols *s = syms_of(n, vm);

	return s ? ks_symbols_addr(s, name, addr) : -ENOENT;
}

int ks_names_lookup(const struct ks_names *n, uint32_t vm, uint64_t addr, struct ks_symbol *sym)
{
	const struct ks_symbols *s = syms_of(n, vm);

	return s ? ks_symbols_lookup(s, addr, sym) : -ENOENT;
}

const char *ks_names_sym(void *ctx, uint32_t vm, uint64_t addr, char *buf, size_t len)
{
	const struct ks_names *n = ctx;
	struct ks_symbols *s = syms_of(n, vm);
	struct ks_symbol sym;
	char src[128];
	size_t at;

	if (!s || ks_symbols_lookup(s, addr, &sym))
		return NULL;
	ks_symbols_name(s, addr, buf, len);
	at = strlen(buf);
	if (n->opts.vmlinux && !ks_symbols_source(s, addr, src, sizeof(src)) && at < len)
		snprintf(buf + at, len - at, " (%s)", src);
	return buf;
}

const char *ks_names_task(void *ctx, uint32_t vm, uint32_t pid, char *buf, size_t len)
{
	const struct ks_names *n = ctx;
	struct json_object *v;
	const char *name;
	char key[16];

	if (vm >= n->nvms || !n->vms[vm].tasks)
		return NULL;
	snprintf(key, sizeof(key), "%u", pid);
	if (!json_object_object_get_ex(n->vms[vm].tasks, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return NULL;
	name = json_object_get_string(v);
	return ks_printable(buf, len, name, strlen(name));
}

enum ks_class ks_names_ip_class(void *ctx, uint32_t vm, uint64_t ip)
{
	const struct ks_symbols *s = syms_of(ctx, vm);

	switch (s ? ks_symbols_ip_class(s, ip) : KS_IP_UNKNOWN) {
	case KS_IP_IPI:
		return KS_C_IPI;
	case KS_IP_SPINLOCK: /* a wait that is not on record: why it waits is not known */
		return KS_C_UNKNOWN;
	default:
		return KS_C_OTHER;
	}
}
