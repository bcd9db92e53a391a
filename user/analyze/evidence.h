/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is a guest's trace of this VM? A guest that goes idle (KS_IDLE_ENTER) exits on HLT (KS_HLT)
 * within moments, on the same vCPU. Internal to the matching (match.h).
 */
#ifndef KVMSCHED_ANALYZE_EVIDENCE_H
#define KVMSCHED_ANALYZE_EVIDENCE_H

#include "link.h"
#include "loss.h"
#include "model.h"
#include "trace.h"

#define AN_EVIDENCE_CONVINCES 50u /* percent of the halts explained, or more: this VM */

/*
 * Count the halts of the VM within b, the time that both traces tell of, and for how many the guest
 * had gone idle: into l->halts, explained and chance. l has a clock. Leaves both readers at their
 * beginning. 0 or -errno, + err if one cannot be read.
 */
int an_evidence_weigh(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		      struct ks_reader *guest, uint32_t vm, const struct an_span *b,
		      struct ks_err *err);
/* Percent of the halts that are explained; 0 if there are too few to say. */
uint32_t an_evidence_share(const struct ks_link *l);
bool an_evidence_against(const struct ks_link *l);

#endif /* KVMSCHED_ANALYZE_EVIDENCE_H */
