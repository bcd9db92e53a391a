# SPDX-License-Identifier: GPL-2.0
# What setup, run, shell and soak share: where things lie, and how they speak.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LAB_DIR/../.." && pwd)
CACHE=${KVMSCHED_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kvmsched}
LAB_KERNELS="6.1 6.12 6.18 7.2"
ROOT=$CACHE/root

say() {
	printf 'lab: %s\n' "$*" >&2
}

die() {
	printf 'lab: %s\n' "$*" >&2
	exit 2
}

# A program of the Debian 13 root, run on this machine through that root's own loader, so that
# the machine's release does not matter.
root_exec() {
	local prog=$1
	shift

	QEMU_MODULE_DIR=$ROOT/usr/lib/x86_64-linux-gnu/qemu \
		exec "$ROOT/usr/lib64/ld-linux-x86-64.so.2" --argv0 "${prog##*/}" \
		--library-path "$ROOT/usr/lib/x86_64-linux-gnu" "$ROOT$prog" "$@"
}

# squash DIR IMAGE: a read-only disk image. Uncompressed, because an emulated CPU would unpack for
# longer than reading takes; squashfs, because its module loads ten times faster than ext4's.
squash() {
	mksquashfs "$1" "$2" -noI -noD -noF -noX -no-fragments -no-xattrs -all-root -noappend \
		-quiet -no-progress >/dev/null
}
