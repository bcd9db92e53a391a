/* SPDX-License-Identifier: GPL-2.0 */
/* A perf.data file that unmodified perf reads. What is in it: docs/export-perf.md. */
#ifndef KVMSCHED_PERFDATA_H
#define KVMSCHED_PERFDATA_H

#include "export.h"

extern const struct ks_exporter ks_export_perf;

#endif /* KVMSCHED_PERFDATA_H */
