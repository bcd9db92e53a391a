// SPDX-License-Identifier: GPL-2.0
/* The table of spinning functions against the BTF of the lab's kernels: is it right about them? */
#include <bpf/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "symbols.h"

static const char *const kernels[] = { "6.1", "6.12", "6.18", "7.2" };
#define KERNELS (sizeof(kernels) / sizeof(kernels[0]))

static int index_of(const char *s, size_t n)
{
	for (size_t i = 0; i < KERNELS; i++)
		if (strlen(kernels[i]) == n && !strncmp(kernels[i], s, n))
			return (int)i;
	return -1;
}

/* "6.1-7.2", "6.1": which of the kernels; false for a remark in words. */
static bool range_of(const char *s, int *from, int *to)
{
	const char *dash = strchr(s, '-');

	*from = index_of(s, dash ? (size_t)(dash - s) : strlen(s));
	*to = dash ? index_of(dash + 1, strlen(dash + 1)) : *from;
	return *from >= 0 && *to >= *from;
}

static struct btf *load(const char *kernel)
{
	char path[128];

	snprintf(path, sizeof(path), "build/lab/kernels/%s/btf/vmlinux", kernel);
	return access(path, R_OK) ? NULL : btf__parse(path, NULL);
}

static void check_kernel(int k, const struct btf *btf)
{
	const struct ks_ipclass_row *row;
	unsigned int checked = 0;
	int from, to;

	for (size_t i = 0; (row = ks_ipclass_row(i)); i++) {
		bool has, says;

		if (!range_of(row->kernels, &from, &to))
			continue;
		has = btf__find_by_name_kind(btf, row->name, BTF_KIND_FUNC) > 0;
		says = k >= from && k <= to;
		if (has != says)
			fail_msg("%s: %s, the table says %s", row->name,
				 has ? "is there" : "is not there", row->kernels);
		checked++;
	}
	assert_true(checked > 60);
}

static void table(void **state)
{
	unsigned int seen = 0;

	(void)state;
	for (size_t k = 0; k < KERNELS; k++) {
		struct btf *btf = load(kernels[k]);

		if (!btf)
			continue;
		seen++;
		check_kernel((int)k, btf);
		btf__free(btf);
	}
	if (!seen) {
		print_message("the lab's kernels are not there (tests/lab/setup)\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(table) };

	return cmocka_run_group_tests_name("symbols kernels", tests, NULL, NULL);
}
