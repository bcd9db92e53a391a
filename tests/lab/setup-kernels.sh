# SPDX-License-Identifier: GPL-2.0
# The kernels: Debian's packages, unpacked. $CACHE/kernels/SERIES holds vmlinuz, vmlinux, config,
# release (uname -r), modules/ and btf/ (the modules that carry KVM's types, uncompressed).

KERNEL_RECIPE=1
BTF_MODULES="kvm kvm-amd kvm-intel"

# The packages of a series' newest release as PACKAGE=VERSION words. From 6.19 on Debian splits the
# image into linux-base, linux-binary and linux-modules; all parts must be there.
kernel_packages() {
	local series=$1 pkg ver rel part words

	case $series in
	6.*)
		archive_versions "^linux-image-${series//./\\.}\\.[0-9.+a-z-]*-amd64$" |
			grep -v -e -cloud- -e -rt- | tail -n 1 | tr ' ' =
		return
		;;
	esac
	kernel_split_candidates "$series" | while read -r pkg ver; do
		rel=${pkg#linux-binary-}
		words=
		for part in base binary modules; do
			[ -n "$(archive_versions "^linux-$part-${rel//+/\\+}$")" ] || continue 2
			words+="linux-$part-$rel=$ver "
		done
		echo "$words"
		break
	done
}

# Newest of the series first, then whatever is newer: a backports suite drops old series in time.
kernel_split_candidates() {
	local series=$1 all

	all=$(archive_versions '^linux-binary-[0-9.]+(\+deb[0-9]+)?-amd64$' | sort -k2,2Vr)
	grep -F "linux-binary-$series." <<<"$all" || true
	awk -v min="$series" '
		{ v = $2; sub(/[^0-9.].*/, "", v); split(v, a, "."); split(min, b, ".")
		  if (a[1] > b[1] || (a[1] == b[1] && a[2] > b[2])) print }' <<<"$all"
}

# The decompressed kernel image, an ELF file, out of a bzImage: the boot protocol's header says
# where the payload lies (Documentation/arch/x86/boot.rst: setup_sects, payload_offset,
# payload_length); its last 4 bytes are its size, not part of the compressed stream.
kernel_extract() {
	local in=$1 out=$2 sects off len start magic unpack

	sects=$(od -An -tu1 -j497 -N1 "$in")
	off=$(od -An -tu4 -j584 -N4 "$in")
	len=$(od -An -tu4 -j588 -N4 "$in")
	start=$(((sects + 1) * 512 + off))
	magic=$(od -An -tx1 -j$start -N4 "$in" | tr -d ' ')
	case $magic in
	fd377a58) unpack="xz -dc" ;;
	28b52ffd) unpack="zstd -dcq" ;;
	1f8b*) unpack="gzip -dc" ;;
	*) die "$in: unknown compression $magic" ;;
	esac
	head -c $((start + len - 4)) "$in" | tail -c +$((start + 1)) | $unpack >"$out"
	[ "$(head -c 4 "$out" | tail -c 3)" = ELF ] || die "$in: payload is not an ELF file"
}

kernel_btf() {
	local dir=$1 mod file

	mkdir "$dir/btf"
	ln "$dir/vmlinux" "$dir/btf/vmlinux"
	for mod in $BTF_MODULES; do
		file=("$dir"/modules/kernel/arch/x86/kvm/"$mod".ko*)
		[ ${#file[@]} = 1 ] || die "no module $mod in $dir"
		module_cat "${file[0]}" >"$dir/btf/$mod.ko"
	done
}

module_cat() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dcq "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# Brings the two layouts (boot/ and lib/modules, or all under usr/lib/modules) into one.
kernel_arrange() {
	local tree=$1 dir=$2 rel src

	src=("$tree"/lib/modules/* "$tree"/usr/lib/modules/*)
	[ ${#src[@]} = 1 ] || die "unexpected layout of the kernel package"
	rel=${src[0]##*/}
	mkdir -p "$dir/lib/modules"
	mv "${src[0]}" "$dir/lib/modules/$rel"
	ln -s "lib/modules/$rel" "$dir/modules"
	echo "$rel" >"$dir/release"
	if [ -e "$tree/boot/vmlinuz-$rel" ]; then
		mv "$tree/boot/vmlinuz-$rel" "$dir/vmlinuz"
		mv "$tree/boot/config-$rel" "$dir/config"
	else
		mv "$dir/modules/vmlinuz" "$dir/vmlinuz"
		mv "$dir/modules/config" "$dir/config"
	fi
	kernel_extract "$dir/vmlinuz" "$dir/vmlinux"
	kernel_btf "$dir"
	depmod -b "$dir" "$rel"
}

kernel_make() {
	local series=$1 words tmp rel deb

	archive_open
	words=$(kernel_packages "$series")
	[ -n "$words" ] || die "the archive has no kernel $series"
	say "kernel $series: $words"
	tmp=$(mktemp -d "$CACHE/tmp/kernel.XXXXXX")
	mkdir "$tmp/deb" "$tmp/tree" "$tmp/out"
	# shellcheck disable=SC2086
	archive_get "$tmp/deb" $words
	for deb in "$tmp"/deb/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$tmp/tree" --exclude='./usr/share' --no-same-owner
	done
	rm -r "$tmp/deb"
	kernel_arrange "$tmp/tree" "$tmp/out"
	echo "$KERNEL_RECIPE" >"$tmp/out/recipe"
	chmod 755 "$tmp/out"
	rel=$(cat "$tmp/out/release")
	rm -rf "$CACHE/store/linux-$rel"
	mv "$tmp/out" "$CACHE/store/linux-$rel"
	rm -rf "$tmp"
	cache_point "kernels/$series" "../store/linux-$rel"
}

# Replaces a symbolic link in one step.
cache_point() {
	ln -s "$2" "$CACHE/tmp/link.$$"
	mv -T "$CACHE/tmp/link.$$" "$CACHE/$1"
}

kernels_make() {
	local series

	for series in $LAB_KERNELS; do
		[ "$UPDATE" = 0 ] &&
			[ "$(cat "$CACHE/kernels/$series/recipe" 2>/dev/null)" = "$KERNEL_RECIPE" ] &&
			continue
		kernel_make "$series"
	done
}
