#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# trace-export with wrong command lines, bad recordings, and places that cannot be written to: one
# line, the documented exit code, and nothing left behind. Every format that it has.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/expect.bash
export=$PWD/build/bin/trace-export
sim=$PWD/build/tests/sim
manual=$PWD/docs/trace-export.1
tmp=$(mktemp -d)
cleanup() {
	mountpoint -q "$tmp/full" && umount "$tmp/full"
	rm -rf "$tmp"
}
trap cleanup EXIT
cd "$tmp" || exit 1

"$sim" generate --out a --scenario fifo --seed 1 --events 20000 >log 2>&1 ||
	{ cat log; echo "FAIL: the simulator gives no traces"; exit 1; }
host=a/host.kvs
guest=a/guest0.kvs
mapfile -t FORMATS < <("$export" --option-table | awk -F'\t' '$1 == "option" && ($5 == "FILE" || $5 == "DIR") &&
	$3 !~ /^guest-/ { print $3 }')
holds "formats: ${FORMATS[*]}" [ ${#FORMATS[@]} -ge 5 ]

# The manual tells of every option.
while IFS= read -r option; do
	holds "--$option is in the manual" grep -q -E -e "^\.(It|Op) Fl (.* Fl )?-$option\b" "$manual"
done < <("$export" --option-table | awk -F'\t' '$1 == "option" && $3 != "" && $3 != "usage" { print $3 }')

# Nothing of an output may be there, under any name.
nothing() {
	absent out out.partial
	if compgen -G '*.partial' >/dev/null; then expect_fault "left behind: $(compgen -G '*.partial')"; fi
}

# ---- command lines ----

refused "no format" 2 'which format' "$export" "$host"
refused "no recording" 2 'which recordings' "$export" --json out
refused "an unknown format" 2 'nosuch' "$export" --nosuch out "$host"
refused "a kind of row that there is not" 2 "no kind 'waits'; there are record, loss, wait" "$export" --rows waits --json out "$host"
refused "no kind of row" 2 'no kind' "$export" --rows '' --json out "$host"
refused "a bad time" 2 'from' "$export" --from noon --json out "$host"
refused "an empty part" 2 'nothing' "$export" --from 2s --to 1s --json out "$host"
refused "up to where it begins" 2 'nothing' "$export" --to 0 --json out "$host"
refused "a guest alone is of no other VM" 1 "one guest's" "$export" --vm nosuch --json out "$guest"
refused "two formats on standard output" 2 'standard output' "$export" --json - --folded - "$host"
refused "two formats in one file" 2 'two formats' "$export" --json out --folded out "$host"
nothing
cp "$host" copy.kvs
refused "over what is read" 2 'is to be read' "$export" --json copy.kvs copy.kvs
refused "... by another name" 2 'is to be read' "$export" --json ./copy.kvs copy.kvs
holds "the recording is as it was" cmp "$host" copy.kvs
cp "$host" run.partial
refused "over what is read, while it is written" 2 'run.partial is to be read' "$export" --json run run.partial
refused "... as a guest's" 2 'run.partial is to be read' "$export" --json run "$host" sim-0=run.partial
refused "over what is left of another recording" 1 'run.partial: left by a recording' "$export" --json run "$host"
mv run.partial other.kvs
refused "over a recording that is not read" 1 'other.kvs: is a recording' "$export" --json other.kvs "$host"
holds "the recording is as it was" cmp "$host" other.kvs
mv other.kvs run.partial
refused "... in a folder's place" 1 'run.partial' "$export" --csv run "$host"
holds "the recording is as it was" cmp "$host" run.partial
rm -f run.partial
refused "tables on standard output" 1 'folder' "$export" --csv - "$host"
refused "tables in a file" 1 'folder' "$export" --csv "$guest" "$host"
accepted "--help" "$export" --help
holds "... fits a screen" [ "$(wc -l <"$EXPECT_ERR.out")" -le 45 ]

# ---- recordings ----

: >empty
head -c 10 "$host" >cut10
head -c 100000 /dev/zero >zero
printf 'PERFILE2 and more of that kind, long enough to be a header of some sort\n%.0s' 1 2 3 >perf
head -c $(($(stat -c %s "$host") / 2)) "$host" >half.kvs
for format in "${FORMATS[@]}"; do
	option=--$format
	refused "$format, an empty file" 1 'empty|not a|no trace' "$export" "$option" out empty
	refused "$format, a cut header" 1 'trace|cut|short|header' "$export" "$option" out cut10
	refused "$format, zeros" 1 'not a|no .*trace' "$export" "$option" out zero
	refused "$format, perf.data" 1 'not a|no .*trace' "$export" "$option" out perf
	refused "$format, a missing file" 1 'no such file' "$export" "$option" out missing.kvs
	refused "$format, a folder" 1 'folder|directory|not a' "$export" "$option" out a
	refused "$format, a bad guest" 1 'not a|no .*trace' "$export" "$option" out "$host" zero
	refused "$format, a guest in the host's place" 1 'guest' "$export" "$option" out "$guest" "$host"
	refused "$format, a host in the guest's place" 1 'host' "$export" "$option" out "$host" "$host"
	refused "$format, a VM that is not there" 1 'no VM|nosuch' "$export" --vm nosuch "$option" out "$host"
	nothing
	accepted "$format, a recording that was cut" "$export" "$option" out half.kvs
	holds "... gives what is in it" test -e out
	rm -rf out
done

# ---- which part ----

kinds="record,loss,segment"
for alone in "$host" "$guest"; do
	"$export" --rows $kinds --json out "$alone"
	jq -c 'select(.time_ns or .from_ns)' out >whole
	for times in "--to 4611686018s" "--from 0" "--from 0 --to 4611686018s"; do
		read -ra words <<<"$times"
		accepted "$times, $alone" "$export" --rows $kinds "${words[@]}" --json out "$alone"
		jq -c 'select(.row != "header") | select(.time_ns or .from_ns)' out >part
		holds "... is all of it" cmp part <(jq -c 'select(.row != "header")' whole)
	done
	accepted "$alone, from the end of all time" "$export" --rows $kinds --from 4611686018s --json out "$alone"
	holds "... is nothing" jq -s -e 'all(.row | IN("record", "loss", "segment") | not)' out
	rm -f out
done

# A loss is a stretch of time: it is in every part that it reaches into, on the clock of all.
for side in host guest; do
	"$sim" generate --out l --no-truth --scenario lossy-$side --seed 1 >log 2>&1
	"$export" -q --rows loss --json whole l/host.kvs l/guest*.kvs
	read -r begin from to < <(jq -r -s --arg side $side '.[0].first_ns as $t | map(select(.row == "loss" and .side == $side and .from_ns > $t)) |
		max_by(.time_ns - .from_ns) | [$t, .from_ns, .time_ns] | @tsv' whole)
	part=($((from + (to - from) / 2)) $((from + (to - from) / 2 + 1000)))
	accepted "within a loss of the $side's" "$export" -q --rows loss --json part --from $((part[0] - begin))ns --to $((part[1] - begin))ns l/host.kvs l/guest*.kvs
	holds "... which is told" jq -s -e --argjson from "$from" 'any(.row == "loss" and .from_ns == $from)' part
	holds "... as are all that reach into it" cmp <(jq -c 'select(.row == "loss")' part) \
		<(jq -c --argjson from "${part[0]}" --argjson to "${part[1]}" 'select(.row == "loss" and .from_ns < $to and .time_ns >= $from)' whole)
	for format in folded folded-ple; do
		"$export" -q "--$format" part l/host.kvs l/guest*.kvs 2>told
		holds "--$format says it" grep -q -x '.*warning: [0-9]* records were lost: the stacks lack.*' told
	done
	rm -rf l part whole told
done
holds "stacks of all that there was: nothing is said" [ -z "$("$export" -q --folded - "$host" "$guest" 2>&1 >/dev/null)" ]

refused "a guest alone has no waits" 1 "its host's" "$export" --folded out "$guest"
nothing
accepted "rows of a recording that was cut" "$export" --json out half.kvs
holds "... say so" jq -s -e '[.[] | select(.row == "file_total").truncated] == [true] and .[-1].row == "end"' out
rm -f out

# ---- places ----

# A disk of 256 KiB.
have_full() {
	mkdir -p full && mount -t tmpfs -o size=256k,mode=755 tmpfs full 2>/dev/null
}
if [ "$(id -u)" = 0 ] && have_full; then
	for format in "${FORMATS[@]}"; do
		cat /dev/zero >full/ballast 2>/dev/null
		refused "$format, a full disk" 1 'no space left' "$export" "--$format" full/out "$host" "$guest"
		holds "... has nothing on it" [ "$(ls -A full)" = ballast ]
		rm -f full/ballast
	done
	umount full
else
	echo "# no disk to fill: not root, or no right to mount one"
fi
for format in "${FORMATS[@]}"; do
	[ "$format" != csv ] || continue
	case $format in folded*) ;; *)
		echo old >out
		refused "$format, a limit of the file's size" 1 'too large' \
			sh -c "ulimit -f 64; exec '$export' --$format out '$host' '$guest'"
		holds "... an older file stays" [ "$(cat out)" = old ]
		rm -f out ;;
	esac
	refused "$format, a full device" 1 'no space left' "$export" "--$format" /dev/full "$host" "$guest"
	mkdir out
	refused "$format, over a folder" 1 'is a directory' "$export" "--$format" out "$host"
	rmdir out
	refused "$format, a folder that is not there" 1 'no such file' "$export" "--$format" nowhere/out "$host"
	nothing
done
refused "csv, a folder that is not there" 1 'no such file' "$export" --csv nowhere/out "$host"
refused "a second output that cannot be" 1 'no such file' "$export" --json out --csv tables --folded nowhere/out "$host"
nothing
absent tables tables.partial

# Names are given when all outputs are whole, whichever of them is the last to fail.
mkdir kept && echo old >kept/waits.csv
for csv in tables kept; do
	refused "a second output that fails at its end, $csv" 1 'no space left' \
		"$export" --json out --perf out.data --csv $csv --folded /dev/full "$host" "$guest"
	nothing
	absent tables out.data
done
refused "... standard output" 1 'no space left' \
	sh -c "exec '$export' --perf out --csv tables --folded-ple - '$host' '$guest' >/dev/full"
nothing
absent tables
mkdir left.partial && echo old | tee left.partial/holds.csv >left.partial/waits.csv
accepted "a folder that an interrupted run left" "$export" --csv left --rows wait "$host" "$guest"
holds "... without its tables" sh -c '[ ! -e left/holds.csv ] && ! grep -q old left/waits.csv'
rm -r left
mkdir left.partial && echo whole >left.partial/waits.csv && echo half >left.partial/holds.csv.partial
refused "a folder that another one writes" 1 'left.partial: is being written' \
	flock left.partial "$export" --csv left "$host" "$guest"
holds "... whose tables stay" [ "$(cat left.partial/*)" = "$(printf 'half\nwhole')" ]
accepted "what it left if it was killed" "$export" --csv left --rows wait "$host" "$guest"
holds "... is gone, half written or whole" [ ! -e left/holds.csv.partial -a "$(head -c 5 left/waits.csv)" != whole ]
rm -r left
holds "an older table stays" [ "$(ls kept)/$(cat kept/waits.csv)" = waits.csv/old ]
rm -r kept

# A standard stream that is closed is no place for a file: nothing of one output is in another.
refused "standard output is closed" 1 'standard output: bad file' \
	sh -c "exec '$export' --csv tables --json - '$host' >&-"
nothing
absent tables
accepted "all of them are closed" sh -c "exec '$export' --csv tables --json out '$host' <&- >&- 2>&-"
holds "... and not needed" cmp out <("$export" -q --json - "$host")
holds "... no table has JSON in it" sh -c '! grep -l "\"row\":" tables/*'
holds "... exit code 1 without a word" sh -c "'$export' --json out missing.kvs 2>&-; [ \$? = 1 ]"
rm -r out tables

# A pipe is written as it is, and is still a pipe afterwards.
mkfifo pipe
for format in json folded folded-ple; do
	"$export" -q "--$format" direct "$host" "$guest"
	timeout 60 cat pipe >got &
	accepted "$format into a pipe" "$export" -q "--$format" pipe "$host" "$guest"
	wait $!
	holds "... all of it" cmp direct got
	holds "... which is one still" test -p pipe
	rm -f direct got
done
absent pipe.partial
ln -s there link && echo old >there
accepted "through a link" "$export" --folded link "$host" "$guest"
holds "... which is one still" test -L link
holds "... to the file" grep -q ';spinning;' there

refused "a reader that goes away" 1 'reader has gone' \
	bash -c "'$export' --json - '$host' '$guest' | head -n 1 >/dev/null; exit \${PIPESTATUS[0]}"

# Ended by a signal, at some time of it: nothing is left.
"$sim" generate --out b --no-truth --seed 2 --events 400000 >log 2>&1
for signal in INT TERM HUP; do
	timeout -s $signal 0.2 "$export" --json out --csv tables b/host.kvs b/guest*.kvs 2>err
	holds "interrupted by $signal, or done" test $? -ge 1 -o -s out
	if grep -q interrupted err; then nothing; absent tables tables.partial; fi
	rm -rf out tables
done

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
	mkdir -m 755 bin && cp "$export" bin
	chmod 755 "$tmp" a && chmod 644 a/*.kvs
	mkdir -m 700 closed
	for format in "${FORMATS[@]}"; do
		refused "$format, to where one may not write" 3 'permission denied' \
			"${nobody[@]}" "$tmp/bin/trace-export" "--$format" "$tmp/closed/out" "$tmp/$host"
	done
	chmod 600 "$guest"
	refused "a recording that one may not read" 3 'permission denied' \
		"${nobody[@]}" "$tmp/bin/trace-export" --json - "$tmp/$guest"
	absent closed/out closed/out.partial
fi
expect_end
