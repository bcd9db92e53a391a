// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cpu.h"
#include "err.h"
#include "load.h"
#include "publish.h"
#include "spintext.h"
#include "stayfirst.h"
#include "lock_publish.skel.h"

#define TRIALS 10 /* each fails if another program has one at the same moment */
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_FRAME ((1ull << 55) - 1)

struct ks_publisher {
	struct lock_publish_bpf *skel;
	struct ks_lp_slot *slots; /* the same memory that the programs write */
	struct ks_lp_hello hello;
	uint32_t seen; /* see ks_stay_first() */
};

/* Without these holds cannot be told. */
static const char *const must_have[] = {
	"_raw_spin_lock",   "_raw_spin_lock_irq",   "_raw_spin_lock_irqsave",
	"_raw_spin_unlock", "_raw_spin_unlock_irq", "_raw_spin_unlock_irqrestore",
};

static int check_functions(struct ks_err *err)
{
	size_t i;

	for (i = 0; i < sizeof(must_have) / sizeof(must_have[0]); i++)
		if (!ks_has_function(must_have[i]))
			return ks_fail(err, -ENOTSUP,
				       "this kernel inlines %s: who holds a lock cannot be seen",
				       must_have[i]);
	return 0;
}

/* Both ends of a lock function have a program, one of which is wanted; of a trylock the end always is. */
static bool wanted(const char *section, bool at_end)
{
	bool entry = !strncmp(section, "fentry/", 7);

	if (strstr(section, "trylock"))
		return !(entry && at_end);
	return !strstr(section, "/_raw_spin_lock") || entry != at_end;
}

static int choose_programs(struct lock_publish_bpf *s, bool at_end)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, s->obj) {
		const char *section = bpf_program__section_name(prog);
		bool on = wanted(section, at_end);

		if (bpf_program__autoload(prog)) /* no "?" in front of its section's name */
			continue;
		on = on && ks_has_function(strchr(section, '/') + 1);
		if (bpf_program__set_autoload(prog, on))
			return -EINVAL;
	}
	return 0;
}

/* ---- where the pages are ---- */

static int page_frame(int fd, const void *addr, __u64 *gpa)
{
	uint64_t entry, at = (uintptr_t)addr / KS_LP_PAGE * sizeof(entry);

	if (pread(fd, &entry, sizeof(entry), (off_t)at) != sizeof(entry))
		return -EIO;
	if (!(entry & PAGEMAP_PRESENT))
		return -EFAULT;
	*gpa = (entry & PAGEMAP_FRAME) * KS_LP_PAGE;
	return *gpa ? 0 : -EPERM; /* the kernel hides frames from who may not see them */
}

static int find_pages(struct ks_publisher *p, struct ks_err *err)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), ret = fd < 0 ? -errno : 0;
	unsigned int i;

	for (i = 0; !ret && i < p->hello.pages; i++)
		ret = page_frame(fd, (const char *)p->slots + (size_t)i * KS_LP_PAGE,
				 &p->hello.gpa[i]);
	if (fd >= 0)
		close(fd);
	if (ret == -EPERM)
		return ks_fail(err, ret,
			       "where the pages lie in memory: needs CAP_SYS_ADMIN; run as root");
	return ret ? ks_fail(err, ret, "where the pages lie in memory: %s", strerror(-ret)) : 0;
}

static int make_cookie(__u64 *cookie)
{
	do {
		if (getrandom(cookie, sizeof(*cookie), 0) != sizeof(*cookie))
			return -errno;
	} while (!*cookie);
	return 0;
}

void ks_publisher_learn_cpus(struct ks_publisher *p)
{
	struct ks_machine m;
	unsigned int i;

	if (ks_machine_read(NULL, &m))
		return;
	for (i = 0; i < m.ncpus && i < p->hello.vcpus; i++)
		if (m.apic_id[i] != UINT32_MAX)
			p->slots[i].vcpu = m.apic_id[i];
	ks_machine_release(&m);
}

static void fill_slots(struct ks_publisher *p)
{
	unsigned int i;

	for (i = 0; i < KS_LP_VCPUS; i++) {
		p->slots[i].vcpu = KS_LP_NO_VCPU;
		p->slots[i].cpu = i;
	}
	ks_publisher_learn_cpus(p);
	for (i = 0; i < p->hello.vcpus; i++)
		p->slots[i].cookie = p->hello.cookie;
}

static int make_pages(struct ks_publisher *p, unsigned int cpus, struct ks_err *err)
{
	int ret;

	p->slots = p->skel->data_slots->ks_lp_slots;
	p->hello = (struct ks_lp_hello){
		.magic = KS_LP_MAGIC,
		.version = KS_LP_VERSION,
		.size = sizeof(p->hello),
		.vcpus = cpus,
		.slot_size = sizeof(struct ks_lp_slot),
		.pages = (cpus + KS_LP_SLOTS_PER_PAGE - 1) / KS_LP_SLOTS_PER_PAGE,
	};
	ret = make_cookie(&p->hello.cookie);
	if (ret)
		return ks_fail(err, ret, "random numbers: %s", strerror(-ret));
	fill_slots(p);
	return find_pages(p, err);
}

/* ---- the programs ---- */

static bool fentry_runs(const struct ks_publisher *p)
{
	return ks_fentry_runs(bpf_program__fd(p->skel->progs.fentry_trial),
			      &p->skel->bss->ks_trials);
}

bool ks_publisher_blind(const struct ks_publisher *p)
{
	return !fentry_runs(p);
}

/*
 * Whose end takes the cookies out of the slots: who had the trial run. Others may have theirs run at the same time, then it is
 * tried again.
 */
static bool say_who(struct ks_publisher *p)
{
	struct lock_publish_bpf__bss *k = p->skel->bss;
	unsigned int i;
	__u64 before;

	for (i = 0; i < TRIALS; i++) {
		before = k->ks_trials;
		k->ks_loader = 0;
		if (!fentry_runs(p))
			return false;
		if (k->ks_trials == before + 1)
			break;
	}
	return true;
}

/* Attaching alone proves nothing: with ftrace switched off it succeeds. */
int ks_publisher_attach(struct ks_publisher *p, struct ks_err *err)
{
	int ret = lock_publish_bpf__attach(p->skel);

	if (ret)
		return ks_load_err(err, ret, "attaching the publisher");
	if (!say_who(p))
		return ks_fail(err, -ENOTSUP,
			       "this kernel runs no BPF at the entry of functions (fentry), so no "
			       "locks would be seen: is kernel.ftrace_enabled 0?");
	return 0;
}

/*
 * No wait begins whose end is not attached: that is detached last, and attached first. (Those that are under way meanwhile the
 * program itself finds.)
 */
int ks_publisher_stay_first(struct ks_publisher *p, struct ks_err *err)
{
#define SLOW(name)                                                                                 \
	{ p->skel->progs.name##_begin, &p->skel->links.name##_begin },                             \
	{                                                                                          \
		p->skel->progs.name##_end, &p->skel->links.name##_end                              \
	}
	const struct ks_first slow[] = {
		SLOW(native_queued_spin_lock_slowpath),
		SLOW(__pv_queued_spin_lock_slowpath),
	};
#undef SLOW
	int ret = ks_stay_first(slow, sizeof(slow) / sizeof(slow[0]), &p->seen);

	return ret ? ks_load_err(err, ret, "attaching the publisher anew") : 0;
}

static int load(struct ks_publisher *p, const struct ks_publisher_opts *o, struct ks_err *err)
{
	int cpus = libbpf_num_possible_cpus(), ret;

	if (cpus < 0)
		return ks_load_err(err, cpus, "number of CPUs");
	if ((unsigned int)cpus > KS_LP_VCPUS)
		return ks_fail(err, -E2BIG,
			       "%d CPUs are possible here, a lock page has room for %u", cpus,
			       KS_LP_VCPUS);
	p->skel->rodata->ks_at_end = o->at_end;
	if (o->at_end) /* else what is held tells */
		ks_spin_text_running((struct ks_code_range *)p->skel->rodata->ks_spin_text,
				     (struct ks_code_range *)&p->skel->rodata->ks_text);
	ret = choose_programs(p->skel, o->at_end);
	if (!ret)
		ret = lock_publish_bpf__load(p->skel);
	if (ret)
		return ks_load_err(err, ret, "loading the publisher");
	return make_pages(p, (unsigned int)cpus, err);
}

int ks_publisher_open(struct ks_publisher **out, const struct ks_publisher_opts *opts,
		      struct ks_err *err)
{
	struct ks_publisher *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return ks_load_err(err, -ENOMEM, "opening the publisher");
	ks_load_quiet();
	ret = ks_need_btf(err);
	if (!ret)
		ret = check_functions(err);
	if (!ret) {
		p->skel = lock_publish_bpf__open();
		ret = p->skel ? load(p, opts, err) :
				ks_load_err(err, -errno, "opening the publisher");
	}
	if (ret) {
		ks_publisher_free(p);
		return ret;
	}
	*out = p;
	return 0;
}

const struct ks_lp_hello *ks_publisher_hello(const struct ks_publisher *p)
{
	return &p->hello;
}

/* First of all the host is to see that nobody keeps the pages true any more. */
void ks_publisher_free(struct ks_publisher *p)
{
	unsigned int i;

	if (!p)
		return;
	for (i = 0; p->slots && i < KS_LP_VCPUS; i++)
		p->slots[i].cookie = 0;
	lock_publish_bpf__destroy(p->skel);
	free(p);
}
