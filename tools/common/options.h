/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options that more than one command has, each in one place: an option means the same everywhere.
 * What differs between commands, defaults above all, stands in parentheses. `key` is the caller's.
 */
#ifndef KVMSCHED_OPTIONS_H
#define KVMSCHED_OPTIONS_H

#include <argp.h>
#include <stdint.h>

struct ks_err;

#define CLI_OUTPUT { "output", 'o', "FILE", 0, "write to FILE", 0 }
#define CLI_DURATION                                                                               \
	{ "duration", 'd', "TIME", 0, "end after TIME (seconds, or with a unit: 500ms, 2m)", 0 }
/* of: what is counted, in parentheses */
#define CLI_COUNT(of) { "count", 'n', "N", 0, "end after N " of, 0 }
#define CLI_VM(key) { "vm", key, "NAME|PID", 0, "only this VM (or its UUID)", 0 }
#define CLI_BURST_GAP(key)                                                                         \
	{ "burst-gap", key, "TIME", 0, "PLE exits further apart begin a new burst (1ms)", 0 }
/* Its value. 0, or -EINVAL / -ERANGE + err. */
int cli_burst_gap(const char *arg, uint64_t *ns, struct ks_err *err);
#define CLI_JSON(key) { "json", key, NULL, 0, "print JSON", 0 }
#define CLI_KALLSYMS(key)                                                                          \
	{ "guest-kallsyms",                                                                        \
	  key,                                                                                     \
	  "FILE",                                                                                  \
	  0,                                                                                       \
	  "take the guest's symbols from its /proc/kallsyms, copied to FILE",                      \
	  0 }
/* whose: who listens there, and the default, in parentheses */
#define CLI_VSOCK_PORT(key, whose) { "port", key, "N", 0, "vsock port " whose, 0 }
/* choices: "this|that"; what they are and which is the default, in parentheses */
#define CLI_MODE(key, choices, what) { "mode", key, choices, 0, "how closely to look " what, 0 }
#define CLI_FROM(key)                                                                              \
	{ "from", key, "TIME", 0, "begin here: time since the recording began (1.5s)", 0 }
#define CLI_TO(key) { "to", key, "TIME", 0, "end here", 0 }

#endif /* KVMSCHED_OPTIONS_H */
