#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Traces that are damaged, foreign, or not traces at all: every command that reads them says so in
# one line, and ends with the documented code.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/scratch.bash

"$sim" generate --out a --scenario fifo --seed 1 --events 20000 >log 2>&1 ||
	{ cat log; echo "FAIL: the simulator gives no traces"; exit 1; }
"$sim" generate --out b --scenario fifo --seed 2 --events 20000 >log 2>&1
host=a/host.kvs
guest_of() {
	find "$1" -name 'guest*.kvs' | sort | head -n 1
}
guest=$(guest_of a)
[ -s "$host" ] && [ -s "$guest" ] || { ls -R; echo "FAIL: no traces in the simulator's folder"; exit 1; }
accepted "a good pair" "$bin/lock-timeline" report "$host" "$guest"

# each command that reads traces, with the bad file in the host's place
each() {
	local what=$1 code=$2 pattern=$3 file=$4

	refused "$what, ple-trace report" "$code" "$pattern" "$bin/ple-trace" report "$file"
	refused "$what, lock-timeline report" "$code" "$pattern" "$bin/lock-timeline" report "$file" "$guest"
	refused "$what, as the guest" "$code" "$pattern" "$bin/lock-timeline" report "$host" "$file"
	refused "$what, plot" "$code" "$pattern" "$bin/lock-timeline" plot -o p.svg "$file" "$guest"
	refused "$what, vnuma-trace plot" "$code" "$pattern" "$bin/vnuma-trace" plot -o p.svg "$file" "$guest"
	absent p.svg p.svg.partial
}

: >empty
each "an empty file" 1 'empty|no trace|not a' empty
head -c 10 "$host" >cut10
each "a cut header" 1 'trace|cut|short|header' cut10
printf 'PERFILE2 and more of that kind, long enough to be a header of some sort\n%.0s' 1 2 3 >perf
each "perf.data" 1 'not a|no .*trace' perf
head -c 100000 /dev/zero >zero
each "zeros" 1 'not a|no .*trace' zero
each "a missing file" 1 'no such file' missing.kvs
each "a folder" 1 'folder|directory|not a' a
cp "$host" unreadable && chmod 0 unreadable
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$tmp"
	refused "no permission to read" 3 'denied|permission' \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$bin/ple-trace" report "$tmp/unreadable"
fi

# A newer version: the major number lies behind the magic, the header has a checksum.
python3 - "$host" newer.kvs <<-END
	import struct, sys, zlib
	data = bytearray(open(sys.argv[1], "rb").read())
	struct.pack_into("<H", data, 8, 2)
	struct.pack_into("<I", data, 60, zlib.crc32(data[:60]))
	open(sys.argv[2], "wb").write(data)
END
each "a newer version" 1 'format 2.*newer' newer.kvs

refused "a guest in the host's place" 1 'guest' "$bin/lock-timeline" report "$guest" "$host"
refused "a guest alone" 1 'guest' "$bin/ple-trace" report "$guest"
refused "a host in the guest's place" 1 'host' "$bin/lock-timeline" report "$host" "$host"
refused "plot of a guest" 1 'guest' "$bin/lock-timeline" plot -o p.svg "$guest" "$guest"
absent p.svg p.svg.partial
refused "a guest of another time" 1 'overlap|another VM' "$bin/lock-timeline" report "$host" "$(guest_of b)"
"$sim" generate --out m --scenario multi-vm --seed 3 --events 60000 >log 2>&1
accepted "three guests, found by themselves" "$bin/lock-timeline" report --json m/host.kvs m/guest?.kvs
holds "... each its own" jq -e '[.traces[0].vms[] | .guest.path == "m/guest\(.name[4:]).kvs"] | length == 3 and all' \
	"$EXPECT_ERR.out"
refused "a guest that is another VM's" 1 'belong|match|not .* guest|cid|another' \
	"$bin/lock-timeline" report m/host.kvs sim-0=m/guest1.kvs
refused "one guest twice" 1 'twice|already|both' "$bin/lock-timeline" report m/host.kvs m/guest1.kvs m/guest1.kvs
refused "a VM that is not there" 1 "no VM|nosuch" "$bin/lock-timeline" report "$host" "nosuch=$guest"
refused "--vm of a VM that is not there" 1 "no VM|nosuch" "$bin/ple-trace" report --vm nosuch "$host"

# Cut and flipped traces are read as far as they are sound, and said to be damaged.
size=$(stat -c %s "$host")
for part in 25 50 75 99; do
	head -c $((size * part / 100)) "$host" >cut.kvs
	accepted "a trace cut at $part %" "$bin/ple-trace" report --json cut.kvs
	holds "... says that it was cut" jq -e '.traces[0].host.truncated' "$EXPECT_ERR.out"
done
head -c $((size - 96)) "$host" >cut.kvs # without END alone
accepted "a trace without its end" "$bin/ple-trace" report cut.kvs
holds "... says what may be old" grep -q 'exits by reason may lack the last minute' "$EXPECT_ERR.out"
accepted "a whole trace" "$bin/ple-trace" report "$host"
holds "... does not say so" sh -c '! grep -q "may lack" "$1"' sh "$EXPECT_ERR.out"
flip() {
	local byte

	cp "$host" flip.kvs
	byte=$(od -An -tu1 -j "$1" -N1 flip.kvs)
	printf "\\$(printf %o $((byte ^ 16)))" | dd of=flip.kvs bs=1 seek="$1" conv=notrunc status=none
}
damaged=0
for part in 20 35 50 65 80; do
	flip $((size * part / 100))
	accepted "a bit flipped at $part %" "$bin/ple-trace" report --json flip.kvs
	jq -e '.traces[0].host | .bad_bytes > 0 or .lost_records > 0' "$EXPECT_ERR.out" >/dev/null 2>&1 &&
		damaged=$((damaged + 1))
done
holds "flipped bits are noticed ($damaged of 5)" [ $damaged = 5 ]

for where in "" a/; do
	refused "a plot into a folder that is not there" 1 'no such file' \
		"$bin/lock-timeline" plot -o "${where}nowhere/p.html" "$host" "$guest"
done
mkdir folder.svg
refused "a plot over a folder" 1 'directory|folder' "$bin/lock-timeline" plot -o folder.svg "$host" "$guest"
refused "a plot of no known kind" 2 'svg|html' "$bin/lock-timeline" plot -o p.png "$host" "$guest"
refused "report to a full disk" 1 'space|writing' sh -c "exec '$bin/lock-timeline' report '$host' '$guest' >/dev/full"
refused "symbols that are not there" 1 'no such file' \
	"$bin/lock-timeline" report --guest-kallsyms nowhere "$host" "$guest"
refused "symbols that are none" 1 'kallsyms|symbol' \
	"$bin/lock-timeline" report --guest-kallsyms perf "$host" "$guest"
refused "a vmlinux that is none" 1 'ELF' "$bin/lock-timeline" report --guest-vmlinux perf "$host" "$guest"
refused "a lock that is not there" 1 'lock' "$bin/lock-timeline" plot --lock nosuchlock -o p.svg "$host" "$guest"
refused "vCPUs that are not there" 1 'vcpu' "$bin/lock-timeline" plot --vcpu 77 -o p.svg "$host" "$guest"
absent p.svg p.svg.partial
expect_end
