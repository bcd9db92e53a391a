/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a VM's memory lies in its process: from /proc/PID/maps and the size of its RAM. That gives
 * guesses; whether one is right is proved by what is read there.
 */
#ifndef KVMSCHED_CHANNEL_RAM_H
#define KVMSCHED_CHANNEL_RAM_H

#include <stddef.h>
#include <stdint.h>

/* RAM in one block of memory, as QEMU lays it out without NUMA nodes. */
struct ks_ram {
	uint64_t start; /* address in the process */
	uint64_t size;	/* of all RAM, bytes */
	uint64_t low;	/* how much of it the guest sees from 0 on; the rest from 4 GiB on */
};

#define KS_RAM_GUESSES 16

/*
 * What the block may be: memory that can be read and written and is as large, others only if
 * nothing fits exactly: what a guest names is not looked for outside its memory if that is known. A
 * RAM of some GiB has several guesses per block, for how much lies below the PCI hole depends on
 * the machine's type (q35: 2 GiB, i440FX: 3 or 3.5 GiB). Returns how many.
 */
size_t ks_ram_guess(const char *maps, uint64_t size, struct ks_ram guess[KS_RAM_GUESSES]);

/* Address of len bytes at a guest-physical one: 0, or -EFAULT if they are not all in RAM. */
int ks_ram_hva(const struct ks_ram *ram, uint64_t gpa, uint64_t len, uint64_t *hva);

#endif /* KVMSCHED_CHANNEL_RAM_H */
