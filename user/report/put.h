/* SPDX-License-Identifier: GPL-2.0 */
/* What the JSON reports are put together with. Members become the object's. Internal to report/. */
#ifndef KVMSCHED_REPORT_PUT_H
#define KVMSCHED_REPORT_PUT_H

#include <stdint.h>
#include <string.h>
#include <json-c/json.h>

#include "text.h"

static inline void put(struct json_object *o, const char *key, struct json_object *v)
{
	json_object_object_add(o, key, v);
}

/* json-c's integers are signed: more than INT64_MAX becomes that. */
static inline struct json_object *num(uint64_t v)
{
	return json_object_new_int64(v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

static inline void put_num(struct json_object *o, const char *key, uint64_t v)
{
	put(o, key, num(v));
}

/* Made printable, cut after 511 bytes; NULL: null. */
static inline void put_str(struct json_object *o, const char *key, const char *s)
{
	char safe[512];

	put(o, key,
	    s ? json_object_new_string(ks_printable(safe, sizeof(safe), s, strlen(s))) : NULL);
}

#endif /* KVMSCHED_REPORT_PUT_H */
