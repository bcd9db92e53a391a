/* SPDX-License-Identifier: GPL-2.0 */
/* The model's kernel, for its own parts. */
#ifndef MODEL_KERNEL_H
#define MODEL_KERNEL_H

#include "model.h"

#define QUEUES 256
#define TASKS 512
#define MAPS 8
#define SLICE_NS 20000000 /* SCX_SLICE_DFL */

struct model_queue {
	u64 id;
	s32 cpu; /* -1: the policy's */
	struct task_struct *first;
	u32 n;
};

struct cpu {
	struct task_struct *curr; /* NULL: the idle thread */
	struct model_queue local;
	bool look, idle_told, away;
	bool look_later; /* it has threads to hand over */
	bool busy;	 /* in the middle of something */
	u64 steal;
	char *vars[MAPS]; /* values per CPU, as they are asked for */
};

struct model_kernel {
	const struct model_policy *policy;
	u32 ncpus, nqueues, ntasks, told;
	u64 now;
	s32 here; /* the CPU whose turn it is to act */
	struct cpu cpu[MODEL_CPUS];
	struct model_queue queue[QUEUES];
	struct task_struct *task[TASKS];
	struct cgroup *cgroup[TASKS];
	u32 ncgroups;
	const void *maps[MAPS];
	struct array {
		const void *map;
		void *value;
	} array[MAPS];
	struct pair {
		const void *map;
		u32 key, value;
	} pair[TASKS];
	u32 npairs, ntimers;
	struct bpf_timer *timer[MODEL_CPUS];
	u64 idle; /* the kernel's own mask, for policies that keep none */
	struct task_struct *acting;
	u64 dice;
	struct task_struct *selecting; /* select_cpu() is asked about it */
	bool dispatching, polling;
	bool meanwhile; /* others act already */
};

extern struct model_kernel kern;

void *must_calloc(size_t n, size_t size);
struct cpu *cpu_at(s32 cpu);

/* ---- queues, in scx.c ---- */

void leave_queue(struct task_struct *p);
void insert_at(struct model_queue *q, struct task_struct **at, struct task_struct *p);
void to_local(s32 cpu, struct task_struct *p, u64 flags);
void to_queue(struct task_struct *p, u64 dsq, u64 flags);

#endif /* MODEL_KERNEL_H */
