// SPDX-License-Identifier: GPL-2.0
#include "relo.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many steps as libbpf takes in one access string. */
#define MAX_STEPS 64

/* One step of an access: a named member of a type, or an index. */
struct step {
	const char *name; /* NULL: an index */
	__u32 index;
	__u32 type; /* of the member or element that the step leads to */
};

struct spec {
	const struct btf *btf;
	__u32 root;
	struct step steps[MAX_STEPS];
	size_t nr;
	bool last; /* the last step went to the last member of a struct */
};

static const struct btf_type *strip(const struct btf *btf, __u32 *id)
{
	const struct btf_type *t = btf__type_by_id(btf, *id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t))) {
		*id = t->type;
		t = btf__type_by_id(btf, *id);
	}
	return t;
}

static const char *text(const struct btf *btf, __u32 off)
{
	const char *s = btf__name_by_offset(btf, off);

	return s ? s : "";
}

/* The length of a name without its flavour: up to the last ___ with other characters around it. */
static size_t essential(const char *name)
{
	size_t n = strlen(name), i;

	for (i = n < 5 ? 0 : n - 4; i-- > 0;) {
		const char *s = name + i;

		if (s[0] != '_' && !strncmp(s + 1, "___", 3) && s[4] != '_')
			return i + 1;
	}
	return n;
}

static bool same_essential(const char *a, const char *b)
{
	size_t n = essential(a);

	return n == essential(b) && !strncmp(a, b, n);
}

static bool same_kind(const struct btf_type *a, const struct btf_type *b)
{
	return btf_kind(a) == btf_kind(b) || (btf_is_any_enum(a) && btf_is_any_enum(b));
}

bool vg_relo_is_question(enum bpf_core_relo_kind kind)
{
	return kind == BPF_CORE_FIELD_EXISTS || kind == BPF_CORE_TYPE_EXISTS ||
	       kind == BPF_CORE_TYPE_MATCHES || kind == BPF_CORE_ENUMVAL_EXISTS;
}

static bool is_field(enum bpf_core_relo_kind kind)
{
	return kind <= BPF_CORE_FIELD_RSHIFT_U64;
}

static bool is_enumval(enum bpf_core_relo_kind kind)
{
	return kind == BPF_CORE_ENUMVAL_EXISTS || kind == BPF_CORE_ENUMVAL_VALUE;
}

static int push(struct spec *spec, const char *name, __u32 index, __u32 type)
{
	if (spec->nr == MAX_STEPS)
		return -EINVAL;
	spec->steps[spec->nr++] = (struct step){ name, index, type };
	return 0;
}

/* An array without a size that ends its struct has as many elements as one likes. */
static bool in_bounds(const struct btf_type *array, __u32 index, bool last)
{
	__u32 nr = btf_array(array)->nelems;

	return index < nr || (!nr && last);
}

/* Follow one number of the access string in the object's own types. */
static int walk(struct spec *spec, __u32 *id, __u32 index)
{
	const struct btf_type *t = strip(spec->btf, id);
	const char *name;

	if (!t)
		return -EINVAL;
	if (btf_is_array(t)) {
		*id = btf_array(t)->type;
		return in_bounds(t, index, spec->last) ? push(spec, NULL, index, *id) : -EINVAL;
	}
	if (!btf_is_composite(t) || index >= btf_vlen(t))
		return -EINVAL;
	spec->last = index == btf_vlen(t) - 1U;
	name = text(spec->btf, btf_members(t)[index].name_off);
	*id = btf_members(t)[index].type;
	return *name ? push(spec, name, index, *id) : 0;
}

static int parse_field(const struct vg_relo *relo, struct spec *spec)
{
	const char *pos = relo->access;
	__u32 id = relo->type;
	unsigned long index;
	int err = 0;
	char *end;

	for (; !err; pos = end + 1) {
		index = strtoul(pos, &end, 10);
		if (end == pos || (*end && *end != ':'))
			return -EINVAL;
		err = spec->nr ? walk(spec, &id, index) : push(spec, NULL, index, id);
		if (!*end)
			break;
	}
	return err;
}

static int parse_enumval(const struct vg_relo *relo, struct spec *spec)
{
	__u32 id = relo->type, off;
	const struct btf_type *t = strip(spec->btf, &id);
	unsigned long index = strtoul(relo->access, NULL, 10);

	if (!t || !btf_is_any_enum(t) || index >= btf_vlen(t))
		return -EINVAL;
	off = btf_is_enum(t) ? btf_enum(t)[index].name_off : btf_enum64(t)[index].name_off;
	return push(spec, text(spec->btf, off), index, id);
}

static int parse(const struct vg_relo *relo, const struct btf *local, struct spec *spec)
{
	*spec = (struct spec){ .btf = local, .root = relo->type };
	if (is_field(relo->kind))
		return parse_field(relo, spec);
	if (is_enumval(relo->kind))
		return parse_enumval(relo, spec);
	return 0;
}

static bool names_agree(const char *a, const char *b)
{
	return !*a || !*b || same_essential(a, b);
}

static bool fields_agree(const struct btf *lbtf, __u32 lid, const struct btf *tbtf, __u32 tid)
{
	const struct btf_type *l = strip(lbtf, &lid), *t = strip(tbtf, &tid);

	if (!l || !t)
		return false;
	if (btf_is_composite(l) && btf_is_composite(t))
		return true;
	if (!same_kind(l, t))
		return false;
	switch (btf_kind(l)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FLOAT:
		return true;
	case BTF_KIND_INT:
		return !btf_int_offset(l) && !btf_int_offset(t);
	case BTF_KIND_FWD:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return names_agree(text(lbtf, l->name_off), text(tbtf, t->name_off));
	case BTF_KIND_ARRAY:
		return fields_agree(lbtf, btf_array(l)->type, tbtf, btf_array(t)->type);
	default:
		return false;
	}
}

/* Where the walk through the kernel's type stands. */
struct place {
	const struct btf *btf;
	__u32 type;
	__u32 bit_off;
	bool last; /* the last member of its struct: an array there may be a flexible one */
	bool bitfield;
};

static bool step_member(struct place *at, const struct spec *spec, const struct step *step)
{
	const struct btf_type *t = strip(at->btf, &at->type);
	const char *name;
	int i;

	if (!t || !btf_is_composite(t))
		return false;
	for (i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		struct place next = {
			.btf = at->btf,
			.type = m->type,
			.last = i == btf_vlen(t) - 1,
			.bit_off = at->bit_off + btf_member_bit_offset(t, i),
			.bitfield = btf_member_bitfield_size(t, i),
		};

		name = text(at->btf, m->name_off);
		if (!*name ? step_member(&next, spec, step) : !strcmp(name, step->name)) {
			*at = next;
			return !*name || fields_agree(spec->btf, step->type, next.btf, next.type);
		}
	}
	return false;
}

static bool step_index(struct place *at, const struct step *step, bool first)
{
	const struct btf_type *t;
	__s64 size;

	if (!first) {
		t = strip(at->btf, &at->type);
		if (!t || !btf_is_array(t) || !in_bounds(t, step->index, at->last))
			return false;
		at->type = btf_array(t)->type;
	}
	if (!step->index)
		return true; /* an index of 0 works for types without a size, too */
	size = btf__resolve_size(at->btf, at->type);
	at->bit_off += step->index * (size > 0 ? size : 0) * 8;
	return size >= 0;
}

static __u64 size_of_type(const struct btf *btf, __u32 id)
{
	__s64 size = btf__resolve_size(btf, id);

	return size < 0 ? 0 : size;
}

static bool match_field(const struct vg_relo *relo, const struct spec *spec, const struct btf *btf,
			__u32 id, struct vg_result *res)
{
	struct place at = { .btf = btf, .type = id };
	size_t i;

	for (i = 0; i < spec->nr; i++)
		if (spec->steps[i].name ? !step_member(&at, spec, &spec->steps[i]) :
					  !step_index(&at, &spec->steps[i], !i))
			return false;
	res->bit_off = at.bit_off;
	res->value = 0;
	res->has_value = true;
	if (relo->kind == BPF_CORE_FIELD_EXISTS)
		res->value = 1;
	else if (relo->kind == BPF_CORE_FIELD_BYTE_OFFSET && !at.bitfield)
		res->value = at.bit_off / 8;
	else if (relo->kind == BPF_CORE_FIELD_BYTE_SIZE && !at.bitfield)
		res->value = size_of_type(at.btf, at.type);
	else
		res->has_value = false; /* how a bitfield is cut out is libbpf's affair */
	return true;
}

static bool match_enumval(const struct vg_relo *relo, const struct spec *spec,
			  const struct btf *btf, __u32 id, struct vg_result *res)
{
	const struct btf_type *t = strip(btf, &id);
	int i;

	for (i = 0; t && btf_is_any_enum(t) && i < btf_vlen(t); i++) {
		bool wide = btf_is_enum64(t);
		__u32 off = wide ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;

		if (!same_essential(spec->steps[0].name, text(btf, off)))
			continue;
		res->has_value = true;
		if (relo->kind == BPF_CORE_ENUMVAL_EXISTS)
			res->value = 1;
		else
			res->value = wide ? btf_enum64_value(&btf_enum64(t)[i]) :
					    (__u64)(__s64)btf_enum(t)[i].val;
		return true;
	}
	return false;
}

/* Types by themselves: the candidate has the name and kind already, typedefs must agree inside. */
static bool match_type(const struct vg_relo *relo, const struct spec *spec, const struct btf *btf,
		       __u32 id, struct vg_result *res)
{
	__u32 local_id = spec->root, inner_id = id;
	const struct btf_type *l = strip(spec->btf, &local_id), *t = strip(btf, &inner_id);

	if (!l || !t || !same_kind(l, t))
		return false;
	res->value = relo->kind == BPF_CORE_TYPE_SIZE ? size_of_type(btf, id) : 1;
	/* TYPE_MATCHES compares in depth and a type ID depends on the running kernel. */
	res->has_value = relo->kind == BPF_CORE_TYPE_EXISTS || relo->kind == BPF_CORE_TYPE_SIZE;
	return true;
}

static bool match(const struct vg_relo *relo, const struct spec *spec, const struct btf *btf,
		  __u32 id, struct vg_result *res)
{
	if (is_field(relo->kind))
		return match_field(relo, spec, btf, id, res);
	if (is_enumval(relo->kind))
		return match_enumval(relo, spec, btf, id, res);
	return match_type(relo, spec, btf, id, res);
}

static bool differs(const struct vg_result *a, const struct vg_result *b)
{
	return a->bit_off != b->bit_off || a->value != b->value;
}

/* Try all types of the right name in one BTF. Returns how many there are. */
static size_t try_btf(const struct vg_relo *relo, const struct spec *spec, const struct btf *btf,
		      struct vg_result *result)
{
	const struct btf_type *root = btf__type_by_id(spec->btf, spec->root), *t;
	const struct btf *base = btf__base_btf(btf);
	const char *name = text(spec->btf, root->name_off);
	struct vg_result one;
	size_t nr = 0;
	__u32 id;

	for (id = base ? btf__type_cnt(base) : 1; id < btf__type_cnt(btf); id++) {
		t = btf__type_by_id(btf, id);
		if (!same_kind(t, root) || !same_essential(text(btf, t->name_off), name))
			continue;
		nr++;
		one = (struct vg_result){ .found = true };
		if (!match(relo, spec, btf, id, &one))
			continue;
		if (result->found && differs(result, &one))
			result->ambiguous = true;
		else if (!result->found)
			*result = one;
	}
	return nr;
}

int vg_relo_resolve(const struct vg_relo *relo, const struct btf *local,
		    const struct vg_kernel *kernel, struct vg_result *result)
{
	struct spec spec;
	size_t i, nr = 0;
	int err;

	*result = (struct vg_result){};
	if (relo->kind == BPF_CORE_TYPE_ID_LOCAL) {
		result->found = true;
		return 0;
	}
	err = parse(relo, local, &spec);
	if (err)
		return err;
	for (i = 0; i < kernel->nr; i++) {
		nr += try_btf(relo, &spec, kernel->btfs[i], result);
		if (!i && nr)
			break;
	}
	if (!result->found && vg_relo_is_question(relo->kind))
		result->has_value = true; /* the answer is 0 */
	return 0;
}

void vg_relo_describe(const struct vg_relo *relo, const struct btf *local, char *buf, size_t size)
{
	const struct btf_type *t = btf__type_by_id(local, relo->type);
	const char *kind = btf_is_struct(t)   ? "struct " :
			   btf_is_union(t)    ? "union " :
			   btf_is_any_enum(t) ? "enum " :
						"";
	struct spec spec;
	size_t used, i;

	parse(relo, local, &spec); /* as far as it makes sense */
	snprintf(buf, size, "%s%s", kind, text(local, t->name_off));
	for (i = 0; i < spec.nr; i++) {
		used = strlen(buf);
		if (spec.steps[i].name)
			snprintf(buf + used, size - used, ".%s", spec.steps[i].name);
		else if (i || spec.steps[i].index)
			snprintf(buf + used, size - used, "[%u]", spec.steps[i].index);
	}
}
