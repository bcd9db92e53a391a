# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For benches whose samples are runs within boots of the lab. Sourced, with OUT, RUNS and RECORDED set, and
#   say TEXT                                      a line for who watches
#   name_of CASE...                               a case's folder in OUT
#   boot DIR FIRST-RUN RECORDED RUNS CASE...      one boot of the lab with some runs in it
# A case is a list of words.

# went_wrong DIR: which arm was at work when the boot went wrong; "boot" if none was.
went_wrong() {
	grep -a '^{"' "$1/host.log" 2>/dev/null | tail -n 1 | jq -r '.begun // "between runs"' 2>/dev/null | grep . || echo boot
}

# boots PCPUS: what is done in each boot of a case, a line each: number of its first run, rounds recorded, rounds not
# recorded. Recording has a boot of its own, unless ONE_BOOT=1. Two emulated CPUs fail by themselves now and then, so there
# each round has.
boots() {
	local i

	if [ "$1" = 1 ] && [ "${ONE_BOOT:-0}" = 1 ]; then
		echo "0 $RECORDED $RUNS"
	elif [ "$1" = 1 ]; then
		[ "$RUNS" = 0 ] || echo "0 0 $RUNS"
		[ "$RECORDED" = 0 ] || echo "0 $RECORDED 0"
	else
		for ((i = 0; i < RUNS; i++)); do echo "$i 0 1"; done
		for ((i = 0; i < RECORDED; i++)); do echo "$i 1 0"; done
	fi
}

# measure PCPUS CASE...: all runs of one case. A boot that went wrong is repeated once; $dir/failures tells what was at work.
measure() {
	local dir all i try pcpus=$1

	shift
	dir=$OUT/$(name_of "$@")
	rm -rf "$dir"
	mkdir -p "$dir"
	mapfile -t all < <(boots "$pcpus")
	for ((i = 0; i < ${#all[@]}; i++)); do
		for try in 1 2; do
			# shellcheck disable=SC2086
			if boot "$dir/$i.$try" ${all[i]} "$@"; then
				: >"$dir/$i.$try/good"
				continue 2
			fi
			went_wrong "$dir/$i.$try" >>"$dir/failures"
			say "went wrong under \"$(tail -n 1 "$dir/failures")\": $(tail -n 1 "$dir/$i.$try.log")"
		done
		say "$(name_of "$@"): given up after two boots: ${all[i]}"
	done
}

# Columns as wide as they must be; lines without tabs are left alone.
columns() {
	awk -F '\t' '{ line[NR] = $0; for (i = 1; NF > 1 && i <= NF; i++) if (length($i) > w[i]) w[i] = length($i) }
		END { for (n = 1; n <= NR; n++) { c = split(line[n], f, "\t"); if (c < 2) { print line[n]; continue }
		for (i = 1; i < c; i++) printf "%-*s  ", w[i], f[i]; print f[c] } }'
}
