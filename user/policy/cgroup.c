// SPDX-License-Identifier: GPL-2.0
/* cgroup v2, as far as it says who may use how much of a CPU. Files: cgroup-v2.rst of the kernel. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "text.h"

#define CGROUPFS KS_CGROUPFS
#define POSSIBLE_CPUS "/sys/devices/system/cpu/possible"
#define DEPTH_MAX 32 /* of cgroups below the root, or below a VM's */

/* The path in the line "0::/machine.slice/..." of /proc/PID/task/TID/cgroup. */
int ks_cgroup_of(const char *root, uint32_t tgid, uint32_t tid, char *path, size_t size)
{
	char *text, *line;
	int ret = tid == tgid ? ks_read_at(root, 16384, &text, NULL, "/proc/%u/cgroup", tgid) :
				ks_read_at(root, 16384, &text, NULL, "/proc/%u/task/%u/cgroup",
					   tgid, tid);

	if (ret)
		return ret;
	line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	if (!line) {
		free(text);
		return -ENOTSUP; /* cgroup v1 alone */
	}
	line += *line == '\n' ? 4 : 3;
	line[strcspn(line, "\n")] = 0;
	ret = snprintf(path, size, "%s", strcmp(line, "/") ? line : "") < (int)size ? 0 :
										      -ENAMETOOLONG;
	free(text);
	return ret;
}

static bool has_quota(const char *root, const char *path)
{
	char max[64];

	return !ks_read_line(root, max, sizeof(max), CGROUPFS "%s/cpu.max", path) &&
	       strncmp(max, "max", 3);
}

bool ks_cgroup_has_controller(const char *root, const char *name)
{
	char text[512], *word, *rest = text;

	if (ks_read_line(root, text, sizeof(text), CGROUPFS "/cgroup.controllers"))
		return false;
	while ((word = strsep(&rest, " ")))
		if (!strcmp(word, name))
			return true;
	return false;
}

bool ks_cgroup_is_threaded(const char *root, const char *path)
{
	char type[32];

	return !ks_read_line(root, type, sizeof(type), CGROUPFS "%s/cgroup.type", path) &&
	       !strcmp(type, "threaded");
}

bool ks_cgroup_is_own(const char *root, const char *path, uint32_t tid)
{
	char *text, *end;
	bool own;

	if (!*path || !ks_cgroup_is_threaded(root, path) ||
	    ks_read_at(root, 4096, &text, NULL, CGROUPFS "%s/cgroup.threads", path))
		return false;
	own = strtoul(text, &end, 10) == tid && !strcmp(end, "\n");
	free(text);
	return own;
}

static bool cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = 0;
	return slash && *path;
}

static bool quota_above(const char *root, const char *path)
{
	char at[4096];

	snprintf(at, sizeof(at), "%s", path);
	while (*at) {
		if (has_quota(root, at))
			return true;
		cut_last(at);
	}
	return false;
}

/*
 * In the cgroups below: which one? found[size] is written only if there is one. threaded: only in
 * threaded ones, as libvirt makes them for each vCPU.
 */
static bool quota_below(const char *root, const char *path, bool threaded, unsigned int depth,
			char *found, size_t size)
{
	char dir[4096], sub[4096];
	struct dirent *e;
	bool is = false;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s" CGROUPFS "%s", root ? root : "", path);
	d = depth ? opendir(dir) : NULL;
	while (d && !is && (e = readdir(d))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.' ||
		    snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) >= (int)sizeof(sub) ||
		    (threaded && !ks_cgroup_is_threaded(root, sub)))
			continue;
		is = has_quota(root, sub);
		if (is)
			ks_printable(found, size, sub, strlen(sub));
		else
			is = quota_below(root, sub, threaded, depth - 1, found, size);
	}
	if (d)
		closedir(d);
	return is;
}

bool ks_cgroup_find_quota(const char *root, char *path, size_t size)
{
	return quota_below(root, "", false, DEPTH_MAX, path, size);
}

/* libvirt makes one for its threaded ones in the VM's scope; weights are written to the scope. */
static void cut_libvirt(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash && slash != path && !strcmp(slash, "/libvirt"))
		*slash = 0;
}

int ks_cgroup_share(const char *root, uint32_t tgid, uint32_t *weight, bool *quota)
{
	char path[4096], text[32], found[64];
	int ret = ks_cgroup_of(root, tgid, tgid, path, sizeof(path));

	*weight = 0;
	*quota = false;
	if (ret)
		return ret;
	while (ks_cgroup_is_threaded(root, path) && cut_last(path))
		;
	if (!*path)
		return 0;
	*quota = quota_above(root, path) ||
		 quota_below(root, path, true, DEPTH_MAX, found, sizeof(found));
	cut_libvirt(path);
	if (!ks_read_line(root, text, sizeof(text), CGROUPFS "%s/cpu.weight", path))
		*weight = strtoul(text, NULL, 10);
	return 0;
}

/* ---- to change it ---- */

int ks_cgroup_write(const char *root, const char *path, const char *file, const char *text)
{
	char name[KS_CGROUP_PATH + 256];
	int fd, ret = 0;

	snprintf(name, sizeof(name), "%s" CGROUPFS "%s/%s", root ? root : "", path, file);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int ks_cgroup_any_cpu(const char *root, const char *path)
{
	int ret = ks_cgroup_write(root, path, "cpuset.cpus", "\n");
	char all[1024];

	if (ret == -ENOSPC && !ks_read_line(root, all, sizeof(all), POSSIBLE_CPUS))
		ret = ks_cgroup_write(root, path, "cpuset.cpus", all);
	return ret;
}
