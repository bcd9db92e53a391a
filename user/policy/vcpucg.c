// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "err.h"
#include "text.h"
#include "vcpucg.h"

int ks_vcpucg_usable(const char *root, struct ks_err *err)
{
	if (ks_cgroup_has_cpu(root, ""))
		return 0;
	return ks_fail(err, -ENODEV,
		       ks_exists(root, KS_CGROUPFS "/cgroup.controllers") ?
			       "cgroup v2 does not have the cpu controller here (is it in use by "
			       "cgroup v1?)" :
			       "needs cgroup v2 at " KS_CGROUPFS " (this machine has cgroup v1 "
			       "alone, or none)");
}

/* A threaded cgroup with this thread alone, as libvirt makes them. */
static bool is_own(const char *path)
{
	char *text, *nl;
	bool one;

	if (!*path || !ks_cgroup_is_threaded(NULL, path) || !ks_cgroup_has_cpu(NULL, path) ||
	    ks_read_at(NULL, 4096, &text, NULL, KS_CGROUPFS "%s/cgroup.threads", path))
		return false;
	nl = strchr(text, '\n');
	one = nl && !nl[1];
	free(text);
	return one;
}

/*
 * The cgroup that the thread lies in hands the cpu controller down. To switch that on touches those
 * that are there already, which is not ours to do.
 */
static int hand_down_cpu(struct ks_journal *j, const char *path)
{
	int ret;

	if (ks_cgroup_gives_cpu(NULL, path))
		return 0;
	if (!ks_cgroup_has_cpu(NULL, path) || ks_cgroup_has_others(NULL, path, KS_VCPUCG_PREFIX))
		return -EPERM;
	ret = ks_journal_file(j, path, "cgroup.subtree_control", "-cpu");
	return ret ? ret : ks_cgroup_write(NULL, path, "cgroup.subtree_control", "+cpu");
}

/* A cgroup of this name is what a killed policy has left, and empty: its journal was undone. */
static int make(struct ks_journal *j, const char *above, const char *path, uint32_t tid)
{
	char dir[KS_CGROUP_PATH + 64], text[16];
	int ret = ks_journal_cgroup(j, path);

	if (ret)
		return ret;
	snprintf(dir, sizeof(dir), KS_CGROUPFS "%s", path);
	if (mkdir(dir, 0755) && errno != EEXIST)
		return -errno;
	ret = ks_cgroup_write(NULL, path, "cgroup.type", "threaded");
	if (!ret)
		ret = hand_down_cpu(j, above);
	snprintf(text, sizeof(text), "%u", tid);
	return ret ? ret : ks_cgroup_write(NULL, path, "cgroup.threads", text);
}

static int open_weight(struct ks_vcpucg *g, const char *path)
{
	char name[KS_CGROUP_PATH + 64], text[16];
	int ret;

	ret = ks_read_line(NULL, text, sizeof(text), KS_CGROUPFS "%s/cpu.weight", path);
	if (ret)
		return ret;
	g->usual = g->weight = strtoul(text, NULL, 10);
	snprintf(name, sizeof(name), KS_CGROUPFS "%s/cpu.weight", path);
	g->fd = open(name, O_WRONLY | O_CLOEXEC);
	return g->fd < 0 ? -errno : 0;
}

static int take_own(struct ks_vcpucg *g, struct ks_journal *j, const char *path)
{
	char back[16];
	int ret = open_weight(g, path);

	snprintf(back, sizeof(back), "%u", g->usual);
	return ret ? ret : ks_journal_file(j, path, "cpu.weight", back);
}

int ks_vcpucg_take(struct ks_vcpucg *g, struct ks_journal *j, uint32_t tgid, uint32_t tid)
{
	char path[KS_CGROUP_PATH], made[KS_CGROUP_PATH];
	int ret = ks_cgroup_of(NULL, tgid, tid, path, sizeof(path));

	*g = (struct ks_vcpucg){ .fd = -1 };
	if (ret)
		return ret == -ENOENT ? -ESRCH : ret;
	if (is_own(path))
		return take_own(g, j, path);
	if (snprintf(made, sizeof(made), "%s/" KS_VCPUCG_PREFIX "%u", path, tid) >=
	    (int)sizeof(made))
		return -ENAMETOOLONG;
	g->made = strdup(made);
	if (!g->made)
		return -ENOMEM;
	ret = make(j, path, made, tid);
	if (!ret)
		ret = open_weight(g, made);
	if (ret)
		ks_vcpucg_drop(g);
	return ret;
}

int ks_vcpucg_set(struct ks_vcpucg *g, uint32_t weight)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", weight);

	if (g->weight == weight)
		return 0;
	if (pwrite(g->fd, text, n, 0) < 0)
		return -errno;
	g->weight = weight;
	return 0;
}

void ks_vcpucg_close(struct ks_vcpucg *g)
{
	if (g->fd >= 0)
		close(g->fd);
	free(g->made);
	*g = (struct ks_vcpucg){ .fd = -1 };
}

void ks_vcpucg_drop(struct ks_vcpucg *g)
{
	char above[KS_CGROUP_PATH];

	if (g->made) {
		snprintf(above, sizeof(above), "%s", g->made);
		*strrchr(above, '/') = 0;
		ks_cgroup_dissolve(NULL, g->made, above);
	}
	ks_vcpucg_close(g);
}
