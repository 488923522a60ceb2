#!/usr/bin/env bash
# make lighthouse: the web UI of the optimised binary in Lighthouse (desktop, the median of three). Lighthouse itself is large
# and is no part of the UI's packages; npx fetches it.
. "$(dirname "$0")/common.sh"
need_toolchain
scripts/ui.sh build
cargo build --locked --release -p local
export SCHEDULER_BIN="${SCHEDULER_BIN:-${CARGO_TARGET_DIR:-target}/release/scheduler}"
say "Lighthouse (load of this machine: $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo unknown))"
exec node frontend/scripts/lighthouse.mjs "$@"
