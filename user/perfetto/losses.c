// SPDX-License-Identifier: GPL-2.0
#include "clock.h"
#include "world.h"

/* One instant at the loss's end; when it began, what and how many is said of it. */
static void put_loss(struct pf_export *x, const struct ks_rec *r, uint64_t from, uint64_t to,
		     uint64_t track)
{
	pf_event(&x->w, PF_INSTANT, to, track);
	pf_name(&x->w, "records lost");
	pf_category(&x->w, "loss");
	pf_number(&x->w, "records", r->b);
	pf_number(&x->w, "since_ns", from);
	pf_number(&x->w, "length_ns", to - from);
	if (r->cpu != KS_RING_ANY)
		pf_number(&x->w, "ring", r->cpu);
	if (r->flags)
		pf_number(&x->w, "record_type", r->flags);
	pf_send(&x->w);
}

static uint64_t loss_track(struct pf_export *x, uint32_t vm)
{
	struct pf_track t = { .uuid = pf_id(x), .name = "records lost by the host's recorder" };

	if (vm != KS_NO_VCPU) {
		t.name = "records lost by the guest's recorder";
		t.parent = x->pvm[vm].track;
		t.rank = 2;
	}
	pf_track(&x->w, &t);
	return t.uuid;
}

void pf_losses(struct pf_export *x, const struct ks_export_input *in, uint32_t vm)
{
	const struct ks_link *l = vm == KS_NO_VCPU ? NULL : ks_session_link(in->session, vm);
	const struct ks_reader *r = l ? ks_session_guest(in->session, vm) :
					ks_session_host(in->session);
	uint64_t from, to, track = 0;
	const struct ks_rec *ctl;
	size_t n, i;

	ctl = ks_reader_control(r, &n);
	for (i = 0; i < n; i++) {
		if (ctl[i].type != KS_LOSS || !ctl[i].b)
			continue;
		from = ks_loss_from(&ctl[i]);
		to = ks_loss_to(&ctl[i]);
		if (l) {
			from = ks_guestclock_map(l->clock, from);
			to = ks_guestclock_map(l->clock, to);
		}
		if (to < in->from || from >= in->to)
			continue;
		if (!track)
			track = loss_track(x, vm);
		put_loss(x, &ctl[i], from, to, track);
	}
}
