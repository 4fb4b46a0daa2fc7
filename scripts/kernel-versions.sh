#!/bin/sh
# Prints seccomp-trace-profile/src/kernels/table.txt from the manual page syscalls(2): which call came with which kernel.
#
#   scripts/kernel-versions.sh PAGE      PAGE: syscalls.2 or syscalls.2.gz of the Linux man-pages (Debian: manpages)
#
# Calls that were removed are left out, and so are those of architectures that this project knows nothing of: no rule
# may name them.
set -eu

page=$1
cat <<HEAD
# The Linux release that each call first came with, and its calls; backports to older series do not count.
# Facts read from syscalls(2) of $(zcat -f "$page" | sed -n 's/^\.TH syscalls 2 [^"]*"\(.*\)".*/\1/p'). Made by scripts/kernel-versions.sh; do not edit.
HEAD
# membarrier: Linux 4.3 (commit 5b25b13ab08f); the page has 3.17. pread64, pwrite64: the page has the version in a note.
zcat -f "$page" | awk -F'\t' '
    BEGIN { corrected["membarrier"] = "4.3"; corrected["pread64"] = corrected["pwrite64"] = "2.2" }
    function keep() { if (name != "" && notes !~ /Removed|only/) print version, name; name = "" }
    /^\.TE/ { keep(); exit }
    /^\\fB[a-z0-9_]+\\fP\(2\)\t/ {
        keep()
        name = $1; gsub(/\\fB|\\fP\(2\)/, "", name)
        version = $2
        if (name in corrected) version = corrected[name]
        sub(/;.*/, "", version); gsub(/[^0-9.]/, "", version)
        split(version, part, "."); version = part[1] "." (part[2] == "" ? 0 : part[2])
        notes = $3
        next
    }
    { notes = notes " " $0 }' | sort -t. -k1,1n -k2,2n | awk '
    function flush() { if (line != "") print version line; line = "" }
    $1 != version || length(line) + length($2) > 110 { flush(); version = $1 }
    { line = line " " $2 }
    END { flush() }'
