#compdef git-lane
#description keep coding agents inside their lanes
# zsh completion for git-lane, and for `git lane` by zsh's own completion of git.
# Put it into a folder of $fpath as _git-lane:
#   git lane completions zsh >~/.zfunc/_git-lane     (fpath+=~/.zfunc before compinit)
# or load it from ~/.zshrc, after compinit:   source <(git lane completions zsh)

_git-lane () {
	local -a start lines open closed
	local line value
	# The folder of `git -C`, which git's completion has taken from the words.
	[[ -n ${opt_args[-C]-} ]] && start=(-C ${(Q)opt_args[-C]})
	lines=("${(@f)$(command git-lane complete zsh $(( CURRENT - 1 + $#start )) -- git-lane "${start[@]}" "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
	for line in $lines; do
		# A colon of the value has a backslash before it.
		value=${line%%[^\\]:*}
		[[ $line == *[^\\]:* ]] && value=$line[1,$(( $#value + 1 ))]
		case $value in
			*[/=]) open+=("$line") ;;
			*) closed+=("$line") ;;
		esac
	done
	local ret=1
	(( $#closed )) && _describe -V 'git lane' closed && ret=0
	(( $#open )) && _describe -V 'git lane' open -S '' && ret=0
	return ret
}

if [[ ${funcstack[1]-} == _git-lane ]]; then
	_git-lane "$@"
else
	(( $+functions[compdef] )) && compdef _git-lane git-lane
fi
