# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For benchmarks: what `measure` wrote, simulated recordings, the emulated CPU that recorders like. Sourced, with TOP and OUT set.

# PCLMULQDQ: every x86-64 processor that runs KVM has it, the emulator's plain model has not, and
# the recorder's checksums use it.
# shellcheck disable=SC2034
BENCH_CPU=qemu64,+svm,+npt,+pause-filter,+pfthreshold,+rdrand,+ssse3,+sse4.1,+sse4.2,+pclmulqdq,x-force-features=on

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
