// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "text.h"
#include "undo_file.h"

const char *ks_entry_text(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

/* Does the path lead out of where it begins? */
static bool leads_out(const char *path)
{
	const char *p;

	for (p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (!p[2] || p[2] == '/'))
			return true;
	return false;
}

static bool is_among(struct json_object *ours, uint64_t value)
{
	size_t i,
		n = json_object_is_type(ours, json_type_array) ? json_object_array_length(ours) : 0;

	for (i = 0; i < n; i++)
		if (json_object_get_uint64(json_object_array_get_idx(ours, i)) == value)
			return true;
	return false;
}

bool ks_entry_judges(struct json_object *entry, char key[KS_ENTRY_KEY])
{
	const char *in = ks_entry_text(entry, "in"), *file = ks_entry_text(entry, "file");

	if (!in || !file || snprintf(key, KS_ENTRY_KEY, "%s/%s", in, file) >= KS_ENTRY_KEY)
		return false;
	return json_object_object_get_ex(entry, "ours", NULL) ||
	       json_object_object_get_ex(entry, "alone", NULL);
}

/* Whether it was judged already; it is from now on if this entry judges it. */
static bool was_judged(struct ks_undo_files *f, struct json_object *entry)
{
	char key[KS_ENTRY_KEY];
	bool judges = ks_entry_judges(entry, key);

	if (json_object_object_get_ex(f->judged, key, NULL))
		return true;
	if (judges)
		json_object_object_add(f->judged, key, NULL);
	return false;
}

/* What the file says now is neither what it said once nor anything of ours. */
static void leave(struct ks_undone *u, const char *in, const char *file)
{
	char path[KS_CGROUP_PATH + 64];

	if (!u->left++) {
		snprintf(path, sizeof(path), KS_CGROUPFS "%s/%s", in, file);
		ks_printable(u->left_path, sizeof(u->left_path), path, strlen(path));
	}
}

/* 1: it is still ours; 0: it is not, or not any more; -errno. */
static int is_ours(const struct ks_undo_files *f, struct json_object *ours, const char *in,
		   const char *file, const char *back, struct ks_undone *u)
{
	char now[64];
	int ret = ks_read_line(f->root, now, sizeof(now), KS_CGROUPFS "%s/%s", in, file);

	if (ret)
		return ret;
	if (!strcmp(now, back))
		return 0;
	if (is_among(ours, strtoull(now, NULL, 10)))
		return 1;
	leave(u, in, file);
	return 0;
}

int ks_undo_file(struct ks_undo_files *f, struct json_object *entry, struct ks_undone *u)
{
	const char *in = ks_entry_text(entry, "in"), *file = ks_entry_text(entry, "file");
	const char *back = ks_entry_text(entry, "back");
	struct json_object *ours = NULL;
	bool has_ours = json_object_object_get_ex(entry, "ours", &ours);
	int ret = 1;

	if (!in || !file || !back || strlen(in) >= KS_CGROUP_PATH || leads_out(in) ||
	    strchr(file, '/'))
		return -EPROTO;
	if (was_judged(f, entry))
		ret = 0;
	else if (has_ours)
		ret = is_ours(f, ours, in, file, back, u);
	if (!ret)
		return 0;
	if (ret > 0 && !strcmp(file, "cpuset.cpus") && !strcmp(back, "\n"))
		ret = ks_cgroup_any_cpu(f->root, in);
	else if (ret > 0)
		ret = ks_cgroup_write(f->root, in, file, back);
	/* A cgroup that is gone needs nothing put back. */
	return ret == -ENOENT || ret == -ENODEV ? 0 : ret ? ret : 1;
}
