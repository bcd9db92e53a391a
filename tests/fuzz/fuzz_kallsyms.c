// SPDX-License-Identifier: GPL-2.0
/* A guest's kallsyms text. */
#include <string.h>

#include "fuzz.h"
#include "symbols.h"
#include "trace.h"

/* Nothing that a terminal would obey: no control characters, be they ASCII's or UTF-8's. */
static void check_printable(const char *name)
{
	const uint8_t *c = (const uint8_t *)name;

	for (; *c; c++) {
		FUZZ_CHECK(*c >= ' ' && *c != 0x7f);
		FUZZ_CHECK(*c != 0xc2 || c[1] >= 0xa0 || c[1] < 0x80);
	}
}

static void look_up(const struct ks_symbols *s, uint64_t addr)
{
	struct ks_symbol sym;
	char name[64];
	uint64_t again;

	FUZZ_CHECK(strlen(ks_symbols_name(s, addr, name, sizeof(name))) < sizeof(name));
	check_printable(name);
	if (ks_symbols_lookup(s, addr, &sym))
		return;
	FUZZ_CHECK(sym.addr <= addr && sym.name[0] && !ks_symbols_addr(s, sym.name, &again));
	ks_symbols_ip_class(s, addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t addr[] = {
		0, 1, 0xffffffff81000000, 0xffffffff81000123, 0xffffffffc0000010, UINT64_MAX
	};
	struct ks_err err = { "" };
	struct ks_symbols *s = NULL;
	char *text = malloc(size + 1); /* exactly as long as it says: no NUL behind it */
	uint64_t own = 0;

	FUZZ_CHECK(text != NULL);
	memcpy(text, data, size);
	text = realloc(text, size ? size : 1);
	if (!ks_symbols_parse(&s, text, size, &err)) {
		free(text); /* is not kept */
		text = NULL;
		FUZZ_CHECK(ks_symbols_count(s) > 0);
		for (size_t i = 0; i < sizeof(addr) / sizeof(*addr); i++)
			look_up(s, addr[i]);
		for (size_t i = 0; i + 8 <= size && i < 64; i += 8) {
			memcpy(&own, data + i, 8);
			look_up(s, own);
		}
		ks_symbols_slide(s, s);
		ks_symbols_slide_by(s, (int64_t)own);
		look_up(s, own);
		ks_symbols_free(s);
	} else {
		FUZZ_CHECK(err.msg[0] && !strchr(err.msg, '\n'));
	}
	free(text);
	return 0;
}
