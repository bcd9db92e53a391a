// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test_sys_tree.h"
#include "trace.h"
#include "vm.h"
#include "vmargs.h"

#define UUID "1f8b6a3c-0d2e-4b5f-9a7c-3e1d5b7f9a0c"

/* argv as literal with \0 between the words; the last NUL is the literal's own. */
struct words {
	const char *data;
	size_t len;
};
#define ARGV(s) ((struct words){ s, sizeof(s) })

static void process(const struct tree *t, int pid, const char *comm, const char *exe,
		    struct words argv)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	tree_put(t, path, argv.data, argv.len);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	snprintf(text, sizeof(text), "%s\n", comm);
	tree_text(t, path, text);
	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	tree_link(t, path, "/dev/null");
	if (exe) {
		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		tree_link(t, path, exe);
	}
}

static void thread(const struct tree *t, int pid, int tid, const char *comm)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
	snprintf(text, sizeof(text), "%s\n", comm);
	tree_text(t, path, text);
}

static void kvm_fds(const struct tree *t, int pid, int vcpus)
{
	char path[64], to[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/10", pid);
	tree_link(t, path, "anon_inode:kvm-vm");
	for (int i = 0; i < vcpus; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, 11 + i);
		snprintf(to, sizeof(to), "anon_inode:kvm-vcpu:%d", i);
		tree_link(t, path, to);
	}
	/* Not VMs and vCPUs, though they look like it. */
	snprintf(path, sizeof(path), "/proc/%d/fd/80", pid);
	tree_link(t, path, "anon_inode:kvm-vcpu-stats:0");
	snprintf(path, sizeof(path), "/proc/%d/fd/81", pid);
	tree_link(t, path, "anon_inode:kvm-vm-stats");
}

static void libvirt_vm(const struct tree *t, int pid, const char *name)
{
	static const char before[] = "/usr/bin/qemu-system-x86_64\0-name\0guest=";
	static const char behind[] =
		",debug-threads=on\0-S\0-m\0size=2097152k,slots=16,maxmem=8388608k\0-uuid\0"
		"1F8B6A3C-0D2E-4B5F-9A7C-3E1D5B7F9A0C\0-device\0"
		"{\"driver\":\"virtio-net-pci\",\"id\":\"net0\"}\0-device\0"
		"{\"driver\":\"vhost-vsock-pci\",\"id\":\"vsock0\",\"guest-cid\":5,\"vhostfd\":"
		"\"26\"}";
	char argv[1024];
	size_t n = strlen(name);

	memcpy(argv, before, sizeof(before) - 1);
	memcpy(argv + sizeof(before) - 1, name, n);
	memcpy(argv + sizeof(before) - 1 + n, behind, sizeof(behind));
	process(t, pid, "qemu-system-x86", "/usr/bin/qemu-system-x86_64",
		(struct words){ argv, sizeof(before) - 1 + n + sizeof(behind) });
	kvm_fds(t, pid, 2);
	thread(t, pid, pid, "qemu-system-x86");
	thread(t, pid, pid + 3, "CPU 1/KVM");
	thread(t, pid, pid + 2, "CPU 0/KVM");
	thread(t, pid, pid + 4, "vhost-4711");
	thread(t, pid, pid + 1, "IO mon_iothread");
}

static void libvirt(void **state)
{
	struct ks_vminfo vm;
	struct tree t;

	(void)state;
	tree_new(&t);
	libvirt_vm(&t, 4711, "web-3");
	assert_int_equal(ks_vm_read(t.root, 4711, &vm), 0);
	assert_int_equal(vm.tgid, 4711);
	assert_int_equal(vm.vmm, KS_VMM_QEMU);
	assert_true(vm.named);
	assert_string_equal(vm.name, "web-3");
	assert_string_equal(vm.uuid, UUID);
	assert_int_equal(vm.cid, 5);
	assert_int_equal(vm.ram, 2ull << 30);
	assert_int_equal(vm.vm_fds, 1);
	assert_int_equal(vm.vcpu_fds, 2);
	assert_int_equal(vm.nthreads, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(vm.threads[i].tid, 4711 + i);
	assert_int_equal(vm.threads[0].vcpu, -1);
	assert_int_equal(vm.threads[2].vcpu, 0);
	assert_int_equal(vm.threads[3].vcpu, 1);
	assert_string_equal(vm.threads[3].name, "CPU 1/KVM");
	assert_int_equal(vm.threads[4].vcpu, -1);
	ks_vm_release(&vm);
	assert_int_equal(ks_vm_read(t.root, 4712, &vm), -ESRCH);
	tree_free(&t);
}

/* A thread that has ended is left out; one that cannot be read is not taken for such. */
static void threads_that_cannot_be_read(void **state)
{
	struct ks_vminfo vm;
	struct ks_vmlist l;
	struct tree t;

	(void)state;
	tree_new(&t);
	libvirt_vm(&t, 4711, "web-3");
	tree_dir(&t, "/proc/4711/task/4720");
	assert_int_equal(ks_vm_read(t.root, 4711, &vm), 0);
	assert_int_equal(vm.nthreads, 5);
	ks_vm_release(&vm);
	tree_dir(&t, "/proc/4711/task/4720/comm");
	assert_int_equal(ks_vm_read(t.root, 4711, &vm), -EISDIR);
	assert_null(vm.threads);
	assert_int_equal(ks_vm_list(t.root, &l), -EISDIR);
	tree_free(&t);
}

static struct ks_vminfo parse(enum ks_vmm vmm, struct words argv)
{
	struct ks_vminfo vm = { .vmm = vmm };

	ks_vmargs_parse(&vm, argv.data, argv.len);
	return vm;
}

static void qemu_options(void **state)
{
	struct ks_vminfo vm;

	(void)state;
	vm = parse(KS_VMM_QEMU, ARGV("qemu-kvm\0-name\0db,process=foo"));
	assert_string_equal(vm.name, "db");
	assert_int_equal(vm.ram, 128 << 20);
	vm = parse(KS_VMM_QEMU, ARGV("q\0--name\0debug-threads=on,guest=a,,b\0-m\0"
				     "512"));
	assert_string_equal(vm.name, "a,b");
	assert_int_equal(vm.ram, 512 << 20);
	vm = parse(KS_VMM_QEMU, ARGV("q\0-name=guest=x\0-m\0"
				     "1.5G\0-device\0"
				     "vhost-vsock-pci,id=v,guest-cid=42"));
	assert_string_equal(vm.name, "x");
	assert_int_equal(vm.ram, 1536ull << 20);
	assert_int_equal(vm.cid, 42);
	vm = parse(KS_VMM_QEMU, ARGV("q\0-name\0one\0-name\0two"));
	assert_string_equal(vm.name, "two");
	/* Not names, CIDs, UUIDs: */
	vm = parse(KS_VMM_QEMU, ARGV("q\0-name\0debug-threads=on\0-device\0virtio-net,guest-cid=9\0"
				     "-uuid\0not-a-uuid\0-append\0-name"));
	assert_false(vm.named);
	assert_int_equal(vm.cid, 0);
	assert_string_equal(vm.uuid, "");
	vm = parse(KS_VMM_QEMU, ARGV("q\0-device\0vhost-vsock-pci,guest-cid=2"));
	assert_int_equal(vm.cid, 0); /* the host's own */
}

static void other_vmms(void **state)
{
	struct ks_vminfo vm;

	(void)state;
	vm = parse(KS_VMM_CLOUD_HYPERVISOR,
		   ARGV("cloud-hypervisor\0--memory\0size=1024M,shared=on\0--vsock\0"
			"cid=7,socket=/tmp/s\0--platform\0uuid=" UUID));
	assert_false(vm.named);
	assert_int_equal(vm.ram, 1ull << 30);
	assert_int_equal(vm.cid, 7);
	assert_string_equal(vm.uuid, UUID);
	vm = parse(KS_VMM_FIRECRACKER, ARGV("firecracker\0--id\0fn-1\0--api-sock\0/x"));
	assert_string_equal(vm.name, "fn-1");
	vm = parse(KS_VMM_FIRECRACKER, ARGV("firecracker\0--id=fn-2"));
	assert_string_equal(vm.name, "fn-2");
	vm = parse(KS_VMM_CROSVM, ARGV("crosvm\0run\0--name\0cr\0--mem\0"
				       "1024\0--cid\0"
				       "3"));
	assert_string_equal(vm.name, "cr");
	assert_int_equal(vm.ram, 1ull << 30);
	assert_int_equal(vm.cid, 3);
	vm = parse(KS_VMM_KVMTOOL, ARGV("lkvm\0run\0-n\0kt\0-m\0"
					"320"));
	assert_string_equal(vm.name, "kt");
	assert_int_equal(vm.ram, 320 << 20);
	vm = parse(KS_VMM_OTHER, ARGV("myvmm\0-name\0x"));
	assert_false(vm.named);
}

static void hostile_options(void **state)
{
	static const char *const words[] = { "-name",
					     "--",
					     "-",
					     "-m",
					     "-device",
					     "{",
					     "{\"driver\":",
					     "=",
					     "-=",
					     "guest=",
					     ",",
					     ",,",
					     "-uuid",
					     "\xff\xfe",
					     "-name=\033[2Jx",
					     "{\"driver\":7,\"guest-cid\":[]}",
					     "{\"driver\":\"vhost-vsock\",\"guest-cid\":null}",
					     "{\"driver\":null}",
					     "size=99999999999999999999T",
					     "vsock,guest-cid=-1" };
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char argv[256];
		size_t len = 0;
		struct ks_vminfo vm = { .vmm = (enum ks_vmm)(round % 6) };

		while (len < 150) {
			const char *w = words[rand_r(&seed) % (sizeof(words) / sizeof(words[0]))];

			memcpy(argv + len, w, strlen(w) + 1);
			len += strlen(w) + (rand_r(&seed) % 8 != 0); /* sometimes glued */
		}
		ks_vmargs_parse(&vm, argv, len);
		assert_null(strchr(vm.name, '\033'));
		assert_true(strlen(vm.name) < sizeof(vm.name));
		assert_true(vm.cid == 0 || vm.cid > 2);
	}
}

static void names_of_threads(void **state)
{
	(void)state;
	assert_int_equal(ks_vm_vcpu_of_name("CPU 0/KVM"), 0);
	assert_int_equal(ks_vm_vcpu_of_name("CPU 255/KVM"), 255);
	assert_int_equal(ks_vm_vcpu_of_name("CPU 0/TCG"), -1);
	assert_int_equal(ks_vm_vcpu_of_name("CPU /KVM"), -1);
	assert_int_equal(ks_vm_vcpu_of_name("CPU 99999999999/KVM"), -1);
	assert_int_equal(ks_vm_vcpu_of_name("vcpu7"), 7);
	assert_int_equal(ks_vm_vcpu_of_name("fc_vcpu 1"), 1);
	assert_int_equal(ks_vm_vcpu_of_name("crosvm_vcpu2"), 2);
	assert_int_equal(ks_vm_vcpu_of_name("kvm-vcpu-3"), 3);
	assert_int_equal(ks_vm_vcpu_of_name("vcpu7x"), -1);
	assert_int_equal(ks_vm_vcpu_of_name(""), -1);
}

/* Two VMs called web-3, a nameless one, a hostile one, and processes that are no VMs. */
static void build_machine(struct tree *t)
{
	tree_new(t);
	libvirt_vm(t, 5000, "web-3");
	libvirt_vm(t, 5100, "web-3");
	libvirt_vm(t, 5200, "db\033[31m");
	process(t, 300, "own-vmm", "/opt/own-vmm (deleted)", ARGV("own-vmm\0--fast"));
	kvm_fds(t, 300, 1);
	thread(t, 300, 300, "own-vmm");
	thread(t, 300, 301, "vcpu0");
	process(t, 200, "bash", "/bin/bash", ARGV("bash"));
	thread(t, 200, 200, "bash");
	process(t, 201, "qemu-img", "/usr/bin/qemu-img", ARGV("qemu-img\0convert"));
	thread(t, 201, 201, "qemu-img");
	tree_text(t, "/proc/cpuinfo", "processor\t: 0\n");
	tree_dir(t, "/proc/999"); /* ended while we looked */
}

static void list(void **state)
{
	struct ks_vmlist l;
	struct tree t;

	(void)state;
	build_machine(&t);
	assert_int_equal(ks_vm_list(t.root, &l), 0);
	assert_int_equal(l.n, 4);
	assert_int_equal(l.vm[0].tgid, 300);
	assert_int_equal(l.vm[0].vmm, KS_VMM_OTHER);
	assert_false(l.vm[0].named);
	assert_string_equal(l.vm[0].name, "own-vmm-300");
	assert_int_equal(l.vm[0].threads[1].vcpu, 0);
	assert_int_equal(l.vm[3].tgid, 5200);
	assert_string_equal(l.vm[3].name, "db?[31m");
	ks_vm_list_free(&l);
	tree_free(&t);
	assert_int_equal(ks_vm_list("/nonexistent", &l), -ENOENT);
}

static void resolve(void **state)
{
	struct ks_vmlist l;
	struct ks_err err;
	struct tree t;
	uint32_t tgid = 1;

	(void)state;
	build_machine(&t);
	assert_int_equal(ks_vm_list(t.root, &l), 0);
	assert_int_equal(ks_vm_resolve(&l, "5100", &tgid, &err), 0);
	assert_int_equal(tgid, 5100);
	assert_int_equal(ks_vm_resolve(&l, "own-vmm-300", &tgid, &err), 0);
	assert_int_equal(tgid, 300);
	assert_int_equal(ks_vm_resolve(&l, "db\033[31m", &tgid, &err), 0);
	assert_int_equal(tgid, 5200);
	tgid = 1;
	assert_int_equal(ks_vm_resolve(&l, "web-3", &tgid, &err), -ENOTUNIQ);
	assert_string_equal(err.msg, "2 VMs are called 'web-3'; give a PID: web-3 (PID 5000), "
				     "web-3 (PID 5100)");
	assert_int_equal(ks_vm_resolve(&l, UUID, &tgid, &err), -ENOTUNIQ);
	assert_non_null(strstr(err.msg, "PID 5200"));
	assert_int_equal(ks_vm_resolve(&l, "200", &tgid, &err), -ENOENT); /* no VM */
	assert_int_equal(ks_vm_resolve(&l, "", &tgid, &err), -ENOENT);
	assert_int_equal(ks_vm_resolve(&l, "web", &tgid, &err), -ENOENT);
	assert_string_equal(err.msg, "no VM 'web' here; there is own-vmm-300 (PID 300), web-3 "
				     "(PID 5000), web-3 (PID 5100), db?[31m (PID 5200)");
	assert_int_equal(tgid, 1);
	ks_vm_list_free(&l);
	assert_int_equal(ks_vm_resolve(&l, "web", &tgid, &err), -ENOENT);
	assert_string_equal(err.msg, "no VM 'web': no process here has a KVM VM open");
	l.unreadable = 3;
	assert_int_equal(ks_vm_resolve(&l, "web", &tgid, &err), -ENOENT);
	assert_string_equal(err.msg, "no VM 'web' found, but 3 processes could not be looked into; "
				     "run as root");
	l.unreadable = 0;
	tree_free(&t);
}

/* On the real /proc: this process, which is no VM. */
static void real_proc(void **state)
{
	struct ks_vminfo vm;
	struct ks_vmlist l;

	(void)state;
	assert_int_equal(ks_vm_read(NULL, (uint32_t)getpid(), &vm), 0);
	assert_int_equal(vm.vm_fds, 0);
	assert_int_equal(vm.nthreads, 1);
	assert_int_equal(vm.threads[0].tid, getpid());
	assert_int_equal(strncmp(vm.name, "test_sys_vm-", 12), 0);
	ks_vm_release(&vm);
	assert_int_equal(ks_vm_list(NULL, &l), 0);
	for (size_t i = 0; i < l.n; i++)
		assert_int_not_equal(l.vm[i].tgid, getpid());
	ks_vm_list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libvirt),
		cmocka_unit_test(qemu_options),
		cmocka_unit_test(other_vmms),
		cmocka_unit_test(hostile_options),
		cmocka_unit_test(names_of_threads),
		cmocka_unit_test(list),
		cmocka_unit_test(resolve),
		cmocka_unit_test(real_proc),
		cmocka_unit_test(threads_that_cannot_be_read),
	};

	return cmocka_run_group_tests_name("sys vm", tests, NULL, NULL);
}
