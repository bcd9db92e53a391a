// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cli.h"
#include "drawing.h"
#include "err.h"
#include "options.h"
#include "outfile.h"
#include "session.h"

enum { OPT_VCPU = 0x300, OPT_TITLE };

static const struct argp_option options[] = {
	CLI_OUTPUT,
	{ "vcpu", OPT_VCPU, "LIST", 0, "only these vCPUs, such as 0,2-3", 0 },
	{ "title", OPT_TITLE, "TEXT", 0, "title of the picture", 0 },
	{ 0 },
};

static bool ends_in(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n > m && !strcmp(path + n - m, suffix);
}

static void check_out(const char *out)
{
	if (!out)
		cli_bad_usage("where to? give -o FILE.svg or -o FILE.html");
	if (!ends_in(out, ".svg") && !ends_in(out, ".html"))
		cli_bad_usage("%s: what is drawn goes by the name's end: .svg or .html", out);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct drawing *d = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &d->part;
		return 0;
	case 'o':
		d->out = arg;
		return 0;
	case OPT_VCPU:
		d->vcpus = arg;
		return 0;
	case OPT_TITLE:
		d->title = arg;
		return 0;
	case ARGP_KEY_END:
		check_out(d->out);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &part_argp, 0, NULL, 0 }, { 0 } };

const struct argp drawing_argp = { .options = options, .parser = parse, .children = children };

int drawing_times(const struct drawing *d, const char *host, uint64_t *from, uint64_t *to,
		  struct ks_err *err)
{
	struct ks_reader *r;
	uint64_t first, last;
	int ret = ks_reader_open(&r, host, err);

	if (ret)
		return ret;
	if (ks_reader_span(r, &first, &last)) {
		part_times(&d->part, first, from, to);
		if (*to > last) /* so too without --to */
			*to = last;
		if (*from >= *to)
			ret = ks_fail(err, -ENODATA,
				      "nothing was recorded in this part of the trace");
	}
	ks_reader_close(r);
	return ret;
}

int drawing_write(const struct drawing *d, const void *scene, drawing_fn svg, drawing_fn html,
		  struct ks_err *err)
{
	struct ks_outfile out;
	int ret;

	cli_failing_writes();
	ret = ks_outfile_open(&out, d->out, err);
	if (ret)
		return ret;
	ret = ends_in(d->out, ".html") ? html(scene, out.f) : svg(scene, out.f);
	if (!ret)
		return ks_outfile_commit(&out, err);
	snprintf(err->msg, sizeof(err->msg), "%.150s: %s", d->out, strerror(-ret));
	ks_outfile_discard(&out);
	return ret;
}

uint64_t drawing_clock_error(const struct ks_session *s)
{
	uint64_t worst = 0;
	uint32_t vm, n;

	ks_analysis_vms(ks_session_analysis(s), &n);
	for (vm = 0; vm < n; vm++) {
		const struct ks_link *link = ks_session_link(s, vm);

		if (link && link->error_ns > worst)
			worst = link->error_ns;
	}
	return worst;
}
