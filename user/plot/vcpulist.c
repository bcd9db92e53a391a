// SPDX-License-Identifier: GPL-2.0
#include "vcpulist.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "err.h"

#define MAX_ID 65535

/* Digits only: strtoul would take a sign, spaces and "0x". */
static int number(const char **p, uint32_t *out)
{
	uint32_t v = 0;

	if (!isdigit((unsigned char)**p))
		return -EINVAL;
	while (isdigit((unsigned char)**p)) {
		v = v * 10 + (uint32_t)(**p - '0');
		if (v > MAX_ID)
			return -EINVAL;
		(*p)++;
	}
	*out = v;
	return 0;
}

static int range(const char **p, struct ks_vcpurange *r)
{
	int err = number(p, &r->first);

	if (err)
		return err;
	r->last = r->first;
	if (**p != '-')
		return 0;
	(*p)++;
	err = number(p, &r->last);
	return err ? err : r->last < r->first ? -EINVAL : 0;
}

static int add(struct ks_vcpulist *l, struct ks_vcpurange r)
{
	struct ks_vcpurange *v = reallocarray(l->v, l->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->v = v;
	v[l->n++] = r;
	return 0;
}

int ks_vcpulist_parse(struct ks_vcpulist *l, const char *text, struct ks_err *err)
{
	const char *p = text;
	int ret = 0;

	*l = (struct ks_vcpulist){ 0 };
	while (p && !ret) {
		struct ks_vcpurange r;

		ret = range(&p, &r);
		if (!ret && *p && *p != ',')
			ret = -EINVAL;
		if (!ret)
			ret = add(l, r);
		if (!ret && !*p++)
			break;
	}
	if (ret)
		ks_vcpulist_free(l);
	if (ret == -EINVAL)
		ks_fail(err, ret, "\"%.100s\" is no list of vCPUs at \"%.60s\": write 0,2-3", text,
			p);
	return ret;
}

bool ks_vcpulist_has(const struct ks_vcpulist *l, uint32_t id)
{
	if (!l->n)
		return true;
	for (size_t i = 0; i < l->n; i++)
		if (id >= l->v[i].first && id <= l->v[i].last)
			return true;
	return false;
}

void ks_vcpulist_free(struct ks_vcpulist *l)
{
	free(l->v);
	*l = (struct ks_vcpulist){ 0 };
}
