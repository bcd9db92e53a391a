# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scenarios with vm-share. Sourced, on the host.

# Ahead of the guests, which may want all of the one slow pCPU.
share() {
	local command=$1

	shift
	case $command in
	apply | move | restore | release | watch) set -- --answer 20s "$@" ;;
	esac
	nice -n -15 vm-share "$command" "$@"
}

# mover_begin OPTION...: one vm-share that hands over whatever it is told; `mover FROM TO` tells it, and leaves its
# answer in $moved. If that fails mover.err says why.
mover_begin() {
	coproc MOVER { exec nice -n -15 vm-share move --answer 20s --json "$@" - 2>>mover.err; }
	mover_pid=$MOVER_PID
}

mover() {
	echo "cpu 1 $1 $2" >&"${MOVER[1]}"
	read -r moved <&"${MOVER[0]}"
	[[ $moved == *'"giver"'* ]]
}

mover_end() {
	eval "exec ${MOVER[1]}>&-"
	wait "$mover_pid"
}
