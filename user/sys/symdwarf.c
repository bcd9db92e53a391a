// SPDX-License-Identifier: GPL-2.0
/* Source lines, from DWARF through elfutils. */
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symtab.h"
#include "text.h"

struct ks_symdwarf {
	Dwfl *dwfl; /* NULL: tried, and there is none */
};

/*
 * Only the file itself: elfutils' own search would ask servers of debug files over the network,
 * which a report must not do behind its user's back.
 */
static int no_other_file(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			 const char *file, const char *link, GElf_Word crc, char **found)
{
	(void)mod, (void)userdata, (void)name, (void)base;
	(void)file, (void)link, (void)crc, (void)found;
	return -1;
}

static int no_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base, char **file,
		  Elf **elf)
{
	(void)mod, (void)userdata, (void)name, (void)base, (void)file, (void)elf;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = no_elf,
	.find_debuginfo = no_other_file,
};

static Dwfl *open_dwarf(const char *path)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *mod;
	Dwarf_Addr bias;

	if (!dwfl)
		return NULL;
	dwfl_report_begin(dwfl);
	mod = dwfl_report_elf(dwfl, "kernel", path, -1, 0, true);
	dwfl_report_end(dwfl, NULL, NULL);
	if (mod && dwfl_module_getdwarf(mod, &bias))
		return dwfl;
	dwfl_end(dwfl);
	return NULL;
}

void ks_symdwarf_free(struct ks_symdwarf *d)
{
	if (d && d->dwfl)
		dwfl_end(d->dwfl);
	free(d);
}

/* The path within the kernel's tree: the compiler may have written where it was built. */
static const char *tree_path(const char *file, const char *dir)
{
	size_t n = dir ? strlen(dir) : 0;

	if (n && !strncmp(file, dir, n) && file[n] == '/')
		file += n + 1;
	while (!strncmp(file, "./", 2) || !strncmp(file, "../", 3))
		file = strchr(file, '/') + 1;
	return file;
}

static int print_line(Dwfl_Line *line, char *buf, size_t size)
{
	char name[256];
	const char *file, *dir;
	int lineno;

	file = dwfl_lineinfo(line, NULL, &lineno, NULL, NULL, NULL);
	if (!file)
		return -ENOENT;
	dir = dwfl_line_comp_dir(line);
	file = tree_path(file, dir);
	ks_printable(name, sizeof(name), file, strlen(file));
	snprintf(buf, size, "%s:%d", name, lineno);
	return 0;
}

int ks_symbols_source(struct ks_symbols *s, uint64_t addr, char *buf, size_t size)
{
	Dwfl_Line *line;
	Dwfl_Module *mod;
	uint64_t link = addr - (uint64_t)s->slide;

	if (!s->elf_path)
		return -ENODATA;
	if (!s->dwarf) {
		s->dwarf = calloc(1, sizeof(*s->dwarf));
		if (!s->dwarf)
			return -ENOMEM;
		s->dwarf->dwfl = open_dwarf(s->elf_path);
	}
	if (!s->dwarf->dwfl)
		return -ENODATA;
	mod = dwfl_addrmodule(s->dwarf->dwfl, link);
	line = mod ? dwfl_module_getsrc(mod, link) : NULL;
	return line ? print_line(line, buf, size) : -ENOENT;
}
