// SPDX-License-Identifier: GPL-2.0
/* What guests say about their lock pages, and where those are looked for. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "callers.h"
#include "files.h"
#include "hello.h"
#include "now.h"
#include "pages.h"
#include "ram.h"
#include "refusal.h"
#include "test_sys_tree.h"
#include "trace.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define COOKIE 0x1122334455667788ull

static struct ks_lp_hello good_hello(void)
{
	struct ks_lp_hello h = {
		.magic = KS_LP_MAGIC,
		.version = KS_LP_VERSION,
		.size = sizeof(h),
		.vcpus = 40,
		.cookie = COOKIE,
		.slot_size = sizeof(struct ks_lp_slot),
		.pages = 2,
		.gpa = { 0x3000, 0x1000 },
	};

	return h;
}

static int check(const struct ks_lp_hello *h, size_t len)
{
	struct ks_lp_hello out = { 0 };
	struct ks_err err = { "" };
	int ret = ks_hello_check(h, len, &out, &err);

	assert_int_equal(!ret, !err.msg[0]);
	if (ret)
		assert_int_equal(out.magic, 0); /* nothing is taken of a bad one */
	else
		assert_memory_equal(&out, h, sizeof(out));
	return ret;
}

static void hello(void **state)
{
	struct ks_lp_hello h = good_hello();
	size_t len;

	(void)state;
	assert_int_equal(check(&h, sizeof(h)), 0);
	for (len = 0; len < sizeof(h); len++)
		assert_int_equal(check(&h, len), -EPROTO);
	h.vcpus = KS_LP_VCPUS;
	h.pages = KS_LP_PAGES;
	for (unsigned int i = 0; i < KS_LP_PAGES; i++)
		h.gpa[i] = (i + 5ull) << 40;
	assert_int_equal(check(&h, sizeof(h)), 0);
}

#define BAD(change, code)                                                                          \
	do {                                                                                       \
		struct ks_lp_hello h = good_hello();                                               \
		h.change;                                                                          \
		assert_int_equal(check(&h, sizeof(h)), code);                                      \
	} while (0)

static void hostile_hello(void **state)
{
	(void)state;
	BAD(magic ^= 1, -EPROTO);
	BAD(version++, -EPROTONOSUPPORT);
	BAD(size--, -EPROTO);
	BAD(vcpus = 0, -EINVAL);
	BAD(vcpus = KS_LP_VCPUS + 1, -EINVAL);
	BAD(vcpus = UINT32_MAX, -EINVAL);
	BAD(cookie = 0, -EINVAL);
	BAD(slot_size = 64, -EINVAL);
	BAD(pages = 1, -EINVAL);
	BAD(pages = 3, -EINVAL);
	BAD(pages = UINT32_MAX, -EINVAL);
	BAD(gpa[1] = 0, -EINVAL);
	BAD(gpa[1] = 0x1001, -EINVAL);
	BAD(gpa[1] = h.gpa[0], -EINVAL);
	BAD(gpa[0] = 1ull << 52, -EINVAL);
	BAD(gpa[0] = UINT64_MAX - 0xfff, -EINVAL);
}

static void beats(void **state)
{
	struct ks_lp_beat b = { .magic = KS_LP_MAGIC, .number = 7 };
	struct ks_err err;

	(void)state;
	assert_int_equal(ks_beat_check(&b, sizeof(b), 6, &err), 0);
	assert_int_equal(ks_beat_check(&b, sizeof(b), 7, &err), -EPROTO);
	assert_int_equal(ks_beat_check(&b, sizeof(b) - 1, 6, &err), -EPROTO);
	b.magic++;
	assert_int_equal(ks_beat_check(&b, sizeof(b), 6, &err), -EPROTO);
}

/* ---- where RAM is ---- */

#define HEAP "55d0c0000000-55d0c0100000 rw-p 00000000 00:00 0                          [heap]\n"
#define TEXT "55d0b0000000-55d0b0800000 r-xp 00000000 08:01 1234              /usr/bin/qemu\n"

static void ram_small(void **state)
{
	struct ks_ram g[KS_RAM_GUESSES];
	uint64_t hva;

	(void)state;
	assert_int_equal(ks_ram_guess(TEXT HEAP "7f0000000000-7f0020000000 rw-p 00000000 00:00 0\n"
						"7f0020000000-7f0020001000 ---p 00000000 00:00 0\n",
				      512 * MIB, g),
			 1);
	assert_int_equal(g[0].start, 0x7f0000000000);
	assert_int_equal(g[0].low, 512 * MIB);
	assert_int_equal(ks_ram_hva(&g[0], 0x1000, 4096, &hva), 0);
	assert_int_equal(hva, 0x7f0000001000);
	assert_int_equal(ks_ram_hva(&g[0], 512 * MIB - 4096, 4096, &hva), 0);
	assert_int_equal(ks_ram_hva(&g[0], 512 * MIB - 4095, 4096, &hva), -EFAULT);
	assert_int_equal(ks_ram_hva(&g[0], 512 * MIB, 4096, &hva), -EFAULT);
	assert_int_equal(ks_ram_hva(&g[0], 4 * GIB, 4096, &hva), -EFAULT);
	assert_int_equal(ks_ram_hva(&g[0], UINT64_MAX - 4095, 4096, &hva), -EFAULT);
}

/* Shared memory of a file, in pieces, behind other memory that happens to lie next to it. */
static void ram_in_pieces(void **state)
{
	struct ks_ram g[KS_RAM_GUESSES];
	size_t n = ks_ram_guess("7efffff00000-7f0000000000 rw-p 00000000 00:00 0\n"
				"7f0000000000-7f0010000000 rw-s 00000000 00:0f 77 /memfd:ram\n"
				"7f0010000000-7f0020000000 rw-s 10000000 00:0f 77 /memfd:ram\n",
				512 * MIB, g);

	(void)state;
	assert_int_equal(n, 1); /* nor is one that is larger a guess, where one fits */
	assert_int_equal(g[0].start, 0x7f0000000000);
}

/* 8 GiB: how much lies below the hole depends on the machine's type. */
static void ram_large(void **state)
{
	struct ks_ram g[KS_RAM_GUESSES];
	uint64_t hva;
	size_t n = ks_ram_guess("7f0000000000-7f0200000000 rw-p 00000000 00:00 0\n", 8 * GIB, g);

	(void)state;
	assert_int_equal(n, 3);
	assert_int_equal(g[0].low, 2 * GIB);
	assert_int_equal(ks_ram_hva(&g[0], 2 * GIB, 4096, &hva), -EFAULT);
	assert_int_equal(ks_ram_hva(&g[0], 4 * GIB, 4096, &hva), 0);
	assert_int_equal(hva, 0x7f0000000000 + 2 * GIB);
	assert_int_equal(ks_ram_hva(&g[0], 10 * GIB - 4096, 4096, &hva), 0);
	assert_int_equal(ks_ram_hva(&g[0], 10 * GIB, 4096, &hva), -EFAULT);
	assert_int_equal(g[1].low, 3 * GIB);
	assert_int_equal(g[2].low, 0xe0000000);
	/* 3 GiB: all below on i440FX, not on q35. */
	n = ks_ram_guess("7f0000000000-7f00c0000000 rw-p 00000000 00:00 0\n", 3 * GIB, g);
	assert_int_equal(n, 2);
	assert_int_equal(g[0].low, 3 * GIB);
	assert_int_equal(g[1].low, 2 * GIB);
}

static void ram_none(void **state)
{
	struct ks_ram g[KS_RAM_GUESSES];
	char many[40 * 64] = "";

	(void)state;
	assert_int_equal(ks_ram_guess("", 512 * MIB, g), 0);
	assert_int_equal(ks_ram_guess("nonsense\n7f00-7e00 rw-p\n-\n", 512 * MIB, g), 0);
	assert_int_equal(ks_ram_guess(TEXT HEAP, 512 * MIB, g), 0);
	assert_int_equal(ks_ram_guess(HEAP, 0, g), 0);
	for (unsigned int i = 0; i < 40; i++)
		snprintf(many + strlen(many), 64, "%x0000000-%x8000000 rw-p 00000000 00:00 0\n",
			 2 * i + 1, 2 * i + 1);
	assert_int_equal(ks_ram_guess(many, 128 * MIB, g), KS_RAM_GUESSES);
}

/* ---- the whole way, with a VM made up of files ---- */

#define RAM (2 * MIB)
#define RAM_AT 0x100000ull /* in its process; /proc/PID/mem is a sparse file here */
#define VCPUS 40

struct world {
	struct tree tree;
	struct ks_pages *pages;
	int guest, listener[2];
	unsigned int news;
	uint32_t tgid;
	bool believed;
	struct ks_lp_vm vm;
	uint64_t resets;
	char reason[256];
};

static void note(void *ctx, const struct ks_page_news *n)
{
	struct world *w = ctx;

	w->news++;
	if (!n->cid)
		return; /* the flood's */
	w->tgid = n->tgid;
	w->believed = n->vm;
	w->reason[0] = 0;
	if (n->vm)
		w->vm = *n->vm;
	else
		snprintf(w->reason, sizeof(w->reason), "%s", n->reason);
}

/* The guest's end of a connection on which the host has hung up, and said why. */
static void hears(int fd, enum ks_lp_why why)
{
	struct ks_refusal r = { 0 };

	assert_int_equal(ks_refusal_hear(&r, fd), 1);
	assert_non_null(ks_refusal_words(&r));
	assert_int_equal(r.in.why, why);
}

static uint64_t resets(void *ctx, uint32_t tgid)
{
	const struct world *w = ctx;

	assert_int_equal(tgid, 4711);
	return w->resets;
}

/* Where the first CPUs say that their preempt counts are, and where that is in the process. */
static const struct {
	uint64_t gpa, hva;
} preempt[] = {
	{ 0x5010, RAM_AT + 0x5010 },
	{ 0, 0 },
	{ RAM - 4, RAM_AT + RAM - 4 },
	{ RAM - 3, 0 },
	{ 4 * GIB, 0 },
	{ UINT64_MAX, 0 },
};
#define PREEMPTS (sizeof(preempt) / sizeof(preempt[0]))

static void put_slot(const struct world *w, unsigned int cpu, uint64_t cookie, uint32_t vcpu)
{
	struct ks_lp_hello h = good_hello();
	struct ks_lp_slot s = { .cookie = cookie,
				.cpu = cpu,
				.vcpu = vcpu,
				.preempt = cpu < PREEMPTS ? preempt[cpu].gpa : 0 };
	uint64_t at = RAM_AT + h.gpa[cpu / KS_LP_SLOTS_PER_PAGE] +
		      cpu % KS_LP_SLOTS_PER_PAGE * sizeof(s);
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/4711/mem", w->tree.root);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
	assert_int_equal(fwrite(&s, sizeof(s), 1, f), 1);
	fclose(f);
}

static void put_vm(const struct tree *t, int pid)
{
	static const char argv[] = "qemu-kvm\0-m\0"
				   "2M\0-device\0vhost-vsock-pci,guest-cid=5";
	char path[64], maps[512];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	tree_put(t, path, argv, sizeof(argv));
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	tree_text(t, path, "qemu-kvm\n");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, pid);
	tree_text(t, path, "qemu-kvm\n");
	snprintf(path, sizeof(path), "/proc/%d/fd/10", pid);
	tree_link(t, path, "anon_inode:kvm-vm");
	for (int i = 0; i < VCPUS; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, i + 11);
		tree_link(t, path, "anon_inode:kvm-vcpu:0");
	}
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	snprintf(maps, sizeof(maps), TEXT HEAP "%llx-%llx rw-p 00000000 00:00 0\n", RAM_AT,
		 RAM_AT + RAM);
	tree_text(t, path, maps);
}

static void world_new(struct world *w)
{
	const struct ks_page_reader reader = { .news = note, .resets = resets, .ctx = w };
	char path[128];

	memset(w, 0, sizeof(*w));
	tree_new(&w->tree);
	put_vm(&w->tree, 4711);
	tree_text(&w->tree, "/proc/4711/mem", "");
	snprintf(path, sizeof(path), "%s/proc/4711/mem", w->tree.root);
	assert_int_equal(truncate(path, (off_t)(RAM_AT + RAM)), 0);
	for (unsigned int i = 0; i < VCPUS; i++)
		put_slot(w, i, COOKIE, i == 7 ? KS_LP_NO_VCPU : 2 * i);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, w->listener), 0);
	assert_int_equal(ks_pages_new(&w->pages, w->listener[0], w->tree.root, &reader), 0);
}

static void world_free(struct world *w)
{
	ks_pages_free(w->pages);
	close(w->listener[0]);
	close(w->listener[1]);
	if (w->guest)
		close(w->guest);
	tree_free(&w->tree);
}

static void guest_comes(struct world *w, uint32_t cid)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	if (w->guest)
		close(w->guest);
	w->guest = fd[1];
	ks_pages_take(w->pages, fd[0], cid);
}

static void guest_says(struct world *w, const void *data, size_t len)
{
	assert_int_equal(write(w->guest, data, len), len);
	assert_int_equal(ks_pages_turn(w->pages, 0), 0);
}

static void page_found(void **state)
{
	struct ks_lp_hello h = good_hello();
	struct world w;

	(void)state;
	world_new(&w);
	guest_comes(&w, 5);
	guest_says(&w, &h, 100); /* in two parts */
	assert_int_equal(w.news, 0);
	guest_says(&w, (char *)&h + 100, sizeof(h) - 100);
	assert_true(w.believed);
	assert_int_equal(w.tgid, 4711);
	assert_int_equal(w.vm.cookie, COOKIE);
	assert_int_equal(w.vm.vcpus, VCPUS);
	assert_int_equal(w.vm.nought, 0);
	assert_int_equal(w.vm.hva[0], RAM_AT + 0x3000);
	assert_int_equal(w.vm.hva[1], RAM_AT + 0x1000);
	for (unsigned int i = 0; i < VCPUS; i++) {
		assert_int_equal(w.vm.vcpu_of[i], i == 7 ? 0 : 2 * i + 1);
		if (i != 7)
			assert_int_equal(w.vm.slot_of[2 * i], i + 1);
	}
	assert_int_equal(w.vm.slot_of[1], 0);
	for (unsigned int i = 0; i < VCPUS; i++)
		assert_int_equal(w.vm.preempt[i], i < PREEMPTS ? preempt[i].hva : 0);
	close(w.guest);
	w.guest = 0;
	assert_int_equal(ks_pages_turn(w.pages, 0), 0);
	assert_false(w.believed);
	assert_int_equal(w.tgid, 4711);
	assert_non_null(strstr(w.reason, "ended"));
	world_free(&w);
}

/* A guest whose page is believed. */
static void publishes(struct world *w)
{
	struct ks_lp_hello h = good_hello();

	guest_comes(w, 5);
	guest_says(w, &h, sizeof(h));
	assert_true(w->believed);
	w->news = 0;
}

static void expect_refusal(struct world *w, const char *why, enum ks_lp_why told)
{
	struct ks_lp_hello h = good_hello();

	guest_comes(w, 5);
	w->news = 0;
	guest_says(w, &h, sizeof(h));
	assert_int_equal(w->news, 1);
	assert_false(w->believed);
	if (!strstr(w->reason, why))
		fail_msg("'%s' instead of '%s'", w->reason, why);
	hears(w->guest, told);
}

static void page_refused(void **state)
{
	struct ks_lp_hello h = good_hello();
	struct world w;

	(void)state;
	world_new(&w);
	put_slot(&w, 39, COOKIE + 1, 78);
	expect_refusal(&w, "no lock page lies", KS_LP_WHY_PROOF);
	put_slot(&w, 39, COOKIE, 76);
	expect_refusal(&w, "two slots", KS_LP_WHY_PROOF);
	put_slot(&w, 39, COOKIE, KS_LP_IDS);
	expect_refusal(&w, "numbers end", KS_LP_WHY_PROOF);
	put_slot(&w, 39, COOKIE, 78);
	tree_text(&w.tree, "/proc/4711/maps", TEXT HEAP);
	expect_refusal(&w, "no block of memory", KS_LP_WHY_MEMORY);
	put_vm(&w.tree, 4712);
	expect_refusal(&w, "2 VMs", KS_LP_WHY_VM);
	/* Another CID, no hello at all, memory beyond RAM. */
	guest_comes(&w, 6);
	guest_says(&w, &h, sizeof(h));
	assert_non_null(strstr(w.reason, "guest-cid 6"));
	hears(w.guest, KS_LP_WHY_VM);
	guest_comes(&w, 6);
	h.magic = 0;
	guest_says(&w, &h, sizeof(h));
	assert_non_null(strstr(w.reason, "no lock page's message"));
	hears(w.guest, KS_LP_WHY_WORDS);
	world_free(&w);
}

/* Without the capabilities by which root reads whatever it likes; or with them again. */
static void obey_modes(bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct cap[2];

	assert_int_equal(syscall(SYS_capget, &head, cap), 0);
	cap[0].effective = on ? 0 : cap[0].permitted;
	cap[1].effective = on ? 0 : cap[1].permitted;
	assert_int_equal(syscall(SYS_capset, &head, cap), 0);
}

/* QEMU is another user's, and we have not the rights to see what it has open. */
static void not_to_be_looked_into(void **state)
{
	char path[128];
	struct world w;

	(void)state;
	world_new(&w);
	snprintf(path, sizeof(path), "%s/proc/4711/fd", w.tree.root);
	assert_int_equal(chmod(path, 0), 0);
	obey_modes(true);
	expect_refusal(&w, "1 processes could not be looked into", KS_LP_WHY_RIGHTS);
	obey_modes(false);
	assert_int_equal(chmod(path, 0755), 0);
	publishes(&w);
	world_free(&w);
}

/* Slots of vCPUs that the VM does not have would be read for nothing, at each look. */
static void too_many_vcpus(void **state)
{
	char path[128];
	struct world w;

	(void)state;
	world_new(&w);
	for (int fd = 11; fd < 13; fd++) {
		snprintf(path, sizeof(path), "%s/proc/4711/fd/%d", w.tree.root, fd);
		assert_int_equal(unlink(path), 0);
	}
	expect_refusal(&w, "39 vCPUs, but its VM has 38", KS_LP_WHY_PROOF);
	world_free(&w);
}

/* A host that ends, or that has nothing to say against it, hangs up without a word. */
static void host_ends(void **state)
{
	struct ks_refusal r = { 0 };
	struct world w;

	(void)state;
	world_new(&w);
	publishes(&w);
	assert_int_equal(ks_refusal_hear(&r, w.guest), 0);
	ks_pages_free(w.pages);
	w.pages = NULL;
	assert_int_equal(ks_refusal_hear(&r, w.guest), 1);
	assert_null(ks_refusal_words(&r));
	world_free(&w);
}

static void beyond_ram(void **state)
{
	struct ks_lp_hello h = good_hello();
	struct world w;

	(void)state;
	world_new(&w);
	guest_comes(&w, 5);
	h.gpa[1] = RAM;
	guest_says(&w, &h, sizeof(h));
	assert_false(w.believed);
	assert_non_null(strstr(w.reason, "not in the VM's RAM"));
	world_free(&w);
}

/* A page that is reused is noticed within some seconds, whatever its guest goes on saying. */
static void page_reused(void **state)
{
	struct ks_lp_beat b = { .magic = KS_LP_MAGIC, .number = 1 };
	struct ks_lp_hello h = good_hello();
	struct world w;

	(void)state;
	world_new(&w);
	guest_comes(&w, 5);
	guest_says(&w, &h, sizeof(h));
	assert_true(w.believed);
	put_slot(&w, 7, COOKIE, 15); /* a CPU that came online is taken up */
	for (unsigned int i = 0; i < 50 && w.news < 2; i++)
		ks_pages_turn(w.pages, 100);
	assert_true(w.believed);
	assert_int_equal(w.vm.slot_of[15], 8);
	put_slot(&w, 33, 0, 66);
	guest_says(&w, &b, sizeof(b));
	for (unsigned int i = 0; i < 50 && w.believed; i++)
		ks_pages_turn(w.pages, 100);
	assert_false(w.believed);
	assert_non_null(strstr(w.reason, "slot 33"));
	world_free(&w);
}

static void turns(struct world *w, unsigned int n)
{
	while (n--)
		assert_int_equal(ks_pages_turn(w->pages, 1), 0);
}

static void beats_on(struct world *w, int fd, uint64_t number)
{
	struct ks_lp_beat b = { .magic = KS_LP_MAGIC, .number = number };

	assert_int_equal(write(fd, &b, sizeof(b)), sizeof(b));
	turns(w, 2);
}

/* Refused when the first one has given a sign of life, which goes on. */
static void second_publisher(void **state)
{
	struct world w;
	int first;

	(void)state;
	world_new(&w);
	publishes(&w);
	first = w.guest;
	w.guest = 0;
	guest_comes(&w, 5);
	turns(&w, 5);
	assert_int_equal(w.news, 0);
	beats_on(&w, first, 1);
	assert_int_equal(w.news, 1);
	assert_int_equal(w.tgid, 0); /* it is not the first one that is dropped */
	assert_non_null(strstr(w.reason, "second"));
	hears(w.guest, KS_LP_WHY_CALLS);
	beats_on(&w, first, 2);
	assert_int_equal(w.news, 1);
	close(first);
	world_free(&w);
}

/* Its kernel has gone, and nobody has closed the connection: the next one takes its place. */
static void reset_and_anew(void **state)
{
	struct ks_lp_hello h = good_hello();
	struct world w;
	int first;

	(void)state;
	world_new(&w);
	publishes(&w);
	first = w.guest;
	w.guest = 0;
	w.resets++;
	turns(&w, 2);
	assert_false(w.believed);
	assert_int_equal(w.tgid, 4711);
	assert_non_null(strstr(w.reason, "reset"));
	guest_comes(&w, 5);
	guest_says(&w, &h, sizeof(h));
	turns(&w, 3);
	assert_true(w.believed);
	assert_int_equal(w.vm.resets, 1);
	close(first);
	world_free(&w);
}

/* A CPU of the guest came online: its publisher is still there, and its next beat says so. */
static void reset_and_on(void **state)
{
	struct ks_lp_beat b = { .magic = KS_LP_MAGIC };
	struct world w;

	(void)state;
	world_new(&w);
	publishes(&w);
	/* What was said before the reset, and lies there still, is no sign of life. */
	for (b.number = 1; b.number < 5; b.number++)
		assert_int_equal(write(w.guest, &b, sizeof(b)), sizeof(b));
	w.resets++;
	turns(&w, 5);
	assert_int_equal(w.news, 1);
	assert_false(w.believed);
	beats_on(&w, w.guest, 7);
	assert_true(w.believed);
	assert_int_equal(w.vm.resets, 1);
	/* Nobody believes what was not proved again: a page that has gone with the reset. */
	put_slot(&w, 3, COOKIE + 1, 6);
	w.resets++;
	turns(&w, 2);
	assert_false(w.believed);
	beats_on(&w, w.guest, 8);
	assert_false(w.believed);
	assert_non_null(strstr(w.reason, "slot 3"));
	world_free(&w);
}

/* Ahead of its time it could be silent for long before that is noticed. */
static void beats_too_often(void **state)
{
	struct world w;

	(void)state;
	world_new(&w);
	publishes(&w);
	for (uint64_t i = 1; i < 40 && w.believed; i++)
		beats_on(&w, w.guest, i);
	assert_false(w.believed);
	assert_non_null(strstr(w.reason, "too often"));
	world_free(&w);
}

/* Nothing more of a guest that calls all the time is looked at, while others are served. */
static void flood(void **state)
{
	struct ks_lp_hello h = good_hello();
	unsigned int i, hellos = 0;
	struct world w;

	(void)state;
	world_new(&w);
	for (i = 0; i < 2000; i++) {
		guest_comes(&w, 6);
		hellos += send(w.guest, &h, sizeof(h), MSG_NOSIGNAL) == sizeof(h);
		if (i % 10 == 9)
			turns(&w, 1);
	}
	close(w.guest);
	w.guest = 0;
	turns(&w, 2);
	assert_true(hellos <= 16 + 4 * 60);
	assert_true(w.news < 40);
	publishes(&w);
	world_free(&w);
}

/* So many guests connect that say nothing yet; all by this socket. */
static void crowd_comes(struct world *w, int fd, uint32_t first_cid, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		ks_pages_take(w->pages, dup(fd), first_cid + i);
}

static bool may_open(unsigned int n)
{
	struct rlimit files;

	ks_allow_files();
	return !getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur > n + 100;
}

/* As many as a host can have, however one of them behaves; of more, who is silent goes first. */
static void crowd(void **state)
{
	const unsigned int room = 2 * KS_LP_GUESTS;
	struct world w;
	int fd[2];

	(void)state;
	if (!may_open(room))
		skip();
	world_new(&w);
	publishes(&w);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	for (unsigned int i = 0; i < 100; i++)
		crowd_comes(&w, fd[0], 6, 1);
	/* Of that one there are two now. */
	crowd_comes(&w, fd[0], 1000, room - 3);
	assert_int_equal(w.news, 0);
	w.resets++;
	turns(&w, 1);
	assert_int_equal(w.news, 1);
	assert_false(w.believed);
	crowd_comes(&w, fd[0], 6000, 1);
	assert_int_equal(w.news, 2);
	assert_int_equal(w.tgid, 4711);
	assert_non_null(strstr(w.reason, "others need the room"));
	crowd_comes(&w, fd[0], 7000, 1);
	assert_int_equal(w.news, 3);
	assert_non_null(strstr(w.reason, "too many"));
	close(fd[0]);
	close(fd[1]);
	world_free(&w);
}

/* Connects, says hello and hangs up until it is killed. */
static void call_for_ever(const struct sockaddr_un *to)
{
	struct ks_lp_hello h = good_hello();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (!connect(fd, (const struct sockaddr *)to, sizeof(*to)))
			send(fd, &h, sizeof(h), MSG_NOSIGNAL);
		close(fd);
	}
}

/* A listener for the flood that hears of connections: a Unix one, whose callers all have CID 0. */
static int flooded_listener(struct sockaddr_un *at, const struct tree *t)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	at->sun_family = AF_UNIX;
	snprintf(at->sun_path, sizeof(at->sun_path), "%s/door", t->root);
	assert_int_equal(bind(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	return fd;
}

/* A guest that means well, while others are at the door. */
static void served_within(struct world *w, unsigned int seconds)
{
	struct ks_lp_hello h = good_hello();
	uint64_t end = ks_now_ns() + seconds * 1000000000ull;

	guest_comes(w, 5);
	assert_int_equal(write(w->guest, &h, sizeof(h)), sizeof(h));
	while (!w->believed && ks_now_ns() < end)
		ks_pages_turn(w->pages, 50);
	assert_true(w->believed);
}

/*
 * Somebody calls as fast as a CPU can: what that costs stays within what the door is allowed, a 16th,
 * and the beginning; and a guest that means well is served meanwhile.
 */
static void flood_at_the_door(void **state)
{
	struct sockaddr_un at = { 0 };
	uint64_t cpu, begun;
	struct world w;
	const struct ks_page_reader reader = { .news = note, .resets = resets, .ctx = &w };
	int door;
	pid_t caller;

	(void)state;
	world_new(&w);
	door = flooded_listener(&at, &w.tree);
	ks_pages_free(w.pages);
	assert_int_equal(ks_pages_new(&w.pages, door, w.tree.root, &reader), 0);
	caller = fork();
	if (!caller)
		call_for_ever(&at);
	begun = ks_now_ns();
	cpu = ks_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	while (ks_now_ns() - begun < 2000000000)
		ks_pages_turn(w.pages, 50);
	cpu = ks_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	print_message("%.1f %% of a CPU\n", (double)cpu / 2e7);
	assert_true(cpu < 400000000);
	assert_true(w.news > 0 && w.news < 60);
	served_within(&w, 10);
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	close(door);
	world_free(&w);
}

/* How often is one heard that comes every ms for ten seconds? And who comes at his leisure? */
static void rates(void **state)
{
	static struct ks_callers c;
	unsigned int connects = 0, hellos = 0, told = 0;
	uint64_t start = 1000000000, now, refused, sum = 0;
	uint32_t cid;

	(void)state;
	for (now = start; now < start + 10000000000; now += 1000000) {
		connects += ks_callers_may(&c, 3, KS_CALL_CONNECT, now);
		hellos += ks_callers_may(&c, 3, KS_CALL_HELLO, now);
		if (now % 1000000000 == 0)
			assert_true(ks_callers_may(&c, 4, KS_CALL_CONNECT, now));
		while (ks_callers_refused(&c, now, &cid, &refused)) {
			assert_int_equal(cid, 3);
			sum += refused;
			told++;
		}
	}
	assert_in_range(connects, 16 + 39, 16 + 41);
	assert_in_range(hellos, 8 + 4, 8 + 6);
	assert_in_range(told, 9, 11);
	assert_true(sum <= 20000 - connects - hellos && sum > 17000);
	/* More than are remembered: the oldest are forgotten, nothing else. */
	for (cid = 100; cid < 100 + 2 * KS_CALLERS; cid++)
		assert_true(ks_callers_may(&c, cid, KS_CALL_HELLO, now + cid));
	assert_int_equal(c.n, KS_CALLERS);
}

static void budget(void **state)
{
	struct ks_budget b = { .nth = 10 };
	uint64_t now, spent = 0;

	(void)state;
	for (now = 1000000000; now < 11000000000; now += 1000000) {
		if (!ks_budget_left(&b, now))
			continue;
		ks_budget_use(&b, now, 1000000);
		spent++;
	}
	assert_in_range(spent, 1000, 1000 + 11); /* ms of ten seconds */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello),
		cmocka_unit_test(hostile_hello),
		cmocka_unit_test(beats),
		cmocka_unit_test(ram_small),
		cmocka_unit_test(ram_in_pieces),
		cmocka_unit_test(ram_large),
		cmocka_unit_test(ram_none),
		cmocka_unit_test(page_found),
		cmocka_unit_test(page_refused),
		cmocka_unit_test(not_to_be_looked_into),
		cmocka_unit_test(host_ends),
		cmocka_unit_test(beyond_ram),
		cmocka_unit_test(too_many_vcpus),
		cmocka_unit_test(page_reused),
		cmocka_unit_test(second_publisher),
		cmocka_unit_test(reset_and_anew),
		cmocka_unit_test(reset_and_on),
		cmocka_unit_test(beats_too_often),
		cmocka_unit_test(flood),
		cmocka_unit_test(crowd),
		cmocka_unit_test(flood_at_the_door),
		cmocka_unit_test(rates),
		cmocka_unit_test(budget),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
