// SPDX-License-Identifier: GPL-2.0
/*
 * Draws a scene of a made-up machine, to look at and to test the drawing with, at any size.
 *
 *   plot_scene [-c vCPUs] [-p pCPUs] [-n items] [-s seed] [-m max_items] [-H] [-L lost] FILE
 *
 * FILE ends in .svg or .html. The machine is simulated in steps of 4 us: vCPUs take turns on the
 * pCPUs, take FIFO locks, and leave with PLE exits while they wait. -H gives it hostile names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plot.h"

#define STEP 4000ull /* ns */
#define SLICE 3000000ull
#define MAX_VCPUS 256
#define NLOCKS 3
#define T0 81234567890123ull

enum doing { COMPUTE, WAIT, HOLD, HALT };

struct cpu {
	enum doing doing;
	uint64_t left; /* ns to go, of COMPUTE, HOLD (run time) and HALT */
	unsigned int lock;
	uint64_t ticket; /* place in the lock's queue */
	uint64_t acq;
	uint64_t off; /* off-CPU while holding */
	uint64_t next_ple;
	struct ks_wait wait;
	bool waiting;
	bool on; /* has a pCPU */
	int pcpu;
	uint64_t slice;
	enum ks_vstate state;
	uint64_t since;
	/* By class: who was blamed last, and for how long it was off-CPU. */
	unsigned int whom[KS_C_WAIT_MAX];
	uint64_t off_ns[KS_C_WAIT_MAX];
	bool inner; /* the interrupt's wait below is open */
	struct ks_wait in;
};

struct world {
	struct cpu cpu[MAX_VCPUS];
	unsigned int ncpus, npcpus;
	int holder[NLOCKS]; /* -1 = free */
	uint64_t next_ticket[NLOCKS];
	uint64_t now, items;
	unsigned int rr;
	uint64_t seed;
	struct ks_analysis_ops ops;
};

static uint32_t rnd(struct world *w)
{
	w->seed = w->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(w->seed >> 33);
}

static uint64_t between(struct world *w, uint64_t lo, uint64_t hi)
{
	return lo + rnd(w) % (hi - lo);
}

static uint64_t lock_addr(unsigned int lock)
{
	return 0xffff888104a3c800ull + lock * 0x1240;
}

static void set_state(struct world *w, unsigned int i, enum ks_vstate state)
{
	struct cpu *c = &w->cpu[i];
	struct ks_segment s = { i, c->state, c->state == KS_V_RUNNING ? c->pcpu : -1, c->since,
				w->now };

	if (state == c->state)
		return;
	if (s.to > s.from) {
		w->ops.segment(w->ops.ctx, &s);
		w->items++;
	}
	c->state = state;
	c->since = w->now;
}

static uint64_t call_site(unsigned int lock)
{
	return 0xffffffff81200000ull + lock * 0x10040 + 0x1a;
}

static void begin_wait(struct world *w, unsigned int i, unsigned int lock)
{
	struct cpu *c = &w->cpu[i];

	c->doing = WAIT;
	c->lock = lock;
	c->ticket = w->next_ticket[lock]++;
	c->wait = (struct ks_wait){ .vcpu = i,
				    .lock = lock_addr(lock),
				    .ip = call_site(lock),
				    .pid = 4000 + i,
				    .try_time = w->now,
				    .blame_vcpu = KS_NO_VCPU };
	c->next_ple = w->now + between(w, 8000, 60000);
	memset(c->off_ns, 0, sizeof(c->off_ns));
}

static unsigned int next_in_order(const struct world *w, unsigned int lock)
{
	unsigned int best = 0;
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < w->ncpus; i++)
		if (w->cpu[i].doing == WAIT && w->cpu[i].lock == lock && w->cpu[i].ticket < least) {
			least = w->cpu[i].ticket;
			best = i;
		}
	return best;
}

static void blame(struct cpu *c, enum ks_class class, unsigned int whom)
{
	c->whom[class] = whom;
	c->off_ns[class] += class == KS_C_BUSY ? 0 : STEP;
}

/* The rules of the verdict, for one step of a wait. */
static enum ks_class class_now(struct world *w, unsigned int i)
{
	struct cpu *c = &w->cpu[i];
	int h = w->holder[c->lock];
	unsigned int n = next_in_order(w, c->lock);

	if (!c->on)
		return KS_C_SELF;
	if (h >= 0) {
		enum ks_class class = w->cpu[h].on ? KS_C_BUSY : KS_C_LHP;

		blame(c, class, (unsigned int)h);
		return class;
	}
	if (w->cpu[n].on)
		return KS_C_HANDOFF;
	blame(c, KS_C_LWP, n);
	return KS_C_LWP;
}

static bool blamable(enum ks_class class)
{
	return class == KS_C_LHP || class == KS_C_BUSY || class == KS_C_LWP;
}

/* The verdict if somebody else is behind it, else the largest class of which that is so. */
static void set_blame(const struct cpu *c, struct ks_wait *k)
{
	enum ks_class best = KS_C_BUSY;

	for (int v = 0; v < KS_C_WAIT_MAX; v++)
		if (blamable((enum ks_class)v) && k->share[v] > k->share[best])
			best = (enum ks_class)v;
	k->blame_class = best;
	if (!k->share[best])
		return;
	k->blame_vcpu = c->whom[best];
	k->blame_pid = 4000 + c->whom[best];
	k->blame_ip = call_site(c->lock) + 0x40;
	k->blame_off_ns = c->off_ns[best];
}

static void ple(struct world *w, unsigned int i, enum ks_class class)
{
	struct ks_ple p = {
		.vcpu = i,
		.time = w->now + between(w, 0, STEP),
		.ip = call_site(0),
		.count = 1,
		.class = class,
	};

	w->ops.ple(w->ops.ctx, &p);
	w->items++;
}

static void end_wait(struct world *w, struct ks_wait *k, bool acquired)
{
	k->acq_time = w->now;
	k->acquired = acquired;
	k->verdict = KS_C_UNKNOWN;
	for (int v = 0; v < KS_C_WAIT_MAX; v++)
		if (k->share[v] > k->share[k->verdict])
			k->verdict = (enum ks_class)v;
	if (k->acq_time - k->try_time < 2 * STEP)
		return;
	w->ops.wait(w->ops.ctx, k);
	w->items++;
}

static void spin(struct world *w, unsigned int i)
{
	struct cpu *c = &w->cpu[i];
	enum ks_class class = class_now(w, i);

	c->wait.share[class] += STEP;
	if (c->on && w->now >= c->next_ple && class != KS_C_SELF) {
		ple(w, i, class);
		c->wait.ple[class]++;
		c->wait.ple_total++;
		c->next_ple = w->now + between(w, 20000, 90000);
		/* A directed yield that found nobody better. */
		if (rnd(w) % 12 == 0)
			c->slice = 0;
	}
	/* Now and then an interrupt waits for another lock inside the wait. */
	if (c->on && !c->inner && rnd(w) % 4000 == 0) {
		c->inner = true;
		c->in = (struct ks_wait){ .vcpu = i,
					  .lock = lock_addr(NLOCKS),
					  .pid = 4000 + i,
					  .ip = call_site(NLOCKS),
					  .ctx_flags = KS_F_CTX_HARDIRQ | 1,
					  .try_time = w->now - STEP,
					  .blame_vcpu = KS_NO_VCPU };
	}
	if (c->inner) {
		c->in.share[c->on ? KS_C_UNKNOWN : KS_C_SELF] += STEP;
		if (rnd(w) % 60 == 0) {
			c->inner = false;
			end_wait(w, &c->in, true);
		}
		return;
	}
	if (!c->on || w->holder[c->lock] >= 0 || next_in_order(w, c->lock) != i)
		return;
	set_blame(c, &c->wait);
	end_wait(w, &c->wait, true);
	w->holder[c->lock] = (int)i;
	c->doing = HOLD;
	c->acq = w->now;
	c->off = 0;
	c->left = between(w, 6000, 40000);
	if (rnd(w) % 40 == 0)
		c->left += between(w, 100000, 900000);
}

static void release(struct world *w, unsigned int i)
{
	struct cpu *c = &w->cpu[i];
	struct ks_hold h = { .vcpu = i,
			     .lock = lock_addr(c->lock),
			     .ip = call_site(c->lock) + 0x40,
			     .pid = 4000 + i,
			     .acq_time = c->acq,
			     .rel_time = w->now,
			     .off_ns = c->off,
			     .waiters = true };

	w->holder[c->lock] = -1;
	w->ops.hold(w->ops.ctx, &h);
	w->items++;
	c->doing = COMPUTE;
	c->left = between(w, 50000, 900000);
}

static void run(struct world *w, unsigned int i)
{
	struct cpu *c = &w->cpu[i];

	if (c->doing == WAIT) {
		spin(w, i);
		return;
	}
	if (c->doing == HOLD && !c->on)
		c->off += STEP;
	if (!c->on && c->doing != HALT)
		return;
	if (c->left > STEP) {
		c->left -= STEP;
		return;
	}
	if (c->doing == HOLD) {
		release(w, i);
	} else if (c->doing == HALT) {
		c->doing = COMPUTE;
		c->left = between(w, 50000, 500000);
	} else if (rnd(w) % 6 == 0) {
		c->doing = HALT;
		c->left = between(w, 200000, 4000000);
	} else if (rnd(w) % 40 == 0) {
		ple(w, i, KS_C_IPI + rnd(w) % 3);
		c->left = between(w, 20000, 90000);
	} else {
		begin_wait(w, i, rnd(w) % 10 < 7 ? 0 : 1 + rnd(w) % (NLOCKS - 1));
	}
}

/* Round robin: whoever used up its slice or sleeps makes room. */
static void schedule(struct world *w)
{
	bool busy[MAX_VCPUS] = { false };

	for (unsigned int i = 0; i < w->ncpus; i++) {
		struct cpu *c = &w->cpu[i];

		if (c->on && (c->doing == HALT || c->slice < STEP))
			c->on = false;
		if (c->on) {
			c->slice -= STEP;
			busy[c->pcpu] = true;
		}
	}
	for (unsigned int p = 0; p < w->npcpus; p++) {
		for (unsigned int k = 0; k < w->ncpus && !busy[p]; k++) {
			struct cpu *c = &w->cpu[w->rr++ % w->ncpus];

			if (c->on || c->doing == HALT)
				continue;
			if (c->state == KS_V_RUNNING)
				set_state(w, (unsigned int)(c - w->cpu), KS_V_RUNNABLE);
			c->on = busy[p] = true;
			c->pcpu = (int)p;
			c->slice = between(w, SLICE / 3, SLICE * 4 / 3);
		}
	}
	for (unsigned int i = 0; i < w->ncpus; i++)
		set_state(w, i,
			  w->cpu[i].on		  ? KS_V_RUNNING :
			  w->cpu[i].doing != HALT ? KS_V_RUNNABLE :
			  i % 5 == 4		  ? KS_V_BLOCKED :
						    KS_V_HALTED);
}

static void simulate(struct world *w, uint64_t items)
{
	for (unsigned int i = 0; i < NLOCKS; i++)
		w->holder[i] = -1;
	for (unsigned int i = 0; i < w->ncpus; i++) {
		w->cpu[i].left = between(w, 10000, 900000);
		w->cpu[i].since = T0 - 1000000;
		w->cpu[i].pcpu = -1;
	}
	for (w->now = T0 + STEP; w->items < items; w->now += STEP) {
		schedule(w);
		for (unsigned int i = 0; i < w->ncpus; i++)
			run(w, i);
	}
	w->now -= STEP;
	for (unsigned int i = 0; i < w->ncpus; i++) {
		if (w->cpu[i].doing == WAIT)
			end_wait(w, &w->cpu[i].wait, false);
		set_state(w, i, KS_V_GONE);
	}
}

static bool hostile;
#define HOSTILE "</script><img src=x onerror=alert(1)>\"'&\xff\xe2\x80\xae\x01<!--]]>"

static const char *name_addr(void *ctx, uint32_t vm, uint64_t addr, char *buf, size_t len)
{
	static const char *const names[] = { "do_dup2+0x1a", "alloc_fd+0x2c", "close_fd+0x1e",
					     "tick_do_update_jiffies64+0x31" };

	(void)ctx;
	(void)vm;
	if (addr >> 40 != 0xffffff)
		return NULL;
	snprintf(buf, len, "%s%s", hostile ? HOSTILE : "",
		 names[(addr - 0xffffffff81200000ull) / 0x10040 % 4]);
	return buf;
}

static const char *name_task(void *ctx, uint32_t vm, uint32_t pid, char *buf, size_t len)
{
	(void)ctx;
	(void)vm;
	snprintf(buf, len, "%s%u", hostile ? HOSTILE : "worker/", pid - 4000);
	return buf;
}

static int draw(struct ks_scene *s, const char *path)
{
	const char *dot = strrchr(path, '.');
	FILE *f = fopen(path, "w");
	int err;

	if (!f)
		return -errno;
	err = dot && !strcmp(dot, ".svg") ? ks_scene_svg(s, f) : ks_scene_html(s, f);
	if (fclose(f) && !err)
		err = -errno;
	return err;
}

static int finish(struct ks_scene *s, const struct world *w, uint64_t lost)
{
	struct ks_vcpu v[MAX_VCPUS] = { 0 };
	struct ks_vm vm = { .tgid = 2711, .name = "web-3", .nvcpus = w->ncpus, .guest_src = 1 };
	struct ks_scene_world sw = { &vm, 1, v, w->ncpus, &lost };

	if (hostile)
		snprintf(vm.name, sizeof(vm.name), "%s", HOSTILE);
	for (unsigned int i = 0; i < w->ncpus; i++) {
		v[i].slot = v[i].vcpu_id = i;
		v[i].guest_cpu = (int32_t)i;
	}
	return ks_scene_finish_world(s, &sw);
}

struct choice {
	struct world *w;
	struct ks_scene_opts o;
	uint64_t items, lost;
};

static int choose(struct choice *c, int option, const char *arg)
{
	unsigned long long v = arg ? strtoull(arg, NULL, 0) : 0;

	switch (option) {
	case 'c':
		c->w->ncpus = (unsigned int)v;
		return 0;
	case 'p':
		c->w->npcpus = (unsigned int)v;
		return 0;
	case 'n':
		c->items = v;
		return 0;
	case 's':
		c->w->seed = v;
		return 0;
	case 'm':
		c->o.max_items = v;
		return 0;
	case 'H':
		hostile = true;
		return 0;
	case 'L':
		c->lost = v;
		return 0;
	case 'v':
		c->o.vcpus = arg;
		return 0;
	case 'f':
		c->o.from = T0 + v;
		return 0;
	case 't':
		c->o.to = T0 + v;
		return 0;
	default:
		return -EINVAL;
	}
}

static int run_scene(struct choice *c, const char *path)
{
	struct ks_scene *s;
	int err = ks_scene_new(&s, &c->o);

	if (err)
		return err;
	ks_scene_ops(s, &c->w->ops);
	simulate(c->w, c->items);
	err = finish(s, c->w, c->lost);
	if (!err)
		err = draw(s, path);
	ks_scene_free(s);
	return err;
}

int main(int argc, char **argv)
{
	static struct world w = { .ncpus = 8, .seed = 7 };
	struct ks_err err = { "" };
	struct choice c = { .w = &w, .items = 5000 };
	int option, ret;

	while ((option = getopt(argc, argv, "c:p:n:s:m:HL:v:f:t:")) != -1)
		if (choose(&c, option, optarg))
			return 2;
	if (!w.npcpus)
		w.npcpus = w.ncpus * 2 / 3;
	if (optind + 1 != argc || !w.npcpus || w.ncpus > MAX_VCPUS || w.npcpus > w.ncpus)
		return 2;
	c.o.clock_error_ns = 312;
	c.o.sym = name_addr;
	c.o.task = name_task;
	c.o.err = &err;
	c.o.title = hostile ? HOSTILE : NULL;
	ret = run_scene(&c, argv[optind]);
	if (ret)
		fprintf(stderr, "plot_scene: %s\n", *err.msg ? err.msg : strerror(-ret));
	return ret ? 1 : 0;
}
