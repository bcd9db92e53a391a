// SPDX-License-Identifier: GPL-2.0
/*
 * Colours and patterns of the SVG. Plain rules, no CSS variables: converters do not know them.
 * The dark colours follow in a media query, so one file fits both themes of a page.
 */
#include "svg.h"

static const char *const hatch[KS_P_MAX] = {
	[KS_P_SOLID] = "",
	[KS_P_RISING] = "M-1 1l2-2M0 6l6-6M5 7l2-2",
	[KS_P_FALLING] = "M-1 5l2 2M0 0l6 6M5-1l2 2",
	[KS_P_VERTICAL] = "M1.5 0v6M4.5 0v6",
	[KS_P_HORIZONTAL] = "M0 1.5h6M0 4.5h6",
	[KS_P_DOTS] = "M1 1.5h1.5M4 4.5h1.5",
	[KS_P_CROSS] = "M0 0l6 6M6 0l-6 6",
};

static void pattern(FILE *out, const char *id, int n, enum ks_pattern p, const char *stroke)
{
	fprintf(out,
		"<pattern id=\"%s%d\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
		"<rect width=\"6\" height=\"6\" class=\"%s%d\"/><path class=\"%s\" d=\"%s\"/>"
		"</pattern>\n",
		id, n, *id == 'v' ? "c" : "s", n, stroke, hatch[p]);
}

static void patterns(FILE *out)
{
	fputs("<defs>\n", out);
	for (int c = 0; c < KS_C_MAX; c++)
		pattern(out, "v", c, ks_class_paint[c].pattern, "hv");
	for (int k = 0; k < SC_STATES; k++)
		pattern(out, "b", k, ks_state_paint[k].pattern, "hs");
	fputs("<pattern id=\"ho\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
	      "<rect width=\"6\" height=\"6\" class=\"hold\"/>"
	      "<path class=\"hx\" d=\"M-1 1l2-2M0 6l6-6M5 7l2-2\"/></pattern>\n</defs>\n",
	      out);
}

static void colours(FILE *out, bool dark)
{
	for (int c = 0; c < KS_C_MAX; c++) {
		const struct ks_paint *p = &ks_class_paint[c];
		const char *fill = dark ? p->dark : p->light;

		fprintf(out, ".c%d{fill:%s}.k%d{stroke:%s}.i%d{fill:%s}", c, fill, c, fill, c,
			dark ? p->ink_dark : p->ink_light);
	}
	for (int k = 0; k < SC_STATES; k++)
		fprintf(out, ".s%d{fill:%s}.t%d{fill:%s}", k,
			dark ? ks_state_paint[k].dark : ks_state_paint[k].light, k,
			ks_state_strip[k][dark]);
	putc('\n', out);
}

static const char light_rules[] =
	".bg{fill:#fff;stroke:#d5dae1}.ink{fill:#17202b}.dim{fill:#566273}.num{fill:#17202b}"
	".halo{stroke:#fff}.grid{stroke:#0b1a2b;stroke-opacity:.11}.frame{stroke:#c3cad4}"
	".area{fill:#3c4654}.hold{fill:#c4d3e8}.holdl{stroke:#5d7391}.holdx{stroke:#c24a00}"
	".ha{fill:#1557c0}.hr{fill:#e3b100}.try{fill:#d1182b}.acq{fill:#12853d}"
	".hv{stroke:#fff;stroke-opacity:.42}.hs{stroke:#000;stroke-opacity:.07}"
	".hx{stroke:#c24a00}\n";

static const char dark_rules[] =
	".bg{fill:#0d1117;stroke:#30363d}.ink{fill:#e6edf3}.dim{fill:#9aa6b4}.num{fill:#f2f6fa}"
	".halo{stroke:#0d1117}.grid{stroke:#fff;stroke-opacity:.12}.frame{stroke:#3a424d}"
	".area{fill:#b4bfcc}.hold{fill:#35496a}.holdl{stroke:#8aa3c6}.holdx{stroke:#f07a1e}"
	".ha{fill:#5b9bff}.hr{fill:#f2cc3a}.try{fill:#ff5566}.acq{fill:#3fce74}"
	".hv{stroke:#000;stroke-opacity:.34}.hs{stroke:#fff;stroke-opacity:.07}"
	".hx{stroke:#f07a1e}";

void svg_style(struct svg *g)
{
	FILE *out = g->out;

	fputs("<style>\ntext{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica "
	      "Neue','DejaVu Sans',Arial,sans-serif;font-size:14px}\n"
	      ".h1{font-size:27px;font-weight:650}.b{font-weight:650}.sm{font-size:13px}"
	      ".num{font-size:13px;font-weight:650;font-variant-numeric:"
	      "tabular-nums}.halo{stroke-width:3;paint-order:stroke;stroke-linejoin:round}\n"
	      ".bar{font-size:12px;font-weight:700}.grid{stroke-width:1}.frame{fill:none}"
	      ".flow{fill:none;stroke-width:1.6}.flowh{fill:none;stroke-width:4;stroke-opacity:.8}"
	      ".hv,.hs,.hx{fill:none}.hv{stroke-width:1.3}.hs,.hx{stroke-width:1.4}"
	      ".tk{fill:none}.area{fill-opacity:.75}\n",
	      out);
	fputs(light_rules, out);
	colours(out, false);
	fputs("@media(prefers-color-scheme:dark){\n", out);
	fputs(dark_rules, out);
	colours(out, true);
	fputs("}\n</style>\n", out);
	patterns(out);
}
