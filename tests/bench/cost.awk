# SPDX-License-Identifier: GPL-2.0
# Samples of cost.host as tables and JSON. Lines: KERNEL PAIRS-PER-LOOP WORK TOOL HOW NS COUNT.
# Added cost = (a sample's ns per event - the median without a tool) / events of one kind in it.

function key_of(kernel, work, tool, how) { return kernel SUBSEP work SUBSEP tool SUBSEP how }

# The values of sample[key, 1..n[key]], sorted, into v; returns how many.
function sorted(key, v,    i, j, t, m) {
	m = n[key]
	for (i = 1; i <= m; i++) {
		t = sample[key, i]
		for (j = i - 1; j > 0 && v[j] > t; j--)
			v[j + 1] = v[j]
		v[j + 1] = t
	}
	return m
}

function median(key,    v, m) {
	m = sorted(key, v)
	return m % 2 ? v[(m + 1) / 2] : (v[m / 2] + v[m / 2 + 1]) / 2
}

{
	tool = $4
	gsub(/_/, " ", tool)
	key = key_of($1, $3, tool, $5)
	sample[key, ++n[key]] = $6 / $7
	per[$1, "exits"] = 1
	per[$1, "pairs"] = $2 > 0 ? $2 : 2
	per[$1, "looks"] = 1
	if (!((key) in seen)) {
		seen[key] = 1
		order[++keys] = key
	}
}

function added(key, base, unit,    v, m) {
	m = sorted(key, v)
	return sprintf("%.1f %.1f %.1f", (median(key) - base) / unit, (v[1] - base) / unit,
		       (v[m] - base) / unit)
}

function title(work) {
	if (work == "exits")
		return "Instructions added per VM exit"
	if (work == "looks")
		return "Instructions per look at a lock page"
	return "Instructions added per uncontended lock and unlock"
}

# What an event of this work is called in JSON.
function event(work) {
	return work == "exits" ? "exit" : work == "looks" ? "look" : "lock pair"
}

function without(work, base, pairs) {
	if (work == "looks")
		return ""
	return sprintf(" (without: %.1f%s)", base, work == "pairs" ? " per loop of " pairs " pairs" : "")
}

function cell(key, base, unit,    a) {
	if (!(key in n))
		return sprintf("%10s %17s", "-", "")
	split(added(key, base, unit), a, " ")
	return sprintf("%10.1f %8.1f-%-8.1f", a[1], a[2], a[3])
}

function show(k,    p, total, probe, base) {
	split(order[k], p, SUBSEP)
	if (p[3] == "none" || p[4] != "total")
		return
	if (p[1] SUBSEP p[2] != last) {
		base = median(key_of(p[1], p[2], "none", "total"))
		printf "%s%s, kernel %s%s\n\n", last ? "\n" : "", title(p[2]), p[1],
		       without(p[2], base, per[p[1], p[2]])
		printf "%-26s %10s %-17s %10s %s\n", "", "in all", " (min-max)", "in probe", " (min-max)"
		last = p[1] SUBSEP p[2]
	}
	base = median(key_of(p[1], p[2], "none", "total"))
	probe = key_of(p[1], p[2], p[3], "probe")
	printf "%-26s %s", p[3], cell(order[k], base, per[p[1], p[2]])
	base = (key_of(p[1], p[2], "none", "probe") in n) ? median(key_of(p[1], p[2], "none", "probe")) : 0
	printf " %s\n", cell(probe, base, per[p[1], p[2]])
}

function write_json(k,    p, a, base) {
	split(order[k], p, SUBSEP)
	base = median(key_of(p[1], p[2], "none", p[4]))
	split(added(order[k], base, per[p[1], p[2]]), a, " ")
	printf("%s\n  {\"kernel\": \"%s\", \"per\": \"%s\", \"tool\": \"%s\", ", (k > 1) ? "," : "[",
	       p[1], event(p[2]), p[3]) >json
	printf("\"what\": \"%s\", \"added\": %s, \"min\": %s, \"max\": %s, \"samples\": %d}", p[4],
	       a[1], a[2], a[3], n[order[k]]) >json
}

END {
	for (k = 1; k <= keys; k++)
		show(k)
	for (k = 1; k <= keys; k++)
		write_json(k)
	print "\n]" >json
}
