// SPDX-License-Identifier: GPL-2.0
/*
 * Cuts a piece out of a trace: FROM and TO are seconds of the recorder's CLOCK_MONOTONIC, as in the
 * times of its records; what the reader needs besides records goes along, without the symbols.
 *
 *	cc cut.c $(pkg-config --cflags --libs libkvmsched) -o cut
 *	./cut 27.8 28.2 host.kvs piece.kvs
 */
#include <stdio.h>
#include <stdlib.h>

#include <kvmsched.h>

/* Control records have no time limits: they say which vCPUs there are, and how clocks go. */
static int copy_control(struct ks_writer *w, const struct ks_reader *r)
{
	size_t n;
	const struct ks_rec *recs = ks_reader_control(r, &n);

	return ks_writer_add(w, 0, recs, n);
}

static int is_control(const struct ks_rec *rec)
{
	return rec->type == KS_CLOCK || rec->type == KS_LOSS || rec->type == KS_VCPU_NEW ||
	       rec->type == KS_VCPU_GONE || rec->type == KS_TSC_OFFSET;
}

static int copy_records(struct ks_writer *w, struct ks_reader *r, uint64_t from, uint64_t to,
			struct ks_err *err)
{
	const struct ks_rec *rec;
	int ret = ks_reader_seek(r, from, err);

	while (!ret && (ret = ks_reader_next(r, &rec, err)) > 0 && rec->time < to) {
		ret = 0;
		if (!is_control(rec) && rec->time >= from)
			ret = ks_writer_add(w, rec->cpu, rec, 1);
	}
	return ret < 0 ? ret : 0;
}

static int copy_rest(struct ks_writer *w, const struct ks_reader *r)
{
	size_t n;
	const struct ks_exit_count *counts = ks_reader_exit_counts(r, &n);
	int ret = ks_writer_meta(w, ks_reader_meta(r));

	return ret || !n ? ret : ks_writer_exit_counts(w, counts, n);
}

static int cut(struct ks_reader *r, const char *path, uint64_t from, uint64_t to,
	       struct ks_err *err)
{
	struct ks_writer *w;
	int ret = ks_writer_open(&w, path, ks_reader_side(r), 1024, err);

	if (ret)
		return ret;
	ret = copy_rest(w, r);
	if (!ret)
		ret = copy_control(w, r);
	if (!ret)
		ret = copy_records(w, r, from, to, err);
	if (!ret)
		return ks_writer_close(w, err); /* only now the file gets its name */
	ks_writer_abort(w);
	return ret;
}

static int seconds(const char *s, uint64_t *ns)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || *end || v < 0 || v > 1e9)
		return -1;
	*ns = (uint64_t)(v * 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t from, to;
	struct ks_err err = { "reading or writing failed" };
	struct ks_reader *r;
	int ret;

	if (argc != 5 || seconds(argv[1], &from) || seconds(argv[2], &to)) {
		fprintf(stderr, "usage: cut FROM TO IN.kvs OUT.kvs\n");
		return 2;
	}
	ret = ks_reader_open(&r, argv[3], &err);
	if (!ret) {
		ret = cut(r, argv[4], from, to, &err);
		ks_reader_close(r);
	}
	if (ret)
		fprintf(stderr, "cut: %s\n", err.msg);
	return ret ? 1 : 0;
}
