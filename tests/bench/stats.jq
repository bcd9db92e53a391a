# SPDX-License-Identifier: GPL-2.0
# What the benches that compare arms say of numbers: of an array of them, and of that in a cell of a table.
def round4: . * 10000 | round / 10000;
def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def spread($base): if length == 0 then null else { median: (median | round4), min: (min | round4), max: (max | round4),
	runs: length, ratio: (if ($base // 0) > 0 then (median / $base | round4) else null end) } end;

def short: if fabs >= 100 then round else . * 1000 | round / 1000 end;
def cell: if . then "\(.median | short) (\(.min | short)-\(.max | short)) " +
	(if .ratio then .ratio | short | tostring else "-" end) else "-" end;
