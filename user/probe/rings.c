// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "now.h"
#include "rings.h"

#define BATCH 512

struct cpu_ring {
	uint64_t lost[KS_TYPE_MAX]; /* reported so far */
	uint64_t checked;	    /* up to this time every loss has been reported */
};

struct ks_rings {
	struct ks_ring *ctl;
	struct ks_rec *slots;
	size_t map_len;
	unsigned int cpus, nslots, fill;
	uint64_t seen, lost;
	struct cpu_ring *cpu;
	struct ks_rec batch[BATCH];
};

int ks_rings_new(struct ks_rings **out, struct ks_ring *ctl, int slots_fd, unsigned int cpus,
		 unsigned int nslots)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct ks_rings *r = calloc(1, sizeof(*r));
	unsigned int i;

	if (!r)
		return -ENOMEM;
	r->ctl = ctl;
	r->cpus = cpus;
	r->nslots = nslots;
	r->map_len = ((size_t)cpus * nslots * sizeof(struct ks_rec) + page - 1) & ~(page - 1);
	r->cpu = calloc(cpus, sizeof(*r->cpu));
	if (!r->cpu) {
		free(r);
		return -ENOMEM;
	}
	r->slots = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, slots_fd, 0);
	if (r->slots == MAP_FAILED) {
		int err = -errno;

		free(r->cpu);
		free(r);
		return err;
	}
	for (i = 0; i < cpus; i++)
		r->cpu[i].checked = ks_now_ns();
	*out = r;
	return 0;
}

void ks_rings_free(struct ks_rings *r)
{
	if (!r)
		return;
	munmap(r->slots, r->map_len);
	free(r->cpu);
	free(r);
}

/*
 * Hand whole records of one ring to fn, where they lie, then empty their slots. Sets *n to how many
 * these were: up to the end of the ring's memory at most.
 */
static int hand_out(struct ks_rings *r, unsigned int cpu, uint64_t limit, ks_rings_fn fn, void *ctx,
		    size_t *n)
{
	struct ks_ring *ctl = &r->ctl[cpu];
	uint64_t tail = ctl->tail, at = tail & (r->nslots - 1), max = limit - tail;
	struct ks_rec *slot = r->slots + (size_t)cpu * r->nslots + at;
	size_t i;
	int err;

	max = max < r->nslots - at ? max : r->nslots - at;
	max = max < BATCH ? max : BATCH;
	*n = 0;
	while (*n < max && __atomic_load_n(&slot[*n].type, __ATOMIC_ACQUIRE) != KS_NONE)
		++*n;
	err = *n ? fn(ctx, cpu, slot, *n) : 0;
	for (i = 0; i < *n; i++)
		__atomic_store_n(&slot[i].type, KS_NONE, __ATOMIC_RELAXED);
	__atomic_store_n(&ctl->tail, tail + *n, __ATOMIC_RELEASE);
	return err;
}

/* From when on what was lost may be. A burst is told at its end, and may be so long, or longer. */
static uint64_t since(const struct cpu_ring *c, unsigned int type)
{
	uint64_t before = type == KS_BURST ? KS_BURST_MAX_NS : 0;

	return c->checked > before ? c->checked - before : 0;
}

static int drain_losses(struct ks_rings *r, unsigned int cpu, uint64_t begun, ks_rings_fn fn,
			void *ctx)
{
	struct cpu_ring *c = &r->cpu[cpu];
	unsigned int t, n = 0;

	for (t = 0; t < KS_TYPE_MAX; t++) {
		uint64_t lost = __atomic_load_n(&r->ctl[cpu].lost[t], __ATOMIC_RELAXED);

		if (lost == c->lost[t])
			continue;
		r->batch[n++] = (struct ks_rec){ .time = ks_now_ns(),
						 .type = KS_LOSS,
						 .flags = t,
						 .cpu = cpu,
						 .a = since(c, t),
						 .b = lost - c->lost[t] };
		r->lost += lost - c->lost[t];
		c->lost[t] = lost;
	}
	c->checked = begun;
	return n ? fn(ctx, cpu, r->batch, n) : 0;
}

static int drain_cpu(struct ks_rings *r, unsigned int cpu, ks_rings_fn fn, void *ctx)
{
	uint64_t begun = ks_now_ns();
	uint64_t limit = __atomic_load_n(&r->ctl[cpu].head, __ATOMIC_ACQUIRE);
	unsigned int fill = (limit - r->ctl[cpu].tail) * 100 / r->nslots;
	size_t n;
	int err;

	if (fill > r->fill)
		r->fill = fill;
	do {
		err = hand_out(r, cpu, limit, fn, ctx, &n);
		r->seen += n;
	} while (!err && n);
	if (err)
		return err;
	return drain_losses(r, cpu, begun, fn, ctx);
}

int ks_rings_drain(struct ks_rings *r, ks_rings_fn fn, void *ctx)
{
	unsigned int cpu;
	int err = 0;

	r->fill = 0;
	for (cpu = 0; cpu < r->cpus && !err; cpu++)
		err = drain_cpu(r, cpu, fn, ctx);
	return err;
}

static uint64_t left(const struct ks_rings *r, unsigned int cpu)
{
	return __atomic_load_n(&r->ctl[cpu].head, __ATOMIC_ACQUIRE) - r->ctl[cpu].tail;
}

static bool any_left(const struct ks_rings *r)
{
	unsigned int cpu;

	for (cpu = 0; cpu < r->cpus; cpu++)
		if (left(r, cpu))
			return true;
	return false;
}

int ks_rings_finish(struct ks_rings *r, ks_rings_fn fn, void *ctx)
{
	const struct timespec moment = { 0, 10000000 };
	unsigned int tries, cpu;
	int err = ks_rings_drain(r, fn, ctx);

	for (tries = 0; tries < 10 && !err && any_left(r); tries++) {
		nanosleep(&moment, NULL);
		err = ks_rings_drain(r, fn, ctx);
	}
	for (cpu = 0; cpu < r->cpus && !err; cpu++) {
		struct ks_rec loss = { .time = ks_now_ns(),
				       .type = KS_LOSS,
				       .flags = KS_NONE,
				       .cpu = cpu,
				       .a = r->cpu[cpu].checked,
				       .b = left(r, cpu) };

		if (!loss.b)
			continue;
		r->lost += loss.b;
		r->ctl[cpu].tail += loss.b;
		err = fn(ctx, cpu, &loss, 1);
	}
	return err;
}

unsigned int ks_rings_fill(const struct ks_rings *r)
{
	return r->fill;
}

uint64_t ks_rings_lost(const struct ks_rings *r)
{
	return r->lost;
}

uint64_t ks_rings_seen(const struct ks_rings *r)
{
	return r->seen;
}
