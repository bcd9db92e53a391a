// SPDX-License-Identifier: GPL-2.0
/*
 * The same bytes as they come over vsock, in pieces of any size. What the framing lets through is
 * written to a file, which must then open: a guest cannot make the collector write anything else.
 */
#include "collect.h"
#include "drink.h"
#include "mutate.h"

struct out {
	int fd;
	size_t size;
};

static int take_unit(void *ctx, const void *unit, size_t len)
{
	struct out *o = ctx;

	FUZZ_CHECK(write(o->fd, unit, len) == (ssize_t)len);
	o->size += len;
	return 0;
}

/* Pieces of 1 to 512 bytes, as the first byte says; a real socket cuts anywhere. */
static int feed(struct ks_framing *f, const uint8_t *data, size_t size)
{
	size_t piece = size ? 1 + (size_t)data[size - 1] * 2 : 1;
	struct ks_err err = { "" };

	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		int ret = ks_framing_feed(f, data + at, n, &err);

		if (ret) {
			FUZZ_CHECK(err.msg[0] && !strchr(err.msg, '\n'));
			FUZZ_CHECK(ks_framing_feed(f, data, 1, &err) == ret);
			return ret;
		}
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ks_framing *f;
	char path[64];
	struct out o = { .fd = memory_file(NULL, 0, path) };

	FUZZ_CHECK(!ks_framing_new(&f, KS_SIDE_GUEST, take_unit, &o));
	feed(f, data, size);
	FUZZ_CHECK(o.size <= size);
	if (o.size)
		FUZZ_CHECK(!drink_file(path, o.size));
	ks_framing_free(f);
	close(o.fd);
	return 0;
}
