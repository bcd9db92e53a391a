#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What reports say of known recordings: times count from the first record of the host's file, as those of --from and
# --to do, whenever a guest's recording began.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/scratch.bash

# ---- since when ----

# These guests' recordings begin before the host's, some waits, too.
"$sim" generate --out late --no-truth --scenario late-guest --seed 1 >log 2>&1
recordings=(late/host.kvs late/guest?.kvs)
"$bin/trace-export" -q --json rows --rows wait "${recordings[@]}"
"$bin/lock-timeline" report --worst 1000 "${recordings[@]}" >text
"$bin/lock-timeline" report --worst 1000 --json "${recordings[@]}" >json
read -r first last <<<"$(jq -r 'select(.row == "header") | "\(.first_ns) \(.last_ns)"' rows)"
holds "a guest's began first" jq -e "select(.row == \"end\").first_ns < $first" rows
holds "the report is of the host's" jq -e ".traces[0] | .first_ns == $first and .last_ns == $last" json
holds "... and says how long that is" grep -q "mode, $(((last - first) / 1000000)) ms recorded" text
sed -n 's/^ *[0-9]*\. .* at \(-*[0-9.]* s\): vCPU.*/\1/p' text | sort -u >said
jq -r "select(.row == \"wait\") | (.try_ns - $first) / 1e9" rows | awk '{ printf "%.6f s\n", $1 }' | sort -u >known
holds "the worst waits are told ($(grep -c . said))" [ -s said ]
comm -23 said known >wrong
holds "... each at its time" [ ! -s wrong ]
holds "... those before it, too" grep -q '^-0\.0' said

"$sim" generate --out v --no-truth --scenario vnuma --seed 1 >log 2>&1
recordings=(v/host.kvs v/guest?.kvs)
first=$("$bin/trace-export" -q --json - --rows wait v/host.kvs | jq -r 'select(.row == "header").first_ns')
"$bin/vnuma-trace" report --json "${recordings[@]}" |
	jq -r ".vms[].threads | select(.) | (.passed_over, .overloaded).worst[] | (.time_ns - $first) / 1e9" |
	awk '{ printf "%.6f s\n", $1 }' | sort -u >known
"$bin/vnuma-trace" report "${recordings[@]}" | sed -n 's/^ .* at \(-*[0-9.]* s\): .* waited .*/\1/p' | sort -u >said
holds "wake-ups are told ($(grep -c . said))" [ -s said ]
comm -23 said known >wrong
holds "... each at its time" [ ! -s wrong ]

# ---- how short ----

waits() {
	"$bin/vnuma-trace" report --json "$@" "${recordings[@]}" | jq '[.vms[].threads | select(.) | .passed_over.count] | add'
}
holds "no wait is too short: --min-wait 0 counts $(waits --min-wait 0), by default $(waits)" \
	[ "$(waits --min-wait 0)" -gt "$(waits)" ]
holds "... as --min-wait 1ns" [ "$(waits --min-wait 0)" = "$(waits --min-wait 1ns)" ]

# ---- to where nothing can be written ----

for tool in "lock-timeline report" "vnuma-trace report" "vnuma-trace report --json" "ple-trace report --json"; do
	read -ra words <<<"$tool"
	refused "$tool, a full disk" 1 'standard output: no space left' \
		sh -c "exec '$bin/${words[0]}' ${words[*]:1} ${recordings[0]} >/dev/full"
done
expect_end
