/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMs of this machine: processes that hold an open KVM VM, what they are called, and which of
 * their threads are vCPUs. Read from /proc alone; works for any VMM.
 */
#ifndef KVMSCHED_VM_H
#define KVMSCHED_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ks_err;

enum ks_vmm {
	KS_VMM_OTHER,
	KS_VMM_QEMU,
	KS_VMM_CLOUD_HYPERVISOR,
	KS_VMM_FIRECRACKER,
	KS_VMM_CROSVM,
	KS_VMM_KVMTOOL,
};

const char *ks_vmm_name(enum ks_vmm vmm);

struct ks_vmthread {
	uint32_t tid;
	int32_t vcpu;  /* vCPU id if the thread's name tells it ("CPU 3/KVM"), else -1 */
	char name[48]; /* comm, printable */
};

struct ks_vminfo {
	uint32_t tgid;
	enum ks_vmm vmm;
	bool named;		     /* name was given by its owner; else it is "comm-PID" */
	char name[64];		     /* printable */
	char uuid[37];		     /* lower case, "" if not given */
	uint32_t cid;		     /* vsock CID, 0 if none or not known */
	uint64_t ram;		     /* bytes, 0 if not known */
	uint32_t vm_fds;	     /* open KVM VMs: more than 1 is rare */
	uint32_t vcpu_fds;	     /* open vCPUs; 0 also if the descriptors could not be read */
	struct ks_vmthread *threads; /* all threads, by tid */
	size_t nthreads;
};

/*
 * What is known of the process tgid. It need not hold a VM (vm_fds is then 0): a recorder knows
 * from the kernel that it does, and a VMM that has dropped its privileges may hide its
 * descriptors. 0, -ESRCH if there is no such process, -errno. Only threads that have ended are left
 * out: one whose name cannot be read for another reason is an error. Release what 0 returned.
 */
int ks_vm_read(const char *root, uint32_t tgid, struct ks_vminfo *vm);
void ks_vm_release(struct ks_vminfo *vm);

/* Every process with an open KVM VM, by tgid. */
struct ks_vmlist {
	struct ks_vminfo *vm;
	size_t n;
	size_t unreadable; /* processes that may not be looked into: not root? */
};

/* 0 or -errno; free what 0 returned. Processes that end meanwhile, or may not be looked into, are left out. */
int ks_vm_list(const char *root, struct ks_vmlist *l);
void ks_vm_list_free(struct ks_vmlist *l);

/*
 * What the user wrote behind --vm: a PID, a name or a UUID. A number is a PID if a VM has that
 * PID, else a name. 0 and *tgid; -ENOENT (err lists what there is) or -ENOTUNIQ (err lists the
 * PIDs of that name).
 */
int ks_vm_resolve(const struct ks_vmlist *l, const char *arg, uint32_t *tgid, struct ks_err *err);

/* Is that its name or UUID? Any process says for itself what its VM is called. */
bool ks_vm_is_called(const struct ks_vminfo *vm, const char *arg);

/*
 * The vCPU number in a thread's name as VMMs write it, or -1: "CPU 3/KVM" (QEMU), "vcpu3"
 * (cloud-hypervisor), "fc_vcpu 3" (firecracker), "crosvm_vcpu3", "kvm-vcpu-3" (kvmtool).
 */
int ks_vm_vcpu_of_name(const char *comm);

#endif /* KVMSCHED_VM_H */
