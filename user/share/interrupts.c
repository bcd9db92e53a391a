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
static void write_mask(bool *known, const char *root, struct ks_journal *j, const char *path,
		       const struct ks_cpus *may)
{
	char now[1024], mask[1024];
	size_t len;

	if (ks_read_line(root, now, sizeof(now), "%s", path))
		return;
	print_mask(may, mask, sizeof(mask));
	len = strlen(now);
	if (strlen(mask) >= len)
		change(root, j, known, path, now, mask + strlen(mask) - len);
}

static void move_irq(struct ks_interrupts *known, const char *root, struct ks_journal *j,
		     unsigned long irq, const char *cpus)
{
	uint64_t *word = &known->irq[irq / 64], bit = 1ull << irq % 64;
	char path[64], now[4096];
	bool is = *word & bit;

	snprintf(path, sizeof(path), "/proc/irq/%lu/smp_affinity_list", irq);
	if (ks_read_line(root, now, sizeof(now), "%s", path))
		return;
	change(root, j, &is, path, now, cpus);
	if (is)
		*word |= bit;
}

void ks_interrupts_move(struct ks_interrupts *known, const char *root, struct ks_journal *j,
			const struct ks_cpus *may)
{
	char path[320], cpus[KS_CPUS_TEXT], *end;
	unsigned long irq;
	struct dirent *e;
	DIR *d;

	write_mask(&known->work, root, j, WORK, may);
	write_mask(&known->later, root, j, LATER, may);
	ks_cpus_print(may, cpus, sizeof(cpus));
	snprintf(path, sizeof(path), "%s/proc/irq", root ? root : "");
	d = opendir(path);
	while (d && (e = readdir(d))) {
		irq = strtoul(e->d_name, &end, 10);
		if (end != e->d_name && !*end && irq < KS_IRQS)
			move_irq(known, root, j, irq, cpus);
	}
	if (d)
		closedir(d);
}
