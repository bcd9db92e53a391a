// SPDX-License-Identifier: GPL-2.0
/* The model's kernel: the helpers of BPF, and what maps and variables hold. */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf_helpers.h>

#include "kernel.h"

static struct task_struct idle_thread;

void *model_percpu_value(const void *map, size_t size, s32 cpu)
{
	u32 i = 0;

	if (cpu < 0 || (u32)cpu >= kern.ncpus)
		return NULL;
	while (kern.maps[i] && kern.maps[i] != map)
		if (++i == MAPS)
			model_die("too many maps");
	kern.maps[i] = map;
	if (!kern.cpu[cpu].vars[i])
		kern.cpu[cpu].vars[i] = must_calloc(1, size);
	return kern.cpu[cpu].vars[i];
}

static void *array_of(const void *map, size_t entries, size_t size)
{
	u32 i = 0;

	while (kern.array[i].map && kern.array[i].map != map)
		if (++i == MAPS)
			model_die("too many arrays");
	kern.array[i].map = map;
	if (!kern.array[i].value)
		kern.array[i].value = must_calloc(entries > MODEL_CPUS ? entries : MODEL_CPUS,
						  size);
	return kern.array[i].value;
}

static void *pair_of(const void *map, u32 key)
{
	for (u32 i = 0; i < kern.npairs; i++)
		if (kern.pair[i].map == map && kern.pair[i].key == key)
			return &kern.pair[i].value;
	return NULL;
}

void *model_lookup(const void *map, size_t type, size_t entries, const void *key, size_t size)
{
	u32 at = *(const u32 *)key;

	if (type == BPF_MAP_TYPE_PERCPU_ARRAY)
		return model_percpu_value(map, size, kern.here);
	if (type == BPF_MAP_TYPE_HASH)
		return pair_of(map, at);
	if (at >= entries && at >= kern.ncpus)
		return NULL;
	return (char *)array_of(map, entries, size) + at * size;
}

void model_put(const void *map, u32 key, u32 value)
{
	u32 *old = pair_of(map, key);

	if (old) {
		*old = value;
		return;
	}
	if (kern.npairs == TASKS)
		model_die("too many entries");
	kern.pair[kern.npairs++] = (struct pair){ map, key, value };
}

/* Threads of this run queue, running or not. */
static u32 nr_running(s32 cpu)
{
	u32 n = 0;

	for (u32 i = 0; i < kern.ntasks; i++)
		n += kern.task[i]->on_rq && kern.task[i]->cpu == cpu;
	return n;
}

void *model_percpu_var(const void *var, s32 cpu)
{
	void *value;

	if (cpu < 0 || (u32)cpu >= kern.ncpus)
		return NULL;
	if (var == kern.policy->runqueues) {
		value = model_percpu_value(var, kern.policy->runqueue_size, cpu);
		kern.policy->tell_runqueue(value, nr_running(cpu), nr_running(cpu));
		return value;
	}
	if (var != kern.policy->steal_time)
		model_die("a variable per CPU that the model does not know");
	value = model_percpu_value(var, kern.policy->steal_size, cpu);
	kern.policy->tell_steal(value, kern.cpu[cpu].steal, kern.cpu[cpu].away);
	return value;
}

void *model_storage(void **where, size_t size, u64 flags)
{
	if (!*where && flags & BPF_LOCAL_STORAGE_GET_F_CREATE && !kern.policy->storage_is_busy)
		*where = must_calloc(1, size);
	return *where;
}

void bpf_cgrp_storage_delete(void *map, struct cgroup *c)
{
	(void)map;
	free(c->storage);
	c->storage = NULL;
}

u64 model_now(void)
{
	if (kern.polling) /* or a loop that waits would never end */
		kern.now += 1000;
	return kern.now;
}

s32 model_cpu(void)
{
	return kern.here;
}

void model_set_cpu(s32 cpu)
{
	kern.here = cpu;
}

struct task_struct *model_current(void)
{
	return kern.acting ?: cpu_at(kern.here)->curr ?: &idle_thread;
}

void model_act_as(struct task_struct *p)
{
	kern.acting = p;
}

bool model_has_field(const char *which)
{
	return !strcmp(which, "v->wants_to_run");
}

u64 bpf_get_current_pid_tgid(void)
{
	const struct task_struct *p = model_current();

	return (u64)p->tgid << 32 | (u32)p->pid;
}

u32 bpf_get_prandom_u32(void)
{
	kern.dice = kern.dice * 6364136223846793005ull + 1442695040888963407ull;
	return kern.dice >> 32;
}

void *bpf_ringbuf_reserve(void *map, u64 size, u64 flags)
{
	static u64 room[64];

	(void)map;
	(void)flags;
	return size <= sizeof(room) ? room : NULL;
}

void bpf_ringbuf_submit(void *record, u64 flags)
{
	(void)record;
	(void)flags;
	kern.told++;
}

u32 model_told(void)
{
	return kern.told;
}

long bpf_loop(u32 n, void *fn, void *ctx, u64 flags)
{
	long (*call)(u32 i, void *ctx) = (long (*)(u32, void *))fn;

	(void)flags;
	for (u32 i = 0; i < n; i++)
		if (call(i, ctx))
			return i + 1;
	return n;
}

long bpf_timer_init(struct bpf_timer *timer, void *map, u64 clock)
{
	(void)clock;
	if (kern.ntimers == MODEL_CPUS)
		return -12;
	kern.timer[kern.ntimers++] = timer;
	timer->map = map;
	return 0;
}

long model_timer_set(struct bpf_timer *timer, int (*fn)(void *map, u32 *key, void *value))
{
	timer->call = fn;
	return 0;
}

long bpf_timer_start(struct bpf_timer *timer, u64 ns, u64 flags)
{
	(void)flags;
	timer->due = kern.now + ns;
	timer->cpu = kern.here;
	timer->set = true;
	return 0;
}

void bpf_spin_lock(struct bpf_spin_lock *lock)
{
	if (lock->held++)
		model_die("a lock is taken twice");
}

void bpf_spin_unlock(struct bpf_spin_lock *lock)
{
	if (--lock->held)
		model_die("a lock is let go twice");
}

long bpf_probe_read_kernel(void *to, u32 size, const void *from)
{
	memcpy(to, from, size);
	return 0;
}
