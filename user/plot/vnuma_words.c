// SPDX-License-Identifier: GPL-2.0
/* What a picture of virtual NUMA says in words, the same in SVG and HTML. */
#include <inttypes.h>

#include "records.h"
#include "scale.h"
#include "svg.h"
#include "vnuma_scene.h"

const char *vs_title(const struct ks_vscene *s)
{
	return s->opts.title ? s->opts.title : "A guest's NUMA nodes, and where its host runs them";
}

void vs_group_name(const struct ks_vscene *s, const struct vs_lane *l, char *buf, size_t len)
{
	const struct ks_vnuma_vm *vm = ks_vnuma_vm(s->v, s->vm);

	if (l->believed < 0)
		snprintf(buf, len, "what the guest believes is not known");
	else if (l->home < 0)
		snprintf(buf, len, "guest node %" PRId32, l->believed);
	else
		snprintf(buf, len, "guest node %" PRId32 ": host node %" PRId32 "%s", l->believed,
			 l->home, vm->same_nodes ? "" : " (where it ran most)");
}

void vs_caption(const struct ks_vscene *s, FILE *f)
{
	uint32_t n;
	const struct ks_vm *vm = &ks_analysis_vms(s->a, &n)[s->vm];
	char a[48], b[48];

	fprintf(f,
		"VM %s (pid %" PRIu32 ") · %" PRIu32 " vCPU%s · %s from %s on the host's "
		"CLOCK_MONOTONIC",
		*vm->name ? vm->name : "?", vm->tgid, s->nlanes, s->nlanes == 1 ? "" : "s",
		ks_scale_time(s->opts.to - s->opts.from, a, sizeof(a)),
		svg_absolute(s->opts.from, b, sizeof(b)));
	if (s->list.n)
		fprintf(f, " · only vCPUs %s", s->opts.vcpus);
}

static void migrations(const struct ks_vscene *s, FILE *f, uint64_t n)
{
	char a[32], b[32], c[32];

	if (!ks_vnuma_vm(s->v, s->vm)->guest)
		fputs(" No trace of the guest: nothing is known of its threads.", f);
	else
		fprintf(f,
			" %s migrations of threads, %s of them to another node. %s of vCPU time "
			"was idle while threads waited.",
			ks_scale_count(n, a, sizeof(a)),
			ks_scale_count(s->node_moves, b, sizeof(b)),
			ks_scale_time(s->wasted_ns, c, sizeof(c)));
}

void vs_story(const struct ks_vscene *s, FILE *f)
{
	struct ks_vscene_stats st;
	bool homes = false;
	char a[32], b[32];

	ks_vscene_stats(s, &st);
	for (uint32_t l = 0; l < s->nlanes; l++)
		homes |= s->lanes[l].home >= 0;
	if (homes)
		fprintf(f, "The vCPUs ran for %s, of it %s (%.1f %%) away from their nodes.",
			ks_scale_time(st.running_ns, a, sizeof(a)),
			ks_scale_time(st.away_ns, b, sizeof(b)),
			st.running_ns ? 100.0 * (double)st.away_ns / (double)st.running_ns : 0);
	else
		fprintf(f, "The vCPUs ran for %s; the guest believes nothing that could be wrong.",
			ks_scale_time(st.running_ns, a, sizeof(a)));
	migrations(s, f, st.migrations);
}

void vs_foot(const struct ks_vscene *s, FILE *f)
{
	const struct ks_vnuma_vm *vm = ks_vnuma_vm(s->v, s->vm);
	uint64_t lost = ks_analysis_vm_totals(s->a, s->vm)->lost_records;
	char a[32];

	if (s->opts.clock_error_ns)
		fprintf(f, "Guest times are exact to ±%s.",
			ks_scale_time(s->opts.clock_error_ns, a, sizeof(a)));
	else if (vm->guest)
		fputs("Error of the guest's clock not known.", f);
	if (lost)
		fprintf(f,
			" %s records were lost in the whole recording: what they touch is unknown.",
			ks_scale_count(lost, a, sizeof(a)));
	else
		fputs(" No records lost.", f);
	if (s->seg_cell)
		fprintf(f, " States shorter than %s are stacked by their share.",
			ks_scale_time(s->seg_cell, a, sizeof(a)));
	if (s->move_cell)
		fprintf(f, " Migrations closer than %s are one arrow.",
			ks_scale_time(s->move_cell, a, sizeof(a)));
	if (s->folded_cases)
		fprintf(f, " The %s cheapest cases are not marked.",
			ks_scale_count(s->folded_cases, a, sizeof(a)));
}
