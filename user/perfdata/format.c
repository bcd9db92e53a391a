// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "format.h"

/* What is left of the text. */
struct cursor {
	const char *p, *end;
};

struct span {
	const char *p;
	size_t len;
};

static bool next_line(struct cursor *c, struct span *line)
{
	const char *nl;

	if (c->p >= c->end)
		return false;
	nl = memchr(c->p, '\n', c->end - c->p);
	line->p = c->p;
	line->len = (nl ? nl : c->end) - c->p;
	c->p = nl ? nl + 1 : c->end;
	return true;
}

/* Is `word` what s begins with? Then it is taken off. */
static bool take(struct span *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len < n || memcmp(s->p, word, n) != 0)
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

static bool take_number(struct span *s, uint32_t max, uint32_t *v)
{
	uint64_t sum = 0;
	size_t n = 0;

	while (n < s->len && s->p[n] >= '0' && s->p[n] <= '9' && n < 10)
		sum = sum * 10 + (s->p[n++] - '0');
	if (!n || sum > max)
		return false;
	s->p += n;
	s->len -= n;
	*v = sum;
	return true;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* An identifier of C and nothing else. */
static bool copy_name(char *dst, size_t size, const char *p, size_t len)
{
	size_t i;

	if (!len || len >= size || (p[0] >= '0' && p[0] <= '9'))
		return false;
	for (i = 0; i < len; i++)
		if (!is_word(p[i]))
			return false;
	memcpy(dst, p, len);
	dst[len] = 0;
	return true;
}

/* "char prev_comm[16]": the name is the last word before the brackets. */
static bool parse_decl(struct ks_tp_field *f, const char *p, size_t len)
{
	size_t i, end = len;

	if (!len || len >= sizeof(f->decl))
		return false;
	for (i = 0; i < len; i++)
		if (!is_word(p[i]) && !strchr(" *[]", p[i]))
			return false;
	memcpy(f->decl, p, len);
	f->decl[len] = 0;
	f->data_loc = !strncmp(f->decl, "__data_loc ", 11);
	f->chars = !strncmp(f->decl, "char ", 5) && p[len - 1] == ']';
	if (p[end - 1] == ']')
		while (end && p[end - 1] != '[')
			end--;
	if (end && p[end - 1] == '[')
		end--;
	for (i = end; i && is_word(p[i - 1]);)
		i--;
	return i && copy_name(f->name, sizeof(f->name), p + i, end - i);
}

/* "\tfield:DECL;\toffset:N;\tsize:N;\tsigned:N;" */
static bool parse_field(struct ks_tp_field *f, struct span s)
{
	uint32_t offset, size, sign;
	const char *semi;

	if (!take(&s, "\tfield:"))
		return false;
	semi = memchr(s.p, ';', s.len);
	if (!semi || !parse_decl(f, s.p, semi - s.p))
		return false;
	s.len -= semi - s.p;
	s.p = semi;
	if (!take(&s, ";\toffset:") || !take_number(&s, KS_TP_SIZE, &offset) ||
	    !take(&s, ";\tsize:") || !take_number(&s, KS_TP_SIZE, &size) ||
	    !take(&s, ";\tsigned:") || !take_number(&s, 1, &sign) || !take(&s, ";") || s.len)
		return false;
	f->offset = offset;
	f->size = size;
	f->is_signed = sign;
	return size && offset + size <= KS_TP_SIZE && (!f->data_loc || size == 4);
}

static bool add_field(struct ks_tp_format *f, struct span line)
{
	struct ks_tp_field *n = &f->field[f->nfields];

	if (f->nfields == KS_TP_FIELDS || !parse_field(n, line) || ks_tp_find(f, n->name))
		return false;
	if (n->offset + n->size > f->size)
		f->size = n->offset + n->size;
	f->nfields++;
	return true;
}

static void keep_print(struct ks_tp_format *f, struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return;
	f->print = s.p;
	f->print_len = s.len;
}

static bool parse_head(struct ks_tp_format *f, struct cursor *c)
{
	struct span s;

	if (!next_line(c, &s) || !take(&s, "name: ") ||
	    !copy_name(f->name, sizeof(f->name), s.p, s.len))
		return false;
	if (!next_line(c, &s) || !take(&s, "ID: ") || !take_number(&s, UINT16_MAX, &f->id) || s.len)
		return false;
	return next_line(c, &s) && take(&s, "format:") && !s.len;
}

int ks_tp_parse(struct ks_tp_format *f, const char *text, size_t len)
{
	struct cursor c = { text, text + len };
	struct span s;

	memset(f, 0, sizeof(*f));
	if (len > KS_TP_TEXT_MAX || !parse_head(f, &c))
		return -EINVAL;
	while (next_line(&c, &s)) {
		if (!s.len)
			continue;
		if (take(&s, "print fmt: ")) {
			keep_print(f, s);
			break;
		}
		if (!add_field(f, s))
			return -EINVAL;
	}
	if (!f->nfields || strcmp(f->field[0].decl, "unsigned short common_type") != 0 ||
	    f->field[0].offset || f->field[0].size != 2)
		return -EINVAL;
	return 0;
}

const struct ks_tp_field *ks_tp_find(const struct ks_tp_format *f, const char *name)
{
	unsigned int i;

	for (i = 0; i < f->nfields; i++)
		if (!strcmp(f->field[i].name, name))
			return &f->field[i];
	return NULL;
}

/* The fields that all tracepoints have come first, and an empty line behind them: perf wants it. */
static void print_fields(const struct ks_tp_format *f, bool common, FILE *out)
{
	const struct ks_tp_field *n;
	unsigned int i;

	for (i = 0; i < f->nfields; i++) {
		n = &f->field[i];
		if (common == (strncmp(n->name, "common_", 7) == 0))
			fprintf(out, "\tfield:%s;\toffset:%u;\tsize:%u;\tsigned:%d;\n", n->decl,
				n->offset, n->size, n->is_signed);
	}
}

void ks_tp_print(const struct ks_tp_format *f, uint32_t id, const char *print, size_t print_len,
		 FILE *out)
{
	fprintf(out, "name: %s\nID: %u\nformat:\n", f->name, id);
	print_fields(f, true, out);
	fputc('\n', out);
	print_fields(f, false, out);
	fputs("\nprint fmt: ", out);
	fwrite(print, 1, print_len, out);
	fputc('\n', out);
}
