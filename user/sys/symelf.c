// SPDX-License-Identifier: GPL-2.0
/* Symbols of an ELF file: a vmlinux, or the separate debug file of one. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "symtab.h"

/* kallsyms' letter for an ELF symbol, 0 for what is no place in the kernel. */
static char letter(Elf *elf, const GElf_Sym *sym)
{
	unsigned int bind = GELF_ST_BIND(sym->st_info), type = GELF_ST_TYPE(sym->st_info);
	Elf_Scn *scn;
	GElf_Shdr sh;
	char c;

	if (!sym->st_value || sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS)
		return 0;
	if (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC && type != STT_GNU_IFUNC)
		return 0;
	scn = elf_getscn(elf, sym->st_shndx);
	if (!scn || !gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_ALLOC))
		return 0;
	if (sh.sh_flags & SHF_EXECINSTR)
		c = 't';
	else if (sh.sh_type == SHT_NOBITS && (sh.sh_flags & SHF_WRITE))
		c = 'b';
	else
		c = sh.sh_flags & SHF_WRITE ? 'd' : 'r';
	if (bind == STB_WEAK)
		return c == 't' ? 'w' : 'v';
	return bind == STB_GLOBAL ? (char)(c - 'a' + 'A') : c;
}

static Elf_Scn *find_symtab(Elf *elf, GElf_Shdr *sh)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, sh) && sh->sh_type == SHT_SYMTAB && sh->sh_entsize)
			return scn;
	return NULL;
}

static int add_all(struct ks_symbols *s, Elf *elf, Elf_Data *data, const GElf_Shdr *sh, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		GElf_Sym sym;
		const char *name;
		char c;
		int ret;

		if (!gelf_getsym(data, (int)i, &sym))
			break;
		c = letter(elf, &sym);
		name = c ? elf_strptr(elf, sh->sh_link, sym.st_name) : NULL;
		if (!name || !*name)
			continue;
		ret = ks_symtab_add(s, sym.st_value, c, name, strlen(name), NULL, 0);
		if (ret)
			return ret == -EFBIG ? 0 : ret;
	}
	return 0;
}

static int from_elf(struct ks_symbols **out, Elf *elf, const char *path, struct ks_err *err)
{
	struct ks_symbols *s;
	Elf_Data *data;
	GElf_Ehdr eh;
	GElf_Shdr sh;
	Elf_Scn *scn;
	size_t n;
	int ret;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh) || eh.e_machine != EM_X86_64)
		return ks_fail(err, -EINVAL,
			       "%s: no ELF file for x86-64; a boot image (vmlinuz) "
			       "holds no symbols: give the vmlinux of the debug package",
			       path);
	scn = find_symtab(elf, &sh);
	data = scn ? elf_getdata(scn, NULL) : NULL;
	n = data ? data->d_size / sh.sh_entsize : 0;
	if (!n)
		return ks_fail(err, -ENODATA,
			       "%s: no symbol table (stripped); give the vmlinux of "
			       "the debug package, or the guest's kallsyms",
			       path);
	s = ks_symtab_new(n < KS_SYM_MAX ? n : KS_SYM_MAX, n * 16);
	ret = s ? add_all(s, elf, data, &sh, n < INT32_MAX ? n : INT32_MAX) : -ENOMEM;
	if (!ret)
		s->elf_path = strdup(path);
	if (!ret && !s->elf_path)
		ret = -ENOMEM;
	if (!ret && !s->n)
		ret = -ENODATA;
	if (ret) {
		ks_symbols_free(s);
		return ks_fail(err, ret, "%s: symbols: %s", path, strerror(-ret));
	}
	ks_symtab_finish(s);
	*out = s;
	return 0;
}

int ks_symbols_vmlinux(struct ks_symbols **s, const char *path, struct ks_err *err)
{
	int fd, ret;
	Elf *elf;

	*s = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		return ks_fail(err, ret, "%s: %s", path, strerror(-ret));
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf)
		ret = from_elf(s, elf, path, err);
	else
		ret = ks_fail(err, -EINVAL, "%s: %s", path, elf_errmsg(-1));
	elf_end(elf);
	close(fd);
	return ret;
}
