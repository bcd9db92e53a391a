#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The completions do complete: commands, options, words to choose from, traces, other files.
# usage: tests/install/completion.sh ROOT    a folder installed to with DESTDIR=ROOT prefix=/usr
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/expect.bash
share=$(cd "$1/usr/share" && pwd) || exit 1
zsh_script=$PWD/tests/install/completion.zsh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
touch host.kvs guest.kvs notes.txt vmlinux
mkdir trees

# line | what bash offers for its last word, sorted | what zsh makes of the line
cases() {
	cat <<-END
	ple-trace re|record report|ple-trace re
	ple-trace rec|record|ple-trace record 
	ple-trace record --mode ev|events|ple-trace record --mode events 
	lock-timeline record --mode=co|contention|lock-timeline record --mode=contention 
	lock-timeline plot --worst-by ti|time|lock-timeline plot --worst-by time 
	vnuma-trace plot --case over|overloaded|vnuma-trace plot --case overloaded 
	lock-timeline report --js|--json|lock-timeline report --json 
	lock-timeline report ho|host.kvs|lock-timeline report host.kvs 
	lock-timeline report no||lock-timeline report notes.txt 
	lock-timeline report --guest-vmlinux vm|vmlinux|lock-timeline report --guest-vmlinux vmlinux 
	ple-trace record -o no|notes.txt|ple-trace record -o notes.txt 
	ple-trace record -d 1||ple-trace record -d 1
	trace-export --fr|--from|trace-export --from=
	trace-export gu|guest.kvs|trace-export guest.kvs 
	END
}

# bash_offers LINE: what its completion function answers.
bash_offers() {
	bash --norc -c '
		# As the shell splits it: "--mode=x" is three words.
		line=${1//=/ = }
		read -ra COMP_WORDS <<<"$line"
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$1 COMP_POINT=${#1}
		compopt() { :; }
		. "$2/bash-completion/completions/${COMP_WORDS[0]}"
		fn=$(complete -p "${COMP_WORDS[0]}" | sed "s/.*-F \([^ ]*\) .*/\1/")
		"$fn"
		printf "%s\n" "${COMPREPLY[@]}" | sort | paste -sd " "
	' bash "$1" "$share"
}

while IFS='|' read -r line want _; do
	got=$(bash_offers "$line" 2>"$EXPECT_ERR")
	holds "bash: $line -> $want (it says: $got)" [ "$got" = "$want" ]
done < <(cases)
holds "bash: words behind -- are a command's" [ "$(bash_offers 'ple-trace record -o x.kvs -- mkdi' 2>/dev/null | grep -cw mkdir)" = 1 ]

mapfile -t lines < <(cases | cut -d'|' -f1)
timeout 200 zsh -f "$zsh_script" "$share/zsh/site-functions" "${lines[@]}" >/dev/null 2>&1
mapfile -t shown <shown
holds "zsh shows ${#lines[@]} lines" [ "${#shown[@]}" = "${#lines[@]}" ]
i=0
while IFS='|' read -r line _ want; do
	holds "zsh: $line -> $want (it says: ${shown[i]:-})" [ "${shown[i]:-}" = "<<$want>>" ]
	i=$((i + 1))
done < <(cases)
expect_end
