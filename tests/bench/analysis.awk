# SPDX-License-Identifier: GPL-2.0
# Runs of reports as a table and JSON. Lines: NAME EVENTS EXIT USER SYSTEM ELAPSED PEAK-KIB.

{
	key = $1 SUBSEP $2
	if (!(key in n))
		order[++keys] = key
	i = ++n[key]
	user[key] += $4
	cpu[key, i] = $4 + $5
	mib = $7 / 1024
	peak[key] = mib > peak[key] ? mib : peak[key]
}

# The runs' CPU times, sorted, into v; returns how many.
function sorted(key, v,    i, j, t) {
	for (i = 1; i <= n[key]; i++) {
		t = cpu[key, i]
		for (j = i - 1; j > 0 && v[j] > t; j--)
			v[j + 1] = v[j]
		v[j + 1] = t
	}
	return n[key]
}

function median(key,    v, m) {
	m = sorted(key, v)
	return m % 2 ? v[(m + 1) / 2] : (v[m / 2] + v[m / 2 + 1]) / 2
}

function rate(events, seconds) { return events / (seconds > 0.000001 ? seconds : 0.000001) }

function show(k,    p, v, m) {
	split(order[k], p, SUBSEP)
	gsub(/_/, " ", p[1])
	m = sorted(order[k], v)
	printf "%-22s %10d %8.3f %7.3f-%-7.3f %7.0f%% %7.2f %6.2f-%-6.2f %6.1f\n", p[1], p[2],
	       median(order[k]), v[1], v[m], 100 * user[order[k]] / sum(order[k]),
	       rate(p[2], median(order[k])) / 1e6, rate(p[2], v[m]) / 1e6, rate(p[2], v[1]) / 1e6,
	       peak[order[k]]
	printf("%s\n  {\"what\": \"%s\", \"events\": %d, \"cpu_s\": %.3f, \"min_s\": %.3f, \"max_s\": %.3f, ",
	       k > 1 ? "," : "[", p[1], p[2], median(order[k]), v[1], v[m]) >json
	printf("\"events_per_s\": %.0f, \"peak_mib\": %.1f, \"runs\": %d}", rate(p[2], median(order[k])),
	       peak[order[k]], m) >json
}

function sum(key,    i, s) {
	for (i = 1; i <= n[key]; i++)
		s += cpu[key, i]
	return s
}

# How many times as many events per second as the row `their`, which is perf's.
function ratio(k, their,    p, q) {
	split(order[k], p, SUBSEP)
	split(order[their], q, SUBSEP)
	return rate(p[2], median(order[k])) / rate(q[2], median(order[their]))
}

function compare(their,    q, p, k) {
	split(order[their], q, SUBSEP)
	if (q[1] !~ /^perf/)
		return
	for (k = 1; k <= keys; k++) {
		split(order[k], p, SUBSEP)
		if (p[1] ~ /^perf/)
			continue
		gsub(/_/, " ", p[1])
		gsub(/_/, " ", q[1])
		printf "%s of %d events: %.1f times the rate of %s\n", p[1], p[2], ratio(k, their), q[1]
	}
}

END {
	printf "%-22s %10s %8s %-15s %8s %7s %-13s %6s\n", "", "events", "CPU s", "  (min-max)", "in user",
	       "M ev/s", " (min-max)", "MiB"
	for (k = 1; k <= keys; k++)
		show(k)
	print "\n]" >json
	print ""
	for (k = 1; k <= keys; k++)
		compare(k)
}
