// SPDX-License-Identifier: GPL-2.0
/* Checks that the CO-RE relocations of BPF objects resolve on a kernel, without booting it. */
#include <argp.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "object.h"
#include "reach.h"
#include "relo.h"
#include "verdict.h"

static const char doc[] =
	"Check that the CO-RE relocations of BPF objects resolve on a kernel, without booting it.\n"
	"\v"
	"A relocation that the kernel cannot resolve is an error if the instruction can be reached "
	"there: code behind bpf_core_field_exists(), bpf_ksym_exists() and their like is followed "
	"only as the kernel answers, and a constant that user space sets before loading as --set "
	"says. Kernel variables and functions (__ksym) are checked likewise. Programs in optional "
	"sections (SEC(\"?...\")) are shown but do not fail the check, unless --require names "
	"them.\n"
	"\n"
	"Example, the layouts of Intel on any machine:\n"
	"  core-check -k vmlinuz -m kvm.ko.xz -m kvm-intel.ko.xz -s ks_isa=2 ple_trace.bpf.o";

static const struct argp_option options[] = {
	{ "kernel", 'k', "FILE", 0, "The kernel: vmlinux, bzImage or raw BTF", 0 },
	{ "module", 'm', "FILE", 0, "A module of it; repeatable", 0 },
	{ "set", 's', "NAME=VALUE", 0,
	  "A constant as user space sets it; repeatable, ignored "
	  "by objects without it",
	  0 },
	{ "skip", 'x', "GLOB", 0, "Leave out functions with such a name; repeatable", 0 },
	{ "require", 'r', "GLOB", 0,
	  "Programs with such a name must be there and are not optional; repeatable", 0 },
	{ "verbose", 'v', NULL, 0, "Show every relocation", 0 },
	{},
};

struct strings {
	char **all;
	size_t nr;
};

struct options {
	const char *kernel;
	struct strings modules;
	struct strings sets;
	struct vg_rules rules;
	bool verbose;
	char **objects;
	int nr_objects;
};

struct count {
	size_t relocations;
	size_t unreached; /* cannot be resolved, in code that cannot run */
	size_t optional;  /* cannot be resolved, in a program that need not be loaded */
	size_t errors;
};

struct job {
	struct options *opt;
	struct vg_kernel kernel;
	const char *path; /* of the object at hand */
	struct vg_object object;
	struct count count;
};

static int complain(int err, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "core-check: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, err ? ": %s\n" : "\n", strerror(-err));
	return err ? err : -EINVAL;
}

static void add(struct strings *s, char *arg, struct argp_state *state)
{
	char **grown = reallocarray(s->all, s->nr + 1, sizeof(*grown));

	if (!grown) {
		argp_failure(state, EXIT_FAILURE, ENOMEM, "options");
		return;
	}
	s->all = grown;
	s->all[s->nr++] = arg;
}

static void add_glob(struct vg_globs *g, const char *arg, struct argp_state *state)
{
	if (vg_globs_add(g, arg))
		argp_failure(state, EXIT_FAILURE, ENOMEM, "options");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case 'k':
		opt->kernel = arg;
		return 0;
	case 'm':
		add(&opt->modules, arg, state);
		return 0;
	case 's':
		if (!strchr(arg, '='))
			argp_error(state, "--set wants NAME=VALUE, not %s", arg);
		add(&opt->sets, arg, state);
		return 0;
	case 'x':
		add_glob(&opt->rules.skips, arg, state);
		return 0;
	case 'r':
		add_glob(&opt->rules.required, arg, state);
		return 0;
	case 'v':
		opt->verbose = true;
		return 0;
	case ARGP_KEY_ARGS:
		opt->objects = state->argv + state->next;
		opt->nr_objects = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "an object is needed");
		return 0;
	case ARGP_KEY_END:
		if (!opt->kernel)
			argp_error(state, "a kernel is needed: -k FILE");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int open_kernel(struct job *job)
{
	const struct options *opt = job->opt;
	struct vg_kernel *k = &job->kernel;
	const char *path;
	size_t i;
	int err;

	k->btfs = calloc(1 + opt->modules.nr, sizeof(*k->btfs));
	if (!k->btfs)
		return complain(-ENOMEM, "kernel");
	for (i = 0; i <= opt->modules.nr; i++) {
		path = i ? opt->modules.all[i - 1] : opt->kernel;
		err = vg_image_btf(path, i ? k->btfs[0] : NULL, &k->btfs[i]);
		if (err)
			return complain(err, "no BTF from %s", path);
		k->nr++;
	}
	return 0;
}

static const struct vg_function *function_at(const struct vg_section *sec, __u32 insn)
{
	size_t i;

	for (i = 0; i < sec->nr_functions; i++)
		if (insn - sec->functions[i].insn < sec->functions[i].nr_insns)
			return &sec->functions[i];
	return NULL;
}

/* Count one relocation; what to say about it, NULL if nothing is worth it. */
static const char *judge(struct job *job, const struct vg_section *sec, __u32 insn, bool bad,
			 bool live)
{
	const struct vg_function *f = function_at(sec, insn);
	struct vg_rules *rules = &job->opt->rules;
	const char *name = f ? f->name : "";

	if (vg_globs_match(&rules->skips, name))
		return NULL;
	job->count.relocations++;
	switch (vg_judge(rules, sec->name, name, bad, live)) {
	case VG_RESOLVED:
		return job->opt->verbose ? "ok" : NULL;
	case VG_UNREACHED:
		job->count.unreached++;
		return job->opt->verbose ? "not there, but not reached" : NULL;
	case VG_OPTIONAL:
		job->count.optional++;
		return "not there, in an optional program";
	case VG_BROKEN:
		break;
	}
	job->count.errors++;
	return "NOT THERE";
}

static void show(const struct job *job, const struct vg_section *sec, __u32 insn, const char *what,
		 const char *verdict)
{
	const struct vg_function *f = function_at(sec, insn);

	printf("%s: %s: insn %u: %s: %s\n", job->path, f ? f->name : sec->name, insn, what,
	       verdict);
}

static void describe(const struct job *job, const struct vg_relo *relo, const struct vg_result *res,
		     char *buf, size_t size)
{
	static const char *const kinds[] = {
		"offset",      "size",	     "existence", "sign",      "left shift",
		"right shift", "local id",   "id",	  "existence", "type size",
		"existence",   "enum value", "match",
	};
	size_t used;

	snprintf(buf, size, "%s of ",
		 relo->kind < sizeof(kinds) / sizeof(*kinds) ? kinds[relo->kind] : "?");
	used = strlen(buf);
	vg_relo_describe(relo, job->object.btf, buf + used, size - used);
	used = strlen(buf);
	if (res->ambiguous)
		snprintf(buf + used, size - used, " (several, and they differ)");
	else if (res->has_value)
		snprintf(buf + used, size - used, " (%llu)", (unsigned long long)res->value);
}

static void judge_relo(struct job *job, const struct vg_section *sec, const struct vg_relo *relo,
		       const struct vg_result *res, bool live)
{
	bool bad = (!res->found && !vg_relo_is_question(relo->kind)) || res->ambiguous;
	const char *verdict = judge(job, sec, relo->insn, bad, live);
	char what[256];

	if (!verdict)
		return;
	describe(job, relo, res, what, sizeof(what));
	show(job, sec, relo->insn, what, verdict);
}

/* Without a weak symbol its address is 0, which a program may find out, but it cannot be called. */
static void judge_ksym(struct job *job, const struct vg_section *sec, const struct vg_ksym_ref *ref,
		       bool found, bool live)
{
	bool bad = !found && (ref->call || !ref->weak);
	const char *verdict = judge(job, sec, ref->insn, bad, live);
	char what[256];

	if (!verdict)
		return;
	snprintf(what, sizeof(what), "kernel symbol %s%s", ref->name,
		 found	   ? "" :
		 ref->weak ? " (weak, absent)" :
			     " (absent)");
	show(job, sec, ref->insn, what, verdict);
}

/* libbpf refuses such an object on any kernel. */
static int complain_relo(const struct job *job, const struct vg_section *sec,
			 const struct vg_relo *relo)
{
	char what[256];

	vg_relo_describe(relo, job->object.btf, what, sizeof(what));
	return complain(0, "%s: %s: insn %u: the access to %s leaves the program's own type",
			job->path, sec->name, relo->insn, what);
}

static int resolve_all(struct job *job, const struct vg_section *sec, struct vg_result *results,
		       struct vg_known *known)
{
	size_t i;
	int err;

	for (i = 0; i < sec->nr_relos; i++) {
		const struct vg_relo *relo = &sec->relos[i];

		err = vg_relo_resolve(relo, job->object.btf, &job->kernel, &results[i]);
		if (err)
			return complain_relo(job, sec, relo);
		known[relo->insn] = (struct vg_known){
			.relocated = true,
			.known = results[i].has_value,
			.value = results[i].value,
		};
	}
	return 0;
}

static bool kernel_has(const struct vg_kernel *k, const char *name)
{
	size_t i;

	for (i = 0; i < k->nr; i++)
		if (btf__find_by_name_kind(k->btfs[i], name, BTF_KIND_VAR) > 0 ||
		    btf__find_by_name_kind(k->btfs[i], name, BTF_KIND_FUNC) > 0)
			return true;
	return false;
}

static void resolve_ksyms(const struct job *job, const struct vg_section *sec, bool *found,
			  struct vg_known *known)
{
	size_t i;

	for (i = 0; i < sec->nr_ksyms; i++) {
		found[i] = kernel_has(&job->kernel, sec->ksyms[i].name);
		known[sec->ksyms[i].insn] = (struct vg_known){
			.relocated = true,
			.known = !found[i],
			.address = found[i],
		};
	}
}

/* What check_section() finds out. */
struct findings {
	struct vg_result *relos;
	bool *ksyms;
	struct vg_known *known;
	bool *live;
};

static int find_out(struct job *job, const struct vg_section *sec, struct findings *f)
{
	int err;

	f->relos = calloc(sec->nr_relos + 1, sizeof(*f->relos));
	f->ksyms = calloc(sec->nr_ksyms + 1, sizeof(*f->ksyms));
	f->known = calloc(sec->nr_insns, sizeof(*f->known));
	f->live = calloc(sec->nr_insns, sizeof(*f->live));
	if (!f->relos || !f->ksyms || !f->known || !f->live)
		return complain(-ENOMEM, "%s", sec->name);
	err = resolve_all(job, sec, f->relos, f->known);
	if (err)
		return err;
	resolve_ksyms(job, sec, f->ksyms, f->known);
	err = vg_reach(&job->object, sec, f->known, f->live);
	return err ? complain(err, "%s", sec->name) : 0;
}

static int check_section(struct job *job, const struct vg_section *sec)
{
	struct findings f = {};
	int err = find_out(job, sec, &f);
	size_t i;

	for (i = 0; i < sec->nr_functions; i++)
		vg_globs_match(&job->opt->rules.required, sec->functions[i].name);
	for (i = 0; i < sec->nr_relos && !err; i++)
		judge_relo(job, sec, &sec->relos[i], &f.relos[i], f.live[sec->relos[i].insn]);
	for (i = 0; i < sec->nr_ksyms && !err; i++)
		judge_ksym(job, sec, &sec->ksyms[i], f.ksyms[i], f.live[sec->ksyms[i].insn]);
	free(f.relos);
	free(f.ksyms);
	free(f.known);
	free(f.live);
	return err;
}

static int set_constants(struct job *job)
{
	size_t i;

	for (i = 0; i < job->opt->sets.nr; i++) {
		char *name = strdup(job->opt->sets.all[i]), *value, *end;
		__u64 number;

		if (!name)
			return complain(-ENOMEM, "--set");
		value = strchr(name, '=');
		*value++ = '\0';
		errno = 0;
		number = strtoull(value, &end, 0);
		if (errno || end == value || *end) {
			complain(0, "--set: %s is no number", value);
			free(name);
			return -EINVAL;
		}
		vg_object_set(&job->object, name, number); /* objects differ in what they have */
		free(name);
	}
	return 0;
}

static int check_object(struct job *job, const char *path)
{
	const char *slash = strrchr(path, '/');
	int err = vg_object_open(path, &job->object);
	size_t i;

	job->path = slash ? slash + 1 : path;
	if (err)
		return complain(err, "%s", path);
	err = set_constants(job);
	for (i = 0; i < job->object.nr_sections && !err; i++)
		err = check_section(job, &job->object.sections[i]);
	vg_object_close(&job->object);
	return err;
}

static void report(const struct job *job)
{
	const struct count *c = &job->count;

	printf("%s: %zu relocations in %d objects: %zu not there", job->opt->kernel, c->relocations,
	       job->opt->nr_objects, c->errors);
	printf(", %zu more in code that is not reached, %zu in optional programs\n", c->unreached,
	       c->optional);
}

static void close_kernel(struct vg_kernel *k)
{
	while (k->nr) /* modules before their base */
		btf__free(k->btfs[--k->nr]);
	free(k->btfs);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.args_doc = "OBJECT...",
		.doc = doc,
	};
	struct options opt = {};
	struct job job = { .opt = &opt };
	const char *unseen;
	int err, i;

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	libbpf_set_print(NULL);
	err = open_kernel(&job);
	for (i = 0; i < opt.nr_objects && !err; i++)
		err = check_object(&job, opt.objects[i]);
	unseen = vg_globs_unseen(&opt.rules.required);
	if (!err && unseen)
		err = complain(0, "no program is called %s, which is required", unseen);
	if (!err)
		report(&job);
	close_kernel(&job.kernel);
	free(opt.modules.all);
	free(opt.sets.all);
	vg_globs_free(&opt.rules.skips);
	vg_globs_free(&opt.rules.required);
	return err || job.count.errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
