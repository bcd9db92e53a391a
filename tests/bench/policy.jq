# SPDX-License-Identifier: GPL-2.0
# Samples of bench/policy, an array, as results: per work, kind of spinlock, measure and arm median, spread
# and the ratio of the medians to those under the default scheduler.
def round3: . * 1000 | round / 1000;
def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def spread($base): { median: (median | round3), min: (min | round3), max: (max | round3), runs: length,
	ratio: (if $base > 0 then (median / $base | round3) else null end) };

{ kernel: $kernel, vcpus: $vcpus, results: [group_by([.work, .spin])[] | . as $all | {
	work: .[0].work, spin: .[0].spin,
	lost_records: (map(.lost_records) | add),
	measures: ([ "run_ms", "ple", "waits", "ple_mean", "ple_p99", "ple_max", "lhp_lwp_ms" ] | map(. as $m | {
		($m): (($all | map(select(.arm == "none") | .[$m]) | median) as $base |
			[ "none", "plain", "boost" ] | map(. as $arm | {
				($arm): ($all | map(select(.arm == $arm) | .[$m]) | spread($base)) }) | add) }) | add) }] }
