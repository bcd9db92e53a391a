// SPDX-License-Identifier: GPL-2.0
/* Command lines of VMMs. They belong to other users' processes: any bytes may come. */
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "text.h"
#include "vmargs.h"

enum ks_vmm ks_vmm_of_program(const char *name)
{
	static const struct {
		const char *prefix;
		enum ks_vmm vmm;
	} known[] = {
		{ "qemu-system-", KS_VMM_QEMU },
		{ "qemu-kvm", KS_VMM_QEMU },
		{ "qemu", KS_VMM_QEMU },
		{ "cloud-hypervis", KS_VMM_CLOUD_HYPERVISOR }, /* comm is cut at 15 bytes */
		{ "firecracker", KS_VMM_FIRECRACKER },
		{ "crosvm", KS_VMM_CROSVM },
		{ "lkvm", KS_VMM_KVMTOOL },
		{ "kvmtool", KS_VMM_KVMTOOL },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(name, known[i].prefix, strlen(known[i].prefix)))
			return known[i].vmm;
	return strcmp(name, "kvm") ? KS_VMM_OTHER : KS_VMM_QEMU;
}

/* Copy one item up to an unescaped comma; returns where it ended. */
static const char *copy_item(const char *p, char *buf, size_t size)
{
	size_t n = 0;

	for (; *p; p++) {
		if (*p == ',' && p[1] != ',')
			break;
		if (*p == ',')
			p++;
		if (n + 1 < size)
			buf[n++] = *p;
	}
	if (size)
		buf[n] = '\0';
	return p;
}

int ks_vmargs_item(const char *list, const char *key, const char *implied, char *buf, size_t size)
{
	size_t klen = strlen(key);
	const char *p = list;
	int ret = -ENOENT;

	while (*p) {
		bool bare = !memchr(p, '=', strcspn(p, ","));

		if (!strncmp(p, key, klen) && p[klen] == '=') {
			p = copy_item(p + klen + 1, buf, size);
			ret = 0; /* the last one wins */
		} else if (p == list && bare && implied && !strcmp(implied, key)) {
			p = copy_item(p, buf, size);
			ret = 0;
		} else {
			char skip;

			p = copy_item(p, &skip, 1);
		}
		if (*p == ',')
			p++;
	}
	return ret;
}

static void set_name(struct ks_vminfo *vm, const char *s)
{
	if (!*s)
		return;
	ks_printable(vm->name, sizeof(vm->name), s, strlen(s));
	vm->named = true;
}

/* 8-4-4-4-12 hexadecimal digits, else nothing is taken. */
static void set_uuid(struct ks_vminfo *vm, const char *s)
{
	char u[37];

	if (strlen(s) != 36)
		return;
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return;
		u[i] = (char)tolower((unsigned char)s[i]);
	}
	u[36] = '\0';
	memcpy(vm->uuid, u, sizeof(u));
}

static void set_cid(struct ks_vminfo *vm, const char *s)
{
	uint64_t v;

	if (!ks_arg_uint("", s, 3, UINT32_MAX - 1, &v, NULL))
		vm->cid = (uint32_t)v;
}

/* A size whose bare numbers are in `unit` bytes. */
static void set_ram(struct ks_vminfo *vm, const char *s, uint64_t unit)
{
	uint64_t v;

	if (ks_arg_size("", s, &v, NULL))
		return;
	if (s[strspn(s, "0123456789.")])
		vm->ram = v;
	else if (v <= UINT64_MAX / unit)
		vm->ram = v * unit;
}

/* -device {"driver":"vhost-vsock-pci","guest-cid":3,...}, as libvirt writes it. */
static void qemu_device_json(struct ks_vminfo *vm, const char *s)
{
	struct json_tokener *tok = json_tokener_new_ex(8);
	struct json_object *o, *v;
	size_t len = strlen(s);

	if (!tok || len > INT_MAX) {
		if (tok)
			json_tokener_free(tok);
		return;
	}
	o = json_tokener_parse_ex(tok, s, (int)len);
	if (json_object_is_type(o, json_type_object) &&
	    json_object_object_get_ex(o, "driver", &v) && v &&
	    !strncmp(json_object_get_string(v), "vhost-vsock", 11) &&
	    json_object_object_get_ex(o, "guest-cid", &v) && v)
		set_cid(vm, json_object_get_string(v));
	json_object_put(o);
	json_tokener_free(tok);
}

static void qemu_device(struct ks_vminfo *vm, const char *s)
{
	char buf[32];

	if (*s == '{')
		qemu_device_json(vm, s);
	else if (strstr(s, "vsock") && !ks_vmargs_item(s, "guest-cid", NULL, buf, sizeof(buf)))
		set_cid(vm, buf);
}

static void qemu_option(struct ks_vminfo *vm, const char *opt, const char *val)
{
	char buf[256];

	if (!strcmp(opt, "name")) {
		if (!ks_vmargs_item(val, "guest", "guest", buf, sizeof(buf)))
			set_name(vm, buf);
	} else if (!strcmp(opt, "uuid")) {
		set_uuid(vm, val);
	} else if (!strcmp(opt, "m")) {
		if (!ks_vmargs_item(val, "size", "size", buf, sizeof(buf)))
			set_ram(vm, buf, 1 << 20);
	} else if (!strcmp(opt, "device")) {
		qemu_device(vm, val);
	}
}

static void chv_option(struct ks_vminfo *vm, const char *opt, const char *val)
{
	char buf[256];

	if (!strcmp(opt, "memory") && !ks_vmargs_item(val, "size", NULL, buf, sizeof(buf)))
		set_ram(vm, buf, 1);
	else if (!strcmp(opt, "vsock") && !ks_vmargs_item(val, "cid", NULL, buf, sizeof(buf)))
		set_cid(vm, buf);
	else if (!strcmp(opt, "platform") && !ks_vmargs_item(val, "uuid", NULL, buf, sizeof(buf)))
		set_uuid(vm, buf);
}

static void firecracker_option(struct ks_vminfo *vm, const char *opt, const char *val)
{
	if (!strcmp(opt, "id"))
		set_name(vm, val);
}

static void crosvm_option(struct ks_vminfo *vm, const char *opt, const char *val)
{
	char buf[256];

	if (!strcmp(opt, "name"))
		set_name(vm, val);
	else if (!strcmp(opt, "cid"))
		set_cid(vm, val);
	else if (!strcmp(opt, "vsock") && !ks_vmargs_item(val, "cid", "cid", buf, sizeof(buf)))
		set_cid(vm, buf);
	else if ((!strcmp(opt, "mem") || !strcmp(opt, "m")) &&
		 !ks_vmargs_item(val, "size", "size", buf, sizeof(buf)))
		set_ram(vm, buf, 1 << 20);
}

static void kvmtool_option(struct ks_vminfo *vm, const char *opt, const char *val)
{
	if (!strcmp(opt, "name") || !strcmp(opt, "n"))
		set_name(vm, val);
	else if (!strcmp(opt, "mem") || !strcmp(opt, "m"))
		set_ram(vm, val, 1 << 20);
}

typedef void (*option_fn)(struct ks_vminfo *vm, const char *opt, const char *val);

static option_fn option_of(enum ks_vmm vmm)
{
	switch (vmm) {
	case KS_VMM_QEMU:
		return qemu_option;
	case KS_VMM_CLOUD_HYPERVISOR:
		return chv_option;
	case KS_VMM_FIRECRACKER:
		return firecracker_option;
	case KS_VMM_CROSVM:
		return crosvm_option;
	case KS_VMM_KVMTOOL:
		return kvmtool_option;
	default:
		return NULL;
	}
}

/* One word that begins with '-': "-opt value", "--opt value" or "--opt=value". */
static void take_option(struct ks_vminfo *vm, option_fn fn, const char *word, const char *next)
{
	const char *opt = word + 1 + (word[1] == '-');
	const char *eq = strchr(opt, '=');
	char name[32];

	if (!eq) {
		fn(vm, opt, next);
		return;
	}
	if ((size_t)(eq - opt) >= sizeof(name))
		return;
	memcpy(name, opt, (size_t)(eq - opt));
	name[eq - opt] = '\0';
	fn(vm, name, eq + 1);
}

void ks_vmargs_parse(struct ks_vminfo *vm, const char *cmdline, size_t len)
{
	option_fn fn = option_of(vm->vmm);
	char *text;

	if (!fn || !len)
		return;
	text = malloc(len + 2); /* the last word may lack its NUL; one more ends "next" */
	if (!text)
		return;
	memcpy(text, cmdline, len);
	text[len] = text[len + 1] = '\0';
	if (vm->vmm == KS_VMM_QEMU)
		vm->ram = 128ull << 20; /* its default */
	for (size_t i = 0; i < len;) {
		const char *word = text + i;

		i += strlen(word) + 1;
		if (word[0] == '-' && word[1])
			take_option(vm, fn, word, i <= len ? text + i : "");
	}
	free(text);
}
