#!/usr/bin/env bash
# Boots the kernels of the matrix and prints one table: test x kernel. The body of `make test-kernels` and
# `make test-kernels-quick`. Fails where a test failed, and where a kernel that booted did not get through its tests.
#
#   tests/kernels/run.sh quick|full
set -euo pipefail

cd "$(dirname "$0")"
tier=$1
out=$(realpath "${CARGO_TARGET_DIR:-../../target}")/kernel-tests
results=$out/results
mkdir -p "$out"
rm -f "$out"/*.results "$out"/*.kernel "$out"/*.failed
: >"$out/left-out"

left_out() { echo "LEFT OUT: $*" | tee -a "$out/left-out"; }

# Whether the tools are there or can be installed. Elsewhere nothing is tested, and that is said.
if ! ../../scripts/deps.sh build vendored kernels || ! ./emulator.sh amd64 >/dev/null; then
    left_out "all kernels, because what building and booting them needs cannot be had"
    exit 0
fi

# Builds what the virtual machines of an architecture run, once. Status 1: it cannot be had, which is said.
declare -A built
build() {
    local arch=$1 status=0
    if [ -z "${built[$arch]:-}" ]; then
        if [ "$arch" = arm64 ] && ! { ../../scripts/deps.sh kernels-arm64 && ./emulator.sh arm64 >/dev/null; }; then
            status=3
        else
            ./build.sh "$arch" "$out/$arch.gz" || status=$?
        fi
        case $status in
            0) built[$arch]=yes ;;
            3)
                built[$arch]=no
                left_out "all kernels of $arch, because what building and booting them needs cannot be had"
                ;;
            *)
                wait
                exit 1
                ;;
        esac
    fi
    [ "${built[$arch]}" = yes ]
}

# Boots one line of the matrix, twice where the last line of its init is missing, and notes a verdict for each test in
# files of its own: lines are booted side by side.
boot() {
    local line=$1 arch=$2 cpu=$3 scenario=$4 arguments=$5 losses=$6 kernel=$7 name=$8 log attempt began=$SECONDS
    for attempt in 1 2; do
        log=$out/$name-$scenario-$attempt.log
        # shellcheck disable=SC2086 # a list of arguments
        if ./boot.sh "$arch" "$cpu" "$kernel" "$out/$arch.gz" "scenario=$scenario" $arguments >"$log"; then
            break
        fi
        echo "kernels: $name $scenario: boot $attempt did not reach its end; see $log"
    done
    sed -n "s/^@@ kernel \(.*\)/kernel $name \1/p" "$log" >"$out/$line.kernel"
    {
        sed -n "s/^@@ test \([^ ]*\) \(.*\)/$name \1 \2/p" "$log"
        grep -q '^@@ end' "$log" || echo "$name end MISSING"
        grep -q '^@@ test .* ok$' "$log" || echo "$name any-test MISSING"
    } >"$out/$line.results"
    if [ "$losses" = lossy ]; then sed -i "s/ LOSSY\$/ lossy/" "$out/$line.results"; fi
    sed -n '/^@@ test .* FAILED/,/^@@/p' "$log" >"$out/$line.failed"
    echo "kernels: $name $scenario: $((SECONDS - began)) s; the whole log is $log"
}

# The name of a line's column.
column() {
    local arch=$1 series=$2 cpu=$3 scenario=$4 arguments=$5
    printf '%s' "$arch-$series"
    [ "$cpu" = - ] || printf '%s' "-$cpu"
    case $scenario in trace | preempted) printf '%s' "${arguments:+-$arguments}" ;; esac
}

table() {
    sort -u "$out"/*.kernel
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

line=100
while read -r arch series cpu scenario arguments of losses <&3; do
    [ "$tier" = full ] || [ "$of" = quick ] || continue
    [ "$arguments" != - ] || arguments=
    if ! kernel=$(./kernel.sh "$arch" "$series"); then
        left_out "$arch $series: its kernel cannot be had"
        continue
    fi
    build "$arch" || continue
    # As many at once as there are CPUs, each of which a virtual machine keeps busy.
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
    line=$((line + 1))
    boot "$line" "$arch" "$cpu" "$scenario" "$arguments" "$losses" "$kernel" \
        "$(column "$arch" "$series" "$cpu" "$scenario" "$arguments")" &
done 3< <(grep -v '^#' matrix)
wait
# Whoever died before it wrote them has not passed.
for ((number = 101; number <= line; number++)); do
    [ -e "$out/$number.results" ] || echo "line-$number results MISSING" >"$out/$number.results"
done
cat "$out"/*.results >"$results" 2>/dev/null || true
cat "$out"/*.failed 2>/dev/null || true

if [ ! -s "$results" ]; then
    left_out "all kernels: none could be had (is the network there?)"
    exit 0
fi
table
cat "$out/left-out"
if grep -q ' lossy$' "$results"; then
    echo "kernels: lossy: the recording said that calls may be missing, which these kernels can cause"
fi
if grep -Ev ' (ok|lossy)$' "$results"; then
    echo "kernels: these are not as they must be"
    exit 1
fi
