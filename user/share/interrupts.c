// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupts.h"
#include "journal.h"
#include "text.h"

#define WORK "/sys/devices/virtual/workqueue/cpumask"
#define LATER "/proc/irq/default_smp_affinity" /* of interrupts that come into being */

/* The kernel's masks are hexadecimal words of 32 CPUs, highest first. */
static void print_mask(const struct ks_cpus *s, char *buf, size_t size)
{
	size_t used = 0;
	int i;

	for (i = KS_CPUS / 32 - 1; i >= 0 && used < size; i--)
		used += (size_t)snprintf(buf + used, size - used, "%08x%s",
					 (uint32_t)(s->word[i / 2] >> i % 2 * 32), i ? "," : "");
}

static void parse_mask(const char *text, struct ks_cpus *s)
{
	const char *p;
	unsigned int word = 0;
	uint64_t bits;

	memset(s, 0, sizeof(*s));
	for (p = text; (p = strchr(p, ',')); p++)
		word++;
	for (p = text; p; word--) {
		bits = strtoul(p, NULL, 16) & UINT32_MAX;
		if (word < KS_CPUS / 32)
			s->word[word / 2] |= bits << word % 2 * 32;
		p = strchr(p, ',');
		p += p ? 1 : 0;
	}
}

/* Whoever has put it there had a reason. What is where all were moved to may use those, too, that have come back since. */
static bool is_placed(const struct ks_interrupts *known, const struct ks_cpus *now,
		      const struct ks_cpus *may)
{
	return ks_cpus_count(now) && ks_cpus_within(now, may) && !ks_cpus_same(now, &known->last);
}

/* What says `now` is to say `then`. *known: that is in the journal. */
static void change(const char *root, struct ks_journal *j, bool *known, const char *path,
		   const char *now, const char *then)
{
	char full[768];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root ? root : "", path);
	if (!strcmp(now, then) || (!*known && ks_journal_path(j, full, now)))
		return;
	*known = true;
	f = fopen(full, "w");
	if (!f)
		return;
	fputs(then, f);
	fclose(f);
}

/* As many words as the kernel itself prints: it takes no more. */
static void write_mask(const struct ks_interrupts *known, bool *is_known, const char *root,
		       struct ks_journal *j, const char *path, const struct ks_cpus *may)
{
	char now[1024], mask[1024];
	struct ks_cpus is;
	size_t len;

	if (ks_read_line(root, now, sizeof(now), "%s", path))
		return;
	parse_mask(now, &is);
	if (is_placed(known, &is, may))
		return;
	print_mask(may, mask, sizeof(mask));
	len = strlen(now);
	if (strlen(mask) >= len)
		change(root, j, is_known, path, now, mask + strlen(mask) - len);
}

static void move_irq(struct ks_interrupts *known, const char *root, struct ks_journal *j,
		     unsigned long irq, const struct ks_cpus *may, const char *cpus)
{
	uint64_t *word = &known->irq[irq / 64], bit = 1ull << irq % 64;
	char path[64], now[4096];
	bool is_known = *word & bit;
	struct ks_cpus is;

	snprintf(path, sizeof(path), "/proc/irq/%lu/smp_affinity_list", irq);
	if (ks_read_line(root, now, sizeof(now), "%s", path))
		return;
	if (!ks_cpus_parse("irq", now, &is, NULL) && is_placed(known, &is, may))
		return;
	change(root, j, &is_known, path, now, cpus);
	if (is_known)
		*word |= bit;
}

void ks_interrupts_move(struct ks_interrupts *known, const char *root, struct ks_journal *j,
			const struct ks_cpus *may)
{
	char path[320], cpus[KS_CPUS_TEXT], *end;
	unsigned long irq;
	struct dirent *e;
	DIR *d;

	write_mask(known, &known->work, root, j, WORK, may);
	write_mask(known, &known->later, root, j, LATER, may);
	ks_cpus_print(may, cpus, sizeof(cpus));
	snprintf(path, sizeof(path), "%s/proc/irq", root ? root : "");
	d = opendir(path);
	while (d && (e = readdir(d))) {
		irq = strtoul(e->d_name, &end, 10);
		if (end != e->d_name && !*end && irq < KS_IRQS)
			move_irq(known, root, j, irq, may, cpus);
	}
	if (d)
		closedir(d);
	known->last = *may;
}
