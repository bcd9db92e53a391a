// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what is in a trace, record by record and without the analysis: how many of each type were
 * seen and how many lost (KS_LOSS names the type), the exits by reason that the kernel counted, and
 * the metadata.
 * A burst counts as the exits that are folded in it, seen or lost.
 *
 * usage: kvs-count TRACE      one JSON object
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>

#include "trace.h"

#define REASONS 2048

struct counts {
	uint64_t seen[KS_TYPE_MAX], lost[KS_TYPE_MAX];
	uint64_t burst_exits; /* in the KS_BURST records seen */
	uint64_t backwards;   /* records older than the one before */
	uint64_t reason[REASONS];
};

static void count(struct counts *c, const struct ks_rec *rec)
{
	if (rec->type == KS_LOSS)
		c->lost[rec->flags % KS_TYPE_MAX] += rec->b;
	else
		c->seen[rec->type % KS_TYPE_MAX]++;
	if (rec->type == KS_BURST)
		c->burst_exits += (uint32_t)rec->b;
}

static int count_all(struct ks_reader *r, struct counts *c, struct ks_err *err)
{
	const struct ks_exit_count *exits;
	const struct ks_rec *rec;
	uint64_t last = 0;
	size_t n, i;
	int ret;

	while ((ret = ks_reader_next(r, &rec, err)) == 1) {
		count(c, rec);
		c->backwards += rec->time < last;
		last = rec->time;
	}
	exits = ks_reader_exit_counts(r, &n);
	for (i = 0; i < n; i++)
		c->reason[exits[i].reason % REASONS] += exits[i].count;
	return ret;
}

static void print_map(const char *name, const uint64_t *v, unsigned int n)
{
	const char *comma = "";
	unsigned int i;

	printf("\"%s\":{", name);
	for (i = 0; i < n; i++) {
		if (!v[i])
			continue;
		printf("%s\"%u\":%" PRIu64, comma, i, v[i]);
		comma = ",";
	}
	printf("},");
}

static void print(struct ks_reader *r, const struct counts *c)
{
	printf("{\"side\":%d,\"truncated\":%s,\"bad_bytes\":%" PRIu64 ",\"lost_records\":%" PRIu64
	       ",",
	       ks_reader_side(r), ks_reader_truncated(r) ? "true" : "false", ks_reader_bad_bytes(r),
	       ks_reader_lost(r));
	printf("\"meta\":%s,", json_object_to_json_string(ks_reader_meta(r)));
	print_map("seen", c->seen, KS_TYPE_MAX);
	print_map("lost", c->lost, KS_TYPE_MAX);
	print_map("exits", c->reason, REASONS);
	printf("\"pause_seen\":%" PRIu64 ",\"pause_lost\":%" PRIu64,
	       c->seen[KS_PAUSE] + c->burst_exits, c->lost[KS_PAUSE] + c->lost[KS_BURST]);
	printf(",\"hlt_seen\":%" PRIu64 ",\"hlt_lost\":%" PRIu64, c->seen[KS_HLT], c->lost[KS_HLT]);
	printf(",\"backwards\":%" PRIu64 "}\n", c->backwards);
}

int main(int argc, char **argv)
{
	static struct counts c;
	struct ks_reader *r;
	struct ks_err err;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: kvs-count TRACE\n");
		return 2;
	}
	ret = ks_reader_open(&r, argv[1], &err);
	if (ret) {
		fprintf(stderr, "kvs-count: %s\n", err.msg);
		return 1;
	}
	ret = count_all(r, &c, &err);
	if (ret)
		fprintf(stderr, "kvs-count: %s\n", err.msg);
	else
		print(r, &c);
	ks_reader_close(r);
	return ret ? 1 : 0;
}
