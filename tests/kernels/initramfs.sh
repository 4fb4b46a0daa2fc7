#!/bin/sh
# Packs what a virtual machine boots: busybox, strace with its libraries, our static programs, the tracees.
#
#   tests/kernels/initramfs.sh amd64|arm64 TREE ARCHIVE PROGRAM...      compiler: CC
#
# TREE is where busybox and strace of that architecture are: / or a folder with unpacked packages.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
arch=$1
tree=${2%/}
archive=$3
shift 3
root=$archive.d

compile_tracees() {
    for source in "$here"/../tracees/*.c "$here"/tracees/*.c; do
        name=$(basename "$source" .c)
        # Programs for x86_64 alone.
        case $name-$arch in *-amd64) ;; int80-* | emulated-*) continue ;; esac
        "${CC:-cc}" -static -D_GNU_SOURCE -std=gnu11 -O1 -pthread -I "$here/../tracees" \
            -o "$root/tracees/$name" "$source"
    done
    case $arch in
        amd64)
            as --32 -o "$archive.o" "$here/../tracees/i386.S"
            ld -m elf_i386 -o "$root/tracees/i386" "$archive.o"
            ;;
        arm64)
            arm-linux-gnueabi-as -o "$archive.o" "$here/tracees/arm.S"
            arm-linux-gnueabi-ld -o "$root/tracees/arm" "$archive.o"
            ;;
    esac
}

# A dynamic program, where its loader and libraries look for each other.
copy_dynamic() {
    cp "$1" "$root/bin/"
    libraries "$1" | while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$tree$library" "$root$library"
    done
}

# The libraries of a program, with their paths: asked of its loader, or, where that cannot run, found in the tree.
libraries() {
    if [ -z "$tree" ]; then
        ldd "$1" | grep -o '/[^ ]*'
        return
    fi
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r name; do
        # The loader is where the program says, and the libraries where the loader looks.
        find "$tree/lib" -name "$name" | sed "s|^$tree||"
    done
}

rm -rf "$root"
for folder in bin dev etc proc run sys tmp tracees; do mkdir -p "$root/$folder"; done
compile_tracees
cp "$tree/bin/busybox" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
copy_dynamic "$tree/usr/bin/strace"
cp "$here/init" "$@" "$root/"
for program in "$@"; do mv "$root/$(basename "$program")" "$root/bin/"; done
chmod 755 "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$archive"
rm -rf "$root" "$archive.o"
