#!/bin/sh
# Runs the tests that reach foreign code (libbpf, libseccomp, libc) with everything of ours built for AddressSanitizer:
# what is read or written out of bounds, used after it was freed, freed twice, or never freed fails. The C of libbpf and
# libseccomp is not instrumented, but its memory is the sanitizer's too.
#
#   scripts/sanitize.sh [TEST FILE...]      names of files in tests/tests; none named: all but those that cannot
set -eu

cd "$(dirname "$0")/.."
scripts/deps.sh build test
host=$(scripts/with-rust rustc -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-target}/sanitized

# The search for leaks is a process that stops all others by ptrace, and a confined tracer can make none. A hook gets no
# environment of ours, so that this is its default; what runs in the tests' own processes is searched.
mkdir -p "$target"
echo 'const char *__asan_default_options(void) { return "detect_leaks=0"; }' | cc -xc -c -o "$target/options.o" -

# Sanitizers are unstable options of the compiler, which a stable one takes when it is told so. Naming the target keeps
# them away from build scripts. The background of a script ignores SIGINT, and nohup SIGHUP: tests send both.
cargo() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Clink-arg=$(realpath "$target")/options.o" \
        env --default-signal=HUP,INT,QUIT scripts/with-rust cargo "$@"
}

if ! echo 'fn main() {}' | RUSTC_BOOTSTRAP=1 scripts/with-rust rustc -Zsanitizer=address --target "$host" \
    -o "$target/probe" - 2>/dev/null; then
    echo "sanitize: LEFT OUT: this toolchain has no AddressSanitizer for $host" >&2
    exit 0
fi
cargo build --quiet --locked --workspace --bins --examples --target "$host" --target-dir "$target"

# documents and install measure what the ordinary build makes.
tests=${*:-$(for file in tests/tests/*.rs; do basename "$file" .rs; done |
    grep -Ev '^(documents|install)$')}
set -- -p seccomp-trace-tests
for name in $tests; do set -- "$@" --test "$name"; done
cargo test --locked --no-fail-fast --target "$host" --target-dir "$target" "$@" -- \
    --skip a_process_loads_the_compiled_filter
export ASAN_OPTIONS=detect_leaks=1
cargo test --locked --no-fail-fast --target "$host" --target-dir "$target" -p seccomp-trace-bpf --lib --tests
# The laws over a hundred thousand cases are about verdicts, not memory.
cargo test --locked --no-fail-fast --target "$host" --target-dir "$target" -p seccomp-trace-profile --lib --tests -- \
    --skip laws_of_a_lattice
