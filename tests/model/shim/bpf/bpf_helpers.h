/* SPDX-License-Identifier: GPL-2.0 */
/* BPF's words as C of this machine; what they stand for is in ../../kernel.c. */
#ifndef MODEL_BPF_HELPERS_H
#define MODEL_BPF_HELPERS_H

#include "vmlinux.h"

#define SEC(name)
#define __ksym
#define __weak __attribute__((weak))
#define __arg_trusted
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define barrier() __asm__ volatile("" ::: "memory")
#define barrier_var(v) __asm__ volatile("" : "+r"(v))

#define __uint(name, val) int(*name)[val]
#define __type(name, val) __typeof__(val) *name
enum {
	BPF_MAP_TYPE_PERCPU_ARRAY = 1,
	BPF_MAP_TYPE_TASK_STORAGE,
	BPF_MAP_TYPE_CGRP_STORAGE,
	BPF_MAP_TYPE_ARRAY,
	BPF_MAP_TYPE_HASH,
	BPF_MAP_TYPE_RINGBUF,
};
enum { BPF_F_NO_PREALLOC = 1, BPF_LOCAL_STORAGE_GET_F_CREATE = 1, BPF_F_TIMER_CPU_PIN = 2 };

bool model_is_there(const void *sym);
#define bpf_ksym_exists(sym) model_is_there(sym)

void *model_percpu_value(const void *map, size_t size, s32 cpu);
void *model_lookup(const void *map, size_t type, size_t entries, const void *key, size_t size);
void *model_percpu_var(const void *var, s32 cpu);
void *model_storage(void **where, size_t size, u64 flags);
u64 model_now(void);
s32 model_cpu(void);
struct task_struct *model_current(void);

#define bpf_map_lookup_percpu_elem(map, key, cpu)                                                  \
	((void)*(key),                                                                             \
	 (__typeof__((map)->value))model_percpu_value(map, sizeof(*(map)->value), cpu))
#define MODEL_IS(member) (sizeof(*(member)) / sizeof(int))
#define bpf_map_lookup_elem(map, key)                                                              \
	((__typeof__((map)->value))model_lookup(map, MODEL_IS((map)->type),                        \
						MODEL_IS((map)->max_entries), key,                 \
						sizeof(*(map)->value)))
#define bpf_task_storage_get(map, p, v, flags)                                                     \
	((__typeof__((map)->value))model_storage(&(p)->storage, sizeof(*(map)->value), flags))
#define bpf_cgrp_storage_get(map, c, v, flags)                                                     \
	((__typeof__((map)->value))model_storage(&(c)->storage, sizeof(*(map)->value), flags))
void bpf_cgrp_storage_delete(void *map, struct cgroup *c);
#define bpf_per_cpu_ptr(var, cpu) ((__typeof__(var))model_percpu_var(var, cpu))
#define bpf_this_cpu_ptr(var) bpf_per_cpu_ptr(var, model_cpu())
#define bpf_ktime_get_ns() model_now()
#define bpf_get_smp_processor_id() ((u32)model_cpu())
#define bpf_get_current_task_btf() model_current()
void bpf_spin_lock(struct bpf_spin_lock *lock);
void bpf_spin_unlock(struct bpf_spin_lock *lock);
long bpf_probe_read_kernel(void *to, u32 size, const void *from);
#define bpf_probe_read_kernel_str bpf_probe_read_kernel
#define bpf_probe_read_user bpf_probe_read_kernel
u64 bpf_get_current_pid_tgid(void);
u32 bpf_get_prandom_u32(void);
void *bpf_ringbuf_reserve(void *map, u64 size, u64 flags);
void bpf_ringbuf_submit(void *record, u64 flags);
#define bpf_ringbuf_discard(p, flags) ((void)(p))
long bpf_timer_init(struct bpf_timer *timer, void *map, u64 clock);
#define bpf_timer_set_callback(timer, fn)                                                          \
	model_timer_set(timer, (int (*)(void *, u32 *, void *))(fn))
long model_timer_set(struct bpf_timer *timer, int (*fn)(void *map, u32 *key, void *value));
long bpf_timer_start(struct bpf_timer *timer, u64 ns, u64 flags);
long bpf_loop(u32 n, void *fn, void *ctx, u64 flags);

#define bpf_for(i, from, to) for ((i) = (from); (i) < (to); (i)++)
#define bpf_for_each(type, p, ...)                                                                 \
	for (struct bpf_iter_##type ___it,                                                         \
	     *___on = (bpf_iter_##type##_new(&___it, __VA_ARGS__), &___it);                        \
	     ___on && ((p) = bpf_iter_##type##_next(&___it));)

#endif /* MODEL_BPF_HELPERS_H */
