# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The schedulers that are compared, and how to come by them. Sourced in the lab's host VM and guests.

# What `vcpu-policy attach` is told; none, the default scheduler with KVM's own directed yields, has no policy.
declare -A ARM_ARGS=(
	[plain]="--option boost=off"
	[fifo]="--option boost=off --option order=fifo"
	[boost]=""
	[cgroup]="--backend cgroup"
)

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

# arm_attach ARM: returns once the policy is in force.
arm_attach() {
	local args

	[ "$1" != none ] || return 0
	read -ra args <<<"${ARM_ARGS[$1]}"
	vcpu-policy attach ple-boost -q "${args[@]}" &
	ARM_PID=$!
	until vcpu-policy status >/dev/null 2>&1; do
		kill -0 $ARM_PID
		lab_nap 0.1
	done
}

arm_detach() {
	[ -n "$ARM_PID" ] || return 0
	vcpu-policy detach
	wait $ARM_PID
	ARM_PID=
}
