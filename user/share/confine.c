// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
	bool written; /* by us, with `ours`, since it was made */
	struct ks_cpus ours;
	ino_t journalled; /* one of this name: its owner's, `back`, is in the journal; 0: none is */
	struct ks_cpus back;
};

struct ks_confine {
	const char *root;
	struct ks_journal *journal;
	int next; /* file of what was to be written last, see note_next() */
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

static struct group *known_group(struct ks_confine *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->group[i].path + 1, name))
			return &c->group[i];
	return NULL;
}

/* NULL: there are too many. */
static struct group *group_of(struct ks_confine *c, const char *name)
{
	struct group *g = known_group(c, name);

	if (g)
		return g;
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
		g->written = false;
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

static int read_group(const struct ks_confine *c, const struct group *g, char *text, size_t size)
{
	return ks_read_line(c->root, text, size, KS_CGROUPFS "%s/cpuset.cpus", g->path);
}

/* An empty cpuset is a set, too. */
static int set_of(const char *text, struct ks_cpus *set)
{
	memset(set, 0, sizeof(*set));
	return *text && *text != '\n' ? ks_cpus_parse("cpuset", text, set, NULL) : 0;
}

static bool says(const char *text, const struct ks_cpus *set)
{
	struct ks_cpus is;

	return !set_of(text, &is) && ks_cpus_same(&is, set);
}

static void note_back(struct group *g, const char *back)
{
	g->journalled = set_of(back, &g->back) ? 0 : g->ino;
}

/*
 * What its owner has written, now or since we did: to be put back. To write it then, an empty one takes a newline. Units
 * get the same again at each daemon-reload: that is in the journal.
 */
static int remember(struct ks_confine *c, struct group *g)
{
	char was[KS_CPUS_TEXT];
	int ret;

	if (!strcmp(g->path, OWN))
		return 0;
	ret = read_group(c, g, was, sizeof(was));
	if (ret || (g->written && says(was, &g->ours)) ||
	    (g->journalled == g->ino && says(was, &g->back)))
		return ret;
	ret = ks_journal_file(c->journal, g->path, "cpuset.cpus", *was ? was : "\n");
	if (!ret)
		note_back(g, was);
	return ret;
}

static int confine_group(struct ks_confine *c, struct group *g, const char *cpus)
{
	int ret = remember(c, g);

	if (!ret)
		ret = ks_cgroup_write(c->root, g->path, "cpuset.cpus", cpus);
	if (!ret) {
		g->written = true;
		g->ours = c->may;
	}
	if (ret != -ENOENT && ret != -ENODEV)
		return ret;
	return ks_exists(c->root, KS_CGROUPFS "%s", g->path) ? -ENODEV : 0; /* it is gone */
}

/* Our own last: as long as it says what was before, others may. */
static int confine_groups(struct ks_confine *c)
{
	struct group *g, *own = known_group(c, &OWN[1]);
	char cpus[KS_CPUS_TEXT];
	int ret, failed = 0;

	ks_cpus_print(&c->may, cpus, sizeof(cpus));
	for (g = c->group; g < c->group + c->n; g++) {
		ret = g == own ? 0 : confine_group(c, g, cpus);
		failed = ret ? ret : failed;
	}
	ret = own ? confine_group(c, own, cpus) : 0;
	return ret ? ret : failed;
}

/* ---- what a predecessor has left ---- */

/* Behind the set that is next: where the interrupts were moved to last. */
#define MOVED_AT KS_CPUS_TEXT

static int note_set(struct ks_confine *c, const struct ks_cpus *cpus, off_t at)
{
	char text[KS_CPUS_TEXT];
	/* With its end: in one go, so that there is never a part of it, nor of two. */
	ssize_t len = (ssize_t)strlen(ks_cpus_print(cpus, text, sizeof(text))) + 1;

	errno = EIO;
	return pwrite(c->next, text, (size_t)len, at) == len ? 0 : -errno;
}

static void read_set(struct ks_confine *c, struct ks_cpus *cpus, off_t at)
{
	char text[KS_CPUS_TEXT] = "";

	if (pread(c->next, text, sizeof(text) - 1, at) < 0 || set_of(text, cpus))
		memset(cpus, 0, sizeof(*cpus));
}

/*
 * Before it is written: who is killed while it is leaves cgroups that say what our own says, and others that say this. A
 * successor must not take either for their owners'.
 */
static int note_next(struct ks_confine *c, const struct ks_cpus *cpus)
{
	return note_set(c, cpus, 0);
}

static void read_next(struct ks_confine *c, struct ks_cpus *next)
{
	read_set(c, next, 0);
}

/* Nothing is written any more, and what our own says by now is no confinement. */
static int note_none(struct ks_confine *c)
{
	return ftruncate(c->next, 0) ? -errno : 0;
}

static void tell_back(void *ctx, const char *path, const char *back)
{
	struct group *g = *path == '/' ? known_group(ctx, path + 1) : NULL;

	if (g)
		note_back(g, back);
}

/* One that the journal does not know has not been written by any of us, whatever it says. */
static void adopt(struct ks_confine *c, struct group *g, const struct ks_cpus *ours)
{
	char now[KS_CPUS_TEXT];

	if (!g->journalled || !ks_cpus_count(ours) || read_group(c, g, now, sizeof(now)) ||
	    !says(now, ours))
		return;
	g->written = true;
	g->ours = *ours;
}

static int adopt_groups(struct ks_confine *c)
{
	int ret = ks_journal_files(c->journal, "cpuset.cpus", tell_back, c);
	struct ks_cpus next;
	unsigned int i;

	read_next(c, &next);
	for (i = 0; i < c->n; i++) {
		adopt(c, &c->group[i], &next);
		if (c->confined)
			adopt(c, &c->group[i], &c->may);
	}
	return ret;
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

	if (ret >= 0)
		ret = note_next(c, cpus);
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
	char now[KS_CPUS_TEXT];

	if (read_group(c, g, now, sizeof(now)))
		return !ks_exists(c->root, KS_CGROUPFS "%s", g->path);
	return says(now, &c->may);
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
	note_set(c, &c->may, MOVED_AT); /* for a successor */
	isolate(c);
}

/* ---- begin, end ---- */

/* By an agent that was here before. Kernels before 7.0 leave a set in our own when it is released: all that can be. */
static void find_confined(struct ks_confine *c)
{
	char now[4096] = "";
	struct ks_cpus next;

	read_next(c, &next);
	c->confined = ks_cpus_count(&next) &&
		      !ks_read_line(c->root, now, sizeof(now), KS_CGROUPFS OWN "/cpuset.cpus") &&
		      *now && !ks_cpus_parse("cpuset", now, &c->may, NULL);
	if (c->confined)
		read_set(c, &c->interrupts.last, MOVED_AT);
}

/* The root's own task may be told to be in a cgroup with cpusets, if those are switched on. */
static int make_own(struct ks_confine *c, struct ks_err *err)
{
	char path[512];
	int ret;

	ks_confine_online(c, &c->may);
	find_confined(c);
	ret = switch_on(c);
	if (ret)
		return ks_fail(err, ret == -ENOENT || ret == -EINVAL ? -ENOTSUP : ret,
			       "cgroup v2 with cpusets is needed at " KS_CGROUPFS ": %s",
			       strerror(-ret));
	snprintf(path, sizeof(path), "%s" KS_CGROUPFS OWN, c->root ? c->root : "");
	if (mkdir(path, 0755) && errno != EEXIST)
		return ks_fail(err, -errno, "%.150s: %s", path, strerror(errno));
	if (!ks_cpus_count(&c->may))
		return ks_fail(err, -ENOENT, "/sys does not say which CPUs there are");
	ks_isolated(c->root, &c->isolated);
	move_in(c);
	ret = find_groups(c);
	if (ret == -E2BIG)
		return ks_fail(err, ret,
			       "there are more than %u cgroups just below " KS_CGROUPFS
			       ": such a guest cannot be confined",
			       MAX_GROUPS);
	return ret < 0 ?
		       ks_fail(err, ret, "the cgroups below " KS_CGROUPFS ": %s", strerror(-ret)) :
		       0;
}

/* As if we had not been here. */
static void leave(struct ks_confine *c)
{
	char path[512];

	move_back(c);
	ks_isolate_end(c->root);
	snprintf(path, sizeof(path), "%s" KS_CGROUPFS OWN, c->root ? c->root : "");
	rmdir(path);
}

/* In the folder of the journal, which is ours by now. */
static int open_next(struct ks_confine *c, const char *dir, struct ks_err *err)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/cpus", dir);
	c->next = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return c->next < 0 ? ks_fail(err, -errno, "%.150s: %s", path, strerror(errno)) : 0;
}

/* Whoever was killed may have left it half done. */
static int take_over(struct ks_confine *c, struct ks_err *err)
{
	int ret = adopt_groups(c);

	if (ret)
		return ks_fail(err, ret, "the journal: %s", strerror(-ret));
	ks_confine_sweep(c);
	return 0;
}

/* What a predecessor has confined stays so if we cannot go on with it; else nothing of ours stays. */
static int begin(struct ks_confine *c, struct ks_err *err)
{
	int ret = make_own(c, err);

	if (!ret)
		ret = take_over(c, err);
	if (ret && !c->confined)
		leave(c);
	return ret;
}

static void drop(struct ks_confine *c)
{
	if (c->next >= 0)
		close(c->next);
	ks_journal_close(c->journal);
	free(c);
}

int ks_confine_open(struct ks_confine **out, const char *root, const char *dir, struct ks_err *err)
{
	struct ks_confine *c = calloc(1, sizeof(*c));
	int ret;

	*out = NULL;
	if (!c)
		return ks_fail(err, -ENOMEM, "out of memory");
	c->root = root;
	c->next = -1;
	ret = ks_journal_open(&c->journal, dir, err);
	if (ret == -EBUSY)
		ks_fail(err, ret, "another agent runs here already");
	if (!ret) {
		ks_journal_root(c->journal, root);
		ret = open_next(c, dir, err);
	}
	if (!ret)
		ret = begin(c, err);
	if (ret) {
		drop(c);
		return ret;
	}
	*out = c;
	return 0;
}

/* What owners have written since the last sweep; what cannot be journalled now goes back to what was before. */
static void remember_last(struct ks_confine *c)
{
	unsigned int i;

	find_groups(c);
	for (i = 0; i < c->n; i++)
		if (c->group[i].journalled)
			remember(c, &c->group[i]);
}

static void forget_all(struct ks_confine *c)
{
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		c->group[i].written = false;
		c->group[i].journalled = 0;
	}
}

int ks_confine_release(struct ks_confine *c)
{
	struct ks_undone u;
	int ret;

	isolate_none(c);
	ks_confine_online(c, &c->may);
	memset(&c->interrupts, 0, sizeof(c->interrupts));
	remember_last(c);
	ret = ks_journal_undo(c->journal, &u);
	if (!ret) {
		forget_all(c);
		ret = note_none(c);
	}
	if (!ret)
		ret = ks_cgroup_any_cpu(c->root, OWN);
	c->confined = ret;
	return ret;
}

void ks_confine_close(struct ks_confine *c)
{
	if (!c)
		return;
	if (!c->confined)
		leave(c);
	drop(c);
}
