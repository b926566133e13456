#!/bin/sh
# The models that nasw writes, run by onnxruntime: NASW_BIN, NASW_COPY and NASW_SHARED say what is
# tested; the runtime goes into the folder RUNTIME. Ends like the other tests, with one line.
set -u
skip()
{
    echo "skipped: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not there (Debian: nodejs npm)"
mkdir -p "$RUNTIME" || exit 1
# The package's own script would fetch binaries for graphics cards; the one for CPUs is inside.
[ -d "$RUNTIME/node_modules/onnxruntime-node" ] ||
    npm install --prefix "$RUNTIME" --ignore-scripts --no-audit --no-fund --loglevel=error \
        onnxruntime-node@1.30.0 >/dev/null ||
    skip "npm cannot install onnxruntime-node"
NODE_PATH="$RUNTIME/node_modules" exec node "$(dirname "$0")/run.js"
