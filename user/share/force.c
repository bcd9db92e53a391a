// SPDX-License-Identifier: GPL-2.0
/* Holds vCPU threads down by cpu.max of threaded cgroups. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "force.h"
#include "text.h"

#define LEAST                                                                                      \
	"1000 1000000" /* us: the shortest quota of the longest period that the kernel takes */

#define STATUS_MAX (1u << 16) /* bytes of /proc/TID/status */
#define REMOVE_TRIES 100
#define REMOVE_US 10000

/* ---- which cgroup ---- */

/* The nearest cgroup at or above path whose members are processes. */
static void cut_to_domain(const char *root, char *path)
{
	while (*path && ks_cgroup_is_threaded(root, path))
		*strrchr(path, '/') = 0;
}

static int remember(struct ks_book_vcpu *v, const char *home, const char *group, const char *max)
{
	v->home = strdup(home);
	v->group = strdup(group);
	v->max = strdup(max);
	return v->home && v->group && v->max ? 0 : -ENOMEM;
}

static void forget(struct ks_book_vcpu *v)
{
	free(v->home);
	free(v->group);
	free(v->max);
	v->home = v->group = v->max = NULL;
}

static int prepare_own(const char *root, const char *home, struct ks_book_vcpu *v)
{
	char max[64];
	int ret = ks_read_line(root, max, sizeof(max), KS_CGROUPFS "%s/cpu.max", home);

	return ret ? ret : remember(v, home, home, max);
}

/* Off with a cgroup of ours that the book knows no more: its quota is nobody else's to get back. */
static void cut_ours(char *path, const char *ours)
{
	char *last = strrchr(path, '/');

	if (last && !strcmp(last, ours))
		*last = 0;
}

int ks_force_prepare(const char *root, uint32_t tgid, unsigned int vcpu, struct ks_book_vcpu *v)
{
	char home[KS_CGROUP_PATH], group[KS_CGROUP_PATH + 64], ours[64];
	int ret;

	if (v->home)
		return 0;
	ret = ks_cgroup_of(root, tgid, v->tid, home, sizeof(home));
	if (ret)
		return ret == -ENOENT ? -ESRCH : ret;
	snprintf(ours, sizeof(ours), "/kvmsched-%u-vcpu%u", tgid, vcpu);
	cut_ours(home, ours);
	if (ks_cgroup_is_own(root, home, v->tid)) {
		ret = prepare_own(root, home, v);
	} else {
		snprintf(group, sizeof(group), "%s", home);
		cut_to_domain(root, group);
		snprintf(group + strlen(group), sizeof(group) - strlen(group), "%s", ours);
		ret = remember(v, home, group, "");
	}
	if (ret)
		forget(v);
	return ret;
}

/* ---- do ---- */

/* The controller must be handed down from the root on. Those that have it already need nothing. */
static int enable_cpu(const char *root, const char *group)
{
	char at[KS_CGROUP_PATH + 64];
	const char *p = group;
	int ret = 0;

	for (; !ret && (p = strchr(p, '/')); p++) {
		snprintf(at, sizeof(at), "%.*s", (int)(p - group), group);
		ret = ks_cgroup_write(root, at, "cgroup.subtree_control", "+cpu");
	}
	return ret;
}

static int make_group(const char *root, const char *group)
{
	char path[KS_CGROUP_PATH + 256];
	int ret;

	snprintf(path, sizeof(path), "%s" KS_CGROUPFS "%s", root ? root : "", group);
	/* One that is there may have been left half made. */
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	/* Before its parent hands the controller down: with processes in it that may do so only then. */
	ret = ks_cgroup_write(root, group, "cgroup.type", "threaded");
	if (!ret)
		ret = enable_cpu(root, group);
	if (ret)
		rmdir(path);
	return ret;
}

static int write_tid(const char *root, const char *group, uint32_t tid)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", tid);
	return ks_cgroup_write(root, group, "cgroup.threads", text);
}

int ks_force(const char *root, const struct ks_book_vcpu *v)
{
	bool own = !strcmp(v->home, v->group);
	int ret = own ? 0 : make_group(root, v->group);

	if (!ret)
		ret = ks_cgroup_write(root, v->group, "cpu.max", LEAST);
	if (!ret && !own)
		ret = write_tid(root, v->group, v->tid);
	return ret;
}

static bool is_gone(int ret)
{
	return ret == -ENOENT || ret == -ENODEV || ret == -ESRCH;
}

/*
 * A thread that is being killed does not go anywhere else, and keeps its cgroup until it is dead. One into which somebody
 * has put threads of his own stays.
 */
static void remove_group(const char *root, const char *group)
{
	char path[KS_CGROUP_PATH + 256];
	unsigned int i;

	snprintf(path, sizeof(path), "%s" KS_CGROUPFS "%s", root ? root : "", group);
	for (i = 0; i < REMOVE_TRIES; i++) {
		if (!rmdir(path) || errno != EBUSY)
			return;
		usleep(REMOVE_US);
	}
}

/* Half made, without a thread in it, or whole: as far as it is there. */
static int undo_group(const char *root, const struct ks_book_vcpu *v)
{
	int ret;

	ks_cgroup_write(root, v->group, "cpu.max", "max");
	ret = write_tid(root, v->home, v->tid);
	if (!ret || is_gone(ret))
		remove_group(root, v->group);
	return ret;
}

int ks_force_undo(const char *root, struct ks_book_vcpu *v)
{
	int ret;

	if (!v->home)
		return 0;
	if (strcmp(v->home, v->group))
		ret = undo_group(root, v);
	else
		ret = ks_cgroup_write(root, v->group, "cpu.max", v->max);
	if (ret && !is_gone(ret))
		return ret;
	forget(v);
	return 0;
}

void ks_force_clear(const char *root, struct ks_book_vcpu *v)
{
	if (v->home && strcmp(v->home, v->group))
		remove_group(root, v->group);
	forget(v);
}

/* ---- pin ---- */

int ks_pin_read(uint32_t tid, struct ks_cpus *cpus)
{
	cpu_set_t set;
	unsigned int i;

	if (sched_getaffinity((pid_t)tid, sizeof(set), &set))
		return -errno;
	memset(cpus, 0, sizeof(*cpus));
	for (i = 0; i < KS_CPUS && i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			ks_cpus_add(cpus, i);
	return 0;
}

int ks_pin_read_all(uint32_t tid, struct ks_cpus *cpus)
{
	static const char field[] = "\nCpus_allowed_list:\t";
	char *text, *at;
	int ret = ks_read_at(NULL, STATUS_MAX, &text, NULL, "/proc/%u/status", tid);

	if (ret)
		return ret == -ENOENT ? -ESRCH : ret;
	at = strstr(text, field);
	ret = -EPROTO;
	if (at) {
		at += strlen(field);
		at[strcspn(at, "\n")] = 0;
		ret = ks_cpus_parse("Cpus_allowed_list", at, cpus, NULL);
	}
	free(text);
	return ret;
}

int ks_pin_write(uint32_t tid, const struct ks_cpus *cpus)
{
	cpu_set_t set;
	unsigned int i;

	CPU_ZERO(&set);
	for (i = ks_cpus_next(cpus, 0); i < KS_CPUS && i < CPU_SETSIZE;
	     i = ks_cpus_next(cpus, i + 1))
		CPU_SET(i, &set);
	return sched_setaffinity((pid_t)tid, sizeof(set), &set) ? -errno : 0;
}
