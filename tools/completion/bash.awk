# SPDX-License-Identifier: GPL-2.0
# A tool's option table (tools/common/optable.h) and bash.in -> its completion for bash.
# usage: awk -f bash.awk TABLE bash.in

BEGIN { FS = "\t" }

# Metavariables are in capitals; what is not is a list of words to choose from.
function values(arg) {
	if (arg == "FILE")
		return "@file"
	if (arg !~ /^[a-z_|]+$/)
		return "@none"
	gsub(/\|/, " ", arg)
	return arg
}

# Of "ple-trace record" the second word; a tool without commands has the command "-".
function command(field,   part) { return split(field, part, " ") > 1 ? part[2] : "-" }

function cases(   i, c, s) {
	for (i = 1; i <= n; i++) {
		c = seen[i]
		s = s (i > 1 ? "\n" : "") "\t" c ")\n\t\topts='" substr(words[c], 2) "' rest=" rest[c] "\n"
		if (takes[c] != "")
			s = s "\t\tcase $prev in\n" takes[c] "\t\tesac\n"
		s = s "\t\t;;"
	}
	return s
}

FNR != NR {
	if ($0 == "@cases@") {
		print cases()
	} else {
		gsub(/@tool@/, tool)
		gsub(/@fn@/, fn)
		gsub(/@commands@/, substr(commands, 2))
		print
	}
	next
}
$1 == "tool" { tool = $2; fn = "_" tool; gsub(/-/, "_", fn) }
$1 == "command" { commands = commands " " command($2) }
$1 == "args" {
	c = command($2)
	seen[++n] = c
	rest[c] = $3 ~ /\.kvs/ ? "traces" : $3 ~ /COMMAND/ ? "command" : "nothing"
}
$1 == "option" {
	c = command($2)
	short = $4 == "" ? "" : "-" $4
	words[c] = words[c] " --" $3 (short == "" ? "" : " " short)
	if ($5 != "" && $6 != "optional")
		takes[c] = takes[c] "\t\t--" $3 (short == "" ? "" : " | " short) \
			") values='" values($5) "' ;;\n"
}
