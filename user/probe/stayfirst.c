// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "stayfirst.h"

/* false: it is not attached to a function. */
static bool read_link(int fd, struct bpf_link_info *info)
{
	__u32 size = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return fd >= 0 && !bpf_link_get_info_by_fd(fd, info, &size) &&
	       info->type == BPF_LINK_TYPE_TRACING;
}

static bool is_same_end(const struct bpf_link_info *a, const struct bpf_link_info *b)
{
	return a->tracing.target_obj_id == b->tracing.target_obj_id &&
	       a->tracing.target_btf_id == b->tracing.target_btf_id &&
	       a->tracing.attach_type == b->tracing.attach_type;
}

/* Is the link one that was made after one of ours, at the same end of the same function? */
static bool comes_before(const struct bpf_link_info *other, const struct ks_first *progs, size_t n)
{
	struct bpf_link_info own;
	bool before = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!*progs[i].link || !read_link(bpf_link__fd(*progs[i].link), &own))
			continue;
		if (own.id == other->id)
			return false;
		before |= other->id > own.id && is_same_end(other, &own);
	}
	return before;
}

static bool has_come_before(const struct ks_first *progs, size_t n, uint32_t *seen)
{
	struct bpf_link_info other;
	bool before = false;
	__u32 id;
	int fd;

	while (!bpf_link_get_next_id(*seen, &id)) {
		*seen = id;
		fd = bpf_link_get_fd_by_id(id); /* < 0: it has just gone */
		before |= read_link(fd, &other) && comes_before(&other, progs, n);
		if (fd >= 0)
			close(fd);
	}
	return before;
}

static int attach_anew(const struct ks_first *progs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		bpf_link__destroy(*progs[i].link);
		*progs[i].link = NULL;
	}
	for (i = n; i--;) {
		if (!bpf_program__autoload(progs[i].prog))
			continue;
		*progs[i].link = bpf_program__attach(progs[i].prog);
		if (!*progs[i].link)
			return -errno;
	}
	return 0;
}

int ks_stay_first(const struct ks_first *progs, size_t n, uint32_t *seen)
{
	return has_come_before(progs, n, seen) ? attach_anew(progs, n) : 0;
}
