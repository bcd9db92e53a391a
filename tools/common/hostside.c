// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

#include "args.h"
#include "cli.h"
#include "cpu.h"
#include "hostside.h"
#include "memory_sampler.h"
#include "nodes.h"
#include "now.h"
#include "pace.h"
#include "vm.h"
#include "vmkept.h"

void hostside_memory(const char *arg, uint64_t *ns)
{
	struct ks_err err;

	if (ks_arg_duration("--memory", arg, 1000000000, ns, &err))
		cli_usage(&err);
	if (*ns < 100000000)
		cli_bad_usage("--memory: at most every 100ms");
}

/* ---- metadata ---- */

static int write_meta(struct ks_writer *w, const struct hostside_opts *o, struct ks_host *host)
{
	struct json_object *m = record_meta("host", o->tool, o->rec);
	bool svm = ks_host_isa(host) == KS_ISA_SVM;
	struct ks_machine mach;
	int err;

	json_object_object_add(m, "mode",
			       json_object_new_string(o->host.fold ? "bursts" : "events"));
	json_object_object_add(m, "isa", json_object_new_string(svm ? "svm" : "vmx"));
	json_object_object_add(m, "tsc_ratio_frac", json_object_new_int(svm ? 32 : 48));
	json_object_object_add(m, "burst_gap_ns",
			       json_object_new_int64(o->host.burst_gap_ns ?: 1000000));
	json_object_object_add(m, "programs", ks_host_programs(host));
	if (!ks_machine_read(NULL, &mach)) {
		json_object_object_add(m, "vendor", json_object_new_string(mach.vendor));
		json_object_object_add(m, "model", json_object_new_string(mach.model));
		json_object_object_add(m, "tsc_khz", json_object_new_int64(mach.tsc_khz));
		ks_machine_release(&mach);
	}
	nodes_add(m);
	err = ks_writer_meta(w, m);
	json_object_put(m);
	return err;
}

/* ---- names of VMs and vCPUs, as they appear ---- */

struct sink {
	struct ks_writer *w;
	struct ks_host *host;
	struct ks_exit_count *counts;
	size_t max_counts;
	struct ks_pace counts_pace, totals_pace;
	struct ks_host_unseen said; /* to whoever records */
	unsigned int policy;	    /* functions of policies that were attached to a second ago */
	bool warned;
	bool full; /* there is no room for more names */
	struct vm_kept vm;
	struct memory *memory; /* NULL: not wanted */
};

static struct json_object *vm_json(const struct ks_vminfo *vm)
{
	struct json_object *j = json_object_new_object();

	json_object_object_add(j, "name", json_object_new_string(vm->name));
	if (vm->uuid[0])
		json_object_object_add(j, "uuid", json_object_new_string(vm->uuid));
	if (vm->cid)
		json_object_object_add(j, "cid", json_object_new_int64(vm->cid));
	if (vm->ram)
		json_object_object_add(j, "ram_bytes", json_object_new_int64(vm->ram));
	return j;
}

static const char *thread_name(const struct ks_vminfo *vm, uint32_t tid)
{
	size_t i;

	for (i = 0; i < vm->nthreads; i++)
		if (vm->threads[i].tid == tid)
			return vm->threads[i].name;
	return "";
}

static void warn_nameless(struct sink *s, bool full)
{
	if (full && !s->full)
		cli_warn("too many vCPUs: the names of further ones are left out");
	s->full |= full;
}

static int name_vcpu(struct sink *s, const struct ks_rec *rec)
{
	struct json_object *m = json_object_new_object(), *vms = json_object_new_object();
	struct json_object *vcpus = json_object_new_object(), *vcpu = json_object_new_object();
	const struct ks_vminfo *vm = vm_kept_get(&s->vm, rec->a >> 32, rec->time);
	char key[16];
	int err = 0;

	json_object_object_add(m, "vms", vms);
	json_object_object_add(m, "vcpus", vcpus);
	if (vm) {
		snprintf(key, sizeof(key), "%u", vm->tgid);
		json_object_object_add(vms, key, vm_json(vm));
		json_object_object_add(vcpu, "comm",
				       json_object_new_string(thread_name(vm, (uint32_t)rec->a)));
		snprintf(key, sizeof(key), "%u", rec->id);
		json_object_object_add(vcpus, key, vcpu);
		cli_note("vCPU %llu of %s (pid %u)", (unsigned long long)rec->b, vm->name,
			 vm->tgid);
		err = ks_writer_names(s->w, m);
		warn_nameless(s, err > 0);
		if (err > 0)
			err = 0;
	} else {
		json_object_put(vcpu);
	}
	json_object_put(m);
	return err;
}

static int take(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	struct sink *s = ctx;
	int err = ks_writer_add(s->w, ring, recs, n);
	size_t i;

	for (i = 0; i < n && !err; i++) {
		if (recs[i].type != KS_VCPU_NEW)
			continue;
		err = name_vcpu(s, &recs[i]);
		if (s->memory)
			memory_vm(s->memory, recs[i].a >> 32);
	}
	return err;
}

/* Said when the first is missed, for there is time to begin anew, and at the end, if more were. */
static void warn_unseen(struct sink *s, const struct ks_host_unseen *now, bool last)
{
	struct ks_host_unseen *said = &s->said;

	if (now->vcpus > said->vcpus && (last || !said->vcpus)) {
		said->vcpus = now->vcpus;
		cli_warn("%llu vCPUs are not in the trace, there was no room: use --max-vcpus",
			 (unsigned long long)now->vcpus);
	}
	if (now->exits > said->exits && (last || !said->exits)) {
		said->exits = now->exits;
		cli_warn("%llu exits of new vCPUs were not seen: the kernel had no memory",
			 (unsigned long long)now->exits);
	}
}

static int write_totals(struct sink *s, bool last)
{
	struct json_object *m = json_object_new_object();
	struct ks_host_unseen unseen = ks_host_unseen(s->host);
	int err;

	json_object_object_add(m, "unseen_vcpus", json_object_new_int64(unseen.vcpus));
	json_object_object_add(m, "unseen_exits", json_object_new_int64(unseen.exits));
	json_object_object_add(m, "unseen_marks",
			       json_object_new_int64(ks_host_policy(s->host).unseen));
	err = ks_pace_meta(&s->totals_pace, s->w, m, ks_now_ns(), last);
	json_object_put(m);
	warn_unseen(s, &unseen, last);
	return err;
}

/* Policies come and go: since when what they do is in the trace, and what could not be attached. */
static int watch_policy(struct sink *s)
{
	struct ks_host_policy p;
	struct json_object *m;
	int err = 0;

	ks_host_watch_policy(s->host);
	p = ks_host_policy(s->host);
	if (p.why && !s->warned)
		cli_warn("what the policy does is not recorded: %s", p.why);
	s->warned = p.why;
	if (p.functions > s->policy) {
		m = json_object_new_object();
		json_object_object_add(m, "policy_from_ns", json_object_new_int64(ks_now_ns()));
		err = ks_writer_meta(s->w, m);
		json_object_put(m);
	}
	s->policy = p.functions;
	return err;
}

/*
 * All of them each time, for a reader takes the last ones: the less often, the longer it goes on,
 * since vCPUs that have ended stay among them.
 */
static int write_counts(struct sink *s, bool last)
{
	uint64_t now = ks_now_ns(), sum = 0;
	size_t n, i;

	if (!last && !ks_pace_due(&s->counts_pace, now))
		return 0;
	n = ks_host_exit_counts(s->host, s->counts, s->max_counts);
	for (i = 0; i < n; i++)
		sum += s->counts[i].count;
	if (!ks_pace_changed(&s->counts_pace, now, sum))
		return 0;
	return ks_writer_exit_counts(s->w, s->counts, n);
}

static int second(void *ctx, struct ks_writer *w, bool last)
{
	struct sink *s = ctx;
	int err = write_counts(s, last);

	if (!err && !last)
		err = watch_policy(s);
	if (!err && s->memory)
		err = memory_write(s->memory, w, last);
	if (!err)
		err = write_totals(s, last);
	return err;
}

/* ---- the recording ---- */

static int drain_probe(void *probe, ks_rings_fn fn, void *ctx)
{
	return ks_host_drain(probe, fn, ctx);
}

static int finish_probe(void *probe, ks_rings_fn fn, void *ctx)
{
	return ks_host_finish(probe, fn, ctx);
}

static const struct ks_rings *probe_rings(void *probe)
{
	return ks_host_rings(probe);
}

static void stop_probe(void *probe)
{
	ks_host_stop(probe);
}

static int record(const struct hostside_opts *o, struct ks_host *host)
{
	struct sink s = { .host = host };
	struct record_side side = {
		.probe = host,
		.drain = drain_probe,
		.finish = finish_probe,
		.rings = probe_rings,
		.stop = stop_probe,
		.take = take,
		.take_ctx = &s,
		.second = second,
		.second_ctx = &s,
	};
	struct ks_err err;
	int ret = ks_writer_open(&s.w, o->rec->out, KS_SIDE_HOST, MEMORY_RING + 1, &err);

	if (ret)
		return cli_fail(ret, &err);
	s.max_counts = ks_host_counts_max(host);
	s.counts = calloc(s.max_counts, sizeof(*s.counts));
	ret = s.counts ? write_meta(s.w, o, host) : -ENOMEM;
	if (!ret && o->memory_ns)
		ret = memory_new(&s.memory, o->memory_ns);
	if (ret) {
		snprintf(err.msg, sizeof(err.msg), "%s: %s", o->rec->out, strerror(-ret));
		ks_writer_abort(s.w);
		ret = cli_fail(ret, &err);
	} else {
		ret = record_run(s.w, o->rec, &side);
	}
	memory_free(s.memory);
	vm_kept_free(&s.vm);
	free(s.counts);
	return ret;
}

int hostside_record(struct hostside_opts *o)
{
	struct ks_host *host;
	struct ks_err err;
	int ret = vm_filter_resolve(&o->vms, &err);

	if (!ret) {
		o->host.tgids = o->vms.tgids;
		o->host.ntgids = o->vms.n;
		o->host.slots = o->rec->slots;
		o->host.policy = true;
		ret = ks_host_open(&host, &o->host, &err);
	}
	if (ret)
		return cli_fail(ret, &err);
	ret = record(o, host);
	ks_host_free(host);
	return ret;
}
