// SPDX-License-Identifier: GPL-2.0
/*
 * A virtual machine monitor of a few ioctls and a guest of a few bytes, for numbers that are known
 * in advance: so many PAUSEs, so many HLTs, so many TSC readings around a marked event. Nothing
 * else runs in the guest, so nothing else exits for the reasons that are counted.
 *
 * Without an in-kernel interrupt controller every HLT returns to user space, and KVM_RUN goes on
 * behind it: exits for HLT are exact and no wake-up is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MAX_VCPUS 64
#define CODE_ADDR 0x1000
#define BUSY_ADDR 0x1800
#define STORE_SIZE (1u << 20)
#define MAX_PAIRS (STORE_SIZE / sizeof(struct tsc_pair))
#define BENCH_PAUSES 100
#define PORT_DONE 0x10

enum mark { MARK_OUT, MARK_PAUSE, MARK_HLT };

struct tsc_pair {
	uint64_t before, after;
};

struct options {
	const char *name;
	const char *start_file;
	const char *end_file;
	unsigned int vcpus;
	unsigned int rounds;
	unsigned int pauses;
	unsigned int pairs;
	unsigned int busy;
	enum mark mark;
	int64_t tsc_step;
	bool turns;
};

struct vm {
	struct options opt;
	int kvm, fd;
	uint8_t *mem;
	size_t mem_size;
	size_t run_size;
	pthread_barrier_t ready, go;
	sem_t turn[MAX_VCPUS];
};

struct vcpu {
	struct vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	pid_t tid;
	uint64_t hlts;	/* KVM_EXIT_HLT seen here, in user space */
	uint64_t marks; /* OUTs to PORT_MARK seen here */
	int64_t offset_old, offset_new;
	int error;
};

/*
 * Real mode, code segment base 0. EBX: rounds, ESI: PAUSEs per round (at least 1).
 * round: mov ecx, esi; 1: pause; dec ecx; jnz 1b; hlt; dec ebx; jnz round; out PORT_DONE, al
 */
static const uint8_t code_rounds[] = {
	0x66, 0x89, 0xf1, 0xf3, 0x90, 0x66, 0x49, 0x75,
	0xfa, 0xf4, 0x66, 0x4b, 0x75, 0xf2, 0xe6, PORT_DONE,
};

/* Never ends and never exits of itself: 1: jmp 1b. */
static const uint8_t code_busy[] = { 0xeb, 0xfe };

/* As above without any PAUSE: hlt; dec ebx; jnz; out PORT_DONE, al. */
static const uint8_t code_hlts[] = {
	0xf4, 0x66, 0x4b, 0x75, 0xfb, 0xe6, PORT_DONE,
};

/*
 * EBX: pairs, EDI: where to store them. rdtsc; mov [edi], eax; mov [edi+4], edx; MARK; rdtsc;
 * mov [edi+8], eax; mov [edi+12], edx; add edi, 16; dec ebx; jnz; out PORT_DONE, al.
 * The mark is two bytes: out 0x11, al, or pause, or hlt and nop.
 */
#define CODE_PAIRS(m0, m1)                                                                         \
	{                                                                                          \
		0x0f, 0x31, 0x67, 0x66, 0x89, 0x07, 0x67, 0x66, 0x89, 0x57, 0x04,      m0,         \
		m1,   0x0f, 0x31, 0x67, 0x66, 0x89, 0x47, 0x08, 0x67, 0x66, 0x89,      0x57,       \
		0x0c, 0x66, 0x83, 0xc7, 0x10, 0x66, 0x4b, 0x75, 0xdf, 0xe6, PORT_DONE,             \
	}
static const uint8_t code_pairs[][35] = {
	[MARK_OUT] = CODE_PAIRS(0xe6, 0x11),
	[MARK_PAUSE] = CODE_PAIRS(0xf3, 0x90),
	[MARK_HLT] = CODE_PAIRS(0xf4, 0x90),
};

static const char *const mark_names[] = { "out", "pause", "hlt" };

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int parse_u64(const char *text, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || *out > max)
		return -EINVAL;
	return 0;
}

static int parse_uint(const char *text, unsigned int max, unsigned int *out)
{
	uint64_t v;

	if (parse_u64(text, max, &v))
		return -EINVAL;
	*out = (unsigned int)v;
	return 0;
}

static int parse_i64(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno || end == text || *end ? -EINVAL : 0;
}

static int parse_mark(const char *text, enum mark *out)
{
	for (unsigned int i = 0; i < 3; i++) {
		if (!strcmp(text, mark_names[i])) {
			*out = (enum mark)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Guest memory: a page of code, then one store of TSC pairs per vCPU. */
static int vm_memory(struct vm *vm)
{
	struct kvm_userspace_memory_region region = { 0 };

	vm->mem_size = (size_t)STORE_SIZE * (vm->opt.vcpus + 1);
	vm->mem = mmap(NULL, vm->mem_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (vm->mem == MAP_FAILED)
		return -errno;
	if (vm->opt.pairs)
		memcpy(vm->mem + CODE_ADDR, code_pairs[vm->opt.mark], sizeof(code_pairs[0]));
	else if (vm->opt.pauses)
		memcpy(vm->mem + CODE_ADDR, code_rounds, sizeof(code_rounds));
	else
		memcpy(vm->mem + CODE_ADDR, code_hlts, sizeof(code_hlts));
	memcpy(vm->mem + BUSY_ADDR, code_busy, sizeof(code_busy));
	region.memory_size = vm->mem_size;
	region.userspace_addr = (uintptr_t)vm->mem;
	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

static int vm_open(struct vm *vm)
{
	int size;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		return -errno;
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return -errno;
	/* Intel without unrestricted guest runs real mode by means of a TSS below 4 GiB. */
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < 0)
		return -errno;
	vm->run_size = (size_t)size;
	return vm_memory(vm);
}

/* Flat data segments: the stores lie above the first 64 KiB. */
static int vcpu_segments(struct vcpu *v)
{
	struct kvm_sregs sregs;

	if (ioctl(v->fd, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.limit = 0xffffffff;
	sregs.ds.g = 1;
	return ioctl(v->fd, KVM_SET_SREGS, &sregs) ? -errno : 0;
}

static int vcpu_open(struct vcpu *v)
{
	v->fd = ioctl(v->vm->fd, KVM_CREATE_VCPU, (unsigned long)v->id);
	if (v->fd < 0)
		return -errno;
	v->run = mmap(NULL, v->vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED)
		return -errno;
	return vcpu_segments(v);
}

static int vcpu_regs(struct vcpu *v, unsigned int count, unsigned int first_pair)
{
	struct kvm_regs regs = {
		.rip = v->id < v->vm->opt.busy ? BUSY_ADDR : CODE_ADDR,
		.rflags = 2,
		.rbx = count,
		.rsi = v->vm->opt.pauses,
		.rdi = (uint64_t)STORE_SIZE * (v->id + 1) + first_pair * sizeof(struct tsc_pair),
	};

	return ioctl(v->fd, KVM_SET_REGS, &regs) ? -errno : 0;
}

/* One vCPU at a time runs; the next is woken, this one sleeps. */
static void pass_turn(struct vcpu *v)
{
	sem_post(&v->vm->turn[(v->id + 1) % v->vm->opt.vcpus]);
	while (sem_wait(&v->vm->turn[v->id])) {
	}
}

/* Until the guest writes to PORT_DONE. */
static int vcpu_run(struct vcpu *v)
{
	for (;;) {
		if (ioctl(v->fd, KVM_RUN, 0)) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return -errno;
		}
		if (v->run->exit_reason == KVM_EXIT_HLT) {
			v->hlts++;
			if (v->vm->opt.turns)
				pass_turn(v);
		} else if (v->run->exit_reason != KVM_EXIT_IO) {
			fprintf(stderr, "minivmm: vcpu %u: unexpected exit %u\n", v->id,
				v->run->exit_reason);
			return -EPROTO;
		} else if (v->run->io.port == PORT_DONE) {
			return 0;
		} else {
			v->marks++;
		}
	}
}

/* Adds step to the vCPU's TSC offset, as a VMM does on restoring a guest. */
static int vcpu_step_tsc(struct vcpu *v, int64_t step)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
	};

	attr.addr = (uintptr_t)&v->offset_old;
	if (ioctl(v->fd, KVM_GET_DEVICE_ATTR, &attr))
		return -errno;
	v->offset_new = v->offset_old + step;
	attr.addr = (uintptr_t)&v->offset_new;
	return ioctl(v->fd, KVM_SET_DEVICE_ATTR, &attr) ? -errno : 0;
}

static int vcpu_pairs(struct vcpu *v)
{
	const struct options *opt = &v->vm->opt;
	unsigned int half = opt->tsc_step ? opt->pairs / 2 : 0;
	int err = 0;

	if (half) {
		err = vcpu_regs(v, half, 0);
		if (!err)
			err = vcpu_run(v);
		if (!err)
			err = vcpu_step_tsc(v, opt->tsc_step);
	}
	if (!err)
		err = vcpu_regs(v, opt->pairs - half, half);
	return err ? err : vcpu_run(v);
}

static int vcpu_rounds(struct vcpu *v)
{
	int err = vcpu_regs(v, v->vm->opt.rounds, 0);

	if (v->vm->opt.turns && v->id)
		sem_wait(&v->vm->turn[v->id]);
	if (!err)
		err = vcpu_run(v);
	if (v->vm->opt.turns)
		sem_post(&v->vm->turn[(v->id + 1) % v->vm->opt.vcpus]);
	return err;
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	char name[16];

	snprintf(name, sizeof(name), "CPU %u/KVM", v->id);
	pthread_setname_np(pthread_self(), name);
	v->tid = gettid();
	v->error = vcpu_open(v);
	pthread_barrier_wait(&v->vm->ready);
	pthread_barrier_wait(&v->vm->go);
	if (!v->error)
		v->error = v->vm->opt.pairs ? vcpu_pairs(v) : vcpu_rounds(v);
	return NULL;
}

static void wait_for_file(const char *path)
{
	const struct timespec nap = { .tv_nsec = 10000000 };

	while (path && access(path, F_OK))
		nanosleep(&nap, NULL);
}

static void print_pairs(const struct vcpu *v)
{
	const struct vm *vm = v->vm;
	const struct tsc_pair *p =
		(const struct tsc_pair *)(vm->mem + (size_t)STORE_SIZE * (v->id + 1));

	for (unsigned int i = 0; i < vm->opt.pairs; i++)
		printf("{\"vcpu\":%u,\"pair\":%u,\"before\":%" PRIu64 ",\"after\":%" PRIu64 "}\n",
		       v->id, i, p[i].before, p[i].after);
	if (vm->opt.tsc_step)
		printf("{\"vcpu\":%u,\"stepped_before_pair\":%u,\"offset_old\":%" PRId64
		       ",\"offset_new\":%" PRId64 "}\n",
		       v->id, vm->opt.pairs / 2, v->offset_old, v->offset_new);
}

/* What the guest's code has done: it ends only when all of it is done. */
static void print_summary(const struct vm *vm, const struct vcpu *v, uint64_t elapsed)
{
	const struct options *o = &vm->opt;
	uint64_t pauses = o->pairs ? 0 : (uint64_t)o->rounds * o->pauses;
	uint64_t hlts = o->pairs ? 0 : o->rounds;

	struct rusage used = { 0 };

	getrusage(RUSAGE_SELF, &used);
	if (o->pairs && o->mark == MARK_PAUSE)
		pauses = o->pairs;
	if (o->pairs && o->mark == MARK_HLT)
		hlts = o->pairs;
	printf("{\"name\":\"%s\",\"pid\":%d,\"vcpus\":%u,\"elapsed_ns\":%" PRIu64
	       ",\"switches\":%ld,\"pauses\":%" PRIu64 ",\"hlts\":%" PRIu64 ",\"per_vcpu\":[",
	       o->name, getpid(), o->vcpus, elapsed, used.ru_nvcsw + used.ru_nivcsw,
	       pauses * o->vcpus, hlts * o->vcpus);
	for (unsigned int i = 0; i < o->vcpus; i++)
		printf("%s{\"vcpu\":%u,\"tid\":%d,\"pauses\":%" PRIu64 ",\"hlts\":%" PRIu64
		       ",\"outs\":%" PRIu64 "}",
		       i ? "," : "", i, v[i].tid, pauses, v[i].hlts, v[i].marks);
	printf("]}\n");
}

static int start_vcpus(struct vm *vm, struct vcpu *v)
{
	int err;

	pthread_barrier_init(&vm->ready, NULL, vm->opt.vcpus + 1);
	pthread_barrier_init(&vm->go, NULL, vm->opt.vcpus + 1);
	for (unsigned int i = 0; i < vm->opt.vcpus; i++) {
		v[i].vm = vm;
		v[i].id = i;
		sem_init(&vm->turn[i], 0, 0);
		err = pthread_create(&v[i].thread, NULL, vcpu_main, &v[i]);
		if (err)
			return -err;
	}
	return 0;
}

static int vm_run(struct vm *vm, struct vcpu *v)
{
	uint64_t start;
	int err = start_vcpus(vm, v);

	if (err)
		return err;
	pthread_barrier_wait(&vm->ready);
	wait_for_file(vm->opt.start_file);
	start = now_ns();
	pthread_barrier_wait(&vm->go);
	for (unsigned int i = 0; i < vm->opt.vcpus; i++) {
		pthread_join(v[i].thread, NULL);
		if (v[i].error)
			err = v[i].error;
	}
	if (err)
		return err;
	print_summary(vm, v, now_ns() - start);
	for (unsigned int i = 0; i < vm->opt.vcpus; i++)
		print_pairs(&v[i]);
	fflush(stdout);
	wait_for_file(vm->opt.end_file);
	return 0;
}

static const struct option long_options[] = {
	{ "name", required_argument, NULL, 'n' },
	{ "vcpus", required_argument, NULL, 'v' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "pauses", required_argument, NULL, 'p' },
	{ "busy", required_argument, NULL, 'B' },
	{ "turns", no_argument, NULL, 'T' },
	{ "exits-bench", required_argument, NULL, 'b' },
	{ "tsc-pairs", required_argument, NULL, 't' },
	{ "mark", required_argument, NULL, 'm' },
	{ "tsc-offset-step", required_argument, NULL, 'o' },
	{ "start-file", required_argument, NULL, 's' },
	{ "end-file", required_argument, NULL, 'e' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char usage_text[] =
	"Usage: minivmm [OPTION]...\n"
	"  -name guest=NAME      as QEMU takes it; names the virtual machine\n"
	"  --vcpus N             vCPUs, threads named \"CPU N/KVM\" (1)\n"
	"  --rounds N            each vCPU does N rounds (997) ...\n"
	"  --pauses P            ... of P PAUSEs and then one HLT (100)\n"
	"  --busy N              the first N vCPUs run a loop without an exit, for ever (0)\n"
	"  --turns               after each HLT the next vCPU runs, this one sleeps until its "
	"turn\n"
	"  --exits-bench K       K rounds of 100 PAUSEs and one HLT\n"
	"  --tsc-pairs N         instead: N times read TSC, do the mark, read TSC\n"
	"  --mark out|pause|hlt  the mark (out: port 0x11)\n"
	"  --tsc-offset-step X   after half of the pairs add X to the TSC offset\n"
	"  --start-file FILE     vCPUs exist, but run only once FILE does\n"
	"  --end-file FILE       stay, idle, until FILE exists\n"
	"Prints one JSON object with what was done, then one per TSC pair.\n";

static int parse_one(struct options *o, int c, const char *arg)
{
	switch (c) {
	case 'n':
		o->name = strncmp(arg, "guest=", 6) ? arg : arg + 6;
		return 0;
	case 'v':
		return parse_uint(arg, MAX_VCPUS, &o->vcpus);
	case 'r':
		return parse_uint(arg, UINT32_MAX, &o->rounds);
	case 'p':
		return parse_uint(arg, UINT32_MAX, &o->pauses);
	case 'B':
		return parse_uint(arg, MAX_VCPUS, &o->busy);
	case 'T':
		o->turns = true;
		return 0;
	case 'b':
		o->pauses = BENCH_PAUSES;
		return parse_uint(arg, UINT32_MAX, &o->rounds);
	case 't':
		return parse_uint(arg, MAX_PAIRS, &o->pairs);
	case 'm':
		return parse_mark(arg, &o->mark);
	case 'o':
		return parse_i64(arg, &o->tsc_step);
	case 's':
		o->start_file = arg;
		return 0;
	case 'e':
		o->end_file = arg;
		return 0;
	}
	return -EINVAL;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long_only(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			exit(0);
		}
		if (parse_one(o, c, optarg)) {
			if (c != '?')
				fprintf(stderr, "minivmm: bad value: %s\n", optarg);
			return -EINVAL;
		}
	}
	return optind == argc && o->vcpus && o->rounds ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	static struct vcpu vcpus[MAX_VCPUS];
	static struct vm vm = {
		.opt = { .name = "minivmm", .vcpus = 1, .rounds = 997, .pauses = 100 },
	};
	int err;

	if (parse_options(argc, argv, &vm.opt)) {
		fputs(usage_text, stderr);
		return 2;
	}
	err = vm_open(&vm);
	if (!err)
		err = vm_run(&vm, vcpus);
	if (err) {
		fprintf(stderr, "minivmm: %s\n", strerror(-err));
		return 1;
	}
	return 0;
}
