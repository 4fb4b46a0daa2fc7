# shellcheck shell=bash
# For sourcing: `step NAME COMMAND...` prints a banner, runs and times the command, and ends the script when it fails.

step() {
    local name=$1 started=$SECONDS status=0
    shift
    printf '\n=== %s\n' "$name"
    # A function called in a condition runs without errexit, hence the subshell that sets it again.
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    if [ "$status" -ne 0 ]; then
        printf '\n!!! FAILED: %s (status %s, after %s s)\n' "$name" "$status" "$((SECONDS - started))" >&2
        exit "$status"
    fi
    printf -- '--- %s: ok (%s s)\n' "$name" "$((SECONDS - started))"
}

left_out() {
    printf '\n=== %s\n--- LEFT OUT: %s\n' "$1" "$2"
}
