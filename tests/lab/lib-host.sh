# SPDX-License-Identifier: GPL-2.0
# The host's half of lib.sh: guests under real KVM, and the second CPU.

# lab_kvm: loads KVM (done by lab_guest_start as well).
lab_kvm() {
	[ -e /dev/kvm ] || lab_modprobe kvm_amd
	[ -e /dev/vhost-vsock ] || modprobe vhost_vsock 2>/dev/null || true
}

lab_guest_pid() {
	cat "$LAB_RUN/vm$1.pid"
}

# lab_guest_vcpu N I: the thread that runs vCPU I of guest N.
lab_guest_vcpu() {
	grep -lx "CPU $2/KVM" /proc/"$(lab_guest_pid "$1")"/task/*/comm | cut -d/ -f5
}

# Is it running? One in which KVM met an internal error, as emulated processors make it now and then, is
# not: QEMU has stopped it for good. No subshell: this is asked while a guest works.
lab_guest_alive() {
	local pid said

	read -r pid 2>/dev/null <"$LAB_RUN/vm$1.pid" && kill -0 "$pid" 2>/dev/null || return 1
	[ "$SECONDS" != "${lab_looked_at:-}" ] || return 0
	lab_looked_at=$SECONDS
	read -r -d '' said 2>/dev/null <"/results/vm$1.qemu" || true
	[[ $said != *"KVM internal error"* ]]
}

# The guest's vsock address.
lab_guest_cid() {
	echo $(($1 + 2))
}

# no-kvmapf: an emulated processor says of the first exit after an injected fault that it came in the middle
# of it; if that exit is one for MMIO, KVM gives the VM up ("internal error. Suberror: 3").
# RCU complains after a minute: before that who waits for the guest has nudged it.
lab_guest_append() {
	echo "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off random.trust_cpu=on" \
		"no_timer_check no-kvmapf audit=0 pci=noearly,lastbus=0 rcupdate.rcu_expedited=1 rcupdate.rcu_cpu_stall_timeout=60 lab.role=guest lab.vm=$1 ${LAB_GUEST_APPEND:-}"
}

# lab_guest_start N [QEMU-ARGUMENT...]: boots guest N; returns as soon as QEMU runs. The guest's
# files appear in $LAB_OUT/vmN at once. Set LAB_GUEST_SMP, LAB_GUEST_RAM, LAB_GUEST_APPEND to
# override what the command line of tests/lab/run said. LAB_GUEST_REBOOT=1: a guest that reboots
# boots again, instead of ending. LAB_GUEST_USER=N: QEMU runs as this user, as under libvirt; it keeps what it
# needs of root's powers to serve files to its guest and to open devices, which makes no difference to who looks at it.
lab_guest_start() {
	local n=$1 out=/out/vm$1 blk="disable-modern=on,disable-legacy=off" vsock=() reboot=(-no-reboot) as=()
	local keep=+chown,+dac_override,+fowner

	shift
	lab_kvm
	mkdir -p "$out/.sig"
	# Its doorbell, too, though it has no legacy form: an exit for memory in the middle of a guest's page fault, as the
	# emulator's processor tells it, ends the guest (KVM_INTERNAL_ERROR_DELIVERY_EV).
	[ -e /dev/vhost-vsock ] &&
		vsock=(-device "vhost-vsock-pci,modern-pio-notify=on,guest-cid=$(lab_guest_cid "$n")")
	[ "${LAB_GUEST_VSOCK:-1}" = 1 ] || vsock=()
	[ "${LAB_GUEST_REBOOT:-0}" = 0 ] || reboot=()
	[ -z "${LAB_GUEST_USER:-}" ] ||
		as=(setpriv --reuid "$LAB_GUEST_USER" --regid "$LAB_GUEST_USER" --clear-groups --inh-caps $keep --ambient-caps $keep)
	rm -f "$LAB_RUN/vm$n.monitor".{in,out}
	mkfifo "$LAB_RUN/vm$n.monitor".{in,out}
	# No HPET, whose interrupts QEMU would emulate, at a fifth of a CPU for an idle guest.
	# Legacy virtio: its doorbells are port writes, which nested KVM need not decode.
	"${as[@]}" qemu-system-x86_64 -name "guest=vm$n,debug-threads=on" -enable-kvm -machine q35,i8042=off,hpet=off -cpu host \
		-smp "${LAB_GUEST_SMP:-$LAB_GUEST_CPUS}" -m "${LAB_GUEST_RAM:-$LAB_GUEST_MEM}" \
		-nodefaults -no-user-config -vga none -display none "${reboot[@]}" \
		-serial "file:/results/vm$n.console" \
		-kernel /lab/guest/kernel -initrd /lab/guest/initrd -append "$(lab_guest_append "$n")" \
		-drive if=none,id=r,format=raw,readonly=on,file=/dev/vda,file.locking=off \
		-device "virtio-blk-pci,drive=r,$blk" \
		-drive if=none,id=l,format=raw,readonly=on,file=/dev/vdb,file.locking=off \
		-device "virtio-blk-pci,drive=l,$blk" \
		-fsdev "local,id=o,path=$out,security_model=none,multidevs=remap" \
		-device "virtio-9p-pci,fsdev=o,mount_tag=out,$blk" \
		-chardev "pipe,id=lab-m,path=$LAB_RUN/vm$n.monitor" -mon chardev=lab-m,mode=readline \
		"${vsock[@]}" "$@" >"/results/vm$n.qemu" 2>&1 </dev/null &
	echo $! >"$LAB_RUN/vm$n.pid"
	disown
}

# lab_guest_ask N: what QEMU's monitor says of guest N's processors, up to the end of its answer. A busy machine's QEMU takes
# a while to say it; one that says nothing at all is not waited for.
lab_guest_ask() {
	local line monitor=$LAB_RUN/vm$1.monitor

	printf 'info registers -a\ninfo status\n' 1<>"$monitor.in"
	while IFS= read -r -t $((10 * LAB_SCALE)) line && [[ $line != "VM status: "* ]]; do
		printf '%s\n' "$line"
	done <>"$monitor.out"
	printf '%s\n' "${line:-the monitor says no more}"
}

# lab_guest_where N: what guest N is at, into vmN.where: its processors' registers, and where the host's kernel has QEMU's
# threads. To be asked takes each vCPU out of the guest and lets it in again, so that one which waits for an interrupt
# that pends sees it.
lab_guest_where() {
	local pid task stat

	pid=$(lab_guest_pid "$1")
	{
		lab_log "guest $1:"
		lab_guest_ask "$1"
		for task in /proc/"$pid"/task/*; do
			read -r -a stat <"$task/stat" || continue # it has just ended
			echo "$(<"$task/comm"), thread ${task##*/}: user ${stat[-39]}, system ${stat[-38]} ticks"
			head -n 8 "$task/stack" || true
		done
	} >>"/results/vm$1.where" 2>&1
}

# lab_guest_nudge N BEGUN: for who has waited for guest N since $SECONDS was BEGUN: every 15 s it is asked where it is, before its
# kernel complains of a CPU that does nothing. The answer is of interest from a minute on.
lab_guest_nudge() {
	local waited=$((SECONDS - $2))

	[ $waited -ge 15 ] && [ $((SECONDS - ${lab_nudged_at[$1]:-0})) -ge 15 ] || return 0
	lab_nudged_at[$1]=$SECONDS
	if [ $waited -lt 60 ]; then
		lab_guest_ask "$1" >/dev/null
	else
		lab_guest_where "$1"
	fi
}

# lab_guests_nudge BEGUN: the same, for who waits for any of them.
lab_guests_nudge() {
	local pid n

	[ $((SECONDS - $1)) -ge 15 ] || return 0
	for pid in "$LAB_RUN"/vm*.pid; do
		n=${pid##*/vm}
		n=${n%.pid}
		[ ! -e "$pid" ] || ! lab_guest_alive "$n" || lab_guest_nudge "$n" "$1"
	done
}

# lab_guest_ready N [SECONDS]: waits until the guest's script has begun.
lab_guest_ready() {
	lab_await up "${2:-$LAB_BUDGET}" "$1"
}

# lab_guest_wait N [SECONDS]: waits for the guest to power off; returns its script's exit code, 125 if
# it left none, 124 if it did not end in time (and is killed).
lab_guest_wait() {
	local n=$1 begun=$SECONDS limit=$((SECONDS + ${2:-$LAB_BUDGET} * LAB_SCALE))

	while lab_guest_alive "$n"; do
		lab_guest_nudge "$n" "$begun"
		[ "$SECONDS" -lt "$limit" ] || { lab_guest_kill "$n" 124; break; }
		lab_nap 0.1
	done
	return "$(lab_guest_rc "$n")"
}

# Ends guest N now. Its exit code becomes the 2nd argument (default 0: this was wanted).
lab_guest_kill() {
	kill -9 "$(lab_guest_pid "$1")" 2>/dev/null || true
	while lab_guest_alive "$1"; do lab_nap 0.05; done
	echo "${2:-0}" >"/out/vm$1/guest.rc"
}

lab_guest_stop() {
	lab_guest_kill "$1" 0
}

# lab_guest_exec N COMMAND...: runs a shell command in a guest that has no script of its own; prints
# what it prints, returns what it returns. Not for two callers at a time on one guest.
lab_guest_exec() {
	local n=$1 sig=/out/vm$1/.sig cmd=1

	shift
	while [ -e "$sig/cmd.$cmd" ]; do cmd=$((cmd + 1)); done
	printf '%s\n' "$*" >"$sig/cmd.tmp"
	mv "$sig/cmd.tmp" "$sig/cmd.$cmd"
	until [ -e "$sig/rc.$cmd" ]; do
		lab_guest_alive "$n" || { lab_log "guest $n ended during: $*"; return 125; }
		lab_nap 0.05
	done
	cat "$sig/out.$cmd"
	return "$(<"$sig/rc.$cmd")"
}

# lab_guest_end N: lets a guest without a script finish, and waits for it.
lab_guest_end() {
	lab_signal end "$1"
	lab_guest_wait "$1" 60
}

# lab_guest_rc N: prints the exit code of the guest's script.
lab_guest_rc() {
	if [ -e "/out/vm$1/guest.rc" ]; then cat "/out/vm$1/guest.rc"; else echo 125; fi
}

# All that still run are waited for, each for so many seconds, then killed; prints what failed.
# Called after the host's script.
lab_guests_finish() {
	local pid n rc

	for pid in "$LAB_RUN"/vm*.pid; do
		[ -e "$pid" ] || continue
		n=${pid##*/vm}
		n=${n%.pid}
		lab_signal end "$n"
		lab_guest_wait "$n" "$1"
		rc=$?
		[ $rc = 0 ] || lab_log "guest $n: exit code $rc"
	done
}

# lab_second_cpu on|off: with --cpus 2 the host VM boots with one CPU online, because the emulator
# is unreliable when one CPU patches code that another runs: attach everything first, then switch
# the second CPU on, run the workload, switch it off, detach.
lab_second_cpu() {
	local want=1

	[ "$1" = off ] && want=0
	echo $want >/sys/devices/system/cpu/cpu1/online
}
