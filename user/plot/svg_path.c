// SPDX-License-Identifier: GPL-2.0
#include "svg_path.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static bool open_path(struct svg_path *p)
{
	if (!p->f && !p->err) {
		p->f = open_memstream(&p->buf, &p->len);
		p->err = p->f ? 0 : -ENOMEM;
		p->x = p->y = 0;
	}
	return p->f;
}

static void put(FILE *f, long tenths)
{
	if (tenths % 10)
		fprintf(f, "%s%ld.%ld", tenths < 0 ? "-" : "", labs(tenths) / 10,
			labs(tenths) % 10);
	else
		fprintf(f, "%ld", tenths / 10);
}

/* Two numbers; a minus sign separates as well as a space. */
static void put2(FILE *f, long a, long b)
{
	put(f, a);
	if (b >= 0)
		putc(' ', f);
	put(f, b);
}

static void move(struct svg_path *p, long x, long y)
{
	putc('m', p->f);
	put2(p->f, x - p->x, y - p->y);
	p->x = x;
	p->y = y;
}

void svg_path_rect(struct svg_path *p, double x, double y, double w, double h)
{
	long tw = lround(w * 10), th = lround(h * 10);

	if (tw <= 0 || th <= 0 || !open_path(p))
		return;
	move(p, lround(x * 10), lround(y * 10));
	putc('h', p->f);
	put(p->f, tw);
	putc('v', p->f);
	put(p->f, th);
	putc('h', p->f);
	put(p->f, -tw);
	putc('z', p->f);
}

void svg_path_vline(struct svg_path *p, double x, double y, double h)
{
	long th = lround(h * 10);

	if (!open_path(p))
		return;
	move(p, lround(x * 10), lround(y * 10));
	putc('v', p->f);
	put(p->f, th);
	p->y += th;
}

void svg_path_triangle(struct svg_path *p, double x, double y, double size, int up)
{
	long half = lround(size * 5), height = lround(size * 9) * (up ? 1 : -1);

	if (!open_path(p))
		return;
	move(p, lround(x * 10), lround(y * 10));
	putc('l', p->f);
	put2(p->f, half, height);
	putc('h', p->f);
	put(p->f, -2 * half);
	putc('z', p->f);
}

int svg_path_flush(struct svg_path *p, FILE *out, const char *attrs)
{
	int err = p->err;

	if (p->f) {
		if (fclose(p->f))
			err = -ENOMEM;
		else
			fprintf(out, "<path %s d=\"%s\"/>\n", attrs, p->buf);
		free(p->buf);
	}
	*p = (struct svg_path){ 0 };
	return err;
}
