#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Wrong command lines, and machines that lack something: one line, exit code 2 or 3, no file left.
# Nothing here gets as far as loading a probe.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/expect.bash
ple=$PWD/build/bin/ple-trace
lock=$PWD/build/bin/lock-timeline
policy=$PWD/build/bin/vcpu-policy
vnuma=$PWD/build/bin/vnuma-trace
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
chmod 755 "$tmp"

# In a container that has PIDs of its own whoever looks for VMs is refused before that (tests/cli/pidns.sh).
refused_on_host() { [ "$(readlink /proc/self/ns/pid)" != 'pid:[4026531836]' ] || refused "$@"; }

for tool in "$ple" "$lock"; do
	name=${tool##*/}
	refused "$name: unknown command" 2 "no command 'recrod'" "$tool" recrod
	accepted "$name --help" "$tool" --help
	accepted "$name --version" "$tool" --version
	holds "... a number" grep -E '[0-9]+\.[0-9]+' "$EXPECT_ERR.out"
	refused "$name record: unknown option" 2 'nosuch' "$tool" record --nosuch -o x.kvs
	refused "$name record: where to?" 2 '\-o FILE' "$tool" record
	refused "$name record: no value" 2 'argument' "$tool" record -o
	for duration in 10x "" -5 1e9999 5ss 99999999999999999999 "3 apples"; do
		refused "$name record -d '$duration'" 2 'duration' "$tool" record -o x.kvs -d "$duration"
	done
	for size in 0 -1 4k x 127 99999999999; do
		refused "$name record --ring-size $size" 2 'ring-size' "$tool" record -o x.kvs --ring-size "$size"
	done
	refused "$name record: a bad mode" 2 'mode' "$tool" record -o x.kvs --mode everything
	refused "$name report: no file" 2 'which' "$tool" report
	refused "$name report: a bad number" 2 'worst' "$tool" report --worst many x.kvs
	for command in record report check; do
		accepted "$name $command --help" "$tool" $command --help
		holds "... tells of its options" grep -q -- '--help' "$EXPECT_ERR.out"
	done
	absent x.kvs x.kvs.partial
done
refused "a bad gap" 2 'gap' "$ple" record -o x.kvs --burst-gap soon
for command in "record -o x.kvs" top serve report; do
	# shellcheck disable=SC2086
	refused "$command: no gap at all" 2 'burst-gap: more than 0' "$ple" $command --burst-gap 0
done
refused "no vCPUs" 2 'max-vcpus' "$ple" record -o x.kvs --max-vcpus 0
for address in localhost 127.0.0.1:x 127.0.0.1:65536 '[::1' '[::1]x' ::1:10177x "" :80 1.2.3:4 "$(printf '\033[31m')"; do
	refused "serve --listen '$(tr -cd '[:print:]' <<<"$address")'" 2 'listen' "$ple" serve --listen "$address"
done
refused "serve: too many addresses" 2 'at most 8' "$ple" serve --listen={1,2,3,4,5,6,7,8,9}.0.0.1:0
refused "serve: a bad detail" 2 'detail' "$ple" serve --detail much
refused "serve: keep how long?" 2 'keep' "$ple" serve --keep 10
refused "serve: no VMs" 2 'max-vms' "$ple" serve --max-vms 0
refused_on_host "serve: a VM that is not there" 1 'nosuchvm' "$ple" serve --vm nosuchvm
refused_on_host "serve: an address of somebody else" 1 'interface' "$ple" serve --listen 192.0.2.1:10177
accepted "serve --help" "$ple" serve --help
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(60)' >port &
taken=$!
until [ -s port ]; do sleep 0.05; done
refused_on_host "serve: a port in use" 1 'in use.*--listen' "$ple" serve --listen "127.0.0.1:$(cat port)"
kill $taken
refused "a bad threshold" 2 'wait-threshold' "$lock" record -o x.kvs --wait-threshold 10parsecs
refused "stream to a file" 2 '\-o' "$lock" stream -o x.kvs
refused "a bad port" 2 'port' "$lock" stream --port 99999999999
refused "collect to nowhere" 2 '\-o FILE' "$lock" collect
refused "a bad size" 2 'max-bytes' "$lock" collect -o x.kvs --max-bytes much
for option in max-bytes max-rate; do
	refused "--$option 0" 2 "$option: more than 0" "$lock" collect -o x.kvs --$option 0
done
refused "a time that a clock never tells" 2 'too long a time' "$ple" top -d 18446744073709551615ns
for check in "$lock" "$ple"; do
	refused "${check##*/} check on a full disk" 1 'standard output: no space left' sh -c "exec '$check' check >/dev/full"
done
refused "status on a full disk" 1 'standard output: no space left' sh -c "exec '$policy' status >/dev/full"
refused "list on a full disk" 1 'standard output: no space left' sh -c "exec '$policy' list >/dev/full"
refused "a bad time" 2 'max-silence' "$lock" collect -o x.kvs --max-silence long
refused "no time at all" 2 'max-silence' "$lock" collect -o x.kvs --max-silence 0
refused "publish: a bad port" 2 'port' "$lock" publish --port 0
refused "publish: no time" 2 'duration' "$lock" publish -d 0
refused "plot to nowhere" 2 '\-o FILE' "$lock" plot x.kvs y.kvs
refused "a bad time" 2 'from' "$lock" plot -o p.svg --from noon x.kvs y.kvs
refused_on_host "an unknown VM" 1 "nosuchvm" "$ple" record -o x.kvs --vm nosuchvm -d 1
refused_on_host "a PID that is no VM" 1 "$$" "$ple" record -o x.kvs --vm $$ -d 1
absent x.kvs x.kvs.partial p.svg

for words in "record" "record -o" "report" "record -o x.kvs -d soon" "record -o x.kvs --ring-size 1" \
	"report --short 1 x.kvs" "report --min-wait long x.kvs" "record -o x.kvs --memory 1ms" "record -o x.kvs --side guest --memory 1s" "bottom" "top -i 1ms" "top --side left" "top -n 0"; do
	# shellcheck disable=SC2086
	refused "vnuma-trace $words" 2 . "$vnuma" $words
done
refused "vnuma-trace report: no such file" 1 'x.kvs' "$vnuma" report x.kvs
for size in 0 50ms -1 soon; do
	refused "record --memory $size" 2 'memory' "$ple" record -o x.kvs --memory "$size"
done
absent x.kvs x.kvs.partial

# A policy that is being attached or detached: the journal is held, and there is no status.
mkdir state
python3 - "$PWD/state" <<-'END' >held &
	import fcntl, sys, time
	lock = open(sys.argv[1] + "/lock", "w")
	fcntl.lockf(lock, fcntl.LOCK_EX)
	print("held", flush=True)
	time.sleep(60)
END
holder=$!
until [ -s held ]; do sleep 0.05; done
"$policy" status --state-dir "$PWD/state" >status.txt
code=$?
holds "status of what is under way exits with 1" [ $code = 1 ]
holds "and says who is at it" grep -q "process $holder is about to" status.txt
"$policy" status --json --state-dir "$PWD/state" >status.json
holds "its JSON names the process" jq -e ".policy == null and .under_way == $holder" status.json
kill $holder
wait $holder 2>/dev/null

# Options that do not go with the policy.
wake=("$policy" attach vnuma-wake)
refused "vnuma-wake is not for VMs" 2 'all threads' "${wake[@]}" --vm web
refused "vnuma-wake has no other back end" 2 'sched_ext only' "${wake[@]}" --backend cgroup
refused "vnuma-wake does not spin" 2 'spin=1ms is not for vnuma-wake' "${wake[@]}" --option spin=1ms
refused "how short?" 2 'short' "${wake[@]}" --option short=soon
refused "how long awake?" 2 'bad duration' "${wake[@]}" --option poll=awake
refused "not that long" 2 'poll: 10ms at most' "${wake[@]}" --option poll=11ms
refused "ple-boost does not wait awake" 2 'poll=1ms is not for ple-boost' "$policy" attach ple-boost --option poll=1ms
refused "ple-boost knows no sleepers" 2 'short=1ms is not for ple-boost' "$policy" attach ple-boost --option short=1ms
refused "no such option" 2 'short' "$policy" attach ple-boost --option sleep=1ms
refused "a slice of no length" 2 'slice: more than 0' "$policy" attach ple-boost --option slice=0
refused "a slice for ever" 2 'slice: 1s at most' "$policy" attach ple-boost --option slice=1m

# Options from a file: the policy's name there, beside one on the command line, and beside a command.
echo policy=nonsense >policy.conf
refused "the file's policy, before a command" 2 "no policy 'nonsense'" "$policy" attach --file policy.conf -- true
refused "two policies" 2 'policy ple-boost and policy nonsense' "$policy" attach ple-boost --file policy.conf
refused "a command alone" 2 'which policy' "$policy" attach -- true
printf 'policy=holder-boost\nbackend=cgroup\n' >policy.conf
refused "what comes behind the file's policy" 2 'backend: holder-boost' "$policy" attach holder-boost --file policy.conf

# As a user without rights: what is missing, and what to do.
if [ "$(id -u)" = 0 ]; then
	mkdir open && chmod 777 open && cd open || exit 1
	nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
	# Where everybody can read them: a checkout may lie in root's home.
	mkdir "$tmp/bin" && cp "$ple" "$lock" "$tmp/bin"
	chmod -R a+rX "$tmp/bin"
	for tool in ple-trace lock-timeline; do
		refused "$tool record as nobody" 3 'root|permission|CAP_|KVM is not loaded|PID namespace' "${nobody[@]}" "$tmp/bin/$tool" record -o x.kvs -d 1
		absent x.kvs x.kvs.partial
		mkdir -m 700 ../closed-$tool
		refused "$tool record to where one may not write" 3 'permission|root|KVM is not loaded|PID namespace' \
			"${nobody[@]}" "$tmp/bin/$tool" record -o "$tmp/closed-$tool/x.kvs" -d 1
		"${nobody[@]}" "$tmp/bin/$tool" check >check.out 2>check.err
		holds "$tool check as nobody says what is missing ($?)" grep -i -E 'missing.*(root|CAP_|permission)' check.out
	done
	refused "publish as nobody" 3 'root|permission|CAP_' "${nobody[@]}" "$tmp/bin/lock-timeline" publish
	refused "serve as nobody" 3 'root|permission|CAP_|KVM is not loaded|PID namespace' "${nobody[@]}" "$tmp/bin/ple-trace" serve --listen 127.0.0.1:0
	if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 1 ]; then
		refused_on_host "serve on a low port as nobody" 3 'CAP_NET_BIND' "${nobody[@]}" "$tmp/bin/ple-trace" serve --listen 127.0.0.1:1
	fi
	cd ..
fi
expect_end
