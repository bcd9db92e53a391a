// SPDX-License-Identifier: GPL-2.0
/* The report for people: at most 100 columns. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clockbreaks.h"
#include "exits.h"
#include "format.h"
#include "model.h"
#include "priv.h"
#include "text.h"

struct page {
	const struct ks_report *r;
	FILE *out;
	bool color;
};

enum ink { PLAIN, BOLD, DIM, RED, YELLOW, GREEN, BLUE };

static void ink(const struct page *p, enum ink i)
{
	static const char *const codes[] = { "0", "1", "2", "31", "33", "32", "34" };

	if (p->color)
		fprintf(p->out, "\033[%sm", codes[i]);
}

static void say(const struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct page *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(p->out, fmt, ap);
	va_end(ap);
}

static void title(const struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void title(const struct page *p, const char *fmt, ...)
{
	va_list ap;

	ink(p, BOLD);
	va_start(ap, fmt);
	vfprintf(p->out, fmt, ap);
	va_end(ap);
	ink(p, PLAIN);
	fputc('\n', p->out);
}

static enum ink class_ink(enum ks_class c)
{
	switch (c) {
	case KS_C_LHP:
		return RED;
	case KS_C_LWP:
	case KS_C_HALTED:
		return YELLOW;
	case KS_C_BUSY:
	case KS_C_HANDOFF:
		return GREEN;
	case KS_C_SELF:
		return BLUE;
	default:
		return DIM;
	}
}

static const char *meta_str(struct ks_reader *rd, const char *key, char *buf, size_t len)
{
	const char *s = ks_meta_str(ks_reader_meta(rd), key);

	return ks_printable(buf, len, s, strlen(s));
}

/* ---- the traces ---- */

/* What the recorder knows that it did not see; nothing is said of what is 0. */
static void unseen(const struct page *p, struct ks_reader *rd)
{
	static const struct {
		const char *key, *words;
	} kinds[] = {
		{ "unseen_vcpus", "vCPUs not recorded, there was no room: see record --max-vcpus" },
		{ "unseen_exits", "exits of new vCPUs not seen: the kernel had no memory" },
		{ "unseen_marks", "boosts and looks of a policy not seen, inside of one another" },
		{ "unseen_recursion", "times a program could not run, inside of itself" },
		{ "unseen_acquires", "releases of locks whose acquire was not seen" },
		{ "unseen_releases", "acquires of locks whose release was not seen" },
	};
	char n[FMT];
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t count = ks_meta_uint(ks_reader_meta(rd), kinds[i].key);

		if (count)
			say(p, "          %s %s\n", fmt_count(count, n), kinds[i].words);
	}
}

static void trace_state(const struct page *p, struct ks_reader *rd)
{
	char n[FMT];

	if (ks_reader_lost(rd)) {
		ink(p, RED);
		say(p, "          %s records LOST: what they could have changed counts as unknown",
		    fmt_count(ks_reader_lost(rd), n));
		ink(p, PLAIN);
		say(p, "\n");
	}
	if (ks_reader_bad_bytes(rd))
		say(p, "          %s bytes unreadable\n", fmt_count(ks_reader_bad_bytes(rd), n));
	if (ks_reader_truncated(rd))
		say(p, "          the recording was cut off: read up to its last whole chunk\n");
	unseen(p, rd);
}

/* The recorder writes all numbers at its end, and before that at most a minute apart. */
static void counts_state(const struct page *p, struct ks_reader *rd)
{
	size_t n;

	ks_reader_exit_counts(rd, &n);
	if (n && ks_reader_truncated(rd))
		say(p,
		    "          exits by reason may lack the last minute before it was cut off\n");
}

static void host_line(const struct page *p)
{
	struct ks_reader *rd = ks_session_host(p->r->s);
	char host[40], kernel[40], isa[8], mode[16], span[FMT];

	say(p, "Host      %s\n", ks_reader_path(rd));
	say(p, "          %s, kernel %s, %s, %s mode, %s recorded\n",
	    meta_str(rd, "hostname", host, sizeof(host)),
	    meta_str(rd, "kernel", kernel, sizeof(kernel)), meta_str(rd, "isa", isa, sizeof(isa)),
	    meta_str(rd, "mode", mode, sizeof(mode)), fmt_ns(p->r->last - p->r->first, span));
	trace_state(p, rd);
	counts_state(p, rd);
	if (ks_analysis_ignored(p->r->a))
		say(p, "          left out because they made no sense: %s records\n",
		    fmt_count(ks_analysis_ignored(p->r->a), span));
}

static void guest_line(const struct page *p, uint32_t vm)
{
	struct ks_reader *rd = ks_session_guest(p->r->s, vm);
	const struct ks_link *l = ks_session_link(p->r->s, vm);
	const struct ks_vm_totals *t = ks_analysis_vm_totals(p->r->a, vm);
	char kernel[40], mode[16], err[FMT], span[FMT];
	struct clockbreaks_text breaks;

	if (!rd)
		return;
	say(p, "Guest     %s\n", ks_reader_path(rd));
	say(p, "          kernel %s, %s mode, recorded for %s beside the host\n",
	    meta_str(rd, "kernel", kernel, sizeof(kernel)),
	    meta_str(rd, "mode", mode, sizeof(mode)), fmt_ns(t->guest_span_ns, span));
	if (t->guest_recorded_ns - t->guest_span_ns > t->guest_recorded_ns / 10)
		say(p,
		    "          waits, holds and its threads' migrations are of all that it "
		    "recorded, %s\n",
		    fmt_ns(t->guest_recorded_ns, span));
	say(p, "          clock within %s of the host's; matched to the VM by %s\n",
	    fmt_ns(l->error_ns, err), l->how);
	if (l->step_ns > l->error_ns)
		say(p,
		    "          its clock jumped %u times, by up to %s: what lies near is not "
		    "certain\n",
		    l->steps, fmt_ns(l->step_ns, err));
	if (clockbreaks_say(l->clock, p->r->first, &breaks))
		say(p, "          %s\n          %s\n", breaks.what, breaks.when);
	trace_state(p, rd);
}

/* ---- exits ---- */

#define INDENT 9
#define WIDTH 98

/* One more item of a list that began behind a word of INDENT columns; col: where the line ends. */
static void item(const struct page *p, int *col, const char *name, uint64_t count, bool last)
{
	char n[FMT], text[80];
	int len = snprintf(text, sizeof(text), " %s %s%s", name, fmt_count(count, n),
			   last ? "" : ",");

	if (*col + len > WIDTH) {
		say(p, "\n%*s", INDENT, "");
		*col = INDENT;
	}
	say(p, "%s", text);
	*col += len;
	if (last)
		say(p, "\n");
}

static void other_exits(const struct page *p, uint32_t vm)
{
	const struct ks_report *r = p->r;
	const struct rep_exit *e;
	char name[40];
	int col = INDENT;
	uint32_t i, count;

	e = rep_exits_vm(r, vm, &count);
	if (count)
		say(p, "Exits    ");
	for (i = 0; i < count; i++) {
		if (r->isa)
			ks_exit_str(r->isa, e[i].reason, name, sizeof(name));
		else
			snprintf(name, sizeof(name), "0x%x", e[i].reason);
		item(p, &col, name, e[i].count, i + 1 == count);
	}
}

static void ple_line(const struct page *p, uint32_t vm)
{
	const struct rep_vm *v = &p->r->vm[vm];
	const struct ks_vm_totals *t = ks_analysis_vm_totals(p->r->a, vm);
	char a[FMT], b[FMT], c[FMT], d[FMT];

	say(p, "PLE       %s exits on PAUSE in %s bursts, the longest of %s; %s exits on HLT\n",
	    fmt_count(v->pause, a), fmt_count(v->bursts, b), fmt_count(v->longest_burst, c),
	    fmt_count(v->hlt, d));
	if (!ks_session_guest(p->r->s, vm))
		return;
	say(p, "          per contended acquisition: median %s, 99 %% at most %s, most %s\n",
	    fmt_count(t->ple_per_wait[0], a), fmt_count(t->ple_per_wait[1], b),
	    fmt_count(t->ple_per_wait[2], c));
}

static void spinning(const struct page *p, uint32_t vm)
{
	const struct rep_vm *v = &p->r->vm[vm];
	char n[FMT], s[FMT];
	uint32_t i;

	if (!v->nspin)
		return;
	title(p, "\nWhere it spun");
	for (i = 0; i < v->nspin && i < p->r->opts.top; i++)
		say(p, "  %12s  %7s  %.70s\n", fmt_count(v->spin[i].exits, n),
		    fmt_share(v->spin[i].exits, v->pause, s), v->spin[i].name);
	if (v->spun_elsewhere)
		say(p, "  %12s  %7s  elsewhere: more functions than there was room for\n",
		    fmt_count(v->spun_elsewhere, n), fmt_share(v->spun_elsewhere, v->pause, s));
}

/* ---- waits ---- */

static void class_row(const struct page *p, uint32_t vm, enum ks_class c)
{
	const struct ks_vm_totals *t = ks_analysis_vm_totals(p->r->a, vm);
	const struct rep_vm *v = &p->r->vm[vm];
	char ns[FMT], share[FMT], n[FMT], ple[FMT];
	bool wait = c < KS_C_WAIT_MAX;

	if (!v->ple[c] && (!wait || (!t->lost_ns[c] && !t->verdicts[c])))
		return;
	say(p, "  ");
	ink(p, class_ink(c));
	say(p, "%-8s", ks_class_name(c));
	ink(p, PLAIN);
	say(p, " %9s %8s %9s %11s  %s\n", wait ? fmt_ns(t->lost_ns[c], ns) : "",
	    wait ? fmt_share(t->lost_ns[c], t->wait_ns, share) : "",
	    wait ? fmt_count(t->verdicts[c], n) : "", fmt_count(v->ple[c], ple),
	    rep_class_words(c));
}

static void class_table(const struct page *p, uint32_t vm)
{
	const struct ks_vm_totals *t = ks_analysis_vm_totals(p->r->a, vm);
	char n[FMT], ns[FMT];
	int c;

	title(p, "\nWaits for spinlocks: %s, %s in all", fmt_count(t->waits, n),
	      fmt_ns(t->wait_ns, ns));
	say(p, "  %-8s %9s %8s %9s %11s\n", "cause", "time", "share", "waits", "PLE exits");
	for (c = 0; c < KS_C_MAX; c++)
		class_row(p, vm, c);
}

/* A name that fits; a long one keeps its end's ellipsis. */
static const char *fit(char *s, size_t width)
{
	if (strlen(s) > width && width > 2) {
		s[width - 2] = '.';
		s[width - 1] = '.';
		s[width] = 0;
	}
	return s;
}

static void blame_line(const struct page *p, const struct ks_wait *w)
{
	const struct ks_report *r = p->r;
	bool next = w->blame_class == KS_C_LWP;
	char task[96], site[REP_NAME], off[FMT];

	if (w->blame_vcpu == KS_NO_VCPU)
		return;
	say(p, "     %s vCPU %u, %s, off-CPU for %s of it\n", next ? "next was" : "held by",
	    r->vcpus[w->blame_vcpu].vcpu_id,
	    fit((char *)rep_task(r, w->vm, w->blame_pid, task, sizeof(task)), 40),
	    fmt_ns(w->blame_off_ns, off));
	if (w->blame_ip)
		say(p, "       %s %s\n", next ? "waiting at" : "holding it at",
		    fit((char *)rep_sym(r, w->vm, w->blame_ip, site, sizeof(site)), 80));
}

static void shares(const struct page *p, const struct ks_wait *w)
{
	bool first = true;
	char s[FMT];
	int c;

	say(p, "     ");
	for (c = 0; c < KS_C_WAIT_MAX; c++) {
		if (!w->share[c])
			continue;
		say(p, "%s%s %s", first ? "" : ", ", ks_class_name(c),
		    fmt_share(w->share[c], w->acq_time - w->try_time, s));
		first = false;
	}
	say(p, "\n");
}

static void one_wait(const struct page *p, uint32_t i, const struct ks_wait *w)
{
	const struct ks_report *r = p->r;
	char ns[FMT], at[FMT], n[FMT], task[96], lock[REP_NAME], site[REP_NAME];

	say(p, "%3u. ", i + 1);
	ink(p, class_ink(w->verdict));
	say(p, "%s %s", fmt_ns(w->acq_time - w->try_time, ns), ks_class_name(w->verdict));
	ink(p, PLAIN);
	say(p, "%s at %s: vCPU %u, %s, %s PLE exits\n", w->acquired ? "" : ", not over",
	    fmt_at(w->try_time, r->first, at), r->vcpus[w->vcpu].vcpu_id,
	    fit((char *)rep_task(r, w->vm, w->pid, task, sizeof(task)), 30),
	    fmt_count(w->ple_total, n));
	say(p, "     lock %s", fit((char *)rep_sym(r, w->vm, w->lock, lock, sizeof(lock)), 36));
	if (w->ip)
		say(p, ", wanted at %s",
		    fit((char *)rep_sym(r, w->vm, w->ip, site, sizeof(site)), 38));
	say(p, "\n");
	blame_line(p, w);
	shares(p, w);
}

static void worst(const struct page *p, uint32_t vm, enum rep_worst way, const char *what)
{
	const struct rep_heap *h = &p->r->vm[vm].worst[way];
	uint32_t i, most = way == REP_ANY ? h->n : (p->r->opts.worst + 2) / 3;

	if (!h->n)
		return;
	title(p, "\n%s", what);
	for (i = 0; i < h->n && i < most; i++)
		one_wait(p, i, &h->w[i]);
}

static void all_worst(const struct page *p, uint32_t vm)
{
	worst(p, vm, REP_ANY, "The worst waits, by what they lost to others");
	worst(p, vm, REP_LHP, "The worst lock-holder preemptions");
	worst(p, vm, REP_LWP, "The worst lock-waiter preemptions");
}

static uint64_t preempted(const struct topk_entry *e)
{
	return e->class_ns[KS_C_LHP] + e->class_ns[KS_C_LWP];
}

static void table_row(const struct page *p, uint32_t vm, const struct topk_entry *e, bool locks)
{
	char n[FMT], ns[FMT], max[FMT], ple[FMT], share[FMT], name[REP_NAME], site[REP_NAME];

	rep_sym(p->r, vm, e->key, name, sizeof(name));
	say(p, "  %8s %9s%s %8s %9s %8s  ", fmt_count(e->count, n), fmt_ns(e->ns, ns),
	    e->error ? "+" : " ", fmt_ns(e->max_ns, max), fmt_count(e->ple, ple),
	    fmt_share(preempted(e), e->ns, share));
	if (!locks || !e->site[0].ip) {
		say(p, "%s\n", fit(name, 46));
		return;
	}
	rep_sym(p->r, vm, e->site[0].ip, site, sizeof(site));
	say(p, "%s", fit(name, 22));
	say(p, ", %s\n", fit(site, 22));
}

static void table(const struct page *p, uint32_t vm, const struct topk *t, bool locks)
{
	const struct topk_entry **e;
	uint32_t i, n;

	e = topk_sorted(t, &n);
	if (!n)
		return;
	title(p, locks ? "\nLocks" : "\nCall sites");
	say(p, "  %8s %9s  %8s %9s %8s  %s\n", "waits", "time", "longest", "PLE exits", "lhp+lwp",
	    locks ? "lock, and who wanted it" : "wanted at");
	for (i = 0; i < n && i < p->r->opts.top; i++)
		table_row(p, vm, e[i], locks);
	if (t->full)
		say(p, "  (too many to count them all: '+' marks those that may be short of some "
		       "waits)\n");
	free(e);
}

static void hold_line(const struct page *p, uint32_t vm)
{
	const struct rep_vm *v = &p->r->vm[vm];
	const struct ks_vm_totals *t = ks_analysis_vm_totals(p->r->a, vm);
	char n[FMT], max[FMT], off[FMT], ns[FMT];

	if (!t->holds)
		return;
	say(p, "Holds     %s on record, longest %s; %s of them preempted, for %s in all\n",
	    fmt_count(t->holds, n), fmt_ns(v->longest_hold, max), fmt_count(v->holds_off, off),
	    fmt_ns(v->hold_off_ns, ns));
}

/* ---- vCPUs and migrations ---- */

static void vcpu_row(const struct page *p, uint32_t i)
{
	const struct ks_vcpu_totals *t = ks_analysis_vcpu_totals(p->r->a, i);
	const struct ks_vcpu *v = &p->r->vcpus[i];
	char a[FMT], b[FMT], c[FMT], pct[4][FMT];
	uint64_t all = 0;
	int s;

	for (s = 0; s < KS_V_GONE; s++)
		all += t->state_ns[s];
	for (s = 0; s < 4; s++)
		fmt_share(t->state_ns[KS_V_RUNNING + s], all, pct[s]);
	say(p, "  %4u %8u %8s %8s %8s %8s %10s %9s %7s %6" PRIu64 " %5" PRIu64 "\n", v->vcpu_id,
	    v->tid, pct[0], pct[1], pct[2], pct[3], fmt_count(t->pause, a), fmt_count(t->hlt, b),
	    fmt_count(t->longest_burst, c), t->migrations, t->node_migrations);
}

static void vcpu_table(const struct page *p, uint32_t vm)
{
	uint32_t i;

	title(p, "\nvCPUs");
	say(p, "  %4s %8s %8s %8s %8s %8s %10s %9s %7s %6s %5s\n", "vCPU", "thread", "running",
	    "runnable", "halted", "blocked", "PLE exits", "HLT", "longest", "moves", "nodes");
	for (i = 0; i < p->r->nvcpus; i++)
		if (p->r->vcpus[i].vm == vm)
			vcpu_row(p, i);
}

static void moves(const struct page *p, const char *who, uint64_t n, uint64_t nodes, uint64_t back,
		  uint64_t span)
{
	char a[FMT], b[FMT], c[FMT];

	say(p, "%s %s migrations (%.1f a minute), %s across nodes, %s back within 10 ms\n", who,
	    fmt_count(n, a), span ? n * 60e9 / span : 0, fmt_count(nodes, b), fmt_count(back, c));
}

static void move_lines(const struct page *p, uint32_t vm)
{
	const struct rep_vm *v = &p->r->vm[vm];
	const struct ks_vm_totals *t = ks_analysis_vm_totals(p->r->a, vm);
	char ns[FMT], share[FMT];

	moves(p, "vCPUs    ", v->migrations, v->node_migrations, v->pingpongs, t->span_ns);
	if (!ks_session_guest(p->r->s, vm))
		return;
	moves(p, "Threads  ", t->task_migrations, t->task_node_migrations, t->task_pingpongs,
	      t->guest_recorded_ns);
	say(p,
	    "Idle      for %s (%s) a vCPU was halted while a runnable thread waited on another\n",
	    fmt_ns(t->wasted_idle_ns, ns), fmt_share(t->wasted_idle_ns, t->guest_span_ns, share));
}

static void ple_classes(const struct page *p, uint32_t vm)
{
	const struct rep_vm *v = &p->r->vm[vm];
	char n[FMT], s[FMT];
	int c;

	say(p, "          of them");
	for (c = KS_C_UNKNOWN; c < KS_C_MAX; c++)
		if (v->ple[c])
			say(p, " %s %s (%s)", ks_class_name(c), fmt_count(v->ple[c], n),
			    fmt_share(v->ple[c], v->pause, s));
	say(p, "\n");
}

/* ---- a policy ---- */

static const char *yes_no(const uint64_t v[KS_YES_NO_MAX], char *buf, size_t len)
{
	char a[FMT], b[FMT], c[FMT];

	snprintf(buf, len, "yes %s, no %s, unknown %s", fmt_count(v[KS_YES], a),
		 fmt_count(v[KS_NO], b), fmt_count(v[KS_NOT_KNOWN], c));
	return buf;
}

typedef const char *(*name_fn)(unsigned int i);

static void list(const struct page *p, const char *what, const uint64_t *v, unsigned int n,
		 name_fn name)
{
	int col = (int)strlen(what);
	unsigned int i;

	say(p, "%s", what);
	for (i = 0; i < n; i++)
		item(p, &col, name(i), v[i], i + 1 == n);
}

static void boosts(const struct page *p, const struct ks_policy_totals *t)
{
	char line[80];

	list(p, "Boosts   ", t->boosts, KS_BOOST_OUTS, ks_boost_out_name);
	list(p, "          picked as", t->why, KS_BW_MAX, ks_boost_why_name);
	say(p, "          next on that pCPU: %s\n", yes_no(t->ran_next, line, sizeof(line)));
	say(p, "          let go the lock that the spinner waited for: %s\n",
	    yes_no(t->let_go, line, sizeof(line)));
}

static uint64_t sum(const uint64_t *v, int n)
{
	uint64_t all = 0;

	while (n--)
		all += v[n];
	return all;
}

/* v: enum ks_look_match. */
static void agreement(const struct page *p, const char *of, const uint64_t *v)
{
	uint64_t all = sum(v, KS_LM_MAX);
	char n[4][FMT], s[FMT];

	if (!all)
		return;
	say(p, "          %s %s right, %s last, %s several, %s wrong: %s right\n", of,
	    fmt_count(v[KS_LM_RIGHT], n[0]), fmt_count(v[KS_LM_LAST], n[1]),
	    fmt_count(v[KS_LM_SEVERAL], n[2]), fmt_count(v[KS_LM_WRONG], n[3]),
	    fmt_share(v[KS_LM_RIGHT], all, s));
}

static void looks(const struct page *p, const struct ks_policy_totals *t, bool guest)
{
	char n[FMT];

	list(p, "Lock page", t->looks, KS_LOOK_MAX, ks_look_name);
	if (!guest)
		return;
	agreement(p, "lock held:", t->held);
	agreement(p, "lock free:", t->free);
	say(p, "          of %s the recording is not sure\n", fmt_count(t->unsure, n));
}

static void policy(const struct page *p, uint32_t vm, bool guest)
{
	const struct ks_policy_totals *t = &ks_analysis_vm_totals(p->r->a, vm)->policy;

	if (sum(t->boosts, KS_BOOST_OUTS))
		boosts(p, t);
	if (sum(t->looks, KS_LOOK_MAX))
		looks(p, t, guest);
}

static void one_vm(const struct page *p, enum ks_report_kind kind, uint32_t i)
{
	const struct ks_vm *vm = &p->r->vms[i];
	bool guest = ks_session_guest(p->r->s, i);
	char name[64];

	say(p, "\n");
	title(p, "VM %s (pid %u), %u vCPUs",
	      ks_printable(name, sizeof(name), vm->name, sizeof(vm->name)), vm->tgid, vm->nvcpus);
	guest_line(p, i);
	ple_line(p, i);
	if (!guest && p->r->vm[i].pause)
		ple_classes(p, i);
	other_exits(p, i);
	policy(p, i, guest);
	if (guest)
		hold_line(p, i);
	move_lines(p, i);
	if (guest) {
		class_table(p, i);
		all_worst(p, i);
		table(p, i, &p->r->vm[i].locks, true);
		table(p, i, &p->r->vm[i].sites, false);
	}
	if (guest || kind == KS_REPORT_PLE)
		spinning(p, i);
	vcpu_table(p, i);
}

int ks_report_text(const struct ks_report *r, enum ks_report_kind kind, bool color, FILE *out)
{
	struct page p = { .r = r, .out = out, .color = color };
	uint32_t i;

	errno = 0;
	host_line(&p);
	for (i = 0; i < r->nvms; i++)
		one_vm(&p, kind, i);
	if (!r->nvms)
		say(&p, "\nNo vCPU ran while this was recorded.\n");
	return ferror(out) ? -(errno ? errno : EIO) : 0;
}
