# SPDX-License-Identifier: GPL-2.0
# The results of bench/vnuma as lines; a table's columns are separated by tabs.
include "stats";
def mean: if length > 0 then map(log) | add / length | exp else null end;
def number: if . then short | tostring else "-" end;
def kinds: map("\(.kind) \(.ratio | number)") | join(", ");

# Ratios of one arm: the geometric mean of all kinds, and each.
def of_arm($arm): map({ kind, ratio: .run_ms[$arm].ratio } | select(.ratio)) |
	if length > 0 then "\(map(.ratio) | mean | number) (\(kinds))" else "-" end;

.arms as $arms |
"time as a ratio to the same work outside the guest (metal: to the first arm): geometric mean (each kind)",
(["kernel", "pCPUs", "vCPUs", "clock", "topology", "spin", $arms[]] | join("\t")),
(.results | group_by([.kernel, .pcpus, .vcpus, .clock, .topology, .spin])[] | . as $rows | .[0] |
	[.kernel, .pcpus, .vcpus, .clock, .topology, .spin, ($arms[] | . as $arm | $rows | of_arm($arm))] | map(tostring) | join("\t")),
"",
"run_ms: median (smallest-largest) ratio as above; wasted_ms, passed_over, overloaded: recorded; ratio to \"none\"",
(["kernel", "topology", "vCPUs/pCPUs", "spin", "kind", "", "host", $arms[]] | join("\t")),
(.results[] | . as $r | ("run_ms", "wasted_ms", "passed_over", "overloaded") | . as $m | select($r[$m]) |
	[$r.kernel, $r.topology, "\($r.vcpus)/\($r.pcpus)", $r.spin, $r.kind, $m, ("host", $arms[] | . as $arm | $r[$m][$arm] | cell)] |
	map(tostring) | join("\t")),
(.results | map(.lost_records) | add | if . > 0 then "\(.) RECORDS LOST" else empty end),
(.failures[] | "went wrong: \(.kernel) \(.topology) \(.vcpus)/\(.pcpus): \(.under | to_entries | map("\(.key) \(.value)") | join(", "))")
