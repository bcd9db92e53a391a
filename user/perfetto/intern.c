// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "intern.h"

#define FIRST_SIZE 256u

/* FNV-1a: strings are short and few. */
static uint32_t hash(const char *s)
{
	uint32_t h = 0x811c9dc5u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 0x01000193u;
	return h;
}

static uint32_t *find(const struct pf_intern *t, const char *s)
{
	uint32_t i = hash(s) & (t->size - 1);

	while (t->place[i] && strcmp(t->name[t->place[i] - 1], s) != 0)
		i = (i + 1) & (t->size - 1);
	return &t->place[i];
}

/* The table is kept half empty. */
static bool grow(struct pf_intern *t)
{
	uint32_t size = t->size ? t->size * 2 : FIRST_SIZE, i;
	char **name = realloc(t->name, size / 2 * sizeof(*name));
	uint32_t *place;

	if (!name)
		return false;
	t->name = name;
	place = calloc(size, sizeof(*place));
	if (!place)
		return false;
	free(t->place);
	t->place = place;
	t->size = size;
	for (i = 0; i < t->n; i++)
		*find(t, t->name[i]) = i + 1;
	return true;
}

uint32_t pf_intern(struct pf_intern *t, const char *s, bool *fresh)
{
	uint32_t *place;

	*fresh = false;
	if (t->n >= t->size / 2 && !grow(t))
		return 0;
	place = find(t, s);
	if (!*place) {
		t->name[t->n] = strdup(s);
		if (!t->name[t->n])
			return 0;
		*fresh = true;
		*place = ++t->n;
	}
	return *place;
}

void pf_intern_clear(struct pf_intern *t)
{
	while (t->n)
		free(t->name[--t->n]);
	free(t->name);
	free(t->place);
	*t = (struct pf_intern){ 0 };
}
