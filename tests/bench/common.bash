# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For benchmarks: what `measure` wrote, and simulated recordings. Sourced, with TOP and OUT set.

# field FILE NAME: a number out of what `measure` wrote.
field() {
	sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" "$1"
}

# simulate EVENTS: a recording of a host with three guests, in $OUT/sim-EVENTS; prints how many records.
simulate() {
	local dir=$OUT/sim-$1

	rm -rf "$dir"
	"$TOP/build/tests/sim" generate --events "$1" --no-truth --out "$dir" | sed 's/ .*//'
}
