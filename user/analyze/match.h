/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which VM of a host trace is a guest trace of? And is it of any of them at all?
 *
 * By UUID, by vsock CID, because there is only one VM, or by evidence: a guest that goes idle
 * (KS_IDLE_ENTER) exits on HLT (KS_HLT) within moments, on the same vCPU. Whoever is chosen, the
 * two traces must overlap in time, and the evidence must not speak against it. If the VM was made
 * anew in its process meanwhile (life.h), it is of the one life into which it falls by that life's
 * clock, or for which, of several, the evidence is clear.
 */
#ifndef KVMSCHED_MATCH_H
#define KVMSCHED_MATCH_H

#include "clock.h"
#include "link.h"
#include "model.h"
#include "trace.h"

/*
 * host_map: of the host's samples; must outlive the link. want: name, UUID or PID of the VM, NULL =
 * find out. Reads in both traces and leaves the readers at their beginning.
 * 0; -ENOENT: no such VM; -ENODATA: no clock; -EINVAL: wrong side, the traces do not belong
 * together, or it cannot be told of which VM or life it is; -ENOMEM. err says what and what to do.
 * On failure there is nothing to free.
 */
int ks_link_find(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		 const struct ks_clockmap *host_map, struct ks_reader *guest, const char *want,
		 struct ks_err *err);
void ks_link_free(struct ks_link *l);

#endif /* KVMSCHED_MATCH_H */
