# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For units.host, on either side.

. /kvmsched/tests/lab/scenarios/policy.bash

# On a pCPU that is emulated, and shared by all, nothing is done in a second.
units_install() {
	local unit

	mkdir -p /etc/kvmsched
	for unit; do
		sed 's|@bindir@|/kvmsched/build/bin|; s|vm-share watch|& --answer 20s|' "/kvmsched/tools/units/$unit.service.in" >"/run/systemd/system/$unit.service"
	done
	systemctl daemon-reload
	[ -e /dev/vsock ] || lab_modprobe vmw_vsock_virtio_transport 2>/dev/null || true
}

main_pid() {
	systemctl show -P MainPID "$1"
}

fails() {
	! "$@"
}

# state_is STATE UNIT
state_is() {
	[ "$(systemctl show -P ActiveState "$2")" = "$1" ]
}

# It was begun and did not fail, and does not when it is told to end.
ends_well() {
	systemctl stop "$1"
	[ "$(systemctl show -P Result "$1")" = success ]
}

# With this exit code, and it is not begun again.
failed_for_good() {
	state_is failed "$1" && [ "$(systemctl show -P ExecMainStatus "$1")" = "$2" ]
}

scheduler_is() {
	[ "$(</sys/kernel/sched_ext/state)" = "$1" ]
}

# told_once UNIT TEXT: in the journal.
told_once() {
	[ "$(journalctl -u "$1" | grep -c "$2")" = 1 ]
}

cpus_of() {
	sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$(main_pid "$1")/status"
}

on_cpu_0() {
	[ "$(cpus_of "$1")" = 0 ]
}

on_both() {
	[ "$(cpus_of "$1")" = 0-1 ]
}
