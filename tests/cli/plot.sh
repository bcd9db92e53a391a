#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Which part of recordings is drawn: the worst wait is the one that the rows of trace-export have for the worst.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/expect.bash
bin=$PWD/build/bin
sim=$PWD/build/tests/sim
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# worst MEASURE [CONDITION]: VM and time (s) at which the picture of the worst wait begins, from rows on standard input.
worst() {
	jq -r -s "map(select(.row == \"wait\" and (${2:-true}))) | max_by($1) | [.vm, (.try_ns - (.ns / 4 | floor)) / 1e9] | @tsv"
}
# drawn SVG: the same, as the picture says it.
drawn() {
	sed -n 's/.*>VM \([^ ]*\) (pid.* from \([0-9.]*\) s on.*/\1\t\2/p' "$1"
}
# same WANT GOT: to the ns.
same() {
	awk -v want="$1" -v got="$2" 'BEGIN { split(want, w); split(got, g)
		exit !(w[1] != "" && w[1] == g[1] && sprintf("%.8f", w[2]) == sprintf("%.8f", g[2])) }'
}
declare -A by=([time]='.share_ns.lhp + .share_ns.lwp' [exits]='[.ple_by_class.lhp + .ple_by_class.lwp, .share_ns.lhp + .share_ns.lwp]')

# ---- of several VMs ----

for seed in 3 5 8; do
	"$sim" generate --out m$seed --no-truth --scenario multi-vm --seed $seed --events 60000 >log 2>&1
	recordings=("m$seed/host.kvs" "m$seed"/guest?.kvs)
	"$bin/trace-export" -q --json rows --rows wait "${recordings[@]}"
	for measure in time exits; do
		accepted "seed $seed, the worst by $measure" "$bin/lock-timeline" plot -o worst.svg --worst-by $measure "${recordings[@]}"
		want=$(worst "${by[$measure]}" <rows)
		holds "... is that of $want, not $(drawn worst.svg)" same "$want" "$(drawn worst.svg)"
	done
done
expect_end
