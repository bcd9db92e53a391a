#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One voice: an option means the same in every command that has it; every command explains itself on a
# screen, with examples that run, and is in its manual page; exit codes and colours as promised.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/expect.bash
top=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
PATH=$top/build/bin:$PATH

for tool in build/bin/*; do
	"$tool" --option-table || expect_fault "$tool --option-table"
done >"$tmp/table"
holds "the tools have options" [ "$(grep -c '^option' "$tmp/table")" -gt 60 ]
# A line per command: "ple-trace record", "trace-export".
commands() {
	awk -F'\t' '$1 == "args" { print $2 }' "$tmp/table"
}

# ---- the same name, the same thing ----

# What stands in parentheses are defaults and details, which may differ. The formats of trace-export
# are options with a file each, by their names: "json" is one of them.
awk -F'\t' '$1 == "option" && !($2 == "trace-export" && $7 ~ /^(one|a) |rows/) {
	text = $7
	gsub(/ *\([^)]*(\([^)]*\)[^)]*)*\)/, "", text)
	arg = $5 ~ /^[a-z_|]+$/ ? "one of several words" : $5
	kind = "-" $4 " " arg " " $6 ": " text
	if ($3 in kinds && kinds[$3] != kind)
		print "--" $3 " of " $2 ": \"" kind "\", of " who[$3] ": \"" kinds[$3] "\""
	kinds[$3] = kind
	who[$3] = $2
	if ($4 != "" && $4 in longs && longs[$4] != $3)
		print "-" $4 " is --" $3 " in " $2 " and --" longs[$4] " elsewhere"
	if ($4 != "")
		longs[$4] = $3
}' "$tmp/table" >"$tmp/differ"
sed 's/^/    /' "$tmp/differ"
holds "an option means the same everywhere" [ ! -s "$tmp/differ" ]

# What kind of value an option takes can be seen from its metavariable: completions go by it.
awk -F'\t' '$1 == "option" && $5 != "" && $5 !~ /^[a-z_]+([|][a-z_]+)+$/ { print $5 }' "$tmp/table" | sort -u |
	grep -v -x -E 'FILE|TIME|SIZE|N|RECORDS|LIST|TEXT|NAME\|PID|ADDRESS\|NAME|ADDR:PORT|KEY=VALUE|KIND,\.\.\.|[A-Z]+' >"$tmp/odd"
holds "metavariables are in capitals, or a choice of words: $(tr '\n' ' ' <"$tmp/odd")" [ ! -s "$tmp/odd" ]

# ---- every command ----

has() {
	awk -F'\t' -v c="$1" -v o="$2" '$1 == "option" && $2 == c && $3 == o { found = 1 } END { exit !found }' "$tmp/table"
}

while read -r command; do
	read -ra words <<<"$command"
	for option in quiet verbose help usage version; do
		holds "$command --$option" has "$command" $option
	done
	accepted "$command --help" "${words[@]}" --help
	cp "$EXPECT_ERR.out" "$tmp/help"
	lines=$(grep -c '' "$tmp/help")
	holds "... fits a screen ($lines lines)" [ "$lines" -le 40 ]
	holds "... 80 columns wide" [ "$(wc -L <"$tmp/help")" -le 80 ]
	holds "... begins with its usage" grep -q "^Usage: $command" "$tmp/help"
	sed -n '/^Examples:/,$s/^  //p' "$tmp/help" >"$tmp/of-one"
	holds "... has examples" [ -s "$tmp/of-one" ]
	cat "$tmp/of-one" >>"$tmp/examples"
	accepted "$command -h" "${words[@]}" -h
	accepted "$command --usage" "${words[@]}" --usage
	accepted "$command --version" "${words[@]}" --version
	holds "... a number" grep -q -E '^kvmsched [0-9]+\.[0-9]+' "$EXPECT_ERR.out"
	accepted "$command -V" "${words[@]}" -V
	refused "$command, a wrong option" 2 'nosuch' "${words[@]}" --nosuch
done < <(commands)

# ---- the manual ----

# In mdoc "--name" is "Fl -name".
for tool in build/bin/*; do
	name=${tool##*/}
	page=docs/$name.1
	holds "$name has a manual page" [ -s "$page" ]
	[ -s "$page" ] || continue
	while read -r option; do
		holds "$name(1) has --$option" grep -q -E "Fl -$option( |\$)" "$page"
	done < <(awk -F'\t' -v t="$name" '$1 == "option" && ($2 == t || index($2, t " ") == 1) { print $3 }' "$tmp/table" | sort -u)
	while read -r word; do
		holds "$name(1) has the command $word" grep -q "^.It Cm $word\$" "$page"
	done < <(awk -F'\t' -v t="$name " '$1 == "command" && index($2, t) == 1 { print substr($2, length(t) + 1) }' "$tmp/table")
	for code in 0 1 2 3; do
		holds "$name(1) tells of exit code $code" \
			grep -q "^.It $code\$" <(sed -n '/^.Sh EXIT STATUS/,/^.Sh EX/p' "$page")
	done
done

# ---- examples of commands that read traces; those that record run in the lab ----

mkdir "$tmp/run" && cd "$tmp/run" || exit 1
cp "$top"/tests/data/*.kvs .
for tool in "$top"/build/bin/*; do
	"$tool" --help | sed -n '/^Examples:/,$s/^  //p'
done >>"$tmp/examples"
ran=0
while read -r line; do
	case $line in
	lock-timeline\ report* | lock-timeline\ plot* | vnuma-trace\ plot\ -o\ nodes.html* | ple-trace\ report* | trace-export*)
		accepted "runs: $line" bash -o pipefail -c "$line"
		ran=$((ran + 1))
		;;
	*" check"*)
		timeout 60 bash -c "$line" >/dev/null 2>"$EXPECT_ERR"
		holds "runs: $line ($?)" [ ! -s "$EXPECT_ERR" ]
		;;
	esac
done < <(sort -u "$tmp/examples")
holds "examples ran ($ran)" [ $ran -ge 6 ]
holds "nothing half-written is left" [ -z "$(find . -name "*.partial")" ]

# ---- colours ----

# on_terminal VARIABLE=VALUE...: a report as it is printed on a terminal.
on_terminal() {
	env -u NO_COLOR TERM=xterm "$@" script -q -e -c "lock-timeline report host.kvs guest.kvs" /dev/null </dev/null
}
coloured() {
	"$@" | grep -q $'\033'
}
holds "colours on a terminal" coloured on_terminal
for env in NO_COLOR=1 TERM=dumb; do
	holds "no colours with $env" eval "! coloured on_terminal $env"
done
holds "an empty NO_COLOR says nothing" coloured on_terminal NO_COLOR=
holds "no colours in a file" eval '! coloured lock-timeline report host.kvs guest.kvs'

# ---- how much is said ----

lock-timeline plot -o a.svg host.kvs guest.kvs 2>said
holds "a note on what was drawn" [ "$(grep -c '' said)" = 1 ]
lock-timeline plot -q -o b.svg host.kvs guest.kvs 2>said
holds "-q: nothing" [ ! -s said ]
expect_end
