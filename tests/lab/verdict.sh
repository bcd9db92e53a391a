# SPDX-License-Identifier: GPL-2.0
# Did the run pass? Exit codes, kernel splats, hangs; a bounded log and one line with the reason.

# What a sick kernel or KVM says.
SPLATS='Oops|BUG: |WARNING: |Kernel panic|general protection fault|corrupted stack end'
SPLATS+='|detected stalls? on|rcu_.* kthread starved|soft lockup|blocked for more than'
SPLATS+='|KVM internal error|Unable to handle kernel|unhandled.*triple|hardware error'

verdict_splat() {
	grep -a -s -m1 -H -E "$SPLATS" "$OUT"/*.console "$OUT"/*.qemu "$OUT"/dmesg "$OUT"/vm*/dmesg |
		head -n 1 | sed "s|^$OUT/||" | cut -c1-160
}

verdict_guests() {
	local rc file

	for file in "$OUT"/vm[0-9]*/; do
		[ -d "$file" ] || continue
		rc=$(cat "$file/guest.rc" 2>/dev/null || echo none)
		case $rc in
		0) ;;
		none) echo "$(basename "$file"): ended without an exit code" ;;
		*) echo "$(basename "$file"): exit code $rc" ;;
		esac
	done | head -n 1
}

# The last thing that a script had to say, for who sees one line alone.
verdict_last() {
	grep -a -s -h -v '^ *$' "$OUT/host.log" | tail -n 1 | tr -cd '[:print:]' | cut -c1-120
}

# Where its processors were when it was stopped.
verdict_stuck() {
	grep -a -s -o -E '\bRIP=[0-9a-f]+|CPL=[0-9]|HLT=[0-9]' "$OUT/host.stuck" | paste -s -d ' '
}

verdict_reason() {
	local rc splat guests

	splat=$(verdict_splat || true)
	rc=$(cat "$OUT/host.rc" 2>/dev/null || echo none)
	guests=$(verdict_guests)
	if [ -n "$splat" ]; then
		echo "kernel trouble: $splat"
	elif [ -n "$HANG" ]; then
		echo "hang: $HANG, after \"$(verdict_last)\", at $(verdict_stuck)"
	elif [ "$rc" = none ]; then
		echo "the host VM ended without an exit code"
	elif [ "$rc" = 124 ]; then
		echo "host script out of time"
	elif [ "$rc" != 0 ]; then
		echo "host script: exit code $rc, after \"$(verdict_last)\""
	elif [ -n "$guests" ]; then
		echo "$guests"
	fi
}

verdict_log() {
	local file

	for file in "$OUT/host.log" "$OUT"/vm*/guest.log; do
		[ -s "$file" ] || continue
		echo "--- ${file#"$OUT"/}"
		tail -n "$LINES_MAX" "$file" | cut -c1-240
	done
}

verdict() {
	local reason took="$((SECONDS - start)) s"

	[ "$WOKEN" = 0 ] || took+=", woken $WOKEN times"
	reason=$(verdict_reason)
	verdict_log
	if [ -z "$reason" ]; then
		say "ok ($took)"
		[ "$KEEP" = 1 ] || rm -rf "$OUT"
		return 0
	fi
	say "FAILED ($took): $reason; logs in $OUT"
	return 1
}
