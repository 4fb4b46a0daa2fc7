#!/bin/sh
# Runs every test: the body of `make test`. Tests that need root and BPF run where both are there; elsewhere they are
# left out, and this script says so.
set -eu

cd "$(dirname "$0")/.."
scripts/deps.sh build test
# The background of a script ignores SIGINT, and nohup SIGHUP: tests send both to what they have started.
cargo() { env --default-signal=HUP,INT,QUIT scripts/with-rust cargo "$@"; }

# The end-to-end tests run the binaries, so these are built first.
cargo build --workspace --bins --locked
bin=${CARGO_TARGET_DIR:-target}/debug/seccomp-trace

if [ "$(id -u)" -ne 0 ]; then
    left_out="not root"
elif [ "${SECCOMP_TRACE_TEST_PRIVILEGED:-}" = no ]; then
    left_out="SECCOMP_TRACE_TEST_PRIVILEGED=no"
elif "$bin" doctor >/dev/null 2>&1; then
    left_out=
else
    echo "test: root, but this machine cannot trace; the privileged tests will fail. What is missing:" >&2
    "$bin" doctor >&2 || true
    echo "test: to leave them out on purpose: SECCOMP_TRACE_TEST_PRIVILEGED=no make test" >&2
    left_out=
fi

cargo test --workspace --locked "$@"
# The workspace's members need libseccomp of the profile crate; its users may do without.
cargo test -p seccomp-trace-profile --no-default-features --locked "$@"
# The parsers, by changed inputs; whoever asks for certain tests gets these alone.
if [ $# -eq 0 ]; then
    case ${SECCOMP_TRACE_TEST_FULL:-} in
        '' | 0) scripts/fuzz.sh --stable "${SECCOMP_TRACE_FUZZ_SECONDS:-20}" ;;
        *) scripts/fuzz.sh 60 ;;
    esac
fi

if [ -n "$left_out" ]; then
    echo "test: LEFT OUT, because of: $left_out. These tests need root and BPF, and checked nothing:"
    grep -lE 'privileged!\(\)|with_each_runtime!\(' tests/tests/*.rs | sed 's/^/test:   /'
fi
