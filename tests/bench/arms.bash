# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The schedulers that are compared, and how to come by them. Sourced in the lab's host VM and guests.

# What `vcpu-policy attach` is told; none, the default scheduler with KVM's own directed yields, has no policy.
declare -A ARM_ARGS=(
	[plain]="ple-boost --option boost=off"
	[fifo]="ple-boost --option boost=off --option order=fifo"
	[boost]="ple-boost"
	[cgroup]="ple-boost --backend cgroup"
	[holder]="holder-boost"
	[queue]="holder-boost --option part=off"
	[wake]="vnuma-wake"
	[spread]="vnuma-wake --option gather=off"
	[halt]="vnuma-wake --option poll=0"
)

# Guests that publish their locks do so in every boot in which it is asked for, but load nothing before a host reads.
arms_publish() {
	[[ " $ARMS " =~ " holder "|" queue " ]]
}

# arms_of_run N: $ARMS, each run beginning with another one: whatever a run leaves behind for the next
# (warm caches, a guest's clock that was corrected) is not always for the same arm.
arms_of_run() {
	local arms i

	read -ra arms <<<"$ARMS"
	for ((i = 0; i < ${#arms[@]}; i++)); do
		echo "${arms[($1 + ${FIRST_RUN:-0} + i) % ${#arms[@]}]}"
	done
}

ARM_PID=

# pages_read N: wait until the lock pages of so many VMs are read.
pages_read() {
	local limit=$((SECONDS + 120))

	until [ "$(vcpu-policy status --json | jq .lock_pages)" = "$1" ]; do
		kill -0 $ARM_PID
		[ $SECONDS -lt $limit ] || { lab_log "not $1 VMs whose pages are read"; return 1; }
		lab_nap 0.5
	done
}

# arm_attach ARM [PUBLISHERS]: returns once the policy is in force, and reads the pages of so many VMs.
arm_attach() {
	local args

	[ "$1" != none ] || return 0
	read -ra args <<<"${ARM_ARGS[$1]}"
	vcpu-policy attach -q "${args[@]}" &
	ARM_PID=$!
	until vcpu-policy status >/dev/null 2>&1; do
		kill -0 $ARM_PID
		lab_nap 0.1
	done
	[[ ! $1 =~ ^(holder|queue)$ ]] || pages_read "${2:-0}"
}

arm_detach() {
	[ -n "$ARM_PID" ] || return 0
	vcpu-policy detach
	wait $ARM_PID
	ARM_PID=
}
