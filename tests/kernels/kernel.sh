#!/bin/sh
# Prints the path of a Debian cloud kernel, which is downloaded and unpacked unless that has been done: nothing is
# installed. Delete the cache to get newer ones.
#
#   tests/kernels/kernel.sh amd64|arm64 SERIES      SERIES: 6.1, 6.12, … or newest
#   tests/kernels/kernel.sh --cache                 prints the folder of the cache
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/seccomp-trace/kernels
if [ "$1" = --cache ]; then
    echo "$cache"
    exit
fi
arch=$1
series=$2
folder=$cache/$arch/$series
apt() { "$here/apt-root.sh" "$cache/apt" "$@"; }

# The packages that may hold the kernel, newest first. Since 6.19 it is in linux-binary-*, and linux-image-* is empty.
packages() {
    version='[0-9]+\.[0-9]+'
    [ "$series" = newest ] || version=$(echo "$series" | sed 's/\./\\./')
    apt apt-cache pkgnames |
        sed -En "s/^linux-(image|binary)-($version\\.[0-9][^-]*(-[0-9.]+)?)-cloud-$arch\$/\\2 &/p" |
        sort -k 1,1Vr -k 2,2 | cut -d ' ' -f 2
}

# Unpacks one package, and fails where there is no kernel in it.
unpack() {
    rm -rf "$folder.new"
    mkdir -p "$folder.new/tree"
    # A file that a list names can be missing at the mirror.
    (cd "$folder.new" && apt apt-get download -qq "$1:$arch" </dev/null >&2) || return 1
    dpkg-deb -x "$folder.new"/*.deb "$folder.new/tree"
    image=$(find "$folder.new/tree/boot" "$folder.new/tree/usr/lib/modules" -name 'vmlinuz*' -type f 2>/dev/null | head -n 1)
    [ -n "$image" ] || return 1
    name=$(basename "$image")
    # The newer packages name the folder and not the file.
    [ "$name" != vmlinuz ] || name=vmlinuz-$(basename "$(dirname "$image")")
    mkdir -p "$folder"
    mv "$image" "$folder/$name"
    rm -rf "$folder.new"
}

if [ -z "$(ls "$folder" 2>/dev/null)" ]; then
    for package in $(packages); do
        if unpack "$package"; then break; fi
    done
    rm -rf "$folder.new"
fi
if [ -z "$(ls "$folder" 2>/dev/null)" ]; then
    echo "kernels: no kernel $series for $arch can be had" >&2
    exit 1
fi
echo "$folder/$(ls "$folder")"
