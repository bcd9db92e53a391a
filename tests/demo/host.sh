# SPDX-License-Identifier: GPL-2.0
# On the host VM: record while the guest contends and one of its vCPUs is short of CPU time, as a
# cloud's vCPU quota makes it (libvirt: vcpu_quota). When the quota ends while that vCPU holds a
# spinlock, its brothers spin: lock-holder preemption.
set -e
cd /kvmsched

# Give vCPU $2 of QEMU process $1 a cgroup of its own with $3 us of CPU time each 100 ms.
throttle_vcpu() {
	local cg=/sys/fs/cgroup/vm1 task

	echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p $cg/vcpu
	echo "$1" >$cg/cgroup.procs
	echo threaded >$cg/vcpu/cgroup.type
	echo +cpu >$cg/cgroup.subtree_control
	for task in /proc/"$1"/task/*; do
		[ "$(cat "$task/comm")" = "CPU $2/KVM" ] && echo "${task##*/}" >$cg/vcpu/cgroup.threads
	done
	echo "$3 100000" >$cg/vcpu/cpu.max
}

lab_kvm
build/bin/ple-trace record -q -o "$LAB_OUT/host.kvs" &
tracer=$!
until [ -s "$LAB_OUT/host.kvs.partial" ]; do lab_nap 0.1; done
lab_guest_start 1
lab_await attached 200
throttle_vcpu "$(lab_guest_pid 1)" 1 10000
lab_signal go
lab_guest_wait 1
kill -TERM $tracer
wait $tracer
