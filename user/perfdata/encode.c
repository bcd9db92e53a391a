// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"

#define PRIO_NORMAL 120 /* a thread with nice 0 */
#define LCB_F_SPIN 1

static bool is_string(enum ks_pd_source s)
{
	return s == PD_S_COMM0 || s == PD_S_COMM1 || s == PD_S_LOCK;
}

/* A number fits 1, 2, 4 or 8 bytes (x86: little endian, on either side); a string needs a place. */
static bool fits(const struct ks_tp_field *f, enum ks_pd_source s)
{
	if (is_string(s))
		return f->data_loc || f->chars;
	return !f->data_loc && !f->chars &&
	       (f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8);
}

static void put(uint8_t *p, uint64_t v, size_t size)
{
	switch (size) {
	case 8:
		memcpy(p, &v, 8);
		break;
	case 4:
		memcpy(p, &v, 4);
		break;
	default:
		memcpy(p, &v, size == 2 ? 2 : 1);
		break;
	}
}

/* True if the value is the same in all records. */
static bool constant(enum ks_pd_source s, uint16_t type, uint32_t isa, uint64_t *v)
{
	switch (s) {
	case PD_S_TYPE:
		*v = type;
		return true;
	case PD_S_PRIO:
		*v = PRIO_NORMAL;
		return true;
	case PD_S_ISA:
		*v = isa;
		return true;
	case PD_S_SPIN:
		*v = LCB_F_SPIN;
		return true;
	default:
		return false;
	}
}

static int plan_field(struct ks_pd_plan *p, const struct ks_tp_format *f,
		      const struct ks_pd_field *want, uint16_t type, uint32_t isa)
{
	const struct ks_tp_field *at = ks_tp_find(f, want->name);
	uint64_t v;

	if (!at || !fits(at, want->source))
		return want->needed ? -EINVAL : 0;
	if (constant(want->source, type, isa, &v)) {
		put(p->empty + at->offset, v, at->size);
		return 0;
	}
	p->op[p->n].offset = at->offset;
	p->op[p->n].size = at->size;
	p->op[p->n].source = want->source;
	p->op[p->n].data_loc = at->data_loc;
	p->op[p->n].chars = at->chars;
	p->n++;
	return 0;
}

int ks_pd_plan_make(struct ks_pd_plan *p, const struct ks_tp_format *f,
		    const struct ks_pd_tracepoint *tp, uint16_t type, uint32_t isa)
{
	static const struct ks_pd_field common[] = { { "common_type", PD_S_TYPE, true, 0, 0 },
						     { "common_pid", PD_S_TID, false, 0, 0 } };
	size_t i;
	int ret = 0;

	memset(p, 0, sizeof(*p));
	p->size = f->size;
	for (i = 0; i < 2 && !ret; i++)
		ret = plan_field(p, f, &common[i], type, isa);
	for (i = 0; i < KS_PD_FIELDS_MAX && tp->field[i].name && !ret; i++)
		ret = plan_field(p, f, &tp->field[i], type, isa);
	return ret;
}

static uint64_t number(const struct ks_pd_values *v, enum ks_pd_source s)
{
	switch (s) {
	case PD_S_V0:
		return v->v[0];
	case PD_S_V1:
		return v->v[1];
	case PD_S_V2:
		return v->v[2];
	default:
		return v->tid;
	}
}

static const char *string(const struct ks_pd_values *v, enum ks_pd_source s)
{
	const char *p = s == PD_S_COMM0 ? v->comm0 : s == PD_S_COMM1 ? v->comm1 : v->lock;

	return p ? p : "";
}

/* A string behind the fixed part, and in its field where that is; returns the new end. */
static size_t put_string(uint8_t *raw, size_t end, uint16_t offset, const char *s)
{
	size_t len = strnlen(s, KS_PD_STRING - 1);

	memcpy(raw + end, s, len);
	raw[end + len] = 0;
	put(raw + offset, (len + 1) << 16 | end, 4);
	return end + len + 1;
}

size_t ks_pd_encode(const struct ks_pd_plan *p, const struct ks_pd_values *v, uint8_t *raw)
{
	size_t end = p->size;
	const char *s;
	uint8_t i;

	memcpy(raw, p->empty, p->size);
	for (i = 0; i < p->n; i++) {
		if (p->op[i].data_loc) {
			end = put_string(raw, end, p->op[i].offset, string(v, p->op[i].source));
		} else if (p->op[i].chars) {
			s = string(v, p->op[i].source);
			memcpy(raw + p->op[i].offset, s, strnlen(s, p->op[i].size - 1));
		} else {
			put(raw + p->op[i].offset, number(v, p->op[i].source), p->op[i].size);
		}
	}
	return end;
}

/* How perf is to get at a field. */
static void print_value(const struct ks_tp_field *f, const struct ks_pd_field *want, FILE *out)
{
	if (want->value)
		fprintf(out, ", %s", want->value);
	else if (f->data_loc)
		fprintf(out, ", __get_str(%s)", f->name);
	else
		fprintf(out, ", REC->%s", f->name);
}

char *ks_pd_print_format(const struct ks_tp_format *f, const struct ks_pd_tracepoint *tp)
{
	const struct ks_tp_field *at;
	const char *gap = "\"";
	char *text = NULL;
	size_t i, size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (i = 0; i < KS_PD_FIELDS_MAX && tp->field[i].name; i++) {
		if (!tp->field[i].label || !ks_tp_find(f, tp->field[i].name))
			continue;
		fprintf(out, "%s%s", gap, tp->field[i].label);
		gap = " ";
	}
	fputs("\"", out);
	for (i = 0; i < KS_PD_FIELDS_MAX && tp->field[i].name; i++) {
		at = ks_tp_find(f, tp->field[i].name);
		if (tp->field[i].label && at)
			print_value(at, &tp->field[i], out);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
