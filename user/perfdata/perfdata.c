// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "emit.h"
#include "err.h"
#include "exits.h"
#include "model.h"
#include "perfdata.h"
#include "text.h"

#define GUEST_CPUS 4096u /* of a guest alone, at most; perf sched has no room for more */

struct perf {
	struct ks_outfile *out;
	/* The header has sizes that are known at the end only: what goes to a pipe waits here. */
	struct ks_outfile spool;
	struct ks_outfile *to; /* one of the two */
	struct ks_pd_layout layout;
	struct ks_pd_file file;
	struct ks_pd_threads *threads;
	struct ks_pd_emit *emit;
	struct ks_pd_order *order;
	struct ks_pd_host *host;
	struct ks_pd_guest **guest; /* by source; [0] is the host's and NULL */
	const volatile int *stop;   /* may be NULL */
	uint32_t nsrc;
	struct ks_pd_vcpu_id *ids; /* by vCPU */
	const struct ks_analysis *analysis;
	uint32_t *map, *tgids; /* guests' CPUs -> vCPUs; processes of VMs */
	uint32_t guest_cpus;   /* of the guest that numbers most: so many of each in map */
	uint64_t newest, end;  /* time of the last event; of all that was asked for */
	uint64_t host_end;     /* what vCPUs do after it nobody knows; UINT64_MAX: not known when */
	bool host_over;
	char *text[6]; /* what struct ks_pd_machine points to */
	struct ks_pd_machine machine;
	char warning[256];
};

static int perf_open(void **self, struct ks_outfile *out, struct ks_err *err)
{
	struct perf *p = calloc(1, sizeof(*p));

	*self = p;
	if (!p)
		return ks_fail(err, -ENOMEM, "out of memory");
	p->out = p->to = out;
	if (!out->pipe)
		return 0;
	p->spool.f = tmpfile();
	p->to = &p->spool;
	return p->spool.f ? 0 : ks_fail(err, -errno, "a temporary file: %s", strerror(errno));
}

static void perf_close(void *self)
{
	struct perf *p = self;
	uint32_t i;

	if (p->spool.f)
		fclose(p->spool.f);
	for (i = 0; i < p->nsrc; i++)
		ks_pd_guest_free(p->guest[i]);
	for (i = 0; i < sizeof(p->text) / sizeof(p->text[0]); i++)
		free(p->text[i]);
	ks_pd_host_free(p->host);
	ks_pd_order_free(p->order);
	ks_pd_emit_free(p->emit);
	ks_pd_threads_free(p->threads);
	ks_pd_layout_release(&p->layout);
	free(p->guest);
	free(p->ids);
	free(p->map);
	free(p->tgids);
	free(p);
}

/* ---- what the metadata tell ---- */

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (o && json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

static uint64_t number(struct json_object *meta, const char *key)
{
	int64_t v = json_object_get_int64(member(meta, key));

	return v > 0 ? v : 0;
}

static const char *text(struct perf *p, unsigned int i, const char *s)
{
	char buf[128];

	p->text[i] = strdup(ks_printable(buf, sizeof(buf), s, strlen(s)));
	return p->text[i];
}

/* Whose exit reasons the host's records have, if its metadata name no vendor. */
static const char *vendor_of(uint32_t isa)
{
	return isa == KS_ISA_VMX ? "GenuineIntel" : "AuthenticAMD";
}

/* perf names exits by the vendor in this alone, and without one by the machine that it runs on. */
static const char *cpuid(struct perf *p, struct json_object *meta, const char *vendor)
{
	const char *own = ks_meta_str(member(meta, "perf"), "cpuid"),
		   *told = ks_meta_str(meta, "vendor");
	char buf[64];

	if (own[0])
		return text(p, 5, own);
	vendor = told[0] ? told : vendor;
	if (!vendor[0])
		return text(p, 5, "");
	snprintf(buf, sizeof(buf), "%s,0,0,0", vendor);
	return text(p, 5, buf);
}

static void learn_machine(struct perf *p, struct json_object *meta, uint32_t ncpus,
			  const char *vendor)
{
	const char *arch = ks_meta_str(member(meta, "perf"), "arch");

	p->machine.hostname = text(p, 0, ks_meta_str(meta, "hostname"));
	p->machine.release = text(p, 1, ks_meta_str(meta, "kernel"));
	p->machine.arch = text(p, 2, arch[0] ? arch : "x86_64");
	p->machine.cpudesc = text(p, 3, ks_meta_str(meta, "model"));
	p->machine.cpuid = cpuid(p, meta, vendor);
	p->machine.ncpus = ncpus;
	p->machine.mono_ns = number(meta, "start_mono_ns");
	p->machine.realtime_ns = number(meta, "start_realtime_ns");
}

static void warn_of(struct perf *p, const char *path)
{
	snprintf(p->warning, sizeof(p->warning),
		 "%.120s has no formats of tracepoints (an older recording, or no tracefs): those "
		 "of "
		 "Linux 6.12 are used",
		 path);
}

static int name_vcpus(struct perf *p, struct json_object *meta, const struct ks_vcpu *v, uint32_t n,
		      const struct ks_vm *vms)
{
	char key[16], otherwise[24];
	const char *comm;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++) {
		snprintf(key, sizeof(key), "%u", v[i].slot);
		snprintf(otherwise, sizeof(otherwise), "CPU %u/KVM", v[i].vcpu_id);
		comm = ks_meta_str(member(member(meta, "vcpus"), key), "comm");
		ret = ks_pd_threads_add(p->threads, KS_PD_HOST, v[i].tid, vms[v[i].vm].tgid, i,
					comm[0] ? comm : otherwise);
	}
	return ret;
}

/* ---- a host and its guests ---- */

static struct ks_pd_context context(const struct perf *p)
{
	return (struct ks_pd_context){ &p->layout, p->threads, p->order };
}

/* CPUs that guests number: a vCPU without an exit is not known, but those after it count it. */
static uint32_t count_guest_cpus(const struct ks_vcpu *v, uint32_t n)
{
	uint32_t i, cpus = 0;

	for (i = 0; i < n; i++)
		if (v[i].guest_cpu >= (int32_t)cpus)
			cpus = (uint32_t)v[i].guest_cpu + 1;
	return cpus;
}

/* Where it says which vCPU has this one's number in its guest; NULL: that is not known. */
static uint32_t *place_of_cpu(const struct perf *p, const struct ks_vcpu *v)
{
	if (v->guest_cpu < 0 || (uint32_t)v->guest_cpu >= p->guest_cpus)
		return NULL;
	return &p->map[1ul * v->vm * p->guest_cpus + v->guest_cpu];
}

/* From its first exit on this vCPU has its number. */
static void remap_cpu(struct perf *p, uint32_t slot)
{
	uint32_t n, vcpu = ks_analysis_slot(p->analysis, slot), *at;
	const struct ks_vcpu *v = ks_analysis_vcpus(p->analysis, &n);

	at = vcpu < n ? place_of_cpu(p, &v[vcpu]) : NULL;
	if (at)
		*at = vcpu;
}

/* CPU numbers inside each guest -> vCPUs: guest_cpus of them for each VM. */
static int map_cpus(struct perf *p, const struct ks_vcpu *v, uint32_t n, const struct ks_vm *vms,
		    uint32_t nvms)
{
	size_t len = 1ul * nvms * p->guest_cpus + 1;
	uint32_t i, *at;

	p->ids = calloc(n + 1ul, sizeof(*p->ids));
	p->tgids = calloc(nvms + 1ul, sizeof(*p->tgids));
	p->map = malloc(len * sizeof(*p->map));
	if (!p->ids || !p->tgids || !p->map)
		return -ENOMEM;
	memset(p->map, 0xff, len * sizeof(*p->map));
	for (i = 0; i < n; i++) {
		p->ids[i].vm = v[i].vm;
		p->ids[i].machine_pid = vms[v[i].vm].tgid;
		p->ids[i].vcpu = v[i].vcpu_id;
		at = place_of_cpu(p, &v[i]);
		if (at && *at == KS_NO_VCPU) /* another one may have its number later */
			*at = i;
	}
	for (i = 0; i < nvms; i++)
		p->tgids[i] = vms[i].tgid;
	return 0;
}

/* What comes before the part that was asked for is not seen as an event. */
static void remap_before(struct perf *p, const struct ks_export_input *in)
{
	const struct ks_rec *ctl;
	size_t n, i;

	ctl = ks_reader_control(ks_session_host(in->session), &n);
	for (i = 0; i < n; i++)
		if (ctl[i].type == KS_VCPU_NEW && ctl[i].time < in->from)
			remap_cpu(p, ctl[i].id);
}

static int name_idle(struct perf *p, uint32_t vm, const uint32_t *map, uint32_t ncpus)
{
	char comm[24];
	uint32_t i;
	int ret = 0;

	for (i = 0; i < ncpus && !ret; i++) {
		snprintf(comm, sizeof(comm), "swapper/%u", i);
		if (map[i] != KS_NO_VCPU)
			ret = ks_pd_threads_add(p->threads, KS_PD_GUEST(vm), KS_PD_IDLE + i,
						KS_PD_IDLE + i, KS_NO_VCPU, comm);
	}
	return ret;
}

static int add_guests(struct perf *p, const struct ks_session *s, const struct ks_vm *vms,
		      uint32_t nvms)
{
	struct ks_pd_context c = context(p);
	struct ks_reader *guest;
	uint32_t i, *map;
	int ret = 0;

	for (i = 0; i < nvms && !ret; i++) {
		guest = ks_session_guest(s, i);
		if (!guest || vms[i].guest_src < 1 || (uint32_t)vms[i].guest_src >= p->nsrc)
			continue;
		map = p->map + 1ul * i * p->guest_cpus;
		ret = ks_pd_threads_tasks(p->threads, KS_PD_GUEST(i), ks_reader_meta(guest));
		ret = ret ?: name_idle(p, i, map, p->guest_cpus);
		ret = ret   ?:
			      ks_pd_guest_new(&p->guest[vms[i].guest_src], &c, i, map,
					      p->guest_cpus, p->host);
	}
	return ret;
}

static int make_layout(struct perf *p, const struct ks_session *s, uint32_t nvms, uint32_t nvcpus,
		       uint32_t isa)
{
	struct json_object **metas = calloc(nvms + 1ul, sizeof(*metas));
	const char *guest_path = NULL;
	struct ks_reader *guest;
	uint32_t i, n = 0;
	int ret;

	if (!metas)
		return -ENOMEM;
	for (i = 0; i < nvms; i++) {
		guest = ks_session_guest(s, i);
		if (!guest)
			continue;
		guest_path = guest_path ?: ks_reader_path(guest);
		metas[n++] = ks_reader_meta(guest);
	}
	ret = ks_pd_layout_make(&p->layout, ks_reader_meta(ks_session_host(s)), metas, n, nvcpus,
				isa);
	free(metas);
	if (!ret && ks_pd_layout_guessed(&p->layout, false))
		warn_of(p, ks_reader_path(ks_session_host(s)));
	else if (!ret && ks_pd_layout_guessed(&p->layout, true))
		warn_of(p, guest_path);
	return ret;
}

static int begin_session(struct perf *p, const struct ks_export_input *in)
{
	struct json_object *meta = ks_reader_meta(ks_session_host(in->session));
	uint32_t nvms, n, isa = strcmp(ks_meta_str(meta, "isa"), "vmx") ? KS_ISA_SVM : KS_ISA_VMX;
	const struct ks_vm *vms = ks_analysis_vms(ks_session_analysis(in->session), &nvms);
	const struct ks_vcpu *v = ks_analysis_vcpus(ks_session_analysis(in->session), &n);
	struct ks_pd_context c;
	int ret;

	p->analysis = ks_session_analysis(in->session);
	p->nsrc = nvms + 1;
	p->guest = calloc(p->nsrc, sizeof(*p->guest));
	learn_machine(p, meta, number(meta, "ncpus"), vendor_of(isa));
	ret = p->guest ? make_layout(p, in->session, nvms, n, isa) : -ENOMEM;
	p->guest_cpus = count_guest_cpus(v, n);
	ret = ret ?: map_cpus(p, v, n, vms, nvms);
	if (!ret)
		remap_before(p, in);
	ret = ret ?: name_vcpus(p, meta, v, n, vms);
	c = context(p);
	ret = ret ?: ks_pd_host_new(&p->host, &c, v, n, p->tgids, isa);
	return ret ?: add_guests(p, in->session, vms, nvms);
}

/* ---- a guest alone ---- */

static int begin_alone(struct perf *p, const struct ks_export_input *in)
{
	struct json_object *meta = ks_reader_meta(in->alone);
	uint64_t n = number(meta, "ncpus");
	struct ks_pd_context c;
	uint32_t i;
	int ret;

	n = n < 1 ? 1 : n > GUEST_CPUS ? GUEST_CPUS : n;
	p->nsrc = 2;
	p->guest = calloc(p->nsrc, sizeof(*p->guest));
	p->map = calloc(n, sizeof(*p->map));
	if (!p->guest || !p->map)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		p->map[i] = i;
	learn_machine(p, meta, n, "");
	ret = ks_pd_layout_make(&p->layout, NULL, &meta, 1, 0, 0);
	if (!ret && ks_pd_layout_guessed(&p->layout, true))
		warn_of(p, ks_reader_path(in->alone));
	ret = ret ?: ks_pd_threads_tasks(p->threads, KS_PD_GUEST(0), meta);
	c = context(p);
	return ret ?: ks_pd_guest_new(&p->guest[1], &c, 0, p->map, n, NULL);
}

/* ---- the exporter ---- */

static bool stopped(const struct perf *p)
{
	return p->stop && *p->stop;
}

/* A few records may stand for gigabytes of samples: it must be possible to end them at any time. */
static bool put_sample(void *self, const struct ks_pd_sample *s)
{
	struct perf *p = self;

	ks_pd_emit_sample(p->emit, s);
	return !p->to->err && !stopped(p);
}

static uint64_t host_end(const struct ks_export_input *in)
{
	uint64_t first, last;

	if (in->alone || !ks_reader_span(ks_session_host(in->session), &first, &last))
		return UINT64_MAX;
	last = ks_reader_stopped(ks_session_host(in->session));
	return last < in->to ? last : in->to;
}

static int perf_begin(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	struct perf *p = self;
	int ret = ks_pd_threads_new(&p->threads);

	p->end = in->to;
	p->host_end = host_end(in);
	p->stop = in->stop;
	ret = ret ?: ks_pd_emit_new(&p->emit, &p->file, &p->layout, p->threads, in->names);
	ret = ret ?: ks_pd_order_new(&p->order, put_sample, p);
	ret = ret ?: in->alone ? begin_alone(p, in) : begin_session(p, in);
	if (ret)
		return ks_fail(err, ret, "%.150s: %s", p->out->path, strerror(-ret));
	ks_pd_file_begin(&p->file, p->to, &p->layout);
	ks_pd_emit_start(p->emit, p->ids);
	return 0;
}

/* The host's recording may end before its guests' do. */
static void end_host(struct perf *p)
{
	if (p->host && !p->host_over)
		ks_pd_host_end(p->host, p->host_end < UINT64_MAX ? p->host_end : p->newest);
	p->host_over = true;
}

static void perf_event(void *self, const struct ks_event *ev)
{
	struct perf *p = self;

	/* A loss may reach beyond what was asked for; what runs does not run on for it. */
	p->newest = ev->time < p->end ? ev->time : p->end;
	if (ev->time > p->host_end)
		end_host(p);
	if (!ev->src && ev->rec->type == KS_VCPU_NEW)
		remap_cpu(p, ev->rec->id);
	if (!ev->src)
		ks_pd_host_event(p->host, ev);
	else if (ev->src < p->nsrc && p->guest[ev->src])
		ks_pd_guest_event(p->guest[ev->src], ev);
}

static void perf_ops(void *self, struct ks_analysis_ops *ops)
{
	ops->event = perf_event;
	ops->ctx = self;
}

static int perf_failed(const void *self)
{
	const struct perf *p = self;

	return ks_pd_order_failed(p->order) ?: p->to->err;
}

static const char *perf_warning(const void *self)
{
	const struct perf *p = self;

	return p->warning[0] ? p->warning : NULL;
}

static int copy_spool(struct perf *p)
{
	char buf[1 << 14];
	size_t n;

	if (fseeko(p->spool.f, 0, SEEK_SET))
		return -errno;
	while (!p->out->err && !stopped(p) && (n = fread(buf, 1, sizeof(buf), p->spool.f)))
		ks_outfile_write(p->out, buf, n);
	return ferror(p->spool.f) ? -EIO : p->out->err;
}

static int perf_finish(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	struct perf *p = self;
	int ret;

	(void)in;
	end_host(p);
	ks_pd_order_flush(p->order);
	ret = ks_pd_file_end(&p->file, &p->machine);
	if (!ret && p->spool.f)
		ret = copy_spool(p);
	if (!ret && stopped(p))
		return ks_fail(err, -ECANCELED, "interrupted");
	return ret ? ks_outfile_fail(p->out, ret, err) : 0;
}

const struct ks_exporter ks_export_perf = {
	.name = "perf",
	.help = "perf.data, host and guests in one: for perf script, kvm stat, sched, lock",
	.guest_alone = true,
	.open = perf_open,
	.ops = perf_ops,
	.begin = perf_begin,
	.failed = perf_failed,
	.warning = perf_warning,
	.finish = perf_finish,
	.close = perf_close,
};
