#!/bin/sh
# Builds the static programs and packs the initramfs.
#
#   tests/kernels/build.sh ARCHIVE
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=$(uname -m)-unknown-linux-gnu
out=${CARGO_TARGET_DIR:-$here/../../target}/$target/release

# A target of its own keeps the flags away from build scripts, and the products away from other builds.
export RUSTFLAGS='-C target-feature=+crt-static'
export LIBSECCOMP_LINK_TYPE=static
LIBSECCOMP_LIB_PATH=$(pkg-config --variable=libdir libseccomp)
export LIBSECCOMP_LIB_PATH
cd "$here/../.."
scripts/with-rust cargo build --quiet --locked --release --target "$target" \
    -p seccomp-trace --bin seccomp-trace --features seccomp-trace/vendored \
    -p seccomp-trace-kernel-tests --bin kernel-tests --features seccomp-trace-kernel-tests/vendored
tests/kernels/initramfs.sh "$1" "$out/seccomp-trace" "$out/kernel-tests"
