#!/bin/sh
# git-lane hook @NAME@ (portable form 2), written by `git lane install`, taken away by `git lane uninstall`.
# git starts it where the repository lies elsewhere than it did at the installation: in a container, or moved.
lane=@BINARY@
if "${0%/*}/../bin/git-lane" --version >/dev/null 2>&1; then
	lane=${0%/*}/../bin/git-lane
elif [ ! -x "$lane" ] && ! lane=$(command -v git-lane); then
	printf '%s\n' "git-lane: @NAME@ is blocked: there is no git-lane, neither beside the hooks nor on the PATH." \
		"Install git-lane here, then run: git lane install" >&2
	exit 2
fi
part=
[ "${0##*/}" = @NAME@ ] || part=--renamed
exec "$lane" hook $part @NAME@ "$@"
