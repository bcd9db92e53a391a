// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "prove.h"
#include "ram.h"
#include "text.h"
#include "vm.h"

#define MAPS_MAX (16u << 20)

static int not_found(uint32_t cid, size_t unreadable, struct ks_err *err)
{
	if (unreadable)
		return ks_fail(err, -EACCES,
			       "no VM found that has guest-cid %u on its command line, but %zu "
			       "processes could not be looked into (needs CAP_SYS_PTRACE and "
			       "CAP_DAC_READ_SEARCH)",
			       cid, unreadable);
	return ks_fail(err, -ENOENT,
		       "no VM here has guest-cid %u on its command line: which process it is "
		       "cannot be told",
		       cid);
}

int ks_prove_vm(const char *root, uint32_t cid, uint32_t *tgid, uint64_t *ram, struct ks_err *err)
{
	struct ks_vmlist l;
	unsigned int hits = 0;
	size_t i, unreadable;
	int ret = ks_vm_list(root, &l);

	if (ret)
		return ks_fail(err, ret, "looking for VMs: %s", strerror(-ret));
	for (i = 0; i < l.n; i++) {
		if (l.vm[i].cid != cid)
			continue;
		hits++;
		*tgid = l.vm[i].tgid;
		*ram = l.vm[i].ram;
	}
	unreadable = l.unreadable;
	ks_vm_list_free(&l);
	if (!hits)
		return not_found(cid, unreadable, err);
	if (hits > 1)
		return ks_fail(err, -ENOTUNIQ, "%u VMs have guest-cid %u on their command lines",
			       hits, cid);
	return 0;
}

static int open_mem(const char *root, uint32_t tgid, struct ks_err *err)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/proc/%u/mem", root ? root : "", tgid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return ks_fail(err, -ENOENT, "its process has ended");
	return ks_fail(err, -EACCES, "the VM's memory: %s", strerror(errno));
}

static int vcpu_to_slot(struct ks_lp_vm *vm, uint32_t cpu, uint32_t vcpu, struct ks_err *err)
{
	if (vcpu == KS_LP_NO_VCPU)
		return 0;
	if (vcpu >= KS_LP_IDS)
		return ks_fail(err, -EBADMSG, "vCPU %u: numbers end at %u", vcpu, KS_LP_IDS - 1);
	if (vm->slot_of[vcpu])
		return ks_fail(err, -EBADMSG, "two slots say that they are of vCPU %u", vcpu);
	vm->slot_of[vcpu] = (uint16_t)(cpu + 1);
	vm->vcpu_of[cpu] = (uint16_t)(vcpu + 1);
	return 0;
}

/* It only decides between two that say the same, so whatever is in the VM's RAM may be read. */
static uint64_t place_preempt(const struct ks_lp_vm *vm, uint64_t gpa)
{
	struct ks_ram ram = { .start = vm->ram, .size = vm->ram_size, .low = vm->ram_low };
	uint64_t hva;

	return gpa && !ks_ram_hva(&ram, gpa, sizeof(uint32_t), &hva) ? hva : 0;
}

/* The slots at vm->hva: each must be what the guest says. Makes the tables of vCPUs. */
static int read_slots(int mem, const struct ks_lp_hello *h, struct ks_lp_vm *vm, struct ks_err *err)
{
	struct ks_lp_slot slot[KS_LP_SLOTS_PER_PAGE];
	uint32_t cpu;
	int ret;

	memset(vm->slot_of, 0, sizeof(vm->slot_of));
	memset(vm->vcpu_of, 0, sizeof(vm->vcpu_of));
	for (cpu = 0; cpu < h->vcpus; cpu++) {
		const struct ks_lp_slot *s = &slot[cpu % KS_LP_SLOTS_PER_PAGE];

		if (s == slot && pread(mem, slot, sizeof(slot),
				       (off_t)vm->hva[cpu / KS_LP_SLOTS_PER_PAGE]) != sizeof(slot))
			return ks_fail(err, -EBADMSG, "the memory that it names cannot be read");
		if (s->cookie != h->cookie || s->cpu != cpu)
			return ks_fail(err, -EBADMSG, "no lock page lies where it says (slot %u)",
				       cpu);
		ret = vcpu_to_slot(vm, cpu, s->vcpu, err);
		if (ret)
			return ret;
		vm->preempt[cpu] = place_preempt(vm, s->preempt);
	}
	vm->vcpus = h->vcpus;
	vm->cookie = h->cookie;
	return 0;
}

static unsigned int vcpus_of(const struct ks_lp_vm *vm)
{
	unsigned int cpu, n = 0;

	for (cpu = 0; cpu < vm->vcpus && cpu < KS_LP_VCPUS; cpu++)
		n += vm->vcpu_of[cpu] != 0;
	return n;
}

/* Each slot of a vCPU is read at each look: a guest gets no more of them than it has vCPUs. */
static int check_vcpus(const char *root, uint32_t tgid, const struct ks_lp_vm *vm,
		       struct ks_err *err)
{
	unsigned int n = vcpus_of(vm), fds;
	struct ks_vminfo info;
	int ret = ks_vm_read(root, tgid, &info);

	if (ret == -ESRCH)
		return ks_fail(err, -ENOENT, "its process has ended");
	if (ret)
		return ks_fail(err, ret, "its process cannot be read: %s", strerror(-ret));
	fds = info.vcpu_fds;
	ks_vm_release(&info);
	if (fds && n > fds)
		return ks_fail(err, -EBADMSG, "slots of %u vCPUs, but its VM has %u", n, fds);
	return 0;
}

/* Where the pages would be if this were the VM's RAM. */
static int place(const struct ks_ram *ram, const struct ks_lp_hello *h, struct ks_lp_vm *vm,
		 struct ks_err *err)
{
	uint32_t i;

	for (i = 0; i < h->pages; i++) {
		uint64_t hva;

		if (ks_ram_hva(ram, h->gpa[i], KS_LP_PAGE, &hva))
			return ks_fail(err, -ENODEV, "0x%llx is not in the VM's RAM",
				       (unsigned long long)h->gpa[i]);
		vm->hva[i] = hva;
	}
	vm->ram = ram->start;
	vm->ram_size = ram->size;
	vm->ram_low = ram->low;
	return 0;
}

static int try_all(int mem, const struct ks_ram *guess, size_t n, const struct ks_lp_hello *h,
		   struct ks_lp_vm *vm, struct ks_err *err)
{
	int ret = -ENODEV;
	size_t i;

	for (i = 0; i < n && ret; i++) {
		memset(vm, 0, sizeof(*vm));
		ret = place(&guess[i], h, vm, err);
		if (!ret)
			ret = read_slots(mem, h, vm, err);
	}
	if (ret)
		vm->cookie = 0;
	return ret;
}

int ks_prove_find(const char *root, uint32_t tgid, uint64_t ram, const struct ks_lp_hello *hello,
		  struct ks_lp_vm *vm, struct ks_err *err)
{
	struct ks_ram guess[KS_RAM_GUESSES];
	char *maps;
	size_t n;
	int mem, ret = ks_read_at(root, MAPS_MAX, &maps, NULL, "/proc/%u/maps", tgid);

	if (ret)
		return ks_fail(err, -EACCES, "the VM's memory: %s", strerror(-ret));
	n = ks_ram_guess(maps, ram, guess);
	free(maps);
	if (!n)
		return ks_fail(err, -ENODEV,
			       "no block of memory is as large as the VM's RAM, %llu MiB: several "
			       "blocks (NUMA nodes) are not supported",
			       (unsigned long long)ram >> 20);
	mem = open_mem(root, tgid, err);
	if (mem < 0)
		return mem;
	ret = try_all(mem, guess, n, hello, vm, err);
	close(mem);
	vm->tgid = tgid;
	if (!ret)
		ret = check_vcpus(root, tgid, vm, err);
	return ret;
}

int ks_prove_again(const char *root, uint32_t tgid, const struct ks_lp_hello *hello,
		   struct ks_lp_vm *vm, struct ks_err *err)
{
	int mem = open_mem(root, tgid, err), ret;
	unsigned int before = vcpus_of(vm);

	if (mem < 0)
		return mem;
	ret = read_slots(mem, hello, vm, err);
	close(mem);
	if (!ret && vcpus_of(vm) > before)
		ret = check_vcpus(root, tgid, vm, err);
	return ret;
}
