// SPDX-License-Identifier: GPL-2.0
#include "compare.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A C declaration longer than this is cut; it is for people to read. */
#define DECL_SIZE 256

struct side {
	const struct btf *btf;
	struct btf_dump *dump;
	char decl[DECL_SIZE];
};

struct compare {
	struct side was;
	struct side is;
	vg_change_fn report;
	void *ctx;
	int gone;
};

static void append(void *ctx, const char *fmt, va_list args)
{
	struct side *side = ctx;
	size_t used = strlen(side->decl);

	vsnprintf(side->decl + used, sizeof(side->decl) - used, fmt, args);
}

static const char *declare(struct side *side, __u32 type, int bits)
{
	LIBBPF_OPTS(btf_dump_emit_type_decl_opts, opts, .field_name = "");
	size_t used;

	side->decl[0] = '\0';
	if (btf_dump__emit_type_decl(side->dump, type, &opts))
		snprintf(side->decl, sizeof(side->decl), "?");
	used = strlen(side->decl);
	if (bits)
		snprintf(side->decl + used, sizeof(side->decl) - used, ":%d", bits);
	return side->decl;
}

static const struct btf_type *skip_mods(const struct btf *btf, __u32 type)
{
	const struct btf_type *t = btf__type_by_id(btf, type);

	while (btf_is_mod(t))
		t = btf__type_by_id(btf, t->type);
	return t;
}

struct found {
	__u32 type;
	int bits;
};

/* A member by name, also inside anonymous members. */
static bool find_member(const struct btf *btf, const struct btf_type *t, const char *name,
			struct found *found)
{
	const char *own;
	int i;

	for (i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];

		own = btf__name_by_offset(btf, m->name_off);
		if (!strcmp(own, name)) {
			found->type = m->type;
			found->bits = btf_member_bitfield_size(t, i);
			return true;
		}
		if (!*own && btf_is_composite(skip_mods(btf, m->type)) &&
		    find_member(btf, skip_mods(btf, m->type), name, found))
			return true;
	}
	return false;
}

static bool has_enumerator(const struct btf *btf, const struct btf_type *t, const char *name)
{
	int i;

	for (i = 0; i < btf_vlen(t); i++) {
		__u32 off = btf_is_enum(t) ? btf_enum(t)[i].name_off : btf_enum64(t)[i].name_off;

		if (!strcmp(btf__name_by_offset(btf, off), name))
			return true;
	}
	return false;
}

static const char *keyword(const struct btf_type *t)
{
	return btf_is_struct(t) ? "struct" : btf_is_union(t) ? "union" : "enum";
}

static void gone(struct compare *c, const struct btf_type *t, const char *type, const char *part)
{
	char what[DECL_SIZE];

	snprintf(what, sizeof(what), "%s %s%s%s", keyword(t), type, part ? "." : "",
		 part ? part : "");
	c->report(c->ctx, VG_GONE, what, NULL, NULL);
	c->gone++;
}

static void compare_members(struct compare *c, const struct btf_type *old_t,
			    const struct btf_type *new_t, const char *type)
{
	const char *name, *was, *is;
	struct found found;
	char what[DECL_SIZE];
	int i;

	for (i = 0; i < btf_vlen(old_t); i++) {
		const struct btf_member *m = &btf_members(old_t)[i];

		name = btf__name_by_offset(c->was.btf, m->name_off);
		if (!*name) {
			compare_members(c, skip_mods(c->was.btf, m->type), new_t, type);
			continue;
		}
		if (!find_member(c->is.btf, new_t, name, &found)) {
			gone(c, new_t, type, name);
			continue;
		}
		was = declare(&c->was, m->type, btf_member_bitfield_size(old_t, i));
		is = declare(&c->is, found.type, found.bits);
		snprintf(what, sizeof(what), "%s %s.%s", keyword(new_t), type, name);
		if (strcmp(was, is))
			c->report(c->ctx, VG_CHANGED, what, was, is);
	}
}

static void compare_values(struct compare *c, const struct btf_type *old_t,
			   const struct btf_type *new_t, const char *type)
{
	const char *name;
	int i;

	for (i = 0; i < btf_vlen(old_t); i++) {
		__u32 off = btf_is_enum(old_t) ? btf_enum(old_t)[i].name_off :
						 btf_enum64(old_t)[i].name_off;

		name = btf__name_by_offset(c->was.btf, off);
		if (!has_enumerator(c->is.btf, new_t, name))
			gone(c, new_t, type, name);
	}
}

static void compare_type(struct compare *c, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(c->was.btf, t->name_off);
	int id = btf__find_by_name_kind(c->is.btf, name, btf_kind(t));

	if (id < 0 && btf_is_any_enum(t))
		id = btf__find_by_name_kind(c->is.btf, name,
					    btf_is_enum(t) ? BTF_KIND_ENUM64 : BTF_KIND_ENUM);
	if (id < 0)
		gone(c, t, name, NULL);
	else if (btf_is_composite(t))
		compare_members(c, t, btf__type_by_id(c->is.btf, id), name);
	else
		compare_values(c, t, btf__type_by_id(c->is.btf, id), name);
}

static int open_side(struct side *side, const struct btf *btf)
{
	side->btf = btf;
	side->dump = btf_dump__new(btf, append, side, NULL);
	return side->dump ? 0 : -errno;
}

int vg_compare(const struct btf *old_btf, const struct btf *new_btf, vg_change_fn report, void *ctx)
{
	struct compare c = { .report = report, .ctx = ctx };
	int err = open_side(&c.was, old_btf);
	__u32 id;

	if (!err)
		err = open_side(&c.is, new_btf);
	for (id = 1; !err && id < btf__type_cnt(old_btf); id++) {
		const struct btf_type *t = btf__type_by_id(old_btf, id);

		if (t->name_off && (btf_is_composite(t) || btf_is_any_enum(t)))
			compare_type(&c, t);
	}
	btf_dump__free(c.was.dump);
	btf_dump__free(c.is.dump);
	return err ? err : c.gone;
}
