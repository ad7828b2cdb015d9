#!/bin/sh
# git-lane hook @NAME@ (server form 1), written by `git lane install --server`, taken away by `git lane uninstall --server`.
lane=@BINARY@
if [ ! -x "$lane" ]; then
	printf '%s\n' "git-lane: @NAME@ is blocked, and nothing was pushed: $lane is missing or not executable." \
		"Whoever runs this server: install git-lane again, then run in this repository: git lane install --server" >&2
	exit 2
fi
exec "$lane" hook@FLAGS@ @NAME@ "$@"
