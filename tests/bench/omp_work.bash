# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The OpenMP programs, as both vnuma.host and vnuma.guest run them. Sourced, in the folder of results.
# WORK: pieces, each KIND:SPINCOUNT:ROUNDS; THREADS; SIZE.

# piece WHERE ARM RUN KIND:SPINCOUNT:ROUNDS [RECORDER...]: does it once, under a recorder that runs its command; a line of
# JSON in runs.jsonl and in the log.
piece() {
	local where=$1 arm=$2 run=$3 kind spin rounds recorded=false said

	IFS=: read -r kind spin rounds <<<"$4"
	shift 4
	[ $# = 0 ] || recorded=true
	said=$(GOMP_SPINCOUNT=$spin "$@" omp --kind "$kind" --threads "$THREADS" --size "$SIZE" --rounds "$rounds")
	echo "{\"where\":\"$where\",\"arm\":\"$arm\",\"run\":$run,\"recorded\":$recorded,\"kind\":\"$kind\"," \
		"\"spin\":$spin,\"did\":$said}" | tee -a runs.jsonl
}

# pieces WHERE ARM RUN: all of them.
pieces() {
	local work

	for work in $WORK; do piece "$1" "$2" "$3" "$work"; done
}

# first_pieces: once for nothing: programs are read from the disk, memory is touched.
first_pieces() {
	local work

	for work in $WORK; do
		omp --kind "${work%%:*}" --threads "$THREADS" --size "$SIZE" --rounds 2
	done >/dev/null
}
