/* SPDX-License-Identifier: GPL-2.0 */
/* A made-up /proc and /sys in a folder of its own. */
#ifndef KVMSCHED_TEST_SYS_TREE_H
#define KVMSCHED_TEST_SYS_TREE_H

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
	char root[64];
};

static inline void tree_new(struct tree *t)
{
	snprintf(t->root, sizeof(t->root), "/tmp/kvmsched-test-XXXXXX");
	if (!mkdtemp(t->root))
		abort();
}

static int tree_rm(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void tree_free(struct tree *t)
{
	nftw(t->root, tree_rm, 16, FTW_DEPTH | FTW_PHYS);
}

/* The folders above root + path. */
static inline void tree_dirs(const struct tree *t, const char *path, char *full, size_t size)
{
	snprintf(full, size, "%s%s", t->root, path);
	for (char *p = full + strlen(t->root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
}

static inline void tree_put(const struct tree *t, const char *path, const void *data, size_t len)
{
	char full[512];
	FILE *f;

	tree_dirs(t, path, full, sizeof(full));
	f = fopen(full, "w");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		abort();
}

static inline void tree_text(const struct tree *t, const char *path, const char *text)
{
	tree_put(t, path, text, strlen(text));
}

static inline void tree_link(const struct tree *t, const char *path, const char *to)
{
	char full[512];

	tree_dirs(t, path, full, sizeof(full));
	if (symlink(to, full))
		abort();
}

static inline void tree_dir(const struct tree *t, const char *path)
{
	char full[512];

	tree_dirs(t, path, full, sizeof(full));
	mkdir(full, 0755);
}

#endif /* KVMSCHED_TEST_SYS_TREE_H */
