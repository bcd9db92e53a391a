// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"
#include "thread.h"

/* struct sched_attr of the kernel in its first form (sched_setattr(2)); not in glibc's headers. */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

/* Field 22 of /proc/TID/stat; the name in field 2 may hold blanks and brackets. */
static int parse_start(char *text, uint64_t *start)
{
	char *p = strrchr(text, ')');
	int i;

	for (i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	i = p && sscanf(p, "%" SCNu64, start) == 1 ? 0 : -EPROTO;
	free(text);
	return i;
}

int ks_thread_start(const char *root, uint32_t tid, uint64_t *start)
{
	char *text;
	int ret = ks_read_at(root, 4096, &text, NULL, "/proc/%u/stat", tid);

	return ret ? ret == -ENOENT ? -ESRCH : ret : parse_start(text, start);
}

bool ks_thread_has_ended(const char *root, uint32_t tid, uint64_t start)
{
	uint64_t began;
	int ret = ks_thread_start(root, tid, &began);

	return ret ? ret == -ESRCH : began != start;
}

/* Fields 3 and 20 of /proc/PID/stat: a zombie all of whose other threads have ended. */
static bool is_dead(const char *text)
{
	const char *p = strrchr(text, ')');
	unsigned int threads;
	char state;

	return p &&
	       sscanf(p + 1,
		      " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %u",
		      &state, &threads) == 2 &&
	       (state == 'Z' || state == 'X') && threads <= 1;
}

bool ks_process_has_ended(const char *root, uint32_t tgid, uint64_t start)
{
	uint64_t began;
	char *text;
	int ret = ks_read_at(root, 4096, &text, NULL, "/proc/%u/stat", tgid);
	bool dead;

	if (ret)
		return ret == -ENOENT || ret == -ESRCH;
	dead = is_dead(text);
	ret = parse_start(text, &began);
	return dead || (!ret && began != start);
}

static int read_attr(uint32_t tid, uint64_t start, struct ks_thread *t)
{
	struct attr a = { .size = sizeof(a) };

	if (syscall(SYS_sched_getattr, tid, &a, sizeof(a), 0))
		return -errno;
	*t = (struct ks_thread){ .tid = tid,
				 .start = start,
				 .policy = a.policy,
				 .priority = a.priority,
				 .nice = a.nice,
				 .flags = a.flags,
				 .slice_ns = a.runtime };
	return 0;
}

int ks_thread_read(uint32_t tid, struct ks_thread *t)
{
	uint64_t start;
	int ret = ks_thread_start(NULL, tid, &start);

	return ret ? ret : read_attr(tid, start, t);
}

int ks_thread_read_of(uint32_t tgid, uint32_t tid, struct ks_thread *t)
{
	uint64_t start;
	char *text;
	int ret = ks_read_at(NULL, 4096, &text, NULL, "/proc/%u/task/%u/stat", tgid, tid);

	if (!ret)
		ret = parse_start(text, &start);
	if (ret)
		return ret == -ENOENT ? -ESRCH : ret;
	return read_attr(tid, start, t);
}

static int set(const struct ks_thread *t, uint32_t policy, uint64_t slice_ns)
{
	struct attr a = { .size = sizeof(a),
			  .policy = policy,
			  .flags = t->flags,
			  .nice = t->nice,
			  .priority = t->priority,
			  .runtime = slice_ns };

	return syscall(SYS_sched_setattr, t->tid, &a, 0) ? -errno : 0;
}

int ks_thread_set(const struct ks_thread *t, uint32_t policy)
{
	return set(t, policy, 0);
}

int ks_thread_restore(const struct ks_thread *t, uint32_t from)
{
	struct ks_thread now;
	int ret = ks_thread_read(t->tid, &now);
	bool own;

	if (ret)
		return ret == -ESRCH ? 0 : ret;
	if (now.start != t->start || now.policy != from)
		return 0;
	/*
	 * The kernel does not say whether a slice is the thread's own. It has been taken away by
	 * ks_thread_set(), so what it has now is the usual one; to set that would make it its own.
	 */
	own = ks_thread_is_fair(t) && t->slice_ns != now.slice_ns;
	ret = set(t, t->policy, own ? t->slice_ns : 0);
	return ret == -ESRCH ? 0 : ret ? ret : 1;
}

static int sweep_one(uint32_t tid, uint32_t from)
{
	struct ks_thread t;
	int ret = ks_thread_read(tid, &t);

	if (!ret && t.policy == from)
		ret = ks_thread_set(&t, 0) ?: 1;
	return ret == -ESRCH ? 0 : ret;
}

int ks_thread_sweep(uint32_t tgid, uint32_t from, bool (*keep)(void *ctx, uint32_t tid), void *ctx)
{
	char dir[32];
	struct dirent *e;
	int n = 0, error = 0, ret;
	uint32_t tid;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%u/task", tgid);
	d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d))) {
		tid = strtoul(e->d_name, NULL, 10);
		if (!tid || (keep && keep(ctx, tid)))
			continue;
		ret = sweep_one(tid, from);
		n += ret > 0;
		error = ret < 0 ? ret : error;
	}
	closedir(d);
	return error ? error : n;
}
