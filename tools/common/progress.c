// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <unistd.h>

#include "cli.h"
#include "now.h"
#include "progress.h"

#define WIDTH 40
#define FIRST_AFTER 1000000000u
#define EVERY 100000000u

void progress_begin(struct progress *p, const char *what)
{
	*p = (struct progress){ .what = what, .begun = ks_now_ns() };
	p->on = cli_verbosity > 0 && isatty(STDERR_FILENO);
}

/* What is left if the rest goes as fast. */
static uint64_t seconds_left(const struct progress *p, uint64_t now, double part)
{
	return part > 0 ? (uint64_t)((double)(now - p->begun) * (1 - part) / part / 1e9) : 0;
}

void progress_step(struct progress *p, uint64_t done, uint64_t all)
{
	uint64_t now;
	double part;

	if (!p->on || !all)
		return;
	now = ks_now_ns();
	if (now - p->begun < FIRST_AFTER || now - p->shown < EVERY)
		return;
	p->shown = now;
	part = done < all ? (double)done / (double)all : 1;
	fprintf(stderr, "\r%s [%-*.*s] %3.0f %%, %llu s left \033[K", p->what, WIDTH,
		(int)(part * WIDTH), "########################################", part * 100,
		(unsigned long long)seconds_left(p, now, part));
}

void progress_end(struct progress *p)
{
	if (p->on && p->shown)
		fputs("\r\033[K", stderr);
	p->on = false;
}
