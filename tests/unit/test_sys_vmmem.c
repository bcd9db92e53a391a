// SPDX-License-Identifier: GPL-2.0
/* Where a VM's memory lies, from a made-up /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "test_sys_tree.h"
#include "vmmem.h"

static void put_cmdline(const struct tree *t, const char *words, size_t len)
{
	tree_put(t, "/proc/7/cmdline", words, len);
}

#define CMDLINE(t, s) put_cmdline(t, s, sizeof(s))

static void qemu(void **state)
{
	static struct ks_vmmem_sample s;
	struct ks_vmmem m;
	struct tree t;

	(void)state;
	tree_new(&t);
	CMDLINE(&t,
		"qemu\0-object\0memory-backend-ram,id=a,size=1G,host-nodes=2,policy=bind\0"
		"-object\0{\"qom-type\":\"memory-backend-ram\",\"id\":\"b\",\"host-nodes\":[0]}\0"
		"-numa\0node,nodeid=0,cpus=0-1,memdev=a\0-numa\0node,nodeid=1,memdev=b\0"
		"-numa\0dist,src=0,dst=1,val=21");
	tree_text(&t, "/proc/7/numa_maps",
		  "7f0000000000 bind:2 anon=10 dirty=10 N0=3 N2=7 kernelpagesize_kB=4\n"
		  "7f1000000000 bind:0 anon=2 N0=2 kernelpagesize_kB=2048\n"
		  "7f2000000000 prefer=static:0 N0=1 kernelpagesize_kB=4\n"
		  "7f3000000000 default file=/usr/bin/qemu N1=5 N2=1 kernelpagesize_kB=4\n"
		  "7f4000000000 bind:0-2 N1=1 kernelpagesize_kB=4\n"
		  "7f5000000000 default stack\n");
	assert_int_equal(ks_vmmem_init(&m, t.root, 7), 0);
	assert_int_equal(m.guest_node[2], 0);
	assert_int_equal(m.guest_node[0], 1);
	assert_int_equal(m.guest_node[1], -1);
	assert_int_equal(ks_vmmem_look(&m, t.root, &s), 0);
	assert_int_equal(s.bytes[0][0], 3 * 4096);
	assert_int_equal(s.bytes[0][2], 7 * 4096);
	assert_int_equal(s.bytes[1][0], 2 * (2 << 20) + 4096);
	assert_int_equal(s.bytes[KS_VMMEM_UNKNOWN][1], 6 * 4096);
	assert_int_equal(s.bytes[KS_VMMEM_UNKNOWN][2], 4096);
	tree_free(&t);
}

/* Two nodes of the guest on one of the host; a backend on several: nobody can tell. */
static void not_known(void **state)
{
	struct ks_vmmem m;
	struct tree t;

	(void)state;
	tree_new(&t);
	CMDLINE(&t, "qemu\0-object\0memory-backend-ram,id=a,host-nodes=1\0"
		    "-object\0memory-backend-ram,id=b,host-nodes=1\0"
		    "-object\0memory-backend-ram,id=c,host-nodes=2-3\0"
		    "-numa\0node,nodeid=0,memdev=a\0-numa\0node,nodeid=1,memdev=b\0"
		    "-numa\0node,nodeid=2,memdev=c");
	assert_int_equal(ks_vmmem_init(&m, t.root, 7), 0);
	for (int i = 0; i < KS_VMMEM_NODES; i++)
		assert_int_equal(m.guest_node[i], -1);
	tree_free(&t);
}

/* Any bytes may come. */
static void hostile(void **state)
{
	static struct ks_vmmem_sample s;
	struct ks_vmmem m;
	struct tree t;

	(void)state;
	tree_new(&t);
	CMDLINE(&t, "qemu\0-object\0{\"id\":7,\"host-nodes\":[{}]}\0-object\0{\0-object\0\0"
		    "-object\0{\"id\":\"x\",\"host-nodes\":[null]}\0"
		    "-object\0memory-backend-ram,id=a,host-nodes=99999999999\0"
		    "-numa\0node,nodeid=-1,memdev=a\0-numa\0node\0-numa\0node,nodeid=64,memdev=a\0-"
		    "numa");
	tree_text(&t, "/proc/7/numa_maps",
		  "\n \n7f bind\n7f bind: N0\n7f bind:0 N0=18446744073709551615 N64=1 N=3 N1=-2\n"
		  "7f default N99999999999999999999=1 kernelpagesize_kB=0\n7f default N3=5 "
		  "kernelpagesize_kB=99999999999");
	assert_int_equal(ks_vmmem_init(&m, t.root, 7), 0);
	assert_int_equal(ks_vmmem_look(&m, t.root, &s), 0);
	assert_int_equal(s.bytes[KS_VMMEM_UNKNOWN][0], 0);
	assert_int_equal(s.bytes[KS_VMMEM_UNKNOWN][3], 5 * 4096);
	assert_int_equal(ks_vmmem_init(&m, t.root, 8), -ESRCH);
	m.tgid = 8;
	assert_int_equal(ks_vmmem_look(&m, t.root, &s), -ESRCH);
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qemu),
		cmocka_unit_test(not_known),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
