# SPDX-License-Identifier: GPL-2.0
# Samples of bench/vnuma, an array, as results: per kernel, topology, GOMP_SPINCOUNT and kind of work what each arm took, with
# the ratio of the medians to the host VM without virtualisation (metal: to its own scheduler), and what it wasted, with the
# ratio to the guest's own scheduler. `all`: every run. Times are of the runs that were not recorded.
include "stats";

# The arms, and `host`, the same work outside the guest.
def by_arm($arms; $base): . as $all | [$arms[] | . as $arm | { ($arm): ([$all[] | select(.arm == $arm) | .value] |
	spread($base) + { all: . }) } | select(.[].runs)] | add;
def arm: if .where == "host" then "host" else .arm end;

($arms / " ") as $arms |
{ arms: $arms,
	failures: (map(select(.failed)) | group_by(.failed) | map(.[0].failed + { under: (map(.under) | group_by(.) |
		map({ (.[0]): length }) | add) })),
	results: [map(select(.case)) | group_by(.case)[] | .[0].case as $case | map(.sample) |
	map(select(.recorded | not) | { arm: arm, value: (.did.elapsed_ns / 1e6) }) as $times |
	map(select(.recorded)) as $recorded |
	(if $case.topology == "metal" then "none" else "host" end) as $to |
	def recorded_of(f): [$recorded[] | { arm: arm, value: f } | select(.value != null)];
	def base($name): [.[] | select(.arm == $name) | .value] | if length > 0 then median else null end;
	$case + { run_ms: ($times | by_arm($arms + ["host"]; base($to))),
		wasted_ms: (recorded_of(.wasted_ns | values | . / 1e6) | by_arm($arms; base("none"))),
		wait_ms: (recorded_of(.wait_ns | values | . / 1e6) | by_arm($arms; base("none"))),
		passed_over: (recorded_of(.passed_over) | by_arm($arms; base("none"))),
		overloaded: (recorded_of(.overloaded) | by_arm($arms; base("none"))),
		lost_records: ([$recorded[].lost_records // 0] | add) }] }
