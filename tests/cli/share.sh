#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm-share used wrongly: one line, exit code 1 or 2, nothing left behind. Nothing here touches a VM.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/expect.bash
top=$PWD
share=$top/build/bin/vm-share
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
chmod 755 "$tmp"

for command in apply move status restore release watch agent check; do
	accepted "$command --help" "$share" $command --help
	holds "... tells of its options" grep -q -- '--help' "$EXPECT_ERR.out"
	refused "$command: unknown option" 2 'nosuch' "$share" $command --nosuch
done
refused "unknown command" 2 "no command 'aply'" "$share" aply
refused "no plan" 2 'names no VM' "$share" apply
refused "no such file" 1 'nosuch.plan' "$share" apply nosuch.plan
refused "an overlap" 2 'CPU 3 is given to both a and b' "$share" apply a=cpus:0-3 b=cpus:3-4
refused "... even if only asked" 2 'CPU 3' "$share" apply --dry-run a=cpus:0-3 b=cpus:3-4
accepted "a plan that can be" "$share" apply --dry-run a=cpus:0-2 b=cpus:3-4
refused "a VM without a CPU" 2 'has no CPU' "$share" apply a=first:1
refused "a VM twice" 2 'twice' "$share" apply a=cpus:0 a=cpus:1
refused "a bad list" 2 'bad list' "$share" apply a=cpus:0-x
refused "a CPU out of range" 2 'above' "$share" apply a=cpus:5000
refused "a bad word" 2 'colour' "$share" apply a=cpus:0,colour:red
printf 'a=cpus:0\nb=cpus:0 # the same\n' >overlap.plan
refused "an overlap in a file" 2 'CPU 0 is given to both a and b' "$share" apply overlap.plan
printf 'a=cpus:0\nb=cpus:\033[31m\n' >ugly.plan
refused "ugly bytes" 2 'line 2' "$share" apply ugly.plan
head -c 3000 /dev/urandom >noise.plan
refused "noise" 2 . "$share" apply noise.plan
refused "a bad port" 2 'port' "$share" apply --port 1024 a=cpus:0
refused "no time to answer" 2 'answer' "$share" move --answer 0 cpu 1 a b
refused "a bad interval" 2 'every' "$share" watch --every soon
refused "too short an interval" 2 'every' "$share" watch --every 1ms
refused "move: too little" 2 'move cpu LIST FROM TO' "$share" move cpu 1 a
refused "move: something else" 2 'move cpu LIST FROM TO' "$share" move disk 1 a b
refused "move: a bad list" 2 'bad list' "$share" move cpu one a b
refused "status: too much" 2 'too much' "$share" status now
absent share.json share.lock

state=(--state-dir "$tmp/state")
refused "nothing to move" 1 'no plan is applied' "$share" move "${state[@]}" cpu 1 a b
refused "nothing to move, line by line" 1 'no plan is applied' sh -c "echo cpu 1 a b | '$share' move --state-dir state -"
refused "a line with too little" 1 'move cpu LIST FROM TO' sh -c "echo cpu 1 a | '$share' move --state-dir state -"
refused "a line with too much" 1 'move cpu LIST FROM TO' sh -c "echo cpu 1 a b c d | '$share' move --state-dir state -"
refused "- and more" 2 'move cpu LIST FROM TO' "$share" move - cpu 1 a
accepted "no line" "$share" move "${state[@]}" - </dev/null
holds "a line of output for each" [ "$(printf 'cpu 1 a b\n\n' | "$share" move "${state[@]}" --json - 2>/dev/null | grep -c '"ns":null')" = 2 ]
refused "no such VM" 1 'nosuchvm' "$share" apply "${state[@]}" nosuchvm=cpus:0
absent state/share.json
holds "no plan: status says so" [ "$("$share" status "${state[@]}" --json)" = '{"schema":1,"plan":false}' ]
accepted "restore does no harm" "$share" restore "${state[@]}"
accepted "nor does release" "$share" release "${state[@]}"
echo '{"schema":7}' >state/share.json
for command in status restore release; do
	refused "$command: a book of another version" 1 'makes no sense' "$share" $command "${state[@]}"
done
# A release that was interrupted: VMs that it has let go may be on any CPU, so nothing is built on what the book has left.
begin_release() { echo '{"schema":1,"pin":true,"releasing":true,"vms":[],"cpus":[{"cpu":1,"step":"free","owner":-1,"from":-1,"to":-1}]}' >state/share.json; }
begin_release
holds "a release that was interrupted" grep -q 'a release was interrupted: .vm-share release. again' <("$share" status "${state[@]}")
holds "... in JSON" grep -q '"settled":false,"releasing":true' <("$share" status "${state[@]}" --json)
refused "... is in move's way" 1 'release was interrupted' "$share" move "${state[@]}" cpu 1 free a
refused "... and in apply's" 1 'release was interrupted' "$share" apply "${state[@]}" nosuchvm=cpus:1
echo 'nosuchvm=cpus:1' >one.plan
holds "... told of once by watch" [ "$(timeout 2 "$share" watch "${state[@]}" --every 100ms --plan one.plan 2>&1 | grep -c 'release was interrupted')" = 1 ]
holds "... which does not finish it, nor anything else" grep -q '"releasing":true' state/share.json
accepted "... but restore does" "$share" restore "${state[@]}"
absent state/share.json
begin_release
accepted "... and so does release" "$share" release "${state[@]}"
absent state/share.json
# A hand-over that ends between two looks of status was not interrupted.
"${CC:-cc}" -shared -fPIC -D_GNU_SOURCE -o shim.so "$top/tests/cli/lock-shim.c" || exit 1
book() { echo "{\"schema\":1,\"pin\":true,\"vms\":[],\"cpus\":[{\"cpu\":1,\"step\":\"$1\",\"owner\":-1,\"from\":-1,\"to\":-1}]}"; }
book taken >state/share.json
book free >next.json
: >state/share.lock
LD_PRELOAD=$tmp/shim.so BOOK=$tmp/state/share.json BOOK_NEXT=$tmp/next.json timeout 60 "$share" status "${state[@]}" >out
absent next.json
holds "it ends while status looks" grep -q '1 CPUs are free' out
holds "... which does not call it interrupted" [ "$(grep -c interrupted out)" = 0 ]
rm state/share.json
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
	cp "$share" "$tmp/vm-share"
	chmod 755 "$tmp" "$tmp/state" "$tmp/vm-share"
	book taken >state/share.json
	holds "a hand-over that was interrupted" grep -q 'restore. mends it' <("$share" status "${state[@]}")
	holds "... which nobody cannot tell from one under way" grep -q 'root sees which' \
		<("${nobody[@]}" "$tmp/vm-share" status "${state[@]}")
	holds "... nor in JSON" grep -q '"busy_pid":null' <("${nobody[@]}" "$tmp/vm-share" status --json "${state[@]}")
fi
expect_end
