#!/bin/sh
# Prints every feature of every member of the workspace, as MEMBER/FEATURE.
set -eu

cd "$(dirname "$0")/.."
for manifest in */Cargo.toml; do
    # Another workspace.
    if grep -q '^\[workspace\]' "$manifest"; then continue; fi
    awk '
        /^\[/ { section = $0 }
        section == "[package]" && /^name *=/ { split($0, part, "\""); name = part[2] }
        section == "[features]" && /^[a-z0-9_-]+ *=/ { sub(/ *=.*/, ""); if ($0 != "default") print name "/" $0 }
    ' "$manifest"
done
