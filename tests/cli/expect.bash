# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For tests of wrong use: one clear line, the documented exit code (tools/common/cli.h), and
# nothing left behind. Sourced; `expect_end` gives the verdict.

EXPECT_BAD=0
EXPECT_OK=0

expect_fault() {
	EXPECT_BAD=$((EXPECT_BAD + 1))
	echo "not ok - $*"
	[ ! -s "$EXPECT_ERR" ] || sed 's/^/    stderr: /' "$EXPECT_ERR" | head -n 8 | cut -c1-300
}

expect_good() {
	EXPECT_OK=$((EXPECT_OK + 1))
	echo "ok - $*"
}

EXPECT_ERR=$(mktemp)

# refused WHAT CODE PATTERN COMMAND...: exits with CODE, prints exactly one line on stderr, with
# PATTERN (extended, any case) in it. Behind a usage error argp's "Try ... --help" may follow.
refused() {
	local what=$1 code=$2 pattern=$3 got=0 lines

	shift 3
	timeout 60 "$@" >/dev/null 2>"$EXPECT_ERR" || got=$?
	lines=$(grep -c '' "$EXPECT_ERR")
	[ "$code" = 2 ] && lines=$(sed '/^Try /,$d' "$EXPECT_ERR" | grep -c '')
	if [ "$got" != "$code" ]; then
		expect_fault "$what: exit code $got, not $code: $*"
	elif [ "$lines" != 1 ]; then
		expect_fault "$what: $lines lines on stderr, not one: $*"
	elif ! grep -q -i -E -- "$pattern" "$EXPECT_ERR"; then
		expect_fault "$what: the line does not say '$pattern': $*"
	elif grep -q '[^[:print:][:space:]]' "$EXPECT_ERR"; then
		expect_fault "$what: unprintable bytes: $*"
	else
		expect_good "$what: $(cut -c1-160 "$EXPECT_ERR" | head -n 1)"
	fi
}

# accepted WHAT COMMAND...: exits with 0 and prints no more than a warning.
accepted() {
	local what=$1 got=0

	shift
	timeout 60 "$@" >"$EXPECT_ERR.out" 2>"$EXPECT_ERR" || got=$?
	if [ $got = 0 ]; then expect_good "$what"; else expect_fault "$what: exit code $got: $*"; fi
}

# absent FILE...: nothing may be there.
absent() {
	local file

	for file in "$@"; do
		if [ -e "$file" ]; then expect_fault "$file was left behind"; else expect_good "no $file"; fi
	done
}

# holds WHAT CONDITION...: a command that must succeed.
holds() {
	local what=$1

	shift
	: >"$EXPECT_ERR"
	if "$@" >/dev/null 2>"$EXPECT_ERR"; then expect_good "$what"; else expect_fault "$what: $*"; fi
}

expect_end() {
	rm -f "$EXPECT_ERR" "$EXPECT_ERR.out"
	echo "# $EXPECT_OK right, $EXPECT_BAD wrong"
	[ "$EXPECT_BAD" = 0 ]
}
