// SPDX-License-Identifier: GPL-2.0
/* Makes a small vmlinux.h for BPF programs out of the BTF of kernels and their modules. */
#include <argp.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "graph.h"
#include "header.h"
#include "image.h"
#include "list.h"

static const char doc[] =
	"Make a small vmlinux.h for BPF programs out of the BTF of kernels and their modules.\n"
	"\v"
	"Commands:\n"
	"  trim KERNEL [MODULE...]   what the list selects from one kernel, as raw BTF\n"
	"  header BTF...             the C header for several trimmed BTFs, the newest first:\n"
	"                            where they differ, the first that has a type wins\n"
	"  proof BTF...              a C file that compiles only if that header lays out every\n"
	"                            struct as it should\n"
	"  compare OLD NEW           what of one BTF is gone or different in another; fails if\n"
	"                            something is gone\n"
	"  version BZIMAGE           the version line of a kernel image\n"
	"\n"
	"KERNEL is a vmlinux, a bzImage or raw BTF, MODULE a .ko; both may be compressed.\n"
	"\n"
	"Example:\n"
	"  vmlinux-gen -l types.list -o 7.2.btf trim vmlinuz kvm.ko.xz kvm-amd.ko.xz\n"
	"  vmlinux-gen -l types.list -o vmlinux.h header 7.2.btf 6.12.btf 6.1.btf";

static const struct argp_option options[] = {
	{ "list", 'l', "FILE", 0, "The types to select", 0 },
	{ "output", 'o', "FILE", 0, "Write there (default: standard output)", 0 },
	{ "note", 'n', "TEXT", 0, "A line for the comment on top of the header; repeatable", 0 },
	{},
};

struct options {
	const char *list;
	const char *output;
	char **notes;
	size_t nr_notes;
	char **args;
	int nr_args;
};

struct job {
	const struct options *opt;
	struct vg_list list;
	struct vg_graph graph;
	struct vg_source *sources;
	size_t nr_sources;
};

static int complain(int err, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "vmlinux-gen: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, err ? ": %s\n" : "\n", strerror(-err));
	return err ? err : -EINVAL;
}

static error_t add_note(struct options *opt, char *text)
{
	char **grown = reallocarray(opt->notes, opt->nr_notes + 1, sizeof(*grown));

	if (!grown)
		return ENOMEM;
	opt->notes = grown;
	opt->notes[opt->nr_notes++] = text;
	return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case 'l':
		opt->list = arg;
		return 0;
	case 'o':
		opt->output = arg;
		return 0;
	case 'n':
		return add_note(opt, arg);
	case ARGP_KEY_ARGS:
		opt->args = state->argv + state->next;
		opt->nr_args = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
	}
	return ARGP_ERR_UNKNOWN;
}

static int read_list(struct job *job)
{
	char message[256];
	int err;

	if (!job->opt->list)
		return complain(0, "a list of types is needed: -l FILE");
	err = vg_list_read(job->opt->list, &job->list, message, sizeof(message));
	return err ? complain(0, "%s: %s", job->opt->list, message) : 0;
}

/* Open the BTF of all arguments after the command; modules have the first one as their base. */
static int open_sources(struct job *job, bool one_kernel)
{
	struct btf *base = NULL, *btf;
	int i, err;

	job->sources = calloc(job->opt->nr_args, sizeof(*job->sources));
	if (!job->sources)
		return complain(-ENOMEM, "sources");
	for (i = 1; i < job->opt->nr_args; i++) {
		err = vg_image_btf(job->opt->args[i], base, &btf);
		if (err)
			return complain(err, "no BTF from %s", job->opt->args[i]);
		if (one_kernel && !base)
			base = btf;
		job->sources[job->nr_sources++] = (struct vg_source){
			.btf = btf,
			.generation = one_kernel ? 0 : i,
		};
	}
	return job->nr_sources ? 0 : complain(0, "%s: no kernel given", job->opt->args[0]);
}

static FILE *open_output(const struct job *job)
{
	FILE *f = job->opt->output ? fopen(job->opt->output, "we") : stdout;

	if (!f)
		complain(-errno, "%s", job->opt->output);
	return f;
}

static int close_output(const struct job *job, FILE *f)
{
	int err = ferror(f) ? -EIO : 0;

	if (fflush(f) || (f != stdout && fclose(f)))
		err = -errno;
	return err ? complain(err, "%s", job->opt->output ? job->opt->output : "output") : 0;
}

static int write_header(const struct job *job, const struct btf *btf, bool proof)
{
	FILE *f = open_output(job);
	int err;

	if (!f)
		return -EIO;
	err = proof ? vg_header_print_proof(f, btf) :
		      vg_header_print(f, btf, job->opt->notes, job->opt->nr_notes);
	if (err)
		complain(err, "printing the header");
	return close_output(job, f) ? -EIO : err;
}

static int write_raw(const struct job *job, const struct btf *btf)
{
	const void *data;
	FILE *f = open_output(job);
	__u32 size;

	if (!f)
		return -EIO;
	data = btf__raw_data(btf, &size);
	if (data)
		fwrite(data, 1, size, f);
	else
		complain(-ENOMEM, "writing BTF");
	return close_output(job, f) || !data ? -EIO : 0;
}

/* What the list names must exist in one of the kernels, or the list is wrong. */
static int check_found(const struct job *job)
{
	int missing = 0;
	size_t i, j;

	for (i = 0; i < job->list.nr; i++) {
		const struct vg_want *w = &job->list.wants[i];

		if (!w->found) {
			missing += !!complain(0, "%s:%d: no kernel has %s %s", job->opt->list,
					      w->line, vg_class_name(w->class),
					      w->name ? w->name : w->members[0]);
			continue;
		}
		for (j = 0; w->name && j < w->nr_members; j++)
			if (!w->member_found[j])
				missing += !!complain(0, "%s:%d: no kernel has %s %s.%s",
						      job->opt->list, w->line,
						      vg_class_name(w->class), w->name,
						      w->members[j]);
	}
	return missing ? -ENOENT : 0;
}

static int select_types(struct job *job, bool one_kernel)
{
	int err = read_list(job);

	if (!err)
		err = open_sources(job, one_kernel);
	if (err)
		return err;
	err = vg_graph_pick(&job->graph, job->sources, job->nr_sources, &job->list);
	return err ? complain(err, "selecting types") : 0;
}

static int run_trim(struct job *job)
{
	struct btf *btf;
	int err = select_types(job, true);

	if (err)
		return err;
	err = vg_graph_to_btf(&job->graph, &btf);
	if (err)
		return complain(err, "making BTF");
	err = write_raw(job, btf);
	btf__free(btf);
	return err;
}

static int print_header(struct job *job, bool proof)
{
	struct btf *btf;
	int err = select_types(job, false);
	const char *clash;

	if (!err)
		err = check_found(job);
	if (err)
		return err;
	clash = vg_graph_clash(&job->graph);
	if (clash)
		return complain(0, "%s: enums of different kernels define %s: list one of them",
				job->opt->list, clash);
	err = vg_graph_layout(&job->graph);
	if (!err)
		err = vg_graph_to_btf(&job->graph, &btf);
	if (err)
		return complain(err, "making BTF");
	err = write_header(job, btf, proof);
	btf__free(btf);
	return err;
}

static int run_header(struct job *job)
{
	return print_header(job, false);
}

static int run_proof(struct job *job)
{
	return print_header(job, true);
}

static void print_change(void *ctx, enum vg_change change, const char *what, const char *was,
			 const char *is)
{
	(void)ctx;
	if (change == VG_GONE)
		printf("gone: %s\n", what);
	else
		printf("changed: %s: %s, was %s\n", what, is, was);
}

static int run_compare(struct job *job)
{
	int ret;

	if (job->opt->nr_args != 3)
		return complain(0, "compare: two BTFs are needed");
	ret = open_sources(job, false);
	if (ret)
		return ret;
	ret = vg_compare(job->sources[0].btf, job->sources[1].btf, print_change, NULL);
	return ret < 0 ? complain(ret, "comparing") : ret;
}

static int run_version(struct job *job)
{
	char *version;
	int err;

	if (job->opt->nr_args != 2)
		return complain(0, "version: one kernel image is needed");
	err = vg_image_version(job->opt->args[1], &version);
	if (err)
		return complain(err, "%s", job->opt->args[1]);
	puts(version);
	free(version);
	return 0;
}

static void free_job(struct job *job)
{
	vg_graph_free(&job->graph);
	vg_list_free(&job->list);
	while (job->nr_sources) /* modules before their base */
		btf__free((struct btf *)job->sources[--job->nr_sources].btf);
	free(job->sources);
	free(job->opt->notes);
}

static const struct {
	const char *name;
	int (*run)(struct job *job);
} commands[] = {
	{ "trim", run_trim },	    { "header", run_header },	{ "proof", run_proof },
	{ "compare", run_compare }, { "version", run_version },
};

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.args_doc = "COMMAND FILE...",
		.doc = doc,
	};
	struct options opt = {};
	struct job job = { .opt = &opt };
	size_t i;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	libbpf_set_print(NULL);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(opt.args[0], commands[i].name))
			break;
	if (i == sizeof(commands) / sizeof(*commands))
		err = complain(0, "no such command: %s", opt.args[0]);
	else
		err = commands[i].run(&job);
	free_job(&job);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
