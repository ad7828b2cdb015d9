#!/bin/sh
# Builds git-lane and puts it on the path. No root needed.
set -eu

usage() {
    cat <<'USAGE'
usage: ./install.sh [--prefix DIR] [REPO | --demo]

  (nothing)      build git-lane and put it into DIR/bin (default: ~/.local/bin), with its manual
                 pages and completions in DIR/share
  REPO           the same, then install the hooks into that repository
  --demo         the same, then show the hooks at work on a scratch repository of four agents
  --prefix DIR   another place than ~/.local
USAGE
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '  help: %s\n' "$2" >&2
    exit 2
}

prefix=${PREFIX:-${HOME:?HOME is not set}/.local}
repo= demo=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ $# -gt 1 ] || fail "--prefix needs a folder"; prefix=$2; shift ;;
        --demo) demo=yes ;;
        -h | --help) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) [ -z "$repo" ] || fail "one repository at a time: $repo or $1?"; repo=$1 ;;
    esac
    shift
done
[ -z "$repo" ] || [ -d "$repo" ] || fail "$repo is no folder" "name a git repository, or clone one first"

# What is missing, and the command that gets it on the system at hand.
packages() {
    if command -v apt-get >/dev/null 2>&1; then echo "sudo apt-get install $1"
    elif command -v dnf >/dev/null 2>&1; then echo "sudo dnf install $2"
    elif command -v apk >/dev/null 2>&1; then echo "sudo apk add $3"
    elif command -v brew >/dev/null 2>&1; then echo "$4"
    else echo "install $1 with your system's package manager"; fi
}
command -v git >/dev/null 2>&1 || fail "git is missing" "$(packages git git git 'brew install git')"
command -v cargo >/dev/null 2>&1 || fail "cargo (Rust) is missing" \
    "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 ||
    fail "a C compiler is missing" "$(packages build-essential gcc build-base 'xcode-select --install')"

here=$(cd "$(dirname "$0")" && pwd)
echo "building git-lane (the first time takes a minute or two) …"
"$here/scripts/build" ||
    fail "the build failed" "the message above says why; Rust must be 1.89 or newer: rustup update stable"
built=${CARGO_TARGET_DIR:-$here/target}/release

# Beside its place first, then renamed: an interrupted copy never leaves half a program there.
mkdir -p "$prefix/bin" || fail "$prefix/bin cannot be made" "name a folder of your own: ./install.sh --prefix DIR"
new=$prefix/bin/.git-lane.$$
trap 'rm -f "$new"' EXIT
# git-lane-hook is what the hooks are started by: smaller, and no older than git-lane.
for program in git-lane git-lane-hook; do
    [ -x "$built/$program" ] || fail "the build left no $built/$program"
    cp "$built/$program" "$new" && chmod 755 "$new" && mv -f "$new" "$prefix/bin/$program" ||
        fail "$prefix/bin/$program cannot be written" "make room, or name another folder: ./install.sh --prefix DIR"
done
lane=$prefix/bin/git-lane
echo "installed $("$lane" --version) as $lane"
case :$PATH: in
    *:"$prefix/bin":*) ;;
    *) printf '  help: put it on your path: export PATH="%s:$PATH"\n' "$prefix/bin" ;;
esac

# The manual, for `git lane --help`, and completions where bash-completion, zsh and fish look for them. git-lane works
# without: what cannot be written is said, and no more.
share=$prefix/share
put() { # PATH COMMAND…
    file=$share/$1
    shift
    mkdir -p "${file%/*}" && "$@" >"$new" && chmod 644 "$new" && mv -f "$new" "$file"
}
"$lane" mangen "$share/man/man1" >/dev/null || echo "install.sh: the manual pages were left out" >&2
put bash-completion/completions/git-lane "$lane" completions bash &&
    put zsh/site-functions/_git-lane "$lane" completions zsh &&
    put fish/vendor_conf.d/git-lane.fish "$lane" completions fish ||
    echo "install.sh: completions were left out" >&2
if command -v man >/dev/null 2>&1 && ! PATH=$prefix/bin:$PATH man -w git-lane >/dev/null 2>&1; then
    printf '  help: for "git lane --help", let man find %s: export MANPATH="%s:"\n' "$share/man" "$share/man"
fi

if [ -n "$repo" ]; then
    "$lane" -C "$repo" install --all
fi
if [ -n "$demo" ]; then
    exec sh "$here/scripts/demo" "$lane"
fi
