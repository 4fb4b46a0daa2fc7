#!/bin/sh
# Builds the static programs and packs the initramfs. Status 3: what building for that architecture needs cannot be had.
#
#   tests/kernels/build.sh amd64|arm64 ARCHIVE
set -eu

here=$(cd "$(dirname "$0")" && pwd)
arch=$1
archive=$2
cd "$here/../.."

missing() {
    echo "kernels: $*" >&2
    exit 3
}

# Prints the folder of Rust's standard library for a target, where rustc does not find it by itself. rustup has one to
# install. Debian's compiler has only its own, and that of the same version as a package of the other architecture.
rust_library() {
    known=$(scripts/with-rust rustc --print target-libdir --target "$1")
    if ls "$known"/libstd-*.rlib >/dev/null 2>&1 || scripts/with-rust rustup target add "$1" >&2; then
        return
    fi
    for suffix in -web ''; do
        if version=$(dpkg-query -W -f '${Version}' "rustc$suffix" 2>/dev/null); then
            tree=$(tests/kernels/foreign.sh "$arch" "libstd-rust$suffix-dev=$version") || return
            echo "$tree/usr/lib/rustlib/$1/lib"
            return
        fi
    done
    return 1
}

library=
case $arch in
    amd64)
        target=x86_64-unknown-linux-gnu
        tree=/
        LIBSECCOMP_LIB_PATH=$(pkg-config --variable=libdir libseccomp)
        ;;
    arm64)
        target=aarch64-unknown-linux-gnu
        CC=aarch64-linux-gnu-gcc
        export CC_aarch64_unknown_linux_gnu=$CC AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$CC
        # libc6 is what strace needs.
        tree=$(tests/kernels/foreign.sh "$arch" busybox-static libseccomp-dev strace libc6) ||
            missing "Debian's packages for $arch cannot be had"
        LIBSECCOMP_LIB_PATH=$tree/usr/lib/aarch64-linux-gnu
        library=$(rust_library "$target") || missing "Rust's standard library for $target cannot be had"
        ;;
esac
# A target of its own keeps the flags away from build scripts, and the products away from other builds.
export RUSTFLAGS="-C target-feature=+crt-static${library:+ -L $library}"
export LIBSECCOMP_LINK_TYPE=static LIBSECCOMP_LIB_PATH
scripts/with-rust cargo build --quiet --locked --profile kernels --target "$target" \
    -p seccomp-trace --bin seccomp-trace --features seccomp-trace/vendored \
    -p seccomp-trace-kernel-tests --bin kernel-tests --features seccomp-trace-kernel-tests/vendored
out=${CARGO_TARGET_DIR:-target}/$target/kernels
CC=${CC:-cc} tests/kernels/initramfs.sh "$arch" "$tree" "$archive" "$out/seccomp-trace" "$out/kernel-tests"
