// SPDX-License-Identifier: GPL-2.0
/* The book as a file: JSON, replaced as a whole. Only root writes there, but it is read with care. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "book.h"
#include "err.h"
#include "pidns.h"
#include "text.h"

#define SCHEMA 1
#define MAX_BOOK (64u << 20)
#define NAME "share.json"

/* ---- to write it ---- */

static void put_int(struct json_object *o, const char *key, int64_t v)
{
	json_object_object_add(o, key, json_object_new_int64(v));
}

static void put_text(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *vcpu_json(const struct ks_book_vcpu *v)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "tid", v->tid);
	put_text(o, "affinity", v->affinity);
	put_text(o, "home", v->home);
	put_text(o, "group", v->group);
	put_text(o, "max", v->max);
	put_int(o, "got", v->got);
	return o;
}

static struct json_object *mem_json(const struct ks_book_vm *vm)
{
	struct json_object *list = json_object_new_array(), *o;
	unsigned int i;

	for (i = 0; i < KS_BOOK_NODES; i++) {
		if (vm->mem[i] == UINT64_MAX)
			continue;
		o = json_object_new_object();
		put_int(o, "node", i);
		put_int(o, "bytes", (int64_t)vm->mem[i]);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *vm_json(const struct ks_book_vm *vm, unsigned int place)
{
	struct json_object *o = json_object_new_object(), *vcpus = json_object_new_array();
	unsigned int i;

	put_int(o, "place", place);
	put_text(o, "name", vm->name);
	put_int(o, "pid", vm->tgid);
	put_int(o, "start", (int64_t)vm->start);
	put_int(o, "cid", vm->cid);
	put_int(o, "first", vm->first);
	put_int(o, "manner", vm->manner);
	put_text(o, "why", vm->why);
	json_object_object_add(o, "confined", json_object_new_boolean(vm->confined));
	put_text(o, "qmp", vm->qmp);
	put_int(o, "threads", (int64_t)vm->threads);
	json_object_object_add(o, "mem", mem_json(vm));
	for (i = 0; i < vm->vcpus; i++)
		json_object_array_add(vcpus, vcpu_json(&vm->vcpu[i]));
	json_object_object_add(o, "vcpus", vcpus);
	return o;
}

static struct json_object *cpu_json(const struct ks_book_cpu *c, unsigned int cpu)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "cpu", cpu);
	put_text(o, "step", ks_step_name(c->step));
	put_int(o, "owner", c->owner);
	put_int(o, "from", c->from);
	put_int(o, "to", c->to);
	return o;
}

static struct json_object *book_json(const struct ks_book *b)
{
	struct json_object *o = json_object_new_object(), *vms = json_object_new_array(),
			   *cpus = json_object_new_array();
	unsigned int i;

	put_int(o, "schema", SCHEMA);
	put_int(o, "pid_ns", (int64_t)ks_pidns(NULL));
	json_object_object_add(o, "pin", json_object_new_boolean(!b->no_pin));
	json_object_object_add(o, "releasing", json_object_new_boolean(b->releasing));
	for (i = 0; i < KS_BOOK_VMS; i++)
		if (b->vm[i].tgid)
			json_object_array_add(vms, vm_json(&b->vm[i], i));
	json_object_object_add(o, "vms", vms);
	for (i = 0; i < KS_CPUS; i++)
		if (b->cpu[i].step != KS_STEP_NONE)
			json_object_array_add(cpus, cpu_json(&b->cpu[i], i));
	json_object_object_add(o, "cpus", cpus);
	return o;
}

/* For everybody to read, whatever the umask: `status' needs no root. */
static int write_file(const char *path, struct json_object *o)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644), ret = 0;

	if (fd < 0)
		return -errno;
	errno = 0;
	if (json_object_to_fd(fd, o, JSON_C_TO_STRING_PLAIN) || fchmod(fd, 0644))
		ret = errno ? -errno : -EIO;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int ks_book_save(const struct ks_book *b, const char *dir)
{
	struct json_object *o = book_json(b);
	char path[4096], tmp[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/" NAME, dir);
	snprintf(tmp, sizeof(tmp), "%s/" NAME ".partial", dir);
	ret = write_file(tmp, o);
	if (!ret && rename(tmp, path))
		ret = -errno;
	json_object_put(o);
	return ret;
}

int ks_book_remove(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/" NAME, dir);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* ---- to read it ---- */

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

/* A number within bounds; what is not one, or outside, makes the whole book senseless. */
static int64_t number(struct json_object *o, const char *key, int64_t min, int64_t max, bool *bad)
{
	struct json_object *v = get(o, key);
	int64_t n = v ? json_object_get_int64(v) : 0;

	if (!json_object_is_type(v, json_type_int) || n < min || n > max) {
		*bad = true;
		return min;
	}
	return n;
}

static void copy_text(struct json_object *o, const char *key, char *buf, size_t size)
{
	const char *text = json_object_get_string(get(o, key));

	snprintf(buf, size, "%s", text ? text : "");
}

static char *dup_text(struct json_object *o, const char *key)
{
	const char *text = json_object_get_string(get(o, key));

	return text ? strdup(text) : NULL;
}

static size_t length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static void read_vcpus(struct ks_book_vm *vm, struct json_object *list, bool *bad)
{
	unsigned int i;

	for (i = 0; i < vm->vcpus; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		struct ks_book_vcpu *v = &vm->vcpu[i];

		v->tid = (uint32_t)number(o, "tid", 0, INT32_MAX, bad);
		v->affinity = dup_text(o, "affinity");
		v->home = dup_text(o, "home");
		v->group = dup_text(o, "group");
		v->max = dup_text(o, "max");
		v->got = (uint32_t)json_object_get_int64(get(o, "got")); /* older books have none */
		if (v->home && (!v->group || !v->max))
			*bad = true;
	}
}

static void read_mem(struct ks_book_vm *vm, struct json_object *list, bool *bad)
{
	size_t i;

	for (i = 0; i < length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		int64_t node = number(o, "node", 0, KS_BOOK_NODES - 1, bad);

		vm->mem[node] = (uint64_t)number(o, "bytes", 0, INT64_MAX, bad);
	}
}

/* Older books do not say it; then it was whoever had an agent that did as it was told. */
static bool is_confined(const struct ks_book_vm *vm, struct json_object *o)
{
	struct json_object *v = get(o, "confined");

	return v ? json_object_get_boolean(v) : vm->manner == KS_MANNER_AGENT;
}

static void read_vm(struct ks_book *b, struct json_object *o, bool *bad)
{
	int64_t place = number(o, "place", 0, KS_BOOK_VMS - 1, bad);
	struct json_object *vcpus = get(o, "vcpus");
	struct ks_book_vm *vm = &b->vm[place];
	size_t n = length(vcpus);

	if (!n || n > KS_CPUS || vm->vcpu)
		*bad = true;
	if (*bad)
		return;
	vm->vcpu = calloc(n, sizeof(*vm->vcpu));
	vm->vcpus = vm->vcpu ? (unsigned int)n : 0;
	memset(vm->mem, 0xff, sizeof(vm->mem));
	vm->tgid = (uint32_t)number(o, "pid", 1, INT32_MAX, bad);
	vm->start = (uint64_t)number(o, "start", 0, INT64_MAX, bad);
	vm->cid = (uint32_t)number(o, "cid", 0, UINT32_MAX, bad);
	vm->first = (uint32_t)number(o, "first", 0, KS_CPUS - 1, bad);
	vm->manner = (enum ks_manner)number(o, "manner", 0, KS_MANNER_FORCED, bad);
	vm->confined = is_confined(vm, o);
	copy_text(o, "name", vm->name, sizeof(vm->name));
	copy_text(o, "why", vm->why, sizeof(vm->why));
	copy_text(o, "qmp", vm->qmp, sizeof(vm->qmp));
	vm->threads =
		(uint64_t)json_object_get_int64(get(o, "threads")); /* older books have none */
	read_vcpus(vm, vcpus, bad);
	read_mem(vm, get(o, "mem"), bad);
}

static enum ks_step step_of(const char *name, bool *bad)
{
	int i;

	for (i = KS_STEP_FREE; name && i < KS_STEPS; i++)
		if (!strcmp(name, ks_step_name(i)))
			return i;
	*bad = true;
	return KS_STEP_NONE;
}

static int8_t vm_of(const struct ks_book *b, struct json_object *o, const char *key, bool *bad)
{
	int64_t vm = number(o, key, KS_NOBODY, KS_BOOK_VMS - 1, bad);

	if (vm != KS_NOBODY && !b->vm[vm].tgid)
		*bad = true;
	return (int8_t)vm;
}

static void read_cpu(struct ks_book *b, struct json_object *o, bool *bad)
{
	struct ks_book_cpu *c = &b->cpu[number(o, "cpu", 0, KS_CPUS - 1, bad)];
	bool owned;

	if (c->step != KS_STEP_NONE)
		*bad = true;
	c->step = step_of(json_object_get_string(get(o, "step")), bad);
	c->owner = vm_of(b, o, "owner", bad);
	c->from = vm_of(b, o, "from", bad);
	c->to = vm_of(b, o, "to", bad);
	owned = c->step == KS_STEP_OWNED || c->step == KS_STEP_TAKING || c->step == KS_STEP_GIVING;
	if (owned != (c->owner != KS_NOBODY))
		*bad = true;
}

static void read_book(struct ks_book *b, struct json_object *o, bool *bad)
{
	size_t i;

	number(o, "schema", SCHEMA, SCHEMA, bad);
	b->no_pin = !json_object_get_boolean(get(o, "pin"));
	b->releasing = json_object_get_boolean(get(o, "releasing")); /* older books have none */
	for (i = 0; i < length(get(o, "vms")) && !*bad; i++)
		read_vm(b, json_object_array_get_idx(get(o, "vms"), i), bad);
	for (i = 0; i < length(get(o, "cpus")) && !*bad; i++)
		read_cpu(b, json_object_array_get_idx(get(o, "cpus"), i), bad);
}

/* The processes in it have other numbers here: they would be taken for ended. */
static bool is_foreign(struct json_object *o)
{
	uint64_t here = ks_pidns(NULL), there = json_object_get_uint64(get(o, "pid_ns"));

	return here && there && here != there;
}

static int parse_book(struct ks_book *b, const char *text)
{
	struct json_object *o = json_tokener_parse(text);
	bool bad = !json_object_is_type(o, json_type_object), foreign;

	if (!bad)
		read_book(b, o, &bad);
	foreign = !bad && is_foreign(o);
	json_object_put(o);
	return bad ? -EPROTO : foreign ? -ENOTSUP : 0;
}

static int not_read(int ret, const char *path, struct ks_err *err)
{
	if (ret == -ENOTSUP)
		return ks_fail(
			err, ret,
			"%.120s was written in another PID namespace: run vm-share there, or "
			"remove it if there is none any more",
			path);
	return ks_fail(err, ret, "%.150s makes no sense to this version of vm-share", path);
}

int ks_book_load(struct ks_book **out, const char *dir, struct ks_err *err)
{
	struct ks_book *b;
	char path[4096], *text;
	int ret;

	*out = NULL;
	snprintf(path, sizeof(path), "%s/" NAME, dir);
	ret = ks_read_file(path, MAX_BOOK, &text, NULL);
	if (ret)
		return ks_fail(err, ret, ret == -ENOENT ? "no plan is applied" : "%.150s: %s", path,
			       strerror(-ret));
	b = ks_book_new();
	ret = b ? parse_book(b, text) : -ENOMEM;
	free(text);
	if (ret) {
		ks_book_free(b);
		return not_read(ret, path, err);
	}
	*out = b;
	return 0;
}
