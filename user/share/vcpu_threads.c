// SPDX-License-Identifier: GPL-2.0
/* vCPUs that are plugged, unplugged, and plugged again: threads come, end, and others take their places. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "force.h"
#include "vm.h"

/* A new thread has its creator's name at first: they are read until so many looks more have found the same threads. */
#define LOOKS 3u /* a mask: counted in the low bits of the sum */

/* Changes with the threads that the process has; the low bits are 0. */
static uint64_t sum_threads(const char *root, uint32_t tgid)
{
	char path[512];
	struct dirent *e;
	uint64_t sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/proc/%u/task", root ? root : "", tgid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		uint64_t tid = strtoull(e->d_name, NULL, 10) * 0x9e3779b97f4a7c15u;

		sum += tid ^ tid >> 29;
	}
	if (d)
		closedir(d);
	return sum & INT64_MAX & ~(uint64_t)LOOKS;
}

static uint64_t count_look(uint64_t before, uint64_t threads)
{
	return (before & ~(uint64_t)LOOKS) == threads ? before + 1 : threads;
}

static uint32_t thread_of(const struct ks_vminfo *info, unsigned int vcpu)
{
	size_t i;

	for (i = 0; i < info->nthreads; i++)
		if (info->threads[i].vcpu == (int)vcpu)
			return info->threads[i].tid;
	return 0;
}

static bool has_any(const struct ks_vminfo *info, unsigned int vcpus)
{
	unsigned int i;

	for (i = 0; i < vcpus; i++)
		if (thread_of(info, i))
			return true;
	return false;
}

/* Without memory they are nobody's business until the next time. */
static bool grow(struct ks_book_vm *v, unsigned int vcpus)
{
	struct ks_book_vcpu *more;

	if (vcpus <= v->vcpus || vcpus > KS_CPUS)
		return false;
	more = realloc(v->vcpu, vcpus * sizeof(*more));
	if (!more)
		return false;
	memset(more + v->vcpus, 0, (vcpus - v->vcpus) * sizeof(*more));
	v->vcpu = more;
	v->vcpus = vcpus;
	return true;
}

bool ks_vcpu_has_ended(const char *root, uint32_t tgid, uint32_t tid)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/proc/%u/task/%u", root ? root : "", tgid, tid) >=
	    (int)sizeof(path))
		return false;
	return access(path, F_OK) && (errno == ENOENT || errno == ESRCH);
}

/*
 * What was done to the thread that has gone does not hold for another one. One that is there under another name has not gone:
 * what undoes that is known here alone.
 */
static bool renew(const char *root, uint32_t tgid, struct ks_book_vcpu *v, uint32_t tid)
{
	if (v->tid == tid || (!tid && !ks_vcpu_has_ended(root, tgid, v->tid)))
		return false;
	ks_force_clear(root, v);
	free(v->affinity);
	v->affinity = NULL;
	v->tid = tid;
	return true;
}

unsigned int ks_vcpus_count(const struct ks_vminfo *info)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < info->nthreads; i++)
		if (info->threads[i].vcpu >= (int)n)
			n = (unsigned int)info->threads[i].vcpu + 1;
	return n;
}

bool ks_vcpus_renew(const char *root, struct ks_book_vm *v)
{
	uint64_t threads = sum_threads(root, v->tgid);
	struct ks_vminfo info;
	bool changed;
	unsigned int i, n;

	if (v->threads == (threads | LOOKS) || ks_vm_read(root, v->tgid, &info))
		return false;
	v->threads = count_look(v->threads, threads);
	changed = grow(v, ks_vcpus_count(&info));
	/* One that is about to end loses its threads one by one; without any it is left as it was. */
	n = has_any(&info, v->vcpus) ? v->vcpus : 0;
	for (i = 0; i < n; i++)
		changed |= renew(root, v->tgid, &v->vcpu[i], thread_of(&info, i));
	ks_vm_release(&info);
	return changed;
}
