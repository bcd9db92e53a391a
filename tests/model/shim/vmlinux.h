/* SPDX-License-Identifier: GPL-2.0 */
/* What a policy's BPF source needs of the kernel's types, for programs of this machine: see ../README.md. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;

#define MODEL_CPUS 64
#define MODEL_SCHED_EXT 7

typedef struct cpumask {
	u64 bits[4096 / 64];
} cpumask_t;

struct model_queue;
struct cgroup {
	int level;
	struct cgroup *above;
	void *storage;
};

struct task_struct {
	struct {
		unsigned long flags;
	} thread_info;
	int pid, tgid;
	int nr_cpus_allowed;
	const cpumask_t *cpus_ptr;
	unsigned short migration_disabled;
	unsigned int policy;
	struct {
		u32 flags, weight;
		u64 slice, dsq_vtime;
	} scx;
	struct {
		u64 sum_exec_runtime;
	} se;
	/* The model's own. */
	void *storage;
	struct cgroup *cgroup;
	cpumask_t mask;
	s32 cpu;		   /* whose run queue it is on, or was last */
	struct model_queue *queue; /* where it waits; NULL: nowhere, or it runs */
	struct task_struct *next;  /* there */
	u64 sent_to;		   /* where select_cpu() has put it already; 0: nowhere */
	s32 later; /* this CPU + 1 is to get it, once its own one comes to that; 0: none */
	u64 later_flags;
	u64 since;		     /* it waits since then */
	bool on_rq, running, asleep; /* asleep: it wants to be, as soon as its CPU looks */
	bool waking;		     /* its CPU is to take it up */
	bool held;		     /* somebody is about to wake it up */
};

enum scx_enq_flags {
	SCX_ENQ_WAKEUP = 1,
	SCX_ENQ_PREEMPT = 1 << 4,
	SCX_ENQ_REENQ = 1 << 5,
};
enum scx_deq_flags { SCX_DEQ_SLEEP = 1 };
enum scx_kick_flags { SCX_KICK_PREEMPT = 2 };
enum scx_ent_flags { SCX_TASK_QUEUED = 1 };
enum scx_ops_flags { SCX_OPS_SWITCH_PARTIAL = 8, SCX_OPS_ENQ_MIGRATION_DISABLED = 16 };
#define SCX_DSQ_LOCAL (1ull << 63 | 2)
#define SCX_DSQ_LOCAL_ON (1ull << 63 | 1ull << 62)

struct scx_exit_info {
	int kind;
	const char *reason, *msg;
};
struct scx_init_task_args {
	int unused;
};
struct scx_cgroup_init_args {
	u32 weight;
};

struct kvm_vcpu {
	int unused;
};

struct bpf_timer {
	u64 due;
	s32 cpu;
	bool set;
	void *map, *value;
	int (*call)(void *map, u32 *key, void *value);
};

struct bpf_spin_lock {
	u32 held;
};

struct bpf_iter_scx_dsq {
	struct task_struct *all[256];
	u32 n, at;
	u64 dsq;
};

struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	void (*update_idle)(s32 cpu, bool idle);
	void (*tick)(struct task_struct *p);
	void (*runnable)(struct task_struct *p, u64 enq_flags);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	void (*quiescent)(struct task_struct *p, u64 deq_flags);
	void (*set_weight)(struct task_struct *p, u32 weight);
	bool (*yield)(struct task_struct *from, struct task_struct *to);
	void (*enable)(struct task_struct *p);
	void (*disable)(struct task_struct *p);
	s32 (*cgroup_init)(struct cgroup *cgrp, struct scx_cgroup_init_args *args);
	void (*cgroup_exit)(struct cgroup *cgrp);
	void (*cgroup_set_weight)(struct cgroup *cgrp, u32 weight);
	void (*cpu_online)(s32 cpu);
	void (*cpu_offline)(s32 cpu);
	s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	u64 flags;
	u32 timeout_ms;
	const char *name;
};

#endif /* __VMLINUX_H__ */
