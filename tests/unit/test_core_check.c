// SPDX-License-Identifier: GPL-2.0
/* core-check: how CO-RE relocations resolve, and which code can be reached then. */
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

#include "../../vmlinux-gen/object.h"
#include "../../vmlinux-gen/reach.h"
#include "../../vmlinux-gen/relo.h"
#include "../../vmlinux-gen/verdict.h"

static struct btf *new_btf(void)
{
	struct btf *btf = btf__new_empty();

	btf__set_pointer_size(btf, 8);
	assert_int_equal(btf__add_int(btf, "int", 4, BTF_INT_SIGNED), 1);
	return btf;
}

static struct vg_result resolve(const struct btf *local, struct btf **kernel, size_t nr, __u32 type,
				const char *access, enum bpf_core_relo_kind kind)
{
	struct vg_relo relo = { .type = type, .access = access, .kind = kind };
	struct vg_kernel k = { kernel, nr };
	struct vg_result result;

	assert_int_equal(vg_relo_resolve(&relo, local, &k, &result), 0);
	return result;
}

static void check_offset(const struct btf *local, struct btf *kernel, __u32 type,
			 const char *access, __u64 offset)
{
	struct vg_result r = resolve(local, &kernel, 1, type, access, BPF_CORE_FIELD_BYTE_OFFSET);

	assert_true(r.found && r.has_value && !r.ambiguous);
	assert_int_equal(r.value, offset);
	r = resolve(local, &kernel, 1, type, access, BPF_CORE_FIELD_EXISTS);
	assert_true(r.found && r.has_value && r.value == 1);
}

static void check_absent(const struct btf *local, struct btf *kernel, __u32 type,
			 const char *access)
{
	struct vg_result r = resolve(local, &kernel, 1, type, access, BPF_CORE_FIELD_BYTE_OFFSET);

	assert_false(r.found || r.has_value || r.ambiguous);
	r = resolve(local, &kernel, 1, type, access, BPF_CORE_FIELD_EXISTS);
	assert_true(!r.found && r.has_value && r.value == 0);
}

/* ---- relocations ---- */

/* A program's idea of a vCPU: struct vcpu___old { int cpu; struct arch arch; int gone; int *p; } */
static struct btf *program(void)
{
	struct btf *btf = new_btf();

	btf__add_ptr(btf, 1);		  /* 2 */
	btf__add_array(btf, 1, 1, 4);	  /* 3: int [4] */
	btf__add_struct(btf, "arch", 16); /* 4 */
	btf__add_field(btf, "regs", 3, 0, 0);
	btf__add_struct(btf, "vcpu___old", 40); /* 5 */
	btf__add_field(btf, "cpu", 1, 0, 0);
	btf__add_field(btf, "arch", 4, 32, 0);
	btf__add_field(btf, "gone", 1, 160, 0);
	btf__add_field(btf, "p", 2, 192, 0);
	btf__add_enum(btf, "flags___x", 4); /* 6 */
	btf__add_enum_value(btf, "TWO___x", 0);
	btf__add_enum_value(btf, "NONE", 1);
	btf__add_typedef(btf, "arch_t", 4); /* 7 */
	btf__add_struct(btf, "nowhere", 4); /* 8 */
	btf__add_union(btf, NULL, 4);	    /* 9 */
	btf__add_field(btf, "cpu", 1, 0, 0);
	btf__add_struct(btf, "vcpu___anon", 4); /* 10 */
	btf__add_field(btf, NULL, 9, 0, 0);
	return btf;
}

/* The kernel's: struct vcpu { long pad; union { struct { int cpu; }; }; struct arch arch; ... } */
static struct btf *kernel(void)
{
	struct btf *btf = new_btf();

	btf__add_int(btf, "long", 8, BTF_INT_SIGNED); /* 2 */
	btf__add_struct(btf, NULL, 4);		      /* 3 */
	btf__add_field(btf, "cpu", 1, 0, 0);
	btf__add_union(btf, NULL, 8); /* 4 */
	btf__add_field(btf, NULL, 3, 0, 0);
	btf__add_array(btf, 1, 1, 3);	  /* 5: int [3] */
	btf__add_struct(btf, "arch", 20); /* 6 */
	btf__add_field(btf, "first", 1, 0, 0);
	btf__add_field(btf, "second", 1, 32, 0);
	btf__add_field(btf, "regs", 5, 64, 0);
	btf__add_struct(btf, "vcpu", 40); /* 7 */
	btf__add_field(btf, "pad", 2, 0, 0);
	btf__add_field(btf, NULL, 4, 64, 0);
	btf__add_field(btf, "arch", 6, 128, 0);
	btf__add_field(btf, "p", 1, 288, 0);
	btf__add_enum64(btf, "flags", 8, false); /* 8 */
	btf__add_enum64_value(btf, "ONE", 1);
	btf__add_enum64_value(btf, "TWO", 1ULL << 40);
	btf__add_typedef(btf, "arch_t", 6);	      /* 9 */
	btf__add_fwd(btf, "nowhere", BTF_FWD_STRUCT); /* 10 */
	return btf;
}

static void fields_are_found_by_name(void **state)
{
	struct btf *p = program(), *k = kernel();

	(void)state;
	check_offset(p, k, 5, "0", 0);
	check_offset(p, k, 5, "0:0", 8); /* cpu, in anonymous members there */
	check_offset(p, k, 5, "0:1", 16);
	check_offset(p, k, 5, "0:1:0:2", 32); /* arch.regs[2] */
	check_offset(p, k, 5, "2:0", 88);     /* (v + 2)->cpu, by the kernel's size */
	check_offset(p, k, 4, "0:0:1", 12);
	check_offset(p, k, 7, "0:0:1", 12); /* through a typedef */
	check_offset(p, k, 10, "0:0:0", 8); /* in an anonymous member here */
	btf__free(p);
	btf__free(k);
}

static void fields_may_be_absent(void **state)
{
	struct btf *p = program(), *k = kernel();

	(void)state;
	check_absent(p, k, 5, "0:2");
	check_absent(p, k, 5, "0:3");	  /* a pointer here, an int there */
	check_absent(p, k, 5, "0:1:0:3"); /* beyond the kernel's array */
	check_absent(p, k, 8, "0");	  /* only a forward declaration there */
	btf__free(p);
	btf__free(k);
}

static void an_access_must_fit_the_program_itself(void **state)
{
	static const char *const bad[] = { "0:9", "0:0:0", "0:1:0:4", "", "x", "0:", "0-1" };
	struct btf *p = program(), *k = kernel();
	struct vg_kernel all = { &k, 1 };
	struct vg_result result;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct vg_relo relo = { .type = 5, .access = bad[i] };

		assert_int_equal(vg_relo_resolve(&relo, p, &all, &result), -EINVAL);
	}
	btf__free(p);
	btf__free(k);
}

static void types_and_enumerators_resolve(void **state)
{
	struct btf *p = program(), *k = kernel();
	struct vg_result r;

	(void)state;
	r = resolve(p, &k, 1, 5, "0", BPF_CORE_TYPE_SIZE);
	assert_true(r.found && r.value == 40);
	r = resolve(p, &k, 1, 5, "0", BPF_CORE_TYPE_EXISTS);
	assert_true(r.found && r.value == 1);
	r = resolve(p, &k, 1, 8, "0", BPF_CORE_TYPE_EXISTS);
	assert_true(!r.found && r.has_value && !r.value);
	r = resolve(p, &k, 1, 8, "0", BPF_CORE_TYPE_ID_LOCAL);
	assert_true(r.found);
	r = resolve(p, &k, 1, 6, "0", BPF_CORE_ENUMVAL_VALUE);
	assert_true(r.found && r.value == 1ULL << 40);
	r = resolve(p, &k, 1, 6, "1", BPF_CORE_ENUMVAL_EXISTS);
	assert_true(!r.found && r.has_value && !r.value);
	btf__free(p);
	btf__free(k);
}

/* libbpf asks modules only for what the image lacks, and wants those it finds to agree. */
static void modules_are_asked_last(void **state)
{
	struct btf *p = program(), *image = kernel(), *one, *two;
	struct vg_result r;

	(void)state;
	one = btf__new_empty_split(image);
	btf__add_struct(one, "vcpu", 8);
	btf__add_field(one, "gone", 1, 32, 0);
	btf__add_struct(one, "nowhere", 4);
	two = btf__new_empty_split(image);
	btf__add_struct(two, "nowhere", 8);
	struct btf *all[] = { image, one, two };

	r = resolve(p, all, 3, 5, "0:2", BPF_CORE_FIELD_BYTE_OFFSET);
	assert_false(r.found);
	r = resolve(p, all, 2, 8, "0", BPF_CORE_TYPE_SIZE);
	assert_true(r.found && !r.ambiguous && r.value == 4);
	r = resolve(p, all, 3, 8, "0", BPF_CORE_TYPE_SIZE);
	assert_true(r.ambiguous);
	btf__free(two);
	btf__free(one);
	btf__free(image);
	btf__free(p);
}

static void names_are_cut_at_their_flavour(void **state)
{
	static const char *const names[] = {
		"a___b", "a____b", "a___", "___b", "a___b___c", "a__b"
	};
	static const bool is_a[] = { true, false, false, false, false, false };
	struct btf *k = new_btf();
	size_t i;

	(void)state;
	btf__add_struct(k, "a", 4);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct btf *p = new_btf();
		struct vg_result r;

		btf__add_struct(p, names[i], 4);
		r = resolve(p, &k, 1, 2, "0", BPF_CORE_TYPE_EXISTS);
		assert_int_equal(r.value, is_a[i]);
		btf__free(p);
	}
	btf__free(k);
}

static void relocations_describe_themselves(void **state)
{
	struct vg_relo relo = { .type = 5, .access = "0:1:0:2" };
	struct btf *p = program();
	char text[64], small[12];

	(void)state;
	vg_relo_describe(&relo, p, text, sizeof(text));
	assert_string_equal(text, "struct vcpu___old.arch.regs[2]");
	vg_relo_describe(&relo, p, small, sizeof(small));
	assert_string_equal(small, "struct vcpu");
	btf__free(p);
}

/* ---- what can be reached ---- */

#define MOV(d, i) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = d, .imm = i }
#define MOVR(d, s) { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = d, .src_reg = s }
#define ALU(op, d, i) { .code = BPF_ALU64 | op | BPF_K, .dst_reg = d, .imm = i }
#define ALU32(op, d, i) { .code = BPF_ALU | op | BPF_K, .dst_reg = d, .imm = i }
#define JMP(op, d, i, o) { .code = BPF_JMP | op | BPF_K, .dst_reg = d, .imm = i, .off = o }
#define JA(o) { .code = BPF_JMP | BPF_JA, .off = o }
#define CALL { .code = BPF_JMP | BPF_CALL, .imm = 5 }
#define EXIT { .code = BPF_JMP | BPF_EXIT }
#define LD64(d, i)                                                                                 \
	{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = d, .imm = i },                             \
	{                                                                                          \
	}
#define LDX(size, d, s, o)                                                                         \
	{ .code = BPF_LDX | BPF_MEM | size, .dst_reg = d, .src_reg = s, .off = o }

#define MAX_INSNS 16

/* Run over the code and check each instruction against a string of 1 (can run) and 0. */
static void check_reach(const struct vg_object *object, struct vg_section *sec,
			const struct vg_known *known, const char *expected)
{
	struct vg_function whole = { .insn = 0, .nr_insns = sec->nr_insns };
	bool live[MAX_INSNS] = {};
	char seen[MAX_INSNS + 1] = "";
	__u32 i;

	sec->functions = &whole;
	sec->nr_functions = 1;
	assert_int_equal(vg_reach(object, sec, known, live), 0);
	for (i = 0; i < sec->nr_insns; i++)
		seen[i] = live[i] ? '1' : '0';
	assert_string_equal(seen, expected);
}

#define CHECK(code, known, expected)                                                               \
	do {                                                                                       \
		struct vg_section sec = { .insns = code,                                           \
					  .nr_insns = sizeof(code) / sizeof(*code) };              \
		check_reach(&(struct vg_object){}, &sec, known, expected);                         \
	} while (0)

static void branches_on_constants_are_decided(void **state)
{
	struct bpf_insn code[] = {
		MOV(1, 1), ALU(BPF_XOR, 1, 1), MOVR(6, 1), CALL, JMP(BPF_JEQ, 6, 0, 2), MOV(0, 1),
		EXIT,	   MOV(0, 2),	       EXIT,
	};
	struct vg_known known[MAX_INSNS] = {};

	(void)state;
	CHECK(code, known, "111110011");
	code[0].imm = 0;
	CHECK(code, known, "111111100");
	code[2].src_reg = 3; /* not a constant */
	CHECK(code, known, "111111111");
	code[2].src_reg = 1;
	code[4].dst_reg = 1; /* clobbered by the call */
	CHECK(code, known, "111111111");
}

static void paths_that_meet_forget(void **state)
{
	struct bpf_insn code[] = {
		MOV(6, 0), JMP(BPF_JEQ, 1, 0, 1), MOV(6, 1), JMP(BPF_JEQ, 6, 0, 1), EXIT, EXIT,
	};
	struct bpf_insn loop[] = {
		MOV(6, 0),
		ALU(BPF_ADD, 6, 1),
		JMP(BPF_JLT, 6, 10, -2),
		EXIT,
	};
	struct vg_known known[MAX_INSNS] = {};

	(void)state;
	CHECK(code, known, "111111");
	code[2].imm = 0;
	CHECK(code, known, "111101");
	CHECK(loop, known, "1111");
}

static void core_answers_decide_branches(void **state)
{
	struct bpf_insn code[] = {
		MOV(1, 1),
		JMP(BPF_JNE, 1, 0, 1),
		EXIT,
		ALU(BPF_ADD, 1, 8),
		JMP(BPF_JEQ, 1, 9, 1),
		EXIT,
		EXIT,
	};
	struct vg_known known[MAX_INSNS] = { [0] = { .relocated = true, .known = true } };

	(void)state;
	CHECK(code, known, "1110000");
	known[0].value = 1;
	CHECK(code, known, "1101101");
	/* What CO-RE adds to a register is an offset: the sum is unknown. */
	known[3] = (struct vg_known){ .relocated = true, .known = true, .value = 9 };
	CHECK(code, known, "1101111");
	/* Not resolved. */
	known[0].known = false;
	CHECK(code, known, "1111111");
}

static void arithmetic_is_the_processors(void **state)
{
	static const struct {
		struct bpf_insn insn;
		__s64 result;
	} cases[] = {
		{ ALU(BPF_ADD, 1, 5), 1 },   { ALU(BPF_SUB, 1, 1), -5 },
		{ ALU(BPF_MUL, 1, 3), -12 }, { ALU(BPF_AND, 1, 7), 4 },
		{ ALU(BPF_OR, 1, 3), -1 },   { ALU(BPF_XOR, 1, -1), 3 },
		{ ALU(BPF_LSH, 1, 4), -64 }, { ALU(BPF_ARSH, 1, 1), -2 },
		{ ALU(BPF_RSH, 1, 62), 3 },  { ALU(BPF_NEG, 1, 0), 4 },
	};
	struct vg_known known[MAX_INSNS] = {};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bpf_insn code[] = {
			MOV(1, -4), cases[i].insn, JMP(BPF_JEQ, 1, cases[i].result, 1), EXIT, EXIT,
		};

		CHECK(code, known, "11101");
	}
	struct bpf_insn narrow[] = {
		MOV(1, -4), ALU32(BPF_RSH, 1, 30), JMP(BPF_JEQ, 1, 3, 1), EXIT, EXIT,
	};
	CHECK(narrow, known, "11101");
	struct bpf_insn division[] = {
		MOV(1, -4), ALU(BPF_DIV, 1, 4), JMP(BPF_JEQ, 1, -1, 1), EXIT, EXIT,
	};
	CHECK(division, known, "11111");
}

static void comparisons_are_the_processors(void **state)
{
	static const struct {
		__u8 op;
		int imm;
		bool taken;
	} cases[] = {
		{ BPF_JEQ, -4, true },	{ BPF_JNE, -4, false },	 { BPF_JGT, 5, true },
		{ BPF_JGE, -4, true },	{ BPF_JLT, 5, false },	 { BPF_JLE, -4, true },
		{ BPF_JSET, 3, false }, { BPF_JSGT, 5, false },	 { BPF_JSGE, -4, true },
		{ BPF_JSLT, 5, true },	{ BPF_JSLE, -5, false },
	};
	struct vg_known known[MAX_INSNS] = {};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bpf_insn code[] = {
			MOV(1, -4),
			JMP(cases[i].op, 1, cases[i].imm, 1),
			EXIT,
			EXIT,
		};

		CHECK(code, known, cases[i].taken ? "1101" : "1110");
	}
	struct bpf_insn jump[] = { JA(1), EXIT, EXIT };
	CHECK(jump, known, "101");
}

static void addresses_are_not_null(void **state)
{
	struct bpf_insn code[] = { LD64(1, 0), JMP(BPF_JEQ, 1, 0, 1), EXIT, EXIT };
	struct vg_known known[MAX_INSNS] = {};
	struct vg_address address = { .insn = 0, .of = VG_DATA };
	struct vg_section sec = { .insns = code, .nr_insns = 5 };

	(void)state;
	CHECK(code, known, "10101"); /* a plain 0 */
	known[0] = (struct vg_known){ .relocated = true, .address = true };
	CHECK(code, known, "10110"); /* a kernel symbol that is there */
	known[0] = (struct vg_known){ .relocated = true, .known = true };
	CHECK(code, known, "10101"); /* a weak one that is not */
	known[0] = (struct vg_known){};
	sec.addresses = &address;
	sec.nr_addresses = 1;
	check_reach(&(struct vg_object){}, &sec, known, "10110"); /* a map or a variable */
	address.of = VG_EXTERN;
	check_reach(&(struct vg_object){}, &sec, known, "10111");
}

static void constants_are_read_once_they_are_set(void **state)
{
	struct vg_variable variable = { .name = (char *)"isa", .offset = 12, .size = 4 };
	struct vg_object object = { .variables = &variable, .nr_variables = 1 };
	struct bpf_insn code[] = {
		LD64(1, 0), LDX(BPF_W, 2, 1, 4), JMP(BPF_JEQ, 2, 2, 1), EXIT, EXIT,
	};
	struct vg_address address = { .insn = 0, .of = VG_RODATA, .offset = 8 };
	struct vg_section sec = {
		.insns = code,
		.nr_insns = 6,
		.addresses = &address,
		.nr_addresses = 1,
	};
	struct vg_known known[MAX_INSNS] = {};

	(void)state;
	check_reach(&object, &sec, known, "101111");
	assert_int_equal(vg_object_set(&object, "isa", 2), 0);
	assert_int_equal(vg_object_set(&object, "nothing", 2), -ENOENT);
	check_reach(&object, &sec, known, "101101");
	vg_object_set(&object, "isa", 1);
	check_reach(&object, &sec, known, "101110");
	code[2].off = 0; /* another variable */
	check_reach(&object, &sec, known, "101111");
	code[2].off = 4;
	code[2].code = BPF_LDX | BPF_MEM | BPF_H; /* a part of it */
	check_reach(&object, &sec, known, "101111");
}

/* ---- verdicts ---- */

static void only_what_can_run_and_is_loaded_matters(void **state)
{
	struct vg_rules rules = {};

	(void)state;
	assert_int_equal(vg_judge(&rules, "tp_btf/x", "f", false, true), VG_RESOLVED);
	assert_int_equal(vg_judge(&rules, "?tp_btf/x", "f", false, true), VG_RESOLVED);
	assert_int_equal(vg_judge(&rules, "tp_btf/x", "f", true, false), VG_UNREACHED);
	assert_int_equal(vg_judge(&rules, "tp_btf/x", "f", true, true), VG_BROKEN);
	assert_int_equal(vg_judge(&rules, "?tp_btf/x", "f", true, true), VG_OPTIONAL);
	assert_int_equal(vg_judge(&rules, "?tp_btf/x", "f", true, false), VG_UNREACHED);
}

static void required_programs_are_not_optional(void **state)
{
	const char *section = "?tp_btf/kvm_exit";
	struct vg_rules rules = {};

	(void)state;
	assert_int_equal(vg_globs_add(&rules.required, "kvm_exit_svm_*_copy"), 0);
	assert_int_equal(vg_globs_add(&rules.required, "other"), 0);
	assert_int_equal(vg_judge(&rules, section, "kvm_exit_svm_events", true, true), VG_OPTIONAL);
	assert_int_equal(vg_judge(&rules, section, "kvm_exit_vmx_events_copy", true, true),
			 VG_OPTIONAL);
	assert_int_equal(vg_judge(&rules, section, "kvm_exit_svm_events_copy", true, true),
			 VG_BROKEN);
	assert_int_equal(vg_judge(&rules, section, "kvm_exit_svm_events_copy", true, false),
			 VG_UNREACHED);
	assert_int_equal(vg_judge(&rules, section, "kvm_exit_svm_events_copy", false, true),
			 VG_RESOLVED);
	vg_globs_free(&rules.required);
}

static void a_pattern_without_a_function_is_told(void **state)
{
	struct vg_globs globs = {};

	(void)state;
	assert_null(vg_globs_unseen(&globs));
	assert_int_equal(vg_globs_add(&globs, "a*"), 0);
	assert_int_equal(vg_globs_add(&globs, "ab"), 0);
	assert_int_equal(vg_globs_add(&globs, "c"), 0);
	assert_true(vg_globs_match(&globs, "ab")); /* both */
	assert_false(vg_globs_match(&globs, "b"));
	assert_string_equal(vg_globs_unseen(&globs), "c");
	assert_true(vg_globs_match(&globs, "c"));
	assert_null(vg_globs_unseen(&globs));
	vg_globs_free(&globs);
	assert_false(vg_globs_match(&globs, "c"));
}

/* ---- files ---- */

static void refuses_what_is_no_object(void **state)
{
	char path[] = "/tmp/test-core-check.XXXXXX";
	struct vg_object object;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(vg_object_open("/nonexistent", &object), -ENOENT);
	assert_int_equal(vg_object_open(path, &object), -ENOEXEC);
	assert_int_equal(write(fd, "\177ELF\2\1\1", 7), 7);
	assert_int_equal(vg_object_open(path, &object), -ENOEXEC);
	assert_int_equal(vg_object_open("/bin/sh", &object), -ENOEXEC);
	vg_object_close(&object); /* closing twice is no harm */
	close(fd);
	unlink(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_by_name),
		cmocka_unit_test(fields_may_be_absent),
		cmocka_unit_test(an_access_must_fit_the_program_itself),
		cmocka_unit_test(types_and_enumerators_resolve),
		cmocka_unit_test(modules_are_asked_last),
		cmocka_unit_test(names_are_cut_at_their_flavour),
		cmocka_unit_test(relocations_describe_themselves),
		cmocka_unit_test(branches_on_constants_are_decided),
		cmocka_unit_test(paths_that_meet_forget),
		cmocka_unit_test(core_answers_decide_branches),
		cmocka_unit_test(arithmetic_is_the_processors),
		cmocka_unit_test(comparisons_are_the_processors),
		cmocka_unit_test(addresses_are_not_null),
		cmocka_unit_test(constants_are_read_once_they_are_set),
		cmocka_unit_test(only_what_can_run_and_is_loaded_matters),
		cmocka_unit_test(required_programs_are_not_optional),
		cmocka_unit_test(a_pattern_without_a_function_is_told),
		cmocka_unit_test(refuses_what_is_no_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
