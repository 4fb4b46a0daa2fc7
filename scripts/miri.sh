#!/bin/sh
# Runs the tests of the pure crates, and of the decoding in the others, in Miri, which finds undefined behaviour. Needs a
# nightly toolchain with the component miri; where there is none, says so.
#
#   scripts/miri.sh
set -eu

cd "$(dirname "$0")/.."
scripts/deps.sh build
if ! cargo +nightly miri --version >/dev/null 2>&1; then
    echo "miri: LEFT OUT: no nightly toolchain with Miri (rustup toolchain install nightly --component miri,rust-src)"
    exit 0
fi

# Tests read files; a few cases of a property show as much here as hundreds.
export MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=4
miri() { cargo +nightly miri test --locked --target-dir "${CARGO_TARGET_DIR:-target}/miri" "$@"; }

miri -p seccomp-trace-core
# What is about verdicts and takes minutes here is left to the ordinary run.
miri -p seccomp-trace-profile --no-default-features --lib -- \
    --skip dense_masks --skip functions_that_are_equal --skip comparisons_of_small_numbers
# No foreign code is called where bytes from the kernel are taken apart.
miri -p seccomp-trace-bpf --lib -- decode wire btf captures --skip libbpf_finds_the_same_types
