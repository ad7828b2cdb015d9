#!/bin/sh
# git-lane hook @NAME@ (form 1), written by `git lane install`, taken away by `git lane uninstall`.
# Where the first line names a program, that does all of this, and no shell is started.
lane=@BINARY@
if [ ! -x "$lane" ]; then
	printf '%s\n' "git-lane: @NAME@ is blocked: $lane is not there, or is not executable." \
		"Install git-lane again, then run: git lane install" >&2
	exit 2
fi
exec "$lane" hook @NAME@ "$@"
