/* SPDX-License-Identifier: GPL-2.0 */
/* Inside the analysis of virtual NUMA. */
#ifndef KVMSCHED_VNUMA_PRIV_H
#define KVMSCHED_VNUMA_PRIV_H

#include "loss.h"
#include "vnuma.h"

#define VN_NONE UINT32_MAX
#define VN_TASKS 65536u
#define VN_BUCKETS 4096u
#define VN_CPUS 4096u
#define VN_MASK 128u /* CPUs that a KS_TASK_CPUS tells of */

enum vn_where { VN_UNSEEN, VN_RUNS, VN_WAITS, VN_SLEEPS };

struct vn_task {
	uint32_t tid, next; /* next in its bucket, or in the list of free ones */
	enum vn_where where;
	uint32_t cpu;	 /* where it runs, waits or ran last */
	uint32_t put;	 /* waits: where it began to, whoever moved it since */
	uint32_t group;	 /* waits, KS_ALLOWED_SOME: in vm->group; VN_NONE: none */
	uint8_t allowed; /* KS_ALLOWED_* */
	bool woken;	 /* waits since a wake-up, not since it was preempted */
	bool passed, overloaded;
	enum ks_passed_why why;
	uint32_t other, pulled; /* an idle CPU passed over; the thread pulled onto its own */
	uint64_t mask[2];
	uint64_t since;	   /* waits or sleeps since */
	uint64_t ran_from; /* it began to run, or was kept from going to sleep, last */
	uint64_t idle_sum; /* waits: see vn_idle_time() */
};

/* Threads that wait on one CPU and may run on the same set of CPUs. */
struct vn_group {
	uint64_t mask[2];
	uint64_t idle_clock; /* how long one of these was idle */
	uint32_t cpu, n;
	uint32_t next; /* of its CPU, or in the list of free ones */
	bool idle_now; /* one of these is */
};

struct vn_cpu {		 /* of a guest */
	uint32_t vcpu;	 /* index, KS_NO_VCPU if none */
	uint32_t cur;	 /* thread, 0 = idle, VN_NONE = not known */
	uint32_t nwait;	 /* threads that wait there; of them: */
	uint32_t nbound; /* ... that may run nowhere else, as far as is known */
	uint32_t nsome;	 /* ... in groups */
	uint32_t groups; /* the first of these, VN_NONE if none */
	int32_t node;	 /* believed */
	bool offline;	 /* taken away by the guest's hotplug */
	bool free;	 /* idle with nothing to run, as of the last look */
	bool soon;	 /* about to run one of those that wait, as of then */
	uint64_t tried;	 /* in that round of the matching */
	enum ks_vstate host;
	uint64_t host_since;
	uint64_t pulled_at; /* when it pulled a thread last for being newly idle, and which */
	uint32_t pulled;
};

struct vn_vm {
	struct ks_vnuma_vm out;
	const struct ks_vnuma_opts *opts;
	const struct ks_vnuma_watch *watch;
	uint32_t index; /* of the VM */
	struct vn_cpu *cpu;
	uint32_t ncpus, nfree;
	struct vn_task *task;
	uint32_t ntasks, cap, free_task;
	uint32_t *bucket;
	uint64_t seed;	   /* of their hash: thread numbers are a guest's */
	uint32_t dropless; /* so many more find no room before sleepers are dropped again */
	uint32_t nwaiting, nany, nunplaced; /* threads that wait; KS_ALLOWED_ANY; not known where */
	struct vn_group *group;
	uint32_t ngroups, capgroups, free_group;
	struct an_losses loss; /* next: first one that is not over */
	ks_map_fn map;	       /* of the guest's clock, NULL = identity */
	void *map_ctx;
	uint64_t end;	     /* last moment recorded on both sides; 0: there is none */
	uint64_t last;	     /* up to here all is summed up; 0: not begun */
	uint64_t look_again; /* when time alone changes what the last look found */
	uint64_t idle_clock;
	uint32_t wasting; /* vCPUs, now */
	bool dirty;
	uint64_t free[2];  /* CPUs that a KS_TASK_CPUS tells of */
	uint64_t tried[2]; /* of these, in this round of the matching */
	uint64_t round;
	uint32_t *match; /* by CPU: the group of the waiter that it could run */
	uint64_t memory_time;
};

struct ks_vnuma {
	struct ks_vnuma_opts opts;
	struct ks_vnuma_watch watch;
	const struct ks_analysis *a;
	struct vn_vm *vm;
	struct ks_vnuma_vcpu *vcpu;
	int32_t *last_node; /* by vCPU: where it ran last */
	uint32_t nvms, nvcpus;
	uint32_t *src_vm, nsrc;
	int32_t *pcpu_node;
	uint32_t npcpus, nnodes;
	bool no_memory;
};

/* Has a moment been recorded on both sides? What is not is followed, and not counted. */
static inline bool vn_counts(const struct vn_vm *m, uint64_t time)
{
	return time >= m->out.begin && time <= m->end;
}

static inline void vn_count_node(int32_t node, uint32_t *n)
{
	if (node >= 0 && node < KS_VN_NODES && (uint32_t)node >= *n)
		*n = (uint32_t)node + 1;
}

/* ---- vnuma.c ---- */
/* With what is not given as by default; opts may be NULL. */
void vn_opts(struct ks_vnuma_opts *to, const struct ks_vnuma_opts *opts);
/* Room for m->ncpus CPUs, of which nothing is known. 0 or -ENOMEM. */
int vn_cpus_new(struct vn_vm *m);
/* What it holds. */
void vn_vm_free(struct vn_vm *m);
/*
 * What the host did with this vCPU has come to an end then: losses and the end of the trace do that without
 * an event of the VM. What it does from then on the VM's next event tells.
 */
void vn_host_until(struct ks_vnuma *v, uint32_t vcpu, uint64_t time);

/* ---- vnuma_place.c: where vCPUs run and memory lies ---- */
void vn_memory(struct ks_vnuma *v, const struct ks_rec *rec);
/* After all segments: what the guests' nodes stand for, and who was away. */
void vn_place_end(struct ks_vnuma *v, uint32_t vm);

/* ---- vnuma_task.c: threads of a guest ---- */
/* Found or made; NULL without memory. Pointers hold until the next call. */
struct vn_task *vn_task_get(struct vn_vm *m, uint32_t tid);
/* NULL if it is not known. */
struct vn_task *vn_task_find(struct vn_vm *m, uint32_t tid);
/* Whoever had that number is no more. */
void vn_task_end(struct vn_vm *m, uint32_t tid);
int vn_task_wait(struct vn_vm *m, struct vn_task *t, uint32_t cpu);
void vn_task_unwait(struct vn_vm *m, struct vn_task *t);
/* Nothing is known of anybody any more; which CPUs are offline still is. */
void vn_tasks_forget(struct vn_vm *m);
/* Nor is that, if it was among what was lost. */
void vn_online_forget(struct vn_vm *m, const struct ks_rec *loss);

/* ---- vnuma_queue.c: who waits where ---- */
/* It waits on t->cpu. 0, or -ENOMEM: nobody tells then where it may run. */
int vn_queue_join(struct vn_vm *m, struct vn_task *t);
/* With its `allowed` as it joined. */
void vn_queue_leave(struct vn_vm *m, struct vn_task *t);
/* How long of its wait a vCPU that it may use was idle. */
uint64_t vn_idle_time(const struct vn_vm *m, const struct vn_task *t);
void vn_queues_forget(struct vn_vm *m);

/* ---- vnuma_idle.c: idle vCPUs and who could run there ---- */
bool vn_may_run(const struct vn_task *t, uint32_t cpu);
/* The vCPU has wanted a pCPU for longer than it may take to wake it up. */
bool vn_lacks_pcpu(const struct vn_vm *m, const struct vn_cpu *c, uint64_t now);
/* Sum up until now what was, with losses and the ends of the traces left out. */
void vn_advance(struct vn_vm *m, struct ks_vnuma_vcpu *vcpus, uint64_t now);
/* Look at who is idle and who waits now, if that has changed. */
void vn_look(struct vn_vm *m, uint64_t now);

/* ---- vnuma_sched.c: the guest's records ---- */
int vn_guest_event(struct ks_vnuma *v, struct vn_vm *m, const struct ks_event *ev);

#endif /* KVMSCHED_VNUMA_PRIV_H */
