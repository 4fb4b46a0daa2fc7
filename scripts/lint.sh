#!/usr/bin/env bash
# Every linter, in order, each timed; stops at the first that fails. The body of `make lint`.
# A linter that this machine lacks is named as left out, and only the optional ones (cargo-deny) may be.
set -euo pipefail

cd "$(dirname "$0")/.."
source scripts/steps.sh
cargo() { scripts/with-rust cargo "$@"; }
member() { [ -f "$1/Cargo.toml" ]; }

# The `vendored` features build libbpf, libelf and zlib from source with autotools; they change no Rust code of ours,
# so they are linted only where `make deps-vendored` has been run.
clippy_all() {
    if command -v autopoint >/dev/null && command -v flex >/dev/null && command -v gawk >/dev/null; then
        cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
    else
        local features
        features=$(scripts/features.sh | grep -v '/vendored$' | paste -sd, -)
        cargo clippy --workspace --all-targets --features "$features" --locked -- -D warnings
    fi
}
clang_format() {
    local files
    mapfile -t files < <(git ls-files '*.c' '*.h')
    [ "${#files[@]}" -eq 0 ] || clang-format --dry-run -Werror "${files[@]}"
}
shell_check() {
    local files
    mapfile -t files < <(git ls-files '*.sh' scripts/with-rust .ci/run)
    shellcheck -x "${files[@]}"
}
docs() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked; }

step "dependencies" scripts/deps.sh build test lint
step "cargo fmt" cargo fmt --all --check
step "workspace arrows: the check can fail" scripts/check-arrows.sh --self-test
step "workspace arrows" scripts/check-arrows.sh
step "clang-format" clang_format
step "shellcheck" shell_check
step "clippy" clippy_all
if member seccomp-trace-profile; then
    step "clippy: profile without libseccomp" \
        cargo clippy -p seccomp-trace-profile --no-default-features --all-targets --locked -- -D warnings
fi
# A workspace of its own. Its other feature needs libFuzzer.
fuzz=(--manifest-path fuzz/Cargo.toml)
step "fuzz: cargo fmt" cargo fmt "${fuzz[@]}" --check
step "fuzz: clippy" cargo clippy "${fuzz[@]}" --target-dir "${CARGO_TARGET_DIR:-target}/fuzz" \
    --no-default-features --lib --bins --locked -- -D warnings
if scripts/with-rust cargo deny --version >/dev/null 2>&1; then
    step "cargo deny" cargo deny --offline check -D warnings licenses bans sources
    step "fuzz: cargo deny" cargo deny --config deny.toml --manifest-path fuzz/Cargo.toml --offline \
        check -D warnings licenses bans sources
else
    left_out "cargo deny" "cargo-deny is not installed (cargo install cargo-deny)"
fi
step "rustdoc" docs
