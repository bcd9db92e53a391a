// SPDX-License-Identifier: GPL-2.0
/* Finding VMs in /proc. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "args.h"
#include "err.h"
#include "text.h"
#include "vm.h"
#include "vmargs.h"

const char *ks_vmm_name(enum ks_vmm vmm)
{
	static const char *const names[] = {
		[KS_VMM_OTHER] = "other",
		[KS_VMM_QEMU] = "QEMU",
		[KS_VMM_CLOUD_HYPERVISOR] = "cloud-hypervisor",
		[KS_VMM_FIRECRACKER] = "firecracker",
		[KS_VMM_CROSVM] = "crosvm",
		[KS_VMM_KVMTOOL] = "kvmtool",
	};

	return (size_t)vmm < sizeof(names) / sizeof(names[0]) ? names[vmm] : "other";
}

int ks_vm_vcpu_of_name(const char *comm)
{
	static const char *const prefixes[] = { "CPU ", "vcpu", "fc_vcpu ", "crosvm_vcpu",
						"kvm-vcpu-" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i]);
		const char *d = comm + n;
		uint64_t v;
		char num[8];

		if (strncmp(comm, prefixes[i], n))
			continue;
		n = strspn(d, "0123456789");
		if (!n || n >= sizeof(num))
			return -1;
		memcpy(num, d, n);
		num[n] = '\0';
		/* Behind the number: nothing, or "/KVM" of QEMU ("/TCG" is no vCPU of KVM). */
		if ((d[n] && strcmp(d + n, "/KVM")) || ks_arg_uint("", num, 0, 65535, &v, NULL))
			return -1;
		return (int)v;
	}
	return -1;
}

/* /proc, or the folder `sub` of a process in it, below root; NULL with errno. */
static DIR *open_dir(const char *root, uint32_t pid, const char *sub)
{
	char path[PATH_MAX], proc[32] = "";
	int n;

	if (pid)
		snprintf(proc, sizeof(proc), "/%u/", pid);
	n = snprintf(path, sizeof(path), "%s/proc%s%s", root ? root : "", proc, sub);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return opendir(path);
}

/* The next entry that is a number, 0 at the end. */
static uint32_t next_number(DIR *d)
{
	const struct dirent *e;
	uint64_t v;

	while ((e = readdir(d)))
		if (!ks_arg_uint("", e->d_name, 1, INT32_MAX, &v, NULL))
			return (uint32_t)v;
	return 0;
}

/* Count the KVM descriptors. 0 or -errno if the process does not let us look. */
static int read_fds(const char *root, struct ks_vminfo *vm)
{
	DIR *d = open_dir(root, vm->tgid, "fd");
	const struct dirent *e;
	char to[64];

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, to, sizeof(to) - 1);

		if (n <= 0)
			continue;
		to[n] = '\0';
		if (!strcmp(to, "anon_inode:kvm-vm"))
			vm->vm_fds++;
		else if (!strcmp(to, "anon_inode:kvm-vcpu") || /* before 4.18 without number */
			 !strncmp(to, "anon_inode:kvm-vcpu:", 20))
			vm->vcpu_fds++;
	}
	closedir(d);
	return 0;
}

static int by_tid(const void *a, const void *b)
{
	const struct ks_vmthread *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

static int add_thread(struct ks_vminfo *vm, const char *root, uint32_t tid)
{
	struct ks_vmthread *t;
	int ret;

	if (!(vm->nthreads & (vm->nthreads + 1))) { /* full at 0, 1, 3, 7, 15 ... */
		t = realloc(vm->threads, (2 * vm->nthreads + 1) * sizeof(*t));
		if (!t)
			return -ENOMEM;
		vm->threads = t;
	}
	t = vm->threads + vm->nthreads;
	t->tid = tid;
	ret = ks_read_line(root, t->name, sizeof(t->name), "/proc/%u/task/%u/comm", vm->tgid, tid);
	if (ret)
		return ret == -ENOENT || ret == -ESRCH ? 0 : ret; /* it has ended meanwhile */
	t->vcpu = ks_vm_vcpu_of_name(t->name);
	vm->nthreads++;
	return 0;
}

static int read_threads(const char *root, struct ks_vminfo *vm)
{
	DIR *d = open_dir(root, vm->tgid, "task");
	uint32_t tid;
	int ret = 0;

	if (!d)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!ret && (tid = next_number(d)))
		ret = add_thread(vm, root, tid);
	closedir(d);
	if (vm->nthreads)
		qsort(vm->threads, vm->nthreads, sizeof(*vm->threads), by_tid);
	return ret;
}

/* The file that runs, or the first word of the command line, or the thread's name. */
static void find_vmm(const char *root, struct ks_vminfo *vm, const char *cmdline, const char *comm)
{
	char path[PATH_MAX], exe[PATH_MAX];
	const char *base;
	ssize_t n = -1;

	if (snprintf(path, sizeof(path), "%s/proc/%u/exe", root ? root : "", vm->tgid) <
	    (int)sizeof(path))
		n = readlink(path, exe, sizeof(exe) - 1);
	if (n > 0) {
		exe[n] = '\0';
		base = strrchr(exe, '/');
		vm->vmm = ks_vmm_of_program(base ? base + 1 : exe);
	}
	if (vm->vmm == KS_VMM_OTHER && cmdline) {
		base = strrchr(cmdline, '/');
		vm->vmm = ks_vmm_of_program(base ? base + 1 : cmdline);
	}
	if (vm->vmm == KS_VMM_OTHER)
		vm->vmm = ks_vmm_of_program(comm);
}

static int read_identity(const char *root, struct ks_vminfo *vm)
{
	char comm[48], *cmdline;
	size_t len = 0;
	int ret = ks_read_line(root, comm, sizeof(comm), "/proc/%u/comm", vm->tgid);

	if (ret)
		return ret == -ENOENT ? -ESRCH : ret;
	if (ks_read_at(root, 4 << 20, &cmdline, &len, "/proc/%u/cmdline", vm->tgid))
		cmdline = NULL;
	find_vmm(root, vm, cmdline, comm);
	if (cmdline)
		ks_vmargs_parse(vm, cmdline, len);
	if (!vm->named)
		snprintf(vm->name, sizeof(vm->name), "%s-%u", comm, vm->tgid);
	free(cmdline);
	return 0;
}

/* fd_status: of the descriptors, so that a lister can tell "no VM" from "may not look". */
static int read_vm(const char *root, uint32_t tgid, struct ks_vminfo *vm, int *fd_status,
		   bool only_vms)
{
	int ret;

	memset(vm, 0, sizeof(*vm));
	vm->tgid = tgid;
	*fd_status = read_fds(root, vm);
	if (only_vms && (*fd_status || !vm->vm_fds))
		return 0;
	ret = read_identity(root, vm);
	if (!ret)
		ret = read_threads(root, vm);
	if (ret)
		ks_vm_release(vm);
	return ret;
}

int ks_vm_read(const char *root, uint32_t tgid, struct ks_vminfo *vm)
{
	int fd_status;

	return read_vm(root, tgid, vm, &fd_status, false);
}

void ks_vm_release(struct ks_vminfo *vm)
{
	free(vm->threads);
	memset(vm, 0, sizeof(*vm));
}

static bool is_denied(int ret)
{
	return ret == -EACCES || ret == -EPERM;
}

static int list_add(struct ks_vmlist *l, const char *root, uint32_t tgid)
{
	struct ks_vminfo vm, *p;
	int fd_status, ret;

	ret = read_vm(root, tgid, &vm, &fd_status, true);
	if (is_denied(fd_status) || is_denied(ret))
		l->unreadable++;
	else if (ret && ret != -ESRCH)
		return ret;
	if (ret || fd_status || !vm.vm_fds)
		return 0;
	p = realloc(l->vm, (l->n + 1) * sizeof(*p));
	if (!p) {
		ks_vm_release(&vm);
		return -ENOMEM;
	}
	l->vm = p;
	l->vm[l->n++] = vm;
	return 0;
}

static int by_tgid(const void *a, const void *b)
{
	const struct ks_vminfo *x = a, *y = b;

	return (x->tgid > y->tgid) - (x->tgid < y->tgid);
}

int ks_vm_list(const char *root, struct ks_vmlist *l)
{
	DIR *d = open_dir(root, 0, "");
	uint32_t tgid;
	int ret = 0;

	memset(l, 0, sizeof(*l));
	if (!d)
		return -errno;
	while (!ret && (tgid = next_number(d)))
		ret = list_add(l, root, tgid);
	closedir(d);
	if (ret)
		ks_vm_list_free(l);
	else if (l->n)
		qsort(l->vm, l->n, sizeof(*l->vm), by_tgid);
	return ret;
}

void ks_vm_list_free(struct ks_vmlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		ks_vm_release(&l->vm[i]);
	free(l->vm);
	memset(l, 0, sizeof(*l));
}

bool ks_vm_is_called(const struct ks_vminfo *vm, const char *arg)
{
	char name[sizeof(vm->name)];

	ks_printable(name, sizeof(name), arg, strlen(arg));
	return !strcmp(vm->name, name) || (vm->uuid[0] && !strcasecmp(vm->uuid, arg));
}

/* "web-3 (PID 4711), db (PID 4712), ...": the VMs of that name or UUID; all if it is NULL. */
static void describe(const struct ks_vmlist *l, const char *name, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < l->n; i++) {
		char one[96];
		int n;

		if (name && !ks_vm_is_called(&l->vm[i], name))
			continue;
		n = snprintf(one, sizeof(one), "%s%s (PID %u)", used ? ", " : "", l->vm[i].name,
			     l->vm[i].tgid);
		if (used + (size_t)n + 5 >= size) {
			snprintf(buf + used, size - used, ", ...");
			return;
		}
		memcpy(buf + used, one, (size_t)n + 1);
		used += (size_t)n;
	}
}

static int not_found(const struct ks_vmlist *l, const char *name, struct ks_err *err)
{
	char all[160];

	if (l->n) {
		describe(l, NULL, all, sizeof(all));
		return ks_fail(err, -ENOENT, "no VM '%.60s' here; there is %s", name, all);
	}
	if (l->unreadable)
		return ks_fail(err, -ENOENT,
			       "no VM '%.60s' found, but %zu processes could not be "
			       "looked into; run as root",
			       name, l->unreadable);
	return ks_fail(err, -ENOENT, "no VM '%.60s': no process here has a KVM VM open", name);
}

int ks_vm_resolve(const struct ks_vmlist *l, const char *arg, uint32_t *tgid, struct ks_err *err)
{
	char name[sizeof(l->vm->name)], all[160];
	unsigned int hits = 0;
	uint64_t pid = 0;
	uint32_t hit = 0;

	ks_printable(name, sizeof(name), arg, strlen(arg));
	if (ks_arg_uint("", arg, 1, INT32_MAX, &pid, NULL))
		pid = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (l->vm[i].tgid == pid) {
			*tgid = l->vm[i].tgid;
			return 0;
		}
		if (ks_vm_is_called(&l->vm[i], arg)) {
			hit = l->vm[i].tgid;
			hits++;
		}
	}
	if (hits == 1) {
		*tgid = hit;
		return 0;
	}
	if (!hits)
		return not_found(l, name, err);
	describe(l, name, all, sizeof(all));
	return ks_fail(err, -ENOTUNIQ, "%u VMs are called '%.40s'; give a PID: %s", hits, name,
		       all);
}
