// SPDX-License-Identifier: GPL-2.0
#include "clock.h"
#include "lossspan.h"

/* The VM whose guest's trace this is. */
static uint32_t vm_of(const struct ks_session *s, unsigned int src)
{
	uint32_t i, n;
	const struct ks_vm *vms = ks_analysis_vms(ks_session_analysis(s), &n);

	for (i = 0; i < n; i++)
		if (vms[i].guest_src == (int)src)
			return i;
	return KS_NO_VCPU;
}

uint32_t ks_export_loss_span(const struct ks_session *session, const struct ks_event *ev,
			     uint64_t *from, uint64_t *to)
{
	uint32_t vm = session && ev->src ? vm_of(session, ev->src) : KS_NO_VCPU;
	const struct ks_link *l = vm != KS_NO_VCPU ? ks_session_link(session, vm) : NULL;

	*from = ks_loss_from(ev->rec);
	*to = ks_loss_to(ev->rec);
	if (!l)
		return KS_NO_VCPU;
	*from = ks_guestclock_map(l->clock, *from);
	*to = ks_guestclock_map(l->clock, *to);
	return vm;
}
