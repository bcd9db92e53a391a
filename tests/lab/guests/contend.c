// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a Linux guest's kernel locks hot. Default: all threads share one file table and open, dup2
 * and close on it, so that they all want its files->file_lock, a spinlock. Others: futexes (the hash
 * bucket's lock), TLB shootdowns (IPIs that all CPUs must answer) and a file's owner (a rwlock).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define MAX_THREADS 256
#define FIRST_FD 64
#define TLB_PAGES 16
#define PAGE 4096

struct worker {
	pthread_t thread;
	unsigned int id;
	uint64_t rounds;
	int error;
};

/* What each does again and again; 0 or -errno. */
static int round_files(struct worker *w);

static struct {
	const char *mode;
	int (*round)(struct worker *w);
	unsigned int threads;
	unsigned int seconds;
	unsigned int rounds;
	bool pin;
} opt = { .mode = "files", .round = round_files, .threads = 8, .seconds = 2 };

static struct worker workers[MAX_THREADS];
static pthread_barrier_t start_line;
static atomic_bool stop;
static uint32_t futex_word;

static int round_files(struct worker *w)
{
	int target = FIRST_FD + (int)w->id;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (dup2(fd, target) < 0)
		err = -errno;
	close(target);
	close(fd);
	return err;
}

/* Nobody ever waits for long: the value never matches, but the bucket's lock is taken each time. */
static int round_futex(struct worker *w)
{
	(void)w;
	if (syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0) < 0 &&
	    errno != EAGAIN && errno != EINTR)
		return -errno;
	syscall(SYS_futex, &futex_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return 0;
}

/* Pages that were written and are unmapped: every CPU that runs this process must flush them. */
static int round_tlb(struct worker *w)
{
	size_t size = (size_t)TLB_PAGES * PAGE;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < size; i += PAGE)
		p[i] = (char)w->id;
	if (mprotect(p, size, PROT_READ))
		return -errno;
	return munmap(p, size) ? -errno : 0;
}

static int owned[2]; /* a pipe whose reader is to be sent SIGIO */

static int make_owned(void)
{
	signal(SIGIO, SIG_IGN);
	if (pipe2(owned, O_NONBLOCK) || fcntl(owned[0], F_SETOWN, getpid()) ||
	    fcntl(owned[0], F_SETFL, O_NONBLOCK | O_ASYNC))
		return -errno;
	return 0;
}

/* The lock of a file's owner, a rwlock: half of the threads write it, the others read it to send a signal. */
static int round_owners(struct worker *w)
{
	int ret = w->id % 2 ? (int)write(owned[1], "x", 1) : fcntl(owned[0], F_SETOWN, getpid());

	return ret < 0 && errno != EAGAIN ? -errno : 0;
}

static void pin_thread(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	if (opt.pin)
		pin_thread(w->id % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN));
	pthread_barrier_wait(&start_line);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		if (opt.rounds && w->rounds == opt.rounds)
			break;
		w->error = opt.round(w);
		if (w->error)
			break;
		w->rounds++;
	}
	return NULL;
}

static int start_workers(void)
{
	int err;

	pthread_barrier_init(&start_line, NULL, opt.threads + 1);
	for (unsigned int i = 0; i < opt.threads; i++) {
		workers[i].id = i;
		err = pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
		if (err)
			return -err;
	}
	return 0;
}

static int run(void)
{
	uint64_t start, total = 0;
	int err = start_workers();

	if (err)
		return err;
	/* Not after the start line: the others may be half through before this thread runs again. */
	start = now_ns();
	pthread_barrier_wait(&start_line);
	if (opt.seconds) {
		sleep(opt.seconds);
		atomic_store(&stop, true);
	}
	for (unsigned int i = 0; i < opt.threads; i++) {
		pthread_join(workers[i].thread, NULL);
		total += workers[i].rounds;
		if (workers[i].error)
			err = workers[i].error;
	}
	printf("{\"mode\":\"%s\",\"threads\":%u,\"rounds\":%" PRIu64 ",\"elapsed_ns\":%" PRIu64
	       "}\n",
	       opt.mode, opt.threads, total, now_ns() - start);
	return err;
}

static const struct option long_options[] = {
	{ "files", no_argument, NULL, 'f' },	     { "futex", no_argument, NULL, 'u' },
	{ "tlb", no_argument, NULL, 't' },	     { "owners", no_argument, NULL, 'o' },
	{ "threads", required_argument, NULL, 'n' }, { "seconds", required_argument, NULL, 's' },
	{ "rounds", required_argument, NULL, 'r' },  { "pin", no_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },	     { 0 },
};

static const char usage_text[] =
	"Usage: contend [--files|--futex|--tlb|--owners] [--threads N] [--seconds S|--rounds K] "
	"[--pin]\n"
	"  --files      open, dup2, close on one shared file table (default)\n"
	"  --futex      futex wait and wake on one word\n"
	"  --tlb        map, write, protect and unmap: TLB shootdowns\n"
	"  --owners     read and write who owns a file: a rwlock\n"
	"  --threads N  threads (8)\n"
	"  --seconds S  for so long (2), or\n"
	"  --rounds K   so many rounds per thread\n"
	"  --pin        thread i on CPU i modulo the number of CPUs\n"
	"Prints the rounds done as a JSON object.\n";

static void set_mode(const char *mode, int (*round)(struct worker *w))
{
	opt.mode = mode;
	opt.round = round;
}

static int parse_one(int c, const char *arg)
{
	switch (c) {
	case 'f':
		set_mode("files", round_files);
		return 0;
	case 'u':
		set_mode("futex", round_futex);
		return 0;
	case 't':
		set_mode("tlb", round_tlb);
		return 0;
	case 'o':
		set_mode("owners", round_owners);
		return make_owned();
	case 'n':
		return parse_uint(arg, MAX_THREADS, &opt.threads);
	case 's':
		opt.rounds = 0;
		return parse_uint(arg, UINT32_MAX, &opt.seconds);
	case 'r':
		opt.seconds = 0;
		return parse_uint(arg, UINT32_MAX, &opt.rounds);
	case 'p':
		opt.pin = true;
		return 0;
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "contend",
		.usage = usage_text,
		.options = long_options,
		.parse = parse_one,
		.run = run,
	};

	return program_main(&program, argc, argv);
}
