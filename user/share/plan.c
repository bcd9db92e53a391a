// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "err.h"
#include "plan.h"
#include "text.h"

#define MAX_WORD 16384u
#define MAX_FILE (1u << 20)

struct ks_plan *ks_plan_new(void)
{
	return calloc(1, sizeof(struct ks_plan));
}

/* A name as the user wrote it, fit for a message. */
struct shown {
	char s[64];
};

static const char *show(struct shown *b, const char *s)
{
	return ks_printable(b->s, sizeof(b->s), s, strlen(s));
}

/* ---- what stands behind a key ---- */

static int take_cpus(struct ks_plan_vm *vm, const char *value, struct ks_err *err)
{
	if (ks_cpus_count(&vm->cpus))
		return ks_fail(err, -EINVAL, "%s: cpus: is given twice", vm->name);
	return ks_cpus_parse("cpus", value, &vm->cpus, err);
}

static int take_mem(struct ks_plan_vm *vm, char *value, struct ks_err *err)
{
	char *size = strchr(value, '=');
	uint64_t node, bytes;
	int ret;

	if (!size)
		return ks_fail(err, -EINVAL, "%s: mem: needs NODE=SIZE, such as mem:0=2G",
			       vm->name);
	*size++ = 0;
	ret = ks_arg_uint("mem", value, 0, KS_PLAN_NODES - 1, &node, err);
	if (!ret)
		ret = ks_arg_size("mem", size, &bytes, err);
	if (ret)
		return ret;
	if (vm->mem[node] != UINT64_MAX)
		return ks_fail(err, -EINVAL, "%s: memory of node %u is given twice", vm->name,
			       (unsigned int)node);
	if (bytes > INT64_MAX)
		return ks_fail(err, -ERANGE, "%s: mem: too large", vm->name);
	vm->mem[node] = bytes;
	return 0;
}

static int take_first(struct ks_plan_vm *vm, const char *value, struct ks_err *err)
{
	uint64_t first;
	int ret = ks_arg_uint("first", value, 0, KS_CPUS - 1, &first, err);

	if (!ret)
		vm->first = (uint32_t)first;
	return ret;
}

static int take_qmp(struct ks_plan_vm *vm, const char *value, struct ks_err *err)
{
	size_t len = strlen(value);

	if (value[0] != '/' || len >= sizeof(vm->qmp))
		return ks_fail(err, -EINVAL,
			       "%s: qmp: needs the whole path of a socket, at most %zu bytes",
			       vm->name, sizeof(vm->qmp) - 1);
	memcpy(vm->qmp, value, len + 1);
	return 0;
}

static int take_item(struct ks_plan_vm *vm, char *item, struct ks_err *err)
{
	char *value = strchr(item, ':');
	struct shown b;

	if (value)
		*value++ = 0;
	if (value && !strcmp(item, "cpus"))
		return take_cpus(vm, value, err);
	if (value && !strcmp(item, "mem"))
		return take_mem(vm, value, err);
	if (value && !strcmp(item, "first"))
		return take_first(vm, value, err);
	if (value && !strcmp(item, "qmp"))
		return take_qmp(vm, value, err);
	return ks_fail(err, -EINVAL,
		       "%s: '%s' is none of cpus:LIST, mem:NODE=SIZE, first:CPU, qmp:PATH",
		       vm->name, show(&b, item));
}

/* "cpus:0,2-3,mem:0=1G": a comma before a digit is one of the list. */
static char *next_item(char **rest)
{
	char *item = *rest, *p = item;

	if (!p)
		return NULL;
	while ((p = strchr(p, ',')) && isdigit((unsigned char)p[1]))
		p++;
	if (p)
		*p++ = 0;
	*rest = p;
	return item;
}

static int take_items(struct ks_plan_vm *vm, char *text, struct ks_err *err)
{
	char *item;
	int ret = 0;

	while (!ret && (item = next_item(&text)))
		ret = take_item(vm, item, err);
	return ret;
}

/* ---- words ---- */

static int take_name(struct ks_plan *p, const char *name, struct ks_err *err)
{
	struct ks_plan_vm *vm = &p->vm[p->n];
	struct shown b;
	unsigned int i;

	memset(vm, 0, sizeof(*vm));
	memset(vm->mem, 0xff, sizeof(vm->mem));
	ks_printable(vm->name, sizeof(vm->name), name, strlen(name));
	if (!*name || strcmp(vm->name, name) || !strcmp(name, "free"))
		return ks_fail(err, -EINVAL, "'%s' cannot be a VM's name", show(&b, name));
	for (i = 0; i < p->n; i++)
		if (!strcmp(p->vm[i].name, name))
			return ks_fail(err, -EINVAL, "%s is given twice", vm->name);
	return 0;
}

int ks_plan_word(struct ks_plan *p, const char *word, struct ks_err *err)
{
	char text[MAX_WORD], *items;
	struct shown b;
	int ret;

	if (!strcmp(word, "no-pin")) {
		p->no_pin = true;
		return 0;
	}
	if (snprintf(text, sizeof(text), "%s", word) >= (int)sizeof(text))
		return ks_fail(err, -E2BIG, "a word of more than %u bytes", MAX_WORD - 1);
	items = strchr(text, '=');
	if (!items)
		return ks_fail(err, -EINVAL,
			       "'%s' is no part of a plan; use VM=cpus:LIST[,mem:NODE=SIZE]",
			       show(&b, word));
	if (p->n == KS_PLAN_VMS)
		return ks_fail(err, -E2BIG, "more than %u VMs", KS_PLAN_VMS);
	*items++ = 0;
	ret = take_name(p, text, err);
	if (!ret)
		ret = take_items(&p->vm[p->n], items, err);
	if (!ret)
		p->n++;
	return ret;
}

static int take_line(struct ks_plan *p, char *line, struct ks_err *err)
{
	char *word;
	int ret = 0;

	line[strcspn(line, "#")] = 0;
	while (!ret && (word = strsep(&line, " \t\r")))
		ret = *word ? ks_plan_word(p, word, err) : 0;
	return ret;
}

int ks_plan_file(struct ks_plan *p, const char *path, struct ks_err *err)
{
	unsigned int number = 0;
	char *text, *rest, *line;
	struct ks_err why;
	size_t len;
	int ret = ks_read_file(path, MAX_FILE, &text, &len);

	if (ret)
		return ks_fail(err, ret, "%.150s: %s", path, strerror(-ret));
	if (strlen(text) != len)
		ret = ks_fail(err, -EINVAL, "%.150s: not a text file", path);
	rest = text;
	while (!ret && (line = strsep(&rest, "\n"))) {
		number++;
		ret = take_line(p, line, &why);
		if (ret)
			ks_fail(err, ret, "%.100s, line %u: %.130s", path, number, why.msg);
	}
	free(text);
	return ret;
}

/* ---- the whole ---- */

static int check_vm(const struct ks_plan_vm *vm, struct ks_err *err)
{
	unsigned int cpu = ks_cpus_next(&vm->cpus, 0);

	if (cpu == KS_CPUS)
		return ks_fail(err, -EINVAL, "%s has no CPU: a guest cannot live without one",
			       vm->name);
	if (cpu < vm->first)
		return ks_fail(err, -EINVAL,
			       "%s: no vCPU stands for CPU %u, as its first stands for CPU %u",
			       vm->name, cpu, vm->first);
	return 0;
}

int ks_plan_check(const struct ks_plan *p, struct ks_err *err)
{
	unsigned int i, k, cpu;
	int ret;

	if (!p->n)
		return ks_fail(err, -EINVAL, "the plan names no VM");
	for (i = 0; i < p->n; i++) {
		ret = check_vm(&p->vm[i], err);
		if (ret)
			return ret;
		for (k = 0; k < i; k++) {
			cpu = ks_cpus_common(&p->vm[i].cpus, &p->vm[k].cpus);
			if (cpu < KS_CPUS)
				return ks_fail(err, -EINVAL,
					       "CPU %u is given to both %s and %s: plans are "
					       "exclusive",
					       cpu, p->vm[k].name, p->vm[i].name);
		}
	}
	return 0;
}
