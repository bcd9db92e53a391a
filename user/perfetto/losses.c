// SPDX-License-Identifier: GPL-2.0
#include "clock.h"
#include "lossspan.h"
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

/* Made with the first loss. */
static uint64_t new_track(struct pf_export *x, uint32_t vm)
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

static uint64_t loss_track(struct pf_export *x, uint32_t vm)
{
	uint64_t *track = vm == KS_NO_VCPU ? &x->losses : &x->pvm[vm].losses;

	if (!*track)
		*track = new_track(x, vm);
	return *track;
}

/* As with losses: what the guest says happened since then may lie behind_ns off. */
void pf_clock_breaks(struct pf_export *x, const struct ks_export_input *in, uint32_t vm)
{
	size_t n, i;
	const struct ks_clockbreak *b =
		ks_guestclock_breaks(ks_session_link(in->session, vm)->clock, &n);

	for (i = 0; i < n; i++) {
		if (b[i].to < in->from || b[i].from >= in->to)
			continue;
		pf_event(&x->w, PF_INSTANT, b[i].to, x->pvm[vm].track);
		pf_name(&x->w, b[i].behind_ns < 0 ? "guest's clock ran ahead" :
						    "guest's clock stood still");
		pf_category(&x->w, "recording");
		pf_number(&x->w, "since_ns", b[i].from);
		pf_number(&x->w, "length_ns", b[i].to - b[i].from);
		pf_signed(&x->w, "behind_ns", b[i].behind_ns);
		pf_send(&x->w);
	}
}

void pf_loss(struct pf_export *x, const struct ks_event *ev)
{
	uint64_t from, to;
	uint32_t vm = ks_export_loss_span(x->session, ev, &from, &to);

	if (!ev->rec->b || (ev->src && vm == KS_NO_VCPU))
		return;
	put_loss(x, ev->rec, from, to, loss_track(x, vm));
}
