#!/bin/sh
# Downloads a release of git-lane, checks it, and puts it into ~/.local. Nothing is built, and no root needed.
set -eu

repository=@REPOSITORY@
tag=@TAG@

usage() {
    cat <<USAGE
usage: sh install-release.sh [--prefix DIR] [--tag TAG] [--target TRIPLE]

  --prefix DIR      another place than ~/.local
  --tag TAG         another release than $tag
  --target TRIPLE   another platform than this one

LANE_RELEASES=URL   where releases are, for a mirror: URL/TAG/FILE
USAGE
}

fail() {
    printf 'install-release: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '  help: %s\n' "$2" >&2
    exit 2
}

prefix=${PREFIX:-${HOME:?HOME is not set}/.local}
target=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix | --tag | --target) [ $# -gt 1 ] || fail "$1 needs a value" ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    case $1 in
        --prefix) prefix=$2 ;;
        --tag) tag=$2 ;;
        --target) target=$2 ;;
    esac
    shift 2
done
releases=${LANE_RELEASES:-https://github.com/$repository/releases/download}

if [ -z "$target" ]; then
    case $(uname -s) in
        Linux) system=unknown-linux-musl ;;
        Darwin) system=apple-darwin ;;
        *) fail "there is no release for $(uname -s)" "on Windows: install-release.ps1, or winget install git-lane" ;;
    esac
    case $(uname -m) in
        x86_64 | amd64) processor=x86_64 ;;
        aarch64 | arm64) processor=aarch64 ;;
        *) fail "there is no release for $(uname -m)" "build it from its sources: ./install.sh" ;;
    esac
    target=$processor-$system
fi
archive=git-lane-$target.tar.gz

if command -v curl >/dev/null 2>&1; then
    get() { curl --fail --silent --show-error --location --proto '=https,file' --retry 3 --output "$2" "$1"; }
elif command -v wget >/dev/null 2>&1; then
    get() { wget --quiet --tries=3 --output-document="$2" "$1"; }
else
    fail "neither curl nor wget is there" "install one of them"
fi
if command -v sha256sum >/dev/null 2>&1; then
    sum() { sha256sum "$1"; }
elif command -v shasum >/dev/null 2>&1; then
    sum() { shasum -a 256 "$1"; }
else
    fail "neither sha256sum nor shasum is there, so that what is downloaded cannot be checked" "install coreutils"
fi

place=$(mktemp -d)
new=$prefix/bin/.git-lane.$$
trap 'rm -rf "$place" "$new"' EXIT
for file in "$archive" SHA256SUMS; do
    get "$releases/$tag/$file" "$place/$file" ||
        fail "$releases/$tag/$file could not be downloaded" "look which releases there are: https://github.com/$repository/releases"
done
wanted=$(awk -v file="$archive" '$2 == file { print $1 }' "$place/SHA256SUMS")
found=$(sum "$place/$archive" | cut -d ' ' -f 1)
[ -n "$wanted" ] || fail "SHA256SUMS of $tag says nothing of $archive" "report it"
[ "$wanted" = "$found" ] || fail "$archive is not what was released: its checksum is $found, not $wanted" "try again; then report it"
# Who built it, where that can be asked. A mirror has no attestations.
attested=
if [ -z "${LANE_RELEASES:-}" ] && command -v gh >/dev/null 2>&1 && gh auth status >/dev/null 2>&1; then
    gh attestation verify "$place/$archive" --repo "$repository" --source-ref "refs/tags/$tag" >/dev/null ||
        fail "$archive was not built by $repository from $tag" "report it"
    attested=', attestation'
fi

mkdir "$place/unpacked"
tar -xzf "$place/$archive" --strip-components=1 -C "$place/unpacked" || fail "$archive cannot be unpacked"
for program in git-lane git-lane-hook; do
    said=$("$place/unpacked/bin/$program" --version) || fail "$program of $target cannot be run here"
    [ "$said" = "$program ${tag#v}" ] || fail "$program of $tag says it is $said" "report it"
done
mkdir -p "$prefix/bin" "$prefix/share" || fail "$prefix cannot be written" "name a folder of your own: --prefix DIR"
# Beside its place first, then renamed: an interrupted copy never leaves half a program there. git-lane-hook comes last, as it is
# not to be the older one.
for program in git-lane git-lane-hook; do
    cp "$place/unpacked/bin/$program" "$new" && chmod 755 "$new" && mv -f "$new" "$prefix/bin/$program" ||
        fail "$prefix/bin/$program cannot be written" "name a folder of your own: --prefix DIR"
done
cp -R "$place/unpacked/share/." "$prefix/share/" || fail "$prefix/share cannot be written"
echo "installed git-lane ${tag#v} as $prefix/bin/git-lane (checked: version, checksum$attested)"
case :$PATH: in
    *:"$prefix/bin":*) ;;
    *) printf '  help: put it on your path: export PATH="%s:$PATH"\n' "$prefix/bin" ;;
esac
