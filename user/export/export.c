// SPDX-License-Identifier: GPL-2.0
#include "export.h"
#include "perfdata.h"
#include "perfetto.h"
#include "rows.h"

const struct ks_exporter *const ks_exporters[] = {
	&ks_export_perf,   &ks_export_json,	  &ks_export_csv, &ks_export_perfetto,
	&ks_export_folded, &ks_export_folded_ple, NULL,
};
