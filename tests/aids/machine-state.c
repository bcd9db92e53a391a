// SPDX-License-Identifier: GPL-2.0
/*
 * The state of the whole machine that a policy may touch, as lines to compare: how every thread is
 * scheduled and in which cgroup it is, the tree of cgroups and their limits, sched_ext, every BPF
 * object, what lies in /run/kvmsched. For tests: tests/lab/scenarios/snapshot.bash compares two.
 *
 * usage: machine-state
 *
 * A line is a key, a tab, what is compared, a tab, what only a reader wants to know (a kernel worker's
 * name says what it does just now). The key of a thread holds its start time, so that a later thread
 * of the same number is another one. One process, because each costs an emulated CPU a lot; none of the
 * library's functions that the policies use themselves.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "text.h"

#define CGROUPS "/sys/fs/cgroup"
#define RUN "/run/kvmsched"
#define DEPTH_MAX 16

/* sched_attr of the kernel, with util_clamp; not in glibc's headers. */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

/* ---- threads ---- */

static void print_affinity(pid_t tid)
{
	unsigned long mask[1024] = { 0 };
	long n = syscall(SYS_sched_getaffinity, tid, sizeof(mask), mask);

	n /= (long)sizeof(mask[0]);
	while (n > 1 && !mask[n - 1])
		n--;
	printf(" cpus=");
	while (n > 0)
		printf("%016lx", mask[--n]);
}

static void print_cgroup(const char *dir)
{
	char *text, *path;

	if (ks_read_at(NULL, 65536, &text, NULL, "%s/cgroup", dir))
		return;
	path = strstr(text, "0::");
	if (path) {
		path[strcspn(path, "\n")] = 0;
		printf(" cgroup=%s", path + 3);
	}
	free(text);
}

/* Of /proc/TID/stat: the name is field 2 and may hold blanks and brackets, the start field 22. */
static bool parse_stat(char *text, char *name, size_t size, uint64_t *start)
{
	char *open = strchr(text, '('), *p = strrchr(text, ')');
	int i;

	if (!open || !p)
		return false;
	ks_printable(name, size, open + 1, p - open - 1);
	for (i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p, "%" SCNu64, start) == 1;
}

/* A thread that ends meanwhile leaves no line. */
static void print_thread(pid_t pid, pid_t tid)
{
	struct attr a = { .size = sizeof(a) };
	char dir[64], name[64], *text;
	uint64_t start;

	snprintf(dir, sizeof(dir), "/proc/%d/task/%d", pid, tid);
	if (ks_read_at(NULL, 4096, &text, NULL, "%s/stat", dir))
		return;
	if (parse_stat(text, name, sizeof(name), &start) &&
	    !syscall(SYS_sched_getattr, tid, &a, sizeof(a), 0)) {
		printf("thread %d:%" PRIu64 "\tclass=%u flags=%" PRIx64 " nice=%d priority=%u"
		       " runtime=%" PRIu64 " deadline=%" PRIu64 " period=%" PRIu64 " util=%u-%u",
		       tid, start, a.policy, a.flags, a.nice, a.priority, a.runtime, a.deadline,
		       a.period, a.util_min, a.util_max);
		print_affinity(tid);
		print_cgroup(dir);
		printf("\tof %d, %s\n", pid, name);
	}
	free(text);
}

/* Calls fn(pid, number) for each number that is a name in this folder. */
static void each_number(const char *dir, pid_t pid, void (*fn)(pid_t pid, pid_t number))
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int number;

	while (d && (e = readdir(d))) {
		number = (int)strtoul(e->d_name, NULL, 10);
		if (number)
			fn(pid, number);
	}
	if (d)
		closedir(d);
}

static void print_process(pid_t none, pid_t pid)
{
	char dir[64];

	(void)none;
	if (pid == getpid())
		return;
	snprintf(dir, sizeof(dir), "/proc/%d/task", pid);
	each_number(dir, pid, print_thread);
}

/* ---- files ---- */

static void print_value(const char *path, const char *file)
{
	char value[256];

	if (!ks_read_line(NULL, value, sizeof(value), "%s/%s", path, file))
		printf(" %s=[%s]", file, value);
}

static void print_cgroups(const char *path, unsigned int depth)
{
	static const char *const files[] = { "cgroup.type",   "cgroup.subtree_control",
					     "cpu.weight",    "cpu.max",
					     "cpu.max.burst", "cpu.idle",
					     "cpuset.cpus",   "cpuset.mems" };
	char sub[4096];
	struct dirent *e;
	DIR *d = opendir(path);
	size_t i;

	if (!d)
		return;
	printf("cgroup %s\t", path);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		print_value(path, files[i]);
	printf("\n");
	while (depth && (e = readdir(d))) {
		if (e->d_type == DT_DIR && e->d_name[0] != '.' &&
		    snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) < (int)sizeof(sub))
			print_cgroups(sub, depth - 1);
	}
	closedir(d);
}

static void print_sched_ext(void)
{
	printf("sched_ext\t");
	print_value("/sys/kernel/sched_ext", "state");
	print_value("/sys/kernel/sched_ext", "switch_all");
	print_value("/sys/kernel/sched_ext", "root/ops");
	printf("\n");
}

/* An empty lock and an empty journal stay for the next policy: they are as good as nothing. */
static void print_run(void)
{
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(RUN);

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, 0))
			continue;
		if (st.st_size || (strcmp(e->d_name, "lock") && strcmp(e->d_name, "journal")))
			printf("run %s\t%lld bytes\n", e->d_name, (long long)st.st_size);
	}
	if (d)
		closedir(d);
}

/* ---- BPF ---- */

static void print_prog(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (!bpf_prog_get_info_by_fd(fd, &info, &size))
		printf("type %u %s", info.type, info.name);
}

static void print_map(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	if (!bpf_map_get_info_by_fd(fd, &info, &size))
		printf("type %u %s", info.type, info.name);
}

static void print_link(int fd)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);

	if (!bpf_link_get_info_by_fd(fd, &info, &size))
		printf("type %u of program %u", info.type, info.prog_id);
}

static const struct {
	const char *name;
	int (*next)(uint32_t start, uint32_t *id);
	int (*open)(uint32_t id);
	void (*print)(int fd);
} bpf_kinds[] = {
	{ "program", bpf_prog_get_next_id, bpf_prog_get_fd_by_id, print_prog },
	{ "map", bpf_map_get_next_id, bpf_map_get_fd_by_id, print_map },
	{ "link", bpf_link_get_next_id, bpf_link_get_fd_by_id, print_link },
};

/* Every object, whoever's it is. One that goes while it is looked at is no longer there. */
static void print_bpf(void)
{
	uint32_t id;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(bpf_kinds) / sizeof(bpf_kinds[0]); i++) {
		for (id = 0; !bpf_kinds[i].next(id, &id);) {
			fd = bpf_kinds[i].open(id);
			if (fd < 0 && errno == ENOENT)
				continue;
			printf("bpf %s %u\t", bpf_kinds[i].name, id);
			bpf_kinds[i].print(fd);
			printf("\n");
			if (fd >= 0)
				close(fd);
		}
	}
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc != 1 || geteuid()) {
		fprintf(stderr, "usage: machine-state (as root)\n");
		return 2;
	}
	each_number("/proc", 0, print_process);
	print_cgroups(CGROUPS, DEPTH_MAX);
	print_sched_ext();
	print_bpf();
	print_run();
	return fflush(stdout) || ferror(stdout);
}
