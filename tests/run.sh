#!/bin/sh
# Runs the test programs given and sums up. Each is a libcheck program that ends on libcheck's line
# "NN%: Checks: N, Failures: N, Errors: N" and prints "skipped: REASON" for what it had to leave out.
set -u
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0
for program in "$@"; do
    "$program" >"$log" 2>&1 </dev/null
    status=$?
    line=$(grep -E '^[0-9]+%: Checks: ' "$log" | tail -n 1)
    checks=$(echo "$line" | sed -n 's/.*Checks: \([0-9]*\).*/\1/p')
    bad=$(echo "$line" | sed -n 's/.*Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 + \2/p')
    bad=$((${bad:-0}))
    skips=$(grep -c '^skipped: ' "$log")
    if [ -z "$line" ] || { [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
        bad=$((bad + 1)) checks=$((${checks:-0} + 1))
    fi
    if [ "$bad" -gt 0 ]; then
        echo "FAIL $(basename "$program") (status $status)"
        cat "$log"
    else
        echo "ok   $(basename "$program"): $checks checks"
    fi
    good=$((checks - bad - skips)) # a check that had to be left out has passed nothing
    [ "$good" -ge 0 ] || good=0
    failed=$((failed + bad)) passed=$((passed + good)) skipped=$((skipped + skips))
done
if [ "$skipped" -gt 0 ]; then
    echo "$skipped checks were skipped: the data in NASW_SHARED=${NASW_SHARED:-} is not there"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
