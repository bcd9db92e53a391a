// SPDX-License-Identifier: GPL-2.0
/* Rows as JSON, one object per line. */
#include <errno.h>
#include <stdlib.h>

#include "err.h"
#include "rows_buf.h"
#include "rows_priv.h"

#define PREFIX 40u
#define PART 40u /* a class or state with its number */

/* What stands before a column's value, comma and name; the same in every row. */
struct member {
	char before[PREFIX];
	uint8_t len;
	uint8_t end; /* of a group: number of its RC_END */
};

struct json {
	struct rows rows;
	struct rows_buf buf;
	struct member *plan[ROW_KINDS];
	bool first_in_list;
};

static int plan_kind(struct json *j, enum rows_kind_id k)
{
	const struct rows_kind *kind = &rows_kinds[k];
	struct member *m = calloc(kind->n, sizeof(*m));
	bool first = kind->nested;
	unsigned int i, group = 0;

	j->plan[k] = m;
	if (!m)
		return -ENOMEM;
	for (i = 0; i < kind->n; i++) {
		m[i].len = snprintf(m[i].before, PREFIX, "%s\"%s\":", first ? "" : ",",
				    kind->col[i].name);
		first = (kind->col[i].type & ~RC_NULL) == RC_GROUP;
		if (first) {
			m[i].end = group; /* the group around it, until its own end is known */
			group = i;
		} else if (kind->col[i].type == RC_END) {
			unsigned int outer = m[group].end;

			m[group].end = i;
			group = outer;
		}
	}
	return 0;
}

static void put_parts(struct rows_buf *b, enum rows_type t, const uint64_t *v)
{
	const char *name;
	unsigned int i;

	for (i = 0; (name = rows_part(t, i)); i++) {
		rows_room(b, PART);
		rows_text(b, i ? ",\"" : "{\"", 2);
		rows_text(b, name, strlen(name));
		rows_text(b, "\":", 2);
		rows_u64(b, v[i]);
	}
	rows_char(b, '}');
}

static void put_string(struct rows_buf *b, const char *s, bool null)
{
	if (s || !null)
		rows_json_string(b, s ? s : "");
	else
		rows_text(b, "null", 4);
}

static void put_quoted(struct rows_buf *b, const struct rows_col *c, const void *p)
{
	rows_char(b, '"');
	switch (c->type & ~RC_NULL) {
	case RC_ADDR:
		rows_hex(b, *(const uint64_t *)p);
		break;
	case RC_DEC:
		rows_u64(b, *(const uint64_t *)p);
		break;
	default:
		rows_s64(b, *(const int64_t *)p);
	}
	rows_char(b, '"');
}

/* With room for PREFIX made. */
static void put_value(struct rows_buf *b, const struct rows_col *c, const void *row)
{
	const void *p = (const char *)row + c->off;

	switch (c->type & ~RC_NULL) {
	case RC_STR:
		put_string(b, *(const char *const *)p, c->type & RC_NULL);
		break;
	case RC_U64:
		rows_u64(b, *(const uint64_t *)p);
		break;
	case RC_U32:
		rows_u64(b, *(const uint32_t *)p);
		break;
	case RC_INT:
		rows_s64(b, *(const int32_t *)p);
		break;
	case RC_BOOL:
		rows_text(b, *(const bool *)p ? "true" : "false", *(const bool *)p ? 4 : 5);
		break;
	case RC_ADDR:
	case RC_DEC:
	case RC_SDEC:
		put_quoted(b, c, p);
		break;
	default:
		put_parts(b, c->type, p);
	}
}

static void put_list(struct json *j, enum rows_kind_id k)
{
	j->first_in_list = true;
	rows_char(&j->buf, '[');
	if (k == ROW_FILE)
		rows_files(&j->rows);
	else if (k == ROW_VM)
		rows_machines(&j->rows);
	else
		rows_vcpus(&j->rows);
	rows_room(&j->buf, 1);
	rows_char(&j->buf, ']');
}

static void put_members(struct json *j, enum rows_kind_id k, const void *row, uint64_t of)
{
	const struct rows_kind *kind = &rows_kinds[k];
	const struct rows_col *c;
	const struct member *m;
	unsigned int i;

	for (i = 0; i < kind->n; i++) {
		c = &kind->col[i];
		m = &j->plan[k][i];
		if (!(c->of & of)) {
			i = m->end ? m->end : i;
			continue;
		}
		rows_room(&j->buf, 2 * PREFIX);
		if (c->type == RC_END) {
			rows_char(&j->buf, '}');
			continue;
		}
		rows_text(&j->buf, m->before, m->len);
		if (rows_is_null(c, row)) {
			rows_text(&j->buf, "null", 4);
			i = m->end ? m->end : i;
		} else if ((c->type & ~RC_NULL) == RC_GROUP) {
			rows_char(&j->buf, '{');
		} else if (c->type == RC_LIST) {
			put_list(j, c->off);
		} else {
			put_value(&j->buf, c, row);
		}
	}
}

static void json_emit(struct rows *r, enum rows_kind_id k, const void *row, uint64_t of)
{
	struct json *j = (struct json *)r;
	const struct rows_kind *kind = &rows_kinds[k];

	rows_room(&j->buf, 2 * PREFIX);
	if (!kind->nested) {
		rows_text(&j->buf, "{\"row\":\"", 8);
		rows_text(&j->buf, kind->name, strlen(kind->name));
		rows_char(&j->buf, '"');
	} else {
		rows_text(&j->buf, &",{"[j->first_in_list], 2 - j->first_in_list);
		j->first_in_list = false;
	}
	put_members(j, k, row, of);
	rows_room(&j->buf, 2);
	rows_text(&j->buf, "}\n", kind->nested ? 1 : 2);
}

static int json_open(void **self, struct ks_outfile *out, struct ks_err *err)
{
	struct json *j = calloc(1, sizeof(*j));
	int ret = j ? rows_buf_init(&j->buf, out) : -ENOMEM;
	unsigned int k;

	*self = j;
	for (k = 0; !ret && k < ROW_KINDS; k++)
		ret = plan_kind(j, k);
	if (ret)
		return ks_fail(err, ret, "out of memory");
	j->rows.emit = json_emit;
	return 0;
}

static int json_finish(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	struct json *j = self;

	(void)in;
	(void)err;
	rows_tail(&j->rows);
	rows_buf_flush(&j->buf);
	return 0;
}

static void json_close(void *self)
{
	struct json *j = self;
	unsigned int k;

	rows_free(&j->rows);
	rows_buf_free(&j->buf);
	for (k = 0; k < ROW_KINDS; k++)
		free(j->plan[k]);
	free(j);
}

const struct ks_exporter ks_export_json = {
	.name = "json",
	.help = "rows, one JSON object per line: records, waits, holds, totals",
	.guest_alone = true,
	.open = json_open,
	.configure = rows_configure,
	.ops = rows_ops,
	.begin = rows_begin,
	.finish = json_finish,
	.close = json_close,
};
