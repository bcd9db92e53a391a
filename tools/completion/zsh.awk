# SPDX-License-Identifier: GPL-2.0
# A tool's option table (tools/common/optable.h) -> its completion for zsh.

BEGIN { FS = "\t" }

# Inside '...[text]...' of an _arguments specification.
function quoted(s) {
	gsub(/\\/, "\\\\", s)
	gsub(/\[/, "\\[", s)
	gsub(/\]/, "\\]", s)
	gsub(/:/, "\\:", s)
	gsub(/'/, "'\\''", s)
	return s
}

# Metavariables are in capitals; what is not is a list of words to choose from.
function action(arg,   words) {
	if (arg == "FILE")
		return ":FILE:_files"
	if (arg !~ /^[a-z_|]+$/)
		return ":" quoted(arg) ": "
	words = arg
	gsub(/\|/, " ", words)
	return ":" quoted(arg) ":(" words ")"
}

function command(field,   part) { return split(field, part, " ") > 1 ? part[2] : "-" }

$1 == "tool" { tool = $2; fn = "_" tool; gsub(/-/, "_", fn) }
$1 == "command" {
	commands = commands "\t\t'" command($2) ":" quoted($3) "'\n"
}
$1 == "args" {
	c = command($2)
	seen[++n] = c
	rest[c] = $3 ~ /\.kvs/ ? "'*:trace:_files -g \"*.kvs\"'" : \
		$3 ~ /COMMAND/ ? "'*::command: _normal'" : ""
}
$1 == "option" {
	c = command($2)
	value = $5 == "" ? "" : action($5)
	if (value != "" && $6 == "optional")
		value = ":" value
	plus = $5 == "" ? "" : "="
	if ($4 == "")
		spec = "'--" $3 plus "[" quoted($7) "]" value "'"
	else
		spec = "'(-" $4 " --" $3 ")'{-" $4 ($5 == "" ? "" : "+") ",--" $3 plus "}'[" \
			quoted($7) "]" value "'"
	specs[c] = specs[c] " \\\n\t\t\t" spec
}
END {
	printf "#compdef %s\n", tool
	printf "# Completion of %s for zsh; made from the options of the program itself.\n\n", tool
	printf "%s() {\n", fn
	if (commands == "") {
		printf "\t_arguments -S%s \\\n\t\t\t%s\n", specs["-"], rest["-"]
	} else {
		print "\tlocal curcontext=$curcontext state line"
		print "\tlocal -a commands"
		printf "\tcommands=(\n%s\t)\n", commands
		print "\t_arguments -C '(- *)'{-h,--help}'[print help]' '(- *)'{-V,--version}'[print the version]' \\"
		print "\t\t'1: :->command' '*:: :->rest'"
		print "\tcase $state in"
		print "\tcommand) _describe command commands ;;"
		print "\trest)\n\t\tcase $words[1] in"
		for (i = 1; i <= n; i++) {
			c = seen[i]
			printf "\t\t%s)\n\t\t\t_arguments -S%s", c, specs[c]
			if (rest[c] != "")
				printf " \\\n\t\t\t%s", rest[c]
			print " ;;"
		}
		print "\t\tesac ;;\n\tesac"
	}
	printf "}\n\n%s \"$@\"\n", fn
}
