// SPDX-License-Identifier: GPL-2.0
/* The running kernel's symbols, cut down to what a trace needs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "symtab.h"
#include "text.h"

/*
 * Names that stand for no code and no object that a lock or an instruction pointer lies in:
 * export tables, alignment padding in front of functions, printk formats, generated one-offs.
 * They are about a third of the table.
 */
static bool noise(const struct ks_symline *l)
{
	static const char *const prefixes[] = {
		"__ksymtab_",
		"__kstrtab",
		"__kcrctab_",
		"__crc_",
		"__pfx_",
		"__cfi_",
		".L",
		"__UNIQUE_ID_",
		"__compound_literal.",
		"__func__.",
		"__already_done.",
		"__print_once.",
		"__warned.",
		"_entry.",
		"_entry_ptr.",
		"__msg.",
		"__flags.",
		"str__",
		"print_fmt_",
		"event_class_",
		"__event_",
		"event_type_meta_",
		"types__",
		"args__",
		"__p_syscall_meta_",
		"__syscall_meta_",
		"CSWTCH.",
		"trace_event_fields_",
		"trace_event_type_funcs_",
		"__bpf_trace_tp_map_",
		"__SCK__",
		"__SCT__",
		"__SCT_",
		"__setup_",
		"__initcall_",
		"__exitcall_",
		"__param_",
		"__modver_",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i]);

		if (l->nlen > n && !memcmp(l->name, prefixes[i], n))
			return true;
	}
	return false;
}

/*
 * Move the lines worth keeping to the front of text; the new length. *places: code and data
 * symbols seen, *hidden: those of them whose address is 0.
 */
static size_t keep_lines(char *text, size_t len, size_t *places, size_t *hidden)
{
	size_t out = 0;

	for (size_t at = 0; at < len;) {
		char *nl = memchr(text + at, '\n', len - at);
		size_t n = nl ? (size_t)(nl - text) - at : len - at;
		struct ks_symline l;

		if (ks_symline_parse(text + at, n, &l) && strchr("tTwWdDbBrRvV", l.type)) {
			*places += 1;
			*hidden += !l.addr;
			if (l.addr && !noise(&l)) {
				memmove(text + out, text + at, n);
				out += n;
				text[out++] = '\n';
			}
		}
		at += n + 1;
	}
	return out;
}

int ks_symbols_running(const char *root, char **text, size_t *len, struct ks_err *err)
{
	size_t places = 0, hidden = 0, n;
	char *all, *cut, level[16];
	int ret = ks_read_at(root, KS_SYM_TEXT, &all, &n, "/proc/kallsyms");

	*text = NULL;
	if (ret)
		return ks_fail(err, ret, "/proc/kallsyms: %s", strerror(-ret));
	n = keep_lines(all, n, &places, &hidden);
	if (places && hidden == places) {
		free(all);
		ks_read_line(root, level, sizeof(level), "/proc/sys/kernel/kptr_restrict");
		return ks_fail(err, -EPERM,
			       "the kernel hides its symbols (kernel.kptr_restrict = "
			       "%s): run as root%s",
			       level[0] ? level : "?",
			       level[0] == '2' ? ", after sysctl kernel.kptr_restrict=1" : "");
	}
	if (!n) {
		free(all);
		return ks_fail(err, -ENODATA, "/proc/kallsyms has no symbols");
	}
	cut = realloc(all, n + 1);
	if (!cut) {
		free(all);
		return ks_fail(err, -ENOMEM, "/proc/kallsyms: out of memory");
	}
	cut[n] = '\0';
	*text = cut;
	*len = n;
	return 0;
}
