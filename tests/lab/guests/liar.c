// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that lies to whoever reads its lock page on the host. As root, in a Linux guest of the lab:
 * pages of its own in the place of a publisher's, while its vCPUs spin and so have their host look.
 *
 *   liar MODE SECONDS     (or until SIGTERM)
 *
 * Says "lying" when it has begun, and in the end, as one JSON object, how often it called the host
 * and was hung up on. A slow machine takes longer than it is told, never shorter.
 */
#include <fcntl.h>
#include <linux/types.h>
#include <linux/vm_sockets.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"
#include "../../../bpf/lock_page.h"

#define NS 1000000000ull
#define LOCK 0xffff888000001000ull /* of the first CPU; each has another */
#define MAX_CPUS KS_LP_SLOTS_PER_PAGE

struct liar {
	const struct mode *mode;
	unsigned int cpus;
	struct ks_lp_slot *slot; /* a page of them */
	struct ks_lp_hello hello;
	struct ks_lp_beat beat;
	uint64_t begun, end;
	int fd; /* to the host; -1: none */
	uint64_t calls, hung_up;
};

struct mode {
	const char *name;
	void (*begin)(struct liar *l); /* may be NULL */
	void (*on)(struct liar *l);    /* over and over */
	bool idle_last;		       /* nothing runs on the last CPU */
};

static atomic_bool stop;

/* ---- calling the host ---- */

static int call_host(struct liar *l, int flags)
{
	const struct sockaddr_vm to = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_HOST,
		.svm_port = KS_LP_PORT,
	};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	l->calls++;
	if (fd >= 0 &&
	    (!connect(fd, (const struct sockaddr *)&to, sizeof(to)) || errno == EINPROGRESS))
		return fd;
	if (fd >= 0)
		close(fd);
	l->hung_up++;
	return -1;
}

static void say(int fd, const void *data, size_t len)
{
	if (fd >= 0 && send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return; /* it notices when it listens */
}

/* Has the host hung up? What it says it says then. */
static bool is_over(struct liar *l)
{
	char byte;

	if (l->fd >= 0 && (recv(l->fd, &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)) {
		close(l->fd);
		l->fd = -1;
		l->hung_up++;
	}
	return l->fd < 0;
}

static void hello(struct liar *l)
{
	l->fd = call_host(l, 0);
	say(l->fd, &l->hello, sizeof(l->hello));
	l->beat.number = 0;
}

/* Once a second: a beat, or another try. */
static bool each_second(struct liar *l)
{
	static uint64_t last;
	uint64_t now = now_ns();

	if (now - last < NS)
		return false;
	last = now;
	l->beat.number++;
	if (!is_over(l))
		say(l->fd, &l->beat, sizeof(l->beat));
	return true;
}

static void beat_or_call(struct liar *l)
{
	if (each_second(l) && l->fd < 0)
		hello(l);
}

/* ---- the lies ---- */

static uint64_t lock_of(unsigned int cpu)
{
	return LOCK + cpu * 64;
}

/* Right cookies and numbers, and noise in all that is left. */
static void noise(struct liar *l)
{
	struct ks_lp_slot s;

	for (unsigned int i = 0; i < l->cpus; i++) {
		if (getrandom(&s, sizeof(s), 0) != sizeof(s))
			return;
		memcpy(l->slot[i].held, s.held, sizeof(s.held));
		memcpy(l->slot[i].wait, s.wait, sizeof(s.wait));
		l->slot[i].ipi = s.ipi;
		l->slot[i].preempt = s.preempt;
	}
	beat_or_call(l);
}

/* As deep as can be: every CPU holds what the others want. */
static void begin_deep(struct liar *l)
{
	for (unsigned int i = 0; i < l->cpus; i++) {
		for (unsigned int k = 0; k < KS_LP_DEPTH; k++)
			l->slot[i].held[k] = lock_of((i + k) % l->cpus);
		l->slot[i].wait[0] = (struct ks_lp_wait){ lock_of(i), 1 };
	}
	hello(l);
}

/* The last CPU, which does nothing, holds what all others want. */
static void begin_absent(struct liar *l)
{
	for (unsigned int i = 0; i < l->cpus - 1; i++)
		l->slot[i].wait[0] = (struct ks_lp_wait){ LOCK, i + 1 };
	l->slot[l->cpus - 1].held[0] = LOCK;
	hello(l);
}

/* Each is next itself, and is to keep its time slice. */
static void begin_self(struct liar *l)
{
	for (unsigned int i = 0; i < l->cpus; i++)
		l->slot[i].wait[0] = (struct ks_lp_wait){ lock_of(i), 1 };
	hello(l);
}

/* Somebody else is always to answer: one that there is not. */
static void begin_ipi(struct liar *l)
{
	for (unsigned int i = 0; i < l->cpus; i++)
		l->slot[i].ipi = ~0ull;
	hello(l);
}

/* Once it is believed the page goes, and its memory is used for something else. */
static void vanish(struct liar *l)
{
	if (l->slot && now_ns() - l->begun > NS) {
		memset(l->slot, 0x5a, KS_LP_PAGE);
		munmap(l->slot, KS_LP_PAGE);
		l->slot = NULL;
	}
	if (each_second(l) && l->fd < 0)
		hello(l);
}

/* The same words by another connection, and then again by a new one, in turn. */
static void replay(struct liar *l)
{
	static int second = -1;
	char byte;

	if (!each_second(l))
		return;
	if (second >= 0 && (recv(second, &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)) {
		l->hung_up++;
		close(second);
		second = -1;
	} else if (second < 0) {
		second = call_host(l, 0);
		say(second, &l->hello, sizeof(l->hello));
	}
	if (l->beat.number % 8 == 7 && l->fd >= 0) {
		close(l->fd);
		l->fd = -1;
	}
	if (l->fd < 0)
		hello(l);
}

/*
 * As often as it can, without waiting for anything: a call without a word, half of one, a hello, a
 * hello and a beat. So many calls are open at a time.
 */
static void flood(struct liar *l)
{
	static int open_calls[64];
	int *fd = &open_calls[l->calls % 64];

	if (*fd > 0) {
		if (l->calls % 4 == 1)
			say(*fd, &l->hello, sizeof(l->hello) / 2);
		if (l->calls % 4 > 1)
			say(*fd, &l->hello, sizeof(l->hello));
		if (l->calls % 4 > 2)
			say(*fd, &l->beat, sizeof(l->beat));
		close(*fd);
	}
	*fd = call_host(l, SOCK_NONBLOCK);
}

/* Beats, as fast as they go. */
static void hurry(struct liar *l)
{
	if (is_over(l))
		hello(l);
	l->beat.number++;
	say(l->fd, &l->beat, sizeof(l->beat));
}

/* What is not its memory: beyond its end, in the hole, devices, another VM's RAM if that came next. */
static void foreign(struct liar *l)
{
	static const uint64_t where[] = { 0x80000000,  0xfee00000, 0xfffff000,
					  0x100000000, 1ull << 40, (1ull << 52) - KS_LP_PAGE,
					  0xa0000,     0x1000 };
	static unsigned int n;

	if (!each_second(l))
		return;
	if (l->fd >= 0)
		close(l->fd);
	l->hello.gpa[0] = where[n++ % (sizeof(where) / sizeof(where[0]))];
	hello(l);
}

static void nothing(struct liar *l)
{
	(void)l;
	sched_yield();
}

static const struct mode modes[] = {
	{ "none", NULL, nothing, false },
	{ "noise", hello, noise, false },
	{ "deep", begin_deep, beat_or_call, false },
	{ "absent", begin_absent, beat_or_call, true },
	{ "self", begin_self, beat_or_call, false },
	{ "ipi", begin_ipi, beat_or_call, false },
	{ "vanish", begin_self, vanish, false },
	{ "replay", begin_self, replay, false },
	{ "flood", NULL, flood, false },
	{ "hurry", hello, hurry, false },
	{ "foreign", NULL, foreign, false },
};

/* ---- the page, and vCPUs that spin ---- */

static int find_page(struct liar *l)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (pread(fd, &entry, 8, (off_t)((uintptr_t)l->slot / KS_LP_PAGE * 8)) != 8 ||
	    !(entry & 0x7fffffffffffffull))
		ret = -EACCES;
	close(fd);
	l->hello.gpa[0] = (entry & 0x7fffffffffffffull) * KS_LP_PAGE;
	return ret;
}

static int make_page(struct liar *l)
{
	void *page = mmap(NULL, KS_LP_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	l->slot = page;
	l->hello = (struct ks_lp_hello){
		.magic = KS_LP_MAGIC,
		.version = KS_LP_VERSION,
		.size = sizeof(l->hello),
		.vcpus = l->cpus,
		.cookie = now_ns() | 1,
		.slot_size = sizeof(struct ks_lp_slot),
		.pages = 1,
	};
	l->beat.magic = KS_LP_MAGIC;
	for (unsigned int i = 0; i < l->cpus; i++) {
		l->slot[i].cookie = l->hello.cookie;
		l->slot[i].vcpu = l->slot[i].cpu = i;
	}
	return find_page(l);
}

static void on_signal(int sig)
{
	(void)sig;
	atomic_store(&stop, true);
}

static void *spin(void *arg)
{
	(void)arg;
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		for (int i = 0; i < 64; i++)
			__builtin_ia32_pause();
	return NULL;
}

static int start_spinners(const struct liar *l)
{
	unsigned int i, n = l->cpus - l->mode->idle_last;

	for (i = 0; i < n; i++) {
		pthread_attr_t attr;
		pthread_t thread;
		cpu_set_t set;
		int ret;

		CPU_ZERO(&set);
		CPU_SET(i, &set);
		pthread_attr_init(&attr);
		pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
		ret = pthread_create(&thread, &attr, spin, NULL);
		pthread_attr_destroy(&attr);
		if (ret)
			return -ret;
	}
	return 0;
}

static int lie(struct liar *l)
{
	cpu_set_t first;
	int ret = make_page(l);

	/* Beside the spinner of the first CPU, which is to keep nobody from lying. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	setpriority(0, 0, -10);
	if (!ret)
		ret = start_spinners(l);
	if (ret)
		return ret;
	l->begun = now_ns();
	if (l->mode->begin)
		l->mode->begin(l);
	puts("lying");
	fflush(stdout);
	while (!atomic_load(&stop) && now_ns() < l->end) {
		l->mode->on(l);
		if (l->mode->on != noise && l->mode->on != flood && l->mode->on != hurry)
			usleep(20000);
	}
	atomic_store(&stop, true);
	printf("{\"mode\":\"%s\",\"calls\":%llu,\"hung_up\":%llu,\"seconds\":%.1f}\n",
	       l->mode->name, (unsigned long long)l->calls, (unsigned long long)l->hung_up,
	       (double)(now_ns() - l->begun) / 1e9);
	return 0;
}

static int usage(void)
{
	fputs("usage: liar MODE SECONDS\nmodes:", stderr);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		fprintf(stderr, " %s", modes[i].name);
	fputs("\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static struct liar l = { .fd = -1 };
	unsigned int seconds;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t i;
	int ret;

	if (argc != 3 || parse_uint(argv[2], 3600, &seconds))
		return usage();
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name))
			l.mode = &modes[i];
	if (!l.mode || cpus < 2 || cpus > (long)MAX_CPUS)
		return usage();
	l.cpus = (unsigned int)cpus;
	signal(SIGTERM, on_signal);
	l.end = now_ns() + seconds * NS;
	ret = lie(&l);
	if (ret)
		fprintf(stderr, "liar: %s\n", strerror(-ret));
	return ret ? 1 : 0;
}
