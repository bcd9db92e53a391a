#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# libkvmsched as others use it: against what `make install` put into a folder, by pkg-config, shared
# and static, from C and C++, on a real trace.
# usage: tests/install/library.sh ROOT    a folder installed to with DESTDIR=ROOT prefix=/usr
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/expect.bash
root=$(cd "$1" && pwd) || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export PKG_CONFIG_PATH=$root/usr/lib/pkgconfig
export LD_LIBRARY_PATH=$root/usr/lib
host=tests/data/host.kvs guest=tests/data/guest.kvs
clang=$(compgen -c clang- | grep -E '^clang-[0-9]+$' | sort -t- -k2 -n | tail -n 1)
cflags=$(pkg-config --cflags libkvmsched) || exit 1
warn="-Wall -Wextra -Werror"

# Every header by itself, in both languages, by both compilers.
for header in "$root"/usr/include/kvmsched.h "$root"/usr/include/kvmsched/*.h; do
	name=${header#"$root/usr/include/"}
	printf '#include <%s>\nint nothing;\n' "$name" >"$tmp/one.c"
	for cc in "gcc -std=c11" "gcc -std=gnu99" "$clang -std=c11" "g++ -x c++ -std=c++11" \
		"$clang -x c++ -std=c++17"; do
		# shellcheck disable=SC2086
		holds "$name alone, $cc" $cc $warn $cflags -fsyntax-only "$tmp/one.c"
	done
done

# What is declared is there, and nothing else, in either library.
for header in "$root"/usr/include/kvmsched/*.h; do
	gcc -fpreprocessed -E -P "$header" 2>/dev/null
done | grep -oE '\bks_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$tmp/declared"
nm -D --defined-only "$root/usr/lib/libkvmsched.so" | sed -n 's/.* T \(.*\)@@.*/\1/p' | sort -u >"$tmp/shared"
nm -g --defined-only "$root/usr/lib/libkvmsched.a" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/static"
holds "more than 50 functions are declared" [ "$(wc -l <"$tmp/declared")" -gt 50 ]
holds "the shared library has them, and no more" diff "$tmp/declared" "$tmp/shared"
holds "the static one, too" diff "$tmp/declared" "$tmp/static"
holds "its soname" grep -q 'libkvmsched.so.0]' <(readelf -d "$root/usr/lib/libkvmsched.so")
holds "no BPF in it" [ -z "$(readelf -d "$root/usr/lib/libkvmsched.so" | grep NEEDED | grep bpf)" ]

# The examples as their comments say.
shared=$(pkg-config --libs libkvmsched)
static="$root/usr/lib/libkvmsched.a $(pkg-config --static --libs json-c libdw libelf zlib)"
build() {
	local out=$1 how=$2

	shift 2
	# shellcheck disable=SC2086
	holds "$how" "$1" $warn $cflags "${@:2}" -o "$tmp/$out"
}
for name in waits cut; do
	# shellcheck disable=SC2086
	{
		build $name "$name, shared" gcc docs/examples/$name.c $shared
		build $name-static "$name, static" gcc docs/examples/$name.c -Wl,--as-needed $static
		build $name-c++ "$name, as C++" g++ -x c++ -std=c++20 -Wno-missing-field-initializers docs/examples/$name.c -x none $shared
	}
	holds "... is linked to the library" grep -q libkvmsched.so.0 <(readelf -d "$tmp/$name")
	holds "... or has it in itself" [ -z "$(readelf -d "$tmp/$name-static" | grep libkvmsched)" ]
done

want=$(build/bin/lock-timeline report --json $host $guest |
	jq -r '.traces[0].vms[0].waits | "\(.count) waits" + ([.lost_ns | to_entries[] | ", \(.key) \(.value) ns"] | join(""))')
holds "the report has waits: $want" grep -q -v '^0 waits' <<<"$want"
for how in waits waits-static waits-c++; do
	holds "$how says what the report says" [ "$("$tmp/$how" $host $guest 2>&1 | tail -n 1)" = "$want" ]
done
holds "a line for each of them" [ "$("$tmp/waits" $host $guest | wc -l)" = $((${want%% *} + 1)) ]
refused "no trace" 1 'README.md' "$tmp/waits" README.md $guest

middle=31.275 # s, of the trace's clock
accepted "cut: the first half" "$tmp/cut" 0 "$middle" $host "$tmp/first.kvs"
accepted "cut: the second half" "$tmp/cut-static" "$middle" 1000000 $host "$tmp/second.kvs"
pauses() {
	build/tests/kvs-count "$1" | jq .pause_seen
}
for half in first second; do
	holds "the $half half has PLE exits" [ "$(pauses "$tmp/$half.kvs")" -gt 99 ]
done
holds "the halves have the PLE exits of the whole" \
	[ $(($(pauses "$tmp/first.kvs") + $(pauses "$tmp/second.kvs"))) = "$(pauses $host)" ]
accepted "... and can be read" build/bin/ple-trace report "$tmp/second.kvs"
refused "cut to where there is nothing" 1 'nowhere' "$tmp/cut" 0 1 $host "$tmp/nowhere/x.kvs"
expect_end
