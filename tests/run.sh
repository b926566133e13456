#!/bin/sh
# Runs the test programs given, as many at a time as there are processors, and sums up. Each is a
# libcheck program that ends on libcheck's line "NN%: Checks: N, Failures: N, Errors: N" and prints
# "skipped: REASON" for what it had to leave out.
set -u

# sh run.sh --one FOLDER PROGRAM: runs one, says how it went, and leaves its counts in the folder.
run_one() {
    log=$1/$(basename "$2").log
    "$2" >"$log" 2>&1 </dev/null
    status=$?
    line=$(grep -E '^[0-9]+%: Checks: ' "$log" | tail -n 1)
    checks=$(echo "$line" | sed -n 's/.*Checks: \([0-9]*\).*/\1/p')
    bad=$(echo "$line" | sed -n 's/.*Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 + \2/p')
    bad=$((${bad:-0}))
    skips=$(grep -c '^skipped: ' "$log")
    if [ -z "$line" ] || { [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
        bad=$((bad + 1)) checks=$((${checks:-0} + 1))
    fi
    good=$((checks - bad - skips)) # a check that had to be left out has passed nothing
    [ "$good" -ge 0 ] || good=0
    echo "$good $bad $skips" >"$1/$(basename "$2").counts"
    if [ "$bad" -gt 0 ]; then
        said="FAIL $(basename "$2") (status $status)
$(cat "$log")"
    else
        said="ok   $(basename "$2"): $checks checks"
    fi
    printf '%s\n' "$said"
}

if [ "${1:-}" = --one ]; then
    run_one "$2" "$3"
    exit 0
fi

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
printf '%s\n' "$@" | xargs -P "$(nproc 2>/dev/null || echo 1)" -I '{}' sh "$0" --one "$folder" '{}'
passed=0 failed=0 skipped=0
for program in "$@"; do
    counts=$folder/$(basename "$program").counts
    good=0 bad=1 skips=0 # of one that was not even run
    [ -f "$counts" ] && read -r good bad skips <"$counts"
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
done
if [ "$skipped" -gt 0 ]; then
    echo "$skipped checks were skipped: the data in NASW_SHARED=${NASW_SHARED:-} is not there"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
