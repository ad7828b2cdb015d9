#!/bin/sh
# Puts git-lane on the path: a release where this checkout is one, else built from these sources. No root needed.
set -eu

usage() {
    cat <<'USAGE'
usage: ./install.sh [--prefix DIR] [--build | --release] [REPO | --demo]
       ./install.sh --uninstall [--prefix DIR] [REPO]

  (nothing)      put git-lane into DIR/bin (default: ~/.local/bin), with its manual pages and
                 completions in DIR/share: downloaded where this checkout is a release, else built
  REPO           the same, then install the hooks into that repository
  --demo         the same, then show the hooks at work on a scratch repository of four agents
  --build        build it, whatever there is to download
  --release      download the release of this version, and build nothing
  --prefix DIR   another place than ~/.local
  --uninstall    remove what this put into DIR; with REPO its hooks, first
USAGE
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '  help: %s\n' "$2" >&2
    exit 2
}

prefix=${PREFIX:-${HOME:?HOME is not set}/.local}
repo= demo= from=auto uninstall=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ $# -gt 1 ] || fail "--prefix needs a folder"; prefix=$2; shift ;;
        --demo) demo=yes ;;
        --build) from=build ;;
        --release) from=release ;;
        --uninstall) uninstall=yes ;;
        -h | --help) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) [ -z "$repo" ] || fail "one repository at a time: $repo or $1?"; repo=$1 ;;
    esac
    shift
done
[ -z "$repo" ] || [ -d "$repo" ] || fail "$repo is no folder" "name a git repository, or clone one first"
here=$(cd "$(dirname "$0")" && pwd)
share=$prefix/share
lane=$prefix/bin/git-lane

if [ -n "$uninstall" ]; then
    if [ -n "$repo" ]; then
        [ -x "$lane" ] || fail "$lane is not there to remove the hooks of $repo" "install it again first: ./install.sh"
        "$lane" -C "$repo" uninstall --all
    fi
    found=
    for file in "$lane" "$prefix/bin/git-lane-hook" "$share"/man/man1/git-lane.1 "$share"/man/man1/git-lane-*.1 \
        "$share/bash-completion/completions/git-lane" "$share/zsh/site-functions/_git-lane" \
        "$share/fish/vendor_conf.d/git-lane.fish" "$share"/doc/git-lane/*; do
        [ -e "$file" ] || continue
        rm -f "$file" || fail "$file cannot be removed"
        found=yes
    done
    [ -n "$found" ] || fail "nothing of git-lane is in $prefix" "name the folder that it was installed in: --prefix DIR"
    echo "removed git-lane from $prefix"
    echo "note: hooks that are installed in repositories stay there, and go on or refuse. To remove them:"
    echo "  ./install.sh, then in each repository: git lane uninstall --all"
    exit 0
fi

# What is missing, and the command that gets it on the system at hand.
packages() {
    if command -v apt-get >/dev/null 2>&1; then echo "sudo apt-get install $1"
    elif command -v dnf >/dev/null 2>&1; then echo "sudo dnf install $2"
    elif command -v apk >/dev/null 2>&1; then echo "sudo apk add $3"
    elif command -v brew >/dev/null 2>&1; then echo "$4"
    else echo "install $1 with your system's package manager"; fi
}
command -v git >/dev/null 2>&1 || fail "git is missing" "$(packages git git git 'brew install git')"

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$here/Cargo.toml")
# A checkout is a release where its commit has the tag of its version, and nothing is changed.
is_release() {
    [ "$(git -C "$here" describe --tags --exact-match --match "v$version" 2>/dev/null)" = "v$version" ] &&
        [ -z "$(git -C "$here" status --porcelain --untracked-files=no 2>/dev/null)" ]
}

download() {
    # Whoever this was cloned from released it, and nobody else.
    repository=$(git -C "$here" remote get-url origin 2>/dev/null |
        sed -nE 's#\.git$##; s#^(https://|ssh://git@|git@)github\.com[:/]([^/]+/[^/]+)$#\2#p')
    [ -n "$repository${LANE_RELEASES:-}" ] || { echo "install.sh: origin is not on GitHub, where releases are" >&2; return 1; }
    script=$(mktemp)
    sed "s|@REPOSITORY@|$repository|; s|@TAG@|v$version|" "$here/xtask/installers/install-release.sh" >"$script" || return 1
    code=0
    sh "$script" --prefix "$prefix" ${LANE_TARGET:+--target "$LANE_TARGET"} || code=$?
    rm -f "$script"
    return $code
}

build() {
    command -v cargo >/dev/null 2>&1 || fail "cargo (Rust) is missing" \
        "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 ||
        fail "a C compiler is missing" "$(packages build-essential gcc build-base 'xcode-select --install')"
    cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    echo "building git-lane: the first time takes about $((1 + 12 / cores)) minutes on $cores cores …"
    started=$(date +%s)
    "$here/scripts/build" ||
        fail "the build failed" "the message above says why; Rust must be 1.89 or newer: rustup update stable"
    echo "built in $(($(date +%s) - started)) s"
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
    echo "installed $("$lane" --version) as $lane"
    case :$PATH: in
        *:"$prefix/bin":*) ;;
        *) printf '  help: put it on your path: export PATH="%s:$PATH"\n' "$prefix/bin" ;;
    esac

    # The manual, for `git lane --help`, and completions where bash-completion, zsh and fish look for them. git-lane works
    # without: what cannot be written is said, and no more.
    "$lane" mangen "$share/man/man1" >/dev/null || echo "install.sh: the manual pages were left out" >&2
    put bash-completion/completions/git-lane "$lane" completions bash &&
        put zsh/site-functions/_git-lane "$lane" completions zsh &&
        put fish/vendor_conf.d/git-lane.fish "$lane" completions fish ||
        echo "install.sh: completions were left out" >&2
}

put() { # PATH COMMAND…
    file=$share/$1
    shift
    mkdir -p "${file%/*}" && "$@" >"$new" && chmod 644 "$new" && mv -f "$new" "$file"
}

case $from in
    release) download || fail "release v$version was not installed" "build it: ./install.sh --build" ;;
    auto) if is_release; then download || { echo "install.sh: building it instead" >&2; build; }; else build; fi ;;
    build) build ;;
esac
if command -v man >/dev/null 2>&1 && ! PATH=$prefix/bin:$PATH man -w git-lane >/dev/null 2>&1; then
    printf '  help: for "git lane --help", let man find %s: export MANPATH="%s:"\n' "$share/man" "$share/man"
fi

if [ -n "$repo" ]; then
    "$lane" -C "$repo" install --all
fi
if [ -n "$demo" ]; then
    exec sh "$here/scripts/demo" "$lane"
fi
