#!/bin/sh
# Prints the folder of a Debian tree of another architecture, which is downloaded and unpacked unless that has been
# done: what virtual machines of that architecture run, and what their programs are linked with. Nothing is installed.
#
#   tests/kernels/foreign.sh arm64 PACKAGE[=VERSION]...      packages that are needed themselves are to be named
set -eu

here=$(cd "$(dirname "$0")" && pwd)
arch=$1
shift
cache=$("$here/kernel.sh" --cache)
# The name changes with what is in it.
folder=$cache/$arch-tree-$(echo "$@" | cksum | cut -d ' ' -f 1)

if [ ! -d "$folder" ]; then
    rm -rf "$folder.new"
    mkdir -p "$folder.new/packages"
    for package; do
        name=${package%%=*}
        (cd "$folder.new/packages" && "$here/apt-root.sh" "$cache/apt" \
            apt-get download -qq "$name:$arch${package#"$name"}" </dev/null >&2)
    done
    for package in "$folder.new"/packages/*.deb; do dpkg-deb -x "$package" "$folder.new"; done
    rm -rf "$folder.new/packages"
    mv "$folder.new" "$folder"
fi
echo "$folder"
