// SPDX-License-Identifier: GPL-2.0
#include <time.h>

#include "share.h"

static uint64_t process_ns(uint32_t tgid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(tgid, &clock) || clock_gettime(clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + ts.tv_nsec;
}

void ks_share_read(struct ks_share *s, const struct ks_vmset *vms)
{
	uint64_t now;
	uint32_t i;

	for (i = 1; i < KS_VMSET_MAX; i++) {
		if (!ks_vmset_is_taken(&vms->vm[i])) {
			s->cpu_ns[i] = s->last_ns[i] = s->at_ns[i] = 0;
			continue;
		}
		now = process_ns(vms->vm[i].tgid);
		s->last_ns[i] = s->at_ns[i] && now > s->at_ns[i] ? now - s->at_ns[i] : 0;
		s->cpu_ns[i] += s->last_ns[i];
		s->at_ns[i] = now;
	}
}

static double weight_of(const struct ks_vmset_entry *vm)
{
	if (!ks_vmset_is_taken(vm))
		return 0;
	return vm->weight ? vm->weight : 100.0 * vm->vcpus;
}

double ks_share_had(const struct ks_share *s, uint32_t number)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 1; i < KS_VMSET_MAX; i++)
		sum += s->last_ns[i];
	return sum ? (double)s->last_ns[number] / (double)sum : 0;
}

double ks_share_due(const struct ks_vmset *vms, uint32_t number)
{
	double sum = 0;
	uint32_t i;

	for (i = 1; i < KS_VMSET_MAX; i++)
		sum += weight_of(&vms->vm[i]);
	return sum > 0 ? weight_of(&vms->vm[number]) / sum : 0;
}

double ks_share_jain(const struct ks_share *s, const struct ks_vmset *vms)
{
	double x, sum = 0, squares = 0;
	unsigned int n = 0;
	uint32_t i;

	for (i = 1; i < KS_VMSET_MAX; i++) {
		if (weight_of(&vms->vm[i]) <= 0)
			continue;
		x = (double)s->last_ns[i] / weight_of(&vms->vm[i]);
		sum += x;
		squares += x * x;
		n++;
	}
	return n > 1 && squares > 0 ? sum * sum / (n * squares) : 1;
}
