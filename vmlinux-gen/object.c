// SPDX-License-Identifier: GPL-2.0
#include "object.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The layout of .BTF.ext, Documentation/bpf/btf.rst, "The .BTF.ext section". */
struct ext_header {
	__u16 magic;
	__u8 version;
	__u8 flags;
	__u32 hdr_len;
	__u32 func_info_off;
	__u32 func_info_len;
	__u32 line_info_off;
	__u32 line_info_len;
	__u32 core_relo_off;
	__u32 core_relo_len;
};

struct ext_section {
	__u32 name_off;
	__u32 nr;
};

struct reader {
	struct vg_object *object;
	Elf *elf;
	size_t names; /* the section with the names of sections */
	Elf_Data *symbols;
	size_t symbol_names;
	size_t nr_symbols;
	size_t rodata; /* index of .rodata, 0 = none */
	size_t *index; /* ELF section of each of the object's sections */
};

static int add_section(struct reader *r, Elf_Scn *scn, const char *name)
{
	struct vg_object *o = r->object;
	Elf_Data *data = elf_getdata(scn, NULL);
	struct vg_section *grown;
	size_t *index;

	if (!data || data->d_size % sizeof(struct bpf_insn))
		return -ENOEXEC;
	if (!data->d_size)
		return 0;
	grown = reallocarray(o->sections, o->nr_sections + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	o->sections = grown;
	index = reallocarray(r->index, o->nr_sections + 1, sizeof(*index));
	if (!index)
		return -ENOMEM;
	r->index = index;
	index[o->nr_sections] = elf_ndxscn(scn);
	grown += o->nr_sections++;
	*grown = (struct vg_section){ .name = strdup(name), .insns = malloc(data->d_size) };
	if (!grown->name || !grown->insns)
		return -ENOMEM;
	memcpy(grown->insns, data->d_buf, data->d_size);
	grown->nr_insns = data->d_size / sizeof(struct bpf_insn);
	return 0;
}

static int read_sections(struct reader *r)
{
	Elf_Scn *scn = NULL;
	const char *name;
	GElf_Shdr sh;
	int err = 0;

	while (!err && (scn = elf_nextscn(r->elf, scn))) {
		if (!gelf_getshdr(scn, &sh))
			return -ENOEXEC;
		name = elf_strptr(r->elf, r->names, sh.sh_name);
		if (!name)
			return -ENOEXEC;
		if (sh.sh_type == SHT_PROGBITS && (sh.sh_flags & SHF_EXECINSTR)) {
			err = add_section(r, scn, name);
		} else if (sh.sh_type == SHT_SYMTAB && sh.sh_entsize) {
			r->symbols = elf_getdata(scn, NULL);
			r->symbol_names = sh.sh_link;
			r->nr_symbols = sh.sh_size / sh.sh_entsize;
		} else if (!strcmp(name, ".rodata")) {
			r->rodata = elf_ndxscn(scn);
		}
	}
	return err;
}

static struct vg_section *section_at(struct reader *r, size_t index)
{
	size_t i;

	for (i = 0; i < r->object->nr_sections; i++)
		if (r->index[i] == index)
			return &r->object->sections[i];
	return NULL;
}

static int add_function(struct vg_section *sec, const char *name, const GElf_Sym *sym)
{
	__u64 first = sym->st_value / sizeof(struct bpf_insn);
	__u64 nr = sym->st_size / sizeof(struct bpf_insn);
	struct vg_function *grown;

	if (first >= sec->nr_insns || nr > sec->nr_insns - first)
		return -ENOEXEC;
	grown = reallocarray(sec->functions, sec->nr_functions + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	sec->functions = grown;
	grown += sec->nr_functions;
	*grown = (struct vg_function){ strdup(name), first, nr };
	if (!grown->name)
		return -ENOMEM;
	sec->nr_functions++;
	return 0;
}

static int add_variable(struct vg_object *o, const char *name, const GElf_Sym *sym)
{
	struct vg_variable *grown = reallocarray(o->variables, o->nr_variables + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	o->variables = grown;
	grown += o->nr_variables;
	*grown = (struct vg_variable){
		.name = strdup(name),
		.offset = sym->st_value,
		.size = sym->st_size,
	};
	if (!grown->name)
		return -ENOMEM;
	o->nr_variables++;
	return 0;
}

static int read_symbols(struct reader *r)
{
	struct vg_section *sec;
	const char *name;
	GElf_Sym sym;
	int err = 0;
	size_t i;

	for (i = 0; i < r->nr_symbols && !err; i++) {
		if (!gelf_getsym(r->symbols, i, &sym))
			return -ENOEXEC;
		name = elf_strptr(r->elf, r->symbol_names, sym.st_name);
		sec = section_at(r, sym.st_shndx);
		if (!name)
			return -ENOEXEC;
		if (GELF_ST_TYPE(sym.st_info) == STT_FUNC && sec)
			err = add_function(sec, name, &sym);
		else if (GELF_ST_TYPE(sym.st_info) == STT_OBJECT && r->rodata &&
			 sym.st_shndx == r->rodata)
			err = add_variable(r->object, name, &sym);
	}
	return err;
}

/* True for an extern of .ksyms that libbpf looks up in BTF; those of type void it asks kallsyms. */
static bool is_typed_ksym(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, ".ksyms", BTF_KIND_DATASEC), i;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL, *var;

	for (i = 0; t && i < btf_vlen(t); i++) {
		var = btf__type_by_id(btf, btf_var_secinfos(t)[i].type);
		if (strcmp(btf__name_by_offset(btf, var->name_off), name))
			continue;
		while (btf_is_var(var) || btf_is_mod(var))
			var = btf__type_by_id(btf, var->type);
		return !btf_is_void(var);
	}
	return false;
}

static int add_address(struct reader *r, struct vg_section *sec, __u32 insn, const GElf_Sym *sym)
{
	struct vg_address *grown;

	grown = reallocarray(sec->addresses, sec->nr_addresses + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	sec->addresses = grown;
	grown += sec->nr_addresses++;
	*grown = (struct vg_address){ .insn = insn, .of = VG_DATA };
	if (sym->st_shndx == SHN_UNDEF) {
		grown->of = VG_EXTERN;
	} else if (r->rodata && sym->st_shndx == r->rodata) {
		grown->of = VG_RODATA;
		grown->offset = sym->st_value + sec->insns[insn].imm;
	}
	return 0;
}

static int add_ksym_ref(struct vg_section *sec, __u32 insn, const char *name, const GElf_Sym *sym)
{
	struct vg_ksym_ref *grown = reallocarray(sec->ksyms, sec->nr_ksyms + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	sec->ksyms = grown;
	grown += sec->nr_ksyms;
	*grown = (struct vg_ksym_ref){
		.insn = insn,
		.name = strdup(name),
		.weak = GELF_ST_BIND(sym->st_info) == STB_WEAK,
		.call = sec->insns[insn].code == (BPF_JMP | BPF_CALL),
	};
	if (!grown->name)
		return -ENOMEM;
	sec->nr_ksyms++;
	return 0;
}

static int add_reference(struct reader *r, struct vg_section *sec, const GElf_Rel *rel)
{
	__u64 insn = rel->r_offset / sizeof(struct bpf_insn);
	const char *name;
	GElf_Sym sym;
	int err = 0;

	if (!gelf_getsym(r->symbols, GELF_R_SYM(rel->r_info), &sym) || insn >= sec->nr_insns)
		return -ENOEXEC;
	if (sec->insns[insn].code == (BPF_LD | BPF_IMM | BPF_DW))
		err = add_address(r, sec, insn, &sym);
	if (err || sym.st_shndx != SHN_UNDEF)
		return err;
	name = elf_strptr(r->elf, r->symbol_names, sym.st_name);
	if (!name)
		return -ENOEXEC;
	return is_typed_ksym(r->object->btf, name) ? add_ksym_ref(sec, insn, name, &sym) : 0;
}

static int read_elf_relocations(struct reader *r)
{
	Elf_Scn *scn = NULL;
	struct vg_section *sec;
	Elf_Data *data;
	GElf_Shdr sh;
	GElf_Rel rel;
	int err = 0;
	size_t i;

	while (!err && (scn = elf_nextscn(r->elf, scn))) {
		if (!gelf_getshdr(scn, &sh))
			return -ENOEXEC;
		sec = sh.sh_type == SHT_REL ? section_at(r, sh.sh_info) : NULL;
		data = sec ? elf_getdata(scn, NULL) : NULL;
		for (i = 0; data && sh.sh_entsize && i < sh.sh_size / sh.sh_entsize && !err; i++) {
			if (!gelf_getrel(data, i, &rel))
				return -ENOEXEC;
			err = add_reference(r, sec, &rel);
		}
	}
	return err;
}

static struct vg_section *section_named(struct vg_object *o, const char *name)
{
	size_t i;

	for (i = 0; i < o->nr_sections; i++)
		if (!strcmp(o->sections[i].name, name))
			return &o->sections[i];
	return NULL;
}

static int add_relos(struct vg_object *o, struct vg_section *sec, const unsigned char *rec,
		     __u32 rec_size, __u32 nr)
{
	struct bpf_core_relo relo;
	__u32 i;

	sec->relos = calloc(nr, sizeof(*sec->relos));
	if (!sec->relos)
		return -ENOMEM;
	for (i = 0; i < nr; i++, rec += rec_size) {
		memcpy(&relo, rec, sizeof(relo));
		if (relo.insn_off / sizeof(struct bpf_insn) >= sec->nr_insns)
			return -ENOEXEC;
		sec->relos[sec->nr_relos++] = (struct vg_relo){
			.insn = relo.insn_off / sizeof(struct bpf_insn),
			.type = relo.type_id,
			.access = btf__str_by_offset(o->btf, relo.access_str_off),
			.kind = relo.kind,
		};
		if (!btf__type_by_id(o->btf, relo.type_id) || !sec->relos[i].access)
			return -ENOEXEC;
	}
	return 0;
}

/* The records of one section in .BTF.ext; *pos moves behind them. */
static int read_relo_section(struct vg_object *o, const unsigned char *data, size_t size,
			     size_t *pos, __u32 rec_size)
{
	struct vg_section *sec;
	struct ext_section es;
	const char *name;
	int err;

	if (size - *pos < sizeof(es))
		return -ENOEXEC;
	memcpy(&es, data + *pos, sizeof(es));
	*pos += sizeof(es);
	name = btf__str_by_offset(o->btf, es.name_off);
	sec = name ? section_named(o, name) : NULL;
	if (!sec || sec->relos || !es.nr || es.nr > (size - *pos) / rec_size)
		return -ENOEXEC;
	err = add_relos(o, sec, data + *pos, rec_size, es.nr);
	*pos += (size_t)rec_size * es.nr;
	return err;
}

static int read_relos(struct vg_object *o)
{
	struct ext_header hdr = {};
	const unsigned char *data;
	size_t pos = sizeof(__u32), end;
	__u32 size, rec_size;
	int err = 0;

	data = btf_ext__raw_data(o->ext, &size);
	memcpy(&hdr, data, size < sizeof(hdr) ? size : sizeof(hdr));
	if (hdr.hdr_len < sizeof(hdr) || !hdr.core_relo_len)
		return 0; /* no CO-RE in it */
	if (hdr.hdr_len > size || hdr.core_relo_off > size - hdr.hdr_len ||
	    hdr.core_relo_len > size - hdr.hdr_len - hdr.core_relo_off || hdr.core_relo_len < pos)
		return -ENOEXEC;
	data += hdr.hdr_len + hdr.core_relo_off;
	end = hdr.core_relo_len;
	memcpy(&rec_size, data, sizeof(rec_size));
	if (rec_size < sizeof(struct bpf_core_relo))
		return -ENOEXEC;
	while (pos < end && !err)
		err = read_relo_section(o, data, end, &pos, rec_size);
	return err;
}

static int cmp_function(const void *a, const void *b)
{
	const struct vg_function *x = a, *y = b;

	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

static int cmp_relo(const void *a, const void *b)
{
	const struct vg_relo *x = a, *y = b;

	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

static void sort_all(struct vg_object *o)
{
	size_t i;

	for (i = 0; i < o->nr_sections; i++) {
		struct vg_section *sec = &o->sections[i];

		if (sec->nr_functions)
			qsort(sec->functions, sec->nr_functions, sizeof(*sec->functions),
			      cmp_function);
		if (sec->nr_relos)
			qsort(sec->relos, sec->nr_relos, sizeof(*sec->relos), cmp_relo);
	}
}

static int check_elf(struct reader *r)
{
	GElf_Ehdr eh;

	if (!gelf_getehdr(r->elf, &eh) || eh.e_machine != EM_BPF ||
	    elf_getshdrstrndx(r->elf, &r->names))
		return -ENOEXEC;
	return 0;
}

static int read_elf(struct reader *r)
{
	int err = read_sections(r);

	if (!err && !r->symbols)
		err = -ENOEXEC;
	if (!err)
		err = read_symbols(r);
	return err ? err : read_elf_relocations(r);
}

int vg_object_open(const char *path, struct vg_object *object)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	struct reader r = { .object = object };

	*object = (struct vg_object){};
	if (fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	r.elf = elf_begin(fd, ELF_C_READ, NULL);
	err = r.elf ? check_elf(&r) : -ENOEXEC;
	if (!err) {
		object->btf = btf__parse_elf(path, &object->ext);
		if (!object->btf) /* libbpf has error numbers of its own for broken files */
			err = errno < __LIBBPF_ERRNO__START ? -errno : -ENOEXEC;
		else
			err = object->ext ? read_elf(&r) : -ENODATA;
	}
	if (!err)
		err = read_relos(object);
	elf_end(r.elf);
	close(fd);
	free(r.index);
	sort_all(object);
	if (err)
		vg_object_close(object);
	return err;
}

static void close_section(struct vg_section *sec)
{
	size_t i;

	for (i = 0; i < sec->nr_functions; i++)
		free(sec->functions[i].name);
	for (i = 0; i < sec->nr_ksyms; i++)
		free(sec->ksyms[i].name);
	free(sec->functions);
	free(sec->ksyms);
	free(sec->relos);
	free(sec->addresses);
	free(sec->insns);
	free(sec->name);
}

void vg_object_close(struct vg_object *object)
{
	size_t i;

	for (i = 0; i < object->nr_sections; i++)
		close_section(&object->sections[i]);
	for (i = 0; i < object->nr_variables; i++)
		free(object->variables[i].name);
	free(object->sections);
	free(object->variables);
	btf_ext__free(object->ext);
	btf__free(object->btf);
	*object = (struct vg_object){};
}

int vg_object_set(struct vg_object *object, const char *name, __u64 value)
{
	size_t i;

	for (i = 0; i < object->nr_variables; i++) {
		struct vg_variable *v = &object->variables[i];

		if (strcmp(v->name, name))
			continue;
		v->set = true;
		v->value = value;
		return 0;
	}
	return -ENOENT;
}
