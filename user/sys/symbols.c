// SPDX-License-Identifier: GPL-2.0
/* The symbol table: filled from text or ELF, sorted once, searched by address. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "symtab.h"
#include "text.h"

#define REACH (1ull << 20)	 /* farther behind its start an address is not in a symbol */
#define REACH_DATA (16ull << 20) /* the kernel's own data: large tables */

struct ks_symbols *ks_symtab_new(size_t symbols, size_t bytes)
{
	struct ks_symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->room = symbols ? symbols : 1;
	s->pool_room = bytes + 1;
	s->row = malloc(s->room * sizeof(*s->row));
	s->pool = malloc(s->pool_room);
	if (!s->row || !s->pool) {
		ks_symbols_free(s);
		return NULL;
	}
	s->pool[s->pool_used++] = '\0'; /* offset 0 stands for "none" */
	return s;
}

void ks_symbols_free(struct ks_symbols *s)
{
	if (!s)
		return;
	ks_symdwarf_free(s->dwarf);
	free(s->elf_path);
	free(s->class);
	free(s->pool);
	free(s->row);
	free(s);
}

/* Room in the pool for so many bytes more. */
static int pool_grow(struct ks_symbols *s, size_t more)
{
	size_t room = s->pool_room * 2 > s->pool_used + more ? s->pool_room * 2 :
							       s->pool_used + more;
	char *p;

	if (s->pool_room - s->pool_used >= more)
		return 0;
	if (room > UINT32_MAX)
		return -EFBIG;
	p = realloc(s->pool, room);
	if (!p)
		return -ENOMEM;
	s->pool = p;
	s->pool_room = room;
	return 0;
}

static uint32_t pool_put(struct ks_symbols *s, const char *str, size_t len)
{
	uint32_t at = (uint32_t)s->pool_used;

	if (len >= KS_SYM_NAME)
		len = KS_SYM_NAME - 1;
	ks_printable(s->pool + at, len + 1, str, len);
	s->pool_used += strlen(s->pool + at) + 1;
	return at;
}

/* Modules come in runs: only the last one's name is compared. */
static uint32_t put_module(struct ks_symbols *s, const char *module, size_t len)
{
	uint32_t last = s->n ? s->row[s->n - 1].module : 0;

	if (!module)
		return 0;
	if (last && strlen(s->pool + last) == len && !memcmp(s->pool + last, module, len))
		return last;
	return pool_put(s, module, len);
}

int ks_symtab_add(struct ks_symbols *s, uint64_t addr, char type, const char *name, size_t nlen,
		  const char *module, size_t mlen)
{
	uint32_t mod;
	int ret;

	if (s->n >= KS_SYM_MAX)
		return -EFBIG;
	if (s->n == s->room) {
		struct ks_symrow *row = realloc(s->row, s->room * 2 * sizeof(*row));

		if (!row)
			return -ENOMEM;
		s->row = row;
		s->room *= 2;
	}
	ret = pool_grow(s, nlen + mlen + 3);
	if (ret)
		return ret;
	mod = put_module(s, module, mlen);
	s->pool[s->pool_used++] = type;
	s->row[s->n] = (struct ks_symrow){
		.addr = addr,
		.name = pool_put(s, name, nlen),
		.module = mod,
	};
	s->n++;
	return 0;
}

/* Lower is plainer. */
static unsigned int oddity(const char *name)
{
	char type = name[-1];
	unsigned int score = 0;

	if (!ks_sym_is_code(type))
		score += 8;
	if (type == 'w' || type == 'W')
		score += 2;
	else if (islower((unsigned char)type))
		score += 1;
	if (name[0] == '_')
		score += name[1] == '_' ? 4 : 2;
	return score;
}

static int by_addr(const void *a, const void *b, void *pool)
{
	const struct ks_symrow *x = a, *y = b;
	unsigned int ox, oy;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	ox = oddity((char *)pool + x->name);
	oy = oddity((char *)pool + y->name);
	if (ox != oy)
		return ox < oy ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

void ks_symtab_finish(struct ks_symbols *s)
{
	struct ks_symrow *row;
	char *pool;
	bool sorted = true;

	for (size_t i = 1; i < s->n && sorted; i++)
		sorted = by_addr(&s->row[i - 1], &s->row[i], s->pool) <= 0;
	if (!sorted)
		qsort_r(s->row, s->n, sizeof(*s->row), by_addr, s->pool);
	row = realloc(s->row, (s->n ? s->n : 1) * sizeof(*row));
	if (row)
		s->row = row;
	pool = realloc(s->pool, s->pool_used);
	if (pool)
		s->pool = pool;
	s->class = calloc(s->n ? s->n : 1, sizeof(*s->class));
	s->end = 0;
	for (size_t i = 0; i < s->n && !s->end; i++)
		if (!s->row[i].module && !strcmp(s->pool + s->row[i].name, "_end"))
			s->end = s->row[i].addr;
}

/* 1 to 16 hexadecimal digits and a space. */
static size_t parse_addr(const char *p, size_t len, uint64_t *addr)
{
	size_t i;

	*addr = 0;
	for (i = 0; i < len && i < 17; i++) {
		int c = (unsigned char)p[i] | 0x20;

		if (p[i] >= '0' && p[i] <= '9')
			*addr = *addr << 4 | (uint64_t)(p[i] - '0');
		else if (c >= 'a' && c <= 'f')
			*addr = *addr << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	return i && i < 17 && i < len && p[i] == ' ' ? i + 1 : 0;
}

static size_t word_len(const char *p, size_t len)
{
	size_t i = 0;

	while (i < len && p[i] && p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
		i++;
	return i;
}

bool ks_symline_parse(const char *line, size_t len, struct ks_symline *out)
{
	size_t at = parse_addr(line, len, &out->addr);

	if (!at || len - at < 3 || !isalpha((unsigned char)line[at]) || line[at + 1] != ' ')
		return false;
	out->type = line[at];
	at += 2;
	out->name = line + at;
	out->nlen = word_len(line + at, len - at);
	if (!out->nlen)
		return false;
	at += out->nlen;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	out->module = NULL;
	out->mlen = 0;
	if (at < len && line[at] == '[') {
		out->module = line + at + 1;
		out->mlen = word_len(out->module, len - at - 1);
		if (out->mlen < 2 || out->module[out->mlen - 1] != ']')
			return false;
		out->mlen--;
	}
	return true;
}

/* Absolute ("a": per-CPU offsets, constants), undefined and debugging symbols are no places. */
static bool wanted(const struct ks_symline *l)
{
	return l->addr && !strchr("aAUNn?", l->type);
}

struct parse {
	struct ks_symbols *s;
	size_t zeros; /* symbols at 0 that are not absolute */
};

static int parse_lines(struct parse *p, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *nl = memchr(text + at, '\n', len - at);
		size_t n = nl ? (size_t)(nl - text) - at : len - at;
		struct ks_symline l;
		int ret = 0;

		if (!ks_symline_parse(text + at, n, &l)) {
			p->s->bad += n > 0;
		} else if (wanted(&l)) {
			ret = ks_symtab_add(p->s, l.addr, l.type, l.name, l.nlen, l.module, l.mlen);
		} else {
			p->zeros += !l.addr && !strchr("aA", l.type);
		}
		if (ret == -EFBIG) /* as many as we take: the others are left out */
			break;
		if (ret)
			return ret;
		at += n + 1;
	}
	return 0;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 1;

	for (const char *p = text; (p = memchr(p, '\n', len - (size_t)(p - text))); p++)
		n++;
	return n < KS_SYM_MAX ? n : KS_SYM_MAX;
}

int ks_symbols_parse(struct ks_symbols **out, const char *text, size_t len, struct ks_err *err)
{
	struct parse p = { 0 };
	int ret;

	*out = NULL;
	if (!len)
		return ks_fail(err, -ENODATA, "no symbols: the text is empty");
	if (len > KS_SYM_TEXT)
		return ks_fail(err, -EFBIG, "kallsyms text of more than 256 MiB");
	p.s = ks_symtab_new(count_lines(text, len), len);
	ret = p.s ? parse_lines(&p, text, len) : -ENOMEM;
	if (!ret && !p.s->n)
		ret = -ENODATA;
	if (ret == -ENODATA && p.zeros)
		ks_fail(err, ret,
			"all addresses are 0: the kernel hid them from who read its "
			"kallsyms; read it as root with kernel.kptr_restrict below 2");
	else if (ret == -ENODATA)
		ks_fail(err, ret, "no line is in the form of /proc/kallsyms");
	else if (ret)
		ks_fail(err, ret, "symbols: %s", strerror(-ret));
	if (ret) {
		ks_symbols_free(p.s);
		return ret;
	}
	ks_symtab_finish(p.s);
	*out = p.s;
	return 0;
}

size_t ks_symbols_count(const struct ks_symbols *s)
{
	return s->n;
}

size_t ks_symbols_bad_lines(const struct ks_symbols *s)
{
	return s->bad;
}

void ks_symbols_slide_by(struct ks_symbols *s, int64_t offset)
{
	s->slide = (int64_t)((uint64_t)s->slide + (uint64_t)offset);
}

int ks_symbols_slide(struct ks_symbols *s, const struct ks_symbols *running)
{
	static const char *const anchors[] = { "_text", "_stext" };

	for (size_t i = 0; i < 2; i++) {
		uint64_t here, there;

		if (ks_symbols_addr(s, anchors[i], &here) ||
		    ks_symbols_addr(running, anchors[i], &there))
			continue;
		ks_symbols_slide_by(s, (int64_t)(there - here));
		return 0;
	}
	return -ENODATA;
}

/* First row whose address is above (or, if equal, also at) addr. */
static size_t bound(const struct ks_symbols *s, uint64_t addr, bool equal)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		uint64_t a = s->row[mid].addr;

		if (a > addr || (equal && a == addr))
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* The row that a link address lies in, or NULL. */
static const struct ks_symrow *find_row(const struct ks_symbols *s, uint64_t link)
{
	size_t i = bound(s, link, false);
	const struct ks_symrow *r;
	uint64_t reach = REACH;

	if (!i)
		return NULL;
	r = &s->row[i - 1];
	if (i > 1 && s->row[i - 2].addr == r->addr)
		r = &s->row[bound(s, r->addr, true)];
	if (!r->module && !ks_sym_is_code(s->pool[r->name - 1]))
		reach = REACH_DATA;
	if (link - r->addr >= reach)
		return NULL;
	if (s->end && !r->module && link >= s->end && r->addr <= s->end)
		return NULL;
	return r;
}

int ks_symbols_lookup(const struct ks_symbols *s, uint64_t addr, struct ks_symbol *sym)
{
	const struct ks_symrow *r = find_row(s, addr - (uint64_t)s->slide);
	size_t next;

	if (!r)
		return -ENOENT;
	next = bound(s, r->addr, false);
	sym->next = next < s->n ? s->row[next].addr + (uint64_t)s->slide : 0;
	sym->name = s->pool + r->name;
	sym->module = r->module ? s->pool + r->module : NULL;
	sym->addr = r->addr + (uint64_t)s->slide;
	sym->type = s->pool[r->name - 1];
	return 0;
}

int ks_symbols_addr(const struct ks_symbols *s, const char *name, uint64_t *addr)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->pool + s->row[i].name, name))
			continue;
		*addr = s->row[i].addr + (uint64_t)s->slide;
		return 0;
	}
	return -ENOENT;
}

const char *ks_symbols_name(const struct ks_symbols *s, uint64_t addr, char *buf, size_t size)
{
	struct ks_symbol sym;
	char off[24] = "";

	if (!s || ks_symbols_lookup(s, addr, &sym)) {
		snprintf(buf, size, "0x%" PRIx64, addr);
		return buf;
	}
	if (addr != sym.addr)
		snprintf(off, sizeof(off), "+0x%" PRIx64, addr - sym.addr);
	snprintf(buf, size, "%s%s%s%s%s", sym.name, off, sym.module ? " [" : "",
		 sym.module ? sym.module : "", sym.module ? "]" : "");
	return buf;
}

/* Names are compared once per function: a trace has millions of addresses in a few of them. */
enum ks_ipclass ks_symbols_ip_class(const struct ks_symbols *s, uint64_t ip)
{
	const struct ks_symrow *r = s ? find_row(s, ip - (uint64_t)s->slide) : NULL;
	enum ks_ipclass c;

	if (!r || !ks_sym_is_code(s->pool[r->name - 1]))
		return KS_IP_UNKNOWN;
	if (s->class && s->class[r - s->row])
		return (enum ks_ipclass)(s->class[r - s->row] - 1);
	c = ks_ipclass_of_name(s->pool + r->name);
	if (s->class)
		s->class[r - s->row] = (uint8_t)(c + 1);
	return c;
}
