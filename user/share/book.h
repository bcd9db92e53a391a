/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The book of owners: which VM has which CPU, and how far a hand-over has come. It is written before
 * each step, whole or not at all, to a folder that does not survive a reboot; so whatever is killed,
 * it says who may be using what. docs/vm-share.md has the states.
 */
#ifndef KVMSCHED_SHARE_BOOK_H
#define KVMSCHED_SHARE_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "cpus.h"

struct ks_err;

#define KS_BOOK_VMS 64u
#define KS_BOOK_NODES 64u
#define KS_NOBODY (-1)

/* In the file by name. */
enum ks_step {
	KS_STEP_NONE,	/* no plan speaks of this CPU */
	KS_STEP_FREE,	/* nobody's */
	KS_STEP_OWNED,	/* the owner's, and nothing is going on */
	KS_STEP_TAKING, /* still the owner's, which is being told to let go of it */
	KS_STEP_TAKEN,	/* nobody's: the giver has let go of it, the receiver does not know yet */
	KS_STEP_GIVING, /* the owner's, which is being told so */
	KS_STEPS,
};

const char *ks_step_name(enum ks_step step);

struct ks_book_cpu {
	uint8_t step;
	int8_t owner;	 /* index in vm[], or KS_NOBODY */
	int8_t from, to; /* on its way; from: also KS_NOBODY of one that was free */
};

/* A vCPU thread that the host itself holds down: what undoes it. */
struct ks_book_vcpu {
	uint32_t tid;	/* 0: unplugged */
	char *affinity; /* list of CPUs that it had before it was pinned; NULL: not pinned by us */
	char *home;	/* cgroup that it was taken from; NULL: it is not held down */
	char *group;	/* ... and put in; the same as home if that is its own */
	char *max;	/* cpu.max of that before */
	uint32_t got;	/* so often its CPU has become its VM's */
};

enum ks_manner {
	KS_MANNER_UNKNOWN, /* nothing was asked of it yet */
	KS_MANNER_AGENT,   /* its agent does what it is told, and its given-up vCPUs idle */
	KS_MANNER_FORCED,  /* held down by the host */
};

const char *ks_manner_name(enum ks_manner m);

struct ks_book_vm {
	char name[64];
	uint32_t tgid;	/* 0: this place is empty */
	uint64_t start; /* of the process, see thread.h */
	uint32_t cid;	/* vsock; 0: none */
	uint32_t first; /* CPU that vCPU 0 stands for */
	enum ks_manner manner;
	char why[160]; /* why it is forced: one printable line */
	bool confined; /* its agent was told to confine it, and has not said that it has undone that */
	unsigned int vcpus;
	struct ks_book_vcpu *vcpu; /* by number */
	uint64_t
		threads; /* changes with the threads that its process has, and with looks at them */
	char qmp[108];
	uint64_t mem
		[KS_BOOK_NODES]; /* bytes that are its own, by the host's nodes; UINT64_MAX: not shared */
};

struct ks_book {
	bool no_pin;
	bool releasing; /* all is being undone: a VM that is not in it any more may be on any CPU */
	struct ks_book_cpu cpu[KS_CPUS];
	struct ks_book_vm vm[KS_BOOK_VMS];
};

/* Empty: no VM, no CPU. NULL without memory. */
struct ks_book *ks_book_new(void);
void ks_book_free(struct ks_book *b);

/* Write it to DIR/share.json. 0 or -errno. */
int ks_book_save(const struct ks_book *b, const char *dir);
/*
 * Read it. 0; -ENOENT: there is none; -EPROTO: it makes no sense; -ENOTSUP: it is of another PID
 * namespace; -errno. err as well.
 */
int ks_book_load(struct ks_book **b, const char *dir, struct ks_err *err);
/* Remove the file. 0 or -errno. */
int ks_book_remove(const char *dir);

/* An empty place for a VM, with room for so many vCPUs; KS_NOBODY if there is none. */
int ks_book_add(struct ks_book *b, unsigned int vcpus);
/* Index of the VM of this name, UUID being none of ours; KS_NOBODY. */
int ks_book_find(const struct ks_book *b, const char *name);
/* The place is empty again. */
void ks_book_drop(struct ks_book *b, int vm);

/* vCPU of a VM that stands for a CPU; KS_NOBODY if it has none. */
int ks_book_vcpu_of(const struct ks_book_vm *vm, unsigned int cpu);

/* ---- who has what ---- */

/* CPUs that the VM may use now: its own, without those that it is to let go of. */
void ks_book_may(const struct ks_book *b, int vm, struct ks_cpus *set);
/* CPUs in this step whose owner it is (vm = KS_NOBODY: whoever). */
void ks_book_in(const struct ks_book *b, int vm, enum ks_step step, struct ks_cpus *set);
/* Is every CPU owned or free, and no release begun? */
bool ks_book_is_settled(const struct ks_book *b);

/* "This CPU is to go to that VM" (or to nobody). A CPU that is there already stays. */
void ks_book_move(struct ks_book *b, unsigned int cpu, int to);
/* What it owned is nobody's, what was on its way to it goes back or is free. */
void ks_book_disown(struct ks_book *b, int vm);
/* The VM has ended: the same, and it stands in the book no more. */
void ks_book_bury(struct ks_book *b, int vm);
/* Is there something that was done to the VM, and is to be undone? */
bool ks_book_is_touched(const struct ks_book *b, int vm);
/* A hand-over that nobody carries on: what was being taken is the giver's again, to be told so. */
void ks_book_turn_back(struct ks_book *b);
/* Verified: what was being taken is nobody's now. */
void ks_book_took(struct ks_book *b);
/* What was taken is its receiver's from now on, or free. */
void ks_book_give(struct ks_book *b);
/* The receiver knows. */
void ks_book_gave(struct ks_book *b, int vm);

/* One line on a CPU that is on its way: what is so now, and what restore would do. "" if it is not. */
char *ks_book_explain(const struct ks_book *b, unsigned int cpu, char *buf, size_t size);

#endif /* KVMSCHED_SHARE_BOOK_H */
