// SPDX-License-Identifier: GPL-2.0
/* A KS_LOSS as a span of time. */
#include "format.h"
#include "trace.h"

uint64_t ks_loss_from(const struct ks_rec *loss)
{
	return loss->a < loss->time ? loss->a : loss->time;
}

uint64_t ks_loss_to(const struct ks_rec *loss)
{
	return loss->a > loss->time ? loss->a : loss->time;
}

void ks_loss_join(struct ks_rec *to, const struct ks_rec *loss)
{
	uint64_t from = ks_loss_from(to), end = ks_loss_to(to);

	to->a = from < ks_loss_from(loss) ? from : ks_loss_from(loss);
	to->time = end > ks_loss_to(loss) ? end : ks_loss_to(loss);
	if (__builtin_add_overflow(to->b, loss->b, &to->b))
		to->b = UINT64_MAX;
}
