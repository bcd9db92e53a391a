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

/* The weight of its own cgroup is one that can be changed: the thread's alone. */
static bool has_weight(uint32_t tgid, uint32_t tid, char *path, size_t size)
{
	return !ks_cgroup_of(NULL, tgid, tid, path, size) && ks_cgroup_is_own(NULL, path, tid) &&
	       ks_exists(NULL, KS_CGROUPFS "%s/cpu.weight", path);
}

static uint32_t at_most(uint32_t weight)
{
	return weight < MOST ? weight : MOST;
}

/* What the journal does not take, the lever does not know either: it would be written. */
static int journal(struct ks_lever *l, const struct ks_lever *next)
{
	int ret = ks_journal_weight(next->journal, next->path, next->usual, next->ours,
				    next->nours);

	if (!ret)
		*l = *next;
	return ret;
}

/* Ours that are likely: down, and up where the other one's usual weight is the same. */
static int journal_usual(struct ks_lever *l, uint32_t usual)
{
	struct ks_lever next = *l;

	next.usual = next.weight = usual;
	next.ours[0] = LEAST;
	next.ours[1] = at_most(2 * usual - LEAST);
	next.nours = 2;
	return journal(l, &next);
}

static int take_weight(struct ks_lever *l, const char *path)
{
	char name[KS_CGROUP_PATH + 64], text[16];
	int ret = ks_read_line(NULL, text, sizeof(text), KS_CGROUPFS "%s/cpu.weight", path);

	if (ret)
		return ret;
	l->path = strdup(path);
	ret = l->path ? journal_usual(l, strtoul(text, NULL, 10)) : -ENOMEM;
	if (ret)
		return ret;
	snprintf(name, sizeof(name), KS_CGROUPFS "%s/cpu.weight", path);
	l->fd = open(name, O_RDWR | O_CLOEXEC);
	return l->fd < 0 ? -errno : 0;
}

int ks_lever_take(struct ks_lever *l, struct ks_journal *j, uint32_t tgid, uint32_t tid)
{
	char path[KS_CGROUP_PATH];
	int ret;

	*l = (struct ks_lever){ .fd = -1, .journal = j };
	ret = ks_thread_read_of(tgid, tid, &l->thread);
	if (ret)
		return ret;
	if (!ks_thread_is_fair(&l->thread))
		return -EPERM;
	if (!has_weight(tgid, tid, path, sizeof(path)))
		return ks_journal_nice(j, &l->thread, NICEST);
	ret = take_weight(l, path);
	if (ret)
		ks_lever_close(l);
	return ret;
}

int ks_lever_renew(struct ks_lever *l, uint32_t tgid, uint32_t tid)
{
	struct ks_journal *j = l->journal;
	char path[KS_CGROUP_PATH];

	if (l->fd >= 0 || l->place != KS_LEVER_USUAL || !has_weight(tgid, tid, path, sizeof(path)))
		return 0;
	ks_lever_close(l);
	return ks_lever_take(l, j, tgid, tid);
}

/* What is written has to be in the journal before. If that has no room for more: another one that is up. */
static int make_ours(struct ks_lever *l, uint32_t *weight)
{
	struct ks_lever next;
	unsigned int i;

	for (i = 0; i < l->nours; i++)
		if (l->ours[i] == *weight)
			return 0;
	if (l->nours == KS_LEVER_VALUES) {
		*weight = l->ours[1];
		return 0;
	}
	next = *l;
	next.ours[next.nours++] = *weight;
	return journal(l, &next);
}

/* Has somebody else written it? Then that is the usual one from now on. */
static int look_at_weight(struct ks_lever *l)
{
	char text[16] = "";
	uint32_t now;

	if (pread(l->fd, text, sizeof(text) - 1, 0) <= 0)
		return errno ? -errno : -EIO;
	now = strtoul(text, NULL, 10);
	return now == l->weight ? 0 : journal_usual(l, now);
}

static int write_weight(struct ks_lever *l, uint32_t weight)
{
	char text[16];
	int n, ret = weight == l->usual ? 0 : make_ours(l, &weight);

	if (ret || weight == l->weight)
		return ret;
	n = snprintf(text, sizeof(text), "%u", weight);
	if (pwrite(l->fd, text, n, 0) < 0)
		return -errno;
	l->weight = weight;
	return 0;
}

static int set_weight(struct ks_lever *l, enum ks_lever_place place, const struct ks_lever *from)
{
	int ret = look_at_weight(l);

	if (ret)
		return ret;
	if (place == KS_LEVER_DOWN)
		return write_weight(l, LEAST);
	if (place == KS_LEVER_UP && from && from->fd >= 0)
		return write_weight(l, at_most(l->usual + from->usual - LEAST));
	return write_weight(l, l->usual);
}

static int set_nice(const struct ks_lever *l, int nice)
{
	return setpriority(PRIO_PROCESS, l->thread.tid, nice) ? -errno : 0;
}

int ks_lever_set(struct ks_lever *l, enum ks_lever_place place, const struct ks_lever *from)
{
	bool was_down = l->place == KS_LEVER_DOWN;

	l->place = place;
	if (l->fd >= 0)
		return set_weight(l, place, from);
	if (was_down == (place == KS_LEVER_DOWN))
		return 0;
	return set_nice(l, place == KS_LEVER_DOWN ? NICEST : l->thread.nice);
}

void ks_lever_close(struct ks_lever *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	free(l->path);
	l->path = NULL;
}
