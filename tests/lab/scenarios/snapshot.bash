# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Is the machine as it was? For scenarios of policies; sourced after tests/cli/expect.bash.
#
#     machine_save FILE        keep the machine's state
#     machine_same WHAT FILE   a check (`holds`): it is the same now
#
# Two states are compared line by line (tests/aids/machine-state.c says what is in them): the tree of
# cgroups, sched_ext, BPF objects and /run/kvmsched in full; of threads those that were there both
# times, because kernel workers and a scenario's own processes come and go by themselves. No thread at
# all, new ones included, may be in SCHED_EXT.

machine_save() {
	machine-state >"$1"
}

# What differs, a line each; the last line says how many threads could be compared.
machine_diff() {
	machine-state >machine.now || return
	awk -F '\t' '
		BEGIN { free = "^thread " }
		FNR == NR { was[$1] = $2; next }
		{ is[$1] = $2; who[$1] = $3 }
		$1 ~ /^thread/ && $2 ~ /^class=7 / { print "in SCHED_EXT: " $1 " " $3 }
		$1 in was { same += $1 ~ /^thread/ }
		$1 in was && was[$1] != $2 { print "was: " $1 " " was[$1]; print "is:  " $1 " " $2 " " $3 }
		!($1 in was) && $1 !~ free { print "new: " $1 " " $2 }
		END {
			for (key in was)
				if (!(key in is) && key !~ free)
					print "gone: " key " " was[key]
			print "threads in both: " same + 0
		}' "$1" machine.now
}

# The kernel frees BPF objects and unloads the scheduler of a process that was killed in its own time,
# so these are waited for; anything else must be right at once.
machine_is() {
	local i

	for ((i = 0; i < 100; i++)); do
		machine_diff "$1" >machine.diff || return
		grep -v -E '^threads in both: [1-9][0-9]' machine.diff >machine.wrong || return 0
		! grep -q -v -E '^[a-z]+: *(bpf|sched_ext)' machine.wrong || break
		lab_nap 0.1
	done
	head -n 12 machine.diff >&2
	return 1
}

machine_same() {
	holds "$1: the machine is as before" machine_is "$2"
}
