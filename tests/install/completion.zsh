# SPDX-License-Identifier: GPL-2.0
# What zsh makes of a line when TAB is pressed: one line of input per argument, one of output each.
# usage: zsh -f completion.zsh FOLDER-OF-COMPLETIONS LINE...
zmodload zsh/zpty zsh/zselect || exit 1
folder=$1
shift

# An interactive zsh that shows its line, and nothing else, when ^X is pressed.
zpty z zsh -f -i
zpty -w z "PS1= PS2= RPS1= fpath=($folder \$fpath) TERM=dumb"
zpty -w z "autoload -U compinit && compinit -u -D"
zpty -w z "unsetopt zle_bracketed_paste prompt_sp 2>/dev/null; LISTMAX=1000; setopt no_list_beep no_beep"
zpty -w z "show() { print -r -- \"<<\$BUFFER>>\" >>\$SHOWN; BUFFER= }; zle -N show; bindkey '^X' show"
zpty -w z "SHOWN=$PWD/shown; : >\$SHOWN"
n=0 lines=()
for line; do
	zpty -w -n z "$line"$'\t'$'\x18'
	n=$((n + 1))
	# It goes on only while somebody reads what it writes.
	for try in {1..3000}; do
		while zpty -r -t z text; do :; done
		[[ -e shown ]] && lines=("${(@f)$(<shown)}") && ((${#lines} >= n)) && [[ -n $lines[1] ]] && break
		zselect -t 1
	done
done
zpty -d z
