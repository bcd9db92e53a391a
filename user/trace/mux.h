/* SPDX-License-Identifier: GPL-2.0 */
/* Merges streams of records into one, by time on a common clock. Internal to user/trace. */
#ifndef KVMSCHED_TRACE_MUX_H
#define KVMSCHED_TRACE_MUX_H

#include "trace.h"

struct ks_stream;
struct ks_mux;

struct ks_mux *ks_mux_new(void);
void ks_mux_free(struct ks_mux *m);
/* Of two records at one time, the one of the stream that was added first comes first. */
int ks_mux_add(struct ks_mux *m, struct ks_stream *s, ks_map_fn map, void *ctx, unsigned int src);
/* The streams were moved: look at their heads anew. */
void ks_mux_restart(struct ks_mux *m);
/* 1, 0 at the end, -errno + err. Times never run backwards. */
int ks_mux_next(struct ks_mux *m, struct ks_event *ev, struct ks_err *err);

#endif /* KVMSCHED_TRACE_MUX_H */
