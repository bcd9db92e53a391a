// SPDX-License-Identifier: GPL-2.0
/* Walks the BTF of the sources from the listed types and collects what they need. */
#include "graph.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* The chosen definition of a named type, over all sources. */
struct named {
	enum vg_class class;
	const char *name;
	const struct vg_source *source;
	__u32 id;
	__u32 vlen;
	bool definition; /* false: only forward declarations were seen */
	int type;	 /* its number in the graph, 0 = not yet */
};

/* Unnamed types, so that each appears once: what it is -> its number in the graph. */
struct unnamed {
	int kind;
	int ref;
	__u32 size;
	const struct btf *btf; /* anonymous structs, prototypes: told apart by where they are */
	__u32 id;
	const char *name; /* ints and floats */
	int type;
};

struct picker {
	struct vg_graph *graph;
	const struct vg_source *sources;
	size_t nr_sources;
	struct vg_list *list;
	void *named;
	void *unnamed;
	void *enums; /* first enumerators of the anonymous enums taken */
};

static int pick(struct picker *p, const struct vg_source *src, __u32 id, bool by_value);

static int cmp_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->class != y->class)
		return (int)x->class - (int)y->class;
	return strcmp(x->name, y->name);
}

static int cmp_unnamed(const void *a, const void *b)
{
	const struct unnamed *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind - y->kind;
	if (x->ref != y->ref)
		return x->ref - y->ref;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	if (x->btf != y->btf)
		return x->btf < y->btf ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

static int cmp_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static enum vg_class class_of(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
		return VG_STRUCT;
	case BTF_KIND_UNION:
		return VG_UNION;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return VG_ENUM;
	case BTF_KIND_TYPEDEF:
		return VG_TYPEDEF;
	case BTF_KIND_FWD:
		return btf_kflag(t) ? VG_UNION : VG_STRUCT;
	default:
		return VG_OTHER;
	}
}

static const char *name_of(const struct vg_source *src, __u32 name_off)
{
	return btf__name_by_offset(src->btf, name_off);
}

/* True if the candidate is to be preferred to what the index holds. */
static bool better(const struct named *old, const struct named *cand)
{
	if (old->definition != cand->definition)
		return cand->definition;
	if (old->source->generation != cand->source->generation)
		return cand->source->generation < old->source->generation;
	return cand->vlen > old->vlen;
}

static bool is_definition(const struct btf_type *t)
{
	if (btf_is_fwd(t))
		return false;
	return !btf_is_any_enum(t) || btf_vlen(t); /* an enum without values is a forward one */
}

static bool is_anonymous_composite(const struct vg_source *src, const struct btf_member *m,
				   const struct btf_type **inner)
{
	const char *name = name_of(src, m->name_off);

	*inner = btf__type_by_id(src->btf, m->type);
	while (btf_is_mod(*inner) || btf_is_type_tag(*inner))
		*inner = btf__type_by_id(src->btf, (*inner)->type);
	return !*name && btf_is_composite(*inner);
}

/* Note the wanted members that this definition has: some are only in kernels that lose the pick. */
static void note_members(const struct vg_source *src, const struct btf_type *t,
			 struct vg_want *want)
{
	const struct btf_type *inner;
	int i;

	for (i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];

		if (is_anonymous_composite(src, m, &inner))
			note_members(src, inner, want);
		else
			vg_want_note(want, name_of(src, m->name_off));
	}
}

static void note_wanted(struct picker *p, const struct vg_source *src, const struct btf_type *t,
			const struct named *named)
{
	struct vg_want *want;

	if (!btf_is_composite(t))
		return;
	want = vg_list_find(p->list, named->class, named->name);
	if (want && want->trimmed)
		note_members(src, t, want);
}

static int index_type(struct picker *p, const struct vg_source *src, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(src->btf, id);
	struct named cand = { .class = class_of(t), .source = src, .id = id }, *entry, **slot;

	cand.name = name_of(src, t->name_off);
	if (cand.class == VG_OTHER || !*cand.name)
		return 0;
	cand.vlen = btf_is_fwd(t) || btf_is_typedef(t) ? 0 : btf_vlen(t);
	cand.definition = is_definition(t);
	note_wanted(p, src, t, &cand);
	slot = tfind(&cand, &p->named, cmp_named);
	if (slot) {
		if (better(*slot, &cand))
			**slot = cand;
		return 0;
	}
	entry = malloc(sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = cand;
	if (!tsearch(entry, &p->named, cmp_named)) {
		free(entry);
		return -ENOMEM;
	}
	return 0;
}

/* The first type number that belongs to this BTF itself and not to its base. */
static __u32 first_id(const struct btf *btf)
{
	const struct btf *base = btf__base_btf(btf);

	return base ? btf__type_cnt(base) : 1;
}

static int index_sources(struct picker *p)
{
	size_t i;
	__u32 id;
	int err;

	for (i = 0; i < p->nr_sources; i++) {
		const struct btf *btf = p->sources[i].btf;

		for (id = first_id(btf); id < btf__type_cnt(btf); id++) {
			err = index_type(p, &p->sources[i], id);
			if (err)
				return err;
		}
	}
	return 0;
}

static struct named *lookup(struct picker *p, enum vg_class class, const char *name)
{
	struct named key = { .class = class, .name = name }, **slot;

	slot = tfind(&key, &p->named, cmp_named);
	return slot ? *slot : NULL;
}

/* Find or add the node of an unnamed type; *is_new tells which. */
static int intern(struct picker *p, struct unnamed key, bool *is_new)
{
	struct unnamed **slot = tfind(&key, &p->unnamed, cmp_unnamed), *entry;

	*is_new = !slot;
	if (slot)
		return (*slot)->type;
	entry = malloc(sizeof(*entry));
	key.type = vg_graph_add(p->graph, key.kind, key.name);
	if (!entry || key.type < 0) {
		free(entry);
		return -ENOMEM;
	}
	*entry = key;
	if (!tsearch(entry, &p->unnamed, cmp_unnamed)) {
		free(entry);
		return -ENOMEM;
	}
	vg_graph_node(p->graph, key.type)->ref = key.ref;
	vg_graph_node(p->graph, key.type)->size = key.size;
	return key.type;
}

/* Add a member to a node by number: picking its type may have moved the nodes. */
static int add_member(struct picker *p, int type, struct vg_member value, const char *name)
{
	struct vg_member *m = vg_node_add_member(vg_graph_node(p->graph, type), name);

	if (!m)
		return -ENOMEM;
	value.name = m->name;
	*m = value;
	return 0;
}

static int fill_members(struct picker *p, const struct vg_source *src, const struct btf_type *t,
			int type, struct vg_want *want);

/*
 * An anonymous member: a copy of its struct or union with what is wanted of it. One that has a tag
 * (an extension of Microsoft's that kernels from 6.19 on use) loses it, the members stay reachable.
 */
static int fill_anonymous(struct picker *p, const struct vg_source *src,
			  const struct btf_type *inner, struct vg_member m, int type,
			  struct vg_want *want)
{
	int copy = vg_graph_add(p->graph, btf_kind(inner), NULL), err;
	struct vg_node *node;

	if (copy < 0)
		return copy;
	node = vg_graph_node(p->graph, copy);
	node->size = inner->size;
	node->defined = true;
	err = fill_members(p, src, inner, copy, want);
	if (err)
		return err;
	node = vg_graph_node(p->graph, copy);
	node->trimmed = want && want->trimmed;
	if (!node->nr_members && node->trimmed) {
		/* Nothing in it is wanted. It was the last node, unless its members left others. */
		if ((size_t)copy == p->graph->nr)
			p->graph->nr--;
		return 0;
	}
	m.type = copy;
	return add_member(p, type, m, NULL);
}

static int fill_members(struct picker *p, const struct vg_source *src, const struct btf_type *t,
			int type, struct vg_want *want)
{
	const struct btf_member *bm = btf_members(t);
	const struct btf_type *inner;
	int i, err = 0;

	for (i = 0; i < btf_vlen(t) && !err; i++, bm++) {
		struct vg_member m = {
			.bit_off = btf_member_bit_offset(t, i),
			.bit_size = btf_member_bitfield_size(t, i),
		};
		const char *name = name_of(src, bm->name_off);

		if (is_anonymous_composite(src, bm, &inner)) {
			err = fill_anonymous(p, src, inner, m, type, want);
			continue;
		}
		if (!vg_want_member(want, name))
			continue;
		m.type = pick(p, src, bm->type, true);
		err = m.type < 0 ? m.type : add_member(p, type, m, name);
	}
	return err;
}

static int fill_enum(struct picker *p, const struct vg_source *src, const struct btf_type *t,
		     int type)
{
	struct vg_node *node = vg_graph_node(p->graph, type);
	int i, err = 0;

	node->size = t->size;
	node->encoding = btf_kflag(t);
	node->generation = src->generation;
	for (i = 0; i < btf_vlen(t) && !err; i++) {
		bool wide = btf_is_enum64(t);
		__u32 name_off = wide ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;
		struct vg_member m = {
			.value = wide ? (__s64)btf_enum64_value(&btf_enum64(t)[i]) :
					btf_enum(t)[i].val,
		};

		err = add_member(p, type, m, name_of(src, name_off));
	}
	return err;
}

/* A struct or union that is needed whole, named or not. */
static int define_composite(struct picker *p, const struct vg_source *src, const struct btf_type *t,
			    int type, struct vg_want *want)
{
	struct vg_node *node = vg_graph_node(p->graph, type);

	node->kind = btf_kind(t);
	node->encoding = 0;
	node->size = t->size;
	node->trimmed = want && want->trimmed;
	return fill_members(p, src, t, type, want);
}

static int define_named(struct picker *p, struct named *named)
{
	const struct btf_type *t = btf__type_by_id(named->source->btf, named->id);
	int ref;

	vg_graph_node(p->graph, named->type)->defined = true;
	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return define_composite(p, named->source, t, named->type,
					vg_list_find(p->list, named->class, named->name));
	case BTF_KIND_TYPEDEF:
		ref = pick(p, named->source, t->type, true);
		if (ref >= 0)
			vg_graph_node(p->graph, named->type)->ref = ref;
		return ref < 0 ? ref : 0;
	}
	return 0;
}

static int add_named(struct picker *p, struct named *named)
{
	const struct btf_type *t = btf__type_by_id(named->source->btf, named->id);
	bool composite = named->class == VG_STRUCT || named->class == VG_UNION;
	int type = vg_graph_add(p->graph, composite ? BTF_KIND_FWD : btf_kind(t), named->name);
	int ref = 0;

	if (type < 0)
		return type;
	named->type = type;
	vg_graph_node(p->graph, type)->encoding = named->class == VG_UNION;
	if (named->class == VG_ENUM)
		return fill_enum(p, named->source, t, type);
	if (named->class == VG_TYPEDEF) {
		ref = pick(p, named->source, t->type, false);
		vg_graph_node(p->graph, type)->ref = ref < 0 ? 0 : ref;
	}
	return ref < 0 ? ref : 0;
}

static int pick_named(struct picker *p, struct named *named, bool by_value)
{
	int err = 0;

	if (!named->type)
		err = add_named(p, named);
	if (!err && by_value && named->definition && !vg_graph_node(p->graph, named->type)->defined)
		err = define_named(p, named);
	return err ? err : named->type;
}

/* Types without a name that are what they refer to: pointers, qualifiers, arrays. */
static int pick_derived(struct picker *p, const struct vg_source *src, const struct btf_type *t,
			bool by_value)
{
	struct unnamed key = { .kind = btf_kind(t) };
	bool is_new, is_array = btf_is_array(t);

	if (btf_is_ptr(t))
		by_value = false;
	key.size = is_array ? btf_array(t)->nelems : 0;
	key.ref = pick(p, src, is_array ? btf_array(t)->type : t->type, by_value || is_array);
	return key.ref < 0 ? key.ref : intern(p, key, &is_new);
}

static int pick_scalar(struct picker *p, const struct vg_source *src, const struct btf_type *t)
{
	struct unnamed key = {
		.kind = btf_kind(t),
		.size = t->size,
		.name = name_of(src, t->name_off),
	};
	bool is_new;
	int type = intern(p, key, &is_new);

	if (type > 0 && btf_is_int(t))
		vg_graph_node(p->graph, type)->encoding = btf_int_encoding(t);
	return type;
}

static int pick_anonymous(struct picker *p, const struct vg_source *src, __u32 id,
			  const struct btf_type *t)
{
	struct unnamed key = { .kind = btf_kind(t), .btf = src->btf, .id = id };
	bool is_new;
	int type = intern(p, key, &is_new), err;

	if (type < 0 || !is_new)
		return type;
	vg_graph_node(p->graph, type)->defined = true;
	err = btf_is_any_enum(t) ? fill_enum(p, src, t, type) :
				   define_composite(p, src, t, type, NULL);
	return err ? err : type;
}

static int pick_prototype(struct picker *p, const struct vg_source *src, __u32 id,
			  const struct btf_type *t)
{
	struct unnamed key = { .kind = BTF_KIND_FUNC_PROTO, .btf = src->btf, .id = id };
	const struct btf_param *param = btf_params(t);
	struct vg_member m = {};
	bool is_new;
	int type = intern(p, key, &is_new), i, err = 0;

	if (type < 0 || !is_new)
		return type;
	m.type = pick(p, src, t->type, false);
	if (m.type < 0)
		return m.type;
	vg_graph_node(p->graph, type)->ref = m.type;
	for (i = 0; i < btf_vlen(t) && !err; i++, param++) {
		m.type = pick(p, src, param->type, false);
		err = m.type < 0 ? m.type : add_member(p, type, m, name_of(src, param->name_off));
	}
	return err ? err : type;
}

static int pick(struct picker *p, const struct vg_source *src, __u32 id, bool by_value)
{
	const struct btf_type *t = btf__type_by_id(src->btf, id);
	const char *name;

	if (!id)
		return 0;
	if (!t)
		return -EINVAL;
	name = name_of(src, t->name_off);
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		return pick_scalar(p, src, t);
	case BTF_KIND_PTR:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_ARRAY:
		return pick_derived(p, src, t, by_value);
	case BTF_KIND_TYPE_TAG:
		return pick(p, src, t->type, by_value);
	case BTF_KIND_FUNC_PROTO:
		return pick_prototype(p, src, id, t);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_FWD:
		if (!*name)
			return pick_anonymous(p, src, id, t);
		return pick_named(p, lookup(p, class_of(t), name), by_value);
	default:
		return -EINVAL;
	}
}

/* The names that match a pattern, in order: the index is sorted by class and name. */
struct matches {
	const struct vg_want *want;
	struct named **hits;
	size_t nr;
	bool failed;
};

static void match_one(const void *node, VISIT visit, void *data)
{
	struct named *named = *(struct named *const *)node, **grown;
	struct matches *m = data;

	if ((visit != postorder && visit != leaf) || m->failed)
		return;
	if (named->class != m->want->class || fnmatch(m->want->name, named->name, 0))
		return;
	grown = reallocarray(m->hits, m->nr + 1, sizeof(*grown));
	if (!grown) {
		m->failed = true;
		return;
	}
	m->hits = grown;
	m->hits[m->nr++] = named;
}

static int pick_matches(struct picker *p, struct vg_want *want)
{
	struct matches m = { .want = want };
	int type = 0;
	size_t i;

	twalk_r(p->named, match_one, &m);
	for (i = 0; i < m.nr && type >= 0; i++) {
		if (!m.hits[i]->definition)
			continue;
		want->found = true;
		type = pick_named(p, m.hits[i], true);
	}
	free(m.hits);
	if (m.failed)
		return -ENOMEM;
	return type < 0 ? type : 0;
}

static bool has_enumerator(const struct vg_source *src, const struct btf_type *t,
			   const char *pattern)
{
	int i;

	for (i = 0; i < btf_vlen(t); i++) {
		__u32 off = btf_is_enum(t) ? btf_enum(t)[i].name_off : btf_enum64(t)[i].name_off;

		if (!fnmatch(pattern, name_of(src, off), 0))
			return true;
	}
	return false;
}

static bool is_wanted_enum(const struct vg_source *src, __u32 id, const char *pattern)
{
	const struct btf_type *t = btf__type_by_id(src->btf, id);

	return btf_is_any_enum(t) && !t->name_off && has_enumerator(src, t, pattern);
}

/*
 * Modules repeat anonymous enums of their kernel. An enum is known by its first enumerator; 1 if it
 * was taken before, 0 if not, or -ENOMEM.
 */
static int seen_enum(struct picker *p, const struct vg_source *src, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(src->btf, id);
	__u32 off = btf_is_enum(t) ? btf_enum(t)->name_off : btf_enum64(t)->name_off;
	const char *first = name_of(src, off);

	if (tfind(first, &p->enums, cmp_text))
		return 1;
	return tsearch(first, &p->enums, cmp_text) ? 0 : -ENOMEM;
}

/* Every anonymous enum of one source with an enumerator that matches. */
static int pick_enums_of(struct picker *p, const struct vg_source *src, struct vg_want *want)
{
	__u32 id;
	int ret;

	for (id = first_id(src->btf); id < btf__type_cnt(src->btf); id++) {
		if (!is_wanted_enum(src, id, want->members[0]))
			continue;
		want->found = true;
		ret = seen_enum(p, src, id);
		if (!ret)
			ret = pick(p, src, id, true);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int newest_generation(const struct picker *p, const struct vg_want *want)
{
	int newest = INT_MAX;
	size_t i;
	__u32 id;

	for (i = 0; i < p->nr_sources; i++) {
		const struct vg_source *src = &p->sources[i];

		for (id = first_id(src->btf); id < btf__type_cnt(src->btf); id++)
			if (src->generation < newest && is_wanted_enum(src, id, want->members[0]))
				newest = src->generation;
	}
	return newest;
}

static int pick_anonymous_enums(struct picker *p, struct vg_want *want)
{
	int newest = newest_generation(p, want), err = 0;
	size_t i;

	for (i = 0; i < p->nr_sources && !err; i++)
		if (p->sources[i].generation == newest)
			err = pick_enums_of(p, &p->sources[i], want);
	return err;
}

/* The names in the set of enums belong to the sources. */
static void keep(void *name)
{
	(void)name;
}

static void free_index(struct picker *p)
{
	tdestroy(p->named, free);
	tdestroy(p->unnamed, free);
	tdestroy(p->enums, keep);
}

int vg_graph_pick(struct vg_graph *graph, const struct vg_source *sources, size_t nr_sources,
		  struct vg_list *list)
{
	struct picker p = {
		.graph = graph,
		.sources = sources,
		.nr_sources = nr_sources,
		.list = list,
	};
	struct vg_want *want;
	int err;
	size_t i;

	*graph = (struct vg_graph){};
	err = index_sources(&p);
	for (i = 0; i < list->nr && !err; i++) {
		want = &list->wants[i];
		err = want->name ? pick_matches(&p, want) : pick_anonymous_enums(&p, want);
	}
	free_index(&p);
	if (err)
		vg_graph_free(graph);
	return err;
}
