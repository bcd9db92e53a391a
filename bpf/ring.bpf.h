/* SPDX-License-Identifier: GPL-2.0 */
/* The producers' side of the per-CPU rings (ring.h). Include once per object. */
#ifndef KVMSCHED_RING_BPF_H
#define KVMSCHED_RING_BPF_H

#include "ring.h"

/* Slots per CPU, a power of two; set by user space before the load, with the map's size. */
const volatile __u64 ks_ring_slots = 4096;

struct ks_ring ks_rings[KS_MAX_CPUS];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* CPUs x slots */
	__type(key, __u32);
	__type(value, struct ks_rec);
} ks_slots SEC(".maps");

static __always_inline struct ks_rec *ks_reserve(__u32 cpu, __u8 type, __u64 weight)
{
	struct ks_ring *r;
	__u64 head;
	__u32 idx;

	if (cpu >= KS_MAX_CPUS)
		return NULL;
	r = &ks_rings[cpu];
	if (r->head - r->tail >= ks_ring_slots - KS_RING_MARGIN) {
		__sync_fetch_and_add(&r->lost[type & (KS_TYPE_MAX - 1)], weight);
		return NULL;
	}
	head = __sync_fetch_and_add(&r->head, 1);
	idx = cpu * ks_ring_slots + (head & (ks_ring_slots - 1));
	return bpf_map_lookup_elem(&ks_slots, &idx);
}

/*
 * Fill in a reserved slot; what makes it whole comes last. x86 keeps stores in order, so only the
 * compiler must be told.
 */
static __always_inline void ks_commit(struct ks_rec *rec, __u64 time, __u8 type, __u8 flags,
				      __u16 cpu, __u32 id, __u64 a, __u64 b)
{
	rec->time = time;
	rec->a = a;
	rec->b = b;
	asm volatile("" ::: "memory");
	*(volatile __u64 *)&rec->type = (__u64)type | (__u64)flags << 8 | (__u64)cpu << 16 |
					(__u64)id << 32;
}

/*
 * For what must not be lost: false if there is no room now, and nothing is counted as lost then;
 * the caller tells it later, with the time at which it was.
 */
static __always_inline bool ks_tell(__u32 cpu, __u64 time, __u8 type, __u16 about, __u32 id,
				    __u64 a, __u64 b)
{
	struct ks_rec *rec = ks_reserve(cpu, type, 0);

	if (rec)
		ks_commit(rec, time, type, 0, about, id, a, b);
	return rec;
}

static __always_inline void ks_emit(__u32 cpu, __u8 type, __u8 flags, __u16 about, __u32 id,
				    __u64 a, __u64 b)
{
	struct ks_rec *rec = ks_reserve(cpu, type, 1);

	if (rec)
		ks_commit(rec, bpf_ktime_get_ns(), type, flags, about, id, a, b);
}

#endif /* KVMSCHED_RING_BPF_H */
