// SPDX-License-Identifier: GPL-2.0
/* Lock pages in real maps of the kernel: by process, to a number, to the page. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <cmocka.h>

#include "pagemaps.h"

static struct ks_pagemaps maps;

/* As the programs in bpf/lock_pages.bpf.h have them. */
static int setup(void **state)
{
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(uint32_t),
				   sizeof(struct ks_lp_vm), 1, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, outer, .inner_map_fd = (uint32_t)inner);
	LIBBPF_OPTS(bpf_map_create_opts, hash, .map_flags = BPF_F_NO_PREALLOC);

	(void)state;
	if (inner < 0)
		return 0; /* needs_maps() says so */
	maps = (struct ks_pagemaps){ 0 };
	maps.pages = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, NULL, sizeof(uint32_t),
				    sizeof(uint32_t), KS_LP_GUESTS, &outer);
	maps.numbers = bpf_map_create(BPF_MAP_TYPE_HASH, NULL, sizeof(uint32_t), sizeof(uint32_t),
				      KS_LP_GUESTS, &hash);
	close(inner);
	return maps.pages < 0 || maps.numbers < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(maps.pages);
	close(maps.numbers);
	return 0;
}

static void needs_maps(void)
{
	if (maps.pages > 0)
		return;
	print_message("BPF maps cannot be made here: this needs CAP_BPF\n");
	skip();
}

/* What a program finds for a thread of this process: the page's cookie, 0 = no page. */
static uint64_t cookie_of(uint32_t tgid)
{
	uint32_t number, id, zero = 0;
	struct ks_lp_vm vm;
	int fd;

	if (bpf_map_lookup_elem(maps.numbers, &tgid, &number))
		return 0;
	assert_int_equal(bpf_map_lookup_elem(maps.pages, &number, &id), 0);
	fd = bpf_map_get_fd_by_id(id);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &vm), 0);
	close(fd);
	assert_int_equal(vm.tgid, tgid);
	return vm.cookie;
}

static int put(uint32_t tgid, uint64_t cookie)
{
	static struct ks_lp_vm vm;

	vm.tgid = tgid;
	vm.cookie = cookie;
	return ks_pagemaps_put(&maps, &vm);
}

static void put_and_drop(void **state)
{
	(void)state;
	needs_maps();
	assert_int_equal(put(10, 1), 0);
	assert_int_equal(put(20, 2), 0);
	assert_int_equal(cookie_of(10), 1);
	assert_int_equal(cookie_of(20), 2);
	assert_int_equal(put(10, 3), 0); /* proved anew */
	assert_int_equal(cookie_of(10), 3);
	assert_int_equal(ks_pagemaps_count(&maps), 2);

	ks_pagemaps_drop(&maps, 10);
	ks_pagemaps_drop(&maps, 10);
	ks_pagemaps_drop(&maps, 0);
	assert_int_equal(cookie_of(10), 0);
	assert_int_equal(cookie_of(20), 2);
	assert_int_equal(ks_pagemaps_count(&maps), 1);

	assert_int_equal(put(30, 4), 0); /* with the number that has become free */
	assert_int_equal(cookie_of(30), 4);
	assert_int_equal(cookie_of(20), 2);
}

static void too_many(void **state)
{
	uint32_t i;

	(void)state;
	needs_maps();
	for (i = 1; i <= KS_LP_GUESTS; i++)
		assert_int_equal(put(i, i), 0);
	assert_int_equal(put(i, i), -ENOSPC);
	assert_int_equal(cookie_of(i), 0);
	assert_int_equal(put(7, 70), 0); /* who has one may have another */
	assert_int_equal(cookie_of(7), 70);
	ks_pagemaps_drop(&maps, 7);
	assert_int_equal(put(i, i), 0);
	assert_int_equal(cookie_of(i), i);
	assert_int_equal(ks_pagemaps_count(&maps), KS_LP_GUESTS);
}

/* The kernel refuses: what was there is there, what was not is not. */
static void refused(void **state)
{
	int pages = maps.pages;

	(void)state;
	needs_maps();
	assert_int_equal(put(10, 1), 0);
	maps.pages = -1;
	assert_true(put(10, 2) < 0);
	assert_true(put(20, 2) < 0);
	maps.pages = pages;
	assert_int_equal(cookie_of(10), 1);
	assert_int_equal(cookie_of(20), 0);
	assert_int_equal(ks_pagemaps_count(&maps), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(put_and_drop, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("pagemaps", tests, NULL, NULL);
}
