#!/bin/sh
# `web`, `worker`, `migrate`, `admin …`: a command of the image's service. `exec`, so that signals reach it.
set -eu
if [ "${1:-}" = web ]; then
    # gunicorn's processes add up their metrics in files.
    export PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
    rm -rf "$PROMETHEUS_MULTIPROC_DIR" && mkdir "$PROMETHEUS_MULTIPROC_DIR"
fi
if [ "$#" -eq 1 ] && [ "$1" = web ]; then
    set -- web --bind "0.0.0.0:${PORT}" --workers "${WEB_WORKERS:-2}"
fi
exec python -m "${SERVICE}" "$@"
