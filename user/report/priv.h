/* SPDX-License-Identifier: GPL-2.0 */
/* Inside the report. */
#ifndef KVMSCHED_REPORT_PRIV_H
#define KVMSCHED_REPORT_PRIV_H

#include "report.h"
#include "topk.h"

#define REP_NAME 192

struct rep_spin { /* a function in which PLE exits happened */
	char name[REP_NAME];
	uint64_t exits;
};

struct rep_place { /* which function an address is in */
	uint64_t ip, function;
	uint32_t vm;
};

/* Ways for a wait to be among the worst. */
enum rep_worst {
	REP_ANY, /* by what it lost to others: its length less `self` */
	REP_LHP, /* by its time in lhp; those that blame a holder for it */
	REP_LWP, /* by its time in lwp; those that blame a next waiter for it */
	REP_WORST,
};

struct rep_heap { /* the least bad on top; sorted by finish, the worst first */
	struct ks_wait *w;
	uint32_t n;
};

struct rep_vm {
	struct topk locks, sites, spins;
	struct rep_heap worst[REP_WORST];
	uint64_t spun; /* PLE exits at a place that is known */
	uint64_t hold_ns, hold_off_ns, holds_off, longest_hold;
	/* by finish */
	uint64_t pause, hlt, bursts, longest_burst;
	uint64_t ple[KS_C_MAX];
	uint64_t migrations, node_migrations, pingpongs;
	uint64_t guest_lost;
	struct rep_spin *spin; /* the most frequent first */
	uint32_t nspin;
	uint64_t spun_elsewhere; /* in functions that there was no room for */
};

struct rep_exit {
	uint32_t of; /* which vCPU or VM */
	uint32_t reason;
	uint64_t count;
};

struct rep_exits {
	struct rep_exit *e; /* by vCPU or VM, each one's most frequent first */
	uint32_t *first;    /* of each of them in e; and the end */
};

struct ks_report {
	struct ks_report_opts opts;
	struct rep_vm *vm;
	uint32_t nvms;
	bool no_memory;
	struct rep_place *place; /* the last ones that were asked for */
	/* by finish */
	const struct ks_session *s;
	const struct ks_analysis *a;
	const struct ks_vm *vms;
	const struct ks_vcpu *vcpus;
	uint32_t nvcpus;
	struct rep_exits vcpu_exits, vm_exits;
	uint64_t first, last; /* ns, of the host's records, whatever guests say */
	int isa;	      /* enum ks_isa, 0 = not known */
};

/* What is collected of a VM; NULL without memory. */
struct rep_vm *rep_vm(struct ks_report *r, uint32_t vm);

/* Of ks_report_ple(), in finish: a VM's functions by name. spins.c. 0 or -ENOMEM. */
int rep_spins_name(struct ks_report *r, uint32_t vm);

/* Name of an address, "0x..." without symbols; "-" for 0. */
const char *rep_sym(const struct ks_report *r, uint32_t vm, uint64_t addr, char *buf, size_t len);
/* True if the address has a name. */
bool rep_has_sym(const struct ks_report *r, uint32_t vm, uint64_t addr);
/* "contend-1 (1234)" or "thread 1234". */
const char *rep_task(const struct ks_report *r, uint32_t vm, uint32_t pid, char *buf, size_t len);
/* The name alone, NULL if not known. */
const char *rep_comm(const struct ks_report *r, uint32_t vm, uint32_t pid, char *buf, size_t len);

/* Take the host's counters apart, in finish. exit_counts.c. 0 or -ENOMEM. */
int rep_exits_init(struct ks_report *r);
void rep_exits_free(struct ks_report *r);
/* Exits of one vCPU, or of all vCPUs of a VM: most frequent first; *n of them. Borrowed. */
const struct rep_exit *rep_exits_vcpu(const struct ks_report *r, uint32_t vcpu, uint32_t *n);
const struct rep_exit *rep_exits_vm(const struct ks_report *r, uint32_t vm, uint32_t *n);

/* Waits acquired late? The class in words, for people. */
const char *rep_class_words(enum ks_class c);

#endif /* KVMSCHED_REPORT_PRIV_H */
