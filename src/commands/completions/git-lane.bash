# bash completion for git-lane: `git lane` where git's own completion is loaded, and `git-lane`.
# Load it from ~/.bashrc:   source <(git lane completions bash)
# or put it where bash-completion finds it by itself:
#   git lane completions bash >~/.local/share/bash-completion/completions/git-lane

# Sets COMPREPLY for the words after the first: `words` up to the cursor, of which the last is completed.
__git_lane_reply ()
{
	local current=${!#} value before=
	# Readline takes what follows the last = or : for the word.
	if [[ $COMP_WORDBREAKS == *=* && $current == *=* ]]; then
		before=${current%"${current##*=}"}
	fi
	if [[ $COMP_WORDBREAKS == *:* && ${current#"$before"} == *:* ]]; then
		before=${current%"${current##*:}"}
	fi
	COMPREPLY=()
	while IFS= read -r value; do
		value=${value#"$before"}
		case $value in
			*[^A-Za-z0-9_/.,:=@%+-]*) printf -v value %q "$value" ;;
		esac
		case $value in
			*/ | *=) ;;
			*) value+=' ' ;;
		esac
		COMPREPLY+=("$value")
	done < <(command git-lane complete bash "$#" -- git-lane "$@" 2>/dev/null)
	compopt -o nospace 2>/dev/null
}

# What git's completion calls for `git lane`.
_git_lane ()
{
	local at=${__git_cmd_idx-}
	if [ -z "$at" ]; then
		for ((at = 1; at < cword; at++)); do
			[ "${words[at]}" = lane ] && break
		done
	fi
	__git_lane_reply "${__git_C_args[@]}" "${words[@]:at+1:cword-at}"
}

_git_lane_alone ()
{
	local cur prev words cword
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n =: cur prev words cword
	else
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	fi
	__git_lane_reply "${words[@]:1:cword}"
}

complete -o bashdefault -o default -o nospace -F _git_lane_alone git-lane
