// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "err.h"
#include "hello.h"

static int check_pages(const struct ks_lp_hello *h, struct ks_err *err)
{
	uint32_t want = (h->vcpus + KS_LP_SLOTS_PER_PAGE - 1) / KS_LP_SLOTS_PER_PAGE;
	uint32_t i, k;

	if (h->pages != want)
		return ks_fail(err, -EINVAL, "%u pages for %u vCPUs", h->pages, h->vcpus);
	for (i = 0; i < h->pages; i++) {
		if (!h->gpa[i] || h->gpa[i] % KS_LP_PAGE || h->gpa[i] >> 52)
			return ks_fail(err, -EINVAL, "0x%llx is not the address of a page",
				       (unsigned long long)h->gpa[i]);
		for (k = 0; k < i; k++)
			if (h->gpa[k] == h->gpa[i])
				return ks_fail(err, -EINVAL, "a page is given twice");
	}
	return 0;
}

int ks_hello_check(const void *data, size_t len, struct ks_lp_hello *hello, struct ks_err *err)
{
	struct ks_lp_hello h = { 0 };

	memcpy(&h, data, len < sizeof(h) ? len : sizeof(h));
	if (len < 16 || h.magic != KS_LP_MAGIC)
		return ks_fail(err, -EPROTO, "this is no lock page's message");
	if (h.version != KS_LP_VERSION)
		return ks_fail(err, -EPROTONOSUPPORT,
			       "version %u of the lock page, this program knows %u", h.version,
			       KS_LP_VERSION);
	if (len != sizeof(h) || h.size != sizeof(h))
		return ks_fail(err, -EPROTO, "a message of %u bytes instead of %zu", h.size,
			       sizeof(h));
	if (h.slot_size != sizeof(struct ks_lp_slot))
		return ks_fail(err, -EINVAL, "slots of %u bytes instead of %zu", h.slot_size,
			       sizeof(struct ks_lp_slot));
	if (!h.vcpus || h.vcpus > KS_LP_VCPUS)
		return ks_fail(err, -EINVAL, "%u vCPUs, at most %u can be", h.vcpus, KS_LP_VCPUS);
	if (!h.cookie)
		return ks_fail(err, -EINVAL, "no cookie");
	if (check_pages(&h, err))
		return -EINVAL;
	*hello = h;
	return 0;
}

int ks_beat_check(const void *data, size_t len, uint64_t number, struct ks_err *err)
{
	struct ks_lp_beat b;

	if (len != sizeof(b))
		return ks_fail(err, -EPROTO, "a beat of %zu bytes", len);
	memcpy(&b, data, sizeof(b));
	if (b.magic != KS_LP_MAGIC || b.number <= number)
		return ks_fail(err, -EPROTO, "something else instead of a beat");
	return 0;
}
