// SPDX-License-Identifier: GPL-2.0
/* What a trace carries beside records: metadata, symbols, exit counts. Hostile, if a guest's. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "reader_priv.h"

/* json-c gives an object some 700 bytes from the beginning and an array 400, for two or three of text. */
#define OBJECT_VALUES 8u
#define ARRAY_VALUES 4u

/* How many values the text makes, at most. In strings as well: where they end is the parser's to say. */
static uint64_t count_values(const char *text, size_t len)
{
	uint64_t n = 1;
	size_t i;

	for (i = 0; i < len; i++)
		n += text[i] == '{' ? OBJECT_VALUES :
		     text[i] == '[' ? ARRAY_VALUES :
				      text[i] == ',';
	return n;
}

/* NULL if it is not one JSON object of bounded depth. */
static struct json_object *parse_object(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(KS_MAX_META_DEPTH);
	struct json_object *obj;

	if (!tok)
		return NULL;
	obj = json_tokener_parse_ex(tok, text, (int)len);
	if (obj && !json_object_is_type(obj, json_type_object)) {
		json_object_put(obj);
		obj = NULL;
	}
	json_tokener_free(tok);
	return obj;
}

/* The same of what has been parsed. */
static uint64_t values_of(struct json_object *o)
{
	uint64_t n = 1;
	size_t i;

	if (json_object_is_type(o, json_type_array)) {
		n = ARRAY_VALUES;
		for (i = 0; i < json_object_array_length(o); i++)
			n += values_of(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		n = OBJECT_VALUES;
		json_object_object_foreach(o, key, val) {
			(void)key;
			n += values_of(val);
		}
	}
	return n;
}

/*
 * Objects are merged member by member, everything else is replaced. As deep as an object may be:
 * KS_MAX_META_DEPTH. *values: those that are kept; each is counted when it comes and when it goes.
 */
static int merge_objects(struct json_object *to, struct json_object *from, uint64_t *values)
{
	json_object_object_foreach(from, key, val) {
		struct json_object *old = NULL;
		bool is_there = json_object_object_get_ex(to, key, &old);
		int ret;

		if (json_object_is_type(val, json_type_object) &&
		    json_object_is_type(old, json_type_object)) {
			ret = merge_objects(old, val, values);
		} else {
			*values += values_of(val) - (is_there ? values_of(old) : 0);
			ret = json_object_object_add(to, key, json_object_get(val));
		}
		if (ret)
			return -ENOMEM;
	}
	return 0;
}

int ks_take_meta(struct ks_reader *r, const char *text, size_t len)
{
	struct json_object *obj = NULL;
	int ret;

	r->meta_bytes += len;
	if (r->meta_bytes <= KS_MAX_META_ALL &&
	    r->meta_values + count_values(text, len) <= KS_MAX_META_VALUES)
		obj = parse_object(text, len);
	if (!obj) {
		r->bad += ks_chunk_size((uint32_t)len);
		return 0;
	}
	ret = merge_objects(r->meta, obj, &r->meta_values);
	json_object_put(obj);
	return ret;
}

int ks_take_counts(struct ks_reader *r, const void *payload, uint32_t n)
{
	struct ks_exit_count *counts = malloc(n * sizeof(*counts) + 1);

	if (!counts)
		return -ENOMEM;
	memcpy(counts, payload, n * sizeof(*counts));
	free(r->counts);
	r->counts = counts;
	r->ncounts = n;
	return 0;
}

/* Inflate to exactly raw bytes, which the caller has checked against what deflate can do. */
static char *inflate_exactly(const void *deflated, size_t len, size_t raw)
{
	uLongf size = raw;
	char *text = malloc(raw + 1);

	if (!text)
		return NULL;
	if (uncompress((Bytef *)text, &size, deflated, len) != Z_OK || size != raw) {
		free(text);
		return NULL;
	}
	text[raw] = '\0';
	return text;
}

static char *load_symbols(struct ks_reader *r)
{
	char *deflated, *text = NULL;

	/* Deflate cannot shrink more than 1032 to 1: a bigger claim only wants our memory. */
	if (r->sym.raw_length / 1032 > r->sym.length)
		return NULL;
	deflated = malloc(r->sym.length + 1);
	if (!deflated)
		return NULL;
	if (!ks_pread(r->fd, deflated, r->sym.length, r->sym.offset) &&
	    ks_crc(0, deflated, r->sym.length) == r->sym.crc)
		text = inflate_exactly(deflated, r->sym.length, r->sym.raw_length);
	free(deflated);
	return text;
}

const char *ks_reader_symbols(struct ks_reader *r, size_t *len)
{
	if (r->sym.offset && !r->sym.checked) {
		r->sym.checked = true;
		r->sym.text = load_symbols(r);
		if (!r->sym.text)
			r->bad += ks_chunk_size(r->sym.length);
	}
	if (len)
		*len = r->sym.text ? r->sym.raw_length : 0;
	return r->sym.text;
}
