/* SPDX-License-Identifier: GPL-2.0 */
/* `report` of both tools: options, and printing one report or several. */
#ifndef KVMSCHED_REPORTING_H
#define KVMSCHED_REPORTING_H

#include "report.h"

/* kind says how the files are read: one host and its guests, or several hosts. */
int reporting_main(int argc, char **argv, enum ks_report_kind kind, const char *args_doc,
		   const char *doc);

#endif /* KVMSCHED_REPORTING_H */
