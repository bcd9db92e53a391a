# SPDX-License-Identifier: GPL-2.0
# The Debian 13 root: a folder (its QEMU runs on this machine) and, made of it, a read-only squashfs
# image (the virtual machines' root).
ROOT_RECIPE=2
ROOT_PACKAGES="bash-builtins qemu-system-x86 linux-perf bpftool bpftrace trace-cmd busybox-static kmod procps \
	util-linux iproute2 strace jq numactl libnuma1 libelf1t64 libdw1t64 libjson-c5 libbpf1 \
	libcmocka0 zlib1g liblzma5 libzstd1 libbz2-1.0 libmicrohttpd12t64 prometheus curl systemd"
# Places in the root where a virtual machine mounts something.
ROOT_MOUNTS="kvmsched lab out results usr/lib/modules"

root_key() {
	printf '%s %s' "$ROOT_RECIPE" "$ROOT_PACKAGES $ROOT_MOUNTS" | sha256sum | cut -c1-12
}

root_bootstrap() {
	local dir=$1 log=$2

	# shellcheck disable=SC2086
	set -- $ROOT_PACKAGES
	mmdebstrap --variant=apt --architectures=amd64 \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(IFS=,; echo "$*")" trixie "$dir" \
		"deb [signed-by=$KEYRING] $MAIN trixie main" \
		"deb [signed-by=$KEYRING] $SECURITY trixie-security main" >"$log" 2>&1 ||
		{ grep -E '^E:' "$log" >&2 || tail -n 5 "$log" >&2; die "mmdebstrap failed"; }
}

root_make() {
	local key tmp

	key=$(root_key)
	if [ "$UPDATE" = 0 ] && [ -e "$CACHE/store/root-$key.img" ]; then
		[ "$(readlink "$CACHE/root")" = "store/root-$key" ] && return
		cache_point root "store/root-$key"
		cache_point root.img "store/root-$key.img"
		return
	fi
	archive_find
	say "Debian 13 root: mmdebstrap (under a minute)"
	tmp=$(mktemp -d "$CACHE/tmp/root.XXXXXX")
	chmod 755 "$tmp"
	root_bootstrap "$tmp/root" "$tmp/log"
	(cd "$tmp/root" && mkdir -p $ROOT_MOUNTS && rm -rf var/lib/apt/lists/* var/cache/apt/*)
	say "Debian 13 root: image"
	squash "$tmp/root" "$tmp/root.img"
	rm -rf "$CACHE/store/root-$key"
	mv "$tmp/root" "$CACHE/store/root-$key"
	mv "$tmp/root.img" "$CACHE/store/root-$key.img"
	rm -rf "$tmp"
	cache_point root "store/root-$key"
	cache_point root.img "store/root-$key.img"
}
