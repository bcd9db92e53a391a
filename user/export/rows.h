/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records and results as rows for other programs: one JSON object per line, or a folder of CSV
 * tables; and waits folded for flame graphs. docs/export-json.md tells of them.
 *
 * What a row has is said once, in the tables of rows_table.c: both formats, their documentation and
 * the JSON schema follow from these.
 */
#ifndef KVMSCHED_ROWS_H
#define KVMSCHED_ROWS_H

#include "export.h"

extern const struct ks_exporter ks_export_json, ks_export_csv;
extern const struct ks_exporter ks_export_folded, ks_export_folded_ple;

#define ROWS_SCHEMA 1

/* How a member is written; "null" is what stands for a value that is not known. */
enum rows_type {
	RC_STR,		 /* const char *, null: NULL */
	RC_U64,		 /* a number, null: ROWS_NONE */
	RC_U32,		 /* a number */
	RC_INT,		 /* int32_t, null: below 0 */
	RC_BOOL,	 /* bool */
	RC_ADDR,	 /* uint64_t as "0x...", null: 0 */
	RC_DEC,		 /* uint64_t as a decimal string: may be beyond 2^53; null: 0 */
	RC_SDEC,	 /* the same for int64_t */
	RC_WAIT_CLASSES, /* uint64_t[KS_C_WAIT_MAX] */
	RC_PLE_CLASSES,	 /* uint64_t[KS_C_MAX] */
	RC_STATES,	 /* uint64_t[KS_V_MAX] */
	RC_GROUP,	 /* members up to RC_END are an object; null: the bool at `off` is false */
	RC_END,
	RC_LIST,	/* JSON only: an array of rows of the kind `off`, written with the header */
	RC_NULL = 0x40, /* or-ed: may be null */
};

#define ROWS_NONE UINT64_MAX
#define ROWS_ALL UINT64_MAX

struct rows_col {
	const char *name;
	uint8_t type;			     /* enum rows_type */
	uint16_t off;			     /* of the value in the row's struct (rows_priv.h) */
	uint64_t of;			     /* records: 1 << type for those that have it */
	const char *(*word)(unsigned int i); /* strings: the words there are, NULL behind them */
	const char *doc;
};

enum rows_kind_id {
	ROW_HEADER,
	ROW_FILE,
	ROW_VM,
	ROW_VCPU,
	ROW_RECORD,
	ROW_LOSS,
	ROW_WAIT,
	ROW_HOLD,
	ROW_SEGMENT,
	ROW_BURST,
	ROW_PLE,
	ROW_EXITS,
	ROW_FILE_TOTAL,
	ROW_VCPU_TOTAL,
	ROW_VM_TOTAL,
	ROW_END,
	ROW_KINDS,
};

struct rows_kind {
	const char *name;  /* the JSON member "row" */
	const char *table; /* NAME.csv */
	bool nested;	   /* JSON: in a list of the header, not a row */
	bool chosen;	   /* --rows may leave it out */
	const struct rows_col *col;
	unsigned int n;
	const char *doc;
};

extern const struct rows_kind rows_kinds[ROW_KINDS];

/*
 * Names of kinds, separated by commas (NULL = all), to *on: 1 << enum rows_kind_id for each. 0, or
 * -EINVAL + err, which lists them.
 */
int rows_parse(const char *list, uint32_t *on, struct ks_err *err);

/* Words of a record's "type"; NULL for numbers that are no type. 0 is "unknown". */
const char *rows_record_type(unsigned int type);
/* Members of arrays by class or state: RC_WAIT_CLASSES, RC_PLE_CLASSES, RC_STATES; NULL at the end. */
const char *rows_part(enum rows_type t, unsigned int i);

#endif /* KVMSCHED_ROWS_H */
