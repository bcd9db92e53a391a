// SPDX-License-Identifier: GPL-2.0
/* Where members lie, by BTF: see layout.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"

static bool find_member(const struct btf *btf, int type, const char *name, size_t len,
			struct place *at, int *of_type)
{
	const struct btf_type *t = btf__type_by_id(btf, btf__resolve_type(btf, type));
	const struct btf_member *m;
	uint32_t base = at->offset, i;
	const char *own;

	if (!t || !btf_is_composite(t))
		return false;
	m = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++) {
		own = btf__name_by_offset(btf, m[i].name_off);
		at->offset = base + btf_member_bit_offset(t, i) / 8;
		if (!*own && find_member(btf, m[i].type, name, len, at, of_type))
			return true;
		if (strlen(own) != len || memcmp(own, name, len))
			continue;
		*of_type = m[i].type;
		return !(btf_kflag(t) && btf_member_bitfield_size(t, i));
	}
	at->offset = base;
	return false;
}

/* The element [i] of what find_member() found; the first without an index. */
static bool index_array(const struct btf *btf, int *type, const char *index, struct place *at)
{
	const struct btf_type *t = btf__type_by_id(btf, btf__resolve_type(btf, *type));
	uint32_t i = *index == '[' ? strtoul(index + 1, NULL, 10) : 0;

	if (!btf_is_array(t))
		return *index != '[';
	if (i >= btf_array(t)->nelems)
		return false;
	*type = btf_array(t)->type;
	at->offset += i * btf__resolve_size(btf, *type);
	return true;
}

struct place place_of(const struct btf *btf, const char *type, const char *path)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	struct place at = {};
	size_t len;

	while (id > 0) {
		len = strcspn(path, ".[");
		if (!find_member(btf, id, path, len, &at, &id) ||
		    !index_array(btf, &id, path + len, &at))
			break;
		path += strcspn(path, ".");
		if (!*path++) {
			at.size = btf__resolve_size(btf, id);
			return at;
		}
	}
	return (struct place){};
}

uint32_t struct_size(const struct btf *btf, const char *type)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);

	return id > 0 ? btf__resolve_size(btf, id) : 0;
}

/*
 * Numbers of types and strings in a module's BTF go on where the kernel's end, so one behind the
 * other they are one BTF.
 */
int write_joined(const struct btf *base, const struct btf *module, FILE *out)
{
	const struct btf *part[] = { base, module };
	const struct btf_header *h[2];
	struct btf_header sum;
	uint32_t len, i;

	for (i = 0; i < 2; i++) {
		h[i] = btf__raw_data(part[i], &len);
		if (!h[i])
			return -ENOMEM;
	}
	sum = *h[0];
	sum.hdr_len = sizeof(sum);
	sum.type_off = 0;
	sum.type_len = sum.str_off = h[0]->type_len + h[1]->type_len;
	sum.str_len = h[0]->str_len + h[1]->str_len;
	fwrite(&sum, sizeof(sum), 1, out);
	for (i = 0; i < 2; i++)
		fwrite((char *)h[i] + h[i]->hdr_len + h[i]->type_off, h[i]->type_len, 1, out);
	for (i = 0; i < 2; i++)
		fwrite((char *)h[i] + h[i]->hdr_len + h[i]->str_off, h[i]->str_len, 1, out);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
