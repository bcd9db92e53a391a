/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Formats of tracepoints: the text of tracefs' events/SYSTEM/NAME/format, which tells where in a raw
 * record each field lies. A guest's text is hostile: it is parsed strictly, and what is written to a
 * file for perf is made anew from what was understood.
 */
#ifndef KVMSCHED_PERFDATA_FORMAT_H
#define KVMSCHED_PERFDATA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define KS_TP_FIELDS 32	      /* fields of a format, at most */
#define KS_TP_SIZE 1024	      /* bytes of a record without its strings, at most */
#define KS_TP_TEXT_MAX 65536u /* bytes of a format's text, at most */

struct ks_tp_field {
	char decl[80]; /* as in C: "char prev_comm[16]", "__data_loc char[] comm" */
	char name[40];
	uint16_t offset, size;
	bool is_signed;
	bool data_loc; /* u32: length << 16 | offset of a string behind the fixed part */
	bool chars;    /* an array of char */
};

struct ks_tp_format {
	char name[48];
	uint32_t id;
	unsigned int nfields;
	uint16_t size; /* of the fixed part */
	struct ks_tp_field field[KS_TP_FIELDS];
	/* What stands behind "print fmt: ", a pointer into the text that was parsed; NULL if the
	 * text has none, or if there is more in it than printable ASCII. */
	const char *print;
	size_t print_len;
};

/*
 * Parse. Fails with -EINVAL unless every line is of the known form, names are identifiers and differ,
 * every field lies within KS_TP_SIZE, and the format begins with `unsigned short common_type` at 0.
 */
int ks_tp_parse(struct ks_tp_format *f, const char *text, size_t len);

/* NULL if there is none. */
const struct ks_tp_field *ks_tp_find(const struct ks_tp_format *f, const char *name);

/* Write it as tracefs would, with this id and this print format. */
void ks_tp_print(const struct ks_tp_format *f, uint32_t id, const char *print, size_t print_len,
		 FILE *out);

#endif /* KVMSCHED_PERFDATA_FORMAT_H */
