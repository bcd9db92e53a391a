/* SPDX-License-Identifier: GPL-2.0 */
/* Records and results as rows for other programs: one JSON object per line. Schema: docs/export-json.md. */
#ifndef KVMSCHED_ROWS_H
#define KVMSCHED_ROWS_H

#include "export.h"

extern const struct ks_exporter ks_export_json;

#endif /* KVMSCHED_ROWS_H */
