#!/usr/bin/env bash
# make screenshots: pictures of the main screens, light and dark, from seeded data with the real service, into docs/screens.
. "$(dirname "$0")/common.sh"
need_toolchain
scripts/ui.sh build
cargo build --locked -p local
say "taking pictures of the web UI"
export SEED_SECONDS="${SEED_SECONDS:-30}"
node frontend/scripts/screens.mjs docs/screens 1280 light,dark overview,jobs,job,create,run,timeline
# Repositories keep every version of a picture for ever.
large="$(find docs/screens -name '*.png' -size +150k)"
[ -z "$large" ] || die "larger than 150 kB: $large"
