#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In a PID namespace of one's own, as in a container: whoever needs the kernel's numbers of processes says so and ends.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/scratch.bash
own=(unshare --pid --fork --mount-proc)
if ! "${own[@]}" true 2>/dev/null; then
	echo "skip: no PID namespace may be made here"
	exit 77
fi

says='PID namespace.*hostPID: true'
for words in "record -o x.kvs -d 1" "record -o x.kvs --vm web" "top -n 1" "top --vm 1" "serve --listen 127.0.0.1:0" \
	"serve --vm web"; do
	# shellcheck disable=SC2086
	refused "ple-trace $words" 3 "$says" "${own[@]}" "$bin/ple-trace" $words
done
for words in "record -o x.kvs --side host" "record -o x.kvs --vm web" "top --side host -n 1" "top --vm web"; do
	# shellcheck disable=SC2086
	refused "vnuma-trace $words" 3 "$says" "${own[@]}" "$bin/vnuma-trace" $words
done
for words in ple-boost "ple-boost --backend cgroup" holder-boost "ple-boost --vm web"; do
	# shellcheck disable=SC2086
	refused "vcpu-policy attach $words" 3 "$says" "${own[@]}" "$bin/vcpu-policy" attach --state-dir "$tmp/state" $words
done
absent x.kvs x.kvs.partial state

"${own[@]}" "$bin/ple-trace" check >check.txt
holds "ple-trace check: exit code 3" [ $? = 3 ]
holds "... and why" grep -E "^missing +pid-namespace .*$says" check.txt
holds "... no word of VMs, which it cannot see" [ "$(grep -c '^[a-z]* *vms ' check.txt)" = 0 ]
"${own[@]}" "$bin/lock-timeline" check >check.txt
holds "lock-timeline check: threads have no names" grep -E '^degraded +pid-namespace .*number alone' check.txt
"${own[@]}" "$bin/vcpu-policy" list >list.txt
holds "vcpu-policy list tells of it" [ "$(grep -c 'in a PID namespace of its own' list.txt)" = 3 ]
"${own[@]}" "$bin/vm-share" check >check.txt
holds "vm-share check: VMs elsewhere are not seen" grep -E '^degraded +PID namespace' check.txt

# A plan that was applied outside, seen from inside: its VMs have not ended.
mkdir share
echo '{"schema":1,"pid_ns":1,"pin":true,"vms":[],"cpus":[]}' >share/share.json
echo web=cpus:0 >plan
for command in status restore release watch "watch --plan $tmp/plan"; do
	# shellcheck disable=SC2086
	refused "vm-share $command" 3 'another PID namespace' timeout 60 "${own[@]}" "$bin/vm-share" $command --state-dir "$tmp/share"
done
holds "the plan is still there" [ -s share/share.json ]
expect_end
