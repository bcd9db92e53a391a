/* SPDX-License-Identifier: GPL-2.0 */
/* Names of threads, of the host and of each guest. */
#ifndef KVMSCHED_PERFDATA_THREADS_H
#define KVMSCHED_PERFDATA_THREADS_H

#include <stdint.h>

#define KS_PD_COMM 16
#define KS_PD_TIDS 10000000u /* thread ids are below it; Linux has 2^22 of them */
/* Idle threads of a guest beside its host, by CPU: all are number 0, and perf lock takes them for one. */
#define KS_PD_IDLE 9000000u

struct json_object;
struct ks_pd_threads;

/* The machine a thread is of. */
#define KS_PD_HOST 0
#define KS_PD_GUEST(vm) (1 + (vm))

struct ks_pd_thread {
	uint32_t machine, tid;
	uint32_t pid;  /* its process; the thread itself if not known */
	uint32_t vcpu; /* index, KS_NO_VCPU if it is none */
	char comm[KS_PD_COMM];
};

int ks_pd_threads_new(struct ks_pd_threads **t);
void ks_pd_threads_free(struct ks_pd_threads *t);

/* Add or replace one. The name is made printable and cut. 0 or -ENOMEM. */
int ks_pd_threads_add(struct ks_pd_threads *t, uint32_t machine, uint32_t tid, uint32_t pid,
		      uint32_t vcpu, const char *comm);

/* Those of "tasks" in a guest's metadata; hostile. 0 or -ENOMEM. */
int ks_pd_threads_tasks(struct ks_pd_threads *t, uint32_t machine, struct json_object *meta);

/* NULL if it is not known. */
const struct ks_pd_thread *ks_pd_threads_find(const struct ks_pd_threads *t, uint32_t machine,
					      uint32_t tid);

/* Its name into buf: "swapper/CPU" for an idle one, ":TID" if it is not known, as perf has it. Returns it. */
const char *ks_pd_threads_comm(const struct ks_pd_threads *t, uint32_t machine, uint32_t tid,
			       uint32_t cpu, char buf[KS_PD_COMM]);

/* The i-th, in no order; NULL behind the last. */
const struct ks_pd_thread *ks_pd_threads_at(const struct ks_pd_threads *t, uint32_t i);

#endif /* KVMSCHED_PERFDATA_THREADS_H */
