/* SPDX-License-Identifier: GPL-2.0 */
/* Reads a trace in every way there is, to the end, and holds the reader to its promises. */
#ifndef KVMSCHED_FUZZ_DRINK_H
#define KVMSCHED_FUZZ_DRINK_H

#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "fuzz.h"
#include "trace.h"

/* A file in memory with these bytes; *path: a name that opens it. */
static int memory_file(const uint8_t *data, size_t size, char path[64])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static void drink_content(struct ks_reader *r)
{
	const struct ks_exit_count *counts;
	const struct ks_rec *control;
	const char *symbols;
	uint64_t sum = 0;
	size_t n;

	FUZZ_CHECK(json_object_to_json_string(ks_reader_meta(r)));
	symbols = ks_reader_symbols(r, &n);
	FUZZ_CHECK(!symbols || symbols[n] == '\0');
	for (size_t i = 0; symbols && i < n; i++)
		sum += (uint8_t)symbols[i];
	counts = ks_reader_exit_counts(r, &n);
	for (size_t i = 0; i < n; i++)
		sum += counts[i].count;
	control = ks_reader_control(r, &n);
	for (size_t i = 1; i < n; i++)
		FUZZ_CHECK(control[i].time >= control[i - 1].time);
	*(volatile uint64_t *)&sum = sum; /* every byte was read */
}

/* What a reader hands out is bounded by what the file has. */
static uint64_t drink_records(struct ks_reader *r, size_t size)
{
	const struct ks_rec *rec;
	struct ks_err err;
	uint64_t n = 0;
	int ret;

	while ((ret = ks_reader_next(r, &rec, &err)) > 0) {
		n++;
		FUZZ_CHECK(n <= 2 * size / sizeof(*rec) + 128);
	}
	FUZZ_CHECK(!ret);
	return n;
}

static void drink_merge(struct ks_reader *host, struct ks_reader *guest, ks_map_fn map, void *ctx,
			size_t size)
{
	struct ks_event ev;
	struct ks_merge *m;
	struct ks_err err;
	uint64_t now = 0, n = 0;
	int ret;

	FUZZ_CHECK(!ks_merge_new(&m));
	if (host)
		FUZZ_CHECK(ks_merge_add(m, host, NULL, NULL) >= 0);
	FUZZ_CHECK(ks_merge_add(m, guest, map, ctx) >= 0);
	while ((ret = ks_merge_next(m, &ev, &err)) > 0) {
		FUZZ_CHECK(ev.time >= now && ++n <= 4 * size / sizeof(*ev.rec) + 256);
		now = ev.time;
	}
	FUZZ_CHECK(!ret);
	ks_merge_free(m);
}

/* The guest's clock by its own hostile samples, on a sane host. */
static void drink_clock(struct ks_reader *r, size_t size)
{
	const struct ks_rec host[] = {
		{ .time = 1000000000, .type = KS_CLOCK, .a = 2600000000, .b = 20 },
		{ .time = 2000000000, .type = KS_CLOCK, .a = 5200000000, .b = 20 },
	};
	const struct ks_rec none = { .type = KS_TSC_OFFSET };
	struct ks_clockmap *hm = NULL, *gm = NULL;
	struct ks_guestclock *g = NULL;
	const struct ks_rec *control;
	size_t n;

	control = ks_reader_control(r, &n);
	FUZZ_CHECK(!ks_clockmap_new(&hm, host, 2));
	if (!ks_clockmap_new(&gm, control, n) && !ks_guestclock_new(&g, gm, hm, &none, 1, 32)) {
		FUZZ_CHECK(ks_guestclock_error(g));
		drink_merge(NULL, r, ks_guestclock_map, g, size);
	}
	ks_guestclock_free(g);
	ks_clockmap_free(gm);
	ks_clockmap_free(hm);
}

/* Open a file and read all of it. Its error, if it cannot be opened. */
static int drink_file(const char *path, size_t size)
{
	struct ks_err err = { "" };
	struct ks_reader *r = NULL;
	uint64_t first = 0, last = 0;
	int ret = ks_reader_open(&r, path, &err);

	if (ret) {
		FUZZ_CHECK(!r && err.msg[0] && !strchr(err.msg, '\n'));
		return ret;
	}
	drink_content(r);
	drink_records(r, size);
	ks_reader_span(r, &first, &last);
	FUZZ_CHECK(!ks_reader_seek(r, first + (last - first) / 2, &err));
	drink_records(r, size);
	FUZZ_CHECK(!ks_reader_seek(r, 0, &err));
	drink_merge(NULL, r, NULL, NULL, size);
	FUZZ_CHECK(!ks_reader_seek(r, 0, &err));
	drink_clock(r, size);
	ks_reader_close(r);
	return 0;
}

#endif /* KVMSCHED_FUZZ_DRINK_H */
