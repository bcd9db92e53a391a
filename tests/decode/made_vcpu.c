// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU made up in memory that the kernel can read: every member where the module's BTF has it, all
 * else filled with a pattern.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.h"

#define PATTERN 0x5a

/* What lies where in the memory of the vCPU made up. */
#define VCPU_AT 0x0u
#define VMCB01_AT(id) (0x8000u + ((id) & 1) * 0x2000u) /* not that of the vCPU before */
#define VMCB02_AT 0xc000u
#define NOTHING_AT 0xe000u
#define MEMORY 0x10000u
#define MOVED_BY 64 /* a member that is moved away, for which the pattern stays in its place */

#define OF_ANY_VCPU                                                                                \
	[VCPU_ID] = { .name = { "vcpu.vcpu_id" } },                                                \
	[TSC_OFFSET] = { .name = { "vcpu.arch.l1_tsc_offset" } },                                  \
	[TSC_RATIO] = { .name = { "vcpu.arch.l1_tsc_scaling_ratio" } },                            \
	[RIP] = { .name = { "vcpu.arch.rip", "vcpu.arch.regs[16]" } },                             \
	[NESTED] = { .name = { "vcpu.stat.guest_mode" }, .optional = true }

static const struct member vmx_members[FIELDS] = {
	OF_ANY_VCPU,
	[REASON] = { .name = { "vt.exit_reason.full", "exit_reason.full" } },
	[WINDOW] = { .name = { "ple_window" } },
	[RIP_READ] = { .name = { "vcpu.arch.regs_avail" } },
};

static const struct member svm_members[FIELDS] = {
	OF_ANY_VCPU,
	[VMCB] = { .name = { "vmcb" } },
	[VMCB01] = { .name = { "vmcb01.ptr" } },
	[REASON] = { .name = { "control.exit_code" }, .in_vmcb = true },
	[REASON_HIGH] = { .name = { "control.exit_code_hi" }, .in_vmcb = true, .optional = true },
	[WINDOW] = { .name = { "control.pause_filter_count" }, .in_vmcb = true },
	[CPL] = { .name = { "save.cpl" }, .in_vmcb = true },
	[PROTECTED] = { .name = { "vcpu.arch.guest_state_protected" } },
};

/* ---- layout ---- */

static int find_fields(struct bench *b, const struct btf *btf)
{
	const char *vcpu = b->isa == KS_ISA_SVM ? "vcpu_svm" : "vcpu_vmx";
	unsigned int f, i;

	for (f = 0; f < FIELDS; f++) {
		const struct member *m = &b->members[f];

		for (i = 0; i < 2 && m->name[i] && !b->at[f].size; i++)
			b->at[f] = place_of(btf, m->in_vmcb ? "vmcb" : vcpu, m->name[i]);
		if (!m->name[0] || m->optional || b->at[f].size)
			continue;
		printf("FAIL: %s has no %s\n", vcpu, m->name[0]);
		return -ENOENT;
	}
	if (place_of(btf, vcpu, "vcpu").offset || struct_size(btf, vcpu) > VMCB01_AT(0) - MOVED_BY)
		return complain(-E2BIG, vcpu);
	return 0;
}

static int join_btf(struct bench *b, const struct btf *base, const struct btf *module)
{
	FILE *out;
	int err;

	if (asprintf(&b->btf_path, "/tmp/decode.%d.btf", getpid()) < 0)
		return complain(-ENOMEM, "BTF");
	out = fopen(b->btf_path, "we");
	if (!out)
		return complain(-errno, b->btf_path);
	err = write_joined(base, module, out);
	if (fclose(out) && !err)
		err = -errno;
	return err ? complain(err, b->btf_path) : 0;
}

int find_layout(struct bench *b, const char *module)
{
	const char *name = b->isa == KS_ISA_SVM ? "kvm_amd" : "kvm_intel";
	struct btf *base = btf__load_vmlinux_btf(), *btf;
	int err;

	b->members = b->isa == KS_ISA_SVM ? svm_members : vmx_members;
	if (!base)
		return complain(-errno, "the kernel's BTF");
	b->has_cast = btf__find_by_name_kind(base, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0;
	btf = module ? btf__parse_split(module, base) : btf__load_module_btf(name, base);
	err = btf ? find_fields(b, btf) : complain(-errno, module ? module : name);
	if (!err && module)
		err = join_btf(b, base, btf);
	btf__free(btf);
	btf__free(base);
	return err;
}

/* ---- memory ---- */

void go_to_place(struct bench *b, unsigned int i)
{
	b->mem = b->all + i * MEMORY;
	b->addr = b->all_addr + i * MEMORY;
	b->vmcb_at = VMCB01_AT(b->id);
}

/* Memory of the kernel that we may write: a map. A program tells where it lies, in the map itself. */
int make_memory(struct bench *b)
{
	LIBBPF_OPTS(bpf_map_create_opts, mo, .map_flags = BPF_F_MMAPABLE);
	LIBBPF_OPTS(bpf_test_run_opts, ro);
	size_t len = PLACES * MEMORY;
	struct bpf_insn prog[] = {
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_VALUE },
		{},
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd, err;

	b->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ks_memory", 4, len, 1, &mo);
	if (b->map < 0)
		return complain(b->map, "map");
	prog[0].imm = b->map;
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "ks_where", "GPL", prog, COUNT(prog),
			   NULL);
	if (fd < 0)
		return complain(fd, "program");
	err = bpf_prog_test_run_opts(fd, &ro);
	close(fd);
	if (err)
		return complain(err, "test run");
	b->all = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, b->map, 0);
	if (b->all == MAP_FAILED)
		return complain(-errno, "mmap");
	memcpy(&b->all_addr, b->all, sizeof(b->all_addr));
	go_to_place(b, 0);
	return 0;
}

/* ---- the vCPU ---- */

static void put_at(struct bench *b, uint32_t base, enum field f, uint64_t value)
{
	uint32_t at = base + b->at[f].offset + (f == b->moved ? MOVED_BY : 0);

	memcpy(b->mem + at, &value, b->at[f].size < sizeof(value) ? b->at[f].size : sizeof(value));
}

void put(struct bench *b, enum field f, uint64_t value)
{
	put_at(b, b->members[f].in_vmcb ? b->vmcb_at : VCPU_AT, f, value);
}

void put_vmcb(struct bench *b, bool nested)
{
	uint32_t at = nested ? VMCB02_AT : VMCB01_AT(b->id);
	uint64_t nothing = b->addr + NOTHING_AT;

	b->vmcb_at = at;
	put(b, NESTED, nested);
	if (b->isa != KS_ISA_SVM)
		return;
	if (b->moved == VMCB || b->moved == VMCB01)
		memcpy(b->mem + b->at[b->moved].offset, &nothing, sizeof(nothing));
	put(b, VMCB, b->addr + at);
	put(b, VMCB01, b->addr + VMCB01_AT(b->id));
}

void make_vcpu(struct bench *b)
{
	memset(b->mem, PATTERN, MEMORY);
	b->id++;
	b->slot = UINT32_MAX;
	b->window = 0;
	b->offset = -1234567890123 - b->id;
	b->ratio = (1ULL << 48) + b->id;
	put(b, VCPU_ID, b->id);
	put(b, TSC_OFFSET, b->offset);
	put(b, TSC_RATIO, b->ratio);
	put_vmcb(b, false);
}

void run_exit(struct bench *b, const struct exit *x)
{
	uint64_t args[] = { b->addr + VCPU_AT, b->isa };
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = args, .ctx_size_in = sizeof(args));

	put(b, REASON, x->reason);
	put(b, REASON_HIGH, x->reason >> 32);
	put(b, RIP, x->ip);
	put(b, WINDOW, x->window);
	put(b, CPL, x->cpl);
	put(b, PROTECTED, x->unread);
	put(b, RIP_READ, x->unread ? ~(1ULL << 16) : 1ULL << 16);
	expect(b, bpf_prog_test_run_opts(bpf_program__fd(b->exit), &o), 0, "test run");
	expect(b, o.retval, 0, "result of the program");
}
