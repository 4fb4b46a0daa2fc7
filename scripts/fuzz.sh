#!/bin/sh
# Runs every fuzz target for SECONDS each (20): by cargo-fuzz where that works, else by a runner of our own, which
# mutates the same corpus without looking at coverage. Says which.
#
#   scripts/fuzz.sh [--stable] [SECONDS]       --stable: our own runner in any case
#
# What is found is written to fuzz/artifacts. The corpus that is checked in is read and never changed.
set -eu

cd "$(dirname "$0")/.."
stable=no
if [ "${1:-}" = --stable ]; then
    stable=yes
    shift
fi
seconds=${1:-20}
case $seconds in
    '' | *[!0-9]*)
        echo "fuzz: '$seconds' is no number of seconds" >&2
        exit 2
        ;;
esac
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(cd "$target" && pwd)/fuzz
cargo() { scripts/with-rust cargo "$@"; }

# Sanitizers are unstable options of the compiler, which a stable one takes when it is told so.
cargo_fuzz() { RUSTC_BOOTSTRAP=1 scripts/with-rust cargo fuzz "$@"; }
build() { cargo_fuzz build --fuzz-dir fuzz --target-dir "$target" --sanitizer "$1"; }

sanitizer=
if [ "$stable" = yes ]; then
    why="asked for"
elif ! cargo fuzz --version >/dev/null 2>&1; then
    why="cargo-fuzz is not installed (cargo install cargo-fuzz)"
elif ! command -v c++ >/dev/null 2>&1; then
    why="there is no C++ compiler to build libFuzzer with"
elif build address; then
    sanitizer=address
elif build none; then
    sanitizer=none
else
    why="cargo-fuzz cannot build here"
fi

if [ -z "$sanitizer" ]; then
    echo "fuzz: runner without libFuzzer: $why"
    exec scripts/with-rust cargo run --quiet --locked --manifest-path fuzz/Cargo.toml --target-dir "$target" \
        --no-default-features --bin stable -- --seconds "$seconds"
fi

echo "fuzz: cargo-fuzz, sanitizer: $sanitizer, $seconds s for each target"
log=$(mktemp)
found=$(mktemp -d)
trap 'rm -rf "$log" "$found"' EXIT
failed=
for file in fuzz/fuzz_targets/*.rs; do
    name=$(basename "$file" .rs)
    mkdir -p "$found/$name"
    words=
    if [ -e "fuzz/dictionaries/$name" ]; then words=-dict=fuzz/dictionaries/$name; fi
    # What is new goes into the first folder.
    if cargo_fuzz run --fuzz-dir fuzz --target-dir "$target" --sanitizer "$sanitizer" "$name" \
        "$found/$name" "fuzz/corpus/$name" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        ${words:+"$words"} >"$log" 2>&1; then
        echo "fuzz: $name: $(grep '^Done ' "$log"): ok"
    else
        failed="$failed $name"
        tail -40 "$log" >&2
        echo "fuzz: $name: FAILED" >&2
    fi
done
if [ -n "$failed" ]; then
    echo "fuzz: failed:$failed; the inputs are in fuzz/artifacts" >&2
    exit 1
fi
