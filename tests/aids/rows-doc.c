// SPDX-License-Identifier: GPL-2.0
/*
 * What rows trace-export writes, out of the table that it writes them by: `rows-doc schema` prints
 * the JSON schema, `rows-doc tables` the tables of docs/export-json.md.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "records.h"
#include "rows.h"

static struct json_object *text(const char *s)
{
	return json_object_new_string(s);
}

static void put(struct json_object *o, const char *key, struct json_object *v)
{
	json_object_object_add(o, key, v);
}

static enum rows_type base(const struct rows_col *c)
{
	return c->type & ~RC_NULL;
}

/* ---- schema ---- */

static const char *name_type(const struct rows_col *c)
{
	switch (base(c)) {
	case RC_STR:
	case RC_ADDR:
	case RC_DEC:
	case RC_SDEC:
		return "string";
	case RC_BOOL:
		return "boolean";
	case RC_U64:
	case RC_U32:
	case RC_INT:
		return "integer";
	default:
		return "object";
	}
}

static void put_type(struct json_object *o, const struct rows_col *c)
{
	struct json_object *both;

	if (!(c->type & RC_NULL)) {
		put(o, "type", text(name_type(c)));
		return;
	}
	both = json_object_new_array();
	json_object_array_add(both, text(name_type(c)));
	json_object_array_add(both, text("null"));
	put(o, "type", both);
}

static void put_words(struct json_object *o, const struct rows_col *c)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; c->word(i); i++)
		json_object_array_add(list, text(c->word(i)));
	if (c->type & RC_NULL)
		json_object_array_add(list, NULL);
	put(o, "enum", list);
}

static struct json_object *parts(enum rows_type t)
{
	struct json_object *o = json_object_new_object(), *members = json_object_new_object();
	struct json_object *need = json_object_new_array(), *number;
	unsigned int i;

	for (i = 0; rows_part(t, i); i++) {
		number = json_object_new_object();
		put(number, "type", text("integer"));
		put(number, "minimum", json_object_new_int(0));
		put(members, rows_part(t, i), number);
		json_object_array_add(need, text(rows_part(t, i)));
	}
	put(o, "type", text("object"));
	put(o, "properties", members);
	put(o, "required", need);
	return o;
}

static const char *parts_name(enum rows_type t)
{
	return t == RC_STATES ? "by_state" : t == RC_PLE_CLASSES ? "by_ple_class" : "by_class";
}

static const char *pattern(enum rows_type t)
{
	return t == RC_ADDR ? "^0x[0-9a-f]{1,16}$" :
	       t == RC_DEC  ? "^[0-9]{1,20}$" :
			      "^-?[0-9]{1,20}$";
}

static struct json_object *ref(const char *name)
{
	struct json_object *o = json_object_new_object();
	char path[96];

	snprintf(path, sizeof(path), "#/$defs/%s", name);
	put(o, "$ref", text(path));
	return o;
}

static struct json_object *object(const struct rows_kind *k, unsigned int *i, uint64_t of);

static struct json_object *member(const struct rows_kind *k, unsigned int *i)
{
	const struct rows_col *c = &k->col[*i];
	struct json_object *o;

	switch (base(c)) {
	case RC_WAIT_CLASSES:
	case RC_PLE_CLASSES:
	case RC_STATES:
		o = ref(parts_name(base(c)));
		break;
	case RC_GROUP:
		++*i;
		o = object(k, i, ROWS_ALL);
		put_type(o, c);
		break;
	case RC_LIST:
		o = json_object_new_object();
		put(o, "type", text("array"));
		put(o, "items", ref(rows_kinds[c->off].name));
		break;
	default:
		o = json_object_new_object();
		put_type(o, c);
		if (c->word)
			put_words(o, c);
		if (base(c) == RC_U64 || base(c) == RC_U32 || base(c) == RC_INT)
			put(o, "minimum", json_object_new_int(0));
		if (base(c) >= RC_ADDR && base(c) <= RC_SDEC)
			put(o, "pattern", text(pattern(base(c))));
	}
	if (*c->doc)
		put(o, "description", text(c->doc));
	return o;
}

/* Members from *i on, up to the end of the group or row; *i is then there. */
static struct json_object *object(const struct rows_kind *k, unsigned int *i, uint64_t of)
{
	struct json_object *o = json_object_new_object(), *members = json_object_new_object();
	struct json_object *need = json_object_new_array(), *m;
	const struct rows_col *c;

	put(o, "type", text("object"));
	for (; *i < k->n && k->col[*i].type != RC_END; ++*i) {
		c = &k->col[*i];
		m = member(k, i);
		if (!(c->of & of)) {
			json_object_put(m);
			continue;
		}
		put(members, c->name, m);
		json_object_array_add(need, text(c->name));
	}
	put(o, "properties", members);
	put(o, "required", need);
	return o;
}

static void put_const(struct json_object *o, const char *name, const char *value)
{
	struct json_object *members, *need, *c = json_object_new_object();
	size_t i;

	put(c, "const", text(value));
	json_object_object_get_ex(o, "properties", &members);
	put(members, name, c);
	json_object_object_get_ex(o, "required", &need);
	for (i = 0; i < json_object_array_length(need); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(need, i)), name))
			return;
	json_object_array_add(need, text(name));
}

static void define(struct json_object *defs, struct json_object *any, const struct rows_kind *k,
		   unsigned int type)
{
	const char *name = k->name;
	struct json_object *o;
	unsigned int i = 0;
	char with[64];

	o = object(k, &i, k == &rows_kinds[ROW_RECORD] ? 1ull << type : ROWS_ALL);
	if (!k->nested)
		put_const(o, "row", k->name);
	if (k == &rows_kinds[ROW_RECORD]) {
		put_const(o, "type", rows_record_type(type));
		snprintf(with, sizeof(with), "record_%s", rows_record_type(type));
		name = with;
	} else {
		put(o, "description", text(k->doc));
	}
	put(defs, name, o);
	if (!k->nested)
		json_object_array_add(any, ref(name));
}

static void print_schema(void)
{
	struct json_object *o = json_object_new_object(), *defs = json_object_new_object();
	struct json_object *any = json_object_new_array();
	unsigned int k, t;

	for (t = RC_WAIT_CLASSES; t <= RC_STATES; t++)
		put(defs, parts_name(t), parts(t));
	for (k = 0; k < ROW_KINDS; k++)
		for (t = 0; t < (k == ROW_RECORD ? KS_TYPE_MAX : 1); t++)
			if (k != ROW_RECORD || (rows_record_type(t) && t != KS_LOSS))
				define(defs, any, &rows_kinds[k], t);
	put(o, "$schema", text("https://json-schema.org/draft/2020-12/schema"));
	put(o, "title", text("A line of trace-export --json"));
	put(o, "description",
	    text("Schema 1; docs/export-json.md. Members may be added without a new number."));
	put(o, "anyOf", any);
	put(o, "$defs", defs);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* ---- tables ---- */

static const char *doc_type(const struct rows_col *c)
{
	switch (base(c)) {
	case RC_BOOL:
		return "boolean";
	case RC_STR:
		return "string";
	case RC_ADDR:
		return "address";
	case RC_DEC:
	case RC_SDEC:
		return "decimal string";
	case RC_WAIT_CLASSES:
		return "by class";
	case RC_PLE_CLASSES:
		return "by class, with ipi, user, other";
	case RC_STATES:
		return "by state";
	case RC_GROUP:
		return "object";
	case RC_LIST:
		return "list";
	default:
		return "number";
	}
}

/* All types that one side sends, as docs say it in a word. */
static uint64_t types_of(unsigned int from, unsigned int to)
{
	uint64_t of = 0;

	for (; from < to; from++)
		of |= rows_record_type(from) ? 1ull << from : 0;
	return of;
}

static void print_types(uint64_t of)
{
	uint64_t host = types_of(KS_VCPU_NEW, KS_LOCK_TRY) & ~(1ull << KS_VM_MEMORY);
	uint64_t guest = types_of(KS_LOCK_TRY, KS_TYPE_MAX);
	const char *sep = "";
	unsigned int t;

	if (of == ROWS_ALL || of == host || of == guest || of == (host | guest)) {
		printf("%s |", of == ROWS_ALL ? "all" :
			       of == host     ? "all of a vCPU by the host" :
			       of == guest    ? "all of a CPU by the guest" :
						"all of a vCPU");
		return;
	}
	for (t = 0; t < KS_TYPE_MAX; t++) {
		if (!(of >> t & 1))
			continue;
		printf("%s`%s`", sep, rows_record_type(t));
		sep = " ";
	}
	printf(" |");
}

static void print_words(const struct rows_col *c)
{
	unsigned int i;

	for (i = 0; c->word && c->word(i); i++)
		printf("%s`%s`", i ? " " : *c->doc ? ": " : "", c->word(i));
}

static void print_members(const struct rows_kind *k)
{
	const char *group[4] = { "" };
	const struct rows_col *c;
	unsigned int i, depth = 0, d;

	for (i = 0; i < k->n; i++) {
		c = &k->col[i];
		if (c->type == RC_END) {
			depth--;
			continue;
		}
		printf("| `");
		for (d = 0; d < depth; d++)
			printf("%s.", group[d]);
		printf("%s` | %s%s | ", c->name, doc_type(c), c->type & RC_NULL ? ", null" : "");
		if (k == &rows_kinds[ROW_RECORD])
			print_types(c->of);
		printf("%s%s", k == &rows_kinds[ROW_RECORD] ? " " : "", c->doc);
		if (c->type == RC_LIST)
			printf("below");
		if (k == &rows_kinds[ROW_RECORD] || c->word != rows_kinds[ROW_RECORD].col->word)
			print_words(c);
		printf(" |\n");
		if (base(c) == RC_GROUP)
			group[depth++] = c->name;
	}
}

static void print_tables(void)
{
	const struct rows_kind *k;

	for (k = rows_kinds; k < rows_kinds + ROW_KINDS; k++) {
		printf("### `%s`: %s.csv\n\n%s\n\n", k->name, k->table, k->doc);
		if (k == &rows_kinds[ROW_RECORD])
			printf("| member | type | in | |\n|---|---|---|---|\n");
		else
			printf("| member | type | |\n|---|---|---|\n");
		print_members(k);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "schema"))
		print_schema();
	else if (argc == 2 && !strcmp(argv[1], "tables"))
		print_tables();
	else
		return fprintf(stderr, "usage: rows-doc schema|tables\n"), 2;
	return 0;
}
