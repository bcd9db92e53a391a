// SPDX-License-Identifier: GPL-2.0
#include <cpuid.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "text.h"
#include "tracefs.h"

#define FORMAT_MAX 65536u /* bytes; kvm_exit's has 8,000 */

static const char *const events[] = {
	"kvm:kvm_exit",
	"kvm:kvm_entry",
	"sched:sched_switch",
	"sched:sched_waking",
	"sched:sched_wakeup",
	"sched:sched_migrate_task",
	"sched:sched_stat_runtime",
	"lock:contention_begin",
	"lock:contention_end",
	"lock:lock_acquire",
	"lock:lock_contended",
	"lock:lock_acquired",
	"lock:lock_release",
};

/* tracefs, where it is mounted by itself or below debugfs. */
static const char *find_tracefs(const char *root)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (ks_exists(root, "%s/events/header_page", places[i]))
			return places[i];
	return NULL;
}

static void add_file(struct json_object *to, const char *key, const char *root, const char *tracefs,
		     const char *path)
{
	char *text;
	size_t len;

	if (ks_read_at(root, FORMAT_MAX, &text, &len, "%s/events/%s", tracefs, path))
		return;
	if (len && len == strlen(text))
		json_object_object_add(to, key, json_object_new_string(text));
	free(text);
}

static void add_formats(struct json_object *meta, const char *root, const char *tracefs)
{
	struct json_object *formats = json_object_new_object();
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		snprintf(path, sizeof(path), "%s/format", events[i]);
		*strchr(path, ':') = '/';
		add_file(formats, events[i], root, tracefs, path);
	}
	json_object_object_add(meta, "formats", formats);
	add_file(meta, "header_page", root, tracefs, "header_page");
	add_file(meta, "header_event", root, tracefs, "header_event");
}

/* "AuthenticAMD,25,33,0": vendor, family, model, stepping, as perf's header has it. */
static void add_cpuid(struct json_object *meta)
{
	unsigned int a, b, c, d, family, model;
	char vendor[13] = "", text[64];

	if (!__get_cpuid(0, &a, &b, &c, &d))
		return;
	memcpy(vendor, &b, 4);
	memcpy(vendor + 4, &d, 4);
	memcpy(vendor + 8, &c, 4);
	if (!__get_cpuid(1, &a, &b, &c, &d))
		return;
	family = a >> 8 & 0xf;
	model = a >> 4 & 0xf;
	if (family == 0xf)
		family += a >> 20 & 0xff;
	if (family >= 6)
		model += (a >> 16 & 0xf) << 4;
	snprintf(text, sizeof(text), "%s,%u,%u,%u", vendor, family, model, a & 0xf);
	json_object_object_add(meta, "cpuid", json_object_new_string(text));
}

struct json_object *ks_tracefs_meta(const char *root)
{
	struct json_object *meta = json_object_new_object();
	const char *tracefs = find_tracefs(root);
	struct utsname u;

	if (!meta)
		return NULL;
	if (tracefs)
		add_formats(meta, root, tracefs);
	if (!uname(&u))
		json_object_object_add(meta, "arch", json_object_new_string(u.machine));
	if (!root || !root[0])
		add_cpuid(meta);
	return meta;
}
