# SPDX-License-Identifier: GPL-2.0
# The results of bench/policy as lines; a table's columns are separated by tabs.
include "stats";
def recorded: IN("ple", "waits", "ple_mean", "ple_p99", "ple_max", "lhp_lwp_ms");
def second: { none: "1 VM", idle: "a second VM idle", cpu: "a second VM computes", same: "a second VM does the same" }[.];

.arms as $arms | "kernel \(.kernel); median (smallest-largest) ratio to the default scheduler", (.results[] |
	"", "\(.work), \(.spin) spinlocks, \(.second | second), \(.vcpus) vCPUs each, \(.pcpus) pCPU" +
	(if .failures then "; runs that went wrong: \(.failures | to_entries | map("\(.key) \(.value)") | join(", "))" else "" end) +
	(if .lost_records > 0 then "; \(.lost_records) RECORDS LOST" else "" end),
	(["", $arms[]] | join("\t")),
	(.measures | to_entries[] | . as $m | ["  " + .key + (if .key | recorded then " *" else "" end), ($arms[] | $m.value[.] | cell)] |
		join("\t"))), "", "* of the recorded round"
