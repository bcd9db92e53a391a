/* SPDX-License-Identifier: GPL-2.0 */
/* What perf needs to know of the machine that is recorded: formats of tracepoints, processor. */
#ifndef KVMSCHED_TRACEFS_H
#define KVMSCHED_TRACEFS_H

struct json_object;

/*
 * An object for the metadata's key `perf` (docs/trace-format.md): "formats" of the tracepoints that
 * exports are written by, "header_page", "header_event", "arch" and "cpuid", as far as they are
 * there. root: see text.h; the processor is asked only without one. The caller's; NULL only if there
 * is no memory.
 */
struct json_object *ks_tracefs_meta(const char *root);

#endif /* KVMSCHED_TRACEFS_H */
