// SPDX-License-Identifier: GPL-2.0
/*
 * Does the host's probe decode exits rightly, also on processors that are not at hand? Its programs
 * are loaded with the layouts of the vendor's module (CO-RE): as they are, for the verifier's word,
 * then open to BPF_PROG_TEST_RUN (tests/bpf/decode.bpf.c), to be really run on a vCPU made up in
 * memory that the kernel can read (made_vcpu.c). Records and counts must be what was put in. Then each
 * member is moved away in turn, and that must be noticed.
 *
 * usage: decode svm|vmx [MODULE]    the vendor's module as a file, for one that is not loaded
 *
 * Loads probes: for virtual machines of the lab. One line per kind of probe, 1 if one is wrong.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.h"
#include "decode.skel.h"
#include "ple_trace.skel.h"

/* ---- the checks ---- */

/* A new thread is a new vCPU to the probe. */
static int run_vcpu(struct bench *b, enum field moved, void *(*run)(void *))
{
	pthread_t thread;
	int err;

	b->moved = moved;
	b->quiet = moved != NO_FIELD;
	b->checks = b->wrong = 0;
	err = pthread_create(&thread, NULL, run, b);
	return err ? complain(-err, "thread") : -pthread_join(thread, NULL);
}

/* Every member that is read, in a wrong place: do the checks see it? */
static int check_checks(struct bench *b)
{
	unsigned int f;
	int bad = 0;

	for (f = 0; f < FIELDS; f++) {
		if (!b->members[f].name[0] || b->members[f].optional)
			continue;
		if (run_vcpu(b, f, check_one_vcpu))
			return 1;
		if (!b->wrong) {
			printf("FAIL: %s: nobody noticed that %s was moved\n", label(b),
			       b->members[f].name[0]);
			bad = 1;
		}
	}
	return bad;
}

/* ---- the probe ---- */

/* Have the program for this kind of exit loaded, of those with names from "prefix_" on. */
static struct bpf_program *choose(const struct bench *b, struct bpf_object *obj, const char *prefix)
{
	struct bpf_program *prog;
	char name[64];

	snprintf(name, sizeof(name), "%s_%s_%s%s", prefix, b->isa == KS_ISA_SVM ? "svm" : "vmx",
		 b->fold ? "bursts" : "events", b->no_cast ? "_copy" : "");
	prog = bpf_object__find_program_by_name(obj, name);
	if (prog)
		bpf_program__set_autoload(prog, true);
	else
		printf("FAIL: there is no program %s\n", name);
	return prog;
}

/* The probe as it is, for the verifier. */
static int load_shipped(const struct bench *b)
{
	LIBBPF_OPTS(bpf_object_open_opts, o, .btf_custom_path = b->btf_path);
	struct ple_trace_bpf *s = ple_trace_bpf__open_opts(&o);
	int err;

	if (!s)
		return complain(-errno, "opening the probe");
	s->rodata->ks_isa = b->isa;
	s->rodata->ks_fold = b->fold;
	s->rodata->ks_no_rdonly_cast = b->no_cast;
	err = choose(b, s->obj, "kvm_exit") ? ple_trace_bpf__load(s) : -ENOENT;
	ple_trace_bpf__destroy(s);
	return err ? complain(err, "loading the probe as it is") : 0;
}

static size_t states_len(void)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (VCPUS * sizeof(struct ks_vcpu_state) + page - 1) & ~(page - 1);
}

static int map_slots(struct bench *b)
{
	void *p = mmap(NULL, states_len(), PROT_READ, MAP_SHARED,
		       bpf_map__fd(b->skel->maps.ks_vcpus), 0);

	if (p == MAP_FAILED)
		return -errno;
	b->states = p;
	b->slots = (struct ks_slots){
		.state = b->states,
		.n = VCPUS,
		.used = &b->skel->bss->ks_slots_used,
		.untold = (const uint64_t *)&b->skel->bss->ks_faults.untold,
		.free = &b->skel->bss->ks_free_slots,
	};
	return ks_slots_init(&b->slots);
}

static int load(struct bench *b)
{
	LIBBPF_OPTS(bpf_object_open_opts, o, .btf_custom_path = b->btf_path);
	int cpus = libbpf_num_possible_cpus(), err;
	struct decode_bpf *s;

	s = b->skel = decode_bpf__open_opts(&o);
	if (!s)
		return complain(-errno, "opening the probe");
	s->rodata->ks_isa = b->isa;
	s->rodata->ks_nslots = VCPUS;
	s->rodata->ks_ring_slots = RING_SLOTS;
	s->rodata->ks_fold = b->fold;
	s->rodata->ks_no_rdonly_cast = b->no_cast;
	s->rodata->ks_burst_gap = 1000000000; /* a sleep ends a burst, not its gap */
	b->exit = choose(b, s->obj, "decode");
	if (!b->exit)
		return -ENOENT;
	bpf_program__set_autoattach(b->exit, false);
	bpf_program__set_autoload(s->progs.kvm_write_tsc_offset, true);
	bpf_program__set_autoattach(s->progs.kvm_write_tsc_offset, false);
	err = bpf_map__set_max_entries(s->maps.ks_slots, cpus * RING_SLOTS);
	if (!err)
		err = bpf_map__set_max_entries(s->maps.ks_vcpus, VCPUS);
	if (!err)
		err = decode_bpf__load(s);
	if (!err)
		err = decode_bpf__attach(s);
	if (!err)
		err = ks_rings_new(&b->rings, s->bss->ks_rings, bpf_map__fd(s->maps.ks_slots), cpus,
				   RING_SLOTS);
	if (!err)
		err = map_slots(b);
	return err ? complain(err, label(b)) : 0;
}

static void unload(struct bench *b)
{
	ks_rings_free(b->rings);
	ks_slots_release(&b->slots);
	if (b->states)
		munmap(b->states, states_len());
	b->states = NULL;
	decode_bpf__destroy(b->skel);
	b->rings = NULL;
	b->skel = NULL;
}

static int check_probe(struct bench *b)
{
	unsigned int checks;
	int bad = load_shipped(b) || load(b) || run_vcpu(b, NO_FIELD, check_one_vcpu) || b->wrong;

	/* Another one, for what the probe keeps of the first. */
	bad = bad || run_vcpu(b, NO_FIELD, check_one_vcpu) || b->wrong;
	checks = b->checks;
	bad = bad || run_vcpu(b, NO_FIELD, check_full_ring) || b->wrong;
	checks += b->checks;
	bad = bad || run_vcpu(b, NO_FIELD, check_sharing) || b->wrong;
	checks += b->checks;
	if (!bad && !b->fold)
		bad = check_checks(b);
	if (!bad)
		printf("ok: %s: %u checks\n", label(b), checks);
	fflush(stdout);
	unload(b);
	return bad;
}

static int check_all(struct bench *b)
{
	int bad = 0, kind;

	for (kind = b->has_cast ? 0 : 2; kind < 4; kind++) {
		b->fold = kind & 1;
		b->no_cast = kind & 2;
		bad |= check_probe(b);
	}
	return bad;
}

int main(int argc, char **argv)
{
	static struct bench b;
	cpu_set_t first;
	int bad;

	if (argc < 2 || argc > 3 || (strcmp(argv[1], "svm") && strcmp(argv[1], "vmx"))) {
		fprintf(stderr, "usage: decode svm|vmx [MODULE]\n");
		return 2;
	}
	b.isa = strcmp(argv[1], "svm") ? KS_ISA_VMX : KS_ISA_SVM;
	find_reasons(&b);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	bad = find_layout(&b, argc > 2 ? argv[2] : NULL) || make_memory(&b) || check_all(&b);
	if (b.btf_path)
		unlink(b.btf_path);
	free(b.btf_path);
	return bad;
}
