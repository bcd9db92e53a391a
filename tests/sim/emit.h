/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The recorders: one for the host, one per guest, each with bounded per-CPU rings that are drained
 * now and then, and the trace writer behind them.
 *
 * The functions that emit return true if the record stays in the trace, false if it is lost (ring
 * full, dropped on purpose) or if the recording has not started.
 */
#ifndef SIM_EMIT_H
#define SIM_EMIT_H

#include "sim.h"

void emit_open(struct world *w, const char *dir);
void emit_start(struct world *w); /* the host's recording starts now */
void emit_start_guest(struct world *w, struct vm *vm);
void emit_stop_guest(struct world *w, struct vm *vm);
void emit_close(struct world *w); /* the traces are whole now; losses can still be asked for */
void emit_free(struct emit *e);

/* What a host's program would send from this pCPU; the time is filled in. */
bool emit_host(struct world *w, uint32_t pcpu, const struct ks_rec *rec);
/* The same, with the time that it has. */
bool emit_host_at(struct world *w, uint32_t pcpu, const struct ks_rec *rec);
/* What a guest's program would send from this vCPU; time and cpu are filled in. */
bool emit_guest(struct vcpu *v, const struct ks_rec *rec);
/* The same, but rec->cpu says which vCPU it speaks of. */
bool emit_guest_of(struct vcpu *by, const struct ks_rec *rec);
uint64_t emit_guest_now(struct vm *vm);			/* on its own clock */
uint64_t emit_guest_since(struct vm *vm, uint64_t own); /* the time that has passed there */

void emit_vcpu(struct vcpu *v); /* the host's probe meets it */
void emit_drain(struct world *w);
void emit_sample(struct world *w);
void emit_offset(struct world *w, struct vm *vm);

/* Until when an observer can know that a ring which loses something now lost nothing, ns. */
uint64_t emit_whole_until(const struct world *w);

/* A stretch in which records of some ring were lost, ns of the world. */
struct lost {
	uint64_t from, to, count;
	int vm; /* -1: the host */
};
const struct lost *emit_losses(const struct world *w, size_t *n);

/* Records that were lost, of the host (vm -1) or a guest. */
uint64_t emit_lost(const struct world *w, int vm);

#endif /* SIM_EMIT_H */
