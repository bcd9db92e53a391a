/* SPDX-License-Identifier: GPL-2.0 */
/* A trace for Perfetto. What becomes what: docs/export-perfetto.md. */
#ifndef KVMSCHED_PERFETTO_H
#define KVMSCHED_PERFETTO_H

#include "export.h"

extern const struct ks_exporter ks_export_perfetto;

#endif /* KVMSCHED_PERFETTO_H */
