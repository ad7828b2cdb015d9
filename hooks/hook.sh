#!/bin/sh
# git-lane hook @NAME@ (@KIND@form 2), written by `git lane install`, taken away by `git lane uninstall`.
# Where the first line names a program, that does all of this, and no shell is started.
lane=@BINARY@
if [ ! -x "$lane" ]; then
	gone=$lane
	if ! lane=$(command -v git-lane); then
		printf '%s\n' "git-lane: @NAME@ is blocked: $gone is missing or not executable." \
			"@AGAIN@" >&2
		exit 2
	fi
fi
part=@PART@
[ -n "$part" ] || [ "${0##*/}" = @NAME@ ] || part=--renamed
exec "$lane" hook $part @NAME@ "$@"
