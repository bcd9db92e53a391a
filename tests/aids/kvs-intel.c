// SPDX-License-Identifier: GPL-2.0
/*
 * Copies a host's trace as if it had been recorded on an Intel processor: the same records under
 * VMX's numbers for the reasons, and with another processor in the metadata. No emulated machine can
 * record one.
 *
 * usage: kvs-intel FROM TO
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "exits.h"
#include "trace.h"

static void set(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static int copy_meta(struct ks_writer *w, struct ks_reader *r)
{
	struct json_object *meta = NULL, *perf;
	int ret = json_object_deep_copy(ks_reader_meta(r), &meta, NULL) ? -ENOMEM : 0;

	if (ret)
		return ret;
	set(meta, "isa", "vmx");
	set(meta, "vendor", "GenuineIntel");
	set(meta, "model", "Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz");
	if (json_object_object_get_ex(meta, "perf", &perf))
		set(perf, "cpuid", "GenuineIntel,6,85,7");
	ret = ks_writer_meta(w, meta);
	json_object_put(meta);
	return ret;
}

static int copy_counts(struct ks_writer *w, struct ks_reader *r)
{
	struct ks_exit_count c[1024];
	const struct ks_exit_count *from;
	size_t i, n;

	from = ks_reader_exit_counts(r, &n);
	n = n < 1024 ? n : 1024;
	for (i = 0; i < n; i++) {
		c[i] = from[i];
		if (c[i].reason == KS_SVM_EXIT_PAUSE)
			c[i].reason = KS_VMX_EXIT_PAUSE;
		else if (c[i].reason == KS_SVM_EXIT_HLT)
			c[i].reason = KS_VMX_EXIT_HLT;
		else
			c[i].reason = 1; /* an interrupt */
	}
	return n ? ks_writer_exit_counts(w, c, n) : 0;
}

static int copy(struct ks_writer *w, struct ks_reader *r, struct ks_err *err)
{
	const struct ks_rec *rec;
	int ret = copy_meta(w, r);

	while (!ret && (ret = ks_reader_next(r, &rec, err)) == 1)
		ret = ks_writer_add(w, rec->cpu == KS_RING_ANY ? 0 : rec->cpu, rec, 1);
	return ret ? ret : copy_counts(w, r);
}

int main(int argc, char **argv)
{
	struct ks_err err = { "the copy failed" };
	struct ks_reader *r;
	struct ks_writer *w;
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: kvs-intel FROM TO\n");
		return 2;
	}
	ret = ks_reader_open(&r, argv[1], &err);
	if (!ret) {
		ret = ks_writer_open(&w, argv[2], KS_SIDE_HOST, 65536, &err);
		if (!ret)
			ret = copy(w, r, &err) ?: ks_writer_close(w, &err);
		ks_reader_close(r);
	}
	if (ret)
		fprintf(stderr, "kvs-intel: %s\n", err.msg);
	return ret ? 1 : 0;
}
