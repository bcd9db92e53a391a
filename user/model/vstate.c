// SPDX-License-Identifier: GPL-2.0
#include "model.h"

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

enum ks_vstate ks_vstate_after(enum ks_vstate old, const struct ks_rec *rec)
{
	switch (rec->type) {
	case KS_VCPU_IN:
		return KS_V_RUNNING;
	case KS_VCPU_OUT:
		return after_out(rec->flags);
	case KS_VCPU_GONE:
		return KS_V_GONE;
	case KS_VCPU_WAKE:
		/* A wake-up of a thread that has not left its pCPU yet changes nothing. */
		return old == KS_V_HALTED || old == KS_V_BLOCKED ? KS_V_RUNNABLE : old;
	case KS_PAUSE:
	case KS_HLT:
		/* Only a running vCPU exits. */
		return old == KS_V_UNKNOWN ? KS_V_RUNNING : old;
	}
	return old;
}
