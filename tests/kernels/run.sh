#!/usr/bin/env bash
# Boots the kernels of the matrix and prints one table: test x kernel. The body of `make test-kernels` and
# `make test-kernels-quick`. Fails where a test failed, and where a kernel that booted did not get through its tests.
#
#   tests/kernels/run.sh quick|full
set -euo pipefail

cd "$(dirname "$0")"
tier=$1
out=$(realpath "${CARGO_TARGET_DIR:-../../target}")/kernels
results=$out/results
initramfs=$out/initramfs.gz
mkdir -p "$out"
: >"$results"

left_out() { echo "LEFT OUT: $*"; }

# Whether the tools are there or can be installed. Elsewhere nothing is tested, and that is said.
if ! ../../scripts/deps.sh build vendored kernels; then
    left_out "all kernels, because what building and booting them needs cannot be had"
    exit 0
fi
./build.sh "$initramfs"

# Boots one line of the matrix, twice where the last line of its init is missing, and notes a verdict for each test.
boot() {
    local arch=$1 series=$2 scenario=$3 arguments=$4 losses=$5 kernel log name attempt
    name=$arch-$series
    [ "$arguments" = - ] && arguments=
    [ "$scenario" != trace ] || name+=${arguments:+-$arguments}
    if ! kernel=$(./kernel.sh "$arch" "$series"); then
        left_out "$arch $series: its kernel cannot be had"
        return
    fi
    for attempt in 1 2; do
        log=$out/$name-$scenario-$attempt.log
        # shellcheck disable=SC2086 # a list of arguments
        if ./boot.sh "$arch" "$kernel" "$initramfs" "scenario=$scenario" $arguments >"$log"; then
            break
        fi
        echo "kernels: $name $scenario: boot $attempt did not reach its end; see $log"
    done
    sed -n "s/^@@ kernel \(.*\)/$name \1/p" "$log" >>"$out/kernels"
    sed -n "s/^@@ test \([^ ]*\) \(.*\)/$name \1 \2/p" "$log" >>"$results"
    grep -q '^@@ end' "$log" || echo "$name end MISSING" >>"$results"
    if [ "$losses" = lossy ]; then sed -i "/^$name /s/ LOSSY\$/ lossy/" "$results"; fi
    grep -q '^@@ test .* ok$' "$log" || echo "$name any-test MISSING" >>"$results"
    echo "kernels: $name $scenario: the whole log is $log"
    sed -n '/^@@ test .* FAILED/,/^@@/p' "$log"
}

table() {
    sort -u "$out/kernels" | sed 's/^/kernel /'
    awk '
        !($2 in row) { row[$2] = 1; names[++rows] = $2 }
        !($1 in column) { column[$1] = 1; kernels[++columns] = $1 }
        { verdict[$2, $1] = $3 }
        END {
            printf "%-30s", "test"
            for (c = 1; c <= columns; c++) printf " %s", kernels[c]
            print ""
            for (r = 1; r <= rows; r++) {
                printf "%-30s", names[r]
                for (c = 1; c <= columns; c++) {
                    cell = verdict[names[r], kernels[c]]
                    printf " %-" length(kernels[c]) "s", cell == "" ? "-" : cell
                }
                print ""
            }
        }
    ' "$results"
}

: >"$out/kernels"
while read -r arch series scenario arguments of losses <&3; do
    [ "$tier" = full ] || [ "$of" = quick ] || continue
    boot "$arch" "$series" "$scenario" "$arguments" "$losses"
done 3< <(grep -v '^#' matrix)

if [ ! -s "$results" ]; then
    left_out "all kernels: none could be had (is the network there?)"
    exit 0
fi
table
if grep -q ' lossy$' "$results"; then
    echo "kernels: lossy: the recording said that calls may be missing, which these kernels can cause"
fi
if grep -Ev ' (ok|lossy)$' "$results"; then
    echo "kernels: these are not as they must be"
    exit 1
fi
