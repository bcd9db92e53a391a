// SPDX-License-Identifier: GPL-2.0
#include "model.h"

#define WAKE_RACE 20000u /* ns from a wake-up to the departure that it overtook */

const char *ks_vstate_name(enum ks_vstate s)
{
	static const char *const names[KS_V_MAX] = {
		[KS_V_UNKNOWN] = "unknown",   [KS_V_RUNNING] = "running",
		[KS_V_RUNNABLE] = "runnable", [KS_V_HALTED] = "halted",
		[KS_V_BLOCKED] = "blocked",   [KS_V_GONE] = "gone",
	};

	return (unsigned int)s < KS_V_MAX ? names[s] : "invalid";
}

static enum ks_vstate after_out(unsigned int flags)
{
	switch (flags) {
	case KS_OUT_RUNNABLE:
		return KS_V_RUNNABLE;
	case KS_OUT_HALTED:
		return KS_V_HALTED;
	case KS_OUT_BLOCKED:
		return KS_V_BLOCKED;
	case KS_OUT_DEAD:
		return KS_V_GONE;
	}
	return KS_V_UNKNOWN;
}

static bool sleeps(enum ks_vstate s)
{
	return s == KS_V_HALTED || s == KS_V_BLOCKED;
}

static enum ks_vstate departed(const struct ks_rec *rec, uint64_t *woken)
{
	bool overtaken = *woken && rec->time - *woken <= WAKE_RACE;
	enum ks_vstate s = after_out(rec->flags);

	*woken = 0;
	return overtaken && sleeps(s) ? KS_V_RUNNABLE : s;
}

enum ks_vstate ks_vstate_after(enum ks_vstate old, const struct ks_rec *rec, uint64_t *woken)
{
	switch (rec->type) {
	case KS_VCPU_IN:
		*woken = 0;
		return KS_V_RUNNING;
	case KS_VCPU_OUT:
		return departed(rec, woken);
	case KS_VCPU_GONE:
		return KS_V_GONE;
	case KS_VCPU_WAKE:
		*woken = old == KS_V_RUNNING ? rec->time : 0;
		return sleeps(old) ? KS_V_RUNNABLE : old;
	case KS_HLT:
		*woken = 0;
		__attribute__((fallthrough));
	case KS_PAUSE:
		/* Only a running vCPU exits. */
		return old == KS_V_UNKNOWN ? KS_V_RUNNING : old;
	}
	return old;
}
