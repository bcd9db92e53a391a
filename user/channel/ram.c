// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ram.h"

#define GIB (1ull << 30)
#define HOLE_END (4 * GIB)

/* Machine types: up to `most` all of RAM lies below 4 GiB; a larger one has `low` of it there. */
static const struct {
	uint64_t most, low;
} splits[] = {
	{ 0xb0000000, 2 * GIB },    /* q35 */
	{ 0xe0000000, 3 * GIB },    /* i440FX */
	{ 0xe0000000, 0xe0000000 }, /* i440FX before QEMU 2.0, and where gigabytes do not matter */
};

struct area {
	uint64_t start, end;
	bool usable;
};

static bool read_area(const char *line, struct area *a)
{
	char perms[5] = "";

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &a->start, &a->end, perms) != 3 ||
	    a->end <= a->start)
		return false;
	a->usable = perms[0] == 'r' && perms[1] == 'w';
	return true;
}

static const char *next_line(const char *p)
{
	const char *nl = strchr(p, '\n');

	return nl ? nl + 1 : p + strlen(p);
}

/* Where the memory ends that begins with this area: the kernel may have cut it in pieces. */
static uint64_t end_of_run(const char *line, struct area a)
{
	struct area next;

	for (line = next_line(line); *line && read_area(line, &next); line = next_line(line)) {
		if (!next.usable || next.start != a.end)
			break;
		a.end = next.end;
	}
	return a.end;
}

static size_t add(struct ks_ram *guess, size_t n, uint64_t start, uint64_t size)
{
	struct ks_ram ram = { .start = start, .size = size, .low = size };
	size_t i;

	if (size < splits[1].most + 1 && n < KS_RAM_GUESSES)
		guess[n++] = ram;
	for (i = 0; i < sizeof(splits) / sizeof(splits[0]) && n < KS_RAM_GUESSES; i++) {
		ram.low = splits[i].low;
		if (size >= splits[i].most && size > ram.low)
			guess[n++] = ram;
	}
	return n;
}

/* exact: the run is as large as RAM; otherwise larger. */
static size_t guess_some(const char *maps, uint64_t size, bool exact, struct ks_ram *guess)
{
	const char *line;
	struct area a;
	size_t n = 0;

	for (line = maps; *line && n < KS_RAM_GUESSES; line = next_line(line)) {
		uint64_t len;

		if (!read_area(line, &a) || !a.usable)
			continue;
		len = end_of_run(line, a) - a.start;
		if (exact ? a.end - a.start == size || len == size :
			    a.end - a.start != size && len > size)
			n = add(guess, n, a.start, size);
	}
	return n;
}

size_t ks_ram_guess(const char *maps, uint64_t size, struct ks_ram guess[KS_RAM_GUESSES])
{
	size_t n;

	if (!size)
		return 0;
	n = guess_some(maps, size, true, guess);
	return n ? n : guess_some(maps, size, false, guess);
}

int ks_ram_hva(const struct ks_ram *ram, uint64_t gpa, uint64_t len, uint64_t *hva)
{
	uint64_t offset = gpa, limit = ram->low;

	if (gpa >= HOLE_END) {
		offset = gpa - HOLE_END + ram->low;
		limit = ram->size;
	}
	if (offset > limit || len > limit - offset)
		return -EFAULT;
	*hva = ram->start + offset;
	return 0;
}
