# SPDX-License-Identifier: GPL-2.0
# Shell functions for the scripts that run inside the lab's virtual machines (bash). Both sides:
# lab_log, lab_signal, lab_await, lab_sync_barrier, lab_modprobe. Host: lab_guest_*, lab_second_cpu.

LAB_RUN=/run/lab
mkdir -p "$LAB_RUN"

# lab_log TEXT...: a line in the log of the run, with seconds since boot.
lab_log() {
	local up rest

	read -r up rest </proc/uptime
	printf '[%s] %s\n' "$up" "$*"
}

# lab_modprobe MODULE...: loads what is not built in; a module that the kernel lacks is an error.
lab_modprobe() {
	modprobe -a "$@"
}

# lab_nap SECONDS: sleeps without starting a process, which would cost an emulated CPU more than the
# sleep. (read -t would do that as well, but now and then it misses its alarm and never returns.)
enable -f /usr/lib/bash/sleep sleep
lab_nap() {
	sleep "${1:-0.05}"
}

# Where the signals between the host and guest N lie, from either side.
lab_sig_dir() {
	if [ "$LAB_ROLE" = guest ]; then
		echo /out/.sig
	else
		echo "/out/vm${1:?guest number}/.sig"
	fi
}

# lab_signal NAME [N]: tells the other side NAME. The host names the guest (default 1).
lab_signal() {
	: >"$(lab_sig_dir "${2:-1}")/$LAB_ROLE.$1"
}

# lab_await NAME [SECONDS] [N]: waits until the other side has said NAME. Fails after SECONDS
# (default: the whole run), or at once if the guest has ended.
lab_await() {
	local name=$1 limit=$((SECONDS + ${2:-$LAB_BUDGET} * LAB_SCALE)) n=${3:-1} dir peer=host nap=0.05 begun=$SECONDS

	[ "$LAB_ROLE" = host ] && peer=guest
	dir=$(lab_sig_dir "$n")
	until [ -e "$dir/$peer.$name" ]; do
		if [ "$LAB_ROLE" = host ] && ! lab_guest_alive "$n"; then
			[ -e "$dir/$peer.$name" ] && return 0
			lab_log "guest $n ended before it signalled $name"
			return 1
		fi
		[ "$LAB_ROLE" = guest ] || lab_guest_nudge "$n" "$begun"
		[ "$SECONDS" -lt "$limit" ] || { lab_log "no signal $name in ${2:-$LAB_BUDGET} s"; return 1; }
		lab_nap $nap
		# Who waits long does not mind to wait a little longer, and others want the CPU.
		[ "$SECONDS" -lt $((begun + 2)) ] || nap=0.2
	done
}

# lab_sync_barrier NAME [SECONDS] [N]: both sides wait for each other.
lab_sync_barrier() {
	lab_signal "$1" "${3:-1}" && lab_await "$@"
}

if [ "$LAB_ROLE" = host ]; then
	. /lab/lib-host.sh
fi
