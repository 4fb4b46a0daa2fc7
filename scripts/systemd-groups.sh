#!/bin/sh
# Prints seccomp-trace-profile/src/groups/systemd.txt from the systemd of this machine: its syscall groups, without
# @known, which names every call. Run it on the release that the table is to be of.
set -eu

cat <<HEAD
# The syscall groups of systemd $(systemd-analyze --version | awk 'NR == 1 { print $2 }'): a name, what it is for, and its calls and groups.
# Facts read with \`systemd-analyze syscall-filter\`. Made by scripts/systemd-groups.sh; do not edit.
HEAD
systemd-analyze syscall-filter --no-pager 2>/dev/null | awk '
    function flush() { if (line != "") print "   " line; line = "" }
    /^@/ { flush(); group = $1; next }
    group == "@known" || group == "" { next }
    /^ +#/ { sub(/^ +# */, ""); print group " - " $0; next }
    NF == 1 { if (length(line) + length($1) > 112) flush(); line = line " " $1 }
    END { flush() }'
