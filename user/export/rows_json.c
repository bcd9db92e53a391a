// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

struct rows {
	FILE *f;
};

static int rows_open(void **self, struct ks_outfile *out, struct ks_err *err)
{
	struct rows *r = calloc(1, sizeof(*r));

	*self = r;
	if (!r) {
		snprintf(err->msg, sizeof(err->msg), "out of memory");
		return -ENOMEM;
	}
	r->f = out->f;
	return 0;
}

static void rows_event(void *self, const struct ks_event *ev)
{
	struct rows *r = self;

	fprintf(r->f,
		"{\"row\":\"record\",\"time_ns\":%" PRIu64 ",\"src\":%u,\"type\":%u,\"flags\":%u,"
		"\"cpu\":%u,\"id\":%u,\"a\":%" PRIu64 ",\"b\":%" PRIu64 "}\n",
		ev->time, ev->src, ev->rec->type, ev->rec->flags, ev->rec->cpu, ev->rec->id,
		(uint64_t)ev->rec->a, (uint64_t)ev->rec->b);
}

static void rows_ops(void *self, struct ks_analysis_ops *ops)
{
	ops->event = rows_event;
	ops->ctx = self;
}

const struct ks_exporter ks_export_json = {
	.name = "json",
	.help = "one JSON object per line: every record, every result",
	.guest_alone = true,
	.open = rows_open,
	.ops = rows_ops,
	.close = free,
};
