#!/bin/sh
# Packs what a virtual machine boots: busybox, strace with its libraries, our static programs, the tracees.
#
#   tests/kernels/initramfs.sh ARCHIVE PROGRAM...      compiler: CC; strace is packed where it is this machine's kind
set -eu

here=$(cd "$(dirname "$0")" && pwd)
archive=$1
shift
root=$archive.d

compile_tracees() {
    for source in "$here"/../tracees/*.c "$here"/tracees/*.c; do
        name=$(basename "$source" .c)
        case $name-$(uname -m) in int80-x86_64) ;; int80-*) continue ;; esac
        "${CC:-cc}" -static -D_GNU_SOURCE -std=gnu11 -O1 -pthread -I "$here/../tracees" \
            -o "$root/tracees/$name" "$source"
    done
    if [ "$(uname -m)" = x86_64 ]; then
        as --32 -o "$archive.o" "$here/../tracees/i386.S"
        ld -m elf_i386 -o "$root/tracees/i386" "$archive.o"
    fi
}

# A dynamic program, where its loader and libraries look for each other.
copy_dynamic() {
    program=$(command -v "$1")
    cp "$program" "$root/bin/"
    ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done
}

rm -rf "$root"
for folder in bin dev etc proc run sys tmp tracees; do mkdir -p "$root/$folder"; done
compile_tracees
cp "$(command -v busybox)" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
copy_dynamic strace
cp "$here/init" "$@" "$root/"
for program in "$@"; do mv "$root/$(basename "$program")" "$root/bin/"; done
chmod 755 "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$archive"
rm -rf "$root" "$archive.o"
