// SPDX-License-Identifier: GPL-2.0
#include "list.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const char *pos;
	int line;
	char *err;
	size_t err_size;
};

static const char *const class_names[] = { "struct", "union", "enum", "typedef" };

const char *vg_class_name(enum vg_class class)
{
	return class < VG_OTHER ? class_names[class] : "type";
}

static int fail(struct parser *p, const char *what, const char *which)
{
	snprintf(p->err, p->err_size, "line %d: %s%s%s", p->line, what, which ? ": " : "",
		 which ? which : "");
	return -EINVAL;
}

static void skip_blank(struct parser *p)
{
	for (;; p->pos++) {
		if (*p->pos == '#')
			p->pos += strcspn(p->pos, "\n");
		if (*p->pos == '\n')
			p->line++;
		if (!isspace((unsigned char)*p->pos))
			return;
	}
}

/* The next token, allocated: "{", "}" or a word; NULL at the end. */
static char *next_token(struct parser *p)
{
	size_t len;

	skip_blank(p);
	len = strcspn(p->pos, "{}# \t\r\n\v\f");
	if (!len && *p->pos)
		len = 1;
	if (!len)
		return NULL;
	p->pos += len;
	return strndup(p->pos - len, len);
}

static bool next_is(struct parser *p, char c)
{
	skip_blank(p);
	return *p->pos == c;
}

static int cmp_str(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_member(struct vg_want *want, char *name)
{
	char **grown = reallocarray(want->members, want->nr_members + 1, sizeof(*grown));

	if (!grown) {
		free(name);
		return -ENOMEM;
	}
	want->members = grown;
	want->members[want->nr_members++] = name;
	return 0;
}

static void sort_members(struct vg_want *want)
{
	size_t i, kept = 0;

	qsort(want->members, want->nr_members, sizeof(*want->members), cmp_str);
	for (i = 0; i < want->nr_members; i++) {
		if (kept && !strcmp(want->members[i], want->members[kept - 1]))
			free(want->members[i]);
		else
			want->members[kept++] = want->members[i];
	}
	want->nr_members = kept;
}

static int parse_members(struct parser *p, struct vg_want *want)
{
	char *token;
	int err;

	free(next_token(p)); /* the opening brace */
	want->trimmed = true;
	while (!next_is(p, '}')) {
		token = next_token(p);
		if (!token)
			return fail(p, "no closing brace", want->name);
		if (!strcmp(token, "{")) {
			free(token);
			return fail(p, "a brace inside braces", want->name);
		}
		err = add_member(want, token);
		if (err)
			return err;
	}
	free(next_token(p));
	if (!want->nr_members)
		return 0;
	sort_members(want);
	want->member_found = calloc(want->nr_members, sizeof(*want->member_found));
	return want->member_found ? 0 : -ENOMEM;
}

static int check_want(struct parser *p, const struct vg_want *want)
{
	if (!want->name && (want->class != VG_ENUM || want->nr_members != 1))
		return fail(p, "only an enum may be anonymous, and needs one enumerator", NULL);
	if (want->name && want->trimmed && strpbrk(want->name, "*?["))
		return fail(p, "a pattern cannot select members", want->name);
	if (want->name && want->trimmed && want->class != VG_STRUCT && want->class != VG_UNION)
		return fail(p, "only a struct or a union has members to select", want->name);
	return 0;
}

static int parse_want(struct parser *p, const char *keyword, struct vg_want *want)
{
	int class, err = 0;

	for (class = 0; class < VG_OTHER && strcmp(keyword, class_names[class]); class ++)
		;
	if (class == VG_OTHER)
		return fail(p, "expected struct, union, enum or typedef", keyword);
	want->class = class;
	want->line = p->line;
	if (!next_is(p, '{')) {
		want->name = next_token(p);
		if (!want->name || *want->name == '}')
			return fail(p, "a name is missing after", keyword);
	}
	if (next_is(p, '{'))
		err = parse_members(p, want);
	return err ? err : check_want(p, want);
}

/* What a want is sorted and found by: its name, or the enumerator of an anonymous enum. */
static const char *sort_key(const struct vg_want *want)
{
	return want->name ? want->name : want->members[0];
}

static int cmp_want(const void *a, const void *b)
{
	const struct vg_want *x = a, *y = b;

	if (x->class != y->class)
		return (int)x->class - (int)y->class;
	if (!x->name != !y->name)
		return x->name ? 1 : -1;
	return strcmp(sort_key(x), sort_key(y));
}

static int sort_list(struct parser *p, struct vg_list *list)
{
	size_t i;

	qsort(list->wants, list->nr, sizeof(*list->wants), cmp_want);
	for (i = 1; i < list->nr; i++) {
		if (cmp_want(&list->wants[i - 1], &list->wants[i]))
			continue;
		p->line = list->wants[i].line;
		return fail(p, "listed twice", sort_key(&list->wants[i]));
	}
	return 0;
}

int vg_list_parse(const char *text, struct vg_list *list, char *err, size_t err_size)
{
	struct parser p = { .pos = text, .line = 1, .err = err, .err_size = err_size };
	struct vg_want *grown;
	char *keyword;
	int ret = 0;

	*list = (struct vg_list){};
	while (!ret && (keyword = next_token(&p))) {
		grown = reallocarray(list->wants, list->nr + 1, sizeof(*grown));
		if (grown) {
			list->wants = grown;
			grown[list->nr] = (struct vg_want){};
			ret = parse_want(&p, keyword, &grown[list->nr++]);
		} else {
			ret = -ENOMEM;
		}
		free(keyword);
	}
	if (!ret)
		ret = sort_list(&p, list);
	if (ret == -ENOMEM)
		snprintf(err, err_size, "out of memory");
	if (ret)
		vg_list_free(list);
	return ret;
}

static char *read_text(FILE *f)
{
	char *text = NULL;
	size_t size = 0;

	if (getdelim(&text, &size, '\0', f) < 0 && ferror(f)) {
		free(text);
		return NULL;
	}
	return text ? text : strdup("");
}

int vg_list_read(const char *path, struct vg_list *list, char *err, size_t err_size)
{
	FILE *f = fopen(path, "re");
	char *text;
	int ret;

	*list = (struct vg_list){};
	text = f ? read_text(f) : NULL;
	ret = text ? vg_list_parse(text, list, err, err_size) : -errno;
	if (!text)
		snprintf(err, err_size, "%s", strerror(-ret));
	free(text);
	if (f)
		fclose(f);
	return ret;
}

void vg_list_free(struct vg_list *list)
{
	size_t i, j;

	for (i = 0; i < list->nr; i++) {
		for (j = 0; j < list->wants[i].nr_members; j++)
			free(list->wants[i].members[j]);
		free(list->wants[i].members);
		free(list->wants[i].member_found);
		free(list->wants[i].name);
	}
	free(list->wants);
	*list = (struct vg_list){};
}

struct vg_want *vg_list_find(const struct vg_list *list, enum vg_class class, const char *name)
{
	struct vg_want key = { .class = class, .name = (char *)name };

	if (!list->nr)
		return NULL;
	return bsearch(&key, list->wants, list->nr, sizeof(key), cmp_want);
}

static char **find_member(const struct vg_want *want, const char *member)
{
	if (!want->nr_members)
		return NULL;
	return bsearch(&member, want->members, want->nr_members, sizeof(member), cmp_str);
}

bool vg_want_member(const struct vg_want *want, const char *member)
{
	return !want || !want->trimmed || find_member(want, member);
}

void vg_want_note(struct vg_want *want, const char *member)
{
	char **hit = find_member(want, member);

	if (hit)
		want->member_found[hit - want->members] = true;
}
