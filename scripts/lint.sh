#!/usr/bin/env bash
# make lint: what a reviewer should not have to say.
. "$(dirname "$0")/common.sh"
need_toolchain

say "formatting"
cargo fmt --all --check
say "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings
say "documentation"
RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet
if command -v cargo-deny >/dev/null; then
  say "dependencies"
  cargo deny --offline check bans licenses sources
fi
