// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "hash.h"
#include "symbols.h"

#define RECORD_ID_INDEX 69 /* tools/lib/perf/include/perf/event.h */
#define ANY UINT64_MAX
#define SYMBOLS 65536u			/* that are told to perf, at most */
#define SYMBOL_NAME 128			/* bytes of a name, at most */
#define NO_KERNEL 0xffffffffffe00000ull /* the vsyscall page's neighbourhood: never code */
/* perf lock contention passes over 3 (6.1) or 4 frames (--stack-skip), and over lock functions. */
#define LOCK_FRAMES 4
#define KERNEL 0xffff800000000000ull /* and above: addresses of kernels */
#define MACHINES 200u		     /* guests whose threads have numbers of their own */

/* A record is put together here, then written in one go. */
struct record {
	struct perf_event_header h;
	uint8_t body[8192];
	size_t n; /* bytes of the body */
};

struct guest_code {
	uint32_t machine;
	uint64_t slowpath, lock; /* 0 = not known */
};

struct ks_pd_emit {
	struct ks_pd_file *file;
	const struct ks_pd_layout *layout;
	const struct ks_pd_threads *threads;
	const struct ks_names *names;
	uint64_t *told; /* open addressing: symbols that perf knows, by machine and address */
	uint32_t ntold;
	uint64_t seed; /* addresses are a guest's to choose */
	/* The last ones asked for. */
	struct guest_code code;
	uint64_t lock;
	uint32_t lock_machine;
	char lock_name[KS_PD_STRING];
	struct record r;
};

int ks_pd_emit_new(struct ks_pd_emit **out, struct ks_pd_file *file, const struct ks_pd_layout *l,
		   const struct ks_pd_threads *threads, const struct ks_names *names)
{
	struct ks_pd_emit *e = calloc(1, sizeof(*e));

	*out = e;
	if (!e)
		return -ENOMEM;
	e->file = file;
	e->layout = l;
	e->threads = threads;
	e->names = names;
	e->seed = ks_hash_seed();
	e->told = calloc(2 * SYMBOLS, sizeof(*e->told));
	return e->told ? 0 : -ENOMEM;
}

void ks_pd_emit_free(struct ks_pd_emit *e)
{
	if (!e)
		return;
	free(e->told);
	free(e);
}

/* ---- a record ---- */

static void begin(struct record *r, uint32_t type, uint16_t misc)
{
	r->h.type = type;
	r->h.misc = misc;
	r->n = 0;
}

static void put(struct record *r, const void *p, size_t len)
{
	memcpy(r->body + r->n, p, len);
	r->n += len;
}

static void put_u32(struct record *r, uint32_t v)
{
	put(r, &v, sizeof(v));
}

static void put_u64(struct record *r, uint64_t v)
{
	put(r, &v, sizeof(v));
}

/* A string, padded with NULs so that the body goes on at a multiple of 8. */
static void put_string(struct record *r, const char *s, size_t max)
{
	size_t len = strnlen(s, max - 1), end = (r->n + len + 8) & ~7ul;

	memset(r->body + r->n, 0, end - r->n);
	memcpy(r->body + r->n, s, len);
	r->n = end;
}

static void finish(struct ks_pd_emit *e)
{
	e->r.h.size = sizeof(e->r.h) + e->r.n;
	ks_pd_file_add(e->file, &e->r, e->r.h.size);
}

/*
 * Host and guests number their threads each by themselves, and perf takes all for the host's unless
 * told of its guests: so a guest's get numbers that the host has not.
 */
static uint32_t tid_in_file(const struct ks_pd_emit *e, uint32_t machine, uint32_t tid)
{
	if (machine == KS_PD_HOST || e->layout->alone || tid >= KS_PD_TIDS)
		return tid;
	return (1 + (machine - KS_PD_GUEST(0)) % MACHINES) * KS_PD_TIDS + tid;
}

static void put_thread(struct ks_pd_emit *e, uint32_t machine, uint32_t pid, uint32_t tid)
{
	put_u32(&e->r, tid_in_file(e, machine, pid));
	put_u32(&e->r, tid_in_file(e, machine, tid));
}

/* What all records but samples end with (sample_id_all). */
static void put_sample_id(struct ks_pd_emit *e, const struct ks_pd_sample *s)
{
	struct record *r = &e->r;

	put_thread(e, s->machine, s->pid, s->tid);
	put_u64(r, s->time);
	put_u32(r, s->cpu);
	put_u32(r, 0);
	put_u64(r, s->id);
}

static uint16_t cpumode(const struct ks_pd_emit *e, const struct ks_pd_sample *s)
{
	return s->machine == KS_PD_HOST || e->layout->alone ? PERF_RECORD_MISC_KERNEL :
							      PERF_RECORD_MISC_GUEST_KERNEL;
}

static bool is_wait(const struct ks_pd_sample *s)
{
	return s->event == PD_WAIT_BEGIN || s->event == PD_WAIT_END;
}

/* ---- before the samples ---- */

static void put_index(struct record *r, uint64_t id)
{
	put_u64(r, id);
	put_u64(r, 0);	 /* idx */
	put_u64(r, ANY); /* CPU */
	put_u64(r, ANY); /* thread */
}

/*
 * The ids of one event that belong to one vCPU each. Entries come in two arrays; a record has less
 * than 64 KiB, so each gets one of its own.
 */
static void emit_ids(struct ks_pd_emit *e, enum ks_pd_event event,
		     const struct ks_pd_vcpu_id *vcpus)
{
	uint32_t i, n = ks_pd_layout_ids(e->layout, event);
	bool guest = event >= PD_HOST_EVENTS;

	for (i = 0; i < n; i++) {
		begin(&e->r, RECORD_ID_INDEX, 0);
		put_u64(&e->r, 1);
		put_index(&e->r, ks_pd_layout_id(e->layout, event, i));
		put_u64(&e->r, guest ? vcpus[i].machine_pid : 0);
		put_u64(&e->r, guest ? vcpus[i].vcpu : ANY);
		finish(e);
	}
}

/*
 * perf lock asks the host's kernel for a map before anything else, and crashes if there is none
 * (6.12). This one is a page that no symbol lies in, and its reference is wrong on every machine: so
 * perf does not take names from the kernel that it runs on for addresses of the ones recorded.
 */
static void emit_kernel_map(struct ks_pd_emit *e, uint32_t id)
{
	struct ks_pd_sample s = { .pid = UINT32_MAX, .id = id };

	begin(&e->r, PERF_RECORD_MMAP, PERF_RECORD_MISC_KERNEL);
	put_u32(&e->r, UINT32_MAX); /* pid */
	put_u32(&e->r, 0);
	put_u64(&e->r, NO_KERNEL);
	put_u64(&e->r, 4096);
	put_u64(&e->r, NO_KERNEL); /* where _text is */
	put_string(&e->r, "[kernel.kallsyms]_text", 64);
	put_sample_id(e, &s);
	finish(e);
}

/* Time 0: known before everything. */
static void emit_comm(struct ks_pd_emit *e, const struct ks_pd_thread *t, uint32_t id)
{
	struct ks_pd_sample s = { .machine = t->machine, .pid = t->pid, .tid = t->tid, .id = id };
	bool host = t->machine == KS_PD_HOST || e->layout->alone;

	begin(&e->r, PERF_RECORD_COMM, host ? PERF_RECORD_MISC_USER : PERF_RECORD_MISC_GUEST_USER);
	put_thread(e, t->machine, t->pid, t->tid);
	put_string(&e->r, t->comm, sizeof(t->comm));
	put_sample_id(e, &s);
	finish(e);
}

/* Any id of this machine will do: it tells perf whose thread that is. */
static uint32_t machine_id(const struct ks_pd_emit *e, uint32_t machine,
			   const struct ks_pd_vcpu_id *vcpus)
{
	uint32_t i;

	if (machine == KS_PD_HOST || e->layout->alone)
		return ks_pd_layout_id(e->layout, e->layout->alone ? PD_HOST_EVENTS : 0, 0);
	for (i = 0; i < e->layout->nvcpus; i++)
		if (KS_PD_GUEST(vcpus[i].vm) == machine)
			break;
	return ks_pd_layout_id(e->layout, PD_HOST_EVENTS, i);
}

void ks_pd_emit_start(struct ks_pd_emit *e, const struct ks_pd_vcpu_id *vcpus)
{
	const struct ks_pd_thread *t;
	uint32_t i;
	int ev;

	for (ev = 0; ev < PD_EVENTS && !e->layout->alone; ev++)
		if (e->layout->desc[ev].used)
			emit_ids(e, ev, vcpus);
	emit_kernel_map(e, machine_id(e, KS_PD_HOST, vcpus));
	for (i = 0; (t = ks_pd_threads_at(e->threads, i)); i++)
		emit_comm(e, t, machine_id(e, t->machine, vcpus));
}

/*
 * ---- symbols: told when the first sample has an address in them, with time 0. perf takes such
 * records in as it reads, before it delivers the samples: it does not find what is inserted between
 * two look-ups (6.12).
 */

/* Has this been told? From now on it has. */
static bool tell(struct ks_pd_emit *e, uint64_t addr, uint32_t vm, bool symbol)
{
	uint64_t key = ks_hash(addr ^ ((uint64_t)vm * 2 + symbol) << 47, e->seed) | 1;
	uint32_t i = key >> 40 & (2 * SYMBOLS - 1);

	for (; e->told[i]; i = (i + 1) & (2 * SYMBOLS - 1))
		if (e->told[i] == key)
			return false;
	if (e->ntold == SYMBOLS)
		return false;
	e->told[i] = key;
	e->ntold++;
	return true;
}

static void emit_symbol(struct ks_pd_emit *e, const struct ks_symbol *sym,
			const struct ks_pd_sample *s, uint16_t misc)
{
	uint64_t len = sym->next > sym->addr ? sym->next - sym->addr : 1;
	struct ks_pd_sample id = *s;

	id.time = 0;
	begin(&e->r, PERF_RECORD_KSYMBOL, misc);
	put_u64(&e->r, sym->addr);
	put_u32(&e->r, len < 1u << 20 ? len : 1u << 20);
	put_u32(&e->r, PERF_RECORD_KSYMBOL_TYPE_OOL); /* and no flags, 16 bits each */
	put_string(&e->r, sym->name, SYMBOL_NAME);
	put_sample_id(e, &id);
	finish(e);
}

/*
 * A symbol is told of its guest, and of the host as well: perf lock looks all addresses up there,
 * and the file has none of the host's own kernel.
 */
static void tell_both(struct ks_pd_emit *e, const struct ks_symbol *sym,
		      const struct ks_pd_sample *s)
{
	struct ks_pd_sample host = *s;

	emit_symbol(e, sym, s, cpumode(e, s));
	if (e->layout->alone || s->machine == KS_PD_HOST)
		return;
	host.id = ks_pd_layout_id(e->layout, 0, 0);
	emit_symbol(e, sym, &host, PERF_RECORD_MISC_KERNEL);
}

static void tell_symbol(struct ks_pd_emit *e, uint64_t addr, const struct ks_pd_sample *s)
{
	struct ks_symbol sym;

	if (addr >= KERNEL && e->names && tell(e, addr, s->vm, false) &&
	    !ks_names_lookup(e->names, s->vm, addr, &sym) && tell(e, sym.addr, s->vm, true))
		tell_both(e, &sym, s);
}

static void tell_name(struct ks_pd_emit *e, const char *name, const struct ks_pd_sample *s)
{
	struct ks_symbol sym = { .name = name };

	if (!ks_names_addr(e->names, s->vm, name, &sym.addr))
		tell_both(e, &sym, s);
}

/* Functions of a guest's kernel; perf needs the marks to know lock functions. */
static const struct guest_code *guest_code(struct ks_pd_emit *e, const struct ks_pd_sample *s)
{
	static const char *const marks[] = { "__lock_text_start", "__lock_text_end",
					     "__sched_text_start", "__sched_text_end" };
	struct guest_code *c = &e->code;
	size_t i;

	if (c->machine == s->machine)
		return c;
	*c = (struct guest_code){ .machine = s->machine };
	if (!e->names)
		return c;
	if (ks_names_addr(e->names, s->vm, "native_queued_spin_lock_slowpath", &c->slowpath))
		ks_names_addr(e->names, s->vm, "queued_spin_lock_slowpath", &c->slowpath);
	ks_names_addr(e->names, s->vm, "_raw_spin_lock", &c->lock);
	for (i = 0; i < 4 && tell(e, i, s->vm, false); i++)
		tell_name(e, marks[i], s);
	return c;
}

/* ---- samples ---- */

/*
 * The waiter's call site is on record, the functions between it and the tracepoint are not: what is
 * passed over anyway stands for them, or 0 if their addresses are not known.
 */
static void put_callchain(struct ks_pd_emit *e, const struct ks_pd_sample *s)
{
	const struct guest_code *c = guest_code(e, s);
	int i;

	put_u64(&e->r, LOCK_FRAMES + 2);
	put_u64(&e->r, (uint64_t)PERF_CONTEXT_KERNEL);
	for (i = 0; i < LOCK_FRAMES - 1; i++)
		put_u64(&e->r, c->slowpath);
	put_u64(&e->r, c->lock);
	put_u64(&e->r, s->v[2]);
}

static void put_raw(struct record *r, const struct ks_pd_plan *p, const struct ks_pd_values *v)
{
	uint8_t *raw = r->body + r->n + sizeof(uint32_t);
	size_t len = ks_pd_encode(p, v, raw), end = (r->n + 4 + len + 7) & ~7ul;

	memset(raw + len, 0, r->body + end - (raw + len));
	put_u32(r, end - r->n - 4);
	r->n = end;
}

static const char *lock_name(struct ks_pd_emit *e, const struct ks_pd_sample *s)
{
	struct ks_symbol sym;

	if (e->lock == s->v[0] && e->lock_machine == s->machine)
		return e->lock_name;
	e->lock = s->v[0];
	e->lock_machine = s->machine;
	if (!e->names || ks_names_lookup(e->names, s->vm, s->v[0], &sym))
		snprintf(e->lock_name, sizeof(e->lock_name), "0x%" PRIx64, s->v[0]);
	else if (s->v[0] == sym.addr)
		snprintf(e->lock_name, sizeof(e->lock_name), "%s", sym.name);
	else
		snprintf(e->lock_name, sizeof(e->lock_name), "%.40s+0x%" PRIx64, sym.name,
			 s->v[0] - sym.addr);
	return e->lock_name;
}

static void values(struct ks_pd_emit *e, const struct ks_pd_sample *s, struct ks_pd_values *v,
		   char comm[2][KS_PD_COMM])
{
	memcpy(v->v, s->v, sizeof(v->v));
	v->tid = tid_in_file(e, s->machine, s->tid);
	v->comm0 = v->comm1 = v->lock = NULL;
	switch (s->event) {
	case PD_SWITCH:
	case PD_G_SWITCH:
		v->comm1 = ks_pd_threads_comm(e->threads, s->machine, s->v[1], s->cpu, comm[1]);
		v->v[1] = tid_in_file(e, s->machine, s->v[1]);
		/* fall through */
	case PD_WAKING:
	case PD_MIGRATE:
	case PD_RUNTIME:
	case PD_G_WAKEUP:
	case PD_G_MIGRATE:
	case PD_G_RUNTIME:
		v->comm0 = ks_pd_threads_comm(e->threads, s->machine, s->v[0], s->cpu, comm[0]);
		v->v[0] = tid_in_file(e, s->machine, s->v[0]);
		break;
	case PD_ACQUIRE:
	case PD_CONTENDED:
	case PD_ACQUIRED:
	case PD_RELEASE:
		v->lock = lock_name(e, s);
		break;
	}
}

static void emit_lost(struct ks_pd_emit *e, const struct ks_pd_sample *s)
{
	begin(&e->r, PERF_RECORD_LOST, cpumode(e, s));
	put_u64(&e->r, s->id);
	put_u64(&e->r, s->v[1]);
	put_sample_id(e, s);
	finish(e);
}

/* Where it happened, in the guest: an exit's instruction, a waiter's call site. */
static uint64_t address(const struct ks_pd_sample *s)
{
	if (s->event == PD_KVM_EXIT || s->event == PD_KVM_ENTRY)
		return s->v[0];
	return is_wait(s) ? s->v[2] : 0;
}

static void emit_tracepoint(struct ks_pd_emit *e, const struct ks_pd_sample *s)
{
	char comm[2][KS_PD_COMM];
	struct ks_pd_values v;

	values(e, s, &v, comm);
	begin(&e->r, PERF_RECORD_SAMPLE, cpumode(e, s));
	put_u64(&e->r, s->id);
	put_u64(&e->r, address(s));
	put_thread(e, s->machine, s->pid, s->tid);
	put_u64(&e->r, s->time);
	put_u32(&e->r, s->cpu);
	put_u32(&e->r, 0);
	put_u64(&e->r, 1); /* period */
	if (is_wait(s))
		put_callchain(e, s);
	else if (ks_pd_has_callchain(s->event))
		put_u64(&e->r, 0);
	put_raw(&e->r, &e->layout->desc[s->event].plan, &v);
	finish(e);
}

static void tell_symbols(struct ks_pd_emit *e, const struct ks_pd_sample *s)
{
	const struct guest_code *c;

	tell_symbol(e, address(s), s);
	if (!is_wait(s))
		return;
	c = guest_code(e, s);
	tell_symbol(e, s->v[0], s); /* the lock, if it has a name */
	tell_symbol(e, c->slowpath, s);
	tell_symbol(e, c->lock, s);
}

void ks_pd_emit_sample(struct ks_pd_emit *e, const struct ks_pd_sample *s)
{
	if (s->time < e->file->first)
		e->file->first = s->time;
	if (s->time > e->file->last)
		e->file->last = s->time;
	if (s->event == PD_LOST) {
		emit_lost(e, s);
		return;
	}
	tell_symbols(e, s);
	emit_tracepoint(e, s);
}
