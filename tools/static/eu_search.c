// SPDX-License-Identifier: GPL-2.0
/*
 * For `make static` alone. Since 0.192 libelf and libdw keep their trees through a small library of
 * elfutils' own, libeu, which is in their shared objects but in no archive that Debian 13 has
 * (libelf-dev, libdw-dev 0.192-4). These are its entry points, over the C library's search.h, as
 * elfutils' lib/eu-search.h declares them. The linker takes them only if nobody else has them.
 *
 * A tree may have a lock behind its root, which is not used: the tools have one thread that reads
 * ELF files.
 */
#include <search.h>
#include <stddef.h>

struct tree {
	void *root;
};

typedef int (*compare_fn)(const void *a, const void *b);
typedef void (*free_fn)(void *node);

void eu_search_tree_init(struct tree *t);
void eu_search_tree_fini(struct tree *t, free_fn free_node);
void eu_tdestroy(struct tree *t, free_fn free_node);
void *eu_tsearch(const void *key, struct tree *t, compare_fn compare);
void *eu_tfind(const void *key, struct tree *t, compare_fn compare);
void *eu_tdelete(const void *key, struct tree *t, compare_fn compare);

void eu_search_tree_init(struct tree *t)
{
	t->root = NULL;
}

void eu_tdestroy(struct tree *t, free_fn free_node)
{
	tdestroy(t->root, free_node);
	t->root = NULL;
}

void eu_search_tree_fini(struct tree *t, free_fn free_node)
{
	eu_tdestroy(t, free_node);
}

void *eu_tsearch(const void *key, struct tree *t, compare_fn compare)
{
	return tsearch(key, &t->root, compare);
}

void *eu_tfind(const void *key, struct tree *t, compare_fn compare)
{
	return tfind(key, &t->root, compare);
}

void *eu_tdelete(const void *key, struct tree *t, compare_fn compare)
{
	return tdelete(key, &t->root, compare);
}
