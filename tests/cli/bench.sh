#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the benches say is worked out of what was measured: the OpenMP programs do the same work whatever the number of
# threads, and bench/vnuma makes known samples into the tables that are due.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/expect.bash
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# ---- the programs ----

for kind in lu cg ep ft; do
	for threads in 1 2 3 4; do
		GOMP_SPINCOUNT=0 build/tests/omp --kind $kind --threads $threads --rounds 7 | jq -r .sum
	done >"$tmp/sums"
	holds "omp $kind: one sum with any number of threads" [ "$(sort -u "$tmp/sums" | grep -c .)" = 1 ]
	one=$(head -n 1 "$tmp/sums")
	holds "omp $kind: another one of more work" [ "$(build/tests/omp --kind $kind --rounds 8 | jq -r .sum)" != "$one" ]
done
for wrong in "--kind mg" "--threads 0" "--size 60" "--rounds x" "--size 8192"; do
	code=0
	# shellcheck disable=SC2086
	build/tests/omp $wrong >/dev/null 2>&1 || code=$?
	holds "omp $wrong: exit code 2 ($code)" [ $code = 2 ]
done

# ---- the judge, of samples that are known ----

# line WHERE ARM RUN RECORDED KIND SPIN MS
line() {
	echo "{\"where\":\"$1\",\"arm\":\"$2\",\"run\":$3,\"recorded\":$4,\"kind\":\"$5\",\"spin\":$6,\"did\":{\"elapsed_ns\":${7}000000}}"
}

good=$tmp/v/7.2-numa-4v-1p/0.1
bad=$tmp/v/7.2-numa-4v-1p/1.1
mkdir -p "$good" "$bad"
: >"$good/good"
echo wake >"$tmp/v/7.2-numa-4v-1p/failures"
{
	echo "[1.0] up"
	for run in 0 1 2; do
		line host none $run false lu 0 $((100 + run))
		line guest none $run false lu 0 $((200 + 2 * run))
		line guest wake $run false lu 0 $((150 + run))
		line host none $run false ft 0 100
		line guest none $run false ft 0 800
	done
} >"$good/host.log"
line guest none 0 false lu 0 9999 >"$bad/host.log" # of a boot that went wrong
tests/bench/vnuma --again --topology numa --pcpus 1 --out "$tmp/v" >"$tmp/table" 2>"$EXPECT_ERR"
cat "$tmp/table"
holds "host: the middle one of three runs" jq -e '.results | map(select(.kind == "lu"))[0].run_ms.host |
	.median == 101 and .min == 100 and .max == 102 and .runs == 3 and .ratio == 1 and .all == [100, 101, 102]' "$tmp/v.json"
holds "ratios are to the host" jq -e '.results | map(select(.kind == "lu"))[0].run_ms |
	.none.ratio == 2 and .wake.ratio == 1.495' "$tmp/v.json"
holds "the boot that went wrong is told" jq -e '.failures[0].under == { wake: 1 }' "$tmp/v.json"
holds "the mean of 2 and 8 is 4" grep -q '0  *4 (ft 8, lu 2)  *1.495 (lu 1.495)' "$tmp/table"

# Without a guest: to the machine's own scheduler; wasted time from the live tables.
metal=$tmp/m/7.2-metal-2v-2p/0.1
mkdir -p "$metal"
: >"$metal/good"
{
	line metal none 0 true lu 0 1
	line metal wake 0 true lu 0 1
	line metal none 0 false lu 0 100
	line metal wake 0 false lu 0 50
} >"$metal/host.log"
for n in 30000000 10000000; do echo "{\"wasted_ns\":$n,\"wait_ns\":$n,\"passed_over\":1,\"overloaded\":0,\"lost_records\":1}"; done \
	>"$metal/top-none-0-lu-0.jsonl"
echo '{"wasted_ns":4000000,"wait_ns":1,"passed_over":0,"overloaded":0,"lost_records":0}' >"$metal/top-wake-0-lu-0.jsonl"
tests/bench/vnuma --again --topology metal --vcpus 2 --pcpus 2 --out "$tmp/m" >"$tmp/table" 2>"$EXPECT_ERR"
cat "$tmp/table"
holds "metal: half the time, a tenth of the waste" jq -e '.results[0] |
	.run_ms.wake.ratio == 0.5 and .wasted_ms.none.median == 40 and .wasted_ms.wake.ratio == 0.1' "$tmp/m.json"
holds "lost records are told" grep -q '2 RECORDS LOST' "$tmp/table"

for wrong in "--kind mg" "--spin 3x" "--clock fast" "--clock real --pcpus 2,4"; do
	code=0
	# shellcheck disable=SC2086
	tests/bench/vnuma --again --out "$tmp/w" $wrong >/dev/null 2>&1 || code=$?
	holds "vnuma $wrong: exit code 2 ($code)" [ $code = 2 ]
done
expect_end
