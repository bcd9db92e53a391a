#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Which part of recordings is drawn: the worst wait is the one that the rows of trace-export have for the worst.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/scratch.bash

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

# ---- among what is asked for ----

recordings=(m8/host.kvs m8/guest?.kvs)
"$bin/trace-export" -q --json rows --rows wait "${recordings[@]}"
begin=$(jq -r 'select(.row == "header").first_ns' rows)
lock=$(jq -r 'select(.row == "wait").lock' rows | sort | uniq -c | sort -n | awk 'END { print $2 }')
# of CONDITION OPTION...: the worst wait that meets the condition is the one that is drawn.
of() {
	local measure want condition=$1

	shift
	for measure in time exits; do
		accepted "the worst by $measure, $*" "$bin/lock-timeline" plot -o worst.svg --worst-by $measure "$@" "${recordings[@]}"
		want=$(worst "${by[$measure]}" "$condition" <rows)
		holds "... is that of $want, not $(drawn worst.svg)" same "$want" "$(drawn worst.svg)"
	done
}
of ".lock == \"$lock\"" --lock "$lock"
of '.vcpu == 1 or .vcpu == 4' --vcpu 1,4
of ".try_ns + .ns >= $begin + 250000000" --from 250ms
of ".try_ns <= $begin + 120000000" --to 120ms
of ".vm == \"sim-0\" and .vcpu == 2 and .try_ns + .ns >= $begin + 100000000 and .try_ns <= $begin + 300000000" \
	--vm sim-0 --vcpu 2 --from 100ms --to 300ms
for times in "--from 2 --to 1" "--from 1 --to 1" "--to 0"; do
	read -ra words <<<"$times"
	for more in "--worst-by time" ""; do
		# shellcheck disable=SC2086
		refused "plot $times $more" 2 'nothing is between' "$bin/lock-timeline" plot -o x.svg $more "${words[@]}" "${recordings[@]}"
	done
	refused "vnuma-trace plot $times" 2 'nothing is between' "$bin/vnuma-trace" plot -o x.svg "${words[@]}" "${recordings[@]}"
done
# A picture that is larger than files may be: said, and nothing is left of it.
for picture in x.svg x.html; do
	for tool in lock-timeline vnuma-trace; do
		refused "$tool plot $picture, a limit of the file's size" 1 'too large' \
			sh -c "ulimit -f 4; exec '$bin/$tool' plot -o $picture ${recordings[*]}"
		absent $picture $picture.partial
	done
done
for tool in lock-timeline vnuma-trace; do
	for from in 1000h 4611686018s; do
		refused "$tool, a part behind the end" 1 'nothing was recorded' "$bin/$tool" plot -o x.svg --from $from "${recordings[@]}"
	done
	# What is asked for behind the recording's end is not drawn as empty room.
	"$bin/$tool" plot -q -o whole.svg "${recordings[@]}"
	accepted "$tool, up to behind the end" "$bin/$tool" plot -o x.svg --to 1000h "${recordings[@]}"
	holds "... is up to the end" cmp whole.svg x.svg
	rm -f x.svg
done
refused "no such wait" 1 'no such wait' "$bin/lock-timeline" plot -o x.svg --worst-by time --lock 0x1 "${recordings[@]}"
refused "none of these vCPUs" 1 'no vCPU 77' "$bin/lock-timeline" plot -o x.svg --worst-by time --vcpu 77 "${recordings[@]}"
absent x.svg x.svg.partial
expect_end
