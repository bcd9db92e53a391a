# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What scenarios of policies wait for, each time for so long and no longer. $policy: the process of
# `vcpu-policy attach`; $what: what is going on, for the lines of `holds` (tests/cli/expect.bash).

# within SECONDS COMMAND...: until the command succeeds; fails if it does not in this time.
within() {
	local begun=$SECONDS limit=$((SECONDS + $1 * LAB_SCALE))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$limit" ] || return
		lab_guests_nudge "$begun"
		lab_nap 0.1
	done
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

has_status() {
	[ -e /run/kvmsched/status.json ] || gone $policy
}

# used PID: time on a pCPU of a process's threads, in ns.
used() {
	awk '{ sum += $1 } END { printf "%d\n", sum }' /proc/"$1"/task/*/schedstat
}

has_threads() {
	[ "$(ls "/proc/$1/task" | wc -l)" -gt "$2" ]
}

# Who does not end although it should is looked at where it hangs.
ended() {
	if ! within 60 gone "$policy"; then
		holds "$what: it ends" false
		head -n 20 /proc/"$policy"/task/*/{wchan,stack}
		echo w >/proc/sysrq-trigger
		within 600 gone "$policy"
	fi
	code=0
	wait "$policy" 2>/dev/null || code=$?
}
