/* SPDX-License-Identifier: GPL-2.0 */
/* When records were lost, on the clock that all is exported on. */
#ifndef KVMSCHED_EXPORT_LOSSSPAN_H
#define KVMSCHED_EXPORT_LOSSSPAN_H

#include "session.h"

/*
 * The span of a KS_LOSS; session: NULL for a guest alone, which stays on its own clock. Returns the
 * VM (index) whose guest's records are missing, KS_NO_VCPU for the host's and for a guest alone.
 */
uint32_t ks_export_loss_span(const struct ks_session *session, const struct ks_event *ev,
			     uint64_t *from, uint64_t *to);

#endif /* KVMSCHED_EXPORT_LOSSSPAN_H */
