/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small kernel for a sched_ext policy whose BPF source is compiled for this machine: CPUs, run queues and dispatch
 * queues, and when which operation is called, as kernel/sched/ext.c of 7.2 has it. One thing happens at a time, but
 * what takes an interrupt to get through happens when the caller says so: model_look().
 */
#ifndef MODEL_H
#define MODEL_H

#include "vmlinux.h"

/* A policy, and what the model has to know of its variables per CPU. */
struct model_policy {
	const struct sched_ext_ops *ops;
	const void *runqueues, *steal_time;
	size_t runqueue_size, steal_size;
	void (*tell_runqueue)(void *rq, u32 running, u32 running_ext);
	void (*tell_steal)(void *steal, u64 ns, bool preempted);
	int (*idle_enter)(void *ctx); /* hooked into the kernel's idle loop; NULL: nothing is */
	/*
	 * In the middle of a wake-up, and before a CPU says that it idles: what other CPUs do then, not in the middle of
	 * that once more. May be NULL.
	 */
	void (*meanwhile)(s32 cpu);
	/* Somebody else has taken a thread that is to be moved, and put it back. May be NULL: nobody does. */
	bool (*too_late)(void);
	/* A thread is about to be the policy's. May be NULL. */
	void (*before_enable)(struct task_struct *p);
	bool storage_is_busy; /* somebody was preempted as he asked for his own: none is made */
	bool cannot_kick;     /* scx_bpf_kick_cpu() is not to be had */
};

/* Starts anew, with that many CPUs, all of them idle. */
void model_start(const struct model_policy *policy, u32 ncpus);
void model_end(void);

/* ---- threads and cgroups; all are the model's ---- */

struct cgroup *model_cgroup(struct cgroup *above, u32 weight);
/* mask: a bit per CPU. It sleeps. */
struct task_struct *model_task(struct cgroup *cgrp, int tgid, u32 weight, u64 mask);
u32 model_tasks(void);
struct task_struct *model_nth(u32 i);

/* ---- what happens ---- */

/* Time passes; who runs has had it, unless the host keeps its CPU. */
void model_pass(u64 ns);
/* What runs on `by`, or an interrupt there, wakes it up. remote: the CPU where it goes is to take it up by itself. */
void model_wake(struct task_struct *p, s32 by, bool remote);
/* The CPU handles what it was interrupted for, and looks for another thread if it has to. */
void model_look(s32 cpu);
/* What runs there wants to sleep. */
void model_sleep(s32 cpu);
/* to: NULL, or whom its time is to go to. Whether it went. */
bool model_yield(s32 cpu, struct task_struct *to);
/* Runs the timers of this CPU that are due. */
void model_timers(s32 cpu);
void model_tick(s32 cpu);
void model_affinity(struct task_struct *p, u64 mask);
void model_weight(struct task_struct *p, u32 weight);
/* The host takes the vCPU off its pCPU, or gives it one again. */
void model_steal(s32 cpu, bool away);

/* ---- how it is ---- */

/* What runs there; NULL: nothing. */
struct task_struct *model_runs(s32 cpu);
bool model_is_away(s32 cpu);
bool model_may(const struct task_struct *p, s32 cpu);
/* In a queue; *on: of this CPU, -1: of the policy. */
bool model_waits(const struct task_struct *p, s32 *on);

/* Where BPF programs are said to run, and as whom. */
void model_set_cpu(s32 cpu);
void model_act_as(struct task_struct *p); /* NULL: as what runs there */
/* So many records the policy has sent to its loader. */
u32 model_told(void);
/* What a hash of numbers has. */
void model_put(const void *map, u32 key, u32 value);

/* What the loader sets before it loads the programs is constant to them. */
void model_set(const volatile void *what, const void *to, size_t size);

_Noreturn void model_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* MODEL_H */
