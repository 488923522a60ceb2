#!/usr/bin/env bash
# make run: the whole service, in one process, on SQLite in ./data/.
. "$(dirname "$0")/common.sh"
need_toolchain
# Without Node.js the service says at / how to get its UI; all else works.
scripts/ui.sh build || say "the web UI could not be built; going on without it"

# The demo target POST /echo is this service itself, at a loopback address, which jobs may not call unless allowed.
listen="${SCHEDULER_LISTEN:-127.0.0.1:8000}"
export SCHEDULER_ALLOW_TARGETS="${SCHEDULER_ALLOW_TARGETS:-localhost:${listen##*:},$listen}"
say "jobs may call $SCHEDULER_ALLOW_TARGETS, for the demo; set SCHEDULER_ALLOW_TARGETS to change that"
exec cargo run --locked -- "$@"
