# SPDX-License-Identifier: GPL-2.0
# The host VM: a QEMU of the Debian 13 root, emulating an AMD CPU with SVM and nested paging.

# x-force-features: TCG does not list pause-filter, and without it no PAUSE ever exits. The
# filter's count is not emulated, so every PAUSE of a guest exits.
QEMU_CPU=qemu64,+svm,+npt,+pause-filter,+pfthreshold,+rdrand,x-force-features=on

qemu_numa() {
	local half=$((MEM / 2)) last=$((CPUS / 2 - 1))

	printf '%s\n' -object "memory-backend-ram,id=n0,size=${half}M" \
		-object "memory-backend-ram,id=n1,size=${half}M" \
		-numa "node,nodeid=0,cpus=0-$last,memdev=n0" \
		-numa "node,nodeid=1,cpus=$((last + 1))-$((CPUS - 1)),memdev=n1" \
		-numa dist,src=0,dst=1,val=21
}

# The emulated TSC is this machine's, or counts instructions; see tsc-khz.c.
qemu_tsc_khz() {
	if [ "$ICOUNT" = 1 ]; then echo 1000000; else "$CACHE/tsc-khz"; fi
}

qemu_append() {
	local max=

	# With the clock that counts instructions one thread emulates all CPUs, and they cannot get in each other's way.
	[ "$CPUS" = 1 ] || [ "$ICOUNT" = 1 ] || max=maxcpus=1
	echo "console=ttyS0 quiet loglevel=5 panic=-1 mitigations=off random.trust_cpu=on" \
		"tsc=reliable tsc_early_khz=$(qemu_tsc_khz) no_timer_check audit=0 pci=noearly,lastbus=0 nokaslr sysrq_always_enabled lab.role=host $max $HOST_APPEND"
}

qemu_command() {
	local kernel=$CACHE/kernels/$KERNEL accel="-accel tcg,thread=multi,tb-size=512" smp=$CPUS

	# CPUs that share a cache must not lie on different nodes: one socket per node.
	[ "$NUMA" = 0 ] || smp=$CPUS,sockets=2,cores=$((CPUS / 2)),threads=1
	[ "$ICOUNT" = 0 ] || accel="-accel tcg,thread=single,tb-size=512 -icount shift=0,sleep=off"
	QEMU=(/usr/bin/qemu-system-x86_64 -L "$ROOT/usr/share/qemu" -L "$ROOT/usr/share/seabios"
		-name guest=lab-host -nodefaults -no-user-config -display none -no-reboot
		-machine q35 $accel -cpu "$QEMU_CPU" -smp "$smp" -m "$MEM"
		-kernel "$kernel/vmlinux" -initrd "$kernel/initrd" -append "$(qemu_append)"
		-drive "if=none,id=r,format=raw,readonly=on,file=$CACHE/root.img,file.locking=off"
		-device virtio-blk-pci,drive=r
		-drive "if=none,id=l,format=raw,readonly=on,file=$STAGE/lab.img,file.locking=off"
		-device virtio-blk-pci,drive=l
		-fsdev "local,id=o,path=$OUT,security_model=none,multidevs=remap"
		-device virtio-9p-pci,fsdev=o,mount_tag=results
		-chardev "pipe,id=m,path=$STAGE/monitor" -mon chardev=m,mode=readline)
	[ "$NUMA" = 0 ] || mapfile -t -O ${#QEMU[@]} QEMU < <(qemu_numa)
	QEMU+=(${HOST_ARGS[@]+"${HOST_ARGS[@]}"})
}

# What a host VM that hangs is at: its processors' registers, three times, into host.stuck, and on its console,
# if it still hears its keyboard, where its CPUs are and which tasks are blocked.
qemu_stuck() {
	local i

	timeout 10 cat "$STAGE/monitor.out" >"$OUT/host.stuck" 2>/dev/null &
	{
		for i in 1 2 3; do
			echo "info registers -a"
			sleep 0.3
		done
		echo "sendkey alt-sysrq-l"
		sleep 2
		echo "sendkey alt-sysrq-w"
		sleep 3
	} >&"$MONITOR"
	wait $!
}

# A host VM gives a sign of life every second (init2). One that does not mostly waits for an interrupt that its
# processor was not told of, though it pends: any other one, of its keyboard, makes it look.
qemu_listen() {
	local beat

	read -r beat 2>/dev/null <"$OUT/alive" || beat=$BEAT
	if [ "$beat" != "$BEAT" ]; then
		[ "$HEARD" -ge "$POKED" ] || WOKEN=$((WOKEN + 1))
		BEAT=$beat HEARD=$SECONDS
	elif [ -n "$BEAT" ] && [ $((SECONDS - HEARD)) -ge 2 ] && [ $((SECONDS - POKED)) -ge 2 ]; then
		POKED=$SECONDS
		echo "sendkey shift" >&"$MONITOR"
	fi
}

# What kind of hang it is, if it is one: out of time, or no word for longer than any machine is busy.
qemu_hangs() {
	if [ $((SECONDS - start)) -ge "$TIMEOUT" ]; then
		HANG="killed after $TIMEOUT s"
	elif [ -n "$BEAT" ] && [ $((SECONDS - HEARD)) -ge "$SILENCE" ]; then
		HANG="silent for $((SECONDS - HEARD)) s"
	fi
	[ -n "$HANG" ]
}

# Runs the host VM to its end, or ends it; then HANG says why. WOKEN: how many times it had to be woken.
qemu_run() {
	qemu_command
	mkfifo "$STAGE/monitor.in" "$STAGE/monitor.out"
	# Open for reading as well: if QEMU ends first, that is no signal for us.
	exec {MONITOR}<>"$STAGE/monitor.in"
	HANG='' BEAT='' HEARD=$SECONDS POKED=-1 WOKEN=0
	if [ "$INTERACTIVE" = 1 ]; then
		(root_exec "${QEMU[@]}" -chardev stdio,id=c,signal=off -serial chardev:c)
		return
	fi
	(root_exec "${QEMU[@]}" -serial "file:$OUT/host.console") \
		>"$OUT/host.qemu" 2>&1 </dev/null &
	QEMU_PID=$!
	disown	# no word from bash when it is killed
	while kill -0 "$QEMU_PID" 2>/dev/null; do
		qemu_listen
		if [ -z "$HANG" ] && qemu_hangs; then
			qemu_stuck || true
			kill -9 "$QEMU_PID" 2>/dev/null || true
		fi
		sleep 0.2
	done
	QEMU_PID=
	rm -f "$OUT/alive"
}
