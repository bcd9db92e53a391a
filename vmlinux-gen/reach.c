// SPDX-License-Identifier: GPL-2.0
/*
 * Constant propagation over registers, as sparse as it can be: from every function's first
 * instruction, with a work list, until nothing becomes less known.
 */
#include "reach.h"

#include <errno.h>
#include <stdlib.h>

#define NR_REGS 11

enum what {
	ANYTHING,
	CONSTANT,
	RODATA,	  /* the address of .rodata + value */
	NOT_NULL, /* some other address */
};

struct value {
	enum what what;
	__u64 value;
};

struct state {
	bool seen;
	struct value regs[NR_REGS];
};

struct reach {
	const struct vg_object *object;
	const struct vg_section *sec;
	const struct vg_known *known;
	struct state *states; /* on entry of each instruction */
	__u32 *todo;
	bool *queued;
	size_t nr_todo;
};

static bool same(struct value a, struct value b)
{
	return a.what == b.what && a.value == b.value;
}

/* Control may come to an instruction with these registers: merge, and look at it if that is new. */
static void arrive(struct reach *r, __u64 insn, const struct value *regs)
{
	struct state *to;
	bool changed;
	int i;

	if (insn >= r->sec->nr_insns)
		return;
	to = &r->states[insn];
	changed = !to->seen;
	for (i = 0; i < NR_REGS; i++) {
		if (!to->seen) {
			to->regs[i] = regs[i];
		} else if (to->regs[i].what != ANYTHING && !same(to->regs[i], regs[i])) {
			to->regs[i].what = ANYTHING;
			changed = true;
		}
	}
	to->seen = true;
	if (changed && !r->queued[insn]) {
		r->queued[insn] = true;
		r->todo[r->nr_todo++] = insn;
	}
}

static __s64 signed_of(__u64 v, bool wide)
{
	return wide ? (__s64)v : (__s64)(__s32)v;
}

/* The value of dst after an ALU operation; false if it is not one that is followed. */
static bool compute(__u8 op, bool wide, __u64 dst, __u64 src, __u64 *out)
{
	unsigned int shift = src & (wide ? 63 : 31);

	switch (op) {
	case BPF_MOV:
		*out = src;
		break;
	case BPF_ADD:
		*out = dst + src;
		break;
	case BPF_SUB:
		*out = dst - src;
		break;
	case BPF_MUL:
		*out = dst * src;
		break;
	case BPF_AND:
		*out = dst & src;
		break;
	case BPF_OR:
		*out = dst | src;
		break;
	case BPF_XOR:
		*out = dst ^ src;
		break;
	case BPF_LSH:
		*out = dst << shift;
		break;
	case BPF_RSH:
		*out = (wide ? dst : (__u32)dst) >> shift;
		break;
	case BPF_ARSH:
		*out = signed_of(dst, wide) >> shift;
		break;
	case BPF_NEG:
		*out = -dst;
		break;
	default:
		return false;
	}
	if (!wide)
		*out = (__u32)*out;
	return true;
}

static struct value operand(const struct bpf_insn *insn, const struct value *regs)
{
	if (BPF_SRC(insn->code) == BPF_X)
		return insn->src_reg < NR_REGS ? regs[insn->src_reg] : (struct value){};
	return (struct value){ CONSTANT, (__s64)insn->imm };
}

static struct value alu(const struct bpf_insn *insn, const struct value *regs)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64;
	struct value src = operand(insn, regs), dst = regs[insn->dst_reg], out = {};
	__u8 op = BPF_OP(insn->code);

	if (insn->off) /* sign-extending move, signed division */
		return out;
	if (op == BPF_MOV && wide)
		return src;
	if (op == BPF_ADD && wide && dst.what == RODATA && src.what == CONSTANT)
		return (struct value){ RODATA, dst.value + src.value };
	if (src.what != CONSTANT || (op != BPF_MOV && dst.what != CONSTANT))
		return out;
	if (compute(op, wide, dst.value, src.value, &out.value))
		out.what = CONSTANT;
	return out;
}

/* What a load from a set variable of .rodata gives. */
static struct value load(const struct reach *r, const struct bpf_insn *insn,
			 const struct value *regs)
{
	static const __u32 sizes[] = {
		[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8
	};
	__u32 size = sizes[BPF_SIZE(insn->code) >> 3];
	struct value from = insn->src_reg < NR_REGS ? regs[insn->src_reg] : (struct value){};
	size_t i;

	if (from.what != RODATA || BPF_MODE(insn->code) != BPF_MEM)
		return (struct value){};
	for (i = 0; i < r->object->nr_variables; i++) {
		const struct vg_variable *v = &r->object->variables[i];
		__u64 mask = size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;

		if (v->set && v->offset == from.value + insn->off && v->size == size)
			return (struct value){ CONSTANT, v->value & mask };
	}
	return (struct value){};
}

static struct value load_imm64(const struct reach *r, __u32 at)
{
	const struct bpf_insn *insn = &r->sec->insns[at];
	const struct vg_address *a;
	size_t i;

	for (i = 0; i < r->sec->nr_addresses; i++) {
		a = &r->sec->addresses[i];
		if (a->insn != at)
			continue;
		return (struct value){
			a->of == VG_RODATA ? RODATA :
			a->of == VG_DATA   ? NOT_NULL :
					     ANYTHING,
			a->offset,
		};
	}
	if (insn->src_reg || at + 1 >= r->sec->nr_insns)
		return (struct value){};
	return (struct value){ CONSTANT, (__u32)insn->imm | (__u64)(__u32)insn[1].imm << 32 };
}

/* The result of an instruction that CO-RE changes: known where it just loads the value. */
static struct value relocated(const struct bpf_insn *insn, const struct vg_known *known)
{
	__u8 class = BPF_CLASS(insn->code);
	bool is_alu = class == BPF_ALU || class == BPF_ALU64;
	bool is_move = is_alu && BPF_OP(insn->code) == BPF_MOV && BPF_SRC(insn->code) == BPF_K;

	if (known->known && (is_move || class == BPF_LD))
		return (struct value){ CONSTANT, known->value };
	if (known->address && class == BPF_LD)
		return (struct value){ NOT_NULL, 0 };
	return (struct value){};
}

/* Apply an instruction that does not jump. */
static void step(const struct reach *r, __u32 at, struct value *regs)
{
	const struct bpf_insn *insn = &r->sec->insns[at];
	struct value out = {};
	int i;

	if (insn->dst_reg >= NR_REGS)
		return;
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		out = alu(insn, regs);
		break;
	case BPF_LDX:
		out = load(r, insn, regs);
		break;
	case BPF_LD:
		if (insn->code == (BPF_LD | BPF_IMM | BPF_DW))
			out = load_imm64(r, at);
		break;
	case BPF_STX: /* an atomic operation may write what was there to a register */
		if (BPF_MODE(insn->code) == BPF_ATOMIC && insn->src_reg < NR_REGS) {
			regs[insn->src_reg].what = ANYTHING;
			regs[0].what = ANYTHING;
		}
		return;
	case BPF_ST:
		return;
	case BPF_JMP: /* a call */
		for (i = 0; i <= 5; i++)
			regs[i].what = ANYTHING;
		return;
	}
	if (r->known[at].relocated)
		out = relocated(insn, &r->known[at]);
	regs[insn->dst_reg] = out;
}

/* An address compared with NULL: 1, 0 or -1 as decide() has it. */
static int decide_null(__u8 op)
{
	switch (op) {
	case BPF_JEQ:
		return 0;
	case BPF_JNE:
		return 1;
	default:
		return -1;
	}
}

/* 1 if the branch is taken, 0 if not, -1 if that depends. */
static int decide(const struct bpf_insn *insn, const struct value *regs)
{
	bool wide = BPF_CLASS(insn->code) == BPF_JMP;
	struct value a = regs[insn->dst_reg], b = operand(insn, regs);
	__u64 x = wide ? a.value : (__u32)a.value, y = wide ? b.value : (__u32)b.value;
	__s64 sx = signed_of(x, wide), sy = signed_of(y, wide);

	if ((a.what == NOT_NULL || a.what == RODATA) && b.what == CONSTANT && !b.value && wide)
		return decide_null(BPF_OP(insn->code));
	if (a.what != CONSTANT || b.what != CONSTANT)
		return -1;
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return x == y;
	case BPF_JNE:
		return x != y;
	case BPF_JGT:
		return x > y;
	case BPF_JGE:
		return x >= y;
	case BPF_JLT:
		return x < y;
	case BPF_JLE:
		return x <= y;
	case BPF_JSET:
		return !!(x & y);
	case BPF_JSGT:
		return sx > sy;
	case BPF_JSGE:
		return sx >= sy;
	case BPF_JSLT:
		return sx < sy;
	case BPF_JSLE:
		return sx <= sy;
	default:
		return -1;
	}
}

static bool is_jump(const struct bpf_insn *insn)
{
	__u8 class = BPF_CLASS(insn->code);

	if (class == BPF_JMP)
		return BPF_OP(insn->code) != BPF_CALL;
	return class == BPF_JMP32;
}

static void follow_jump(struct reach *r, __u32 at, const struct value *regs)
{
	const struct bpf_insn *insn = &r->sec->insns[at];
	int taken;

	switch (BPF_OP(insn->code)) {
	case BPF_EXIT:
		return;
	case BPF_JA: /* the 32-bit one has its distance in imm */
		arrive(r,
		       (__s64)at + 1 + (BPF_CLASS(insn->code) == BPF_JMP32 ? insn->imm : insn->off),
		       regs);
		return;
	}
	if (insn->dst_reg >= NR_REGS)
		return;
	taken = decide(insn, regs);
	if (taken)
		arrive(r, (__s64)at + 1 + insn->off, regs);
	if (taken <= 0)
		arrive(r, at + 1, regs);
}

static void visit(struct reach *r, __u32 at)
{
	const struct bpf_insn *insn = &r->sec->insns[at];
	struct state now = r->states[at];

	if (is_jump(insn)) {
		follow_jump(r, at, now.regs);
		return;
	}
	step(r, at, now.regs);
	arrive(r, at + (insn->code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1), now.regs);
}

static void run(struct reach *r)
{
	const struct value nothing[NR_REGS] = {};
	__u32 at;
	size_t i;

	for (i = 0; i < r->sec->nr_functions; i++) {
		arrive(r, r->sec->functions[i].insn, nothing);
		while (r->nr_todo) {
			at = r->todo[--r->nr_todo];
			r->queued[at] = false;
			visit(r, at);
		}
	}
}

int vg_reach(const struct vg_object *object, const struct vg_section *section,
	     const struct vg_known *known, bool *live)
{
	struct reach r = { .object = object, .sec = section, .known = known };
	__u32 i;

	r.states = calloc(section->nr_insns, sizeof(*r.states));
	r.todo = calloc(section->nr_insns, sizeof(*r.todo));
	r.queued = calloc(section->nr_insns, sizeof(*r.queued));
	if (r.states && r.todo && r.queued) {
		run(&r);
		for (i = 0; i < section->nr_insns; i++)
			live[i] = r.states[i].seen;
	}
	i = !(r.states && r.todo && r.queued);
	free(r.states);
	free(r.todo);
	free(r.queued);
	return i ? -ENOMEM : 0;
}
