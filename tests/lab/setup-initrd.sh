# SPDX-License-Identifier: GPL-2.0
# One small initramfs per kernel, for the host VM and for its guests alike: busybox, the modules the
# lab ever needs (uncompressed: emulated CPUs are slow), and the first-stage init.
INITRD_RECIPE=1

# Loaded by the first stage. What a kernel has built in is skipped.
INITRD_LOAD="virtio_pci virtio_blk squashfs 9pnet_virtio 9p"
# Carried along for modprobe.
INITRD_CARRY="kvm_amd vhost_vsock vmw_vsock_virtio_transport virtio_mem msr overlay"

initrd_key() {
	{ echo "$INITRD_RECIPE $INITRD_LOAD $INITRD_CARRY"; cat "$LAB_DIR/init"; } |
		sha256sum | cut -c1-16
}

# Paths of modules and all they need, below the modules directory, in load order.
initrd_modules() {
	local kernel=$1
	shift

	modprobe -d "$kernel" -S "$(cat "$kernel/release")" -a --show-depends "$@" 2>/dev/null |
		sed -n "s|^insmod [^ ]*/lib/modules/[^/]*/\\([^ ]*\\).*|\\1|p" | awk '!seen[$0]++'
}

initrd_fill() {
	local kernel=$1 dir=$2 rel path name

	rel=$(cat "$kernel/release")
	mkdir -p "$dir"/{bin,dev,proc,sys,new} "$dir/lib/modules/$rel"
	cp "$ROOT/usr/bin/busybox" "$dir/bin/busybox"
	cp "$LAB_DIR/init" "$dir/init"
	chmod 755 "$dir/init"
	# shellcheck disable=SC2086
	initrd_modules "$kernel" $INITRD_LOAD | sed -E 's/\.(xz|zst|gz)$//' >"$dir/load"
	# shellcheck disable=SC2086
	initrd_modules "$kernel" $INITRD_LOAD $INITRD_CARRY | while read -r path; do
		name=$dir/lib/modules/$rel/$path
		mkdir -p "${name%/*}"
		module_cat "$kernel/modules/$path" >"${name%.ko*}.ko"
	done
	cp "$kernel"/modules/modules.{builtin,order} "$dir/lib/modules/$rel"
	cp "$kernel"/modules/modules.builtin.modinfo "$dir/lib/modules/$rel"
	depmod -b "$dir" "$rel"
}

initrd_make() {
	local kernel=$1 key=$2 tmp

	tmp=$(mktemp -d "$CACHE/tmp/initrd.XXXXXX")
	mkdir "$tmp/tree"
	initrd_fill "$kernel" "$tmp/tree"
	(cd "$tmp/tree" && find . | sort | "$ROOT/usr/bin/busybox" cpio -o -H newc -R 0:0 2>/dev/null) \
		>"$tmp/initrd"
	mv "$tmp/initrd" "$kernel/initrd"
	echo "$key" >"$kernel/initrd.key"
	rm -rf "$tmp"
}

initrds_make() {
	local series key

	key=$(initrd_key)
	for series in $LAB_KERNELS; do
		[ "$(cat "$CACHE/kernels/$series/initrd.key" 2>/dev/null)" = "$key" ] && continue
		say "initramfs for $series"
		initrd_make "$CACHE/kernels/$series" "$key"
	done
}
