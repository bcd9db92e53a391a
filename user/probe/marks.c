// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "load.h"
#include "marks.h"
#include "ple_trace.h"
#include "ring.h"
#include "text.h"
#include "trace.h"
#include "ple_trace.skel.h"

#define FUNCS_MAX 512u /* of one program */

static const struct {
	const char *function; /* of the policy */
	const char *program;  /* ours */
} marks[] = {
	{ "ks_mark_boost", "mark_boost" },
	{ "ks_mark_look", "mark_look" },
};

/* ---- attaching ---- */

/* Our program alone, with the maps of the probe that is loaded. */
static struct bpf_program *prepare(struct ple_trace_bpf *s, const struct ple_trace_bpf *host,
				   const char *name)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_map(map, s->obj)
	{
		int fd = bpf_object__find_map_fd_by_name(host->obj, bpf_map__name(map));

		if (fd < 0 || bpf_map__reuse_fd(map, fd))
			return NULL;
	}
	bpf_object__for_each_program(prog, s->obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	return bpf_object__find_program_by_name(s->obj, name);
}

static int load(struct ks_marks *m, struct ple_trace_bpf *s, unsigned int which, int target)
{
	struct bpf_program *prog = prepare(s, m->host, marks[which].program);
	int ret = prog ? bpf_program__set_attach_target(prog, target, marks[which].function) :
			 -errno;

	if (!ret)
		ret = bpf_object__load(s->obj);
	if (ret)
		return ret;
	m->link[m->n] = bpf_program__attach(prog);
	if (!m->link[m->n])
		return -errno;
	m->prog[m->n++] = dup(bpf_program__fd(prog));
	return 0;
}

static void attach(struct ks_marks *m, unsigned int which, int target)
{
	struct ple_trace_bpf *s;
	struct ks_err err;
	int ret = -ENOSPC;

	if (m->n < KS_MARKS_MAX) {
		ks_load_quiet();
		s = ple_trace_bpf__open();
		ret = s ? load(m, s, which, target) : -errno;
		ple_trace_bpf__destroy(s);
	}
	if (!ret)
		return;
	m->error = ks_load_err(&err, ret, marks[which].function);
	snprintf(m->why, sizeof(m->why), "%.150s", err.msg);
}

/* ---- finding ---- */

static bool can_have_marks(const struct bpf_prog_info *info)
{
	return (info->type == BPF_PROG_TYPE_STRUCT_OPS || info->type == BPF_PROG_TYPE_TRACING) &&
	       info->btf_id && info->nr_func_info;
}

/* Is the function one of those that this program consists of? Its BTF has those of others, too. */
static bool has_function(const struct bpf_func_info *f, unsigned int n, const struct btf *btf,
			 const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	unsigned int i;

	for (i = 0; id > 0 && i < n; i++)
		if (f[i].type_id == (__u32)id)
			return true;
	return false;
}

static void attach_to(struct ks_marks *m, int prog)
{
	struct bpf_func_info funcs[FUNCS_MAX];
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info), i;
	struct btf *btf;

	if (bpf_prog_get_info_by_fd(prog, &info, &size) || !can_have_marks(&info))
		return;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	info = (struct bpf_prog_info){
		.func_info = (__u64)(uintptr_t)funcs,
		.nr_func_info = info.nr_func_info < FUNCS_MAX ? info.nr_func_info : FUNCS_MAX,
		.func_info_rec_size = sizeof(*funcs),
	};
	size = sizeof(info);
	if (btf && !bpf_prog_get_info_by_fd(prog, &info, &size)) {
		if (info.nr_func_info > FUNCS_MAX)
			info.nr_func_info = FUNCS_MAX;
		for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			if (has_function(funcs, info.nr_func_info, btf, marks[i].function))
				attach(m, i, prog);
	}
	btf__free(btf);
}

/* Policies with marks are sched_ext schedulers: when there is none, theirs has ended. */
static bool no_scheduler(void)
{
	char state[32];

	return ks_read_line("", state, sizeof(state), "/sys/kernel/sched_ext/state") ||
	       !strcmp(state, "disabled");
}

void ks_marks_step(struct ks_marks *m)
{
	int fd;

	if (no_scheduler()) {
		ks_marks_release(m);
		return;
	}
	while (!bpf_prog_get_next_id(m->seen, &m->seen)) {
		fd = bpf_prog_get_fd_by_id(m->seen);
		if (fd < 0)
			continue;
		attach_to(m, fd);
		close(fd);
	}
}

static uint64_t missed(int prog)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_prog_get_info_by_fd(prog, &info, &size) ? 0 : info.recursion_misses;
}

uint64_t ks_marks_unseen(const struct ks_marks *m)
{
	uint64_t n = m->unseen;
	unsigned int i;

	for (i = 0; i < m->n; i++)
		n += missed(m->prog[i]);
	return n;
}

/* Our links keep a policy's programs in memory, though nothing calls them any more. */
void ks_marks_release(struct ks_marks *m)
{
	m->unseen = ks_marks_unseen(m);
	while (m->n) {
		m->n--;
		bpf_link__destroy(m->link[m->n]);
		close(m->prog[m->n]);
	}
}
