#!/usr/bin/env bash
# Checks who may depend on whom (ARCHITECTURE.md, "Crates and arrows"):
#   core     no member, no libbpf
#   profile  core only; no libbpf, no clang
#   bpf      core only; the only member that depends on libbpf-rs, libbpf-sys or libbpf-cargo directly, but for
#            benches, which attach an empty program of their own to compare it with
#   cli, oci-hook  any of the three, never each other
#
#   scripts/check-arrows.sh              checks this workspace
#   scripts/check-arrows.sh --self-test  checks that each rule refuses a workspace that breaks it
set -euo pipefail

cd "$(dirname "$0")/.."

# Reads lines "MEMBER direct|any DEPENDENCY", where members are named by their folder and a dependency that is a
# member is written @FOLDER. Prints what breaks a rule; fails when anything does.
judge() {
    awk '
        function refuse(why) { print "arrows: " $1 " depends on " $3 (why ? ": " why : ""); bad = 1 }
        {
            member = substr($3, 1, 1) == "@"
            libbpf = $3 ~ /^libbpf-(rs|sys|cargo)$/
            clang = $3 ~ /^(clang|clang-sys|bindgen)$/
        }
        $1 == "seccomp-trace-core" && member { refuse("core depends on no member"); next }
        $1 == "seccomp-trace-core" && libbpf { refuse("core knows no libbpf"); next }
        $1 ~ /^seccomp-trace-(profile|bpf)$/ && member && $3 != "@seccomp-trace-core" { refuse("only core is allowed"); next }
        $1 == "seccomp-trace-profile" && (libbpf || clang) { refuse("profile builds without libbpf and clang"); next }
        $1 == "cli" && $3 == "@oci-hook" || $1 == "oci-hook" && $3 == "@cli" { refuse("what both need lives in a library"); next }
        $1 !~ /^(seccomp-trace-bpf|benches)$/ && $2 == "direct" && libbpf { refuse("only bpf links libbpf"); next }
        END { exit bad }
    '
}

# The packages that one `cargo tree` call prints, one a line: @FOLDER for members, else the name.
packages() {
    scripts/with-rust cargo tree --locked --all-features --target all --prefix none --no-dedupe -e normal,build "$@" |
        awk -v root="$PWD/" '
            { path = $0; sub(/^.*\(/, "", path); sub(/\).*$/, "", path) }
            index($0, "(" root) { print "@" substr(path, length(root) + 1); next }
            $1 != "" { print $1 }
        ' | sort -u
}

facts() {
    local member package
    packages --workspace --depth 0 | sed 's/^@//' | while read -r member; do
        package=$(awk -F'"' '/^name *=/ { print $2; exit }' "$member/Cargo.toml")
        packages -p "$package" --depth 1 | sed "\\|^@$member\$|d; s|^|$member direct |"
        packages -p "$package" | sed "\\|^@$member\$|d; s|^|$member any |"
    done
}

self_test() {
    local line
    while read -r line; do
        if judge <<<"$line" >/dev/null; then
            echo "arrows: self-test: '$line' was let through" >&2
            exit 1
        fi
    done <<-END
		seccomp-trace-core any @seccomp-trace-bpf
		seccomp-trace-core any libbpf-sys
		seccomp-trace-profile any @seccomp-trace-bpf
		seccomp-trace-profile any libbpf-sys
		seccomp-trace-profile any clang-sys
		seccomp-trace-bpf any @seccomp-trace-profile
		cli direct libbpf-rs
		tests direct libbpf-rs
		oci-hook any @cli
		cli any @oci-hook
	END
    while read -r line; do
        if ! judge <<<"$line"; then
            echo "arrows: self-test: '$line' was refused" >&2
            exit 1
        fi
    done <<-END
		seccomp-trace-core any serde
		seccomp-trace-profile any libseccomp-sys
		seccomp-trace-bpf direct libbpf-cargo
		benches direct libbpf-cargo
		seccomp-trace-bpf any @seccomp-trace-core
		cli any @seccomp-trace-bpf
		cli any libbpf-rs
		oci-hook direct @seccomp-trace-profile
	END
    echo "arrows: the self-test refused every forbidden arrow"
}

if [ "${1:-}" = --self-test ]; then
    self_test
    exit
fi
found=$(facts)
# A check that looked at nothing must not pass.
for member in seccomp-trace-*/; do
    if ! grep -q "^${member%/} " <<<"$found"; then
        echo "arrows: cargo tree told nothing about ${member%/}" >&2
        exit 1
    fi
done
judge <<<"$found"
echo "arrows: $(wc -l <<<"$found") dependencies of $(cut -d' ' -f1 <<<"$found" | sort -u | wc -l) members keep the rules"
