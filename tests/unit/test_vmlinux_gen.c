// SPDX-License-Identifier: GPL-2.0
/* vmlinux-gen: what is selected, how it is laid out and printed, how BTFs are compared. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/btf.h>

#include "../../vmlinux-gen/compare.h"
#include "../../vmlinux-gen/graph.h"
#include "../../vmlinux-gen/header.h"
#include "../../vmlinux-gen/image.h"
#include "../../vmlinux-gen/list.h"

#define INT_SIGNED 1

static struct vg_list list_of(const char *text)
{
	struct vg_list list;
	char err[128];

	assert_int_equal(vg_list_parse(text, &list, err, sizeof(err)), 0);
	return list;
}

/* What the list selects from the sources, as a header without its frame; the caller frees it. */
static char *header_of(const struct vg_source *sources, size_t nr, struct vg_list *list)
{
	struct vg_graph graph;
	struct btf *btf;
	char *text = NULL, *start, *end, *copy;
	size_t size;
	FILE *f;

	assert_int_equal(vg_graph_pick(&graph, sources, nr, list), 0);
	assert_int_equal(vg_graph_layout(&graph), 0);
	assert_int_equal(vg_graph_to_btf(&graph, &btf), 0);
	f = open_memstream(&text, &size);
	assert_int_equal(vg_header_print(f, btf, NULL, 0), 0);
	fclose(f);
	start = strstr(text, "#endif\n\n") + 8;
	end = strstr(start, "#ifndef");
	copy = strndup(start, end - start);
	free(text);
	btf__free(btf);
	vg_graph_free(&graph);
	return copy;
}

static void check_header(const struct btf *btf, const char *types, const char *expected)
{
	struct vg_source source = { .btf = btf };
	struct vg_list list = list_of(types);
	char *text = header_of(&source, 1, &list);

	assert_string_equal(text, expected);
	free(text);
	vg_list_free(&list);
}

static struct btf *new_btf(void)
{
	struct btf *btf = btf__new_empty();

	btf__set_pointer_size(btf, 8);
	assert_int_equal(btf__add_int(btf, "int", 4, INT_SIGNED), 1);
	return btf;
}

/* ---- the list ---- */

static void list_sorts_and_finds(void **state)
{
	struct vg_list list = list_of("# a comment\n"
				      "typedef u64 struct b { y x # not z\n x }\n"
				      "enum { ONE } enum color struct a union u { }");

	(void)state;
	assert_int_equal(list.nr, 6);
	assert_string_equal(list.wants[0].name, "a");
	assert_string_equal(list.wants[1].name, "b");
	assert_int_equal(list.wants[1].nr_members, 2);
	assert_string_equal(list.wants[1].members[0], "x");
	assert_null(list.wants[3].name);
	assert_string_equal(list.wants[3].members[0], "ONE");
	assert_int_equal(list.wants[1].line, 2);
	assert_ptr_equal(vg_list_find(&list, VG_STRUCT, "b"), &list.wants[1]);
	assert_ptr_equal(vg_list_find(&list, VG_TYPEDEF, "u64"), &list.wants[5]);
	assert_null(vg_list_find(&list, VG_STRUCT, "u64"));
	assert_true(vg_want_member(&list.wants[1], "y"));
	assert_false(vg_want_member(&list.wants[1], "z"));
	assert_true(vg_want_member(&list.wants[0], "anything"));
	assert_false(vg_want_member(&list.wants[2], "anything"));
	assert_true(vg_want_member(NULL, "anything"));
	vg_list_free(&list);
}

static void list_refuses(void **state)
{
	static const char *const bad[] = {
		"class foo",	   "struct",	       "struct }",
		"struct a { x",	   "struct a { { x }", "struct a struct a",
		"struct { x }",	   "enum { A B }",     "enum { }",
		"struct a* { x }", "typedef t { x }",  "enum e { X }",
		"{ x }",
	};
	struct vg_list list;
	char err[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err[0] = '\0';
		assert_int_equal(vg_list_parse(bad[i], &list, err, sizeof(err)), -EINVAL);
		assert_non_null(strstr(err, "line 1: "));
		assert_int_equal(list.nr, 0);
	}
	assert_int_equal(vg_list_read("/nonexistent", &list, err, sizeof(err)), -ENOENT);
}

/* ---- selection and printing ---- */

/* struct outer { struct inner in; struct inner *link; struct other *far; struct outer *self; } */
static struct btf *nested_btf(void)
{
	struct btf *btf = new_btf();

	btf__add_ptr(btf, 4);		  /* 2: struct inner * */
	btf__add_ptr(btf, 6);		  /* 3: struct other * */
	btf__add_struct(btf, "inner", 4); /* 4 */
	btf__add_field(btf, "x", 1, 0, 0);
	btf__add_struct(btf, "outer", 32); /* 5 */
	btf__add_field(btf, "in", 4, 0, 0);
	btf__add_field(btf, "link", 2, 64, 0);
	btf__add_field(btf, "far", 3, 128, 0);
	btf__add_field(btf, "self", 7, 192, 0);
	btf__add_struct(btf, "other", 4); /* 6 */
	btf__add_field(btf, "y", 1, 0, 0);
	btf__add_ptr(btf, 5); /* 7: struct outer * */
	return btf;
}

static void defines_what_is_held_by_value(void **state)
{
	struct btf *btf = nested_btf();

	(void)state;
	check_header(btf, "struct outer",
		     "struct inner {\n\tint x;\n};\n\nstruct other;\n\n"
		     "struct outer {\n\tstruct inner in;\n\tstruct inner *link;\n"
		     "\tstruct other *far;\n\tstruct outer *self;\n};\n\n");
	btf__free(btf);
}

static void defines_what_is_listed(void **state)
{
	struct btf *btf = nested_btf();

	(void)state;
	check_header(btf, "struct outer { far } struct other",
		     "struct other {\n\tint y;\n};\n\n"
		     "struct outer {\n\tstruct other *far;\n};\n\n");
	btf__free(btf);
}

static void defines_what_a_typedef_by_value_needs(void **state)
{
	struct btf *btf = nested_btf();

	(void)state;
	btf__add_typedef(btf, "inner_t", 4); /* 8 */
	btf__add_ptr(btf, 8);		     /* 9 */
	btf__add_struct(btf, "a_far", 8);    /* 10 */
	btf__add_field(btf, "p", 9, 0, 0);
	btf__add_struct(btf, "b_near", 4); /* 11 */
	btf__add_field(btf, "v", 8, 0, 0);
	check_header(btf, "struct a_far",
		     "struct inner;\n\ntypedef struct inner inner_t;\n\n"
		     "struct a_far {\n\tinner_t *p;\n};\n\n");
	check_header(btf, "struct b_near struct a_far",
		     "struct inner;\n\ntypedef struct inner inner_t;\n\n"
		     "struct a_far {\n\tinner_t *p;\n};\n\nstruct inner {\n\tint x;\n};\n\n"
		     "struct b_near {\n\tinner_t v;\n};\n\n");
	btf__free(btf);
}

static void keeps_bitfields(void **state)
{
	struct btf *btf = new_btf();

	(void)state;
	btf__add_int(btf, "unsigned int", 4, 0); /* 2 */
	btf__add_struct(btf, "bits", 16);
	btf__add_field(btf, "pad", 1, 0, 0);
	btf__add_field(btf, "a", 2, 32, 3);
	btf__add_field(btf, "b", 2, 35, 29);
	btf__add_field(btf, "c", 2, 64, 1);
	btf__add_field(btf, "last", 1, 96, 0);
	check_header(btf, "struct bits",
		     "struct bits {\n\tint pad;\n\tunsigned int a: 3;\n\tunsigned int b: 29;\n"
		     "\tunsigned int c: 1;\n\tint last;\n};\n\n");
	/* No padding stands for what was left out, and c starts where b does not fit any more. */
	check_header(btf, "struct bits { b c last }",
		     "struct bits {\n\tunsigned int b: 29;\n\tunsigned int c: 1;\n"
		     "\tint last;\n};\n\n");
	btf__free(btf);
}

/* struct holder { int first; union { int a; struct { int b; int c; }; }; struct tagged; } */
static struct btf *anonymous_btf(void)
{
	struct btf *btf = new_btf();

	btf__add_struct(btf, NULL, 8); /* 2 */
	btf__add_field(btf, "b", 1, 0, 0);
	btf__add_field(btf, "c", 1, 32, 0);
	btf__add_union(btf, NULL, 8); /* 3 */
	btf__add_field(btf, "a", 1, 0, 0);
	btf__add_field(btf, NULL, 2, 0, 0);
	btf__add_struct(btf, "tagged", 8); /* 4 */
	btf__add_field(btf, "d", 1, 0, 0);
	btf__add_field(btf, "e", 1, 32, 0);
	btf__add_struct(btf, "holder", 20); /* 5 */
	btf__add_field(btf, "first", 1, 0, 0);
	btf__add_field(btf, NULL, 3, 32, 0);
	btf__add_field(btf, NULL, 4, 96, 0);
	return btf;
}

static void selects_inside_anonymous_members(void **state)
{
	struct btf *btf = anonymous_btf();

	(void)state;
	check_header(btf, "struct holder { c }",
		     "struct holder {\n\tunion {\n\t\tstruct {\n\t\t\tint c;\n\t\t};\n"
		     "\t};\n};\n\n");
	check_header(btf, "struct holder { a first }",
		     "struct holder {\n\tint first;\n\tunion {\n\t\tint a;\n\t};\n};\n\n");
	btf__free(btf);
}

/* An anonymous member with a tag needs -fms-extensions: it is printed without. */
static void untags_anonymous_members(void **state)
{
	struct btf *btf = anonymous_btf();

	(void)state;
	check_header(btf, "struct holder { e }",
		     "struct holder {\n\tstruct {\n\t\tint e;\n\t};\n};\n\n");
	check_header(btf, "struct holder",
		     "struct holder {\n\tint first;\n\tunion {\n\t\tint a;\n"
		     "\t\tstruct {\n\t\t\tint b;\n\t\t\tint c;\n\t\t};\n\t};\n"
		     "\tstruct {\n\t\tint d;\n\t\tint e;\n\t};\n};\n\n");
	btf__free(btf);
}

static void keeps_flexible_arrays(void **state)
{
	struct btf *btf = new_btf();

	(void)state;
	btf__add_array(btf, 1, 1, 0); /* 2: int [] */
	btf__add_struct(btf, "flex", 8);
	btf__add_field(btf, "nr", 1, 0, 0);
	btf__add_field(btf, "cut", 1, 32, 0);
	btf__add_field(btf, "all", 2, 64, 0);
	check_header(btf, "struct flex { nr all }",
		     "struct flex {\n\tint nr;\n\tint all[0];\n};\n\n");
	btf__free(btf);
}

/* A whole struct keeps the kernel's layout: packed, and with its padding. */
static void keeps_layout_of_whole_structs(void **state)
{
	struct btf *btf = new_btf();

	(void)state;
	btf__add_int(btf, "char", 1, INT_SIGNED); /* 2 */
	btf__add_struct(btf, "packed", 5);	  /* 3 */
	btf__add_field(btf, "c", 2, 0, 0);
	btf__add_field(btf, "i", 1, 8, 0);
	btf__add_struct(btf, "padded", 16); /* 4 */
	btf__add_field(btf, "i", 1, 0, 0);
	check_header(btf, "struct packed struct padded",
		     "struct packed {\n\tchar c;\n\tint i;\n} __attribute__((packed));\n\n"
		     "struct padded {\n\tint i;\n\tlong: 64;\n};\n\n");
	btf__free(btf);
}

/* The layout of a struct changes with that of one it contains: no padding is printed. */
static void lays_out_what_contains_trimmed_structs(void **state)
{
	struct btf *btf = new_btf();

	(void)state;
	btf__add_struct(btf, "big", 1024); /* 2 */
	btf__add_field(btf, "head", 1, 0, 0);
	btf__add_field(btf, "tail", 1, 8160, 0);
	btf__add_array(btf, 1, 2, 3);	      /* 3: struct big [3] */
	btf__add_struct(btf, "holder", 3080); /* 4 */
	btf__add_field(btf, "three", 3, 0, 0);
	btf__add_field(btf, "after", 1, 24576, 0);
	check_header(btf, "struct holder struct big { tail }",
		     "struct big {\n\tint tail;\n};\n\n"
		     "struct holder {\n\tstruct big three[3];\n\tint after;\n};\n\n");
	btf__free(btf);
}

static void prints_enums_whole(void **state)
{
	struct btf *btf = new_btf();

	(void)state;
	btf__add_enum(btf, "color", 4);
	btf__add_enum_value(btf, "RED", -1);
	btf__add_enum_value(btf, "GREEN", 7);
	btf__add_enum64(btf, "wide", 8, false);
	btf__add_enum64_value(btf, "TOP", 1ULL << 63);
	btf__add_enum(btf, NULL, 4);
	btf__add_enum_value(btf, "FLAG_A", 1);
	btf__add_enum_value(btf, "FLAG_B", 2);
	btf__add_enum(btf, NULL, 4);
	btf__add_enum_value(btf, "UNWANTED", 1);
	check_header(btf, "enum color enum wide enum { FLAG_B }",
		     "enum {\n\tFLAG_A = 1,\n\tFLAG_B = 2,\n};\n\n"
		     "enum color {\n\tRED = -1,\n\tGREEN = 7,\n};\n\n"
		     "enum wide {\n\tTOP = 9223372036854775808ULL,\n};\n\n");
	btf__free(btf);
}

static void matches_patterns(void **state)
{
	struct btf *btf = new_btf();

	(void)state;
	btf__add_struct(btf, "scx_b", 4);
	btf__add_field(btf, "x", 1, 0, 0);
	btf__add_struct(btf, "other", 4);
	btf__add_struct(btf, "scx_a", 4);
	btf__add_field(btf, "x", 1, 0, 0);
	btf__add_fwd(btf, "scx_c", BTF_FWD_STRUCT);
	check_header(btf, "struct scx_*",
		     "struct scx_a {\n\tint x;\n};\n\nstruct scx_b {\n\tint x;\n};\n\n");
	btf__free(btf);
}

/* ---- several kernels ---- */

static struct btf *kernel_with(const char *struct_name, const char *member)
{
	struct btf *btf = new_btf();

	btf__add_struct(btf, struct_name, 4);
	btf__add_field(btf, member, 1, 0, 0);
	return btf;
}

static void the_newest_kernel_wins(void **state)
{
	struct btf *newest = kernel_with("both", "now"), *old = kernel_with("both", "then");
	struct vg_source forth[] = { { newest, 1 }, { old, 2 } };
	struct vg_source back[] = { { old, 2 }, { newest, 1 } };
	const char *expected = "struct both {\n\tint now;\n};\n\nstruct gone {\n\tint x;\n};\n\n";
	struct vg_list list = list_of("struct both { now then } struct gone");
	char *text;

	(void)state;
	btf__add_struct(old, "gone", 4);
	btf__add_field(old, "x", 1, 0, 0);
	text = header_of(forth, 2, &list);
	assert_string_equal(text, expected);
	free(text);
	text = header_of(back, 2, &list);
	assert_string_equal(text, expected);
	free(text);
	/* A member that only the older kernel has is known, too. */
	assert_true(list.wants[0].member_found[0] && list.wants[0].member_found[1]);
	vg_list_free(&list);
	btf__free(newest);
	btf__free(old);
}

static void absent_types_are_not_found(void **state)
{
	struct btf *btf = kernel_with("here", "x");
	struct vg_source source = { .btf = btf };
	struct vg_list list = list_of("struct here { x y } struct nowhere enum { NOTHING }");
	char *text = header_of(&source, 1, &list);

	(void)state;
	assert_string_equal(text, "struct here {\n\tint x;\n};\n\n");
	assert_true(list.wants[0].found && list.wants[0].member_found[0]);
	assert_false(list.wants[0].member_found[1]);
	assert_false(list.wants[1].found);
	assert_false(list.wants[2].found);
	free(text);
	vg_list_free(&list);
	btf__free(btf);
}

/* A module's BTF builds on its kernel's; the fuller definition wins, or the kernel's. */
static void modules_share_a_generation(void **state)
{
	struct btf *base = kernel_with("thing", "x"), *module = btf__new_empty_split(base);
	struct vg_source sources[] = { { base, 0 }, { module, 0 } };
	struct vg_list list = list_of("struct thing struct vcpu");
	char *text;

	(void)state;
	btf__add_struct(module, "thing", 8);
	btf__add_field(module, "x", 1, 0, 0);
	btf__add_field(module, "y", 1, 32, 0);
	btf__add_struct(module, "vcpu", 8);
	btf__add_field(module, "t", 2, 0, 0);
	text = header_of(sources, 2, &list);
	assert_string_equal(text, "struct thing {\n\tint x;\n\tint y;\n};\n\n"
				  "struct vcpu {\n\tstruct thing t;\n};\n\n");
	free(text);
	vg_list_free(&list);
	btf__free(module);
	btf__free(base);
}

/* The same types, added in the opposite order. */
static void output_does_not_depend_on_the_order_of_types(void **state)
{
	struct btf *forth = nested_btf(), *back = new_btf();
	const char *types = "struct outer struct other";
	struct vg_source f = { .btf = forth }, b = { .btf = back };
	struct vg_list list = list_of(types);
	char *one, *two;

	(void)state;
	btf__add_ptr(back, 3);		    /* 2: struct outer * */
	btf__add_struct(back, "outer", 32); /* 3 */
	btf__add_field(back, "in", 5, 0, 0);
	btf__add_field(back, "link", 6, 64, 0);
	btf__add_field(back, "far", 7, 128, 0);
	btf__add_field(back, "self", 2, 192, 0);
	btf__add_struct(back, "other", 4); /* 4 */
	btf__add_field(back, "y", 1, 0, 0);
	btf__add_struct(back, "inner", 4); /* 5 */
	btf__add_field(back, "x", 1, 0, 0);
	btf__add_ptr(back, 5); /* 6 */
	btf__add_ptr(back, 4); /* 7 */
	one = header_of(&f, 1, &list);
	two = header_of(&b, 1, &list);
	assert_string_equal(one, two);
	assert_non_null(strstr(one, "struct other {"));
	free(one);
	free(two);
	vg_list_free(&list);
	btf__free(forth);
	btf__free(back);
}

static struct btf *trim(const struct btf *btf, const char *types)
{
	struct vg_source source = { .btf = btf };
	struct vg_list list = list_of(types);
	struct vg_graph graph;
	struct btf *out;

	assert_int_equal(vg_graph_pick(&graph, &source, 1, &list), 0);
	assert_int_equal(vg_graph_to_btf(&graph, &out), 0);
	vg_graph_free(&graph);
	vg_list_free(&list);
	return out;
}

/* A selection keeps the kernel's offsets, and selecting from it again changes nothing. */
static void trimming_twice_is_trimming_once(void **state)
{
	const char *types = "struct holder { c e } struct tagged";
	struct btf *btf = anonymous_btf(), *once = trim(btf, types), *twice = trim(once, types);
	const void *a, *b;
	__u32 size_a, size_b;
	int id;

	(void)state;
	a = btf__raw_data(once, &size_a);
	b = btf__raw_data(twice, &size_b);
	assert_int_equal(size_a, size_b);
	assert_memory_equal(a, b, size_a);
	id = btf__find_by_name_kind(once, "holder", BTF_KIND_STRUCT);
	assert_int_equal(btf__type_by_id(once, id)->size, 20);
	assert_int_equal(btf_member_bit_offset(btf__type_by_id(once, id), 0), 32);
	btf__free(twice);
	btf__free(once);
	btf__free(btf);
}

static void enums_of_two_kernels_may_clash(void **state)
{
	struct btf *newest = new_btf(), *old = new_btf();
	struct vg_source sources[] = { { newest, 1 }, { old, 2 } };
	struct vg_list list = list_of("enum before enum after");
	struct vg_graph graph;

	(void)state;
	btf__add_enum(newest, "after", 4);
	btf__add_enum_value(newest, "X", 1);
	btf__add_enum_value(newest, "Y", 1);
	btf__add_enum(old, "before", 4);
	btf__add_enum_value(old, "Y", 2);
	assert_int_equal(vg_graph_pick(&graph, sources, 2, &list), 0);
	assert_string_equal(vg_graph_clash(&graph), "Y");
	vg_graph_free(&graph);
	assert_int_equal(vg_graph_pick(&graph, sources, 1, &list), 0);
	assert_null(vg_graph_clash(&graph));
	vg_graph_free(&graph);
	vg_list_free(&list);
	btf__free(newest);
	btf__free(old);
}

/* ---- comparing ---- */

static void note_change(void *ctx, enum vg_change change, const char *what, const char *was,
			const char *is)
{
	char *text = ctx;
	size_t used = strlen(text);

	snprintf(text + used, 512 - used, "%s%s%s%s%s\n", change == VG_GONE ? "-" : "~", what,
		 was ? " " : "", was ? was : "", is ? is : "");
}

static void compare_reports_what_is_gone_or_different(void **state)
{
	struct btf *old = anonymous_btf(), *new = new_btf();
	char text[512] = "";

	(void)state;
	btf__add_enum(old, "color", 4);
	btf__add_enum_value(old, "RED", 0);
	btf__add_enum_value(old, "GREEN", 1);
	btf__add_enum(new, "color", 4);
	btf__add_enum_value(new, "RED", 0);
	btf__add_ptr(new, 1); /* 3: int * */
	btf__add_struct(new, "holder", 24);
	btf__add_field(new, "d", 1, 0, 0);
	btf__add_field(new, "a", 3, 64, 0);
	btf__add_field(new, "b", 1, 128, 0);
	btf__add_field(new, "c", 1, 160, 3);
	btf__add_field(new, "e", 1, 96, 0);
	assert_int_equal(vg_compare(old, new, note_change, text), 3);
	assert_string_equal(text, "-struct tagged\n-struct holder.first\n"
				  "~struct holder.a intint *\n~struct holder.c intint:3\n"
				  "-enum color.GREEN\n");
	text[0] = '\0';
	assert_int_equal(vg_compare(old, old, note_change, text), 0);
	assert_string_equal(text, "");
	btf__free(old);
	btf__free(new);
}

/* ---- files ---- */

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static void reads_btf_however_wrapped(void **state)
{
	char dir[] = "/tmp/test-vmlinux-gen.XXXXXX", raw[64], packed[64], command[256];
	struct btf *btf = kernel_with("thing", "x"), *read;
	const void *data;
	__u32 size;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(raw, sizeof(raw), "%s/raw", dir);
	snprintf(packed, sizeof(packed), "%s/raw.gz", dir);
	data = btf__raw_data(btf, &size);
	write_file(raw, data, size);
	snprintf(command, sizeof(command), "gzip -k %s", raw);
	assert_int_equal(system(command), 0);
	assert_int_equal(vg_image_btf(raw, NULL, &read), 0);
	assert_true(btf__find_by_name_kind(read, "thing", BTF_KIND_STRUCT) > 0);
	btf__free(read);
	assert_int_equal(vg_image_btf(packed, NULL, &read), 0);
	assert_true(btf__find_by_name_kind(read, "thing", BTF_KIND_STRUCT) > 0);
	btf__free(read);
	unlink(raw);
	unlink(packed);
	rmdir(dir);
	btf__free(btf);
}

static void refuses_what_has_no_btf(void **state)
{
	char path[] = "/tmp/test-vmlinux-gen.XXXXXX", *version;
	unsigned char image[2048] = {};
	struct btf *btf;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(vg_image_btf("/nonexistent", NULL, &btf), -ENOENT);
	assert_int_equal(vg_image_btf(path, NULL, &btf), -ENOEXEC);
	assert_int_equal(vg_image_btf("/bin/sh", NULL, &btf), -ENODATA);
	write_file(path, "\x1f\x8bnot gzip", 10);
	assert_int_equal(vg_image_btf(path, NULL, &btf), -EIO);
	/* A bzImage whose payload lies outside of the file. */
	memcpy(image + 0x202, "HdrS\x0f\x02", 6);
	image[0x24b] = 0x7f;
	image[0x24c] = 0x40;
	write_file(path, image, sizeof(image));
	assert_int_equal(vg_image_btf(path, NULL, &btf), -ENOEXEC);
	memcpy(image + 0x400, "6.1.0 (me) #1", 13);
	image[0x20f] = 0x02;
	write_file(path, image, sizeof(image));
	assert_int_equal(vg_image_version(path, &version), 0);
	assert_string_equal(version, "6.1.0 (me) #1");
	free(version);
	unlink(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_sorts_and_finds),
		cmocka_unit_test(list_refuses),
		cmocka_unit_test(defines_what_is_held_by_value),
		cmocka_unit_test(defines_what_is_listed),
		cmocka_unit_test(defines_what_a_typedef_by_value_needs),
		cmocka_unit_test(keeps_bitfields),
		cmocka_unit_test(selects_inside_anonymous_members),
		cmocka_unit_test(untags_anonymous_members),
		cmocka_unit_test(keeps_flexible_arrays),
		cmocka_unit_test(keeps_layout_of_whole_structs),
		cmocka_unit_test(lays_out_what_contains_trimmed_structs),
		cmocka_unit_test(prints_enums_whole),
		cmocka_unit_test(matches_patterns),
		cmocka_unit_test(the_newest_kernel_wins),
		cmocka_unit_test(absent_types_are_not_found),
		cmocka_unit_test(modules_share_a_generation),
		cmocka_unit_test(output_does_not_depend_on_the_order_of_types),
		cmocka_unit_test(trimming_twice_is_trimming_once),
		cmocka_unit_test(enums_of_two_kernels_may_clash),
		cmocka_unit_test(compare_reports_what_is_gone_or_different),
		cmocka_unit_test(reads_btf_however_wrapped),
		cmocka_unit_test(refuses_what_has_no_btf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
