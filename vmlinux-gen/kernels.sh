# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What regen, check and check-core share: sourced, with $dir the folder of the caller.

cache=${KVMSCHED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kvmsched}
kernels=$cache/kernels
gen=${VMLINUX_GEN:-$dir/../build/tests/vmlinux-gen}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

need_generator() {
	[ -x "$gen" ] || die "$gen is missing: build it with make, or set VMLINUX_GEN"
}

# The kernels in the cache, the newest first.
cached_kernels() {
	[ -d "$kernels" ] || return 0
	for k in "$kernels"/*; do
		[ -r "$k/vmlinuz" ] && echo "${k##*/}"
	done | sort -rV
}

# kernel_modules VERSION NAME...: the paths of modules; fails without one.
kernel_modules() {
	kvm=$kernels/$1/modules/kernel/arch/x86/kvm
	shift
	for name; do
		found=
		for suffix in '' .xz .zst .gz; do
			path=$kvm/$name.ko$suffix
			[ -r "$path" ] && found=$path && break
		done
		[ "$found" ] || die "$kvm/$name.ko is missing"
		echo "$found"
	done
}

# trim_kernel VERSION OUTPUT
trim_kernel() {
	modules=$(kernel_modules "$1" kvm kvm-amd kvm-intel) || exit 1
	# shellcheck disable=SC2086 # paths without blanks, one word each
	"$gen" -l "$dir/types.list" -o "$2" trim "$kernels/$1/vmlinuz" $modules
}

# kernel_release VERSION: release and package, e.g. "6.1.0-56-amd64, Debian 6.1.192-2 (2026-11-16)"
kernel_release() {
	line=$("$gen" version "$kernels/$1/vmlinuz") || exit 1
	package=$(echo "$line" | sed -n 's/.*\(Debian [0-9][^ ]* ([0-9-]*)\).*/\1/p')
	echo "${line%% *}, ${package:-$(echo "$line" | sed 's/^[^#]*//')}"
}

# from_selections COMMAND OUTPUT [OPTION...]: run it on the committed selections.
from_selections() {
	command=$1
	out=$2
	shift 2
	set -- -l "$dir/types.list" -o "$out" "$@" "$command"
	while read -r version _; do
		set -- "$@" "$dir/btf/$version.btf"
	done < "$dir/btf/kernels"
	"$gen" "$@"
}

# make_header OUTPUT: with where it came from on top.
make_header() {
	out=$1
	set -- -n "What kvmsched's BPF programs use of the kernel: made by vmlinux-gen/regen from" \
		-n "types.list and the BTF (image, kvm, kvm-amd, kvm-intel) of these kernels, of" \
		-n "which the first that has a type wins:" -n ""
	while read -r _ release; do
		set -- "$@" -n "  $release"
	done < "$dir/btf/kernels"
	set -- "$@" -n "" -n "Of many structs only the members in types.list are here: their" \
		-n "sizes and offsets are not the kernel's. Do not edit."
	from_selections header "$out" "$@"
}
