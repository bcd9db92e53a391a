/* SPDX-License-Identifier: GPL-2.0 */
/* From values to the raw record of a tracepoint, by its format. */
#ifndef KVMSCHED_PERFDATA_ENCODE_H
#define KVMSCHED_PERFDATA_ENCODE_H

#include "events.h"
#include "format.h"

#define KS_PD_STRING 64				      /* bytes of a string field, at most */
#define KS_PD_RAW_MAX (KS_TP_SIZE + 2 * KS_PD_STRING) /* bytes of a raw record, at most */

/* Where values go in the records of one event. */
struct ks_pd_plan {
	uint16_t size; /* of the fixed part */
	uint8_t n;
	struct {
		uint16_t offset;
		uint16_t size;
		uint8_t source;
		bool data_loc, chars;
	} op[KS_PD_FIELDS_MAX + 2];
	uint8_t empty[KS_TP_SIZE]; /* what does not change, the rest 0 */
};

/*
 * Constant fields (type, isa, prio) are filled in here. 0, or -EINVAL if a needed field is missing
 * or not of a size that can hold its value; then p is not usable.
 */
int ks_pd_plan_make(struct ks_pd_plan *p, const struct ks_tp_format *f,
		    const struct ks_pd_tracepoint *tp, uint16_t type, uint32_t isa);

/* The values of one record; strings by source, NULL where the event has none. */
struct ks_pd_values {
	uint64_t v[3];
	uint32_t tid;
	const char *comm0, *comm1, *lock;
};

/* Write to raw[KS_PD_RAW_MAX]; returns the bytes. */
size_t ks_pd_encode(const struct ks_pd_plan *p, const struct ks_pd_values *v, uint8_t *raw);

/* A print format for f out of the event's table; the caller frees. NULL: out of memory. */
char *ks_pd_print_format(const struct ks_tp_format *f, const struct ks_pd_tracepoint *tp);

#endif /* KVMSCHED_PERFDATA_ENCODE_H */
