// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cgroup.h"
#include "lever.h"
#include "text.h"

#define LEAST 1 /* cpu.weight */
#define MOST 10000
#define NICEST 19

/* A threaded cgroup with this thread alone, as libvirt makes them. */
static bool is_own(const char *path)
{
	char *text, *nl;
	bool one;

	if (!*path || !ks_cgroup_is_threaded(NULL, path) ||
	    ks_read_at(NULL, 4096, &text, NULL, KS_CGROUPFS "%s/cgroup.threads", path))
		return false;
	nl = strchr(text, '\n');
	one = nl && !nl[1] && ks_exists(NULL, KS_CGROUPFS "%s/cpu.weight", path);
	free(text);
	return one;
}

static int take_weight(struct ks_lever *l, struct ks_journal *j, const char *path)
{
	char name[KS_CGROUP_PATH + 64], text[16];
	int ret = ks_read_line(NULL, text, sizeof(text), KS_CGROUPFS "%s/cpu.weight", path);

	if (ret)
		return ret;
	l->usual = l->weight = strtoul(text, NULL, 10);
	ret = ks_journal_file(j, path, "cpu.weight", text);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), KS_CGROUPFS "%s/cpu.weight", path);
	l->fd = open(name, O_WRONLY | O_CLOEXEC);
	return l->fd < 0 ? -errno : 0;
}

int ks_lever_take(struct ks_lever *l, struct ks_journal *j, uint32_t tgid, uint32_t tid)
{
	char path[KS_CGROUP_PATH];
	int ret;

	*l = (struct ks_lever){ .fd = -1 };
	ret = ks_thread_read_of(tgid, tid, &l->thread);
	if (ret)
		return ret;
	if (!ks_thread_is_fair(&l->thread))
		return -EPERM;
	if (!ks_cgroup_of(NULL, tgid, tid, path, sizeof(path)) && is_own(path))
		return take_weight(l, j, path);
	return ks_journal_nice(j, &l->thread, NICEST);
}

static int set_weight(struct ks_lever *l, uint32_t weight)
{
	char text[16];
	int n;

	weight = weight > MOST ? MOST : weight;
	if (weight == l->weight)
		return 0;
	n = snprintf(text, sizeof(text), "%u", weight);
	if (pwrite(l->fd, text, n, 0) < 0)
		return -errno;
	l->weight = weight;
	return 0;
}

static int set_nice(const struct ks_lever *l, int nice)
{
	return setpriority(PRIO_PROCESS, l->thread.tid, nice) ? -errno : 0;
}

int ks_lever_set(struct ks_lever *l, enum ks_lever_place place, const struct ks_lever *from)
{
	bool was_down = l->place == KS_LEVER_DOWN;
	uint32_t weight = l->usual;

	l->place = place;
	if (l->fd < 0) {
		if (was_down == (place == KS_LEVER_DOWN))
			return 0;
		return set_nice(l, place == KS_LEVER_DOWN ? NICEST : l->thread.nice);
	}
	if (place == KS_LEVER_DOWN)
		weight = LEAST;
	else if (place == KS_LEVER_UP && from)
		weight += from->usual - LEAST;
	return set_weight(l, weight);
}

void ks_lever_close(struct ks_lever *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
