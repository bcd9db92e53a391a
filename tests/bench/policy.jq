# SPDX-License-Identifier: GPL-2.0
# Samples of bench/policy, an array, as results: per case, measure and arm median, spread and the ratio of the
# medians to those under the default scheduler. Times, CPU shares and wake-ups are of the runs that were not recorded.
include "stats";

($arms / " ") as $arms | ($weights / " " | map(tonumber)) as $weights |
# Part of what the VMs used while all were at work; Jain's index over what each got for its weight.
def share: if .together_ns and (.together_ns | add) > 0 then .together_ns[0] / (.together_ns | add) else null end;
def jain: if .together_ns and (.together_ns | add) > 0 then [.together_ns, $weights] | transpose | map(.[0] / .[1]) |
	(add * add) / (length * (map(. * .) | add)) else null end;
def measures: if .recorded then { arm, recorded, lost_records, ple, waits, ple_mean, ple_p99, ple_max, lhp_lwp_ms }
	else { arm, recorded, run_ms: (.vms[0].elapsed_ns / 1e6), run2_ms: (.vms[1] // { elapsed_ns: null } | .elapsed_ns |
	if . then . / 1e6 else null end), cpu_ms: (.vms[0].cpu_ns / 1e6), exits: .vms[0].exits,
	switches: .vms[0].switches, wake_p50_us: .periodic.p50_us, wake_p99_us: .periodic.p99_us,
	wake_max_us: .periodic.max_us, queued_p50_us: .periodic.queued_p50_us, queued_p99_us: .periodic.queued_p99_us,
	queued_max_us: .periodic.queued_max_us, share: share, jain: jain } end;

{ kernel: $kernel, arms: $arms, weights: $weights, results: [group_by(.case)[] | map(select(.failure).failure) as $failures |
	map(select(.sample).sample | measures) as $all | .[0].case + {
	lost_records: ([$all[] | .lost_records // 0] | add),
	failures: ($failures | group_by(.) | map({ (.[0]): length }) | add),
	measures: ([ "run_ms", "run2_ms", "cpu_ms", "share", "jain", "wake_p50_us", "wake_p99_us", "wake_max_us",
		"queued_p50_us", "queued_p99_us", "queued_max_us", "exits", "switches", "ple", "waits", "ple_mean", "ple_p99", "ple_max", "lhp_lwp_ms" ] | map(. as $m |
		([$all[] | select(.arm == "none") | .[$m] | numbers] | if length > 0 then median else null end) as $base |
		{ ($m): ($arms | map(. as $arm | { ($arm): ([$all[] | select(.arm == $arm) | .[$m] | numbers] | spread($base)) }) | add) }) |
		add | with_entries(select(.value | any))) }] }
