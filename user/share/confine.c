// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "confine.h"
#include "err.h"
#include "interrupts.h"
#include "isolate.h"
#include "journal.h"
#include "text.h"

#define OWN "/kvmsched.share" /* where tasks of the root go */
#define MAX_GROUPS 256u	      /* just below the root; a guest with more is not confined */
#define MAX_PROCS (16u << 20)
#define MAX_STUCK 8192u

struct group {
	char path[NAME_MAX + 2];
	ino_t ino;
	bool known; /* what it was before is in the journal */
};

struct ks_confine {
	const char *root;
	struct ks_journal *journal;
	struct ks_cpus may, isolated;
	bool cannot_isolate; /* the kernel has said so */
	bool confined;
	unsigned int n;
	uint32_t stuck
		[MAX_STUCK]; /* tasks of the root that would not go: not tried again, for to try is dear */
	unsigned int nstuck;
	struct ks_interrupts interrupts;
	struct group group[MAX_GROUPS];
};

/* ---- what there is ---- */

static void read_cpus(const struct ks_confine *c, const char *which, struct ks_cpus *set)
{
	char text[4096];

	memset(set, 0, sizeof(*set));
	if (!ks_read_line(c->root, text, sizeof(text), "/sys/devices/system/cpu/%s", which))
		ks_cpus_parse(which, text, set, NULL);
}

void ks_confine_online(const struct ks_confine *c, struct ks_cpus *set)
{
	read_cpus(c, "online", set);
}

void ks_confine_possible(const struct ks_confine *c, struct ks_cpus *set)
{
	read_cpus(c, "possible", set);
}

const struct ks_cpus *ks_confine_may(const struct ks_confine *c)
{
	return &c->may;
}

unsigned int ks_confine_stuck(const struct ks_confine *c)
{
	return c->nstuck;
}

static void forget_gone(struct ks_confine *c)
{
	unsigned int i, n = 0;

	for (i = 0; i < c->n; i++)
		if (ks_exists(c->root, KS_CGROUPFS "%s", c->group[i].path))
			c->group[n++] = c->group[i];
	c->n = n;
}

/* NULL: there are too many. */
static struct group *group_of(struct ks_confine *c, const char *name)
{
	struct group *g;
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->group[i].path + 1, name))
			return &c->group[i];
	if (c->n == MAX_GROUPS)
		forget_gone(c);
	if (c->n == MAX_GROUPS)
		return NULL;
	g = &c->group[c->n++];
	*g = (struct group){ 0 };
	snprintf(g->path, sizeof(g->path), "/%s", name);
	return g;
}

/* Whether it is new; also one that has the name of another that is gone. */
static int find_group(struct ks_confine *c, const struct dirent *e)
{
	struct group *g = group_of(c, e->d_name);
	bool fresh = g && g->ino != e->d_ino;

	if (!g)
		return -E2BIG;
	if (fresh) {
		g->ino = e->d_ino;
		g->known = false;
	}
	return fresh;
}

/* Each cgroup just below the root; those that are gone stay in the table until it is full. How many are new, or -errno. */
static int find_groups(struct ks_confine *c)
{
	char dir[512];
	struct dirent *e;
	int ret = 0, fresh = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s" KS_CGROUPFS, c->root ? c->root : "");
	d = opendir(dir);
	if (!d)
		return -errno;
	while (ret >= 0 && (e = readdir(d))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.' || !strcmp(e->d_name, KS_ISOLATED))
			continue;
		ret = find_group(c, e);
		fresh += ret > 0;
	}
	closedir(d);
	return ret < 0 ? ret : fresh;
}

/* ---- tasks of the root ---- */

static int move_to(struct ks_confine *c, const char *group, const char *pid)
{
	return ks_cgroup_write(c->root, group, "cgroup.procs", pid);
}

static bool is_stuck(const uint32_t *stuck, unsigned int n, uint32_t pid)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (stuck[i] == pid)
			return true;
	return false;
}

/* The processes of a cgroup; the caller's. NULL if there is no such cgroup. */
static char *processes(struct ks_confine *c, const char *group)
{
	char *text;

	return ks_read_at(c->root, MAX_PROCS, &text, NULL, KS_CGROUPFS "%s/cgroup.procs", group) ?
		       NULL :
		       text;
}

/* Tasks of the root to our own cgroup; who would not go before is not asked again while it is there. */
static void move_in(struct ks_confine *c)
{
	static uint32_t before[MAX_STUCK];
	unsigned int nbefore = c->nstuck;
	char *text = processes(c, ""), *rest = text, *pid;
	uint32_t n;

	memcpy(before, c->stuck, nbefore * sizeof(before[0]));
	c->nstuck = 0;
	while (rest && (pid = strsep(&rest, "\n"))) {
		n = (uint32_t)strtoul(pid, NULL, 10);
		if (n && (is_stuck(before, nbefore, n) || move_to(c, OWN, pid)) &&
		    c->nstuck < MAX_STUCK)
			c->stuck[c->nstuck++] = n;
	}
	free(text);
}

static void move_back(struct ks_confine *c)
{
	char *text = processes(c, OWN), *rest = text, *pid;

	while (rest && (pid = strsep(&rest, "\n")))
		if (*pid)
			move_to(c, "", pid);
	free(text);
}

/* ---- cpusets ---- */

/* What to write to put back what is there now: an empty one takes a newline. */
static int remember(struct ks_confine *c, struct group *g)
{
	char was[4096];
	int ret;

	if (g->known || !strcmp(g->path, OWN))
		return 0;
	ret = ks_read_line(c->root, was, sizeof(was), KS_CGROUPFS "%s/cpuset.cpus", g->path);
	if (!ret)
		ret = ks_journal_file(c->journal, g->path, "cpuset.cpus", *was ? was : "\n");
	g->known = !ret;
	return ret;
}

static int confine_group(struct ks_confine *c, struct group *g, const char *cpus)
{
	int ret = remember(c, g);

	if (!ret)
		ret = ks_cgroup_write(c->root, g->path, "cpuset.cpus", cpus);
	if (ret != -ENOENT && ret != -ENODEV)
		return ret;
	return ks_exists(c->root, KS_CGROUPFS "%s", g->path) ? -ENODEV : 0; /* it is gone */
}

static int confine_groups(struct ks_confine *c)
{
	char cpus[KS_CPUS_TEXT];
	unsigned int i;
	int ret, failed = 0;

	ks_cpus_print(&c->may, cpus, sizeof(cpus));
	for (i = 0; i < c->n; i++) {
		ret = confine_group(c, &c->group[i], cpus);
		failed = ret ? ret : failed;
	}
	return failed;
}

/* ---- given-up CPUs are nobody's ---- */

static void isolate_none(struct ks_confine *c)
{
	if (!ks_cpus_count(&c->isolated))
		return;
	ks_isolate_none(c->root);
	memset(&c->isolated, 0, sizeof(c->isolated));
}

static void isolate(struct ks_confine *c)
{
	struct ks_cpus up;
	unsigned int i;

	ks_isolated(c->root, &c->isolated); /* who writes a cpuset with one of its CPUs ends it */
	ks_confine_online(c, &up);
	for (i = 0; i < KS_CPUS_WORDS; i++)
		up.word[i] &= ~c->may.word[i];
	if (c->cannot_isolate || ks_cpus_same(&up, &c->isolated))
		return;
	if (!ks_cpus_count(&up)) {
		isolate_none(c);
		return;
	}
	c->cannot_isolate = ks_isolate(c->root, &up);
	ks_isolated(c->root, &c->isolated);
}

static int switch_on(struct ks_confine *c)
{
	int ret = ks_cgroup_write(c->root, "", "cgroup.subtree_control", "+cpuset");

	if (!ret)
		ks_isolate_prepare(c->root); /* where it cannot be kept on, sweeping mends it */
	return ret;
}

int ks_confine_set(struct ks_confine *c, const struct ks_cpus *cpus)
{
	int ret = find_groups(c);

	if (ret < 0)
		return ret;
	if (ks_cpus_common(cpus, &c->isolated) < KS_CPUS)
		isolate_none(c);
	c->may = *cpus;
	c->confined = true;
	ret = confine_groups(c);
	/* Somebody has switched the controller off: see ks_confine_sweep(). */
	return ret == -ENODEV && !switch_on(c) ? confine_groups(c) : ret;
}

/* Nobody has changed it: others write cpusets, too (AllowedCPUs= of units at each daemon-reload, LXC for its containers). */
static bool is_confined(const struct ks_confine *c, const struct group *g)
{
	char now[4096];
	struct ks_cpus are;
	int ret = ks_read_line(c->root, now, sizeof(now), KS_CGROUPFS "%s/cpuset.cpus", g->path);

	if (ret)
		return !ks_exists(c->root, KS_CGROUPFS "%s", g->path);
	return !ks_cpus_parse("cpuset", now, &are, NULL) && ks_cpus_same(&are, &c->may);
}

static bool all_confined(const struct ks_confine *c)
{
	unsigned int i;

	for (i = 0; i < c->n && is_confined(c, &c->group[i]); i++)
		;
	return i == c->n;
}

bool ks_confine_sweep(struct ks_confine *c)
{
	if (!c->confined)
		return false;
	move_in(c);
	if (find_groups(c) < 0 || all_confined(c))
		return false;
	switch_on(c);
	c->cannot_isolate = false;
	confine_groups(c);
	return true;
}

void ks_confine_settle(struct ks_confine *c)
{
	if (!c->confined)
		return;
	ks_interrupts_move(&c->interrupts, c->root, c->journal, &c->may);
	isolate(c);
}

/* ---- begin, end ---- */

/* The root's own task may be told to be in a cgroup with cpusets, if those are switched on. */
static int make_own(struct ks_confine *c, struct ks_err *err)
{
	char path[512], now[4096] = "";
	int ret = switch_on(c);

	if (ret)
		return ks_fail(err, ret == -ENOENT || ret == -EINVAL ? -ENOTSUP : ret,
			       "cgroup v2 with cpusets is needed at " KS_CGROUPFS ": %s",
			       strerror(-ret));
	snprintf(path, sizeof(path), "%s" KS_CGROUPFS OWN, c->root ? c->root : "");
	if (mkdir(path, 0755) && errno != EEXIST)
		return ks_fail(err, -errno, "%.150s: %s", path, strerror(errno));
	ks_confine_online(c, &c->may);
	if (!ks_cpus_count(&c->may))
		return ks_fail(err, -ENOENT, "/sys does not say which CPUs there are");
	/* An agent that was here before? */
	if (!ks_read_line(c->root, now, sizeof(now), KS_CGROUPFS OWN "/cpuset.cpus") && *now &&
	    !ks_cpus_parse("cpuset", now, &c->may, NULL))
		c->confined = true;
	ks_isolated(c->root, &c->isolated);
	move_in(c);
	ret = find_groups(c);
	return ret < 0 ?
		       ks_fail(err, ret, "the cgroups below " KS_CGROUPFS ": %s", strerror(-ret)) :
		       0;
}

int ks_confine_open(struct ks_confine **out, const char *root, const char *dir, struct ks_err *err)
{
	struct ks_confine *c = calloc(1, sizeof(*c));
	int ret;

	*out = NULL;
	if (!c)
		return ks_fail(err, -ENOMEM, "out of memory");
	c->root = root;
	ret = ks_journal_open(&c->journal, dir, err);
	if (ret == -EBUSY)
		ks_fail(err, ret, "another agent runs here already");
	if (!ret) {
		ks_journal_root(c->journal, root);
		ret = make_own(c, err);
	}
	if (ret) {
		ks_journal_close(c->journal);
		free(c);
		return ret;
	}
	*out = c;
	return 0;
}

int ks_confine_release(struct ks_confine *c)
{
	struct ks_undone u;
	unsigned int i;
	int ret;

	isolate_none(c);
	ks_confine_online(c, &c->may);
	memset(&c->interrupts, 0, sizeof(c->interrupts));
	ret = ks_journal_undo(c->journal, &u);
	if (!ret)
		ret = ks_cgroup_any_cpu(c->root, OWN);
	for (i = 0; i < c->n; i++)
		c->group[i].known = false;
	c->confined = ret;
	return ret;
}

void ks_confine_close(struct ks_confine *c)
{
	char path[512];

	if (!c)
		return;
	if (!c->confined) {
		move_back(c);
		ks_isolate_end(c->root);
		snprintf(path, sizeof(path), "%s" KS_CGROUPFS OWN, c->root ? c->root : "");
		rmdir(path);
	}
	ks_journal_close(c->journal);
	free(c);
}
