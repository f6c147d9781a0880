#!/bin/sh
# Sets up .venv with what the locks say. Usage: install.sh runtime|dev   (the Makefile calls it when something changed)
set -eu
kind=$1
python=${PYTHON:-python3}
here=$(pwd)

fail() {
    echo "deskledger: $*" >&2
    exit 1
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "Python 3.11 or later is needed; name it with make PYTHON=python3.12"

# An environment whose interpreter is gone or that was made in another folder is of no use: make it anew.
made_here() {
    [ -x .venv/bin/python ] && [ -f .venv/bin/pip ] &&
        head -n 1 .venv/bin/pip | grep -qF "$here/.venv/" && .venv/bin/python -c ''
} 2>/dev/null

if ! made_here; then
    echo "Setting up .venv ($kind) ..."
    "$python" -m venv --clear .venv >.venv.log 2>&1 || {
        cat .venv.log >&2
        rm -rf .venv .venv.log
        fail "Python's venv module is incomplete. On Debian or Ubuntu: apt-get install python3-venv"
    }
    rm -f .venv.log
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet --require-hashes -r requirements/tools.lock ||
    fail "the package uv could not be fetched (see above); is there a network?"

# uv does not read pip's settings: where pip has been pointed at a mirror, point uv at it too.
mirror=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
if [ -n "$mirror" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    export UV_DEFAULT_INDEX="$mirror"
fi

# `install` and not `sync`: what is there and not in this lock (the tools for tests) stays.
.venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r "requirements/$kind.lock" ||
    .venv/bin/python -m pip install --quiet --require-hashes -r "requirements/$kind.lock" ||
    fail "the packages of requirements/$kind.lock could not be installed (see above)"

set --
for project in libs/*/pyproject.toml services/*/pyproject.toml deploy/*/pyproject.toml; do
    set -- "$@" --editable "${project%/pyproject.toml}"
done
.venv/bin/uv pip install --quiet --python .venv/bin/python --offline --no-deps --no-build-isolation "$@" ||
    fail "the packages of this repository could not be installed (see above)"

# Fourteen processes start faster from compiled modules, also where the environment forbids writing them on the way.
.venv/bin/python -m compileall -q libs services deploy || true
